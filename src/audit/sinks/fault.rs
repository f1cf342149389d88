//! Why a sink does not take lines.

use std::io;

/// Why a sink does not take lines, in words for the log: never of a line's own.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(in crate::audit) struct SinkFault(String);

impl SinkFault {
    pub(in crate::audit) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// What was being done, and why it failed.
    pub(in crate::audit) fn of(what: &str, why: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl From<io::Error> for SinkFault {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
