//! Every kind of body: without edits the very bytes, and with edits what a client would have written of the edited words.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Document, Edit, Limits, Role, charset, entity};
use crate::span::Span;

/// One kind: its name, its content type, and how a client writes texts into it. A query has no content type.
type Kind = (&'static str, Option<&'static str>, fn(&[String]) -> Vec<u8>);

fn percent(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn joined(texts: &[String], between: &str, one: impl Fn(&str) -> String) -> String {
    texts.iter().map(|text| one(text)).collect::<Vec<_>>().join(between)
}

fn json(texts: &[String]) -> String {
    format!(r#"{{"a": [{}], "n": -1.5e9, "t": true}}"#, joined(texts, ", ", quoted))
}

fn form(texts: &[String]) -> String {
    joined(texts, "&", |text| format!("x[]={}", percent(text.as_bytes())))
}

fn batch(texts: &[String]) -> String {
    format!(r#"[{{"body":{}}}]"#, quoted(&format!("message=1&{}", form(texts))))
}

fn parts(texts: &[String], line: &str) -> String {
    let part = |text: &str| {
        format!("--0b{line}Content-Disposition: form-data; name=\"f\"{line}{line}{text}{line}")
    };
    format!("{}--0b--{line}", joined(texts, "", part))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    entity::escape(text, &mut out);
    out
}

fn captions(texts: &[String], head: &str, point: char) -> String {
    let cues = texts.iter().enumerate().map(|(n, text)| {
        format!("{}\n00:00:0{n}{point}000 --> 00:00:0{n}{point}900\n{text}\n\n", n + 1)
    });
    format!("{head}{}", cues.collect::<String>())
}

fn in_charset(label: &str, text: &str) -> Vec<u8> {
    charset::encode(charset::named(label).unwrap(), text).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

const KINDS: &[Kind] = &[
    ("JSON", Some("application/json"), |texts| json(texts).into_bytes()),
    ("lines of JSON", Some("application/x-ndjson"), |texts| {
        (joined(texts, "\n", |text| format!(r#"{{"a":{}}}"#, quoted(text))) + "\n").into_bytes()
    }),
    ("JSON in JSON", Some("application/json"), |texts| {
        format!(r#"{{"payload":{}}}"#, quoted(&json(texts))).into_bytes()
    }),
    ("form", Some(FORM), |texts| form(texts).into_bytes()),
    ("query", None, |texts| form(texts).into_bytes()),
    ("form in JSON", Some("application/json"), |texts| batch(texts).into_bytes()),
    ("JSON in a form", Some(FORM), |texts| {
        format!("a=1&variables={}", percent(json(texts).as_bytes())).into_bytes()
    }),
    ("batch", Some(FORM), |texts| {
        format!("batch={}", percent(batch(texts).as_bytes())).into_bytes()
    }),
    ("signed body", Some(FORM), |texts| {
        format!("signed_body=SIGNATURE.{}", percent(json(texts).as_bytes())).into_bytes()
    }),
    ("multipart", Some("multipart/form-data; boundary=0b"), |texts| {
        parts(texts, "\r\n").into_bytes()
    }),
    ("bare lines", Some("multipart/related; boundary=0b"), |texts| parts(texts, "\n").into_bytes()),
    ("JSON in parts", Some("multipart/form-data; boundary=\"0b\""), |texts| {
        parts(&[json(texts)], "\r\n").into_bytes()
    }),
    ("XML-RPC", Some("text/xml"), |texts| {
        let param = |text: &str| {
            format!("<param><value><string>{}</string></value></param>", escaped(text))
        };
        let params = joined(texts, "\n", param);
        format!(
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>wp.newPost</methodName><params>{params}</params></methodCall>"
        )
        .into_bytes()
    }),
    ("Atom", Some("application/atom+xml"), |texts| {
        let entry =
            |text: &str| format!("<entry><title type=\"text\">{}</title></entry>", escaped(text));
        format!("<feed>{}</feed>", joined(texts, "", entry)).into_bytes()
    }),
    ("CDATA", Some("text/xml"), |texts| {
        let item = |text: &str| format!("<item><![CDATA[{text}]]></item>");
        format!("<items>{}</items>", joined(texts, "\n", item)).into_bytes()
    }),
    ("WebVTT", Some("text/vtt"), |texts| captions(texts, "WEBVTT\n\n", '.').into_bytes()),
    ("SRT", Some("application/x-subrip"), |texts| captions(texts, "", ',').into_bytes()),
    ("text", Some("text/plain"), |texts| texts.join("\n").into_bytes()),
    ("Latin-1", Some("text/plain; charset=iso-8859-1"), |texts| {
        in_charset("iso-8859-1", &texts.join("\n"))
    }),
    ("JSON in Latin-1", Some("application/json; charset=windows-1252"), |texts| {
        in_charset("windows-1252", &json(texts))
    }),
    ("form of Latin-1", Some("application/x-www-form-urlencoded; charset=iso-8859-1"), |texts| {
        let one = |text: &str| format!("x={}", percent(&in_charset("iso-8859-1", text)));
        joined(texts, "&", one).into_bytes()
    }),
];

fn parse(kind: &Kind, body: &[u8]) -> Document {
    let limits = Limits::default();
    let read = match kind.1 {
        None => Document::parse_query(std::str::from_utf8(body).unwrap(), &limits),
        some => Document::parse(some, Bytes::copy_from_slice(body), &limits),
    };
    read.unwrap_or_else(|why| panic!("{}: {why}", kind.0))
}

/// Every text but those that hold others whole: what they say is said by those.
fn listed(document: &Document) -> Vec<(Role, String, String)> {
    let texts = document.texts().iter().enumerate();
    texts
        .filter(|(index, _)| !document.is_structured(*index))
        .map(|(_, text)| (text.role, text.path.to_string(), text.text.expose().to_owned()))
        .collect()
}

/// The texts of a document that are these, in order.
fn find(document: &Document, wanted: &[&str]) -> Vec<usize> {
    let mut found = Vec::new();
    for (index, text) in document.texts().iter().enumerate() {
        let stands = document.holder(index).is_none_or(|holder| document.is_structured(holder));
        let next = wanted.get(found.len()).copied();
        if text.role == Role::Value && stands && Some(text.text.expose()) == next {
            found.push(index);
        }
    }
    found
}

fn n_same<'b>(one: impl Iterator<Item = &'b u8>, other: impl Iterator<Item = &'b u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

// What begins and ends like prose is taken for nothing else, in whatever body.
const HEAD: &str = "Note caf\u{e9} ";
const TAIL: &str = " ends caf\u{e9} so";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_kind_is_written_as_a_client_would(
        middles in prop::collection::vec("[a-e \u{e9}<&>\"\\\\'%+=;,\\[{]{0,16}", 1..4),
        cuts in prop::collection::vec((0_usize..40, 0_usize..8), 1..4),
        with in "\\[name\\]|x|[a-c &<\"\u{e9}]{1,5}y",
    ) {
        let texts: Vec<String> = middles.iter().map(|middle| [HEAD, middle, TAIL].concat()).collect();
        let (mut after, mut spans) = (Vec::new(), Vec::new());
        for (text, (start, length)) in texts.iter().zip(cuts.iter().cycle()) {
            let inside = HEAD.len()..=text.len() - TAIL.len();
            let bounds: Vec<usize> = inside.filter(|at| text.is_char_boundary(*at)).collect();
            let start = start % bounds.len();
            let span = Span::new(bounds[start], bounds[(start + length).min(bounds.len() - 1)]);
            let mut edited = text.clone();
            edited.replace_range(span.start()..span.end(), &with);
            after.push(edited);
            spans.push(span);
        }
        for kind in KINDS {
            let body = (kind.2)(&texts);
            let document = parse(kind, &body);
            prop_assert_eq!(&document.write(&[]).unwrap()[..], &body[..], "{}", kind.0);
            let whole = texts.join("\n");
            let is_one = ["text", "Latin-1"].contains(&kind.0);
            let wanted: Vec<&str> =
                if is_one { vec![&whole] } else { texts.iter().map(String::as_str).collect() };
            let found = find(&document, &wanted);
            prop_assert_eq!(found.len(), wanted.len(), "{}: a text is not there as it was", kind.0);
            let (mut edits, mut at) = (Vec::new(), 0);
            for (n, span) in spans.iter().enumerate() {
                let (text, span) = if is_one { (found[0], span.shifted(at)) } else { (found[n], *span) };
                at += texts[n].len() + 1;
                edits.push(Edit::Splice { text, span, with: with.clone() });
            }
            let written = document.write(&edits);
            prop_assert!(written.is_ok(), "{}: {:?}", kind.0, written.err());
            let written = written.unwrap();
            let want = parse(kind, &(kind.2)(&after));
            prop_assert_eq!(listed(&parse(kind, &written)), listed(&want), "{}", kind.0);
            // What is before the first edit and behind the last is the same to the byte.
            let head = n_same(written.iter(), body.iter());
            let tail = n_same(written.iter().rev(), body.iter().rev());
            let least = if kind.0 == "batch" { "batch=" } else { "Note" };
            prop_assert!(head >= least.len() && tail > 1, "{}", kind.0);
        }
    }
}
