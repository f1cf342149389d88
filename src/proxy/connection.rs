//! One client connection and its clocks. hyper's own timer covers a head that is being read; everything else that a
//! silent client could hold open for ever is covered here: no first byte, a stalled head, idleness, an answer nobody
//! takes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use crate::config::Timeouts;
use crate::proxy::body::Answering;
use crate::proxy::drain::{Signal, Stage};
use crate::proxy::passage::Peer;
use crate::proxy::respond;
use crate::proxy::service::Gateway;
use crate::proxy::websocket::relay;
use crate::proxy::wire::{Caps, Filter, Link};

/// The longest head: request line and headers.
const MOST_HEAD: u16 = u16::MAX;
const MOST_HEADERS: usize = 100;
/// The longest target. Some platforms take a post in it, and each letter of it may be twelve bytes.
const MOST_TARGET: usize = 32 * 1024;
const MOST_STREAMS: u32 = 100;
const CAPS: Caps = Caps { head: MOST_HEAD as usize, target: MOST_TARGET, headers: MOST_HEADERS };

/// What a connection is doing, as its clocks see it. Times are milliseconds since it began; 0 is "not".
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    is_h2: bool,
    n_in_flight: AtomicU32,
    has_spoken: AtomicBool,
    /// Since when no request is under way.
    quiet_since: AtomicU64,
    /// Since when a head is being read (HTTP/1).
    head_since: AtomicU64,
    /// Since when the client takes nothing of what we write.
    blocked_since: AtomicU64,
    /// What the filter of HTTP/1 and the service say to each other.
    pub(crate) link: Link,
}

impl Activity {
    pub(crate) fn new(is_h2: bool) -> Self {
        Self {
            began: Instant::now(),
            is_h2,
            n_in_flight: AtomicU32::new(0),
            has_spoken: AtomicBool::new(false),
            quiet_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            link: Link::default(),
        }
    }

    pub(crate) fn begin(&self) {
        self.n_in_flight.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
    }

    pub(crate) fn end(&self) {
        self.quiet_since.store(self.now(), Relaxed);
        self.n_in_flight.fetch_sub(1, Relaxed);
        self.link.done();
    }

    /// Says that a head has come in part, if only behind the request before.
    pub(crate) fn head_begun(&self) {
        if self.n_in_flight.load(Relaxed) == 0 && self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// Never 0, which means "not".
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn heard(&self) {
        self.has_spoken.store(true, Relaxed);
        if !self.is_h2 {
            self.head_begun();
        }
    }

    fn wrote(&self, pending: bool) {
        let is_blocked = self.blocked_since.load(Relaxed) != 0;
        if pending && !is_blocked {
            self.blocked_since.store(self.now(), Relaxed);
        } else if !pending && is_blocked {
            self.blocked_since.store(0, Relaxed);
        }
    }

    /// When to look again, or `None` if the connection has used up its patience.
    fn look(&self, timeouts: &Timeouts) -> Option<Instant> {
        let since = |at: u64, limit: Duration| self.began + Duration::from_millis(at) + limit;
        let now = Instant::now();
        let mut next = now + timeouts.head / 2;
        let mut must_end = |deadline: Instant| {
            next = next.min(deadline);
            deadline <= now
        };
        let mut over = false;
        let blocked = self.blocked_since.load(Relaxed);
        if blocked != 0 {
            over |= must_end(since(blocked, timeouts.answer_idle));
        }
        if self.n_in_flight.load(Relaxed) == 0 {
            let head = self.head_since.load(Relaxed);
            if head != 0 {
                over |= must_end(since(head, timeouts.head));
            } else if self.has_spoken.load(Relaxed) {
                over |= must_end(since(self.quiet_since.load(Relaxed), timeouts.idle));
            } else {
                over |= must_end(since(0, timeouts.head));
            }
        }
        (!over).then_some(next)
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve<S>(stream: S, peer: Arc<Peer>, gateway: Arc<Gateway>, mut signal: Signal)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let timeouts = gateway.timeouts().clone();
    let activity = Arc::clone(&peer.activity);
    let watched = Watched { stream, activity: Arc::clone(&activity) };
    let metrics = Arc::clone(gateway.metrics());
    let is_h2 = activity.is_h2;
    let (upgraded, serving) = (Arc::clone(&peer), Arc::clone(&gateway));
    let service = service_fn(move |request| {
        let (gateway, peer) = (Arc::clone(&serving), Arc::clone(&peer));
        async move { Ok::<_, std::convert::Infallible>(answer(gateway, peer, request).await) }
    });
    // An error of a connection is its client's, and its text may hold the client's bytes: neither logged nor kept.
    if is_h2 {
        let io = TokioIo::new(watched);
        let mut connection = std::pin::pin!(http2_builder().serve_connection(io, service));
        watch!(connection, signal, activity, timeouts);
    } else {
        // hyper never sees a byte that the filter has not read and written anew.
        let io = TokioIo::new(Filter::new(watched, CAPS, Arc::clone(&activity), metrics));
        let connection = http1_builder(&timeouts).serve_connection(io, service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        watch!(connection, signal, activity, timeouts);
    }
    // An upgraded connection is a socket now; it keeps its place and its counts.
    if let Some(opened) = upgraded.take() {
        relay(*opened, &gateway, signal).await;
    }
}

/// Answers one request, and tells the filter what it must know of the answer.
async fn answer(
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
    request: Request<Incoming>,
) -> Response<Answering> {
    let activity = Arc::clone(&peer.activity);
    let asks_for_upgrade = request.headers().contains_key(UPGRADE);
    let mut response = gateway.handle(peer, request).await;
    if asks_for_upgrade {
        let accepted = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        activity.link.answer_upgrade(accepted);
        if !accepted {
            // What follows is not read: it may be the other protocol already.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    match activity.link.broken() {
        // Its body broke its own framing, so it was judged by nobody; whatever the answer was, it sent nothing on.
        Some(fault) => respond::instead(response, fault),
        None => response,
    }
}

/// Drives a connection under its clocks and the signal to end. (The two kinds of connection share no trait.)
macro_rules! watch {
    ($connection:ident, $signal:ident, $activity:ident, $timeouts:ident) => {
        while let Some(next) = $activity.look(&$timeouts) {
            tokio::select! {
                biased;
                _ = $connection.as_mut() => break,
                stage = $signal.changed() => match stage {
                    Stage::Running => {}
                    Stage::Draining => $connection.as_mut().graceful_shutdown(),
                    Stage::Cut => break,
                },
                () = sleep_until(next) => {}
            }
        }
    };
}
use watch;

fn http1_builder(timeouts: &Timeouts) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // hyper starts this clock while the connection is idle, too; the stalled head itself is watched here.
        .header_read_timeout(timeouts.idle + timeouts.head)
        .max_headers(MOST_HEADERS)
        // A head that the filter has passed is never too long for hyper.
        .max_buf_size(usize::from(MOST_HEAD) + 16 * 1024)
        .half_close(false);
    builder
}

fn http2_builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(MOST_HEAD.into())
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Tells the clocks what passes.
#[derive(Debug)]
struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.heard();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.activity.wrote(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.activity.wrote(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.activity.wrote(polled.is_pending());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
