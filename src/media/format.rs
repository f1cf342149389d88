//! What a file is by its first bytes: never by its name or the type it claims.

/// A kind of media.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    /// HEIC, AVIF and others of pictures in ISO boxes.
    Heif,
    Tiff,
    Bmp,
    /// JPEG 2000.
    Jp2,
    /// JPEG XL.
    Jxl,
    /// MP4, `QuickTime`, M4A, 3GP.
    IsoFilm,
    /// Matroska and `WebM`.
    Matroska,
    Avi,
    Flv,
    /// MPEG program streams.
    Mpeg,
    /// Windows Media.
    Asf,
    Mp3,
    /// AAC in ADTS.
    Aac,
    Ogg,
    Flac,
    Wave,
}

/// Brands of ISO media that are pictures.
const PICTURES: &[&[u8; 4]] = &[
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"miaf",
    b"avif", b"avis", b"avci", b"MA1A", b"MA1B", b"jpeg", b"vvic", b"heif",
];

impl Format {
    /// What these leading bytes begin; 512 of them are enough.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        const STARTS: &[(&[u8], Format)] = &[
            (b"\xFF\xD8\xFF", Format::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Format::Png),
            (b"GIF87a", Format::Gif),
            (b"GIF89a", Format::Gif),
            (b"II*\0", Format::Tiff),
            (b"MM\0*", Format::Tiff),
            (b"II+\0", Format::Tiff),
            (b"MM\0+", Format::Tiff),
            (b"\x1A\x45\xDF\xA3", Format::Matroska),
            (b"OggS\0", Format::Ogg),
            (b"fLaC", Format::Flac),
            (b"ID3", Format::Mp3),
            (b"\xFF\xFB", Format::Mp3),
            (b"\xFF\xFA", Format::Mp3),
            (b"\xFF\xF3", Format::Mp3),
            (b"\xFF\xF2", Format::Mp3),
            (b"\xFF\xF1", Format::Aac),
            (b"\xFF\xF9", Format::Aac),
            (b"FLV\x01", Format::Flv),
            (b"\0\0\x01\xBA", Format::Mpeg),
            (b"\0\0\x01\xB3", Format::Mpeg),
            (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", Format::Asf),
            (b"\0\0\0\x0CjP  \r\n", Format::Jp2),
            (b"\xFF\x4F\xFF\x51", Format::Jp2),
            (b"\xFF\x0A", Format::Jxl),
            (b"\0\0\0\x0CJXL \r\n", Format::Jxl),
        ];
        if let Some((_, format)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
            return Some(*format);
        }
        if bytes.starts_with(b"RIFF") {
            return match bytes.get(8..12)? {
                b"WEBP" => Some(Self::WebP),
                b"WAVE" => Some(Self::Wave),
                b"AVI " => Some(Self::Avi),
                _ => None,
            };
        }
        // Its reserved bytes are nought: other files, and words, begin with these two letters, too.
        if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
            return Some(Self::Bmp);
        }
        match bytes.get(4..8)? {
            b"ftyp" => Some(if is_picture(bytes) { Self::Heif } else { Self::IsoFilm }),
            // QuickTime files of old begin with any of these.
            b"moov" | b"mdat" | b"wide" => Some(Self::IsoFilm),
            _ => None,
        }
    }
}

/// Whether one of a file's brands is that of pictures. Films may name one, too, and are read alike.
fn is_picture(bytes: &[u8]) -> bool {
    let is = |brand: Option<&[u8]>| {
        brand.is_some_and(|brand| PICTURES.iter().any(|known| known.as_slice() == brand))
    };
    is(bytes.get(8..12))
}

/// Whether bytes begin a known kind of media, and are no text: text that starts with `GIF89a` is text.
pub fn may_be_media(bytes: &[u8]) -> bool {
    let leading = bytes.get(..512).unwrap_or(bytes);
    Format::of(leading).is_some() && leading.iter().any(|byte| is_binary(*byte))
}

/// Whether a byte is a control character that no text holds.
pub fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)
}

/// Whether most of the bytes are those of texts. Of those of media, about four in ten are.
pub fn is_mostly_text(bytes: &[u8]) -> bool {
    let n = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')).count();
    n > bytes.len() / 3 * 2
}

/// Whether bytes are a document of a format that holds text which nobody here can read: PDF, DICOM, office files and
/// archives. The first 1,024 bytes are enough.
pub fn is_document(bytes: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", // office files before 2007
        b"{\\rtf",
        // Archives and packed files that we do not undo.
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PK\x07\x08",
        b"7z\xBC\xAF\x27\x1C",
        b"Rar!\x1A\x07",
        b"\xFD7zXZ\0",
        b"LZIP\x01",
        b"\x04\x22\x4D\x18",
        b"MSCF\0\0\0\0",
        b"!<arch>\n",
        // Tables and databases.
        b"SQLite format 3\0",
        b"\0\x01\0\0Standard ",
        b"PAR1",
        b"ARROW1\0\0",
        b"Obj\x01\x04",
        b"\x89HDF\r\n\x1A\n",
        b"!BDN",
    ];
    let is_bzip2 = bytes.starts_with(b"BZh") && bytes.get(4..10) == Some(b"1AY&SY");
    // Readers of PDF take anything in front of it, up to here.
    let start = bytes.get(..1024.min(bytes.len())).unwrap_or_default();
    STARTS.iter().any(|known| start.starts_with(known))
        || is_bzip2
        || bytes.get(128..132) == Some(b"DICM")
        || bytes.get(257..262) == Some(b"ustar")
        || begins_a_data_set(start)
        || memchr::memmem::find(start, b"%PDF-").is_some()
}

/// Whether bytes are a document and no media besides: a picture with the signature of a PDF in one of its comments is both,
/// and has its metadata all the same.
pub fn is_only_document(bytes: &[u8]) -> bool {
    is_document(bytes) && Format::of(bytes).is_none()
}

/// Whether a document stands somewhere in bytes that follow a picture. Who looks for one there looks for its signature
/// anywhere.
pub(super) fn holds_document(bytes: &[u8]) -> bool {
    let has = |signature: &[u8]| memchr::memmem::find(bytes, signature).is_some();
    is_document(bytes)
        || has(b"%PDF-")
        || has(b"PK\x03\x04")
        || has(b"PK\x05\x06")
        || has(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
        || memchr::memmem::find_iter(bytes, b"DICM").any(|at| {
            let set = bytes.get(at + 4..).unwrap_or_default();
            begins_a_data_set(set)
        })
}

/// Whether bytes are the first elements of a DICOM data set without its preamble: of group 0002, or of group 0008, with
/// explicit or implicit representation, whichever end is first.
fn begins_a_data_set(bytes: &[u8]) -> bool {
    let Some(first) = Element::read(bytes, 0) else { return false };
    if !matches!(first.group, 2 | 8) || first.number > 0x0300 {
        return false;
    }
    if first.is_explicit {
        // Group, element and representation agree: nothing else begins so.
        return true;
    }
    // Without a representation, a second element of the same group must follow in its order.
    let second = Element::read(bytes, first.end);
    second.is_some_and(|second| {
        second.group == first.group && second.number > first.number && second.end < 1 << 16
    })
}

struct Element {
    group: u16,
    number: u16,
    is_explicit: bool,
    end: usize,
}

/// Representations of values.
const VALUES: &[&[u8; 2]] = &[
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"OB",
    b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"TM", b"UI", b"UL", b"UN", b"US", b"UT",
];

impl Element {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let head: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
        let [g0, g1, e0, e1, v0, v1, l0, l1] = head;
        let big = g0 == 0 && g1 != 0;
        let two = |a, b| if big { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) };
        let (group, number) = (two(g0, g1), two(e0, e1));
        let is_explicit = VALUES.iter().any(|kind| **kind == [v0, v1]);
        let length = if is_explicit {
            usize::from(two(l0, l1))
        } else {
            let length = [v0, v1, l0, l1];
            let length = if big { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
            usize::try_from(length).ok().filter(|length| *length < 1024 && length % 2 == 0)?
        };
        Some(Self { group, number, is_explicit, end: at + 8 + length })
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, holds_document, is_document, is_only_document, may_be_media};

    #[test]
    fn media_is_known_by_its_first_bytes() {
        for (bytes, want) in [
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF".as_slice(), Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(Format::Png)),
            (b"GIF89a\x01\0\x01\0", Some(Format::Gif)),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some(Format::WebP)),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some(Format::Wave)),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Some(Format::Heif)),
            (b"\0\0\0\x18ftypavif\0\0\0\0", Some(Format::Heif)),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", Some(Format::IsoFilm)),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Some(Format::IsoFilm)),
            (b"II*\0\x08\0\0\0", Some(Format::Tiff)),
            (b"\x1a\x45\xdf\xa3\x01\0\0\0", Some(Format::Matroska)),
            (b"OggS\0\x02\0\0", Some(Format::Ogg)),
            (b"ID3\x04\0\0\0\0\0\x10", Some(Format::Mp3)),
            (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", Some(Format::Bmp)),
            (b"BMW drivers of the ward\0", None),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(Format::of(bytes), want, "{bytes:?}");
            assert_eq!(may_be_media(bytes), want.is_some(), "{bytes:?}");
        }
        assert!(!may_be_media(b"GIF89a=1&status=Jane+Roe"));
    }

    #[test]
    fn documents_are_known_by_their_bytes() {
        let preamble = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0"].concat();
        let late = [&[b' '; 1000][..], b"%PDF-1.7"].concat();
        for bytes in [
            b"%PDF-1.7\n".as_slice(),
            &late,
            &preamble,
            b"\x02\0\0\0UL\x04\0\xb4\0\0\0\x02\0\x01\0OB\0\0",
            b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x08\0CS",
            b"\x08\0\x08\0\x04\0\0\0AXIA\x08\0\x16\0\x1a\0\0\0",
            b"\0\x08\0\x05CS\0\x0aISO_IR 100",
            b"PK\x03\x04\x14\0",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0",
            b"{\\rtf1\\ansi",
        ] {
            assert!(is_document(bytes) && is_only_document(bytes), "{bytes:?}");
            assert!(holds_document(bytes), "{bytes:?}");
        }
        // Behind a picture, those whose signature is looked for anywhere are known wherever they begin.
        for bytes in [
            b"%PDF-1.7\n".as_slice(),
            &preamble,
            b"PK\x03\x04\x14\0",
            b"PK\x05\x06\0\0",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0",
        ] {
            assert!(holds_document(&[&[1; 2000][..], bytes].concat()), "{bytes:?}");
        }
        assert!(!holds_document(&[&[1; 2000][..], b"DICM and nothing else"].concat()));
        let both = b"\xff\xd8\xff\xfe\0\x07%PDF-\xff\xe1";
        assert!(is_document(both) && !is_only_document(both));
        for bytes in [
            b"\x08\0\x12\x34abcdefgh".as_slice(),
            b"hello",
            b"\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"",
            b"\x89PNG\r\n\x1a\n",
        ] {
            assert!(!is_document(bytes), "{bytes:?}");
        }
    }
}
