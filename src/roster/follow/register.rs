//! The patients that were heard of since the roster was built, as the messages about them left them.
//!
//! Messages may come late and twice: what one says holds from the time at which it happened, and an older one changes
//! nothing that a newer one said. What a message does not give stays as it was.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::roster::hl7::{Act, Event, Given, RecordNumber};
use crate::roster::{Identifier, IdentifierKind, NameUse, Patient, Place};

/// Number of a patient within a register.
pub(super) type Slot = u32;

/// Of each kind of field a patient keeps so many.
const MOST: usize = 32;
/// Before anything was said.
const NEVER: i64 = i64::MIN;

/// One patient, and when what is known of them happened.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Held {
    pub(super) patient: Patient,
    /// Record numbers, each with who gave it out.
    numbers: Vec<(String, String)>,
    details_at: Option<i64>,
    stay_at: Option<i64>,
    /// Which groups of fields messages gave.
    pub(super) given: [bool; 6],
    /// Whether the record was taken out.
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
            mine.emails.clone_from(&theirs.emails);
        }
        if addresses {
            mine.addresses.clone_from(&theirs.addresses);
        }
        if relatives {
            mine.relatives.clone_from(&theirs.relatives);
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
                mine.place = place.clone();
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
                if admitted.is_none() && discharged.is_none() && place.is_empty() {
                    return;
                }
                mine.admitted = admitted.or(mine.admitted);
                // Who left is not back because something about them was put right.
                mine.discharged = discharged.or(mine.discharged);
                if !place.is_empty() {
                    mine.place = place.clone();
                }
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
        for relative in theirs.relatives {
            let said =
                |it: &crate::roster::Relative| format!("{} {}", it.name.given, it.name.family);
            if mine.relatives.len() < MOST
                && !mine.relatives.iter().any(|it| said(it) == said(&relative))
            {
                mine.relatives.push(relative);
            }
        }
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

    /// Applies what has happened; gives the patients that are otherwise now, and those that are no more.
    pub(in crate::roster) fn apply(&mut self, event: &Event, now: i64) -> Vec<Slot> {
        let mut changed = Vec::new();
        let slot = self.find(&event.numbers).unwrap_or(self.next);
        let mut held = self.get(slot).unwrap_or_default();
        for number in event.numbers.iter().chain(&event.prior) {
            held.add_number(number);
        }
        let last = held.details_at.unwrap_or(NEVER).max(held.stay_at.unwrap_or(NEVER));
        if event.act == Act::Remove {
            if event.at >= last {
                let numbers = std::mem::take(&mut held.numbers);
                held = Held {
                    numbers,
                    removed: true,
                    details_at: Some(event.at),
                    stay_at: Some(event.at),
                    ..Held::default()
                };
            }
        } else {
            held.removed &= event.at < last;
            held.details(event);
            held.stay(event);
        }
        if event.act == Act::Merge {
            for number in &event.prior {
                if let Some(other) =
                    self.find(std::slice::from_ref(number)).filter(|other| *other != slot)
                {
                    let gone = self.get(other).unwrap_or_default();
                    self.drop(other);
                    changed.push(other);
                    held.merge(gone);
                }
                // The number that is no longer given is still in everybody's notes.
                let identifier =
                    Identifier { kind: IdentifierKind::Record, value: number.form.clone() };
                add_identifiers(&mut held.patient, &[identifier]);
            }
        }
        held.heard = now;
        // Serialising texts and numbers cannot fail; if it did, the patient would be lost, so it is left as it was.
        if let Ok(bytes) = serde_json::to_vec(&held) {
            self.set(slot, &held, bytes.into());
        }
        changed.push(slot);
        changed
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
            let event = read_event(&Message::read(text.as_bytes()).unwrap()).unwrap();
            register.apply(&event, 0);
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
            register.apply(&read_event(&Message::read(text.as_bytes()).unwrap()).unwrap(), 0);
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
    fn a_record_that_was_taken_out_is_nobody_until_it_is_used_again() {
        let one = ("A01", "20261120", "PID|||7^^^H^MR||Roe^Una\rPV1||I|4W^412");
        let out = ("A29", "20261121", "PID|||7^^^H^MR");
        assert_eq!(after(&[one, out]), [""; 0]);
        assert_eq!(after(&[out, one]), [""; 0], "the older came late");
        let back = ("A01", "20261122", "PID|||7^^^H^MR||Roe^Ida\rPV1||I|4W^412");
        assert_eq!(after(&[one, out, back]), ["Ida 412 in 7"]);
    }
}
