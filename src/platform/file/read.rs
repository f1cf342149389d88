//! Reads one TOML table key by key and says everything that is wrong with it, not only the first fault.
//!
//! A derived reader stops at the first unknown key or wrong type. An administrator who writes a platform file wants the
//! whole list at once, each with its line and its remedy.

use std::collections::HashSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Source};
use crate::span::Span;

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// The faults of one file, as they are found.
#[derive(Debug)]
pub(super) struct Faults<'s> {
    source: &'s Arc<Source>,
    list: Vec<Diagnostic>,
}

impl<'s> Faults<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Self {
        Self { source, list: Vec::new() }
    }

    pub(super) fn add(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.list.push(Diagnostic::error(self.source, message).at(span).help(help));
    }

    pub(super) fn push(&mut self, fault: Diagnostic) {
        self.list.push(fault);
    }

    pub(super) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|fault| fault.span);
        self.list
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One table, with the keys it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    table: &'a DeTable<'a>,
    span: Span,
}

impl<'a> Table<'a> {
    /// Looks at a table and names every key in it that is not one of `keys`.
    pub(super) fn new(
        table: &'a DeTable<'a>,
        span: Span,
        keys: &[&str],
        faults: &mut Faults<'_>,
    ) -> Self {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                let help = match nearest(name, keys) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the keys here are: {}", keys.join(", ")),
                };
                faults.add(key.span().into(), format!("unknown key `{name}`"), help);
            }
        }
        Self { table, span }
    }

    /// Where the table stands: its header, or the braces of an inline table.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    pub(super) fn string(&self, key: &str, faults: &mut Faults<'_>) -> Option<Written<&'a str>> {
        let value = self.value(key)?;
        let string = value.get_ref().as_str();
        if string.is_none() {
            wrong(key, "a string in quotes", value, faults);
        }
        string.map(|string| Written { value: string, span: value.span().into() })
    }

    /// A string, or a list of them.
    pub(super) fn strings(&self, key: &str, faults: &mut Faults<'_>) -> Vec<Written<&'a str>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(string) => vec![Written { value: string, span: value.span().into() }],
            DeValue::Array(array) => array
                .iter()
                .filter_map(|element| {
                    let string = element.get_ref().as_str();
                    if string.is_none() {
                        wrong(key, "a list of strings", element, faults);
                    }
                    string.map(|value| Written { value, span: element.span().into() })
                })
                .collect(),
            _ => {
                wrong(key, "a string or a list of strings", value, faults);
                Vec::new()
            }
        }
    }

    /// A whole number from 1.
    pub(super) fn count(&self, key: &str, faults: &mut Faults<'_>) -> Option<Written<usize>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| usize::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|&number| number > 0);
        if number.is_none() {
            let message = format!("`{key}` is not a whole number from 1");
            faults.add(value.span().into(), message, format!("write it bare: {key} = 280"));
        }
        number.map(|number| Written { value: number, span: value.span().into() })
    }

    /// A flag; `false` where it is left out.
    pub(super) fn flag(&self, key: &str, faults: &mut Faults<'_>) -> bool {
        let Some(value) = self.value(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            wrong(key, "true or false", value, faults);
        }
        flag.unwrap_or_default()
    }

    /// A table within this one.
    pub(super) fn table(
        &self,
        key: &str,
        keys: &[&str],
        faults: &mut Faults<'_>,
    ) -> Option<Table<'a>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            wrong(key, "a table", value, faults);
            return None;
        };
        Some(Table::new(table, value.span().into(), keys, faults))
    }

    /// What a table of conditions says: each key with the string or whole number, or any of a list of them, that is to
    /// stand there.
    pub(super) fn conditions(
        &self,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Vec<(Written<&'a str>, Vec<String>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            wrong(key, "a table: { \"0\" = \"EVENT\" }", value, faults);
            return Vec::new();
        };
        let mut conditions = Vec::with_capacity(table.len());
        for (at, values) in table {
            let values: Vec<&Spanned<DeValue<'_>>> = match values.get_ref() {
                DeValue::Array(array) => array.iter().collect(),
                _ => vec![values],
            };
            let mut words = Vec::with_capacity(values.len());
            for value in values {
                match value.get_ref() {
                    DeValue::String(word) => words.push(word.to_string()),
                    DeValue::Integer(number) if number.radix() == 10 => {
                        words.push(number.as_str().to_owned());
                    }
                    _ => {
                        let wanted = "a string, a whole number, or a list of them";
                        wrong(at.get_ref(), wanted, value, faults);
                    }
                }
            }
            let place = Written { value: at.get_ref().as_ref(), span: at.span().into() };
            conditions.push((place, words));
        }
        conditions
    }

    /// An array of tables (`[[key]]`).
    pub(super) fn tables(
        &self,
        key: &str,
        keys: &[&str],
        faults: &mut Faults<'_>,
    ) -> Vec<Table<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            wrong(key, &format!("an array of tables, written [[{key}]]"), value, faults);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(array.len());
        for element in array {
            match element.get_ref().as_table() {
                Some(table) => {
                    tables.push(Table::new(table, element.span().into(), keys, faults));
                }
                None => wrong(key, &format!("tables, each written [[{key}]]"), element, faults),
            }
        }
        tables
    }
}

fn wrong(key: &str, wanted: &str, value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) {
    let found = value.get_ref().type_str();
    faults.add(
        value.span().into(),
        format!("`{key}` is of type {found}"),
        format!("write {wanted}"),
    );
}

/// The one of `names` that a slip of the pen could have turned into `written`.
pub(super) fn nearest<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let letters =
        |word: &str| word.chars().filter(char::is_ascii_alphanumeric).collect::<HashSet<_>>();
    let mine = letters(written);
    names
        .iter()
        .copied()
        .map(|name| {
            let theirs = letters(name);
            let off = mine.symmetric_difference(&theirs).count();
            (off * 4 + written.len().abs_diff(name.len()), name)
        })
        .filter(|&(distance, _)| distance <= 6)
        .min()
        .map(|(_, name)| name)
}
