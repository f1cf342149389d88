//! Where a string sits in a body.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::phi::SharedText;

/// One step down into a body.
#[derive(Clone, Eq, PartialEq)]
pub enum Step {
    /// An object key, or a part of a form name (`poll[options][]` is `poll`, `options`, `[]`).
    Key(SharedText),
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
///
/// A path is its last step and the path around it, which all that sits there shares: one step costs one small allocation,
/// however deep it is, and a long key above many children is not copied for each.
#[derive(Clone, Default)]
pub struct Path(Option<Arc<Node>>);

struct Node {
    around: Path,
    /// A part of a multipart body may have a number and no name.
    step: Option<Step>,
    /// The child index at this level, from 0: what the audit may print of an unknown path. The steps of one form name are
    /// one level: all but the first have [`NO_INDEX`].
    index: u32,
    n_steps: u32,
}

const NO_INDEX: u32 = u32::MAX;

impl Path {
    /// The steps from the root.
    pub fn steps(&self) -> Steps<'_> {
        let n = self.n_steps();
        let mut steps = Steps { few: [&FILLER; FEW], n, many: Vec::new() };
        if n > FEW {
            steps.many.extend(self.outwards());
            steps.many.reverse();
        } else {
            for (slot, step) in steps.few.iter_mut().take(n).rev().zip(self.outwards()) {
                *slot = step;
            }
        }
        steps
    }

    /// The steps from the last to the root.
    pub fn outwards(&self) -> impl Iterator<Item = &Step> {
        self.nodes().filter_map(|node| node.step.as_ref())
    }

    /// The last step.
    pub fn last(&self) -> Option<&Step> {
        self.outwards().next()
    }

    /// How many steps it has.
    pub fn n_steps(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.n_steps as usize)
    }

    /// Whether it leads the same way as another, whatever number each child has.
    pub fn is_same_way(&self, other: &Self) -> bool {
        self.n_steps() == other.n_steps() && self.outwards().eq(other.outwards())
    }

    /// The path of child `index`, by a step or by none.
    pub(super) fn child(&self, step: Option<Step>, index: Option<u32>) -> Self {
        let own = u32::from(step.is_some());
        let n_steps = self.0.as_ref().map_or(0, |node| node.n_steps).saturating_add(own);
        let index = index.unwrap_or(NO_INDEX);
        Self(Some(Arc::new(Node { around: self.clone(), step, index, n_steps })))
    }

    /// The path around it, the index of its last level, and whether its last step is one of a list.
    pub(super) fn outer(&self) -> Option<(&Self, u32, bool)> {
        let node = self.0.as_ref()?;
        Some((&node.around, node.index, matches!(node.step, Some(Step::Index(_)))))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let mut here = self.0.as_deref();
        std::iter::from_fn(move || {
            let node = here?;
            here = node.around.0.as_deref();
            Some(node)
        })
    }

    fn indexes(&self) -> Vec<u32> {
        let mut indexes: Vec<u32> =
            self.nodes().map(|node| node.index).filter(|index| *index != NO_INDEX).collect();
        indexes.reverse();
        indexes
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_way(other) && self.indexes() == other.indexes()
    }
}

impl Eq for Path {}

/// Steps alone: every level has index 0.
impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        steps.into_iter().fold(Self::default(), |path, step| path.child(Some(step), Some(0)))
    }
}

/// Undone level by level: what sits deep must not be dropped by recursion.
impl Drop for Node {
    fn drop(&mut self) {
        let mut around = self.around.0.take();
        while let Some(mut node) = around.and_then(Arc::into_inner) {
            around = node.around.0.take();
        }
    }
}

/// The steps of a path, from the root.
pub struct Steps<'a> {
    few: [&'a Step; FEW],
    n: usize,
    many: Vec<&'a Step>,
}

/// Steps that cost no allocation to list: as many as nearly every path has.
const FEW: usize = 8;

static FILLER: Step = Step::Append;

impl<'a> Deref for Steps<'a> {
    type Target = [&'a Step];

    fn deref(&self) -> &Self::Target {
        self.few.get(..self.n).unwrap_or(&self.many)
    }
}

impl fmt::Debug for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Such as `#3.#1`: nothing of the client's own words.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indexes = self.indexes();
        if indexes.is_empty() {
            return f.write_str("#");
        }
        for (n, index) in indexes.iter().enumerate() {
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
    use super::{Path, Step};

    fn path(depth: usize) -> Path {
        (0..depth).map(Step::Index).collect()
    }

    #[test]
    fn steps_are_listed_from_the_root_however_many() {
        for depth in [0, 1, 7, 8, 9, 40] {
            let path = path(depth);
            let steps = path.steps();
            assert!(steps.iter().map(|step| (*step).clone()).eq((0..depth).map(Step::Index)));
            assert_eq!(path.last(), depth.checked_sub(1).map(Step::Index).as_ref());
        }
    }

    #[test]
    fn a_name_of_several_steps_is_one_level() {
        let poll = Path::default().child(Some(Step::Key("poll".into())), Some(3));
        let option = poll.child(Some(Step::Append), None);
        assert_eq!((option.n_steps(), option.to_string().as_str()), (2, "#3"));
        let nameless = Path::default().child(None, Some(1)).child(Some(Step::Index(0)), Some(0));
        assert_eq!((nameless.n_steps(), nameless.to_string().as_str()), (1, "#1.#0"));
        assert_eq!(Path::default().to_string(), "#");
        assert!(poll.is_same_way(&Path::from_iter([Step::Key("poll".into())])));
        assert_ne!(poll, Path::from_iter([Step::Key("poll".into())]));
    }

    #[test]
    fn what_sits_very_deep_is_dropped_without_recursion() {
        let deep = path(1_000_000);
        let shared = deep.clone();
        drop(deep);
        assert_eq!(shared.n_steps(), 1_000_000);
    }
}
