//! Invented patients, one for each path through the program, and every way in which a program might write them down.
//!
//! Nothing of one canary is in another, so what is found names the path it leaked from.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// One invented patient, and the secret of whoever posts about them.
#[derive(Clone)]
pub(super) struct Canary {
    /// The path that this canary takes.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) mrn: String,
    pub(super) ssn: String,
    pub(super) phone: String,
    pub(super) email: String,
    /// A password, token or key: letters and digits.
    pub(super) secret: String,
}

impl Canary {
    /// The `n`th patient, for this path.
    pub(super) fn new(path: &str, n: usize) -> Self {
        let mut dice = Dice(n as u64);
        let surname = dice.word(5);
        let mut name = surname.clone();
        name.replace_range(..1, &surname[..1].to_uppercase());
        // Shorter than twelve digits, a number would sooner or later stand in a hash by chance.
        let mrn = format!("47{:010}", dice.roll() % 10_000_000_000);
        // No area above 899 was ever issued.
        let ssn = dice.roll();
        let ssn = format!("9{:02}-{:02}-{:04}", n % 100, 10 + n / 100 % 90, 1000 + ssn % 9000);
        // What differs stands in front: base64 that is cut to whole groups loses the last digits.
        let phone = format!("({}) 555-01{:02}", 201 + n % 797, n / 797);
        let email = format!("{surname}@mail.example.org");
        let secret = format!("{}{}{}", dice.word(4), dice.roll() % 100_000, dice.word(4));
        Self { path: path.to_owned(), name, mrn, ssn, phone, email, secret }
    }

    /// Words that the shipped policy redacts.
    pub(super) fn named(&self) -> String {
        format!("Saw my patient Jane {} today, she is doing well after surgery", self.name)
    }

    /// Words that the shipped policy blocks.
    pub(super) fn numbered(&self) -> String {
        format!(
            "My patient Jane {}, MRN {}, her SSN is {}, call her at {} or write to {}",
            self.name, self.mrn, self.ssn, self.phone, self.email
        )
    }

    fn identifiers(&self) -> [(&'static str, &str); 6] {
        [
            ("name", &self.name),
            ("mrn", &self.mrn),
            ("ssn", &self.ssn),
            ("phone", &self.phone),
            ("email", &self.email),
            ("secret", &self.secret),
        ]
    }
}

/// Splitmix64: the same canaries in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0xd6e8_feb8_6659_fd93).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A word that can be spoken and that no list knows.
    fn word(&mut self, n_syllables: usize) -> String {
        let mut pick = |letters: &[u8]| char::from(letters[self.roll() as usize % letters.len()]);
        (0..n_syllables).flat_map(|_| [pick(b"bdfgklmnprtvz"), pick(b"aeiou")]).collect()
    }
}

/// Where a canary was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Leak {
    /// The path whose canary it is.
    pub(super) path: String,
    /// Which part of it, in which coding.
    pub(super) what: String,
    /// What it stood in.
    pub(super) found_in: String,
    /// At which byte.
    pub(super) at: usize,
}

/// Looks for canaries in every coding.
pub(super) struct Search {
    automaton: AhoCorasick,
    /// Of each pattern: the path, what it is, and whether a hash might hold it by chance.
    about: Vec<(String, String, bool)>,
}

impl Search {
    pub(super) fn new<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Self {
        let mut patterns = Vec::new();
        let mut about = Vec::new();
        for canary in canaries {
            for (part, text) in canary.identifiers() {
                for (coding, bytes) in codings(text) {
                    let is_digits = bytes.iter().all(u8::is_ascii_digit);
                    patterns.push(bytes);
                    about.push((canary.path.clone(), format!("{part}, {coding}"), is_digits));
                }
            }
        }
        Self::of(patterns, about)
    }

    /// Looks for canaries as they are: in memory, nobody has encoded them for a file yet.
    pub(super) fn plainly<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Self {
        let mut patterns = Vec::new();
        let mut about = Vec::new();
        for canary in canaries {
            for (part, text) in canary.identifiers() {
                patterns.push(text.as_bytes().to_vec());
                about.push((canary.path.clone(), part.to_owned(), false));
            }
        }
        Self::of(patterns, about)
    }

    /// Looks for these bytes as well as for none else: keys, which have no other coding.
    pub(super) fn exactly(what: &str, pieces: Vec<Vec<u8>>) -> Self {
        let about = pieces.iter().map(|_| (what.to_owned(), "as it is".into(), false)).collect();
        Self::of(pieces, about)
    }

    fn of(patterns: Vec<Vec<u8>>, about: Vec<(String, String, bool)>) -> Self {
        // Capitals or small letters: a header's name is written small, a shout is not.
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(patterns)
            .unwrap();
        Self { automaton, about }
    }

    pub(super) fn n_patterns(&self) -> usize {
        self.about.len()
    }

    /// Every canary in these bytes.
    pub(super) fn search(&self, found_in: &str, bytes: &[u8]) -> Vec<Leak> {
        let hits = self.automaton.find_overlapping_iter(bytes);
        hits.filter_map(|hit| {
            let (path, what, is_digits) = &self.about[hit.pattern().as_usize()];
            if *is_digits && is_in_hash(bytes, hit.start(), hit.end()) {
                return None;
            }
            let found_in = found_in.to_owned();
            Some(Leak { path: path.clone(), what: what.clone(), found_in, at: hit.start() })
        })
        .collect()
    }
}

/// Whether digits stand inside 64 hexadecimal ones, as by chance they may: the audit's chain is made of such.
fn is_in_hash(bytes: &[u8], start: usize, end: usize) -> bool {
    let hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = bytes[..start].iter().rev().take_while(hex).count();
    let after = bytes[end..].iter().take_while(hex).count();
    before + (end - start) + after == 64
}

/// A text as it is, and as loggers, encoders and careless code write it.
pub(super) fn codings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let each = |write: fn(u8) -> String| bytes.iter().map(|&byte| write(byte)).collect::<String>();
    let hex = each(|byte| format!("{byte:02x}"));
    let spaced: String = each(|byte| format!("{byte}, "));
    let mut all = vec![
        ("plain", bytes.to_vec()),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("hex", hex.into_bytes()),
        ("escaped bytes", each(|byte| format!("\\x{byte:02x}")).into_bytes()),
        ("JSON escapes", each(|byte| format!("\\u{byte:04x}")).into_bytes()),
        ("percent, every byte", each(|byte| format!("%{byte:02x}")).into_bytes()),
        ("a list of numbers", spaced.trim_end_matches(", ").as_bytes().to_vec()),
        ("UTF-16, little end first", bytes.iter().flat_map(|&byte| [byte, 0]).collect()),
        ("UTF-16, big end first", bytes.iter().flat_map(|&byte| [0, byte]).collect()),
    ];
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let percent = |blank: &str| -> String {
        let write = |&byte: &u8| match byte {
            b' ' => blank.to_owned(),
            _ if keep(byte) => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        };
        bytes.iter().map(write).collect()
    };
    if !bytes.iter().all(|&byte| keep(byte)) {
        all.push(("percent", percent("%20").into_bytes()));
        all.push(("form", percent("+").into_bytes()));
    }
    for offset in 0..3 {
        all.push(("base64", base64_at(bytes, offset)));
    }
    let digits: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_digit).collect();
    let is_number = digits.len() >= 9 && !bytes.iter().any(u8::is_ascii_alphabetic);
    if is_number && digits != bytes {
        all.push(("digits alone, reversed", digits.iter().rev().copied().collect()));
        all.push(("digits alone", digits));
    }
    all
}

/// Base64 of a text that begins at this place in a group of three, without the letters that its neighbours share.
fn base64_at(bytes: &[u8], offset: usize) -> Vec<u8> {
    let padded = [&vec![0; offset][..], bytes].concat();
    let whole = padded.len() / 3 * 3;
    let letters = base64(&padded[..whole]);
    let shared = [0, 2, 3][offset];
    letters[shared..].to_vec()
}

/// Base64 without padding.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for chunk in bytes.chunks(3) {
        let group = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for n in 0..=chunk.len() {
            out.push(LETTERS[(bits >> (18 - 6 * n)) as usize & 63]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Canary, Search, base64, codings};

    #[test]
    fn no_two_canaries_share_anything() {
        let canaries: Vec<Canary> = (0..2000).map(|n| Canary::new("a", n)).collect();
        let mut seen = HashSet::new();
        for canary in &canaries {
            for (part, text) in canary.identifiers() {
                assert!(seen.insert(text.to_owned()), "{part} {text} twice");
            }
        }
    }

    #[test]
    fn the_search_finds_a_canary_in_every_coding_and_no_other() {
        let canaries: Vec<Canary> = (0..40).map(|n| Canary::new(&format!("path {n}"), n)).collect();
        let search = Search::new(&canaries);
        let canary = &canaries[17];
        let numbered = canary.numbered();
        let utf16: Vec<u8> = numbered.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut written: Vec<Vec<u8>> = vec![
            numbered.to_uppercase().into_bytes(),
            format!("{:?}", numbered.as_bytes()).into_bytes(),
            serde_json::to_vec(&numbered).unwrap(),
            utf16,
            format!("x{}y", canary.ssn.replace('-', "")).into_bytes(),
            canary
                .phone
                .chars()
                .filter(char::is_ascii_digit)
                .rev()
                .collect::<String>()
                .into_bytes(),
        ];
        for offset in 0..3 {
            written.push(base64(&[&b"abc"[..offset], numbered.as_bytes()].concat()));
        }
        for (_, text) in canary.identifiers() {
            written.extend(
                codings(text).into_iter().map(|(_, bytes)| [b"<", &bytes[..], b">"].concat()),
            );
        }
        for bytes in &written {
            let leaks = search.search("here", bytes);
            assert!(!leaks.is_empty(), "{bytes:?} was not found");
            assert!(leaks.iter().all(|leak| leak.path == "path 17"), "{leaks:?}");
        }
        assert_eq!(search.search("here", b"Jane is well, 987654321, hello"), []);
        let in_hash = format!("\"{}{:0<55}\"", canary.ssn.replace('-', ""), "ab");
        assert_eq!(search.search("here", in_hash.as_bytes()), []);
    }
}
