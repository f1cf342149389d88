//! The words of a text, cut once and read by every composer.

use crate::normalize::View;
use crate::span::Span;

/// How a word is written, from the original text (the view has folded it away).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// `ricky`
    Lower,
    /// `Ricky`
    Capital,
    /// `RICKY`, two letters or more
    Upper,
    /// `McCoy`, `iPhone`
    Mixed,
    /// `412`
    Digits,
    /// `4W`, `AB-12`
    Code,
}

/// One word of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Where, in the folded view.
    pub(crate) span: Span,
    /// How it is written.
    pub(crate) shape: Shape,
    /// Whether a sentence or line begins with it.
    pub(crate) starts_sentence: bool,
}

/// One piece of a post, folded and cut.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    /// As it was written.
    pub(crate) original: &'a str,
    /// Folded.
    pub(crate) view: View,
    /// Its words.
    pub(crate) tokens: Vec<Token>,
}
