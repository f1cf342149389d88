//! EXIF: a TIFF structure of tags, in pictures of every kind.
//!
//! Its words are read tag by tag, wherever its directories lead, each once. Of a picture that is stripped, only the turn
//! stays: a viewer that does not know it shows a portrait on its side.

use std::collections::HashSet;

use crate::media::bytes::{be16, be32, le16, le32, take};
use crate::media::words::{Words, utf16};
use crate::media::{iptc, xmp};

/// Most directories and entries that are followed; a camera's file has five and a few hundred.
const MOST_DIRECTORIES: usize = 64;
const MOST_ENTRIES: usize = 8192;

const TURN: usize = 0x0112;
const USER_COMMENT: usize = 0x9286;
const POINTERS: &[usize] = &[0x8769, 0x8825, 0xa005, 0x014a];
const GPS: usize = 0x8825;

/// Tags that hold a text, and what to call it.
const LABELS: &[(usize, &str)] = &[
    (0x010e, "description"),
    (0x013b, "artist"),
    (0x8298, "copyright"),
    (0x9286, "comment"),
    (0x9c9b, "title"),
    (0x9c9c, "comment"),
    (0x9c9d, "author"),
    (0x9c9e, "keywords"),
    (0x9c9f, "subject"),
    (0xa430, "owner"),
];

/// EXIF that says nothing.
pub(super) const fn empty() -> [u8; 14] {
    *b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
}

/// EXIF that says how a picture is turned and nothing else.
pub(super) fn only_turn(turn: u8) -> [u8; 26] {
    let mut exif = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    if let Some(byte) = exif.get_mut(19) {
        *byte = turn;
    }
    exif
}

/// How a picture is turned, where that is another way than it stands.
pub(super) fn turn(tiff: &[u8]) -> Option<u8> {
    let reader = Reader::new(tiff)?;
    let first = reader.long(4)?;
    let n_entries = reader.short(first)?.min(512);
    (0..n_entries).find_map(|n| {
        let at = first + 2 + n * 12;
        let is_turn = reader.short(at)? == TURN && reader.short(at + 2)? == 3;
        let turn = reader.short(at + 8).filter(|_| is_turn)?;
        u8::try_from(turn).ok().filter(|turn| matches!(turn, 2..=8))
    })
}

/// Every text of it, and the place where the picture was taken.
pub(super) fn words(tiff: &[u8], words: &mut Words) {
    let Some(reader) = Reader::new(tiff) else {
        words.runs(tiff);
        return;
    };
    let mut left = vec![(reader.long(4).unwrap_or_default(), false)];
    let mut seen = HashSet::new();
    let mut n_entries = 0;
    // Values may lie upon each other: all together, they are read as often as the block is long, and a little.
    let mut budget = tiff.len().saturating_mul(2);
    while let Some((at, is_gps)) = left.pop() {
        if at < 8 || !seen.insert(at) || seen.len() > MOST_DIRECTORIES {
            continue;
        }
        let n = reader.short(at).unwrap_or_default();
        let mut place = Place::default();
        for entry in 0..n {
            n_entries += 1;
            let Some(entry) =
                reader.entry(at + 2 + entry * 12).filter(|_| n_entries < MOST_ENTRIES)
            else {
                break;
            };
            if POINTERS.contains(&entry.tag) {
                for n in 0..entry.count.min(8) {
                    left.extend(reader.long(entry.at + 4 * n).map(|to| (to, entry.tag == GPS)));
                }
                continue;
            }
            if is_gps && place.note(&reader, &entry) {
                continue;
            }
            let Some(value) = take(tiff, entry.at, entry.length) else { continue };
            let Some(after) = budget.checked_sub(value.len()) else { return };
            budget = after;
            reader.value(&entry, value, words);
        }
        left.extend(reader.long(at + 2 + n * 12).map(|next| (next, is_gps)));
        place.say(words);
    }
}

/// Where a picture was taken.
#[derive(Default)]
struct Place {
    south: bool,
    west: bool,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl Place {
    /// Whether an entry says a part of the place.
    fn note(&mut self, reader: &Reader<'_>, entry: &Entry) -> bool {
        let letter = reader.tiff.get(entry.at).map(u8::to_ascii_uppercase);
        match entry.tag {
            1 => self.south = letter == Some(b'S'),
            2 => self.latitude = reader.degrees(entry),
            3 => self.west = letter == Some(b'W'),
            4 => self.longitude = reader.degrees(entry),
            _ => return false,
        }
        true
    }

    fn say(&self, words: &mut Words) {
        if let (Some(latitude), Some(longitude)) = (self.latitude, self.longitude) {
            let signed = |degrees: f64, minus: bool| if minus { -degrees } else { degrees };
            words.position(signed(latitude, self.south), signed(longitude, self.west));
        }
    }
}

struct Entry {
    tag: usize,
    kind: usize,
    count: usize,
    /// Where its value stands, and how long it is.
    at: usize,
    length: usize,
}

struct Reader<'a> {
    tiff: &'a [u8],
    is_big: bool,
}

impl<'a> Reader<'a> {
    fn new(tiff: &'a [u8]) -> Option<Self> {
        match tiff.get(..4)? {
            b"MM\0*" => Some(Self { tiff, is_big: true }),
            b"II*\0" => Some(Self { tiff, is_big: false }),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<usize> {
        if self.is_big { be16(self.tiff, at) } else { le16(self.tiff, at) }
    }

    fn long(&self, at: usize) -> Option<usize> {
        if self.is_big { be32(self.tiff, at) } else { le32(self.tiff, at) }
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let (tag, kind, count) = (self.short(at)?, self.short(at + 2)?, self.long(at + 4)?);
        let size = match kind {
            1 | 2 | 6 | 7 | 129 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return Some(Entry { tag, kind, count: 0, at: at + 8, length: 0 }),
        };
        let length = count.saturating_mul(size);
        let at = if length <= 4 { at + 8 } else { self.long(at + 8)? };
        Some(Entry { tag, kind, count, at, length })
    }

    /// Degrees, minutes and seconds, each a fraction.
    fn degrees(&self, entry: &Entry) -> Option<f64> {
        let mut degrees = 0.0;
        for n in 0..entry.count.min(3) {
            let part = |at| self.long(at).and_then(|number| u32::try_from(number).ok());
            let (above, below) = (part(entry.at + 8 * n)?, part(entry.at + 8 * n + 4)?);
            let share = [1.0, 60.0, 3600.0].get(n)?;
            if below > 0 {
                degrees += f64::from(above) / f64::from(below) / share;
            }
        }
        Some(degrees)
    }

    fn value(&self, entry: &Entry, value: &[u8], words: &mut Words) {
        let label = LABELS.iter().find(|(tag, _)| *tag == entry.tag).map(|(_, label)| *label);
        match entry.tag {
            0x9c9b..=0x9c9f => words.text(label, utf16(value, false)),
            USER_COMMENT => match value.split_at_checked(8) {
                Some((b"UNICODE\0", text)) => {
                    // Some write it the other end first, whatever the rest of the file is.
                    let first_nought = text.iter().position(|byte| *byte == 0);
                    let big = first_nought.map_or(self.is_big, |at| at % 2 == 0);
                    words.text(label, utf16(text, big));
                }
                Some((_, text)) => words.loose(label, text),
                None => words.loose(label, value),
            },
            0x02bc => xmp::words(value, words),
            0x83bb => iptc::records(value, words),
            0x8649 => iptc::photoshop(value, words),
            _ if matches!(entry.kind, 2 | 129) => words.loose(label, value),
            _ if matches!(entry.kind, 1 | 7) && entry.length > 4 => words.runs(value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{empty, only_turn, turn};

    #[test]
    fn the_turn_is_read_and_written() {
        for n in 2..=8 {
            assert_eq!(turn(&only_turn(n)), Some(n));
        }
        assert_eq!(turn(&only_turn(1)), None);
        assert_eq!(turn(&empty()), None);
        assert_eq!(turn(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), Some(6));
        assert_eq!(turn(b"MM\0*\xff\xff\xff\xff"), None);
    }
}
