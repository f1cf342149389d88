//! The values of one JSON text as a flat arena in document order.
//!
//! Promise: the children of a value follow it at once, and `next` is where its subtree ends, so that walking siblings
//! needs no pointers and nothing here can recurse.

/// No such thing: the parent of a root, the text of a `null`.
pub(in crate::body) const NONE: u32 = u32::MAX;

/// What kind of value it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::body) enum Shape {
    Object,
    Array,
    String,
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// One value. Offsets are bytes of the layer's source; a string's include its quotes.
#[derive(Clone, Copy, Debug)]
pub(in crate::body) struct Value {
    pub(in crate::body) shape: Shape,
    pub(in crate::body) start: u32,
    pub(in crate::body) end: u32,
    pub(in crate::body) parent: u32,
    /// The first value after this one's subtree.
    pub(in crate::body) next: u32,
    /// The text it is, where it is a string or a number.
    pub(in crate::body) text: u32,
    /// The text of its key, where it is a member.
    pub(in crate::body) key: u32,
}

/// The children of a value, in order.
pub(in crate::body) fn children(
    values: &[Value],
    parent: u32,
) -> impl Iterator<Item = (u32, &Value)> {
    let end = values.get(parent as usize).map_or(0, |value| value.next);
    let mut at = parent.saturating_add(1);
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let value = values.get(at as usize)?;
        let id = at;
        // A subtree holds at least its own root, so this always moves on.
        at = value.next.max(at.saturating_add(1));
        Some((id, value))
    })
}
