//! PNG and APNG: which of its chunks a decoder needs. Those that stay keep their checksums.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use flate2::Crc;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, take, to_be32};
use crate::media::exif;

/// Chunks of the picture, its pixels, frames and colours, and how long they may be. All others are text, times, or
/// somebody's own, and so is one of another length: decoders pass over it.
const KEPT: &[(&[u8; 4], RangeInclusive<usize>)] = &[
    (b"IHDR", 13..=13),
    (b"CgBI", 4..=4),
    (b"PLTE", 3..=768),
    (b"IDAT", 0..=MOST),
    (b"tRNS", 1..=256),
    (b"cHRM", 32..=32),
    (b"gAMA", 4..=4),
    (b"iCCP", 0..=MOST),
    (b"sBIT", 1..=4),
    (b"sRGB", 1..=1),
    (b"cICP", 4..=4),
    (b"mDCV", 24..=24),
    (b"cLLI", 8..=8),
    (b"bKGD", 1..=6),
    (b"hIST", 2..=512),
    (b"pHYs", 9..=9),
    (b"sTER", 1..=1),
    (b"acTL", 8..=8),
    (b"fcTL", 26..=26),
    (b"fdAT", 4..=MOST),
];
/// Of these there are many.
const REPEATED: &[&[u8; 4]] = &[b"IDAT", b"fcTL", b"fdAT"];
/// The longest chunk.
const MOST: usize = 0x7fff_ffff;
/// A type of nobody's, for a chunk that must keep its length: decoders pass over it.
const EMPTY: &[u8; 4] = b"zrOs";
/// A chunk's length, type and checksum.
const AROUND: usize = 12;

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let mut at = 8;
    let mut has_pixels = false;
    let mut has_turn = false;
    let mut seen = HashSet::new();
    loop {
        let length = be32(bytes, at).ok_or((at, Fault::Truncated))?;
        let kind: &[u8; 4] = take(bytes, at + 4, 4)
            .and_then(|kind| kind.try_into().ok())
            .ok_or((at, Fault::Truncated))?;
        if length > MOST || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err((at, Fault::Malformed));
        }
        if at == 8 && !matches!(kind, b"IHDR" | b"CgBI") {
            return Err((at, Fault::Malformed));
        }
        let end = at + AROUND + length;
        let content = at + 8..at + 8 + length;
        let Some(held) = bytes.get(content.clone()).filter(|_| end <= bytes.len()) else {
            return Err((at, Fault::Truncated));
        };
        let span = at..end;
        at = end;
        has_pixels |= kind == b"IDAT";
        let is_kept =
            KEPT.iter().any(|(known, lengths)| *known == kind && lengths.contains(&length))
                && (REPEATED.contains(&kind) || seen.insert(*kind));
        match kind {
            b"IEND" if !has_pixels => return Err((span.start, Fault::Malformed)),
            b"IEND" => break,
            _ if is_kept => {}
            b"eXIf" => {
                let turn = exif::turn(held).filter(|_| !has_turn);
                has_turn |= turn.is_some();
                let minimal = turn.map(exif::only_turn);
                if minimal.as_ref().is_some_and(|minimal| minimal == held) {
                    continue;
                }
                let cut = minimal.as_ref().map(|minimal| chunk(*b"eXIf", minimal, 0));
                let blank = match minimal.filter(|minimal| minimal.len() <= length) {
                    Some(minimal) => chunk(*b"eXIf", &minimal, length - minimal.len()),
                    None => chunk(*EMPTY, &[], length),
                };
                let part = Part::gone(span, content, Kind::Exif).with_blank(Blank::Own(blank));
                parts.push(Part { cut: Some(cut.unwrap_or_default()), ..part });
            }
            _ if kind.first().is_some_and(u8::is_ascii_uppercase) => {
                // A decoder must understand it, and we do not.
                return Err((span.start, Fault::Malformed));
            }
            _ => {
                let read = match kind {
                    b"tEXt" => Kind::Keyword,
                    b"zTXt" => Kind::Deflated,
                    b"iTXt" => Kind::International,
                    b"tIME" => Kind::Nothing,
                    _ => Kind::Unknown,
                };
                let blank = Blank::Own(chunk(*EMPTY, &[], length));
                parts.push(Part::gone(span, content, read).with_blank(blank));
            }
        }
    }
    if at < bytes.len() {
        parts.push(Part::gone(at..bytes.len(), at..bytes.len(), Kind::Tail));
    }
    Ok(())
}

/// A chunk of these bytes and so many noughts.
fn chunk(kind: [u8; 4], data: &[u8], n_noughts: usize) -> Vec<u8> {
    let length = data.len() + n_noughts;
    let mut out = Vec::with_capacity(length + AROUND);
    out.extend_from_slice(&to_be32(length).unwrap_or_default());
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.resize(8 + length, 0);
    let mut crc = Crc::new();
    crc.update(out.get(4..).unwrap_or_default());
    out.extend_from_slice(&crc.sum().to_be_bytes());
    out
}
