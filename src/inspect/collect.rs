//! Gathers every string of a request that must be read: body, query, path segments and the headers that carry words.
//!
//! What is opaque is left out here, in one place. What is left over (`other`) is read too: only a platform's own file
//! may say that a string is nobody's words.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::body::{Document, Limits, Path, Role, Step, encoded_words};
use crate::detect::Engine;
use crate::inspect::disguise;
use crate::platform::{Endpoint, FieldClass, FieldSpec, Place};
use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, HeaderName};

/// `Slug` of the Atom publishing protocol: becomes part of a post's address.
const SLUG: HeaderName = HeaderName::from_static("slug");

/// Which document a string sits in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Body(usize),
    Query(usize),
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
    /// Whether only findings certain by themselves count here.
    pub(super) certain_only: bool,
    /// Child indexes, for what has no template.
    path: Option<&'a Path>,
}

impl Field<'_> {
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

/// Every string of a document that must be read.
pub(super) fn of_document<'a>(
    document: &'a Document,
    in_query: bool,
    endpoint: &'a Endpoint,
    limits: &Limits,
    fields: &mut Vec<Field<'a>>,
) {
    for (index, text) in document.texts().iter().enumerate() {
        let place = match (in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        };
        let words = match endpoint.classify(place, &text.path, text.role) {
            FieldClass::Opaque(_) => continue,
            FieldClass::Words(spec) => Some(spec),
            FieldClass::Other => None,
        };
        let content = text.text.expose();
        let source = if in_query { Source::Query(index) } else { Source::Body(index) };
        let field = Field {
            text: Cow::Borrowed(content),
            label: None,
            place,
            source,
            words,
            certain_only: false,
            path: Some(&text.path),
        };
        let label = label(&text.path, text.role);
        for hidden in disguise::hidden(content, limits) {
            let within = Field {
                text: Cow::Owned(hidden),
                source: Source::Head,
                words: None,
                ..field.clone()
            };
            push(within, label, fields);
        }
        push(field, label, fields);
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
        certain_only: false,
        path: None,
    }
}

/// Takes a string in, unless it can hold nothing. What its platform does not name, and is no prose, is read for what
/// is certain by itself, with its key for a label.
fn push<'a>(mut field: Field<'a>, label: Option<&'a str>, fields: &mut Vec<Field<'a>>) {
    field.certain_only = field.words.is_none() && !Engine::is_prose(&field.text);
    if field.text.is_empty() || (field.certain_only && !may_identify(&field.text)) {
        return;
    }
    if field.certain_only {
        field.label = label.map(|key| Cow::Owned(disguise::words_of_key(key)));
    }
    fields.push(field);
}

/// Whether a string of fewer than three words can hold an identifier that is certain by itself: each of those has a
/// digit in some script or spelling, or an `@`. Spares the engine most keys and flags of an API's body.
fn may_identify(text: &str) -> bool {
    text.bytes()
        .any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'&' || !byte.is_ascii())
}

/// The nearest key above a string.
fn label(path: &Path, role: Role) -> Option<&str> {
    if !matches!(role, Role::Value | Role::Number) {
        return None;
    }
    path.steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(&**key),
        Step::Index(_) | Step::Append => None,
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
