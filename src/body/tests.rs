//! The room as others see it: what is read of a body, and what an edit makes of it.

use bytes::Bytes;

use super::{CannotWrite, Document, Edit, Kind, Limits, Role, Step, Unreadable};
use crate::span::Span;

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn parse(content_type: Option<&str>, body: &str) -> Result<Document, Unreadable> {
    Document::parse(content_type, Bytes::copy_from_slice(body.as_bytes()), &Limits::default())
}

/// `path role text` of each text; a role of one letter.
fn listed(document: &Document) -> Vec<String> {
    document
        .texts()
        .iter()
        .map(|text| {
            format!(
                "{}{} {} {}",
                if text.in_part { "part:" } else { "" },
                spelled(&text.path.steps),
                letter(text.role),
                text.text.expose()
            )
        })
        .collect()
}

fn spelled(steps: &[Step]) -> String {
    let spell = |step: &Step| match step {
        Step::Key(key) => key.to_string(),
        Step::Index(index) => format!("#{index}"),
        Step::Append => "[]".into(),
    };
    steps.iter().map(spell).collect::<Vec<_>>().join(".")
}

fn letter(role: Role) -> char {
    match role {
        Role::Value => 'v',
        Role::Number => 'n',
        Role::Key => 'k',
        Role::FileName => 'f',
        Role::PartHeader => 'h',
    }
}

fn text_with(document: &Document, words: &str) -> usize {
    document.texts().iter().position(|text| text.text.expose().contains(words)).unwrap()
}

/// Replaces the first occurrence of `words` in any text.
fn replace(document: &Document, words: &str, with: &str) -> Edit {
    let text = text_with(document, words);
    let start = document.texts()[text].text.expose().find(words).unwrap();
    Edit::Splice { text, span: Span::new(start, start + words.len()), with: with.into() }
}

fn written(document: &Document, edits: &[Edit]) -> Result<String, CannotWrite> {
    document.write(edits).map(|body| String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn texts_are_listed_in_order_duplicates_and_all() {
    let json =
        r#"{"status":"a","status":"b","poll":{"options":["x",{"y":"z"}],"n":1.50},"t":true}"#;
    let want = [
        "status k status",
        "status v a",
        "status k status",
        "status v b",
        "poll k poll",
        "poll.options k options",
        "poll.options.#0 v x",
        "poll.options.#1.y k y",
        "poll.options.#1.y v z",
        "poll.n k n",
        "poll.n n 1.50",
        "t k t",
    ];
    let document = parse(JSON, json).unwrap();
    assert_eq!(listed(&document), want);
    assert_eq!(document.kind(), Kind::Json);
    assert_eq!(document.texts()[8].path.to_string(), "#2.#0.#1.#0");
}

#[test]
fn forms_and_queries_are_listed() {
    let form = "status=a+b&poll[options][]=%C3%A9&status=c&&flag&e=";
    let want = [
        "status k status",
        "status v a b",
        "poll.options.[] k poll[options][]",
        "poll.options.[] v é",
        "status k status",
        "status v c",
        "flag k flag",
        "e k e",
        "e v ",
    ];
    assert_eq!(listed(&parse(FORM, form).unwrap()), want);
    assert_eq!(listed(&Document::parse_query(form, &Limits::default()).unwrap()), want);
}

#[test]
fn json_in_a_form_is_read_and_edited_through_both_encodings() {
    let document =
        parse(FORM, "batch=%5B%7B%22body%22%3A%22saw+J\\u0061ne+Roe+%26+co%22%7D%5D&x=1").unwrap();
    assert_eq!(
        listed(&document),
        [
            "batch k batch",
            "batch.#0.body k body",
            "batch.#0.body v saw Jane Roe & co",
            "x k x",
            "x v 1"
        ]
    );
    let edit = replace(&document, "Jane Roe", "[\"name\"]");
    assert_eq!(
        written(&document, &[edit]).unwrap(),
        "batch=%5B%7B%22body%22%3A%22saw+%5B%5C%22name%5C%22%5D+%26+co%22%7D%5D&x=1"
    );
}

#[test]
fn untouched_escapes_survive() {
    let json = r#"{ "a" : "\u0041 \/ \ud83c\udfe5 Jane\u0020Roe \u00e9\t", "n":1e400 , "b":"\"" }"#;
    let document = parse(JSON, json).unwrap();
    let edit = replace(&document, "Jane Roe", "\"x\"\n");
    let want = r#"{ "a" : "\u0041 \/ \ud83c\udfe5 \"x\"\n \u00e9\t", "n":1e400 , "b":"\"" }"#;
    assert_eq!(written(&document, &[edit]).unwrap(), want);
    assert_eq!(written(&document, &[]).unwrap(), json);
}
