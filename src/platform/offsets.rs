//! What points into a text by position, and how it moves with the text. A closed list that the platform files name.
//!
//! No platform checks such offsets: a wrong move is silent damage to somebody's links. So a range that a redaction
//! touches is dropped, and a shape that is not understood keeps the post from being redacted.

use crate::body::{Document, Edit, Node, Step};
use crate::platform::platforms::CannotRedact;
use crate::redact::Splice;

/// How offsets into a text are written, and under which key beside the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Offsets {
    /// Bluesky's `facets`: `index.byteStart` and `index.byteEnd` in bytes of UTF-8, end exclusive.
    BlueskyFacets { keys: Vec<String> },
    /// Ranges that we know of and cannot move: where there are any, the text is not redacted. Keys from the text's own
    /// object down, for each such list.
    Unmovable { lists: Vec<Vec<String>> },
}

impl Offsets {
    /// The names, and whether each has a usual key.
    pub(super) const NAMES: &[(&str, Option<&str>)] =
        &[("bluesky-facets", Some("facets")), ("unmovable", None)];

    /// What else must change when text `text` of `document` is spliced.
    pub(super) fn follow(
        &self,
        document: &Document,
        text: usize,
        splices: &[Splice],
    ) -> Result<Vec<Edit>, CannotRedact> {
        // A text of a form, or a bare JSON string, has nothing beside it.
        let Some(object) = document.node_of(text).and_then(|node| document.parent(node)) else {
            return Ok(Vec::new());
        };
        match self {
            Self::BlueskyFacets { keys } => facets(document, text, object, keys, splices),
            Self::Unmovable { lists } => unmovable(document, object, lists),
        }
    }
}

fn unmovable(
    document: &Document,
    object: Node,
    lists: &[Vec<String>],
) -> Result<Vec<Edit>, CannotRedact> {
    for keys in lists {
        let mut nodes = vec![object];
        for key in keys {
            nodes = nodes.into_iter().flat_map(|node| document.members(node, key)).collect();
        }
        if nodes.into_iter().any(|list| !document.elements(list).is_empty()) {
            return Err(CannotRedact::Offsets);
        }
    }
    Ok(Vec::new())
}

fn facets(
    document: &Document,
    text: usize,
    object: Node,
    keys: &[String],
    splices: &[Splice],
) -> Result<Vec<Edit>, CannotRedact> {
    let facets: Vec<Node> = keys
        .iter()
        .flat_map(|key| document.members(object, key))
        .flat_map(|list| document.elements(list))
        .collect();
    if facets.is_empty() {
        return Ok(Vec::new());
    }
    // With the text's key twice, nobody can say which of the two the facets point into.
    if n_siblings(document, text, object) != 1 {
        return Err(CannotRedact::Offsets);
    }
    let words = document.texts().get(text).ok_or(CannotRedact::Offsets)?.text.expose();
    let moves = Moves::new(splices)?;
    let mut edits = Vec::new();
    for facet in facets {
        follow_facet(document, words, facet, &moves, &mut edits)?;
    }
    Ok(edits)
}

/// How many members of the object have the key under which the text stands.
fn n_siblings(document: &Document, text: usize, object: Node) -> usize {
    match document.texts().get(text).and_then(|text| text.path.steps.last()) {
        Some(Step::Key(key)) => document.members(object, key).len(),
        _ => 0,
    }
}

fn follow_facet(
    document: &Document,
    words: &str,
    facet: Node,
    moves: &Moves<'_>,
    edits: &mut Vec<Edit>,
) -> Result<(), CannotRedact> {
    let [index] = document.members(facet, "index")[..] else { return Err(CannotRedact::Offsets) };
    let (start_node, start) = number(document, index, "byteStart")?;
    let (end_node, end) = number(document, index, "byteEnd")?;
    let touched_from = moves.splices.first().map_or(usize::MAX, |splice| splice.span.start());
    if start <= end && end <= touched_from {
        return Ok(());
    }
    // A range that lies nowhere in the text is shown by no client; moved, it could come to lie on other words.
    let lies_in_text = start < end && words.get(start..end).is_some();
    if !lies_in_text || moves.cut(start, end) {
        edits.push(Edit::Remove { node: facet });
        return Ok(());
    }
    for (node, old, is_start) in [(start_node, start, true), (end_node, end, false)] {
        let new = moves.place(old, is_start).ok_or(CannotRedact::Offsets)?;
        if new != old {
            let value = u64::try_from(new).map_err(|_| CannotRedact::Offsets)?;
            edits.push(Edit::Number { node, value });
        }
    }
    Ok(())
}

/// Where offsets go, for many offsets into one text: splices with what each adds and takes together with all before it.
struct Moves<'a> {
    splices: &'a [Splice],
    /// Bytes added and bytes taken by so many of the first splices.
    totals: Vec<(usize, usize)>,
}

impl<'a> Moves<'a> {
    fn new(splices: &'a [Splice]) -> Result<Self, CannotRedact> {
        if !splices.is_sorted_by(|a, b| a.span.end() <= b.span.start()) {
            return Err(CannotRedact::Offsets);
        }
        let mut totals = vec![(0, 0)];
        let (mut added, mut taken) = (0, 0);
        for splice in splices {
            added += splice.with.len();
            taken += splice.span.len();
            totals.push((added, taken));
        }
        Ok(Self { splices, totals })
    }

    /// Whether a splice takes a byte of the range, or adds one in the midst of it.
    fn cut(&self, start: usize, end: usize) -> bool {
        let first = self.splices.partition_point(|splice| splice.span.end() <= start);
        self.splices.get(first).is_some_and(|splice| splice.span.start() < end)
    }

    /// The new place of an offset that no splice covers. A word that begins where something is inserted moves behind it;
    /// one that ends there stays.
    fn place(&self, offset: usize, is_start: bool) -> Option<usize> {
        let n_before = self.splices.partition_point(|splice| {
            let span = splice.span;
            span.end() < offset || (span.end() == offset && (is_start || !span.is_empty()))
        });
        let &(added, taken) = self.totals.get(n_before)?;
        (offset + added).checked_sub(taken)
    }
}

/// The one whole number under a key; a missing, doubled or odd one is not understood.
fn number(document: &Document, object: Node, key: &str) -> Result<(Node, usize), CannotRedact> {
    let [node] = document.members(object, key)[..] else { return Err(CannotRedact::Offsets) };
    let value = document.as_u64(node).and_then(|value| usize::try_from(value).ok());
    value.map(|value| (node, value)).ok_or(CannotRedact::Offsets)
}
