//! Where a string sits in a body.

use std::fmt;
use std::sync::Arc;

/// One step down into a body.
#[derive(Clone, Eq, PartialEq)]
pub enum Step {
    /// An object key, or a part of a form name (`poll[options][]` is `poll`, `options`, `[]`). Shared by the paths that
    /// go through it: a long key above many children must not be copied for each.
    Key(Arc<str>),
    /// An array element.
    Index(usize),
    /// The `[]` of a form name.
    Append,
}

impl Step {
    /// Whether it goes down by this key.
    pub fn is_key(&self, name: &str) -> bool {
        matches!(self, Self::Key(key) if **key == *name)
    }
}

/// Where a string sits in a body. Keys are a client's words, so it prints as child indexes only.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Path {
    /// The steps from the root.
    pub steps: Vec<Step>,
    /// The child index at each level, from 0: what the audit may print of an unknown path.
    pub indexes: Vec<usize>,
}

/// Such as `#3.#1`: nothing of the client's own words.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.indexes.is_empty() {
            return f.write_str("#");
        }
        for (n, index) in self.indexes.iter().enumerate() {
            write!(f, "{}#{index}", if n == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("Key(..)"),
            Self::Index(index) => write!(f, "Index({index})"),
            Self::Append => f.write_str("Append"),
        }
    }
}
