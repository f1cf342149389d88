//! WebP and WAV: which of their chunks a decoder needs; the size and the flags of the file are put right.

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{le32, take};
use crate::media::exif::{only_turn, turn};

/// Chunks of a picture in WebP.
const WEBP: &[&[u8; 4]] = &[b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Chunks of sound in WAV.
const WAVE: &[&[u8; 4]] = &[b"fmt ", b"data", b"fact"];
/// Flags of `VP8X` that say that there is EXIF, and XMP.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let is_webp = take(bytes, 8, 4) == Some(b"WEBP");
    let size = le32(bytes, 4).ok_or((0, Fault::Truncated))?;
    let end = size + 8;
    if size < 12 {
        return Err((0, Fault::Malformed));
    }
    if end > bytes.len() {
        return Err((12, Fault::Truncated));
    }
    let kept = if is_webp { WEBP } else { WAVE };
    let n_before = parts.len();
    let (mut at, mut flags, mut has_turn, mut has_data) = (12, None, false, false);
    while at + 8 <= end {
        let kind: &[u8; 4] = take(bytes, at, 4)
            .and_then(|kind| kind.try_into().ok())
            .ok_or((at, Fault::Truncated))?;
        let length = le32(bytes, at + 4).ok_or((at, Fault::Truncated))?;
        let content = at + 8..at + 8 + length;
        if content.end > end {
            return Err((at, Fault::Malformed));
        }
        // A chunk of odd length has a byte behind it, which some leave out of the last.
        let next = (content.end + length % 2).min(end);
        let span = at..next;
        at = next;
        has_data |= matches!(kind, b"VP8 " | b"VP8L" | b"ANMF" | b"data");
        match kind {
            b"VP8X" => flags = Some(content.start),
            b"ANMF" => frame(bytes, content.start + 16, content.end, parts)?,
            _ => {}
        }
        if kept.contains(&kind) {
            continue;
        }
        let head = bytes.get(span.start..content.start).unwrap_or_default().to_vec();
        if is_webp && kind == b"EXIF" {
            let exif = bytes.get(content.clone()).unwrap_or_default();
            let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
            let content = content.end - tiff.len()..content.end;
            let turned = turn(tiff).filter(|_| !has_turn);
            has_turn |= turned.is_some();
            let minimal = turned.map_or_else(Vec::new, |turn| only_turn(turn).to_vec());
            if turned.is_some() && exif == minimal {
                continue;
            }
            let cut = turned.map_or_else(Vec::new, |_| chunk(*kind, &minimal));
            let blank = [head, minimal].concat();
            let blank =
                if blank.len() <= span.len() { Blank::starting(blank) } else { Blank::zeros() };
            let part = Part::gone(span, content, Kind::Exif).with_blank(blank);
            parts.push(Part { cut: Some(cut), ..part });
            continue;
        }
        let kind = match kind {
            b"XMP " => Kind::Xmp,
            _ => Kind::Unknown,
        };
        parts.push(Part::gone(span, content, kind).with_blank(Blank::starting(head)));
    }
    if !has_data {
        return Err((12, Fault::Malformed));
    }
    if at < end {
        parts.push(Part::gone(at..end, at..end, Kind::Unknown));
    }
    put_right(bytes, size, flags, has_turn, n_before, parts);
    if end < bytes.len() {
        parts.push(Part::gone(end..bytes.len(), end..bytes.len(), Kind::Tail));
    }
    Ok(())
}

/// The size of the whole, and what `VP8X` says there is, once parts are gone.
fn put_right(
    bytes: &[u8],
    size: usize,
    flags: Option<usize>,
    has_turn: bool,
    n_before: usize,
    parts: &mut Vec<Part>,
) {
    let (mut gone, mut come) = (0, 0);
    for part in parts.iter().skip(n_before) {
        if let Some(cut) = &part.cut {
            gone += part.span.len();
            come += cut.len();
        }
    }
    let after = u32::try_from((size + come).saturating_sub(gone)).unwrap_or_default();
    let fix = |at: usize, with: Vec<u8>| Part {
        span: at..at + with.len(),
        content: at..at,
        kind: Kind::Nothing,
        cut: Some(with),
        blank: Blank::Keep,
    };
    if gone != come {
        parts.push(fix(4, after.to_le_bytes().to_vec()));
    }
    if let Some((at, was)) = flags.and_then(|at| Some((at, *bytes.get(at)?))) {
        let mut now = was & !(HAS_EXIF | HAS_XMP);
        if has_turn {
            now |= HAS_EXIF;
        }
        if now != was {
            parts.push(fix(at, vec![now]));
        }
    }
}

/// Chunks of somebody's own within a frame: overwritten, since the frame says how long it is.
fn frame(
    bytes: &[u8],
    mut at: usize,
    end: usize,
    parts: &mut Vec<Part>,
) -> Result<(), (usize, Fault)> {
    while at + 8 <= end {
        let kind = take(bytes, at, 4).ok_or((at, Fault::Truncated))?;
        let length = le32(bytes, at + 4).ok_or((at, Fault::Truncated))?;
        let content = at + 8..at + 8 + length;
        if content.end > end {
            return Err((at, Fault::Malformed));
        }
        at = content.end + length % 2;
        if !matches!(kind, b"ALPH" | b"VP8 " | b"VP8L") {
            let span = content.clone();
            parts.push(Part::overwritten(span, content, Kind::Unknown, Blank::zeros()));
        }
    }
    Ok(())
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or_default().to_le_bytes();
    let mut out = [&kind, &length[..], data].concat();
    if data.len() % 2 == 1 {
        out.push(0);
    }
    out
}
