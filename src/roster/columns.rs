//! Which column of a table is what: guessed from its heading, or said in a TOML file.
//!
//! A heading that is not known is passed over. No message repeats a heading: in a table without them the first row is
//! a patient.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Faults, Source, Table};

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Column {
    /// Medical record number.
    Mrn,
    /// Visit, encounter or accession number.
    Visit,
    /// Account number.
    Account,
    /// Member number of a health plan.
    HealthPlan,
    /// Social security number.
    Ssn,
    /// Driver's licence or passport.
    License,
    /// Another number.
    OtherId,
    /// The whole name in one column.
    Name,
    /// First name.
    FirstName,
    /// Middle name.
    MiddleName,
    /// Last name.
    LastName,
    /// Last name before marriage, or a former one.
    MaidenName,
    /// What they are called, in place of the first name.
    Nickname,
    /// Day of birth.
    BirthDate,
    /// Telephone number.
    Phone,
    /// E-mail address.
    Email,
    /// House number and street.
    Address,
    /// City.
    City,
    /// ZIP code.
    Zip,
    /// Ward or unit.
    Ward,
    /// Room.
    Room,
    /// Bed.
    Bed,
    /// Day of admission.
    Admitted,
    /// Day of discharge.
    Discharged,
    /// Whether, or when, they died.
    Deceased,
    /// A relative's whole name.
    RelativeName,
    /// Their telephone number.
    RelativePhone,
}

/// Each column with its key in TOML and headings by which it is guessed, without spaces and marks.
const KNOWN: [(Column, &str, &[&str]); 27] = [
    (
        Column::Mrn,
        "mrn",
        &[
            "mrn",
            "medicalrecordnumber",
            "medicalrecordno",
            "medrec",
            "medrecno",
            "recordnumber",
            "patientid",
            "patid",
            "patientnumber",
            "patientno",
            "pid",
            "chartnumber",
            "chartno",
            "mrnumber",
            "hospitalnumber",
            "empi",
            "unitnumber",
        ],
    ),
    (
        Column::Visit,
        "visit",
        &[
            "visit",
            "visitnumber",
            "visitid",
            "visitno",
            "encounter",
            "encounterid",
            "encounternumber",
            "csn",
            "accession",
            "accessionnumber",
            "fin",
            "financialnumber",
            "episode",
        ],
    ),
    (
        Column::Account,
        "account",
        &[
            "account",
            "accountnumber",
            "accountno",
            "acct",
            "acctno",
            "acctnumber",
            "patientaccount",
            "patientaccountnumber",
            "har",
        ],
    ),
    (
        Column::HealthPlan,
        "health_plan",
        &[
            "healthplan",
            "healthplanid",
            "memberid",
            "membernumber",
            "insuranceid",
            "insurancenumber",
            "policynumber",
            "subscriberid",
            "mbi",
            "medicareid",
            "medicaidid",
        ],
    ),
    (Column::Ssn, "ssn", &["ssn", "socialsecurity", "socialsecuritynumber", "socialsecurityno"]),
    (
        Column::License,
        "license",
        &[
            "license",
            "licence",
            "driverslicense",
            "driverslicence",
            "driverlicense",
            "dlnumber",
            "passport",
            "passportnumber",
        ],
    ),
    (Column::OtherId, "other_id", &["otherid", "studyid", "subjectid", "externalid", "nationalid"]),
    (Column::Name, "name", &["name", "patientname", "fullname", "patname", "ptname", "patient"]),
    (
        Column::FirstName,
        "first_name",
        &[
            "firstname",
            "first",
            "fname",
            "givenname",
            "given",
            "forename",
            "patientfirstname",
            "patfirstname",
            "ptfirstname",
            "namefirst",
            "vorname",
            "prenom",
            "nombre",
        ],
    ),
    (
        Column::MiddleName,
        "middle_name",
        &[
            "middlename",
            "middle",
            "mname",
            "middleinitial",
            "mi",
            "secondname",
            "patientmiddlename",
            "namemiddle",
        ],
    ),
    (
        Column::LastName,
        "last_name",
        &[
            "lastname",
            "last",
            "lname",
            "surname",
            "familyname",
            "family",
            "patientlastname",
            "patlastname",
            "ptlastname",
            "namelast",
            "nachname",
            "nom",
            "apellido",
            "apellidos",
        ],
    ),
    (
        Column::MaidenName,
        "maiden_name",
        &[
            "maidenname",
            "maiden",
            "birthname",
            "formername",
            "previousname",
            "nameatbirth",
            "previouslastname",
            "aliaslastname",
        ],
    ),
    (
        Column::Nickname,
        "nickname",
        &[
            "nickname",
            "preferredname",
            "preferredfirstname",
            "knownas",
            "goesby",
            "callme",
            "alias",
        ],
    ),
    (
        Column::BirthDate,
        "birth_date",
        &[
            "birthdate",
            "dateofbirth",
            "dob",
            "birthday",
            "birth",
            "patientdob",
            "born",
            "birthdt",
            "patientbirthdate",
        ],
    ),
    (
        Column::Phone,
        "phone",
        &[
            "phone",
            "phonenumber",
            "telephone",
            "tel",
            "homephone",
            "mobile",
            "mobilephone",
            "cell",
            "cellphone",
            "workphone",
            "phone1",
            "phone2",
            "phonehome",
            "phonemobile",
            "phonecell",
            "phonework",
            "contactnumber",
            "patientphone",
        ],
    ),
    (Column::Email, "email", &["email", "emailaddress", "mail", "patientemail"]),
    (
        Column::Address,
        "address",
        &[
            "address",
            "address1",
            "addressline1",
            "streetaddress",
            "street",
            "homeaddress",
            "addr",
            "addr1",
            "patientaddress",
            "mailingaddress",
        ],
    ),
    (Column::City, "city", &["city", "town", "addresscity"]),
    (Column::Zip, "zip", &["zip", "zipcode", "postalcode", "postcode", "addresszip"]),
    (
        Column::Ward,
        "ward",
        &[
            "ward",
            "unit",
            "department",
            "dept",
            "nursingunit",
            "nurseunit",
            "location",
            "floor",
            "service",
        ],
    ),
    (Column::Room, "room", &["room", "roomnumber", "roomno", "rm", "roombed"]),
    (Column::Bed, "bed", &["bed", "bednumber", "bedno", "bedid"]),
    (
        Column::Admitted,
        "admitted",
        &[
            "admitted",
            "admissiondate",
            "admitdate",
            "dateadmitted",
            "admission",
            "admit",
            "admitdt",
            "admitdatetime",
            "admissiondatetime",
            "dateofadmission",
            "arrivaldate",
            "checkin",
        ],
    ),
    (
        Column::Discharged,
        "discharged",
        &[
            "discharged",
            "dischargedate",
            "datedischarged",
            "discharge",
            "dischdate",
            "dischargedt",
            "dischargedatetime",
            "dateofdischarge",
            "departuredate",
        ],
    ),
    (
        Column::Deceased,
        "deceased",
        &[
            "deceased",
            "deathdate",
            "dateofdeath",
            "dod",
            "deceaseddate",
            "died",
            "expired",
            "deceasedflag",
            "isdeceased",
        ],
    ),
    (
        Column::RelativeName,
        "relative_name",
        &[
            "relativename",
            "nextofkin",
            "nextofkinname",
            "nok",
            "nokname",
            "emergencycontact",
            "emergencycontactname",
            "contactname",
            "guarantor",
            "guarantorname",
            "spouse",
            "spousename",
            "guardian",
            "guardianname",
            "mothername",
            "mothersname",
        ],
    ),
    (
        Column::RelativePhone,
        "relative_phone",
        &[
            "relativephone",
            "nextofkinphone",
            "nokphone",
            "emergencycontactphone",
            "emergencyphone",
            "contactphone",
            "guarantorphone",
            "spousephone",
            "guardianphone",
        ],
    ),
];

/// How days like `03/04/2026` are meant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DayOrder {
    /// The month first, as in the United States.
    #[default]
    MonthFirst,
    /// The day first, as in most of the world.
    DayFirst,
}

/// What the officer said of the columns.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Headings without spaces and marks, and what they are; they win over guesses.
    said: BTreeMap<String, Column>,
    /// How days are written.
    pub(super) order: DayOrder,
}

/// Why a table's columns cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ColumnsError {
    /// No heading is known, or there are no headings.
    #[error(
        "no heading is known: the first line must name the columns, such as mrn,first_name,last_name,birth_date"
    )]
    NoneKnown,
    /// A patient cannot be told by what there is.
    #[error("no column holds a name or a record number")]
    NobodyNamed,
}

impl Columns {
    /// Reads a TOML file of `column = ["heading", ..]`, and `days = "day-first"`.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Faults::new(source);
        let Some(mut table) = Table::of_file(source, &mut faults) else {
            return Err(faults.into_sorted());
        };
        let mut columns = Self::default();
        let orders = [("month-first", DayOrder::MonthFirst), ("day-first", DayOrder::DayFirst)];
        if let Some(order) = table.choice("days", &orders, &mut faults) {
            columns.order = order.value;
        }
        for (column, key, _) in KNOWN {
            for heading in table.texts(key, &mut faults).unwrap_or_default() {
                if columns.said.insert(plain(&heading.value), column).is_some() {
                    faults.error(
                        heading.span,
                        "this heading is named twice",
                        "name each heading once, for the one thing its column holds",
                    );
                }
            }
        }
        table.finish(&mut faults);
        if faults.any_error() { Err(faults.into_sorted()) } else { Ok(columns) }
    }

    /// What each column of a table holds, by its headings.
    pub(super) fn of(&self, headings: &[&str]) -> Result<Vec<Option<Column>>, ColumnsError> {
        let columns: Vec<Option<Column>> =
            headings.iter().map(|heading| self.one(heading)).collect();
        let has =
            |wanted: &[Column]| columns.iter().flatten().any(|column| wanted.contains(column));
        if columns.iter().all(Option::is_none) {
            return Err(ColumnsError::NoneKnown);
        }
        let names = [Column::Name, Column::FirstName, Column::LastName];
        let numbers =
            [Column::Mrn, Column::Visit, Column::Account, Column::HealthPlan, Column::Ssn];
        if !has(&names) && !has(&numbers) {
            return Err(ColumnsError::NobodyNamed);
        }
        Ok(columns)
    }

    fn one(&self, heading: &str) -> Option<Column> {
        let heading = plain(heading);
        let said = self.said.get(&heading).copied();
        let known = || KNOWN.iter().find(|(.., headings)| headings.contains(&heading.as_str()));
        said.or_else(|| known().map(|(column, ..)| *column))
    }
}

/// A heading without case, spaces and marks; a byte-order mark goes, too.
fn plain(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{Column, Columns, ColumnsError, DayOrder};
    use crate::diagnostic::Source;

    #[test]
    fn usual_headings_are_guessed_and_said_ones_win() {
        let columns = Columns::default();
        let of = |headings: &[&str]| columns.of(headings);
        assert_eq!(
            of(&["\u{feff}MRN", "First Name", "last_name", "DOB", "Shoe size"]).unwrap(),
            [
                Some(Column::Mrn),
                Some(Column::FirstName),
                Some(Column::LastName),
                Some(Column::BirthDate),
                None
            ]
        );
        assert_eq!(of(&["Thea", "Delacroix"]), Err(ColumnsError::NoneKnown));
        assert_eq!(of(&["room", "bed"]), Err(ColumnsError::NobodyNamed));
        let file = "days = \"day-first\"\nmrn = [\"Akte\"]\nphone = [\"Tel A\", \"Tel B\"]\n";
        let said = Columns::parse(&Source::new("columns.toml", file)).unwrap();
        assert_eq!(said.order, DayOrder::DayFirst);
        assert_eq!(
            said.of(&["akte", "TEL-A", "tel b", "surname"]).unwrap(),
            [Some(Column::Mrn), Some(Column::Phone), Some(Column::Phone), Some(Column::LastName)]
        );
        for (file, line) in
            [("mrn = [\"a\", \"A \"]\n", 1), ("\nmnr = [\"a\"]\n", 2), ("days = \"odd\"\n", 1)]
        {
            let faults = Columns::parse(&Source::new("columns.toml", file)).unwrap_err();
            assert_eq!(faults[0].line_column().unwrap().0, line, "{file:?}");
        }
    }
}
