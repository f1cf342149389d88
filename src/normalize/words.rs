//! Whether a word of another script is a word, or Latin letters in disguise.
//!
//! `Јоhn` with a Cyrillic `о` is `john`; `оса` in a Russian sentence is a wasp. So a word is folded to Latin if it mixes
//! scripts, or if look-alikes are all it holds and the whole text has no word that only its own script can write:
//! then `ЅЅN` and `МR` are disguises, and Russian, Greek and Armenian texts stay as they are.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;

use crate::normalize::letters::{dressed, may_disguise, spelled, twin};

/// What a text's words say of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scripts {
    /// Some word can only be written in its own script.
    genuine: bool,
}

/// What one word holds, letter by letter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    latin: bool,
    twins: bool,
    others: bool,
}

impl Word {
    /// Notes a lower-case letter.
    pub(super) fn note(&mut self, letter: char) {
        if letter.is_ascii() {
            self.latin = true;
        } else if may_disguise(letter) {
            if twin(letter).is_some() {
                self.twins = true;
            } else {
                self.others = true;
            }
        } else if becomes_latin(letter) {
            self.latin = true;
        }
    }
}

/// Whether a letter is folded to a Latin one: `é`, `ø`, `ß`.
fn becomes_latin(letter: char) -> bool {
    let mut base = None;
    decompose_canonical(letter, |part| {
        base.get_or_insert(part);
    });
    base.is_some_and(|base| base.is_ascii_alphabetic())
        || spelled(letter).is_some_and(|ascii| ascii.starts_with(|c: char| c.is_ascii_alphabetic()))
}

impl Scripts {
    /// Reads a text's words.
    pub(super) fn of(text: &str) -> Self {
        // Composing costs more than all other folding, and nearly no text has a letter of these scripts. The sign of the
        // ohm is a Greek letter once it is composed.
        if text.is_ascii() || !text.chars().any(|c| may_disguise(c) || c == '\u{2126}') {
            return Self::default();
        }
        let mut word = Word::default();
        // As it will be folded: a letter of mathematics or in a box is the plain one, so that folding again reads the same.
        for c in text.nfkc().map(|c| dressed(c).unwrap_or(c)) {
            if c.is_alphabetic() {
                word.note(c.to_lowercase().next().unwrap_or(c));
            } else if c.is_ascii() || c.is_whitespace() {
                if word.others && !word.latin {
                    return Self { genuine: true };
                }
                word = Word::default();
            }
        }
        Self { genuine: word.others && !word.latin }
    }

    /// Whether a word's look-alikes are to be read as Latin.
    pub(super) const fn fold(self, word: Word) -> bool {
        word.twins && (word.latin || (!word.others && !self.genuine))
    }
}
