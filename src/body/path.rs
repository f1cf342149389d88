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
    pub indexes: Indexes,
}

/// The child index at each level of a path. Those of nearly every path stand in it, so that a path costs one allocation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Indexes {
    first: [u32; INLINE],
    n_first: u8,
    rest: Vec<u32>,
}

/// Levels of a path that cost no allocation.
const INLINE: usize = 7;

impl Indexes {
    /// The indexes, from the outermost in.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.first.iter().take(usize::from(self.n_first)).chain(&self.rest).copied()
    }

    pub(super) fn push(&mut self, index: usize) {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        match self.first.get_mut(usize::from(self.n_first)) {
            Some(free) => {
                *free = index;
                self.n_first += 1;
            }
            None => self.rest.push(index),
        }
    }

    pub(super) fn pop(&mut self) {
        if self.rest.pop().is_some() {
            return;
        }
        self.n_first = self.n_first.saturating_sub(1);
        // Equal paths must be equal in what they no longer use, too.
        if let Some(last) = self.first.get_mut(usize::from(self.n_first)) {
            *last = 0;
        }
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut u32> {
        if self.rest.is_empty() {
            return self.first.get_mut(usize::from(self.n_first).checked_sub(1)?);
        }
        self.rest.last_mut()
    }
}

/// Such as `#3.#1`: nothing of the client's own words.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.indexes.iter().next().is_none() {
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

#[cfg(test)]
mod tests {
    use super::Indexes;

    #[test]
    fn indexes_of_deep_paths_are_kept_as_those_of_others() {
        let mut indexes = Indexes::default();
        for n in 0..20 {
            indexes.push(n);
        }
        *indexes.last_mut().unwrap() += 1;
        assert_eq!(indexes.iter().collect::<Vec<_>>(), (0..19).chain([20]).collect::<Vec<_>>());
        for _ in 0..15 {
            indexes.pop();
        }
        *indexes.last_mut().unwrap() = 9;
        assert_eq!(indexes.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 9]);
        for _ in 0..9 {
            indexes.pop();
        }
        assert!(indexes.last_mut().is_none() && indexes == Indexes::default());
    }
}
