//! The one thread that writes: takes what is queued, writes it with one write, syncs once, and answers everybody.
//!
//! While a sync runs, the next events gather, so that under load one sync serves many posts, and a lone post waits for
//! nobody. What nobody waits for (outcomes) neither wakes the writer nor costs a sync of its own while posts come. After a failed write the file is cut back to its last whole line, so the chain stays valid; what could not
//! be written is counted, and the count is the first thing written when the disk takes lines again.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use tokio::sync::{oneshot, watch};

use crate::audit::chain::{Hash, Link, MAX_LINE, seal};
use crate::audit::clock::Clock;
use crate::audit::keep::{Keep, today};
use crate::audit::segments;
use crate::audit::sinks::{Newest, Trail};
use crate::audit::store::Store;
use crate::audit::{AuditError, Sync, line};

/// Most bytes that wait for the disk; a disk that hangs must not take the memory with it.
const MAX_QUEUED: usize = 64 << 20;

/// How soon a disk that refused lines is tried again when no post does so.
const RETRY: Duration = Duration::from_secs(1);

/// How long an event that nobody waits for may wait for one that somebody waits for, and go to the disk with it.
const LINGER: Duration = Duration::from_millis(10);

/// The shortest time between the starts of two writes while several posts wait at once: on a fast disk each would
/// otherwise pay for a sync and a wake of its own.
const PACE: Duration = Duration::from_millis(1);

/// How often the head goes to the log while lines are written: somebody who keeps the log notices a cut tail.
const HEAD_EVERY: Duration = Duration::from_secs(3600);

/// How long after a failure the file is not rotated again.
const ROTATE_RETRY: Duration = Duration::from_secs(60);

/// Whom to tell that an event is written, and by which number.
pub(super) type Answer = oneshot::Sender<Result<u64, AuditError>>;

/// What callers and the writer share.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    state: Mutex<State>,
    /// Becomes true when the writer has stopped.
    stopped: watch::Sender<bool>,
    /// For those who follow the file, where anybody does.
    trail: Option<Arc<Trail>>,
}

#[derive(Debug, Default)]
struct Queue {
    batch: Batch,
    /// Events that found the queue full.
    n_lost: u64,
    closing: bool,
    /// What wakes the writer; spares the system call for all else.
    wakes: Wakes,
}

/// What the writer waits for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Wakes {
    /// It does not wait.
    #[default]
    Nothing,
    /// An event that somebody waits for.
    Asked,
    /// Any event.
    Any,
}

/// Serialised events, one behind the other.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each ends, and whom to tell.
    events: Vec<(usize, Option<Answer>)>,
    /// How many have somebody to tell.
    n_asked: usize,
}

#[derive(Clone, Copy, Debug)]
struct State {
    seq: u64,
    head: Hash,
    writable: bool,
}

impl Shared {
    pub(super) fn new(link: Link, trail: Option<Arc<Trail>>) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            state: Mutex::new(State { seq: link.seq, head: link.hash, writable: true }),
            stopped: watch::Sender::new(false),
            trail,
        })
    }

    /// Queues one event; `serialise` writes it. An event that cannot be queued is counted as lost.
    pub(super) fn push(
        &self,
        answer: Option<Answer>,
        serialise: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), AuditError> {
        let mut queue = lock(&self.queue);
        if queue.closing {
            return Err(AuditError::Stopped);
        }
        if queue.batch.bytes.len() >= MAX_QUEUED {
            queue.n_lost += 1;
            return Err(AuditError::Write);
        }
        serialise(&mut queue.batch.bytes);
        let end = queue.batch.bytes.len();
        let is_asked = answer.is_some();
        queue.batch.n_asked += usize::from(is_asked);
        queue.batch.events.push((end, answer));
        if queue.wakes == Wakes::Any || (is_asked && queue.wakes == Wakes::Asked) {
            queue.wakes = Wakes::Nothing;
            drop(queue);
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Counts an event as lost that there is no room for.
    pub(super) fn lose(&self) {
        lock(&self.queue).n_lost += 1;
    }

    pub(super) fn head(&self) -> Hash {
        lock(&self.state).head
    }

    /// The number of the newest line.
    pub(super) fn seq(&self) -> u64 {
        lock(&self.state).seq
    }

    /// Events that wait for the disk, and their bytes.
    pub(super) fn queued(&self) -> (usize, usize) {
        let queue = lock(&self.queue);
        (queue.batch.events.len(), queue.batch.bytes.len())
    }

    pub(super) fn is_writable(&self) -> bool {
        lock(&self.state).writable && !*self.stopped.borrow()
    }

    /// Lets the writer stop once it has written what is queued.
    pub(super) fn stop(&self) {
        let mut queue = lock(&self.queue);
        queue.closing = true;
        queue.wakes = Wakes::Nothing;
        drop(queue);
        self.arrived.notify_one();
    }

    pub(super) async fn stopped(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// The state of the thread that writes.
#[derive(Debug)]
pub(super) struct Writer<S> {
    store: S,
    sync: Sync,
    /// `,"node":".."`, as every line has it.
    node: Vec<u8>,
    clock: Clock,
    link: Link,
    /// Where the last whole line ends.
    length: u64,
    /// Whether a failed write left part of a line behind it that could not be cut off yet.
    uncut: bool,
    n_lost: u64,
    buffer: Vec<u8>,
    head_logged: Instant,
    /// `None`: the file grows for ever.
    rotation: Option<Rotation>,
    /// Whether the next line is a new file's first.
    opens: bool,
}

/// When and how a new file is begun.
#[derive(Debug)]
pub(super) struct Rotation {
    /// The file whose name stays.
    pub(super) live: PathBuf,
    pub(super) keep: Keep,
    /// The number and the day of its first line.
    pub(super) first: Option<(u64, Date)>,
    /// Told of each segment.
    pub(super) keeper: mpsc::Sender<()>,
    /// Not tried before, after it failed.
    pub(super) not_before: Option<Instant>,
}

impl<S: Store> Writer<S> {
    pub(super) fn new(store: S, sync: Sync, node: &str, link: Link, length: u64) -> Self {
        let mut written = Vec::new();
        line::key_text("node", node, &mut written);
        Self {
            store,
            sync,
            node: written,
            clock: Clock::default(),
            link,
            length,
            uncut: false,
            n_lost: 0,
            buffer: Vec::new(),
            head_logged: Instant::now(),
            rotation: None,
            opens: false,
        }
    }

    /// From now on a new file is begun when it is time.
    pub(super) fn rotating(mut self, mut rotation: Rotation) -> Self {
        if self.length > 0 && rotation.first.is_none() {
            rotation.first = Some((self.link.seq, today()));
        }
        self.rotation = Some(rotation);
        self
    }

    pub(super) const fn link(&self) -> Link {
        self.link
    }

    /// Where the chain ends, for those who follow it.
    pub(super) fn newest(&self) -> Newest {
        Newest { link: self.link, length: self.length, file: self.store.id() }
    }

    /// Writes one line of our own before the thread starts: what was found when the file was opened.
    pub(super) fn note(&mut self, line_end_first: bool, event: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        if line_end_first {
            self.buffer.push(b'\n');
        }
        if !event.is_empty() {
            self.add(event);
        }
        if let Err(fault) = self.store.append(&self.buffer).and_then(|()| self.store.sync()) {
            // Part of a note behind a torn line would look like two of them, which no crash leaves.
            let _ = self.store.cut(self.length);
            return Err(fault);
        }
        self.length += self.buffer.len() as u64;
        Ok(())
    }

    /// Writes until told to stop.
    pub(super) fn run(self, shared: &Shared) {
        // Declared first, so dropped last: whoever hears of the end finds the file unlocked.
        let _end = End(shared);
        let mut writer = self;
        writer.serve(shared);
    }

    fn serve(&mut self, shared: &Shared) {
        let mut spare = Batch::default();
        loop {
            let (mut batch, n_lost, closing) = self.take(shared, std::mem::take(&mut spare));
            let began = Instant::now();
            self.n_lost += n_lost;
            let before = self.link.seq;
            let failed = self.write(&batch).err();
            self.publish(shared, failed);
            if let Some(trail) = shared.trail.as_ref().filter(|_| self.link.seq != before) {
                trail.grew(self.newest(), self.buffer.len() as u64);
            }
            let first = self.link.seq.wrapping_sub(batch.events.len() as u64);
            for ((_, answer), seq) in batch.events.drain(..).zip(first.wrapping_add(1)..) {
                let Some(answer) = answer else { continue };
                // Whoever asked may have gone; the line stands anyway.
                let _ = answer.send(failed.map_or(Ok(seq), |_| Err(AuditError::Write)));
            }
            let is_busy = batch.n_asked > 1;
            batch.bytes.clear();
            batch.n_asked = 0;
            spare = batch;
            if closing {
                break;
            }
            if is_busy && let Some(rest) = PACE.checked_sub(began.elapsed()) {
                std::thread::sleep(rest);
            }
        }
    }

    /// Tells everybody how the last write went; the operator once for each change.
    fn publish(&mut self, shared: &Shared, failed: Option<io::ErrorKind>) {
        let mut state = lock(&shared.state);
        let before = state.writable;
        *state = State { seq: self.link.seq, head: self.link.hash, writable: failed.is_none() };
        drop(state);
        match failed {
            Some(kind) if before => tracing::error!(%kind, "the audit file cannot be written"),
            None if !before => {
                tracing::info!(n_lost = self.n_lost, "the audit file takes lines again");
            }
            _ => {}
        }
        if failed.is_none() {
            self.n_lost = 0;
            if self.head_logged.elapsed() >= HEAD_EVERY {
                self.log_head();
            }
        }
    }

    fn log_head(&mut self) {
        self.head_logged = Instant::now();
        tracing::info!(seq = self.link.seq, head = %self.link.hash, "the head of the audit");
    }

    /// Waits for events, and leaves an empty batch in place of theirs.
    fn take(&self, shared: &Shared, spare: Batch) -> (Batch, u64, bool) {
        let mut queue = lock(&shared.queue);
        let mut linger_end = Instant::now() + LINGER;
        while queue.batch.n_asked == 0 && !queue.closing {
            let left = linger_end.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                // Posts may be about to come: what they leave behind gathers until then.
                (queue, _) = wait(shared, queue, Wakes::Asked, left);
                continue;
            }
            if !queue.batch.events.is_empty() {
                break;
            }
            let limit = if self.n_lost == 0 { HEAD_EVERY } else { RETRY };
            let timed_out;
            (queue, timed_out) = wait(shared, queue, Wakes::Any, limit);
            if timed_out && self.n_lost > 0 {
                break;
            }
            linger_end = Instant::now() + LINGER;
        }
        queue.wakes = Wakes::Nothing;
        let batch = std::mem::replace(&mut queue.batch, spare);
        (batch, std::mem::take(&mut queue.n_lost), queue.closing)
    }

    /// Writes a batch whole, or none of it.
    fn write(&mut self, batch: &Batch) -> Result<(), io::ErrorKind> {
        if batch.events.is_empty() && self.n_lost == 0 {
            return Ok(());
        }
        self.rotate_if_due();
        let before = self.link;
        self.buffer.clear();
        if self.opens {
            self.add(b"\"event\":\"continue\"");
        }
        if self.n_lost > 0 {
            let mut lost = b"\"event\":\"lost\"".to_vec();
            line::key_number("lines", self.n_lost, &mut lost);
            self.add(&lost);
        }
        let mut start = 0;
        for (end, _) in &batch.events {
            self.add(batch.bytes.get(start..*end).unwrap_or_default());
            start = *end;
        }
        if let Err(error) = self.put() {
            self.link = before;
            self.n_lost += batch.events.len() as u64;
            self.uncut = self.uncut && self.store.cut(self.length).is_err();
            return Err(error.kind());
        }
        self.length += self.buffer.len() as u64;
        self.opens = false;
        if let Some(rotation) = &mut self.rotation
            && rotation.first.is_none()
        {
            rotation.first = Some((before.seq + 1, today()));
            // Whoever looks after segments may have ended: they are looked after at the next start.
            let _ = rotation.keeper.send(());
        }
        Ok(())
    }

    /// Begins a new file if the old one is long or old enough. If that fails, the old one goes on.
    fn rotate_if_due(&mut self) {
        let Some(rotation) = &mut self.rotation else { return };
        let Some((first_seq, day)) = rotation.first else { return };
        let keep = &rotation.keep;
        let is_due = self.length >= keep.size || keep.rotate.parts(day, today());
        let waits = rotation.not_before.is_some_and(|until| Instant::now() < until);
        if !is_due || waits || self.uncut || self.length == 0 {
            return;
        }
        let rotated = self.store.check(self.length).and_then(|()| {
            let name = segments::name(&rotation.live, day, first_seq).unwrap_or_default();
            self.store.rotate(&name)
        });
        match rotated {
            Ok(()) => {
                rotation.first = None;
                rotation.not_before = None;
                self.length = 0;
                self.opens = true;
                tracing::info!(seq = self.link.seq, "the audit goes on in a new file");
            }
            Err(error) => {
                rotation.not_before = Some(Instant::now() + ROTATE_RETRY);
                tracing::warn!(%error, "the audit file cannot be rotated; it goes on as it is");
            }
        }
    }

    fn put(&mut self) -> io::Result<()> {
        if self.uncut {
            self.store.cut(self.length)?;
            self.uncut = false;
        }
        self.store.check(self.length)?;
        // From here on there may be part of a line behind the last whole one.
        self.uncut = true;
        self.store.append(&self.buffer)?;
        if self.sync == Sync::Group {
            self.store.sync()?;
        }
        self.uncut = false;
        Ok(())
    }

    /// Adds one event to the buffer as the next line of the chain.
    fn add(&mut self, event: &[u8]) {
        debug_assert!(event.len() < MAX_LINE, "an event lists a bounded number of findings");
        let start = self.buffer.len();
        self.buffer.extend_from_slice(b"{\"time\":\"");
        self.clock.write(&mut self.buffer);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(&self.node);
        line::key_number("seq", self.link.seq + 1, &mut self.buffer);
        self.buffer.extend_from_slice(b",\"prev\":\"");
        self.buffer.extend_from_slice(self.link.hash.as_bytes());
        self.buffer.extend_from_slice(b"\",");
        self.buffer.extend_from_slice(event);
        let hash = seal(&mut self.buffer, start);
        self.link = Link { seq: self.link.seq + 1, hash };
    }
}

/// Says that the writer has ended, however it did: nobody waits for it for ever.
struct End<'s>(&'s Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.closing = true;
        // Dropping the answers tells whoever still waits.
        queue.batch.events.clear();
        drop(queue);
        if let Some(trail) = &self.0.trail {
            trail.stop();
        }
        self.0.stopped.send_replace(true);
    }
}

/// Waits to be woken, and says whether it was for nothing.
fn wait<'q>(
    shared: &Shared,
    mut queue: MutexGuard<'q, Queue>,
    wakes: Wakes,
    limit: Duration,
) -> (MutexGuard<'q, Queue>, bool) {
    queue.wakes = wakes;
    let (queue, waited) =
        shared.arrived.wait_timeout(queue, limit).unwrap_or_else(PoisonError::into_inner);
    (queue, waited.timed_out())
}

/// A panic elsewhere must not stop the audit: what the locks guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
