//! The words of a text with what the lists say of each: looked up once, read by every composer.

use std::cell::OnceCell;

use crate::detect::token::{Gap, Shape, Text, Token};
use crate::rules::{Class, Classes, Entry, Lexicons};
use crate::span::Span;

/// How a whole text is written, which decides what a capital says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Case {
    /// Capitals where they belong.
    Normal,
    /// (Nearly) all capitals: one says nothing.
    Upper,
    /// No capitals: a name has none either.
    Lower,
    /// A headline: nearly every word has a capital.
    Title,
}

/// One word and what the lists say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Where and how it is written.
    pub(crate) token: Token,
    /// What the lists say of the word alone.
    pub(crate) entry: Entry,
    /// Its classes, and those of a phrase it stands in.
    pub(crate) classes: Classes,
    /// How many words the place has that begins here, and the power of ten of its people.
    pub(crate) place: (u8, u8),
    /// The length of the phrase of a class that begins here, in words.
    pub(crate) phrase: u8,
    /// Whether it stands within a phrase of a class, not at its beginning.
    pub(crate) within_phrase: bool,
    /// The value of a number of up to nine digits.
    pub(crate) number: Option<u32>,
}

/// A text read.
pub(crate) struct Reading<'t> {
    pub(crate) text: &'t Text,
    pub(crate) words: Vec<Word>,
    /// The folded words, side by side with `words`.
    texts: Vec<&'t str>,
    pub(crate) case: Case,
    /// The lists it was read with.
    pub(crate) lexicons: &'t Lexicons,
    /// The uncommon words in order, once somebody asks which of them are repeated.
    uncommon: OnceCell<Vec<(u64, &'t str)>>,
}

impl<'t> Reading<'t> {
    /// Looks up every word of a text.
    pub(crate) fn of(text: &'t Text, lexicons: &'t Lexicons) -> Self {
        let texts: Vec<&str> = text.tokens.iter().map(|token| text.word(token)).collect();
        let mut words: Vec<Word> = text
            .tokens
            .iter()
            .zip(&texts)
            .map(|(token, folded)| {
                let entry = if token.shape == Shape::Digits {
                    Entry::default()
                } else {
                    lexicons.word(folded)
                };
                Word {
                    token: *token,
                    entry,
                    classes: entry.classes,
                    place: (u8::from(entry.city > 0), entry.city),
                    phrase: 0,
                    within_phrase: false,
                    number: if token.shape == Shape::Digits && token.span.len() <= 9 {
                        folded.parse().ok()
                    } else {
                        None
                    },
                }
            })
            .collect();
        add_phrases(&texts, lexicons, &mut words);
        let case = case_of(&words);
        Self { text, words, texts, case, lexicons, uncommon: OnceCell::new() }
    }

    /// The first and last word under a span.
    pub(crate) fn under(&self, span: Span) -> (usize, usize) {
        let first = self.words.partition_point(|word| word.token.span.end() <= span.start());
        let past = self.words.partition_point(|word| word.token.span.start() < span.end());
        (first, past.saturating_sub(1).max(first))
    }

    /// Whether an uncommon word occurs twice or more.
    pub(crate) fn repeats(&self, at: usize) -> bool {
        let uncommon = self.uncommon.get_or_init(|| {
            let words = self.words.iter().zip(&self.texts).filter(|(word, _)| is_uncommon(word));
            let mut words: Vec<_> = words.map(|(_, text)| ordered(text)).collect();
            words.sort_unstable();
            words
        });
        let word = ordered(self.word(at));
        let first = uncommon.partition_point(|other| *other < word);
        uncommon.get(first..first + 2).is_some_and(|two| two.iter().all(|other| *other == word))
    }

    /// The folded word at an index.
    pub(crate) fn word(&self, at: usize) -> &'t str {
        self.texts.get(at).copied().unwrap_or_default()
    }

    /// The word at an index and an offset from it.
    pub(crate) fn at(&self, at: usize, offset: isize) -> Option<&Word> {
        self.words.get(at.checked_add_signed(offset)?)
    }

    /// The classes of the word at an index and an offset, nothing outside the text.
    pub(crate) fn classes(&self, at: usize, offset: isize) -> Classes {
        self.at(at, offset).map_or(Classes::default(), |word| word.classes)
    }

    /// The gap before the word at an index; the end of the text counts as a line break.
    pub(crate) fn gap(&self, at: usize) -> Gap {
        self.words.get(at).map_or(Gap::LINE, |word| word.token.gap)
    }

    /// The folded text between two words, both included.
    pub(crate) fn span(&self, first: usize, last: usize) -> Span {
        match (self.words.get(first), self.words.get(last)) {
            (Some(first), Some(last)) => Span::new(first.token.span.start(), last.token.span.end()),
            _ => Span::default(),
        }
    }

    /// The byte of the folded text right after the word at an index.
    pub(crate) fn byte_after(&self, at: usize) -> u8 {
        let end = self.words.get(at).map_or(usize::MAX, |word| word.token.span.end());
        self.text.view.text().as_bytes().get(end).copied().unwrap_or_default()
    }
}

/// A word with its first eight bytes before it, by which nearly all words are told apart at once.
fn ordered(word: &str) -> (u64, &str) {
    let mut first = [0; 8];
    for (slot, byte) in first.iter_mut().zip(word.bytes()) {
        *slot = byte;
    }
    (u64::from_be_bytes(first), word)
}

/// Words that are repeated for what they name, and not by chance.
fn is_uncommon(word: &Word) -> bool {
    word.token.span.len() > 2 && word.entry.word < 11 && word.token.shape != Shape::Digits
}

fn add_phrases(texts: &[&str], lexicons: &Lexicons, words: &mut [Word]) {
    for at in 0..words.len() {
        let Some(head) = words.get(at) else { continue };
        if !head.classes.has(Class::PhraseHead) {
            continue;
        }
        // A phrase does not run over the end of a sentence or line, and a sign between its words does not part it.
        let joined = words.get(at + 1..).unwrap_or_default().iter().take_while(|word| {
            !word.token.gap.has(Gap::LINE.and(Gap::COMMA).and(Gap::COLON))
                && !word.token.starts_sentence
        });
        let more = joined.zip(texts.iter().skip(at + 1)).map(|(_, text)| *text);
        let folded = texts.get(at).copied().into_iter().chain(more);
        let Some((n_words, entry)) = lexicons.phrase(folded) else { continue };
        let whole = u8::try_from(n_words).unwrap_or(u8::MAX);
        for (offset, word) in words.iter_mut().skip(at).take(n_words).enumerate() {
            word.classes = word.classes.union(entry.classes);
            if offset == 0 {
                if entry.city > 0 {
                    word.place = (whole, entry.city);
                }
                if !entry.classes.is_empty() {
                    word.phrase = whole;
                }
            } else if !entry.classes.is_empty() {
                word.within_phrase = true;
            }
        }
    }
}

/// How the text is written: short ones count as normal, since one capital in three words says much.
fn case_of(words: &[Word]) -> Case {
    let (mut lower, mut upper, mut capital) = (0_usize, 0_usize, 0_usize);
    for word in words {
        match word.token.shape {
            Shape::Lower => lower += 1,
            Shape::Upper => upper += 1,
            Shape::Capital | Shape::Mixed if !word.token.tagged => capital += 1,
            _ => {}
        }
    }
    match () {
        () if upper >= 4 && upper * 3 > (lower + capital + upper) * 2 => Case::Upper,
        () if lower >= 6 && capital == 0 => Case::Lower,
        () if capital >= 4 && capital * 10 > (lower + capital + upper) * 6 => Case::Title,
        () => Case::Normal,
    }
}
