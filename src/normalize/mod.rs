//! The folded view of a text, with an exact map back to its bytes.
//!
//! Case, width, confusable letters, zero-width and combining marks, digits of every script, emoji digits and HTML
//! entities are folded, so that every rule is written once and reads everything. Spans go back to original bytes and
//! never split a grapheme. Folding is linear, and an ASCII text costs one pass and no map.

mod entity;
mod fold;
mod letters;
mod words;

#[cfg(test)]
mod tests;

use crate::span::Span;

/// A folded text and where each of its bytes came from.
#[derive(Debug)]
pub struct View {
    text: String,
    map: Map,
}

/// From bytes of the folded text to graphemes of the original.
#[derive(Debug)]
enum Map {
    /// Byte for byte, and every byte its own grapheme.
    Same,
    /// The grapheme of each folded byte, and one past the end of the original at last.
    Graphemes { of_byte: Vec<Grapheme>, end: u32 },
}

/// Where one grapheme of the original stands.
#[derive(Clone, Copy, Debug)]
struct Grapheme {
    start: u32,
    end: u32,
}

impl View {
    /// Folds a text.
    pub fn of(text: &str) -> Self {
        if fold::is_plain(text) {
            return Self { text: text.to_ascii_lowercase(), map: Map::Same };
        }
        let (text, of_byte, end) = fold::fold(text);
        Self { text, map: Map::Graphemes { of_byte, end } }
    }

    /// The folded text: what rules read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Original bytes under a span of the folded text, widened to whole graphemes.
    pub fn to_original(&self, folded: Span) -> Span {
        match &self.map {
            Map::Same => folded,
            Map::Graphemes { of_byte, end } => {
                let past = Grapheme { start: *end, end: *end };
                let first = of_byte.get(folded.start()).unwrap_or(&past);
                if folded.is_empty() {
                    return Span::new(first.start as usize, first.start as usize);
                }
                let last = of_byte.get(folded.end() - 1).unwrap_or(&past);
                Span::new(first.start as usize, last.end as usize)
            }
        }
    }
}
