//! Walks over a header block: is it one (RFC 7541), and does it name a pseudo-header? Of the dynamic table only the sizes are kept, for
//! they alone say which indexes exist.

use std::collections::VecDeque;

use crate::proxy::frames::huffman;

/// The size of the table that the library grants: the default, as its settings name no other (RFC 7541, 4.2).
const MOST_TABLE: usize = 4096;
/// What an entry counts beside its letters (RFC 7541, 4.1).
const OVERHEAD: usize = 32;
/// Of the static table, the first entries are pseudo-headers.
const MOST_PSEUDO: usize = 14;
/// How long the names of the static table are (RFC 7541, appendix A).
const STATIC_NAMES: [u8; 61] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14,
    16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10,
    25, 17, 10, 4, 3, 16,
];

/// These bytes are no header block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoBlock;

/// One entry of the dynamic table.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: usize,
    size: usize,
    is_pseudo: bool,
}

/// What a field's name is, as far as anybody asks.
#[derive(Clone, Copy, Debug)]
struct Name {
    length: usize,
    is_pseudo: bool,
}

/// What a connection's blocks have left behind.
#[derive(Debug)]
pub(super) struct Walker {
    entries: VecDeque<Entry>,
    size: usize,
    most: usize,
}

impl Default for Walker {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, most: MOST_TABLE }
    }
}

impl Walker {
    /// Walks over a whole block. Says whether a pseudo-header is in it.
    pub(super) fn walk(&mut self, block: &[u8]) -> Result<bool, NoBlock> {
        let mut rest = block;
        let (mut has_pseudo, mut has_field) = (false, false);
        while let Some(first) = rest.first().copied() {
            let is_pseudo = if first & 0x80 != 0 {
                let index = number(&mut rest, 7)?;
                self.name(index)?.is_pseudo
            } else if first & 0xC0 == 0x40 {
                let (name, value) = self.literal(&mut rest, 6)?;
                self.insert(name, value);
                name.is_pseudo
            } else if first & 0xE0 == 0x20 {
                let most = number(&mut rest, 5)?;
                if has_field || most > MOST_TABLE {
                    return Err(NoBlock);
                }
                self.most = most;
                self.evict(0);
                continue;
            } else {
                self.literal(&mut rest, 4)?.0.is_pseudo
            };
            has_field = true;
            has_pseudo |= is_pseudo;
        }
        Ok(has_pseudo)
    }

    /// The name of an entry of either table.
    fn name(&self, index: usize) -> Result<Name, NoBlock> {
        let place = index.checked_sub(1).ok_or(NoBlock)?;
        if let Some(length) = STATIC_NAMES.get(place) {
            return Ok(Name { length: usize::from(*length), is_pseudo: index <= MOST_PSEUDO });
        }
        let entry = self.entries.get(place - STATIC_NAMES.len()).ok_or(NoBlock)?;
        Ok(Name { length: entry.name, is_pseudo: entry.is_pseudo })
    }

    /// A field whose name is an entry's or stands beside it; its name, and the length of its value.
    fn literal(&self, rest: &mut &[u8], bits: u32) -> Result<(Name, usize), NoBlock> {
        let name = match number(rest, bits)? {
            0 => string(rest)?,
            index => self.name(index)?,
        };
        Ok((name, string(rest)?.length))
    }

    fn insert(&mut self, name: Name, value: usize) {
        let size = name.length.saturating_add(value).saturating_add(OVERHEAD);
        self.evict(size);
        if size <= self.most {
            self.size += size;
            self.entries.push_front(Entry { name: name.length, size, is_pseudo: name.is_pseudo });
        }
    }

    /// Makes room for so much.
    fn evict(&mut self, size: usize) {
        while self.size.saturating_add(size) > self.most {
            let Some(entry) = self.entries.pop_back() else { return };
            self.size -= entry.size;
        }
    }
}

/// An integer with a prefix of so many bits (RFC 7541, 5.1). None here is larger than a block.
fn number(rest: &mut &[u8], bits: u32) -> Result<usize, NoBlock> {
    let mask = (1_u8 << bits) - 1;
    let (first, mut bytes) = rest.split_first().ok_or(NoBlock)?;
    let mut value = usize::from(first & mask);
    if first & mask == mask {
        let mut shift = 0;
        loop {
            let (byte, more) = bytes.split_first().ok_or(NoBlock)?;
            bytes = more;
            value += usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            if shift > 21 {
                return Err(NoBlock);
            }
        }
    }
    *rest = bytes;
    Ok(value)
}

fn string(rest: &mut &[u8]) -> Result<Name, NoBlock> {
    let is_coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = number(rest, 7)?;
    let text = rest.get(..length).ok_or(NoBlock)?;
    *rest = rest.get(length..).unwrap_or_default();
    if is_coded {
        let coded = huffman::measure(text).ok_or(NoBlock)?;
        return Ok(Name { length: coded.length, is_pseudo: coded.colon });
    }
    Ok(Name { length, is_pseudo: text.first() == Some(&b':') })
}

#[cfg(test)]
mod tests {
    use super::{NoBlock, STATIC_NAMES, Walker};

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
    }

    /// RFC 7541, C.3 to C.4: three requests each on one connection; the sizes of the table after each.
    #[test]
    fn examples_of_the_rfc() {
        let plain = [
            ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", 57),
            ("8286 84be 5808 6e6f 2d63 6163 6865", 110),
            ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", 164),
        ];
        let coded = [
            ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", 57),
            ("8286 84be 5886 a8eb 1064 9cbf", 110),
            ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", 164),
        ];
        for blocks in [plain, coded] {
            let mut walker = Walker::default();
            for (block, size) in blocks {
                assert_eq!(walker.walk(&bytes(block)), Ok(true), "{block}");
                assert_eq!(walker.size, size, "{block}");
            }
            // The newest entry is a header, the oldest a pseudo-header.
            assert_eq!(walker.walk(&[0xBE]), Ok(false));
            assert_eq!(walker.walk(&[0xC0]), Ok(true));
            assert_eq!(walker.walk(&[0xC1]), Err(NoBlock));
        }
        assert_eq!(STATIC_NAMES.iter().map(|length| usize::from(*length)).sum::<usize>(), 622);
    }

    #[test]
    fn what_is_no_block() {
        let wrong = [
            "80",
            "c6",
            "ff80808080 01",
            "7f07 04 74657374",
            "40",
            "4003 6162",
            "4001 61",
            "82 3f45",
            "3fe11f 82 3fe11f",
            "3fe21f",
            "00 01 78 81 18",
            "00 01 78 84 ffffffff",
            "00 01 78 84 497f ffff",
        ];
        for block in wrong {
            assert_eq!(Walker::default().walk(&bytes(block)), Err(NoBlock), "{block}");
        }
        for (block, has_pseudo) in [
            ("", false),
            ("20 3fe11f 82", true),
            ("0f2e 00", false),
            ("10 02 3a61 00", true),
            ("00 81 b9 00", true),
        ] {
            assert_eq!(Walker::default().walk(&bytes(block)), Ok(has_pseudo), "{block}");
        }
    }

    #[test]
    fn entries_go_where_there_is_no_room() {
        let mut walker = Walker::default();
        let long = [&[0x40, 1, b'x', 0x7F, 0xA1, 0x1E][..], &[b'y'; 4000]].concat();
        walker.walk(&long).unwrap();
        assert_eq!((walker.entries.len(), walker.size), (1, 4033));
        walker
            .walk(&[0x40, 1, b'x', 40].iter().copied().chain([b'y'; 40]).collect::<Vec<_>>())
            .unwrap();
        assert_eq!((walker.entries.len(), walker.size), (1, 73));
        walker.walk(&[0x20]).unwrap();
        assert_eq!((walker.entries.len(), walker.size), (0, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_a_panic(blocks: Vec<Vec<u8>>) {
            let mut walker = Walker::default();
            for block in blocks {
                let _ = walker.walk(&block);
                assert!(walker.size <= walker.most && walker.entries.len() <= 128);
            }
        }
    }
}
