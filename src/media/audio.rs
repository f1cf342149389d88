//! Sound in MP3 and FLAC without its tags, and the one thing a bitmap can hide: what stands behind its end.

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, le32, syncsafe, take};
use crate::media::format::{holds_document, is_mostly_text};

/// How far the next frame of sound is looked for.
const MOST_BETWEEN: usize = 4096;
/// The longest words to sing of the first kind, which do not say how long they are, with their marks.
const MOST_SUNG: usize = 5100 + 20;

/// MP3: frames of sound between tags of three kinds.
pub(super) fn mp3(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let mut at = 0;
    while take(bytes, at, 3) == Some(b"ID3") {
        let length = syncsafe(bytes, at + 6).ok_or((at, Fault::Malformed))?;
        let has_footer = bytes.get(at + 5).is_some_and(|flags| flags & 0x10 != 0);
        let end = at + 10 + length + if has_footer { 10 } else { 0 };
        if end > bytes.len() {
            return Err((at, Fault::Truncated));
        }
        parts.push(Part::gone(at..end, at + 10..end, Kind::Id3));
        at = end;
    }
    let start = at;
    let end = end_tags(bytes, start, parts)?;
    frames(bytes, start, end, parts)
}

/// Walks the frames of sound; what stands between them or behind them, other than noughts, is none and goes.
fn frames(
    bytes: &[u8],
    start: usize,
    end: usize,
    parts: &mut Vec<Part>,
) -> Result<(), (usize, Fault)> {
    let mut at = start;
    let mut has_sound = false;
    while at < end {
        if let Some(length) = frame(bytes, at) {
            if at + length <= end {
                has_sound = true;
                at += length;
                continue;
            }
            let last = bytes.get(at..end).unwrap_or_default();
            if !has_sound {
                return Err((at, Fault::Truncated));
            }
            // Recorders break off within a frame.
            if !is_mostly_text(last) && !holds_document(last) {
                return Ok(());
            }
            if end_tag(bytes.get(start..at).unwrap_or_default()).is_some() {
                return Err((at, Fault::Malformed));
            }
            parts.push(Part::gone(at..end, at..end, Kind::Tail));
            return Ok(());
        }
        let rest = bytes.get(at..end).unwrap_or_default();
        let n_noughts = rest.iter().take_while(|byte| **byte == 0).count();
        if n_noughts > 0 {
            if !has_sound {
                // Nobody would know a file by noughts.
                parts.push(Part::gone(at..at + n_noughts, at..at, Kind::Nothing));
            }
            at += n_noughts;
            continue;
        }
        // Sound goes on where two frames stand one behind the other.
        let next = (at + 1..end.min(at + MOST_BETWEEN)).find(|at| {
            frame(bytes, *at).is_some_and(|length| {
                let after = at + length;
                after == end || (after < end && frame(bytes, after).is_some())
            })
        });
        let gap = at..next.unwrap_or(end);
        // What the sound would end with, were that gone, must be no tag again.
        let before = bytes.get(start..at).unwrap_or_default();
        if next.is_none() && end_tag(before).is_some() {
            return Err((at, Fault::Malformed));
        }
        at = gap.end;
        parts.push(Part::gone(gap.clone(), gap, Kind::Tail));
    }
    if has_sound { Ok(()) } else { Err((start, Fault::Malformed)) }
}

/// The length of the frame of sound that begins here, with its head, in bytes.
fn frame(bytes: &[u8], at: usize) -> Option<usize> {
    // Thousands of bits a second, by their number in the head.
    const FIRST_1: [usize; 14] =
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const FIRST_2: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const FIRST_3: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const LATER_1: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const LATER: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let head = be32(bytes, at).filter(|head| head >> 21 == 0x7ff)?;
    let (version, layer) = (head >> 19 & 3, 4 - (head >> 17 & 3));
    let is_first = version == 3;
    let rates = match (is_first, layer) {
        (true, 1) => FIRST_1,
        (true, 2) => FIRST_2,
        (true, 3) => FIRST_3,
        (false, 1) => LATER_1,
        (false, 2 | 3) => LATER,
        _ => return None,
    };
    // None has the number nought: then nobody knows how long the frame is.
    let bits = 1000 * rates.get((head >> 12 & 15).checked_sub(1)?)?;
    let samples = [44_100, 48_000, 32_000].get(head >> 10 & 3)?;
    let samples = match version {
        3 => *samples,
        2 => samples / 2,
        0 => samples / 4,
        _ => return None,
    };
    let padding = head >> 9 & 1;
    Some(match layer {
        1 => (12 * bits / samples + padding) * 4,
        3 if !is_first => 72 * bits / samples + padding,
        _ => 144 * bits / samples + padding,
    })
}

/// Takes the tags off the end of the file, of whatever kind and however many; returns where the sound ends.
fn end_tags(bytes: &[u8], start: usize, parts: &mut Vec<Part>) -> Result<usize, (usize, Fault)> {
    let mut end = bytes.len();
    while let Some(length) = end_tag(bytes.get(start..end).unwrap_or_default()) {
        let tag = length.and_then(|length| end.checked_sub(length)).filter(|tag| *tag >= start);
        let tag = tag.ok_or((end, Fault::Malformed))?;
        parts.push(Part::gone(tag..end, tag..end, Kind::Tail));
        end = tag;
    }
    Ok(end)
}

/// The length of the tag that sound ends with, if it ends with one: ID3's first version, APE's, or words to sing.
/// `Some(None)` if it is none that can be followed.
#[expect(clippy::option_option, reason = "no tag is not a broken one")]
fn end_tag(sound: &[u8]) -> Option<Option<usize>> {
    let last = |n: usize| sound.len().checked_sub(n);
    if last(128).is_some_and(|at| take(sound, at, 3) == Some(b"TAG")) {
        // A longer one stands before it at times.
        let is_long = last(128 + 227).is_some_and(|at| take(sound, at, 4) == Some(b"TAG+"));
        return Some(Some(if is_long { 128 + 227 } else { 128 }));
    }
    if let Some(foot) = last(32).filter(|foot| take(sound, *foot, 8) == Some(b"APETAGEX")) {
        let has_head = le32(sound, foot + 20).is_some_and(|flags| flags & 0x8000_0000 != 0);
        let length = le32(sound, foot + 12).filter(|length| *length >= 32);
        return Some(length.map(|length| length + if has_head { 32 } else { 0 }));
    }
    if sound.ends_with(b"LYRICS200") {
        let digits = last(15).and_then(|at| take(sound, at, 6));
        let length = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse::<usize>().ok());
        return Some(length.map(|length| length + 15));
    }
    if sound.ends_with(b"LYRICSEND") {
        let near = sound.get(last(MOST_SUNG).unwrap_or_default()..).unwrap_or_default();
        return Some(memchr::memmem::rfind(near, b"LYRICSBEGIN").map(|at| near.len() - at));
    }
    None
}

/// FLAC: of its blocks, those that a decoder needs.
pub(super) fn flac(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let mut at = 4;
    let mut last_kept = None;
    loop {
        let head = be32(bytes, at).ok_or((at, Fault::Truncated))?;
        let (is_last, kind, length) = (head >> 31 == 1, head >> 24 & 0x7f, head & 0xff_ffff);
        let end = at + 4 + length;
        if end > bytes.len() {
            return Err((at, Fault::Truncated));
        }
        match kind {
            // Stream, seek table, cue sheet's place in it.
            0 | 3 => last_kept = Some(at),
            // Overwritten as padding: then the last stays the last.
            _ => {
                let mut head = bytes.get(at..at + 4).unwrap_or_default().to_vec();
                if let Some(first) = head.first_mut() {
                    *first = *first & 0x80 | 1;
                }
                let is_bare = kind == 1
                    && bytes
                        .get(at + 4..end)
                        .is_some_and(|held| held.iter().all(|byte| *byte == 0));
                if !is_bare {
                    let blank = Blank::starting(head);
                    parts.push(Part::overwritten(at..end, at + 4..end, Kind::Unknown, blank));
                }
            }
        }
        at = end;
        if is_last {
            break;
        }
    }
    // One frame stands before them, at least its mark.
    end_tags(bytes, (at + 2).min(bytes.len()), parts)?;
    if last_kept.is_none() || !matches!(bytes.get(at..at + 2), Some([0xff, 0xf8..=0xfb])) {
        return Err((at, Fault::Malformed));
    }
    Ok(())
}

/// A bitmap says how long it is.
pub(super) fn bmp(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let size = le32(bytes, 2).ok_or((0, Fault::Truncated))?;
    let pixels = le32(bytes, 10).ok_or((0, Fault::Truncated))?;
    let head = le32(bytes, 14).ok_or((0, Fault::Truncated))?;
    let sound = head >= 12 && pixels >= 14 + head && size > pixels;
    if !sound {
        return Err((0, Fault::Malformed));
    }
    if size > bytes.len() {
        return Err((bytes.len(), Fault::Truncated));
    }
    // Between its heads and its pixels stands a table of colours of 256 at most.
    if pixels - 14 - head > 1024 + 16 {
        return Err((14 + head, Fault::Malformed));
    }
    if size < bytes.len() {
        parts.push(Part::gone(size..bytes.len(), size..bytes.len(), Kind::Tail));
    }
    Ok(())
}
