//! The sources of `roster build`: what each is, by how it begins, and in which order they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use crate::roster::{Columns, CsvSource, FhirSource, Hl7Source, Source, SourceError, Stays};

/// As much as is looked at to see what a source is.
const FIRST: u64 = 1024;

/// What a source is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Table,
    /// Resources, of which the first is no patient: what says where patients lie.
    Stays(u8),
    /// Resources, patients among them.
    Fhir,
    Messages,
}

type Bytes = io::Chain<io::Cursor<Vec<u8>>, Box<dyn Read>>;

/// A source that was opened and looked at.
pub(super) struct Input {
    kind: Kind,
    bytes: Bytes,
}

/// How a source is called in messages.
pub(super) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut rest: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(SourceError::Read)?)
        };
        let mut first = Vec::new();
        rest.by_ref().take(FIRST).read_to_end(&mut first).map_err(SourceError::Read)?;
        Ok(Self { kind: kind(&first), bytes: io::Cursor::new(first).chain(rest) })
    }

    /// What reads the patients of it. One that has none is empty.
    pub(super) fn source(
        self,
        columns: &Columns,
        stays: &Arc<Stays>,
        today: Date,
    ) -> Result<Box<dyn Source>, SourceError> {
        Ok(match self.kind {
            Kind::Table => Box::new(CsvSource::new(self.bytes, columns)?.read_on(today)),
            Kind::Messages => Box::new(Hl7Source::new(self.bytes)),
            Kind::Stays(_) | Kind::Fhir => {
                Box::new(FhirSource::new(self.bytes, Arc::clone(stays), today))
            }
        })
    }
}

/// Reads what says where patients lie: locations first, then those who lie there. Gives how many lines could not be used.
pub(super) fn stays(
    inputs: &mut [(Input, String)],
    today: Date,
) -> Result<(Arc<Stays>, u64), (String, SourceError)> {
    let (mut stays, mut n_bad) = (Stays::default(), 0);
    for turn in 0..2 {
        for (input, name) in inputs.iter_mut().filter(|(input, _)| input.kind == Kind::Stays(turn))
        {
            n_bad += stays.read(&mut input.bytes, today).map_err(|error| (name.clone(), error))?;
        }
    }
    Ok((Arc::new(stays), n_bad))
}

fn kind(first: &[u8]) -> Kind {
    let bare = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let bare = bare.strip_prefix(b"\x0b").unwrap_or(bare);
    if [&b"MSH"[..], b"FHS", b"BHS"].iter().any(|head| {
        let mark = bare.strip_prefix(*head).and_then(<[u8]>::first);
        mark.is_some_and(u8::is_ascii_punctuation) && !matches!(mark, Some(b',' | b';' | b'_'))
    }) {
        return Kind::Messages;
    }
    if !bare.starts_with(b"{") {
        return Kind::Table;
    }
    // The type stands first in every export that there is; else the file is one of patients.
    let line = bare.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text: Vec<u8> = line.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // The first that is named is the resource's own: others stand within it.
    let named = b"\"resourceType\":\"";
    let first = memchr::memmem::find(&text, named).and_then(|at| text.get(at + named.len()..));
    let is = |kind: &str| {
        first
            .and_then(|own| own.strip_prefix(kind.as_bytes()))
            .is_some_and(|it| it.starts_with(b"\""))
    };
    if is("Location") {
        Kind::Stays(0)
    } else if is("Encounter") || is("RelatedPerson") {
        Kind::Stays(1)
    } else {
        Kind::Fhir
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn a_source_is_known_by_how_it_begins() {
        for (first, want) in [
            ("mrn,first_name\n", Kind::Table),
            ("MSH,first_name\n", Kind::Table),
            ("", Kind::Table),
            ("MSH|^~\\&|", Kind::Messages),
            ("\u{b}MSH|^~\\&|", Kind::Messages),
            ("BHS|^~\\&|", Kind::Messages),
            ("{\"resourceType\":\"Patient\"}", Kind::Fhir),
            ("\u{feff}{\n \"resourceType\" : \"Bundle\"", Kind::Fhir),
            ("{ \"resourceType\": \"Encounter\", ", Kind::Stays(1)),
            ("{\"resourceType\":\"Location\"", Kind::Stays(0)),
            (
                "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"RelatedPerson\"}]}",
                Kind::Fhir,
            ),
            (
                "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Encounter\"",
                Kind::Fhir,
            ),
        ] {
            assert_eq!(kind(first.as_bytes()), want, "{first:?}");
        }
    }
}
