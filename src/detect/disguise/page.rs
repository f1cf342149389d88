//! What every undoing reads: the words of a text, how they are written, and what the lists say.

use crate::detect::compose::Reading;
use crate::detect::token::{Gap, Shape};
use crate::normalize::{Kind, Rewrite};
use crate::rules::{Class, Classes, Entry, Lexicons};
use crate::span::Span;

/// Lists of names.
const NAMES: Classes = Classes::of(&[Class::FirstName, Class::LastName, Class::Nickname]);

/// A text, its words and the lists.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) reading: &'a Reading<'a>,
    original: &'a str,
    lexicons: &'a Lexicons,
}

impl<'a> Page<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, original: &'a str, lexicons: &'a Lexicons) -> Self {
        Self { reading, original, lexicons }
    }

    pub(super) fn len(&self) -> usize {
        self.reading.words.len()
    }

    /// The folded text.
    pub(super) fn text(&self) -> &'a str {
        self.reading.text.view.text()
    }

    /// The folded word at an index, nothing outside the text.
    pub(super) fn word(&self, at: usize) -> &'a str {
        self.reading.word(at)
    }

    /// Where the word at an index stands.
    pub(super) fn span(&self, at: usize) -> Span {
        self.reading.span(at, at)
    }

    pub(super) fn shape(&self, at: usize) -> Shape {
        self.reading.at(at, 0).map_or(Shape::Lower, |word| word.token.shape)
    }

    pub(super) fn classes(&self, at: usize) -> Classes {
        self.reading.classes(at, 0)
    }

    /// What the lists say of the word at an index.
    pub(super) fn entry(&self, at: usize) -> Entry {
        self.reading.at(at, 0).map(|word| word.entry).unwrap_or_default()
    }

    /// What the lists say of a word that is not in the text.
    pub(super) fn look_up(&self, word: &str) -> Entry {
        self.lexicons.word(word)
    }

    /// What stands before the word at an index.
    pub(super) fn gap(&self, at: usize) -> Gap {
        self.reading.gap(at)
    }

    /// The same as text.
    pub(super) fn between(&self, at: usize) -> &'a str {
        let before = at.checked_sub(1).map_or(0, |before| self.span(before).end());
        self.text().get(before..self.span(at).start()).unwrap_or_default()
    }

    /// A stretch with its capitals.
    pub(super) fn written(&self, span: Span) -> &'a str {
        self.reading.text.view.written(span, self.original)
    }

    /// Each character of a stretch with its capitals, and where it stands.
    pub(super) fn chars(
        &self,
        span: Span,
    ) -> impl DoubleEndedIterator<Item = (char, Span)> + use<'a> {
        let chars = self.written(span).char_indices();
        chars.map(move |(at, c)| {
            let start = span.start() + at;
            (c, Span::new(start, start + c.len_utf8()))
        })
    }

    /// Whether the word at an index stands in a link, where any letters and digits may.
    pub(super) fn in_link(&self, at: usize) -> bool {
        const LONGEST: usize = 300;
        let end = self.span(at).start();
        let head = self.text().as_bytes().get(end.saturating_sub(LONGEST)..end).unwrap_or_default();
        let start = head.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
        let head = head.get(start..).unwrap_or_default();
        head.contains(&b'/') && head.iter().any(|byte| matches!(byte, b'.' | b':'))
    }

    /// Whether the word at an index is one letter or digit.
    pub(super) fn is_single(&self, at: usize) -> bool {
        let word = self.word(at);
        word.len() <= 4 && word.chars().count() == 1
    }

    /// Whether no list knows a word, neither as a word nor as a name worth the name.
    pub(super) fn is_unlisted(&self, at: usize) -> bool {
        let entry = self.entry(at);
        entry.word == 0
            && entry.first < 4
            && entry.last < 4
            && entry.city == 0
            && entry.classes.is_empty()
    }
}

/// How well a name is known: doublings of its bearers, a listed class counting as ten.
pub(super) fn as_name(entry: Entry) -> u8 {
    let listed = if entry.classes.meets(NAMES) { 10 } else { 0 };
    entry.first.max(entry.last).max(listed)
}

/// One text for a whole stretch, each of its characters standing for all of it.
pub(super) fn whole(span: Span, text: &str, kind: Kind) -> Rewrite {
    Rewrite { span, with: text.chars().map(|c| (c, span)).collect(), kind }
}

/// The small letters of what is rewritten.
pub(super) fn small(with: &[(char, Span)]) -> String {
    with.iter().flat_map(|(c, _)| c.to_lowercase()).collect()
}
