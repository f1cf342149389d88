//! Word lists that ship with the rules: names, common words, places, and the classes of words written by hand.
//!
//! All lists are merged into one table from word to [`Entry`], so that a word of a post is looked up once whatever
//! is asked of it. The table keeps hashes and not words: eight bytes a slot, two megabytes in all, no string to
//! compare. Two words that share a slot and a 32-bit tag would be taken for each other; among the shipped lists a
//! test shows that none do, and for a word of a post the odds are some one in a thousand million.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::rules::weights::Weights;

const NAMES: &str = include_str!("../../rules/lexicons/names.tsv");
const WORDS: &str = include_str!("../../rules/lexicons/words.tsv");
const PLACES: &str = include_str!("../../rules/lexicons/places.tsv");
const NICKNAMES: &str = include_str!("../../rules/lexicons/nicknames.txt");
const CLASSES: [&str; 6] = [
    include_str!("../../rules/lexicons/classes/people.txt"),
    include_str!("../../rules/lexicons/classes/care.txt"),
    include_str!("../../rules/lexicons/classes/time.txt"),
    include_str!("../../rules/lexicons/classes/places.txt"),
    include_str!("../../rules/lexicons/classes/origins.txt"),
    include_str!("../../rules/lexicons/classes/foreign.txt"),
];

/// A power of two that leaves the table about half empty.
const N_SLOTS: usize = 1 << 18;

macro_rules! classes {
    ($($name:ident $word:literal,)*) => {
        /// A class of words, named in the lists by its word.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[expect(missing_docs, reason = "each class is described where its words stand, in rules/lexicons/classes")]
        #[repr(u8)]
        pub enum Class { $($name,)* }

        impl Class {
            /// Every class with the word that names it in the lists.
            const ALL: &[(&str, Self)] = &[$(($word, Self::$name),)*];

            /// The word of the class at a place in their order.
            pub fn word_at(at: usize) -> Option<&'static str> {
                Self::ALL.get(at).map(|(word, _)| *word)
            }
        }
    };
}

classes! {
    Honorific "honorific", Title "title", Doctor "doctor", Credential "credential", Kin "kin", Patient "patient",
    Named "named", Role "role", Praise "praise", Public "public", Pet "pet", EponymHead "eponym-head",
    Eponym "eponym", Brand "brand", TagWord "tag-word", Nato "nato",
    Diagnosis "diagnosis", Procedure "procedure", Measure "measure", Status "status", Death "death", Body "body",
    Ward "ward", IdWord "id-word", ClinicalVerb "clinical-verb", Pron3 "pron3", Pron1 "pron1", Pron2 "pron2",
    Possessive "possessive", Question "question", TimeWord "time-word", Shock "shock",
    Month "month", MonthAmbiguous "month-ambiguous", Weekday "weekday", WeekdayAmbiguous "weekday-ambiguous",
    Holiday "holiday", Relative "relative", DateVerb "date-verb", NumberWord "number-word", Event "event",
    AgeUnit "age-unit", AgeTurn "age-turn",
    Street "street", Facility "facility", Region "region", PlaceBefore "place-before", Room "room", State "state",
    StateCode "state-code", Direction "direction", WorldCity "world-city",
    FirstName "first-name", LastName "last-name", Particle "particle", Nickname "nickname", PhraseHead "phrase-head",
    ForeignWord "foreign-word", NoName "no-name",
    PlaceHead "place-head", PlaceKind "place-kind", UnitWord "unit-word",
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Classes(u64);

impl Classes {
    /// The set of these classes.
    pub const fn of(classes: &[Class]) -> Self {
        let mut bits = 0;
        let mut rest = classes;
        while let [class, tail @ ..] = rest {
            bits |= 1 << (*class as u8);
            rest = tail;
        }
        Self(bits)
    }

    /// Whether the set holds this class.
    pub const fn has(self, class: Class) -> bool {
        self.0 & (1 << (class as u8)) != 0
    }

    /// Whether the two sets share a class.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Every class that is not in the set.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self(!self.0)
    }

    /// The classes that both hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The classes of the set, as bits: the place of a bit is the class.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// What the lists say of one word or phrase. An unlisted one has the default: nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// How many bear it as first name: 0 none, then one more each doubling, from one in ten million.
    pub first: u8,
    /// The same as last name.
    pub last: u8,
    /// How common it is as an ordinary word: 0 unlisted, 1 rare to 17 very common.
    pub word: u8,
    /// The power of ten of the people of the city or county so named: 0 none.
    pub city: u8,
    /// Its number among the words with weights of their own: 0 none.
    pub number: u16,
    /// Its classes.
    pub classes: Classes,
}

/// The shipped word lists, parsed once.
#[derive(Debug, Default)]
pub struct Lexicons {
    /// Tag of the word, its packed entry and its number; a packed entry of 0 is an empty slot. Length is a power of two
    /// or 0.
    slots: Vec<(u32, u32, u16)>,
    /// The sets of classes that occur; entries hold indexes into it.
    sets: Vec<Classes>,
    months: HashMap<&'static str, u8>,
    /// The names that a nickname stands for, parted by spaces.
    formal: HashMap<&'static str, &'static str>,
}

impl Lexicons {
    /// The most words a listed phrase has.
    pub const LONGEST_PHRASE: usize = 5;

    /// The shipped lists, parsed once a process.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Lexicons>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(Self::parse())))
    }

    fn parse() -> Self {
        let mut builder = Builder::new();
        for (word, mut fields) in rows(WORDS) {
            let class = number(fields.next()).min(16) + 1;
            builder.update(word, |entry| entry.word = bounded(class));
        }
        for (name, mut fields) in rows(NAMES) {
            let (first, last) = (number(fields.next()), number(fields.next()));
            builder.update(name, |entry| {
                entry.first = doublings(first);
                entry.last = doublings(last);
            });
        }
        for (place, mut fields) in rows(PLACES) {
            let tens = number(fields.next()).clamp(1, 15);
            builder.update(place, |entry| entry.city = bounded(tens));
        }
        for (nickname, mut fields) in rows(NICKNAMES) {
            builder.add_class(nickname, Class::Nickname);
            builder.lexicons.formal.insert(nickname, fields.next().unwrap_or_default());
        }
        for list in CLASSES {
            builder.add_list(list);
        }
        for (number, word) in (0_u16..).zip(&Weights::embedded().words.vocabulary) {
            builder.update(word, |entry| entry.number = number);
        }
        builder.lexicons
    }

    /// What the lists say of one folded word; apostrophes are not looked at.
    pub fn word(&self, word: &str) -> Entry {
        self.find(Hash::default().then(word.as_bytes()))
    }

    /// The longest listed phrase that these words begin with, of at least two, and its length in words.
    pub fn phrase<'w>(&self, words: impl Iterator<Item = &'w str>) -> Option<(usize, Entry)> {
        let mut hash = Hash::default();
        let mut longest = None;
        for (at, word) in words.take(Self::LONGEST_PHRASE).enumerate() {
            if at > 0 {
                hash = hash.then(b" ");
            }
            hash = hash.then(word.as_bytes());
            if at > 0 {
                let entry = self.find(hash);
                if entry != Entry::default() {
                    longest = Some((at + 1, entry));
                }
            }
        }
        longest
    }

    /// The names that a nickname stands for: `robert`, `will`, `william`, `willis` of `bill`.
    pub fn formal(&self, nickname: &str) -> impl Iterator<Item = &'static str> {
        self.formal.get(nickname).copied().unwrap_or_default().split_whitespace()
    }

    /// The number of a month's name, 1 to 12.
    pub fn month(&self, word: &str) -> Option<u8> {
        self.months.get(word).copied()
    }

    fn find(&self, hash: Hash) -> Entry {
        match self.slots.get(self.slot(hash)) {
            Some(&(_, packed, number)) if packed != 0 => self.unpack(packed, number),
            _ => Entry::default(),
        }
    }

    /// The slot that holds this hash, or the empty one where it would go.
    fn slot(&self, hash: Hash) -> usize {
        let (start, tag) = hash.parts();
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = start & mask;
        while let Some(&(held, packed, _)) = self.slots.get(at) {
            if packed == 0 || held == tag {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }

    fn unpack(&self, packed: u32, number: u16) -> Entry {
        let field = |shift: u32, width: u32| (packed >> shift) & ((1 << width) - 1);
        Entry {
            first: bounded(field(0, 5)),
            last: bounded(field(5, 5)),
            word: bounded(field(10, 5)),
            city: bounded(field(15, 4)),
            number,
            classes: self.sets.get(field(19, 12) as usize).copied().unwrap_or_default(),
        }
    }
}

/// Fills the table.
struct Builder {
    lexicons: Lexicons,
    sets: HashMap<Classes, u32>,
}

impl Builder {
    fn new() -> Self {
        let lexicons = Lexicons {
            slots: vec![(0, 0, 0); N_SLOTS],
            sets: vec![Classes::default()],
            formal: HashMap::new(),
            months: HashMap::new(),
        };
        Self { lexicons, sets: HashMap::from([(Classes::default(), 0)]) }
    }

    /// Changes the entry of one term; of a phrase, its first word is marked as well.
    fn update(&mut self, term: &str, change: impl FnOnce(&mut Entry)) {
        if let Some((head, _)) = term.split_once(' ') {
            self.add_class(head, Class::PhraseHead);
        }
        let hash = Hash::default().then(term.as_bytes());
        let at = self.lexicons.slot(hash);
        let Some(&(_, packed, number)) = self.lexicons.slots.get(at) else { return };
        let mut entry = self.lexicons.unpack(packed, number);
        change(&mut entry);
        let n_sets = bounded_u32(self.lexicons.sets.len());
        let set = *self.sets.entry(entry.classes).or_insert(n_sets);
        if set == n_sets {
            self.lexicons.sets.push(entry.classes);
        }
        // The top bit is always set, so that no entry looks like an empty slot.
        let packed = u32::from(entry.first)
            | u32::from(entry.last) << 5
            | u32::from(entry.word) << 10
            | u32::from(entry.city) << 15
            | (set & 0xfff) << 19
            | 1 << 31;
        if let Some(slot) = self.lexicons.slots.get_mut(at) {
            *slot = (hash.parts().1, packed, entry.number);
        }
    }

    fn add_class(&mut self, term: &str, class: Class) {
        self.update(term, |entry| entry.classes = entry.classes.union(Classes::of(&[class])));
    }

    /// Adds a list of classes: `[class]` on a line, then its words; `#` begins a line of comment.
    fn add_list(&mut self, list: &'static str) {
        let mut class = None;
        let mut month = None;
        for line in list.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                month = name.strip_prefix("month-").and_then(|number| number.parse::<u8>().ok());
                let name = if month.is_some() { "month" } else { name };
                class = Class::ALL.iter().find(|(word, _)| *word == name).map(|(_, class)| *class);
                continue;
            }
            for term in line.split_ascii_whitespace() {
                if let Some(month) = month {
                    self.lexicons.months.insert(term, month);
                }
                let Some(class) = class else { continue };
                // Each Chinese character is a word of its own.
                if term.chars().all(is_han) && term.chars().count() > 1 {
                    let mut words = String::with_capacity(term.len() * 2);
                    for (at, c) in term.chars().enumerate() {
                        words.extend((at > 0).then_some(' '));
                        words.push(c);
                    }
                    self.add_class(&words, class);
                } else if term.contains(['_', '-', '/', '&', '.']) {
                    self.add_class(&term.replace(['_', '-', '/', '&', '.'], " "), class);
                } else {
                    self.add_class(term, class);
                }
            }
        }
    }
}

/// Whether a character is a Chinese one, which texts cut into words of one character.
pub(crate) const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// A running FNV-1a hash that does not look at apostrophes.
#[derive(Clone, Copy, Debug)]
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn then(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().filter(|byte| **byte != b'\'').fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    /// Where to look, and what to look for there.
    fn parts(self) -> (usize, u32) {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves of a hash are wanted, not its value"
        )]
        (mixed as usize, (mixed >> 32) as u32)
    }
}

/// The rows of a table: the first field and an iterator over the others.
fn rows(
    table: &'static str,
) -> impl Iterator<Item = (&'static str, std::str::Split<'static, char>)> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split('\t');
        (fields.next().unwrap_or_default(), fields)
    })
}

/// A field as a number; the lists are our own and a test reads them all, so anything else counts as nothing.
fn number(field: Option<&str>) -> u32 {
    field.and_then(|field| field.parse().ok()).unwrap_or_default()
}

/// How often a number can be halved until nothing is left.
fn doublings(number: u32) -> u8 {
    bounded(u32::BITS - number.leading_zeros())
}

fn bounded(number: u32) -> u8 {
    u8::try_from(number.min(31)).unwrap_or_default()
}

fn bounded_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CLASSES, Class, Hash, Lexicons, N_SLOTS, NAMES, PLACES, WORDS, rows};

    #[test]
    fn one_word_is_all_that_the_lists_say_of_it() {
        let lexicons = Lexicons::embedded();
        let grace = lexicons.word("grace");
        assert!(grace.first > 10 && grace.last > 5 && grace.word > 12);
        assert_eq!(lexicons.word("o'brien"), lexicons.word("obrien"));
        assert!(lexicons.word("obrien").last > 0);
        assert!(lexicons.word("extubated").classes.has(Class::Procedure));
        assert_eq!(lexicons.word("qzxv"), super::Entry::default());
        assert_eq!(lexicons.month("febrero"), Some(2));
    }

    #[test]
    fn the_longest_phrase_wins() {
        let lexicons = Lexicons::embedded();
        let (n_words, entry) =
            lexicons.phrase("christmas eve was hard".split(' ')).expect("listed");
        assert_eq!(n_words, 2);
        assert!(entry.classes.has(Class::Holiday));
        let (n_words, entry) = lexicons.phrase("eau claire wi".split(' ')).expect("listed");
        assert_eq!((n_words, entry.city > 0), (2, true));
        assert_eq!(lexicons.phrase("two words".split(' ')), None);
    }

    #[test]
    fn no_two_listed_words_are_taken_for_each_other() {
        let words: HashSet<&str> =
            rows(WORDS).chain(rows(NAMES)).chain(rows(PLACES)).map(|(word, _)| word).collect();
        let hashes: HashSet<_> = words
            .iter()
            .map(|word| {
                let (at, tag) = Hash::default().then(word.as_bytes()).parts();
                (at % N_SLOTS, tag)
            })
            .collect();
        assert_eq!(hashes.len(), words.len());
        assert!(words.len() < N_SLOTS * 2 / 3);
    }

    #[test]
    fn every_class_of_the_lists_is_known() {
        for line in CLASSES.iter().flat_map(|list| list.lines()) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let known =
                    name.starts_with("month-") || Class::ALL.iter().any(|(word, _)| *word == name);
                assert!(known, "{name}");
            }
        }
        assert!(Lexicons::embedded().sets.len() < 4096);
    }
}
