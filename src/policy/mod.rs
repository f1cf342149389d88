//! Findings to verdict: clauses, exceptions, replacements.
#![warn(clippy::wildcard_enum_match_arm)]

mod action;
pub mod check;
mod clause;
mod group;
mod judge;
mod replacement;
mod scope;
mod sentence;
mod settings;
mod syntax;

pub use action::Action;
pub use judge::{DecidedBy, Judgement, Question};
pub use sentence::Refused;
pub use settings::{Exemption, MediaAction, Mode, OnFault, Policy};

#[cfg(test)]
mod tests;
