//! Answers that lead clients round the proxy, and how they are put right. A closed list that the platform files name.

use bytes::Bytes;

use crate::body::{Document, Edit, Kind, Limits, Unreadable};

/// What is done to the answer of an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rewrite {
    /// Takes `didDoc` out of a Bluesky session. Its `service[].serviceEndpoint` names the account's own data server, and
    /// clients go there, past the proxy, for everything after the sign-in; without it they stay where they signed in.
    /// The lexicon lists it as optional. Nothing is put in its place, so that the host of the request does not matter.
    BlueskyDidDoc,
}

impl Rewrite {
    pub(super) const NAMES: &[(&str, Self)] = &[("bluesky-did-doc", Self::BlueskyDidDoc)];

    /// The new answer; `None` where nothing needs to change. An answer that cannot be read must not pass: a client may
    /// read it all the same.
    pub(super) fn apply(self, body: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, Unreadable> {
        match self {
            Self::BlueskyDidDoc => without_member(body, "didDoc", limits),
        }
    }
}

/// A JSON object without any member of this name; the rest byte for byte.
fn without_member(body: &[u8], key: &str, limits: &Limits) -> Result<Option<Vec<u8>>, Unreadable> {
    let document = Document::parse(Some("application/json"), Bytes::copy_from_slice(body), limits)?;
    if document.kind() == Kind::Empty {
        return Ok(None);
    }
    let root = document.root().ok_or(Unreadable::Json)?;
    let edits: Vec<Edit> =
        document.members(root, key).into_iter().map(|node| Edit::Remove { node }).collect();
    if edits.is_empty() {
        return Ok(None);
    }
    document.write(&edits).map(|body| Some(Vec::from(body))).map_err(|_| Unreadable::Json)
}
