//! Base64 and hexadecimal within texts: found wherever they stand, and undone if what they hold can be read.
//!
//! A server decodes what it expects to be encoded, and a reader pastes the rest into a decoder; neither needs padding, blanks
//! or the whole of a string to be base64. Promise: ordinary words are passed over at a look at every sixteenth byte, and a
//! token that holds no text costs one pass over its digits.

use std::cell::Cell;
use std::ops::Range;

use crate::body::{Unreadable, base64, encoding, sniff, textual};

/// Fewer digits than this hold no sentence.
const FEWEST: usize = 16;
/// Of hexadecimal, twice as many.
const FEWEST_HEX: usize = 32;
/// Fewer bytes than this are text by accident.
const FEWEST_BYTES: usize = 12;
/// Blanks between two lines of one code.
const MOST_BETWEEN: usize = 8;
/// How often one code may lie in another, of keys and names.
const MOST_CODED: usize = 4;
/// Bytes that may come out of all of those in one request.
const MOST_UNDONE: usize = 256 * 1024;
/// What a text that came out costs beside its bytes.
const COST_OF_ONE: usize = 64;
/// Digits that are looked at to know what else than text they hold.
const HEAD: usize = 88;

/// One code in a text.
pub(super) struct Coded {
    /// Where it stands, padding and all.
    pub(super) span: Range<usize>,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// Whether what it holds could be written back in its place: it is base64 as we would write it.
    pub(super) is_exact: bool,
}

/// What the keys, names and headers of one request hold in codes: nobody writes those back.
///
/// A code within codes may be many times as long as what it is written in, so there is one bound on all that comes out.
#[derive(Debug)]
pub struct Codes {
    /// Bytes that may yet come out.
    left: Cell<usize>,
    fault: Cell<Option<Unreadable>>,
}

impl Default for Codes {
    fn default() -> Self {
        Self { left: Cell::new(MOST_UNDONE), fault: Cell::new(None) }
    }
}

impl Codes {
    /// The texts that a text holds in base64 or hexadecimal. Where they cannot all be had, [`finish`](Self::finish) says so.
    pub fn texts(&self, text: &str) -> Vec<String> {
        let mut texts = Vec::new();
        self.undo(text, MOST_CODED, &mut texts);
        texts
    }

    /// Whether all could be undone.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where a code was damaged, lay too deep in others, or more came out than may.
    pub fn finish(self) -> Result<(), Unreadable> {
        self.fault.get().map_or(Ok(()), Err)
    }

    fn undo(&self, text: &str, depth: usize, texts: &mut Vec<String>) {
        for coded in find(text) {
            if self.fault.get().is_some() {
                return;
            }
            if let Err(fault) = self.undo_one(coded, depth, texts) {
                self.fault.set(Some(fault));
            }
        }
    }

    fn undo_one(
        &self,
        coded: Coded,
        depth: usize,
        texts: &mut Vec<String>,
    ) -> Result<(), Unreadable> {
        let unpacked = encoding::unpack(&coded.bytes, self.left.get())?;
        let bytes = unpacked.map_or(coded.bytes, |unpacked| unpacked.inside);
        let left = self.left.get().checked_sub(bytes.len() + COST_OF_ONE);
        self.left.set(left.ok_or(Unreadable::TooLarge)?);
        let Some(inside) = textual::words(&bytes) else { return Ok(()) };
        match depth {
            1 if find(&inside).is_empty() => {}
            1 => return Err(Unreadable::TooDeep),
            _ => self.undo(&inside, depth - 1, texts),
        }
        texts.push(inside);
        Ok(())
    }
}

/// Every code in a text that holds something to be read, or a file.
pub(super) fn find(text: &str) -> Vec<Coded> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(run) = next_run(bytes, from) {
        let code = Code::around(bytes, run);
        from = code.span.end;
        found.extend(code.read(bytes));
    }
    if found.is_empty() {
        found.extend(in_short_lines(bytes));
    }
    found
}

/// The next stretch of enough digits that begins at or after `from`, which no digit stands before.
fn next_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from + FEWEST - 1;
    while let Some(&byte) = bytes.get(at) {
        if !base64::is_digit(byte) {
            at += FEWEST;
            continue;
        }
        let before = bytes.get(from..at).unwrap_or_default();
        let n_before = before.iter().rev().take_while(|byte| base64::is_digit(**byte)).count();
        let end = at + digits_at(bytes, at);
        if end - (at - n_before) >= FEWEST {
            return Some(at - n_before..end);
        }
        at = end + FEWEST;
    }
    None
}

fn digits_at(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| base64::is_digit(**byte)).count()
}

/// Digits that may be one code.
struct Code {
    span: Range<usize>,
    /// Whether it is of several lines.
    is_broken: bool,
}

impl Code {
    /// The code that begins with a run of digits: its padding, and the lines that go on with it.
    fn around(bytes: &[u8], run: Range<usize>) -> Self {
        let mut code = Self { span: run, is_broken: false };
        loop {
            let rest = bytes.get(code.span.end..).unwrap_or_default();
            let padding = rest.iter().take(2).take_while(|byte| **byte == b'=').count();
            if padding > 0 {
                code.span.end += padding;
                return code;
            }
            let blanks = rest.iter().take(MOST_BETWEEN + 1).take_while(|b| b.is_ascii_whitespace());
            let blanks = blanks.count();
            let next = code.span.end + blanks;
            let n_digits = digits_at(bytes, next);
            // A short line is the last of several, or an ordinary word.
            let ends_line = rest.iter().take(blanks).any(|byte| *byte == b'\n');
            let goes_on = n_digits >= FEWEST || (n_digits > 0 && (code.is_broken || ends_line));
            if !(1..=MOST_BETWEEN).contains(&blanks) || !goes_on {
                return code;
            }
            code.span.end = next + n_digits;
            code.is_broken = true;
            if n_digits < FEWEST {
                let rest = bytes.get(code.span.end..).unwrap_or_default();
                code.span.end += rest.iter().take(2).take_while(|byte| **byte == b'=').count();
                return code;
            }
        }
    }

    fn read(self, bytes: &[u8]) -> Option<Coded> {
        let written = bytes.get(self.span.clone())?;
        if self.is_broken {
            let bytes = decode(&without_blanks(written))?;
            return Some(Coded { span: self.span, bytes, is_exact: false });
        }
        let padding = written.iter().rev().take_while(|byte| **byte == b'=').count();
        let bytes = decode(written.get(..written.len() - padding)?)?;
        let is_plain = memchr::memchr2(b'-', b'_', written).is_none();
        let is_exact = is_plain && base64::decode(written).is_some_and(|exact| exact == bytes);
        Some(Coded { span: self.span, bytes, is_exact })
    }
}

/// Base64 that is cut into lines too short to be runs, and is all there is.
fn in_short_lines(bytes: &[u8]) -> Option<Coded> {
    let may_be = |byte: &u8| base64::is_digit(*byte) || byte.is_ascii_whitespace() || *byte == b'=';
    let is_cut = bytes.len() > FEWEST && bytes.iter().all(may_be);
    if !is_cut || !bytes.iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    let digits = without_blanks(bytes);
    let is_like = is_like_text(&digits) || digits.get(..FEWEST)?.iter().all(u8::is_ascii_hexdigit);
    let read = if is_like { decode(&digits)? } else { return None };
    Some(Coded { span: 0..bytes.len(), bytes: read, is_exact: false })
}

fn without_blanks(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| base64::is_digit(*byte)).collect()
}

/// What digits hold, if that can be read or is a file.
fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() >= FEWEST_HEX
        && let Some(bytes) = hexadecimal(digits).filter(|bytes| is_telling(bytes))
    {
        return Some(bytes);
    }
    // What stands before it without a blank moves the digits by up to three.
    for shift in 0..4 {
        let digits = digits.get(shift..).filter(|digits| digits.len() >= FEWEST)?;
        if is_like_text(digits) {
            let bytes = base64::lenient(digits);
            if is_telling(&bytes) {
                return Some(bytes);
            }
        }
    }
    let head = base64::lenient(digits.get(..HEAD).unwrap_or(digits));
    let is_file =
        sniff::is_known_document(&head) || sniff::is_media(&head) || encoding::is_packed(&head);
    if is_file {
        return Some(base64::lenient(digits));
    }
    // Letters beyond ASCII throughout.
    let is_letters = match std::str::from_utf8(&head) {
        Ok(_) => true,
        Err(fault) => fault.valid_up_to() + 4 > head.len() && head.len() > 4,
    };
    is_letters.then(|| base64::lenient(digits)).filter(|bytes| is_telling(bytes))
}

/// Whether what digits hold is ASCII but for a few bytes: told by one bit of each, before any is decoded.
fn is_like_text(digits: &[u8]) -> bool {
    let most = digits.len() / 8;
    let mut odd = 0;
    for four in digits.chunks(4) {
        for (digit, bit) in four.iter().zip([0b10_0000, 0b00_1000, 0b00_0010]) {
            odd += usize::from(base64::value(*digit).is_none_or(|value| value & bit != 0));
        }
        if odd > most {
            return false;
        }
    }
    true
}

/// Whether bytes are text, and not by accident.
fn is_telling(bytes: &[u8]) -> bool {
    if bytes.len() < FEWEST_BYTES {
        return false;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return sniff::is_plain_text(text) || textual::words(bytes).is_some();
    }
    let n_letters = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\0' | b'\n' | b'\r'));
    n_letters.count() * 4 >= bytes.len() * 3 && textual::words(bytes).is_some()
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    // `0x` before it is as long as one of its bytes.
    let pairs = pairs.strip_prefix(&[*b"0x"]).unwrap_or(pairs);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Codes, find};
    use crate::body::{Unreadable, base64};

    fn coded_texts(text: &str) -> Vec<String> {
        let codes = Codes::default();
        let texts = codes.texts(text);
        assert_eq!(codes.finish(), Ok(()), "{text}");
        texts
    }

    #[test]
    fn what_comes_out_of_codes_is_bounded() {
        let mut many = base64::encode(b"Twelve admissions");
        for _ in 0..3 {
            many = base64::encode(vec![many; 40].join(",").as_bytes());
        }
        let deep = (0..5).fold(TEXT.to_owned(), |text, _| base64::encode(text.as_bytes()));
        let damaged = base64::encode(b"\x1f\x8b\x08 MRN 00412345 of Castellano");
        for (text, fault) in [
            (many, Unreadable::TooLarge),
            (deep, Unreadable::TooDeep),
            (damaged, Unreadable::DamagedCoding),
        ] {
            let codes = Codes::default();
            let texts = codes.texts(&text);
            assert!(texts.len() < 4_096, "{}", texts.len());
            assert_eq!(codes.finish(), Err(fault));
        }
    }

    const TEXT: &str = "Castellano,Jose,MRN-00412345,1961-03-14";

    #[test]
    fn codes_are_found_wherever_they_stand() {
        let code = base64::encode(TEXT.as_bytes());
        let bare = code.trim_end_matches('=');
        let lines = |n: usize, end: &str| {
            code.as_bytes()
                .chunks(n)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect::<Vec<_>>()
                .join(end)
        };
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
        let hexadecimal: String =
            TEXT.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        for written in [
            code.clone(),
            bare.to_owned(),
            format!("see {code} there"),
            format!("see {bare}, there"),
            format!("https://example.org/f?d={bare}"),
            format!("x{code}"),
            format!("a/{code}"),
            format!("abc{bare}"),
            lines(20, "\n"),
            lines(16, "\r\n   "),
            lines(10, "\n"),
            lines(7, " "),
            hexadecimal.clone(),
            format!("0x{hexadecimal}"),
            hexadecimal.to_uppercase(),
        ] {
            let found = coded_texts(&written);
            assert!(found.iter().any(|text| text.contains("MRN-00412345")), "{written}: {found:?}");
        }
    }

    #[test]
    fn words_in_other_letters_are_found() {
        let russian = "Пациентка Иванова";
        assert_eq!(coded_texts(&base64::encode(russian.as_bytes())), [russian]);
        let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(coded_texts(&base64::encode(&wide)), [TEXT]);
    }

    #[test]
    fn words_and_tokens_are_no_codes() {
        for text in [
            "",
            "short",
            "Twelve admissions and two codes and one pizza that nobody got to eat",
            "electroencephalographically speaking",
            "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
            "bafkreibabalobzn6cd366ukcsjycp4yymjymgfxcv6xczmlgpemzkz3cfa",
            "https://example.org/2026/11/22/this-is-a-long-slug-of-many-words-in-a-row/",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
            "1234567890123456789012345678901234567890",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(coded_texts(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn only_what_we_would_write_is_exact() {
        let code = base64::encode(TEXT.as_bytes());
        for (written, is_exact) in [
            (format!("see {code} there"), true),
            (format!("see {} there", code.trim_end_matches('=')), !code.ends_with('=')),
            (
                base64::encode("où?~~~ Castellano MRN".as_bytes())
                    .replace('+', "-")
                    .replace('/', "_"),
                false,
            ),
            (format!("x{code}"), false),
        ] {
            let found = find(&written);
            assert_eq!(
                found.iter().map(|coded| coded.is_exact).collect::<Vec<_>>(),
                [is_exact],
                "{written}"
            );
        }
    }

    proptest! {
        #[test]
        fn spans_are_of_the_text(pieces in prop::collection::vec(prop::sample::select(vec!["Q2FzdGVsbGFubyxKb3NlLE1STi0wMDQxMjM0NQ==", "\n", " ", "=", "é", "abcdefghijklmnopqrst", ",", "/-_+", "4a616e65"]), 0..12)) {
            let text = pieces.concat();
            let mut at = 0;
            for coded in find(&text) {
                prop_assert!(coded.span.start >= at && text.get(coded.span.clone()).is_some());
                at = coded.span.end;
            }
        }
    }
}
