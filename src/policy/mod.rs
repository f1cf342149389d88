//! Findings to verdict: clauses, exceptions, replacements.
#![warn(clippy::wildcard_enum_match_arm)]

mod action;
mod judge;
mod settings;
mod syntax;

pub use action::Action;
pub use judge::{DecidedBy, Judgement, Question};
pub use settings::{MediaAction, Mode, OnFault, Policy};
