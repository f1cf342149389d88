//! Folds a text grapheme by grapheme.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;
use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::Grapheme;
use crate::normalize::entity;
use crate::normalize::letters::{digit, dressed, is_invisible, is_mark, spelled, twin};
use crate::normalize::words::{Scripts, Word};

/// Whether folding is a matter of case alone: ASCII, no entity, no control character, no line end of two bytes.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the loop is vectorised")]
pub(super) fn is_plain(text: &str) -> bool {
    // One pass without branches: a post is read far more often than it is folded.
    let odd = text.bytes().fold(false, |odd, byte| {
        let control = (byte < b' ') & (byte != b'\t') & (byte != b'\n');
        odd | !byte.is_ascii() | (byte == b'&') | control | (byte == 0x7F)
    });
    !odd
}

/// The folded text, the grapheme of each of its bytes, and the length of the original.
pub(super) fn fold(text: &str) -> (String, Vec<Grapheme>, u32) {
    let mut folder = Folder {
        out: String::with_capacity(text.len()),
        map: Vec::with_capacity(text.len()),
        scripts: Scripts::of(text),
        word: Word::default(),
        word_start: 0,
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let next = bytes.get(at + 1);
        let len = if byte == b'&'
            && let Some((c, len)) = entity::decode(rest)
        {
            folder.grapheme(c.encode_utf8(&mut [0; 4]), at, at + len);
            len
        } else if byte.is_ascii() && byte != b'\r' && next.is_none_or(u8::is_ascii) {
            folder.ascii(byte, at);
            1
        } else {
            let grapheme = rest.graphemes(true).next().unwrap_or(rest);
            folder.grapheme(grapheme, at, at + grapheme.len());
            grapheme.len()
        };
        at += len.max(1);
    }
    folder.end_word();
    (folder.out, folder.map, place(text.len()))
}

/// A body is far below 4 GiB; beyond it a map would saturate rather than lie by wrapping.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The folded text so far, and the word at its end.
struct Folder {
    out: String,
    map: Vec<Grapheme>,
    scripts: Scripts,
    word: Word,
    word_start: usize,
}

impl Folder {
    /// One ASCII byte that is a grapheme by itself.
    fn ascii(&mut self, byte: u8, at: usize) {
        let c = char::from(byte);
        if !is_invisible(c) {
            self.push(c.to_ascii_lowercase(), Grapheme { start: place(at), end: place(at + 1) });
        }
    }

    fn grapheme(&mut self, grapheme: &str, start: usize, end: usize) {
        let from = Grapheme { start: place(start), end: place(end) };
        let mut chars = grapheme.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            if !is_invisible(c) {
                self.character(c, from);
            }
            return;
        }
        // Composed first: a mark that belongs to its letter (й) must not be mistaken for one set upon it.
        for c in grapheme.nfc().filter(|&c| !is_invisible(c)) {
            self.character(c, from);
        }
    }

    /// One visible character of a grapheme.
    fn character(&mut self, c: char, from: Grapheme) {
        if is_mark(c) {
            return;
        }
        if c.is_ascii() {
            return self.push(c.to_ascii_lowercase(), from);
        }
        if let Some(space) = space(c) {
            return self.push(space, from);
        }
        if let Some(plain) = digit(c).or_else(|| dressed(c)) {
            return self.push(plain, from);
        }
        for lower in c.to_lowercase() {
            if let Some(ascii) = spelled(lower) {
                ascii.chars().for_each(|c| self.push(c, from));
                continue;
            }
            for c in std::iter::once(lower).nfkc() {
                self.compatible(c, from);
            }
        }
    }

    /// One character after compatibility folding.
    fn compatible(&mut self, c: char, from: Grapheme) {
        if is_mark(c) || is_invisible(c) {
            return;
        }
        let mut base = None;
        decompose_canonical(c, |part| {
            base.get_or_insert(part);
        });
        let c = match base {
            // Latin letters lose their marks; those of other scripts (й, が, 각) are letters of their own.
            Some(base) if base.is_ascii() => base,
            _ => c,
        };
        match c.to_lowercase().next().unwrap_or(c) {
            // NFKC writes the fraction slash and some spaces its own way.
            lower if !lower.is_ascii() && spelled(lower).is_some() => {
                spelled(lower).unwrap_or_default().chars().for_each(|c| self.push(c, from));
            }
            lower => self.push(space(lower).unwrap_or(lower), from),
        }
    }

    fn push(&mut self, c: char, from: Grapheme) {
        if c.is_alphabetic() {
            self.word.note(c);
        } else {
            self.end_word();
        }
        self.out.push(c);
        self.map.extend(std::iter::repeat_n(from, c.len_utf8()));
        if !c.is_alphabetic() {
            self.word_start = self.out.len();
        }
    }

    /// Reads the look-alikes of the word at the end as Latin, if it is a disguise.
    fn end_word(&mut self) {
        if self.scripts.fold(self.word) {
            let word = self.out.split_off(self.word_start.min(self.out.len()));
            let places = self.map.split_off(self.word_start.min(self.map.len()));
            for (at, c) in word.char_indices() {
                let latin = twin(c).unwrap_or(c);
                if let Some(&from) = places.get(at) {
                    self.out.push(latin);
                    self.map.extend(std::iter::repeat_n(from, latin.len_utf8()));
                }
            }
        }
        self.word = Word::default();
        self.word_start = self.out.len();
    }
}

/// The plain form of a space or line end.
const fn space(c: char) -> Option<char> {
    match c {
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\u{A0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200A}'
        | '\u{202F}'
        | '\u{205F}'
        | '\u{2800}'
        | '\u{3000}' => Some(' '),
        _ => None,
    }
}
