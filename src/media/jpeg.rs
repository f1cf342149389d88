//! JPEG: which of its segments a decoder needs.
//!
//! Kept are the tables, frames and scans, JFIF without its thumbnail, Adobe's transform flag, and the colour profile.
//! Everything else goes: EXIF (of which only the turn of the picture stays), XMP, IPTC, comments, previews, the further
//! pictures of a multi-picture file, bytes between segments and behind the end.

use std::ops::Range;

use crate::media::anatomy::{Blank, Fault, Kind, Part};
use crate::media::bytes::be16;
use crate::media::exif;

const EXIF: &[u8] = b"Exif\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const MORE_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const PROFILE: &[u8] = b"ICC_PROFILE\0";
/// JFIF without a thumbnail.
const JFIF: usize = 14;

pub(super) fn read(bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), (usize, Fault)> {
    let mut reader = Reader { bytes, parts, has_turn: false, has_scan: false };
    let mut at = 2;
    while let Some(next) = reader.segment(at)? {
        at = next;
    }
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    parts: &'a mut Vec<Part>,
    /// Whether an EXIF segment was kept for the turn of the picture.
    has_turn: bool,
    has_scan: bool,
}

impl Reader<'_> {
    /// One segment, and where the next begins; `None` behind the last.
    fn segment(&mut self, at: usize) -> Result<Option<usize>, (usize, Fault)> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        // Decoders look for the next marker, whatever stands before it.
        let found = memchr::memchr(0xff, rest).ok_or((at, Fault::Truncated))?;
        let n_fill =
            rest.get(found..).unwrap_or_default().iter().take_while(|byte| **byte == 0xff).count();
        let marker_at = at + found + n_fill;
        let marker = *self.bytes.get(marker_at).ok_or((at, Fault::Truncated))?;
        if found > 0 {
            let span = at..at + found;
            let blank = Blank::Fill { first: Vec::new(), with: 0xff, last: Vec::new() };
            self.parts.push(Part::gone(span.clone(), span, Kind::Unknown).with_blank(blank));
        }
        match marker {
            0xd8 | 0x00 => return Err((at, Fault::Malformed)),
            0xd9 if !self.has_scan => return Err((at, Fault::Malformed)),
            0xd9 => {
                let end = marker_at + 1;
                if end < self.bytes.len() {
                    let span = end..self.bytes.len();
                    self.parts.push(Part::gone(span.clone(), span, Kind::Tail));
                }
                return Ok(None);
            }
            0x01 | 0xd0..=0xd7 => return Ok(Some(marker_at + 1)),
            _ => {}
        }
        let length = be16(self.bytes, marker_at + 1).ok_or((at, Fault::Truncated))?;
        if length < 2 {
            return Err((at, Fault::Malformed));
        }
        let end = marker_at + 1 + length;
        let content = marker_at + 3..end;
        let Some(held) = self.bytes.get(content.clone()) else {
            return Err((at, Fault::Truncated));
        };
        // The fill before a marker goes with its segment.
        let span = marker_at - 1..end;
        match marker {
            0xda => {
                self.has_scan = true;
                return self.scan(end).map(Some);
            }
            0xc0..=0xcf | 0xdb..=0xdf | 0xf7 | 0xf8 => {}
            _ => self.other(marker, held, span, content),
        }
        Ok(Some(end))
    }

    /// Where the compressed data of a scan ends.
    fn scan(&self, start: usize) -> Result<usize, (usize, Fault)> {
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let found = memchr::memchr(0xff, rest).ok_or((start, Fault::Truncated))?;
            match rest.get(found + 1) {
                // A byte that is stuffed, or a restart; JPEG-LS stuffs bits.
                Some(0x00..=0x7f | 0xd0..=0xd7) => at += found + 2,
                Some(0xff) => at += found + 1,
                Some(_) => return Ok(at + found),
                None => return Err((start, Fault::Truncated)),
            }
        }
    }

    /// A segment that is no part of the picture.
    fn other(&mut self, marker: u8, held: &[u8], span: Range<usize>, content: Range<usize>) {
        let inside = |prefix: usize| content.start + prefix..content.end;
        let (kind, read) = match marker {
            0xe0 if held.starts_with(b"JFIF\0") && held.len() >= JFIF => {
                self.jfif(held, span, content);
                return;
            }
            0xe2 if held.starts_with(PROFILE) && is_profile(held) => return,
            0xee if held.starts_with(b"Adobe") && held.len() == 12 => return,
            0xe1 if held.starts_with(EXIF) => {
                self.exif(held, span, inside(6.min(held.len())));
                return;
            }
            0xe1 if held.starts_with(XMP) => (Kind::Xmp, inside(XMP.len())),
            // Digest, length and offset stand before the piece.
            0xe1 if held.starts_with(MORE_XMP) && held.len() >= MORE_XMP.len() + 40 => {
                (Kind::XmpPiece, inside(MORE_XMP.len() + 40))
            }
            0xed if held.starts_with(PHOTOSHOP) => (Kind::Photoshop, inside(PHOTOSHOP.len())),
            0xfe => (Kind::Text, inside(0)),
            _ => (Kind::Unknown, inside(0)),
        };
        let blank = Blank::starting(self.head(&span));
        self.parts.push(Part::gone(span, read, kind).with_blank(blank));
    }

    /// Marker and length of a segment.
    fn head(&self, span: &Range<usize>) -> Vec<u8> {
        self.bytes.get(span.start..span.start + 4).unwrap_or_default().to_vec()
    }

    /// JFIF stays; the thumbnail in it goes.
    fn jfif(&mut self, held: &[u8], span: Range<usize>, content: Range<usize>) {
        let bare = held.get(..12).unwrap_or_default();
        if held.len() == JFIF && held.ends_with(&[0, 0]) {
            return;
        }
        let cut = [&[0xff, 0xe0, 0, 16], bare, &[0, 0]].concat();
        let blank = [&self.head(&span), bare, &[0, 0]].concat();
        let part = Part::gone(span, content, Kind::Nothing).with_blank(Blank::starting(blank));
        self.parts.push(Part { cut: Some(cut), ..part });
    }

    /// EXIF goes but for the turn of the picture: without it, the picture would lie on its side.
    fn exif(&mut self, held: &[u8], span: Range<usize>, content: Range<usize>) {
        let tiff = self.bytes.get(content.clone()).unwrap_or_default();
        let turn = exif::turn(tiff).filter(|_| !self.has_turn);
        let Some(turn) = turn else {
            let blank = [self.head(&span), b"Exif\0\0".to_vec(), exif::empty().to_vec()].concat();
            let blank = if blank.len() <= span.len() { blank } else { self.head(&span) };
            let part = Part::gone(span, content, Kind::Exif);
            self.parts.push(part.with_blank(Blank::starting(blank)));
            return;
        };
        self.has_turn = true;
        let minimal = [b"Exif\0\0".as_slice(), &exif::only_turn(turn)].concat();
        if held == minimal {
            return;
        }
        let length = u16::try_from(minimal.len() + 2).unwrap_or_default().to_be_bytes();
        let cut = [&[0xff, 0xe1], &length[..], &minimal].concat();
        let blank = [self.head(&span), minimal].concat();
        // One that is too short to be overwritten holds nothing else.
        let blank = if blank.len() <= span.len() { Blank::starting(blank) } else { Blank::zeros() };
        let part = Part::gone(span, content, Kind::Exif).with_blank(blank);
        self.parts.push(Part { cut: Some(cut), ..part });
    }
}

/// Whether a piece of a colour profile is one: the first has the profile's own signature.
fn is_profile(held: &[u8]) -> bool {
    let Some((&[number, count], data)) =
        held.get(PROFILE.len()..).and_then(|rest| rest.split_first_chunk::<2>())
    else {
        return false;
    };
    number >= 1 && number <= count && (number > 1 || data.get(36..40) == Some(b"acsp"))
}
