//! File names in their three spellings: plain, `filename*=UTF-8''..` (RFC 8187) and `=?utf-8?B?..?=` (RFC 2047).

use crate::body::params::Param;
use crate::body::slot::{Coding, Slot};
use crate::body::{Unreadable, form};

/// A plain `filename`: its text and slot. Encoded words are read, but not edited.
pub(super) fn plain(param: Param<'_>, layer: u32) -> Result<(String, Slot), Unreadable> {
    let slot = |coding| Slot::new(layer, param.span.start(), param.span.end(), coding);
    if param.value.contains("=?") {
        let text = encoded_words(param.value).ok_or(Unreadable::Charset)?;
        return Ok((text, slot(Coding::ReadOnly)));
    }
    // A bare token would need quotes for most replacements.
    let coding = if param.quoted { Coding::Quoted } else { Coding::ReadOnly };
    Ok((param.value.to_owned(), slot(coding)))
}

/// A `filename*`.
pub(super) fn extended(param: Param<'_>, layer: u32) -> Result<(String, Slot), Unreadable> {
    let mut pieces = param.value.splitn(3, '\'');
    let (Some(charset), Some(_language), Some(value), false) =
        (pieces.next(), pieces.next(), pieces.next(), param.quoted)
    else {
        return Err(Unreadable::Multipart);
    };
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(Unreadable::UnknownCharset);
    }
    let text = form::decode(value.as_bytes(), false).ok_or(Unreadable::Charset)?;
    let start = param.span.end() - value.len();
    Ok((text, Slot::new(layer, start, param.span.end(), Coding::Percent)))
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
        let (charset, encoding, tail) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let (encoded, after) = tail.split_once("?=")?;
        if !["utf-8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name)) {
            return None;
        }
        let bytes = match encoding {
            "B" | "b" => base64(encoded)?,
            "Q" | "q" => quoted_printable(encoded)?,
            _ => return None,
        };
        out.push_str(std::str::from_utf8(&bytes).ok()?);
        rest = after;
        after_word = true;
    }
    out.push_str(rest);
    Some(out)
}

fn base64(encoded: &str) -> Option<Vec<u8>> {
    let digits = encoded.trim_end_matches('=');
    if !encoded.len().is_multiple_of(4) || encoded.len() - digits.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len());
    let (mut bits, mut n_bits) = (0u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(u8::try_from(bits >> n_bits & 0xff).ok()?);
        }
    }
    // Bits left over must be nought, or two encodings would read the same.
    (bits & ((1 << n_bits) - 1) == 0).then_some(out)
}

fn quoted_printable(encoded: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high << 4 | low).ok()?
            }
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::encoded_words;

    #[test]
    fn encoded_words_are_read_exactly_or_not() {
        let cases = [
            ("=?utf-8?B?SmFuZSBSb2UuanBn?=", Some("Jane Roe.jpg")),
            ("=?UTF-8?Q?Jane_Ro=C3=A9.jpg?=", Some("Jane Roé.jpg")),
            ("a =?utf-8?q?b?= =?utf-8?q?c?= d", Some("a bc d")),
            ("=?utf-8?B?SmE=?=", Some("Ja")),
            ("=?utf-8?B?SmF=?=", None),
            ("=?utf-8?B?SmE?=", None),
            ("=?latin1?Q?Jane?=", None),
            ("=?utf-8?X?Jane?=", None),
            ("=?utf-8?Q?=ff?=", None),
            ("=?utf-8?Q?=4", None),
            ("=?", None),
        ];
        for (raw, want) in cases {
            assert_eq!(encoded_words(raw).as_deref(), want, "{raw}");
        }
    }
}
