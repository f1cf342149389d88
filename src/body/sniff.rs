//! What a body is by its bytes, where its content type is absent or wrong.
//!
//! Media pass unread, so that a body is media only if its leading bytes are those of a known format and it is no text: text
//! that starts with `GIF89a` is text.

use crate::body::content_type::{Claim, ContentType};
use crate::body::{header, textual};
pub(super) use crate::media::{is_binary, is_document as is_known_document};

/// Whether a streamed body is media: it does not claim to be JSON, multipart or text, and its leading bytes (of which
/// 1,024 are enough) are those of a known format, and of no document. Whether the endpoint takes media is for the caller
/// to ask.
pub fn looks_like_media(content_type: Option<&str>, leading: &[u8]) -> bool {
    claims_a_file(content_type) && is_media(leading) && !is_known_document(leading)
}

/// The same where documents may pass as media do.
pub fn looks_like_file(content_type: Option<&str>, leading: &[u8]) -> bool {
    claims_a_file(content_type) && (is_media(leading) || is_known_document(leading))
}

/// Whether a body claims to be a form. A server that believes it reads fields in what begins like a picture.
pub fn claims_form(content_type: Option<&str>) -> bool {
    ContentType::parse(content_type).claim == Claim::Form
}

fn claims_a_file(content_type: Option<&str>) -> bool {
    matches!(ContentType::parse(content_type).claim, Claim::Other | Claim::Form)
}

/// Whether bytes begin as those of a known media format do and go on as they must, and are no text. The one place that
/// decides what is media.
pub(super) fn is_media(bytes: &[u8]) -> bool {
    let leading = bytes.get(..512).unwrap_or(bytes);
    header::is_media(bytes) && leading.iter().any(|byte| is_binary(*byte))
}

/// Fewer bytes than this are hardly a picture.
const FEWEST_OF_MEDIA: usize = 64;

/// Whether the bytes of a string are long enough for media, and no text under the first bytes of some.
pub(super) fn is_whole_media(bytes: &[u8]) -> bool {
    bytes.len() >= FEWEST_OF_MEDIA && is_media(bytes) && textual::words(bytes).is_none()
}

/// Whether what a `data:` address says before its base64 is the type of media and no word more. Names that we do not
/// know may be those of patients.
pub(super) fn is_media_type(text: &str) -> bool {
    const TYPES: &[&str] = &[
        "application/octet-stream",
        "audio/aac",
        "audio/flac",
        "audio/m4a",
        "audio/mp3",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/wave",
        "audio/webm",
        "audio/x-m4a",
        "audio/x-wav",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jp2",
        "image/jpeg",
        "image/jpg",
        "image/jxl",
        "image/pjpeg",
        "image/png",
        "image/tiff",
        "image/webp",
        "image/x-ms-bmp",
        "image/x-png",
        "video/3gpp",
        "video/mp4",
        "video/mpeg",
        "video/ogg",
        "video/quicktime",
        "video/webm",
        "video/x-flv",
        "video/x-m4v",
        "video/x-matroska",
        "video/x-msvideo",
    ];
    const PARAMS: &[&str] = &[
        "charset=utf-8",
        "codecs=av1",
        "codecs=h264",
        "codecs=opus",
        "codecs=vp8",
        "codecs=vp8,opus",
        "codecs=vp9",
        "codecs=vp9,opus",
    ];
    let known = |all: &[&str], one: &str| all.iter().any(|known| known.eq_ignore_ascii_case(one));
    let (media_type, param) = text.split_once(';').unzip();
    known(TYPES, media_type.unwrap_or(text)) && param.is_none_or(|param| known(PARAMS, param))
}

/// Whether a text holds nothing but what texts hold.
pub(super) fn is_plain_text(text: &str) -> bool {
    !text.bytes().any(is_binary)
}

/// Whether the first byte that is not blank opens a tag.
pub(super) fn opens_tag(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// Whether a body claims by its first bytes to be JSON: if it then is not, a lenient server may yet read it so.
pub(super) fn claims_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut visible = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    matches!(
        (visible.next(), visible.next()),
        (Some(b'{'), Some(b'"' | b'\'' | b'/' | b'}')) | (Some(b'['), Some(b'{' | b'"' | b'['))
    )
}

/// Whether a body without a content type looks like a form: what encoders of forms write, and a name with a value.
pub(super) fn looks_like_form(bytes: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~*+%&=[]:!'();@/?$,".contains(byte);
    // What is only padded at its end is base64.
    let fields = bytes.trim_ascii_end();
    let padding = fields.iter().rev().take_while(|byte| **byte == b'=').count();
    let fields = fields.get(..fields.len() - padding).unwrap_or_default();
    bytes.iter().all(plain) && fields.iter().position(|byte| *byte == b'=').is_some_and(|at| at > 0)
}

/// The boundary of a multipart body that does not say that it is one: its first line, and a head under it.
pub(super) fn multipart_boundary(bytes: &[u8]) -> Option<&str> {
    let line = bytes.strip_prefix(b"--")?;
    let length = memchr::memchr(b'\n', line.get(..200.min(line.len()))?)?;
    let boundary = line.get(..length)?;
    let boundary = boundary.strip_suffix(b"\r").unwrap_or(boundary);
    let head = line.get(length + 1..)?;
    let names: [&[u8]; 2] = [b"content-disposition:", b"content-type:"];
    let is_head =
        |name: &&[u8]| head.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let plain = !boundary.is_empty() && boundary.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    let sound = plain && names.iter().any(is_head);
    std::str::from_utf8(boundary).ok().filter(|_| sound)
}

/// Bytes as text, with a mark for each stretch that is none.
pub fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{
        claims_json, is_known_document, looks_like_form, looks_like_media, multipart_boundary,
    };

    const PNG: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR";

    #[test]
    fn media_needs_leading_bytes_and_no_claim_of_text() {
        let cases: &[(Option<&str>, &[u8], bool)] = &[
            (Some("image/png"), PNG, true),
            (Some("application/octet-stream"), PNG, true),
            (Some("*/*"), PNG, true),
            (None, PNG, true),
            (Some("application/x-www-form-urlencoded"), PNG, true),
            (Some("application/json"), PNG, false),
            (Some("text/plain"), PNG, false),
            (Some("multipart/form-data; boundary=x"), PNG, false),
            (Some("image/jpeg"), b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", true),
            (Some("video/mp4"), b"\0\0\0\x18ftypmp42\0\0\0\0", true),
            (Some("image/webp"), b"RIFF\x24\0\0\0WEBPVP8 ", true),
            (Some("image/gif"), b"GIF89a\x01\0\x01\0", true),
            (Some("image/gif"), b"GIF89a=1&status=Jane+Roe", false),
            (Some("image/bmp"), b"BMW drivers of the ward", false),
            (Some("image/png"), b"{\"text\":\"Jane Roe\"}", false),
            (Some("image/png"), b"", false),
            (Some("application/pdf"), b"%PDF-1.7\n\0", false),
        ];
        for (content_type, leading, want) in cases {
            assert_eq!(
                looks_like_media(*content_type, leading),
                *want,
                "{content_type:?} {leading:?}"
            );
        }
    }

    #[test]
    fn documents_are_not_media() {
        let dicom = [&[0u8; 128][..], b"DICM\x02\0"].concat();
        assert!(is_known_document(&dicom) && !looks_like_media(Some("image/dicom"), &dicom));
        assert!(is_known_document(b"%PDF-1.4"));
        assert!(!is_known_document(b"hello"));
    }

    #[test]
    fn json_and_forms_claim_themselves() {
        for json in ["{\"a\":1", " [ {", "\u{feff}{\"a\":1}", "{}", "{'a':1}", "[\"a\"]"] {
            assert!(claims_json(json.as_bytes()), "{json}");
        }
        for text in ["{hello}", "[update] all well", "", "[1]"] {
            assert!(!claims_json(text.as_bytes()), "{text}");
        }
        assert_eq!(
            multipart_boundary(b"--x-y\r\ncontent-disposition: form-data; name=a\r\n"),
            Some("x-y")
        );
        for text in ["--\r\nContent-Type: a/b", "--x\r\nhello", "--x", "hello"] {
            assert_eq!(multipart_boundary(text.as_bytes()), None, "{text}");
        }
        assert!(looks_like_form(b"status=a+b&poll[options][]=%41"));
        for text in ["a = b", "hello", "=", "=a", "caf\u{e9}=1", "a=b\n"] {
            assert!(!looks_like_form(text.as_bytes()), "{text}");
        }
    }
}
