//! How sure a finding is.

use serde::Deserialize;

/// How sure a finding is. A candidate under `low` is no finding.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Looks like one; most are not.
    Low,
    /// More likely than not.
    Medium,
    /// Would surprise if not.
    High,
    /// Says so itself, by a label or a shape nothing else has.
    Certain,
}

impl Confidence {
    /// The word of files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }
}
