//! One client connection and its clocks. hyper's own timer covers a head that is being read; everything else that a
//! silent client could hold open for ever is covered here: no first byte, a stalled head, idleness, an answer nobody
//! takes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::{Edge, Timeouts};
use crate::proxy::body::{self, Answering};
use crate::proxy::current::Current;
use crate::proxy::drain::{Signal, Stage};
use crate::proxy::frames::Guard;
use crate::proxy::metrics::Metrics;
use crate::proxy::passage::Peer;
use crate::proxy::respond;
use crate::proxy::service::Gateway;
use crate::proxy::websocket::relay;
use crate::proxy::wire::{Caps, Filter, Link};

/// The shortest greeting of HTTP/2: its preface, and the head of a SETTINGS frame.
const GREETING: u64 = 24 + 9;

/// How long a client that was idle may take to hear that its connection ends. What it sent meanwhile is still answered.
const FAREWELL: Duration = Duration::from_secs(2);

/// In which requests taken back are counted, in milliseconds.
const RESET_WINDOW: u64 = 10_000;

/// What a connection is doing, as its clocks see it. Times are milliseconds since it began; 0 is "not".
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    is_h2: bool,
    n_in_flight: AtomicU32,
    /// Bytes that came.
    n_heard: AtomicU64,
    /// Since when no request is under way, and nothing has gone of an answer that is owed.
    quiet_since: AtomicU64,
    /// Some answer has not gone to its end, though nothing more of it may be asked for (HTTP/2).
    owes: AtomicBool,
    /// Since when a head is being read (HTTP/1).
    head_since: AtomicU64,
    /// Since when the client takes nothing of what we write.
    blocked_since: AtomicU64,
    /// When the window began in which requests that were taken back are counted, and how many there were.
    resets: Mutex<(u64, u32)>,
    /// Answers on their way (HTTP/2).
    answers: Mutex<Vec<Weak<body::Watched>>>,
    /// The client has taken back too many.
    flood: Notify,
    /// What the filter of HTTP/1 and the service say to each other.
    pub(crate) link: Link,
}

impl Activity {
    pub(crate) fn new(is_h2: bool) -> Self {
        Self {
            began: Instant::now(),
            is_h2,
            n_in_flight: AtomicU32::new(0),
            n_heard: AtomicU64::new(0),
            quiet_since: AtomicU64::new(0),
            owes: AtomicBool::new(false),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            resets: Mutex::default(),
            answers: Mutex::default(),
            flood: Notify::new(),
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

    /// Keeps an eye on an answer: hyper asks it for nothing as long as its client opens no window.
    fn watch(&self, answer: Answering) -> Answering {
        let (answer, watched) = answer.watched(self.began);
        if let Some(watched) = watched {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that are done with go when there is no more room.
            if answers.len() == answers.capacity() {
                answers.retain(|answer| answer.strong_count() > 0);
            }
            answers.push(watched);
        }
        answer
    }

    /// Takes back what clients let lie for too long. Gives the time of the next that may be so.
    fn let_go(&self, limit: Duration, now: Instant) -> Option<Instant> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next: Option<Instant> = None;
        answers.retain(|answer| {
            let Some(answer) = answer.upgrade() else { return false };
            let Some(since) = answer.lies_since() else { return true };
            let deadline = self.began + Duration::from_millis(since) + limit;
            if deadline <= now {
                answer.let_go();
                return false;
            }
            next = Some(next.map_or(deadline, |next| next.min(deadline)));
            true
        });
        next
    }

    /// Counts a request that its client took back before it had an answer. Each costs us what a whole one costs, and the
    /// client nothing (CVE-2023-44487). Says whether this is the first that is too many.
    fn taken_back(&self, most: u32) -> bool {
        let now = self.now();
        let mut resets = self.resets.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(resets.0) > RESET_WINDOW {
            *resets = (now, 0);
        }
        resets.1 += 1;
        if resets.1 > most {
            self.flood.notify_one();
        }
        resets.1 == most.saturating_add(1)
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

    fn heard(&self, n: usize) {
        self.n_heard.fetch_add(n as u64, Relaxed);
        if !self.is_h2 {
            self.head_begun();
        }
    }

    /// Says how many answers of HTTP/2 have not gone to their end, and whether a piece of one just went.
    pub(crate) fn owes(&self, n: usize, went: bool) {
        self.owes.store(n > 0, Relaxed);
        if went {
            self.quiet_since.store(self.now(), Relaxed);
        }
    }

    fn wrote(&self, pending: bool) {
        let is_blocked = self.blocked_since.load(Relaxed) != 0;
        if pending && !is_blocked {
            self.blocked_since.store(self.now(), Relaxed);
        } else if !pending && is_blocked {
            self.blocked_since.store(0, Relaxed);
            if !self.is_h2 {
                self.quiet_since.store(self.now(), Relaxed);
            }
        }
    }

    /// When to look again, and whether the client is to hear that it was idle for too long; or `None` if the connection has
    /// used up its patience.
    fn look(&self, timeouts: &Timeouts) -> Option<(Instant, bool)> {
        let since = |at: u64, limit: Duration| self.began + Duration::from_millis(at) + limit;
        let now = Instant::now();
        // Nothing that begins after this look ends before the next.
        let shortest = timeouts.head.min(timeouts.first_byte).min(timeouts.idle);
        let mut next = now + shortest.min(timeouts.answer_idle) / 2;
        if let Some(deadline) = self.let_go(timeouts.answer_idle, now) {
            next = next.min(deadline);
        }
        let mut must_end = |deadline: Instant| {
            next = next.min(deadline);
            deadline <= now
        };
        let (mut over, mut is_idle) = (false, false);
        let blocked = self.blocked_since.load(Relaxed);
        if blocked != 0 {
            over |= must_end(since(blocked, timeouts.answer_idle));
        }
        if self.n_in_flight.load(Relaxed) == 0 {
            let head = self.head_since.load(Relaxed);
            let n_heard = self.n_heard.load(Relaxed);
            over |= must_end(if n_heard == 0 {
                since(0, timeouts.first_byte)
            } else if self.is_h2 && n_heard < GREETING {
                since(0, timeouts.first_byte + timeouts.head)
            } else if head != 0 {
                since(head, timeouts.head)
            } else {
                let quiet = self.quiet_since.load(Relaxed);
                // hyper lets go of an answer once it holds the last piece of it, which its client may be long in taking.
                if blocked != 0 || self.owes.load(Relaxed) {
                    since(quiet.max(blocked), timeouts.answer_idle)
                } else {
                    let idle = since(quiet, timeouts.idle);
                    is_idle = idle <= now;
                    if is_idle { idle + FAREWELL.min(timeouts.idle) } else { idle }
                }
            });
        }
        (!over).then_some((next, is_idle))
    }
}

/// Serves one connection to its end. Its clocks and caps are those of the set that it began under; each of its requests
/// is served by the set in force when its head has come.
pub(crate) async fn serve<S>(stream: S, peer: Arc<Peer>, current: Arc<Current>, mut signal: Signal)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let gateway = current.load();
    let (timeouts, edge) = (gateway.timeouts().clone(), gateway.limits.edge.clone());
    let activity = Arc::clone(&peer.activity);
    let metrics = Arc::clone(gateway.metrics());
    let (activity_of, counted) = (Arc::clone(&activity), Arc::clone(&metrics));
    let watched = Watched { stream, activity: activity_of, metrics: counted };
    // A connection lives long, and must not keep a set alive that nothing else uses.
    drop(gateway);
    let is_h2 = activity.is_h2;
    let (upgraded, serving) = (Arc::clone(&peer), Arc::clone(&current));
    let ending = signal.clone();
    let service = service_fn(move |request| {
        let (gateway, peer) = (serving.load(), Arc::clone(&peer));
        // A request of HTTP/2 lives on when its connection is dropped. So it holds the end up by itself, and is cut off by
        // itself.
        let mut ending = ending.clone();
        async move {
            tokio::select! {
                biased;
                () = ending.cut() => Err(Cut),
                response = answer(gateway, peer, request) => Ok(last(response, &ending, is_h2)),
            }
        }
    });
    // An error of a connection is its client's, and its text may hold the client's bytes: neither logged nor kept.
    if is_h2 {
        let io = TokioIo::new(Guard::new(
            watched,
            edge.head as usize,
            edge.streams,
            Arc::clone(&activity),
        ));
        let mut connection =
            std::pin::pin!(http2_builder(&timeouts, &edge).serve_connection(io, service));
        watch!(connection, signal, activity, timeouts);
    } else {
        // hyper never sees a byte that the filter has not read and written anew.
        let caps = Caps { head: edge.head as usize, target: edge.target, headers: edge.headers };
        let (link, patience) = (Arc::clone(&activity), timeouts.answer);
        let io = TokioIo::new(Filter::new(watched, caps, link, metrics, patience));
        let connection =
            http1_builder(&timeouts, &edge).serve_connection(io, service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        watch!(connection, signal, activity, timeouts);
    }
    // An upgraded connection is a socket now; it keeps its place and its counts.
    if let Some(opened) = upgraded.take() {
        relay(*opened, &current, signal).await;
    }
}

/// Once the end is announced, the answer to a request of HTTP/1 is the last of its connection, and says so: a client that
/// found it closed instead could not know what became of its request.
fn last(mut response: Response<Answering>, ending: &Signal, is_h2: bool) -> Response<Answering> {
    if !is_h2
        && ending.stage() != Stage::Running
        && response.status() != StatusCode::SWITCHING_PROTOCOLS
    {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The end came before the answer.
#[derive(Debug, thiserror::Error)]
#[error("the program is stopping")]
struct Cut;

/// A request that is dropped without an answer was taken back.
struct Whole<'a> {
    activity: &'a Activity,
    metrics: Arc<Metrics>,
    most: u32,
    is_answered: bool,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.activity.taken_back(self.most) {
            self.metrics.flooded();
        }
    }
}

/// Answers one request, and tells the filter what it must know of the answer.
async fn answer(
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
    request: Request<Incoming>,
) -> Response<Answering> {
    let activity = Arc::clone(&peer.activity);
    let (most, metrics) = (gateway.limits.edge.resets, Arc::clone(gateway.metrics()));
    let mut whole = Whole { activity: &activity, metrics, most, is_answered: false };
    let asks_for_upgrade = request.headers().contains_key(UPGRADE);
    let mut response = gateway.handle(peer, request).await;
    whole.is_answered = true;
    if asks_for_upgrade {
        let accepted = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        activity.link.answer_upgrade(accepted);
        if !accepted {
            // What follows is not read: it may be the other protocol already.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    if activity.is_h2 {
        response = response.map(|body| activity.watch(body));
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
        let (mut is_old, mut is_told) = (false, false);
        while let Some((next, is_idle)) = $activity.look(&$timeouts) {
            if is_idle && !is_told {
                is_told = true;
                $connection.as_mut().graceful_shutdown();
            }
            let age = $activity.began + $timeouts.age;
            tokio::select! {
                biased;
                _ = $connection.as_mut() => break,
                stage = $signal.changed() => match stage {
                    Stage::Running => {}
                    // HTTP/2 has a word for it, behind which whatever is sent meanwhile is still answered; HTTP/1 has none
                    // but the next answer.
                    Stage::Leaving if !$activity.is_h2 => {}
                    Stage::Leaving | Stage::Draining => $connection.as_mut().graceful_shutdown(),
                    Stage::Cut => break,
                },
                () = $activity.flood.notified() => break,
                () = sleep_until(age), if !is_old => {
                    is_old = true;
                    $connection.as_mut().graceful_shutdown();
                }
                () = sleep_until(next) => {}
            }
        }
    };
}
use watch;

fn http1_builder(timeouts: &Timeouts, edge: &Edge) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // hyper starts this clock while the connection is idle, too; the stalled head itself is watched here.
        .header_read_timeout(timeouts.idle + timeouts.head)
        .max_headers(edge.headers)
        // A head that the filter has passed is never too long for hyper.
        .max_buf_size(edge.head as usize + 16 * 1024)
        // The filter tells a client that only listens from one that is gone.
        .half_close(false);
    builder
}

fn http2_builder(timeouts: &Timeouts, edge: &Edge) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(edge.streams)
        .max_header_list_size(edge.head)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        // What clients may send before anybody reads it: little for one request, and a bound for all of them together.
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .keep_alive_interval(timeouts.ping)
        .keep_alive_timeout(timeouts.ping);
    builder
}

/// Tells the clocks what passes.
#[derive(Debug)]
struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    metrics: Arc<Metrics>,
}

impl<S> Watched<S> {
    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        self.activity.wrote(polled.is_pending());
        if let Poll::Ready(Ok(n)) = polled {
            self.metrics.sent(*n);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let n = buf.filled().len() - before;
        if n > 0 {
            self.activity.heard(n);
            self.metrics.received(n);
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
        self.wrote(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(&polled);
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

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use super::Activity;
    use crate::config::Timeouts;

    #[test]
    fn who_has_yet_to_take_an_answer_is_not_idle() {
        let timeouts = Timeouts { idle: Duration::from_millis(1), ..Timeouts::default() };
        let is_idle = |activity: &Activity| {
            sleep(Duration::from_millis(5));
            activity.look(&timeouts).is_none_or(|(_, is_idle)| is_idle)
        };
        for is_h2 in [false, true] {
            let activity = Activity::new(is_h2);
            activity.heard(100);
            activity.begin();
            activity.owes(usize::from(is_h2), false);
            activity.wrote(!is_h2);
            assert!(!is_idle(&activity));
            // Nothing more is asked for, but not everything has gone.
            activity.end();
            assert!(!is_idle(&activity));
            activity.owes(0, true);
            activity.wrote(false);
            assert!(is_idle(&activity));
            // Who goes on within its farewell is heard.
            activity.begin();
            assert!(!is_idle(&activity));
        }
    }
}
