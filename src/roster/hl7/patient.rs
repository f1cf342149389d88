//! The patient of a message: PID and what stands around it, as every version from 2.1 to 2.9 writes them.

use jiff::civil::{Date, DateTime};

use crate::roster::hl7::message::{Message, Part, Segment};
use crate::roster::{
    Address, Identifier, IdentifierKind, NameUse, Patient, PersonName, Place, Relative,
};

/// Repetitions of one field that are read: nobody has more telephones than this.
const MOST: usize = 16;

/// The patient that a message speaks of, but for the stay.
pub(super) fn patient(message: &Message) -> Patient {
    let mut patient = Patient::default();
    if let Some(pid) = message.first("PID") {
        identity(pid, &mut patient);
        reach(pid, &mut patient);
    }
    relatives(message, &mut patient);
    if let Some(pv1) = message.first("PV1") {
        number(pv1.field(19), IdentifierKind::Visit, &mut patient);
        number(pv1.field(50), IdentifierKind::Visit, &mut patient);
    }
    for insurance in message.all("IN1").take(MOST) {
        number(insurance.field(36), IdentifierKind::HealthPlan, &mut patient);
        number(insurance.field(49), IdentifierKind::HealthPlan, &mut patient);
    }
    patient
}

fn identity(pid: Segment<'_>, patient: &mut Patient) {
    for field in [3, 2, 4] {
        number(pid.field(field), IdentifierKind::Record, patient);
    }
    number(pid.field(18), IdentifierKind::Account, patient);
    number(pid.field(19), IdentifierKind::Ssn, patient);
    number(pid.field(20), IdentifierKind::License, patient);
    push_names(pid.field(5), NameUse::Usual, &mut patient.names);
    push_names(pid.field(9), NameUse::Former, &mut patient.names);
    patient.birth_date = day(pid.field(7).first(1).as_str());
    let dead = pid.field(30).first(1);
    patient.deceased = dead.eq_ignore_ascii_case("y") || !pid.field(29).first(1).is_empty();
}

fn reach(pid: Segment<'_>, patient: &mut Patient) {
    for part in pid.field(11).repetitions().take(MOST) {
        let address = Address {
            street: part.component(1).head(),
            city: part.component(3).head(),
            zip: part.component(5).head(),
        };
        if !address.street.is_empty() {
            patient.addresses.push(address);
        }
    }
    for field in [13, 14, 40] {
        for part in pid.field(field).repetitions().take(MOST) {
            match contact(part) {
                Some(Contact::Phone(phone)) => patient.phones.push(phone),
                Some(Contact::Email(email)) => patient.emails.push(email),
                None => {}
            }
        }
    }
}

fn relatives(message: &Message, patient: &mut Patient) {
    let own: Vec<String> = patient.names.iter().map(said).collect();
    let mut add = |name: PersonName, phones: &[Part<'_>]| {
        let phones: Vec<String> = phones
            .iter()
            .flat_map(|field| field.repetitions().take(MOST))
            .filter_map(|part| match contact(part) {
                Some(Contact::Phone(phone)) => Some(phone),
                _ => None,
            })
            .collect();
        // Most guarantors and insured are the patients themselves.
        let is_new = !own.contains(&said(&name));
        if is_new && patient.relatives.len() < MOST && !(name.is_empty() && phones.is_empty()) {
            patient.relatives.push(Relative { name, phones });
        }
    };
    for kin in message.all("NK1").take(MOST) {
        add(name(kin.field(2)), &[kin.field(5), kin.field(6), kin.field(40)]);
        add(name(kin.field(30)), &[kin.field(31)]);
    }
    for payer in message.all("GT1").take(MOST) {
        add(name(payer.field(3)), &[payer.field(6), payer.field(7)]);
    }
    for insurance in message.all("IN1").take(MOST) {
        add(name(insurance.field(16)), &[]);
    }
    if let Some(pid) = message.first("PID") {
        let mother = name(pid.field(6));
        if !mother.given.is_empty() {
            add(mother, &[]);
        }
    }
}

/// Whether a message names its patient; the names that they once had are no such name.
pub(super) fn is_named(pid: Segment<'_>) -> bool {
    let mut names = Vec::new();
    push_names(pid.field(5), NameUse::Usual, &mut names);
    !names.is_empty()
}

/// The names of a record that is no longer used.
pub(super) fn names_before(mrg: Segment<'_>, names: &mut Vec<PersonName>) {
    push_names(mrg.field(7), NameUse::Former, names);
}

/// Whether a message says who belongs to its patient: who pays for them says nothing of others.
pub(super) fn has_kin(message: &Message) -> bool {
    let mut all = message.all("NK1").take(MOST);
    all.any(|kin| !(name(kin.field(2)).is_empty() && name(kin.field(30)).is_empty()))
}

fn said(name: &PersonName) -> String {
    format!("{} {}", name.given, name.family).to_lowercase()
}

/// Where a stay is, by PV1-3.
pub(super) fn place(pv1: Segment<'_>) -> Place {
    let at = pv1.field(3);
    Place { ward: at.first(1), room: at.first(2), bed: at.first(3) }
}

fn number(field: Part<'_>, meant: IdentifierKind, patient: &mut Patient) {
    for part in field.repetitions().take(MOST) {
        let value = part.component(1).head();
        let kind = kind(&part.component(5).head()).unwrap_or(meant);
        let known = |it: &Identifier| it.value == value && it.kind == kind;
        if !value.is_empty() && !patient.identifiers.iter().any(known) {
            patient.identifiers.push(Identifier { kind, value });
        }
    }
}

/// What a number numbers, by table 0203. `None` where the sender does not say.
fn kind(code: &str) -> Option<IdentifierKind> {
    Some(match code.to_ascii_uppercase().as_str() {
        "" => return None,
        "MR" | "MRN" | "PI" | "PT" | "PE" | "EPI" | "EMPI" | "MRT" | "U" => IdentifierKind::Record,
        "VN" | "AN_VISIT" | "ACSN" => IdentifierKind::Visit,
        "AN" | "ANON" | "ANC" | "AND" | "ANT" => IdentifierKind::Account,
        "SS" | "SSN" => IdentifierKind::Ssn,
        "DL" | "PPN" | "DLN" => IdentifierKind::License,
        "MA" | "MB" | "MC" | "MI" | "HC" | "MCD" | "MCR" | "NH" | "SN" | "WC" | "PNT" => {
            IdentifierKind::HealthPlan
        }
        _ => IdentifierKind::Other,
    })
}

fn name(field: Part<'_>) -> PersonName {
    let mut names = Vec::new();
    push_names(field, NameUse::Usual, &mut names);
    names.into_iter().next().unwrap_or_default()
}

fn push_names(field: Part<'_>, meant: NameUse, names: &mut Vec<PersonName>) {
    for part in field.repetitions().take(MOST) {
        let (family, first, more) =
            (part.component(1).head(), part.component(2).head(), part.component(3).head());
        let used = match part.component(7).head().to_ascii_uppercase().as_str() {
            "L" | "C" => NameUse::Official,
            "M" => NameUse::Maiden,
            "N" | "K" => NameUse::Nickname,
            "A" | "B" | "BAD" | "F" | "P" | "MSK" => NameUse::Former,
            // A code in place of a name.
            "S" => continue,
            _ => meant,
        };
        // Before 2.3 some send the whole name in one component.
        let name = if first.is_empty() && family.contains([',', ' ']) && !family.contains("  ") {
            let whole = PersonName::whole(&family);
            PersonName { used, ..whole }
        } else {
            PersonName { used, given: format!("{first} {more}").trim().to_owned(), family }
        };
        if !name.is_empty() {
            names.push(name);
        }
    }
}

enum Contact {
    Phone(String),
    Email(String),
}

/// A telephone number or an e-mail address: whole in the first component, as before 2.3.1, or in parts.
fn contact(part: Part<'_>) -> Option<Contact> {
    let component = |n: usize| part.component(n).head();
    let written = component(1);
    let email = component(4);
    if let Some(email) = [email, written.clone()].into_iter().find(|text| text.contains('@')) {
        return Some(Contact::Email(email));
    }
    let phone = [written, component(12)].into_iter().find(|text| !text.is_empty());
    let phone = phone.unwrap_or_else(|| format!("{}{}", component(6), component(7)));
    (!phone.is_empty()).then_some(Contact::Phone(phone))
}

/// The day of a time stamp; `None` of one that is not so exact, or is none.
pub(super) fn day(text: &str) -> Option<Date> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits < 8 {
        return None;
    }
    Date::new(number(0, 4)?, i8::try_from(number(4, 6)?).ok()?, i8::try_from(number(6, 8)?).ok()?)
        .ok()
}

/// A time stamp as seconds of the sender's own clock; what it leaves out is the beginning of what it says.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let day = day(text)?;
    let part = |from: usize| {
        let digits = text.get(from..from + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i8>().ok())?
    };
    let (hour, minute) = (part(8).unwrap_or(0), part(10).unwrap_or(0));
    let second = if part(10).is_some() { part(12).unwrap_or(0) } else { 0 };
    let time = DateTime::new(day.year(), day.month(), day.day(), hour, minute, second, 0).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{day, patient, seconds};
    use crate::roster::hl7::message::Message;
    use crate::roster::{IdentifierKind, NameUse, Patient};

    fn of(segments: &str) -> Patient {
        let text = format!("MSH|^~\\&|ADT|H|P|H|20261123101500||ADT^A01|7|P|2.5\r{segments}");
        patient(&Message::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn everything_by_which_a_patient_may_be_named_is_read() {
        let patient = of("PID|1||00731946^^^H^MR~900-55-0731^^^USA^SS~QHP-9^^^Q^MB~X1^^^Z^XX||\
            Quackenthorpe&&Quackenthorpe^Zebulon^Q^^^^L~Grimble^Zebulon^^^^^M~^Zeb^^^^^N~XXX^YYY^^^^^S|\
            Hawk^Wila|19610506||Quack^Z||7301 Quillfeather Way&Quillfeather^Apt 2^Ohm^OH^43004||\
            (614)555-0142^PRN^PH~^NET^Internet^zeb.q@mail.example|^WPN^PH^^1^614^5550188||||ACC-77\r\
            NK1|1|Quackenthorpe^Wilhelmena|SPO||614-555-0143\r\
            PV1|1|I|9 Quill^973^B||||||||||||||||V-100^^^H^VN\rGT1|1||Quackenthorpe^Zebulon^Q\r\
            GT1|2||Payer^Patty^^||X||614-555-0144\rIN1|1|||||||||||||||Insured^Ivan||||||||||||||||||||POL-123");
        let kinds: Vec<(IdentifierKind, &str)> =
            patient.identifiers.iter().map(|it| (it.kind, it.value.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (IdentifierKind::Record, "00731946"),
                (IdentifierKind::Ssn, "900-55-0731"),
                (IdentifierKind::HealthPlan, "QHP-9"),
                (IdentifierKind::Other, "X1"),
                (IdentifierKind::Account, "ACC-77"),
                (IdentifierKind::Visit, "V-100"),
                (IdentifierKind::HealthPlan, "POL-123"),
            ]
        );
        let names: Vec<(NameUse, &str, &str)> = patient
            .names
            .iter()
            .map(|it| (it.used, it.given.as_str(), it.family.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                (NameUse::Official, "Zebulon Q", "Quackenthorpe"),
                (NameUse::Maiden, "Zebulon", "Grimble"),
                (NameUse::Nickname, "Zeb", ""),
                (NameUse::Former, "Z", "Quack"),
            ]
        );
        assert_eq!(patient.birth_date, Some(date(1961, 5, 6)));
        assert_eq!(patient.phones, ["(614)555-0142", "6145550188"]);
        assert_eq!(patient.emails, ["zeb.q@mail.example"]);
        let address = patient.addresses.first().unwrap();
        assert_eq!(
            (address.street.as_str(), address.zip.as_str()),
            ("7301 Quillfeather Way", "43004")
        );
        let kin: Vec<(&str, usize)> =
            patient.relatives.iter().map(|it| (it.name.given.as_str(), it.phones.len())).collect();
        assert_eq!(
            kin,
            [("Wilhelmena", 1), ("Payer", 1), ("Ivan", 0), ("Wila", 0)]
                .map(|(name, n)| (if name == "Payer" { "Patty" } else { name }, n))
        );
    }

    #[test]
    fn older_versions_write_it_otherwise() {
        let patient = of("PID||EXT-55507|00731946|ALT-9|QUACKENTHORPE, ZEBULON||1961|||||\r");
        let values: Vec<&str> = patient.identifiers.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(values, ["00731946", "EXT-55507", "ALT-9"]);
        let name = patient.names.first().unwrap();
        assert_eq!((name.given.as_str(), name.family.as_str()), ("ZEBULON", "QUACKENTHORPE"));
        assert_eq!(patient.birth_date, None, "a year alone is no day");
    }

    #[test]
    fn times_are_read_as_exactly_as_they_are_written() {
        assert_eq!(day("196105"), None);
        assert_eq!(day("19610506101500.123-0500"), Some(date(1961, 5, 6)));
        assert_eq!(day("19610231"), None);
        assert_eq!(seconds("19700101"), Some(0));
        assert_eq!(seconds("197001010101"), Some(3660));
        assert_eq!(seconds("19700101010105.5+0100"), Some(3665));
        assert_eq!(seconds("1970010101+0100"), Some(3600));
        assert_eq!(seconds("soon"), None);
    }
}
