//! EXIF: a TIFF structure of tags, in pictures of every kind.
//!
//! Its words are read tag by tag, wherever its directories lead, each once. Of a picture that is stripped, only the turn
//! stays: a viewer that does not know it shows a portrait on its side.

use std::collections::HashSet;

use crate::media::bytes::{be16, be32, le16, le32};
use crate::media::words::{Words, utf16};
use crate::media::{iptc, xmp};

/// Most directories and entries that are followed; a camera's file has five and a few hundred.
const MOST_DIRECTORIES: usize = 64;
const MOST_ENTRIES: usize = 8192;
/// How deep one EXIF may lie in another.
const MOST_DEPTH: u8 = 4;

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

/// Every text of it, and the place where the picture was taken. What lies deeper, or is more, than any camera or program
/// writes is not read, and said so.
pub(super) fn words(tiff: &[u8], words: &mut Words) {
    // One may hold a block of Photoshop's, and that another EXIF.
    if words.exif_depth >= MOST_DEPTH {
        words.unread = true;
        return;
    }
    if words.exif_depth == 0 {
        // Values may lie upon each other, or within each other: all together, they are read as often as the outermost
        // block is long, and once again.
        words.exif_budget = tiff.len().saturating_mul(2);
    }
    words.exif_depth += 1;
    match Reader::new(tiff) {
        Some(reader) => reader.directories(words),
        None => words.runs(tiff),
    }
    words.exif_depth -= 1;
}

/// Directories that are still to be read; each is, once.
#[derive(Default)]
struct Ahead {
    left: Vec<(usize, bool)>,
    seen: HashSet<(usize, bool)>,
}

impl Ahead {
    /// Whether there was room for it; none is needed for what is no directory, or was followed before.
    fn follow(&mut self, at: usize, is_gps: bool, length: usize) -> bool {
        if !(8..length).contains(&at) || self.seen.contains(&(at, is_gps)) {
            return true;
        }
        let has_room = self.seen.len() < MOST_DIRECTORIES;
        if has_room {
            self.seen.insert((at, is_gps));
            self.left.push((at, is_gps));
        }
        has_room
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

impl Entry {
    /// Whether its value is words, or may hold some: numbers are none.
    fn is_read(&self) -> bool {
        matches!(self.tag, 0x9c9b..=0x9c9f | USER_COMMENT | 0x02bc | 0x83bb | 0x8649)
            || matches!(self.kind, 2 | 129)
            || (matches!(self.kind, 1 | 7) && self.length > 4)
    }
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

    fn directories(&self, words: &mut Words) {
        let length = self.tiff.len();
        let mut ahead = Ahead::default();
        ahead.follow(self.long(4).unwrap_or_default(), false, length);
        let mut n_entries = 0;
        while let Some((at, is_gps)) = ahead.left.pop() {
            let n = self.short(at).unwrap_or_default();
            let mut place = Place::default();
            for entry in 0..n {
                let Some(entry) = self.entry(at + 2 + entry * 12) else { break };
                n_entries += 1;
                if n_entries > MOST_ENTRIES {
                    words.unread = true;
                    break;
                }
                if POINTERS.contains(&entry.tag) {
                    // Some readers follow the first whatever its type is said to be.
                    let n_pointers = entry.count.max(1);
                    words.unread |= n_pointers > MOST_DIRECTORIES;
                    for n in 0..n_pointers.min(MOST_DIRECTORIES) {
                        let Some(to) = self.long(entry.at + 4 * n) else { break };
                        words.unread |= !ahead.follow(to, entry.tag == GPS, length);
                    }
                    continue;
                }
                if is_gps && place.note(self, &entry) {
                    continue;
                }
                self.charged(&entry, words);
            }
            let next = self.long(at + 2 + n * 12).unwrap_or_default();
            words.unread |= !ahead.follow(next, is_gps, length);
            place.say(words);
        }
    }

    /// Reads a value, if it is one that says something, as far as it is there and the budget goes.
    fn charged(&self, entry: &Entry, words: &mut Words) {
        if !entry.is_read() {
            return;
        }
        let held = self.tiff.get(entry.at..).unwrap_or_default();
        let value = held.get(..entry.length).unwrap_or(held);
        match words.exif_budget.checked_sub(value.len()) {
            Some(left) => {
                words.exif_budget = left;
                self.value(entry, value, words);
            }
            None => words.unread = true,
        }
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
            _ => words.runs(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{empty, only_turn, turn, words};
    use crate::media::words::Words;

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

    /// A directory of these entries (tag, type, count, value or where it stands), and what follows it.
    fn directory(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
        let mut out = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
        for (tag, kind, count, value) in entries {
            out.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
            out.extend([count.to_be_bytes(), value.to_be_bytes()].concat());
        }
        out.extend(next.to_be_bytes());
        out
    }

    fn said(tiff: &[u8]) -> (Vec<String>, bool) {
        let mut found = Words::default();
        words(tiff, &mut found);
        let texts = found.captions.iter().map(|caption| caption.text.expose().to_owned());
        (texts.collect(), found.unread)
    }

    const HEAD: &[u8] = b"MM\0*\0\0\0\x08";

    /// EXIF in a block of Photoshop's in EXIF, so many times.
    fn nested(depth: usize) -> Vec<u8> {
        let mut tiff = [HEAD, &directory(&[(0x010e, 2, 8, 26)], 0), b"Jane Roe"].concat();
        for _ in 0..depth {
            let mut block = b"8BIM\x04\x22\0\0".to_vec();
            block.extend(u32::try_from(tiff.len()).unwrap().to_be_bytes());
            block.extend(tiff);
            let length = u32::try_from(block.len()).unwrap();
            tiff = [HEAD, &directory(&[(0x8649, 7, length, 26)], 0), &block].concat();
        }
        tiff
    }

    #[test]
    fn exif_in_exif_is_read_so_deep_and_no_deeper() {
        assert_eq!(said(&nested(1)), (vec!["Jane Roe".to_owned()], false));
        assert!(said(&nested(4)).1);
        // Deep enough for a stack to end, were it followed.
        assert!(said(&nested(2000)).1);
    }

    #[test]
    fn what_says_nothing_uses_nothing_up() {
        // Two rows of numbers over the whole block, and a text.
        let entries = [(0x1000, 3, 30, 0), (0x1001, 3, 30, 0), (0x010e, 2, 8, 50)];
        let tiff = [HEAD, &directory(&entries, 0), b"Jane Roe"].concat();
        assert_eq!(said(&tiff), (vec!["Jane Roe".to_owned()], false));
        // A text that is said to be longer than the block.
        let tiff = [HEAD, &directory(&[(0x010e, 2, 4000, 26)], 0), b"Jane Roe"].concat();
        assert_eq!(said(&tiff), (vec!["Jane Roe".to_owned()], false));
    }

    #[test]
    fn every_limit_is_said() {
        // Texts over each other.
        let entries = [(0x010e, 2, 58, 0), (0x010e, 2, 58, 0), (0x010e, 2, 58, 0)];
        let tiff = [HEAD, &directory(&entries, 0), b"Jane Roe"].concat();
        assert!(said(&tiff).1);
        // More entries than any file has.
        let tiff = [HEAD, &directory(&vec![(0x1000, 3, 1, 0); 9000], 0)].concat();
        assert!(said(&tiff).1);
        // More directories, one after another.
        let chain = |n: u32| {
            let mut tiff = HEAD.to_vec();
            for at in 1..n {
                tiff.extend(directory(&[], 8 + 6 * at));
            }
            tiff.extend(directory(&[(0x010e, 2, 4, 0x4a61_6e65)], 0));
            said(&tiff)
        };
        assert_eq!(chain(64), (vec!["Jane".to_owned()], false));
        assert!(chain(65).1);
        // More of them side by side.
        let tiff = [HEAD, &directory(&[(0x014a, 4, 65, 26)], 0), &[0; 300]].concat();
        assert!(said(&tiff).1);
    }
}
