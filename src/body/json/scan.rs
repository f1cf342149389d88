//! Finds the end of each token of a JSON text, by RFC 8259 and not a comma beyond it.

use crate::body::Unreadable;

/// A place in a JSON text.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    source: &'a str,
    at: usize,
}

/// The inside of a string: its bytes without the quotes, and whether it needs unescaping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'a> {
    pub(super) raw: &'a str,
    pub(super) start: usize,
    pub(super) escaped: bool,
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
        let (mut at, found) = short(bytes, start);
        if found {
            // Nearly every string ends here.
            self.at = at + 1;
            let raw = self.source.get(start..at).ok_or(Unreadable::Json)?;
            return Ok(Inside { raw, start, escaped: false });
        }
        let mut escaped = false;
        loop {
            let rest = bytes.get(at..).ok_or(Unreadable::Json)?;
            let length = memchr::memchr2(b'"', b'\\', rest).ok_or(Unreadable::Json)?;
            if has_control(rest.get(..length).unwrap_or_default()) {
                return Err(Unreadable::Json);
            }
            at += length;
            if rest.get(length) == Some(&b'"') {
                break;
            }
            // What follows the backslash is judged when the escape is undone; here it only must not end the string.
            escaped = true;
            if bytes.get(at + 1).is_none_or(|byte| *byte < 0x20) {
                return Err(Unreadable::Json);
            }
            at += 2;
        }
        self.at = at + 1;
        let raw = self.source.get(start..at).ok_or(Unreadable::Json)?;
        Ok(Inside { raw, start, escaped })
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

/// Walks the first bytes of a string, eight at a time: most strings are so short that setting up a search costs more than
/// the search. Gives how far they are plain, and whether the closing quote stands there.
fn short(bytes: &[u8], start: usize) -> (usize, bool) {
    const WORDS: usize = 8;
    let mut at = start;
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            at += special.trailing_zeros() as usize / 8;
            return (at, bytes.get(at) == Some(&b'"'));
        }
        at += 8;
    }
    (at, false)
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

/// Written as a fold so that it compiles to vector code: this reads every byte of every string.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy `or` would be a branch for each byte")]
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | (*byte < 0x20))
}

/// One past the digits at `at`, of which there must be one.
fn digits(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let n =
        bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if n == 0 { Err(Unreadable::Json) } else { Ok(at + n) }
}
