//! What a message about an admission says has happened, to whom, and when.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::roster::form::number_form;
use crate::roster::hl7::message::{Fault, Message, Part};
use crate::roster::hl7::patient::{day, has_kin, is_named, names_before, patient, place, seconds};
use crate::roster::{Patient, Place};

/// What has happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// They came to stay.
    Admit,
    /// They came, and do not stay.
    Visit,
    /// They were moved, or a move was taken back.
    Transfer,
    /// They left.
    Discharge,
    /// Something about them is otherwise.
    Update,
    /// They never came.
    CancelAdmit,
    /// They never left.
    CancelDischarge,
    /// Two records are one person's.
    Merge,
    /// The record is taken out.
    Remove,
}

/// A record number by which a patient is known, and who gave it out (empty where nobody says).
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct RecordNumber {
    /// In the form in which it is hashed.
    pub(crate) form: String,
    /// Who gave it out.
    pub(crate) by: String,
}

/// Shows no text.
impl std::fmt::Debug for RecordNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordNumber")
    }
}

/// Which parts of a patient a message gives, so that they can be read: those replace what was known, the others stay.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a group of fields that a message gives or not"
)]
pub(crate) struct Given {
    pub(crate) names: bool,
    pub(crate) phones: bool,
    pub(crate) addresses: bool,
    pub(crate) relatives: bool,
    pub(crate) birth: bool,
    pub(crate) deceased: bool,
}

/// One message's meaning.
pub struct Event {
    /// What has happened.
    pub act: Act,
    /// When, in seconds of the sender's clock.
    pub at: i64,
    /// The patient, with the stay as far as the message gives it.
    pub patient: Patient,
    pub(crate) given: Given,
    pub(crate) numbers: Vec<RecordNumber>,
    /// The numbers that are this patient's from now on (a merge).
    pub(crate) prior: Vec<RecordNumber>,
    /// By which a message that is sent twice is known.
    pub(crate) mark: Vec<u8>,
}

/// Shows no text.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("act", &self.act).finish_non_exhaustive()
    }
}

impl Event {
    /// The day on which it happened.
    pub(crate) fn day(&self) -> Option<Date> {
        let at = Timestamp::from_second(self.at).ok()?;
        Some(at.to_zoned(TimeZone::UTC).date())
    }
}

/// What has happened by the code of an event; `None` of one that says nothing of a stay.
fn act(code: &str) -> Option<Act> {
    Some(match code {
        "A01" | "A06" => Act::Admit,
        "A04" | "A05" | "A07" | "A14" => Act::Visit,
        "A02" | "A12" => Act::Transfer,
        "A03" => Act::Discharge,
        "A11" | "A27" | "A38" => Act::CancelAdmit,
        "A13" => Act::CancelDischarge,
        "A18" | "A30" | "A34" | "A35" | "A36" | "A39" | "A40" | "A41" | "A46" | "A47" => Act::Merge,
        "A29" => Act::Remove,
        _ => return None,
    })
}

/// Patients of one message at the most.
const MOST: usize = 64;

/// Reads what a message says, of each patient that it is about. A fault names the segment and field, and no word of the
/// message; then nothing of it is given.
pub(crate) fn read(message: &Message) -> Result<Vec<Event>, Fault> {
    let unfit = |why| Err(Fault { segment: "MSH", field: 0, why });
    if message.all("MSH").nth(1).is_some() {
        return unfit("there are two messages in one frame");
    }
    let n_patients = message.all("PID").take(MOST + 1).count();
    if n_patients > MOST {
        return unfit("it is about more than 64 patients: send a message for each");
    }
    let mut events = if n_patients < 2 {
        vec![read_one(message)?]
    } else {
        message.of_each_patient().map(|of_one| read_one(&of_one)).collect::<Result<Vec<_>, _>>()?
    };
    // It is one message, and is known again as one.
    for event in &mut events {
        event.mark = mark(message);
    }
    Ok(events)
}

fn read_one(message: &Message) -> Result<Event, Fault> {
    let head =
        message.first("MSH").ok_or(Fault { segment: "MSH", field: 0, why: "it is missing" })?;
    let (kind, code) = (head.field(9).first(1), head.field(9).first(2));
    if kind != "ADT" {
        return Err(Fault { segment: "MSH", field: 9, why: "only ADT messages are taken" });
    }
    let evn = message.first("EVN");
    let code = if code.is_empty() {
        evn.map(|evn| evn.field(1).first(1)).unwrap_or_default()
    } else {
        code
    };
    if !(code.len() == 3 && code.starts_with('A')) {
        return Err(Fault { segment: "MSH", field: 9, why: "its event is missing" });
    }
    let act = act(&code).unwrap_or(Act::Update);
    let pid = message.first("PID").ok_or(Fault {
        segment: "PID",
        field: 0,
        why: "it is missing: of whom the message is, is not said",
    })?;
    let mut numbers = record_numbers(pid.field(3), true);
    for (field, any) in [(3, false), (2, true), (4, true)] {
        if numbers.is_empty() {
            numbers = record_numbers(pid.field(field), !any);
            if numbers.is_empty() && field == 3 {
                numbers = record_numbers(pid.field(3), false);
            }
        }
    }
    if numbers.is_empty() {
        return Err(Fault { segment: "PID", field: 3, why: "there is no record number" });
    }
    // Of what is not merged, the number before is another record's that stands.
    let merged = || message.all("MRG").filter(|_| act == Act::Merge).take(MOST);
    let mut prior = Vec::new();
    for mrg in merged() {
        prior.extend(record_numbers(mrg.field(1), false));
        prior.extend(record_numbers(mrg.field(4), false));
    }
    if act == Act::Merge && prior.is_empty() {
        return Err(Fault {
            segment: "MRG",
            field: 1,
            why: "the number that is no longer used is missing",
        });
    }
    let times = [
        evn.map(|evn| evn.field(6).first(1)),
        evn.map(|evn| evn.field(2).first(1)),
        Some(head.field(7).first(1)),
    ];
    let at = times.into_iter().flatten().find_map(|text| seconds(&text));
    let at = at.ok_or(Fault {
        segment: "EVN",
        field: 2,
        why: "when it happened is missing or no time, and so is MSH-7",
    })?;
    let mut patient = patient(message);
    merged().for_each(|mrg| names_before(mrg, &mut patient.names));
    let today = Timestamp::from_second(at).ok().map(|at| at.to_zoned(TimeZone::UTC).date());
    let act = stay(message, act, &mut patient, today);
    let given = Given {
        names: is_named(pid),
        phones: !patient.phones.is_empty(),
        addresses: !patient.addresses.is_empty(),
        relatives: has_kin(message),
        birth: patient.birth_date.is_some(),
        deceased: [29, 30].into_iter().any(|field| !pid.field(field).first(1).is_empty()),
    };
    Ok(Event { act, at, patient, given, numbers, prior, mark: Vec::new() })
}

/// The record numbers of a field; where one is said to be a record's own, those alone.
fn record_numbers(field: Part<'_>, said: bool) -> Vec<RecordNumber> {
    let mut numbers = Vec::new();
    for part in field.repetitions().take(16) {
        let code = part.component(5).head().to_ascii_uppercase();
        if said && !matches!(code.as_str(), "MR" | "MRN" | "PI" | "PT") {
            continue;
        }
        if !said && matches!(code.as_str(), "SS" | "DL" | "AN" | "VN" | "MB" | "MC" | "MA") {
            continue;
        }
        let Some(form) = number_form(&part.component(1).head()) else { continue };
        let number = RecordNumber { form: form.whole, by: part.component(4).head().to_uppercase() };
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

/// The stay, as far as PV1 gives it; what happened may be another thing for one who does not stay.
fn stay(message: &Message, act: Act, patient: &mut Patient, today: Option<Date>) -> Act {
    let pv1 = message.first("PV1");
    let when = |field: usize| pv1.and_then(|pv1| day(&pv1.field(field).first(1)));
    patient.admitted = when(44);
    patient.discharged = when(45);
    patient.place = pv1.map_or_else(Place::default, place);
    let class = pv1.map(|pv1| pv1.field(2).first(1).to_ascii_uppercase()).unwrap_or_default();
    let act = match (act, class.as_str()) {
        // In an emergency room they lie in a bed until somebody says that they left; elsewhere they go home.
        (Act::Visit, "E" | "I" | "B") => Act::Admit,
        (Act::Admit, "O" | "R" | "P" | "N") if patient.place.room.is_empty() => Act::Visit,
        (act, _) => act,
    };
    let stays = !matches!(class.as_str(), "O" | "R" | "P" | "N");
    match act {
        // Something about somebody who is not here to stay says nothing of a stay.
        Act::Update | Act::Merge if !stays => {
            (patient.admitted, patient.discharged) = (None, None);
            patient.place = Place::default();
        }
        Act::Admit => patient.admitted = patient.admitted.or(today),
        Act::Visit => {
            patient.admitted = patient.admitted.or(today);
            patient.discharged = patient.discharged.or(today);
        }
        Act::Discharge => patient.discharged = patient.discharged.or(today),
        _ => {}
    }
    act
}

/// The same for a message that is sent again, whenever that is: its sender, its number, and all behind its head.
fn mark(message: &Message) -> Vec<u8> {
    let mut mark = Vec::new();
    if let Some(head) = message.first("MSH") {
        for field in [3, 4, 9, 10] {
            mark.extend_from_slice(head.field(field).raw().as_bytes());
            mark.push(0);
        }
    }
    mark.extend_from_slice(message.behind_head().as_bytes());
    mark
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Act, Event, Fault, read};
    use crate::roster::hl7::message::Message;

    fn event(code: &str, rest: &str) -> Result<Event, Fault> {
        let text = format!("MSH|^~\\&|ADT|H|P|H|20261123101500||{code}|7|P|2.5\r{rest}");
        read(&Message::read(text.as_bytes()).unwrap()).map(|mut events| events.remove(0))
    }

    #[test]
    fn an_event_is_what_its_code_and_class_say() {
        let pid = "EVN||20261120080000\rPID|||7^^^H^MR||Roe^Una\rPV1|1|";
        for (code, class, want) in [
            ("ADT^A01", "I|4W^412^B", Act::Admit),
            ("ADT^A04", "O", Act::Visit),
            ("ADT^A04", "E", Act::Admit),
            ("ADT^A02^ADT_A02", "I", Act::Transfer),
            ("ADT^A03", "I", Act::Discharge),
            ("ADT^A08", "I", Act::Update),
            ("ADT^A31", "", Act::Update),
            ("ADT^A11", "I", Act::CancelAdmit),
            ("ADT^A13", "I", Act::CancelDischarge),
            ("ADT^A29", "", Act::Remove),
        ] {
            assert_eq!(event(code, &format!("{pid}{class}")).unwrap().act, want, "{code} {class}");
        }
        let admitted = event("ADT^A01", &format!("{pid}I|4W^412^B")).unwrap();
        assert_eq!(admitted.patient.admitted, Some(date(2026, 11, 20)));
        assert_eq!(admitted.patient.place.room, "412");
        let code_in_evn = event("ADT", "EVN|A03|20261120\rPID|||7||Roe^Una").unwrap();
        assert_eq!(
            (code_in_evn.act, code_in_evn.patient.discharged),
            (Act::Discharge, Some(date(2026, 11, 20)))
        );
    }

    #[test]
    fn a_fault_names_segment_and_field_and_nothing_else() {
        for (code, rest, want) in [
            ("ORU^R01", "PID|||7", "MSH-9: "),
            ("ADT", "PID|||7", "MSH-9: "),
            ("ADT^A01", "EVN||20261120", "PID: "),
            ("ADT^A01", "EVN||20261120\rPID|||||Quackenthorpe^Zebulon", "PID-3: "),
            ("ADT^A40", "EVN||20261120\rPID|||7||Quackenthorpe^Zebulon", "MRG-1: "),
        ] {
            let fault = event(code, rest).unwrap_err();
            assert!(fault.to_string().starts_with(want), "{fault}");
            assert!(!format!("{fault}{fault:?}").contains("Quack"));
        }
    }

    #[test]
    fn two_messages_in_one_frame_are_refused() {
        let two = "EVN||20261120\rPID|||7||Roe^Una\rMSH|^~\\&|ADT|H|P|H|20261123||ADT^A08|8|P|2.5\rPID|||8||Doe^Ida";
        let fault = event("ADT^A08", two).unwrap_err();
        assert_eq!(fault.to_string(), "MSH: there are two messages in one frame");
    }

    #[test]
    fn the_record_number_is_told_from_others() {
        let numbers = |field: &str| {
            let event = event("ADT^A08", &format!("PID|||{field}||Roe^Una")).unwrap();
            event.numbers.iter().map(|it| format!("{} {}", it.form, it.by)).collect::<Vec<_>>()
        };
        assert_eq!(numbers("900-55-0731^^^US^SS~0071^^^h&1.2&ISO^MR~9^^^X^AN"), ["71 H"]);
        assert_eq!(numbers("0071"), ["71 "]);
        assert_eq!(numbers("0071^^^H^XX"), ["71 H"]);
    }
}
