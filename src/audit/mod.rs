//! The record for compliance: one JSON line an event, hash-chained, never any text of a post.

mod event;
mod sink;
mod verify;

pub use event::{Event, Outcome, What};
pub use sink::{Audit, AuditError, AuditSettings, Sync};
pub use verify::{BrokenLink, ChainReport, verify};
