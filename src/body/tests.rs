//! The room as others see it: what is read of a body, and what an edit makes of it.

use bytes::Bytes;
use proptest::prelude::*;

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
                spelled(&text.path.steps()),
                letter(text.role),
                text.text.expose()
            )
        })
        .collect()
}

fn spelled(steps: &[&Step]) -> String {
    let spell = |step: &&Step| match step {
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
            r#"batch v [{"body":"saw J\u0061ne Roe & co"}]"#,
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

/// Bluesky's facets over one text.
const POST: &str = r#"{"text":"saw Jane Roe #er","facets":[ {"index":{"byteStart":4,"byteEnd":12}} , {"index":{"byteStart":13,"byteEnd":16}},{"i":3} ],"langs":["en"]}"#;

#[test]
fn numbers_are_set_and_elements_removed_with_their_commas() {
    let document = parse(JSON, POST).unwrap();
    let root = document.root().unwrap();
    let facets = document.elements(document.members(root, "facets")[0]);
    let index = document.members(facets[1], "index")[0];
    let number = |key, value| Edit::Number { node: document.members(index, key)[0], value };
    let remove = |n: usize| Edit::Remove { node: facets[n] };
    let members = |key| Edit::Remove { node: document.members(root, key)[0] };
    let splice = replace(&document, "Jane Roe", "[name]");
    let cases: &[(&[Edit], &str)] = &[
        (
            &[splice, number("byteStart", 11), number("byteEnd", 14), remove(0)],
            r#"{"text":"saw [name] #er","facets":[ {"index":{"byteStart":11,"byteEnd":14}},{"i":3} ],"langs":["en"]}"#,
        ),
        (
            &[remove(1)],
            r#"{"text":"saw Jane Roe #er","facets":[ {"index":{"byteStart":4,"byteEnd":12}},{"i":3} ],"langs":["en"]}"#,
        ),
        (
            &[remove(2), remove(1), remove(2)],
            r#"{"text":"saw Jane Roe #er","facets":[ {"index":{"byteStart":4,"byteEnd":12}} ],"langs":["en"]}"#,
        ),
        (
            &[remove(0), remove(2)],
            r#"{"text":"saw Jane Roe #er","facets":[ {"index":{"byteStart":13,"byteEnd":16}} ],"langs":["en"]}"#,
        ),
        (
            &[remove(2), remove(0), remove(1)],
            r#"{"text":"saw Jane Roe #er","facets":[  ],"langs":["en"]}"#,
        ),
        (&[members("facets")], r#"{"text":"saw Jane Roe #er","langs":["en"]}"#),
        (
            &[members("text")],
            r#"{"facets":[ {"index":{"byteStart":4,"byteEnd":12}} , {"index":{"byteStart":13,"byteEnd":16}},{"i":3} ],"langs":["en"]}"#,
        ),
        (&[members("langs"), members("facets")], r#"{"text":"saw Jane Roe #er"}"#),
        (&[members("langs"), members("facets"), members("text")], "{}"),
    ];
    for (edits, want) in cases {
        assert_eq!(written(&document, edits).as_deref(), Ok(*want));
        assert!(parse(JSON, want).is_ok());
    }
}

#[test]
fn nested_values_are_edited_through_a_form() {
    let document = parse(FORM, "a=1&media=%5B%22Jane+Roe%22,%22x%22%5D&b={\"n\":7}").unwrap();
    let array = document.json_in(text_with(&document, "[")).unwrap();
    let element = document.elements(array)[0];
    let object = document.json_in(text_with(&document, "{")).unwrap();
    let number = document.members(object, "n")[0];
    let edits = [Edit::Remove { node: element }, Edit::Number { node: number, value: 12 }];
    assert_eq!(written(&document, &edits).as_deref(), Ok("a=1&media=%5B%22x%22%5D&b={\"n\":12}"));
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let document = parse(JSON, r#"{"a":"caf\u00e9 Jane","n":1,"l":[1,[2]]}"#).unwrap();
    let other = parse(JSON, r#"[[[[[[[[[[[["deep"]]]]]]]]]]]]"#).unwrap();
    let splice =
        |text, start, end| Edit::Splice { text, span: Span::new(start, end), with: "x".into() };
    let root = document.root().unwrap();
    let number = document.members(root, "n")[0];
    let list = document.members(root, "l")[0];
    let set = |node, value| Edit::Number { node, value };
    let remove = |node| Edit::Remove { node };
    let elsewhere = other.node_of(0).unwrap();
    let inner = document.elements(list)[1];
    let cases: &[(&[Edit], CannotWrite)] = &[
        (&[splice(1, 4, 40)], CannotWrite::Misplaced),
        (&[splice(1, 3, 4)], CannotWrite::Misplaced),
        (&[splice(1, 0, 3), splice(1, 2, 5)], CannotWrite::Misplaced),
        (&[splice(99, 0, 0)], CannotWrite::Misplaced),
        (&[splice(0, 0, 1)], CannotWrite::ReadOnly),
        (&[splice(3, 0, 1)], CannotWrite::ReadOnly),
        (&[set(list, 1)], CannotWrite::Misplaced),
        (&[set(number, 1), set(number, 2)], CannotWrite::Misplaced),
        (&[set(elsewhere, 1)], CannotWrite::Misplaced),
        (&[remove(root)], CannotWrite::Misplaced),
        (&[remove(elsewhere)], CannotWrite::Misplaced),
        (&[remove(list), remove(inner)], CannotWrite::Misplaced),
        (&[remove(number), set(number, 2)], CannotWrite::Misplaced),
    ];
    for (n, (edits, want)) in cases.iter().enumerate() {
        assert_eq!(document.write(edits), Err(*want), "case {n}");
    }
    assert_eq!(
        written(&document, &[set(number, 2), set(number, 2)]).as_deref(),
        Ok(r#"{"a":"caf\u00e9 Jane","n":2,"l":[1,[2]]}"#)
    );
}

/// A content type, a body, and what it is.
type Case<'a> = (Option<&'a str>, &'a [u8], Result<Kind, Unreadable>);

#[test]
fn what_a_body_is_follows_type_and_bytes() {
    let png: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0\x08\x06\0\0\0\xab\xcd\xef\x01";
    let dicom = [&[0u8; 128][..], b"DICM\x02\0"].concat();
    let cases: &[Case<'_>] = &[
        (JSON, b"", Ok(Kind::Empty)),
        (JSON, b"{}", Ok(Kind::Json)),
        (JSON, b"\"Jane\"", Ok(Kind::Json)),
        // What does not even begin as JSON is read as what it is.
        (JSON, b"status=x", Ok(Kind::Form)),
        (JSON, png, Ok(Kind::Media)),
        (JSON, b"saw Jane", Ok(Kind::Text)),
        (JSON, b"\"saw Jane", Err(Unreadable::Json)),
        (JSON, b"\xef\xbb\xbf{}", Err(Unreadable::Json)),
        (JSON, b"{\"a\":1}\n{\"a\":2}\n", Ok(Kind::JsonLines)),
        (Some("application/x-ndjson"), b"{\"a\":\"x\"}\n\n[\"b\"]\n", Ok(Kind::JsonLines)),
        (Some("application/json-seq"), b"\x1e{\"a\":\"x\"}\n\x1e[\"b\"]\n", Ok(Kind::JsonLines)),
        (Some("application/jsonl"), b"{\"a\":\"x\"}\n{\"a\":", Err(Unreadable::Json)),
        (Some("text/plain"), b"{\"a\":\"x\"}\n{\"a\":\"y\"}", Ok(Kind::JsonLines)),
        (Some("application/vnd.api+json"), b"[1,]", Err(Unreadable::Json)),
        (Some("application/json; charset=utf-16"), b"{}", Err(Unreadable::Charset)),
        (Some("application/json; charset=utf-16"), b"\xff\xfe[\0]\0", Ok(Kind::Json)),
        (Some("application/json; charset=latin1"), b"[\"Ren\xe9\"]", Ok(Kind::Json)),
        (
            Some("application/json; charset=us-ascii"),
            "[\"\u{e9}\"]".as_bytes(),
            Err(Unreadable::Charset),
        ),
        (FORM, b"status=Jane+Roe", Ok(Kind::Form)),
        (FORM, b"status=Jane Roe", Ok(Kind::Form)),
        (FORM, b"{\"text\":\"see x?a=1&b=2\"}", Ok(Kind::Json)),
        (FORM, b"{\"text\":\"see\"}&status=Jane", Ok(Kind::Form)),
        (FORM, b"GIF89a=1&status=Jane+Roe", Ok(Kind::Form)),
        (FORM, b"line one\n100% sure", Ok(Kind::Text)),
        (FORM, b"a=100%", Err(Unreadable::Form)),
        (FORM, b"a=%ff", Err(Unreadable::Form)),
        (FORM, b"a=\xff", Err(Unreadable::Form)),
        (FORM, png, Ok(Kind::Media)),
        (FORM, b"%PDF-1.7\n\0\xff", Err(Unreadable::Document)),
        (Some("text/plain"), b"saw Jane", Ok(Kind::Text)),
        (Some("text/plain"), b"{\"text\":\"saw Jane\"}", Ok(Kind::Json)),
        (Some("text/plain"), b"{\"text\":\"saw Jane\",}", Err(Unreadable::Json)),
        (Some("text/plain"), b"\xef\xbb\xbf{\"text\":\"saw Jane\"}", Err(Unreadable::Json)),
        (Some("text/plain"), png, Ok(Kind::Media)),
        (Some("text/plain; charset=latin1"), b"Ren\xe9", Ok(Kind::Text)),
        (Some("text/plain; charset=nonsense"), b"x", Err(Unreadable::UnknownCharset)),
        (Some("text/vtt"), b"WEBVTT\n\n00:01.000 --> 00:02.000\nJane", Ok(Kind::Captions)),
        (
            Some("application/octet-stream"),
            b"1\n00:00:01,000 --> 00:00:02,000\nJane",
            Ok(Kind::Captions),
        ),
        (Some("text/xml"), b"<a>", Err(Unreadable::Xml)),
        (Some("text/plain"), b"<?xml version='1.0'?><a>Jane</a>", Ok(Kind::Xml)),
        (Some("text/html"), b"<p>saw Jane", Ok(Kind::Text)),
        (
            None,
            b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nJane\r\n--b--",
            Ok(Kind::Multipart),
        ),
        (
            FORM,
            b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nJane\r\n--b--",
            Ok(Kind::Multipart),
        ),
        (None, b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nJane", Ok(Kind::Text)),
        (None, b"{\"a\":1}", Ok(Kind::Json)),
        (None, b"a=1&b=%41", Ok(Kind::Form)),
        (None, b"a=1%", Ok(Kind::Text)),
        (None, b"saw Jane", Ok(Kind::Text)),
        (None, png, Ok(Kind::Media)),
        (None, b"\xff\xfe\0\xd8", Err(Unreadable::UnknownKind)),
        (Some("image/png"), png, Ok(Kind::Media)),
        (Some("image/png"), b"saw Jane", Ok(Kind::Text)),
        (Some("image/png"), b"{\"a\":\"saw Jane\"}", Ok(Kind::Json)),
        (Some("image/png"), b"\x00\x01\x02\x03\x04\x80 unknown \xff", Err(Unreadable::UnknownKind)),
        (
            Some("application/octet-stream"),
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01",
            Ok(Kind::Media),
        ),
        (Some("*/*"), png, Ok(Kind::Media)),
        (Some("image/dicom"), &dicom, Err(Unreadable::Document)),
        (Some("application/pdf"), b"%PDF-1.7", Err(Unreadable::Document)),
        (
            Some("application/x-protobuf"),
            b"\x0a\x04\x00Jane\x10\x01\x18\x03",
            Err(Unreadable::UnknownKind),
        ),
        (Some("application/xml"), b"<post>saw &#74;ane</post>", Ok(Kind::Xml)),
    ];
    for (content_type, body, want) in cases {
        let document =
            Document::parse(*content_type, Bytes::copy_from_slice(body), &Limits::default());
        let kind = document.as_ref().map(Document::kind).map_err(|error| *error);
        assert_eq!(kind, *want, "{content_type:?} {}", body.escape_ascii());
        if let Ok(document) = document {
            let says_nothing = matches!(*body, b"{}" | b"\xff\xfe[\0]\0");
            assert_eq!(
                document.texts().is_empty(),
                matches!(kind, Ok(Kind::Empty | Kind::Media)) || says_nothing
            );
            assert_eq!(document.holds_media(), kind == Ok(Kind::Media));
            assert_eq!(document.write(&[]).unwrap(), *body);
        }
    }
    let small = Limits { max_decoded: 3, ..Limits::default() };
    assert_eq!(
        Document::parse(None, Bytes::from_static(b"four"), &small).err(),
        Some(Unreadable::TooLarge)
    );
}

#[test]
fn a_charset_is_kept() {
    let latin1 = |text: &str| -> Vec<u8> {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    };
    let utf16 = |text: &str| -> Vec<u8> {
        [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
    };
    let json = "{\"text\":\"Ren\u{e9} saw J\\u0061ne \u{e9}\",\"n\":1}";
    let form = "status=Ren%E9+saw+Jane+%e9&n=1";
    let cases: &[(&str, Vec<u8>, Vec<u8>)] = &[
        (
            "application/json; charset=iso-8859-1",
            latin1(json),
            latin1(&json.replace("J\\u0061ne", "[n\u{e4}]")),
        ),
        (
            "application/json; charset=utf-16",
            utf16(json),
            utf16(&json.replace("J\\u0061ne", "[n\u{e4}]")),
        ),
        (
            "text/plain; charset=windows-1252",
            latin1("Ren\u{e9} saw Jane \u{e9}"),
            latin1("Ren\u{e9} saw [n\u{e4}] \u{e9}"),
        ),
        (
            "application/x-www-form-urlencoded; charset=iso-8859-1",
            form.into(),
            form.replace("Jane", "%5Bn%E4%5D").into(),
        ),
    ];
    for (content_type, body, want) in cases {
        let body = Bytes::from(body.clone());
        let document =
            Document::parse(Some(content_type), body.clone(), &Limits::default()).unwrap();
        assert_eq!(document.write(&[]).unwrap(), body);
        assert_eq!(
            document.write(&[replace(&document, "Jane", "[n\u{e4}]")]).unwrap(),
            want,
            "{content_type}"
        );
        let greek = document.write(&[replace(&document, "Jane", "\u{3b1}")]);
        assert_eq!(greek.is_ok(), content_type.contains("utf-16"), "{content_type}");
        if document.kind() == Kind::Json {
            assert_eq!(document.members(document.root().unwrap(), "n").len(), 1);
        }
    }
    let ambiguous =
        parse(Some("application/x-www-form-urlencoded; charset=iso-8859-1"), "a=%C3%A9");
    assert_eq!(ambiguous.err(), Some(Unreadable::Charset));
}

#[test]
fn lines_of_json_are_edited_each() {
    let lines = "{\"text\":\"Jane\"}\n{\"text\":\"saw J\\u0061ne Roe\"}\n";
    let document = parse(Some("application/x-ndjson"), lines).unwrap();
    assert_eq!(
        listed(&document),
        ["#0.text k text", "#0.text v Jane", "#1.text k text", "#1.text v saw Jane Roe"]
    );
    let edit = replace(&document, "Jane Roe", "[\"name\"]");
    assert_eq!(
        written(&document, &[edit]).unwrap(),
        lines.replace("J\\u0061ne Roe", "[\\\"name\\\"]")
    );
}

#[test]
fn media_in_strings_is_media() {
    let png = format!("{PNG}{}", "AfFcSJiZ".repeat(8));
    for value in [png.clone(), format!("data:image/png;base64,{png}")] {
        let json = format!("{{\"media\":\"{value}\",\"alt\":\"Jane\"}}");
        let document = parse(JSON, &json).unwrap();
        assert!(document.holds_media() && !document.holds_unknown_files());
        assert_eq!(listed(&document), ["media k media", "media v ", "alt k alt", "alt v Jane"]);
        let edit = Edit::Splice { text: 1, span: Span::new(0, 0), with: "x".into() };
        assert_eq!(written(&document, &[edit]), Err(CannotWrite::ReadOnly));
        let edit = replace(&document, "Jane", "x");
        assert_eq!(written(&document, &[edit]).unwrap(), json.replace("Jane", "x"));
        let form = format!("media={}", value.replace('+', "%2B"));
        assert!(parse(FORM, &form).unwrap().holds_media());
    }
    assert_eq!(parse(JSON, "[\"JVBERi0xLjcKJeLjz9MK\"]").err(), Some(Unreadable::Document));
    assert!(!parse(JSON, "[\"QWxsIHdlbGwgb24gdGhlIHdhcmQu\"]").unwrap().holds_media());
}

/// A picture whose pixels, or what stands for them, are these.
fn gif(pixels: &[u8]) -> Bytes {
    let start = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF!\xF9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02";
    [start.as_slice(), &b"\x01\x02\x80\x90\xff\0".repeat(90), pixels].concat().into()
}

#[test]
fn fields_between_the_pixels_of_a_picture_that_claims_to_be_a_form_are_read() {
    let noise = b"\x01\x81\x90\xa0".repeat(60);
    for (fields, want) in [
        ("&message=Our+patient%20Dorothy%2C+MRN&z=", "message v Our patient Dorothy, MRN"),
        ("&caption=100%&z=", "caption v 100%"),
        ("&message%00\u{1}=%4dRN+00412345&z=", "message v MRN 00412345"),
        ("&message=%ff%01%02%03%04%05%06%07%fe&a=MRN+00412345\u{1}", "a v MRN 00412345"),
    ] {
        let body = gif(&[&noise, fields.as_bytes(), &noise].concat());
        for claim in ["", "; charset=utf-8", "; x", ", text/plain"] {
            let claim = format!("application/x-www-form-urlencoded{claim}");
            let read = Document::parse(Some(&claim), body.clone(), &Limits::default()).unwrap();
            assert_eq!(read.kind(), Kind::Media, "{claim}");
            assert!(listed(&read).iter().any(|text| text == want), "{claim} {:?}", listed(&read));
        }
        let read = Document::parse(Some("image/gif"), body, &Limits::default()).unwrap();
        assert!(listed(&read).is_empty());
    }
    let plain = Document::parse(FORM, gif(&noise), &Limits::default()).unwrap();
    assert!(plain.holds_media() && plain.texts().is_empty());
}

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";

#[test]
fn words_around_or_in_media_are_read() {
    let png = format!("{PNG}{}", "AfFcSJiZ".repeat(8));
    let gif = [b"GIF89a\x01\0\xff".as_slice(), &b" MRN 00412345 Dorothy".repeat(6)].concat();
    let gif = super::base64::encode(&gif);
    for (value, words) in [
        (format!("data:MRN 00412345, our patient Dorothy;base64,{png}"), "MRN 00412345"),
        (format!("data:image/MRN00412345;base64,{png}"), "MRN00412345"),
        (format!("data:image/png;name=MRN00412345;base64,{png}"), "MRN00412345"),
        ("R0lGODlhAQABMRN00412345DorothyKowalskiABCDEF".to_owned(), "MRN00412345"),
        (gif.clone(), "MRN 00412345"),
        (format!("data:image/gif;base64,{gif}"), "MRN 00412345"),
    ] {
        let document = parse(JSON, &format!("[\"{value}\"]")).unwrap();
        assert_eq!(document.holds_media(), !value.contains("R0lGODlh"), "{value}");
        text_with(&document, words);
        text_with(&parse(FORM, &format!("a={}", value.replace('+', "%2B"))).unwrap(), words);
    }
}

#[test]
fn the_first_of_many_duplicates_is_found_at_once() {
    let pairs = vec!["\"code\":\"x\",\"value\":\"1234567\""; 8000].join(",");
    let document = parse(JSON, &format!("{{{pairs}}}")).unwrap();
    let root = document.root().unwrap();
    let first = document.members(root, "code").first().copied();
    let start = std::time::Instant::now();
    for _ in 0..8000 {
        assert_eq!(document.first_member(root, "code"), first);
    }
    assert!(start.elapsed().as_secs() < 4);
}

#[test]
fn base64_of_words_is_read_and_written_back() {
    let document = parse(JSON, "[\"c2F3IEphbmUgUm9lIHRvZGF5\",\"c2F3SmFuZVJvZXRvZGF5\"]").unwrap();
    let edit = replace(&document, "Jane Roe", "[name]");
    assert_eq!(
        written(&document, &[edit]).unwrap(),
        "[\"c2F3IFtuYW1lXSB0b2RheQ==\",\"c2F3SmFuZVJvZXRvZGF5\"]"
    );
}

#[test]
fn a_signed_body_is_read_and_edited_only_if_nobody_signed_it() {
    let json = "%7B%22caption%22%3A%22saw+Jane+Roe%22%7D";
    for (signature, edited) in [("SIGNATURE", true), (&"0a".repeat(32), false)] {
        let form = format!("signed_body={signature}.{json}&ig_sig_key_version=4");
        let document = parse(FORM, &form).unwrap();
        let caption = document.texts().iter().position(|text| text.text.expose() == "saw Jane Roe");
        let text = caption.unwrap();
        assert_eq!(spelled(&document.texts()[text].path.steps()), "signed_body.caption");
        let edit = Edit::Splice { text, span: Span::new(4, 12), with: "[n]".into() };
        let want = form.replace("Jane+Roe", "%5Bn%5D");
        let want = if edited { Ok(want.as_str()) } else { Err(CannotWrite::ReadOnly) };
        assert_eq!(written(&document, &[edit]).as_deref(), want.as_ref().map(|s| *s));
    }
}

#[test]
fn encodings_in_encodings_have_an_end() {
    let deep = (0..12).fold("Jane%20Roe".to_owned(), |text, _| text.replace('%', "%25"));
    assert_eq!(parse(FORM, &format!("a={deep}")).err(), Some(Unreadable::TooDeep));
    let json = (0..8).fold("[\"x\"]".to_owned(), |text, _| serde_json::to_string(&[text]).unwrap());
    assert_eq!(parse(JSON, &json).err(), Some(Unreadable::TooDeep));
    let fine =
        (0..4).fold("[\"Jane\"]".to_owned(), |text, _| serde_json::to_string(&[text]).unwrap());
    let document = parse(JSON, &fine).unwrap();
    let text = document.texts().iter().position(|text| text.text.expose() == "Jane").unwrap();
    let edit = Edit::Splice { text, span: Span::new(0, 4), with: "\"".into() };
    let written = written(&document, &[edit]).unwrap();
    assert!(written.contains("\\\\\\\\\\\\\\\\\\"), "{written}");
    assert!(parse(JSON, &written).unwrap().texts().iter().any(|text| text.text.expose() == "\""));
}

#[test]
fn json_in_values_is_text_where_it_says_nothing_more() {
    for value in ["[7]", "{}", "[", "{name}", "[update] well", "{\"a\":1,}", "[] "] {
        let document = parse(FORM, &format!("status={value}")).unwrap();
        assert_eq!(listed(&document), ["status k status".to_owned(), format!("status v {value}")]);
        let edit = Edit::Splice { text: 1, span: Span::new(0, value.len()), with: "x".into() };
        assert_eq!(written(&document, &[edit]).as_deref(), Ok("status=x"));
    }
    let deep = format!("status={}", "[".repeat(10_000));
    assert_eq!(parse(FORM, &deep).err(), Some(Unreadable::TooDeep));
}

#[test]
fn json_that_claims_to_be_a_form_is_read_as_both() {
    let body = r#"["x&status=Jane+Roe","see ?a=1 & b = 2"]"#;
    let document = parse(FORM, body).unwrap();
    assert_eq!(
        listed(&document),
        [
            "#0 v x&status=Jane+Roe",
            "#0 v x&status=Jane Roe",
            "#1 v see ?a=1 & b = 2",
            "status v Jane Roe\",\"see ?a=1 "
        ]
    );
    let edit = replace(&document, "Jane+Roe", "x");
    assert!(written(&document, &[edit]).is_ok());
    assert_eq!(
        written(&document, &[replace(&document, "Jane Roe\",", "x")]),
        Err(CannotWrite::ReadOnly)
    );
}

#[test]
fn plain_text_is_edited_in_place() {
    let document = parse(Some("text/plain; charset=utf-8"), "caf\u{e9} with Jane Roe\r\n").unwrap();
    let edit = replace(&document, "Jane Roe", "[name]");
    assert_eq!(written(&document, &[edit]).as_deref(), Ok("caf\u{e9} with [name]\r\n"));
    assert_eq!(document.texts()[0].path.to_string(), "#");
}

#[test]
fn nothing_prints_the_text() {
    let document = parse(JSON, r#"{"Jane Roe":"Jane Roe","n":5550100}"#).unwrap();
    let shown = format!("{document:?} {:?} {}", document.texts(), document.texts()[1].path);
    assert!(!shown.contains("Jane") && !shown.contains("5550100"), "{shown}");
    assert!(shown.contains("n_texts"));
}

#[test]
fn many_edits_of_one_text_cost_one_pass() {
    let words = 20_000;
    let json = format!("{{\"text\":\"{}\"}}", "Jane \\u0052oe ".repeat(words));
    let document = parse(JSON, &json).unwrap();
    let edits: Vec<Edit> = (0..words)
        .map(|n| Edit::Splice { text: 1, span: Span::new(n * 9, n * 9 + 4), with: "x".into() })
        .collect();
    assert_eq!(written(&document, &edits).unwrap(), json.replace("Jane", "x"));
}

/// Each text that is redacted looks for what points into it beside it.
#[test]
fn members_of_a_long_object_are_found_without_walking_it() {
    let n = 30_000;
    let one = "\"status\":\"x\",\"n\":{\"n\":1},";
    let json = format!("{{{}\"facets\":[1],\"facets\":2}}", one.repeat(n));
    let document = parse(JSON, &json).unwrap();
    let root = document.root().unwrap();
    let started = std::time::Instant::now();
    for _ in 0..n {
        assert_eq!(document.members(root, "facets").len(), 2);
        assert!(document.members(root, "entities").is_empty());
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let all = document.members(root, "status");
    assert_eq!(all.len(), n);
    assert!(all.is_sorted_by_key(|node| node.node));
    let short = document.members(root, "n")[0];
    assert_eq!(document.members(short, "n").len(), 1);
}

/// One kind of body around some texts.
#[derive(Clone, Copy, Debug)]
enum Around {
    Json,
    Form,
    JsonInForm,
    Parts,
    JsonInParts,
}

impl Around {
    const ALL: [Self; 5] =
        [Self::Json, Self::Form, Self::JsonInForm, Self::Parts, Self::JsonInParts];

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form | Self::JsonInForm => "application/x-www-form-urlencoded; charset=utf-8",
            Self::Parts | Self::JsonInParts => "multipart/form-data; boundary=0b0b0b",
        }
    }

    fn wrap(self, texts: &[String]) -> String {
        let json = || {
            serde_json::to_string(&serde_json::json!({ "a": texts, "n": 1.5e9 }))
                .unwrap()
                .replace('e', "\\u0065")
                .replace("1.5\\u0065", "1.5e")
        };
        let percent = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%20", "+")
        };
        let part = |n: usize, text: &str| {
            format!(
                "--0b0b0b\r\nContent-Length: {}\r\nContent-Disposition: form-data; name=\"f{n}\"\r\n\r\n{text}\r\n",
                text.len()
            )
        };
        match self {
            Self::Json => json(),
            Self::Form => texts
                .iter()
                .map(|text| format!("x={}", percent(text)))
                .collect::<Vec<_>>()
                .join("&"),
            Self::JsonInForm => format!("a=1&b={}&c=2", percent(&json())),
            Self::Parts => texts
                .iter()
                .enumerate()
                .map(|(n, text)| part(n, text))
                .chain(["--0b0b0b--\r\n".into()])
                .collect(),
            Self::JsonInParts => format!("{}--0b0b0b--\r\n", part(0, &json())),
        }
    }
}

/// The texts that a client meant as such: in JSON that a text holds its strings rather than that text, otherwise the text
/// rather than what it may hold besides.
fn standing(document: &Document) -> Vec<usize> {
    let is_json = |index: usize| document.json_in(index).is_some();
    let all = 0..document.texts().len();
    all.filter(|n| document.holder(*n).is_none_or(is_json) && !is_json(*n)).collect()
}

/// Splices for a text: disjoint, in order, on character boundaries.
fn splices(text: &str, cuts: &[prop::sample::Index], with: &str) -> Vec<(Span, String)> {
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut ends: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).collect();
    ends.sort_unstable();
    ends.chunks_exact(2).map(|pair| (Span::new(pair[0], pair[1]), with.to_owned())).collect()
}

proptest! {
    #[test]
    fn only_the_edited_strings_change(
        texts in prop::collection::vec("[a-e \\[{\"\\\\%+&=\u{e9}\u{1f3e5}\n]{0,20}", 1..5),
        cuts in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..6), 1..5),
        with in "[a-z\"\\\\%&+= \u{20ac}]{0,6}",
        which in 0..Around::ALL.len(),
    ) {
        let around = Around::ALL[which];
        let body = around.wrap(&texts);
        let document = parse(Some(around.content_type()), &body).unwrap();
        prop_assert_eq!(written(&document, &[]).unwrap(), body.clone());
        let mut edits = Vec::new();
        let mut want = Vec::new();
        let mut cuts = cuts.iter().cycle();
        for n in standing(&document) {
            let text = &document.texts()[n];
            let text = (text.role, text.text.expose());
            let mine = if text.0 == Role::Value && text.1 != "1" && text.1 != "2" { splices(text.1, cuts.next().unwrap(), &with) } else { Vec::new() };
            let mut after = text.1.to_owned();
            for (span, with) in mine.iter().rev() {
                after.replace_range(span.start()..span.end(), with);
            }
            want.push((text.0, after));
            edits.extend(mine.into_iter().map(|(span, with)| Edit::Splice { text: n, span, with }));
        }
        let after = written(&document, &edits).unwrap();
        let Ok(again) = parse(Some(around.content_type()), &after) else {
            // An edit may turn a text that began like JSON and was none into JSON that cannot be read, which `inspect` refuses
            // when it reads back what it wrote.
            let begins_so = want.iter().any(|(_, text)| text.trim_start().starts_with(['[', '{']));
            prop_assert!(begins_so);
            return Ok(());
        };
        let got: Vec<_> = standing(&again).into_iter().map(|n| &again.texts()[n]).map(|text| (text.role, text.text.expose().to_owned())).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn any_body_of_any_type_is_answered(
        content_type in prop::option::of(prop_oneof![
            prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/mixed; boundary=\"b\"", "text/plain", "image/png", "*/*", "text/html; charset=us-ascii"]).prop_map(str::to_owned),
            any::<String>(),
        ]),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), "[{}\\[\\]\":,a=&%+\\-b\r\n \u{e9}]{0,60}".prop_map(String::into_bytes)],
    ) {
        let body = Bytes::from(body);
        if let Ok(document) = Document::parse(content_type.as_deref(), body.clone(), &Limits::default()) {
            prop_assert_eq!(document.write(&[]).unwrap(), body.clone());
            for (n, text) in document.texts().iter().enumerate() {
                let edit = Edit::Splice { text: n, span: Span::new(0, text.text.expose().len()), with: "x".into() };
                if let Ok(after) = document.write(&[edit]) {
                    prop_assert!(matches!(text.role, Role::Value | Role::FileName));
                    prop_assert!(!after.is_empty());
                }
            }
        }
        let _ = super::looks_like_media(content_type.as_deref(), &body);
    }

    #[test]
    fn any_query_is_answered(query in "\\PC{0,60}|[a-c=&%+0-9\\[\\]]{0,40}") {
        if let Ok(document) = Document::parse_query(&query, &Limits::default()) {
            prop_assert_eq!(document.write(&[]).unwrap(), query.as_bytes());
        }
    }
}
