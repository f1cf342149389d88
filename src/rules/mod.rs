//! Rules: what a rule file says, before anything is compiled or run.
//!
//! This room is split from `detect` so that a compliance officer's mistake is reported against a file and a line,
//! never against a compiled automaton. Each rule's own examples are run by `detect::check`, which has the engine.

mod category;
mod confidence;
mod id;
mod lexicon;
mod rule;
mod set;
mod syntax;

pub use category::Category;
pub use confidence::Confidence;
pub use id::{InvalidRuleId, RuleId};
pub use lexicon::{Class, Classes, Entry, Lexicons};
pub use rule::{Except, Keywords, Matcher, Rule, Validation};
pub use set::{RuleSet, RuleSetBuilder};
