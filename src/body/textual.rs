//! Text in bytes that name no charset: UTF-8, UTF-16 and UTF-32 with a mark or without, or else windows-1252.
//!
//! A file passes unread only if it is no text, and whoever opens it guesses the charset as this does. So the guess errs on the
//! side of reading: what is mostly letters is a text, whatever stands before it or between them. A text that is guessed is
//! read and never written. Promise: one pass over the bytes says which, and no bytes that are packed or encrypted are text.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::body::sniff;

/// Fewer letters and blanks than this in a row, in what is no text, are there by accident.
const FEWEST_IN_A_ROW: usize = 24;
/// The same, where as much as a quarter of the bytes stands in such rows: the records of a table or a message.
const FEWEST_OF_MANY: usize = 6;
/// Shorter bytes than this say nothing of the script they are in.
const FEWEST_OF_A_SCRIPT: usize = 32;

/// The text that bytes are; `None` where they are none.
pub(super) fn words(bytes: &[u8]) -> Option<String> {
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(unmarked)
        && sniff::is_plain_text(text)
    {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    if let Some(text) = marked(bytes).filter(|text| is_wordy(text)) {
        return Some(text);
    }
    let tally = Tally::of(bytes);
    if tally.is_spread() {
        return Some(spread(bytes));
    }
    if tally.is_narrow() {
        return Some(narrow(bytes));
    }
    [UTF_16LE, UTF_16BE].into_iter().find_map(|encoding| scripted(encoding, bytes))
}

/// Long stretches of words in bytes that are no text, one a line.
pub(super) fn stretches(bytes: &[u8]) -> Option<String> {
    let many = stretches_of(bytes, FEWEST_OF_MANY);
    let found =
        if many.len() * 4 >= bytes.len() { many } else { stretches_of(bytes, FEWEST_IN_A_ROW) };
    (!found.is_empty()).then_some(found)
}

/// Stretches of a few letters in bytes that are no text but stand where words do, one a line.
pub(super) fn phrases(bytes: &[u8]) -> Option<String> {
    let found = stretches_of(bytes, FEWEST_OF_MANY);
    let is_word = |line: &&str| line.trim_ascii().len() >= FEWEST_OF_MANY;
    let lines: Vec<&str> = found.lines().filter(is_word).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn stretches_of(bytes: &[u8], fewest: usize) -> String {
    let mut found = String::new();
    let mut run = Run::default();
    for &byte in bytes {
        if !run.takes(byte) {
            run.end(fewest, &mut found);
        }
    }
    run.end(fewest, &mut found);
    found
}

/// How many bytes of each sort there are.
#[derive(Default)]
struct Tally {
    n: usize,
    zeros: usize,
    controls: usize,
    printable: usize,
}

impl Tally {
    fn of(bytes: &[u8]) -> Self {
        let mut tally = Self { n: bytes.len(), ..Self::default() };
        for &byte in bytes {
            tally.zeros += usize::from(byte == 0);
            tally.controls += usize::from(sniff::is_binary(byte));
            tally.printable += usize::from(is_printable(byte));
        }
        tally
    }

    /// Whether they are letters with zeros between them: those of UTF-16 and UTF-32, or put there.
    fn is_spread(&self) -> bool {
        self.zeros * 5 >= self.n
            && self.printable * 3 > (self.n - self.zeros) * 2
            && self.printable * 6 >= self.n
    }

    /// Whether they are one letter a byte, or UTF-8 that is damaged. In packed bytes every tenth is a control character.
    fn is_narrow(&self) -> bool {
        self.controls * 64 <= self.n || self.printable * 3 > self.n * 2
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Text that says by its first bytes how it is written.
fn marked(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0xFF, 0xFE, 0, 0, rest @ ..] => Some(utf32(rest, u32::from_le_bytes)),
        [0, 0, 0xFE, 0xFF, rest @ ..] => Some(utf32(rest, u32::from_be_bytes)),
        [0xFF, 0xFE, rest @ ..] => Some(utf16(UTF_16LE, rest)),
        [0xFE, 0xFF, rest @ ..] => Some(utf16(UTF_16BE, rest)),
        _ => None,
    }
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    let letter = |unit: &[u8; 4]| char::from_u32(read(*unit));
    units.iter().map(|unit| letter(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn utf16(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Letters with zeros between them: as UTF-16, if the zeros are nearly all on one side; else without them.
fn spread(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let first = pairs.iter().filter(|[first, _]| *first == 0).count();
    let second = pairs.iter().filter(|[_, second]| *second == 0).count();
    if second > first * 8 {
        utf16(UTF_16LE, bytes)
    } else if first > second * 8 {
        utf16(UTF_16BE, bytes)
    } else {
        narrow(bytes)
    }
}

/// UTF-8 with marks for what is none, or windows-1252, as more of the letters beyond ASCII have it.
fn narrow(bytes: &[u8]) -> String {
    let plain: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let (mut letters, mut faults) = (0, 0);
    for chunk in plain.utf8_chunks() {
        letters += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    if letters >= faults {
        sniff::lossy(&plain)
    } else {
        WINDOWS_1252.decode_without_bom_handling(&plain).0.into_owned()
    }
}

/// Text of UTF-16 in a script other than Latin, which has no zeros: nothing in it but letters, digits and blanks.
fn scripted(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    if bytes.len() < FEWEST_OF_A_SCRIPT || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let odd = text.chars().filter(|letter| !is_of_words(*letter)).count();
    (odd * 32 <= text.chars().count()).then(|| text.into_owned())
}

fn is_of_words(letter: char) -> bool {
    letter.is_alphanumeric() || letter.is_whitespace() || letter.is_ascii_punctuation()
}

fn is_wordy(text: &str) -> bool {
    let n = text.chars().filter(|letter| is_of_words(*letter)).count();
    n > 0 && n * 3 > text.chars().count() * 2
}

/// A stretch of words as it is read.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    printable: usize,
    /// Letters since the last byte beyond ASCII, and such bytes in a row.
    since: usize,
    gap: usize,
}

impl Run {
    fn takes(&mut self, byte: u8) -> bool {
        if byte == 0 {
            return true;
        }
        if is_printable(byte) {
            self.printable += 1;
            self.since += 1;
            self.gap = 0;
        } else if byte >= 0x80 && self.gap < 2 && (self.gap > 0 || self.since >= 3) {
            self.gap += 1;
            self.since = 0;
        } else {
            return false;
        }
        self.bytes.push(byte);
        true
    }

    fn end(&mut self, fewest: usize, found: &mut String) {
        if self.printable >= fewest {
            found.push_str(&narrow(&self.bytes));
            found.push('\n');
        }
        self.bytes.clear();
        (self.printable, self.since, self.gap) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{stretches, words};

    const TEXT: &str = "Castellano, José; MRN 00412345\r\nMuñoz, Renée; MRN 00412399";

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn text_is_read_in_the_charset_it_is_in() {
        let latin = TEXT.chars().map(|letter| u8::try_from(letter as u32).unwrap());
        let utf32 = TEXT.chars().flat_map(|letter| (letter as u32).to_be_bytes()).collect();
        let cases: [(&str, Vec<u8>); 7] = [
            ("UTF-8", TEXT.into()),
            ("UTF-8 with a mark", [b"\xEF\xBB\xBF", TEXT.as_bytes()].concat()),
            ("windows-1252", latin.collect()),
            ("UTF-16, low byte first", utf16(TEXT, u16::to_le_bytes)),
            ("UTF-16, high byte first", utf16(TEXT, u16::to_be_bytes)),
            ("UTF-16 with a mark", [vec![0xFF, 0xFE], utf16(TEXT, u16::to_le_bytes)].concat()),
            ("UTF-32", utf32),
        ];
        for (name, bytes) in cases {
            assert_eq!(words(&bytes).as_deref(), Some(TEXT), "{name}");
        }
        let cut: Vec<u8> =
            TEXT.as_bytes().chunks(12).flat_map(|line| [line, b"\0"].concat()).collect();
        assert_eq!(words(&cut).as_deref(), Some(TEXT));
        let russian = "Пациентка Иванова поступила вчера";
        assert_eq!(words(&utf16(russian, u16::to_le_bytes)).as_deref(), Some(russian));
        assert_eq!(words(&utf16(russian, u16::to_be_bytes)).as_deref(), Some(russian));
    }

    #[test]
    fn what_stands_before_a_text_does_not_hide_it() {
        for before in
            [&b"GIF89a\0"[..], b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", b"\xFF\x0A", b"\x89PNG\r\n\x1A\n\0"]
        {
            for text in [TEXT.as_bytes().to_vec(), utf16(TEXT, u16::to_le_bytes)] {
                let read = words(&[before, &text].concat()).unwrap_or_default();
                assert!(read.contains("Castellano"), "{} {read}", before.escape_ascii());
            }
        }
    }

    #[test]
    fn packed_bytes_are_no_text_but_their_words_are_read() {
        let noise = |n: usize| -> Vec<u8> {
            let mut state = 7u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            };
            (0..n).map(|_| next()).collect()
        };
        let mut bytes = noise(4000);
        assert_eq!((words(&bytes), stretches(&bytes)), (None, None));
        bytes.extend_from_slice(b"\0Castellano, Jos\xE9; MRN 00412345\0");
        bytes.extend(noise(4000));
        assert_eq!(words(&bytes), None);
        assert!(stretches(&bytes).unwrap().contains("Castellano, José; MRN 00412345"));
        let record = [&noise(14)[..], b"\x01\x0aCastellano\x08"].concat();
        let records: Vec<u8> = record.repeat(40);
        assert!(words(&records).is_some() || stretches(&records).unwrap().contains("Castellano"));
        assert_eq!(words(b""), None);
        assert_eq!(words(b"\0\x01\x02\x03"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (words(&bytes), stretches(&bytes));
        }
    }
}
