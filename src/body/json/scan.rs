//! Finds the end of each token of a JSON text, by RFC 8259 and not a comma beyond it.

use crate::body::Unreadable;
use crate::body::json::string::read_escape;

/// A place in a JSON text.
pub(super) struct Scan<'a> {
    source: &'a str,
    at: usize,
}

/// The inside of a string: its bytes without the quotes and, where it has escapes, what they come to.
pub(super) struct Inside<'a> {
    pub(super) raw: &'a str,
    pub(super) start: usize,
    pub(super) unescaped: Option<String>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// The next byte that is not blank.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.source.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Takes the byte if it is the next that is not blank.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// A string, the next byte being its opening quote.
    pub(super) fn string(&mut self) -> Result<Inside<'a>, Unreadable> {
        let start = self.at + 1;
        let bytes = self.source.as_bytes();
        let end = plain_until(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return self.escaped_string(start, end);
        }
        self.at = end + 1;
        let raw = self.source.get(start..end).ok_or(Unreadable::Json)?;
        Ok(Inside { raw, start, unescaped: None })
    }

    /// The same of a string that is plain only from `start` to `at`.
    fn escaped_string(&mut self, start: usize, mut at: usize) -> Result<Inside<'a>, Unreadable> {
        let bytes = self.source.as_bytes();
        let mut text = String::with_capacity((at - start).max(32) * 2);
        let mut run = start;
        loop {
            let plain = self.source.get(run..at).ok_or(Unreadable::Json)?;
            text.push_str(plain);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escape = bytes.get(at..).and_then(read_escape);
                    let (character, length) = escape.ok_or(Unreadable::Json)?;
                    text.push(character);
                    run = at + length;
                    at = plain_until(bytes, run);
                }
                // A control character, or the end of the text.
                _ => return Err(Unreadable::Json),
            }
        }
        self.at = at + 1;
        let raw = self.source.get(start..at).ok_or(Unreadable::Json)?;
        Ok(Inside { raw, start, unescaped: Some(text) })
    }

    /// A number: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    pub(super) fn number(&mut self) -> Result<&'a str, Unreadable> {
        let bytes = self.source.as_bytes();
        let start = self.at;
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(bytes, at)? };
        if bytes.get(at) == Some(&b'.') {
            at = digits(bytes, at + 1)?;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(bytes, at)?;
        }
        self.at = at;
        self.source.get(start..at).ok_or(Unreadable::Json)
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Unreadable> {
        let end = self.at + word.len();
        if self.source.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(Unreadable::Json);
        }
        self.at = end;
        Ok(())
    }
}

/// Where from `start` on the first quote, backslash or control character stands, or the end. Most strings are so short that
/// setting up a search costs more than the search, and all of their bytes must be looked at once anyway.
fn plain_until(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    let mut words = 2;
    loop {
        // Eight bytes at a time: the first sixteen, then those of a chunk that is not plain.
        for _ in 0..words {
            let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
                return at + tail(bytes.get(at..).unwrap_or_default());
            };
            let special = special(u64::from_le_bytes(*word));
            if special != 0 {
                return at + special.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<CHUNK>()) {
            if has_special(chunk) {
                break;
            }
            at += CHUNK;
        }
        words = CHUNK / 8;
    }
}

/// Bytes that are looked at together in a long string.
const CHUNK: usize = 32;

/// Written as a fold so that it compiles to vector code: this reads nearly every byte of a long string.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy `or` would be a branch for each byte")]
fn has_special(chunk: &[u8; CHUNK]) -> bool {
    chunk
        .iter()
        .fold(false, |found, byte| found | (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20))
}

/// How many of fewer than eight bytes are plain.
fn tail(bytes: &[u8]) -> usize {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.iter().position(is_special).unwrap_or(bytes.len())
}

/// The high bit of each byte that is a quote, a backslash or a control character. Those above the first may be wrong: a
/// borrow runs upwards only.
const fn special(word: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    const BLANKS: u64 = u64::from_ne_bytes([0x20; 8]);
    let quote = word ^ QUOTES;
    let backslash = word ^ BACKSLASHES;
    let is_quote = quote.wrapping_sub(LOW) & !quote;
    let is_backslash = backslash.wrapping_sub(LOW) & !backslash;
    let is_control = word.wrapping_sub(BLANKS) & !word;
    (is_quote | is_backslash | is_control) & HIGH
}

/// One past the digits at `at`, of which there must be one.
fn digits(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let n =
        bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if n == 0 { Err(Unreadable::Json) } else { Ok(at + n) }
}
