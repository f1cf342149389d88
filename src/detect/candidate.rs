//! A raw hit, before checksum, context and overlap are settled.

use crate::detect::Part;
use crate::rules::Confidence;
use crate::span::Span;

/// A raw hit. Spans are of the folded view.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Index into `RuleSet::rules`.
    pub(crate) rule: usize,
    /// Where, in the folded view.
    pub(crate) span: Span,
    /// How sure; `None` is under `low`, kept only to be explained.
    pub(crate) confidence: Option<Confidence>,
    /// Certain by itself: needs no prose around it.
    pub(crate) standalone: bool,
    /// The form Safe Harbor allows.
    pub(crate) generalized: Option<String>,
    /// The parts of its score, filled only when somebody asks for an explanation.
    pub(crate) parts: Vec<Part>,
}
