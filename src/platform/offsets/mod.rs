//! What points into a text by position, and how it moves with the text. A closed list that the platform files name.
//!
//! No platform checks such offsets: a wrong move is silent damage to somebody's links. So a range that a redaction
//! touches is dropped, and a shape that is not understood keeps the post from being redacted. Where nobody knows for
//! certain what a platform counts, a range moves only where all the counts in question agree.

mod ruler;

use crate::body::{Document, Edit, Node, Role, Step};
use crate::platform::platforms::CannotRedact;
use crate::redact::Splice;

pub(super) use self::ruler::Count;
use self::ruler::{Fate, Ruler};

/// How one range is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// `{"index": {"byteStart": 0, "byteEnd": 4}}`, as in Bluesky's facets.
    BlueskyFacet,
    /// `{"offset": 0, "length": 4}`.
    OffsetLength,
    /// `{"start": 0, "length": 4}`.
    StartLength,
    /// `{"start": 0, "end": 4}`, end exclusive.
    StartEnd,
    /// `{"from_index": 0, "to_index": 4}`, end exclusive.
    FromTo,
    /// `[style, 0, 4]`: offset and length, as in Reddit's rich text.
    Triple,
    /// We know that there are ranges, and cannot move them: where there are any, the text is not redacted.
    Unmovable,
}

/// Where the second number of a range says its end, and where its length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Second {
    End,
    Length,
}

impl Shape {
    pub(super) const NAMES: &[(&str, Self)] = &[
        ("bluesky-facets", Self::BlueskyFacet),
        ("offset-length", Self::OffsetLength),
        ("start-length", Self::StartLength),
        ("start-end", Self::StartEnd),
        ("from-to", Self::FromTo),
        ("style-offset-length", Self::Triple),
        ("unmovable", Self::Unmovable),
    ];

    /// The key that such ranges stand under where a file names none.
    pub(super) const fn usual_key(self) -> Option<&'static str> {
        match self {
            Self::BlueskyFacet => Some("facets"),
            _ => None,
        }
    }

    /// What is counted, where the shape itself says it.
    pub(super) const fn own_count(self) -> Option<Count> {
        match self {
            Self::BlueskyFacet => Some(Count::Bytes),
            _ => None,
        }
    }

    /// The nodes of the two numbers of a range.
    fn numbers(
        self,
        document: &Document,
        range: Node,
    ) -> Result<(Node, Node, Second), CannotRedact> {
        let member = |object: Node, key: &str| match document.members(object, key)[..] {
            [node] => Ok(node),
            _ => Err(CannotRedact::Offsets),
        };
        match self {
            Self::BlueskyFacet => {
                let index = member(range, "index")?;
                Ok((member(index, "byteStart")?, member(index, "byteEnd")?, Second::End))
            }
            Self::OffsetLength => {
                Ok((member(range, "offset")?, member(range, "length")?, Second::Length))
            }
            Self::StartLength => {
                Ok((member(range, "start")?, member(range, "length")?, Second::Length))
            }
            Self::StartEnd => Ok((member(range, "start")?, member(range, "end")?, Second::End)),
            Self::FromTo => {
                Ok((member(range, "from_index")?, member(range, "to_index")?, Second::End))
            }
            Self::Triple => match document.elements(range)[..] {
                [_, start, length] => Ok((start, length, Second::Length)),
                _ => Err(CannotRedact::Offsets),
            },
            Self::Unmovable => Err(CannotRedact::Offsets),
        }
    }
}

/// Lists of ranges of one name beside one text: no client writes more than one.
const MOST_LISTS: usize = 16;

/// How offsets into a text are written, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Offsets {
    pub(super) shape: Shape,
    /// What may be counted. More than one where that is not known.
    pub(super) counts: Vec<Count>,
    /// Keys from the text's own object down, for each list of ranges.
    pub(super) lists: Vec<Vec<String>>,
}

impl Offsets {
    /// What else must change when text `text` of `document` is spliced.
    pub(super) fn follow(
        &self,
        document: &Document,
        text: usize,
        splices: &[Splice],
    ) -> Result<Vec<Edit>, CannotRedact> {
        let ranges = self.ranges(document, text)?;
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        // With the text's key twice, nobody can say which of the two the ranges point into.
        if n_siblings(document, text) != 1 {
            return Err(CannotRedact::Offsets);
        }
        let words = document.texts().get(text).ok_or(CannotRedact::Offsets)?.text.expose();
        let rulers: Option<Vec<Ruler>> =
            self.counts.iter().map(|&count| Ruler::new(count, words, splices)).collect();
        let rulers = rulers.filter(|rulers| !rulers.is_empty()).ok_or(CannotRedact::Offsets)?;
        let mut edits = Vec::new();
        for range in ranges {
            self.follow_range(document, range, &rulers, &mut edits)?;
        }
        Ok(edits)
    }

    /// Whether ranges of this kind stand at the top of a document: those of a text may travel in the query, or the other
    /// way round, and then nobody can follow them.
    pub(super) fn stand_in(&self, document: &Document) -> bool {
        self.lists.iter().any(|keys| {
            document.texts().iter().any(|text| {
                text.path.n_steps() >= keys.len()
                    && text.path.steps().iter().zip(keys).all(|(step, key)| step.is_key(key))
                    && !matches!(text.text.expose().trim(), "" | "[]" | "null")
            })
        })
    }

    fn follow_range(
        &self,
        document: &Document,
        range: Node,
        rulers: &[Ruler],
        edits: &mut Vec<Edit>,
    ) -> Result<(), CannotRedact> {
        let (start_node, second_node, second) = self.shape.numbers(document, range)?;
        let (start, value) = (number(document, start_node)?, number(document, second_node)?);
        let end = match second {
            Second::End => value,
            Second::Length => start.checked_add(value).ok_or(CannotRedact::Offsets)?,
        };
        if rulers.iter().all(|ruler| ruler.leaves(start, end)) {
            return Ok(());
        }
        // A range that lies nowhere in the text is shown by no client; moved, it could come to lie on other words. By a
        // count under which it lies nowhere, it was not counted, unless it lies nowhere by any.
        let mut fates = rulers
            .iter()
            .map(|ruler| ruler.follow(start, end))
            .filter(|fate| *fate != Fate::Nowhere);
        let fate = fates.next();
        let agreed = fates.all(|other| Some(other) == fate);
        let Some(Fate::At(new_start, new_end)) = fate.filter(|_| agreed) else {
            edits.push(Edit::Remove { node: range });
            return Ok(());
        };
        let new_value = match second {
            Second::End => new_end,
            Second::Length => new_end.checked_sub(new_start).ok_or(CannotRedact::Offsets)?,
        };
        for (node, old, new) in [(start_node, start, new_start), (second_node, value, new_value)] {
            if new != old {
                let value = u64::try_from(new).map_err(|_| CannotRedact::Offsets)?;
                edits.push(Edit::Number { node, value });
            }
        }
        Ok(())
    }

    /// Every range that points into this text.
    fn ranges(&self, document: &Document, text: usize) -> Result<Vec<Node>, CannotRedact> {
        let mut ranges = Vec::new();
        match document.node_of(text).map(|node| document.parent(node)) {
            // A bare JSON string has nothing beside it.
            Some(None) => {}
            Some(Some(object)) => {
                for keys in &self.lists {
                    let mut nodes = vec![object];
                    for key in keys {
                        nodes = nodes
                            .into_iter()
                            .flat_map(|node| document.members(node, key))
                            .collect();
                    }
                    // Were they looked through for each of as many texts beside them, it would take the square of the body.
                    if nodes.len() > MOST_LISTS {
                        return Err(CannotRedact::Offsets);
                    }
                    for list in nodes {
                        elements(document, list, &mut ranges)?;
                    }
                }
            }
            None => {
                for keys in &self.lists {
                    beside_in_form(document, text, keys, &mut ranges)?;
                }
            }
        }
        Ok(ranges)
    }
}

/// The elements of a list, or of one that a string in its place holds as JSON. Any other string may hold ranges that we do
/// not see as such.
fn elements(document: &Document, list: Node, ranges: &mut Vec<Node>) -> Result<(), CannotRedact> {
    let written = document.text_of(list);
    if let Some(list) = written.and_then(|text| document.json_in(text)) {
        ranges.extend(document.elements(list));
        return Ok(());
    }
    let written = written.and_then(|text| document.texts().get(text));
    if written.is_some_and(|text| !matches!(text.text.expose().trim(), "" | "[]" | "null")) {
        return Err(CannotRedact::Offsets);
    }
    ranges.extend(document.elements(list));
    Ok(())
}

/// The ranges in a form's own field beside the text, written there as JSON.
fn beside_in_form(
    document: &Document,
    text: usize,
    keys: &[String],
    ranges: &mut Vec<Node>,
) -> Result<(), CannotRedact> {
    let texts = document.texts();
    let own = texts.get(text).ok_or(CannotRedact::Offsets)?;
    let own_steps = own.path.steps();
    let Some((_, around)) = own_steps.split_last() else { return Ok(()) };
    let mut known = None;
    for (index, other) in texts.iter().enumerate() {
        let other_steps = other.path.steps();
        let Some(beside) = other_steps.strip_prefix(around) else { continue };
        // What JSON says is listed after it.
        if document.json_in(index).is_some() {
            continue;
        }
        let is_list = beside.len() >= keys.len()
            && beside.iter().zip(keys).all(|(step, key)| step.is_key(key));
        if !is_list || other.role == Role::Key && beside.len() == keys.len() {
            continue;
        }
        // The outermost value that a text of the list stands in.
        let mut node = document.node_of(index);
        while let Some(outer) = node.and_then(|node| document.parent(node)) {
            node = Some(outer);
        }
        match node {
            Some(list) if known != Some(list) => {
                known = Some(list);
                ranges.extend(document.elements(list));
            }
            Some(_) => {}
            // Keys within the JSON have no node of their own.
            None if other.role == Role::Key => {}
            None if matches!(other.text.expose().trim(), "" | "[]" | "null" | "{}") => {}
            // Ranges spelled as form fields, or not as JSON: not understood.
            None => return Err(CannotRedact::Offsets),
        }
    }
    Ok(())
}

/// How many members of the object, or fields of the form, have the name under which the text stands.
fn n_siblings(document: &Document, text: usize) -> usize {
    let Some(own) = document.texts().get(text) else { return 0 };
    let Some(Step::Key(key)) = own.path.last() else { return 0 };
    match document.node_of(text).and_then(|node| document.parent(node)) {
        Some(object) => document.members(object, key).len(),
        None => document
            .texts()
            .iter()
            .enumerate()
            .filter(|(_, other)| other.role == own.role && other.path.is_same_way(&own.path))
            .filter(|(index, _)| !document.is_another_reading(*index))
            .count(),
    }
}

/// A whole number; anything else is not understood.
fn number(document: &Document, node: Node) -> Result<usize, CannotRedact> {
    let value = document.as_u64(node).and_then(|value| usize::try_from(value).ok());
    value.ok_or(CannotRedact::Offsets)
}
