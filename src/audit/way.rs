//! Where events go: into this process's own file, or, once another process has taken over, through that one into the same
//! chain.
//!
//! Invariant: at any time one process at most holds the file, and an event that comes while it changes hands waits.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::Handle;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::audit::chain::MAX_LINE;
use crate::audit::{AuditError, AuditSettings, Change, Event, FileAudit, Naming, SinkStatus, line};

/// How long another process may keep the lock of a file that it did not take over.
const BACK: Duration = Duration::from_secs(10);

/// What every event begins with, behind the keys that a chain gives it.
const EVENT: &[u8] = b"\"event\":\"";

/// How an answer is written.
const WRITTEN: u8 = 0;
const NOT_WRITTEN: u8 = 1;

/// The audit, wherever it is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    way: Arc<RwLock<Way>>,
    /// What was last known of it, for while it changes hands.
    known: Arc<Mutex<Known>>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them in a process")]
enum Way {
    /// Not opened yet, or let go of.
    Nowhere,
    Here(FileAudit),
    There(Relay),
}

#[derive(Debug, Default)]
struct Known {
    head: String,
    /// Outcomes that came while it changed hands.
    late: Vec<Event>,
}

/// An audit that is yet to be opened: every event waits.
#[derive(Debug)]
pub struct Opening {
    audit: Audit,
    way: OwnedRwLockWriteGuard<Way>,
}

/// An audit whose file nobody holds: every event waits.
#[derive(Debug)]
pub struct Released {
    audit: Audit,
    settings: AuditSettings,
    way: OwnedRwLockWriteGuard<Way>,
}

impl Audit {
    /// Opens the file, verifies its tail, and starts the writer.
    pub fn open(settings: AuditSettings) -> Result<Self, AuditError> {
        FileAudit::open(settings).map(Self::of)
    }

    /// What is kept in a file that is open.
    pub fn of(file: FileAudit) -> Self {
        let known = Known { head: file.head(), late: Vec::new() };
        Self { way: Arc::new(RwLock::new(Way::Here(file))), known: Arc::new(Mutex::new(known)) }
    }

    /// One that is opened later.
    pub fn awaited() -> (Self, Opening) {
        let audit = Self { way: Arc::new(RwLock::new(Way::Nowhere)), known: Arc::default() };
        // Nobody else has it yet.
        let way = loop {
            if let Ok(way) = Arc::clone(&audit.way).try_write_owned() {
                break way;
            }
        };
        let opening = Opening { audit: audit.clone(), way };
        (audit, opening)
    }

    /// Draws an event id.
    pub fn new_id() -> String {
        FileAudit::new_id()
    }

    /// Draws a reference for a client's sentence: 8 base32 characters.
    pub fn new_reference() -> String {
        FileAudit::new_reference()
    }

    /// Writes one event; when this returns, the line counts as written by the settings.
    pub async fn record(&self, event: Event) -> Result<(), AuditError> {
        match &*self.way.read().await {
            Way::Here(file) => file.record(event).await,
            Way::There(relay) => relay.record(relay.written(&event)).await,
            Way::Nowhere => Err(AuditError::Stopped),
        }
    }

    /// Writes down that another configuration takes over; when this returns, the line counts as written. One that cannot
    /// be written is counted as lost.
    pub async fn record_change(&self, change: &Change) -> Result<(), AuditError> {
        match &*self.way.read().await {
            Way::Here(file) => file.record_change(change).await,
            Way::There(relay) => {
                let mut written = Vec::new();
                line::write_change(change, &mut written);
                relay.record(written).await
            }
            Way::Nowhere => Err(AuditError::Stopped),
        }
    }

    /// Writes one event without waiting (outcomes). Order is kept. If it cannot be written, the chain says later how
    /// many could not.
    pub fn record_later(&self, event: Event) {
        if let Ok(way) = self.way.try_read() {
            return record_later(&way, event);
        }
        self.known().late.push(event);
        // While a runtime is torn down there is nobody left to write it either.
        if let Ok(runtime) = Handle::try_current() {
            let audit = self.clone();
            runtime.spawn(async move {
                let way = audit.way.read().await;
                audit.catch_up(&way);
            });
        }
    }

    /// Writes an event as another process serialised it.
    async fn record_written(&self, event: Vec<u8>) -> Result<(), AuditError> {
        match &*self.way.read().await {
            Way::Here(file) => file.record_written(&event).await,
            Way::There(relay) => relay.record(event).await,
            Way::Nowhere => Err(AuditError::Stopped),
        }
    }

    /// The hash of the newest line.
    pub fn head(&self) -> String {
        let head = match self.way.try_read().as_deref() {
            Ok(Way::Here(file)) => Some(file.head()),
            Ok(Way::There(_) | Way::Nowhere) | Err(_) => None,
        };
        let mut known = self.known();
        if let Some(head) = head {
            known.head = head;
        }
        known.head.clone()
    }

    /// Whether the last write succeeded.
    pub fn is_writable(&self) -> bool {
        match self.way.try_read().as_deref() {
            Ok(Way::Here(file)) => file.is_writable(),
            Ok(Way::There(relay)) => relay.is_there(),
            Ok(Way::Nowhere) => false,
            // It changes hands, which takes no time worth a word.
            Err(_) => true,
        }
    }

    /// The number of the newest line in its chain; 0 where another process has it.
    pub fn seq(&self) -> u64 {
        self.here(FileAudit::seq).unwrap_or_default()
    }

    /// Events that wait to be written, and their bytes.
    pub fn queued(&self) -> (usize, usize) {
        self.here(FileAudit::queued).unwrap_or_default()
    }

    /// How the sinks stand, in the order of the configuration; none where another process has them.
    pub fn sinks(&self) -> Vec<SinkStatus> {
        self.here(FileAudit::sinks).unwrap_or_default()
    }

    /// Whether more waits for a sink than may: then the policy's `on-unaudited` decides over posts.
    pub fn is_spool_full(&self) -> bool {
        self.here(FileAudit::is_spool_full).unwrap_or_default()
    }

    /// Asks the file's own audit; `None` where it is not here.
    fn here<T>(&self, ask: impl FnOnce(&FileAudit) -> T) -> Option<T> {
        match self.way.try_read().as_deref() {
            Ok(Way::Here(file)) => Some(ask(file)),
            _ => None,
        }
    }

    /// Writes what is queued and stops.
    pub async fn close(&self) {
        let mut way = self.way.write().await;
        self.catch_up(&way);
        match &mut *way {
            Way::Here(file) => file.close().await,
            Way::There(relay) => relay.close().await,
            Way::Nowhere => {}
        }
    }

    /// Lets go of the file, with all that was asked for written and every sink at rest. Until what comes back is used, every
    /// event waits. `None`, and nothing has happened, where a line does not come to rest within `limit`.
    pub async fn release(&self, settings: AuditSettings, limit: Duration) -> Option<Released> {
        let mut way = timeout(limit, Arc::clone(&self.way).write_owned()).await.ok()?;
        if let Way::Here(file) = &*way {
            // However long a disk takes: what was begun cannot be had back before it is over.
            file.close().await;
            self.known().head = file.head();
        }
        *way = Way::Nowhere;
        Some(Released { audit: self.clone(), settings, way })
    }

    /// Writes what another process's last posts have to say, until it is done.
    pub async fn take_in(&self, stream: UnixStream) {
        let (mut lines, mut told) = stream.into_split();
        let (tell, mut answers) = mpsc::unbounded_channel::<JoinHandle<Result<(), AuditError>>>();
        let answering = async {
            while let Some(answer) = answers.recv().await {
                let written = matches!(answer.await, Ok(Ok(())));
                let byte = if written { WRITTEN } else { NOT_WRITTEN };
                if told.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            while let Ok(event) = read_event(&mut lines).await {
                let audit = self.clone();
                let recording = tokio::spawn(async move { audit.record_written(event).await });
                if tell.send(recording).is_err() {
                    break;
                }
            }
            drop(tell);
        };
        tokio::join!(reading, answering);
    }

    fn catch_up(&self, way: &Way) {
        for event in std::mem::take(&mut self.known().late) {
            record_later(way, event);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record_later(way: &Way, event: Event) {
    match way {
        Way::Here(file) => file.record_later(event),
        Way::There(relay) => relay.record_later(relay.written(&event)),
        Way::Nowhere => {}
    }
}

impl Opening {
    /// Opens the file; every event that waits goes into it.
    pub fn open(mut self, settings: AuditSettings) -> Result<(), AuditError> {
        let file = FileAudit::open(settings)?;
        self.audit.known().head = file.head();
        *self.way = Way::Here(file);
        self.audit.catch_up(&self.way);
        Ok(())
    }
}

impl Released {
    /// Sends everything through the process at the other end from now on.
    pub fn to(mut self, stream: UnixStream) {
        *self.way = Way::There(Relay::start(stream, self.settings.names.clone()));
        self.audit.catch_up(&self.way);
    }

    /// Opens the file again. Fails where another process keeps it.
    pub async fn back(mut self) -> Result<(), AuditError> {
        let began = std::time::Instant::now();
        loop {
            match FileAudit::open(self.settings.clone()) {
                Ok(file) => {
                    *self.way = Way::Here(file);
                    self.audit.catch_up(&self.way);
                    return Ok(());
                }
                Err(AuditError::InUse { .. }) if began.elapsed() < BACK => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// An event on its way, and whom to tell that it is written.
type Asked = Option<oneshot::Sender<Result<(), AuditError>>>;

/// The other process, which writes for this one.
struct Relay {
    names: Naming,
    queue: mpsc::UnboundedSender<(Vec<u8>, Asked)>,
    /// How many events it has not answered for.
    n_open: watch::Receiver<usize>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("n_open", &*self.n_open.borrow()).finish_non_exhaustive()
    }
}

impl Relay {
    fn start(stream: UnixStream, names: Naming) -> Self {
        let (queue, queued) = mpsc::unbounded_channel();
        let (opened, n_open) = watch::channel(0);
        tokio::spawn(relay(stream, queued, opened));
        Self { names, queue, n_open }
    }

    fn written(&self, event: &Event) -> Vec<u8> {
        let mut written = Vec::new();
        line::write(event, &self.names, &mut written);
        written
    }

    async fn record(&self, event: Vec<u8>) -> Result<(), AuditError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send((event, Some(answer))).map_err(|_| AuditError::Stopped)?;
        answered.await.unwrap_or(Err(AuditError::Stopped))
    }

    fn record_later(&self, event: Vec<u8>) {
        let _ = self.queue.send((event, None));
    }

    fn is_there(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Waits until everything is answered for, or the other process is gone.
    async fn close(&mut self) {
        let (answer, answered) = oneshot::channel();
        // What is empty is sent to nobody, but stands behind all that was queued.
        let _ = self.queue.send((Vec::new(), Some(answer)));
        let _ = answered.await;
        let _ = self.n_open.wait_for(|n_open| *n_open == 0).await;
    }
}

/// Sends events, and hands out the answers, which come in the same order. Without the other process there are no answers:
/// everything that waits for one is dropped, which says so.
async fn relay(
    stream: UnixStream,
    mut queued: mpsc::UnboundedReceiver<(Vec<u8>, Asked)>,
    n_open: watch::Sender<usize>,
) {
    let (mut told, mut lines) = stream.into_split();
    let (expect, mut expected) = mpsc::unbounded_channel::<Asked>();
    let opened = &n_open;
    let sending = async move {
        while let Some((event, asked)) = queued.recv().await {
            if event.is_empty() {
                let _ = asked.map(|asked| asked.send(Ok(())));
                continue;
            }
            opened.send_modify(|n_open| *n_open += 1);
            if expect.send(asked).is_err() || write_event(&mut lines, &event).await.is_err() {
                return;
            }
        }
    };
    let hearing = async move {
        while let Some(asked) = expected.recv().await {
            let Ok(byte) = told.read_u8().await else { return };
            opened.send_modify(|n_open| *n_open -= 1);
            let answer = if byte == WRITTEN { Ok(()) } else { Err(AuditError::Write) };
            let _ = asked.map(|asked| asked.send(answer));
        }
    };
    let mut hearing = pin!(hearing);
    tokio::select! {
        biased;
        () = &mut hearing => {}
        // No more is sent, but what was is answered.
        () = sending => hearing.await,
    }
}

async fn write_event(lines: &mut OwnedWriteHalf, event: &[u8]) -> io::Result<()> {
    let length = u32::try_from(event.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    lines.write_all(&length.to_be_bytes()).await?;
    lines.write_all(event).await
}

/// Reads an event that may stand in a line: what is anything else ends the stream.
async fn read_event(lines: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = lines.read_u32().await? as usize;
    if length >= MAX_LINE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut event = vec![0; length];
    lines.read_exact(&mut event).await?;
    let is_event = event.starts_with(EVENT) && !event.iter().any(u8::is_ascii_control);
    if is_event { Ok(event) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;
    use tokio::time::timeout;

    use super::Audit;
    use crate::audit::{AuditError, AuditSettings, Change, Hashes, verify};

    const SOON: Duration = Duration::from_secs(20);

    fn change(trigger: &'static str) -> Change {
        Change { trigger, before: Hashes::default(), after: Hashes::default() }
    }

    fn triggers(file: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(file).unwrap();
        let lines =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| line["trigger"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_chain_goes_on_through_the_process_that_took_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.jsonl");
        let settings = AuditSettings::of(&file, "edge-1");
        let old = Audit::open(settings.clone()).unwrap();
        old.record_change(&change("one")).await.unwrap();
        let (new, opening) = Audit::awaited();
        let waiting = tokio::spawn({
            let new = new.clone();
            async move { new.record_change(&change("four")).await }
        });
        let released = old.release(settings.clone(), SOON).await.unwrap();
        let late = tokio::spawn({
            let old = old.clone();
            async move { old.record_change(&change("late")).await }
        });
        tokio::task::yield_now().await;
        assert!(
            !waiting.is_finished() && !late.is_finished(),
            "events wait while it changes hands"
        );
        opening.open(settings.clone()).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let taking = tokio::spawn({
            let new = new.clone();
            async move { new.take_in(theirs).await }
        });
        released.to(ours);
        waiting.await.unwrap().unwrap();
        late.await.unwrap().unwrap();
        old.record_change(&change("two")).await.unwrap();
        // And once more, while the first one still has something to say.
        let (third, opening) = Audit::awaited();
        let released = new.release(settings.clone(), SOON).await.unwrap();
        opening.open(settings.clone()).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let last = tokio::spawn({
            let third = third.clone();
            async move { third.take_in(theirs).await }
        });
        released.to(ours);
        old.record_change(&change("three")).await.unwrap();
        old.close().await;
        drop(old);
        timeout(SOON, taking).await.unwrap().unwrap();
        new.close().await;
        drop(new);
        timeout(SOON, last).await.unwrap().unwrap();
        third.close().await;
        let mut all = triggers(&file);
        all.sort();
        assert_eq!(all, ["four", "late", "one", "three", "two"]);
        assert_eq!(verify(&[&file]).unwrap().broken, None);
    }

    #[tokio::test]
    async fn what_cannot_be_handed_over_is_had_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.jsonl");
        let settings = AuditSettings::of(&file, "edge-1");
        let audit = Audit::open(settings.clone()).unwrap();
        let released = audit.release(settings.clone(), SOON).await.unwrap();
        released.back().await.unwrap();
        audit.record_change(&change("one")).await.unwrap();
        // The other one is gone: nobody waits for ever, and nothing counts as written.
        let (ours, theirs) = UnixStream::pair().unwrap();
        audit.release(settings.clone(), SOON).await.unwrap().to(ours);
        let asked = tokio::spawn({
            let audit = audit.clone();
            async move { audit.record_change(&change("two")).await }
        });
        tokio::task::yield_now().await;
        drop(theirs);
        let answer = timeout(SOON, asked).await.unwrap().unwrap();
        assert!(matches!(answer, Err(AuditError::Stopped)), "{answer:?}");
        timeout(SOON, audit.close()).await.unwrap();
        assert_eq!(triggers(&file), ["one"]);
    }

    #[tokio::test]
    async fn what_is_no_event_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.jsonl");
        let audit = Audit::open(AuditSettings::of(&file, "edge-1")).unwrap();
        for bytes in
            [&b"\0\0\0\x04seq\""[..], b"\0\0\0\x0c\"event\":\"x\n\"", b"\xff\xff\xff\xff", b"\0\0"]
        {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            ours.write_all(bytes).await.unwrap();
            drop(ours);
            timeout(SOON, audit.take_in(theirs)).await.unwrap();
        }
        audit.close().await;
        assert_eq!(std::fs::read(&file).unwrap(), b"");
    }
}
