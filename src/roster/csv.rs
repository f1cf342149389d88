//! Patients from a table: comma, semicolon, tab or bar between its columns, headings in its first line.

use std::io::Read;

use jiff::civil::Date;

use crate::roster::columns::{Column, Columns, DayOrder};
use crate::roster::source::{BadField, BadRow, Entry, Source, SourceError};
use crate::roster::{Address, Identifier, IdentifierKind, NameUse, Patient, PersonName, Relative};

/// Reads patients from a table.
pub struct CsvSource<R: Read> {
    reader: csv::Reader<R>,
    delimiter: u8,
    columns: Vec<Option<Column>>,
    days: Days,
    row: csv::ByteRecord,
    unread: Vec<BadField>,
}

/// How days are written, and when they are read: of a year of two digits, that decides the century.
#[derive(Clone, Copy, Debug)]
struct Days {
    order: DayOrder,
    this_year: i16,
}

/// What a day is of: nobody was born in the future, and who leaves next year is planned to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Of {
    Birth,
    Stay,
}

/// Shows no text.
impl<R: Read> std::fmt::Debug for CsvSource<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvSource").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// How much is looked at to see what parts the columns.
const FIRST: usize = 4096;
/// A row may run over so many lines, for notes and addresses with line breaks; one that runs on has a stray quote.
const MOST_LINES: u64 = 12;
/// Where nobody says what day it is.
const THIS_YEAR: i16 = 2026;
/// A planned day lies within so many years.
const PLANNED: i16 = 2;
/// Why a table is given up at a row.
const NOT_CLOSED: &str =
    "a quote in the row that begins here is not closed: it would swallow the rows behind it";
/// Read behind the end of every table: what swallows it has a quote that was never closed.
const END: &[u8] = b"\n\x01end of the table\x01\n";

/// Why a row's bytes are no text. What spreadsheets write by default is most often that.
const NOT_UTF8: &str = "it is not UTF-8 (Latin-1 or Windows-1252? export it as UTF-8)";

/// What a file is that is no text, by its first bytes.
fn no_text(first: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| first.starts_with(with);
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") || first.contains(&0) {
        Some("this is UTF-16 or binary: export it as UTF-8")
    } else if begins(b"PK\x03\x04") || begins(b"\xd0\xcf\x11\xe0") {
        Some("this is a spreadsheet or an archive: save it as CSV in UTF-8")
    } else if begins(b"\x1f\x8b") || begins(b"\x28\xb5\x2f\xfd") {
        Some(
            "this is compressed: unpack it into standard input, `zcat FILE | postward roster build .. -`",
        )
    } else {
        None
    }
}

/// A table between what was looked at first and what is read behind its end.
type Input<R> = std::io::Chain<std::io::Chain<std::io::Cursor<Vec<u8>>, R>, &'static [u8]>;

impl<R: Read> CsvSource<Input<R>> {
    /// Reads the headings.
    pub fn new(mut input: R, columns: &Columns) -> Result<Self, SourceError> {
        let mut first = Vec::new();
        input.by_ref().take(FIRST as u64).read_to_end(&mut first).map_err(SourceError::Read)?;
        if let Some(why) = no_text(&first) {
            return Err(SourceError::Unfit { line: 1, why: why.to_owned() });
        }
        let delimiter = delimiter(&first);
        let input = std::io::Cursor::new(first).chain(input).chain(END);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(input);
        let headings = reader.byte_headers().map_err(fault)?.clone();
        let headings: Vec<&str> = headings
            .iter()
            .map(|heading| std::str::from_utf8(heading).unwrap_or_default())
            .collect();
        let known = columns
            .of(&headings)
            .map_err(|error| SourceError::Unfit { line: 1, why: error.to_string() })?;
        Ok(Self {
            reader,
            delimiter,
            columns: known,
            days: Days { order: columns.order, this_year: THIS_YEAR },
            row: csv::ByteRecord::new(),
            unread: Vec::new(),
        })
    }
}

impl<R: Read> CsvSource<R> {
    /// The day on which it is read, by which years of two digits are told.
    #[must_use]
    pub fn read_on(mut self, today: Date) -> Self {
        self.days.this_year = today.year();
        self
    }

    /// What its columns hold; `None` is passed over.
    pub fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }
}

impl<R: Read> Source for CsvSource<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if !self.reader.read_byte_record(&mut self.row).map_err(fault)? {
            return Ok(None);
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        let end = END.trim_ascii();
        if self.row.len() == 1 && self.row.get(0) == Some(end) {
            return Ok(None);
        }
        let n_lines = self.reader.position().line().saturating_sub(line);
        let swallowed =
            self.row.iter().next_back().is_some_and(|last| last.trim_ascii().ends_with(end));
        let fits = self.row.len() == self.columns.len();
        if swallowed || n_lines > MOST_LINES || n_lines > 1 && (!fits || self.has_swallowed()) {
            return Err(SourceError::Unfit { line, why: NOT_CLOSED.to_owned() });
        }
        let bad = |why| Ok(Some(Entry::Bad(BadRow { line, why })));
        if !fits {
            return bad("it has more or fewer columns than the headings");
        }
        let unread = |column| self.unread.push(BadField { line, column });
        match patient(&self.row, &self.columns, self.days, unread) {
            Ok(patient) if patient.is_empty() => bad("it names nobody: no name and no number"),
            Ok(patient) => Ok(Some(Entry::Patient(Box::new(patient)))),
            Err(why) => bad(why),
        }
    }

    fn take_unread(&mut self) -> Vec<BadField> {
        std::mem::take(&mut self.unread)
    }
}

impl<R: Read> CsvSource<R> {
    /// Whether a field of this row holds other rows, between a stray quote and the next one: a line that is parted like a
    /// row, or a name or number that goes on over a line and holds what parts columns.
    fn has_swallowed(&self) -> bool {
        let n_marks = self.columns.len().saturating_sub(1).max(1);
        let marks = |line: &[u8]| memchr::memchr_iter(self.delimiter, line).count();
        self.row.iter().zip(&self.columns).any(|(field, column)| {
            let is_free = matches!(column, None | Some(Column::Address | Column::RelativeName));
            field.contains(&b'\n')
                && (field.split(|byte| *byte == b'\n').any(|line| marks(line) >= n_marks)
                    || !is_free && marks(field) > 0)
        })
    }
}

/// The mark that parts the columns of the first line: the one it has most of.
fn delimiter(first: &[u8]) -> u8 {
    let line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: &u8| line.split(|byte| byte == mark).count();
    // Of two with as many the first of these; the last maximum wins, so they are asked backwards.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn fault(error: csv::Error) -> SourceError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => SourceError::Read(source),
        _ => SourceError::Unfit { line, why: "this is no table".to_owned() },
    }
}

fn patient(
    row: &csv::ByteRecord,
    columns: &[Option<Column>],
    days: Days,
    mut unread: impl FnMut(usize),
) -> Result<Patient, &'static str> {
    let mut patient = Patient::default();
    let mut name = PersonName::default();
    let (mut middle, mut maiden, mut nickname) = (String::new(), String::new(), String::new());
    let mut relative: Option<Relative> = None;
    let mut address = Address::default();
    for (number, (field, column)) in (1..).zip(row.iter().zip(columns)) {
        let Some(column) = column else { continue };
        let text = std::str::from_utf8(field).map_err(|_| NOT_UTF8)?.trim();
        if text.is_empty() || matches!(text, "NULL" | "null" | "N/A" | "\\N") {
            continue;
        }
        let kind = match column {
            Column::Mrn => Some(IdentifierKind::Record),
            Column::Visit => Some(IdentifierKind::Visit),
            Column::Account => Some(IdentifierKind::Account),
            Column::HealthPlan => Some(IdentifierKind::HealthPlan),
            Column::Ssn => Some(IdentifierKind::Ssn),
            Column::License => Some(IdentifierKind::License),
            Column::OtherId => Some(IdentifierKind::Other),
            _ => None,
        };
        if let Some(kind) = kind {
            patient.identifiers.push(Identifier { kind, value: text.to_owned() });
            continue;
        }
        // A day that cannot be read is left out alone: the names and numbers of the row are still a patient's, and
        // whoever came and has no readable day of leaving is in the house.
        let mut day = |of| {
            let day = day(text, days, of);
            if day.is_none() && !is_no_day(text) {
                unread(number);
            }
            day
        };
        match column {
            Column::Name => patient.names.push(PersonName::whole(text)),
            Column::FirstName => text.clone_into(&mut name.given),
            Column::MiddleName => text.clone_into(&mut middle),
            Column::LastName => text.clone_into(&mut name.family),
            Column::MaidenName => text.clone_into(&mut maiden),
            Column::Nickname => text.clone_into(&mut nickname),
            Column::BirthDate => patient.birth_date = day(Of::Birth),
            Column::Phone => patient.phones.push(text.to_owned()),
            Column::Email => patient.emails.push(text.to_owned()),
            Column::Address => text.clone_into(&mut address.street),
            Column::City => text.clone_into(&mut address.city),
            Column::Zip => text.clone_into(&mut address.zip),
            Column::Ward => text.clone_into(&mut patient.place.ward),
            Column::Room => text.clone_into(&mut patient.place.room),
            Column::Bed => text.clone_into(&mut patient.place.bed),
            Column::Admitted => patient.admitted = day(Of::Stay),
            Column::Discharged => patient.discharged = day(Of::Stay),
            Column::Deceased => {
                let alive = ["0", "n", "no", "f", "false", "alive"];
                patient.deceased = !alive.contains(&text.to_lowercase().as_str());
            }
            Column::RelativeName => {
                relative.get_or_insert_default().name = PersonName::whole(text);
            }
            Column::RelativePhone => {
                relative.get_or_insert_default().phones.push(text.to_owned());
            }
            // Numbers were taken above.
            _ => {}
        }
    }
    if !name.is_empty() {
        if !middle.is_empty() {
            name.given = format!("{} {middle}", name.given);
        }
        patient.names.insert(0, name);
    }
    let used = patient.names.first().cloned().unwrap_or_default();
    if !maiden.is_empty() {
        let name = PersonName { used: NameUse::Maiden, family: maiden, ..used.clone() };
        patient.names.push(name);
    }
    if !nickname.is_empty() {
        patient.names.push(PersonName { used: NameUse::Nickname, given: nickname, ..used });
    }
    if !address.street.is_empty() {
        patient.addresses.push(address);
    }
    patient.relatives.extend(relative);
    Ok(patient)
}

/// Whether this is how tables say that there is no day.
fn is_no_day(text: &str) -> bool {
    let is_zero = text.chars().all(|c| c == '0' || !c.is_alphanumeric());
    is_zero || ["unknown", "none", "na", "nil"].iter().any(|none| text.eq_ignore_ascii_case(none))
}

/// A day with its month in letters: `9 March 1951`, `Nov 20, 2026`, `Fri, 20 Nov 2026 10:00`, `2026-Nov-20`.
fn in_words(text: &str, days: Days, of: Of) -> Option<Date> {
    let mut parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let mut one = parts.next()?;
    if month(one).is_none() && one.chars().all(char::is_alphabetic) {
        one = parts.next()?;
    }
    let (two, three) = (parts.next()?, parts.next()?);
    let (day, name, written) = match (month(one), month(two)) {
        (Some(name), _) => (two, name, three),
        (None, Some(name)) if one.len() == 4 => (three, name, one),
        (None, Some(name)) => (one, name, three),
        (None, None) => return None,
    };
    let day = day.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    date(days.year(written, of)?, name, day.parse().ok()?)
}

impl Days {
    fn year(self, text: &str, of: Of) -> Option<i16> {
        let year = text.parse::<i16>().ok()?;
        let latest = self.this_year + if of == Of::Birth { 0 } else { PLANNED };
        match text.len() {
            4 => Some(year),
            // Of two digits: the last year that ends so and is not too late.
            2 => Some(latest - (latest - year).rem_euclid(100)),
            _ => None,
        }
    }
}

/// A day in the forms that tables have: `2026-03-04`, `20260304`, `3/4/2026`, `4.3.2026`, `04-MAR-2026`, each with a time
/// behind it or not, and with its month in letters.
fn day(text: &str, days: Days, of: Of) -> Option<Date> {
    if let Some(day) = in_words(text, days, of) {
        return Some(day);
    }
    let text = text.split([' ', 'T']).next().unwrap_or_default();
    let number = |digits: &str| digits.parse::<i16>().ok().filter(|_| digits.len() <= 4);
    if text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |from: usize, to: usize| text.get(from..to).and_then(number);
        return date(part(0, 4)?, part(4, 6)?, part(6, 8)?);
    }
    let mut parts = text.split(['-', '/', '.']);
    let (one, two, three) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if one.len() == 4 {
        return date(number(one)?, number(two)?, number(three)?);
    }
    let year = days.year(three, of)?;
    let (one, two) = (number(one)?, number(two)?);
    let day_first = days.order == DayOrder::DayFirst || text.contains('.') || one > 12;
    if day_first { date(year, two, one) } else { date(year, one, two) }
}

fn month(word: &str) -> Option<i16> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == start)?;
    i16::try_from(at + 1).ok()
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{CsvSource, DayOrder, Days, Of};
    use crate::roster::{Columns, Entry, Source as _};

    fn day(text: &str, order: DayOrder) -> Option<jiff::civil::Date> {
        super::day(text, Days { order, this_year: 2026 }, Of::Birth)
    }

    #[test]
    fn a_year_of_two_digits_is_told_by_the_day_of_reading() {
        let order = DayOrder::MonthFirst;
        for (text, this_year, of, want) in [
            ("3/4/51", 2026, Of::Birth, 1951),
            ("3/4/26", 2026, Of::Birth, 2026),
            ("3/4/27", 2026, Of::Birth, 1927),
            ("3/4/27", 2027, Of::Birth, 2027),
            ("1/8/27", 2026, Of::Stay, 2027),
            ("1/8/99", 2026, Of::Stay, 1999),
            ("1/8/00", 2099, Of::Stay, 2100),
        ] {
            let day = super::day(text, Days { order, this_year }, of).unwrap();
            assert_eq!(day.year(), want, "{text} in {this_year}");
        }
    }

    /// Two stray quotes would make one row of many, and nobody would hear of the others.
    #[test]
    fn a_stray_quote_swallows_no_row() {
        let head = "mrn,first_name,last_name,address\n";
        for rows in [
            "100,\"Anne,Smith,\n101,Bob,Jones,\n102,\"Carol,White,\n103,Dan,Black,\n",
            "100,\"Anne,Smith,\n101,\"Bob,Jones,\n",
            "100,\"Anne,Smith,\n101,Bob,Jones,\n102,Carol,\"White,\n103,Dan,Black,\n",
            "100,Anne,Smith,\"3 Elm\n101,Bob,Jones,4 Elm\n102,Carol,White,\"5 Elm\n",
        ] {
            let table = format!("{head}{rows}");
            let mut source = CsvSource::new(table.as_bytes(), &Columns::default()).unwrap();
            let error = source.next_entry().unwrap_err();
            assert!(error.to_string().contains("not closed"), "{rows}: {error}");
        }
        let (patients, ..) = read(&format!("{head}100,Anne,Smith,\"3 Elm, Flat 2\nDublin\"\n"));
        assert_eq!(patients.len(), 1);
    }

    #[test]
    fn days_are_read_as_tables_write_them() {
        let want = Some(date(2026, 3, 4));
        for text in [
            "2026-03-04",
            "20260304",
            "202603041205",
            "3/4/2026",
            "03/04/26",
            "4.3.2026",
            "04-MAR-2026",
            "2026-03-04T10:00:00",
            "2026-03-04 10:00",
            "4 March 2026",
            "Mar 4, 2026",
            "Wed, March 4th 2026 10:00",
            "2026-Mar-04",
        ] {
            assert_eq!(day(text, DayOrder::MonthFirst), want, "{text:?}");
        }
        assert_eq!(day("04/03/2026", DayOrder::DayFirst), want);
        assert_eq!(day("25/12/1950", DayOrder::MonthFirst), Some(date(1950, 12, 25)));
        for text in ["", "soon", "2026-02-30", "1/2", "13/13/2020", "1-2-3-4"] {
            assert_eq!(day(text, DayOrder::MonthFirst), None, "{text:?}");
        }
    }

    #[test]
    fn rows_are_patients_and_what_is_none_is_named_by_its_line() {
        let table = "mrn;last_name;first_name;dob;cell phone;admitted;next of kin\n\
                     004123;Delacroix;Thea;1934-01-20;614-555-0123;2026-11-20;Delacroix, Remy\n\
                     004124;Okafor;Chidi;soon;;;\n\
                     ;;;;;;\n\
                     004125;Okafor\n\
                     004126;\"Van\nBerg\";Ida;;;;\n\
                     004127;Roe;Una;;;;\n";
        let mut source = CsvSource::new(table.as_bytes(), &Columns::default()).unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = source.next_entry().unwrap() {
            entries.push(match entry {
                Entry::Patient(patient) => {
                    let name = patient.names.first().unwrap();
                    format!("{} {} {}", name.given, name.family, patient.relatives.len())
                }
                Entry::Bad(bad) => format!("{}: {}", bad.line, bad.why),
                Entry::Passed => String::new(),
            });
        }
        assert_eq!(
            entries,
            [
                "Thea Delacroix 1",
                "Chidi Okafor 0",
                "4: it names nobody: no name and no number",
                "5: it has more or fewer columns than the headings",
                "Ida Van\nBerg 0",
                "Una Roe 0"
            ]
        );
    }

    #[test]
    fn a_table_without_headings_is_refused_and_not_repeated() {
        let error = CsvSource::new("Thea,Delacroix\n".as_bytes(), &Columns::default()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Thea"));
    }

    #[test]
    fn what_is_no_table_is_named_for_what_it_is() {
        for (file, want) in [
            (&b"\xff\xfem\0r\0n\0"[..], "UTF-16"),
            (b"m\0r\0n\0", "UTF-16"),
            (b"PK\x03\x04rest", "spreadsheet"),
            (b"\x1f\x8b\x08", "compressed"),
        ] {
            let error = CsvSource::new(file, &Columns::default()).unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
        }
        let latin = b"mrn,last_name\n7,Qu\xe9\n";
        let mut source = CsvSource::new(&latin[..], &Columns::default()).unwrap();
        let Some(Entry::Bad(bad)) = source.next_entry().unwrap() else { panic!("it was taken") };
        assert!(bad.line == 2 && bad.why.contains("Latin-1"));
    }

    fn read(table: &str) -> (Vec<crate::roster::Patient>, Vec<(u64, usize)>, String) {
        let mut source = CsvSource::new(table.as_bytes(), &Columns::default()).unwrap();
        let (mut patients, mut unread) = (Vec::new(), Vec::new());
        loop {
            match source.next_entry() {
                Ok(Some(Entry::Patient(patient))) => patients.push(*patient),
                Ok(Some(_)) => {}
                Ok(None) => return (patients, unread, String::new()),
                Err(error) => return (patients, unread, error.to_string()),
            }
            unread.extend(source.take_unread().iter().map(|field| (field.line, field.column)));
        }
    }

    #[test]
    fn a_day_that_cannot_be_read_costs_its_field_and_not_the_patient() {
        let (patients, unread, error) = read(
            "mrn,last_name,dob,admitted,discharged\n\
             1,Roe,UNKNOWN,\"Nov 20, 2026\",-\n\
             2,Doe,1951,2026-11-20,00/00/0000\n\
             3,Poe,9 March 1951,2026-11-20,soon\n",
        );
        assert_eq!((patients.len(), error.as_str()), (3, ""));
        assert_eq!(unread, [(3, 3), (4, 5)]);
        for patient in &patients {
            assert_eq!((patient.admitted, patient.discharged), (Some(date(2026, 11, 20)), None));
        }
        assert_eq!(patients.last().unwrap().birth_date, Some(date(1951, 3, 9)));
    }

    #[test]
    fn a_stray_quote_is_an_error_at_the_line_where_it_began() {
        let rows = |n: usize| "1,Roe\n".repeat(n);
        for behind in [0, 3, 500] {
            for closing in ["", "2,\"Roe\"\n"] {
                let table = format!("mrn,last_name\n{}2,\"Roe\n{}{closing}", rows(3), rows(behind));
                let (patients, _, error) = read(&table);
                if closing.is_empty() || behind == 500 {
                    assert_eq!(patients.len(), 3);
                    assert!(error.starts_with("line 5: a quote"), "{behind}: {error}");
                }
            }
        }
        let (patients, _, error) = read("mrn,last_name\n1,\"Van\nBerg\"\n2,Roe");
        assert_eq!((patients.len(), error.as_str()), (2, ""));
    }
}
