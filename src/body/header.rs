//! The first bytes of media formats, and what must follow them.
//!
//! Two or three bytes of magic are soon put before a text, so each format is held to what its decoder would refuse: sizes that
//! fit, markers in their place, the next frame where the last one ends. What lies beyond the bytes at hand is taken on trust:
//! a long body is judged by its start.

use memchr::memmem;

/// Whether bytes begin as a file of pictures, sound or film.
pub(super) fn is_media(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xD8, ..] => is_jpeg(bytes),
        [0x89, b'P', ..] => is_png(bytes),
        [b'G', b'I', b'F', b'8', ..] => is_gif(bytes),
        [b'B', b'M', ..] => is_bmp(bytes),
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => is_tiff(bytes),
        [b'R', b'I', b'F', b'F', ..] => is_riff(bytes),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => is_matroska(bytes),
        [b'O', b'g', b'g', b'S', 0, kind, ..] => *kind < 8 && is_zeros(bytes, 6..14),
        [b'f', b'L', b'a', b'C', ..] => matches!(bytes.get(4..8), Some([0 | 0x80, 0, 0, 34])),
        [b'I', b'D', b'3', ..] => is_id3(bytes),
        // JPEG XL, JPEG 2000 and MPEG, each a bare stream.
        [0xFF, 0x0A, ..] | [0xFF, 0x4F, 0xFF, 0x51, 0, ..] | [0, 0, 1, 0xB3, ..] => true,
        [0xFF, second, ..] if second & 0xE0 == 0xE0 => is_frames(bytes),
        [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, ..] => flags & 0xFA == 0,
        [0, 0, 1, 0xBA, ..] => is_program(bytes),
        [0x47, ..] => is_transport(bytes),
        [0x30, 0x26, 0xB2, ..] => bytes.starts_with(ASF),
        [0, 0, 0, 0x0C, ..] => {
            bytes.starts_with(b"\0\0\0\x0CjP  \r\n\x87\n")
                || bytes.starts_with(b"\0\0\0\x0CJXL \r\n\x87\n")
        }
        _ => is_iso(bytes),
    }
}

const ASF: &[u8] = b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C";

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*two)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_le_bytes(*four))
}

/// Whether those of these bytes that are at hand are nought.
fn is_zeros(bytes: &[u8], range: std::ops::Range<usize>) -> bool {
    bytes.iter().take(range.end).skip(range.start).all(|byte| *byte == 0)
}

/// Segments follow one another up to the first scan.
fn is_jpeg(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut n_segments = 0;
    while at + 4 <= bytes.len() {
        let Some([0xFF, marker]) = bytes.get(at..at + 2) else { return false };
        match marker {
            // Fill bytes.
            0xFF => {
                at += 1;
                continue;
            }
            0xC0..=0xCF | 0xDB..=0xFE => {}
            0xDA => return n_segments > 0,
            _ => return false,
        }
        match be16(bytes, at + 2) {
            Some(length) if length >= 2 => at += 2 + length,
            _ => return false,
        }
        n_segments += 1;
    }
    bytes.get(2) == Some(&0xFF)
}

fn is_png(bytes: &[u8]) -> bool {
    let starts = bytes.starts_with(b"\x89PNG\r\n\x1A\n");
    // Apple's own PNGs have a chunk before the header.
    let first = bytes.get(12..16);
    if !starts || first == Some(b"CgBI") {
        return starts;
    }
    let header_is_first = first == Some(b"IHDR") && be32(bytes, 8) == Some(13);
    let Some([depth, colour, 0, 0, 0 | 1]) = bytes.get(24..29) else {
        return header_is_first && bytes.len() < 29;
    };
    let sized = |at| be32(bytes, at).is_some_and(|size| (1..=0x7FFF_FFFF).contains(&size));
    let next = bytes.get(37..41).is_none_or(|name| name.iter().all(u8::is_ascii_alphabetic));
    header_is_first
        && sized(16)
        && sized(20)
        && matches!(depth, 1 | 2 | 4 | 8 | 16)
        && matches!(colour, 0 | 2 | 3 | 4 | 6)
        && next
}

fn is_gif(bytes: &[u8]) -> bool {
    if !matches!(bytes.get(4..6), Some(b"7a" | b"9a")) {
        return false;
    }
    let Some(flags) = bytes.get(10) else { return true };
    let colours = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let block = 13 + colours;
    match (bytes.get(block), bytes.get(block + 1)) {
        (Some(0x21), Some(label)) => matches!(label, 0x01 | 0xF9 | 0xFE | 0xFF),
        // An image: its place, flags, its own colours, and how many bits its codes have.
        (Some(0x2C), Some(_)) => {
            let own = bytes
                .get(block + 9)
                .map_or(0, |flags| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) });
            bytes.get(block + 10 + own).is_none_or(|bits| (2..=11).contains(bits))
        }
        (Some(0x2C | 0x21 | 0x3B), None) | (None, _) => true,
        _ => false,
    }
}

fn is_bmp(bytes: &[u8]) -> bool {
    const HEADERS: [u32; 7] = [12, 40, 52, 56, 64, 108, 124];
    is_zeros(bytes, 6..10)
        && le32(bytes, 10).is_none_or(|offset| (26..0x1_0000).contains(&offset))
        && le32(bytes, 14).is_none_or(|length| HEADERS.contains(&length))
}

fn is_tiff(bytes: &[u8]) -> bool {
    let read = if bytes.first() == Some(&b'I') { le32 } else { be32 };
    if bytes.contains(&b'+') && matches!(bytes.get(2..4), Some([b'+', 0] | [0, b'+'])) {
        return bytes.len() < 8 || matches!(bytes.get(4..8), Some([8, 0, 0, 0] | [0, 8, 0, 0]));
    }
    // The first directory, and how many entries it has.
    let Some(offset) = read(bytes, 4) else { return bytes.len() < 8 };
    let directory = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)?.first_chunk::<2>());
    let n_entries = directory.map(|two| {
        if bytes.first() == Some(&b'I') {
            u16::from_le_bytes(*two)
        } else {
            u16::from_be_bytes(*two)
        }
    });
    // Letters in its place come to more than any picture is long.
    (8..0x1000_0000).contains(&offset) && n_entries.is_none_or(|n| (1..=1000).contains(&n))
}

fn is_riff(bytes: &[u8]) -> bool {
    let first: &[&[u8]] = match bytes.get(8..12) {
        Some(b"WEBP") => &[b"VP8 ", b"VP8L", b"VP8X"],
        Some(b"WAVE") => &[b"fmt ", b"JUNK", b"junk", b"bext", b"ds64", b"LIST", b"fact", b"PAD "],
        Some(b"AVI ") => &[b"LIST", b"JUNK"],
        _ => return false,
    };
    bytes.get(12..16).is_none_or(|name| first.contains(&name)) && begins_frame(bytes)
}

/// Of a `WebP` picture, the code that starts a frame.
fn begins_frame(bytes: &[u8]) -> bool {
    match bytes.get(12..16) {
        Some(b"VP8 ") => bytes.get(23..26).is_none_or(|code| code == b"\x9D\x01\x2A"),
        Some(b"VP8L") => bytes.get(20).is_none_or(|code| *code == 0x2F),
        Some(b"VP8X") => is_zeros(bytes, 21..24),
        _ => true,
    }
}

fn is_matroska(bytes: &[u8]) -> bool {
    let head = bytes.get(..64).unwrap_or(bytes);
    head.len() < 32
        || memmem::find(head, b"webm").is_some()
        || memmem::find(head, b"matroska").is_some()
}

/// A tag before the sound: its version, and a size of seven bits a byte.
fn is_id3(bytes: &[u8]) -> bool {
    let version = bytes.get(3).is_none_or(|version| (2..=4).contains(version));
    let flags = bytes.get(5).is_none_or(|flags| flags.trailing_zeros() >= 4);
    let size = bytes.iter().take(10).skip(6).all(|byte| byte & 0x80 == 0);
    let frame = bytes.get(10..13).is_none_or(|name| {
        name == [0; 3] || name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    version && flags && size && frame
}

/// Frames of MP3 or AAC: a second begins where the first one ends.
fn is_frames(bytes: &[u8]) -> bool {
    let length =
        |at| bytes.get(at..).and_then(|frame| mp3_frame(frame).or_else(|| aac_frame(frame)));
    let Some(first) = length(0) else { return false };
    bytes.get(first..first + 8).is_none() || length(first).is_some()
}

/// The length of a frame of MPEG sound (ISO 11172-3, 2.4.2.3).
fn mp3_frame(frame: &[u8]) -> Option<usize> {
    const RATES_1: [usize; 16] =
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    const RATES_2: [usize; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    let [0xFF, second, third, ..] = frame else { return None };
    let is_first = second & 0xF8 == 0xF8;
    // Layer III, of MPEG 1, 2 or 2.5.
    if second & 0xE6 != 0xE2 || second & 0x18 == 0x08 {
        return None;
    }
    let rates = if is_first { RATES_1 } else { RATES_2 };
    let rate = *rates.get(usize::from(third >> 4))?;
    let per_second = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))?;
    let divisor = match second & 0x18 {
        0x18 => 1,
        0x10 => 2,
        _ => 4,
    };
    let coefficient = if is_first { 144_000 } else { 72_000 };
    let padding = usize::from(third >> 1 & 1);
    (rate > 0).then(|| coefficient * rate * divisor / per_second + padding)
}

/// The length of a frame of AAC in its transport stream (ISO 13818-7, 6.2).
fn aac_frame(frame: &[u8]) -> Option<usize> {
    let [0xFF, second, third, fourth, fifth, sixth, ..] = frame else { return None };
    let sound = second & 0xF6 == 0xF0 && third >> 2 & 0x0F < 13;
    let length = usize::from(fourth & 3) << 11 | usize::from(*fifth) << 3 | usize::from(sixth >> 5);
    (sound && length >= 7).then_some(length)
}

/// A pack of MPEG-1 or MPEG-2: bits of its clock are always one.
fn is_program(bytes: &[u8]) -> bool {
    let has = |at: usize, mask: u8, want: u8| bytes.get(at).is_none_or(|byte| byte & mask == want);
    (has(4, 0xC4, 0x44) && has(6, 4, 4) && has(8, 4, 4) && has(9, 1, 1))
        || (has(4, 0xF1, 0x21) && has(6, 1, 1) && has(8, 1, 1))
}

/// Packets of 188 bytes each, of which the first three are at hand.
fn is_transport(bytes: &[u8]) -> bool {
    [188, 376].into_iter().all(|at| bytes.get(at) == Some(&0x47))
}

/// ISO media: MP4, `QuickTime`, HEIC, AVIF, M4A. A box says how long it is before it says what it is.
fn is_iso(bytes: &[u8]) -> bool {
    let (Some(length), Some(name)) = (be32(bytes, 0), bytes.get(4..8)) else { return false };
    match name {
        b"ftyp" => {
            let brand = bytes.get(8..12).is_none_or(|b| b.iter().all(|c| matches!(c, b' '..=b'~')));
            (12..=4096).contains(&length) && length % 4 == 0 && brand
        }
        // Without a brand, as QuickTime begins: no text is as long as its first letters would have it.
        b"moov" | b"mdat" | b"wide" | b"moof" | b"styp" | b"sidx" => length < 0x2000_0000,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_media;

    /// The start of a file as its encoder writes it.
    fn files() -> Vec<(&'static str, Vec<u8>)> {
        let mp3 = |n: usize| [&b"\xFF\xFB\x90\x64"[..], &vec![0; n]].concat();
        let transport: Vec<u8> =
            (0..600).map(|at| if at % 188 == 0 { 0x47 } else { 0xA5 }).collect();
        vec![
            ("jpeg", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xFF\xDB\0\x43\0".to_vec()),
            ("jpeg of a camera", b"\xFF\xD8\xFF\xE1\x12\x34Exif\0\0II*\0".to_vec()),
            ("png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0\x08\x06\0\0\0\xAB\xCD\xEF\x01\0\0\0\x09pHYs".to_vec()),
            ("png cut", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".to_vec()),
            ("gif", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF!\xF9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;".to_vec()),
            ("gif without colours", b"GIF87a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02".to_vec()),
            ("bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0".to_vec()),
            ("tiff", b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0".to_vec()),
            ("tiff, high byte first", b"MM\0*\0\0\x10\0".to_vec()),
            ("webp", b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9D\x01\x2A".to_vec()),
            ("webp lossless", b"RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2F\0".to_vec()),
            ("wave", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0".to_vec()),
            ("webm", b"\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\xF7\x81\x01\x42\xF2\x81\x04\x42\xF3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04".to_vec()),
            ("ogg", b"OggS\0\x02\0\0\0\0\0\0\0\0\x12\x34\x56\x78".to_vec()),
            ("flac", b"fLaC\0\0\0\x22\x10\0".to_vec()),
            ("mp3 with a tag", b"ID3\x04\0\0\0\0\x01\x7FTIT2\0\0".to_vec()),
            ("mp3", [mp3(413), mp3(413)].concat()),
            ("aac", b"\xFF\xF1\x50\x80\x01\x1F\xFC\xDE".to_vec()),
            ("flv", b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec()),
            ("mpeg", b"\0\0\x01\xBA\x44\0\x04\0\x04\x01".to_vec()),
            ("mpeg transport", transport),
            ("jpeg xl", b"\0\0\0\x0CJXL \r\n\x87\n".to_vec()),
            ("mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec()),
            ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
            ("quicktime", b"\0\0\0\x08wide\0\x12\x34\x56mdat".to_vec()),
        ]
    }

    #[test]
    fn media_begins_as_its_encoders_write_it() {
        for (name, file) in files() {
            assert!(is_media(&file), "{name}");
        }
    }

    #[test]
    fn a_text_after_the_first_bytes_of_media_is_none() {
        let text = b"Castellano, Jose; MRN 00412345; 03/14/1961\r\n".repeat(100);
        for magic in [
            &b"\xFF\xD8\xFF"[..],
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0",
            b"\x89PNG\r\n\x1A\n",
            b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR",
            b"GIF89a",
            b"GIF89a\x01\0\x01\0",
            b"BM",
            b"BM\x01\x01\x01\x01\0\0\0\0",
            b"II*\0",
            b"RIFF\x24\0\0\0WEBPVP8 ",
            b"\x1A\x45\xDF\xA3",
            b"OggS\0",
            b"fLaC\0",
            b"ID3\x03\0\0",
            b"\xFF\xFB\x90",
            b"\xFF\xF1",
            b"FLV\x01",
            b"\0\0\x01\xBA",
            b"moov",
            b"aaaamoov",
            b"aaaaftyp",
            b"\0\0\0\x0CjP  \r\n",
            b"G",
        ] {
            let file = [magic, &text].concat();
            assert!(!is_media(&file), "{}", magic.escape_ascii());
        }
    }
}
