//! Digests of a body that was edited, put right. (One that is signed keeps the post from being edited at all.)
//!
//! A server that checks a digest refuses a body that does not have it, so a redacted post with the old one would be lost. A
//! digest by an algorithm that is not in use any more is taken off: to receivers it says nothing that another does not.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256, Sha512};

/// Dictionaries of digests, by RFC 9530 (`sha-256=:base64:`).
const BETWEEN_COLONS: [HeaderName; 2] =
    [HeaderName::from_static("content-digest"), HeaderName::from_static("repr-digest")];
/// A list of digests, by RFC 3230 (`SHA-256=base64`).
const BARE: HeaderName = HeaderName::from_static("digest");
const MD5: HeaderName = HeaderName::from_static("content-md5");
/// The digest in hexadecimal, or a word that says there is none.
const AMAZON: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Gives the headers the digests of the new body; where nobody has it whole, takes them off.
pub(crate) fn put_right(headers: &mut HeaderMap, body: Option<&[u8]>) {
    headers.remove(MD5);
    for name in BETWEEN_COLONS {
        replace(headers, &name, |value| list(value, body, |digest| format!(":{digest}:")));
    }
    replace(headers, &BARE, |value| list(value, body, str::to_owned));
    replace(headers, &AMAZON, |value| {
        let is_digest = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_digest {
            return Some(value.to_owned());
        }
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(body?) {
            _ = write!(hex, "{byte:02x}");
        }
        Some(hex)
    });
}

/// What every value of a header becomes; without one that stays, the header goes.
fn replace(headers: &mut HeaderMap, name: &HeaderName, new: impl Fn(&str) -> Option<String>) {
    let values: Vec<HeaderValue> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| HeaderValue::from_str(&new(value.to_str().ok()?)?).ok())
        .collect();
    headers.remove(name);
    for value in values {
        headers.append(name, value);
    }
}

/// The digests of a list by the algorithms that we know, each over the new body.
fn list(value: &str, body: Option<&[u8]>, written: impl Fn(&str) -> String) -> Option<String> {
    let body = body?;
    let mut digests = Vec::new();
    for member in value.split(',') {
        let algorithm = member.split('=').next().unwrap_or_default().trim();
        let digest = match algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => base64(&Sha256::digest(body)),
            "sha-512" => base64(&Sha512::digest(body)),
            _ => continue,
        };
        digests.push(format!("{algorithm}={}", written(&digest)));
    }
    (!digests.is_empty()).then(|| digests.join(", "))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let held = three.iter().fold(0_usize, |held, byte| held << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for n in 0..4 {
            let digit = DIGITS.get(held >> (18 - 6 * n) & 63).filter(|_| n <= three.len());
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::put_right;

    /// The body `hello`, whose digests are in every manual.
    const HELLO: Option<&[u8]> = Some(b"hello");
    const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    const SHA512: &str =
        "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==";

    #[test]
    fn digests_are_of_the_new_body() {
        for (name, before, body, want) in [
            ("content-digest", "sha-256=:b2xk:", HELLO, Some(format!("sha-256=:{SHA256}:"))),
            ("repr-digest", "sha-512=:b2xk:", HELLO, Some(format!("sha-512=:{SHA512}:"))),
            (
                "digest",
                "MD5=b2xk, SHA-256=b2xk,sha-512=b2xk",
                HELLO,
                Some(format!("SHA-256={SHA256}, sha-512={SHA512}")),
            ),
            ("digest", "MD5=b2xk", HELLO, None),
            ("digest", "SHA-256=b2xk", None, None),
            ("content-md5", "b2xk", HELLO, None),
            (
                "x-amz-content-sha256",
                &"0".repeat(64),
                HELLO,
                Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".into()),
            ),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD", HELLO, Some("UNSIGNED-PAYLOAD".into())),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(before).unwrap());
            put_right(&mut headers, body);
            let after = headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(after, want.as_deref(), "{name}: {before}");
        }
    }
}
