//! GIF: frames, their timing, the loop and the colour profile stay. Comments, text and others' blocks go.

use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};

/// Extensions of applications that a player needs.
const KEPT: &[&[u8; 11]] = &[b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let flags = *bytes.get(10).ok_or((0, Fault::Truncated))?;
    let mut at = 13 + colours(flags);
    let mut has_frame = false;
    // Where the timing of the next frame stands, if it does.
    let mut control: Option<Range<usize>> = None;
    loop {
        let start = at;
        match bytes.get(at) {
            Some(0x3b) => {
                at += 1;
                break;
            }
            Some(0x2c) => {
                let flags = *bytes.get(at + 9).ok_or((start, Fault::Truncated))?;
                at =
                    blocks(bytes, at + 10 + colours(flags) + 1).ok_or((start, Fault::Truncated))?;
                has_frame = true;
                control = None;
            }
            Some(0x21) => {
                let label = *bytes.get(at + 1).ok_or((start, Fault::Truncated))?;
                at = blocks(bytes, at + 2).ok_or((start, Fault::Truncated))?;
                let application = bytes.get(start + 2..start + 14);
                let kept = label == 0xff
                    && application.is_some_and(|held| {
                        KEPT.iter().any(|known| held.strip_prefix(&[11]) == Some(known.as_slice()))
                    });
                match label {
                    // One block of four bytes, by the standard, and its end.
                    0xf9 if at - start != 8 || bytes.get(start + 2) != Some(&4) => {
                        return Err((start, Fault::Malformed));
                    }
                    0xf9 => control = Some(start..at),
                    _ if kept && is_short(bytes, start + 14, at) => {}
                    // Text that a player would draw: none does. Its timing goes with it.
                    0x01 => {
                        if let Some(control) = control.take() {
                            parts.push(part(control.clone(), control, Kind::Nothing));
                        }
                        parts.push(part(start..at, start + 2..at, Kind::Unknown));
                    }
                    0xfe => parts.push(part(start..at, start + 2..at, Kind::Text)),
                    0xff if application
                        .is_some_and(|held| held.get(1..) == Some(b"XMP DataXMP")) =>
                    {
                        parts.push(part(start..at, start + 14..at, Kind::Xmp));
                    }
                    _ => parts.push(part(start..at, start + 2..at, Kind::Unknown)),
                }
            }
            // Many players do without the last byte, and so do some writers.
            None if has_frame && at == bytes.len() => return Ok(()),
            None => return Err((start, Fault::Truncated)),
            Some(_) => return Err((start, Fault::Malformed)),
        }
    }
    if !has_frame {
        return Err((at, Fault::Malformed));
    }
    if at < bytes.len() {
        parts.push(Part::gone(at..bytes.len(), at..bytes.len(), Kind::Tail));
    }
    Ok(())
}

/// The length of a table of colours.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// One past a run of sub-blocks.
fn blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Whether an extension that stays holds what its name says: a loop is a few bytes, a profile has its signature.
fn is_short(bytes: &[u8], start: usize, end: usize) -> bool {
    end - start <= 16 || bytes.get(start + 1 + 36..start + 1 + 40) == Some(b"acsp")
}

fn part(span: Range<usize>, content: Range<usize>, kind: Kind) -> Part {
    let blank = comment(span.len());
    Part::gone(span, content, kind).with_blank(Blank::Own(blank))
}

/// A comment of noughts, so many bytes long: four at least, as every extension is with its end.
fn comment(length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&[0x21, 0xfe]);
    let mut left = length.saturating_sub(3);
    while left > 0 {
        // A block of none would end the comment.
        let held = match left - 1 {
            held if held <= 255 => held,
            256 => 254,
            _ => 255,
        };
        out.push(u8::try_from(held).unwrap_or_default());
        out.resize(out.len() + held, 0);
        left -= held + 1;
    }
    out.push(0);
    out
}

/// The text of sub-blocks, put together.
pub(super) fn joined(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&length) = bytes.get(at).filter(|length| **length > 0) {
        let end = (at + 1 + usize::from(length)).min(bytes.len());
        out.extend_from_slice(bytes.get(at + 1..end).unwrap_or_default());
        at = end;
    }
    out
}
