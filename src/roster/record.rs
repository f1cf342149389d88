//! What a source says of one patient, before it is hashed. It lives in memory only, one patient at a time, and prints
//! nothing of itself.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One patient as a source has them. Every field may be empty: what is there is used.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Patient {
    /// Names, the one in use first.
    pub names: Vec<PersonName>,
    /// Record, visit, account and other numbers.
    pub identifiers: Vec<Identifier>,
    /// The day of birth.
    #[serde(with = "days")]
    pub birth_date: Option<Date>,
    /// Telephone numbers as written.
    pub phones: Vec<String>,
    /// E-mail addresses as written.
    pub emails: Vec<String>,
    /// Where they live.
    pub addresses: Vec<Address>,
    /// Where in the house they lie.
    pub place: Place,
    /// When they came.
    #[serde(with = "days")]
    pub admitted: Option<Date>,
    /// When they left; a patient who came and did not leave is in the house.
    #[serde(with = "days")]
    pub discharged: Option<Date>,
    /// Kin and other contacts.
    pub relatives: Vec<Relative>,
    /// Whether they have died.
    pub deceased: bool,
}

/// Shows no text: how much of what there is.
impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient")
            .field("n_names", &self.names.len())
            .field("n_identifiers", &self.identifiers.len())
            .field("n_relatives", &self.relatives.len())
            .finish_non_exhaustive()
    }
}

impl Patient {
    /// Whether there is nothing by which a post could name them.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(PersonName::is_empty)
            && self.identifiers.iter().all(|identifier| identifier.value.trim().is_empty())
            && self.phones.is_empty()
            && self.emails.is_empty()
    }
}

/// A day as a number, where a patient is kept under a key.
mod days {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::roster::term::Day;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "what serde gives and takes"
    )]
    pub(super) fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        day.map(|day| Day::of(day).0).serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Date>, D::Error> {
        Ok(Option::<i32>::deserialize(from)?.and_then(|day| Day(day).date()))
    }
}

/// What a name is used for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum NameUse {
    /// The name they go by.
    #[default]
    Usual,
    /// The name in their papers.
    Official,
    /// The name before they married.
    Maiden,
    /// What friends call them.
    Nickname,
    /// A name they had, or gave once.
    Former,
}

/// A person's name in its parts as written; either may be empty or hold several words.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonName {
    /// What it is used for.
    pub used: NameUse,
    /// First and middle names.
    pub given: String,
    /// Last name, particles and all.
    pub family: String,
}

/// Shows no text.
impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonName").field("used", &self.used).finish_non_exhaustive()
    }
}

impl PersonName {
    /// A name in use.
    pub fn new(given: impl Into<String>, family: impl Into<String>) -> Self {
        Self { used: NameUse::Usual, given: given.into(), family: family.into() }
    }

    /// A name written in one piece: `Last, First Middle`, or `First Middle Last`.
    pub fn whole(text: &str) -> Self {
        if let Some((family, given)) = text.split_once(',') {
            return Self::new(given.trim(), family.trim());
        }
        match text.trim().rsplit_once(char::is_whitespace) {
            Some((given, family)) => Self::new(given.trim(), family),
            None => Self::new("", text.trim()),
        }
    }

    /// Whether neither part says anything.
    pub fn is_empty(&self) -> bool {
        self.given.trim().is_empty() && self.family.trim().is_empty()
    }
}

/// What a number numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[repr(u8)]
pub enum IdentifierKind {
    /// A medical record number.
    #[default]
    Record = 0,
    /// A visit, encounter or accession.
    Visit = 1,
    /// An account.
    Account = 2,
    /// A health plan's member.
    HealthPlan = 3,
    /// A social security number.
    Ssn = 4,
    /// A licence to drive, a passport.
    License = 5,
    /// Any other.
    Other = 6,
}

impl IdentifierKind {
    /// Every kind, at the place of its number.
    pub const ALL: [Self; 7] = [
        Self::Record,
        Self::Visit,
        Self::Account,
        Self::HealthPlan,
        Self::Ssn,
        Self::License,
        Self::Other,
    ];
}

/// A number or code of a patient's, as written.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identifier {
    /// What it numbers.
    pub kind: IdentifierKind,
    /// The number, with whatever dashes and prefixes.
    pub value: String,
}

/// Shows no text.
impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Where somebody lives, as written.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Number and street, first line.
    pub street: String,
    /// City.
    pub city: String,
    /// ZIP or postal code.
    pub zip: String,
}

/// Shows no text.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

/// Where in the house somebody lies, as written; each part may be empty.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The ward or unit (`4 West`).
    pub ward: String,
    /// The room (`412`).
    pub room: String,
    /// The bed (`B`).
    pub bed: String,
}

/// Shows no text.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl Place {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        [&self.ward, &self.room, &self.bed].iter().all(|part| part.trim().is_empty())
    }
}

/// Somebody who belongs to a patient: kin, a contact, an employer.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Relative {
    /// Their name.
    pub name: PersonName,
    /// Their telephone numbers.
    pub phones: Vec<String>,
}

/// Shows no text.
impl fmt::Debug for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relative").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Identifier, IdentifierKind, Patient, PersonName};

    #[test]
    fn a_whole_name_is_parted_by_its_comma_or_its_last_space() {
        for (text, given, family) in [
            ("Delacroix, Thea Marie", "Thea Marie", "Delacroix"),
            ("Thea Marie Delacroix", "Thea Marie", "Delacroix"),
            (" Delacroix ", "", "Delacroix"),
            ("", "", ""),
        ] {
            let name = PersonName::whole(text);
            assert_eq!((name.given.as_str(), name.family.as_str()), (given, family), "{text:?}");
        }
    }

    #[test]
    fn a_patient_prints_no_text() {
        let patient = Patient {
            names: vec![PersonName::new("Thea", "Delacroix")],
            identifiers: vec![Identifier {
                kind: IdentifierKind::Record,
                value: "00412345".into(),
            }],
            phones: vec!["555-0100".into()],
            ..Patient::default()
        };
        let shown = format!("{patient:?} {:?} {:?}", patient.names, patient.identifiers);
        for text in ["Thea", "Delacroix", "412345", "0100"] {
            assert!(!shown.contains(text), "{shown}");
        }
    }
}
