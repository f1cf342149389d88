//! The file of a roster, byte by byte.
//!
//! ```text
//! head      8 KiB   what it is, key id, salt, counts, where everything stands; its own MAC
//! rows      24 bytes a patient, each masked by a hash of its number
//! terms     256 parts, each a table of 8-byte slots: tag, masked payload; linear probing in the order of the hashes
//! words     one table of 16-byte slots: tag, masked number of the word and how many bear it
//! seals     16 bytes for each 4 KiB of rows, terms and words: keyed BLAKE3 of the block and its number
//! ```
//!
//! The head's MAC covers a hash of the seals, so that a file is known to be whole block by block: opening reads head
//! and seals, and each block is checked when it is first touched (or all of them at once, where the file is small).

use std::fmt::Write as _;

use jiff::Timestamp;

/// Parts of the table of terms.
pub(super) const PARTS: usize = 256;
/// Bytes of the head.
pub(super) const HEAD: usize = 8192;
/// Bytes that one seal seals.
pub(super) const BLOCK: usize = 4096;
/// Bytes of a seal.
pub(super) const SEAL: usize = 16;
/// Bytes of a row.
pub(super) const ROW: usize = 24;
/// Bytes of a slot of the table of terms.
pub(super) const SLOT: usize = 8;
/// Bytes of a slot of the table of words.
pub(super) const WORD: usize = 16;
/// Where the head's MAC stands.
const MAC: usize = 4064;
/// Where the parts of the table of terms stand in the head.
const DIRECTORY: usize = 4096;

const MAGIC: [u8; 16] = *b"postward-roster\n";
/// Raised whenever a byte of the file means something else, or a form or weight of a term changes.
const VERSION: u32 = 1;

/// How many of each kind of field a roster has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kinds {
    /// Patients with a name.
    pub names: u64,
    /// Patients with a day of birth.
    pub births: u64,
    /// Record and other numbers.
    pub numbers: u64,
    /// Telephone numbers.
    pub phones: u64,
    /// E-mail addresses.
    pub emails: u64,
    /// Addresses.
    pub addresses: u64,
    /// Patients with a room.
    pub rooms: u64,
    /// Kin and other contacts.
    pub relatives: u64,
}

impl Kinds {
    /// Every count with the word for it.
    pub const fn each(&self) -> [(&'static str, u64); 8] {
        [
            ("name", self.names),
            ("birth date", self.births),
            ("number", self.numbers),
            ("phone", self.phones),
            ("e-mail", self.emails),
            ("address", self.addresses),
            ("room", self.rooms),
            ("relative", self.relatives),
        ]
    }

    fn from_counts(counts: [u64; 8]) -> Self {
        let [names, births, numbers, phones, emails, addresses, rooms, relatives] = counts;
        Self { names, births, numbers, phones, emails, addresses, rooms, relatives }
    }
}

/// What a file says of itself, and nothing of any patient.
#[derive(Clone, Debug)]
pub struct About {
    /// When it was built.
    pub built: Timestamp,
    /// The id of its key.
    pub key_id: [u8; 8],
    /// Patients.
    pub n_patients: u64,
    /// Of them in the house when it was built.
    pub n_in_house: u64,
    /// Of them left so lately that they are kept in the census.
    pub n_left: u64,
    /// Distinct words of names.
    pub n_words: u64,
    /// Fields of each kind.
    pub kinds: Kinds,
    /// Numbers of digits alone, by how many digits they have (31 and more at last).
    pub lengths: [u64; 32],
    /// Bytes of the whole file.
    pub n_bytes: u64,
}

impl About {
    /// Key id as sixteen hexadecimal digits.
    pub fn key(&self) -> String {
        self.key_id.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Where one part of the table of terms stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Part {
    /// In slots from the beginning of the terms.
    pub(super) first: u32,
    /// Slots that homes are spread over.
    pub(super) homes: u32,
    /// Slots, the run over the last home counted in; the last is empty.
    pub(super) slots: u32,
}

/// The head of a file.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) about: About,
    pub(super) salt: [u8; 16],
    /// Where the terms begin; the rows stand before them.
    pub(super) terms: u64,
    /// Where the words begin.
    pub(super) words: u64,
    /// Slots that homes of words are spread over, and slots.
    pub(super) word_slots: (u32, u32),
    /// Where the seals begin.
    pub(super) seals: u64,
    /// Hash of the seals.
    pub(super) seals_hash: [u8; 32],
    pub(super) parts: Vec<Part>,
}

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum HeadFault {
    NoRoster,
    Altered,
}

/// Writes numbers one after the other.
struct Pen<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let there = self.bytes.get_mut(self.at..).unwrap_or_default();
        for (slot, byte) in there.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.at += bytes.len();
    }

    fn number(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }
}

/// Reads them again.
struct Eye<'a> {
    bytes: &'a [u8],
}

impl<'a> Eye<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn small(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

impl Head {
    /// The bytes of the head, its MAC in place.
    pub(super) fn to_bytes(&self, key: &[u8; 32]) -> Vec<u8> {
        let mut bytes = vec![0; HEAD];
        let mut pen = Pen { bytes: &mut bytes, at: 0 };
        let about = &self.about;
        pen.put(&MAGIC);
        pen.number(u64::from(VERSION));
        pen.put(&about.key_id);
        pen.put(&self.salt);
        pen.number(u64::from_le_bytes(about.built.as_second().to_le_bytes()));
        for number in [about.n_patients, about.n_in_house, about.n_left, about.n_words] {
            pen.number(number);
        }
        for (_, count) in about.kinds.each() {
            pen.number(count);
        }
        about.lengths.iter().for_each(|count| pen.number(*count));
        for number in [about.n_bytes, self.terms, self.words, self.seals] {
            pen.number(number);
        }
        let (homes, slots) = self.word_slots;
        pen.put(&homes.to_le_bytes());
        pen.put(&slots.to_le_bytes());
        pen.put(&self.seals_hash);
        pen.at = DIRECTORY;
        for part in &self.parts {
            for number in [part.first, part.homes, part.slots, 0] {
                pen.put(&number.to_le_bytes());
            }
        }
        let mac = blake3::keyed_hash(key, &bytes);
        Pen { bytes: &mut bytes, at: MAC }.put(mac.as_bytes());
        bytes
    }

    /// The id of the key and the salt, before anything can be checked.
    pub(super) fn key_and_salt(bytes: &[u8]) -> Result<([u8; 8], [u8; 16]), HeadFault> {
        let mut eye = Eye { bytes };
        let known = eye.array() == Some(MAGIC) && eye.number() == Some(u64::from(VERSION));
        match (eye.array(), eye.array()) {
            (Some(key), Some(salt)) if known => Ok((key, salt)),
            _ => Err(HeadFault::NoRoster),
        }
    }

    /// The head that these bytes are.
    pub(super) fn read(bytes: &[u8], key: &[u8; 32]) -> Result<Self, HeadFault> {
        let (key_id, salt) = Self::key_and_salt(bytes)?;
        let mut unsealed = bytes.get(..HEAD).ok_or(HeadFault::Altered)?.to_vec();
        let mac: [u8; 32] = Eye { bytes: bytes.get(MAC..).unwrap_or_default() }
            .array()
            .ok_or(HeadFault::Altered)?;
        Pen { bytes: &mut unsealed, at: MAC }.put(&[0; 32]);
        // Compared in constant time.
        if blake3::keyed_hash(key, &unsealed) != blake3::Hash::from_bytes(mac) {
            return Err(HeadFault::Altered);
        }
        Self::parse(&unsealed, key_id, salt).ok_or(HeadFault::Altered)
    }

    fn parse(bytes: &[u8], key_id: [u8; 8], salt: [u8; 16]) -> Option<Self> {
        let mut eye = Eye { bytes: bytes.get(16 + 8 + 8 + 16..)? };
        let built = i64::from_le_bytes(eye.array()?);
        let [n_patients, n_in_house, n_left, n_words] =
            [eye.number()?, eye.number()?, eye.number()?, eye.number()?];
        let mut counts = [0; 8];
        for count in &mut counts {
            *count = eye.number()?;
        }
        let mut lengths = [0; 32];
        for count in &mut lengths {
            *count = eye.number()?;
        }
        let [n_bytes, terms, words, seals] =
            [eye.number()?, eye.number()?, eye.number()?, eye.number()?];
        let word_slots = (eye.small()?, eye.small()?);
        let seals_hash = eye.array()?;
        let mut eye = Eye { bytes: bytes.get(DIRECTORY..)? };
        let mut parts = Vec::with_capacity(PARTS);
        for _ in 0..PARTS {
            let [first, homes, slots, _] = [eye.small()?, eye.small()?, eye.small()?, eye.small()?];
            parts.push(Part { first, homes, slots });
        }
        let about = About {
            built: Timestamp::from_second(built).ok()?,
            key_id,
            n_patients,
            n_in_house,
            n_left,
            n_words,
            kinds: Kinds::from_counts(counts),
            lengths,
            n_bytes,
        };
        Some(Self { about, salt, terms, words, word_slots, seals, seals_hash, parts })
    }
}

/// The seal of one block.
pub(super) fn seal(key: &[u8; 32], nth: u64, block: &[u8]) -> [u8; SEAL] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    let hash = *hasher.update(block).update(&nth.to_le_bytes()).finalize().as_bytes();
    let mut seal = [0; SEAL];
    for (slot, byte) in seal.iter_mut().zip(hash) {
        *slot = byte;
    }
    seal
}

/// The slot where a hash would stand if no other stood there.
pub(super) fn home(hash: u64, homes: u32) -> u64 {
    let wide = u128::from(hash) * u128::from(homes);
    u64::try_from(wide >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{About, HEAD, Head, HeadFault, Kinds, PARTS, Part, home};

    #[test]
    fn a_head_is_read_as_written_and_no_byte_of_it_may_change() {
        let parts =
            (0..PARTS).map(|n| Part { first: u32::try_from(n).unwrap(), homes: 1, slots: 2 });
        let head = Head {
            about: About {
                built: Timestamp::from_second(1_795_000_000).unwrap(),
                key_id: [7; 8],
                n_patients: 3,
                n_in_house: 2,
                n_left: 1,
                n_words: 5,
                kinds: Kinds { names: 3, births: 2, ..Kinds::default() },
                lengths: [4; 32],
                n_bytes: 12_345,
            },
            salt: [9; 16],
            terms: 9000,
            words: 10_000,
            word_slots: (8, 9),
            seals: 11_000,
            seals_hash: [3; 32],
            parts: parts.collect(),
        };
        let key = [5; 32];
        let bytes = head.to_bytes(&key);
        let read = Head::read(&bytes, &key).unwrap();
        assert_eq!(format!("{read:?}"), format!("{head:?}"));
        for at in (0..HEAD).step_by(7) {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(Head::read(&altered, &key).is_err(), "byte {at}");
        }
        assert_eq!(Head::read(&bytes, &[6; 32]).unwrap_err(), HeadFault::Altered);
        for cut in [0, 10, 40, 4000, HEAD - 1] {
            assert!(Head::read(&bytes[..cut], &key).is_err());
        }
    }

    #[test]
    fn homes_are_spread_in_the_order_of_the_hashes() {
        assert_eq!(home(0, 10), 0);
        assert_eq!(home(u64::MAX, 10), 9);
        assert_eq!(home(u64::MAX / 2 + 1, 10), 5);
    }
}
