//! What says what a string is: its key, the one around it, or what stands beside it.
//!
//! `{"mrn": "004411"}`, `{"mrn": {"value": "004411"}}`, `{"label": "MRN", "content": "004411"}`, `["mrn", "004411"]` and
//! `fields[0][name]=MRN&fields[0][value]=004411` say the same to whoever reads them.

use std::borrow::Cow;

use crate::body::{Document, Path, Role, Step};
use crate::platform::FieldSpec;

/// A label of a string.
#[derive(Clone)]
pub(super) struct Label<'a> {
    pub(super) text: Cow<'a, str>,
    of: Of<'a>,
}

/// Where a label comes from.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// It is the key.
    Key,
    /// It is the key around this one, which says nothing itself.
    Around(&'a str),
    /// It stands beside the string: a title perhaps, or a kind.
    Beside,
    /// It stands beside the string as what a form calls a field: it counts whatever the platform's file names.
    Pair,
}

impl Label<'_> {
    /// Whether it is what a form calls a field.
    pub(super) const fn is_of_pair(&self) -> bool {
        matches!(self.of, Of::Pair)
    }

    /// Whether it counts for a field that a platform's file names. A key that the file names says nothing of what stands
    /// in it; one that a wildcard names may be any.
    pub(super) fn holds_for(&self, spec: &FieldSpec) -> bool {
        match self.of {
            Of::Pair => true,
            Of::Key | Of::Beside => !names_key(&spec.template, &self.text),
            Of::Around(key) => match before_key(&spec.template, key) {
                None => true,
                Some(around) => around.ends_with("*."),
            },
        }
    }
}

/// Keys of a value whose label stands beside it, and nothing else.
const PAIR_KEYS: &[&str] = &["value", "val", "answer", "valuestring"];

/// Keys that only say that a value is one: what it is of stands beside it, or around it.
const VALUE_KEYS: &[&str] = &[
    "value",
    "val",
    "text",
    "content",
    "answer",
    "data",
    "display",
    "valuestring",
    "string",
    "str",
    "raw",
    "number",
    "no",
    "nr",
];

/// Keys of what says what a value beside it is of.
const LABEL_KEYS: &[&str] =
    &["name", "label", "key", "title", "field", "question", "type", "code", "id", "system"];

/// Those of them under which words stand; the others hold words of an API as well.
const NAMING_KEYS: &[&str] = &["label", "title", "field", "question"];

/// Keys that say that a value is an id, and whose is around it.
const ID_KEYS: &[&str] = &["id", "identifier", "ident", "code", "ref", "reference", "uid"];

/// Whose ids are a patient's. Accounts, devices and orders have ids in every API.
const PATIENT_KEYS: &[&str] = &[
    "patient",
    "pt",
    "medical",
    "mrn",
    "ssn",
    "chart",
    "encounter",
    "subscriber",
    "beneficiary",
    "admission",
    "specimen",
    "accession",
];

/// How far apart the fields of one entry of a form may stand.
const MOST_BESIDE: usize = 12;

/// The longest label that stands beside a string, in bytes.
pub(super) const MOST_LABEL: usize = 80;

/// The key that a text stands under, where lists do not count: forms number theirs.
pub(super) fn key(path: &Path) -> Option<&str> {
    keys(path).next()
}

fn keys(path: &Path) -> impl Iterator<Item = &str> {
    path.outwards().filter_map(|step| match step {
        Step::Key(key) if !key.bytes().all(|byte| byte.is_ascii_digit()) => Some(&**key),
        Step::Key(_) | Step::Index(_) | Step::Append => None,
    })
}

/// A header's own key, if it has one.
pub(super) fn of_header<'a>(key: String) -> Option<Label<'a>> {
    (!key.is_empty()).then(|| Label { text: key.into(), of: Of::Key })
}

/// Whether a string may be a label or a value whose other half stands apart from it: by its key, or as an element of a list.
pub(super) fn may_be_apart(path: &Path) -> bool {
    match path.last() {
        Some(Step::Key(key)) => is_one_of(key, VALUE_KEYS) || is_one_of(key, NAMING_KEYS),
        Some(Step::Index(_)) => true,
        Some(Step::Append) | None => false,
    }
}

/// What says what a string is.
pub(super) fn of(document: &Document, index: usize) -> Option<Label<'_>> {
    let text = document.texts().get(index)?;
    if !matches!(text.role, Role::Value | Role::Number) {
        return None;
    }
    if let Some(before) = before_in_pair(document, index) {
        return Some(Label { text: before.into(), of: Of::Pair });
    }
    let mut keys = keys(&text.path);
    let own = keys.next()?;
    if is_one_of(own, VALUE_KEYS) {
        if let Some(text) = beside(document, index) {
            let of = if is_one_of(own, PAIR_KEYS) { Of::Pair } else { Of::Beside };
            return Some(Label { text: text.into(), of });
        }
        if let Some(around) = keys.find(|key| !is_one_of(key, VALUE_KEYS)) {
            return Some(Label { text: around.into(), of: Of::Around(own) });
        }
    }
    if is_one_of(own, ID_KEYS)
        && let Some(around) = keys.next().filter(|key| is_short(key) && is_of_patient(key))
    {
        return Some(Label { text: format!("{around}_id").into(), of: Of::Around(own) });
    }
    Some(Label { text: own.into(), of: Of::Key })
}

fn is_one_of(key: &str, keys: &[&str]) -> bool {
    keys.iter().any(|one| key.eq_ignore_ascii_case(one))
}

fn is_of_patient(key: &str) -> bool {
    let words = super::disguise::words_of_key(key);
    words.split_whitespace().any(|word| is_one_of(word, PATIENT_KEYS))
}

/// The first of two elements of a list that says what the second is: `["mrn", "00412345"]`.
fn before_in_pair(document: &Document, index: usize) -> Option<&str> {
    let text = document.texts().get(index)?;
    let Some(Step::Index(1)) = text.path.last() else { return None };
    let before = index.checked_sub(1).and_then(|before| document.texts().get(before))?;
    let is_first = matches!(before.path.last(), Some(Step::Index(0)));
    let label = before.text.expose();
    let is_label = is_short(label)
        && label.chars().any(char::is_alphabetic)
        && !label.bytes().any(|byte| byte.is_ascii_digit() || byte == b'\n');
    (is_first && before.role == Role::Value && stand_together(&before.path, &text.path) && is_label)
        .then_some(label)
}

/// The label beside a value: in its object, or among the fields of its entry in a form.
fn beside(document: &Document, index: usize) -> Option<&str> {
    let Some(node) = document.node_of(index) else { return beside_in_form(document, index) };
    let object = document.parent(node)?;
    LABEL_KEYS.iter().find_map(|key| {
        let beside = document.first_member(object, key)?;
        let beside = document.text_of(beside).filter(|beside| *beside != index)?;
        document.texts().get(beside).map(|text| text.text.expose()).filter(|text| is_short(text))
    })
}

/// Whether a text can be a label: a title may be long, and would be read once more for what stands under it.
fn is_short(text: &str) -> bool {
    text.len() <= MOST_LABEL
}

fn beside_in_form(document: &Document, index: usize) -> Option<&str> {
    let own = document.texts().get(index).filter(|own| own.path.n_steps() > 1)?;
    let first = index.saturating_sub(MOST_BESIDE);
    let near = || {
        let texts = document.texts().iter().enumerate().skip(first).take(2 * MOST_BESIDE + 1);
        texts.filter(|(at, text)| {
            *at != index && text.role == Role::Value && stand_together(&text.path, &own.path)
        })
    };
    LABEL_KEYS.iter().find_map(|key| {
        let is_label =
            |step: &Step| matches!(step, Step::Key(name) if name.eq_ignore_ascii_case(key));
        let (_, text) = near().find(|(_, text)| text.path.last().is_some_and(is_label))?;
        Some(text.text.expose()).filter(|text| is_short(text))
    })
}

/// Whether two texts stand in the same object or list.
pub(super) fn stand_together(one: &Path, other: &Path) -> bool {
    match (one.steps().split_last(), other.steps().split_last()) {
        (Some((_, one)), Some((_, other))) => one == other,
        _ => false,
    }
}

/// Whether the last step of a template, apart from list elements, is this very key.
fn names_key(template: &str, key: &str) -> bool {
    before_key(template, key).is_some()
}

/// What stands before the last step of a template, apart from list elements, where that is this very key.
fn before_key(template: &str, key: &str) -> Option<String> {
    // A long key is asked for each value under it; none of a file is that long.
    if key.len() > template.len() {
        return None;
    }
    let mut template = template;
    while let Some(list) = template.strip_suffix("[]") {
        template = list;
    }
    let template = template.strip_suffix('"').unwrap_or(template).to_ascii_lowercase();
    let before = template.strip_suffix(&key.to_ascii_lowercase())?;
    (before.is_empty() || before.ends_with(['.', ':', '"'])).then(|| before.to_owned())
}
