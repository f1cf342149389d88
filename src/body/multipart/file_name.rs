//! File names in every spelling: plain, `filename*=UTF-8''..` (RFC 8187), its continuations `filename*0*=..` (RFC 2231)
//! and `=?utf-8?B?..?=` (RFC 2047).

use crate::body::coding::{Coding, percent_bytes};
use crate::body::params::{self, Param};
use crate::body::slot::Slot;
use crate::body::{Unreadable, base64, charset};

/// Bytes of text in one encoded word: it may be 75 characters long.
const WORD: usize = 42;

/// A plain `filename`: its text and slot.
pub(super) fn plain(param: Param<'_>, layer: u32) -> Result<(String, Slot), Unreadable> {
    let slot = |coding| Slot::new(layer, param.span.start(), param.span.end(), coding);
    if param.value.contains("=?") {
        let text = encoded_words(param.value).ok_or(Unreadable::Charset)?;
        // Two words have a blank between them, for which quotes are needed.
        let coding = if param.quoted { Coding::EncodedWords } else { Coding::ReadOnly };
        return Ok((text, slot(coding)));
    }
    let coding = if param.quoted { Coding::Quoted } else { Coding::Token };
    Ok((param.value.to_owned(), slot(coding)))
}

/// A `filename*`.
pub(super) fn extended(param: Param<'_>, layer: u32) -> Result<(String, Slot), Unreadable> {
    if param.quoted {
        return Err(Unreadable::Multipart);
    }
    let (label, value) = label_and_value(param.value)?;
    let encoding = charset::named(label)?;
    let bytes = percent_bytes(value.as_bytes(), false).ok_or(Unreadable::Charset)?;
    let text = charset::decode(encoding, &bytes).ok_or(Unreadable::Charset)?.into_owned();
    let coding = if encoding == encoding_rs::UTF_8 {
        Coding::Percent
    } else if charset::is_single_byte(encoding) {
        Coding::PercentIn(encoding)
    } else {
        Coding::ReadOnly
    };
    let start = param.span.end() - value.len();
    Ok((text, Slot::new(layer, start, param.span.end(), coding)))
}

fn label_and_value(value: &str) -> Result<(&str, &str), Unreadable> {
    let mut pieces = value.splitn(3, '\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(label), Some(_language), Some(value)) => Ok((label, value)),
        _ => Err(Unreadable::Multipart),
    }
}

/// The number of a continuation's piece and whether it is percent-encoded: `filename*1*` is 1 and so.
pub(super) fn continuation(name: &str) -> Option<(usize, bool)> {
    let start = name.get(..9).filter(|start| start.eq_ignore_ascii_case("filename*"))?;
    let rest = name.get(start.len()..)?;
    let (digits, extended) = match rest.strip_suffix('*') {
        Some(digits) => (digits, true),
        None => (rest, false),
    };
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| sound)?, extended))
}

/// The name that continuations spell together; `None` where there are none. Read, never edited.
pub(super) fn continued(params: &[Param<'_>]) -> Result<Option<String>, Unreadable> {
    let mut pieces: Vec<(usize, bool, &str)> = params
        .iter()
        .filter_map(|param| {
            continuation(param.name).map(|(number, extended)| (number, extended, param.value))
        })
        .collect();
    if pieces.is_empty() {
        return Ok(None);
    }
    pieces.sort_unstable_by_key(|(number, _, _)| *number);
    if !pieces.iter().enumerate().all(|(n, (number, _, _))| n == *number) {
        return Err(Unreadable::Multipart);
    }
    let mut encoding = encoding_rs::UTF_8;
    let mut bytes = Vec::new();
    for (number, extended, value) in pieces {
        let value = if extended && number == 0 {
            let (label, value) = label_and_value(value)?;
            encoding = charset::named(label)?;
            value
        } else {
            value
        };
        if extended {
            let decoded = percent_bytes(value.as_bytes(), false).ok_or(Unreadable::Charset)?;
            bytes.extend_from_slice(&decoded);
        } else {
            bytes.extend_from_slice(value.as_bytes());
        }
    }
    let text = charset::decode(encoding, &bytes).ok_or(Unreadable::Charset)?;
    Ok(Some(text.into_owned()))
}

/// Whether a text may stand as a parameter without quotes.
pub(in crate::body) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(params::is_token)
}

/// A text as encoded words.
pub(in crate::body) fn as_encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (0..=WORD.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at));
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(format!("=?utf-8?B?{}?=", base64::encode(word.as_bytes())));
        rest = after;
    }
    words.join(" ")
}

/// Undoes the encoded words of a text; `None` where one cannot be decoded for certain.
pub fn encoded_words(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some((plain, word)) = rest.split_once("=?") {
        // Blanks between two encoded words belong to neither.
        if !(after_word && plain.bytes().all(|byte| matches!(byte, b' ' | b'\t'))) {
            out.push_str(plain);
        }
        let mut pieces = word.splitn(3, '?');
        let (label, encoding, tail) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let (encoded, after) = tail.split_once("?=")?;
        // RFC 2231 puts a language behind the charset.
        let label = label.split('*').next()?;
        let bytes = match encoding {
            "B" | "b" => base64::decode(encoded.as_bytes())?,
            "Q" | "q" => quoted_printable(encoded.as_bytes(), true)?,
            _ => return None,
        };
        out.push_str(&charset::decode(charset::named(label).ok()?, &bytes)?);
        rest = after;
        after_word = true;
    }
    out.push_str(rest);
    Some(out)
}

/// Undoes quoted-printable: of encoded words, where `_` is a blank, or of a part, where `=` ends a line that goes on.
pub(super) fn quoted_printable(encoded: &[u8], words: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        let length = match byte {
            b'_' if words => {
                out.push(b' ');
                1
            }
            b'=' if !words && after.starts_with(b"\r\n") => 3,
            b'=' if !words && after.starts_with(b"\n") => 2,
            b'=' => {
                let high = char::from(*after.first()?).to_digit(16)?;
                let low = char::from(*after.get(1)?).to_digit(16)?;
                out.push(u8::try_from(high << 4 | low).ok()?);
                3
            }
            other => {
                out.push(other);
                1
            }
        };
        rest = rest.get(length..)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{as_encoded_words, encoded_words};

    #[test]
    fn encoded_words_are_read_exactly_or_not() {
        let cases = [
            ("=?utf-8?B?SmFuZSBSb2UuanBn?=", Some("Jane Roe.jpg")),
            ("=?UTF-8?Q?Jane_Ro=C3=A9.jpg?=", Some("Jane Roé.jpg")),
            ("a =?utf-8?q?b?= =?utf-8?q?c?= d", Some("a bc d")),
            ("=?utf-8?B?SmE=?=", Some("Ja")),
            ("=?utf-8*en?Q?Jane?=", Some("Jane")),
            ("=?iso-8859-1?Q?Ro=E9?=", Some("Roé")),
            ("=?latin1?Q?Jane?=", Some("Jane")),
            ("=?utf-8?B?SmF=?=", None),
            ("=?utf-8?B?SmE?=", None),
            ("=?iso-2022-jp?Q?Jane?=", None),
            ("=?nonsense?Q?Jane?=", None),
            ("=?utf-8?X?Jane?=", None),
            ("=?utf-8?Q?=ff?=", None),
            ("=?utf-8?Q?=4", None),
            ("=?", None),
        ];
        for (raw, want) in cases {
            assert_eq!(encoded_words(raw).as_deref(), want, "{raw}");
        }
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for text in ["", "Jane Roe.jpg", &"é€".repeat(40), "=?utf-8?Q?x?="] {
            assert_eq!(encoded_words(&as_encoded_words(text)).as_deref(), Some(text));
        }
    }
}
