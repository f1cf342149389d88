//! What the writer leaves for those who follow: how far the file may be read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::audit::chain::Link;

/// Where the chain ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::audit) struct Newest {
    /// The newest line that counts as written.
    pub(in crate::audit) link: Link,
    /// Where it ends in its file.
    pub(in crate::audit) length: u64,
    /// Device and inode of that file; another one after a rotation.
    pub(in crate::audit) file: (u64, u64),
}

/// What the writer and those who follow share.
#[derive(Debug)]
pub(in crate::audit) struct Trail {
    path: PathBuf,
    state: Mutex<State>,
    grown: Condvar,
    /// Told once: sleepers need not wake for every line.
    ended: Condvar,
    /// Bytes of lines written by this process.
    n_bytes: AtomicU64,
}

#[derive(Debug)]
struct State {
    newest: Newest,
    stopped: bool,
}

impl Trail {
    pub(in crate::audit) fn new(path: &Path, newest: Newest) -> Self {
        Self {
            path: path.to_owned(),
            state: Mutex::new(State { newest, stopped: false }),
            grown: Condvar::new(),
            ended: Condvar::new(),
            n_bytes: AtomicU64::new(0),
        }
    }

    /// The file that is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lines were written, so many bytes of them.
    pub(in crate::audit) fn grew(&self, newest: Newest, n_bytes: u64) {
        let mut state = self.state();
        state.newest = newest;
        // Within the lock: whoever reads both sees them fit.
        self.n_bytes.fetch_add(n_bytes, Relaxed);
        drop(state);
        self.grown.notify_all();
    }

    /// No line follows.
    pub(in crate::audit) fn stop(&self) {
        self.state().stopped = true;
        self.grown.notify_all();
        self.ended.notify_all();
    }

    pub(super) fn newest(&self) -> Newest {
        self.state().newest
    }

    /// The same, and how many bytes had been written then.
    pub(super) fn newest_and_bytes(&self) -> (Newest, u64) {
        let state = self.state();
        (state.newest, self.n_bytes.load(Relaxed))
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes.load(Relaxed)
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Waits until there is a line behind number `seq`, or no line follows, or the time is over.
    pub(super) fn wait_for_more(&self, seq: u64, limit: Duration) {
        let _ = self
            .grown
            .wait_timeout_while(self.state(), limit, |state| {
                !state.stopped && state.newest.link.seq <= seq
            })
            .unwrap_or_else(PoisonError::into_inner);
    }

    /// Sleeps, but not beyond the end.
    pub(super) fn sleep(&self, pause: Duration) {
        let _ = self
            .ended
            .wait_timeout_while(self.state(), pause, |state| !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
