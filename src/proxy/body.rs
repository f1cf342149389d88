//! The two bodies that pass through: what goes to a platform, and what comes back to a client.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use crate::media::InPlace;
use crate::proxy::metrics::InFlight;
use crate::proxy::pace::Pace;
use crate::proxy::spool::Refilled;

/// Why a body broke off in the middle.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the body is larger than the limit")]
    TooLarge,
    #[error("the body stalled")]
    Stalled,
    #[error("the connection broke off")]
    Broken,
    #[error("media is malformed")]
    Malformed,
}

/// What goes to a platform.
pub(crate) enum Outgoing {
    /// A body that was read whole.
    Whole(Option<Bytes>),
    /// Media that streams through.
    Stream(Box<Streamed>),
    /// Media that waited in the spool, with the texts around it.
    Refilled(Box<Refilled>),
}

/// A body passed on as it comes, within limits.
pub(crate) struct Streamed {
    /// What was read to decide.
    start: Option<Bytes>,
    /// Takes the metadata out as it passes.
    strip: Option<InPlace>,
    rest: Incoming,
    /// How many more bytes may come.
    left: u64,
    /// The length that the client named, less what has gone.
    known: Option<u64>,
    clock: IdleClock,
    pace: Pace,
    /// Told when the last byte has gone.
    sent: Option<oneshot::Sender<()>>,
}

impl Streamed {
    /// `known` is the whole length, start included, where the client named it. The receiver hears when all has been
    /// sent: only then can the platform's answer be late.
    pub(crate) fn new(
        start: Bytes,
        rest: Incoming,
        most: u64,
        known: Option<u64>,
        idle: Duration,
        rate: u64,
    ) -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let start = (!start.is_empty()).then_some(start);
        (
            Self {
                start,
                strip: None,
                rest,
                left: most,
                known,
                clock: IdleClock::new(idle),
                pace: Pace::new(idle, rate),
                sent: Some(sender),
            },
            receiver,
        )
    }

    /// The same, with its metadata overwritten as it passes. The length stays what it is.
    pub(crate) fn stripped(self, strip: Option<InPlace>) -> Self {
        Self { strip, ..self }
    }

    /// What may pass of these bytes; none while they are held. A film that turns out not to be one breaks off.
    fn passed(&mut self, data: Bytes) -> Result<Bytes, BodyFault> {
        let Some(strip) = &mut self.strip else { return Ok(data) };
        let mut out = Vec::with_capacity(data.len());
        strip.push(&data, &mut out).map_err(|_| BodyFault::Malformed)?;
        Ok(out.into())
    }

    /// What has not been read yet.
    pub(crate) fn into_rest(self) -> Incoming {
        self.rest
    }

    fn account(&mut self, length: usize) -> Result<(), BodyFault> {
        if !self.pace.keeps(length) {
            return Err(BodyFault::Stalled);
        }
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(BodyFault::TooLarge)?;
        self.known = self.known.map(|known| known.saturating_sub(length));
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Some(start) = self.start.take() {
            self.account(start.len())?;
            let passed = self.passed(start)?;
            if !passed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(passed))));
            }
        }
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.rest).poll_frame(cx) else {
                ready!(self.clock.poll(cx));
                return Poll::Ready(Some(Err(BodyFault::Stalled)));
            };
            self.clock.restart();
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    self.account(data.len())?;
                    let passed = self.passed(data)?;
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(passed))));
                    }
                }
                // Trailers are this hop's own.
                Some(Ok(Err(_))) => {}
                Some(Err(_)) => return Poll::Ready(Some(Err(BodyFault::Broken))),
                None => {
                    if let Some(mut strip) = self.strip.take() {
                        let mut out = Vec::new();
                        strip.finish(&mut out).map_err(|_| BodyFault::Malformed)?;
                        if !out.is_empty() {
                            return Poll::Ready(Some(Ok(Frame::data(out.into()))));
                        }
                    }
                    self.sent.take().map(|sent| sent.send(()));
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(streamed) => streamed.poll(cx),
            Self::Refilled(refilled) => refilled.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Stream(streamed) => {
                streamed.known.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Self::Refilled(refilled) => SizeHint::with_exact(refilled.left()),
        }
    }
}

/// What comes back to a client. The request counts as in flight until this is gone.
pub(crate) enum Answering {
    Own(Answer),
    /// One of many on its connection, whose client may let it lie.
    Watched(Arc<Watched>),
}

/// An answer, and the count of its request.
pub(crate) struct Answer {
    content: Content,
    _in_flight: InFlight,
}

enum Content {
    Whole(Option<Bytes>),
    /// A platform's answer, passed on as it comes. Event streams live for days: only silence ends them.
    Platform(Incoming, IdleClock),
}

/// An answer over HTTP/2, which nobody asks for as long as its client opens no window. What it holds can be taken away
/// from without: the platform's connection is shared by all.
pub(crate) struct Watched {
    answer: Mutex<Option<Answer>>,
    began: Instant,
    /// Since when its client lets it lie, in milliseconds; 0 while the platform is waited for.
    lies_since: AtomicU64,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("lies_since", &self.lies_since).finish_non_exhaustive()
    }
}

impl Answering {
    pub(crate) fn whole(bytes: Bytes, in_flight: InFlight) -> Self {
        let content = Content::Whole((!bytes.is_empty()).then_some(bytes));
        Self::Own(Answer { content, _in_flight: in_flight })
    }

    /// The same request's answer, with another text.
    pub(crate) fn instead(mut self, text: Bytes) -> Self {
        self.with(|answer| {
            if let Some(answer) = answer {
                answer.content = Content::Whole(Some(text));
            }
        });
        self
    }

    pub(crate) fn platform(incoming: Incoming, idle: Duration, in_flight: InFlight) -> Self {
        let content = Content::Platform(incoming, IdleClock::new(idle));
        Self::Own(Answer { content, _in_flight: in_flight })
    }

    /// The same, to be looked at from without. `began` is when its connection did.
    pub(crate) fn watched(self, began: Instant) -> (Self, Option<Weak<Watched>>) {
        let Self::Own(answer) = self else { return (self, None) };
        if answer.content.is_end() {
            return (Self::Own(answer), None);
        }
        let watched = Watched { answer: Mutex::new(Some(answer)), began, lies_since: 0.into() };
        watched.lies();
        let watched = Arc::new(watched);
        let weak = Arc::downgrade(&watched);
        (Self::Watched(watched), Some(weak))
    }

    fn with<T>(&mut self, look: impl FnOnce(Option<&mut Answer>) -> T) -> T {
        match self {
            Self::Own(answer) => look(Some(answer)),
            Self::Watched(watched) => look(watched.lock().as_mut()),
        }
    }
}

impl Watched {
    /// Since when its client takes nothing of it, in milliseconds from the connection's beginning.
    pub(crate) fn lies_since(&self) -> Option<u64> {
        Some(self.lies_since.load(Relaxed)).filter(|since| *since != 0)
    }

    /// Lets go of everything that it holds. Whoever asks for more is told that it broke off.
    pub(crate) fn let_go(&self) {
        self.lies_since.store(0, Relaxed);
        let answer = self.lock().take();
        drop(answer);
    }

    fn lies(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.lies_since.store(now, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Platform(incoming, clock) => {
                if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
                    clock.restart();
                    return Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyFault::Broken)));
                }
                ready!(clock.poll(cx));
                Poll::Ready(Some(Err(BodyFault::Stalled)))
            }
        }
    }
}

impl Content {
    fn is_end(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Platform(incoming, _) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Platform(incoming, _) => incoming.size_hint(),
        }
    }
}

impl Body for Answering {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Self::Own(answer) => answer.poll(cx),
            Self::Watched(watched) => {
                let mut answer = watched.lock();
                let Some(answer) = answer.as_mut() else {
                    return Poll::Ready(Some(Err(BodyFault::Stalled)));
                };
                let polled = answer.poll(cx);
                if polled.is_pending() {
                    watched.lies_since.store(0, Relaxed);
                } else {
                    watched.lies();
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(answer) => answer.content.is_end(),
            Self::Watched(watched) => {
                watched.lock().as_ref().is_some_and(|answer| answer.content.is_end())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(answer) => answer.content.size_hint(),
            Self::Watched(watched) => watched
                .lock()
                .as_ref()
                .map_or_else(SizeHint::default, |answer| answer.content.size_hint()),
        }
    }
}

/// Runs only while nothing comes; most bodies are there at once and never need a timer.
#[derive(Debug)]
struct IdleClock {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    restart: bool,
}

impl IdleClock {
    const fn new(limit: Duration) -> Self {
        Self { limit, sleep: None, restart: false }
    }

    fn restart(&mut self) {
        self.restart = true;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        if std::mem::take(&mut self.restart) {
            sleep.as_mut().reset(Instant::now() + limit);
        }
        sleep.as_mut().poll(cx)
    }
}
