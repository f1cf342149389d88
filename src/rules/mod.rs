//! Rules: what a rule file says, before anything is run.
//!
//! This room is split from `detect` so that a compliance officer's mistake is reported against a file and a line,
//! never against a compiled automaton. Each rule's own examples are run by `detect::check`, which has the engine.
//! Invariant: a [`RuleSet`] that exists is usable: its ids are unique, its names are known, its patterns compile.

mod category;
mod confidence;
mod embedded;
mod id;
mod lexicon;
mod pattern;
mod read;
mod rule;
mod set;
mod syntax;
mod validator;
mod weights;

#[cfg(test)]
mod tests;

pub use category::Category;
pub use confidence::Confidence;
pub use embedded::{FILES as EMBEDDED_FILES, LISTS as EMBEDDED_LISTS, ZIP3_RESTRICTED};
pub use id::{InvalidRuleId, RuleId};
pub(crate) use lexicon::is_han;
pub use lexicon::{Class, Classes, Entry, Lexicons};
pub use pattern::{InvalidPattern, Needs, Pattern};
pub use rule::{Except, Keywords, Matcher, Rule, Validation};
pub use set::{RuleSet, RuleSetBuilder};
pub use validator::Validator;
pub use weights::{Beside, Points, Thresholds, Weights, Words};
