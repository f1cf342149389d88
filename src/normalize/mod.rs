//! The folded view of a text, with an exact map back to its bytes.
//!
//! Case, width, confusable letters, zero-width and combining marks, digits of every script, emoji digits and HTML
//! entities are folded, so that every rule is written once and reads everything. Spans go back to original bytes and
//! never split a grapheme.

use crate::span::Span;

/// A folded text and where each of its bytes came from.
#[derive(Debug)]
pub struct View {
    _private: (),
}

impl View {
    /// Folds a text.
    pub fn of(_text: &str) -> Self {
        todo!()
    }

    /// The folded text: what rules read.
    pub fn text(&self) -> &str {
        todo!()
    }

    /// Original bytes under a span of the folded text, widened to whole graphemes.
    pub fn to_original(&self, _folded: Span) -> Span {
        todo!()
    }
}
