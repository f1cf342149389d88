//! IPTC records, and the blocks of Photoshop's that hold them.

use crate::media::bytes::{be16, be32, take};
use crate::media::words::Words;
use crate::media::{exif, xmp};

/// Names of the records that people fill in.
const LABELS: &[(u8, &str)] = &[
    (5, "title"),
    (25, "keywords"),
    (80, "author"),
    (90, "city"),
    (92, "location"),
    (105, "headline"),
    (116, "copyright"),
    (120, "caption"),
    (122, "writer"),
];

/// Records: a mark, two numbers, a length, a text.
pub(super) fn records(bytes: &[u8], words: &mut Words) {
    let mut at = 0;
    while bytes.get(at) == Some(&0x1c) {
        let (Some(&record), Some(&number), Some(mut length)) =
            (bytes.get(at + 1), bytes.get(at + 2), be16(bytes, at + 3))
        else {
            break;
        };
        let mut start = at + 5;
        if length & 0x8000 != 0 {
            // A length of its own length.
            let n = length & 0x7fff;
            let digits = take(bytes, start, n).filter(|_| n <= 4).unwrap_or_default();
            length = digits.iter().fold(0, |all, digit| all << 8 | usize::from(*digit));
            start += n;
        }
        let Some(value) = take(bytes, start, length) else { break };
        let label = LABELS.iter().find(|(known, _)| record == 2 && *known == number);
        words.loose(label.map(|(_, label)| *label), value);
        at = start + length;
    }
    // What follows no rule is looked through.
    words.runs(bytes.get(at..).unwrap_or_default());
}

/// Blocks: `8BIM`, a number, a name, a length, content.
pub(super) fn photoshop(bytes: &[u8], words: &mut Words) {
    let mut at = 0;
    while take(bytes, at, 4) == Some(b"8BIM") {
        let (Some(number), Some(&name_length)) = (be16(bytes, at + 4), bytes.get(at + 6)) else {
            break;
        };
        let name_length = usize::from(name_length);
        words.loose(None, take(bytes, at + 7, name_length).unwrap_or_default());
        let length_at = at + 6 + (1 + name_length).next_multiple_of(2);
        let Some(length) = be32(bytes, length_at) else { break };
        let Some(content) = take(bytes, length_at + 4, length) else { break };
        match number {
            0x0404 => records(content, words),
            0x0422 | 0x0423 => exif::words(content, words),
            0x0424 => xmp::words(content, words),
            // Previews, which are pictures.
            0x0409 | 0x040c => {}
            _ => words.runs(content),
        }
        at = length_at + 4 + length.next_multiple_of(2);
    }
    words.runs(bytes.get(at..).unwrap_or_default());
}
