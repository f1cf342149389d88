//! Records that are bound to each other by hash, so that changing one breaks another. A closed list that files name.

use std::collections::{HashMap, HashSet};

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
                let referring = referring(before);
                let (old, new) = (by_write(before), by_write(after));
                before.texts().iter().filter_map(record_key).any(|(write, key)| {
                    let by_another =
                        |writes: &HashSet<usize>| writes.iter().any(|other| *other != write);
                    referring.get(key).is_some_and(by_another) && old.get(&write) != new.get(&write)
                })
            }
        }
    }
}

/// The `rkey` of a write, and which write it is.
fn record_key(text: &Text) -> Option<(usize, &str)> {
    let write = write_of(text)?;
    let is_key = text.role == Role::Value
        && matches!(&text.path.steps[..], [_, _, key] if key.is_key("rkey"));
    is_key.then(|| (write, text.text.expose()))
}

fn write_of(text: &Text) -> Option<usize> {
    match &text.path.steps[..] {
        [list, Step::Index(write), ..] if list.is_key("writes") => Some(*write),
        _ => None,
    }
}

/// For each key that an address ends in: the writes that hold such an address.
fn referring(document: &Document) -> HashMap<&str, HashSet<usize>> {
    let mut referring: HashMap<&str, HashSet<usize>> = HashMap::new();
    for text in document.texts() {
        let uri = text.text.expose();
        if let (Some(write), true, Some(key)) =
            (write_of(text), uri.starts_with("at://"), uri.rsplit('/').next())
        {
            referring.entry(key).or_default().insert(write);
        }
    }
    referring
}

/// All strings of each write.
fn by_write(document: &Document) -> HashMap<usize, Vec<&str>> {
    let mut by_write: HashMap<usize, Vec<&str>> = HashMap::new();
    for text in document.texts() {
        if let Some(write) = write_of(text) {
            by_write.entry(write).or_default().push(text.text.expose());
        }
    }
    by_write
}
