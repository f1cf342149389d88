//! One rule, one except.

use std::sync::Arc;

use crate::diagnostic::Source;
use crate::rules::{Category, Confidence, Pattern, RuleId, Validator};
use crate::span::Span;

/// One entry of a rule file.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in findings, policies and audit.
    pub id: RuleId,
    /// Which identifier of Safe Harbor it finds.
    pub category: Category,
    /// What it looks for.
    pub matcher: Matcher,
    /// How sure a hit is alone; `None`: a hit needs a keyword near it. A composer's own score says how sure it is.
    pub confidence: Option<Confidence>,
    /// Words that raise a hit they stand near.
    pub keywords: Option<Keywords>,
    /// A check that raises or lowers a hit, and never drops a labelled one.
    pub validator: Option<Validation>,
    /// The reason, usually the letter of 45 CFR 164.514(b)(2)(i).
    pub why: String,
    /// Texts in which the rule must find something.
    pub finds: Vec<String>,
    /// Near misses: texts in which this rule must find nothing.
    pub ignores: Vec<String>,
    /// The file it stands in, for diagnostics.
    pub source: Arc<Source>,
    /// Where in that file it stands.
    pub span: Span,
}

/// What a rule looks for.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// A regular expression over the folded view; the group `id` is the part redacted.
    Pattern(Pattern),
    /// Words and phrases, whole, over the folded view.
    Terms(Vec<String>),
    /// A composer of `detect`, named from its closed list: what one pattern cannot say.
    Composer(String),
}

/// Words that raise a hit they stand near: whole words, across `- _ . / ` and space, within 50 characters.
#[derive(Clone, Debug)]
pub struct Keywords {
    /// The words and phrases.
    pub words: Vec<String>,
    /// How sure a hit is beside one.
    pub confidence: Confidence,
}

/// A check of the number itself, and how sure a hit is that passes it.
#[derive(Clone, Copy, Debug)]
pub struct Validation {
    /// The check.
    pub validator: Validator,
    /// How sure a hit is that passes.
    pub valid: Confidence,
}

/// What rules must let pass wherever it stands: a finding of these rules inside a hit is dropped.
#[derive(Clone, Debug)]
pub struct Except {
    /// Its name.
    pub id: RuleId,
    /// Rule ids, or prefixes ending in `*`.
    pub rules: Vec<String>,
    /// A regular expression over the folded view.
    pub pattern: Pattern,
    /// The reason.
    pub why: String,
    /// Texts in which the rules must find nothing.
    pub passes: Vec<String>,
    /// Texts in which they must still find something.
    pub still_finds: Vec<String>,
    /// The file it stands in, for diagnostics.
    pub source: Arc<Source>,
    /// Where in that file it stands.
    pub span: Span,
}
