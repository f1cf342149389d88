//! What stands between the quotes of a JSON string: escapes read, and made for replacements.
//!
//! Promise: a lone surrogate is a fault, never a replacement character. JavaScript servers accept it, so a reader that
//! guessed would read another text than they do.

/// The character that an escape at the start of `bytes` stands for, and the bytes it takes.
pub(in crate::body) fn read_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let character = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_unicode_escape(bytes),
        _ => return None,
    };
    Some((character, 2))
}

fn read_unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex4(bytes.get(2..6)?)?;
    if !(0xd800..=0xdfff).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    if first >= 0xdc00 || bytes.get(6..8)? != b"\\u" {
        return None;
    }
    let second = hex4(bytes.get(8..12)?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?, 12))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// Adds `text` to `out` as it must stand between quotes.
pub(in crate::body) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let code = control as u32;
                out.push_str("\\u00");
                out.extend(char::from_digit(code >> 4, 16));
                out.extend(char::from_digit(code & 0xf, 16));
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::escape;
    use crate::body::json::scan::Scan;

    /// What the string between quotes comes to.
    fn unescape(raw: &str) -> Option<String> {
        let quoted = format!("\"{raw}\"");
        let mut scan = Scan::new(&quoted);
        let inside = scan.string().ok().filter(|_| scan.at() == quoted.len())?;
        assert_eq!((inside.start, inside.raw), (1, raw));
        Some(inside.unescaped.unwrap_or_else(|| raw.to_owned()))
    }

    /// The end of a string is found wherever it stands, and so is what must not stand in one.
    #[test]
    fn strings_end_at_their_quote_wherever_that_is() {
        for length in 0..150 {
            let plain: String = "Zo\u{eb} \u{1f3e5}~\u{7f}".chars().cycle().take(length).collect();
            assert_eq!(unescape(&plain), Some(plain.clone()), "{length}");
            for (raw, read) in [
                (r#"\""#, Some("\"")),
                (r"\u0041", Some("A")),
                ("\t", None),
                ("\0", None),
                ("\"", None),
            ] {
                let (head, tail) =
                    plain.split_at(plain.char_indices().nth(length / 2).map_or(0, |(at, _)| at));
                let want = read.map(|read| [head, read, tail].concat());
                assert_eq!(unescape(&[head, raw, tail].concat()), want, "{length} {raw:?}");
            }
        }
    }

    #[test]
    fn escapes_are_undone() {
        let cases = [
            ("plain", Some("plain")),
            (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r"\u0041\u00e9\u20ac", Some("Aé€")),
            (r"\ud83c\udfe5!", Some("🏥!")),
            (r"\uD83C\uDFE5", Some("🏥")),
            (r"\ud83c", None),
            (r"\ud83cx", None),
            (r"\udfe5", None),
            (r"\ud83c\ud83c", None),
            (r"\ud83c\u0041", None),
            (r"\u12", None),
            (r"\u12g4", None),
            (r"\u+123", None),
            (r"\x41", None),
            ("\\", None),
        ];
        for (raw, want) in cases {
            assert_eq!(unescape(raw).as_deref(), want, "{raw}");
        }
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let text: String =
            (0..0x100).filter_map(char::from_u32).chain("🏥\u{2028}".chars()).collect();
        let mut raw = String::new();
        escape(&text, &mut raw);
        assert!(raw.bytes().all(|b| b >= 0x20));
        assert_eq!(unescape(&raw).as_deref(), Some(text.as_str()));
        assert_eq!(serde_json::from_str::<String>(&format!("\"{raw}\"")).ok(), Some(text));
    }
}
