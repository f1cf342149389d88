//! Further places that keep the audit, beside the hash-chained file.
//!
//! The file is the spool of all of them: each sink follows it by itself, at its own pace, from the place that it says it
//! holds. So a sink that is down loses nothing, whatever ends the process, and one that is slow holds up nobody. What is
//! handed over are the file's own lines, whole and in order, so that every sink can be verified by itself.
//! Invariant: no line is handed over that the file does not hold as durably as `sync` promises.

mod backlog;
mod columns;
mod cursor;
mod fault;
mod follow;
mod postgres;
mod read;
mod settings;
mod sqlite;
mod syslog;
mod trail;
mod worker;

pub use backlog::SinkStatus;
pub use postgres::{PostgresAddressError, PostgresSettings};
pub use read::{KeptChain, KeptIn};
pub use settings::{SinkKind, SinkSettings, SqliteSettings};
pub use syslog::{Facility, SyslogFormat, SyslogSettings};

pub(super) use backlog::{Backlog, Sinks};
pub(super) use trail::{Newest, Trail};
pub(super) use worker::{made, spawn};

use fault::SinkFault;
use follow::Batch;

use crate::audit::chain::Link;

/// A chain as a sink holds it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HeldChain {
    /// What the sink calls it.
    pub(super) chain: String,
    /// The newest line that the sink holds durably.
    pub(super) end: Link,
    /// Whether it began under the name of the node that asks.
    pub(super) is_own: bool,
}

/// One place that keeps lines. It is called by one thread of its own, and may block.
pub(super) trait Sink: Send + 'static {
    /// Connects, anew after each fault, and says which chains it holds and how far, this node's and others'. `None` where the place
    /// cannot tell: then the worker keeps a cursor of its own beside the file.
    fn connect(&mut self, node: &str) -> Result<Option<Vec<HeldChain>>, SinkFault>;

    /// The lines that follow belong to the chain of this name.
    fn go_on(&mut self, chain: &str) -> Result<(), SinkFault>;

    /// The lines that follow begin a chain that the sink does not hold; the first of them stands behind `before`.
    fn begin(&mut self, node: &str, before: Link) -> Result<(), SinkFault>;

    /// Takes lines. When this returns, they are held durably, each once; on a fault, none or all of them may be, which
    /// the next [`connect`](Self::connect) tells.
    fn put(&mut self, batch: &Batch) -> Result<(), SinkFault>;

    /// The line before the oldest that was sent and may not have been read, where the place cannot tell what it holds. The
    /// next process goes on behind it. `None` where everything that was taken is held.
    fn unsure_after(&self) -> Option<Link> {
        None
    }

    /// Called when nothing is due, at most once a minute: for what need not be done beside lines.
    fn tidy(&mut self) -> Result<(), SinkFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
