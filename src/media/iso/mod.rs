//! ISO media (MP4, `QuickTime`, HEIC, AVIF): boxes in boxes, whose bytes others count by offsets from the file's start.
//!
//! So nothing is cut: a box that holds metadata becomes a `free` one of the same length, full of noughts, and a picture's
//! EXIF is overwritten where it lies. Every offset stays right, and the length of the file, too.

mod items;
mod samples;

use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, be64, take};
use crate::media::words::Words;
use crate::media::xmp;

/// Most parts of one file.
pub(super) const MOST_PARTS: usize = 100_000;

pub(super) type Read = Result<(), (usize, Fault)>;

/// One box.
#[derive(Clone, Debug)]
pub(super) struct Boxed {
    pub(super) kind: [u8; 4],
    pub(super) span: Range<usize>,
    pub(super) content: Range<usize>,
}

impl Boxed {
    /// The box at `at` within its surroundings, which end at `end`.
    pub(super) fn read(bytes: &[u8], at: usize, end: usize) -> Result<Self, Fault> {
        let size = be32(bytes, at).filter(|_| at + 8 <= end).ok_or(Fault::Truncated)?;
        let kind: [u8; 4] =
            take(bytes, at + 4, 4).and_then(|kind| kind.try_into().ok()).ok_or(Fault::Truncated)?;
        if !is_kind(kind) {
            return Err(Fault::Malformed);
        }
        let (head, size) = match size {
            0 => (8, end - at),
            1 => (16, be64(bytes, at + 8).ok_or(Fault::Truncated)?),
            size => (8, size),
        };
        let after = at.checked_add(size).ok_or(Fault::Malformed)?;
        if size < head {
            return Err(Fault::Malformed);
        }
        if after > end {
            return Err(Fault::Truncated);
        }
        Ok(Self { kind, span: at..after, content: at + head..after })
    }

    /// The box as nothing but room.
    pub(super) fn freed(&self, bytes: &[u8], parts: &mut Vec<Part>) {
        let mut head = bytes.get(self.span.start..self.content.start).unwrap_or_default().to_vec();
        if let Some(kind) = head.get_mut(4..8) {
            kind.copy_from_slice(b"free");
        }
        let blank = Blank::starting(head);
        parts.push(Part::overwritten(self.span.clone(), self.content.clone(), Kind::Boxes, blank));
    }

    /// Its content as noughts, unless it is that already.
    pub(super) fn emptied(&self, bytes: &[u8], parts: &mut Vec<Part>) {
        let held = bytes.get(self.content.clone()).unwrap_or_default();
        if held.iter().any(|byte| *byte != 0) {
            let span = self.content.clone();
            parts.push(Part::overwritten(span.clone(), span, Kind::Boxes, Blank::zeros()));
        }
    }
}

/// Kinds are letters of ASCII; Apple's begin with the sign of copyright.
pub(super) fn is_kind(kind: [u8; 4]) -> bool {
    kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9))
}

/// Calls `each` with every box of a stretch.
pub(super) fn children(
    bytes: &[u8],
    content: Range<usize>,
    mut each: impl FnMut(&Boxed) -> Read,
) -> Read {
    let mut at = content.start;
    while at < content.end {
        // Old QuickTime ends a list by four noughts. Players that take them for a box that goes on to the end, or pass
        // over them, would read what follows; so nothing may.
        if content.end - at < 8 || be32(bytes, at) == Some(0) {
            let rest = bytes.get(at..content.end).unwrap_or_default();
            if rest.iter().any(|byte| *byte != 0) {
                return Err((at, Fault::Malformed));
            }
            break;
        }
        let inner = Boxed::read(bytes, at, content.end).map_err(|_| (at, Fault::Malformed))?;
        at = inner.span.end;
        each(&inner)?;
    }
    Ok(())
}

/// What a file's outermost box is to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Top {
    /// Pixels and sound, and what finds them.
    Kept,
    /// What describes a film.
    Movie,
    /// What describes pictures.
    Meta,
    /// Room.
    Room,
    /// Somebody's own.
    Other,
}

pub(super) fn top(kind: [u8; 4]) -> Top {
    match &kind {
        b"ftyp" | b"styp" | b"mdat" | b"moof" | b"mfra" | b"sidx" | b"ssix" | b"pdin" => Top::Kept,
        b"moov" => Top::Movie,
        b"meta" => Top::Meta,
        b"free" | b"skip" | b"wide" => Top::Room,
        _ => Top::Other,
    }
}

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Read {
    let (mut at, mut is_described) = (0, false);
    while at < bytes.len() {
        let outer = match Boxed::read(bytes, at, bytes.len()) {
            Ok(outer) => outer,
            // What is no box behind all that a player needs is behind the end.
            Err(fault) => {
                let kind = take(bytes, at + 4, 4).and_then(|kind| kind.try_into().ok());
                let is_known = kind.is_some_and(|kind| top(kind) != Top::Other);
                if !is_described || (fault == Fault::Truncated && is_known) {
                    return Err((at, fault));
                }
                parts.push(Part::gone(at..bytes.len(), at..bytes.len(), Kind::Tail));
                return Ok(());
            }
        };
        at = outer.span.end;
        match top(outer.kind) {
            Top::Kept => {}
            Top::Movie => {
                is_described = true;
                movie(bytes, &outer, true, parts)?;
            }
            Top::Meta => {
                is_described |= items::read(bytes, &outer, parts)?;
            }
            Top::Room => outer.emptied(bytes, parts),
            Top::Other => outer.freed(bytes, parts),
        }
        if parts.len() > MOST_PARTS {
            return Err((at, Fault::Malformed));
        }
    }
    if is_described { Ok(()) } else { Err((at, Fault::Truncated)) }
}

/// What describes a film: times go, and all that is no track. `has_media` says whether the samples are at hand.
pub(super) fn movie(bytes: &[u8], movie: &Boxed, has_media: bool, parts: &mut Vec<Part>) -> Read {
    children(bytes, movie.content.clone(), |inner| {
        match &inner.kind {
            b"mvhd" => times(bytes, inner, parts),
            b"trak" => track(bytes, inner, has_media, parts)?,
            b"mvex" | b"iods" | b"pssh" | b"ctab" => {}
            // Nobody here can see through it.
            b"cmov" => return Err((inner.span.start, Fault::Unknown)),
            b"free" | b"skip" | b"wide" => inner.emptied(bytes, parts),
            _ => inner.freed(bytes, parts),
        }
        Ok(())
    })
}

fn track(bytes: &[u8], track: &Boxed, has_media: bool, parts: &mut Vec<Part>) -> Read {
    if samples::is_of_metadata(bytes, track)? {
        if has_media {
            samples::overwrite(bytes, track, parts)?;
        }
        track.freed(bytes, parts);
        return Ok(());
    }
    children(bytes, track.content.clone(), |inner| {
        match &inner.kind {
            b"tkhd" => times(bytes, inner, parts),
            b"mdia" => children(bytes, inner.content.clone(), |inner| {
                match &inner.kind {
                    b"mdhd" => times(bytes, inner, parts),
                    b"hdlr" | b"minf" | b"elng" => {}
                    b"free" | b"skip" => inner.emptied(bytes, parts),
                    _ => inner.freed(bytes, parts),
                }
                Ok(())
            })?,
            b"edts" | b"tref" | b"load" | b"matt" | b"clip" | b"tapt" | b"trgr" | b"txas" => {}
            b"free" | b"skip" => inner.emptied(bytes, parts),
            _ => inner.freed(bytes, parts),
        }
        Ok(())
    })
}

/// When it was made and last changed.
fn times(bytes: &[u8], header: &Boxed, parts: &mut Vec<Part>) {
    let is_long = bytes.get(header.content.start) == Some(&1);
    let start = header.content.start + 4;
    let span = start..start + if is_long { 16 } else { 8 };
    let held = bytes.get(span.clone()).unwrap_or_default();
    if span.end <= header.content.end && held.iter().any(|byte| *byte != 0) {
        parts.push(Part::overwritten(span.clone(), span, Kind::Nothing, Blank::zeros()));
    }
}

/// What boxes of metadata say: their texts, and positions as players write them (`+40.7128-074.0060/`).
pub(super) fn words(bytes: &[u8], words: &mut Words) {
    match memchr::memmem::find(bytes, b"<x:xmpmeta") {
        Some(at) => {
            words.runs(bytes.get(..at).unwrap_or_default());
            xmp::words(bytes.get(at..).unwrap_or_default(), words);
        }
        None => words.runs(bytes),
    }
    for at in memchr::memchr2_iter(b'+', b'-', bytes) {
        let number = bytes.get(at..).unwrap_or_default();
        if let Some((latitude, n)) = degrees(number, 2)
            && let Some((longitude, _)) = degrees(number.get(n..).unwrap_or_default(), 3)
        {
            words.position(latitude, longitude);
        }
    }
}

/// A sign and so many digits, and a fraction; and how many bytes that is.
fn degrees(bytes: &[u8], n_digits: usize) -> Option<(f64, usize)> {
    if !matches!(bytes.first(), Some(b'+' | b'-')) {
        return None;
    }
    let rest = bytes.get(1..)?;
    let whole = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = rest.get(whole..).filter(|rest| rest.first() == Some(&b'.')).map_or(0, |rest| {
        1 + rest.iter().skip(1).take(12).take_while(|byte| byte.is_ascii_digit()).count()
    });
    if whole != n_digits || fraction < 2 {
        return None;
    }
    let length = 1 + whole + fraction;
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    Some((text.parse().ok()?, length))
}
