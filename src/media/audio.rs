//! Sound in MP3 and FLAC without its tags, and the one thing a bitmap can hide: what stands behind its end.

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::{be32, le32, syncsafe, take};

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
    let rest = bytes.get(start..).unwrap_or_default();
    let n_noughts = rest.iter().take_while(|byte| **byte == 0).count();
    let is_frame = match rest.get(n_noughts..n_noughts + 2) {
        Some(&[0xff, second]) => second & 0xe0 == 0xe0 && second & 0x18 != 0x08,
        _ => false,
    };
    if !is_frame {
        return Err((start, Fault::Malformed));
    }
    let mut end = bytes.len();
    if let Some(tag) = end.checked_sub(128).filter(|tag| *tag >= start)
        && take(bytes, tag, 3) == Some(b"TAG")
    {
        parts.push(Part::gone(tag..end, tag + 3..end, Kind::Unknown));
        end = tag;
    }
    if let Some(foot) = end.checked_sub(32).filter(|foot| *foot >= start)
        && take(bytes, foot, 8) == Some(b"APETAGEX")
    {
        let length = le32(bytes, foot + 12).ok_or((foot, Fault::Malformed))?;
        let has_head = le32(bytes, foot + 20).is_some_and(|flags| flags & 0x8000_0000 != 0);
        let length = length + if has_head { 32 } else { 0 };
        let tag = end.checked_sub(length).filter(|tag| *tag >= start && *tag <= foot);
        let tag = tag.ok_or((foot, Fault::Malformed))?;
        parts.push(Part::gone(tag..end, tag..end, Kind::Unknown));
    }
    Ok(())
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
