//! XML and XML-RPC as clients write them, and as they must not be believed.

use bytes::Bytes;
use proptest::prelude::*;

use crate::body::{CannotWrite, Document, Edit, Kind, Limits, Role, Step, Unreadable};
use crate::span::Span;

fn parse(body: &str) -> Result<Document, Unreadable> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Document::parse(Some("text/xml"), body, &Limits::default())
}

/// Path and text of all that is no other reading.
fn listed(document: &Document) -> Vec<String> {
    let step = |step: &Step| match step {
        Step::Key(key) => key.to_string(),
        Step::Index(index) => format!("#{index}"),
        Step::Append => "[]".into(),
    };
    let texts = document.texts().iter().enumerate();
    texts
        .filter(|(n, _)| document.holder(*n).is_none())
        .map(|(_, text)| {
            let path: Vec<String> = text.path.steps().iter().map(|one| step(one)).collect();
            format!("{} {}", path.join("."), text.text.expose())
        })
        .collect()
}

fn splice(document: &Document, words: &str, with: &str) -> Edit {
    let mut texts = document.texts().iter().enumerate();
    let (text, start) =
        texts.find_map(|(n, text)| Some((n, text.text.expose().find(words)?))).unwrap();
    Edit::Splice { text, span: Span::new(start, start + words.len()), with: with.into() }
}

const CALL: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<methodCall><methodName>wp.newPost</methodName>\n<params><param><value><int>1</int></value></param><param><value><string>nurse</string></value></param><param><value>\n <struct><member><name>post_title</name><value><string>For &#74;ane Roe</string></value></member><member><name>tags</name><value><array><data><value>a</value><value><string>b &amp; c</string></value></data></array></value></member><member><name>post_content</name><value><string><![CDATA[<p>Jane Roe</p>]]></string></value></member></struct></value></param></params></methodCall>";

#[test]
fn a_call_is_read_by_its_names() {
    let document = parse(CALL).unwrap();
    assert_eq!(document.kind(), Kind::Xml);
    assert_eq!(
        listed(&document),
        [
            " xml version=\"1.0\" encoding=\"utf-8\"",
            "methodName wp.newPost",
            "params.#0 1",
            "params.#1 nurse",
            "params.#2 post_title",
            "params.#2.post_title For Jane Roe",
            "params.#2 tags",
            "params.#2.tags.#0 a",
            "params.#2.tags.#1 b & c",
            "params.#2 post_content",
            "params.#2.post_content <p>Jane Roe</p>",
        ]
    );
    let title = splice(&document, "Jane Roe", "[a & b]");
    let content = splice(&document, "<p>Jane", "<p>[name]");
    let written = document.write(&[title, content]).unwrap();
    let want = CALL.replace("&#74;ane Roe", "[a &amp; b]").replace("<p>Jane", "<p>[name]");
    assert_eq!(written, want);
    assert_eq!(document.write(&[splice(&document, "<p>", "]]>")]), Err(CannotWrite::ReadOnly));
}

#[test]
fn other_documents_are_read_by_their_elements() {
    let document = parse(
        "<a:entry xmlns:a=\"urn:a\"><a:title lang='J&quot;R'>Jane <!-- Roe --> Poe</a:title><b/> <c>x<d>y</d>z</c></a:entry>",
    )
    .unwrap();
    assert_eq!(
        listed(&document),
        [
            "entry.@a urn:a",
            "entry.title.@lang J\"R",
            "entry.title  Roe ",
            "entry.title Jane  Poe",
            "entry.c x",
            "entry.c.d y",
            "entry.c z",
        ]
    );
    // Cut by a comment: read as one, and not edited.
    assert_eq!(document.write(&[splice(&document, "Jane", "x")]), Err(CannotWrite::ReadOnly));
    let written = document.write(&[splice(&document, "J\"R", "'x'")]).unwrap();
    assert!(
        written.windows(14).any(|window| window == b"'&#39;x&#39;'>"),
        "{}",
        written.escape_ascii()
    );
}

#[test]
fn files_in_a_call_are_media_or_text() {
    let call = |digits: &str| {
        format!(
            "<methodCall><methodName>wp.uploadFile</methodName><params><param><value><base64>{digits}</base64></value></param></params></methodCall>"
        )
    };
    let picture = parse(&call("iVBORw0KGgoAAAAN\nSUhEUgAAAAEAAAAB")).unwrap();
    assert!(picture.holds_media() && !picture.holds_unknown_files());
    let text = parse(&call("U2F3IEphbmUgUm9l")).unwrap();
    assert!(text.texts().iter().any(|text| text.text.expose() == "Saw Jane Roe"));
    assert_eq!(parse(&call("JVBERi0xLjcKAAAA")).err(), Some(Unreadable::Document));
    assert_eq!(parse(&call("Jane Roe")).err(), Some(Unreadable::Xml));
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for (body, want) in [
        ("<a>", Unreadable::Xml),
        ("<a></b>", Unreadable::Xml),
        ("<a/><b/>", Unreadable::Xml),
        ("<a/>text", Unreadable::Xml),
        ("text", Unreadable::Xml),
        ("<a b=c/>", Unreadable::Xml),
        ("<a b=\"1\" b=\"2\"/>", Unreadable::Xml),
        ("<a b=\"1\"c=\"2\"/>", Unreadable::Xml),
        ("<a b=\"<\"/>", Unreadable::Xml),
        ("<a>]]></a>", Unreadable::Xml),
        ("<a><![CDATA[x</a>", Unreadable::Xml),
        ("<!DOCTYPE a [<!ENTITY j \"Jane\">]><a>&j;</a>", Unreadable::Xml),
        ("<?xml version=\"1.0\" encoding=\"utf-16\"?><a>x</a>", Unreadable::Charset),
        ("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\u{e9}</a>", Unreadable::Charset),
        ("<?xml version=\"1.0\" encoding=\"utf-7\"?><a>x</a>", Unreadable::UnknownCharset),
    ] {
        assert_eq!(parse(body).err(), Some(want), "{body}");
    }
    assert!(parse("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>x</a>").is_ok());
    assert!(parse("<!DOCTYPE html><a>x</a>").is_ok());
    assert_eq!(parse(&"<a>".repeat(1000)).err(), Some(Unreadable::TooDeep));
}

proptest! {
    #[test]
    fn any_tokens_are_answered(tokens in prop::collection::vec(prop::sample::select(vec!["<a>", "</a>", "<a b=\"", "\"", "/>", "<", ">", "&amp;", "&", "<!--", "-->", "<![CDATA[", "]]>", "<?xml", "?>", "text", " ", "<methodCall>", "</methodCall>", "<member>", "<name>", "</name>"]), 0..16)) {
        let body = tokens.concat();
        if let Ok(document) = parse(&body) {
            prop_assert_eq!(document.write(&[]).unwrap(), body.as_bytes());
            for (text, _) in document.texts().iter().enumerate().filter(|(_, text)| text.role == Role::Value) {
                let edit = Edit::Splice { text, span: Span::new(0, 0), with: "<&".into() };
                if let Ok(after) = document.write(&[edit]) {
                    prop_assert!(parse(std::str::from_utf8(&after).unwrap()).is_ok(), "{}", after.escape_ascii());
                }
            }
        }
    }
}
