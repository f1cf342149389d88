//! What a string is by its shape alone, whatever a platform's file takes it for.
//!
//! A file says that `nonce` is an id. A client says what stands in it, and a sentence in it would leave unread. So a
//! string passes as an id only if it looks like one.

use crate::detect::Engine;

/// The longest id, in bytes; a token may be longer if all of it is of a token's letters.
const MOST_ID: usize = 256;

/// The longest word of nothing but letters that may be an id, in letters: none has as many in a row as run-together words.
const MOST_LETTERS: usize = 40;

/// Whether a string can be an id, a token or a cursor: no blanks, no letters beyond ASCII, no web address.
pub(super) fn is_id(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%:|,".contains(&byte);
    if has_social_security_number(text) {
        return false;
    }
    if text.len() > MOST_ID {
        return text.bytes().all(is_token);
    }
    let is_sign = |c: char| !c.is_whitespace() && !c.is_control();
    let is_letter = |c: char| c.is_alphabetic() && !c.is_ascii();
    text.chars().all(|c| is_sign(c) && !is_letter(c)) && !is_web_address(text) && !is_run_on(text)
}

/// An address of the web can hold any words.
fn is_web_address(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http")) && text.contains("://")
}

fn is_run_on(text: &str) -> bool {
    let longest = text.split(|c: char| !c.is_ascii_lowercase()).map(str::len).max();
    longest.is_some_and(|longest| longest > MOST_LETTERS)
}

/// Whether a number of social security stands in a string as people write it: `536-90-4399`, and nothing beside it that
/// could make it a stretch of a longer id.
fn has_social_security_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_one = |at: usize| {
        let Some(start) = at.checked_sub(3) else { return false };
        let shape = |(byte, sign): (&u8, &u8)| match sign {
            b'0' => byte.is_ascii_digit(),
            _ => byte == sign,
        };
        let is_end =
            |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        let found = bytes.get(start..start + 11);
        found.is_some_and(|found| found.iter().zip(b"000-00-0000").all(shape))
            && is_end(start.checked_sub(1).and_then(|before| bytes.get(before)))
            && is_end(bytes.get(start + 11))
    };
    memchr::memchr_iter(b'-', bytes).any(is_one)
}

/// Whether what stood in a code reads like words or a table, so that the code was no id.
pub(super) fn is_words(text: &str) -> bool {
    const FEWEST_LETTERS: usize = 12;
    let parts = |c: &char| c.is_whitespace() || matches!(c, ',' | ';');
    let is_text = || {
        text.chars().filter(parts).take(2).count() == 2
            && text.chars().filter(|c| c.is_alphabetic()).take(FEWEST_LETTERS).count()
                == FEWEST_LETTERS
    };
    let is_json = text.trim_start().starts_with(['{', '[']);
    has_social_security_number(text) || Engine::is_prose(text) || (!is_json && is_text())
}

/// Whether a key is one of a password or another secret, in which words are nobody's business.
pub(super) fn is_of_secret(key: &str) -> bool {
    const SECRET: &[&str] = &["pass", "pwd", "secret", "token", "credential", "phrase", "otp"];
    let key = key.to_ascii_lowercase();
    SECRET.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{is_id, is_of_secret, is_words};

    #[test]
    fn words_and_tables_are_told_from_tokens() {
        for (text, want) in [
            ("Saw the patient today", true),
            ("name;mrn\nKowalski;00412345\n", true),
            ("078-05-1120", true),
            ("user:W07QCRPA4", false),
            ("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"abcdefghij\"}", false),
            ("1700000000,1700000001,17", false),
        ] {
            assert_eq!(is_words(text), want, "{text}");
        }
    }

    #[test]
    fn ids_look_like_ids() {
        for (text, want) in [
            ("1289034871290348712", true),
            ("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", true),
            ("urn:li:person:a_B-1", true),
            ("mxc://clinic.example/AbC", true),
            ("🏥", true),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", true),
            ("0", true),
            ("", true),
            ("Mr. Castellano", false),
            ("a\tb", false),
            ("a\u{a0}b", false),
            ("患者田中", false),
            ("https://a.example/castellano", false),
            ("078-05-1120", false),
            ("user:078-05-1120", false),
            ("a078-05-1120", true),
            ("1-078-05-1120", true),
            ("078-05-11203", true),
            ("-05-1120", true),
            ("mypatientcastellanocodedlastnightinroomfour", false),
        ] {
            assert_eq!(is_id(text), want, "{text}");
        }
        assert!(is_id(&"aB3-_.".repeat(400)));
        assert!(!is_id(&"aB3-_.<".repeat(400)));
    }

    #[test]
    fn secrets_are_told_by_their_keys() {
        for (key, want) in [
            ("password", true),
            ("currentPassword", true),
            ("client_secret", true),
            ("content", false),
        ] {
            assert_eq!(is_of_secret(key), want, "{key}");
        }
    }
}
