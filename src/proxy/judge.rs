//! Calls the inspection: off the async threads where it takes long, behind a wall where it panics, and not for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::body::{Piece as BodyPiece, Unreadable};
use crate::detect::Piece;
use crate::inspect::{self, Inspection, Inspector, Redacted, Verdict};
use crate::media::InPlace;
use crate::platform::Answer;
use crate::proxy::memory::Memory;
use crate::proxy::passage::Passage;
use crate::proxy::seldom::Seldom;
use crate::proxy::spool::Spooled;

/// Bodies longer than this are inspected off the async threads.
const INLINE: usize = 64 * 1024;

/// A post that nobody wrote.
const PULSE: &str = "Mr. Roe, SSN 987-65-4321, was seen on 4 May.";

/// Where and how long posts are judged.
#[derive(Clone, Debug)]
pub(crate) struct Judging {
    places: Arc<Counted>,
    limit: Duration,
    memory: Memory,
    late_lines: Arc<Seldom>,
}

/// What all sets share of that.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Counted>, Arc<Seldom>);

/// Places for inspections. More threads than cores judge nothing sooner, and each keeps the memory that it once needed.
#[derive(Debug)]
struct Counted {
    /// On the async threads: one fewer than there are, so that an inspection without end, or as many as there are places,
    /// leaves one to move bytes.
    inline: Semaphore,
    /// Off them, for what is short: long ones do not keep it waiting.
    short: Semaphore,
    /// Off them, for what may take long.
    long: Semaphore,
}

impl Places {
    /// Within a runtime.
    pub(crate) fn new() -> Self {
        let n_threads = Handle::current().metrics().num_workers();
        let counted = Counted {
            inline: Semaphore::new(n_threads.saturating_sub(1)),
            short: Semaphore::new(n_threads.max(2)),
            long: Semaphore::new(n_threads.max(2)),
        };
        Self(Arc::new(counted), Arc::default())
    }

    /// For one set: its deadline, and its memory.
    pub(crate) fn judging(&self, limit: Duration, memory: Memory) -> Judging {
        let Self(places, late_lines) = self;
        let (places, late_lines) = (Arc::clone(places), Arc::clone(late_lines));
        Judging { places, limit, memory, late_lines }
    }
}

impl Judging {
    /// Inspects, off the async threads where that may take long, and then not before there is memory for it.
    pub(crate) async fn inspect(
        &self,
        inspector: Arc<Inspector>,
        passage: Passage,
        body: Bytes,
        mark: Option<Vec<u8>>,
    ) -> Option<(Passage, Inspection)> {
        // What a coded body holds is not known before it is decoded.
        let is_short = body.len() <= INLINE && !passage.is_encoded();
        let place = if is_short { self.places.inline.try_acquire().ok() } else { None };
        let passage = Arc::new(passage);
        let weight = if place.is_some() {
            Ok(Some((0, 0)))
        } else {
            self.weight(&inspector, &passage, &body).await
        };
        let judge = {
            let (inspector, passage) = (Arc::clone(&inspector), Arc::clone(&passage));
            move || {
                guarded(&inspector, &passage, &body, |request| {
                    inspector.inspect(&inspect::Request { mark: mark.as_deref(), ..*request })
                })
            }
        };
        let inspection = if place.is_some() {
            judge()
        } else {
            let judged = match weight {
                Ok(weight) => self.off_thread(is_short, weight?, judge).await,
                Err(why) => Err(why),
            };
            match judged {
                Ok(inspection) => inspection?,
                Err(why) => self.not_done(why, &inspector, &passage),
            }
        };
        Some((Arc::unwrap_or_clone(passage), inspection))
    }

    /// What a body weighs: found off the async threads where it is long, as all of a multipart body is walked for it.
    /// `Ok(None)` only while the runtime is being torn down.
    async fn weight(
        &self,
        inspector: &Arc<Inspector>,
        passage: &Arc<Passage>,
        body: &Bytes,
    ) -> Result<Option<(usize, usize)>, NotDone> {
        let is_long = body.len() > INLINE && !passage.is_encoded();
        let (inspector, passage, body) = (Arc::clone(inspector), Arc::clone(passage), body.clone());
        // What panics while it is weighed does so again where a panic is a verdict.
        let weigh = move || {
            catch_unwind(AssertUnwindSafe(|| weigh(&inspector, &passage, &body)))
                .unwrap_or((body.len(), 0))
        };
        if !is_long {
            return Ok(Some(weigh()));
        }
        let _place = self.place(false).await?;
        timeout(self.limit, spawn_blocking(weigh)).await.map(Result::ok).map_err(|_| NotDone::Late)
    }

    /// Waits for a place off the async threads. It is given back when its inspection is no longer waited for, though its
    /// thread may go on: those without end would fill them all.
    async fn place(&self, is_short: bool) -> Result<Option<SemaphorePermit<'_>>, NotDone> {
        let places = if is_short { &self.places.short } else { &self.places.long };
        // Those who have one are given up within the limit at the latest: then it is the next one's turn. They are never closed.
        let limit = self.limit.saturating_mul(2);
        timeout(limit, places.acquire()).await.map(Result::ok).map_err(|_| NotDone::Busy)
    }

    /// Runs what takes so many bytes of texts and media, once there is memory for it. `Ok(None)` only while the runtime is
    /// being torn down.
    async fn off_thread<T: Send + 'static>(
        &self,
        is_short: bool,
        (n_text, n_media): (usize, usize),
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, NotDone> {
        // Those before it end, unless an inspection does not: then it waits no longer than that one was waited for.
        let reading = timeout(self.limit, self.memory.read(n_text, n_media)).await;
        let reading = reading.map_err(|_| NotDone::Busy)?;
        let _place = self.place(is_short).await?;
        let run = move || {
            // Until it has ended: a thread that nobody waits for takes its memory all the same.
            let _reading = reading;
            run()
        };
        timeout(self.limit, spawn_blocking(run)).await.map(Result::ok).map_err(|_| NotDone::Late)
    }

    /// Judges a text of our own where posts are judged. Says whether that was done; what it found is the rules' matter.
    pub(crate) async fn pulse(&self, inspector: Arc<Inspector>) -> bool {
        let judge = move || {
            let text = Piece { text: PULSE, label: None };
            // A panic is a fault of its own, and is blocked and told elsewhere: the thread is there.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                inspector.engine().scan(&[text], jiff::civil::Date::ZERO)
            }));
        };
        matches!(self.off_thread(true, (PULSE.len(), 0), judge).await, Ok(Some(())))
    }

    fn not_done(&self, why: NotDone, inspector: &Inspector, passage: &Passage) -> Inspection {
        match why {
            NotDone::Late => self.late(inspector, passage),
            NotDone::Busy => guarded(inspector, passage, &Bytes::new(), |request| {
                inspector.unreadable(request, Unreadable::Busy)
            }),
        }
    }

    /// The verdict on a post whose inspection has not ended. That goes on, and nobody waits for it: a thread cannot be
    /// stopped from outside.
    fn late(&self, inspector: &Inspector, passage: &Passage) -> Inspection {
        if let Some(n_suppressed) = self.late_lines.pass() {
            tracing::error!(
                platform = %passage.target.platform.id(), reference = %passage.reference(), n_suppressed,
                "an inspection did not end in time: is a rule too costly?"
            );
        }
        guarded(inspector, passage, &Bytes::new(), |request| inspector.late(request))
    }
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NotDone {
    /// It did not end in time.
    Late,
    /// There was no memory to begin in time.
    Busy,
}

/// How many bytes of a body are texts, at most, and how many are media.
fn weigh(inspector: &Inspector, passage: &Passage, body: &Bytes) -> (usize, usize) {
    if passage.is_encoded() {
        return (inspector.limits().most_unpacked(body.len()), body.len());
    }
    let documents = inspector.policy().documents();
    if passage.is_media(body, documents) {
        return (0, body.len());
    }
    let Some(mut elider) = passage.elider(documents) else { return (body.len(), 0) };
    let mut n_text = 0;
    let mut count = |piece: BodyPiece<'_>| match piece {
        BodyPiece::Keep(bytes) => n_text += bytes.len(),
        BodyPiece::Begin | BodyPiece::Media(_) => {}
    };
    elider.push(body, &mut count);
    elider.finish(&mut count);
    (n_text, body.len().saturating_sub(n_text))
}

/// A panic in an inspection is a block. What it panicked with is dropped unread: it may quote the post.
pub(crate) fn guarded(
    inspector: &Inspector,
    passage: &Passage,
    body: &Bytes,
    judge: impl FnOnce(&inspect::Request<'_>) -> Inspection,
) -> Inspection {
    let request = passage.request(body);
    catch_unwind(AssertUnwindSafe(|| judge(&request)))
        .or_else(|_| catch_unwind(AssertUnwindSafe(|| inspector.failed(&request))))
        // What panics over a request's path does so again while its platform is asked for an answer.
        .unwrap_or_else(|_| inspector.failed_twice(passage.reference()))
}

/// Media that is too long to hold: its query, path and headers are judged as always, its pixels are not.
pub(crate) fn judge_media(
    inspector: &Inspector,
    passage: &Passage,
    start: &Bytes,
) -> (Inspection, Option<InPlace>) {
    let judged = guarded(inspector, passage, &Bytes::new(), |request| inspector.inspect(request));
    let mut inspection = with_media(inspector, passage, judged);
    if matches!(inspection.verdict, Verdict::Block(_)) || !inspection.enforced {
        return (inspection, None);
    }
    let mut way = None;
    let failed = guarded(inspector, passage, &Bytes::new(), |request| {
        way = Some(inspector.stream(request, start));
        inspector.media(request)
    });
    match way {
        None => (failed, None),
        Some(Err(refused)) => (*refused, None),
        Some(Ok(strip)) => {
            inspection.metadata_stripped = strip.is_some();
            (inspection, strip)
        }
    }
}

/// A spool whose files were stripped, and what kept that from being done.
pub(crate) type Stripped = (Box<Spooled>, Option<Inspection>);

impl Judging {
    /// Takes the metadata out of the files in a spool, off the async threads. What keeps that from being done is a verdict;
    /// `Err` where it was not done in time, and the spool is gone with it.
    pub(crate) async fn strip_spooled(
        &self,
        inspector: Arc<Inspector>,
        passage: Passage,
        mut spooled: Box<Spooled>,
        most_held: usize,
    ) -> Option<(Passage, Result<Stripped, Inspection>)> {
        let n_held = spooled.kept.len() + most_held;
        let passage = Arc::new(passage);
        let strip = {
            let (inspector, passage) = (Arc::clone(&inspector), Arc::clone(&passage));
            move || {
                let empty = Bytes::new();
                let mut refused = None;
                let failed = guarded(&inspector, &passage, &empty, |request| {
                    let done = match inspector.spooled(request) {
                        Ok(None) => Ok(()),
                        Ok(Some(pieces)) => spooled
                            .strip(most_held, pieces)
                            .map_err(|why| Box::new(inspector.unreadable(request, why))),
                        Err(refusal) => Err(refusal),
                    };
                    refused = done.err();
                    inspector.media(request)
                });
                let panicked = failed.fault.is_some().then_some(failed);
                (spooled, refused.map(|refusal| *refusal).or(panicked))
            }
        };
        let stripped = match self.off_thread(false, (0, n_held), strip).await {
            Ok(stripped) => Ok(stripped?),
            Err(why) => Err(self.not_done(why, &inspector, &passage)),
        };
        Some((Arc::unwrap_or_clone(passage), stripped))
    }
}

/// What is judged around media, and what the policy says of media.
pub(crate) fn with_media(
    inspector: &Inspector,
    passage: &Passage,
    judged: Inspection,
) -> Inspection {
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
pub(crate) fn take_verdict(inspection: &mut Inspection) -> Verdict {
    let empty = match &inspection.verdict {
        Verdict::Forward => Verdict::Forward,
        Verdict::Redact(_) => Verdict::Redact(Redacted::default()),
        Verdict::Block(answer) => Verdict::Block(Answer {
            status: answer.status,
            content_type: answer.content_type.clone(),
            body: Vec::new(),
            status_line: None,
        }),
    };
    std::mem::replace(&mut inspection.verdict, empty)
}
