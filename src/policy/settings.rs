//! A policy as meant.

use std::net::IpAddr;
use std::sync::Arc;

use crate::detect::Finding;
use crate::diagnostic::{Diagnostic, Source};
use crate::policy::Action;
use crate::rules::{Category, RuleSet};

/// Whether verdicts are carried out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Verdicts are carried out.
    #[default]
    Enforce,
    /// Verdicts are recorded with `enforced = false`, and the original bytes go on.
    Monitor,
}

/// What happens to a post that cannot be read, redacted or audited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnFault {
    /// It is refused.
    #[default]
    Block,
    /// It goes on as it is, and the event says so.
    Forward,
}

/// What happens to media.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MediaAction {
    /// Passes as it is.
    Allow,
    /// Passes without its metadata.
    #[default]
    StripMetadata,
    /// Refused.
    Block,
}

/// A policy that can be used: every clause names what exists, and every category is named by a clause.
#[derive(Debug)]
pub struct Policy {
    _private: (),
}

impl Policy {
    /// Reads a policy. `platforms` are the names it may use. Every fault is named, not only the first.
    pub fn parse(
        _source: &Arc<Source>,
        _rules: &RuleSet,
        _platforms: &[&str],
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        todo!()
    }

    /// The shipped policy's text (`config/policy.toml`).
    pub const fn embedded() -> &'static str {
        include_str!("../../config/policy.toml")
    }

    /// The shipped strict policy's text (`config/policy-strict.toml`).
    pub const fn embedded_strict() -> &'static str {
        include_str!("../../config/policy-strict.toml")
    }

    /// Whether verdicts are carried out.
    pub fn mode(&self) -> Mode {
        todo!()
    }

    /// For a body that cannot be read.
    pub fn on_unreadable(&self) -> OnFault {
        todo!()
    }

    /// For a post that should be redacted and cannot be.
    pub fn on_cannot_redact(&self) -> OnFault {
        todo!()
    }

    /// For a post whose event cannot be written.
    pub fn on_unaudited(&self) -> OnFault {
        todo!()
    }

    /// The group of a client's address.
    pub fn group_of(&self, _client: IpAddr) -> Option<&str> {
        todo!()
    }

    /// What replaces a finding: its generalised form where the policy asks for it, or a fixed word.
    pub fn replacement<'a>(&'a self, _finding: &'a Finding) -> &'a str {
        todo!()
    }

    /// What happens to media on a platform.
    pub fn media(&self, _platform: &str) -> MediaAction {
        todo!()
    }

    /// The sentence of a block: `{kinds}` and `{ref}` filled in; one line of printable ASCII.
    pub fn sentence(&self, _kinds: &[Category], _reference: &str) -> String {
        todo!()
    }

    /// The sentence for a post that could not be read or handled (no kinds to name).
    pub fn fault_sentence(&self, _fault: &str, _reference: &str) -> String {
        todo!()
    }

    /// SHA-256 of the file, in hexadecimal: the audit says which policy judged.
    pub fn hash(&self) -> &str {
        todo!()
    }

    /// The strictest action any clause may take, for reports.
    pub fn strictest(&self) -> Option<Action> {
        todo!()
    }
}
