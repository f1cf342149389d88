//! One endpoint of a platform: what it is for and which of its fields carry words.

use std::sync::Arc;

use http::Method;

use crate::body::{Path, Role};
use crate::platform::answer::AnswerTemplate;
use crate::platform::bound::Bound;
use crate::platform::field::FieldSpec;
use crate::platform::fields::{Fields, Treatment};
use crate::platform::frame::{Reply, When};
use crate::platform::limit::Total;
use crate::platform::rewrite::Rewrite;
use crate::platform::template::PathTemplate;

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Carries a person's words.
    Post,
    /// Carries a file.
    Media,
    /// Signs in; its strings are credentials.
    SignIn,
    /// Counts clicks; nobody's words.
    Telemetry,
    /// Anything else that is known and harmless (follow, like).
    Pass,
    /// Carries words that are encrypted from end to end: nobody can read them, and so they are unreadable.
    Sealed,
}

impl Class {
    pub(super) const NAMES: &[(&str, Self)] = &[
        ("post", Self::Post),
        ("media", Self::Media),
        ("sign-in", Self::SignIn),
        ("telemetry", Self::Telemetry),
        ("pass", Self::Pass),
        ("sealed", Self::Sealed),
    ];

    /// The word of platform files.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, class)| *class == self).map_or("", |(name, _)| name)
    }

    /// Whether strings that the endpoint does not name are read. This is the one place that decides it: on endpoints of
    /// class sign-in, telemetry and pass they are not, because none of them is published and an e-mail address in a
    /// login or a name in a search must not cost anybody the service.
    pub(super) const fn reads_the_rest(self) -> bool {
        matches!(self, Self::Post | Self::Media | Self::Sealed)
    }
}

/// Where a string was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The body: JSON, form or a multipart part.
    Body,
    /// A part of a multipart body.
    Part,
    /// The query string.
    Query,
    /// A segment of the path.
    Path,
    /// A header that carries words (`Content-Disposition`, `Slug`).
    Header,
}

/// How a string is treated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldClass<'a> {
    /// Carries a person's words: read, may be redacted.
    Words(&'a FieldSpec),
    /// Ids, tokens, credentials, cursors: not read. The template is named.
    Opaque(&'a FieldSpec),
    /// Everything else.
    Other,
}

/// What an endpoint entry of a file says, shared by all its methods and paths.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) class: Class,
    pub(super) fields: Fields,
    pub(super) answer: Option<AnswerTemplate>,
    /// How a blocked message of a WebSocket is answered.
    pub(super) reply: Option<Reply>,
    /// What a message of a WebSocket must say of itself; nothing for requests.
    pub(super) when: Vec<When>,
    pub(super) rewrite: Option<Rewrite>,
    pub(super) bound: Option<Bound>,
    /// What fields may come to together.
    pub(super) totals: Vec<Total>,
    /// How addresses within the platform's own network begin (`at://`).
    pub(super) addresses: Vec<String>,
    /// Whether another request has named the length of the file that comes here.
    pub(super) announced: bool,
    /// What classifies a string that nothing names, where the class reads no such string.
    pub(super) rest: FieldSpec,
}

impl Entry {
    /// An entry that names no field: of endpoints that no file knows.
    pub(super) fn unknown() -> Self {
        Self {
            class: Class::Post,
            fields: Fields::default(),
            answer: None,
            reply: None,
            when: Vec::new(),
            rewrite: None,
            bound: None,
            totals: Vec::new(),
            addresses: Vec::new(),
            announced: false,
            rest: FieldSpec::named("*"),
        }
    }
}

/// One endpoint of a platform.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) entry: Arc<Entry>,
    pub(super) template: String,
    /// `None`: any method.
    pub(super) method: Option<Method>,
    pub(super) path: PathTemplate,
    pub(super) operation: Option<String>,
}

impl Endpoint {
    /// What it is for.
    pub fn class(&self) -> Class {
        self.entry.class
    }

    /// Whether another request has named the length of the file that comes here, so that it must stay.
    pub fn is_announced(&self) -> bool {
        self.entry.announced
    }

    /// Its template, such as `POST /api/v1/statuses`: safe to print. `unknown` for what no file names.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The method it is called by; `None` is any.
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// The template of its path, such as `/api/v1/statuses/{id}`, for reports.
    pub fn path(&self) -> &str {
        let after_method = self.template.split_once(' ').map_or("", |(_, rest)| rest);
        let operation = self
            .operation
            .as_deref()
            .and_then(|operation| after_method.strip_suffix(operation)?.strip_suffix(' '));
        operation.unwrap_or(after_method)
    }

    /// The GraphQL operation it is, if it is one.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Templates of the fields that carry words: what is read and may be redacted. In alphabetical order.
    pub fn words(&self) -> Vec<&str> {
        let named = self.entry.fields.iter();
        let words = named.filter(|named| named.treatment == Treatment::Words && !named.repeated);
        let mut words: Vec<&str> = words.map(|named| named.spec.template.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Whether this endpoint and another come from one entry of the file, and so have the same fields.
    pub fn shares_entry_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entry, &other.entry)
    }

    /// What fields may come to together.
    pub(super) fn totals(&self) -> &[Total] {
        &self.entry.totals
    }

    /// Whether a string that only a `**` names is none of a person's words: an address within the platform's own network,
    /// or a point in time as machines write it. It is read like anything that no field names, and never edited, since a
    /// marker in it would break the record.
    pub fn is_reference(&self, spec: &FieldSpec, text: &str) -> bool {
        let begins = |prefix: &String| text.starts_with(prefix.as_str());
        let addresses = &self.entry.addresses;
        !addresses.is_empty()
            && spec.template.ends_with("**")
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && (addresses.iter().any(begins) || is_timestamp(text))
    }

    /// Whether the segment of the path so many before the last is a credential (`{token}`), which nobody reads.
    pub fn is_credential(&self, before_last: usize) -> bool {
        self.path.is_credential(before_last)
    }

    /// How a string at a path is treated. The most exact field that names it decides. Object keys, form names and part
    /// headers are [`FieldClass::Other`]; on endpoints of class sign-in, telemetry and pass, whatever no field names is
    /// [`FieldClass::Opaque`].
    ///
    /// Path segments and headers are named by no field: they are read and never edited.
    pub fn classify(&self, place: Place, path: &Path, role: Role) -> FieldClass<'_> {
        let named = match role {
            Role::Key | Role::PartHeader => None,
            Role::Value | Role::Number | Role::FileName => {
                self.entry.fields.find(place, path, role)
            }
        };
        match named.map(|named| (named.treatment, &named.spec)) {
            Some((Treatment::Words, spec)) => FieldClass::Words(spec),
            Some((Treatment::Opaque, spec)) => FieldClass::Opaque(spec),
            Some((Treatment::Other, _)) => FieldClass::Other,
            None if self.entry.class.reads_the_rest() => FieldClass::Other,
            None => FieldClass::Opaque(&self.entry.rest),
        }
    }
}

/// Whether a text is a point in time by RFC 3339, to the letter: `2026-11-22T10:00:00.000Z`. A date alone is a person's
/// word as well.
fn is_timestamp(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    };
    let Some((head, zone)) = text.as_bytes().split_at_checked(SHAPE.len()) else { return false };
    let zone_at = zone.iter().position(|byte| !matches!(byte, b'.' | b'0'..=b'9'));
    let zone = zone_at.and_then(|at| zone.get(at..)).unwrap_or_default();
    head.iter().zip(SHAPE).all(fits)
        && (zone == b"Z"
            || matches!(zone, [b'+' | b'-', rest @ ..] if rest.len() == 5
                && rest.iter().zip(b"dd:dd").all(fits)))
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn timestamps_are_points_in_time_alone() {
        for (text, want) in [
            ("2026-11-22T10:00:00.000Z", true),
            ("2026-11-22T10:00:00Z", true),
            ("2026-11-22T10:00:00.123456+01:00", true),
            ("2026-11-22", false),
            ("2026-11-22T10:00:00", false),
            ("2026-11-22T10:00:00Z Jane", false),
            ("2026-11-22T10:00:00 415-555-0134", false),
            ("", false),
        ] {
            assert_eq!(is_timestamp(text), want, "{text}");
        }
    }
}
