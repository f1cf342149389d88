//! How much a post speaks of a patient's care, as a signed score with reasons.

use crate::detect::Part;

/// How much a post speaks of a patient's care.
#[derive(Clone, Debug, Default)]
pub struct Care {
    /// The sum of its parts.
    pub score: f32,
    /// Whether the score reaches the threshold: what a clause with `context = "care"` asks.
    pub speaks_of_care: bool,
    /// What it is made of.
    pub parts: Vec<Part>,
}
