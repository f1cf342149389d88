//! The hash-chained file.

use std::path::PathBuf;

use crate::audit::Event;

/// When a line counts as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sync {
    /// When the kernel has it.
    None,
    /// When the disk has it: fsync in groups, at most 5 ms after the first.
    #[default]
    Group,
}

/// Where and how the audit is kept.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// The file.
    pub file: PathBuf,
    /// When a line counts as written.
    pub sync: Sync,
    /// The name of this node in events.
    pub node: String,
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
    /// The line could not be written.
    #[error("cannot write the audit file")]
    Write,
    /// The writer is gone.
    #[error("the audit writer has stopped")]
    Stopped,
}

/// A running audit. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    _private: (),
}

impl Audit {
    /// Opens the file, verifies its tail, and starts the writer. A torn last line is named and closed, never joined.
    pub fn open(_settings: AuditSettings) -> Result<Self, AuditError> {
        todo!()
    }

    /// Writes one event; when this returns, the line counts as written by the settings.
    #[expect(clippy::unused_async, reason = "skeleton")]
    pub async fn record(&self, _event: Event) -> Result<(), AuditError> {
        todo!()
    }

    /// Writes one event without waiting (outcomes). Order is kept.
    pub fn record_later(&self, _event: Event) {
        todo!()
    }

    /// The hash of the newest line.
    pub fn head(&self) -> String {
        todo!()
    }

    /// Whether the last write succeeded.
    pub fn is_writable(&self) -> bool {
        todo!()
    }

    /// Writes what is queued and stops.
    #[expect(clippy::unused_async, reason = "skeleton")]
    pub async fn close(&self) {
        todo!()
    }
}
