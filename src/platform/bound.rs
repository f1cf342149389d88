//! Records that are bound to each other by hash, so that changing one breaks another. A closed list that files name.

use crate::body::{Document, Role, Step, Text};

/// How records are bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bound {
    /// A Bluesky thread posted as one `applyWrites`: each reply names its parent by `uri` (which ends in the parent's
    /// `rkey`) and by `cid`, a hash over the parent as the client wrote it. The server takes a wrong hash without a word.
    BlueskyThread,
}

impl Bound {
    pub(super) const NAMES: &[(&str, Self)] = &[("bluesky-thread", Self::BlueskyThread)];

    /// Whether a record changed to which another of the same request is bound.
    pub(super) fn broken(self, before: &Document, after: &Document) -> bool {
        match self {
            Self::BlueskyThread => {
                let keys: Vec<(usize, &str)> =
                    before.texts().iter().filter_map(record_key).collect();
                keys.iter().any(|&(write, key)| {
                    is_referred_to(before, write, key)
                        && strings(before, write) != strings(after, write)
                })
            }
        }
    }
}

/// The `rkey` of a write, and which write it is.
fn record_key(text: &Text) -> Option<(usize, &str)> {
    match (&text.path.steps[..], text.role) {
        ([Step::Key(list), Step::Index(write), Step::Key(key)], Role::Value)
            if &**list == "writes" && &**key == "rkey" =>
        {
            Some((*write, text.text.expose()))
        }
        _ => None,
    }
}

fn write_of(text: &Text) -> Option<usize> {
    match &text.path.steps[..] {
        [Step::Key(list), Step::Index(write), ..] if &**list == "writes" => Some(*write),
        _ => None,
    }
}

fn is_referred_to(document: &Document, write: usize, key: &str) -> bool {
    document.texts().iter().any(|text| {
        let uri = text.text.expose();
        uri.starts_with("at://")
            && uri.rsplit('/').next() == Some(key)
            && write_of(text).is_some_and(|other| other != write)
    })
}

fn strings(document: &Document, write: usize) -> Vec<&str> {
    let texts = document.texts().iter().filter(|text| write_of(text) == Some(write));
    texts.map(|text| text.text.expose()).collect()
}
