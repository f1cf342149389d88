//! Patients from files of HL7 v2 messages: one after the other, in batches or as they were sent, with CR, LF or both.
//!
//! A patient may be in many messages, of which the last says how they are. So messages are put together first, and the
//! patients come at the end: memory holds what is known of each.

use std::io::Read;

use crate::roster::Patient;
use crate::roster::follow::Register;
use crate::roster::hl7::{Message, read_event};
use crate::roster::lines::{Ends, Line, Lines};
use crate::roster::source::{BadRow, Entry, Source, SourceError};

/// The longest segment that is read whole, in bytes; what is behind that in a longer one is a document, not a name.
const SEGMENT: usize = 1 << 16;
/// The longest message, in bytes, of the segments that say who somebody is.
const MESSAGE: usize = 1 << 20;
/// Patients of all messages, at the most: some three gigabytes of memory.
const MOST: usize = 3 << 20;
/// Segments that are kept; all others are passed over.
const KEPT: [&[u8]; 8] = [b"MSH", b"EVN", b"PID", b"MRG", b"PV1", b"NK1", b"GT1", b"IN1"];

/// Reads patients from messages.
pub struct Hl7Source<R: Read> {
    lines: Lines<R>,
    register: Register,
    /// Those of the messages, once all are read.
    patients: Option<Box<dyn Iterator<Item = Patient>>>,
    /// The message being put together, and the line where it begins.
    message: Vec<u8>,
    begins: u64,
    is_long: bool,
}

/// Shows no text.
impl<R: Read> std::fmt::Debug for Hl7Source<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hl7Source").field("line", &self.lines.number).finish_non_exhaustive()
    }
}

impl<R: Read> Hl7Source<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        Self {
            lines: Lines::new(input, Ends::CrOrLf),
            register: Register::default(),
            patients: None,
            message: Vec::new(),
            begins: 0,
            is_long: false,
        }
    }

    /// Puts the message that is whole to the others.
    fn end_message(&mut self) -> Result<Entry, SourceError> {
        let (message, line) = (std::mem::take(&mut self.message), self.begins);
        if message.is_empty() {
            return Ok(Entry::Passed);
        }
        if std::mem::take(&mut self.is_long) {
            return Ok(Entry::Bad(BadRow { line, why: "the message is longer than a megabyte" }));
        }
        let events = match Message::read(&message).and_then(|message| read_event(&message)) {
            Ok(events) => events,
            Err(fault) => {
                let why = match (fault.segment, fault.field) {
                    ("MSH", 9) => return Ok(Entry::Passed),
                    ("MSH", 18) => fault.why,
                    ("MSH", _) => "its MSH is no head of a message",
                    ("PID", 0) => "it has no PID",
                    ("PID", _) => "it has no record number in PID-3",
                    ("MRG", _) => "it has no number in MRG-1",
                    _ => "it has no time in EVN-2 and none in MSH-7",
                };
                return Ok(Entry::Bad(BadRow { line, why }));
            }
        };
        for event in &events {
            if self.register.apply(event, 0).is_err() {
                let why = "more is said of the patient than can be kept";
                return Ok(Entry::Bad(BadRow { line, why }));
            }
        }
        if self.register.len() > MOST {
            let why = format!(
                "the messages are of more than {} million patients: give them as CSV or FHIR",
                MOST >> 20
            );
            return Err(SourceError::Unfit { line, why });
        }
        Ok(Entry::Passed)
    }
}

impl<R: Read> Source for Hl7Source<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if let Some(patients) = &mut self.patients {
            return Ok(patients.next().map(|patient| {
                if patient.is_empty() { Entry::Passed } else { Entry::Patient(Box::new(patient)) }
            }));
        }
        let Some(Line { bytes: segment, .. }) =
            self.lines.next(SEGMENT).map_err(SourceError::Read)?
        else {
            let last = self.end_message()?;
            self.patients = Some(Box::new(self.register.take_all()));
            return Ok(Some(last));
        };
        // A capture of MLLP has its frames about the messages.
        let framed = |byte: &u8| matches!(byte, 0x0b | 0x1c) || byte.is_ascii_whitespace();
        let from = segment.iter().take_while(|byte| framed(byte)).count();
        let segment = segment.get(from..).unwrap_or_default();
        let segment = segment.strip_prefix(b"\xef\xbb\xbf").unwrap_or(segment);
        if segment.starts_with(b"MSH") {
            let before = self.end_message()?;
            self.begins = self.lines.number;
            self.message.extend_from_slice(segment);
            return Ok(Some(before));
        }
        if self.lines.number == 1
            && (segment.starts_with(b"\xff\xfe")
                || segment.starts_with(b"\xfe\xff")
                || segment.contains(&0))
        {
            let why = "this is UTF-16 or binary: export it as UTF-8".to_owned();
            return Err(SourceError::Unfit { line: 1, why });
        }
        let is_batch =
            [&b"FHS"[..], b"BHS", b"BTS", b"FTS"].iter().any(|name| segment.starts_with(name));
        if segment.is_empty() || is_batch {
            return Ok(Some(Entry::Passed));
        }
        if self.message.is_empty() {
            let why = "it stands before the first MSH: this is no file of HL7 messages".to_owned();
            return Err(SourceError::Unfit { line: self.lines.number, why });
        }
        if KEPT.iter().any(|name| segment.starts_with(name)) {
            if self.message.len() + segment.len() < MESSAGE {
                self.message.push(b'\r');
                self.message.extend_from_slice(segment);
            } else {
                self.is_long = true;
            }
        }
        Ok(Some(Entry::Passed))
    }
}

#[cfg(test)]
mod tests {
    use super::Hl7Source;
    use crate::roster::{Entry, Source as _};

    fn read(file: &[u8]) -> Vec<String> {
        let mut source = Hl7Source::new(file);
        let mut said = Vec::new();
        while let Some(entry) = source.next_entry().unwrap() {
            match entry {
                Entry::Patient(patient) => {
                    let name = patient.names.first().map(|it| it.given.clone());
                    said.push(format!("{} {}", name.unwrap_or_default(), patient.place.room));
                }
                Entry::Bad(bad) => said.push(format!("{}: {}", bad.line, bad.why)),
                Entry::Passed => {}
            }
        }
        said
    }

    const FILE: &str = "FHS|^~\\&\nBHS|^~\\&\n\
        MSH|^~\\&|ADT|H|P|H|20261120||ADT^A01|1|P|2.3\nPID|||7^^^H^MR||Roe^Una\nOBX|1|TX|long text\nPV1||I|4W^412\n\
        MSH|^~\\&|ADT|H|P|H|20261121||ADT^A02|2|P|2.3\nPID|||7^^^H^MR||Roe^Una\nPV1||I|4W^415\n\
        MSH|^~\\&|ADT|H|P|H|20261121||ADT^A01|3|P|2.3\nPID|||||Secret^Name\n\
        MSH|^~\\&|LAB|H|P|H|20261121||ORU^R01|4|P|2.3\nPID|||9\n\
        MSH|^~\\&|ADT|H|P|H|20261121||ADT^A28|5|P|2.3\nPID|||8^^^H^MR||Doe^Ida\nBTS|1\nFTS|1\n";

    #[test]
    fn messages_are_put_together_to_patients_however_their_lines_end() {
        let want = ["10: it has no record number in PID-3", "Una 415", "Ida "];
        for ending in ["\n", "\r", "\r\n"] {
            assert_eq!(read(FILE.replace('\n', ending).as_bytes()), want, "{ending:?}");
        }
        let framed = FILE.replace("MSH", "\u{b}MSH").replace("\n\u{b}", "\r\u{1c}\r\u{b}");
        let names: Vec<String> = read(framed.as_bytes()).into_iter().skip(1).collect();
        assert_eq!(names, ["Una 415", "Ida "]);
    }

    #[test]
    fn what_is_no_file_of_messages_is_refused_and_not_repeated() {
        for file in [&b"Thea,Delacroix\n"[..], b"\xff\xfeM\0S\0H\0\n\0", b"PID|||7||Thea"] {
            let mut source = Hl7Source::new(file);
            let error = loop {
                match source.next_entry() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("nothing was refused"),
                    Err(error) => break error,
                }
            };
            assert!(!format!("{error} {error:?}").contains("Thea"));
        }
    }

    #[test]
    fn a_document_in_a_message_costs_no_memory_and_a_patient_behind_it_is_read() {
        let mut file =
            b"MSH|^~\\&|ADT|H|P|H|20261120||ADT^A01|1|P|2.3\rPID|||7||Roe^Una\rOBX|1|ED|".to_vec();
        file.extend(std::iter::repeat_n(b'x', 3 << 20));
        file.extend_from_slice(b"\rPV1||I|4W^412\r");
        assert_eq!(read(&file), ["Una 412"]);
    }
}
