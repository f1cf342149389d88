//! Strings that a platform's file takes for ids or media, with words in a code in them; and what headers say of a file.

use std::io::Write as _;

use super::{Call, FORM, JSON, form, inspect, inspect_with};
use crate::body::base64::encode;
use crate::inspect::Verdict;

const SUBTITLES: &str = "1\n00:00:00,000 --> 00:00:02,000\nOur patient Dorothy Kowalski, MRN 00412345, SSN 536-90-4399, was admitted last night\n\n";
const HARMLESS: &str =
    "1\n00:00:00,000 --> 00:00:02,000\nWelcome to the open day of our hospital, see you there\n\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Every call with this in an opaque field.
fn calls(code: &str) -> Vec<Call<'static>> {
    let json = |body: serde_json::Value| body.to_string();
    let media = |body| ("x", "POST", "/2/media/upload", JSON, json(body));
    vec![
        (
            "x",
            "POST",
            "/1.1/media/upload.json",
            FORM,
            format!("media_category=subtitles&media_data={}", form(code)),
        ),
        media(serde_json::json!({ "media": code, "media_category": "subtitles" })),
        (
            "x",
            "POST",
            "/2/media/upload/1/append",
            JSON,
            json(serde_json::json!({ "media": code, "segment_index": 0 })),
        ),
        (
            "x",
            "POST",
            "/2/tweets",
            JSON,
            json(serde_json::json!({ "text": "hi", "media": { "media_ids": [code] } })),
        ),
        (
            "mastodon",
            "POST",
            "/api/v1/statuses",
            JSON,
            json(serde_json::json!({ "status": "hi", "in_reply_to_id": code })),
        ),
        (
            "slack",
            "POST",
            "/api/chat.postMessage",
            JSON,
            json(serde_json::json!({ "channel": "C1", "thread_ts": code, "text": "hi" })),
        ),
    ]
}

#[test]
fn words_in_a_code_in_an_opaque_field_are_read() {
    let table = format!("name,mrn\n{}", "Dorothy Kowalski,MRN 00412345\n".repeat(300));
    for code in [
        encode(SUBTITLES.as_bytes()),
        encode(table.as_bytes()),
        encode(&gzip(SUBTITLES)),
        encode(encode(SUBTITLES.as_bytes()).as_bytes()),
        encode(b"Our patient Dorothy Kowalski, MRN 00412345, was admitted last night"),
        String::from("536-90-4399"),
    ] {
        for call in calls(&code) {
            let inspection = inspect(&call);
            assert_ne!(inspection.verdict, Verdict::Forward, "{}: {code:.40}", call.2);
        }
    }
}

#[test]
fn ids_and_harmless_words_in_a_code_pass() {
    for code in [
        encode(HARMLESS.as_bytes()),
        encode(b"{\"id\":12345678901234,\"next\":\"abcdefgh\"}"),
        encode(b"user:W07QCRPA4:1700000000.000100"),
        String::from("1289034871290348712"),
        String::from("1700000000.000100"),
        String::from("123e4567-e89b-12d3-a456-426614174000"),
    ] {
        for call in calls(&code) {
            let inspection = inspect(&call);
            assert_eq!(inspection.verdict, Verdict::Forward, "{}: {code:.40}", call.2);
        }
    }
}

#[test]
fn headers_that_say_more_of_a_file_are_read() {
    let call = ("bluesky", "POST", "/xrpc/com.atproto.repo.uploadBlob", "", String::from("hello"));
    let tus = |text: &str| format!("filename {},is_private", encode(text.as_bytes()));
    for (name, value, passes) in [
        ("upload-metadata", tus("ssn 078-05-1120.mp4"), false),
        ("upload-metadata", format!("mrn {}", encode(b"00412345")), false),
        ("x-amz-meta-mrn", String::from("00412345"), false),
        ("x-goog-meta-note", String::from("pt ssn 078-05-1120"), false),
        ("x-ms-meta-note", String::from("pt ssn 078-05-1120"), false),
        ("x-upload-file-name", String::from("ssn 078-05-1120.mp4"), false),
        ("file-name", String::from("ssn 078-05-1120.mp4"), false),
        ("x-bz-file-name", String::from("ssn%20078-05-1120.mp4"), false),
        ("upload-metadata", tus("open day.mp4"), true),
        ("x-amz-meta-mtime", String::from("1700000000"), true),
        ("x-bz-file-name", String::from("open%20day.mp4"), true),
    ] {
        let inspection = inspect_with(&call, &[(name, &value)]);
        assert_eq!(inspection.verdict == Verdict::Forward, passes, "{name}: {value}");
    }
}
