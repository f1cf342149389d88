//! Reads a TOML file key by key and names every fault, not only the first.
//!
//! Deriving `Deserialize` would stop at the first unknown key or wrong type, and an officer who mistyped three words
//! would need three rounds. Here each key is asked for by name and type; what was asked for and is wrong, and what is
//! left over at the end, becomes a fault with its place and its remedy.
//! Promise: no input panics; a table nobody asked about is an unknown key, never ignored.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Severity, Source, did_you_mean, of_toml};
use crate::span::Span;

/// A value and where it stands in its file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// The faults of one file, as they are found.
#[derive(Debug)]
pub struct Faults {
    source: Arc<Source>,
    list: Vec<Diagnostic>,
}

impl Faults {
    /// No fault yet.
    pub fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), list: Vec::new() }
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Adds a fault with its place and its remedy.
    pub fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.list.push(Diagnostic::error(&self.source, message).at(span).help(help));
    }

    /// Adds what is probably not as meant.
    pub fn warning(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.list.push(Diagnostic::warning(&self.source, message).at(span).help(help));
    }

    /// Whether anything keeps the file from being used.
    pub fn any_error(&self) -> bool {
        self.list.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// All of them, in the order of the file.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|fault| fault.span);
        self.list
    }
}

/// A table that is being read. Whoever reads it calls [`Table::finish`], which names what nobody asked for.
#[derive(Debug)]
pub struct Table<'t> {
    /// What it is called in messages, such as `[[clause]]`.
    what: String,
    span: Span,
    entries: DeTable<'t>,
    asked: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Reads a whole file. If it is no TOML, all syntax faults are named and there is no table: what could be
    /// recovered would only add faults that are none.
    pub fn of_file(source: &'t Source, faults: &mut Faults) -> Option<Self> {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        for error in &errors {
            let fault = of_toml(&faults.source, error);
            faults.list.push(Diagnostic {
                help: fault.help.or_else(|| Some(syntax_help(error.message()))),
                ..fault
            });
        }
        errors.is_empty().then(|| Self {
            what: "the file".to_owned(),
            span: Span::new(0, 0),
            entries: root.into_inner(),
            asked: Vec::new(),
        })
    }

    /// Where it stands: its header, or the whole of an inline table.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether it has a key, asked for or not.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, faults: &mut Faults) -> Option<Placed<String>> {
        let (span, value) = self.take(key)?;
        as_text(key, span, value, faults)
    }

    /// A text that must be there.
    pub fn required_text(
        &mut self,
        key: &'static str,
        help: &str,
        faults: &mut Faults,
    ) -> Option<Placed<String>> {
        self.require(key, help, faults);
        self.text(key, faults)
    }

    /// One word of a closed list.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<Placed<T>> {
        let word = self.text(key, faults)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word.value) {
            return Some(Placed { value: *value, span: word.span });
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        faults.error(
            word.span,
            format!("`{key}` cannot be `{}`", shown(&word.value)),
            did_you_mean(&word.value, &names),
        );
        None
    }

    /// A list of texts, with at least one in it.
    pub fn texts(&mut self, key: &'static str, faults: &mut Faults) -> Option<Vec<Placed<String>>> {
        let (span, value) = self.take(key)?;
        let DeValue::Array(items) = value else {
            let help = match &value {
                DeValue::String(text) => {
                    format!("put it in brackets: `{key} = [\"{}\"]`", shown(text))
                }
                _ => format!("write `{key} = [\"..\", \"..\"]`"),
            };
            faults.error(
                span,
                format!("`{key}` must be a list of texts, not {}", kind(&value)),
                help,
            );
            return None;
        };
        if items.is_empty() {
            faults.error(
                span,
                format!("`{key}` is an empty list, so nothing would ever match it"),
                format!("name at least one, or leave `{key}` out"),
            );
            return None;
        }
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let span = item.span().into();
            texts.extend(as_text(key, span, item.into_inner(), faults));
        }
        Some(texts)
    }

    /// A whole number within bounds.
    pub fn whole(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<u64>,
        faults: &mut Faults,
    ) -> Option<Placed<u64>> {
        let (span, value) = self.take(key)?;
        let DeValue::Integer(number) = &value else {
            let what =
                if value.is_float() { "one with a fraction or exponent" } else { kind(&value) };
            faults.error(
                span,
                format!("`{key}` must be a whole number, not {what}"),
                format!("write `{key} = {}`, without quotes", bounds.start()),
            );
            return None;
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if bounds.contains(&value) => Some(Placed { value, span }),
            _ => {
                faults.error(
                    span,
                    format!("`{key}` is out of bounds"),
                    format!("write a number from {} to {}", bounds.start(), bounds.end()),
                );
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, faults: &mut Faults) -> Option<Placed<bool>> {
        let (span, value) = self.take(key)?;
        if let DeValue::Boolean(value) = value {
            return Some(Placed { value, span });
        }
        let message = format!("`{key}` must be true or false, not {}", kind(&value));
        faults.error(span, message, format!("write `{key} = true`, without quotes"));
        None
    }

    /// A number with its unit (`"16 MiB"`), or a bare one, which is so many of the `bare` unit.
    pub fn quantity(
        &mut self,
        key: &'static str,
        units: &[(&str, u64)],
        bare: u64,
        bounds: RangeInclusive<u64>,
        faults: &mut Faults,
    ) -> Option<Placed<u64>> {
        let (span, value) = self.take(key)?;
        let amount = match &value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .and_then(|number| number.checked_mul(bare)),
            DeValue::String(text) => {
                let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
                let (number, unit) = text.split_at(unit_at);
                let unit = unit.trim();
                let size = units.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size);
                number.parse::<u64>().ok().zip(size).and_then(|(n, size)| n.checked_mul(size))
            }
            _ => None,
        };
        if let Some(value) = amount.filter(|amount| bounds.contains(amount)) {
            return Some(Placed { value, span });
        }
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let help = format!(
            "write a whole number with its unit ({}), from \"{}\" to \"{}\"",
            names.join(", "),
            written(*bounds.start(), units),
            written(*bounds.end(), units)
        );
        faults.error(span, format!("`{key}` is no amount that can be used"), help);
        None
    }

    /// A day.
    pub fn date(&mut self, key: &'static str, faults: &mut Faults) -> Option<Placed<Date>> {
        let (span, value) = self.take(key)?;
        let help = match &value {
            DeValue::String(text) if text.parse::<Date>().is_ok() => {
                format!("write it without quotes: `{key} = {text}`")
            }
            _ => format!("write a day as year-month-day, without quotes: `{key} = 2027-06-30`"),
        };
        if let DeValue::Datetime(moment) = &value
            && let (Some(day), None, None) = (moment.date, moment.time, moment.offset)
            && let (Ok(year), Ok(month), Ok(number)) =
                (i16::try_from(day.year), i8::try_from(day.month), i8::try_from(day.day))
            && let Ok(value) = Date::new(year, month, number)
        {
            return Some(Placed { value, span });
        }
        let what = if matches!(value, DeValue::Datetime(_)) {
            "a day alone, without a time".to_owned()
        } else {
            format!("a day, not {}", kind(&value))
        };
        faults.error(span, format!("`{key}` must be {what}"), help);
        None
    }

    /// A table within this one.
    pub fn table(&mut self, key: &'static str, faults: &mut Faults) -> Option<Table<'t>> {
        let (span, value) = self.take(key)?;
        match value {
            DeValue::Table(entries) => {
                Some(Table { what: format!("[{key}]"), span, entries, asked: Vec::new() })
            }
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => {
                faults.error(
                    span,
                    format!("`{key}` can be given once only"),
                    format!("write [{key}] with single brackets"),
                );
                None
            }
            other => {
                faults.error(
                    span,
                    format!("`{key}` must be a table, not {}", kind(&other)),
                    format!("write [{key}] on a line of its own, its keys below it"),
                );
                None
            }
        }
    }

    /// Tables of the same name, `[[key]]`, in the order of the file.
    pub fn tables(&mut self, key: &'static str, faults: &mut Faults) -> Vec<Table<'t>> {
        let Some((span, value)) = self.take(key) else { return Vec::new() };
        let what = format!("[[{key}]]");
        let DeValue::Array(items) = value else {
            let help = format!("write {what} with double brackets: there may be several");
            faults.error(
                span,
                format!("`{key}` must be a list of tables, not {}", kind(&value)),
                help,
            );
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items {
            let span = item.span().into();
            match item.into_inner() {
                DeValue::Table(entries) => {
                    tables.push(Table { what: what.clone(), span, entries, asked: Vec::new() });
                }
                other => faults.error(
                    span,
                    format!("`{key}` must be a list of tables, not of {}", kind(&other)),
                    format!("write {what} on a line of its own, its keys below it"),
                ),
            }
        }
        tables
    }

    /// Everything left, each a text: for tables whose keys are names.
    pub fn named_texts(&mut self, faults: &mut Faults) -> Vec<(Placed<String>, Placed<String>)> {
        let mut pairs = Vec::with_capacity(self.entries.len());
        for (key, value) in std::mem::take(&mut self.entries) {
            let (span, value) = (value.span().into(), value.into_inner());
            let key_span = key.span().into();
            let key = key.into_inner().into_owned();
            if let Some(text) = as_text(&key, span, value, faults) {
                pairs.push((Placed { value: key, span: key_span }, text));
            }
        }
        pairs
    }

    /// Names a key that must be there and is not.
    pub fn require(&self, key: &str, help: &str, faults: &mut Faults) {
        if !self.entries.contains_key(key) {
            faults.error(self.span, format!("{} has no `{key}`", self.what), help.to_owned());
        }
    }

    /// Ends the reading: whatever nobody asked for is a fault.
    pub fn finish(self, faults: &mut Faults) {
        for key in self.entries.keys() {
            let word = key.get_ref();
            let message = format!("{} has no key `{}`", self.what, shown(word));
            faults.error(key.span().into(), message, did_you_mean(word, &self.asked));
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Span, DeValue<'t>)> {
        self.asked.push(key);
        let value: Spanned<DeValue<'t>> = self.entries.remove(key)?;
        Some((value.span().into(), value.into_inner()))
    }
}

fn as_text(
    key: &str,
    span: Span,
    value: DeValue<'_>,
    faults: &mut Faults,
) -> Option<Placed<String>> {
    if let DeValue::String(text) = value {
        return Some(Placed { value: text.into_owned(), span });
    }
    faults.error(
        span,
        format!("`{}` must be a text, not {}", shown(key), kind(&value)),
        "put it in double quotes",
    );
    None
}

/// An amount in the largest unit that leaves it whole.
fn written(amount: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().filter(|(_, size)| amount.is_multiple_of(*size));
    match fitting.max_by_key(|(_, size)| *size) {
        Some((name, size)) => format!("{} {name}", amount / size),
        None => amount.to_string(),
    }
}

/// What a value is, in an officer's words.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A word of the file as a message may show it: one line, not endless.
pub fn shown(word: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String =
        word.chars().take(MOST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if word.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

fn syntax_help(message: &str) -> String {
    if message.contains("duplicate key") {
        return "each key may be given once in its table; several tables of a name need double brackets, [[name]]".to_owned();
    }
    if message.contains("date") || message.contains("time") {
        return "write a day as year-month-day, without quotes: 2027-06-30".to_owned();
    }
    if message.contains("string") || message.contains("quote") {
        return "texts stand in double quotes on one line; patterns in single quotes".to_owned();
    }
    "each line is `key = value`, a [table] or a [[table]]; texts in double quotes, lists in brackets with commas".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Faults, Table};
    use crate::diagnostic::Source;

    fn read(text: &str) -> Vec<String> {
        let source = Source::new("a.toml", text);
        let mut faults = Faults::new(&source);
        if let Some(mut table) = Table::of_file(&source, &mut faults) {
            table.text("name", &mut faults);
            table.texts("hosts", &mut faults);
            table.choice("mode", &[("on", true), ("off", false)], &mut faults);
            table.whole("limit", 1..=10, &mut faults);
            table.date("expires", &mut faults);
            table.flag("loud", &mut faults);
            table.quantity("wait", &[("ms", 1), ("s", 1000)], 1000, 5..=60_000, &mut faults);
            if let Some(inner) = table.table("inner", &mut faults) {
                inner.finish(&mut faults);
            }
            for row in table.tables("row", &mut faults) {
                row.require("id", "say which", &mut faults);
                row.finish(&mut faults);
            }
            table.finish(&mut faults);
        }
        faults
            .into_sorted()
            .iter()
            .map(|fault| format!("{fault} | {}", fault.help.clone().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn what_is_right_has_no_fault() {
        assert!(read("name = \"a\"\nhosts = [\"a\"]\nmode = \"on\"\nlimit = 10\nexpires = 2027-06-30\nloud = true\nwait = \"5 ms\"\n[inner]\n").is_empty());
    }

    #[test]
    fn each_fault_has_its_place_and_remedy() {
        for (text, want) in [
            (
                "name = 1",
                "a.toml:1:8: `name` must be a text, not a number | put it in double quotes",
            ),
            ("naem = \"a\"", "a.toml:1:1: the file has no key `naem` | did you mean `name`?"),
            (
                "hosts = \"a\"",
                "a.toml:1:9: `hosts` must be a list of texts, not a text | put it in brackets: `hosts = [\"a\"]`",
            ),
            (
                "hosts = []",
                "a.toml:1:9: `hosts` is an empty list, so nothing would ever match it | name at least one, or leave `hosts` out",
            ),
            (
                "hosts = [\"a\", 2]",
                "a.toml:1:15: `hosts` must be a text, not a number | put it in double quotes",
            ),
            ("mode = \"onn\"", "a.toml:1:8: `mode` cannot be `onn` | did you mean `on`?"),
            ("limit = 11", "a.toml:1:9: `limit` is out of bounds | write a number from 1 to 10"),
            ("limit = -1", "a.toml:1:9: `limit` is out of bounds | write a number from 1 to 10"),
            (
                "limit = 1.5",
                "a.toml:1:9: `limit` must be a whole number, not one with a fraction or exponent | write `limit = 1`, without quotes",
            ),
            (
                "limit = \"1\"",
                "a.toml:1:9: `limit` must be a whole number, not a text | write `limit = 1`, without quotes",
            ),
            (
                "expires = \"2027-06-30\"",
                "a.toml:1:11: `expires` must be a day, not a text | write it without quotes: `expires = 2027-06-30`",
            ),
            (
                "expires = 2027-06-30T10:00:00Z",
                "a.toml:1:11: `expires` must be a day alone, without a time | write a day as year-month-day, without quotes: `expires = 2027-06-30`",
            ),
            (
                "loud = 1",
                "a.toml:1:8: `loud` must be true or false, not a number | write `loud = true`, without quotes",
            ),
            (
                "wait = \"2 min\"",
                "a.toml:1:8: `wait` is no amount that can be used | write a whole number with its unit (ms, s), from \"5 ms\" to \"60 s\"",
            ),
            (
                "wait = 61",
                "a.toml:1:8: `wait` is no amount that can be used | write a whole number with its unit (ms, s), from \"5 ms\" to \"60 s\"",
            ),
            (
                "[[inner]]",
                "a.toml:1:1: `inner` can be given once only | write [inner] with single brackets",
            ),
            (
                "inner = 3",
                "a.toml:1:9: `inner` must be a table, not a number | write [inner] on a line of its own, its keys below it",
            ),
            (
                "[row]",
                "a.toml:1:1: `row` must be a list of tables, not a table | write [[row]] with double brackets: there may be several",
            ),
            ("[[row]]", "a.toml:1:1: [[row]] has no `id` | say which"),
        ] {
            assert_eq!(read(text), [want], "{text}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        assert_eq!(read("name = 1\nhosts = []\nmode = \"of\"\nx = 1\n").len(), 4);
        assert_eq!(read("name = \nhosts = [\n").len(), 2);
    }
}
