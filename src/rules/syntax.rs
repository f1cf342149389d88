//! A rule file as written: tables, their keys and the place of each, with every fault kept.
//!
//! The file is read as a tree rather than through serde, because serde stops at the first fault and an officer who
//! fixes one line at a time loses the afternoon.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Source, kind, of_toml};
use crate::span::Span;

/// Collects the faults of one file.
#[derive(Debug)]
pub(super) struct Faults<'f> {
    source: &'f Arc<Source>,
    found: &'f mut Vec<Diagnostic>,
}

impl<'f> Faults<'f> {
    pub(super) const fn new(source: &'f Arc<Source>, found: &'f mut Vec<Diagnostic>) -> Self {
        Self { source, found }
    }

    pub(super) const fn source(&self) -> &'f Arc<Source> {
        self.source
    }

    /// Notes a fault at a place, with the words under its caret and its remedy.
    pub(super) fn note(&mut self, at: Span, message: String, label: &str, help: impl Into<String>) {
        self.found.push(Diagnostic::error(self.source, message).at(at).label(label).help(help));
    }
}

/// A text value and where it stands in the file, quotes included.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Span,
}

impl Text {
    /// The place in the file of a stretch of the value. Where escapes move bytes, the whole value.
    pub(super) fn place(&self, source: &Source, within: Span) -> Span {
        let raw = self.span.of(&source.text).unwrap_or_default();
        match raw.find(&self.value) {
            Some(open) if !self.value.is_empty() => {
                let start = self.span.start() + open + within.start();
                // A caret needs a byte to stand under, even for «expected more here».
                Span::new(start, (start + within.len()).max(start + 1).min(self.span.end()))
            }
            _ => self.span,
        }
    }
}

/// Cuts a file into its tables; all syntax faults are noted at once.
pub(super) fn tables<'s>(text: &'s str, faults: &mut Faults<'_>) -> Option<DeTable<'s>> {
    let (root, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let fine = errors.is_empty();
    for error in errors {
        let fault = of_toml(faults.source, &error);
        faults
            .found
            .push(fault.help("this is no TOML: see https://toml.io for how values are written"));
    }
    fine.then(|| root.into_inner())
}

/// One table: its keys are taken one by one, and what is left at the end is unknown.
#[derive(Debug)]
pub(super) struct Table<'t, 's> {
    /// What it is called in messages, such as `[[rule]]`.
    name: &'static str,
    keys: &'t DeTable<'s>,
    pub(super) span: Span,
    known: Vec<&'static str>,
}

impl<'t, 's> Table<'t, 's> {
    pub(super) fn new(name: &'static str, keys: &'t DeTable<'s>, span: Span) -> Self {
        Self { name, keys, span, known: Vec::new() }
    }

    /// The value of a key.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'s>>> {
        self.known.push(key);
        self.keys.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// The text of a key; another kind of value is a fault.
    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Text> {
        text_of(key, self.get(key)?, faults)
    }

    /// The text of a key that must be there and say something.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        help: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Text> {
        let there = self.keys.iter().any(|(name, _)| name.get_ref() == key);
        let text = self.text(key, faults);
        if !there {
            let message = format!("{} has no `{key}`", self.name);
            faults.note(self.span, message, &format!("`{key}` is missing"), help);
        } else if let Some(empty) = text.as_ref().filter(|text| text.value.trim().is_empty()) {
            faults.note(empty.span, format!("`{key}` is empty"), "says nothing", help);
            return None;
        }
        text
    }

    /// A yes or no; left out is no.
    pub(super) fn flag(&mut self, key: &'static str, faults: &mut Faults<'_>) -> bool {
        match self.get(key) {
            None => false,
            Some(value) => match value.get_ref() {
                DeValue::Boolean(flag) => *flag,
                other => {
                    wrong_kind(key, "true or false", other, value.span().into(), faults);
                    false
                }
            },
        }
    }

    /// The texts of a list; left out is empty.
    pub(super) fn texts(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Text> {
        self.get(key).map_or_else(Vec::new, |value| texts_of(key, value, faults))
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, faults: &mut Faults<'_>) {
        for (key, _) in self.keys {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown key `{}` in {}", key.get_ref(), self.name);
                let help = format!("known keys are {}", listed(self.known.iter().copied()));
                faults.note(key.span().into(), message, "not known here", help);
            }
        }
    }
}

/// The text of a value.
pub(super) fn text_of(
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Option<Text> {
    let span = value.span().into();
    match value.get_ref() {
        DeValue::String(text) => Some(Text { value: text.clone().into_owned(), span }),
        other => {
            wrong_kind(key, "a text in quotes", other, span, faults);
            None
        }
    }
}

/// The texts of a list.
pub(super) fn texts_of(
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Vec<Text> {
    match value.get_ref() {
        DeValue::Array(items) => {
            items.iter().filter_map(|item| text_of(key, item, faults)).collect()
        }
        other => {
            wrong_kind(
                key,
                "a list of texts, such as [\"one\", \"two\"]",
                other,
                value.span().into(),
                faults,
            );
            Vec::new()
        }
    }
}

fn wrong_kind(key: &str, want: &str, is: &DeValue<'_>, at: Span, faults: &mut Faults<'_>) {
    faults.note(
        at,
        format!("`{key}` must be {want}"),
        &format!("this is {}", kind(is)),
        format!("write {want}"),
    );
}

/// `a`, `b` and `c`.
pub(super) fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
