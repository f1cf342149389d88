//! How lines hang together: each holds the hash of the one before it and, last of all, its own.
//!
//! A line is `{"time":..,"node":..,"seq":N,"prev":"<hash>",..,"hash":"<hash>"}` and a line end. Its hash is the SHA-256
//! of the line's own bytes without `,"hash":"<hash>"` and without the line end, in lower-case hexadecimal. So a third
//! party needs only `sed` and `sha256sum` to check it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// Longest line that is written or read; what is longer is no audit line.
pub(super) const MAX_LINE: usize = 1 << 20;

/// What stands before a line's own hash.
const HASH_KEY: &[u8] = b",\"hash\":\"";

/// How every line begins; a torn line is a beginning of one.
const START: &[u8] = b"{\"time\":\"";

/// What follows the time.
const NODE: &[u8] = b"\",\"node\":\"";

/// A hash in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Hash([u8; 64]);

/// The place that the next line takes: after this one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    /// The number of the newest line; lines count from 1.
    pub(super) seq: u64,
    /// Its hash.
    pub(super) hash: Hash,
}

/// What one line of a file is.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// A line of ours whose hash is right.
    Sealed(Sealed),
    /// It has the form of one of ours, but its hash is not that of its words.
    Changed,
    /// Anything else, such as the beginning of a line that a crash cut off.
    Fragment,
}

/// What a chain needs to know of a line.
#[derive(Debug, PartialEq)]
pub(super) struct Sealed {
    /// Its own place.
    pub(super) link: Link,
    /// The hash of the line before it.
    pub(super) prev: Hash,
    /// Whether it opens a file that continues another.
    pub(super) continues: bool,
    /// What it says of the torn bytes before it.
    pub(super) torn: Option<(u64, Hash)>,
    /// The hash of the last line of a file that was removed by rule, where it says so.
    pub(super) retired: Option<Hash>,
}

/// The few keys that a chain is made of.
#[derive(Deserialize)]
struct Keys<'l> {
    seq: u64,
    #[serde(borrow)]
    prev: &'l str,
    #[serde(borrow)]
    event: &'l str,
    bytes: Option<u64>,
    #[serde(borrow)]
    sha256: Option<&'l str>,
    #[serde(borrow)]
    head: Option<&'l str>,
}

impl Hash {
    /// What the first line of all names as the one before it.
    pub(super) const NONE: Self = Self([b'0'; 64]);

    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    pub(super) fn finish(hasher: Sha256) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hash = [b'0'; 64];
        for (pair, byte) in hash.chunks_exact_mut(2).zip(hasher.finalize()) {
            if let [high, low] = pair {
                *high = DIGITS.get(usize::from(byte >> 4)).copied().unwrap_or(b'0');
                *low = DIGITS.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
            }
        }
        Self(hash)
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let hash: [u8; 64] = text.try_into().ok()?;
        hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(hash))
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl Link {
    /// Before the first line of all.
    pub(super) const START: Self = Self { seq: 0, hash: Hash::NONE };
}

/// Puts the hash on the line that `buffer` holds from `start` on, without its closing brace, and ends it.
pub(super) fn seal(buffer: &mut Vec<u8>, start: usize) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(buffer.get(start..).unwrap_or_default());
    hasher.update(b"}");
    let hash = Hash::finish(hasher);
    buffer.extend_from_slice(HASH_KEY);
    buffer.extend_from_slice(hash.as_bytes());
    buffer.extend_from_slice(b"\"}\n");
    hash
}

/// Reads one line, without its line end.
pub(super) fn read(line: &[u8]) -> Line {
    let Some((words, hash)) = split(line) else { return Line::Fragment };
    let mut hasher = Sha256::new();
    hasher.update(words);
    hasher.update(b"}");
    if Hash::finish(hasher) != hash {
        return Line::Changed;
    }
    let Ok(keys) = serde_json::from_slice::<Keys<'_>>(line) else { return Line::Fragment };
    let Some(prev) = Hash::parse(keys.prev.as_bytes()) else { return Line::Fragment };
    let torn = match (keys.event, keys.bytes, keys.sha256.map(str::as_bytes).and_then(Hash::parse))
    {
        ("torn", Some(bytes), Some(hash)) => Some((bytes, hash)),
        _ => None,
    };
    Line::Sealed(Sealed {
        link: Link { seq: keys.seq, hash },
        prev,
        continues: keys.event == "continue",
        torn,
        retired: keys
            .head
            .filter(|_| keys.event == "retired")
            .and_then(|head| Hash::parse(head.as_bytes())),
    })
}

/// Whether bytes may be what a crash left of a line: a true beginning of one as the writer writes them, and in the place
/// of the next after `before` (`None` where that is not known). Whatever else stands in a file, somebody put there.
pub(super) fn may_be_torn(fragment: &[u8], before: Option<Link>) -> bool {
    // A line escapes every control byte, so zeros and `\r` are no part of one.
    if fragment.is_empty() || fragment.iter().any(u8::is_ascii_control) {
        return false;
    }
    // A number cut behind its point counts as one that ends too early as well.
    let json = fragment.strip_suffix(b".").unwrap_or(fragment);
    serde_json::from_slice::<IgnoredAny>(json).is_err_and(|fault| fault.is_eof())
        && begins_as_a_line(fragment, before)
        && begins_its_hash(fragment)
}

/// Whether the keys that open every line stand in their order, as far as the fragment goes, and name its place.
fn begins_as_a_line(fragment: &[u8], before: Option<Link>) -> bool {
    let Some(rest) = fragment.strip_prefix(START) else { return START.starts_with(fragment) };
    let is_of_time = |byte: &u8| byte.is_ascii_digit() || b"-:.TZ".contains(byte);
    let n_time = rest.iter().take_while(|byte| is_of_time(byte)).count();
    let rest = rest.get(n_time..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix(NODE) else { return NODE.starts_with(rest) };
    let Some(rest) = string_end(rest) else { return true };
    let place = match before {
        Some(before) => {
            let due = before.seq.saturating_add(1);
            format!("\",\"seq\":{due},\"prev\":\"{}\",\"event\":\"", before.hash)
        }
        None => "\",\"seq\":".to_owned(),
    };
    rest.starts_with(place.as_bytes()) || place.as_bytes().starts_with(rest)
}

/// From the quotation mark on that ends a string.
fn string_end(text: &[u8]) -> Option<&[u8]> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    text.get(end..)
}

/// Whether what there is of the line's own hash is right and not the whole of it.
fn begins_its_hash(fragment: &[u8]) -> bool {
    // Within a string the quotation marks would be escaped.
    let Some(at) = memchr::memmem::find(fragment, HASH_KEY) else { return true };
    let (words, hash) = fragment.split_at(at);
    let end = hash.strip_prefix(HASH_KEY).unwrap_or_default();
    let whole = [Hash::of(&[words, b"}"].concat()).as_bytes(), b"\""].concat();
    whole.starts_with(end)
}

/// The words that were hashed (without the closing brace), and the hash.
fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, end) = line.split_at_checked(line.len().checked_sub(2)?)?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    let words = rest.strip_suffix(HASH_KEY)?;
    if end != b"\"}" || !words.starts_with(START) {
        return None;
    }
    Some((words, Hash::parse(hash)?))
}

#[cfg(test)]
mod tests {
    use super::{Hash, Line, Link, MAX_LINE, may_be_torn, read, seal};

    fn sealed(body: &str) -> Vec<u8> {
        let mut line =
            format!("{{\"time\":\"t\",\"seq\":7,\"prev\":\"{}\",{body}", Hash::NONE).into_bytes();
        seal(&mut line, 0);
        line.pop();
        line
    }

    #[test]
    fn a_sealed_line_reads_back_and_any_changed_byte_shows() {
        let line = sealed("\"event\":\"decision\"");
        let Line::Sealed(seen) = read(&line) else { panic!("not sealed") };
        assert_eq!(
            (seen.link.seq, seen.prev, seen.continues, seen.torn),
            (7, Hash::NONE, false, None)
        );
        for at in 0..line.len() {
            let mut other = line.clone();
            other[at] ^= 1;
            assert!(!matches!(read(&other), Line::Sealed(_)), "byte {at}");
        }
        assert!(line.len() < MAX_LINE);
    }

    #[test]
    fn the_hash_is_what_sha256sum_says_of_the_line_without_it() {
        // printf '{"time":"t","seq":1}' | sha256sum
        let mut line = b"{\"time\":\"t\",\"seq\":1".to_vec();
        assert_eq!(seal(&mut line, 0), Hash::of(b"{\"time\":\"t\",\"seq\":1}"));
        assert_eq!(
            Hash::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_line_says_what_was_torn_before_it() {
        let hash = Hash::of(b"x");
        let Line::Sealed(seen) =
            read(&sealed(&format!("\"event\":\"torn\",\"bytes\":12,\"sha256\":\"{hash}\"")))
        else {
            panic!("not sealed")
        };
        assert_eq!(seen.torn, Some((12, hash)));
    }

    #[test]
    fn only_a_true_beginning_of_the_next_line_may_be_torn() {
        let before = Link { seq: 6, hash: Hash::of(b"x") };
        let mut line = format!(
            "{{\"time\":\"2026-11-22T15:54:32.007Z\",\"node\":\"a \\\"b\\\\\",\"seq\":7,\"prev\":\"{}\",\"event\":\"decision\",\"known\":true,\"findings\":[{{\"length\":3}}],\"clause\":\"\\u000a\",\"care\":1.25",
            before.hash
        )
        .into_bytes();
        seal(&mut line, 0);
        line.pop();
        for cut in 0..=line.len() {
            let (torn, want) = (&line[..cut], cut > 0 && cut < line.len());
            let text = torn.escape_ascii();
            assert_eq!(may_be_torn(torn, Some(before)), want, "{text}");
            assert_eq!(may_be_torn(torn, None), want, "{text}");
            for end in ["\r", "\0", "\n", "\nx"] {
                assert!(!may_be_torn(&[torn, end.as_bytes()].concat(), None), "{text}{end:?}");
            }
        }
        assert!(!may_be_torn(&[&line[..], b"x"].concat(), None));
        let text = std::str::from_utf8(&line[..line.len() - 9]).unwrap();
        for (from, to) in [
            ("", ""),
            ("{\"time", "{\"tine"),
            ("2026", "hello"),
            ("\"node\"", "\"mode\""),
            ("\"seq\":7", "\"seq\":8"),
            ("\"prev\":\"", "\"prev\":\"0"),
            ("\"event\"", "\"evens\""),
            ("\"known\":true", "\"known\":yes"),
            // Once part of the hash stands, any other word shows.
            ("\"known\":true", "\"known\":null"),
        ] {
            let other = text.replacen(from, to, 1);
            assert_eq!(may_be_torn(other.as_bytes(), Some(before)), from == to, "{other}");
        }
        for fragment in ["hello", "{\"x\":1", " {", "{ ", "[", "{\"time\":\"never\"}"] {
            assert!(!may_be_torn(fragment.as_bytes(), None), "{fragment}");
        }
    }

    #[test]
    fn no_line_panics() {
        for line in [&b""[..], b"\"}", b"}", &[0xff; 200], &[b'"'; 80]] {
            assert_eq!(read(line), Line::Fragment);
        }
    }
}
