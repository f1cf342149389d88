//! A policy as meant.

use std::sync::Arc;

use jiff::civil::Date;

use crate::detect::Finding;
use crate::diagnostic::{Diagnostic, Source};
use crate::policy::clause::{Clause, Exception};
use crate::policy::group::Groups;
use crate::policy::replacement::Replacements;
use crate::policy::sentence::{Messages, Refused};
use crate::policy::{Action, Sender};
use crate::rules::Category;

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
    #[default]
    Allow,
    /// Passes without its metadata; what that cannot be taken out of is unreadable.
    StripMetadata,
    /// Refused.
    Block,
}

/// A policy that can be used: every clause names what exists, and every category is named by a clause.
#[derive(Debug)]
pub struct Policy {
    pub(super) source: Arc<Source>,
    pub(super) hash: String,
    pub(super) mode: Mode,
    pub(super) on_unreadable: OnFault,
    pub(super) on_cannot_redact: OnFault,
    pub(super) on_unaudited: OnFault,
    pub(super) messages: Messages,
    pub(super) groups: Groups,
    pub(super) clauses: Vec<Clause>,
    pub(super) exceptions: Vec<Exception>,
    pub(super) replacements: Replacements,
    pub(super) media: Media,
}

/// An exception as reports name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exemption {
    /// Its name.
    pub name: String,
    /// Why it was made, in the policy's own words.
    pub reason: String,
    /// Its last day, UTC.
    pub expires: Date,
}

/// The `[media]` of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Media {
    pub(super) default: MediaAction,
    pub(super) platforms: Vec<(String, MediaAction)>,
    pub(super) documents: bool,
    pub(super) pieces: bool,
}

impl Policy {
    /// The shipped policy's text (`config/policy.toml`).
    pub const fn embedded() -> &'static str {
        include_str!("../../config/policy.toml")
    }

    /// The shipped strict policy's text (`config/policy-strict.toml`).
    pub const fn embedded_strict() -> &'static str {
        include_str!("../../config/policy-strict.toml")
    }

    /// Whether verdicts are carried out.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// For a body that cannot be read.
    pub const fn on_unreadable(&self) -> OnFault {
        self.on_unreadable
    }

    /// For a post that should be redacted and cannot be.
    pub const fn on_cannot_redact(&self) -> OnFault {
        self.on_cannot_redact
    }

    /// For a post whose event cannot be written.
    pub const fn on_unaudited(&self) -> OnFault {
        self.on_unaudited
    }

    /// The groups that a client proves to be in, in the order of their names. Of groups told by the address alone it is
    /// one at most: where networks nest, the narrowest decides.
    pub fn groups_of(&self, sender: &Sender) -> Vec<String> {
        self.groups.of(sender)
    }

    /// Whether any group asks for a certificate, and whether any asks for an identity: without a listener that gives
    /// them, nobody is in such a group.
    pub fn asks_for(&self) -> (bool, bool) {
        self.groups.asks_for()
    }

    /// What replaces a finding: its generalised form where the policy asks for it, or a fixed word.
    pub fn replacement<'a>(&'a self, finding: &'a Finding) -> &'a str {
        self.replacements.of(finding)
    }

    /// Every fixed word that may replace a finding. A caller who has an engine checks that none is itself found.
    pub fn replacement_words(&self) -> impl Iterator<Item = (Category, &str)> {
        self.replacements.words()
    }

    /// What happens to media on a platform.
    pub fn media(&self, platform: &str) -> MediaAction {
        let named = self.media.platforms.iter().find(|(name, _)| name == platform);
        named.map_or(self.media.default, |(_, action)| *action)
    }

    /// Whether documents that nobody here can read (PDF, DICOM, office files) pass as media do.
    pub const fn documents(&self) -> bool {
        self.media.documents
    }

    /// Whether pieces of media pass whose metadata cannot be taken out, because it stands in another piece.
    pub const fn pieces(&self) -> bool {
        self.media.pieces
    }

    /// The sentence of a block: `{kinds}` and `{ref}` filled in; one line of printable ASCII. Kinds are named in the order
    /// given, and no more than fit a short sentence.
    pub fn sentence(&self, kinds: &[Category], reference: &str) -> String {
        self.messages.of_block(kinds, reference)
    }

    /// The sentence for a post that is refused for another reason than what it contains: `{why}` and `{ref}` filled in.
    pub fn fault_sentence(&self, refused: Refused, reference: &str) -> String {
        self.messages.of_fault(refused, reference)
    }

    /// Exceptions that are over: they excuse nothing any more, and whoever keeps the policy should know.
    pub fn expired(&self, today: Date) -> Vec<Diagnostic> {
        let over = self.exceptions.iter().filter(|exception| exception.expires < today);
        over.map(|exception| {
            Diagnostic::warning(
                &self.source,
                format!("exception `{}` is over, so it excuses nothing any more", exception.name),
            )
            .at(exception.expires_at)
            .help("take it out, or renew it with a later day if its reason still holds")
        })
        .collect()
    }

    /// Its exceptions, those that are over too, the one that ends first first.
    pub fn exemptions(&self) -> Vec<Exemption> {
        let mut all: Vec<Exemption> = self
            .exceptions
            .iter()
            .map(|exception| Exemption {
                name: exception.name.to_string(),
                reason: exception.reason.to_string(),
                expires: exception.expires,
            })
            .collect();
        all.sort_by_key(|exemption| exemption.expires);
        all
    }

    /// A warning about a word of the policy's file, where it stands first.
    pub fn warn(&self, message: String, word: &str, help: &str) -> Diagnostic {
        let warning = Diagnostic::warning(&self.source, message).help(help);
        let quoted = format!("\"{word}\"");
        match self.source.text.find(&quoted) {
            Some(at) => warning.at(at..at + quoted.len()),
            None => warning,
        }
    }

    /// SHA-256 of the file, in hexadecimal: the audit says which policy judged.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many clauses it has, for reports.
    pub fn n_clauses(&self) -> usize {
        self.clauses.len()
    }

    /// The strictest action any clause may take, for reports.
    pub fn strictest(&self) -> Option<Action> {
        self.clauses.iter().map(|clause| clause.action).max()
    }
}
