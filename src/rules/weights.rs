//! What each feature of a candidate or a post is worth: `rules/weights.toml`.
//!
//! The weights are data, so that they can be fitted on posts by a script and read by people. A section for each
//! kind of candidate, one for care and one for the thresholds; a feature without a weight is worth nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

/// The weights of one kind of candidate, by the name of the feature.
pub type Points = BTreeMap<String, f32>;

/// Weights and thresholds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weights {
    /// Where a score begins to count.
    pub thresholds: Thresholds,
    /// That a post speaks of a patient's care; added to every candidate of the post.
    pub care: Points,
    /// That a name is a patient's.
    pub name: Points,
    /// That it is a person's name at all.
    pub name_likeness: Points,
    /// That a date is tied to a patient.
    pub date: Points,
    /// That it is a date at all.
    pub date_likeness: Points,
    /// That a place is tied to a patient.
    pub place: Points,
    /// That it is a place at all.
    pub place_likeness: Points,
    /// That an age over 89 is a patient's.
    pub age: Points,
    /// What the hits of patterns say of the post they stand in.
    pub hit: Points,
}

/// Where a score begins to count.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Thresholds {
    /// A candidate that reaches it, care counted in, shows that the post is about a patient.
    pub trigger: f32,
    /// In a post about a patient, what reaches this is a finding of medium confidence.
    pub deny: f32,
    /// What reaches this is one of high confidence.
    pub high: f32,
    /// A likeness that reaches this is a finding of low confidence anywhere.
    pub low: f32,
}

impl Weights {
    /// The shipped weights, parsed once a process.
    ///
    /// # Panics
    ///
    /// Never: the file is built in, and a test parses it.
    #[expect(clippy::expect_used, reason = "the file is built in, and a test parses it")]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Weights>> = OnceLock::new();
        let parse = || {
            toml::from_str(include_str!("../../rules/weights.toml"))
                .expect("the shipped weights are valid")
        };
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(parse())))
    }
}

#[cfg(test)]
mod tests {
    use super::Weights;

    #[test]
    fn the_shipped_weights_are_valid() {
        let thresholds = Weights::embedded().thresholds;
        assert!(thresholds.deny < thresholds.trigger && thresholds.trigger <= thresholds.high);
    }
}
