//! A platform as its file says, and all of them by name.

use std::sync::Arc;

use crate::body::{Document, Edit, Limits};
use crate::diagnostic::{Diagnostic, Source};
use crate::platform::{Answer, Endpoint, FieldSpec};
use crate::redact::Splice;

/// One platform.
#[derive(Debug)]
pub struct Platform {
    _private: (),
}

/// The endpoint a request is for.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Whether the platform's file names it; if not, everything is read and nothing is edited.
    pub known: bool,
}

/// Platforms by name.
#[derive(Debug, Default)]
pub struct Platforms {
    _private: (),
}

/// Why a post cannot be redacted, though it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum CannotRedact {
    #[error("the request is signed over the text")]
    Signed,
    #[error("the finding stands in a field that is never edited")]
    NotEditable,
    #[error("offsets into the text cannot be moved")]
    Offsets,
    #[error("the redacted text is over the platform's limit")]
    OverLimit,
    #[error("the redacted post would be refused by the platform")]
    Invalid,
    #[error("the edit could not be written")]
    Write,
}

impl Platform {
    /// Its name.
    pub fn id(&self) -> &str {
        todo!()
    }

    /// Hosts that its file lists, for routes that name none.
    pub fn hosts(&self) -> &[String] {
        todo!()
    }

    /// The endpoint of a request; `path` is raw, still percent-encoded. For GraphQL endpoints the operation may
    /// stand at the end of the path or in the body.
    pub fn resolve(
        &self,
        _method: &http::Method,
        _path: &str,
        _body: Option<&Document>,
    ) -> Resolved<'_> {
        todo!()
    }

    /// Whether the headers and query say that the text cannot change under a signature (OAuth 1.0a over form or query, a signed digest).
    pub fn signed(
        &self,
        _headers: &http::HeaderMap,
        _body: &Document,
        _edits_body: bool,
        _edits_query: bool,
    ) -> bool {
        todo!()
    }

    /// What else must change when text `text` of `document` is spliced: offsets moved, ranges that were cut dropped.
    pub fn move_offsets(
        &self,
        _spec: &FieldSpec,
        _document: &Document,
        _text: usize,
        _splices: &[Splice],
    ) -> Result<Vec<Edit>, CannotRedact> {
        todo!()
    }

    /// Whether a text that fitted the field's limit before still does.
    pub fn still_fits(&self, _spec: &FieldSpec, _before: &str, _after: &str) -> bool {
        todo!()
    }

    /// The answer of a blocked post.
    pub fn answer(&self, _endpoint: &Endpoint, _sentence: &str, _reference: &str) -> Answer {
        todo!()
    }

    /// Rewrites the JSON answer of an endpoint whose file says so (Bluesky's `didDoc`); `None` leaves it as it is.
    pub fn rewrite_answer(
        &self,
        _endpoint: &Endpoint,
        _body: &[u8],
        _limits: &Limits,
    ) -> Option<Vec<u8>> {
        todo!()
    }

    /// Whether answers of this endpoint are rewritten, and so must be read whole.
    pub fn rewrites_answers(&self, _endpoint: &Endpoint) -> bool {
        todo!()
    }
}

impl Platforms {
    /// The shipped platforms.
    pub fn embedded() -> Self {
        todo!()
    }

    /// Adds (or replaces, by name) a platform file.
    pub fn add(&mut self, _source: &Arc<Source>) -> Result<(), Vec<Diagnostic>> {
        todo!()
    }

    /// One platform by its name.
    pub fn get(&self, _id: &str) -> Option<&Arc<Platform>> {
        todo!()
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Platform>> {
        std::iter::empty()
    }
}
