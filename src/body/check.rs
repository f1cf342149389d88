//! What must hold of every body that is read, whatever its bytes: the checks of the fuzz targets.
//!
//! `fuzz/` calls these with what a fuzzer makes up, which needs nightly; the tests call them with the seeds that lie
//! beside it, which does not. Each panics on a fault and does nothing else.

#![expect(clippy::panic, clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use bytes::Bytes;

use crate::body::encoding::Codings;
use crate::body::{
    Document, Edit, Kind, Limits, Role, base64, content_type, encoded_words, entity, name, params,
};
use crate::span::Span;

/// A check of some bytes.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[
    ("json", json),
    ("form", form),
    ("query", query),
    ("multipart", multipart),
    ("xml", xml),
    ("captions", captions),
    ("text", text),
    ("charset", charset),
    ("encoding", encoding),
    ("base64", base64),
    ("entity", entity),
    ("header", header),
    ("name", name),
    ("within", within),
];

/// Limits under which a fuzzer soon finds their edges.
fn limits() -> Limits {
    Limits { max_decoded: 1 << 20, max_depth: 64, max_fields: 10_000, ..Limits::default() }
}

/// JSON: what we read, `serde_json` reads, and the same strings of it.
pub fn json(data: &[u8]) {
    let document = body(Some("application/json"), data);
    let Some(document) = document.filter(|document| document.kind() == Kind::Json) else { return };
    let value: Result<serde_json::Value, _> = serde_json::from_slice(data);
    let out_of_range = |error: &serde_json::Error| error.to_string().starts_with("number out");
    match value {
        // Of duplicate keys it keeps one.
        Ok(value) => {
            let ours = document.texts().iter().enumerate();
            let n_ours = ours
                .filter(|(n, text)| text.role == Role::Value && document.holder(*n).is_none())
                .count();
            assert!(n_strings(&value) <= n_ours, "strings are missing");
        }
        Err(error) => assert!(out_of_range(&error), "read what is no JSON"),
    }
}

fn n_strings(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(_) => 1,
        serde_json::Value::Array(elements) => elements.iter().map(n_strings).sum(),
        serde_json::Value::Object(members) => members.values().map(n_strings).sum(),
        _ => 0,
    }
}

/// Forms.
pub fn form(data: &[u8]) {
    body(Some("application/x-www-form-urlencoded"), data);
}

/// Query strings.
pub fn query(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    if let Ok(document) = Document::parse_query(query, &limits()) {
        holds(&document, data, |bytes| {
            let query = std::str::from_utf8(&bytes).ok()?;
            Document::parse_query(query, &limits()).ok()
        });
    }
}

/// Parts, whose boundary is `b`.
pub fn multipart(data: &[u8]) {
    body(Some("multipart/form-data; boundary=b"), data);
    body(Some("multipart/related; boundary=\"b\""), data);
}

/// XML and XML-RPC.
pub fn xml(data: &[u8]) {
    body(Some("text/xml"), data);
}

/// Captions.
pub fn captions(data: &[u8]) {
    body(Some("text/vtt"), data);
}

/// Bodies of no type, or of one that lies.
pub fn text(data: &[u8]) {
    for content_type in [None, Some("text/plain"), Some("image/png"), Some("application/x-ndjson")]
    {
        body(content_type, data);
    }
}

/// Charsets: the first line names one.
pub fn charset(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (label, rest) = data.split_at_checked(line).unwrap_or((data, &[]));
    let Ok(label) = std::str::from_utf8(label) else { return };
    let rest = rest.get(1..).unwrap_or_default();
    for essence in ["text/plain", "application/json", "application/x-www-form-urlencoded"] {
        body(Some(&format!("{essence}; charset={label}")), rest);
    }
}

/// Content codings: the first line names them.
pub fn encoding(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, rest) = data.split_at_checked(line).unwrap_or((data, &[]));
    let Some(codings) = std::str::from_utf8(header).ok().and_then(|it| Codings::parse(it).ok())
    else {
        return;
    };
    let body = Bytes::copy_from_slice(rest.get(1..).unwrap_or_default());
    if let Ok(decoded) = codings.decode(&body, &limits()) {
        let again = Bytes::from(codings.encode(&decoded));
        assert!(codings.decode(&again, &limits()).is_ok_and(|again| again == decoded), "codings");
    }
}

/// Base64: what is decoded has one spelling in its alphabet, and that is the one that was read.
pub fn base64(data: &[u8]) {
    let encoded = base64::encode(data);
    assert!(base64::decode(encoded.as_bytes()).is_some_and(|back| back == data), "base64");
    if let Some(decoded) = base64::decode(data) {
        let plain = |byte: &u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
        let spelled: Vec<u8> = data.iter().map(plain).collect();
        let again = base64::encode(&decoded);
        assert!(again.trim_end_matches('=').as_bytes() == trim_padding(&spelled), "two spellings");
    }
}

fn trim_padding(digits: &[u8]) -> &[u8] {
    let padding = digits.iter().rev().take_while(|digit| **digit == b'=').count();
    digits.get(..digits.len() - padding).unwrap_or_default()
}

/// Entities: what is escaped reads back, and what is undone is never longer.
pub fn entity(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut escaped = String::new();
    entity::escape(text, &mut escaped);
    let back = entity::undo(&escaped).unwrap_or_else(|| escaped.clone());
    assert!(back == text, "an entity does not read back");
    if let Some(undone) = entity::undo(text) {
        assert!(undone.len() <= text.len(), "an entity grew");
    }
}

/// Values of headers: parameters stand where they say, each name once; encoded words are text.
pub fn header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let claim = content_type::ContentType::parse(Some(text));
    let _ = (claim.boundary(), claim.charset(), claim.is_form_data());
    let _ = encoded_words(text);
    let Some((value, params)) = params::parse(text) else { return };
    assert!(text.contains(value), "a value from nowhere");
    for param in &params {
        assert!(param.span.of(text) == Some(param.value), "a parameter stands elsewhere");
        let found = params::find(&params, param.name).map(|found| found.span);
        assert!(found == Some(param.span), "two parameters of one name");
    }
    // The same as the head of a part: what is edited there is that and no other.
    let part = format!(
        "--b\r\nContent-Disposition: {text}\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; name=a; filename=\"{text}\"\r\n\r\nhello\r\n--b--\r\n"
    );
    body(Some("multipart/form-data; boundary=b"), part.as_bytes());
}

/// Names of form fields: every step but those between brackets is the name itself.
pub fn name(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let steps = name::steps(text);
    assert!(!steps.is_empty() && steps.len() <= text.len().max(1), "steps from nowhere");
    if !text.contains('[') {
        assert!(steps.len() == 1, "one name is one step");
    }
    let _ = format!("{steps:?}");
}

/// Strings within strings: what a string of JSON and a field of a form may hold in an encoding of their own.
pub fn within(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let json = serde_json::json!({ "status": text }).to_string();
    body(Some("application/json"), json.as_bytes());
    let form: String =
        percent_encoding::percent_encode(data, percent_encoding::NON_ALPHANUMERIC).collect();
    body(Some("application/x-www-form-urlencoded"), format!("status={form}").as_bytes());
}

fn body(content_type: Option<&str>, data: &[u8]) -> Option<Document> {
    let parse = |bytes: Bytes| Document::parse(content_type, bytes, &limits()).ok();
    let document = parse(Bytes::copy_from_slice(data))?;
    holds(&document, data, parse);
    Some(document)
}

/// Without edits the very bytes; with one, that text and no other of those that stand by themselves.
fn holds(document: &Document, data: &[u8], reread: impl Fn(Bytes) -> Option<Document>) {
    let Ok(same) = document.write(&[]) else { panic!("what was read is not written") };
    assert!(same == data, "bytes changed without an edit");
    let standing = standing(document);
    for (nth, &text) in standing.iter().enumerate().take(8) {
        let Some(held) = document.texts().get(text) else { panic!("a text is missing") };
        let span = Span::new(0, held.text.len());
        let edit = Edit::Splice { text, span, with: "xyz".into() };
        let Ok(written) = document.write(&[edit]) else { continue };
        assert!(matches!(held.role, Role::Value | Role::FileName), "a key was edited");
        let Some(again) = reread(written) else {
            // Without its odd letters, what is left in another charset may read as UTF-8 does, and then has no reading.
            let in_charset = document
                .layers
                .iter()
                .any(|layer| layer.outer.is_some_and(|slot| slot.is_in_charset()));
            assert!(in_charset, "what was written cannot be read");
            continue;
        };
        // Texts that another kind of body holds come and go with what surrounds them.
        if again.kind() != document.kind() {
            continue;
        }
        let new = self::standing(&again);
        assert!(new.len() == standing.len(), "texts came or went");
        for (n, (&before, &after)) in standing.iter().zip(&new).enumerate() {
            let before = document.texts().get(before).map(|text| text.text.expose());
            let after = again.texts().get(after).map(|text| text.text.expose());
            let want = if n == nth { Some("xyz") } else { before };
            assert!(after == want, "an edit went elsewhere");
        }
    }
}

/// The texts that stand in no other. Of JSON that claims to be a form, those that it is: what a server would read of it as
/// a form comes and goes with its ampersands.
fn standing(document: &Document) -> Vec<usize> {
    let root = document.root().map(|root| root.layer);
    let is_of_root = |text: usize| {
        let layer = document.sources.get(text).map(|source| source.slot.layer);
        root.is_none() || layer == root
    };
    let texts = 0..document.texts().len();
    texts.filter(|text| document.holder(*text).is_none() && is_of_root(*text)).collect()
}
