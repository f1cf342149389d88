//! The folded view of a text, with an exact map back to its bytes.
//!
//! Case, width, confusable letters, zero-width and combining marks, digits of every script, emoji digits, upside-down
//! text, control sequences, HTML entities and percent-encoding are folded, so that every rule is written once and reads
//! everything. Spans go back to original bytes and never split a grapheme. Folding is linear, and an ASCII text costs one
//! pass and no map. What takes a word list to undo is found in `detect::disguise` and written into the view here
//! ([`View::rewritten`]).

mod disguise;
mod entity;
mod escape;
mod flipped;
mod fold;
mod letters;
mod rewrite;
mod simple;
mod words;

#[cfg(test)]
mod tests;

pub use disguise::{Disguise, Kind};
pub use rewrite::Rewrite;

use crate::span::Span;

/// A folded text and where each of its bytes came from.
pub struct View {
    text: String,
    /// The same bytes with the capitals of the original; nothing where the original has the same bytes.
    cased: Option<String>,
    map: Map,
    /// What was disguised, in the order of the folded text.
    disguises: Vec<Disguise>,
    /// How many bytes of the folded text they are, summed once.
    n_hidden: usize,
}

/// From bytes of the folded text to graphemes of the original.
#[derive(Debug)]
enum Map {
    /// Byte for byte, and every byte its own grapheme.
    Same,
    /// The grapheme of each folded byte, and one past the end of the original at last. In order where nothing was
    /// turned round.
    Graphemes { of_byte: Vec<Grapheme>, end: u32, in_order: bool },
}

/// Where one grapheme of the original stands.
#[derive(Clone, Copy, Debug)]
struct Grapheme {
    start: u32,
    end: u32,
}

/// Shows no text.
impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("len", &self.text.len()).finish_non_exhaustive()
    }
}

impl View {
    /// Folds a text.
    pub fn of(text: &str) -> Self {
        if fold::is_plain(text) {
            let text = text.to_ascii_lowercase();
            return Self { text, cased: None, map: Map::Same, disguises: Vec::new(), n_hidden: 0 };
        }
        fold::fold(text)
    }

    /// The folded text: what rules read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A stretch of the folded text as it would be written without disguise, capitals and all.
    pub fn written<'t>(&'t self, span: Span, original: &'t str) -> &'t str {
        span.of(self.cased.as_deref().unwrap_or(original)).unwrap_or_default()
    }

    /// What was disguised, in the order of the folded text.
    pub fn disguises(&self) -> &[Disguise] {
        &self.disguises
    }

    /// The kinds of disguise under a span of the folded text.
    pub fn disguises_under(&self, span: Span) -> impl Iterator<Item = Kind> {
        let first = self.disguises.partition_point(|disguise| disguise.span.end() <= span.start());
        let there = self.disguises.get(first..).unwrap_or_default().iter();
        there.take_while(move |disguise| disguise.span.start() < span.end()).map(|found| found.kind)
    }

    /// Whether something is disguised, and most of the text is not: a font for a whole post is for show.
    pub fn is_hidden_in_part(&self) -> bool {
        self.n_hidden > 0 && self.n_hidden * 2 < self.text.len()
    }

    /// Original bytes under a span of the folded text, widened to whole graphemes.
    pub fn to_original(&self, folded: Span) -> Span {
        match &self.map {
            Map::Same => folded,
            Map::Graphemes { of_byte, end, in_order } => {
                let past = Grapheme { start: *end, end: *end };
                let first = of_byte.get(folded.start()).unwrap_or(&past);
                if folded.is_empty() {
                    return Span::new(first.start as usize, first.start as usize);
                }
                let last = of_byte.get(folded.end() - 1).unwrap_or(&past);
                let (mut start, mut end) = (first.start, last.end);
                if !in_order {
                    for under in of_byte.get(folded.start()..folded.end()).unwrap_or_default() {
                        start = start.min(under.start);
                        end = end.max(under.end);
                    }
                }
                Span::new(start as usize, end as usize)
            }
        }
    }
}
