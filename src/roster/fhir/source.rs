//! Resources one after the other: a line each, or a Bundle or single resource over many lines.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use jiff::civil::Date;

use crate::roster::fhir::patient::patient;
use crate::roster::fhir::resource::{Named, Resource, fits};
use crate::roster::fhir::stay::Stays;
use crate::roster::lines::{Ends, Line, Lines};
use crate::roster::source::{BadField, BadRow, Entry, Source, SourceError};

/// The longest resource that is read, in bytes: a photograph may be in it.
const LINE: usize = 8 << 20;
/// The longest file that is one JSON text, in bytes. An export by lines may have any length.
const WHOLE: usize = 256 << 20;
/// A file that is no export shows it in so many lines: no more of them are said one by one.
const HOPELESS: u64 = 50;

/// Reads patients from FHIR resources.
pub struct FhirSource<R: Read> {
    lines: Lines<R>,
    /// What other files said of stays, and what this one does.
    shared: Arc<Stays>,
    own: Stays,
    today: Date,
    /// Resources of a Bundle that are still to come.
    waiting: VecDeque<Resource>,
    /// Whether patients were given by lines of their own, and whether it was said that stays came behind them.
    has_patients: bool,
    said_late: bool,
    /// Patients with a name that is of another type than names are.
    unread: Vec<BadField>,
    n_read: u64,
    n_bad: u64,
}

/// Shows no text.
impl<R: Read> std::fmt::Debug for FhirSource<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FhirSource").field("line", &self.lines.number).finish_non_exhaustive()
    }
}

impl Stays {
    /// Reads encounters, locations and relatives of a file; what else it has is passed over. Bad lines are counted, and
    /// patients, who belong into a file of their own.
    pub fn read(&mut self, input: impl Read, today: Date) -> Result<u64, SourceError> {
        let mut source = FhirSource::new(input, Arc::default(), today);
        let mut n_bad = 0;
        while let Some(read) = source.resource()? {
            match read {
                // A patient here is not read as one: that is not to go unsaid.
                Ok(resource) => {
                    n_bad += u64::from(
                        self.take(resource, today).is_some_and(|it| it.kind == "Patient"),
                    );
                }
                Err(_) => n_bad += 1,
            }
        }
        Ok(n_bad)
    }
}

impl<R: Read> FhirSource<R> {
    /// Begins to read. `today` says which names and numbers are no longer in use.
    pub fn new(input: R, stays: Arc<Stays>, today: Date) -> Self {
        let lines = Lines::new(input, Ends::Lf);
        Self {
            lines,
            shared: stays,
            own: Stays::default(),
            today,
            waiting: VecDeque::new(),
            has_patients: false,
            said_late: false,
            unread: Vec::new(),
            n_read: 0,
            n_bad: 0,
        }
    }

    /// The next resource, or why a line is none; `None` at the end. Blank lines are passed over.
    fn resource(&mut self) -> Result<Option<Result<Resource, BadRow>>, SourceError> {
        loop {
            if let Some(resource) = self.waiting.pop_front() {
                return Ok(Some(Ok(resource)));
            }
            let Some(line) = self.lines.next(LINE).map_err(SourceError::Read)? else {
                return Ok(None);
            };
            let number = self.lines.number;
            let unfit = |why: &str| SourceError::Unfit { line: number, why: why.to_owned() };
            let bytes =
                line.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line.bytes).trim_ascii();
            if bytes.is_empty() && !line.is_cut {
                continue;
            }
            let bad = |why| Ok(Some(Err(BadRow { line: number, why })));
            if line.is_cut {
                self.n_read += 1;
                return bad("it is longer than 8 MiB");
            }
            if bytes.contains(&0) || bytes.starts_with(b"\xff\xfe") {
                return Err(unfit("this is UTF-16 or binary: FHIR is UTF-8, export it as such"));
            }
            self.n_read += 1;
            let read = match serde_json::from_slice::<Resource>(bytes) {
                // The first line of a text over many.
                Err(error) if error.is_eof() && self.n_read == 1 => {
                    let first = bytes.to_vec();
                    self.rest_of(first)?
                }
                read => read.map_err(|error| why(bytes, &error)),
            };
            match read {
                Ok(resource) if resource.kind == "Bundle" => self.unpack(resource),
                Ok(resource) if resource.kind.is_empty() => {
                    return bad("it is no FHIR resource: it has no resourceType");
                }
                Ok(resource) => return Ok(Some(Ok(resource))),
                Err(_) if self.n_bad + 1 == self.n_read && self.n_bad >= HOPELESS => {
                    return Err(unfit("not one line so far is a FHIR resource: this is no export"));
                }
                Err(why) => {
                    self.n_bad += 1;
                    return bad(why);
                }
            }
        }
    }

    /// What a Bundle has: what says where patients lie before the patients.
    fn unpack(&mut self, bundle: Resource) {
        let order = |resource: &Resource| match resource.kind.as_str() {
            "Location" => 0,
            "Encounter" | "RelatedPerson" => 1,
            _ => 2,
        };
        let mut resources: Vec<Resource> =
            bundle.entry.into_iter().filter_map(|entry| entry.resource).map(|it| *it).collect();
        resources.sort_by_key(order);
        self.waiting.extend(resources);
    }

    /// A JSON text that goes on over more lines, to its end.
    fn rest_of(&mut self, first: Vec<u8>) -> Result<Result<Resource, &'static str>, SourceError> {
        let mut whole = first;
        while let Some(Line { bytes, is_cut }) = self.lines.next(LINE).map_err(SourceError::Read)? {
            if is_cut || whole.len() + bytes.len() >= WHOLE {
                let why =
                    "the JSON text is longer than 256 MiB: export it by lines (ndjson)".to_owned();
                return Err(SourceError::Unfit { line: self.lines.number, why });
            }
            whole.push(b'\n');
            whole.extend_from_slice(&bytes);
        }
        Ok(serde_json::from_slice(&whole).map_err(|error| why(&whole, &error)))
    }
}

/// Why bytes are no resource, in words of ours: a parser's own would repeat them.
fn why(bytes: &[u8], error: &serde_json::Error) -> &'static str {
    if std::str::from_utf8(bytes).is_err() {
        "it is not UTF-8 (Latin-1 or Windows-1252?)"
    } else if error.is_eof() {
        "it is cut off"
    } else if error.is_data() {
        "a field is of another type than FHIR has it"
    } else {
        "it is no JSON"
    }
}

impl<R: Read> Source for FhirSource<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        let resource = match self.resource()? {
            None => return Ok(None),
            Some(Err(bad)) => return Ok(Some(Entry::Bad(bad))),
            Some(Ok(resource)) => resource,
        };
        let by_line = self.waiting.is_empty();
        let is_late = by_line && self.has_patients && !self.said_late;
        if is_late && resource.kind == "Encounter" {
            self.said_late = true;
            self.own.take(resource, self.today);
            let why = "encounters stand behind the patients, who are read without them: put them before, or into a file of their own";
            return Ok(Some(Entry::Bad(BadRow { line: self.lines.number, why })));
        }
        let rest = self.own.take(resource, self.today);
        let Some(resource) = rest.filter(|it| it.kind == "Patient") else {
            return Ok(Some(Entry::Passed));
        };
        self.has_patients |= by_line;
        if resource.name.as_ref().is_some_and(|name| !fits::<Named>(name)) {
            self.unread.push(BadField { line: self.lines.number, column: 0 });
        }
        let id = resource.id.clone().unwrap_or_default();
        let told = self.own.of(&id).or_else(|| self.shared.of(&id)).cloned();
        let patient = patient(resource, told.as_ref(), self.today);
        if patient.is_empty() {
            let why = "it names nobody: no name and no number";
            return Ok(Some(Entry::Bad(BadRow { line: self.lines.number, why })));
        }
        Ok(Some(Entry::Patient(Box::new(patient))))
    }

    fn take_unread(&mut self) -> Vec<BadField> {
        std::mem::take(&mut self.unread)
    }
}
