//! Takes messages one after the other: applies them, has them in the journal before it says so, and shows them to readers.
//!
//! Taking and showing are apart, so that nobody waits for an overlay to be written. What is shown is built of the few
//! patients that changed lately and, below them, of all that were heard of before: both small rosters, of which the
//! second is built anew when the first has grown to a part of it. So each message costs as little as the one before.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::roster::error::{BuildError, OpenError};
use crate::roster::follow::journal::{Entry, Journal, JournalError, folder, lock};
use crate::roster::follow::overlay::{self, Tier};
use crate::roster::follow::register::{
    ADDRESSES, BIRTH, Held, NAMES, PHONES, RELATIVES, Register, Slot,
};
use crate::roster::form::NameForms;
use crate::roster::hl7::{Event, Fault, Message, read_event};
use crate::roster::news::{Dropped, RowNews};
use crate::roster::term::Day;
use crate::roster::{Builder, FileBuilder, IdentifierKind, Index, Key, Patient, RowNumber};

/// Messages that are known again when they are sent again.
const REMEMBERED: usize = 1 << 16;
/// Nothing happens later than so many seconds from now: senders' clocks are of other zones.
const AHEAD: i64 = 24 * 3600;
/// The journal is written anew when it has grown by so many bytes beyond what it began with.
const GROWN: u64 = 32 << 20;
/// The lower of the two rosters is built anew when the upper has so many patients, or a part of it so large.
const FRESH: usize = 2048;
const PART: usize = 8;
/// Patients heard of since the roster was built, at the most: some gigabyte of memory.
const MOST: usize = 1 << 20;

/// Why a roster cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The roster cannot be used.
    #[error(transparent)]
    Roster(#[from] OpenError),
    /// A roster cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The overlay cannot be written.
    #[error("the overlay of {} cannot be written", path.display())]
    Overlay {
        /// The roster.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FollowError {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Roster(fault) => fault.remedy(),
            Self::Journal(JournalError::Locked { .. }) => {
                "one process follows a roster: stop the other one"
            }
            Self::Journal(JournalError::Other { .. }) => {
                "name the key that it was written with; after a change of keys move it away, build the roster anew from a full export, and start again"
            }
            Self::Journal(JournalError::Altered { .. }) => {
                "move it away, build the roster anew from a full export, and start again: what was heard since the last export is in that"
            }
            Self::Journal(JournalError::Io { .. }) | Self::Build(_) | Self::Overlay { .. } => {
                "the roster's folder must exist, have room, and be writable for the user who listens"
            }
        }
    }
}

/// What became of one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is in the journal.
    Applied,
    /// It was there already.
    Again,
    /// It cannot be understood, and will not be if it is sent again.
    Unfit(Fault),
    /// It cannot be kept now; the sender is to send it again later.
    NotKept(&'static str),
}

/// Follows one roster.
pub struct Follower {
    roster: PathBuf,
    key: Key,
    /// Patients last heard of so many seconds before the roster was built are left to the roster.
    margin: i64,
    taking: Mutex<Taking>,
    showing: Mutex<Showing>,
    _lock: File,
}

/// Shows no patient.
impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("roster", &self.roster).finish_non_exhaustive()
    }
}

/// What messages change.
struct Taking {
    register: Register,
    /// `None` after it failed: it must be written anew before anything is acknowledged.
    journal: Option<Journal>,
    seen: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
    /// Patients that readers do not see as they are.
    changed: BTreeSet<Slot>,
}

/// What readers see.
struct Showing {
    base: Index,
    about: [u64; 3],
    /// Rows of the roster with news, by the patient that brought them.
    of_base: HashMap<Slot, Vec<(RowNumber, RowNews)>>,
    lower: Tier,
    lower_rows: HashMap<Slot, RowNumber>,
    /// Patients that changed since the lower roster was built.
    fresh: BTreeSet<Slot>,
    is_stale: bool,
}

impl Follower {
    /// Begins to follow a roster: makes an empty one if there is none, reads what was heard before, and writes it anew.
    /// `margin_hours` is how long before the roster was built a patient may have been heard of and still be kept: exports
    /// take their time. Gives the bytes of the journal's end that were never synced whole, which nobody was told of.
    pub fn open(roster: &Path, key: Key, margin_hours: u32) -> Result<(Self, usize), FollowError> {
        let path = |ending: &str| {
            let mut path = roster.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        };
        let lock = lock(&path(".lock"))?;
        if !roster.exists() {
            FileBuilder::create(roster, &key, Timestamp::now())?.finish_at(roster)?;
        }
        let about = stamp(roster);
        let base = Index::open(roster, &key)?;
        let mut taking = Taking {
            register: Register::default(),
            journal: None,
            seen: HashSet::new(),
            order: VecDeque::new(),
            changed: BTreeSet::new(),
        };
        let journal = path(".journal");
        let back = Journal::read(&journal, &key, |entry| taking.take_back(entry))?;
        let margin = i64::from(margin_hours) * 3600;
        taking.settle(&base, margin);
        taking.write_anew(&journal, &key)?;
        taking.changed = taking.register.slots().into_iter().collect();
        let showing = Showing {
            base,
            about,
            of_base: HashMap::new(),
            lower: Tier { roster: Vec::new(), news: Vec::new() },
            lower_rows: HashMap::new(),
            fresh: BTreeSet::new(),
            is_stale: true,
        };
        let follower = Self {
            roster: roster.to_owned(),
            key,
            margin,
            taking: Mutex::new(taking),
            showing: Mutex::new(showing),
            _lock: lock,
        };
        Ok((follower, back.n_torn))
    }

    /// Patients heard of since the roster was built.
    pub fn n_patients(&self) -> usize {
        held(&self.taking).register.len()
    }

    fn journal(&self) -> PathBuf {
        let mut path = self.roster.as_os_str().to_owned();
        path.push(".journal");
        path.into()
    }

    /// Takes messages, as many as came together; once this returns, those that were applied are on the disk.
    pub fn take(&self, messages: &[Vec<u8>], now: Timestamp) -> Vec<Taken> {
        let mut taking = held(&self.taking);
        let mut group = Vec::new();
        let mut taken: Vec<Taken> =
            messages.iter().map(|bytes| taking.take(bytes, &self.key, now, &mut group)).collect();
        if self.keep(&mut taking, &group).is_err() {
            for taken in &mut taken {
                if matches!(taken, Taken::Applied | Taken::Again) {
                    *taken = Taken::NotKept("the message cannot be kept now: the disk refused it");
                }
            }
        }
        taken
    }

    /// Has a group in the journal, or all that is known in a new one.
    fn keep(&self, taking: &mut Taking, group: &[u8]) -> Result<(), JournalError> {
        if let Some(journal) = &mut taking.journal {
            let grown = journal.n_bytes > 2 * journal.n_at_first + GROWN;
            if group.is_empty() {
                return Ok(());
            }
            if !grown {
                let kept = journal.append(group);
                if kept.is_err() {
                    taking.journal = None;
                }
                return kept;
            }
        }
        // All that was applied, also what failed before, is in the one that is written now.
        taking.journal = None;
        taking.write_anew(&self.journal(), &self.key)
    }

    /// Shows readers what is new, if anything is. Whether anything was.
    pub fn show(&self, now: Timestamp) -> Result<bool, FollowError> {
        let mut showing = held(&self.showing);
        let showing = &mut *showing;
        let about = stamp(&self.roster);
        if about != showing.about {
            showing.base = Index::open(&self.roster, &self.key)?;
            showing.about = about;
            // Whatever fails from here on, what was known of the rows of the one before is of no row of this one.
            showing.of_base.clear();
            showing.lower_rows.clear();
            showing.lower = Tier { roster: Vec::new(), news: Vec::new() };
            showing.is_stale = true;
            let mut taking = held(&self.taking);
            let any_settled = taking.settle(&showing.base, self.margin);
            let all = taking.register.slots();
            taking.changed.extend(all);
            if any_settled {
                let journal = self.journal();
                taking.journal = None;
                taking.write_anew(&journal, &self.key)?;
            }
        }
        let changed = std::mem::take(&mut held(&self.taking).changed);
        if changed.is_empty() && !showing.is_stale {
            return Ok(false);
        }
        let shown = self.showing(showing, &changed, now);
        if shown.is_err() {
            // Tried again with the next.
            held(&self.taking).changed.extend(changed);
            showing.is_stale = true;
        }
        shown.map(|()| true)
    }

    fn showing(
        &self,
        showing: &mut Showing,
        changed: &BTreeSet<Slot>,
        now: Timestamp,
    ) -> Result<(), FollowError> {
        showing.fresh.extend(changed);
        if showing.fresh.len() >= FRESH.max(showing.lower_rows.len() / PART) {
            let slots = held(&self.taking).register.slots();
            let all = self.patients(slots);
            let (tier, rows) = self.tier(showing, &all, now)?;
            (showing.lower, showing.lower_rows) = (tier, rows);
            showing.fresh.clear();
        }
        let fresh: Vec<Slot> = showing.fresh.iter().copied().collect();
        for slot in changed {
            showing.of_base.remove(slot);
        }
        let upper = if fresh.is_empty() {
            None
        } else {
            let patients = self.patients(fresh);
            Some(self.tier(showing, &patients, now)?.0)
        };
        // What the upper roster says of a patient, the lower one says no more.
        let gone = RowNews { dropped: Dropped::ALL, days: None };
        let fresh = &showing.fresh;
        showing.lower.news = showing
            .lower_rows
            .iter()
            .filter(|(slot, _)| fresh.contains(slot))
            .map(|(_, row)| (*row, gone))
            .collect();
        let lower = Some(&showing.lower).filter(|tier| !tier.roster.is_empty());
        let tiers: Vec<&Tier> = upper.iter().chain(lower).collect();
        let base: Vec<(RowNumber, RowNews)> = showing.of_base.values().flatten().copied().collect();
        overlay::write(&self.roster, &self.key, now, showing.base.identity(), &base, &tiers)
            .map_err(|source| FollowError::Overlay { path: self.roster.clone(), source })?;
        showing.is_stale = false;
        Ok(())
    }

    fn patients(&self, slots: Vec<Slot>) -> Vec<(Slot, Held)> {
        let taking = held(&self.taking);
        slots.into_iter().filter_map(|slot| Some((slot, taking.register.get(slot)?))).collect()
    }

    /// A roster of these patients, and what they say of the rows of the one that is followed.
    fn tier(
        &self,
        showing: &mut Showing,
        patients: &[(Slot, Held)],
        now: Timestamp,
    ) -> Result<(Tier, HashMap<Slot, RowNumber>), FollowError> {
        let failed = |source| FollowError::Overlay { path: self.roster.clone(), source };
        let memory = Cursor::new(Vec::new());
        let folder = folder(&self.roster).to_owned();
        let mut builder = Builder::new(memory, folder, &self.key, now).map_err(failed)?;
        let mut rows = HashMap::new();
        for (slot, held) in patients {
            let (patient, news) = beside(&showing.base, held);
            showing.of_base.insert(*slot, news);
            if !held.removed {
                rows.insert(*slot, builder.add(&patient)?);
            }
        }
        let (_, bytes) = builder.finish().map_err(failed)?;
        Ok((Tier { roster: bytes.into_inner(), news: Vec::new() }, rows))
    }
}

impl Taking {
    fn take_back(&mut self, entry: Entry<'_>) -> bool {
        match entry {
            Entry::Put(slot, bytes) => {
                self.register.drop(slot);
                self.register.put(slot, bytes)
            }
            Entry::Gone(slot) => {
                self.register.drop(slot);
                true
            }
            Entry::Seen(mark) => mark.try_into().map(|mark| self.remember(mark)).is_ok(),
        }
    }

    fn remember(&mut self, mark: [u8; 16]) {
        if self.seen.insert(mark) {
            self.order.push_back(mark);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    /// Applies one message, and writes what the journal must have of it.
    fn take(&mut self, bytes: &[u8], key: &Key, now: Timestamp, group: &mut Vec<u8>) -> Taken {
        let events = match Message::read(bytes).and_then(|message| read_event(&message)) {
            Ok(events) => events,
            Err(fault) => return Taken::Unfit(fault),
        };
        let mark = events.first().map(|event| event.mark.as_slice()).unwrap_or_default();
        let mark = marked(key, mark);
        if self.seen.contains(&mark) {
            return Taken::Again;
        }
        if self.register.len() >= MOST && events.iter().any(|event| self.register.is_new(event)) {
            return Taken::NotKept(
                "there is no room for more patients: build the roster anew from a full export",
            );
        }
        for event in events {
            // A clock that is wrong by years would have nothing believed until then.
            let event = Event { at: event.at.min(now.as_second() + AHEAD), ..event };
            let changed = match self.register.apply(&event, now.as_second()) {
                Ok(changed) => changed,
                Err(fault) => return Taken::Unfit(fault),
            };
            for slot in changed {
                let entry = match self.register.bytes(slot) {
                    Some(bytes) => Entry::Put(slot, bytes),
                    None => Entry::Gone(slot),
                };
                entry.write(group);
                self.changed.insert(slot);
            }
        }
        Entry::Seen(&mark).write(group);
        self.remember(mark);
        Taken::Applied
    }

    /// Leaves to the roster those who were last heard of long enough before it was built. Whether anybody was.
    fn settle(&mut self, base: &Index, margin: i64) -> bool {
        if base.about().n_patients == 0 {
            return false;
        }
        let until = base.about().built.as_second() - margin;
        let old: Vec<Slot> = self
            .register
            .slots()
            .into_iter()
            .filter(|slot| self.register.get(*slot).is_some_and(|held| held.heard < until))
            .collect();
        for slot in &old {
            self.register.drop(*slot);
            self.changed.remove(slot);
        }
        !old.is_empty()
    }

    fn write_anew(&mut self, path: &Path, key: &Key) -> Result<(), JournalError> {
        let slots = self.register.slots();
        let held =
            slots.iter().filter_map(|slot| Some(Entry::Put(*slot, self.register.bytes(*slot)?)));
        let seen = self.order.iter().map(|mark| Entry::Seen(mark));
        self.journal = Some(Journal::create(path, key, held.chain(seen))?);
        Ok(())
    }
}

/// By which a message is known again.
fn marked(key: &Key, mark: &[u8]) -> [u8; 16] {
    let hash = blake3::keyed_hash(&key.purpose("marks of messages", &[0; 16]), mark);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// A patient as readers see them beside a roster, and what they say of its rows. Only a row of the same number that
/// shares a name or the day of birth is of the same patient.
fn beside(base: &Index, held: &Held) -> (Patient, Vec<(RowNumber, RowNews)>) {
    let mut patient = held.patient.clone();
    let words: Vec<u32> = patient
        .names
        .iter()
        .map(NameForms::of)
        .flat_map(|forms| forms.given.into_iter().chain(forms.family))
        .filter_map(|word| Some(base.word(&word)?.number))
        .collect();
    let birth = patient.birth_date.map(Day::of);
    let is_here = patient.admitted.is_some() && patient.discharged.is_none();
    let mut news = Vec::new();
    let mut dropped = Dropped::default();
    let [names, phones, addresses, relatives, birth_given] =
        [NAMES, PHONES, ADDRESSES, RELATIVES, BIRTH]
            .map(|group| held.given.get(group).copied().unwrap_or_default());
    for (is_given, group) in [
        (names, Dropped::NAMES),
        // The day stands beside the name: where one of them is not given, the roster's hold together.
        (names && birth_given, Dropped::BIRTH),
        (phones, Dropped::PHONES),
        (addresses, Dropped::ADDRESSES),
        (relatives, Dropped::RELATIVES),
        (held.has_stay() && (!patient.place.is_empty() || !is_here), Dropped::ROOM),
        (held.removed, Dropped::ALL),
    ] {
        if is_given {
            dropped.add(group);
        }
    }
    for form in held.forms() {
        for hit in base.number(form) {
            let Some(row) = base.row(hit.row).filter(|_| hit.kind() == IdentifierKind::Record)
            else {
                continue;
            };
            let is_same = words.iter().any(|word| row.has_word(*word))
                || birth.is_some_and(|birth| base.is_born(hit.row, &row, birth));
            if !is_same || news.iter().any(|(known, _)| *known == hit.row) {
                continue;
            }
            let days = if held.has_stay() {
                Some([patient.admitted.map(Day::of), patient.discharged.map(Day::of)])
            } else {
                // Nobody said anything of a stay: what the roster says holds for all of their names.
                patient.admitted = patient.admitted.or(row.admitted.and_then(Day::date));
                patient.discharged = patient.discharged.or(row.discharged.and_then(Day::date));
                None
            };
            news.push((hit.row, RowNews { dropped, days }));
        }
    }
    (patient, news)
}

/// By which a file that took a roster's name is told from the one before.
fn stamp(path: &Path) -> [u64; 3] {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map_or([0; 3], |at| {
        [at.ino(), at.mtime().cast_unsigned(), at.mtime_nsec().cast_unsigned()]
    })
}

fn held<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
