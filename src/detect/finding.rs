//! A candidate that survived.

use std::borrow::Cow;

use crate::rules::{Category, Confidence, RuleId};
use crate::span::Span;

/// One identifier found in one text.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleId,
    /// Which identifier it is.
    pub category: Category,
    /// Where, in bytes of the original text, on grapheme boundaries.
    pub span: Span,
    /// How sure it is.
    pub confidence: Confidence,
    /// Certain by itself: a labelled or unmistakable identifier that needs no prose around it.
    pub standalone: bool,
    /// The form Safe Harbor allows: a date's year, a ZIP's three digits, an age's `90+`.
    pub generalized: Option<String>,
}

/// One named part of a score, for `--explain`. Names a feature or, as `before=rang`, a word that stands beside a
/// candidate: for the eyes of whoever has the text, never for a log.
#[derive(Clone, PartialEq)]
pub struct Part {
    /// Such as `honorific-before`.
    pub feature: Cow<'static, str>,
    /// What it adds or takes.
    pub points: f32,
}

/// Shows no word of a text.
impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let feature = self.feature.split('=').next().unwrap_or_default();
        f.debug_struct("Part").field("feature", &feature).field("points", &self.points).finish()
    }
}
