//! Messages of a WebSocket: which endpoint one is for, what of it is ciphertext, and how a blocked one is answered.
//!
//! A message has no method and no path of its own. What it is stands in it (`["EVENT",{..}]`, `{"op":2,..}`), in the very
//! place where the platform looks: so a condition can make a message harmless, which the name of a GraphQL operation
//! cannot.

use crate::body::{Document, Path, Role, Step, base64};
use crate::platform::answer::AnswerTemplate;
use crate::platform::template::Fault;

/// The method of messages in a platform's file. No request can have it: see [`crate::platform::WEBSOCKET`].
pub(super) const METHOD: &str = "WEBSOCKET";

/// One step of a place in a message.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Step1 {
    /// This element of a list, from 0.
    Element(usize),
    /// This key, in capitals or small letters: some servers do not tell them apart.
    Key(Box<str>),
}

/// A place in a message, such as `0` or `1.kind`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct At {
    steps: Vec<Step1>,
}

impl At {
    pub(super) fn parse(written: &str) -> Result<Self, Fault> {
        let steps = written.split('.').map(|step| {
            let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$');
            match step.parse() {
                Ok(nth) => Some(Step1::Element(nth)),
                Err(_) if !step.is_empty() && step.bytes().all(is_key) => {
                    Some(Step1::Key(step.into()))
                }
                Err(_) => None,
            }
        });
        steps.collect::<Option<Vec<_>>>().map(|steps| Self { steps }).ok_or_else(|| {
            (
                format!("`{written}` is no place in a message"),
                "write keys and numbers of elements, from the outermost in: \"op\", \"0\", \"1.kind\"",
            )
        })
    }

    /// Every string and number that stands there: duplicate keys are all given.
    fn values<'d>(&'d self, message: &'d Document) -> impl Iterator<Item = &'d str> {
        let texts = message.texts().iter().enumerate();
        texts
            .filter(|(index, text)| {
                matches!(text.role, Role::Value | Role::Number)
                    && self.is(&text.path)
                    && message.holder(*index).is_none()
            })
            .map(|(_, text)| text.text.expose())
    }

    fn is(&self, path: &Path) -> bool {
        self.steps.len() == path.n_steps()
            && self.steps.iter().rev().zip(path.outwards()).all(|pair| match pair {
                (Step1::Element(mine), Step::Index(nth)) => mine == nth,
                (Step1::Key(mine), Step::Key(key)) => mine.eq_ignore_ascii_case(key),
                _ => false,
            })
    }
}

/// What a message must say of itself for an endpoint to be its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct When {
    pub(super) at: At,
    /// Any one of these, to the letter.
    pub(super) values: Vec<String>,
    /// As the file writes it: safe to print.
    pub(super) written: String,
}

impl When {
    /// Whether it holds, of every value that stands there: of duplicates nobody knows which one counts.
    pub(super) fn holds(&self, message: &Document) -> bool {
        let mut values = self.at.values(message).peekable();
        values.peek().is_some()
            && values.all(|value| self.values.iter().any(|mine| mine.as_str() == value))
    }
}

/// How a blocked message is answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) template: AnswerTemplate,
    /// Where the message's own id stands, which the reply repeats, and what it must look like.
    pub(super) id: Option<(At, Form)>,
}

impl Reply {
    /// The id of a message, if it has just one and that looks as it must; or else nothing.
    pub(super) fn id_of<'d>(&'d self, message: Option<&'d Document>) -> &'d str {
        let (Some((at, form)), Some(message)) = (&self.id, message) else { return "" };
        let mut values = at.values(message);
        match (values.next(), values.next()) {
            (Some(id), None) if form.is_of(id) => id,
            _ => "",
        }
    }
}

/// What a string looks like that is nobody's words. A closed list that the platform files name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// 64 hexadecimal digits: an id or a key of Nostr.
    Hex64,
    /// 128: a signature.
    Hex128,
    /// The ciphertext of NIP-04: base64 of whole blocks, `?iv=`, base64 of 16 bytes.
    Nip04,
    /// That of NIP-44, version 2: base64 of version, nonce, padded text and code of authentication.
    Nip44,
}

impl Form {
    pub(super) const NAMES: &[(&str, Self)] = &[
        ("hex-64", Self::Hex64),
        ("hex-128", Self::Hex128),
        ("nip-04", Self::Nip04),
        ("nip-44", Self::Nip44),
    ];

    /// Whether a text looks so. Base64 is a common disguise: what reads as text when it is decoded is no ciphertext.
    pub(super) fn is_of(self, text: &str) -> bool {
        match self {
            Self::Hex64 => is_hex(text, 64),
            Self::Hex128 => is_hex(text, 128),
            Self::Nip04 => text.split_once("?iv=").is_some_and(|(sealed, iv)| {
                let sealed = base64::decode(sealed.as_bytes());
                let iv = base64::decode(iv.as_bytes());
                sealed.is_some_and(|bytes| {
                    !bytes.is_empty() && bytes.len().is_multiple_of(16) && is_noise(&bytes)
                }) && iv.is_some_and(|iv| iv.len() == 16)
            }),
            Self::Nip44 => {
                (132..=87_472).contains(&text.len())
                    && base64::decode(text.as_bytes())
                        .is_some_and(|bytes| bytes.first() == Some(&2) && is_noise(&bytes))
            }
        }
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether bytes are those of a cipher rather than of a text: half of a cipher's have the high bit, and they are no UTF-8.
/// One block has sixteen, of which one in ten thousand has fewer than three; a text so short that is none is read, that is all.
fn is_noise(bytes: &[u8]) -> bool {
    let n_high = bytes.iter().filter(|byte| **byte >= 0x80).count();
    n_high * 6 > bytes.len() && n_high * 6 < bytes.len() * 5 && std::str::from_utf8(bytes).is_err()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{At, Form, When};
    use crate::body::{Document, Limits, base64};

    fn holds(at: &str, values: &[&str], message: &str) -> bool {
        let body = Bytes::copy_from_slice(message.as_bytes());
        let message = Document::parse(Some("application/json"), body, &Limits::default()).unwrap();
        let values = values.iter().map(ToString::to_string).collect();
        When { at: At::parse(at).unwrap(), values, written: String::new() }.holds(&message)
    }

    #[test]
    fn conditions_hold_of_every_value() {
        for (at, values, message, want) in [
            ("0", &["REQ"][..], r#"["REQ","a",{}]"#, true),
            ("0", &["REQ"], r#"["EVENT","REQ"]"#, false),
            ("0", &["REQ"], r#"[["REQ"]]"#, false),
            ("0", &["REQ"], r#"{"0":"REQ"}"#, false),
            ("0", &["REQ"], "[]", false),
            ("1.kind", &["4", "1059"], r#"["EVENT",{"kind":1059}]"#, true),
            ("1.kind", &["4", "1059"], r#"["EVENT",{"kind":1059,"kind":1}]"#, false),
            ("1.kind", &["4", "1059"], r#"["EVENT",{"kind":1059,"KIND":1}]"#, false),
            ("1.kind", &["4", "1059"], r#"["EVENT",{"\u006bind":1059,"kind":4}]"#, true),
            ("1.kind", &["4", "1059"], r#"["EVENT",{"kind":4.0}]"#, false),
            ("1.kind", &["4", "1059"], r#"["EVENT","{\"kind\":4}"]"#, false),
            ("op", &["1"], r#"{"op":1,"d":{"op":3}}"#, true),
            ("op", &["1"], r#"{"op":3,"d":{"op":1}}"#, false),
        ] {
            assert_eq!(holds(at, values, message), want, "{at} in {message}");
        }
        for at in ["", "a..b", "a[]", "**", "a b"] {
            assert!(At::parse(at).is_err(), "{at}");
        }
    }

    /// Bytes as a cipher makes them.
    fn noise(n: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_u32;
        let next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(n).collect()
    }

    #[test]
    fn ciphertext_is_told_from_text_in_base64() {
        let text = "Mr. Castellano in bed 4 is much better ".repeat(4);
        let iv = base64::encode(&noise(16));
        let nip44 = |inside: &[u8]| base64::encode(&[&[2], inside].concat());
        for (form, sealed, want) in [
            (Form::Nip04, format!("{}?iv={iv}", base64::encode(&noise(64))), true),
            (Form::Nip04, format!("{}?iv={iv}", base64::encode(&noise(60))), false),
            (Form::Nip04, format!("{}?iv=AAAA", base64::encode(&noise(64))), false),
            (Form::Nip04, base64::encode(&noise(64)), false),
            (Form::Nip04, format!("{}?iv={iv}", base64::encode(&text.as_bytes()[..64])), false),
            (Form::Nip44, nip44(&noise(131)), true),
            (Form::Nip44, nip44(&noise(60)), false),
            (Form::Nip44, base64::encode(&[&[7][..], &noise(131)].concat()), false),
            (Form::Nip44, nip44(&text.as_bytes()[..131]), false),
            (Form::Nip44, nip44("患者は病棟を出ました".repeat(5).as_bytes()), false),
            (Form::Nip44, text.clone(), false),
            (Form::Hex64, "ab".repeat(32), true),
            (Form::Hex64, "AB".repeat(32), false),
            (Form::Hex64, "ab".repeat(31), false),
            (Form::Hex128, "0f".repeat(64), true),
        ] {
            assert_eq!(form.is_of(&sealed), want, "{form:?} {sealed}");
        }
    }
}
