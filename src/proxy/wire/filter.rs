//! The machine round a stream: reads what the client sends, gives hyper what may pass, and answers what may not.
//!
//! Idle, it holds no buffer: bytes are read into hyper's own, and only what cannot pass yet is kept here.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::proxy::connection::Activity;
use crate::proxy::linger::Linger;
use crate::proxy::metrics::Metrics;
use crate::proxy::respond;
use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::machine::{Caps, Machine, Step};

/// What is read ahead of the answer to a request to upgrade, so that a client that goes is noticed.
const MOST_AHEAD: usize = 8 * 1024;

/// A client's stream as hyper may see it.
pub(crate) struct Filter<S> {
    stream: S,
    activity: Arc<Activity>,
    metrics: Arc<Metrics>,
    machine: Machine,
    /// What cannot pass yet.
    held: Vec<u8>,
    /// What of it hyper takes next.
    ready: Range<usize>,
    /// Where in it the machine goes on.
    taken: usize,
    /// Heads that hyper got.
    n_heads: u64,
    ended: bool,
    refused: Option<Refused>,
    /// How long a client that has ended its own side waits for more of its answers.
    patience: Duration,
    /// Runs since it has.
    half_closed: Option<Pin<Box<Sleep>>>,
    /// It has taken something since that was set.
    wrote: bool,
}

struct Refused {
    fault: Fault,
    in_body: bool,
    /// Our answer, once hyper has been told that no more comes.
    answer: Option<Vec<u8>>,
    n_written: usize,
    /// The stream is shut on our side.
    shut: bool,
    linger: Option<Linger>,
}

impl<S> Filter<S> {
    pub(crate) fn new(
        stream: S,
        caps: Caps,
        activity: Arc<Activity>,
        metrics: Arc<Metrics>,
        patience: Duration,
    ) -> Self {
        Self {
            stream,
            activity,
            metrics,
            machine: Machine::new(caps),
            held: Vec::new(),
            ready: 0..0,
            taken: 0,
            n_heads: 0,
            ended: false,
            refused: None,
            patience,
            half_closed: None,
            wrote: false,
        }
    }

    fn refuse(&mut self, fault: Fault, in_body: bool) {
        self.metrics.malformed(fault);
        if in_body {
            // The service behind hyper is reading this body: it answers.
            self.activity.link.break_body(fault);
        }
        self.held = Vec::new();
        (self.ready, self.taken) = (0..0, 0);
        self.refused =
            Some(Refused { fault, in_body, answer: None, n_written: 0, shut: false, linger: None });
    }

    /// Gives hyper what is ready.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let n = self.ready.len().min(buf.remaining());
        let end = self.ready.start + n;
        buf.put_slice(self.held.get(self.ready.start..end).unwrap_or_default());
        self.ready.start = end;
        n > 0
    }

    /// Takes the bytes read since `before` out of hyper's buffer.
    fn take_back(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        self.held.drain(..self.taken);
        (self.ready, self.taken) = (0..0, 0);
        let taken = buf.filled_mut().get_mut(before..).unwrap_or_default();
        self.held.extend_from_slice(taken);
        // hyper keeps its buffer for as long as the connection.
        taken.fill(0);
        buf.set_filled(before);
    }

    /// The client sends no more. Where it has asked for something, it may still listen: then hyper, which takes the end for
    /// a farewell, hears of it when the answer is out. A client that is gone is noticed when something is written to it, or
    /// by the clock.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_between = self.machine.is_between(self.held.get(self.taken..).unwrap_or_default());
        self.activity.link.wake_when_done(cx.waker());
        if !is_between || self.is_quiet() {
            return Poll::Ready(Ok(()));
        }
        let patience = self.patience;
        let clock = self.half_closed.get_or_insert_with(|| Box::pin(sleep(patience)));
        while clock.as_mut().poll(cx).is_ready() {
            if !std::mem::take(&mut self.wrote) {
                return Poll::Ready(Ok(()));
            }
            clock.as_mut().reset(Instant::now() + patience);
        }
        Poll::Pending
    }

    /// Whether every request that passed has its answer, so that our own comes after them.
    fn is_quiet(&self) -> bool {
        self.activity.link.n_done() >= self.n_heads
    }
}

impl<S: AsyncRead + Unpin> Filter<S> {
    /// Reads more into hyper's buffer. `Ready(false)` is the end of the stream.
    fn poll_more(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buf.filled().len();
        if self.ended {
            return Poll::Ready(Ok(false));
        }
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if polled.is_pending() && self.held.len() == self.taken && self.held.capacity() > 0 {
            self.held = Vec::new();
            (self.ready, self.taken) = (0..0, 0);
        }
        ready!(polled)?;
        self.ended = buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(Ok(!self.ended))
    }

    /// Reads without keeping anything, until nothing is there. `Ready` is the end of the stream.
    fn poll_drop(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        while ready!(self.poll_more(cx, buf))? {
            buf.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }

    /// After a refusal hyper hears the end of the stream as soon as every request before it has its answer.
    fn poll_refused(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let quiet = self.is_quiet();
        let Some(refused) = &mut self.refused else { return Poll::Ready(Ok(())) };
        if refused.in_body {
            return Poll::Ready(Ok(()));
        }
        if quiet {
            refused.answer = Some(respond::malformed(refused.fault));
            return Poll::Ready(Ok(()));
        }
        self.poll_drop(cx, buf)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Filter<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.refused.is_some() {
                return this.poll_refused(cx, buf);
            }
            if this.give(buf) {
                return Poll::Ready(Ok(()));
            }
            let input = this.held.get_mut(this.taken..).unwrap_or_default();
            match this.machine.step(input) {
                Step::Pass { consumed, written, is_head } => {
                    this.ready = this.taken..this.taken + written;
                    this.taken += consumed;
                    this.n_heads += u64::from(is_head);
                    continue;
                }
                Step::Refuse { fault, in_body } => {
                    this.refuse(fault, in_body);
                    continue;
                }
                Step::Over => {
                    ready!(this.poll_drop(cx, buf))?;
                    return this.poll_end(cx);
                }
                Step::Wait => {
                    if let Some(accepted) = this.activity.link.take_upgrade() {
                        this.machine.upgraded(accepted);
                        continue;
                    }
                    // hyper asks again when the answer is written; until then only the end of the stream is of interest.
                    if this.held.len() - this.taken >= MOST_AHEAD {
                        return Poll::Pending;
                    }
                }
                Step::More => {}
            }
            let before = buf.filled().len();
            let more = match this.poll_more(cx, buf) {
                Poll::Ready(more) => more?,
                Poll::Pending => {
                    if this.machine.is_mid_head(this.held.get(this.taken..).unwrap_or_default()) {
                        this.activity.head_begun();
                    }
                    return Poll::Pending;
                }
            };
            if !more {
                return this.poll_end(cx);
            }
            let n_direct = usize::try_from(this.machine.n_direct()).unwrap_or(usize::MAX);
            if n_direct == 0 || this.held.len() > this.taken {
                this.take_back(buf, before);
                continue;
            }
            // Nearly all of a long body: it passes where it was read.
            let n = n_direct.min(buf.filled().len() - before);
            this.take_back(buf, before + n);
            this.machine.passed(n as u64);
            return Poll::Ready(Ok(()));
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Filter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote |= polled.is_ready();
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote |= polled.is_ready();
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// hyper has written all it has: our own answer follows, if one is due.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(refused) = &mut this.refused else {
            return Pin::new(&mut this.stream).poll_shutdown(cx);
        };
        let mut stream = Pin::new(&mut this.stream);
        let answer = refused.answer.as_deref().unwrap_or_default();
        while let Some(rest) = answer.get(refused.n_written..).filter(|rest| !rest.is_empty()) {
            match ready!(stream.as_mut().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => refused.n_written += n,
            }
        }
        if !refused.shut {
            ready!(stream.as_mut().poll_shutdown(cx))?;
            refused.shut = true;
        }
        let linger = refused.linger.get_or_insert_with(Linger::begin);
        if this.ended || linger.is_over(cx) {
            return Poll::Ready(Ok(()));
        }
        linger.poll_read(stream, cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::time::Duration;

    use http::{Request, Response, StatusCode};
    use http_body_util::Empty;
    use hyper::body::{Bytes, Incoming};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, duplex, split};

    use super::Filter;
    use crate::proxy::connection::Activity;
    use crate::proxy::metrics::Metrics;
    use crate::proxy::wire::Caps;

    const ASK: &[u8] =
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

    /// What a client reads that speaks at once and again after the answer; the other end answers 101 and echoes.
    #[tokio::test]
    async fn after_101_bytes_pass_as_they_come() {
        let (mut client, server) = duplex(256);
        let activity = Arc::new(Activity::new(false));
        let caps = Caps { head: 4096, target: 1024, headers: 20 };
        let filter = Filter::new(
            server,
            caps,
            Arc::clone(&activity),
            Arc::new(Metrics::new(&[])),
            Duration::from_secs(60),
        );
        let service = service_fn(move |mut request: Request<Incoming>| {
            let activity = Arc::clone(&activity);
            async move {
                let upgrade = hyper::upgrade::on(&mut request);
                tokio::spawn(async move {
                    let (mut from, mut to) = split(TokioIo::new(upgrade.await.unwrap()));
                    copy(&mut from, &mut to).await.unwrap();
                    to.shutdown().await.unwrap();
                });
                activity.link.answer_upgrade(true);
                let mut response = Response::new(Empty::<Bytes>::new());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert("connection", "upgrade".parse().unwrap());
                response.headers_mut().insert("upgrade", "websocket".parse().unwrap());
                Ok::<_, Infallible>(response)
            }
        });
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(filter), service).with_upgrades();
        tokio::spawn(connection);

        let (early, late) = (&b"\x81\x00\r\n\0 GET"[..], [&b"\n\r\xff"[..], &[7; 1000]].concat());
        client.write_all(&[ASK, early].concat()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        let (mut from, mut to) = split(client);
        let written = tokio::spawn({
            let late = late.clone();
            async move {
                to.write_all(&late).await.unwrap();
                to.shutdown().await.unwrap();
            }
        });
        let mut echo = Vec::new();
        from.read_to_end(&mut echo).await.unwrap();
        written.await.unwrap();
        assert_eq!(echo, [early, &late].concat());
    }
}
