//! JSON against RFC 8259 and against `serde_json` as an oracle.

use std::fmt::Write as _;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use crate::body::{Document, Kind, Limits, Role, Step, Unreadable};

/// Reads a body as JSON: one that is read as something else is none.
fn parse(body: &[u8]) -> Result<Document, Unreadable> {
    let body = Bytes::copy_from_slice(body);
    let document = Document::parse(Some("application/json"), body, &Limits::default())?;
    if document.kind() == Kind::Json { Ok(document) } else { Err(Unreadable::Json) }
}

/// The cases that parsers are known to differ on.
const CASES: &[(&[u8], bool)] = &[
    (b"[]", true),
    (b" { } ", true),
    (b"\"\"", true),
    (b"0", true),
    (b"-0", true),
    (b"null", true),
    (b" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", true),
    (b"{\"a\":1,\"a\":2}", true),
    (b"{\"\":0}", true),
    (b"[1e5,1E+5,1e-5,0.1,-0.0,123456789012345678901234567890]", true),
    (b"[1e400,1e-400]", true),
    (b"[\"\\u0000\",\"\\u007f\",\"\x7f\"]", true),
    (b"[\"\\uD834\\uDD1E\"]", true),
    (b"[\"\\uffff\\ufdd0\"]", true),
    (b"[\"\xe2\x80\xa8\xe2\x80\xa9\"]", true),
    (b"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", true),
    (b" ", false),
    (b"\xef\xbb\xbf{}", false),
    (b"\xff\xfe[\0]\0", false),
    (b"[1,]", false),
    (b"[,1]", false),
    (b"[1,,2]", false),
    (b"[1 2]", false),
    (b"[1", false),
    (b"[", false),
    (b"]", false),
    (b"[]]", false),
    (b"[}", false),
    (b"{]", false),
    (b"{\"a\":1]", false),
    (b"{\"a\"}", false),
    (b"{\"a\":}", false),
    (b"{\"a\":1,}", false),
    (b"{,\"a\":1}", false),
    (b"{\"a\" 1}", false),
    (b"{a:1}", false),
    (b"{'a':1}", false),
    (b"{1:1}", false),
    (b"{null:1}", false),
    (b"{} {}", false),
    (b"{}x", false),
    (b"{}#", false),
    (b"{}//", false),
    (b"{}/**/", false),
    (b"[1]\0", false),
    (b"\"a\" \"b\"", false),
    (b"[NaN]", false),
    (b"[Infinity]", false),
    (b"[-Infinity]", false),
    (b"[True]", false),
    (b"[nul]", false),
    (b"[nulll]", false),
    (b"tru", false),
    (b"[+1]", false),
    (b"[01]", false),
    (b"[-01]", false),
    (b"[-]", false),
    (b"-", false),
    (b"[.5]", false),
    (b"[1.]", false),
    (b"[1.e5]", false),
    (b"[1e]", false),
    (b"[1e+]", false),
    (b"[0x1]", false),
    (b"[1_000]", false),
    (b"[\xd9\xa1]", false),
    (b"\"", false),
    (b"\"\\\"", false),
    (b"\"\\", false),
    (b"[\"a", false),
    (b"[\"\t\"]", false),
    (b"[\"\n\"]", false),
    (b"[\"\0\"]", false),
    (b"[\"\x1f\"]", false),
    (b"[\"\\a\"]", false),
    (b"[\"\\'\"]", false),
    (b"[\"\\x41\"]", false),
    (b"[\"\\u\"]", false),
    (b"[\"\\u00A\"]", false),
    (b"[\"\\u 041\"]", false),
    (b"[\"\\U0041\"]", false),
    (b"[\"\\ud83d\"]", false),
    (b"[\"\\ude00\"]", false),
    (b"[\"\\ud83d\\u0041\"]", false),
    (b"[\"\\ud83d\\ud83d\"]", false),
    (b"[\"\\\n\"]", false),
    (b"{\"\\ud83d\":1}", false),
    (b"[\"\xff\"]", false),
    (b"[\"\xc0\x80\"]", false),
    (b"[\"\xed\xa0\x80\"]", false),
    (b"[\xa0]", false),
    (b"[1]\xa0", false),
    (b"\x0c[]", false),
];

#[test]
fn only_json_by_the_letter_is_read() {
    for (body, want) in CASES {
        let shown = body.escape_ascii();
        match parse(body) {
            Ok(_) => assert!(want, "accepted {shown}"),
            Err(Unreadable::Json | Unreadable::UnknownKind) => assert!(!want, "refused {shown}"),
            Err(error) => panic!("{shown}: {error}"),
        }
        agrees_with_serde(body);
    }
}

/// Numbers out of the range of a float are none to `serde_json::Value`; we spell them as they are.
#[track_caller]
fn agrees_with_serde(body: &[u8]) {
    let ours = parse(body).is_ok();
    let values = serde_json::from_slice::<Value>(body);
    let is_range =
        values.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
    assert!(
        ours == values.is_ok() || is_range,
        "{} against {:?}",
        body.escape_ascii(),
        values.err()
    );
}

#[test]
fn nesting_is_limited_without_recursion() {
    let nested = |depth: usize, open: &str, close: &str| {
        [open.repeat(depth), "1".into(), close.repeat(depth)].concat()
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        assert!(parse(nested(60, open, close).as_bytes()).is_ok());
        assert_eq!(parse(nested(10_000, open, close).as_bytes()).err(), Some(Unreadable::TooDeep));
        assert_eq!(parse(open.repeat(10_000).as_bytes()).err(), Some(Unreadable::TooDeep));
    }
    let limits = Limits { max_depth: 20_000, ..Limits::default() };
    let body = Bytes::from(nested(10_000, "[", "]"));
    let document = Document::parse(Some("application/json"), body, &limits).unwrap();
    assert_eq!(document.texts().first().map(|text| text.path.n_steps()), Some(10_000));
}

#[test]
fn fields_and_path_steps_are_limited() {
    let limits = Limits { max_fields: 10, ..Limits::default() };
    let read = |body: &str| {
        Document::parse(Some("application/json"), Bytes::copy_from_slice(body.as_bytes()), &limits)
            .err()
    };
    assert_eq!(read(&format!("[{}1]", "1,".repeat(8))), None);
    assert_eq!(read(&format!("[{}1]", "1,".repeat(9))), Some(Unreadable::TooManyFields));
    assert_eq!(read(&format!("[{}null]", "null,".repeat(9))), Some(Unreadable::TooManyFields));
    // Many fields far down cost more for their paths than for themselves.
    let deep = [&"[".repeat(100), "\"a\",\"b\"", &"]".repeat(100)].concat();
    assert_eq!(read(&deep), Some(Unreadable::TooManyFields));
}

#[test]
fn a_hundred_thousand_keys_are_all_listed() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":\"v{n}\"")).collect();
    let document = parse(format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
    assert_eq!(document.texts().len(), 200_000);
    assert_eq!(document.texts().last().map(|text| text.text.expose()), Some("v99999"));
    assert_eq!(document.members(document.root().unwrap(), "k99999").len(), 1);
}

#[test]
fn ten_megabytes_are_read() {
    let body = format!("{{\"text\":\"{}\"}}", "all is \\u0077ell. ".repeat(600_000));
    assert!(body.len() > 10_000_000);
    let document = parse(body.as_bytes()).unwrap();
    assert_eq!(
        document.texts().get(1).map(|text| text.text.len()),
        Some("all is well. ".len() * 600_000)
    );
}

#[test]
fn values_are_found_from_texts_and_back() {
    let json = r#"{"facets":[{"index":{"byteStart":4,"byteEnd":12.0},"features":[]},7],"facets":{},"text":"x"}"#;
    let document = parse(json.as_bytes()).unwrap();
    let root = document.root().unwrap();
    let facets = document.members(root, "facets");
    assert_eq!(facets.len(), 2);
    let elements = document.elements(facets[0]);
    assert_eq!(elements.len(), 2);
    let index = document.members(elements[0], "index")[0];
    let start = document.members(index, "byteStart")[0];
    assert_eq!(document.as_u64(start), Some(4));
    assert_eq!(document.as_u64(document.members(index, "byteEnd")[0]), None);
    assert_eq!(document.parent(start), Some(index));
    assert_eq!(document.parent(index), Some(elements[0]));
    assert_eq!(document.parent(root), None);
    assert_eq!(document.text_of(start), None);
    let text = document.members(root, "text")[0];
    assert_eq!(document.node_of(document.text_of(text).unwrap()), Some(text));
    assert!(document.members(facets[0], "0").is_empty() && document.elements(root).is_empty());
    assert!(document.node_of(0).is_none() && document.node_of(99).is_none());
}

/// Any JSON value, its strings full of what must be escaped.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[a-z \"\\\\/\u{e9}\u{1f3e5}\n]{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

/// Escapes every `nth` character as `\uXXXX`, as some clients escape all that is not ASCII.
fn escape_some(json: &str, nth: usize) -> String {
    let mut out = String::new();
    let mut in_string = false;
    let mut after_backslash = false;
    for (n, character) in json.chars().enumerate() {
        let is_quote = character == '"' && !after_backslash;
        if in_string && !after_backslash && !is_quote && character != '\\' && n % nth == 0 {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").unwrap();
            }
        } else {
            out.push(character);
        }
        in_string ^= is_quote;
        after_backslash = character == '\\' && !after_backslash;
    }
    out
}

/// The strings of a value, by path.
fn strings<'v>(value: &'v Value, steps: &mut Vec<Step>, out: &mut Vec<(Vec<Step>, &'v str)>) {
    match value {
        Value::String(text) => out.push((steps.clone(), text)),
        Value::Array(elements) => {
            for (n, element) in elements.iter().enumerate() {
                steps.push(Step::Index(n));
                strings(element, steps, out);
                steps.pop();
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                steps.push(Step::Key(key.as_str().into()));
                strings(member, steps, out);
                steps.pop();
            }
        }
        _ => {}
    }
}

/// Numbers in document order, as floats.
fn numbers(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Number(number) => out.push(number.as_f64().unwrap()),
        Value::Array(elements) => elements.iter().for_each(|element| numbers(element, out)),
        Value::Object(members) => members.values().for_each(|member| numbers(member, out)),
        _ => {}
    }
}

proptest! {
    /// Not a digit of a number is lost, and no number is missed.
    #[test]
    fn numbers_are_those_of_serde(value in any_value(), spelled in prop::collection::vec("-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,9})?([eE][-+]?[0-9]{1,2})?", 0..6)) {
        let mut elements = vec![value.to_string()];
        elements.extend(spelled.iter().cloned());
        let json = format!("[{}]", elements.join(" ,"));
        let mut want = Vec::new();
        numbers(&serde_json::from_str(&json).unwrap(), &mut want);
        let document = parse(json.as_bytes()).unwrap();
        let ours: Vec<&str> = document.texts().iter().enumerate()
            .filter(|(n, text)| text.role == Role::Number && document.holder(*n).is_none())
            .map(|(_, text)| text.text.expose())
            .collect();
        prop_assert_eq!(ours.len(), want.len());
        // Its floats may be off by the last bit.
        for (ours, want) in ours.iter().zip(&want) {
            let ours: f64 = ours.parse().unwrap();
            prop_assert!((ours - want).abs() <= want.abs() * 1e-14, "{} {}", ours, want);
        }
        prop_assert!(ours.ends_with(&spelled.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    #[test]
    fn strings_and_paths_are_those_of_serde(value in any_value(), pretty in any::<bool>(), nth in 1usize..9) {
        let json = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let json = escape_some(&json, nth);
        prop_assert_eq!(&serde_json::from_str::<Value>(&json).unwrap(), &value);
        let document = parse(json.as_bytes()).unwrap();
        let mut want = Vec::new();
        strings(&value, &mut Vec::new(), &mut want);
        let ours: Vec<_> = document.texts().iter().enumerate().filter(|(n, text)| text.role == Role::Value && document.holder(*n).is_none()).map(|(_, text)| (text.path.steps().iter().map(|step| (*step).clone()).collect::<Vec<_>>(), text.text.expose())).collect();
        prop_assert_eq!(ours, want);
        prop_assert_eq!(document.write(&[]).unwrap(), json.as_bytes());
    }

    #[test]
    fn broken_json_is_refused_where_serde_refuses_it(value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), what in 0..3) {
        let mut json = escape_some(&serde_json::to_string(&value).unwrap(), 3).into_bytes();
        let at = at.index(json.len());
        match what {
            0 => json[at] = byte,
            1 => json.insert(at, byte),
            _ => drop(json.remove(at)),
        }
        if !json.is_empty() {
            agrees_with_serde(&json);
        }
    }

    #[test]
    fn any_tokens_are_answered_as_serde_does(tokens in prop::collection::vec(prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\", "\"", "\\u", "d83d", "1", "-", ".5", "e3", "0", "true", "null", " ", "\n", "\u{feff}"]), 1..24)) {
        agrees_with_serde(tokens.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        agrees_with_serde(&bytes);
    }
}
