//! PNG and APNG: which of its chunks a decoder needs. Those that stay keep their checksums.

use flate2::Crc;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, take, to_be32};
use crate::media::exif;

/// Chunks of the picture: its pixels, frames and colours. All others are text, times, or somebody's own.
const KEPT: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"CgBI", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sTER", b"acTL", b"fcTL", b"fdAT",
];
/// A type of nobody's, for a chunk that must keep its length: decoders pass over it.
const EMPTY: &[u8; 4] = b"zrOs";
/// A chunk's length, type and checksum.
const AROUND: usize = 12;

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let mut at = 8;
    let mut has_pixels = false;
    let mut has_turn = false;
    loop {
        let length = be32(bytes, at).ok_or((at, Fault::Truncated))?;
        let kind: &[u8; 4] = take(bytes, at + 4, 4)
            .and_then(|kind| kind.try_into().ok())
            .ok_or((at, Fault::Truncated))?;
        if length > 0x7fff_ffff || !kind.iter().all(u8::is_ascii_alphabetic) {
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
        match kind {
            b"IEND" if !has_pixels => return Err((span.start, Fault::Malformed)),
            b"IEND" => break,
            _ if KEPT.contains(&kind) => {}
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
