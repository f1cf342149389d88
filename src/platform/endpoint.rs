//! One endpoint of a platform: what it is for and which of its fields carry words.

use crate::body::{Path, Role};

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

/// One field that an endpoint names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldSpec {
    /// The path template as written, such as `poll.options[]`: safe to print.
    pub template: String,
}

/// One endpoint of a platform.
#[derive(Debug)]
pub struct Endpoint {
    _private: (),
}

impl Endpoint {
    /// What it is for.
    pub fn class(&self) -> Class {
        todo!()
    }

    /// Its template, such as `POST /api/v1/statuses`: safe to print.
    pub fn template(&self) -> &str {
        todo!()
    }

    /// How a string at a path is treated.
    pub fn classify(&self, _place: Place, _path: &Path, _role: Role) -> FieldClass<'_> {
        todo!()
    }
}
