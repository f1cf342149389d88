//! The hospital's own patients as a keyed index, and its own staff.
//!
//! A source (a table, a FHIR export, HL7 messages) yields [`Patient`]s; a [`Builder`] writes nothing of them but keyed
//! hashes into one file; [`Index`] maps that file and answers whether a word, number or date of a post is one of theirs,
//! and of whom among the rows. What that says of a post is weighed in `detect`.
//!
//! Invariants: no plain text of a field is ever written to a disk, not even to one that is unlinked; without the key the
//! file says how many patients there are and nothing else; an [`Index`] that exists belongs to its key, and no byte of
//! it is believed before its block was checked.

mod build;
mod census;
mod columns;
mod csv;
mod error;
mod example;
mod fhir;
mod follow;
mod form;
mod format;
mod hl7;
mod index;
mod key;
mod lines;
mod live;
mod news;
mod open;
mod record;
mod source;
mod spill;
mod staff;
mod term;

pub use build::{Builder, FileBuilder, Summary};
pub use census::Stay;
pub use columns::{Column, Columns, ColumnsError, DayOrder};
pub use csv::CsvSource;
pub use error::{BuildError, OpenError};
pub use fhir::{FhirSource, Stays};
pub use follow::{FollowError, Follower, NewsStamp, Overlay, Taken, overlay_path};
pub use form::{Number, folded_words, is_particle, number_form, phone_form, street_form};
pub use format::{About, Kinds};
pub use hl7::{Act, Event, Fault, Hl7Source, Message, answer};
pub use index::{Hit, Index, Known, Row, RowNumber};
pub use key::{Key, KeyError};
pub use live::{House, Live, Roster};
pub use record::{
    Address, Identifier, IdentifierKind, NameUse, Patient, PersonName, Place, Relative,
};
pub use source::{BadField, BadRow, Entry, Source, SourceError};
pub use staff::{Staff, StaffError};
pub use term::Day;

#[cfg(test)]
mod tests;
