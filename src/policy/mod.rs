//! Findings to verdict: clauses, exceptions, replacements.
#![warn(clippy::wildcard_enum_match_arm)]

mod action;
pub mod check;
mod clause;
mod group;
mod judge;
mod replacement;
mod scope;
mod sender;
mod sentence;
mod settings;
mod syntax;

pub use action::Action;
pub use group::network;
pub use judge::{DecidedBy, Judgement, Question};
pub use sender::{CertifiedName, MAX_NAME, NameKind, Sender, is_identity, is_name};
pub use sentence::Refused;
pub use settings::{Exemption, MediaAction, Mode, OnFault, Policy};

#[cfg(test)]
mod tests;
