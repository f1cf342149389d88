//! The fields of one endpoint, found by the key a text stands under.
//!
//! Every text of every post is looked up here, so that a platform of sixty fields must not cost sixty comparisons.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::body::{Path, Role, Step};
use crate::platform::Place;
use crate::platform::field::{FieldPath, FieldSpec, is_number};

/// The treatment that a file asks for. Where two fields are as exact as each other, the first of these wins.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Treatment {
    Words,
    Other,
    Opaque,
}

/// A field with its treatment.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) path: FieldPath,
    pub(super) treatment: Treatment,
    pub(super) spec: FieldSpec,
    /// Whether it repeats another under a key that may stand round the whole.
    pub(super) repeated: bool,
}

/// All fields of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The more exact first, so that the first that matches decides.
    all: Vec<Named>,
    /// Indexes of those that may match a text under a key (in small letters), in the same order.
    by_last_key: HashMap<String, Vec<usize>>,
    /// Indexes of those that may match a text under any other key, or none.
    under_any: Vec<usize>,
}

impl Fields {
    pub(super) fn new(mut all: Vec<Named>) -> Self {
        all.sort_by_key(|named| (named.path.rank(), named.treatment));
        let last_keys: Vec<Option<String>> =
            all.iter().map(|named| named.path.last_key().map(str::to_ascii_lowercase)).collect();
        let under = |key: Option<&String>| {
            let may_match = |last: &Option<String>| last.is_none() || last.as_ref() == key;
            let indexes = last_keys.iter().enumerate().filter(|(_, last)| may_match(last));
            indexes.map(|(index, _)| index).collect()
        };
        let by_last_key =
            last_keys.iter().flatten().map(|key| (key.clone(), under(Some(key)))).collect();
        Self { by_last_key, under_any: under(None), all }
    }

    /// The field that decides on a text.
    pub(super) fn find(&self, place: Place, path: &Path, role: Role) -> Option<&Named> {
        let key = path.outwards().find_map(|step| match step {
            Step::Key(key) if !is_number(key) => Some(&**key),
            Step::Key(_) | Step::Index(_) | Step::Append => None,
        });
        let small = key.map(|key| {
            if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Owned(key.to_ascii_lowercase())
            } else {
                Cow::Borrowed(key)
            }
        });
        let indexes = small.and_then(|key| self.by_last_key.get(&*key)).unwrap_or(&self.under_any);
        let steps = path.steps();
        indexes
            .iter()
            .filter_map(|&index| self.all.get(index))
            .find(|named| named.path.matches(place, &steps, role))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Named> {
        self.all.iter()
    }
}
