//! How a text is encoded where it stands: the escapes that are undone when it is read, and made when it is edited.
//!
//! Promise: what is encoded here reads back as it was meant, or there is no encoding: never is a text written that a
//! platform would read as something else.

use std::borrow::Cow;

use encoding_rs::Encoding;

use crate::body::multipart::file_name;
use crate::body::{CannotWrite, base64, charset, entity, json};

/// How a text is encoded where it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// Between the quotes of a JSON string.
    Json,
    /// Percent-encoded: a form's value, a query, an extended header parameter.
    Percent,
    /// Percent-encoded bytes of a charset other than UTF-8, one byte a character.
    PercentIn(&'static Encoding),
    /// Between the quotes of a header parameter.
    Quoted,
    /// A header parameter without quotes; it gets some where it needs them.
    Token,
    /// A header parameter of encoded words (RFC 2047).
    EncodedWords,
    /// Base64 of UTF-8.
    Base64,
    /// Text of HTML or XML, with its entities.
    Entities,
    /// Between `<![CDATA[` and `]]>`.
    Cdata,
    /// The text of a caption, which an empty line or an arrow would end.
    Cue,
    /// Bytes of a charset other than UTF-8.
    Charset(&'static Encoding),
    /// Not to be edited.
    ReadOnly,
}

impl Coding {
    /// A replacement as it must stand among what is already encoded so.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, CannotWrite> {
        let mut out = String::with_capacity(text.len());
        match self {
            Self::Plain => out.push_str(text),
            Self::Json => json::escape(text, &mut out),
            Self::Percent => out.extend(percent_encoding::utf8_percent_encode(text, PERCENT)),
            Self::PercentIn(encoding) => {
                let bytes = charset::encode(encoding, text).ok_or(CannotWrite::ReadOnly)?;
                out.extend(percent_encoding::percent_encode(&bytes, PERCENT));
            }
            Self::Quoted => quote(text, &mut out)?,
            Self::Entities => entity::escape(text, &mut out),
            Self::Cdata if !text.contains("]]>") => out.push_str(text),
            Self::Cue if !text.contains("-->") && !text.contains(['\n', '\r']) => {
                out.push_str(text);
            }
            Self::Charset(encoding) => {
                return charset::encode(encoding, text).ok_or(CannotWrite::ReadOnly);
            }
            Self::Cdata
            | Self::Cue
            | Self::ReadOnly
            | Self::Token
            | Self::Base64
            | Self::EncodedWords => {
                return Err(CannotWrite::ReadOnly);
            }
        }
        Ok(out.into_bytes())
    }

    /// A whole text as it must stand, of codings whose parts cannot be written on their own.
    pub(super) fn encode_whole(self, text: &str) -> Result<Vec<u8>, CannotWrite> {
        match self {
            Self::Token if file_name::is_token(text) => Ok(text.as_bytes().to_vec()),
            Self::Token => {
                let mut out = String::with_capacity(text.len() + 2);
                out.push('"');
                quote(text, &mut out)?;
                out.push('"');
                Ok(out.into_bytes())
            }
            Self::Base64 => Ok(base64::encode(text.as_bytes()).into_bytes()),
            Self::EncodedWords => Ok(file_name::as_encoded_words(text).into_bytes()),
            _ => self.encode(text),
        }
    }

    /// Whether only the whole of a text can be written.
    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Token | Self::EncodedWords | Self::Base64)
    }

    /// The byte that starts an escape.
    pub(super) const fn escape_byte(self) -> Option<u8> {
        match self {
            Self::Json => Some(b'\\'),
            Self::Percent | Self::PercentIn(_) => Some(b'%'),
            Self::Entities => Some(b'&'),
            _ => None,
        }
    }

    /// The encoded and decoded lengths of the escape at the start of `raw`; of a lone byte that only looks like one,
    /// one and one.
    pub(super) fn escape_lengths(self, raw: &[u8]) -> Option<(usize, usize)> {
        match self {
            Self::Json => {
                json::read_escape(raw).map(|(character, length)| (length, character.len_utf8()))
            }
            Self::Percent => Some(if hex_pair(raw).is_some() { (3, 1) } else { (1, 1) }),
            Self::PercentIn(encoding) => {
                let byte = hex_pair(raw)?;
                let byte = [byte];
                Some((3, charset::decode(encoding, &byte)?.len()))
            }
            Self::Entities => Some(match entity::decode(raw) {
                Some((character, length)) => (length, character.len_utf8()),
                None => (1, 1),
            }),
            _ => None,
        }
    }
}

/// Unreserved characters stand for themselves everywhere; a space is `%20`, which forms and queries both read.
const PERCENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The byte of the percent-encoding with which bytes begin.
pub(super) fn hex_pair(raw: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = raw else { return None };
    let (high, low) = (char::from(*high).to_digit(16)?, char::from(*low).to_digit(16)?);
    u8::try_from(high << 4 | low).ok()
}

/// Undoes percent-encoding (and, in forms, `+`). `None` for a stray percent sign.
pub(super) fn percent_bytes(raw: &[u8], plus_is_space: bool) -> Option<Cow<'_, [u8]>> {
    let next = |rest: &[u8]| {
        if plus_is_space { memchr::memchr2(b'%', b'+', rest) } else { memchr::memchr(b'%', rest) }
    };
    if next(raw).is_none() {
        return Some(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = next(rest) {
        let (plain, escape) = rest.split_at_checked(at)?;
        out.extend_from_slice(plain);
        if escape.first() == Some(&b'+') {
            out.push(b' ');
            rest = escape.get(1..)?;
        } else {
            out.push(hex_pair(escape)?);
            rest = escape.get(3..)?;
        }
    }
    out.extend_from_slice(rest);
    Some(Cow::Owned(out))
}

/// Undoes percent-encoding as lenient servers do: what is none of it stays.
pub(super) fn percent_lenient(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, n) = match first {
            b'+' => (b' ', 1),
            b'%' => hex_pair(rest).map_or((b'%', 1), |byte| (byte, 3)),
            other => (other, 1),
        };
        out.push(byte);
        rest = rest.get(n..).unwrap_or(after);
    }
    out
}

/// Undoes percent-encoding of UTF-8. `None` for a stray percent sign or what is not UTF-8.
pub(super) fn percent(raw: &[u8], plus_is_space: bool) -> Option<String> {
    String::from_utf8(percent_bytes(raw, plus_is_space)?.into_owned()).ok()
}

/// As browsers write file names. A backslash is read differently by different servers, so none is written.
fn quote(text: &str, out: &mut String) -> Result<(), CannotWrite> {
    for character in text.chars() {
        match character {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            '\\' => return Err(CannotWrite::ReadOnly),
            control if control.is_control() => return Err(CannotWrite::ReadOnly),
            other => out.push(other),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Coding, percent};

    #[test]
    fn percent_encoding_is_undone() {
        let cases = [
            ("a+b%20c", Some("a b c")),
            ("%C3%A9", Some("é")),
            ("caf\u{e9}", Some("café")),
            ("%2B%25", Some("+%")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
            ("100%25", Some("100%")),
            ("%C3", None),
            ("%ff", None),
        ];
        for (raw, want) in cases {
            assert_eq!(percent(raw.as_bytes(), true).as_deref(), want, "{raw}");
        }
        assert_eq!(percent(b"a+b", false).as_deref(), Some("a+b"));
    }

    #[test]
    fn what_would_be_read_otherwise_is_not_written() {
        for (coding, text, want) in [
            (Coding::Plain, "a\\", Some("a\\")),
            (Coding::Entities, "a<b> & \"c\"", Some("a&lt;b&gt; &amp; &quot;c&quot;")),
            (Coding::Cdata, "a<b>", Some("a<b>")),
            (Coding::Cdata, "a]]>", None),
            (Coding::Cue, "[name]", Some("[name]")),
            (Coding::Cue, "a\n\nb", None),
            (Coding::Cue, "00:01 --> 00:02", None),
            (Coding::Quoted, "a\"b", Some("a%22b")),
            (Coding::Quoted, "a\\b", None),
            (Coding::Token, "a.jpg", Some("a.jpg")),
            (Coding::Token, "a b.jpg", Some("\"a b.jpg\"")),
            (Coding::PercentIn(encoding_rs::WINDOWS_1252), "é b", Some("%E9%20b")),
            (Coding::PercentIn(encoding_rs::WINDOWS_1252), "\u{3b1}", None),
            (Coding::ReadOnly, "a", None),
        ] {
            let got = coding.encode_whole(text).ok();
            assert_eq!(got.as_deref(), want.map(str::as_bytes), "{coding:?} {text:?}");
        }
        assert!(Coding::Token.encode("a").is_err());
    }
}
