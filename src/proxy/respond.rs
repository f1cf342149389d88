//! The only place where a refusal, a block or a fault becomes an answer with a status code.
//!
//! A stock client must show the sentence and try no second time. So: the platform's own shape where the platform is
//! known, never 429, never `Retry-After`, and CORS headers where a browser would otherwise say "Failed to fetch".

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONNECTION,
    CONTENT_LENGTH, CONTENT_TYPE, VARY,
};
use http::{HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::platform::{Answer, Endpoint, Platform, Reason};
use crate::proxy::body::Answering;
use crate::proxy::metrics::InFlight;
use crate::proxy::upstream::{Distrust, UpstreamFault};
use crate::proxy::wire::Fault;

/// Why a request is refused before anything is known of its platform.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// No host, two hosts, or hosts that disagree.
    Host,
    /// The host has no route here.
    Unrouted,
    /// The host is not covered by the certificate of this connection.
    NotCovered,
    /// CONNECT or TRACE.
    Method,
    /// Framing that could be read two ways.
    Framing,
    /// An expectation other than `100-continue`.
    Expectation,
    /// A WebSocket, and its route allows none.
    WebSocket,
    /// The handshake of a WebSocket that is malformed or of another version.
    Handshake,
    /// The target is not a path.
    Target,
    /// A load balancer that is believed names its sender unclearly: a client has had a hand in it.
    Identity,
    /// The program is stopping.
    Stopping,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Framing | Self::Target | Self::Handshake | Self::Identity => {
                StatusCode::BAD_REQUEST
            }
            Self::Unrouted | Self::NotCovered => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::WebSocket => StatusCode::FORBIDDEN,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Host => "Postward: the request names no host, or more than one.\n",
            Self::Unrouted => "Postward: no route leads to this host.\n",
            Self::NotCovered => "Postward: this host needs a connection of its own.\n",
            Self::Method => {
                "Postward: this method is not passed on; WebSockets come over HTTP/1.1 here.\n"
            }
            Self::Framing => "Postward: the request's framing is ambiguous.\n",
            Self::Expectation => "Postward: this expectation cannot be met.\n",
            Self::WebSocket => "Postward: this route passes no WebSockets on.\n",
            Self::Handshake => {
                "Postward: this is no handshake of a WebSocket, version 13 over HTTP/1.1.\n"
            }
            Self::Target => "Postward: the request's target is not a path.\n",
            Self::Identity => "Postward: the request does not say clearly who sent it.\n",
            Self::Stopping => "Postward: stopping; nothing was sent.\n",
        }
    }
}

/// What every answer of ours needs to know of its request.
pub(crate) struct Asker {
    /// The request's `Origin`.
    pub(crate) origin: Option<HeaderValue>,
    /// Whether the connection can be used again after the answer (HTTP/1 with its request read to the end).
    pub(crate) close: bool,
    /// Whether it hears only the head of an answer.
    pub(crate) is_head: bool,
    /// Counts the request until the answer is gone.
    pub(crate) in_flight: InFlight,
}

/// Answers a request that goes nowhere.
pub(crate) fn refuse(refusal: Refusal, asker: Asker) -> Response<Answering> {
    let sentence = Bytes::from_static(refusal.sentence().as_bytes());
    ours(refusal.status(), HeaderValue::from_static("text/plain; charset=utf-8"), sentence, asker)
}

/// Answers a blocked post in the platform's own shape.
pub(crate) fn block(answer: Answer, asker: Asker) -> Response<Answering> {
    let content_type = HeaderValue::from_str(&answer.content_type)
        .unwrap_or(HeaderValue::from_static("application/json"));
    let words = answer.status_line.and_then(|words| ReasonPhrase::try_from(words).ok());
    let mut response = ours(answer.status, content_type, answer.body.into(), asker);
    if let Some(words) = words {
        response.extensions_mut().insert(words);
    }
    response
}

/// Answers a post whose platform did not, saying whether it may have arrived.
pub(crate) fn upstream_failed(
    fault: UpstreamFault,
    platform: &Platform,
    endpoint: &Endpoint,
    reference: &str,
    asker: Asker,
) -> Response<Answering> {
    let (status, sentence) = match fault {
        UpstreamFault::Unreachable => {
            (StatusCode::BAD_GATEWAY, "The platform cannot be reached. Nothing was sent")
        }
        UpstreamFault::Loop => (
            StatusCode::BAD_GATEWAY,
            "The platform's name leads back into this network. Nothing was sent",
        ),
        UpstreamFault::Untrusted(Distrust::OldTls) => (
            StatusCode::BAD_GATEWAY,
            "The platform's encryption is too old to be trusted. Nothing was sent",
        ),
        UpstreamFault::Untrusted(_) => (
            StatusCode::BAD_GATEWAY,
            "The platform's certificate cannot be verified. Nothing was sent",
        ),
        UpstreamFault::Broken => (
            StatusCode::BAD_GATEWAY,
            "The platform broke off before it answered. It may have received this",
        ),
        UpstreamFault::Silent => (
            StatusCode::GATEWAY_TIMEOUT,
            "The platform did not answer in time. It may have received this",
        ),
    };
    let sentence = format!("{sentence} (ref {reference})");
    let mut answer = platform.answer(endpoint, Reason::Unanswered, &sentence, reference);
    // Where a platform reports errors under 200, its clients repeat everything else: leave that status alone.
    if !answer.status.is_success() {
        answer.status = status;
    }
    block(answer, asker)
}

/// The whole answer to bytes that are no request, for the filter to write in hyper's place. It ends the connection.
pub(crate) fn malformed(fault: Fault) -> Vec<u8> {
    let (status, sentence) = (status_of(fault), sentence_of(fault));
    format!(
        "HTTP/1.1 {} {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         connection: close\r\n\r\n{sentence}",
        status.as_str(),
        status.canonical_reason().unwrap_or_default(),
        sentence.len(),
    )
    .into_bytes()
}

/// The same in place of an answer that was made while the body broke its own framing.
pub(crate) fn instead(response: Response<Answering>, fault: Fault) -> Response<Answering> {
    let sentence = Bytes::from(sentence_of(fault));
    let mut response = response.map(|body| body.instead(sentence));
    *response.status_mut() = status_of(fault);
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The reason is a word of a closed list: nothing of the request.
fn sentence_of(fault: Fault) -> String {
    format!(
        "Postward: this is no request that could be read in one way only ({}).\n",
        fault.as_str()
    )
}

const fn status_of(fault: Fault) -> StatusCode {
    match fault {
        Fault::RequestLine
        | Fault::Method
        | Fault::Target
        | Fault::LineEnd
        | Fault::Fold
        | Fault::HeaderName
        | Fault::HeaderValue
        | Fault::Host
        | Fault::Length
        | Fault::Coding
        | Fault::TwoFramings
        | Fault::Upgrade
        | Fault::ChunkLine
        | Fault::ChunkEnd
        | Fault::Trailer => StatusCode::BAD_REQUEST,
        Fault::MethodRefused => StatusCode::METHOD_NOT_ALLOWED,
        Fault::NoLength => StatusCode::LENGTH_REQUIRED,
        Fault::TargetTooLong => StatusCode::URI_TOO_LONG,
        Fault::Expectation => StatusCode::EXPECTATION_FAILED,
        Fault::TooManyHeaders | Fault::TooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Fault::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
        Fault::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    }
}

fn ours(
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
    asker: Asker,
) -> Response<Answering> {
    let length = body.len();
    // Over HTTP/2 nothing but us keeps a body from following the head that a HEAD asked for.
    let sent = if asker.is_head { Bytes::new() } else { body };
    let mut response = Response::new(Answering::whole(sent, asker.in_flight));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if asker.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(origin) = asker.origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    response
}
