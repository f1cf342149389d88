//! What hides words in the texts of a post that are no values: keys, file names, path segments, headers.
//!
//! What values hold is read with the body, and written back ([`Document::outward`](crate::body::Document::outward));
//! what is decoded here is read and never edited, since nobody can say how the platform will put it back.

use percent_encoding::percent_decode;

use crate::body::{Codes, encoded_words, lossy};

/// How often percent-encoding may lie in percent-encoding.
const MOST_LAYERS: usize = 3;

/// Whether a text is so written that its words cannot be told apart as it stands: by escapes, by letters that nobody sees.
pub(super) fn hides_blanks(text: &str) -> bool {
    const FEWEST: usize = 12;
    let bytes = text.as_bytes();
    let is_escape = |at: usize| matches!(bytes.get(at + 1), Some(b'u' | b'U' | b'x' | b'0'..=b'7'));
    let is_unseen =
        |c: char| matches!(c, '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    bytes.len() >= FEWEST
        && (memchr::memchr_iter(b'\\', bytes).any(is_escape)
            || (!text.is_ascii() || memchr::memchr(0, bytes).is_some()) && text.contains(is_unseen))
}

/// Bytes of a key that may label what stands under it.
const LONGEST_KEY: usize = 128;

/// The texts that a key or a name hides; none for nearly every one.
pub(super) fn hidden(text: &str, codes: &Codes) -> Vec<String> {
    let mut hidden = codes.texts(text);
    if text.contains('%') || (text.contains('+') && text.contains('=')) {
        hidden.extend(text.split_whitespace().filter_map(undo_percent));
    }
    if text.contains("=?") {
        hidden.extend(encoded_words(text));
    }
    hidden
}

/// A percent-encoded word or form, decoded as often as it was encoded. Bytes that are no UTF-8 become a mark, so that
/// one of them does not hide the rest.
pub(super) fn undo_percent(word: &str) -> Option<String> {
    let mut text = word.to_owned();
    let mut changed = false;
    for _ in 0..MOST_LAYERS {
        let is_form = text.contains('=') && text.contains('+');
        if !is_form && !has_percent(&text) {
            break;
        }
        let plain = if is_form { text.replace('+', " ") } else { text };
        let bytes: Vec<u8> = percent_decode(plain.as_bytes()).collect();
        text = lossy(&bytes);
        changed = true;
    }
    changed.then_some(text)
}

fn has_percent(text: &str) -> bool {
    text.as_bytes().windows(3).any(|three| {
        matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// A key as words: `patientSSN`, `medical_record_number` and `ssn-number` label what stands beside them.
///
/// Of a long one only its end, which stands nearest: every value under a key gets a copy of it.
pub(super) fn words_of_key(key: &str) -> String {
    let longest = key.len().saturating_sub(LONGEST_KEY)..key.len();
    let start = longest.into_iter().find(|at| key.is_char_boundary(*at));
    let key = start.and_then(|at| key.get(at..)).unwrap_or_default();
    let mut words = String::with_capacity(key.len() + 4);
    let mut letters = key.chars().peekable();
    let mut last: Option<char> = None;
    while let Some(letter) = letters.next() {
        let starts_word = last.is_some_and(|last| {
            let next_is_lower = letters.peek().is_some_and(|next| next.is_lowercase());
            letter.is_uppercase() && (!last.is_uppercase() || next_is_lower)
        });
        if starts_word {
            words.push(' ');
        }
        words.push(if matches!(letter, '_' | '-' | '.') { ' ' } else { letter });
        last = Some(letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{hidden, hides_blanks, words_of_key};
    use crate::body::Codes;

    #[test]
    fn what_is_hidden_is_found() {
        let cases: &[(&str, &[&str])] = &[
            ("plain words and 100 % of them", &[]),
            ("a + b = c", &[]),
            ("message=Mr.+Roe+came", &["message=Mr. Roe came"]),
            ("see https://a.example/?ssn=%31%32 now", &["https://a.example/?ssn=12"]),
            ("SSN%2520%2531", &["SSN 1"]),
            ("a%ffb%20c", &["a\u{fffd}b c"]),
        ];
        for (text, want) in cases {
            assert_eq!(hidden(text, &Codes::default()), *want, "{text}");
        }
    }

    #[test]
    fn words_that_cannot_be_told_apart_are_read_as_prose() {
        for (text, hides) in [
            ("\\u0050\\u0061\\u0074", true),
            ("P\0a\0t\0i\0e\0n\0t\0", true),
            ("Pa\u{200b}tient\u{200b}", true),
            ("C:\\Windows\\fonts", false),
            ("patient\u{e9}_mrn", false),
            ("\\u0050", false),
        ] {
            assert_eq!(hides_blanks(text), hides, "{text:?}");
        }
    }

    #[test]
    fn keys_are_words() {
        for (key, words) in [
            ("ssn", "ssn"),
            ("patientSSN", "patient SSN"),
            ("SSNNumber", "SSN Number"),
            ("medical_record_number", "medical record number"),
            ("patientMrn", "patient Mrn"),
            ("mrn-no", "mrn no"),
            ("", ""),
        ] {
            assert_eq!(words_of_key(key), words);
        }
        let long = format!("{}_patient_mrn", "é".repeat(100_000));
        let words = words_of_key(&long);
        assert!(words.len() < 200 && words.ends_with(" patient mrn"));
    }
}
