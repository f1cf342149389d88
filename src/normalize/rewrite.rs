//! Writes what a disguise stands for into a view, so that rules read it as if it had been written plainly.

use crate::normalize::{Disguise, Grapheme, Kind, Map, View, disguise};
use crate::span::Span;

/// A stretch of a folded text and what it stands for.
#[derive(Clone)]
pub struct Rewrite {
    /// What goes, in the folded text.
    pub span: Span,
    /// What comes: each character with its capitals, and the stretch of the folded text that it stands for.
    pub with: Vec<(char, Span)>,
    /// How it was hidden.
    pub kind: Kind,
}

/// Shows no text.
impl std::fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Rewrite");
        shown.field("span", &self.span).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl View {
    /// The view with these rewrites made; they must be sorted and disjoint, and one that is not is left out. Beside it,
    /// where each rewrite stands in the old text and in the new one.
    pub fn rewritten(&self, original: &str, rewrites: &[Rewrite]) -> (Self, Vec<(Span, Span)>) {
        let mut writer = Writer {
            old: self,
            original,
            text: String::with_capacity(self.text.len()),
            cased: String::with_capacity(self.text.len()),
            of_byte: Vec::with_capacity(self.text.len()),
            disguises: Vec::with_capacity(self.disguises.len() + rewrites.len()),
            n_disguises: 0,
        };
        let mut moves = Vec::with_capacity(rewrites.len());
        let mut at = 0;
        for rewrite in rewrites {
            if rewrite.span.start() < at || rewrite.span.of(&self.text).is_none() {
                continue;
            }
            writer.copy(Span::new(at, rewrite.span.start()));
            let from = writer.text.len();
            writer.write(rewrite);
            moves.push((rewrite.span, Span::new(from, writer.text.len())));
            at = rewrite.span.end();
        }
        writer.copy(Span::new(at, self.text.len()));
        let end = u32::try_from(original.len()).unwrap_or(u32::MAX);
        let Writer { text, cased, of_byte, disguises, .. } = writer;
        let map = Map::Graphemes { of_byte, end, in_order: false };
        let n_hidden = disguise::n_hidden(&disguises);
        (Self { text, cased: Some(cased), map, disguises, n_hidden }, moves)
    }

    fn grapheme_of(&self, folded: Span) -> Grapheme {
        let span = self.to_original(folded);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Grapheme { start: place(span.start()), end: place(span.end()) }
    }
}

/// The new view so far.
struct Writer<'v> {
    old: &'v View,
    original: &'v str,
    text: String,
    cased: String,
    of_byte: Vec<Grapheme>,
    disguises: Vec<Disguise>,
    /// How many of the old view's disguises are done with.
    n_disguises: usize,
}

impl Writer<'_> {
    /// A stretch that stays.
    fn copy(&mut self, span: Span) {
        let from = self.text.len();
        self.text.push_str(span.of(&self.old.text).unwrap_or_default());
        self.cased.push_str(self.old.written(span, self.original));
        self.of_byte.extend(
            (span.start()..span.end()).map(|at| self.old.grapheme_of(Span::new(at, at + 1))),
        );
        while let Some(disguise) = self.old.disguises.get(self.n_disguises) {
            if disguise.span.start() >= span.end() {
                break;
            }
            self.n_disguises += 1;
            // One that a rewrite cuts is noted there.
            if disguise.span.start() >= span.start() && disguise.span.end() <= span.end() {
                let span = Span::new(
                    disguise.span.start() - span.start() + from,
                    disguise.span.end() - span.start() + from,
                );
                self.disguises.push(Disguise { span, kind: disguise.kind });
            }
        }
    }

    fn write(&mut self, rewrite: &Rewrite) {
        let from = self.text.len();
        // Each character of a code stands for all of it: looked up once, or a long code would cost its square.
        let mut last: Option<(Span, Grapheme)> = None;
        for &(c, of) in &rewrite.with {
            let grapheme = match last {
                Some((known, grapheme)) if known == of => grapheme,
                _ => self.old.grapheme_of(of),
            };
            last = Some((of, grapheme));
            // A capital whose small letter is longer keeps neither the text nor the cased one out of step.
            let mut lower = c.to_lowercase();
            let small = match (lower.next(), lower.next()) {
                (Some(small), None) if small.len_utf8() == c.len_utf8() => small,
                _ => c,
            };
            self.text.push(small);
            self.cased.push(c);
            self.of_byte.extend(std::iter::repeat_n(grapheme, c.len_utf8()));
        }
        if self.text.len() > from {
            let span = Span::new(from, self.text.len());
            self.disguises.push(Disguise { span, kind: rewrite.kind });
        }
    }
}
