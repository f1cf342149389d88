//! A multipart body too long to hold: its texts are kept and judged, its long runs of media wait in a file.
//!
//! The file has no name, and what is in it is sealed under a key that only this request knows: whoever finds the disk
//! finds noise. Promise: nothing is lost or reordered; a body put together again without edits is the original.

mod store;
mod strip;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use memchr::memmem;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use self::store::{Store, sealed_length};
use crate::body::{Elider, Piece, Unreadable};
use crate::proxy::body::BodyFault;
use crate::proxy::memory::{Busy, Claim};
use crate::proxy::pace::Pace;
use crate::proxy::seldom::Seldom;

/// How much is sealed at once.
const CHUNK: usize = 256 * 1024;

/// How much of it all there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpoolLimits {
    /// Bytes that are held and judged.
    pub(crate) most_kept: usize,
    /// Bytes in all.
    pub(crate) most: u64,
    /// Silence of the client.
    pub(crate) idle: Duration,
    /// How many bytes must come in a second, on the whole.
    pub(crate) rate: u64,
}

/// A body whose runs of media are in the file.
pub(crate) struct Spooled {
    /// What is judged: the body with a mark in place of each run.
    pub(crate) kept: Bytes,
    /// What stands in place of each run; nobody outside can guess it.
    pub(crate) mark: Vec<u8>,
    /// The chunks of each run.
    runs: Vec<Vec<Chunk>>,
    /// Whether metadata was taken out of any.
    pub(crate) is_stripped: bool,
    store: Arc<Store>,
}

/// Prints lengths only: what is kept is the texts of a post.
impl std::fmt::Debug for Spooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spooled")
            .field("n_kept", &self.kept.len())
            .field("n_runs", &self.runs.len())
            .field("is_stripped", &self.is_stripped)
            .finish_non_exhaustive()
    }
}

/// A sealed chunk: its number, its offset in the file, the length of its text.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    number: u64,
    offset: u64,
    length: usize,
}

/// A body put together again, on its way to a platform.
pub(crate) struct Refilled {
    /// What comes next, last first.
    segments: Vec<Segment>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    store: Arc<Store>,
    left: u64,
    sent: Option<oneshot::Sender<()>>,
}

enum Segment {
    Held(Bytes),
    Sealed(Chunk),
}

/// Reads a body to its end into what is kept and what is spooled.
pub(crate) async fn spool(
    start: Bytes,
    rest: &mut Incoming,
    elider: Elider,
    limits: SpoolLimits,
    mut claim: Option<&mut Claim>,
) -> Result<Spooled, Unreadable> {
    let mut spooling = Spooling::new(elider, limits)?;
    spooling.push(&start).await?;
    drop(start);
    let mut pace = Pace::new(limits.idle, limits.rate);
    loop {
        let frame = timeout(limits.idle, rest.frame()).await.map_err(|_| Unreadable::TooSlow)?;
        match frame {
            None => return spooling.finish().await,
            Some(Err(_)) => return Err(Unreadable::Truncated),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    if !pace.keeps(data.len()) {
                        return Err(Unreadable::TooSlow);
                    }
                    spooling.push(&data).await?;
                    if let Some(claim) = &mut claim {
                        // What is cut but not yet sealed is of a fixed size.
                        // A claim counts each byte twice, and so what a buffer that grows has to spare.
                        let n_kept = spooling.filling.parted.kept.capacity().min(limits.most_kept);
                        claim.grow(n_kept).await.map_err(|Busy| Unreadable::Busy)?;
                    }
                }
            }
        }
    }
}

/// A spool being filled.
struct Spooling {
    elider: Elider,
    filling: Filling,
}

struct Filling {
    limits: SpoolLimits,
    n_read: u64,
    parted: Parted,
    store: Arc<Store>,
}

/// What the elider gave out so far.
struct Parted {
    mark: Vec<u8>,
    kept: Vec<u8>,
    /// Media not yet sealed; it belongs to the last run.
    pending: Vec<u8>,
    runs: Vec<Vec<usize>>,
    /// Chunks cut off but not yet written.
    cut: Vec<Vec<u8>>,
}

impl Spooling {
    fn new(elider: Elider, limits: SpoolLimits) -> Result<Self, Unreadable> {
        let store = Store::new().map_err(|error| unkept(&error))?;
        let mark =
            format!("<{}>", Store::random_hex().map_err(|error| unkept(&error))?).into_bytes();
        let parted = Parted {
            mark,
            kept: Vec::new(),
            pending: Vec::new(),
            runs: Vec::new(),
            cut: Vec::new(),
        };
        let filling = Filling { limits, n_read: 0, parted, store: Arc::new(store) };
        Ok(Self { elider, filling })
    }

    async fn push(&mut self, data: &[u8]) -> Result<(), Unreadable> {
        self.filling.n_read += data.len() as u64;
        let parted = &mut self.filling.parted;
        self.elider.push(data, &mut |piece| parted.take(&piece));
        self.filling.check_and_write().await
    }

    async fn finish(self) -> Result<Spooled, Unreadable> {
        let Self { elider, mut filling } = self;
        elider.finish(&mut |piece| filling.parted.take(&piece));
        filling.parted.cut_pending();
        filling.check_and_write().await?;
        let Parted { mark, kept, runs, .. } = filling.parted;
        // They were written in their order, one behind the other.
        let (mut number, mut offset) = (0, 0);
        let mut placed = |length| {
            let chunk = Chunk { number, offset, length };
            number += 1;
            offset += sealed_length(length);
            chunk
        };
        let runs = runs.into_iter().map(|run| run.into_iter().map(&mut placed).collect()).collect();
        Ok(Spooled { kept: kept.into(), mark, runs, is_stripped: false, store: filling.store })
    }
}

impl Filling {
    async fn check_and_write(&mut self) -> Result<(), Unreadable> {
        if self.parted.kept.len() > self.limits.most_kept || self.n_read > self.limits.most {
            return Err(Unreadable::TooLarge);
        }
        for chunk in std::mem::take(&mut self.parted.cut) {
            let store = Arc::clone(&self.store);
            let written = spawn_blocking(move || store.append(chunk));
            // A disk that hangs holds its client no longer than a client may hold us.
            match timeout(self.limits.idle, written).await {
                Ok(Ok(Ok(_))) => {}
                Ok(Ok(Err(error))) => return Err(unkept(&error)),
                Ok(Err(_)) | Err(_) => return Err(unkept(&io::ErrorKind::TimedOut.into())),
            }
        }
        Ok(())
    }
}

/// A body that cannot be kept goes nowhere, and an operator must see to the disk.
fn unkept(error: &io::Error) -> Unreadable {
    static LINES: LazyLock<Seldom> = LazyLock::new(Seldom::default);
    if let Some(n_suppressed) = LINES.pass() {
        tracing::error!(kind = %error.kind(), n_suppressed, "the folder for temporary files cannot be written");
    }
    Unreadable::Unkept
}

impl Parted {
    fn take(&mut self, piece: &Piece<'_>) {
        match *piece {
            Piece::Keep(bytes) => {
                self.cut_pending();
                self.kept.extend_from_slice(bytes);
            }
            Piece::Begin => {
                self.cut_pending();
                self.kept.extend_from_slice(&self.mark);
                self.runs.push(Vec::new());
            }
            Piece::Media(bytes) => {
                self.pending.extend_from_slice(bytes);
                if self.pending.len() >= CHUNK {
                    self.cut_pending();
                }
            }
        }
    }

    fn cut_pending(&mut self) {
        if let Some(run) = self.runs.last_mut()
            && !self.pending.is_empty()
        {
            run.push(self.pending.len());
            self.cut.push(std::mem::take(&mut self.pending));
        }
    }
}

impl Spooled {
    /// Whether any media was spooled.
    pub(crate) fn has_media(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Puts the body together: `kept` as it was or as it was edited, with each mark replaced by its run. `None` if the
    /// marks are not all there in their order: then nothing may be sent.
    pub(crate) fn refill(self, kept: &Bytes) -> Option<(Refilled, oneshot::Receiver<()>)> {
        let mut segments = Vec::new();
        let (mut from, mut left) = (0, 0_u64);
        let mut runs = self.runs.iter();
        for at in memmem::find_iter(kept, &self.mark) {
            segments.push(Segment::Held(kept.slice(from..at)));
            for &chunk in runs.next()? {
                segments.push(Segment::Sealed(chunk));
                left += chunk.length as u64;
            }
            from = at + self.mark.len();
        }
        if runs.next().is_some() {
            return None;
        }
        segments.push(Segment::Held(kept.slice(from..)));
        let marks = self.runs.len() * self.mark.len();
        left += (kept.len() - marks) as u64;
        segments.retain(|segment| !matches!(segment, Segment::Held(held) if held.is_empty()));
        segments.reverse();
        let (sender, receiver) = oneshot::channel();
        Some((
            Refilled { segments, reading: None, store: self.store, left, sent: Some(sender) },
            receiver,
        ))
    }
}

impl Refilled {
    /// The length of what is still to be sent.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            return Poll::Ready(Some(match read {
                Ok(Ok(bytes)) => Ok(self.give(bytes)),
                Ok(Err(_)) | Err(_) => Err(BodyFault::Broken),
            }));
        }
        match self.segments.pop() {
            Some(Segment::Held(bytes)) => Poll::Ready(Some(Ok(self.give(bytes)))),
            Some(Segment::Sealed(Chunk { number, offset, length })) => {
                let store = Arc::clone(&self.store);
                self.reading = Some(spawn_blocking(move || store.read(number, offset, length)));
                self.poll(cx)
            }
            None => {
                self.sent.take().map(|sent| sent.send(()));
                Poll::Ready(None)
            }
        }
    }

    fn give(&mut self, bytes: Bytes) -> Frame<Bytes> {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Frame::data(bytes)
    }
}
