//! Invented patients by whom the rules of the roster prove themselves: nobody bears these names and numbers.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;

use crate::roster::{
    Address, Builder, Identifier, IdentifierKind, Index, Key, Patient, PersonName, Place, Relative,
};

/// The key of the examples is no secret: it is written here.
const KEY: &[u8] = b"the key of the examples, which are nobody's";

/// The invented patients; `None` where there are no random numbers to salt their hashes with.
pub(super) fn index() -> Option<Arc<Index>> {
    let key = Key::of(KEY)?;
    let built = Timestamp::from_second(1_795_392_000).ok()?;
    let mut builder = Builder::new(Cursor::new(Vec::new()), PathBuf::new(), &key, built).ok()?;
    builder.add(&in_house()).ok()?;
    builder.add(&former()).ok()?;
    let (_, bytes) = builder.finish().ok()?;
    Index::of_memory(bytes.into_inner(), &key).ok().map(Arc::new)
}

fn in_house() -> Patient {
    let number = |kind, value: &str| Identifier { kind, value: value.to_owned() };
    Patient {
        names: vec![PersonName::new("Zebulon", "Quackenthorpe")],
        identifiers: vec![
            number(IdentifierKind::Record, "00731946"),
            number(IdentifierKind::Account, "QA-5550731"),
            number(IdentifierKind::HealthPlan, "QHP-9055507"),
            number(IdentifierKind::Ssn, "900-55-0731"),
            number(IdentifierKind::License, "QZ5550731"),
            number(IdentifierKind::Other, "STUDY-55507"),
        ],
        birth_date: Some(date(1961, 5, 6)),
        phones: vec!["614-555-0142".to_owned()],
        emails: vec!["zeb.q@mail.example".to_owned()],
        addresses: vec![Address {
            street: "7301 Quillfeather Way".to_owned(),
            ..Address::default()
        }],
        place: Place { ward: "9 Quill".to_owned(), room: "973".to_owned(), bed: String::new() },
        admitted: Some(date(2026, 11, 20)),
        relatives: vec![Relative {
            name: PersonName::new("Wilhelmena", "Quackenthorpe"),
            phones: Vec::new(),
        }],
        ..Patient::default()
    }
}

fn former() -> Patient {
    Patient {
        names: vec![PersonName::new("Philoxenia", "Grimblehawk")],
        admitted: Some(date(2019, 3, 1)),
        discharged: Some(date(2019, 3, 9)),
        ..Patient::default()
    }
}
