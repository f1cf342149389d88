//! The patients that were heard of since the roster was built, as the messages about them left them.
//!
//! Messages may come late and twice: what one says holds from the time at which it happened, and an older one changes
//! nothing that a newer one said. What a message does not give stays as it was.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::roster::form::number_form;
use crate::roster::hl7::{Act, Event, Fault, Given, RecordNumber};
use crate::roster::{Identifier, IdentifierKind, NameUse, Patient, Place, Relative};

/// Number of a patient within a register.
pub(super) type Slot = u32;

/// Of each kind of field a patient keeps so many.
const MOST: usize = 32;
/// What is held of one patient, in bytes: of nobody is more to be said.
const LARGEST: usize = 64 << 10;
/// Before anything was said.
const NEVER: i64 = i64::MIN;

/// One patient, and when what is known of them happened.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Held {
    pub(super) patient: Patient,
    /// Record numbers, each with who gave it out.
    numbers: Vec<(String, String)>,
    /// Of these, those of records that were merged into this one.
    merged: Vec<(String, String)>,
    details_at: Option<i64>,
    stay_at: Option<i64>,
    /// Which groups of fields messages gave.
    pub(super) given: [bool; 6],
    /// Whether the record was taken out: names and birth are kept to tell whose it was.
    pub(super) removed: bool,
    /// When the last message came, in seconds of our clock.
    pub(super) heard: i64,
}

/// Shows no text.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

/// Places of [`Given`] in [`Held::given`].
pub(super) const NAMES: usize = 0;
pub(super) const PHONES: usize = 1;
pub(super) const ADDRESSES: usize = 2;
pub(super) const RELATIVES: usize = 3;
pub(super) const BIRTH: usize = 4;

const fn groups(given: Given) -> [bool; 6] {
    let Given { names, phones, addresses, relatives, birth, deceased } = given;
    [names, phones, addresses, relatives, birth, deceased]
}

impl Held {
    /// Whether messages said when they came and left.
    pub(super) fn has_stay(&self) -> bool {
        self.stay_at.is_some()
    }

    /// The forms of their record numbers.
    pub(super) fn forms(&self) -> impl Iterator<Item = &str> {
        self.numbers.iter().map(|(form, _)| form.as_str())
    }

    fn answers_to(&self, number: &RecordNumber) -> bool {
        self.numbers.iter().any(|(form, by)| {
            *form == number.form && (*by == number.by || by.is_empty() || number.by.is_empty())
        })
    }

    /// Parts a record that was merged into this one, and is taken out now, from it: nobody has its number any more.
    fn part(&mut self, event: &Event) -> Option<Self> {
        let is_gone = |(form, by): &(String, String)| {
            event.numbers.iter().any(|gone| {
                *form == gone.form && (*by == gone.by || by.is_empty() || gone.by.is_empty())
            })
        };
        let kept = self.numbers.iter().filter(|number| !is_gone(number)).count();
        let mut gone = self.numbers.iter().filter(|number| is_gone(number));
        if kept == 0 || !gone.all(|number| self.merged.contains(number)) {
            return None;
        }
        let (kept, gone) =
            std::mem::take(&mut self.numbers).into_iter().partition(|it| !is_gone(it));
        self.numbers = kept;
        self.merged.retain(|number| !is_gone(number));
        self.patient.identifiers.retain(|it| {
            it.kind != IdentifierKind::Record
                || number_form(&it.value)
                    .is_none_or(|form| event.numbers.iter().all(|gone| gone.form != form.whole))
        });
        Some(Self { numbers: gone, ..self.removed(event) })
    }

    /// What is left of a record that is taken out.
    fn removed(&self, event: &Event) -> Self {
        let mut patient = Patient {
            names: self.patient.names.clone(),
            birth_date: self.patient.birth_date.or(event.patient.birth_date),
            ..Patient::default()
        };
        if patient.names.is_empty() {
            patient.names.clone_from(&event.patient.names);
        }
        Self {
            patient,
            numbers: self.numbers.clone(),
            merged: self.merged.clone(),
            details_at: Some(event.at),
            stay_at: Some(event.at),
            removed: true,
            ..Self::default()
        }
    }

    fn add_number(&mut self, number: &RecordNumber) {
        let pair = (number.form.clone(), number.by.clone());
        if !self.numbers.contains(&pair) && self.numbers.len() < MOST {
            self.numbers.push(pair);
        }
    }

    /// What a message says of who they are and how to reach them.
    fn details(&mut self, event: &Event) {
        let newer = event.at >= self.details_at.unwrap_or(NEVER);
        let given = groups(event.given);
        let mut takes = [false; 6];
        for ((takes, given), had) in takes.iter_mut().zip(given).zip(&mut self.given) {
            *takes = given && (newer || !*had);
            *had |= given;
        }
        let [names, phones, addresses, relatives, birth, deceased] = takes;
        let (mine, theirs) = (&mut self.patient, &event.patient);
        if names {
            mine.names.clone_from(&theirs.names);
        }
        if phones {
            mine.phones.clone_from(&theirs.phones);
        }
        if !theirs.emails.is_empty() && (newer || mine.emails.is_empty()) {
            mine.emails.clone_from(&theirs.emails);
        }
        if addresses {
            mine.addresses.clone_from(&theirs.addresses);
        }
        if relatives {
            mine.relatives.clone_from(&theirs.relatives);
        } else {
            add_relatives(mine, &theirs.relatives);
        }
        if birth {
            mine.birth_date = theirs.birth_date;
        }
        if deceased {
            mine.deceased = theirs.deceased;
        }
        add_identifiers(mine, &theirs.identifiers);
        self.details_at = Some(self.details_at.unwrap_or(NEVER).max(event.at));
    }

    /// What a message says of where they are.
    #[expect(
        clippy::match_same_arms,
        reason = "what a message means for a stay is read event by event"
    )]
    fn stay(&mut self, event: &Event) {
        if event.at < self.stay_at.unwrap_or(NEVER) {
            return;
        }
        let (mine, theirs) = (&mut self.patient, &event.patient);
        let (admitted, discharged, place) = (theirs.admitted, theirs.discharged, &theirs.place);
        let day = event.day();
        match event.act {
            Act::Admit | Act::Visit => {
                (mine.admitted, mine.discharged) = (admitted, discharged);
                mine.place = place.clone();
            }
            Act::Transfer => {
                (mine.admitted, mine.discharged) = (admitted.or(mine.admitted).or(day), None);
                if !place.is_empty() {
                    mine.place = place.clone();
                }
            }
            Act::Discharge => {
                (mine.admitted, mine.discharged) = (admitted.or(mine.admitted), discharged);
                if !place.is_empty() {
                    mine.place = place.clone();
                }
            }
            Act::CancelAdmit => {
                (mine.admitted, mine.discharged) = (None, None);
                mine.place = Place::default();
            }
            Act::CancelDischarge => {
                (mine.admitted, mine.discharged) = (admitted.or(mine.admitted).or(day), None);
                if !place.is_empty() {
                    mine.place = place.clone();
                }
            }
            Act::Update | Act::Merge => {
                // Accounts of last year are put right as well: what one says of a stay may not be of this one.
                let is_here = mine.admitted.is_some() && mine.discharged.is_none();
                let is_other =
                    discharged.is_some() || admitted.is_some() && admitted != mine.admitted;
                if is_here && !is_other && !place.is_empty() {
                    mine.place = place.clone();
                }
                return;
            }
            Act::Remove => return,
        }
        self.stay_at = Some(event.at);
    }

    /// Takes what another record knew of the same person.
    fn merge(&mut self, other: Self) {
        let numbers: Vec<RecordNumber> = other
            .numbers
            .iter()
            .map(|(form, by)| RecordNumber { form: form.clone(), by: by.clone() })
            .collect();
        for number in &numbers {
            self.add_number(number);
        }
        self.merged.extend(other.numbers);
        if other.removed {
            return;
        }
        let later = other.stay_at > self.stay_at;
        let (mine, theirs) = (&mut self.patient, other.patient);
        for mut name in theirs.names {
            let is_new =
                !mine.names.iter().any(|it| it.given == name.given && it.family == name.family);
            if is_new && mine.names.len() < MOST {
                name.used = NameUse::Former;
                mine.names.push(name);
            }
        }
        add_identifiers(mine, &theirs.identifiers);
        add(&mut mine.phones, theirs.phones);
        add(&mut mine.emails, theirs.emails);
        for address in theirs.addresses {
            if mine.addresses.len() < MOST
                && !mine.addresses.iter().any(|it| it.street == address.street)
            {
                mine.addresses.push(address);
            }
        }
        add_relatives(mine, &theirs.relatives);
        mine.birth_date = mine.birth_date.or(theirs.birth_date);
        mine.deceased |= theirs.deceased;
        if later {
            (mine.admitted, mine.discharged) = (theirs.admitted, theirs.discharged);
            mine.place = theirs.place;
            self.stay_at = other.stay_at;
        }
        for (mine, theirs) in self.given.iter_mut().zip(other.given) {
            *mine |= theirs;
        }
    }
}

fn add_identifiers(patient: &mut Patient, more: &[Identifier]) {
    for identifier in more {
        let is_known = patient
            .identifiers
            .iter()
            .any(|it| it.kind == identifier.kind && it.value == identifier.value);
        if !is_known && patient.identifiers.len() < MOST {
            patient.identifiers.push(identifier.clone());
        }
    }
}

fn add_relatives(patient: &mut Patient, more: &[Relative]) {
    let said = |it: &Relative| format!("{} {}", it.name.given, it.name.family);
    for relative in more {
        if patient.relatives.len() < MOST
            && !patient.relatives.iter().any(|it| said(it) == said(relative))
        {
            patient.relatives.push(relative.clone());
        }
    }
}

fn add(texts: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if texts.len() < MOST && !texts.contains(&text) {
            texts.push(text);
        }
    }
}

/// All of them. Each is kept as the bytes that the journal has of it.
#[derive(Default)]
pub(in crate::roster) struct Register {
    held: HashMap<Slot, Box<[u8]>>,
    by_number: HashMap<String, Vec<Slot>>,
    next: Slot,
}

/// Shows no text.
impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register").field("n_held", &self.held.len()).finish_non_exhaustive()
    }
}

impl Register {
    pub(in crate::roster) fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether a message would add a patient.
    pub(super) fn is_new(&self, event: &Event) -> bool {
        self.find(&event.numbers).is_none()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<Held> {
        decoded(self.held.get(&slot)?)
    }

    pub(super) fn bytes(&self, slot: Slot) -> Option<&[u8]> {
        self.held.get(&slot).map(AsRef::as_ref)
    }

    pub(super) fn slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.held.keys().copied().collect();
        slots.sort_unstable();
        slots
    }

    /// Puts a patient back as the journal has them.
    pub(super) fn put(&mut self, slot: Slot, bytes: &[u8]) -> bool {
        let Some(held) = decoded(bytes) else { return false };
        self.set(slot, &held, bytes.into());
        true
    }

    fn set(&mut self, slot: Slot, held: &Held, bytes: Box<[u8]>) {
        for form in held.forms() {
            let slots = self.by_number.entry(form.to_owned()).or_default();
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        self.held.insert(slot, bytes);
        self.next = self.next.max(slot.saturating_add(1));
    }

    pub(super) fn drop(&mut self, slot: Slot) {
        if let Some(held) = self.get(slot) {
            for form in held.forms() {
                if let Some(slots) = self.by_number.get_mut(form) {
                    slots.retain(|other| *other != slot);
                    if slots.is_empty() {
                        self.by_number.remove(form);
                    }
                }
            }
        }
        self.held.remove(&slot);
    }

    fn find(&self, numbers: &[RecordNumber]) -> Option<Slot> {
        numbers.iter().find_map(|number| {
            let slots = self.by_number.get(&number.form)?;
            slots
                .iter()
                .copied()
                .find(|slot| self.get(*slot).is_some_and(|held| held.answers_to(number)))
        })
    }

    /// Applies what has happened; gives the patients that are otherwise now, and those that are no more. Changes nothing
    /// if more is said of a patient than is held of one.
    pub(in crate::roster) fn apply(&mut self, event: &Event, now: i64) -> Result<Vec<Slot>, Fault> {
        let slot = self.find(&event.numbers).unwrap_or(self.next);
        let mut held = self.get(slot).unwrap_or_default();
        for number in &event.numbers {
            held.add_number(number);
        }
        let last = held.details_at.unwrap_or(NEVER).max(held.stay_at.unwrap_or(NEVER));
        let is_latest = event.at >= last;
        let (mut parted, mut gone) = (None, Vec::new());
        if event.act == Act::Remove {
            if is_latest {
                parted = held.part(event);
                if parted.is_none() {
                    held = held.removed(event);
                }
            }
        } else if is_latest || !held.removed {
            if std::mem::take(&mut held.removed) {
                // Somebody has the number again: not those who had it, as far as anybody knows.
                held.patient = Patient::default();
            }
            held.details(event);
            held.stay(event);
        }
        if event.act == Act::Merge {
            for number in &event.prior {
                let other = self.find(std::slice::from_ref(number));
                if let Some(other) = other.filter(|it| *it != slot && !gone.contains(it)) {
                    gone.push(other);
                    held.merge(self.get(other).unwrap_or_default());
                }
                if !event.numbers.contains(number) {
                    held.add_number(number);
                    held.merged.push((number.form.clone(), number.by.clone()));
                }
                // The number that is no longer given is still in everybody's notes.
                let identifier =
                    Identifier { kind: IdentifierKind::Record, value: number.form.clone() };
                add_identifiers(&mut held.patient, &[identifier]);
            }
            let own = |(form, by): &(String, String)| {
                event.numbers.iter().any(|it| it.form == *form && it.by == *by)
            };
            held.merged.retain(|number| !own(number) && held.numbers.contains(number));
            held.merged.sort_unstable();
            held.merged.dedup();
        }
        held.heard = now;
        let bytes = packed(&held)?;
        let parted = match parted {
            Some(parted) => {
                let parted = Held { heard: now, ..parted };
                let bytes = packed(&parted)?;
                Some((parted, bytes))
            }
            None => None,
        };
        let mut changed = gone;
        for other in &changed {
            self.drop(*other);
        }
        self.drop(slot);
        self.set(slot, &held, bytes);
        changed.push(slot);
        if let Some((parted, bytes)) = parted {
            let slot = self.next;
            self.set(slot, &parted, bytes);
            changed.push(slot);
        }
        Ok(changed)
    }

    /// Every patient, as messages left them; empties it.
    pub(in crate::roster) fn take_all(&mut self) -> impl Iterator<Item = Patient> + use<> {
        let held = std::mem::take(self).held;
        let mut held: Vec<(Slot, Box<[u8]>)> = held.into_iter().collect();
        held.sort_unstable_by_key(|(slot, _)| *slot);
        held.into_iter()
            .filter_map(|(_, bytes)| decoded(&bytes))
            .filter(|it| !it.removed)
            .map(|it| it.patient)
    }
}

/// A patient as the journal has them.
fn packed(held: &Held) -> Result<Box<[u8]>, Fault> {
    let bytes = serde_json::to_vec(held).ok().filter(|bytes| bytes.len() <= LARGEST);
    bytes.map(Vec::into_boxed_slice).ok_or(Fault {
        segment: "PID",
        field: 0,
        why: "more is said of the patient than is kept of one",
    })
}

fn decoded(bytes: &[u8]) -> Option<Held> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::Register;
    use crate::roster::Patient;
    use crate::roster::hl7::{Message, read_event};

    /// Applies messages, `(event, time, rest)`, and shows each patient: name, room, whether in the house.
    fn after(messages: &[(&str, &str, &str)]) -> Vec<String> {
        let mut register = Register::default();
        for (code, at, rest) in messages {
            let text =
                format!("MSH|^~\\&|ADT|H|P|H|{at}||ADT^{code}|7|P|2.5\rEVN|{code}|{at}\r{rest}");
            for event in read_event(&Message::read(text.as_bytes()).unwrap()).unwrap() {
                register.apply(&event, 0).unwrap();
            }
        }
        register.take_all().map(|it| shown(&it)).collect()
    }

    fn shown(patient: &Patient) -> String {
        let name = patient.names.first().map(|it| it.given.clone()).unwrap_or_default();
        let stay = match (patient.admitted, patient.discharged) {
            (Some(_), None) => "in",
            (_, Some(_)) => "left",
            (None, None) => "-",
        };
        let numbers: Vec<&str> = patient.identifiers.iter().map(|it| it.value.as_str()).collect();
        format!("{name} {} {stay} {}", patient.place.room, numbers.join(","))
    }

    const UNA: &str = "PID|||7^^^H^MR||Roe^Una|";

    #[test]
    fn a_stay_is_followed_in_the_order_in_which_it_happened() {
        let with = |pv1: &str| format!("{UNA}\rPV1||I|{pv1}");
        let (first, second) = (with("4W^412^B"), with("4W^415^B"));
        let admit = ("A01", "20261120080000", first.as_str());
        let transfer = ("A02", "20261121080000", second.as_str());
        let discharge = ("A03", "20261122080000", second.as_str());
        assert_eq!(after(&[admit]), ["Una 412 in 7"]);
        assert_eq!(after(&[admit, transfer]), ["Una 415 in 7"]);
        assert_eq!(after(&[transfer, admit]), ["Una 415 in 7"], "the older came late");
        assert_eq!(after(&[admit, transfer, discharge]), ["Una 415 left 7"]);
        assert_eq!(after(&[discharge, transfer, admit]), ["Una 415 left 7"]);
        let undone = ("A13", "20261122090000", second.as_str());
        assert_eq!(after(&[admit, discharge, undone]), ["Una 415 in 7"]);
        assert_eq!(after(&[admit, undone, discharge]), ["Una 415 in 7"]);
        let never = ("A11", "20261120090000", first.as_str());
        assert_eq!(after(&[admit, never]), ["Una  - 7"]);
        let put_right = ("A08", "20261122100000", second.as_str());
        assert_eq!(after(&[admit, discharge, put_right]), ["Una 415 left 7"], "no news of a stay");
    }

    #[test]
    fn what_a_message_does_not_give_stays_and_what_is_older_changes_nothing() {
        let admit = (
            "A01",
            "20261120",
            "PID|||7^^^H^MR||Roe^Una||19500102||||||555-0100\rNK1||Roe^Ulf\rPV1||I|4W^412",
        );
        let renamed = ("A08", "20261121", "PID|||7^^^H^MR||Roe^Oona");
        assert_eq!(after(&[admit, renamed]), ["Oona 412 in 7"]);
        assert_eq!(after(&[renamed, admit]), ["Oona 412 in 7"]);
        let mut register = Register::default();
        for (code, at, rest) in [renamed, admit] {
            let text =
                format!("MSH|^~\\&|ADT|H|P|H|{at}||ADT^{code}|7|P|2.5\rEVN|{code}|{at}\r{rest}");
            let events = read_event(&Message::read(text.as_bytes()).unwrap()).unwrap();
            register.apply(&events[0], 0).unwrap();
        }
        let patient = register.take_all().next().unwrap();
        assert_eq!(
            (patient.phones.len(), patient.relatives.len()),
            (1, 1),
            "nobody said otherwise"
        );
    }

    #[test]
    fn two_records_of_one_person_become_one_that_has_both_numbers() {
        let one = ("A01", "20261120", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let other = ("A28", "20261119", "PID|||8^^^H^MR||Roe^U");
        let merge = ("A40", "20261121", "PID|||8^^^H^MR||Roe^Una\rMRG|7^^^H^MR");
        assert_eq!(after(&[one, other]).len(), 2);
        assert_eq!(after(&[one, other, merge]), ["Una 412 in 8,7"]);
        assert_eq!(after(&[one, merge]), ["Una 412 in 8,7"]);
        // What comes late of the old number is of the same person.
        let late = ("A03", "20261122", "PID|||7||Roe^Una\rPV1||I|4W^412");
        assert_eq!(after(&[one, other, merge, late]), ["Una 412 left 8,7"]);
        // Another house's number is another person's.
        let elsewhere = ("A01", "20261120", "PID|||7^^^X^MR||Doe^Ida");
        assert_eq!(after(&[one, elsewhere]).len(), 2);
    }

    #[test]
    fn what_is_no_merge_gives_nobody_a_number_and_a_merge_of_many_is_each_ones() {
        let one = ("A01", "20261120", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let other = ("A28", "20261119", "PID|||8^^^H^MR||Doe^Ida");
        let moved = ("A44", "20261121", "PID|||8^^^H^MR||Doe^Ida\rMRG|7^^^H^MR||||||Roe^Una");
        let late = ("A03", "20261122", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        assert_eq!(after(&[one, other, moved, late]), ["Una 412 left 7", "Ida  - 8"]);
        let many = (
            "A40",
            "20261121",
            "PID|||8^^^H^MR||Doe^Ida\rMRG|7^^^H^MR\rPID|||10^^^H^MR||Poe^Eve\rMRG|9^^^H^MR",
        );
        let eve = ("A28", "20261119", "PID|||9^^^H^MR||Poe^Eve");
        assert_eq!(after(&[other, eve, many]), ["Ida  - 8,7", "Eve  - 10,9"]);
        // Taken out after it was merged away, a number alone goes.
        let merge = ("A40", "20261121", "PID|||8^^^H^MR||Doe^Ida\rMRG|7^^^H^MR");
        let out = ("A29", "20261122", "PID|||7^^^H^MR");
        assert_eq!(after(&[other, merge, out]), ["Ida  - 8"]);
        let again = ("A01", "20261123", "PID|||7^^^H^MR||Poe^Eve\rPV1||I|4W^415");
        assert_eq!(after(&[other, merge, out, again]), ["Ida  - 8", "Eve 415 in 7"]);
        let whole = ("A29", "20261122", "PID|||8^^^H^MR");
        assert_eq!(after(&[other, merge, whole]), [""; 0]);
    }

    #[test]
    fn an_account_of_another_stay_changes_nothing_of_this_one() {
        let here = ("A01", "20261120", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let left = ("A03", "20261121", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let of_old = |pv1: &str| format!("PID|||7^^^H^MR||Roe^Una\rPV1||I|2S^201|{pv1}");
        let days = of_old(&format!("{}20250101|20250109", "|".repeat(40)));
        let begun = of_old(&format!("{}20250101", "|".repeat(40)));
        for old in [&days, &begun] {
            let old = ("A08", "20261122", old.as_str());
            assert_eq!(after(&[here, old]), ["Una 412 in 7"]);
            assert_eq!(after(&[here, left, old]), ["Una 412 left 7"]);
        }
        let bed = ("A08", "20261122", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^415");
        assert_eq!(after(&[here, bed]), ["Una 415 in 7"]);
        assert_eq!(after(&[bed]), ["Una  - 7"], "nobody said that they came");
    }

    #[test]
    fn what_cannot_be_read_erases_nothing() {
        let whole = "PID|||7^^^H^MR||Roe^Una||19500102||||||555-0100~^NET^Internet^una@mail.example\rNK1||Roe^Ulf";
        let bare = "PID|||7^^^H^MR||^^||1950||||^^|||^^^|\rNK1|1\rGT1|1||Pay^Una";
        let mut register = Register::default();
        for (at, rest) in [("20261120", whole), ("20261121", bare)] {
            let text = format!("MSH|^~\\&|ADT|H|P|H|{at}||ADT^A08|7|P|2.5\r{rest}");
            for event in read_event(&Message::read(text.as_bytes()).unwrap()).unwrap() {
                register.apply(&event, 0).unwrap();
            }
        }
        let una = register.take_all().next().unwrap();
        assert_eq!((una.names.len(), una.phones.len(), una.emails.len()), (1, 1, 1));
        assert!(una.birth_date.is_some());
        assert_eq!(una.relatives.len(), 2, "who pays is added to kin");
    }

    #[test]
    fn a_patient_of_whom_too_much_is_said_is_left_as_they_were() {
        let long = "é".repeat(300);
        let names: Vec<String> = (0..16).map(|n| format!("{n}{long}^{n}{long}^{long}")).collect();
        let kin: String =
            (0..16).fold(String::new(), |all, n| format!("{all}\rNK1||{n}{long}^{long}^{long}"));
        let homes: Vec<String> = (0..16).map(|n| format!("{n}{long}^^{long}^^{long}")).collect();
        let numbers: Vec<String> = (0..16).map(|n| format!("{n}{long}")).collect();
        let numbers = numbers.join("~");
        let rest = format!(
            "PID|||7||{}||||||{}|||||||{numbers}|{numbers}|{numbers}{kin}\rPV1||I|4W^412||||||||||||||||{numbers}",
            names.join("~"),
            homes.join("~"),
        );
        let one = ("A01", "20261120", "PID|||7||Roe^Una\rPV1||I|4W^412");
        let mut register = Register::default();
        let mut refused = Vec::new();
        for (code, rest) in
            [("A01", one.2), ("A08", &rest), ("A02", "PID|||7||Roe^Una\rPV1||I|4W^415")]
        {
            let text = format!("MSH|^~\\&|ADT|H|P|H|20261121||ADT^{code}|7|P|2.5\r{rest}");
            let events = read_event(&Message::read(text.as_bytes()).unwrap()).unwrap();
            refused.push(register.apply(&events[0], 0).is_err());
        }
        assert_eq!(refused, [false, true, false], "that message alone");
        assert_eq!(register.take_all().map(|it| shown(&it)).collect::<Vec<_>>(), ["Una 415 in 7"]);
    }

    #[test]
    fn a_record_that_was_taken_out_is_nobody_until_it_is_used_again() {
        let one = ("A01", "20261120", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let out = ("A29", "20261121", "PID|||7^^^H^MR");
        assert_eq!(after(&[one, out]), [""; 0]);
        assert_eq!(after(&[out, one]), [""; 0], "the older came late");
        let back = ("A01", "20261122", "PID|||7^^^H^MR||Roe^Ida\rPV1||I|4W^412");
        assert_eq!(after(&[one, out, back]), ["Ida 412 in 7"]);
    }
}
