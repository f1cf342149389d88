//! Base64 in strings and parts: what it holds decides how it is read.
//!
//! Promise: decoded are only digits that one reader and another would decode alike.

/// Fewer digits than this hold neither a picture nor a sentence.
const FEWEST: usize = 16;

/// The bytes of padded base64, of the plain alphabet or that of URLs; `None` for anything else.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
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

/// The bytes of digits, as a reader of any base64 has them: what is no digit is passed over, and what is left of the last
/// byte.
pub(super) fn lenient(digits: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut bits, mut n_bits) = (0u32, 0);
    for value in digits.iter().filter_map(|digit| value(*digit)) {
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(u8::try_from(bits >> n_bits & 0xff).unwrap_or_default());
        }
    }
    out
}

/// The first bytes of a string that is base64 throughout, blanks and padding apart; `None` for any other.
pub(super) fn start(text: &str, n_bytes: usize) -> Option<Vec<u8>> {
    let may_be = |byte: &u8| is_digit(*byte) || byte.is_ascii_whitespace();
    let digits = text.trim_ascii_end().trim_end_matches('=').as_bytes();
    let is_base64 = digits.len() >= FEWEST - 2 && digits.iter().all(may_be);
    let head = digits.get(..n_bytes.div_ceil(3) * 4).unwrap_or(digits);
    is_base64.then(|| lenient(head))
}

/// What a `data:` address says before its base64, and the digits; any other string is all digits.
pub(super) fn payload(value: &str) -> (Option<&str>, &str) {
    match value.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, digits)) => (Some(media_type), digits),
        None => (None, value),
    }
}

/// Padded base64, of the plain alphabet.
pub(crate) fn encode(bytes: &[u8]) -> String {
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

/// What a digit stands for, in the plain alphabet or that of URLs.
pub(super) fn value(digit: u8) -> Option<u8> {
    VALUES.get(usize::from(digit)).copied().filter(|value| *value < 64)
}

/// Whether a byte is a digit of either alphabet.
pub(super) fn is_digit(byte: u8) -> bool {
    value(byte).is_some()
}

/// What each byte stands for; 64 for what is no digit.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it; a byte is always within")]
const VALUES: [u8; 256] = {
    let mut values = [64; 256];
    let (mut byte, mut at) = (0, 0u8);
    while byte < 256 {
        values[byte] = match at {
            b'A'..=b'Z' => at - b'A',
            b'a'..=b'z' => at - b'a' + 26,
            b'0'..=b'9' => at - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => 64,
        };
        byte += 1;
        at = at.wrapping_add(1);
    }
    values
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode, lenient, start};

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
        assert_eq!(start("SmFuZSBSb2UgY2FtZQ==", 100).as_deref(), Some(&b"Jane Roe came"[..]));
        assert_eq!(start("SmFuZSBS\r\nb2UgY2FtZQ", 100).as_deref(), Some(&b"Jane Roe came"[..]));
        assert_eq!(start("SmFuZSBSb2UgY2FtZQ.", 100), None);
        assert_eq!(start("iVBORw0KGgoAAAANSUhEUg", 8).unwrap()[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(lenient(b"SmFuZQ"), b"Jane");
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let encoded = encode(&bytes);
            prop_assert_eq!(lenient(encoded.as_bytes()), bytes.clone());
            prop_assert_eq!(decode(encoded.as_bytes()), Some(bytes));
        }
    }
}
