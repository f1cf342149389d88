//! The way to the platforms: one pool of connections, the request's own host in every request, the address chosen where
//! we dial.

mod address;
mod connect;
mod stream;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub(crate) use self::address::Dialler;
use self::connect::{ConnectError, Connector};
pub use self::trust::UpstreamSetupError;
pub(crate) use self::trust::{Distrust, Trust};
pub(super) use self::trust::{add_roots, try_list};
use crate::proxy::body::Outgoing;

/// How long an idle connection is kept. Platforms close theirs after a minute or so; a shorter time loses fewer races.
const IDLE: Duration = Duration::from_secs(30);

/// What a platform may send of one answer before it is taken: 13 MB a second at 20 ms.
const STREAM_WINDOW: u32 = 256 << 10;

/// The pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    client: Client<Connector, Outgoing>,
    /// Speaks HTTP/1.1 alone, for upgrades.
    upgrading: Client<Connector, Outgoing>,
}

/// Why the platform's answer did not come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamFault {
    /// No connection: nothing was sent.
    Unreachable,
    /// The name leads back to us or to a private address: nothing was sent.
    Loop,
    /// No verified TLS: nothing was sent.
    Untrusted(Distrust),
    /// The connection broke; the request may have been sent.
    Broken,
    /// No answer in time; the request was probably sent.
    Silent,
}

impl UpstreamFault {
    /// A word for metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Loop => "loop",
            Self::Untrusted(_) => "untrusted",
            Self::Broken => "broken",
            Self::Silent => "silent",
        }
    }

    /// Every word, for metrics.
    pub(crate) const WORDS: [&'static str; 5] =
        ["unreachable", "loop", "untrusted", "broken", "silent"];

    /// Why a platform is not trusted, if that is the fault.
    pub(crate) const fn distrust(self) -> Option<Distrust> {
        match self {
            Self::Untrusted(why) => Some(why),
            Self::Unreachable | Self::Loop | Self::Broken | Self::Silent => None,
        }
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(64)
            // All clients of a platform share its one connection. So the window of the connection holds those of a hundred and
            // more streams, whole: a client that lets its answer lie keeps nobody else from theirs.
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(STREAM_WINDOW * 256)
            // What is read of one answer before its client has taken the piece before.
            .http1_max_buf_size(64 * 1024)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(20))
            // Repeats a request only when a reused connection turns out to be closed before it took one byte of it: the
            // request comes back whole from the queue. Without this, every platform's idle timeout would cost a post.
            .retry_canceled_requests(true);
        let upgrading = builder.build(connector.for_upgrades());
        Self { client: builder.build(connector), upgrading }
    }

    /// Sends a handshake and waits for the head of its answer, which may be an upgrade.
    pub(crate) async fn open(
        &self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, UpstreamFault> {
        self.upgrading.request(request).await.map_err(|error| fault_of(&error))
    }

    /// Sends one request and waits for the head of its answer.
    pub(crate) async fn send(
        &self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, UpstreamFault> {
        self.client.request(request).await.map_err(|error| fault_of(&error))
    }
}

/// What a failure of the pool means. Its text may hold parts of the answer, so only the kind is kept.
fn fault_of(error: &hyper_util::client::legacy::Error) -> UpstreamFault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<ConnectError>() {
            return fault.as_fault();
        }
        cause = error.source();
    }
    if error.is_connect() { UpstreamFault::Unreachable } else { UpstreamFault::Broken }
}

/// Makes the connector: roots, lists, resolver, routes.
pub(crate) fn connector(
    dialler: Arc<Dialler>,
    trust: &Trust,
) -> Result<Connector, UpstreamSetupError> {
    Connector::new(dialler, trust)
}
