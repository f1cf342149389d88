//! What became of a post that was sent on: told once, whatever happens to its client.

use crate::audit::{Audit, Event, Outcome, What};
use crate::proxy::passage::Passage;

/// What became of a forwarded post. Dropped before it is told, the client has gone.
#[derive(Debug)]
pub(crate) struct PendingOutcome {
    audit: Audit,
    event: Option<Event>,
}

impl PendingOutcome {
    /// For a post that is about to be sent on.
    pub(crate) fn new(audit: Audit, passage: &Passage) -> Self {
        Self { audit, event: Some(passage.event(What::Outcome(Outcome::ClientGone))) }
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
        if let Some(event) = self.event.take() {
            self.audit.record_later(event);
        }
    }
}
