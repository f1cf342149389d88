//! The hospital's own staff: a plain list, for who works here is no secret. Their names pass where they act as
//! clinicians, and are weighed like anybody's where they are the patient.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use crate::roster::PersonName;
use crate::roster::form::NameForms;

/// The names of a staff list.
#[derive(Default)]
pub struct Staff {
    /// How many bear a word as first name, and as last name.
    words: HashMap<Box<str>, (u32, u32)>,
    /// First and last names of one person, in the order of the alphabet.
    pairs: HashSet<(Box<str>, Box<str>)>,
    n_people: usize,
}

impl std::fmt::Debug for Staff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staff").field("n_people", &self.n_people).finish_non_exhaustive()
    }
}

/// Why a staff list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// It cannot be read as a table.
    #[error("line {line}: this is no table in UTF-8")]
    NoTable {
        /// Where, from 1.
        line: u64,
    },
    /// No column holds a name.
    #[error(
        "no column holds a name: the first line must name the columns, such as first_name,last_name,role"
    )]
    NoNames,
}

impl Staff {
    /// Reads a table with `first_name` and `last_name`, or `name`; other columns are passed over.
    pub fn read(input: impl Read) -> Result<Self, StaffError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let fault = |error: csv::Error| StaffError::NoTable {
            line: error.position().map_or(1, csv::Position::line),
        };
        let headings = reader.headers().map_err(fault)?.clone();
        let plain = |heading: &str| heading.to_lowercase().replace([' ', '_', '-', '\u{feff}'], "");
        let column = |known: &[&str]| {
            headings.iter().position(|heading| known.contains(&plain(heading).as_str()))
        };
        let given = column(&["firstname", "first", "givenname", "given", "fname"]);
        let family = column(&["lastname", "last", "surname", "familyname", "family", "lname"]);
        let whole = column(&["name", "fullname", "staffname", "employee", "employeename"]);
        if given.is_none() && family.is_none() && whole.is_none() {
            return Err(StaffError::NoNames);
        }
        let mut staff = Self::default();
        for row in reader.records() {
            let row = row.map_err(fault)?;
            let field = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
            let name = match (given, family) {
                (None, None) => PersonName::whole(field(whole)),
                _ => PersonName::new(field(given), field(family)),
            };
            staff.add(&name);
        }
        Ok(staff)
    }

    fn add(&mut self, name: &PersonName) {
        let forms = NameForms::of(name);
        if forms.is_empty() {
            return;
        }
        self.n_people += 1;
        for word in &forms.given {
            self.words.entry(word.as_str().into()).or_default().0 += 1;
        }
        for word in &forms.family {
            self.words.entry(word.as_str().into()).or_default().1 += 1;
        }
        for first in &forms.given {
            for last in &forms.family {
                self.pairs.insert(ordered(first, last));
            }
        }
    }

    /// How many people it names.
    pub fn n_people(&self) -> usize {
        self.n_people
    }

    /// How many bear a folded word as first name, and as last name.
    pub fn bear(&self, word: &str) -> (u32, u32) {
        self.words.get(word).copied().unwrap_or_default()
    }

    /// Whether somebody bears both of two folded words.
    pub fn has(&self, one: &str, other: &str) -> bool {
        self.pairs.contains(&ordered(one, other))
    }
}

fn ordered(one: &str, other: &str) -> (Box<str>, Box<str>) {
    if one <= other { (one.into(), other.into()) } else { (other.into(), one.into()) }
}

#[cfg(test)]
mod tests {
    use super::{Staff, StaffError};

    #[test]
    fn staff_are_known_by_their_words_and_pairs() {
        let list = "First Name,last_name,role\nAmara,O'Neil-Voss,RN\nAmara,Quist,MD\n,,\n";
        let staff = Staff::read(list.as_bytes()).unwrap();
        assert_eq!(staff.n_people(), 2);
        assert_eq!(staff.bear("amara"), (2, 0));
        assert_eq!(staff.bear("voss"), (0, 1));
        assert!(
            staff.has("oneil", "amara")
                && staff.has("amara", "quist")
                && !staff.has("voss", "quist")
        );
        let staff = Staff::read("name\n\"Quist, Amara\"\n".as_bytes()).unwrap();
        assert!(staff.has("amara", "quist"));
        assert!(matches!(Staff::read("role\nRN\n".as_bytes()), Err(StaffError::NoNames)));
        assert!(matches!(Staff::read(&b"name\n\xff\xfe\n"[..]), Err(StaffError::NoTable { .. })));
    }
}
