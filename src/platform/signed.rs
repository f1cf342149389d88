//! Whether a request is signed over its text, so that an edit would only break it.
//!
//! What is listed here counts on every platform and cannot be switched off by a file: a signature overlooked costs a
//! clinician's post, sent and refused. A digest that nobody signed is put right on the way out, and does not count.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::body::{Document, Kind, Role, Step};

/// Headers that bind body, path or query, whatever they say they cover.
const OVER_ALL: &[&str] = &["signature", "signature-input"];

/// Schemes of `Authorization` that bind body and query.
const SCHEMES: &[&str] = &["signature", "aws4-hmac-sha256", "hawk", "nostr"];

/// Parameters, in a query or a form, that bind both.
const PARAMETERS: &[&str] = &["oauth_signature", "x-amz-signature"];

/// What a platform's file adds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Signatures {
    /// More headers that bind the body, in lower case.
    pub(super) headers: Vec<String>,
    /// More parameters that bind query and form.
    pub(super) parameters: Vec<String>,
    /// Whether every body is signed by whoever wrote it.
    pub(super) always: bool,
}

impl Signatures {
    pub(super) fn forbid(
        &self,
        headers: &HeaderMap,
        body: &Document,
        query: &Document,
        edits_body: bool,
        edits_query: bool,
    ) -> bool {
        let edits_params = edits_query || (edits_body && body.kind() == Kind::Form);
        if !edits_body && !edits_query {
            return false;
        }
        if self.always && edits_body {
            return true;
        }
        let has = |name: &&str| headers.contains_key(*name);
        let own = self.headers.iter().any(|name| headers.contains_key(name.as_str()));
        OVER_ALL.iter().any(has)
            || (edits_body && own)
            || headers
                .get_all(AUTHORIZATION)
                .iter()
                .any(|value| authorization_forbids(value.as_bytes(), edits_body, edits_params))
            || ((edits_params || edits_body)
                && (self.has_parameter(body) || self.has_parameter(query)))
    }

    fn has_parameter(&self, params: &Document) -> bool {
        params.texts().iter().any(|text| match (&text.path.steps()[..], text.role) {
            ([Step::Key(key)], Role::Value) => {
                PARAMETERS.iter().any(|name| key.eq_ignore_ascii_case(name))
                    || self.parameters.iter().any(|name| **name == **key)
            }
            _ => false,
        })
    }
}

/// OAuth 1.0a signs query and form, and other bodies only by `oauth_body_hash`. A value that is no text is not
/// understood, and so forbids.
fn authorization_forbids(value: &[u8], edits_body: bool, edits_params: bool) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return true };
    let (scheme, rest) = value.trim_start().split_once([' ', ',']).unwrap_or((value, ""));
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "oauth" && rest.contains("oauth_") {
        return edits_params || (edits_body && rest.contains("oauth_body_hash"));
    }
    // The answer to a challenge is a hash over the URL and, where it says so, over the body.
    if scheme == "digest" {
        return edits_params || (edits_body && rest.contains("auth-int"));
    }
    SCHEMES.contains(&&*scheme)
}
