//! What the filter of a connection and the service behind hyper tell each other.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::Waker;

use crate::proxy::wire::fault::Fault;

const ASKED: u8 = 0;
const REFUSED: u8 = 1;
const ACCEPTED: u8 = 2;

/// One for each connection.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The answer to the request to upgrade that the filter passed last.
    upgrade: AtomicU8,
    /// Requests whose answers are on their way, whole.
    n_done: AtomicU64,
    /// Who waits for that.
    waiting: Mutex<Option<Waker>>,
    /// What was wrong with a body after its head had passed.
    broken: OnceLock<Fault>,
}

impl Link {
    /// Says that a request's answer is whole.
    pub(crate) fn done(&self) {
        self.n_done.fetch_add(1, SeqCst);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Wakes this one as soon as a request's answer is whole. To be called before a look at how many are.
    pub(super) fn wake_when_done(&self, waker: &Waker) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    pub(super) fn n_done(&self) -> u64 {
        self.n_done.load(SeqCst)
    }

    /// Says whether a request to upgrade, one with an `Upgrade` header, was answered by 101. The filter passes nothing
    /// after such a request before it knows; after 101 it passes everything as it comes, after another answer nothing.
    pub(crate) fn answer_upgrade(&self, accepted: bool) {
        self.upgrade.store(if accepted { ACCEPTED } else { REFUSED }, Relaxed);
    }

    /// The answer, once.
    pub(super) fn take_upgrade(&self) -> Option<bool> {
        match self.upgrade.swap(ASKED, Relaxed) {
            ACCEPTED => Some(true),
            REFUSED => Some(false),
            _ => None,
        }
    }

    pub(super) fn break_body(&self, fault: Fault) {
        // Only the first fault ends a connection.
        let _ = self.broken.set(fault);
    }

    /// Why the body of the request under way ended too early, if its framing was at fault.
    pub(crate) fn broken(&self) -> Option<Fault> {
        self.broken.get().copied()
    }
}
