//! Signatures that forbid an edit, and those that do not.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{body, json, platform, query};
use crate::body::Document;
use crate::diagnostic::Source;
use crate::platform::{Platform, Platforms};

const OAUTH: &str = "OAuth oauth_nonce=\"1\", oauth_consumer_key=\"a\", oauth_signature=\"d5%3D\"";

fn form(text: &str) -> Document {
    body(Some("application/x-www-form-urlencoded"), text)
}

fn signed(
    platform: &Platform,
    header: Option<(&str, &str)>,
    body: &Document,
    params: &str,
    edits: (bool, bool),
) -> bool {
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        headers.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    platform.signed(&headers, body, &query(params), edits.0, edits.1)
}

#[test]
fn signatures_over_what_is_edited_are_seen() {
    let platform = platform("x");
    let hash = format!("{OAUTH}, oauth_body_hash=\"x\"");
    let auth = |value: &'static str| Some(("authorization", value));
    let (json, posted) = (json(r#"{"text":"a"}"#), form("status=a"));
    let multipart = body(
        Some("multipart/form-data; boundary=b"),
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n",
    );
    for (header, document, params, edits, want) in [
        (None, &json, "", (true, true), false),
        (auth("Bearer tok"), &posted, "", (true, true), false),
        (auth("DPoP tok"), &json, "", (true, true), false),
        (auth(OAUTH), &json, "", (true, false), false),
        (auth(OAUTH), &multipart, "", (true, false), false),
        (auth(OAUTH), &posted, "", (true, false), true),
        (auth(OAUTH), &json, "a=b", (false, true), true),
        (Some(("authorization", &*hash)), &json, "", (true, false), true),
        (auth("oauth  oauth_signature=\"x\""), &posted, "", (true, false), true),
        (auth("OAuth ya29.token"), &posted, "", (true, false), false),
        (auth("AWS4-HMAC-SHA256 Credential=x"), &json, "", (true, false), true),
        // A digest that nobody signed is put right.
        (Some(("digest", "SHA-256=x")), &json, "", (true, false), false),
        (Some(("digest", "SHA-256=x")), &json, "a=b", (false, true), false),
        (Some(("content-digest", "sha-256=:x:")), &json, "", (true, false), false),
        (auth("Digest username=\"a\", qop=auth-int"), &json, "", (true, false), true),
        (auth("Digest username=\"a\", qop=auth"), &json, "", (true, false), false),
        (auth("Digest username=\"a\", qop=auth"), &json, "a=b", (false, true), true),
        (Some(("signature-input", "sig=()")), &json, "a=b", (false, true), true),
        (None, &json, "oauth_signature=x", (true, false), true),
        (None, &form("status=a&oauth_signature=x"), "", (true, false), true),
        (None, &json, "X-Amz-Signature=x", (false, true), true),
        (auth(OAUTH), &posted, "", (false, false), false),
    ] {
        let found = signed(&platform, header, document, params, edits);
        assert_eq!(found, want, "{header:?} {:?} {params} {edits:?}", document.kind());
    }
}

#[test]
fn a_file_may_name_more() {
    let mut platforms = Platforms::default();
    let text = "name = \"a\"\nsigned = { headers = [\"X-Body-Hash\"], parameters = [\"sig\"] }\n[answer]\nstatus = 403\ncontent-type = \"application/json\"\nbody = '{\"error\":\"{sentence}\"}'\n";
    platforms.add(&Source::new("a.toml", text)).unwrap();
    let platform = platforms.get("a").unwrap();
    let json = json("{}");
    assert!(signed(platform, Some(("x-body-hash", "1")), &json, "", (true, false)));
    assert!(signed(platform, None, &json, "sig=1", (false, true)));
    assert!(!signed(platform, None, &json, "a=1", (false, true)));
}
