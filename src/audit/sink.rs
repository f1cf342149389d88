//! The hash-chained file, as the rest of the house sees it.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use crate::audit::chain::{self, Link};
use crate::audit::keep::{Held, Keep};
use crate::audit::keeper::Keeper;
use crate::audit::segments::{first_of, newest_day};
use crate::audit::sinks::{self, Sink, SinkKind, SinkSettings, SinkStatus, Sinks};
use crate::audit::store::{FileStore, Store};
use crate::audit::tail::{self, Tail};
use crate::audit::writer::{Rotation, Shared, Writer};
use crate::audit::{Change, Event, Naming, id, line, previous as renamed};

/// When a line counts as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sync {
    /// When the kernel has it: survives the end of the process, not a power cut.
    None,
    /// When the disk has it: one sync for all that wait, and none waits for another's.
    #[default]
    Group,
}

/// Where and how the audit is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditSettings {
    /// The file.
    pub file: PathBuf,
    /// When a line counts as written.
    pub sync: Sync,
    /// The name of this node in events.
    pub node: String,
    /// What events say of who sent a post.
    pub names: Naming,
    /// When the file is rotated, and how long it is kept.
    pub keep: Keep,
    /// Further places that keep it.
    pub sinks: Vec<SinkSettings>,
    /// Most bytes of lines that may wait for one of them before `on-unaudited` of the policy decides.
    pub spool: u64,
}

impl AuditSettings {
    /// Bytes that may wait for a sink unless `spool` says otherwise.
    pub const SPOOL: u64 = 1 << 30;

    /// A file alone, as it is kept where nothing else is said.
    pub fn of(file: impl Into<PathBuf>, node: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            sync: Sync::default(),
            node: node.into(),
            names: Naming::default(),
            keep: Keep::default(),
            sinks: Vec::new(),
            spool: Self::SPOOL,
        }
    }
}

/// Why an event could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be opened or continued.
    #[error("cannot open the audit file {}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something else than a file has this name.
    #[error("the audit file {} is a folder or a device; name a file on a disk", file.display())]
    NotAFile {
        /// The path.
        file: PathBuf,
    },
    /// Another process writes it.
    #[error("another process writes the audit file {}: give each its own `file` in [audit]", file.display())]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// Its end is neither a whole line nor what a crash leaves.
    #[error(
        "the audit file {} does not end as one does: somebody changed it, or it is another file. Keep it as evidence \
         under another name, look at it with `postward audit verify`, and start with a new one",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
    },
    /// The line could not be written.
    #[error("cannot write the audit file")]
    Write,
    /// The line was not written in time, and may be later.
    #[error("the audit file did not take the line in time")]
    Late,
    /// The line stands in the file, but a sink that posts wait for is down.
    #[error("an audit sink that posts wait for is down")]
    Sink,
    /// The line stands in the file, but more waits for a sink than may.
    #[error("more waits for an audit sink than `spool` allows")]
    Spool,
    /// The writer is gone.
    #[error("the audit writer has stopped")]
    Stopped,
}

/// A running audit. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    handle: Arc<Handle>,
}

/// Lets the writer stop when the last [`Audit`] is dropped.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    sinks: Option<Arc<Sinks>>,
    names: Naming,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Audit {
    /// Opens the file, verifies its tail, and starts the writer. A torn last line is named and closed, never joined. A
    /// new file continues the longest chain beside it in a file whose name begins alike, if there is one.
    pub fn open(settings: AuditSettings) -> Result<Self, AuditError> {
        open(settings, None, Held::everything(), &mut sinks::made)
    }

    /// The same, but a file that is new continues the chain of a previous one, and says so in its first line.
    pub fn open_after(settings: AuditSettings, previous: &Path) -> Result<Self, AuditError> {
        open(settings, Some(previous), Held::everything(), &mut sinks::made)
    }

    /// The same as [`Audit::open`], where other sinks follow the file: `held` says how far all of them are.
    pub fn open_held(settings: AuditSettings, held: Held) -> Result<Self, AuditError> {
        open(settings, None, held, &mut sinks::made)
    }

    /// The same as [`Audit::open`], with sinks of the caller's own.
    #[cfg(test)]
    pub(super) fn open_with(settings: AuditSettings, make: Make<'_>) -> Result<Self, AuditError> {
        open(settings, None, Held::everything(), make)
    }

    /// Draws an event id.
    pub fn new_id() -> String {
        id::new_id()
    }

    /// Draws a reference for a client's sentence: 8 base32 characters.
    pub fn new_reference() -> String {
        id::new_reference()
    }

    /// Writes one event; when this returns, the line counts as written by the settings.
    pub async fn record(&self, event: Event) -> Result<(), AuditError> {
        let sinks = self.handle.sinks.as_ref();
        if sinks.is_some_and(|sinks| sinks.is_full()) {
            self.record_later(event);
            return Err(AuditError::Spool);
        }
        let (answer, answered) = oneshot::channel();
        self.handle
            .shared
            .push(Some(answer), |buffer| line::write(&event, &self.handle.names, buffer))?;
        drop(event);
        let seq = answered.await.unwrap_or(Err(AuditError::Stopped))?;
        match sinks {
            Some(sinks) => sinks.reach(seq).await,
            None => Ok(()),
        }
    }

    /// Writes an event that another process serialised; for the rest, as [`Self::record`].
    pub(super) async fn record_written(&self, event: &[u8]) -> Result<(), AuditError> {
        let sinks = self.handle.sinks.as_ref();
        let is_full = sinks.is_some_and(|sinks| sinks.is_full());
        let (answer, answered) = oneshot::channel();
        self.handle.shared.push(Some(answer), |buffer| buffer.extend_from_slice(event))?;
        let seq = answered.await.unwrap_or(Err(AuditError::Stopped))?;
        match sinks {
            Some(_) if is_full => Err(AuditError::Spool),
            Some(sinks) => sinks.reach(seq).await,
            None => Ok(()),
        }
    }

    /// Writes down that another configuration takes over; when this returns, the line counts as written. One that cannot
    /// be written is counted as lost.
    pub async fn record_change(&self, change: &Change) -> Result<(), AuditError> {
        let (answer, answered) = oneshot::channel();
        self.handle.shared.push(Some(answer), |buffer| line::write_change(change, buffer))?;
        answered.await.unwrap_or(Err(AuditError::Stopped)).map(drop)
    }

    /// Writes one event without waiting (outcomes). Order is kept. If it cannot be written, the chain says later how
    /// many could not.
    pub fn record_later(&self, event: Event) {
        if self.handle.sinks.as_ref().is_some_and(|sinks| sinks.is_closed()) {
            self.handle.shared.lose();
            return;
        }
        // The queue counts what it has no room for.
        let _ =
            self.handle.shared.push(None, |buffer| line::write(&event, &self.handle.names, buffer));
        drop(event);
    }

    /// The hash of the newest line.
    pub fn head(&self) -> String {
        self.handle.shared.head().to_string()
    }

    /// The number of the newest line in its chain.
    pub fn seq(&self) -> u64 {
        self.handle.shared.seq()
    }

    /// Events that wait to be written, and their bytes.
    pub fn queued(&self) -> (usize, usize) {
        self.handle.shared.queued()
    }

    /// Whether the last write succeeded.
    pub fn is_writable(&self) -> bool {
        self.handle.shared.is_writable()
    }

    /// How the sinks stand, in the order of the configuration.
    pub fn sinks(&self) -> Vec<SinkStatus> {
        self.handle.sinks.as_ref().map(|sinks| sinks.status()).unwrap_or_default()
    }

    /// Whether more waits for a sink than may: then the policy's `on-unaudited` decides over posts.
    pub fn is_spool_full(&self) -> bool {
        self.handle.sinks.as_ref().is_some_and(|sinks| sinks.is_full())
    }

    /// Writes what is queued and stops. Sinks are given a few seconds more; what they do not take then stays in the file
    /// for the next start.
    pub async fn close(&self) {
        self.handle.shared.stop();
        self.handle.shared.stopped().await;
        if let Some(sinks) = &self.handle.sinks {
            sinks.ended().await;
        }
    }
}

/// The smallest file of a spool that is rotated.
const SMALLEST_PART: u64 = 16 << 10;

/// Makes a sink of its settings.
pub(super) type Make<'m> = &'m mut dyn FnMut(&SinkKind) -> Box<dyn Sink>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "who opens an audit has no more use for its settings"
)]
fn open(
    settings: AuditSettings,
    previous: Option<&Path>,
    held: Held,
    make: Make<'_>,
) -> Result<Audit, AuditError> {
    // The first draw of a process measures its entropy for a tenth of a second: no post waits for that.
    let _ = id::new_id();
    let AuditSettings { file, sync, node, names, keep, .. } = settings.clone();
    let failed = |source| AuditError::Open { file: file.clone(), source };
    let store = FileStore::open(&file)?;
    let length = store.file().metadata().map_err(failed)?.len();
    // Without it nothing is removed, and that is all.
    let newest_day = newest_day(&file).unwrap_or_default();
    let (link, unended, note) = match tail::examine(store.file()).map_err(failed)? {
        Tail::Damaged => return Err(AuditError::Damaged { file }),
        Tail::Whole { .. } if length == 0 => {
            let link = match previous {
                Some(previous) => Some(link_of(previous)?),
                None => renamed::link(&file),
            };
            match link {
                Some(link) => (link, false, b"\"event\":\"continue\"".to_vec()),
                None => (Link::START, false, Vec::new()),
            }
        }
        Tail::Whole { link, unended } => (link, unended, Vec::new()),
        Tail::Torn { link, n_bytes, hash, unended } => {
            // Torn in its very first line, right after a rotation: the chain goes on all the same.
            let link = if link == Link::START {
                before_torn(store.file(), n_bytes, previous, &file)?
            } else {
                link
            };
            tracing::warn!(
                n_bytes,
                "a crash tore the last line of the audit file; it is closed and noted"
            );
            let mut note = b"\"event\":\"torn\"".to_vec();
            line::key_number("bytes", n_bytes, &mut note);
            line::key_text("sha256", &hash.to_string(), &mut note);
            (link, unended, note)
        }
    };
    let mut writer = Writer::new(store, sync, &node, link, length);
    if unended || !note.is_empty() {
        writer.note(unended, &note).map_err(failed)?;
    }
    let newest = writer.newest();
    let sinks = sinks::spawn(&settings, newest, &held, make).map_err(failed)?;
    let mut keep = keep;
    if keep.only_spool {
        // Some of it goes while the rest still waits.
        keep.size = keep.size.min((settings.spool / 8).max(SMALLEST_PART));
        keep.compress = false;
    }
    let (wake, rotated) = mpsc::channel();
    let first = if length > 0 { first_of(&file).map_err(failed)? } else { None };
    let rotation =
        Rotation { live: file.clone(), keep: keep.clone(), first, keeper: wake, not_before: None };
    let audit = start(writer.rotating(rotation), sinks, names).map_err(failed)?;
    let shared = Arc::clone(&audit.handle.shared);
    Keeper { live: file.clone(), keep, held, shared, newest: newest_day }
        .start(rotated)
        .map_err(failed)?;
    Ok(audit)
}

/// After which line a file goes on that holds nothing but the beginning of its first.
fn before_torn(
    torn: &std::fs::File,
    n_bytes: u64,
    previous: Option<&Path>,
    file: &Path,
) -> Result<Link, AuditError> {
    let link = match previous {
        Some(previous) => Some(link_of(previous)?),
        None => renamed::link(file),
    };
    let mut fragment = vec![0; usize::try_from(n_bytes).unwrap_or(0)];
    torn.read_exact_at(&mut fragment, 0)
        .map_err(|source| AuditError::Open { file: file.to_owned(), source })?;
    // Where enough of it stands to tell, it must be the line that follows.
    Ok(link.filter(|link| chain::may_be_torn(&fragment, Some(*link))).unwrap_or(Link::START))
}

/// The newest line of a file that another continues.
fn link_of(previous: &Path) -> Result<Link, AuditError> {
    let failed = |source| AuditError::Open { file: previous.to_owned(), source };
    let file = std::fs::File::open(previous).map_err(failed)?;
    match tail::examine(&file).map_err(failed)? {
        Tail::Whole { link, .. } | Tail::Torn { link, .. } => Ok(link),
        Tail::Damaged => Err(AuditError::Damaged { file: previous.to_owned() }),
    }
}

pub(super) fn start<S: Store>(
    writer: Writer<S>,
    sinks: Option<Arc<Sinks>>,
    names: Naming,
) -> std::io::Result<Audit> {
    let shared = Shared::new(writer.link(), sinks.as_ref().map(|sinks| sinks.trail()));
    let theirs = Arc::clone(&shared);
    std::thread::Builder::new().name("audit".into()).spawn(move || writer.run(&theirs))?;
    Ok(Audit { handle: Arc::new(Handle { shared, sinks, names }) })
}
