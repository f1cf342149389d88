//! Asks a roster: is this word, number, day one of theirs, and of which rows?
//!
//! A block is checked against its seal before its first byte is believed; once it fails, the index answers nothing more
//! and says that it is damaged, so that whoever asks can fail closed. So does a file that is mapped and was written to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::roster::build::{FAMILY, RELATIVE, ROW_WORDS, shorter};
use crate::roster::format::{About, BLOCK, HEAD, Head, Part, ROW, SEAL, SLOT, WORD, home, seal};
use crate::roster::news::News;
use crate::roster::open::{Since, Watched};
use crate::roster::term::{Day, Hash, Hasher, Kind};
use crate::roster::{IdentifierKind, Stay};

/// The number of a row, in the order of the sources.
pub type RowNumber = u32;

/// Where the bytes of a roster are.
#[derive(Debug)]
pub(super) enum Bytes {
    Mapped(memmap2::Mmap, Watched),
    Held(Vec<u8>),
}

impl Bytes {
    pub(super) fn get(&self) -> &[u8] {
        match self {
            Self::Mapped(map, _) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

/// A roster that can be asked.
#[derive(Clone)]
pub struct Index {
    whole: Arc<Whole>,
    /// What later news say of its rows.
    news: Arc<News>,
}

/// A file, and what is known of it.
struct Whole {
    bytes: Bytes,
    head: Head,
    hasher: Hasher,
    /// A bit for each block that was checked.
    checked: Vec<AtomicU64>,
    damaged: AtomicBool,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("about", self.about()).finish_non_exhaustive()
    }
}

/// A word of names that the roster knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// Its number among the words of this roster.
    pub number: u32,
    /// How many patients bear it as first or middle name.
    pub given: u32,
    /// How many as last name.
    pub family: u32,
}

/// A row that a term led to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hit {
    /// Which.
    pub row: RowNumber,
    /// Five bits of how it is meant.
    meant: u8,
}

impl Hit {
    fn of(payload: u32) -> Self {
        Self {
            row: payload & ((1 << 27) - 1),
            meant: u8::try_from(payload >> 27).unwrap_or_default(),
        }
    }

    /// Whether it is a relative's.
    pub fn is_relative(self) -> bool {
        u32::from(self.meant) & RELATIVE != 0
    }

    /// Of a name alone: whether it is a last name.
    pub fn is_family(self) -> bool {
        u32::from(self.meant) & FAMILY != 0
    }

    /// Of a pair of names: how many patients bear both, at least, as a power of two.
    pub fn power(self) -> u32 {
        u32::from(self.meant & 0xf)
    }

    /// Of a number: what it numbers.
    pub fn kind(self) -> IdentifierKind {
        IdentifierKind::ALL.get(usize::from(self.meant)).copied().unwrap_or(IdentifierKind::Other)
    }
}

/// What a row itself keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The numbers of words of their names.
    pub words: [u32; ROW_WORDS],
    /// The day of birth, as this row alone has it.
    birth: u16,
    /// When they came.
    pub admitted: Option<Day>,
    /// When they left.
    pub discharged: Option<Day>,
}

impl Row {
    /// Where they stand with the house on a day.
    pub fn stay(&self, today: Day) -> Stay {
        Stay::on(today, self.admitted, self.discharged)
    }

    /// Whether a word is one of their names.
    pub fn has_word(&self, word: u32) -> bool {
        self.words.contains(&word)
    }
}

impl Whole {
    fn is_damaged(&self) -> bool {
        if let Bytes::Mapped(_, watched) = &self.bytes {
            match watched.since() {
                Since::Same => {}
                Since::Written => self.damaged.store(true, Ordering::Release),
                // Most likely another took its name. What was checked before is checked once more all the same.
                Since::Touched => {
                    self.checked.iter().for_each(|flags| flags.store(0, Ordering::Release));
                }
            }
        }
        self.damaged.load(Ordering::Acquire)
    }

    fn check_whole(&self) -> bool {
        let end = usize::try_from(self.head.seals).unwrap_or_default();
        (HEAD..end).step_by(BLOCK).all(|at| self.read(at, 1).is_some())
    }

    /// Bytes of the file, once their block is known to be whole. They lie within one block.
    fn read(&self, at: usize, n: usize) -> Option<&[u8]> {
        if self.damaged.load(Ordering::Relaxed) {
            return None;
        }
        let bytes = self.bytes.get();
        let block = at.checked_sub(HEAD)? / BLOCK;
        let flags = self.checked.get(block / 64)?;
        let flag = 1 << (block % 64);
        if flags.load(Ordering::Acquire) & flag == 0 {
            if !self.is_whole(block) {
                self.damaged.store(true, Ordering::Relaxed);
                return None;
            }
            flags.fetch_or(flag, Ordering::Release);
        }
        bytes.get(at..at + n)
    }

    fn is_whole(&self, block: usize) -> bool {
        let bytes = self.bytes.get();
        let seals = usize::try_from(self.head.seals).unwrap_or(usize::MAX);
        let start = HEAD + block * BLOCK;
        let sealed = seals.checked_add(block * SEAL).and_then(|at| bytes.get(at..at + SEAL));
        let whole = bytes.get(start..(start + BLOCK).min(seals));
        match (sealed, whole) {
            (Some(sealed), Some(whole)) => {
                seal(&self.hasher.blocks, block as u64, whole).as_slice() == sealed
            }
            _ => false,
        }
    }
}

impl Index {
    /// Makes an index of bytes whose head was read; nothing but the head is believed yet.
    pub(super) fn new(bytes: Bytes, head: Head, hasher: Hasher) -> Self {
        let n_blocks =
            usize::try_from(head.seals.saturating_sub(HEAD as u64)).unwrap_or(0).div_ceil(BLOCK);
        let checked = (0..n_blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let whole = Whole { bytes, head, hasher, checked, damaged: AtomicBool::new(false) };
        Self { whole: Arc::new(whole), news: Arc::default() }
    }

    /// The same file, where later news say otherwise of some rows.
    pub(super) fn with_news(&self, news: News) -> Self {
        Self { whole: Arc::clone(&self.whole), news: Arc::new(news) }
    }

    /// The same file without news.
    #[must_use]
    pub fn without_news(&self) -> Self {
        self.with_news(News::default())
    }

    /// What the file says of itself.
    pub fn about(&self) -> &About {
        &self.whole.head.about
    }

    /// By which a file is told from any other.
    pub(super) fn identity(&self) -> [u8; 32] {
        self.whole.head.seals_hash
    }

    /// Whether a block was found altered, or the file was written to since it was mapped: then it answers nothing, and
    /// nothing may be concluded from that. Asks the system once for a file that is mapped.
    pub fn is_damaged(&self) -> bool {
        self.whole.is_damaged()
    }

    /// Checks every block; whether all are as they were written.
    pub fn check_whole(&self) -> bool {
        self.whole.check_whole()
    }

    fn read(&self, at: usize, n: usize) -> Option<&[u8]> {
        self.whole.read(at, n)
    }

    /// The row of a number.
    pub fn row(&self, row: RowNumber) -> Option<Row> {
        if u64::from(row) >= self.whole.head.about.n_patients {
            return None;
        }
        let at = HEAD + row as usize * ROW;
        let mut bytes = [0; ROW];
        // A row may lie in two blocks.
        let first = (BLOCK - at % BLOCK).min(ROW);
        let halves = self.read(at, first)?.iter().chain(match ROW - first {
            0 => &[],
            rest => self.read(at + first, rest)?,
        });
        for ((slot, byte), mask) in bytes.iter_mut().zip(halves).zip(self.whole.hasher.row(row)) {
            *slot = byte ^ mask;
        }
        let small = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let mut words = [0; ROW_WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        let mut kept = Row {
            words,
            birth: small(16)?,
            admitted: Day::unpacked(small(18)?),
            discharged: Day::unpacked(small(20)?),
        };
        if let Some(days) = self.news.of(row).and_then(|news| news.days) {
            [kept.admitted, kept.discharged] = days;
        }
        Some(kept)
    }

    /// Whether a row's day of birth is this one.
    pub fn is_born(&self, number: RowNumber, row: &Row, day: Day) -> bool {
        row.birth == self.whole.hasher.birth(number, day)
    }

    /// A folded word of names.
    pub fn word(&self, word: &str) -> Option<Known> {
        let (hash, [a, b, c]) = self.whole.hasher.token(word);
        let (homes, slots) = self.whole.head.word_slots;
        let mut at = home(hash.home, homes);
        let words = usize::try_from(self.whole.head.words).ok()?;
        while at < u64::from(slots) {
            let slot = self.read(words + usize::try_from(at).ok()? * WORD, WORD)?;
            let number =
                |at: usize| Some(u32::from_le_bytes(slot.get(at..at + 4)?.try_into().ok()?));
            match number(0)? {
                0 => return None,
                tag if tag == hash.tag => {
                    return Some(Known {
                        number: number(4)? ^ a,
                        given: number(8)? ^ b,
                        family: number(12)? ^ c,
                    });
                }
                _ => at += 1,
            }
        }
        None
    }

    /// Numbers of long words from which this one differs by a typing error: a letter more, less, another, or two
    /// exchanged. The word itself is not among them.
    pub fn nearly(&self, word: &str) -> Vec<u32> {
        let deletions = shorter(word);
        let mut near = self.payloads(Kind::Deletion, self.whole.hasher.text(Kind::Deletion, word));
        for shorter in &deletions {
            near.extend(
                self.payloads(Kind::Deletion, self.whole.hasher.text(Kind::Deletion, shorter)),
            );
            // It has a letter too many; what is long enough to be written wrong is long enough to be known.
            if shorter.chars().count() >= super::build::LONG {
                near.extend(self.word(shorter).map(|word| word.number));
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    }

    /// Rows that bear both of two words, one as first and one as last name.
    pub fn pair(&self, one: u32, other: u32) -> Vec<Hit> {
        self.hits(
            Kind::Pair,
            self.whole.hasher.numbers(Kind::Pair, [one.min(other), one.max(other)]),
        )
    }

    /// Rows that bear a word and were born on a day.
    pub fn born(&self, word: u32, day: Day) -> Vec<Hit> {
        let day = u32::from_ne_bytes(day.0.to_ne_bytes());
        self.hits(Kind::Birth, self.whole.hasher.numbers(Kind::Birth, [word, day]))
    }

    /// Rows of the census that bear a word.
    pub fn lone(&self, word: u32) -> Vec<Hit> {
        self.hits(Kind::Lone, self.whole.hasher.numbers(Kind::Lone, [word, 0]))
    }

    /// Rows of the census that bear a first name, and whose last name begins with a letter.
    pub fn first_and_initial(&self, word: u32, initial: char) -> Vec<Hit> {
        let term = [word, u32::from(initial)];
        self.hits(Kind::FirstInitial, self.whole.hasher.numbers(Kind::FirstInitial, term))
    }

    /// Rows of the census that bear a last name, and whose first name begins with a letter.
    pub fn initial_and_last(&self, initial: char, word: u32) -> Vec<Hit> {
        let term = [word, u32::from(initial)];
        self.hits(Kind::InitialLast, self.whole.hasher.numbers(Kind::InitialLast, term))
    }

    /// Rows of the census that bear a word and lie in a room or ward, as [`folded`](crate::roster::folded_words) and
    /// run together.
    pub fn in_place(&self, word: u32, place: &str) -> Vec<Hit> {
        self.hits(Kind::Room, self.whole.hasher.text(Kind::Room, &format!("{word} {place}")))
    }

    /// Rows with a number or code in the form of [`crate::roster::number_form`].
    pub fn number(&self, form: &str) -> Vec<Hit> {
        self.hits(Kind::Number, self.whole.hasher.text(Kind::Number, form))
    }

    /// Rows with a telephone number in the form of [`crate::roster::phone_form`]; of seven digits, those of the census.
    pub fn phone(&self, form: &str) -> Vec<Hit> {
        let mut hits = self.hits(Kind::Phone, self.whole.hasher.text(Kind::Phone, form));
        if form.len() == 7 {
            hits.extend(
                self.hits(Kind::LocalPhone, self.whole.hasher.text(Kind::LocalPhone, form)),
            );
        }
        hits
    }

    /// Rows with an e-mail address, folded.
    pub fn email(&self, form: &str) -> Vec<Hit> {
        self.hits(Kind::Email, self.whole.hasher.text(Kind::Email, form))
    }

    /// Rows with an address in the form of [`crate::roster::street_form`].
    pub fn street(&self, form: &str) -> Vec<Hit> {
        self.hits(Kind::Street, self.whole.hasher.text(Kind::Street, form))
    }

    fn hits(&self, kind: Kind, hash: Hash) -> Vec<Hit> {
        let hits = self.payloads(kind, hash).into_iter().map(Hit::of);
        hits.filter(|hit| !self.news.is_dropped(kind, *hit)).collect()
    }

    /// What stands in the table of terms for a hash.
    fn payloads(&self, kind: Kind, hash: Hash) -> Vec<u32> {
        let mut payloads = Vec::new();
        let mut wanted = (hash.tag, hash.mask);
        let part = usize::try_from(hash.home >> 56).unwrap_or_default();
        let Some(&Part { first, homes, slots }) = self.whole.head.parts.get(part) else {
            return payloads;
        };
        let mut at = home(hash.home << 8, homes);
        while at < u64::from(slots) && payloads.len() < kind.most() {
            let Some((tag, payload)) = self.slot(u64::from(first) + at) else { break };
            if tag == 0 {
                break;
            }
            if tag == wanted.0 {
                payloads.push(payload ^ wanted.1);
                wanted = self.whole.hasher.nth(hash, payloads.len());
            }
            at += 1;
        }
        payloads
    }

    fn slot(&self, at: u64) -> Option<(u32, u32)> {
        let at = usize::try_from(self.whole.head.terms).ok()? + usize::try_from(at).ok()? * SLOT;
        let slot = u64::from_le_bytes(self.read(at, SLOT)?.try_into().ok()?);
        Some((u32::try_from(slot >> 32).ok()?, u32::try_from(slot & 0xffff_ffff).ok()?))
    }
}
