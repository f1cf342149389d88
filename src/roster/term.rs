//! What is hashed, and how: the address of a term in the file, its tag, and the mask over what it says.
//!
//! Every hash is keyed BLAKE3 under a key of its own for each file and purpose. An address and tag tell nobody what term
//! they are of, and what stands there is masked by more of the same hash, so that it can be read only by whoever asks
//! for the term. Two entries of one term (two patients of one name) have tags that have nothing in common.

use jiff::civil::Date;
use zeroize::Zeroizing;

use crate::roster::Key;

/// Rows are numbered with 27 bits.
pub(crate) const MOST_ROWS: usize = 1 << 27;

/// A day as a number: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Day(pub i32);

impl Day {
    /// The number of a date.
    pub fn of(date: Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(date.since(epoch).map_or(0, |span| span.get_days()))
    }

    /// The date of a number; `None` of one that no calendar has.
    pub fn date(self) -> Option<Date> {
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }

    /// As two bytes, 0 of none; days before 1970 and after 2149 are the nearest that fit.
    pub(super) fn packed(day: Option<Self>) -> u16 {
        day.map_or(0, |day| u16::try_from(day.0.clamp(1, 0xffff)).unwrap_or(1))
    }

    pub(super) fn unpacked(packed: u16) -> Option<Self> {
        (packed != 0).then(|| Self(i32::from(packed)))
    }
}

/// What a term is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(super) enum Kind {
    /// A word of names.
    Token = 1,
    /// A long word of names with one letter left out.
    Deletion = 2,
    /// A first and a last name of one row.
    Pair = 3,
    /// A name and the day of birth of one row.
    Birth = 4,
    /// A record number or other code.
    Number = 5,
    /// A telephone number, whole.
    Phone = 6,
    /// The same without its area, of those in the house.
    LocalPhone = 7,
    /// An e-mail address.
    Email = 8,
    /// House number and street.
    Street = 9,
    /// A room, of those in the house.
    Room = 10,
    /// A name alone, of those in the house.
    Lone = 11,
    /// A first name and the first letter of the last, of those in the house.
    FirstInitial = 12,
    /// The first letter of the first name and the last name, of those in the house.
    InitialLast = 13,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Token,
        Self::Deletion,
        Self::Pair,
        Self::Birth,
        Self::Number,
        Self::Phone,
        Self::LocalPhone,
        Self::Email,
        Self::Street,
        Self::Room,
        Self::Lone,
        Self::FirstInitial,
        Self::InitialLast,
    ];

    /// The kind of a number that was a kind.
    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// How many rows of one term are kept; of more, their number alone counts.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::Token => 1,
            Self::Birth | Self::Number | Self::Email => 4,
            Self::Pair => 6,
            Self::Deletion | Self::Phone | Self::LocalPhone | Self::Street | Self::Room => 8,
            Self::Lone | Self::FirstInitial | Self::InitialLast => 16,
        }
    }
}

/// The hash of one term: where it is, how it is told from others there, and what masks it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hash {
    pub(super) home: u64,
    pub(super) tag: u32,
    pub(super) mask: u32,
}

/// The keys of one file.
pub(super) struct Hasher {
    terms: Zeroizing<[u8; 32]>,
    more: Zeroizing<[u8; 32]>,
    rows: Zeroizing<[u8; 32]>,
    pub(super) blocks: Zeroizing<[u8; 32]>,
}

/// Shows no key.
impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

/// Bytes of a hash as numbers.
fn word(hash: &[u8; 32], at: usize) -> u32 {
    let mut bytes = [0; 4];
    for (slot, byte) in bytes.iter_mut().zip(hash.iter().skip(at)) {
        *slot = *byte;
    }
    u32::from_le_bytes(bytes)
}

impl Hasher {
    pub(super) fn new(key: &Key, salt: &[u8; 16]) -> Self {
        Self {
            terms: key.purpose("terms", salt),
            more: key.purpose("more of a term", salt),
            rows: key.purpose("rows", salt),
            blocks: key.purpose("blocks", salt),
        }
    }

    /// The hash of a term of text.
    pub(super) fn text(&self, kind: Kind, text: &str) -> Hash {
        self.bytes(kind, text.as_bytes()).0
    }

    /// The hash of a term made of numbers.
    pub(super) fn numbers(&self, kind: Kind, numbers: [u32; 2]) -> Hash {
        let [a, b] = numbers.map(u32::to_le_bytes);
        self.bytes(kind, [a, b].as_flattened()).0
    }

    /// The hash of a word of names, with the mask of its longer payload.
    pub(super) fn token(&self, word: &str) -> (Hash, [u32; 3]) {
        self.bytes(Kind::Token, word.as_bytes())
    }

    fn bytes(&self, kind: Kind, bytes: &[u8]) -> (Hash, [u32; 3]) {
        let mut short = [0_u8; 64];
        let hash = if bytes.len() < short.len() {
            for (slot, byte) in short.iter_mut().zip(std::iter::once(&(kind as u8)).chain(bytes)) {
                *slot = *byte;
            }
            blake3::keyed_hash(&self.terms, short.get(..=bytes.len()).unwrap_or_default())
        } else {
            let mut hasher = blake3::Hasher::new_keyed(&self.terms);
            hasher.update(&[kind as u8]).update(bytes).finalize()
        };
        let hash = hash.as_bytes();
        let home = u64::from(word(hash, 0)) << 32 | u64::from(word(hash, 4));
        // An empty slot has no tag.
        let tag = word(hash, 8).max(1);
        let masks = [word(hash, 16), word(hash, 20), word(hash, 24)];
        (Hash { home, tag, mask: word(hash, 12) }, masks)
    }

    /// Tag and mask of another entry of the same term.
    pub(super) fn nth(&self, hash: Hash, nth: usize) -> (u32, u32) {
        if nth == 0 {
            return (hash.tag, hash.mask);
        }
        let mut bytes = [0_u8; 24];
        let numbers = hash
            .home
            .to_le_bytes()
            .into_iter()
            .chain(hash.tag.to_le_bytes())
            .chain(hash.mask.to_le_bytes())
            .chain(nth.to_le_bytes());
        for (slot, byte) in bytes.iter_mut().zip(numbers) {
            *slot = byte;
        }
        let more = blake3::keyed_hash(&self.more, &bytes);
        (word(more.as_bytes(), 0).max(1), word(more.as_bytes(), 4))
    }

    /// What masks a row, and the salt of what is compared within it.
    pub(super) fn row(&self, row: u32) -> [u8; 32] {
        *blake3::keyed_hash(&self.rows, &row.to_le_bytes()).as_bytes()
    }

    /// A day of birth as a row keeps it: sixteen bits that say nothing beside another row's.
    pub(super) fn birth(&self, row: u32, birth: Day) -> u16 {
        let mut bytes = [0_u8; 9];
        let numbers = row.to_le_bytes().into_iter().chain(birth.0.to_le_bytes()).chain([b'b']);
        for (slot, byte) in bytes.iter_mut().zip(numbers) {
            *slot = byte;
        }
        let hash = blake3::keyed_hash(&self.rows, &bytes);
        // 0 is no day.
        u16::try_from(word(hash.as_bytes(), 0) & 0xffff).unwrap_or(1).max(1)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Day, Hasher, Kind};
    use crate::roster::Key;

    #[test]
    fn a_hash_depends_on_key_salt_kind_and_every_byte() {
        let key =
            |last: u8| Key::of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, last]).unwrap();
        let (one, other) = (Hasher::new(&key(1), &[0; 16]), Hasher::new(&key(2), &[0; 16]));
        let salted = Hasher::new(&key(1), &[1; 16]);
        let hash = one.text(Kind::Email, "a@b.example");
        assert_eq!(hash, one.text(Kind::Email, "a@b.example"));
        for differs in [
            other.text(Kind::Email, "a@b.example"),
            salted.text(Kind::Email, "a@b.example"),
            one.text(Kind::Street, "a@b.example"),
            one.text(Kind::Email, "a@b.exampl"),
        ] {
            assert_ne!((hash.home, hash.tag), (differs.home, differs.tag));
        }
        // As long as a block of the hash, and longer.
        let long = "x".repeat(63);
        assert_ne!(one.text(Kind::Email, &long), one.text(Kind::Email, &"x".repeat(64)));
        assert_ne!(one.nth(hash, 0), one.nth(hash, 1));
        assert_ne!(one.nth(hash, 1), one.nth(hash, 2));
        assert_ne!(one.birth(1, Day(5)), one.birth(2, Day(5)));
    }

    #[test]
    fn a_day_is_a_number() {
        assert_eq!(Day::of(date(1970, 1, 2)), Day(1));
        assert_eq!(Day::of(date(1934, 1, 20)), Day(-13130));
        assert_eq!(
            Day::unpacked(Day::packed(Some(Day::of(date(2026, 11, 23))))),
            Some(Day::of(date(2026, 11, 23)))
        );
        assert_eq!(Day(-13130).date(), Some(date(1934, 1, 20)));
        assert_eq!(Day(i32::MAX).date(), None);
        assert_eq!(Day::unpacked(Day::packed(None)), None);
        assert_eq!(Day::unpacked(Day::packed(Some(Day(-5)))), Some(Day(1)));
    }
}
