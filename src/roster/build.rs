//! Writes a roster: one pass over the patients, one over the parts of the table.
//!
//! Memory holds the distinct words of names, a bounded number of entries, and one part at a time; the rest is on disk
//! as hashes. The file appears under its name only when it is whole and synced.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use crate::roster::census::{KEPT, Stay};
use crate::roster::error::BuildError;
use crate::roster::form::{
    NameForms, email_form, folded_words, number_form, phone_form, place_forms, street_form,
};
use crate::roster::format::{About, BLOCK, HEAD, Head, Kinds, PARTS, Part, ROW, SEAL, home, seal};
use crate::roster::spill::{Record, Spill};
use crate::roster::term::{Day, Hash, Hasher, Kind, MOST_ROWS};
use crate::roster::{Key, Patient, PersonName};

/// Set in what a name or telephone number says if it is a relative's.
pub(super) const RELATIVE: u32 = 1 << 4;
/// Set in what a name says if it is a last name.
pub(super) const FAMILY: u32 = 1;
/// Words of names are known with one typing error from so many letters on.
pub(super) const LONG: usize = 6;
/// Words of one row's names that the row itself keeps.
pub(super) const ROW_WORDS: usize = 4;

/// What was built.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What the file says of itself.
    pub about: About,
}

/// A word of names.
#[derive(Clone, Copy, Debug)]
struct Word {
    number: u32,
    given: u32,
    family: u32,
}

/// Takes patients one after the other and writes their roster.
pub struct Builder<O: Write + Seek> {
    hasher: Hasher,
    out: Sealed<O>,
    spill: Spill,
    folder: PathBuf,
    words: HashMap<Box<str>, Word>,
    about: About,
    salt: [u8; 16],
    today: Day,
}

/// Shows no word of a name and no key.
impl<O: Write + Seek> std::fmt::Debug for Builder<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("about", &self.about)
            .field("n_words", &self.words.len())
            .finish_non_exhaustive()
    }
}

/// A roster being written to a file, which takes its name at the end.
pub type FileBuilder = Builder<BufWriter<NamedTempFile>>;

/// Counts and seals what is written behind the head.
struct Sealed<O: Write + Seek> {
    out: O,
    key: [u8; 32],
    block: Vec<u8>,
    seals: Vec<u8>,
    n_blocks: u64,
    n_bytes: u64,
}

impl<O: Write + Seek> Sealed<O> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(bytes);
        self.n_bytes += bytes.len() as u64;
        while self.block.len() >= BLOCK {
            let rest = self.block.split_off(BLOCK);
            self.end_block()?;
            self.block = rest;
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.seals.extend_from_slice(&seal(&self.key, self.n_blocks, &self.block));
        self.n_blocks += 1;
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Where the next byte goes, once a whole number of `unit` is written.
    fn aligned(&mut self, unit: u64) -> io::Result<u64> {
        let over = self.n_bytes % unit;
        if over > 0 {
            let fill = usize::try_from(unit - over).unwrap_or_default();
            self.write(&vec![0; fill])?;
        }
        Ok(HEAD as u64 + self.n_bytes)
    }
}

impl FileBuilder {
    /// Begins a roster at a path. `built` is the time it will bear, and decides who is in the house.
    pub fn create(path: &Path, key: &Key, built: Timestamp) -> Result<Self, BuildError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        let unwritten = |source| BuildError::Write { path: path.to_owned(), source };
        let file = NamedTempFile::with_prefix_in(".roster-", &folder).map_err(unwritten)?;
        Builder::new(BufWriter::with_capacity(1 << 20, file), folder, key, built).map_err(unwritten)
    }

    /// Ends it: the file is synced, and then stands under its name in place of an older one.
    pub fn finish_at(self, path: &Path) -> Result<Summary, BuildError> {
        let unwritten = |source| BuildError::Write { path: path.to_owned(), source };
        let folder = self.folder.clone();
        let (summary, out) = self.finish().map_err(unwritten)?;
        let file = out.into_inner().map_err(|error| unwritten(error.into_error()))?;
        // Whoever could read the old one can read the new one.
        if let Ok(about) = std::fs::metadata(path) {
            file.as_file().set_permissions(about.permissions()).map_err(unwritten)?;
        }
        file.as_file().sync_all().map_err(unwritten)?;
        file.persist(path).map_err(|error| unwritten(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
        Ok(summary)
    }
}

impl<O: Write + Seek> Builder<O> {
    /// Begins a roster that is written to `out` from its beginning; `folder` takes a nameless file of hashes if there
    /// are many patients.
    pub fn new(mut out: O, folder: PathBuf, key: &Key, built: Timestamp) -> io::Result<Self> {
        let mut salt = [0; 16];
        io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut salt)?;
        let hasher = Hasher::new(key, &salt);
        out.write_all(&[0; HEAD])?;
        let out = Sealed {
            out,
            key: *hasher.blocks,
            block: Vec::with_capacity(2 * BLOCK),
            seals: Vec::new(),
            n_blocks: 0,
            n_bytes: 0,
        };
        let about = About {
            built,
            key_id: key.id(),
            n_patients: 0,
            n_in_house: 0,
            n_left: 0,
            n_words: 0,
            kinds: Kinds::default(),
            lengths: [0; 32],
            n_bytes: 0,
        };
        let today = Day::of(built.to_zoned(TimeZone::UTC).date());
        let (spill, words) = (Spill::new(), HashMap::new());
        Ok(Self { hasher, out, spill, folder, words, about, salt, today })
    }

    /// Patients so far.
    pub fn n_patients(&self) -> u64 {
        self.about.n_patients
    }

    /// Takes one patient; gives the number of their row.
    pub fn add(&mut self, patient: &Patient) -> Result<u32, BuildError> {
        let row = u32::try_from(self.about.n_patients).unwrap_or(u32::MAX);
        if row as usize >= MOST_ROWS {
            return Err(BuildError::TooMany);
        }
        let written = self.take(row, patient);
        written.map_err(|source| BuildError::Write { path: self.folder.clone(), source })?;
        self.about.n_patients += 1;
        Ok(row)
    }

    fn take(&mut self, row: u32, patient: &Patient) -> io::Result<()> {
        let admitted = patient.admitted.map(Day::of);
        let admitted = admitted.or((!patient.place.is_empty()).then_some(self.today));
        let discharged = patient.discharged.map(Day::of);
        let stay = Stay::on(self.today, admitted, discharged);
        let counted = match stay {
            Stay::InHouse => Some(&mut self.about.n_in_house),
            Stay::Left(days) if days <= KEPT => Some(&mut self.about.n_left),
            _ => None,
        };
        let in_census = counted.is_some();
        if let Some(count) = counted {
            *count += 1;
        }
        let standing = Standing { row, in_house: stay == Stay::InHouse, in_census };
        let names = self.names(patient, standing)?;
        let birth = patient.birth_date.map(Day::of);
        if let Some(birth) = birth {
            self.about.kinds.births += 1;
            for word in &names {
                let born = [*word, u32::from_ne_bytes(birth.0.to_ne_bytes())];
                self.push(Kind::Birth, self.hasher.numbers(Kind::Birth, born), row)?;
            }
        }
        self.numbers(patient, row)?;
        self.ways_to_reach(patient, standing)?;
        if in_census && !patient.place.is_empty() {
            self.about.kinds.rooms += 1;
            for form in place_forms(&patient.place) {
                for word in &names {
                    let term = format!("{word} {form}");
                    self.push(Kind::Room, self.hasher.text(Kind::Room, &term), row)?;
                }
            }
        }
        let mut bytes = [0; ROW];
        let birth = birth.map_or(0, |birth| self.hasher.birth(row, birth));
        let words = (0..ROW_WORDS).map(|nth| names.get(nth).copied().unwrap_or(u32::MAX));
        let flags = u16::from(patient.deceased);
        let fields = words.flat_map(u32::to_le_bytes).chain(
            [birth, Day::packed(admitted), Day::packed(discharged), flags]
                .into_iter()
                .flat_map(u16::to_le_bytes),
        );
        for ((slot, byte), mask) in bytes.iter_mut().zip(fields).zip(self.hasher.row(row)) {
            *slot = byte ^ mask;
        }
        self.out.write(&bytes)
    }

    /// The names of a patient and of their relatives; gives the words of their own, the first name's first.
    fn names(&mut self, patient: &Patient, standing: Standing) -> io::Result<Vec<u32>> {
        let mut own = Vec::new();
        for name in &patient.names {
            let (given, family) = self.name(name, standing, 0)?;
            // The row keeps the first few: one of each half first.
            let mut halves = [given.into_iter(), family.into_iter()];
            while halves.iter().any(|half| half.len() > 0) {
                for word in halves.iter_mut().filter_map(Iterator::next) {
                    if !own.contains(&word) {
                        own.push(word);
                    }
                }
            }
        }
        self.about.kinds.names += u64::from(!own.is_empty());
        for relative in &patient.relatives {
            self.about.kinds.relatives += 1;
            self.name(&relative.name, standing, RELATIVE)?;
        }
        Ok(own)
    }

    /// One name: its words, their pairs, and what stands for it in the house.
    fn name(
        &mut self,
        name: &PersonName,
        standing: Standing,
        whose: u32,
    ) -> io::Result<(Vec<u32>, Vec<u32>)> {
        let Standing { row, in_house, in_census } = standing;
        let forms = NameForms::of(name);
        let own = u32::from(whose == 0);
        let given: Vec<u32> = forms.given.iter().map(|word| self.word(word, own, 0)).collect();
        let family: Vec<u32> = forms.family.iter().map(|word| self.word(word, 0, own)).collect();
        for first in &given {
            for last in &family {
                // Those in the house are kept first where many bear one name.
                let meant = whose | u32::from(!in_house);
                self.pair(*first, *last, row | meant << 27)?;
            }
        }
        if !in_census {
            return Ok((given, family));
        }
        for (words, half, other) in
            [(&given, 0, &forms.family_initials), (&family, FAMILY, &forms.given_initials)]
        {
            let (kind, meant) = match half {
                0 => (Kind::FirstInitial, whose),
                _ => (Kind::InitialLast, whose | FAMILY),
            };
            for word in words {
                let lone = self.hasher.numbers(Kind::Lone, [*word, 0]);
                self.push(Kind::Lone, lone, row | meant << 27)?;
                for initial in other {
                    let term = self.hasher.numbers(kind, [*word, u32::from(*initial)]);
                    self.push(kind, term, row | meant << 27)?;
                }
            }
        }
        Ok((given, family))
    }

    fn pair(&mut self, first: u32, last: u32, payload: u32) -> io::Result<()> {
        let pair = [first.min(last), first.max(last)];
        self.push(Kind::Pair, self.hasher.numbers(Kind::Pair, pair), payload)
    }

    /// The number of a word of names, counted.
    fn word(&mut self, word: &str, given: u32, family: u32) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let word = match self.words.entry(word.into()) {
            Slot::Occupied(word) => word.into_mut(),
            Slot::Vacant(free) => free.insert(Word { number: next, given: 0, family: 0 }),
        };
        word.given += given;
        word.family += family;
        word.number
    }

    fn numbers(&mut self, patient: &Patient, row: u32) -> io::Result<()> {
        for identifier in &patient.identifiers {
            let Some(form) = number_form(&identifier.value) else { continue };
            self.about.kinds.numbers += 1;
            let payload = row | (identifier.kind as u32) << 27;
            for form in std::iter::once(&form.whole).chain(&form.digits) {
                if form.bytes().all(|byte| byte.is_ascii_digit())
                    && let Some(count) = self.about.lengths.get_mut(form.len().min(31))
                {
                    *count += 1;
                }
                self.push(Kind::Number, self.hasher.text(Kind::Number, form), payload)?;
            }
        }
        Ok(())
    }

    fn ways_to_reach(&mut self, patient: &Patient, standing: Standing) -> io::Result<()> {
        let Standing { row, in_census, .. } = standing;
        let own = patient.phones.iter().map(|phone| (phone, 0));
        let others = patient.relatives.iter().flat_map(|relative| &relative.phones);
        for (phone, whose) in own.chain(others.map(|phone| (phone, RELATIVE))) {
            let Some(form) = phone_form(phone) else { continue };
            self.about.kinds.phones += 1;
            let payload = row | whose << 27;
            self.push(Kind::Phone, self.hasher.text(Kind::Phone, &form), payload)?;
            if let Some(local) = form.get(3..).filter(|_| in_census && form.len() == 10) {
                self.push(Kind::LocalPhone, self.hasher.text(Kind::LocalPhone, local), payload)?;
            }
        }
        for email in &patient.emails {
            let Some(form) = email_form(email) else { continue };
            self.about.kinds.emails += 1;
            self.push(Kind::Email, self.hasher.text(Kind::Email, &form), row)?;
        }
        for address in &patient.addresses {
            let words = folded_words(&address.street);
            let Some(form) = street_form(words.iter().map(String::as_str)) else { continue };
            self.about.kinds.addresses += 1;
            self.push(Kind::Street, self.hasher.text(Kind::Street, &form), row)?;
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, hash: Hash, payload: u32) -> io::Result<()> {
        self.spill.push(Record { hash, kind, payload }, &self.folder)
    }

    /// Ends the roster: writes what was gathered, and the head at last. Gives the output back.
    pub fn finish(mut self) -> io::Result<(Summary, O)> {
        self.deletions()?;
        let terms = self.out.aligned(SLOT_ALIGNED)?;
        let mut parts = Vec::with_capacity(PARTS);
        let mut first = 0;
        for part in 0..PARTS {
            let records = self.spill.take(part)?;
            let part = self.part(&records, first)?;
            first += part.slots;
            parts.push(part);
        }
        let words = self.out.aligned(SLOT_ALIGNED)?;
        let word_slots = self.word_table()?;
        if !self.out.block.is_empty() {
            let seals = self.out.aligned(BLOCK as u64)?;
            debug_assert_eq!(seals % BLOCK as u64, 0, "the head is a whole number of blocks");
        }
        let seals = HEAD as u64 + self.out.n_bytes;
        let Self { mut out, mut about, salt, hasher, .. } = self;
        about.n_bytes = seals + out.n_blocks * SEAL as u64;
        let seals_hash = *blake3::keyed_hash(&hasher.blocks, &out.seals).as_bytes();
        let head = Head { about, salt, terms, words, word_slots, seals, seals_hash, parts };
        out.out.write_all(&out.seals)?;
        out.out.seek(SeekFrom::Start(0))?;
        out.out.write_all(&head.to_bytes(&hasher.blocks))?;
        out.out.flush()?;
        Ok((Summary { about: head.about }, out.out))
    }

    /// Every long word with one letter left out, by which a typing error is found.
    fn deletions(&mut self) -> io::Result<()> {
        let words = std::mem::take(&mut self.words);
        for (word, Word { number, .. }) in &words {
            for shorter in shorter(word) {
                self.push(Kind::Deletion, self.hasher.text(Kind::Deletion, &shorter), *number)?;
            }
        }
        self.words = words;
        Ok(())
    }

    /// Writes one part of the table of terms.
    fn part(&mut self, records: &[Record], first: u32) -> io::Result<Part> {
        let groups =
            || records.chunk_by(|one, next| one.hash == next.hash && one.kind == next.kind);
        let kept =
            |group: &[Record]| group.first().map_or(0, |one| group.len().min(one.kind.most()));
        let n_slots: usize = groups().map(kept).sum();
        let homes = u32::try_from(n_slots + n_slots / 4 + 1).unwrap_or(u32::MAX);
        let mut at = 0_u64;
        for group in groups() {
            let Some(Record { hash, kind, .. }) = group.first().copied() else { continue };
            let home = home(hash.home << 8, homes);
            while at < home {
                self.out.write(&[0; 8])?;
                at += 1;
            }
            for (nth, record) in group.iter().take(kind.most()).enumerate() {
                let (tag, mask) = self.hasher.nth(hash, nth);
                let payload = if kind == Kind::Pair {
                    counted(group, record.payload)
                } else {
                    record.payload
                };
                self.out
                    .write(&(u64::from(tag) << 32 | u64::from(payload ^ mask)).to_le_bytes())?;
                at += 1;
            }
        }
        // The last slot is empty, so that every search ends.
        while at <= u64::from(homes) {
            self.out.write(&[0; 8])?;
            at += 1;
        }
        self.out.write(&[0; 8])?;
        let slots = u32::try_from(at + 1).unwrap_or(u32::MAX);
        Ok(Part { first, homes, slots })
    }

    /// Writes the table of words.
    fn word_table(&mut self) -> io::Result<(u32, u32)> {
        let words = std::mem::take(&mut self.words);
        self.about.n_words = words.len() as u64;
        let mut entries: Vec<(Hash, [u32; 3], Word)> = Vec::with_capacity(words.len());
        for (word, counts) in words {
            let (hash, mask) = self.hasher.token(&word);
            entries.push((hash, mask, counts));
        }
        entries.sort_unstable_by_key(|(hash, ..)| *hash);
        let homes = u32::try_from(entries.len() + entries.len() / 2 + 1).unwrap_or(u32::MAX);
        let mut at = 0_u64;
        for (hash, [a, b, c], Word { number, given, family }) in entries {
            let home = home(hash.home, homes);
            while at < home {
                self.out.write(&[0; 16])?;
                at += 1;
            }
            for number in [hash.tag, number ^ a, given ^ b, family ^ c] {
                self.out.write(&number.to_le_bytes())?;
            }
            at += 1;
        }
        while at <= u64::from(homes) {
            self.out.write(&[0; 16])?;
            at += 1;
        }
        self.out.write(&[0; 16])?;
        Ok((homes, u32::try_from(at + 1).unwrap_or(u32::MAX)))
    }
}

/// Sections begin at whole slots of the widest table.
const SLOT_ALIGNED: u64 = 16;

/// Where a patient's row stands with the house.
#[derive(Clone, Copy)]
struct Standing {
    row: u32,
    in_house: bool,
    in_census: bool,
}

/// The payload of a pair of names: with it how many patients bear them, as a power of two.
fn counted(group: &[Record], payload: u32) -> u32 {
    let own = group.iter().filter(|record| record.payload >> 27 & RELATIVE == 0).count();
    let power = own.max(1).ilog2().min(15);
    let whose = payload >> 27 & RELATIVE;
    (payload & ((1 << 27) - 1)) | (whose | power) << 27
}

/// A long word with each of its letters left out; nothing of a short one.
pub(super) fn shorter(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < LONG {
        return Vec::new();
    }
    let mut shorter: Vec<String> = (0..letters.len())
        .map(|left_out| {
            let kept = letters.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(_, letter)| letter).collect()
        })
        .collect();
    shorter.dedup();
    shorter
}
