//! Every field that the files name in messages of a WebSocket: the words in it are found where the conditions hold, and
//! redacted, or answered where the platform signs. The files are read here as TOML alone, as for requests.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::inspect::check::{PLATFORMS, SHIPPED};
use crate::inspect::{Fault, Inspection, Request, Verdict};
use crate::platform::{CannotRedact, Platforms, WEBSOCKET};

/// Speaks of care, with a name that its honorific gives away.
const WORDS: &str = "My patient Mr. Castellano coded last night";

fn inspect(platform: &str, path: &str, message: &Value) -> Inspection {
    let mut headers = HeaderMap::new();
    headers.append(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    SHIPPED.inspect(&Request {
        platform: PLATFORMS.get(platform).unwrap(),
        method: &WEBSOCKET,
        path,
        query: None,
        headers: &headers,
        body: &Bytes::from(message.to_string()),
        groups: &[],
        reference: "k3f7q2ma",
        mark: None,
        today: date(2026, 11, 22),
    })
}

/// Puts a value where these steps lead, and makes what is around it: numbers and `[]` are elements.
fn put(into: &mut Value, steps: &[&str], value: Value) {
    let Some((first, rest)) = steps.split_first() else {
        *into = value;
        return;
    };
    let inner = if let Ok(nth) = first.parse::<usize>() {
        if !into.is_array() {
            *into = json!([]);
        }
        let list = into.as_array_mut().unwrap();
        list.resize(list.len().max(nth + 1), json!(""));
        &mut list[nth]
    } else {
        if !into.is_object() {
            *into = json!({});
        }
        into.as_object_mut().unwrap().entry(*first).or_insert(Value::Null)
    };
    put(inner, rest, value);
}

/// `[].tags[][]` as steps, where elements are those of an event: the second of the message, the first of all others.
fn steps(template: &str) -> Vec<String> {
    let template = template.replace("**", "about").replace("[]", ".[]");
    let mut n_lists = 0;
    let steps = template.split('.').filter(|step| !step.is_empty()).map(|step| {
        if step != "[]" {
            return step.to_owned();
        }
        n_lists += 1;
        if n_lists == 1 && template.starts_with('.') { "1".into() } else { "0".to_owned() }
    });
    steps.collect()
}

fn strings(value: Option<&toml::Value>) -> Vec<String> {
    match value {
        Some(toml::Value::String(string)) => vec![string.clone()],
        Some(toml::Value::Array(list)) => {
            list.iter().map(|it| it.to_string().replace('"', "")).collect()
        }
        Some(other) => vec![other.to_string()],
        None => Vec::new(),
    }
}

#[test]
fn every_field_of_every_message_is_read() {
    let mut n_calls = 0;
    for (name, text) in Platforms::embedded_files() {
        let platform = name.trim_end_matches(".toml");
        let file: toml::Table = text.parse().unwrap();
        let signs = file.get("signed").is_some_and(|signed| signed.get("always").is_some());
        for endpoint in file["endpoint"].as_array().unwrap() {
            if endpoint["method"].as_str() != Some("WEBSOCKET") {
                continue;
            }
            let mut templates = strings(endpoint.get("words"));
            let fields = endpoint.get("field").and_then(|field| field.as_array());
            templates.extend(fields.into_iter().flatten().flat_map(|it| strings(it.get("path"))));
            for template in &templates {
                let mut message = Value::Null;
                for (at, values) in endpoint["when"].as_table().unwrap() {
                    let value = strings(Some(values)).remove(0);
                    let value = value.parse().map_or(json!(value), |number: u64| json!(number));
                    put(&mut message, &at.split('.').collect::<Vec<_>>(), value);
                }
                let steps = steps(template);
                put(&mut message, &steps.iter().map(|it| &**it).collect::<Vec<_>>(), json!(WORDS));
                let inspection = inspect(platform, "/", &message);
                let what = format!("{platform} {} {template}: {message}", inspection.endpoint);
                assert!(inspection.known && inspection.is_post, "{what}");
                assert!(inspection.findings.iter().all(|it| it.field == *template), "{what}");
                match &inspection.verdict {
                    Verdict::Redact(after) if !signs => {
                        let after = std::str::from_utf8(after.body.as_ref().unwrap()).unwrap();
                        assert!(
                            !after.contains("Castellano") && after.contains("[name]"),
                            "{what}"
                        );
                    }
                    Verdict::Block(answer) if signs => {
                        let fault = Fault::CannotRedact(CannotRedact::Signed);
                        assert_eq!(inspection.fault, Some(fault), "{what}");
                        let reply: Value = serde_json::from_slice(&answer.body).unwrap();
                        assert_eq!((&reply[0], &reply[2]), (&json!("OK"), &json!(false)), "{what}");
                    }
                    other => panic!("{what}: {}", other.as_str()),
                }
                n_calls += 1;
            }
        }
    }
    assert!(n_calls > 15, "{n_calls} calls");
}

#[test]
fn messages_that_publish_nothing_pass_and_others_are_read() {
    for (platform, path, message, known, is_post) in [
        ("nostr", "/", json!(["REQ", "a", { "search": WORDS }]), true, false),
        ("nostr", "/", json!(["REQ2", "a", { "search": WORDS }]), false, true),
        ("nostr", "/", json!(["AUTH", { "kind": 22242, "content": "" }]), true, false),
        ("nostr", "/", json!(["AUTH", { "kind": 1, "content": WORDS }]), false, true),
        ("discord", "/", json!({ "op": 1, "d": WORDS }), true, false),
        ("discord", "/", json!({ "op": "one", "d": WORDS }), false, true),
        (
            "mastodon",
            "/api/v1/streaming",
            json!({ "type": "subscribe", "tag": WORDS }),
            true,
            false,
        ),
        ("mastodon", "/elsewhere", json!({ "type": "subscribe", "tag": WORDS }), false, true),
        ("misskey", "/streaming", json!({ "type": "connect", "body": WORDS }), true, false),
        ("misskey", "/streaming", json!({ "type": "ch", "body": WORDS }), false, true),
        // Its file says `**` of requests for any method, and nothing of messages.
        ("generic", "/", json!({ "text": WORDS }), false, true),
    ] {
        let inspection = inspect(platform, path, &message);
        assert_eq!(
            (inspection.known, inspection.is_post),
            (known, is_post),
            "{platform} {message}"
        );
        assert_eq!(matches!(inspection.verdict, Verdict::Forward), known, "{platform} {message}");
    }
}
