//! Escapes in a text: percent-encoding, `\u004a` and `\x4a`, and the terminal's control sequences.

/// The character of the percent-encoding with which a text begins, and its length in bytes. Of a sequence of UTF-8
/// that is broken, nothing.
pub(super) fn percent(text: &[u8]) -> Option<(char, usize)> {
    let first = percent_byte(text)?;
    let len = match first {
        0x20..=0x7E => return Some((char::from(first), 3)),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [0; 4];
    for (nth, byte) in bytes.iter_mut().enumerate().take(len) {
        *byte = percent_byte(text.get(nth * 3..)?)?;
    }
    let c = std::str::from_utf8(bytes.get(..len)?).ok()?.chars().next()?;
    Some((c, len * 3))
}

fn percent_byte(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => hex(&[*high, *low]).and_then(|byte| u8::try_from(byte).ok()),
        _ => None,
    }
}

/// The character of `\u004a`, `\u{4a}` or `\x4a` with which a text begins, and the escape's length.
pub(super) fn backslash(text: &[u8]) -> Option<(char, usize)> {
    let (code, len) = match text {
        [b'\\', b'u' | b'U', b'{', rest @ ..] => {
            let end = rest.iter().take(7).position(|byte| *byte == b'}')?;
            (hex(rest.get(..end)?)?, end + 4)
        }
        [b'\\', b'u' | b'U', a, b, c, d, ..] => (hex(&[*a, *b, *c, *d])?, 6),
        [b'\\', b'x' | b'X', a, b, ..] => (hex(&[*a, *b])?, 4),
        _ => return None,
    };
    char::from_u32(code).filter(|c| !c.is_control()).map(|c| (c, len))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |code: u32, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// The length of the terminal's control sequence (`ESC [ 1 ; 31 m`) with which a text begins.
pub(super) fn control_sequence(text: &[u8]) -> Option<usize> {
    /// Longer ones are none; and what seems to begin one must not swallow a post.
    const LONGEST: usize = 24;
    let [0x1B, b'[', rest @ ..] = text else { return None };
    let end = rest.iter().take(LONGEST).position(|byte| !matches!(byte, 0x20..=0x3F))?;
    matches!(rest.get(end), Some(0x40..=0x7E)).then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::{backslash, control_sequence, percent};

    #[test]
    fn escapes() {
        for (text, want) in [
            ("%4Aohn", Some(('J', 3))),
            ("%c3%a9", Some(('é', 6))),
            ("%c3%2", None),
            ("%c3x", None),
            ("%0a", None),
            ("% 4a", None),
            ("%+4", None),
        ] {
            assert_eq!(percent(text.as_bytes()), want, "{text}");
        }
        for (text, want) in [
            ("\\u004aohn", Some(('J', 6))),
            ("\\u{4a}", Some(('J', 6))),
            ("\\u{}", None),
            ("\\ud800", None),
            ("\\x4A", Some(('J', 4))),
            ("\\user", None),
            ("\\", None),
        ] {
            assert_eq!(backslash(text.as_bytes()), want, "{text}");
        }
        for (text, want) in
            [("\x1b[0mMRN", Some(4)), ("\x1b[1;31m", Some(7)), ("\x1b[", None), ("\x1bM", None)]
        {
            assert_eq!(control_sequence(text.as_bytes()), want, "{text:?}");
        }
    }
}
