//! The way of one post: read whole, decided, audited, and only then sent on.
//!
//! Invariant: nothing leaves for a platform before its verdict is in hand and its event is written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use crate::audit::{Audit, AuditError, Outcome, What};
use crate::body::Unreadable;
use crate::config::{Edge, Timeouts, WebSocket};
use crate::inspect::{Inspection, Inspector, Redacted, Verdict};
use crate::media::InPlace;
use crate::platform::{Answer, Class, Reason};
use crate::policy::{Mode, OnFault, Refused};
use crate::proxy::body::{Answering, Outgoing};
use crate::proxy::calendar::Calendar;
use crate::proxy::digest;
use crate::proxy::forward::{self, Sending};
use crate::proxy::headers::{self, Framing};
use crate::proxy::judge::{Judging, guarded, judge_media, take_verdict, with_media};
use crate::proxy::listener::Listening;
use crate::proxy::memory::{Claim, Memory};
use crate::proxy::metrics::{InFlight, Metrics};
use crate::proxy::outcome::PendingOutcome;
use crate::proxy::passage::{Passage, Peer};
use crate::proxy::receive::{self, Reading, Received, receive};
use crate::proxy::respond::{self, Asker, Refusal};
use crate::proxy::route::{RequestHost, Routes};
use crate::proxy::seldom::Seldom;
use crate::proxy::set::Way;
use crate::proxy::spool::{SpoolLimits, Spooled, spool};
use crate::proxy::tls::Expiry;
use crate::proxy::trace::{Trace, Tracer};
use crate::proxy::upstream::Pool;
use crate::proxy::websocket::{self, Asked, Asking};

/// Everything a request needs, made of one configuration and replaced with it as a whole.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) routes: Arc<Routes>,
    pub(crate) inspector: Arc<Inspector>,
    pub(crate) rules_hash: String,
    pub(crate) audit: Audit,
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) memory: Memory,
    pub(crate) judging: Judging,
    pub(crate) calendar: Arc<Calendar>,
    /// What is still in flight is being cut off.
    pub(crate) is_cut: Arc<AtomicBool>,
    pub(crate) unaccepted_lines: Arc<Seldom>,
    pub(crate) unaudited_lines: Arc<Seldom>,
    pub(crate) unanswered_lines: Arc<Seldom>,
    pub(crate) untrusted_lines: Arc<Seldom>,
    pub(crate) listening: Vec<Listening>,
    /// When the certificates and lists that it was made of end.
    pub(crate) expiries: Vec<Expiry>,
    /// Traces requests; `None` is none of them.
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// The headers by which any listener may be told who sent a request.
    pub(crate) identity_headers: Vec<HeaderName>,
    /// By what the pool's connections were made.
    pub(crate) way: Way,
}

/// The proxy's own limits.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_body: usize,
    pub(crate) max_media: u64,
    pub(crate) edge: Edge,
    pub(crate) timeouts: Timeouts,
}

/// What is there to be sent on.
pub(crate) enum Held {
    /// The whole body.
    Whole(Bytes),
    /// The start of a long body, the rest to come, and what takes the metadata out of it.
    Long(Bytes, Incoming, Option<Box<InPlace>>),
    /// A body whose long runs of media are in the spool.
    Spooled(Box<Spooled>),
    /// A body that did not come whole, or was not kept: nothing can be sent. What may still come is read and dropped.
    Nothing(Option<Incoming>),
}

/// Why a request goes nowhere, and what its answer needs of it.
type Nowhere = (Refusal, Option<HeaderValue>, Framing);

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

    /// A listener of this set.
    pub(crate) fn listening(&self, id: usize) -> Option<&Listening> {
        self.listening.iter().find(|one| one.id == id)
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.limits.timeouts
    }

    /// Says that connections cannot be taken: the machine or our own limits are at fault.
    pub(crate) fn not_accepted(&self, error: &io::Error) {
        self.metrics.not_accepted();
        if let Some(n_suppressed) = self.unaccepted_lines.pass() {
            tracing::error!(%error, n_suppressed, "connections cannot be accepted");
        }
    }

    /// Answers one request.
    pub(crate) async fn handle(
        self: Arc<Self>,
        peer: Arc<Peer>,
        request: Request<Incoming>,
    ) -> Response<Answering> {
        let in_flight = self.metrics.enter(&peer.activity);
        let (parts, body) = request.into_parts();
        let is_h1 = parts.version < Version::HTTP_2;
        let is_head = parts.method == Method::HEAD;
        match self.admit(&peer, parts) {
            Ok((mut passage, asked)) => {
                let asking = asked.and_then(|asked| {
                    let client = passage.parts.extensions.remove::<OnUpgrade>()?;
                    Some(Asking { asked, client, peer })
                });
                let headers = &mut passage.parts.headers;
                let mut trace = self.tracer.as_ref().and_then(|tracer| tracer.begin(headers));
                let response = self.pass(passage, body, asking, in_flight, &mut trace).await;
                if let Some(trace) = &mut trace {
                    trace.answered(response.status().as_u16());
                }
                response
            }
            Err((refusal, origin, framing)) => {
                // After ambiguous framing, nobody knows where the next request would begin.
                let drained = refusal != Refusal::Framing
                    && receive::drain(body, framing, self.limits.timeouts.refused).await;
                // Who names no host clearly may mean another one next; of a socket that is refused, its client may have
                // sent frames already, which are no requests.
                let is_unsure = matches!(
                    refusal,
                    Refusal::Host | Refusal::Target | Refusal::WebSocket | Refusal::Handshake
                );
                let close = is_h1 && (!drained || is_unsure);
                respond::refuse(refusal, Asker { origin, close, is_head, in_flight })
            }
        }
    }

    /// Finds out which platform a request is for, or why it goes nowhere.
    fn admit(&self, peer: &Peer, mut parts: Parts) -> Result<(Passage, Option<Asked>), Nowhere> {
        let origin = parts.headers.get(ORIGIN).cloned();
        let host = RequestHost::of(&parts);
        // Before what is this hop's own is taken off.
        let asked = Asked::take(&mut parts);
        let claims = self.claims(peer, &mut parts.headers);
        let framing = match headers::admit(&mut parts) {
            Ok(framing) => framing,
            Err(refusal) => {
                self.metrics.refused();
                return Err((refusal, origin, Framing::default()));
            }
        };
        let Ok(claims) = claims else {
            self.metrics.refused();
            return Err((Refusal::Identity, origin, framing));
        };
        let found = match &host {
            Err(_) => Err(Refusal::Host),
            Ok(_) if !parts.uri.path().starts_with('/') => Err(Refusal::Target),
            Ok(host) => match self.routes.find(&host.host) {
                None => Err(Refusal::Unrouted),
                Some(_) if !peer.covers(&host.host) => Err(Refusal::NotCovered),
                Some(target)
                    if !matches!(asked, Ok(None)) && target.websocket == WebSocket::Refuse =>
                {
                    Err(Refusal::WebSocket)
                }
                // A platform that agrees to no socket answers the call, and only `forward` takes out what must not pass.
                Some(target)
                    if !matches!(asked, Ok(None))
                        && forward::rewrites_answer(&target.platform, &parts) =>
                {
                    Err(Refusal::Handshake)
                }
                Some(target) => Ok(Arc::clone(target)),
            },
        };
        let (found, asked) = match (found, asked) {
            (Ok(_), Err(refusal)) => (Err(refusal), None),
            (found, asked) => (found, asked.ok().flatten()),
        };
        match (found, host) {
            (Ok(target), Ok(host)) => Ok((
                Passage {
                    target,
                    authority: host.authority,
                    parts,
                    framing,
                    client: claims.client,
                    identity: claims.identity,
                    groups: self.inspector.policy().groups_of(&claims.sender),
                    sender: Arc::new(claims.sender),
                    told_by: self.told_by(peer),
                    endpoint: String::new(),
                    id: Audit::new_id(),
                    reference: Audit::new_reference(),
                    today: self.calendar.today(),
                    origin,
                },
                asked,
            )),
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
        asking: Option<Asking>,
        in_flight: InFlight,
        trace: &mut Option<Trace>,
    ) -> Response<Answering> {
        let is_media = passage.class() == Class::Media;
        let is_head = passage.parts.method == Method::HEAD;
        let policy = self.inspector.policy();
        // A document is known by its start, where nothing else keeps it from going on.
        let may_stream = policy.on_unreadable() == OnFault::Forward && !policy.documents();
        let reading = Reading {
            most: self.limits.max_body,
            wants_start: is_media || may_stream || passage.elider(policy.documents()).is_some(),
            pause: self.limits.timeouts.body,
            rate: self.limits.edge.body_rate,
        };
        let purse = (&self.memory, passage.client);
        let (received, mut claim) = receive(body, passage.framing, reading, purse).await;
        let received = self.separate(&passage, received, claim.as_mut()).await;
        let (began, part) = (Instant::now(), trace.as_ref().map(|_| Trace::inspect()));
        let Some((mut passage, mut inspection, held)) =
            self.decide(passage, received, is_media).await
        else {
            return respond::refuse(
                Refusal::Stopping,
                Asker { origin: None, close: true, is_head, in_flight },
            );
        };
        let spent = began.elapsed();
        passage.endpoint.clone_from(&inspection.endpoint);
        self.metrics.decided(passage.target.platform_index, &inspection, spent);
        if let Some((trace, part)) = trace.as_mut().zip(part) {
            trace.end(part, None);
            let (platform, verdict) = (passage.target.platform.id(), inspection.verdict.as_str());
            trace.decided(platform, &inspection.endpoint, verdict);
        }

        let enforced = inspection.enforced;
        let verdict = take_verdict(&mut inspection);
        if enforced && matches!(verdict, Verdict::Block(_)) {
            tracing::info!(
                platform = %passage.target.platform.id(), endpoint = %inspection.endpoint,
                n_findings = inspection.findings.len(), reference = %inspection.reference, "post blocked"
            );
        }
        if let (Some(claim), Verdict::Forward, Held::Whole(body)) = (&mut claim, &verdict, &held) {
            claim.settle(body.len());
        }
        let audited = inspection.is_post
            || !inspection.findings.is_empty()
            || inspection.fault.is_some()
            || inspection.unjudged_media;
        let next = self.next(&mut passage, enforced, verdict, held);
        // Made before the event is written: a client may go while we wait for the disk.
        let mut outcome = match next {
            Next::Send(_) | Next::Refuse if audited => Some(PendingOutcome::new(self, &passage)),
            _ => None,
        };
        if audited && let Err(answer) = self.write_event(&passage, inspection, spent).await {
            PendingOutcome::forget(&mut outcome);
            let held = match next {
                Next::Send(sending) => sending.into_held(),
                Next::Answer(_, held) => held,
                Next::Refuse => Held::Nothing(None),
            };
            return self.answer(answer, &passage, held, in_flight).await;
        }
        match next {
            Next::Send(sending) => match asking {
                Some(asking) => {
                    websocket::open(self, passage, sending, asking, outcome, in_flight).await
                }
                None => {
                    forward::forward(self, passage, sending, outcome, in_flight, trace.as_ref())
                        .await
                }
            },
            Next::Answer(answer, held) => self.answer(answer, &passage, held, in_flight).await,
            Next::Refuse => {
                PendingOutcome::tell(outcome, Outcome::Failed);
                respond::refuse(Refusal::Framing, passage.asker(true, in_flight))
            }
        }
    }

    /// From the verdict to what is done. Whoever cannot be sent on as judged is not sent on.
    fn next(&self, passage: &mut Passage, enforced: bool, verdict: Verdict, held: Held) -> Next {
        match (enforced, verdict, held) {
            (true, Verdict::Block(answer), held)
            | (false, Verdict::Block(answer), held @ Held::Nothing(_)) => {
                Next::Answer(answer, held)
            }
            // A body that streams was never read, so nothing can have been edited in it; were it otherwise, the edit
            // would be lost.
            (_, _, Held::Nothing(_))
            | (true, Verdict::Redact(Redacted { body: Some(_), .. }), Held::Long(..)) => {
                Next::Refuse
            }
            (true, Verdict::Redact(redacted), Held::Whole(body)) => {
                let Redacted { query, body: new } = redacted;
                Next::Send(self.sending(passage, new.is_some(), query, new.unwrap_or(body)))
            }
            (
                true,
                Verdict::Redact(Redacted { query, body: None }),
                Held::Long(start, rest, strip),
            ) => Next::Send(self.streaming(passage, query, (start, rest), strip)),
            (true, Verdict::Redact(Redacted { query, body }), Held::Spooled(spooled)) => {
                self.refilled(passage, *spooled, query, body)
            }
            (_, _, Held::Spooled(spooled)) => self.refilled(passage, *spooled, None, None),
            (_, _, Held::Whole(body)) => Next::Send(self.sending(passage, false, None, body)),
            (_, _, Held::Long(start, rest, strip)) => {
                Next::Send(self.streaming(passage, None, (start, rest), strip))
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
        let length = body.len() as u64;
        headers::set_length(&mut passage.parts.headers, passage.framing.has_body, length);
        if edited {
            digest::put_right(&mut passage.parts.headers, Some(&body));
        }
        Sending {
            query,
            body: Outgoing::Whole((!body.is_empty()).then_some(body)),
            sent: None,
            limit: self.limits.timeouts.answer,
        }
    }

    /// Says what is sent of a body that streams through.
    fn streaming(
        &self,
        passage: &mut Passage,
        query: Option<String>,
        (start, rest): (Bytes, Incoming),
        strip: Option<Box<InPlace>>,
    ) -> Sending {
        if strip.is_some() {
            digest::put_right(&mut passage.parts.headers, None);
        }
        let strip = strip.map(|strip| *strip);
        Sending::stream(query, start, rest, &self.limits, passage.framing, strip)
    }

    /// Spools the media of a multipart body that is too long to hold.
    async fn separate(
        &self,
        passage: &Passage,
        received: Received,
        claim: Option<&mut Claim>,
    ) -> Received {
        let Received::Long(start, mut rest) = received else { return received };
        let Some(elider) = passage.elider(self.inspector.policy().documents()) else {
            return Received::Long(start, rest);
        };
        let limits = SpoolLimits {
            most_kept: self.limits.max_body,
            most: self.limits.max_media,
            idle: self.limits.timeouts.body,
            rate: self.limits.edge.body_rate,
        };
        match spool(start, &mut rest, elider, limits, claim).await {
            Ok(spooled) => Received::Spooled(Box::new(spooled)),
            Err(why @ (Unreadable::TooLarge | Unreadable::Unkept | Unreadable::Busy)) => {
                Received::Failed(why, Some(rest))
            }
            Err(why) => Received::Failed(why, None),
        }
    }

    /// Puts a spooled body together with what was edited of it.
    fn refilled(
        &self,
        passage: &mut Passage,
        spooled: Spooled,
        query: Option<String>,
        edited: Option<Bytes>,
    ) -> Next {
        if edited.is_some() || spooled.is_stripped {
            digest::put_right(&mut passage.parts.headers, None);
        }
        let kept = edited.unwrap_or_else(|| spooled.kept.clone());
        let Some((refilled, sent)) = spooled.refill(&kept) else { return Next::Refuse };
        headers::set_length(&mut passage.parts.headers, true, refilled.left());
        let limit = self.limits.timeouts.answer;
        Next::Send(Sending {
            query,
            body: Outgoing::Refilled(Box::new(refilled)),
            sent: Some(sent),
            limit,
        })
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
                let (passage, inspection) = self
                    .judging
                    .inspect(Arc::clone(inspector), passage, body.clone(), None)
                    .await?;
                (passage, inspection, Held::Whole(body))
            }
            Received::Long(start, rest)
                if is_media && passage.is_media(&start, inspector.policy().documents()) =>
            {
                let (inspection, strip) = judge_media(inspector, &passage, &start);
                (passage, inspection, Held::Long(start, rest, strip.map(Box::new)))
            }
            Received::Long(start, rest) => {
                let inspection = guarded(inspector, &passage, &Bytes::new(), |request| {
                    inspector.unread(request, &start, Unreadable::TooLarge)
                });
                (passage, inspection, Held::Long(start, rest, None))
            }
            Received::Spooled(spooled) => {
                let is_stripped = spooled.has_media() && inspector.policy().mode() == Mode::Enforce;
                let (passage, stripped) = if is_stripped {
                    let (inspector, most) = (Arc::clone(inspector), self.limits.max_body);
                    self.judging.strip_spooled(inspector, passage, spooled, most).await?
                } else {
                    (passage, Ok((spooled, None)))
                };
                let (spooled, refused) = match stripped {
                    Ok(stripped) => stripped,
                    Err(late) => return Some((passage, late, Held::Nothing(None))),
                };
                let fault = match refused {
                    Some(refused) if matches!(refused.verdict, Verdict::Block(_)) => {
                        return Some((passage, refused, Held::Spooled(spooled)));
                    }
                    Some(refused) => refused.fault,
                    None => None,
                };
                let (kept, mark) = (spooled.kept.clone(), spooled.mark.clone());
                let (passage, judged) =
                    self.judging.inspect(Arc::clone(inspector), passage, kept, Some(mark)).await?;
                let mut inspection = if spooled.has_media() {
                    with_media(inspector, &passage, judged)
                } else {
                    judged
                };
                inspection.metadata_stripped |= spooled.is_stripped;
                inspection.fault = inspection.fault.or(fault);
                (passage, inspection, Held::Spooled(spooled))
            }
            Received::Failed(why, rest) => {
                let inspection = guarded(inspector, &passage, &Bytes::new(), |request| {
                    inspector.unreadable(request, why)
                });
                (passage, inspection, Held::Nothing(rest))
            }
        })
    }

    /// Writes the decision. If that fails, the policy says whether the post may still go; `Err` is the answer if not.
    pub(crate) async fn write_event(
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
        // A disk that hangs answers nobody.
        let recorded = timeout(self.limits.timeouts.audit, self.audit.record(event)).await;
        let Err(error) = recorded.unwrap_or(Err(AuditError::Late)) else { return Ok(()) };
        self.metrics.unaudited();
        if let Some(n_suppressed) = self.unaudited_lines.pass() {
            tracing::error!(%error, n_suppressed, "audit event not written");
        }
        let policy = self.inspector.policy();
        match policy.on_unaudited() {
            OnFault::Forward => Ok(()),
            OnFault::Block => {
                if matches!(error, AuditError::Late | AuditError::Sink | AuditError::Spool) {
                    // The file has the decision, or may take it in the end; it must not read as if the post had gone.
                    self.audit.record_later(passage.event(What::Outcome(Outcome::Failed)));
                }
                let sentence = policy.fault_sentence(Refused::Unaudited, passage.reference());
                let platform = &passage.target.platform;
                let endpoint = platform.endpoint(&passage.endpoint);
                let (reason, reference) = (Reason::Unaudited, passage.reference());
                Err(if passage.is_message() {
                    platform.reply(endpoint, None, (reason, &sentence), reference)
                } else {
                    platform.answer(endpoint, reason, &sentence, reference)
                })
            }
        }
    }

    /// Answers in the platform's place, once the request has been read to its end: a client that is cut off while it
    /// sends sees a network error and tries again.
    async fn answer(
        &self,
        answer: Answer,
        passage: &Passage,
        held: Held,
        in_flight: InFlight,
    ) -> Response<Answering> {
        let close = match held {
            Held::Whole(_) | Held::Spooled(_) => false,
            Held::Long(_, rest, _) | Held::Nothing(Some(rest)) => {
                !receive::drain(rest, passage.framing, self.limits.timeouts.refused).await
            }
            Held::Nothing(None) => true,
        };
        respond::block(answer, passage.asker(close, in_flight))
    }
}
