//! Sends on what may be sent, and brings back the platform's answer.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::audit::Outcome;
use crate::body::encoding::Codings;
use crate::media::InPlace;
use crate::platform::Platform;
use crate::proxy::body::{Answering, Outgoing, Streamed};
use crate::proxy::headers::{self, Framing};
use crate::proxy::metrics::InFlight;
use crate::proxy::outcome::PendingOutcome;
use crate::proxy::passage::Passage;
use crate::proxy::respond::{self, Refusal};
use crate::proxy::service::{Gateway, Held, Limits};
use crate::proxy::trace::Trace;
use crate::proxy::upstream::{Distrust, UpstreamFault};

/// The longest answer that is rewritten. A session is a few kilobytes.
const MOST_REWRITTEN: usize = 1 << 20;

/// What goes to the platform.
pub(crate) struct Sending {
    /// A new query string, if it was edited.
    pub(crate) query: Option<String>,
    pub(crate) body: Outgoing,
    /// Told when a streamed body has gone; the wait for an answer begins then.
    pub(crate) sent: Option<oneshot::Receiver<()>>,
    /// How long the answer may take.
    pub(crate) limit: Duration,
}

impl Sending {
    /// A body that streams through.
    pub(crate) fn stream(
        query: Option<String>,
        start: Bytes,
        rest: Incoming,
        limits: &Limits,
        framing: Framing,
        strip: Option<InPlace>,
    ) -> Self {
        let (idle, rate) = (limits.timeouts.body, limits.edge.body_rate);
        let (streamed, sent) =
            Streamed::new(start, rest, limits.max_media, framing.length, idle, rate);
        Self {
            query,
            body: Outgoing::Stream(Box::new(streamed.stripped(strip))),
            sent: Some(sent),
            limit: limits.timeouts.answer,
        }
    }
}

impl Sending {
    /// Takes back what was not sent, so that the rest of it can be read before an answer.
    pub(crate) fn into_held(self) -> Held {
        match self.body {
            Outgoing::Whole(body) => Held::Whole(body.unwrap_or_default()),
            Outgoing::Stream(streamed) => Held::Long(Bytes::new(), streamed.into_rest(), None),
            // Read to its end already; the spool goes with it.
            Outgoing::Refilled(_) => Held::Whole(Bytes::new()),
        }
    }
}

/// Whether the answer to such a request is rewritten, and so must be read whole.
pub(crate) fn rewrites_answer(platform: &Platform, parts: &Parts) -> bool {
    let (path, query) = (parts.uri.path(), parts.uri.query());
    let resolved = platform.resolve_with_query(&parts.method, path, query, None);
    platform.rewrites_answers(resolved.endpoint)
}

/// Sends a request and answers its client.
pub(crate) async fn forward(
    gateway: &Gateway,
    mut passage: Passage,
    sending: Sending,
    outcome: Option<PendingOutcome>,
    in_flight: InFlight,
    trace: Option<&Trace>,
) -> Response<Answering> {
    let rewrites = rewrites_answer(&passage.target.platform, &passage.parts);
    if rewrites {
        // An answer that we must read is asked for as it is.
        passage.parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // Half of it, or that it has not changed, would be an answer that we did not read.
        for name in [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
            passage.parts.headers.remove(name);
        }
    }
    let part = trace.map(|trace| trace.upstream(&mut passage.parts.headers));
    let (sent, limit) = (sending.sent, sending.limit);
    let Some(request) = request_of(&mut passage, sending.query.as_deref(), sending.body) else {
        PendingOutcome::tell(outcome, Outcome::Failed);
        return respond::refuse(Refusal::Target, passage.asker(true, in_flight));
    };
    let began = Instant::now();
    let answered = send(gateway, request, sent, limit).await;
    if let Ok(response) = &answered {
        let (platform, status) = (passage.target.platform_index, response.status().as_u16());
        gateway.metrics.answered(platform, status, began.elapsed());
    }
    if let Some((trace, part)) = trace.zip(part) {
        let answered = answered.as_ref();
        let outcome = answered.map(|response| response.status().as_u16());
        trace.end(part, Some(outcome.map_err(|fault| fault.as_str())));
    }
    let whole = match answered {
        Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            Err(UpstreamFault::Broken)
        }
        Ok(response) if rewrites && response.status().is_success() => {
            let (parts, body) = response.into_parts();
            read_and_rewrite(gateway, &passage, parts, body).await.map(Answer::Whole)
        }
        Ok(response) => Ok(Answer::Streamed(response)),
        Err(fault) => Err(fault),
    };
    match whole {
        Ok(Answer::Whole(response)) => {
            PendingOutcome::tell(outcome, Outcome::Answered(response.status().as_u16()));
            answer(response.map(|body| Answering::whole(body, in_flight)))
        }
        Ok(Answer::Streamed(response)) => {
            PendingOutcome::tell(outcome, Outcome::Answered(response.status().as_u16()));
            let idle = gateway.limits.timeouts.answer_idle;
            answer(response.map(|body| Answering::platform(body, idle, in_flight)))
        }
        Err(fault) => failed(gateway, &passage, fault, outcome, in_flight),
    }
}

/// Answers a request that its platform did not.
pub(crate) fn failed(
    gateway: &Gateway,
    passage: &Passage,
    fault: UpstreamFault,
    outcome: Option<PendingOutcome>,
    in_flight: InFlight,
) -> Response<Answering> {
    let platform = &passage.target.platform;
    PendingOutcome::tell(outcome, Outcome::Failed);
    gateway.metrics.upstream_failed(fault);
    // A platform that is not believed must not be hidden behind one that is down.
    let lines = match fault.distrust() {
        Some(_) => &gateway.untrusted_lines,
        None => &gateway.unanswered_lines,
    };
    if let Some(n_suppressed) = lines.pass() {
        tracing::warn!(
            platform = %platform.id(), host = %passage.target.pattern, reason = fault.as_str(),
            distrust = fault.distrust().map(Distrust::as_str), help = fault.distrust().map(Distrust::remedy),
            n_suppressed, "no answer from the platform"
        );
    }
    let endpoint = platform.endpoint(&passage.endpoint);
    let asker = passage.asker(false, in_flight);
    respond::upstream_failed(fault, platform, endpoint, passage.reference(), asker)
}

/// The request that goes to the platform. The passage gives its headers away.
pub(crate) fn request_of(
    passage: &mut Passage,
    query: Option<&str>,
    body: Outgoing,
) -> Option<Request<Outgoing>> {
    let uri = uri_of(passage, query)?;
    let mut request = Request::new(body);
    *request.method_mut() = passage.parts.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = std::mem::take(&mut passage.parts.headers);
    Some(request)
}

enum Answer {
    Whole(Response<Bytes>),
    Streamed(Response<Incoming>),
}

/// Waits for the head of the answer, from the moment when all has been sent.
async fn send(
    gateway: &Gateway,
    request: Request<Outgoing>,
    sent: Option<oneshot::Receiver<()>>,
    limit: Duration,
) -> Result<Response<Incoming>, UpstreamFault> {
    let mut answer = std::pin::pin!(gateway.pool.send(request));
    if let Some(sent) = sent {
        tokio::select! {
            biased;
            answered = answer.as_mut() => return answered,
            // An error means that the body was dropped unsent; the pool says why.
            _ = sent => {}
        }
    }
    // Connecting has its own deadline, which the platform's must not shorten.
    let limit = limit + gateway.limits.timeouts.connect * 2;
    timeout(limit, answer).await.unwrap_or(Err(UpstreamFault::Silent))
}

/// The client's own host and target, over the scheme of its route.
fn uri_of(passage: &Passage, query: Option<&str>) -> Option<Uri> {
    let upstream = passage.target.upstream.as_ref();
    let scheme =
        if upstream.is_none_or(|upstream| upstream.tls) { Scheme::HTTPS } else { Scheme::HTTP };
    let target = match query {
        None => passage.parts.uri.path_and_query()?.clone(),
        Some("") => PathAndQuery::try_from(passage.parts.uri.path()).ok()?,
        Some(query) => {
            PathAndQuery::try_from(format!("{}?{query}", passage.parts.uri.path())).ok()?
        }
    };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(passage.authority.clone());
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).ok()
}

/// A platform's answer for the client: of our own making but for status, headers and body.
pub(crate) fn answer(mut response: Response<Answering>) -> Response<Answering> {
    headers::clean_answer(response.headers_mut());
    // The version of the one connection is not that of the other.
    *response.version_mut() = http::Version::HTTP_11;
    response.extensions_mut().clear();
    response
}

/// Reads an answer that may lead clients past us, and rewrites it. One that cannot be read does not pass.
async fn read_and_rewrite(
    gateway: &Gateway,
    passage: &Passage,
    mut parts: http::response::Parts,
    body: Incoming,
) -> Result<Response<Bytes>, UpstreamFault> {
    let body = timeout(gateway.limits.timeouts.answer, collect(body))
        .await
        .map_err(|_| UpstreamFault::Silent)?
        .ok_or(UpstreamFault::Broken)?;
    let limits = gateway.inspector.limits();
    let decoded = codings(&parts.headers)
        .and_then(|codings| codings.decode(&body, limits).ok())
        .ok_or(UpstreamFault::Broken)?;
    let platform = &passage.target.platform;
    let endpoint = platform
        .resolve_with_query(
            &passage.parts.method,
            passage.parts.uri.path(),
            passage.parts.uri.query(),
            None,
        )
        .endpoint;
    let rewritten = platform.rewrite_answer(endpoint, &decoded, limits);
    let Some(rewritten) = rewritten.map_err(|_| UpstreamFault::Broken)? else {
        return Ok(Response::from_parts(parts, body));
    };
    for name in [CONTENT_ENCODING, CONTENT_LENGTH, ETAG] {
        parts.headers.remove(name);
    }
    headers::drop_digests(&mut parts.headers);
    Ok(Response::from_parts(parts, rewritten.into()))
}

fn codings(headers: &HeaderMap) -> Option<Codings> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    match (named.next(), named.next()) {
        (None, _) => Some(Codings::default()),
        (Some(value), None) => Codings::parse(value.to_str().ok()?).ok(),
        _ => None,
    }
}

async fn collect(mut body: Incoming) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if whole.len() + data.len() > MOST_REWRITTEN {
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(whole.freeze())
}
