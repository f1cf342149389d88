//! Records that are bound to each other by hash, so that changing one breaks another. A closed list that files name.
//!
//! Where the hash can be computed anew, the records that hold it are put right; where anything about that is in doubt,
//! the post is not redacted. Servers take a wrong hash without a word, and the thread is then torn for good.

mod dag;

use std::collections::HashMap;

use crate::body::{Document, Edit, Path, Role, Step};
use crate::platform::CannotRedact;
use crate::span::Span;

use self::dag::{Dag, Renamed};

/// How records are bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bound {
    /// A Bluesky thread posted as one `applyWrites`: each reply names its parent and root by `uri` (which ends in the
    /// `rkey` of that record) and by `cid`, a hash over the record as the client wrote it.
    BlueskyThread,
}

/// One write of an `applyWrites`: the record before and after the redaction, and what other records call it.
struct Write<'a> {
    before: &'a Dag,
    after: &'a Dag,
    /// `collection/rkey`, or the key alone; `None` where the client chose none.
    name: Option<String>,
}

impl Bound {
    pub(super) const NAMES: &[(&str, Self)] = &[("bluesky-thread", Self::BlueskyThread)];

    /// The edits of `after` that put its hashes right, given the document as it came; an error where they cannot be.
    pub(super) fn mend(
        self,
        before: &Document,
        after: &Document,
    ) -> Result<Vec<Edit>, CannotRedact> {
        match self {
            Self::BlueskyThread => mend_thread(before, after),
        }
    }
}

fn mend_thread(before: &Document, after: &Document) -> Result<Vec<Edit>, CannotRedact> {
    // One fork of the app has its server check the hash of the whole record.
    if before.texts().iter().any(|text| is_last(&text.path, "expectedcid")) {
        return Err(CannotRedact::Bound);
    }
    // Without two records there is nothing to bind.
    let is_second = |step: &Step| matches!(step, Step::Index(n) if *n > 0);
    let has_two = before.texts().iter().any(|text| {
        matches!(&text.path.steps()[..], [list, second, ..] if list.is_key("writes") && is_second(second))
    });
    if !has_two {
        return Ok(Vec::new());
    }
    let parse = |document: &Document| Dag::parse(&document.write(&[]).ok()?);
    let (Some(old), Some(new)) = (parse(before), parse(after)) else {
        return if holds_hashes(before) { Err(CannotRedact::Bound) } else { Ok(Vec::new()) };
    };
    let renamed = renamed(&writes(&old, &new)?)?;
    if renamed.is_empty() {
        return Ok(Vec::new());
    }
    let in_record = |steps: &[&Step]| matches!(steps, [list, Step::Index(_), value, ..] if list.is_key("writes") && value.is_key("value"));
    let edits = after.texts().iter().enumerate().filter_map(|(index, text)| {
        let old = text.text.expose();
        let is_itself = text.role == Role::Value && !after.is_another_reading(index);
        let new = renamed.get(old).filter(|_| is_itself)?;
        let edit = Edit::Splice { text: index, span: Span::new(0, old.len()), with: new.clone() };
        in_record(&text.path.steps()).then_some(edit)
    });
    Ok(edits.collect())
}

fn is_last(path: &Path, name: &str) -> bool {
    matches!(path.last(), Some(Step::Key(key)) if key.eq_ignore_ascii_case(name))
}

fn holds_hashes(document: &Document) -> bool {
    document.texts().iter().any(|text| {
        text.role == Role::Value
            && (is_last(&text.path, "cid") || text.text.expose().starts_with("bafyrei"))
    })
}

fn writes<'a>(old: &'a Dag, new: &'a Dag) -> Result<Vec<Write<'a>>, CannotRedact> {
    let (Some(Dag::List(old)), Some(Dag::List(new))) = (old.get("writes"), new.get("writes"))
    else {
        return Err(CannotRedact::Bound);
    };
    if old.len() != new.len() {
        return Err(CannotRedact::Bound);
    }
    let writes = old.iter().zip(new).map(|(old, new)| Write {
        before: old.get("value").unwrap_or(&Dag::Null),
        after: new.get("value").unwrap_or(&Dag::Null),
        name: match (old.get("collection"), old.get("rkey")) {
            (Some(Dag::Text(collection)), Some(Dag::Text(key))) => {
                Some(format!("{collection}/{key}"))
            }
            (_, Some(Dag::Text(key))) => Some(key.clone()),
            _ => None,
        },
    });
    Ok(writes.collect())
}

/// Every hash that changes, and what it becomes. A record may name those before it only: the hash of one behind it is
/// known to no client that writes them in order.
fn renamed(writes: &[Write<'_>]) -> Result<Renamed, CannotRedact> {
    let none = Renamed::new();
    let mut hashes: HashMap<String, usize> = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut olds: Vec<Option<String>> = Vec::with_capacity(writes.len());
    for (n, write) in writes.iter().enumerate() {
        let old = write.before.cid(&none);
        if let Some(old) = &old {
            hashes.entry(old.clone()).or_insert(n);
        }
        if let Some(name) = &write.name {
            names.insert(name, n);
        }
        olds.push(old);
    }
    let known = Known { hashes: &hashes, names: &names, olds: &olds };
    let mut renamed = Renamed::new();
    let mut changed = vec![false; writes.len()];
    for (n, write) in writes.iter().enumerate() {
        let mut namings = Vec::new();
        known.named_by(write.after, &mut namings);
        let mut follows = false;
        for naming in namings {
            match naming {
                Naming::Hash(other) | Naming::Odd(other) if other == n => {}
                Naming::Hash(other) if other < n => follows |= flag(&changed, other),
                // By an address whose hash is not the one that we compute, or ahead of it.
                Naming::Odd(other) if other < n && !flag(&changed, other) => {}
                Naming::Hash(other) | Naming::Odd(other) => {
                    let will_change =
                        writes.get(other).is_some_and(|write| write.before != write.after);
                    if will_change || flag(&changed, other) {
                        return Err(CannotRedact::Bound);
                    }
                }
            }
        }
        if !follows && write.before == write.after {
            continue;
        }
        if let Some(slot) = changed.get_mut(n) {
            *slot = true;
        }
        if let Some(Some(old)) = olds.get(n) {
            let new = write.after.cid(&renamed).ok_or(CannotRedact::Bound)?;
            if renamed.insert(old.clone(), new.clone()).is_some_and(|other| other != new) {
                return Err(CannotRedact::Bound);
            }
        }
    }
    Ok(renamed)
}

fn flag(flags: &[bool], n: usize) -> bool {
    flags.get(n).copied().unwrap_or_default()
}

/// How a record names another of the same request.
#[derive(Clone, Copy, Debug)]
enum Naming {
    /// By the hash that we compute, too.
    Hash(usize),
    /// By its address with some other hash.
    Odd(usize),
}

struct Known<'a> {
    hashes: &'a HashMap<String, usize>,
    names: &'a HashMap<&'a str, usize>,
    olds: &'a [Option<String>],
}

impl Known<'_> {
    fn named_by(&self, value: &Dag, found: &mut Vec<Naming>) {
        match value {
            Dag::Text(text) => found.extend(self.hashes.get(text).map(|&n| Naming::Hash(n))),
            Dag::List(list) => {
                for value in list {
                    self.named_by(value, found);
                }
            }
            Dag::Map(members) => {
                if let (Some(uri), Some(cid)) = (
                    value.get("uri").and_then(Dag::as_text),
                    value.get("cid").and_then(Dag::as_text),
                ) && let Some(&n) =
                    self.names.get(name_of(uri)).or_else(|| self.names.get(key_of(uri)))
                    && self.olds.get(n).and_then(Option::as_deref) != Some(cid)
                {
                    found.push(Naming::Odd(n));
                }
                for (_, value) in members {
                    self.named_by(value, found);
                }
            }
            Dag::Null | Dag::Bool(_) | Dag::Int(_) | Dag::NotWhole => {}
        }
    }
}

/// `collection/rkey` of `at://did/collection/rkey`.
fn name_of(uri: &str) -> &str {
    let rest = uri.strip_prefix("at://").unwrap_or_default();
    rest.split_once('/').map(|(_, name)| name).unwrap_or_default()
}

/// `rkey` of the same.
fn key_of(uri: &str) -> &str {
    uri.rsplit_once('/').map(|(_, key)| key).unwrap_or_default()
}
