//! Tracks of metadata: where a film was taken, second by second, lies among its pictures.

use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, be64};
use crate::media::iso::{Boxed, MOST_PARTS, Read, children};

/// Handlers of tracks that are neither seen, heard nor read by anybody.
const METADATA: &[&[u8; 4]] = &[b"meta", b"camm", b"data", b"gpmd", b"fdsc"];

/// Whether a track is one of metadata.
pub(super) fn is_of_metadata(bytes: &[u8], track: &Boxed) -> Result<bool, (usize, Fault)> {
    let mut is = false;
    children(bytes, track.content.clone(), |media| {
        if &media.kind != b"mdia" {
            return Ok(());
        }
        children(bytes, media.content.clone(), |inner| {
            let handler = bytes.get(inner.content.start + 8..inner.content.start + 12);
            is |= &inner.kind == b"hdlr"
                && METADATA.iter().any(|known| handler == Some(known.as_slice()));
            Ok(())
        })
    })?;
    Ok(is)
}

/// Where its samples stand in the file.
#[derive(Default)]
struct Table {
    /// First chunk (from one) and samples a chunk, run by run.
    runs: Vec<(usize, usize)>,
    sizes: Vec<usize>,
    /// One size of all, and how many.
    same: Option<(usize, usize)>,
    chunks: Vec<usize>,
}

/// Overwrites the samples of a track.
pub(super) fn overwrite(bytes: &[u8], track: &Boxed, parts: &mut Vec<Part>) -> Read {
    let mut table = Table::default();
    let fault = (track.span.start, Fault::Malformed);
    find(bytes, track.content.clone(), 0, &mut table)?;
    let mut sizes = table.sizes.iter().copied();
    let mut n_same = table.same.map_or(0, |(_, n)| n);
    let mut runs = table.runs.iter().peekable();
    let mut a_chunk = 0;
    for (number, start) in (1..).zip(&table.chunks) {
        while let Some((_, n)) = runs.next_if(|(first, _)| *first <= number) {
            a_chunk = *n;
        }
        let length = match table.same {
            Some((size, _)) => {
                let n = a_chunk.min(n_same);
                n_same -= n;
                size.checked_mul(n)
            }
            None => sizes.by_ref().take(a_chunk).try_fold(0_usize, usize::checked_add),
        };
        let end = length.and_then(|length| start.checked_add(length)).ok_or(fault)?;
        if end > bytes.len() || parts.len() > MOST_PARTS {
            return Err(fault);
        }
        if end > *start {
            let span = *start..end;
            parts.push(Part::overwritten(span.clone(), span, Kind::Boxes, Blank::zeros()));
        }
    }
    Ok(())
}

/// Finds the tables of a track, down to where they are.
fn find(bytes: &[u8], content: Range<usize>, depth: usize, table: &mut Table) -> Read {
    children(bytes, content, |inner| match &inner.kind {
        // One in the other.
        b"mdia" | b"minf" | b"stbl" if depth < 3 => {
            find(bytes, inner.content.clone(), depth + 1, table)
        }
        b"stsc" => entries(bytes, inner, 12, |at| {
            let (first, n) = (be32(bytes, at)?, be32(bytes, at + 4)?);
            table.runs.push((first, n));
            Some(())
        }),
        b"stsz" => {
            let start = inner.content.start;
            let same = be32(bytes, start + 4).filter(|same| *same > 0);
            if let (Some(same), Some(n)) = (same, be32(bytes, start + 8)) {
                table.same = Some((same, n));
                return Ok(());
            }
            let moved = Boxed { content: start + 4..inner.content.end, ..inner.clone() };
            entries(bytes, &moved, 4, |at| {
                table.sizes.push(be32(bytes, at)?);
                Some(())
            })
        }
        b"stco" => entries(bytes, inner, 4, |at| {
            table.chunks.push(be32(bytes, at)?);
            Some(())
        }),
        b"co64" => entries(bytes, inner, 8, |at| {
            table.chunks.push(be64(bytes, at)?);
            Some(())
        }),
        b"stz2" => Err((inner.span.start, Fault::Unknown)),
        _ => Ok(()),
    })
}

/// Calls `each` with the place of each entry: after version and flags comes their number.
fn entries(
    bytes: &[u8],
    table: &Boxed,
    width: usize,
    mut each: impl FnMut(usize) -> Option<()>,
) -> Read {
    let fault = (table.span.start, Fault::Malformed);
    let start = table.content.start + 8;
    let n = be32(bytes, table.content.start + 4).ok_or(fault)?;
    let end = n.checked_mul(width).and_then(|length| start.checked_add(length)).ok_or(fault)?;
    if end > table.content.end {
        return Err(fault);
    }
    (0..n).try_for_each(|n| each(start + n * width)).ok_or(fault)
}
