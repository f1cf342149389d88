//! Turns edits of decoded texts and values into patches of the body.
//!
//! Promise: a body that is written differs from the one that was read in the edited places only. Edits that overlap, fall
//! outside, or cut a character are refused: never is a broken body written.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::body::document::Document;
use crate::body::json::{self, NONE, Shape, Value};
use crate::body::slot::{Patch, apply, arrange};
use crate::body::{CannotWrite, Edit, Node, Role};
use crate::span::Span;

/// Patches by layer.
type Patches = BTreeMap<u32, Vec<Patch>>;

/// The body of a document with these edits.
pub(super) fn write(document: &Document, edits: &[Edit]) -> Result<Bytes, CannotWrite> {
    if edits.is_empty() {
        return Ok(document.body.clone());
    }
    let mut patches = Patches::new();
    add_splices(document, edits, &mut patches)?;
    add_numbers(document, edits, &mut patches)?;
    add_removals(document, edits, &mut patches)?;
    if let Some(whole) = add_files(document, edits, &mut patches)? {
        return if patches.is_empty() { Ok(whole) } else { Err(CannotWrite::Misplaced) };
    }
    // A layer stands in one before it, so taking the last first reaches the body with everything in hand.
    while let Some((layer, mut mine)) = patches.pop_last() {
        arrange(&mut mine)?;
        let layer = document.layers.get(layer as usize).ok_or(CannotWrite::Misplaced)?;
        let Some(slot) = layer.outer else {
            return write_body(document, mine);
        };
        let around = document.layers.get(slot.layer as usize).ok_or(CannotWrite::Misplaced)?;
        let decoded = std::str::from_utf8(&layer.source).map_err(|_| CannotWrite::Misplaced)?;
        let encoded = slot.encode(&around.source, decoded, &mine)?;
        patches.entry(slot.layer).or_default().extend(encoded);
    }
    Ok(document.body.clone())
}

fn write_body(document: &Document, mut patches: Vec<Patch>) -> Result<Bytes, CannotWrite> {
    if let Some(parts) = &document.parts {
        parts.correct_lengths(&document.body, &mut patches)?;
    }
    let body = apply(&document.body, &patches)?;
    match &document.parts {
        Some(parts) if !parts.still_apart(&document.body, &body) => Err(CannotWrite::Misplaced),
        _ => Ok(Bytes::from(body)),
    }
}

fn add_splices(
    document: &Document,
    edits: &[Edit],
    patches: &mut Patches,
) -> Result<(), CannotWrite> {
    let mut by_text: BTreeMap<usize, Vec<Patch>> = BTreeMap::new();
    for edit in edits {
        if let Edit::Splice { text, span, with } = edit {
            by_text
                .entry(*text)
                .or_default()
                .push(Patch { span: *span, with: with.clone().into_bytes() });
        }
    }
    for (index, mut splices) in by_text {
        arrange(&mut splices)?;
        let (Some(text), Some(source)) = (document.texts.get(index), document.sources.get(index))
        else {
            return Err(CannotWrite::Misplaced);
        };
        if !matches!(text.role, Role::Value | Role::FileName) {
            return Err(CannotWrite::ReadOnly);
        }
        let layer =
            document.layers.get(source.slot.layer as usize).ok_or(CannotWrite::Misplaced)?;
        let encoded = source.slot.encode(&layer.source, text.text.expose(), &splices)?;
        patches.entry(source.slot.layer).or_default().extend(encoded);
    }
    Ok(())
}

fn add_numbers(
    document: &Document,
    edits: &[Edit],
    patches: &mut Patches,
) -> Result<(), CannotWrite> {
    let mut numbers: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for edit in edits {
        if let Edit::Number { node, value } = edit {
            let before = numbers.insert((node.layer, node.node), *value);
            if before.is_some_and(|before| before != *value) {
                return Err(CannotWrite::Misplaced);
            }
        }
    }
    for ((layer, node), number) in numbers {
        let value =
            document.value(Node { layer, node }).filter(|value| value.shape == Shape::Number);
        let span = extent(value.ok_or(CannotWrite::Misplaced)?);
        patches
            .entry(layer)
            .or_default()
            .push(Patch { span, with: number.to_string().into_bytes() });
    }
    Ok(())
}

/// Puts files in place of others; gives the one that is the whole body.
fn add_files(
    document: &Document,
    edits: &[Edit],
    patches: &mut Patches,
) -> Result<Option<Bytes>, CannotWrite> {
    let mut whole = None;
    for edit in edits {
        let Edit::File { file, with } = edit else { continue };
        match document.files.get(*file).ok_or(CannotWrite::Misplaced)?.patch(with)? {
            Some((layer, patch)) => patches.entry(layer).or_default().push(patch),
            None => whole = Some(with.clone()),
        }
    }
    Ok(whole)
}

fn add_removals(
    document: &Document,
    edits: &[Edit],
    patches: &mut Patches,
) -> Result<(), CannotWrite> {
    let mut by_parent: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    for edit in edits {
        if let Edit::Remove { node } = edit {
            let value = document
                .value(*node)
                .filter(|value| value.parent != NONE)
                .ok_or(CannotWrite::Misplaced)?;
            by_parent.entry((node.layer, value.parent)).or_default().push(node.node);
        }
    }
    for ((layer, parent), mut removed) in by_parent {
        removed.sort_unstable();
        let spans = removal_spans(document, layer, parent, &removed)?;
        let cuts = spans.into_iter().map(|span| Patch { span, with: Vec::new() });
        patches.entry(layer).or_default().extend(cuts);
    }
    Ok(())
}

/// What to cut for each run of removed children: with the comma before it or, at the front, the comma after it.
fn removal_spans(
    document: &Document,
    layer: u32,
    parent: u32,
    removed: &[u32],
) -> Result<Vec<Span>, CannotWrite> {
    let values = document
        .layers
        .get(layer as usize)
        .map(|layer| layer.values.as_slice())
        .unwrap_or_default();
    let mut spans: Vec<Span> = Vec::new();
    let mut last_kept: Option<Span> = None;
    let mut run: Option<Span> = None;
    for (id, value) in json::children(values, parent) {
        let whole = with_key(document, value)?;
        if removed.binary_search(&id).is_ok() {
            run = Some(run.map_or(whole, |run| run.union(whole)));
            continue;
        }
        if let Some(run) = run.take() {
            spans.push(last_kept.map_or(Span::new(run.start(), whole.start()), |kept| {
                Span::new(kept.end(), run.end())
            }));
        }
        last_kept = Some(whole);
    }
    if let Some(run) = run {
        spans.push(last_kept.map_or(run, |kept| Span::new(kept.end(), run.end())));
    }
    Ok(spans)
}

fn extent(value: &Value) -> Span {
    Span::new(value.start as usize, value.end as usize)
}

/// A value and, where it is a member, its key.
fn with_key(document: &Document, value: &Value) -> Result<Span, CannotWrite> {
    if value.key == NONE {
        return Ok(extent(value));
    }
    let key = document.sources.get(value.key as usize).ok_or(CannotWrite::Misplaced)?;
    // The slot is the inside of the key: its quote stands before it.
    let quote = key.slot.start().checked_sub(1).ok_or(CannotWrite::Misplaced)?;
    Ok(Span::new(quote, value.end as usize))
}
