//! Charsets other than UTF-8: read exactly, written back in the same, or not at all.
//!
//! A charset is a claim, and servers differ on whether they believe it. So bytes that read as one text by the claim and
//! as another in UTF-8 have no reading: which of the two a platform sees is not for us to say.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use crate::body::Unreadable;

/// What stands in a charset that is named, if it is not UTF-8 after all.
#[derive(Eq, PartialEq)]
pub(super) struct Decoded {
    pub(super) encoding: &'static Encoding,
    pub(super) text: String,
    /// Bytes of the mark in front that says which byte comes first.
    pub(super) mark: usize,
}

/// Shows no text.
impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Decoded");
        shown.field("encoding", &self.encoding.name()).finish_non_exhaustive()
    }
}

/// The charset of this name; UTF-8 for its subset ASCII (which the caller has still to check).
pub(super) fn named(label: &str) -> Result<&'static Encoding, Unreadable> {
    let encoding = if ["us-ascii", "ascii"].iter().any(|name| label.eq_ignore_ascii_case(name)) {
        // The WHATWG table has it stand for windows-1252.
        UTF_8
    } else {
        Encoding::for_label_no_replacement(label.as_bytes()).ok_or(Unreadable::UnknownCharset)?
    };
    // Escape sequences that switch alphabets: what stands between two edits would be read in the wrong one.
    if encoding == ISO_2022_JP || encoding == X_USER_DEFINED {
        return Err(Unreadable::UnknownCharset);
    }
    Ok(encoding)
}

/// Reads bytes in a charset. `None` where they are (also) UTF-8 and read the same so.
pub(super) fn read(label: &str, bytes: &[u8]) -> Result<Option<Decoded>, Unreadable> {
    let encoding = named(label)?;
    if encoding == UTF_8 {
        let is_ascii = label.to_ascii_lowercase().contains("ascii");
        let sound = if is_ascii { bytes.is_ascii() } else { std::str::from_utf8(bytes).is_ok() };
        return if sound { Ok(None) } else { Err(Unreadable::Charset) };
    }
    let (encoding, mark) = match bytes {
        [0xFE, 0xFF, ..] if is_utf16(encoding) => (UTF_16BE, 2),
        [0xFF, 0xFE, ..] if is_utf16(encoding) => (UTF_16LE, 2),
        // RFC 2781: without a mark, the first byte is the high one; the WHATWG has it the other way round.
        _ if label.eq_ignore_ascii_case("utf-16") && !bytes.is_empty() => {
            return Err(Unreadable::Charset);
        }
        _ => (encoding, 0),
    };
    let content = bytes.get(mark..).unwrap_or_default();
    let text = decode(encoding, content).ok_or(Unreadable::Charset)?;
    // Nought bytes stand in no text, so that UTF-16 is never taken for it.
    if let Ok(plain) = std::str::from_utf8(bytes)
        && !bytes.contains(&0)
    {
        return if *plain == *text { Ok(None) } else { Err(Unreadable::Charset) };
    }
    if encode(encoding, &text).as_deref() != Some(content) {
        return Err(Unreadable::Charset);
    }
    Ok(Some(Decoded { encoding, text: text.into_owned(), mark }))
}

fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// Whether each byte of it is a character.
pub(super) fn is_single_byte(encoding: &'static Encoding) -> bool {
    encoding.is_single_byte()
}

/// The text of bytes; `None` where some of them stand for nothing.
pub(super) fn decode<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// The bytes of a text; `None` where the charset has none for some of it.
pub(super) fn encode(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    if encoding == UTF_16LE {
        return Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    if encoding == UTF_16BE {
        return Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    let (bytes, _, had_unmappable) = encoding.encode(text);
    (!had_unmappable).then(|| bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::body::Unreadable;

    /// A charset, bytes, and what they read.
    type Case<'a> = (&'a str, Vec<u8>, Result<Option<&'a str>, Unreadable>);

    #[test]
    fn bytes_are_read_exactly_or_not() {
        let utf16 = |text: &str| -> Vec<u8> {
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        };
        let cases: &[Case<'_>] = &[
            ("utf-8", b"caf\xc3\xa9".to_vec(), Ok(None)),
            ("UTF8", b"caf\xe9".to_vec(), Err(Unreadable::Charset)),
            ("us-ascii", b"cafe".to_vec(), Ok(None)),
            ("us-ascii", b"caf\xc3\xa9".to_vec(), Err(Unreadable::Charset)),
            ("iso-8859-1", b"cafe".to_vec(), Ok(None)),
            ("iso-8859-1", b"caf\xe9".to_vec(), Ok(Some("café"))),
            // UTF-8 under another name: a server that believes the name reads other letters.
            ("iso-8859-1", b"caf\xc3\xa9".to_vec(), Err(Unreadable::Charset)),
            ("windows-1252", b"\x80 5\xff".to_vec(), Ok(Some("€ 5ÿ"))),
            ("shift_jis", b"\x83n\x83\x8d".to_vec(), Ok(Some("ハロ"))),
            ("shift_jis", b"\x83".to_vec(), Err(Unreadable::Charset)),
            ("koi8-r", b"\xf0\xd2\xc9".to_vec(), Ok(Some("При"))),
            ("utf-16", utf16("Jane Roé"), Ok(Some("Jane Roé"))),
            ("utf-16le", b"J\0a\0n\0e\0".to_vec(), Ok(Some("Jane"))),
            ("utf-16le", b"J\0a".to_vec(), Err(Unreadable::Charset)),
            ("utf-16", b"J\0a\0".to_vec(), Err(Unreadable::Charset)),
            // ASCII that claims to be UTF-16: nothing but ideographs, to a server that believes it.
            ("utf-16le", b"Jane Roe".to_vec(), Err(Unreadable::Charset)),
            ("iso-2022-jp", b"Jane".to_vec(), Err(Unreadable::UnknownCharset)),
            ("utf-7", b"+AEo-ane".to_vec(), Err(Unreadable::UnknownCharset)),
            ("nonsense", b"Jane".to_vec(), Err(Unreadable::UnknownCharset)),
        ];
        for (label, bytes, want) in cases {
            let got = read(label, bytes);
            let got = got.as_ref().map(|read| read.as_ref().map(|read| read.text.as_str()));
            assert_eq!(got.map_err(|error| *error), *want, "{label} {}", bytes.escape_ascii());
        }
    }
}
