//! Base64 in strings and parts: what it holds decides how it is read.
//!
//! Promise: decoded are only digits that one reader and another would decode alike.

/// Fewer digits than this hold neither a picture nor a sentence.
const FEWEST: usize = 16;

/// The bytes of padded base64, of the plain alphabet or that of URLs; `None` for anything else.
pub(super) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    if !encoded.len().is_multiple_of(4) {
        return None;
    }
    let padding = encoded.iter().rev().take_while(|digit| **digit == b'=').count();
    let digits = encoded.get(..encoded.len() - padding)?;
    if padding > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut bits, mut n_bits) = (0u32, 0);
    for digit in digits {
        bits = (bits << 6 | u32::from(value(*digit)?)) & 0xffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(u8::try_from(bits >> n_bits & 0xff).ok()?);
        }
    }
    // Bits left over must be nought, or two encodings would read the same.
    (bits & ((1 << n_bits) - 1) == 0).then_some(out)
}

/// The first bytes that base64 holds, however it is padded.
pub(super) fn decode_start(encoded: &[u8], n_bytes: usize) -> Option<Vec<u8>> {
    let n_digits = (n_bytes.div_ceil(3) * 4).min(encoded.len() / 4 * 4);
    decode(encoded.get(..n_digits)?)
}

/// What a `data:` address says before its base64, and the digits; any other string is all digits.
pub(super) fn payload(value: &str) -> (Option<&str>, &str) {
    match value.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, digits)) => (Some(media_type), digits),
        None => (None, value),
    }
}

/// Padded base64, of the plain alphabet.
pub(super) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for n in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * n) & 63).unwrap_or_default();
            let digit = if n > three.len() { None } else { DIGITS.get(digit) };
            out.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    out
}

/// Whether a string is base64 throughout.
pub(super) fn is(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= FEWEST
        && bytes.len().is_multiple_of(4)
        && bytes.iter().take(FEWEST).all(|digit| value(*digit).is_some())
        && bytes
            .trim_ascii_end()
            .iter()
            .rev()
            .skip_while(|digit| **digit == b'=')
            .all(|digit| value(*digit).is_some())
}

fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, decode_start, encode, is};

    #[test]
    fn digits_are_read_exactly_or_not() {
        for (encoded, want) in [
            ("SmFuZQ==", Some("Jane")),
            ("SmE=", Some("Ja")),
            ("SmF=", None),
            ("SmE", None),
            ("SmE==", None),
            ("====", None),
            ("Sm E", None),
            ("", Some("")),
        ] {
            assert_eq!(decode(encoded.as_bytes()).as_deref(), want.map(str::as_bytes), "{encoded}");
        }
        assert!(is("SmFuZSBSb2UgY2FtZQ==") && !is("SmFuZSBSb2UgY2F.") && !is("Jane Roe came in"));
        assert_eq!(decode_start(b"iVBORw0KGgoAAAANSUhEUg", 8).unwrap()[..8], *b"\x89PNG\r\n\x1a\n");
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let encoded = encode(&bytes);
            prop_assert_eq!(decode(encoded.as_bytes()), Some(bytes));
        }
    }
}
