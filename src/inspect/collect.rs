//! Gathers every string of a request that must be read: body, query, path segments and the headers that carry words.
//!
//! What is opaque is left out here, in one place. What is left over (`other`) is read too: only a platform's own file
//! may say that a string is nobody's words.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::body::{Document, Path, Role, Step, Text, encoded_words};
use crate::detect::Engine;
use crate::inspect::disguise;
use crate::inspect::joined::{Joined, Joiner};
use crate::platform::{Endpoint, FieldClass, FieldSpec, Place};
use crate::span::Span;
use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, HeaderName};

/// `Slug` of the Atom publishing protocol: becomes part of a post's address.
const SLUG: HeaderName = HeaderName::from_static("slug");

/// Which document a string sits in.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Body(usize),
    Query(usize),
    /// Stretches of several strings of the query or the body, as they read together.
    Joined {
        in_query: bool,
        joined: Joined,
    },
    /// A path segment or a header: read, never edited.
    Head,
}

/// One string that is read.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    /// The key it stands under, where that may say what it is (`{"mrn": "004411"}`).
    pub(super) label: Option<Cow<'a, str>>,
    pub(super) place: Place,
    pub(super) source: Source,
    /// The endpoint's own words for it; `None` for everything that it does not name.
    pub(super) words: Option<&'a FieldSpec>,
    /// The text in whose words it stands: an edit is one of that.
    pub(super) within: Option<usize>,
    /// Whether only findings certain by themselves count here.
    pub(super) certain_only: bool,
    /// The stretches, of it or of the text it is within, that are read in a joined text, too, where they stand in their
    /// surroundings: what is found in them here counts only if it is certain by itself.
    pub(super) seen: Arc<[Span]>,
    /// Child indexes, for what has no template.
    path: Option<&'a Path>,
}

impl Field<'_> {
    /// Whether a finding that is not certain by itself counts; `start` is where it starts in the text that a person wrote.
    pub(super) fn counts(&self, start: usize) -> bool {
        let first = self.seen.partition_point(|seen| seen.end() <= start);
        let is_seen = self.seen.get(first).is_some_and(|seen| seen.start() <= start);
        !self.certain_only && !is_seen
    }

    /// The platform's own template, or child indexes: safe to print.
    pub(super) fn name(&self) -> String {
        if let Some(spec) = self.words {
            return spec.template.clone();
        }
        let mut name = String::from(match self.place {
            Place::Body => "",
            Place::Part => "part:",
            Place::Query => "query:",
            Place::Path => "path:",
            Place::Header => "header:",
        });
        if let Some(path) = self.path {
            _ = write!(name, "{path}");
        } else {
            name.push('#');
        }
        name
    }
}

/// What is done about a text that holds others.
#[derive(Clone, Copy)]
enum Held<'a> {
    /// It is nobody's words, and so is what it holds.
    Opaque,
    /// It is a person's words as it stands; what it holds is read, and an edit of that is an edit of it.
    Whole(usize, &'a FieldSpec),
    /// What it holds is taken each on its own.
    Apart { named_other: bool },
}

/// Every string of a document that must be read.
pub(super) fn of_document<'a>(
    (document, other): (&'a Document, &'a Document),
    in_query: bool,
    endpoint: &'a Endpoint,
    fields: &mut Vec<Field<'a>>,
) {
    let n_before = fields.len();
    let mut runs = Joiner::new(document, other);
    let mut held: HashMap<usize, Held<'a>> = HashMap::new();
    let texts = Texts { document, in_query, endpoint };
    for (index, text) in document.texts().iter().enumerate() {
        let around = document.holder(index).and_then(|holder| held.get(&holder).copied());
        let class = match around {
            Some(Held::Opaque) => {
                held.insert(index, Held::Opaque);
                continue;
            }
            Some(Held::Whole(_, spec)) => FieldClass::Words(spec),
            Some(Held::Apart { named_other }) => match texts.class(text) {
                // An endpoint that reads nothing else says by naming a text that it wants what that holds read, too.
                FieldClass::Opaque(spec) if named_other && spec.template == "*" => {
                    FieldClass::Other
                }
                class => class,
            },
            None => texts.class(text),
        };
        let within = match around {
            Some(Held::Whole(whole, _)) => Some(whole),
            _ => None,
        };
        let words = match class {
            FieldClass::Opaque(_) => {
                held.insert(index, Held::Opaque);
                continue;
            }
            FieldClass::Words(spec) if endpoint.is_reference(spec, text.text.expose()) => None,
            FieldClass::Words(spec) => Some(spec),
            FieldClass::Other => None,
        };
        if document.holds_texts(index) {
            let structured = document.is_structured(index);
            let apart = within.is_none() && structured && texts.names_within(index);
            let treatment = match words {
                Some(spec) if !apart => Held::Whole(within.unwrap_or(index), spec),
                Some(_) => Held::Apart { named_other: false },
                None => Held::Apart { named_other: true },
            };
            held.insert(index, treatment);
            // JSON that nothing names says all that it says by its own strings.
            let is_json = document.json_in(index).is_some();
            if apart || (words.is_none() && is_json) {
                continue;
            }
        }
        let source = if in_query { Source::Query(index) } else { Source::Body(index) };
        let field = Field {
            text: Cow::Borrowed(text.text.expose()),
            label: None,
            place: texts.place(text),
            source,
            words,
            within,
            certain_only: false,
            seen: Arc::default(),
            path: Some(&*text.path),
        };
        if let (Some(spec), None, Role::Value) = (words, within, text.role) {
            runs.add(spec, index);
        }
        let label = label(document, index);
        if text.role != Role::Value {
            for hidden in disguise::hidden(text.text.expose()) {
                let hidden = Cow::Owned(hidden);
                push(
                    Field { text: hidden, source: Source::Head, words: None, ..field.clone() },
                    label,
                    fields,
                );
            }
        }
        push(field, label, fields);
    }
    let place = if in_query { Place::Query } else { Place::Body };
    let together: Vec<_> = runs.finish().collect();
    if together.is_empty() {
        return;
    }
    note_seen(in_query, &together, fields.get_mut(n_before..).unwrap_or_default());
    for (spec, text, parts) in together {
        let source = Source::Joined { in_query, joined: parts };
        let field = Field { source, words: Some(spec), ..of_head(Cow::Owned(text), place) };
        push(field, None, fields);
    }
}

/// Notes on each string which of its stretches are read in a joined text, too.
fn note_seen(in_query: bool, joined: &[(&FieldSpec, String, Joined)], fields: &mut [Field<'_>]) {
    let mut by_text: HashMap<usize, Vec<Span>> = HashMap::new();
    for (text, span) in joined.iter().flat_map(|(_, _, joined)| joined.seen()) {
        by_text.entry(text).or_default().push(span);
    }
    let by_text: HashMap<usize, Arc<[Span]>> = by_text
        .into_iter()
        .map(|(text, mut spans)| {
            spans.sort_unstable();
            (text, spans.into())
        })
        .collect();
    for field in fields {
        let index = match field.source {
            Source::Body(index) if !in_query => index,
            Source::Query(index) if in_query => index,
            _ => continue,
        };
        if let Some(seen) = by_text.get(&field.within.unwrap_or(index)) {
            field.seen = Arc::clone(seen);
        }
    }
}

/// The texts of a document, as an endpoint sees them.
struct Texts<'a> {
    document: &'a Document,
    in_query: bool,
    endpoint: &'a Endpoint,
}

impl<'a> Texts<'a> {
    fn place(&self, text: &Text) -> Place {
        match (self.in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        }
    }

    fn class(&self, text: &Text) -> FieldClass<'a> {
        self.endpoint.classify(self.place(text), &text.path, text.role)
    }

    /// Whether the endpoint names any of the texts that a text holds. They follow it at once, and each is looked at once
    /// for each text around it, of which there are few.
    fn names_within(&self, holder: usize) -> bool {
        let document = self.document;
        let is_within = |index: usize| {
            let mut around = document.holder(index);
            while let Some(here) = around.filter(|here| *here > holder) {
                around = document.holder(here);
            }
            around == Some(holder)
        };
        let texts = document.texts().iter().enumerate().skip(holder + 1);
        texts.take_while(|(index, _)| is_within(*index)).any(|(_, text)| {
            text.role == Role::Value && matches!(self.class(text), FieldClass::Words(_))
        })
    }
}

/// Path segments, decoded.
pub(super) fn of_path<'a>(path: &'a str, endpoint: &Endpoint, fields: &mut Vec<Field<'a>>) {
    let segments = path.rsplit('/').filter(|segment| !segment.is_empty()).enumerate();
    for (before_last, segment) in segments {
        if endpoint.is_credential(before_last) {
            continue;
        }
        let text = disguise::undo_percent(segment).map_or(Cow::Borrowed(segment), Cow::Owned);
        push(of_head(text, Place::Path), None, fields);
    }
}

/// The headers that carry words. Their bytes may be UTF-8, percent-encoded, or encoded words of mail (RFC 2047).
pub(super) fn of_headers<'a>(headers: &'a HeaderMap, fields: &mut Vec<Field<'a>>) {
    for name in [&CONTENT_DISPOSITION, &SLUG] {
        for value in headers.get_all(name) {
            let raw = disguise::lenient(value.as_bytes());
            let decoded = encoded_words(&raw).unwrap_or(raw);
            let text = disguise::undo_percent(&decoded).unwrap_or(decoded);
            push(of_head(Cow::Owned(text), Place::Header), None, fields);
        }
    }
}

fn of_head(text: Cow<'_, str>, place: Place) -> Field<'_> {
    Field {
        text,
        label: None,
        place,
        source: Source::Head,
        words: None,
        within: None,
        certain_only: false,
        seen: Arc::default(),
        path: None,
    }
}

/// Takes a string in, unless it can hold nothing. What its platform does not name, and is no prose, is read for what
/// is certain by itself. Its key is its label, unless the platform's file names that very key: under a wildcard the key
/// may be any, `mrn` as well.
fn push<'a>(mut field: Field<'a>, label: Option<Label<'a>>, fields: &mut Vec<Field<'a>>) {
    field.certain_only = field.words.is_none() && !Engine::is_prose(&field.text);
    if field.text.is_empty() || (field.certain_only && !may_identify(&field.text)) {
        return;
    }
    let label = label.filter(|label| {
        field.words.is_none_or(|spec| label.beside || !names_key(&spec.template, label.text))
    });
    field.label = label.map(|label| Cow::Owned(disguise::words_of_key(label.text)));
    fields.push(field);
}

/// Whether a string of fewer than three words can hold an identifier that is certain by itself: each of those has a
/// digit in some script or spelling, or an `@`. Spares the engine most keys and flags of an API's body.
fn may_identify(text: &str) -> bool {
    text.bytes()
        .any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'&' || !byte.is_ascii())
}

/// Whether the last step of a template, apart from list elements, is this very key.
fn names_key(template: &str, key: &str) -> bool {
    let mut template = template;
    while let Some(list) = template.strip_suffix("[]") {
        template = list;
    }
    let template = template.strip_suffix('"').unwrap_or(template).to_ascii_lowercase();
    template
        .strip_suffix(&key.to_ascii_lowercase())
        .is_some_and(|before| before.is_empty() || before.ends_with(['.', ':', '"']))
}

/// What says what a string is.
#[derive(Clone, Copy)]
struct Label<'a> {
    text: &'a str,
    /// Whether it is what a form calls a field, beside the value: it counts whatever the platform's file names.
    beside: bool,
}

/// Keys of a value whose label stands beside it, and nothing else.
const PAIR_KEYS: &[&str] = &["value", "val", "answer", "valuestring"];

/// Keys that only say that a value is one: what it is of stands beside it.
const VALUE_KEYS: &[&str] =
    &["value", "val", "text", "content", "answer", "data", "display", "valuestring"];

/// Keys of what says what a value beside it is of.
const LABEL_KEYS: &[&str] =
    &["name", "label", "key", "title", "field", "question", "type", "code", "id", "system"];

/// What says what a string is: the nearest key above it or, where that says nothing (`value`), the label beside it
/// (`{"name": "MRN", "value": ".."}`).
fn label(document: &Document, index: usize) -> Option<Label<'_>> {
    let text = document.texts().get(index)?;
    if !matches!(text.role, Role::Value | Role::Number) {
        return None;
    }
    let key = text.path.steps.iter().rev().find_map(|step| match step {
        // Forms number their lists.
        Step::Key(key) if !key.bytes().all(|byte| byte.is_ascii_digit()) => Some(&**key),
        Step::Key(_) | Step::Index(_) | Step::Append => None,
    })?;
    let is_one_of = |keys: &[&str]| keys.iter().any(|one| key.eq_ignore_ascii_case(one));
    if is_one_of(VALUE_KEYS)
        && let Some(text) = label_beside(document, index)
    {
        // Under any other of those keys what stands beside it may be a title of a post, or its kind.
        return Some(Label { text, beside: is_one_of(PAIR_KEYS) });
    }
    Some(Label { text: key, beside: false })
}

fn label_beside(document: &Document, index: usize) -> Option<&str> {
    let object = document.parent(document.node_of(index)?)?;
    LABEL_KEYS.iter().find_map(|key| {
        let beside = document.first_member(object, key)?;
        let beside = document.text_of(beside)?;
        document.texts().get(beside).map(|text| text.text.expose())
    })
}

#[cfg(test)]
mod tests {
    use super::may_identify;

    #[test]
    fn flags_and_keys_are_spared() {
        for (text, read) in [
            ("public", false),
            ("media_ids", false),
            ("MRN 004411", true),
            ("a@b.example", true),
            ("٣٤٥", true),
            ("&#49;", true),
        ] {
            assert_eq!(may_identify(text), read, "{text}");
        }
    }
}
