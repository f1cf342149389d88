//! All rules compiled, and the one call that reads a post.

use std::sync::Arc;

use jiff::civil::Date;

use crate::detect::{Care, Finding, Part};
use crate::diagnostic::Diagnostic;
use crate::rules::{Category, Confidence, RuleId, RuleSet};
use crate::span::Span;

/// One text of a post.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The text.
    pub text: &'a str,
    /// The words of its key, as a label that may stand for the text beside it (`mrn` of `{"mrn": "004411"}`).
    pub label: Option<&'a str>,
}

/// What a post holds.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// How much the whole post speaks of a patient's care.
    pub care: Care,
    /// The findings of each piece, sorted by span. Overlaps within a category are settled; those across categories
    /// are kept.
    pub findings: Vec<Vec<Finding>>,
}

/// One candidate with its reasons, for `scan --explain`: found, lowered or passed.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: RuleId,
    /// Which identifier it would be.
    pub category: Category,
    /// Which piece it stands in.
    pub piece: usize,
    /// Where, in bytes of that piece.
    pub span: Span,
    /// How sure; `None` is no finding.
    pub confidence: Option<Confidence>,
    /// Why it is no finding, or why it was settled another way: a constant phrase, never text.
    pub outcome: &'static str,
    /// The parts of its score.
    pub parts: Vec<Part>,
}

/// All rules compiled.
#[derive(Debug)]
pub struct Engine {
    _private: (),
}

impl Engine {
    /// Compiles a rule set.
    pub fn build(_rules: &Arc<RuleSet>) -> Result<Self, Vec<Diagnostic>> {
        todo!()
    }

    /// Reads the pieces of one post together: context counts over all of them.
    pub fn scan(&self, _pieces: &[Piece<'_>], _today: Date) -> Scan {
        todo!()
    }

    /// The same, with every candidate and the parts of its score. Slower; for people.
    pub fn explain(&self, _pieces: &[Piece<'_>], _today: Date) -> (Scan, Vec<Explained>) {
        todo!()
    }

    /// Whether a text is prose (three words or more), which is read like words wherever it stands.
    pub fn is_prose(_text: &str) -> bool {
        todo!()
    }

    /// Runs every rule's and except's own examples.
    pub fn check_examples(&self, _today: Date) -> Vec<Diagnostic> {
        todo!()
    }
}
