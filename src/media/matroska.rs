//! Matroska and `WebM`: titles, tags, chapters and attachments become room of the same length, so that no offset moves.

use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::iso::MOST_PARTS;

const HEAD: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const VOID: u32 = 0xec;
/// Every element of a segment, and so what ends a cluster of unknown length.
const TOP: &[u32] = &[
    0x114d_9b74,
    0x1549_a966,
    0x1654_ae6b,
    CLUSTER,
    0x1c53_bb6b,
    0x1941_a469,
    0x1254_c367,
    0x1043_a770,
];

type Read = Result<(), (usize, Fault)>;

struct Element {
    id: u32,
    span: Range<usize>,
    content: Range<usize>,
    /// Whether it says how long it is.
    is_sized: bool,
}

impl Element {
    fn read(bytes: &[u8], at: usize, end: usize) -> Result<Self, Fault> {
        let first = *bytes.get(at).ok_or(Fault::Truncated)?;
        let id_length = first.leading_zeros() as usize + 1;
        if id_length > 4 {
            return Err(Fault::Malformed);
        }
        let id = bytes.get(at..at + id_length).ok_or(Fault::Truncated)?;
        let id = id.iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
        let size_at = at + id_length;
        let first = *bytes.get(size_at).ok_or(Fault::Truncated)?;
        let n = first.leading_zeros() as usize + 1;
        if n > 8 {
            return Err(Fault::Malformed);
        }
        let digits = bytes.get(size_at..size_at + n).ok_or(Fault::Truncated)?;
        let all = digits.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let most = (1_u64 << (7 * n)) - 1;
        let size = all & most;
        let start = size_at + n;
        let is_sized = size != most;
        let after = if is_sized {
            let size = usize::try_from(size).map_err(|_| Fault::Malformed)?;
            start.checked_add(size).ok_or(Fault::Malformed)?
        } else {
            end
        };
        if after > end {
            return Err(Fault::Truncated);
        }
        Ok(Self { id, span: at..after, content: start..after, is_sized })
    }

    /// The element as nothing but room.
    fn voided(&self, parts: &mut Vec<Part>) {
        let length = self.span.len();
        let head = if length < 9 {
            // Two bytes at least, as every element has.
            vec![0xec, 0x80 | u8::try_from(length.saturating_sub(2)).unwrap_or_default()]
        } else {
            let mut head = vec![0xec, 0x01];
            let size = u64::try_from(length - 9).unwrap_or_default().to_be_bytes();
            head.extend_from_slice(size.get(1..).unwrap_or_default());
            head
        };
        let blank = Blank::starting(head);
        let (span, content) = (self.span.clone(), self.content.clone());
        parts.push(Part::overwritten(span, content, Kind::Unknown, blank));
    }

    fn emptied(&self, bytes: &[u8], parts: &mut Vec<Part>) {
        let held = bytes.get(self.content.clone()).unwrap_or_default();
        if held.iter().any(|byte| *byte != 0) {
            let span = self.content.clone();
            parts.push(Part::overwritten(span.clone(), span, Kind::Unknown, Blank::zeros()));
        }
    }
}

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Read {
    let mut at = 0;
    let mut has_segment = false;
    while at < bytes.len() {
        let element = match Element::read(bytes, at, bytes.len()) {
            Ok(element) if matches!(element.id, HEAD | SEGMENT | VOID) => element,
            Err(Fault::Truncated) if !has_segment => return Err((at, Fault::Truncated)),
            _ if has_segment => {
                parts.push(Part::gone(at..bytes.len(), at..bytes.len(), Kind::Tail));
                return Ok(());
            }
            _ => return Err((at, Fault::Malformed)),
        };
        at = element.span.end;
        match element.id {
            SEGMENT => {
                has_segment = true;
                segment(bytes, element.content, parts)?;
            }
            VOID => element.emptied(bytes, parts),
            _ => {}
        }
    }
    if has_segment { Ok(()) } else { Err((at, Fault::Truncated)) }
}

fn segment(bytes: &[u8], content: Range<usize>, parts: &mut Vec<Part>) -> Read {
    let mut at = content.start;
    while at < content.end {
        let element = Element::read(bytes, at, content.end).map_err(|fault| (at, fault))?;
        at = if element.is_sized { element.span.end } else { element.content.start };
        match element.id {
            CLUSTER if !element.is_sized => at = cluster(bytes, at, content.end)?,
            _ if !element.is_sized => return Err((element.span.start, Fault::Malformed)),
            // Where things are, and the pictures themselves.
            CLUSTER | 0x114d_9b74 | 0x1c53_bb6b => {}
            // Of the whole: its title, names of files, and when it was made.
            0x1549_a966 => within(bytes, &element, parts, |inner, parts| {
                if matches!(inner.id, 0x7ba9 | 0x7384 | 0x4461 | 0x3c_83ab | 0x3e_83bb | 0xbf) {
                    inner.voided(parts);
                }
                Ok(())
            })?,
            // Of the tracks: their names.
            0x1654_ae6b => within(bytes, &element, parts, |inner, parts| match inner.id {
                0xae => within(bytes, inner, parts, |inner, parts| {
                    if matches!(inner.id, 0x536e | 0xbf) {
                        inner.voided(parts);
                    }
                    Ok(())
                }),
                0xbf => {
                    inner.voided(parts);
                    Ok(())
                }
                _ => Ok(()),
            })?,
            VOID => element.emptied(bytes, parts),
            // Tags, chapters, attachments, and what is not known; the checksum of a segment.
            _ => element.voided(parts),
        }
        if parts.len() > MOST_PARTS {
            return Err((at, Fault::Malformed));
        }
    }
    Ok(())
}

fn within(
    bytes: &[u8],
    outer: &Element,
    parts: &mut Vec<Part>,
    mut each: impl FnMut(&Element, &mut Vec<Part>) -> Read,
) -> Read {
    let mut at = outer.content.start;
    while at < outer.content.end {
        let inner = Element::read(bytes, at, outer.content.end)
            .ok()
            .filter(|inner| inner.is_sized)
            .ok_or((at, Fault::Malformed))?;
        at = inner.span.end;
        if inner.id == VOID {
            inner.emptied(bytes, parts);
        } else {
            each(&inner, parts)?;
        }
    }
    Ok(())
}

/// Where a cluster ends that does not say so: at the next element of the segment's own.
fn cluster(bytes: &[u8], mut at: usize, end: usize) -> Result<usize, (usize, Fault)> {
    while at < end {
        let inner = Element::read(bytes, at, end).map_err(|fault| (at, fault))?;
        if TOP.contains(&inner.id) {
            return Ok(at);
        }
        if !inner.is_sized {
            return Err((at, Fault::Malformed));
        }
        at = inner.span.end;
    }
    Ok(at)
}
