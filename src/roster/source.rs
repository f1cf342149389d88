//! How a source hands its patients to the builder: one after the other, with the line of what it cannot use.

use crate::roster::Patient;

/// Somewhere patients are read from: a table, an export, a file of messages.
pub trait Source {
    /// The next entry; `None` at the end. An error ends the source: nothing behind it could be trusted.
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError>;

    /// Fields that could not be read since this was last asked, of rows that were used without them.
    fn take_unread(&mut self) -> Vec<BadField> {
        Vec::new()
    }
}

/// What one row, line or message of a source came to.
#[derive(Debug)]
pub enum Entry {
    /// A patient.
    Patient(Box<Patient>),
    /// Something that is no patient, or cannot be read as one.
    Bad(BadRow),
    /// Something that says nothing of a patient and need not: a blank line, another resource, a message of another kind.
    Passed,
}

/// A row that could not be used. It is named by its line and a fixed phrase, never by what it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadRow {
    /// Its first line, from 1.
    pub line: u64,
    /// Why, in words of ours.
    pub why: &'static str,
}

/// A field that could not be read, in a row that was used without it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadField {
    /// The first line of its row, from 1.
    pub line: u64,
    /// Its column, from 1; 0 is a name, where there are no columns.
    pub column: usize,
}

/// Why a source cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot be read")]
    Read(#[source] std::io::Error),
    /// It is not what it was taken for. The words are ours, never the file's.
    #[error("line {line}: {why}")]
    Unfit {
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
}
