//! What to do about a finding.

use serde::Deserialize;

/// What to do about a finding, from mild to strict.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The post goes on unchanged; the event lists the finding.
    Log,
    /// The finding is replaced.
    Redact,
    /// The post is refused.
    Block,
}

impl Action {
    /// The word of files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }
}
