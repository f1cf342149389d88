//! The items of HEIC and AVIF: pictures, and what is said of them.
//!
//! EXIF and XMP are items whose bytes lie among those of the pictures. They are overwritten there, unless a picture claims
//! one of the same bytes: then nothing of the file can be taken out.

use std::collections::HashMap;
use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be16, be32, be64};
use crate::media::exif;
use crate::media::iso::{Boxed, Read, children};

/// Types of items that are pictures, or made of pictures.
const PICTURES: &[&[u8; 4]] = &[
    b"hvc1", b"hev1", b"lhv1", b"av01", b"avc1", b"vvc1", b"jpeg", b"j2k1", b"grid", b"iovl",
    b"iden", b"tmap", b"unci", b"mski", b"hvt1",
];
/// Names that writers of files give to items.
const NAMES: &[&[u8]] = &[b"Color", b"Alpha", b"Exif", b"XMP", b"GMap", b"TMap", b"HEVC Image"];
/// Properties that say something in words, or when.
const SAYING: &[&[u8; 4]] = &[b"udes", b"altt", b"crtt", b"mdft", b"uuid"];

/// What an item is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Item {
    Picture,
    Exif,
    Other,
}

/// Where an extent of an item stands.
struct Extent {
    item: Item,
    is_first: bool,
    span: Range<usize>,
}

/// Reads what describes pictures; `Ok(false)` if it describes none, and is somebody's own metadata of a film.
pub(super) fn read(
    bytes: &[u8],
    meta: &Boxed,
    parts: &mut Vec<Part>,
) -> Result<bool, (usize, Fault)> {
    let fault = (meta.span.start, Fault::Malformed);
    let content = meta.content.start + 4..meta.content.end;
    let (mut items, mut places, mut stock) = (None, None, None);
    if content.start > content.end {
        return Err(fault);
    }
    let mut own = Vec::new();
    let found = children(bytes, content, |inner| {
        match &inner.kind {
            b"iinf" => items = Some(inner.clone()),
            b"iloc" => places = Some(inner.clone()),
            b"idat" => stock = Some(inner.content.clone()),
            b"hdlr" | b"pitm" | b"iref" | b"dinf" | b"grpl" | b"ipro" => {}
            b"iprp" => properties(bytes, inner, &mut own)?,
            b"free" | b"skip" => inner.emptied(bytes, &mut own),
            _ => inner.freed(bytes, &mut own),
        }
        Ok(())
    });
    let (Some(items), Some(places), Ok(())) = (items, places, found) else {
        // Of a film, or of a file that has its words here and no picture.
        meta.freed(bytes, parts);
        return Ok(false);
    };
    parts.append(&mut own);
    let kinds = kinds(bytes, &items, parts)?;
    let mut extents = Vec::new();
    Places { bytes, list: &places, stock, kinds: &kinds }
        .read(&mut extents)
        .map_err(|why| (meta.span.start, why))?;
    extents.sort_by_key(|extent| (extent.span.start, extent.span.end));
    let mut taken: Option<&Extent> = None;
    for extent in &extents {
        if let Some(before) = taken
            && before.span.end > extent.span.start
            && (before.item != Item::Picture || extent.item != Item::Picture)
        {
            return Err(fault);
        }
        if taken.is_none_or(|before| before.span.end <= extent.span.end) {
            taken = Some(extent);
        }
    }
    for extent in extents.into_iter().filter(|extent| extent.item != Item::Picture) {
        overwrite(bytes, &extent, parts);
    }
    Ok(true)
}

fn overwrite(bytes: &[u8], extent: &Extent, parts: &mut Vec<Part>) {
    let span = extent.span.clone();
    let bare = [&[0; 4], exif::empty().as_slice()].concat();
    let (blank, read) = match extent.item {
        Item::Exif if extent.is_first && span.len() >= bare.len() => {
            (Blank::starting(bare), span.start + 4)
        }
        Item::Exif => (Blank::zeros(), span.start),
        _ => (Blank::Fill { first: Vec::new(), with: b' ', last: Vec::new() }, span.start),
    };
    if span.end <= bytes.len() && !span.is_empty() {
        let content = read.min(span.end)..span.end;
        parts.push(Part::overwritten(span, content, Kind::Unknown, blank));
    }
}

/// Properties that say something become room: their places in the list are counted.
fn properties(bytes: &[u8], outer: &Boxed, parts: &mut Vec<Part>) -> Read {
    children(bytes, outer.content.clone(), |list| {
        if &list.kind != b"ipco" {
            return Ok(());
        }
        children(bytes, list.content.clone(), |property| {
            if SAYING.contains(&&property.kind) {
                property.freed(bytes, parts);
            }
            Ok(())
        })
    })
}

/// What each item is, by its number.
fn kinds(
    bytes: &[u8],
    items: &Boxed,
    parts: &mut Vec<Part>,
) -> Result<HashMap<usize, Item>, (usize, Fault)> {
    let start = items.content.start;
    let fault = (start, Fault::Malformed);
    let is_long = *bytes.get(start).ok_or(fault)? > 0;
    let entries = start + if is_long { 8 } else { 6 };
    let mut kinds = HashMap::new();
    children(bytes, entries.min(items.content.end)..items.content.end, |entry| {
        let at = entry.content.start;
        let fault = (at, Fault::Malformed);
        let (number, kind_at) = match bytes.get(at) {
            Some(2) => (be16(bytes, at + 4), at + 8),
            Some(3) => (be32(bytes, at + 4), at + 10),
            _ => return Err(fault),
        };
        let number = number.filter(|_| &entry.kind == b"infe").ok_or(fault)?;
        let kind = bytes.get(kind_at..kind_at + 4).filter(|_| kind_at + 4 <= entry.content.end);
        let kind: &[u8; 4] = kind.and_then(|kind| kind.try_into().ok()).ok_or(fault)?;
        let item = match kind {
            b"Exif" => Item::Exif,
            b"mime" | b"uri " => Item::Other,
            _ if PICTURES.contains(&kind) => Item::Picture,
            // It may be a picture of a kind to come.
            _ => return Err((at, Fault::Unknown)),
        };
        let name = bytes.get(kind_at + 4..entry.content.end).unwrap_or_default();
        let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = name.get(..length).unwrap_or_default();
        if !NAMES.contains(&name) && name.iter().any(|byte| *byte != b' ') {
            let span = kind_at + 4..kind_at + 4 + length;
            let blank = Blank::Fill { first: Vec::new(), with: b' ', last: Vec::new() };
            parts.push(Part::overwritten(span.clone(), span, Kind::Text, blank));
        }
        // Two entries of one number: the one that is no picture counts, so that a picture is refused before it is missed.
        let before = kinds.insert(number, item);
        if before.is_some_and(|before| before != item) {
            return Err(fault);
        }
        Ok(())
    })?;
    Ok(kinds)
}

/// Where items stand.
struct Places<'a> {
    bytes: &'a [u8],
    list: &'a Boxed,
    /// The bytes that items within the description itself are counted in.
    stock: Option<Range<usize>>,
    kinds: &'a HashMap<usize, Item>,
}

impl Places<'_> {
    fn read(&self, extents: &mut Vec<Extent>) -> Result<(), Fault> {
        let bytes = self.bytes;
        let mut at = self.list.content.start;
        let version = *bytes.get(at).ok_or(Fault::Malformed)?;
        let sizes = be16(bytes, at + 4).ok_or(Fault::Malformed)?;
        let size = |shift: usize| sizes >> shift & 0xf;
        let (offset, length, base) = (size(12), size(8), size(4));
        let index = if version == 0 { 0 } else { size(0) };
        at += 6;
        let n_items = self.counted(&mut at, if version < 2 { 2 } else { 4 })?;
        for _ in 0..n_items {
            let number = self.counted(&mut at, if version < 2 { 2 } else { 4 })?;
            let method = if version == 0 { 0 } else { self.counted(&mut at, 2)? & 0xf };
            let elsewhere = self.counted(&mut at, 2)? != 0;
            let base = self.counted(&mut at, base)?;
            let n_extents = self.counted(&mut at, 2)?;
            // An item without an entry is nobody's.
            let item = self.kinds.get(&number).copied().unwrap_or(Item::Picture);
            for n in 0..n_extents {
                self.counted(&mut at, index)?;
                let offset = self.counted(&mut at, offset)?;
                let length = self.counted(&mut at, length)?;
                let from = match (method, &self.stock) {
                    (0, _) => 0,
                    (1, Some(stock)) => stock.start,
                    // Made of other items: pictures only.
                    _ if item == Item::Picture => continue,
                    _ => return Err(Fault::Unknown),
                };
                let start = from.checked_add(base).and_then(|start| start.checked_add(offset));
                let start = start.ok_or(Fault::Malformed)?;
                let end = start.checked_add(length).ok_or(Fault::Malformed)?;
                if item != Item::Picture && (elsewhere || length == 0) {
                    return Err(Fault::Unknown);
                }
                if end > bytes.len() {
                    return Err(Fault::Truncated);
                }
                extents.push(Extent { item, is_first: n == 0, span: start..end });
            }
        }
        Ok(())
    }

    /// A number of so many bytes, and on.
    fn counted(&self, at: &mut usize, width: usize) -> Result<usize, Fault> {
        let bytes = self.bytes;
        let number = match width {
            0 => Some(0),
            2 => be16(bytes, *at),
            4 => be32(bytes, *at),
            8 => be64(bytes, *at),
            _ => None,
        };
        *at += width;
        number.filter(|_| *at <= self.list.content.end).ok_or(Fault::Malformed)
    }
}
