//! Folds a text grapheme by grapheme.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;
use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::letters::{
    digit, dressed, is_dressed, is_invisible, is_mark, is_overlay, is_small_capital, is_variation,
    spelled, twin,
};
use crate::normalize::words::{Scripts, Word};
use crate::normalize::{
    Disguise, Grapheme, Kind, Map, View, disguise, entity, escape, flipped, simple,
};
use crate::span::Span;

/// Whether folding is a matter of case alone: ASCII, no entity, no escape, no control character, no line end of two bytes.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the loop is vectorised")]
pub(super) fn is_plain(text: &str) -> bool {
    // One pass without branches: a post is read far more often than it is folded.
    let odd = text.bytes().fold(false, |odd, byte| {
        let control = (byte < b' ') & (byte != b'\t') & (byte != b'\n');
        odd | !byte.is_ascii() | (byte == b'&') | control | (byte == 0x7F)
    });
    !odd && !has_escape(text.as_bytes())
}

/// Whether a percent sign or backslash begins an escape; a mere `100 %` costs no map.
fn has_escape(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'%', b'\\', text).any(|at| {
        let rest = text.get(at..).unwrap_or_default();
        escape::percent(rest).or_else(|| escape::backslash(rest)).is_some()
    })
}

/// A text folded.
pub(super) fn fold(text: &str) -> View {
    let mut folder = Folder::new(text);
    let bytes = text.as_bytes();
    let turned = if text.is_ascii() { Vec::new() } else { flipped::stretches(text) };
    let mut stretches = turned.iter().peekable();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if let Some(&(start, end)) = stretches.next_if(|(start, _)| *start <= at) {
            folder.turned(text, start, end);
            at = end;
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let next = bytes.get(at + 1);
        let len = if let Some(len) = folder.escape(rest, at) {
            len
        } else if byte.is_ascii()
            && byte != b'\r'
            && (next.is_none_or(u8::is_ascii)
                || simple::begins_apart(rest.get(1..).unwrap_or_default()))
        {
            folder.ascii(byte, at);
            1
        } else if let Some(c) = alone(rest) {
            folder.character(c, Grapheme { start: place(at), end: place(at + c.len_utf8()) });
            c.len_utf8()
        } else {
            let grapheme = rest.graphemes(true).next().unwrap_or(rest);
            folder.grapheme(grapheme, at, at + grapheme.len());
            grapheme.len()
        };
        at += len.max(1);
    }
    folder.end_word();
    let map =
        Map::Graphemes { of_byte: folder.map, end: place(text.len()), in_order: turned.is_empty() };
    let n_hidden = disguise::n_hidden(&folder.disguises);
    let Folder { out: text, cased, disguises, .. } = folder;
    View { text, cased: Some(cased), map, disguises, n_hidden }
}

/// The character that a text begins with, if it is a grapheme by itself.
fn alone(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let c = chars.next().filter(|c| simple::stands_alone(*c))?;
    simple::begins_apart(chars.as_str()).then_some(c)
}

/// What a character folds to by itself, small and as it was written, if that is one character and no disguise.
fn by_itself(c: char) -> Option<(char, char)> {
    let mut folder = Folder::new("");
    folder.in_general(c, Grapheme { start: 0, end: 0 });
    let single = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    let plain = folder.disguises.is_empty();
    Some((single(&folder.out)?, single(&folder.cased)?)).filter(|_| plain)
}

/// A body is far below 4 GiB; beyond it a map would saturate rather than lie by wrapping.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The folded text so far, and the word at its end.
struct Folder {
    out: String,
    /// The same bytes with capitals.
    cased: String,
    map: Vec<Grapheme>,
    disguises: Vec<Disguise>,
    scripts: Scripts,
    word: Word,
    word_start: usize,
    /// Whether something that shows nothing followed the last letter.
    hidden: bool,
    /// Whether a slash stands in the word so far: a blank that is escaped in a link stays part of it.
    in_path: bool,
    /// Whether the last character was percent-encoded.
    escaped: bool,
}

impl Folder {
    fn new(text: &str) -> Self {
        Self {
            out: String::with_capacity(text.len()),
            cased: String::with_capacity(text.len()),
            map: Vec::with_capacity(text.len()),
            disguises: Vec::new(),
            scripts: Scripts::of(text),
            word: Word::default(),
            word_start: 0,
            hidden: false,
            in_path: false,
            escaped: false,
        }
    }

    /// An entity, an escape or a control sequence with which a text begins: its length.
    fn escape(&mut self, text: &str, at: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let was_escaped = std::mem::take(&mut self.escaped);
        let (c, len) = match *bytes.first()? {
            b'&' => entity::decode(text)?,
            b'\\' => escape::backslash(bytes)?,
            b'%' => {
                let (c, len) = escape::percent(bytes)?;
                // `up 5%25 of them`: a sign after a number is a sign.
                let share = !was_escaped
                    && self.out.ends_with(|c: char| c.is_ascii_digit())
                    && bytes.get(len) != Some(&b'%')
                    && bytes.get(1..3) != Some(b"20");
                let in_link = c.is_alphanumeric() || ".-_~/:@?=&#+".contains(c);
                if share || (self.in_path && !in_link) {
                    return None;
                }
                self.escaped = true;
                (c, len)
            }
            0x1B => {
                self.hidden = true;
                return escape::control_sequence(bytes);
            }
            _ => return None,
        };
        let from = self.out.len();
        self.grapheme(c.encode_utf8(&mut [0; 4]), at, at + len);
        if c.is_alphanumeric() {
            self.note(from, Kind::Escaped);
        }
        Some(len)
    }

    /// One ASCII byte that is a grapheme by itself.
    fn ascii(&mut self, byte: u8, at: usize) {
        let c = char::from(byte);
        let from = Grapheme { start: place(at), end: place(at + 1) };
        if is_invisible(c) {
            self.hidden = true;
        } else {
            self.push(c.to_ascii_lowercase(), c.is_ascii_uppercase(), from);
        }
    }

    /// A stretch that is turned upside down, from its end.
    fn turned(&mut self, text: &str, start: usize, end: usize) {
        let first = self.out.len();
        for (at, grapheme) in text.get(start..end).unwrap_or_default().grapheme_indices(true).rev()
        {
            let from =
                Grapheme { start: place(start + at), end: place(start + at + grapheme.len()) };
            for c in grapheme.chars().filter(|&c| !is_invisible(c) && !is_mark(c)) {
                let c = flipped::turned(c).unwrap_or(c);
                self.push(c.to_ascii_lowercase(), c.is_ascii_uppercase(), from);
            }
        }
        self.note(first, Kind::Flipped);
    }

    fn grapheme(&mut self, grapheme: &str, start: usize, end: usize) {
        let from = Grapheme { start: place(start), end: place(end) };
        let mut chars = grapheme.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            if is_invisible(c) {
                self.hidden = true;
            } else {
                self.character(c, from);
            }
            return;
        }
        let first = self.out.len();
        let mut marks = 0;
        // Composed first: a mark that belongs to its letter (й) must not be mistaken for one set upon it.
        for c in grapheme.nfc() {
            if is_invisible(c) {
                self.hidden |= !is_variation(c);
            } else {
                marks += usize::from(is_mark(c)) + usize::from(is_overlay(c));
                self.character(c, from);
            }
        }
        // Several languages set one mark upon a letter, none strikes it out.
        if marks > 1 {
            self.note(first, Kind::Marked);
        }
    }

    /// One visible character of a grapheme.
    fn character(&mut self, c: char, from: Grapheme) {
        match simple::folded(c, by_itself) {
            Some((small, written)) => self.push_written(small, written, from),
            None => self.in_general(c, from),
        }
    }

    /// One visible character of a grapheme, whatever it takes.
    fn in_general(&mut self, c: char, from: Grapheme) {
        if is_mark(c) {
            return;
        }
        if c.is_ascii() {
            return self.push(c.to_ascii_lowercase(), c.is_ascii_uppercase(), from);
        }
        if let Some(space) = space(c) {
            return self.push(space, false, from);
        }
        let first = self.out.len();
        if let Some(plain) = digit(c) {
            return self.push(plain, false, from);
        }
        if let Some(plain) = dressed(c) {
            // Letters in boxes and flags are all capitals: they are read as a name is written.
            let starts = !self.out.ends_with(char::is_alphabetic);
            self.push(plain, plain.is_alphabetic() && !c.is_lowercase() && starts, from);
            return self.note(first, Kind::Dressed);
        }
        let upper = c.is_uppercase();
        for lower in c.to_lowercase() {
            if let Some(ascii) = spelled(lower) {
                let starts = !self.out.ends_with(char::is_alphabetic);
                let upper = upper || (is_small_capital(lower) && starts);
                ascii.chars().for_each(|c| self.push(c, upper && c.is_ascii_alphabetic(), from));
                continue;
            }
            for c in std::iter::once(lower).nfkc() {
                self.compatible(c, upper, from);
            }
        }
        if is_dressed(c) {
            self.note(first, Kind::Dressed);
        }
    }

    /// One character after compatibility folding.
    fn compatible(&mut self, c: char, upper: bool, from: Grapheme) {
        if is_mark(c) || is_invisible(c) {
            return;
        }
        let upper = upper || c.is_uppercase();
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
                spelled(lower).unwrap_or_default().chars().for_each(|c| self.push(c, false, from));
            }
            lower => self.push(space(lower).unwrap_or(lower), upper, from),
        }
    }

    /// Adds a small character, which was a capital or not.
    fn push(&mut self, c: char, upper: bool, from: Grapheme) {
        self.push_written(c, if upper { capital(c) } else { c }, from);
    }

    /// Adds a small character and how it was written.
    fn push_written(&mut self, c: char, written: char, from: Grapheme) {
        let last = self.out.len();
        if c.is_alphabetic() {
            self.word.note(c);
        } else {
            self.end_word();
        }
        self.out.push(c);
        self.cased.push(written);
        self.map.extend(std::iter::repeat_n(from, c.len_utf8()));
        if !c.is_alphabetic() {
            self.word_start = self.out.len();
            self.in_path = c == '/' || (self.in_path && !c.is_whitespace());
        }
        if std::mem::take(&mut self.hidden)
            && c.is_ascii_alphanumeric()
            && let Some(before) = last.checked_sub(1)
            && self.out.as_bytes().get(before).is_some_and(u8::is_ascii_alphanumeric)
        {
            self.note(before, Kind::Invisible);
        }
    }

    /// Notes that what was added from here on was disguised; stretches of one kind side by side are one.
    fn note(&mut self, from: usize, kind: Kind) {
        let end = self.out.len();
        if from >= end {
            return;
        }
        match self.disguises.last_mut() {
            Some(last) if last.kind == kind && last.span.end() >= from => {
                last.span = Span::new(last.span.start(), end);
            }
            _ => self.disguises.push(Disguise { span: Span::new(from, end), kind }),
        }
    }

    /// Reads the look-alikes of the word at the end as Latin, if it is a disguise.
    fn end_word(&mut self) {
        if self.scripts.fold(self.word) {
            let start = self.word_start.min(self.out.len());
            let word = self.out.split_off(start);
            let written = self.cased.split_off(start);
            let places = self.map.split_off(start);
            for (at, c) in word.char_indices() {
                let latin = twin(c).unwrap_or(c);
                let upper =
                    written.get(at..).is_some_and(|rest| rest.starts_with(char::is_uppercase));
                if let Some(&from) = places.get(at) {
                    self.out.push(latin);
                    self.cased.push(if upper { capital(latin) } else { latin });
                    self.map.extend(std::iter::repeat_n(from, latin.len_utf8()));
                }
            }
            // None ends before the one ahead of it, so those of this word are the last: every word is of one look at them.
            while self.disguises.pop_if(|disguise| disguise.span.end() > start).is_some() {}
            self.note(start, Kind::Twins);
        }
        self.word = Word::default();
        self.word_start = self.out.len();
    }
}

/// The capital of a small letter, if it has as many bytes.
fn capital(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) if upper.len_utf8() == c.len_utf8() => upper,
        _ => c,
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
