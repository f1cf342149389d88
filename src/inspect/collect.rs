//! Gathers every string of a request that must be read: body, query, path segments and the headers that carry words.
//!
//! What is opaque is left out here, in one place. What is left over (`other`) is read too: only a platform's own file
//! may say that a string is nobody's words.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, HeaderName};
use percent_encoding::percent_decode_str;

use crate::body::{Document, Path, Role, Step};
use crate::detect::Engine;
use crate::platform::{Endpoint, FieldClass, FieldSpec, Place};

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
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    /// The key it stands under, where that may say what it is (`{"mrn": "004411"}`).
    pub(super) label: Option<&'a str>,
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
        let certain_only = words.is_none() && !Engine::is_prose(content);
        if content.is_empty() || (certain_only && !may_identify(content)) {
            continue;
        }
        fields.push(Field {
            text: Cow::Borrowed(content),
            label: if certain_only { label(&text.path, text.role) } else { None },
            place,
            source: if in_query { Source::Query(index) } else { Source::Body(index) },
            words,
            certain_only,
            path: Some(&text.path),
        });
    }
}

/// Path segments, decoded. A segment that is no UTF-8 is read as it was spelled.
pub(super) fn of_path<'a>(path: &'a str, fields: &mut Vec<Field<'a>>) {
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        push_head(
            percent_decode_str(segment).decode_utf8().unwrap_or(Cow::Borrowed(segment)),
            Place::Path,
            fields,
        );
    }
}

/// The headers that carry words.
pub(super) fn of_headers<'a>(headers: &'a HeaderMap, fields: &mut Vec<Field<'a>>) {
    for name in [&CONTENT_DISPOSITION, &SLUG] {
        for value in headers.get_all(name) {
            let raw: String = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
            let decoded = percent_decode_str(&raw).decode_utf8().map(Cow::into_owned);
            let utf8 = std::str::from_utf8(value.as_bytes()).ok().map(str::to_owned);
            push_head(Cow::Owned(decoded.ok().or(utf8).unwrap_or(raw)), Place::Header, fields);
        }
    }
}

fn push_head<'a>(text: Cow<'a, str>, place: Place, fields: &mut Vec<Field<'a>>) {
    let certain_only = !Engine::is_prose(&text);
    if text.is_empty() || (certain_only && !may_identify(&text)) {
        return;
    }
    fields.push(Field {
        text,
        label: None,
        place,
        source: Source::Head,
        words: None,
        certain_only,
        path: None,
    });
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
