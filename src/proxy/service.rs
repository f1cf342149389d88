//! The way of one post: read whole, decided, audited, and only then sent on.
//!
//! Invariant: nothing leaves for a platform before its verdict is in hand and its event is written.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::audit::{Audit, Event, Outcome, What};
use crate::body::{Unreadable, looks_like_media};
use crate::config::Timeouts;
use crate::inspect::{self, Inspection, Inspector, Redacted, Verdict};
use crate::platform::{Answer, Class};
use crate::policy::OnFault;
use crate::proxy::body::{Answering, Outgoing};
use crate::proxy::connection::Activity;
use crate::proxy::forward::{self, Sending};
use crate::proxy::headers::{self, Framing};
use crate::proxy::metrics::{InFlight, Metrics};
use crate::proxy::receive::{self, Received, receive};
use crate::proxy::respond::{self, Asker, Refusal};
use crate::proxy::route::{RequestHost, Routes, Target};
use crate::proxy::tls::Presented;
use crate::proxy::upstream::Pool;

/// Bodies longer than this are inspected off the async threads.
const INLINE: usize = 64 * 1024;

/// Everything a request needs, shared by all connections.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) routes: Arc<Routes>,
    pub(crate) inspector: Arc<Inspector>,
    pub(crate) rules_hash: String,
    pub(crate) audit: Audit,
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
}

/// The proxy's own limits.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_body: usize,
    pub(crate) max_media: u64,
    pub(crate) timeouts: Timeouts,
}

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    address: IpAddr,
    presented: Presented,
    pub(crate) activity: Arc<Activity>,
    /// The host last found covered: nearly always the only one.
    covered: OnceLock<Box<str>>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, presented: Presented, activity: Activity) -> Self {
        Self { address, presented, activity: Arc::new(activity), covered: OnceLock::new() }
    }

    fn covers(&self, host: &str) -> bool {
        if self.covered.get().is_some_and(|covered| **covered == *host) {
            return true;
        }
        let covers = self.presented.covers(host);
        if covers {
            let _ = self.covered.set(host.into());
        }
        covers
    }
}

/// One request on its way, everything but its body.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) target: Arc<Target>,
    pub(crate) authority: Authority,
    pub(crate) parts: Parts,
    pub(crate) framing: Framing,
    client: IpAddr,
    group: Option<String>,
    id: String,
    reference: String,
    today: Date,
    origin: Option<HeaderValue>,
}

/// What is there to be sent on.
#[derive(Debug)]
pub(crate) enum Held {
    /// The whole body.
    Whole(Bytes),
    /// The start of a long body, and the rest to come.
    Long(Bytes, Incoming),
    /// A body that did not come whole: nothing can be sent.
    Nothing,
}

/// What is done about a request.
enum Next {
    Send(Sending),
    Answer(Answer, Held),
    Refuse,
}

impl Gateway {
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.limits.timeouts
    }

    /// Answers one request.
    pub(crate) async fn handle(
        self: Arc<Self>,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Answering> {
        let in_flight = self.metrics.enter(&peer.activity);
        let (parts, body) = request.into_parts();
        match self.admit(&peer, parts) {
            Ok(passage) => self.pass(passage, body, in_flight).await,
            Err((refusal, origin, framing)) => {
                let close = !receive::drain(body, framing).await;
                respond::refuse(refusal, Asker { origin, close, in_flight })
            }
        }
    }

    /// Finds out which platform a request is for, or why it goes nowhere.
    fn admit(
        &self,
        peer: &Peer,
        mut parts: Parts,
    ) -> Result<Passage, (Refusal, Option<HeaderValue>, Framing)> {
        let origin = parts.headers.get(ORIGIN).cloned();
        let host = RequestHost::of(&parts);
        let framing = match headers::admit(&mut parts) {
            Ok(framing) => framing,
            Err(refusal) => {
                self.metrics.refused();
                return Err((refusal, origin, Framing::default()));
            }
        };
        let found = match &host {
            Err(_) => Err(Refusal::Host),
            Ok(_) if !parts.uri.path().starts_with('/') => Err(Refusal::Target),
            Ok(host) => match self.routes.find(&host.host) {
                None => Err(Refusal::Unrouted),
                Some(_) if !peer.covers(&host.host) => Err(Refusal::NotCovered),
                Some(target) => Ok(Arc::clone(target)),
            },
        };
        match (found, host) {
            (Ok(target), Ok(host)) => Ok(Passage {
                target,
                authority: host.authority,
                parts,
                framing,
                client: peer.address,
                group: self.inspector.policy().group_of(peer.address).map(ToOwned::to_owned),
                id: Audit::new_id(),
                reference: Audit::new_reference(),
                today: Timestamp::now().to_zoned(TimeZone::UTC).date(),
                origin,
            }),
            (Err(refusal), _) => {
                if refusal == Refusal::Unrouted {
                    self.metrics.unrouted();
                } else {
                    self.metrics.refused();
                }
                Err((refusal, origin, framing))
            }
            (Ok(_), Err(_)) => Err((Refusal::Host, origin, framing)),
        }
    }

    /// Reads, decides, writes the event, and sends on what may be sent.
    async fn pass(
        &self,
        passage: Passage,
        body: Incoming,
        in_flight: InFlight,
    ) -> Response<Answering> {
        let is_media = passage.class() == Class::Media;
        let received = receive(
            body,
            passage.framing,
            self.limits.max_body,
            is_media,
            self.limits.timeouts.body,
        )
        .await;
        let began = Instant::now();
        let Some((mut passage, mut inspection, held)) =
            self.decide(passage, received, is_media).await
        else {
            return respond::refuse(
                Refusal::Stopping,
                Asker { origin: None, close: true, in_flight },
            );
        };
        let spent = began.elapsed();
        self.metrics.decided(passage.target.platform_index, &inspection, spent);

        let enforced = inspection.enforced;
        let verdict = take_verdict(&mut inspection);
        if enforced && matches!(verdict, Verdict::Block(_)) {
            tracing::info!(
                platform = %passage.target.platform.id(), endpoint = %inspection.endpoint,
                n_findings = inspection.findings.len(), reference = %inspection.reference, "post blocked"
            );
        }
        let audited = inspection.is_post
            || !inspection.findings.is_empty()
            || inspection.fault.is_some()
            || inspection.unjudged_media;
        let next = self.next(&mut passage, enforced, verdict, held);
        // Made before the event is written: a client may go while we wait for the disk.
        let mut outcome = match next {
            Next::Send(_) if audited => Some(PendingOutcome::new(self.audit.clone(), &passage)),
            _ => None,
        };
        if audited && let Err(answer) = self.write_event(&passage, inspection, spent).await {
            PendingOutcome::forget(&mut outcome);
            let held = match next {
                Next::Send(sending) => sending.into_held(),
                Next::Answer(_, held) => held,
                Next::Refuse => Held::Nothing,
            };
            return Self::answer(answer, &passage, held, in_flight).await;
        }
        match next {
            Next::Send(sending) => {
                forward::forward(self, passage, sending, outcome, in_flight).await
            }
            Next::Answer(answer, held) => Self::answer(answer, &passage, held, in_flight).await,
            Next::Refuse => respond::refuse(Refusal::Framing, passage.asker(true, in_flight)),
        }
    }

    /// From the verdict to what is done. Whoever cannot be sent on as judged is not sent on.
    fn next(&self, passage: &mut Passage, enforced: bool, verdict: Verdict, held: Held) -> Next {
        match (enforced, verdict, held) {
            (true, Verdict::Block(answer), held)
            | (false, Verdict::Block(answer), held @ Held::Nothing) => Next::Answer(answer, held),
            // A body that streams was never read, so nothing can have been edited in it; were it otherwise, the edit
            // would be lost.
            (_, _, Held::Nothing)
            | (true, Verdict::Redact(Redacted { body: Some(_), .. }), Held::Long(..)) => {
                Next::Refuse
            }
            (true, Verdict::Redact(redacted), Held::Whole(body)) => {
                let Redacted { query, body: new } = redacted;
                Next::Send(self.sending(passage, new.is_some(), query, new.unwrap_or(body)))
            }
            (true, Verdict::Redact(Redacted { query, body: None }), Held::Long(start, rest)) => {
                Next::Send(Sending::stream(query, start, rest, &self.limits, passage.framing))
            }
            (_, _, Held::Whole(body)) => Next::Send(self.sending(passage, false, None, body)),
            (_, _, Held::Long(start, rest)) => {
                Next::Send(Sending::stream(None, start, rest, &self.limits, passage.framing))
            }
        }
    }

    /// Says what is sent of a body that was read whole.
    fn sending(
        &self,
        passage: &mut Passage,
        edited: bool,
        query: Option<String>,
        body: Bytes,
    ) -> Sending {
        headers::set_length(&mut passage.parts.headers, passage.framing.has_body, body.len());
        if edited {
            headers::drop_digests(&mut passage.parts.headers);
        }
        Sending {
            query,
            body: Outgoing::Whole((!body.is_empty()).then_some(body)),
            sent: None,
            limit: self.limits.timeouts.answer,
        }
    }

    /// The verdict on what was received. `None` only while the runtime is being torn down.
    async fn decide(
        &self,
        passage: Passage,
        received: Received,
        is_media: bool,
    ) -> Option<(Passage, Inspection, Held)> {
        let inspector = &self.inspector;
        Some(match received {
            Received::Whole(body) => {
                let (passage, inspection) =
                    inspect(Arc::clone(inspector), passage, body.clone()).await?;
                (passage, inspection, Held::Whole(body))
            }
            Received::Long(start, rest) if is_media && passage.is_media(&start) => {
                let inspection = judge_media(inspector, &passage);
                (passage, inspection, Held::Long(start, rest))
            }
            Received::Long(start, rest) => {
                let inspection = guarded(inspector, &passage, &Bytes::new(), |request| {
                    inspector.unreadable(request, Unreadable::TooLarge)
                });
                (passage, inspection, Held::Long(start, rest))
            }
            Received::Failed(why) => {
                let inspection = guarded(inspector, &passage, &Bytes::new(), |request| {
                    inspector.unreadable(request, why)
                });
                (passage, inspection, Held::Nothing)
            }
        })
    }

    /// Writes the decision. If that fails, the policy says whether the post may still go; `Err` is the answer if not.
    async fn write_event(
        &self,
        passage: &Passage,
        inspection: Inspection,
        spent: Duration,
    ) -> Result<(), Answer> {
        let event = passage.event(What::Decided {
            inspection: Box::new(inspection),
            spent,
            rules: self.rules_hash.clone(),
            policy: self.inspector.policy().hash().to_owned(),
        });
        let Err(error) = self.audit.record(event).await else { return Ok(()) };
        self.metrics.unaudited();
        tracing::error!(%error, "audit event not written");
        let policy = self.inspector.policy();
        match policy.on_unaudited() {
            OnFault::Forward => Ok(()),
            OnFault::Block => {
                let sentence =
                    policy.fault_sentence("the audit trail cannot be written", passage.reference());
                let platform = &passage.target.platform;
                let endpoint = platform
                    .resolve(&passage.parts.method, passage.parts.uri.path(), None)
                    .endpoint;
                Err(platform.answer(endpoint, &sentence, passage.reference()))
            }
        }
    }

    /// Answers in the platform's place, once the request has been read to its end: a client that is cut off while it
    /// sends sees a network error and tries again.
    async fn answer(
        answer: Answer,
        passage: &Passage,
        held: Held,
        in_flight: InFlight,
    ) -> Response<Answering> {
        let close = match held {
            Held::Whole(_) => false,
            Held::Long(_, rest) => !receive::drain(rest, passage.framing).await,
            Held::Nothing => true,
        };
        respond::block(answer, passage.asker(close, in_flight))
    }
}

impl Passage {
    /// The endpoint's class, as far as the head tells.
    fn class(&self) -> Class {
        self.target
            .platform
            .resolve(&self.parts.method, self.parts.uri.path(), None)
            .endpoint
            .class()
    }

    /// Whether the body's leading bytes are media's, whatever its type claims. Compressed media are not: nobody
    /// compresses media, and a text hidden so would pass unread.
    fn is_media(&self, start: &[u8]) -> bool {
        let content_type =
            self.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        !self.parts.headers.contains_key(CONTENT_ENCODING) && looks_like_media(content_type, start)
    }

    /// What the client's sentence and the event have in common.
    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    /// For an answer of ours. A connection of HTTP/2 outlives a request that was not read to its end.
    pub(crate) fn asker(&self, close: bool, in_flight: InFlight) -> Asker {
        Asker {
            origin: self.origin.clone(),
            close: close && self.parts.version < Version::HTTP_2,
            in_flight,
        }
    }

    fn event(&self, what: What) -> Event {
        Event {
            id: self.id.clone(),
            client: Some(self.client),
            group: self.group.clone(),
            host: self.target.pattern.clone(),
            platform: self.target.platform.id().to_owned(),
            method: standard_method(&self.parts.method).to_owned(),
            what,
        }
    }

    fn request<'a>(&'a self, body: &'a Bytes) -> inspect::Request<'a> {
        inspect::Request {
            platform: &self.target.platform,
            method: &self.parts.method,
            path: self.parts.uri.path(),
            query: self.parts.uri.query(),
            headers: &self.parts.headers,
            body,
            group: self.group.as_deref(),
            reference: self.reference(),
            today: self.today,
        }
    }
}

/// Inspects, off the async threads where that takes long.
async fn inspect(
    inspector: Arc<Inspector>,
    passage: Passage,
    body: Bytes,
) -> Option<(Passage, Inspection)> {
    let is_short = body.len() <= INLINE;
    let run = move || {
        let inspection = guarded(&inspector, &passage, &body, |request| inspector.inspect(request));
        (passage, inspection)
    };
    if is_short { Some(run()) } else { tokio::task::spawn_blocking(run).await.ok() }
}

/// A panic in an inspection is a block. What it panicked with is dropped unread: it may quote the post.
fn guarded(
    inspector: &Inspector,
    passage: &Passage,
    body: &Bytes,
    judge: impl FnOnce(&inspect::Request<'_>) -> Inspection,
) -> Inspection {
    let request = passage.request(body);
    catch_unwind(AssertUnwindSafe(|| judge(&request)))
        .unwrap_or_else(|_| inspector.failed(&request))
}

/// Media that is too long to hold: its query, path and headers are judged as always, its pixels are not.
fn judge_media(inspector: &Inspector, passage: &Passage) -> Inspection {
    let judged = guarded(inspector, passage, &Bytes::new(), |request| inspector.inspect(request));
    if matches!(judged.verdict, Verdict::Block(_)) {
        return judged;
    }
    let media = guarded(inspector, passage, &Bytes::new(), |request| inspector.media(request));
    if matches!(media.verdict, Verdict::Block(_)) {
        return media;
    }
    Inspection { unjudged_media: true, is_post: true, ..judged }
}

/// Takes the verdict out, leaving one of the same kind but empty: what is recorded never holds a text.
fn take_verdict(inspection: &mut Inspection) -> Verdict {
    let empty = match &inspection.verdict {
        Verdict::Forward => Verdict::Forward,
        Verdict::Redact(_) => Verdict::Redact(Redacted::default()),
        Verdict::Block(answer) => Verdict::Block(Answer {
            status: answer.status,
            content_type: answer.content_type.clone(),
            body: Vec::new(),
        }),
    };
    std::mem::replace(&mut inspection.verdict, empty)
}

/// A method of the client's own making is the client's text.
fn standard_method(method: &http::Method) -> &'static str {
    ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}

/// What became of a forwarded post. Dropped before it is told, the client has gone.
#[derive(Debug)]
pub(crate) struct PendingOutcome {
    audit: Audit,
    event: Option<Event>,
}

impl PendingOutcome {
    fn new(audit: Audit, passage: &Passage) -> Self {
        Self { audit, event: Some(passage.event(What::Outcome(Outcome::ClientGone))) }
    }

    /// Says what became of a post, if its decision was written.
    pub(crate) fn tell(pending: Option<Self>, outcome: Outcome) {
        let Some(mut pending) = pending else { return };
        if let Some(mut event) = pending.event.take() {
            event.what = What::Outcome(outcome);
            pending.audit.record_later(event);
        }
    }
}

impl PendingOutcome {
    /// Nothing was decided after all: there is no event for an outcome to follow.
    fn forget(pending: &mut Option<Self>) {
        if let Some(pending) = pending {
            pending.event = None;
        }
    }
}

impl Drop for PendingOutcome {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.audit.record_later(event);
        }
    }
}
