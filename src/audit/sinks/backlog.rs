//! How far each sink is behind, for those who must wait for it, for the bound of the spool, and for operators.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::audit::AuditError;
use crate::audit::keep::Held;
use crate::audit::sinks::Trail;

/// How one sink stands. Read at any time; nothing waits for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SinkStatus {
    /// Its name.
    pub name: String,
    /// Its kind, as the configuration writes it.
    pub kind: &'static str,
    /// Whether posts wait for it.
    pub wait: bool,
    /// Whether it took what it was last given, or is connected and was given nothing.
    pub is_up: bool,
    /// The number of the newest line that it holds durably; 0 is none.
    pub held_seq: u64,
    /// Lines of the file that it does not hold.
    pub n_waiting: u64,
    /// The same in bytes.
    pub waiting_bytes: u64,
    /// The most bytes that may wait before the policy's `on-unaudited` decides over posts.
    pub spool_bytes: u64,
    /// Lines that it has taken since the start.
    pub n_delivered: u64,
    /// Attempts that failed since the start.
    pub n_faults: u64,
    /// Why the last attempt failed, while it is down.
    pub fault: Option<String>,
}

/// How far a sink has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Progress {
    seq: u64,
    is_up: bool,
}

/// What a sink's worker tells the others.
#[derive(Debug)]
pub(in crate::audit) struct Backlog {
    name: String,
    kind: &'static str,
    pub(super) wait: bool,
    progress: watch::Sender<Progress>,
    /// The number of the newest line that it will not be given again, whatever happens: the files need not hold those.
    sure_seq: AtomicU64,
    /// How much it holds of what this process has written; less than nothing while it lacks what was there before.
    held_bytes: AtomicI64,
    /// What there was before it was first configured: that it is far behind then is nobody's fault.
    allowance: AtomicU64,
    n_delivered: AtomicU64,
    n_faults: AtomicU64,
    fault: Mutex<Option<String>>,
}

impl Backlog {
    pub(super) fn new(name: &str, kind: &'static str, wait: bool) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            wait,
            progress: watch::Sender::new(Progress::default()),
            sure_seq: AtomicU64::new(0),
            held_bytes: AtomicI64::new(0),
            allowance: AtomicU64::new(0),
            n_delivered: AtomicU64::new(0),
            n_faults: AtomicU64::new(0),
            fault: Mutex::new(None),
        }
    }

    /// It lacks so many bytes of what stood in the files when this process had written `n_bytes`.
    pub(super) fn is_behind(&self, behind: u64, n_bytes: u64) {
        let held = i128::from(n_bytes) - i128::from(behind);
        self.held_bytes.store(i64::try_from(held).unwrap_or(i64::MIN), Relaxed);
    }

    pub(super) fn allow(&self, allowance: u64) {
        self.allowance.store(allowance, Relaxed);
    }

    /// What it may be behind beyond the spool's bound: never more than it is behind.
    pub(super) fn allowance(&self, trail: &Trail) -> u64 {
        let behind = self.behind(trail.n_bytes());
        self.allowance.fetch_min(behind, Relaxed).min(behind)
    }

    /// It holds all lines up to this one.
    pub(super) fn holds(&self, seq: u64) {
        self.progress.send_replace(Progress { seq, is_up: true });
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It will not be given these again.
    pub(super) fn surely_holds(&self, seq: u64) {
        self.sure_seq.store(seq, Relaxed);
    }

    /// It has taken these.
    pub(super) fn delivered(&self, seq: u64, n_lines: usize, n_bytes: u64) {
        self.n_delivered.fetch_add(n_lines as u64, Relaxed);
        self.held_bytes.fetch_add(i64::try_from(n_bytes).unwrap_or(i64::MAX), Relaxed);
        self.holds(seq);
    }

    pub(super) fn failed(&self, why: String) {
        self.n_faults.fetch_add(1, Relaxed);
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.progress.send_modify(|progress| progress.is_up = false);
    }

    /// Returns when it holds the line of this number, or is down.
    pub(in crate::audit) async fn reach(&self, seq: u64) -> Result<(), AuditError> {
        let mut progress = self.progress.subscribe();
        // A worker that has not connected yet is waited for; one that failed is not.
        let is_decided =
            |progress: &Progress| progress.seq >= seq || (!progress.is_up && self.is_down());
        match progress.wait_for(is_decided).await {
            Ok(progress) if progress.seq >= seq => Ok(()),
            _ => Err(AuditError::Sink),
        }
    }

    fn is_down(&self) -> bool {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn behind(&self, n_bytes: u64) -> u64 {
        let behind = i128::from(n_bytes) - i128::from(self.held_bytes.load(Relaxed));
        u64::try_from(behind).unwrap_or(0)
    }

    /// Whether more waits for it than may.
    pub(super) fn is_full(&self, n_bytes: u64, bound: u64) -> bool {
        self.behind(n_bytes) > bound.saturating_add(self.allowance.load(Relaxed))
    }

    fn status(&self, trail: &Trail, bound: u64) -> SinkStatus {
        let (newest, n_bytes) = trail.newest_and_bytes();
        let progress = *self.progress.borrow();
        SinkStatus {
            name: self.name.clone(),
            kind: self.kind,
            wait: self.wait,
            is_up: progress.is_up,
            held_seq: progress.seq,
            n_waiting: newest.link.seq.saturating_sub(progress.seq),
            waiting_bytes: self.behind(n_bytes),
            spool_bytes: bound,
            n_delivered: self.n_delivered.load(Relaxed),
            n_faults: self.n_faults.load(Relaxed),
            fault: self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// All sinks of one audit.
#[derive(Debug)]
pub(in crate::audit) struct Sinks {
    pub(super) trail: Arc<Trail>,
    pub(super) backlogs: Vec<Arc<Backlog>>,
    /// Most bytes that may wait for a sink.
    pub(super) bound: u64,
    /// Whether the file may not grow beyond that.
    pub(super) only_spool: bool,
    /// For those who remove and compress files.
    pub(super) held: Held,
    pub(super) workers: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Sinks {
    pub(in crate::audit) fn trail(&self) -> Arc<Trail> {
        Arc::clone(&self.trail)
    }

    /// Says up to which line all of them have everything.
    pub(super) fn tell_held(&self) {
        if let Some(seq) = self.backlogs.iter().map(|backlog| backlog.sure_seq.load(Relaxed)).min()
        {
            self.held.set(seq);
        }
    }

    /// Whether more waits for one of them than may.
    pub(in crate::audit) fn is_full(&self) -> bool {
        let n_bytes = self.trail.n_bytes();
        self.backlogs.iter().any(|backlog| backlog.is_full(n_bytes, self.bound))
    }

    /// Whether the file takes no line, since it is the spool alone and that is full.
    pub(in crate::audit) fn is_closed(&self) -> bool {
        self.only_spool && self.is_full()
    }

    /// Returns when those that posts wait for hold the line of this number.
    pub(in crate::audit) async fn reach(&self, seq: u64) -> Result<(), AuditError> {
        for backlog in self.backlogs.iter().filter(|backlog| backlog.wait) {
            backlog.reach(seq).await?;
        }
        Ok(())
    }

    pub(in crate::audit) fn status(&self) -> Vec<SinkStatus> {
        self.backlogs.iter().map(|backlog| backlog.status(&self.trail, self.bound)).collect()
    }

    /// Returns when the workers have ended. They do so soon after the writer has: what they could not hand over by
    /// then stays in the file.
    pub(in crate::audit) async fn ended(&self) {
        let workers =
            std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = tokio::task::spawn_blocking(move || {
            for worker in workers {
                let _ = worker.join();
            }
        })
        .await;
    }
}
