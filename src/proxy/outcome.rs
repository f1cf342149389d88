//! What became of a post that was sent on: told once, whatever happens to its client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::audit::{Audit, Event, Outcome, What};
use crate::proxy::passage::Passage;
use crate::proxy::service::Gateway;

/// What became of a forwarded post. Dropped before it is told, the client has gone, or we are stopping.
#[derive(Debug)]
pub(crate) struct PendingOutcome {
    audit: Audit,
    is_cut: Arc<AtomicBool>,
    event: Option<Event>,
}

impl PendingOutcome {
    /// For a post that is about to be sent on.
    pub(crate) fn new(gateway: &Gateway, passage: &Passage) -> Self {
        let event = Some(passage.event(What::Outcome(Outcome::ClientGone)));
        Self { audit: gateway.audit.clone(), is_cut: Arc::clone(&gateway.is_cut), event }
    }

    /// Says what became of a post, if its decision was written.
    pub(crate) fn tell(pending: Option<Self>, outcome: Outcome) {
        let Some(mut pending) = pending else { return };
        if let Some(mut event) = pending.event.take() {
            event.what = What::Outcome(outcome);
            pending.audit.record_later(event);
        }
    }
}

impl PendingOutcome {
    /// Nothing was decided after all: there is no event for an outcome to follow.
    pub(crate) fn forget(pending: &mut Option<Self>) {
        if let Some(pending) = pending {
            pending.event = None;
        }
    }
}

impl Drop for PendingOutcome {
    fn drop(&mut self) {
        if let Some(mut event) = self.event.take() {
            if self.is_cut.load(Relaxed) {
                event.what = What::Outcome(Outcome::Stopped);
            }
            self.audit.record_later(event);
        }
    }
}
