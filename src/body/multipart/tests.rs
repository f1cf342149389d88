//! Multipart bodies as stock clients write them, as attackers do, and against `multer` as an oracle.

use bytes::Bytes;
use proptest::prelude::*;

use crate::body::{CannotWrite, Document, Edit, Kind, Limits, Path, Role, Unreadable};
use crate::span::Span;

const FORM_DATA: &str = "multipart/form-data; boundary=b";

fn parse(body: &[u8]) -> Result<Document, Unreadable> {
    Document::parse(Some(FORM_DATA), Bytes::copy_from_slice(body), &Limits::default())
}

/// A body of these parts: head lines without the last line end, and content.
fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (head, content) in parts {
        out.extend_from_slice(format!("--b\r\n{head}\r\n\r\n").as_bytes());
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--b--\r\n");
    out
}

fn field(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

fn listed(document: &Document) -> Vec<(Role, &str)> {
    document.texts().iter().map(|text| (text.role, text.text.expose())).collect()
}

/// The texts of a role that stand in no other.
fn outermost(document: &Document, role: Role) -> impl Iterator<Item = &str> {
    let texts = document.texts().iter().enumerate();
    texts
        .filter(move |(n, text)| text.role == role && document.holder(*n).is_none())
        .map(|(_, text)| text.text.expose())
}

fn splice(document: &Document, words: &str, with: &str) -> Edit {
    let (text, start) = document
        .texts()
        .iter()
        .enumerate()
        .find_map(|(n, text)| Some((n, text.text.expose().find(words)?)))
        .unwrap();
    Edit::Splice { text, span: Span::new(start, start + words.len()), with: with.into() }
}

/// What stock clients write: a status, a JSON part labelled as text, a picture with its name.
fn post() -> Vec<u8> {
    body(&[
        (&field("status"), "saw Jane Roe, caf\u{e9}\r\nsecond line".as_bytes()),
        (
            "Content-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: text/plain",
            b"{\"content\":\"met J\\u0061ne Roe\",\"n\":1}",
        ),
        (
            "Content-Disposition: form-data; name=\"files[0]\"; filename=\"Jane Roe.png\"\r\nContent-Type: image/png",
            b"\x89PNG\r\n\x1a\n\0\0--\r\n\xff",
        ),
    ])
}

#[test]
fn fields_json_and_file_names_are_listed() {
    let bytes = post();
    let document = parse(&bytes).unwrap();
    let want = [
        (Role::Key, "status"),
        (Role::Value, "saw Jane Roe, caf\u{e9}\r\nsecond line"),
        (Role::Key, "payload_json"),
        (Role::PartHeader, "text/plain"),
        (Role::Value, "{\"content\":\"met J\\u0061ne Roe\",\"n\":1}"),
        (Role::Key, "content"),
        (Role::Value, "met Jane Roe"),
        (Role::Key, "n"),
        (Role::Number, "1"),
        (Role::Key, "files[0]"),
        (Role::FileName, "Jane Roe.png"),
        (Role::PartHeader, "image/png"),
    ];
    assert_eq!(listed(&document), want);
    assert!(document.texts().iter().all(|text| text.in_part));
    assert!(document.holds_media());
    assert_eq!(document.kind(), Kind::Multipart);
    assert_eq!(format!("{:?}", document.texts()[6].path.steps()), "[Key(..), Key(..)]");
    let node = document.node_of(6).unwrap();
    assert_eq!(document.members(document.parent(node).unwrap(), "content"), [node]);
}

#[test]
fn edits_reach_fields_json_parts_and_file_names() {
    let bytes = post();
    let document = parse(&bytes).unwrap();
    assert_eq!(document.write(&[]).unwrap(), bytes);
    let edits = [
        splice(&document, "Jane Roe, caf", "[name], caf"),
        splice(&document, "Jane Roe.png", "\"x\".png"),
        {
            let span = Span::new(4, 12);
            Edit::Splice { text: 6, span, with: "\"[name]\"".into() }
        },
    ];
    let written = document.write(&edits).unwrap();
    let want = body(&[
        (&field("status"), "saw [name], caf\u{e9}\r\nsecond line".as_bytes()),
        (
            "Content-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: text/plain",
            b"{\"content\":\"met \\\"[name]\\\"\",\"n\":1}",
        ),
        (
            "Content-Disposition: form-data; name=\"files[0]\"; filename=\"%22x%22.png\"\r\nContent-Type: image/png",
            b"\x89PNG\r\n\x1a\n\0\0--\r\n\xff",
        ),
    ]);
    assert_eq!(written.escape_ascii().to_string(), want.escape_ascii().to_string());
}

#[test]
fn replacements_never_move_a_boundary() {
    let document = parse(&body(&[(&field("a"), b"Jane Roe"), (&field("b"), b"-")])).unwrap();
    assert_eq!(
        document.write(&[splice(&document, "Jane", "x\r\n--b\r\n")]),
        Err(CannotWrite::Misplaced)
    );
    assert_eq!(document.write(&[splice(&document, "Jane", "x--b")]), Err(CannotWrite::Misplaced));
}

#[test]
fn lengths_of_parts_are_put_right() {
    let head = |length: usize| format!("Content-Length: {length}\r\n{}", field("status"));
    let document = parse(&body(&[(&head(12), b"saw Jane Roe"), (&head(1), b"x")])).unwrap();
    let written = document.write(&[splice(&document, "Jane", "[name]")]).unwrap();
    assert_eq!(written, body(&[(&head(14), b"saw [name] Roe"), (&head(1), b"x")]));
    assert_eq!(parse(&body(&[(&head(3), b"saw Jane Roe")])).err(), Some(Unreadable::Multipart));
}

#[test]
fn file_names_are_read_in_every_spelling() {
    let cases: &[(&str, Result<&[&str], Unreadable>)] = &[
        ("filename=\"Jane Roe.jpg\"", Ok(&["Jane Roe.jpg"])),
        ("filename=plain.jpg", Ok(&["plain.jpg"])),
        ("filename=\"C:\\Jane\\a.jpg\"", Ok(&["C:\\Jane\\a.jpg"])),
        ("filename*=UTF-8''Jane%20Ro%C3%A9.jpg", Ok(&["Jane Ro\u{e9}.jpg"])),
        ("filename=\"a.jpg\"; filename*=utf-8'en'b.jpg", Ok(&["a.jpg", "b.jpg"])),
        ("filename=\"=?utf-8?B?SmFuZSBSb2UuanBn?=\"", Ok(&["Jane Roe.jpg"])),
        ("filename*=ISO-8859-1''Ro%E9.jpg", Ok(&["Ro\u{e9}.jpg"])),
        ("filename*=utf-7''Jane.jpg", Err(Unreadable::UnknownCharset)),
        ("filename*=UTF-8''Jane%ff.jpg", Err(Unreadable::Charset)),
        ("filename*=Jane.jpg", Err(Unreadable::Multipart)),
        ("filename*0=\"Jane\"; filename*1=\" Roe\"", Ok(&["Jane Roe"])),
        ("filename*1*=%20Ro%C3%A9; filename*0*=utf-8''Jane", Ok(&["Jane Ro\u{e9}"])),
        ("filename*0=\"Jane\"; filename*2=\" Roe\"", Err(Unreadable::Multipart)),
        ("filename=\"=?latin1?Q?Jane?=\"", Ok(&["Jane"])),
        ("filename=\"=?nonsense?Q?Jane?=\"", Err(Unreadable::Charset)),
        ("filename=\"a\\\"b.jpg\"", Err(Unreadable::Multipart)),
        ("filename=\"a\"; filename=\"b\"", Err(Unreadable::Multipart)),
    ];
    for (spelled, want) in cases {
        let head = format!("{}; {spelled}\r\nContent-Type: image/jpeg", field("f"));
        let document = parse(&body(&[(&head, b"\xff\xd8\xff\xe0\0\x10JFIF\0")]));
        let names = document.as_ref().map(|document| {
            listed(document)
                .into_iter()
                .filter(|(role, _)| *role == Role::FileName)
                .map(|(_, name)| name)
                .collect::<Vec<_>>()
        });
        match (names, want) {
            (Ok(names), Ok(want)) => assert_eq!(names, *want, "{spelled}"),
            (Err(error), Err(want)) => assert_eq!(error, want, "{spelled}"),
            (got, _) => panic!("{spelled}: {got:?}"),
        }
    }
    let head = format!("{}; filename*=UTF-8''Jane%20Ro%C3%A9.jpg", field("f"));
    let document = parse(&body(&[(&head, b"\xff\0")])).unwrap();
    let written = document.write(&[splice(&document, "Jane", "[a b]")]).unwrap();
    assert!(
        written.windows(29).any(|window| window == b"UTF-8''%5Ba%20b%5D%20Ro%C3%A9"),
        "{}",
        written.escape_ascii()
    );
}

/// The head of a part, what it holds, and the last text read of that.
type Case<'a> = (String, &'a [u8], Result<Option<&'a str>, Unreadable>);

#[test]
fn what_parts_hold_decides_how_they_are_read() {
    let text_file = "Content-Disposition: form-data; name=\"f\"; filename=\"n.txt\"";
    let typed = |head: &str, content_type: &str| format!("{head}\r\nContent-Type: {content_type}");
    let dicom = [&[0u8; 128][..], b"DICM"].concat();
    let cases: &[Case<'_>] = &[
        (typed(text_file, "text/plain"), b"saw Jane", Ok(Some("saw Jane"))),
        (text_file.into(), b"saw Jane", Ok(Some("saw Jane"))),
        (typed(text_file, "application/octet-stream"), b"saw Jane", Ok(Some("saw Jane"))),
        (typed(text_file, "image/png"), b"saw Jane", Ok(Some("saw Jane"))),
        (typed(text_file, "application/json"), b"{\"a\":\"saw Jane\"}", Ok(Some("saw Jane"))),
        (typed(text_file, "application/json"), b"{\"a\":", Err(Unreadable::Json)),
        (typed(text_file, "video/mp4"), b"\0\0\x01\xb3\xff\xff", Ok(None)),
        (typed(text_file, "text/csv"), b"Ren\xe9", Ok(Some("Ren\u{e9}"))),
        (typed(&field("f"), "text/plain; charset=utf-16"), b"a", Err(Unreadable::Charset)),
        (typed(text_file, "application/pdf"), b"%PDF-1.7\n\xff", Err(Unreadable::Document)),
        (typed(text_file, "image/dicom"), &dicom, Err(Unreadable::Document)),
        (typed(text_file, "application/zip"), b"PK\x03\x04\x14\0", Err(Unreadable::Document)),
        (field("f"), b"Ren\xe9", Err(Unreadable::Charset)),
        (field("f"), b"nul \0 byte", Ok(Some("nul \0 byte"))),
        (field("f"), b"{not json", Ok(Some("{not json"))),
        (field("f"), b"[7]", Ok(Some("[7]"))),
        (field("f"), b"{\"a\":\"J\\u0061ne\",}", Err(Unreadable::Json)),
        (typed(&field("f"), "image/png"), b"saw \x01 Jane", Ok(Some("saw \x01 Jane"))),
        (typed(&field("f"), "image/png"), b"Ren\xe9", Err(Unreadable::Charset)),
        (
            typed(&field("f"), "image/png"),
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0\x08\x06\0\0\0\xab",
            Ok(None),
        ),
        (
            format!("{}\r\nContent-Transfer-Encoding: base64", field("f")),
            b"SmFuZQ==",
            Ok(Some("Jane")),
        ),
        (
            format!("{}\r\nContent-Transfer-Encoding: quoted-printable", field("f")),
            b"saw Ja=\r\nne Ro=C3=A9",
            Ok(Some("saw Jane Ro\u{e9}")),
        ),
        (
            typed(&format!("{}\r\nContent-Transfer-Encoding: base64", field("f")), "image/png"),
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk\r\n+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            Ok(None),
        ),
        (
            format!("{}\r\nContent-Transfer-Encoding: base64", field("f")),
            b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk\r\n+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            Err(Unreadable::UnknownCoding),
        ),
        (field("f"), b"GIF89a\x01\xff MRN 00412345", Err(Unreadable::Charset)),
        (
            typed(&field("f"), "text/plain"),
            b"GIF89a\x01\xff MRN 00412345",
            Err(Unreadable::Charset),
        ),
        (text_file.into(), b"GIF89a\x01\xff", Ok(Some("GIF89a\u{1}\u{ff}"))),
        (
            format!("{}\r\nContent-Transfer-Encoding: base64", field("f")),
            b"JVBERi0xLjcK",
            Err(Unreadable::Document),
        ),
        (
            format!("{}\r\nContent-Transfer-Encoding: base64", field("f")),
            b"Jane Roe",
            Err(Unreadable::UnknownCoding),
        ),
        (
            format!("{}\r\nContent-Transfer-Encoding: x-uuencode", field("f")),
            b"Jane Roe",
            Err(Unreadable::UnknownCoding),
        ),
        (typed(&field("f"), "text/plain; charset=iso-8859-1"), b"Ren\xe9", Ok(Some("Ren\u{e9}"))),
        (typed(&field("f"), "text/xml"), b"<a>Jane</a>", Ok(Some("Jane"))),
        (typed(&field("f"), "text/xml"), b"<a>Jane", Err(Unreadable::Xml)),
        (
            typed(text_file, "text/vtt"),
            b"WEBVTT\n\n00:01.000 --> 00:02.000\nJane\n",
            Ok(Some("Jane")),
        ),
        (format!("{}\r\nContent-Transfer-Encoding: 8bit", field("f")), b"Jane", Ok(Some("Jane"))),
        (field("_charset_"), b"iso-8859-1", Err(Unreadable::UnknownCharset)),
        (typed(&field("f"), "multipart/mixed; boundary=c"), b"--c--", Ok(None)),
        (typed(&field("f"), "multipart/mixed; boundary=c"), b"c", Err(Unreadable::Multipart)),
        (typed(&field("f"), "multipart/mixed"), b"--c--", Err(Unreadable::Multipart)),
    ];
    for (head, content, want) in cases {
        let document = parse(&body(&[(head, content)]));
        let got = document.as_ref().map(|document| {
            listed(document)
                .into_iter()
                .filter(|(role, _)| *role == Role::Value)
                .map(|(_, text)| text)
                .next_back()
        });
        assert_eq!(got.map_err(|error| *error), *want, "{head} {}", content.escape_ascii());
    }
}

/// To a server it is a string, to some clients a way to send a picture: whoever knows the endpoint decides.
#[test]
fn fields_of_bytes_are_named() {
    let bytes = format!("{}\r\nContent-Type: Application/Octet-Stream", field("f"));
    for (head, content, want) in [
        (bytes.as_str(), &b"GIF89a\x01\xff MRN 00412345"[..], 1),
        (&bytes, b"\xff later piece", 1),
        (&bytes, b"saw Jane", 0),
        (&field("f"), b"saw Jane", 0),
        (
            "Content-Disposition: form-data; name=\"f\"; filename=\"a\"",
            b"\xff\0\x01\x02\x03\x04\x05 piece",
            0,
        ),
    ] {
        let document = parse(&body(&[(head, content)])).unwrap();
        let unread: Vec<_> = document.unread_fields().map(Path::n_steps).collect();
        assert_eq!(unread, vec![1; want], "{head} {}", content.escape_ascii());
        assert_eq!(document.holds_media(), !content.starts_with(b"saw"), "{head}");
    }
}

#[test]
fn heads_that_can_be_read_in_two_ways_are_refused() {
    for head in [
        "",
        "Content-Type: text/plain",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=\"a\"",
        "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
        "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain\r\ncontent-type: image/png",
        "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
        "Content-Disposition: form-data; name=\"a\\b\"",
        "Content-Disposition: form-data; name*=UTF-8''a",
        "Content-Disposition : form-data; name=\"a\"",
        "Content-Disposition: form-data;\r\n name=\"a\"",
        "Content-Disposition: form-data; name=\"a\nb\"",
        "Content-Disposition: form-data; name=\"a\0\"",
        "no colon",
    ] {
        assert_eq!(parse(&body(&[(head, b"x")])).err(), Some(Unreadable::Multipart), "{head:?}");
    }
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
    ] {
        let document = Document::parse(Some(content_type), Bytes::from(post()), &Limits::default());
        assert_eq!(document.err(), Some(Unreadable::Multipart), "{content_type}");
    }
}

#[test]
fn googles_related_parts_with_bare_line_feeds_are_read() {
    let bytes = b"--b\nContent-Type: application/json\nMIME-Version: 1.0\n\n{\"snippet\":{\"title\":\"for Jane Roe\"}}\n--b\nContent-Type: video/mp4\nContent-Transfer-Encoding: binary\n\n\0\0\0\x18ftypmp42\n--b--";
    let document = Document::parse(
        Some("multipart/related; boundary=\"b\""),
        Bytes::from_static(bytes),
        &Limits::default(),
    )
    .unwrap();
    let title = document.texts().iter().find(|text| text.text.expose() == "for Jane Roe").unwrap();
    assert_eq!(title.path.to_string(), "#0.#0.#0");
    assert_eq!(title.path.n_steps(), 2);
    let written = document.write(&[splice(&document, "Jane Roe", "[name]")]).unwrap();
    assert_eq!(written.len(), bytes.len() - 2);
}

#[test]
fn a_part_whose_file_name_is_empty_is_read_as_a_string_too() {
    let noise = b"\x01\x81\x90\xa0\0\xff".repeat(90);
    let start = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xFF\xFF\xFF!\xF9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02";
    let picture = [start.as_slice(), &noise, b"MRN 00412345", &noise].concat();
    let empty = format!("{}; filename=\"\"", field("status"));
    assert_eq!(parse(&body(&[(&empty, &picture)])).err(), Some(Unreadable::Charset));
    for head in [field("status"), empty.clone()] {
        let head = format!("{head}\r\nContent-Type: image/gif");
        let read = parse(&body(&[(&head, &picture)])).unwrap();
        assert!(read.texts().iter().any(|text| text.text.expose().contains("MRN 00412345")));
    }
    // Browsers write this where no file was chosen.
    let head = format!("{empty}\r\nContent-Type: application/octet-stream");
    assert!(parse(&body(&[(&field("status"), b"hello"), (&head, b"")])).is_ok());
}

#[test]
fn a_boundary_that_is_named_in_two_ways_is_none() {
    let bytes = body(&[(&field("status"), b"hello")]);
    for other in ["boundary*=utf-8''c", "Boundary*0=c", "boundary*1*=c", "boundary=c"] {
        let claim = format!("multipart/form-data; boundary=b; {other}");
        let read =
            Document::parse(Some(&claim), Bytes::copy_from_slice(&bytes), &Limits::default());
        assert_eq!(read.err(), Some(Unreadable::Multipart), "{other}");
    }
}

#[test]
fn parts_within_parts_are_read_and_edited() {
    let inner = "--in\r\nContent-Disposition: file; filename=\"Jane.txt\"\r\n\r\nsaw Jane\r\n--in\r\nContent-Disposition: file; filename=\"b.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n--in--";
    let head = format!("{}\r\nContent-Type: multipart/mixed; boundary=in", field("files"));
    let bytes = body(&[(&field("status"), b"hello"), (&head, inner.as_bytes())]);
    let document = parse(&bytes).unwrap();
    let text = document.texts().iter().find(|text| text.text.expose() == "saw Jane").unwrap();
    assert_eq!(text.path.to_string(), "#1.#0");
    assert_eq!(text.path.n_steps(), 2);
    let text = text_index(&document, "saw Jane");
    let edits = [
        splice(&document, "Jane.txt", "[name].txt"),
        Edit::Splice { text, span: Span::new(4, 8), with: "[name]".into() },
    ];
    let want =
        body(&[(&field("status"), b"hello"), (&head, inner.replace("Jane", "[name]").as_bytes())]);
    assert_eq!(document.write(&edits).unwrap(), want);
    let index = text_index(&document, "hello");
    let new_boundary = Edit::Splice { text: index, span: Span::new(0, 0), with: "x--in".into() };
    assert_eq!(document.write(&[new_boundary]), Err(CannotWrite::Misplaced));
    for bad in ["--in\r\n\r\nx", "x"] {
        let bytes = body(&[(&head, bad.as_bytes())]);
        assert_eq!(parse(&bytes).err(), Some(Unreadable::Multipart), "{bad}");
    }
    let mut deep = "x".to_owned();
    for n in 0..5 {
        deep = format!(
            "--d{n}\r\nContent-Type: multipart/mixed; boundary=d{}\r\n\r\n{deep}\r\n--d{n}--",
            n - 1
        );
    }
    let head = format!("{}\r\nContent-Type: multipart/mixed; boundary=d4", field("f"));
    assert_eq!(parse(&body(&[(&head, deep.as_bytes())])).err(), Some(Unreadable::Multipart));
}

fn text_index(document: &Document, text: &str) -> usize {
    document.texts().iter().position(|other| other.text.expose() == text).unwrap()
}

#[test]
fn a_charset_of_a_part_is_kept() {
    let head = format!(
        "Content-Length: 12\r\n{}\r\nContent-Type: text/plain; charset=iso-8859-1",
        field("f")
    );
    let bytes = body(&[(&head, b"Ren\xe9 Jane \xe9\xe9")]);
    let document = parse(&bytes).unwrap();
    assert_eq!(document.write(&[]).unwrap(), bytes);
    let want = body(&[(&head, b"Ren\xe9 [n\xe4] \xe9\xe9")]);
    assert_eq!(document.write(&[splice(&document, "Jane", "[n\u{e4}]")]).unwrap(), want);
    assert_eq!(document.write(&[splice(&document, "Jane", "\u{3b1}")]), Err(CannotWrite::ReadOnly));
}

#[test]
fn file_names_are_edited_in_their_own_spelling() {
    for (spelled, want) in [
        ("filename=\"Jane.jpg\"", "filename=\"[a b].jpg\""),
        ("filename=Jane.jpg", "filename=\"[a b].jpg\""),
        ("filename*=UTF-8''Jane.jpg", "filename*=UTF-8''%5Ba%20b%5D.jpg"),
        ("filename*=iso-8859-1''Jane%E9.jpg", "filename*=iso-8859-1''%5Ba%20b%5D%E9.jpg"),
        ("filename=\"=?utf-8?Q?Jane.jpg?=\"", "filename=\"=?utf-8?B?W2EgYl0uanBn?=\""),
    ] {
        let head = |spelled: &str| format!("{}; {spelled}", field("f"));
        let document = parse(&body(&[(&head(spelled), b"\xff\0")])).unwrap();
        let written = document.write(&[splice(&document, "Jane", "[a b]")]).unwrap();
        assert_eq!(written, body(&[(&head(want), b"\xff\0")]), "{spelled}");
    }
}

#[test]
fn duplicates_are_all_listed_and_all_edited() {
    let document =
        parse(&body(&[(&field("status"), b"Jane"), (&field("status"), b"Jane")])).unwrap();
    let span = Span::new(0, 4);
    let edits = [1, 3].map(|text| Edit::Splice { text, span, with: "[name]".into() });
    assert_eq!(
        document.write(&edits).unwrap(),
        body(&[(&field("status"), b"[name]"), (&field("status"), b"[name]")])
    );
}

/// What `multer` reads of a body: names and contents.
fn multer(bytes: &[u8]) -> Option<Vec<(String, Bytes)>> {
    let stream = http_body_util::BodyDataStream::new(http_body_util::Full::new(
        Bytes::copy_from_slice(bytes),
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut multipart = multer::Multipart::new(stream, "b");
        let mut fields = Vec::new();
        while let Some(field) = multipart.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            fields.push((name, field.bytes().await.ok()?));
        }
        Some(fields)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever we read, another reader reads the same of it.
    #[test]
    fn multer_reads_the_same_parts(pieces in prop::collection::vec(prop::sample::select(vec!["--b", "\r\n", "\n", "--", "Content-Disposition: form-data; name=\"a\"\r\n\r\n", "\r\n--b\r\n", "\r\n--b--\r\n", "Content-Disposition: form-data; name=c; filename=\"d\"\r\n", "text", " ", ":", "-"]), 0..16)) {
        let bytes = ["--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", &pieces.concat(), "\r\n--b--\r\n"].concat().into_bytes();
        if let Ok(document) = parse(&bytes) {
            let ours: Vec<_> = outermost(&document, Role::Value).map(str::as_bytes).collect();
            let theirs = multer(&bytes).unwrap();
            let theirs: Vec<_> = theirs.iter().map(|(_, content)| &content[..]).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn generated_parts_are_read_as_multer_reads_them(parts in prop::collection::vec(("[a-z\\[\\]]{1,8}", "[^-]{0,40}"), 0..6)) {
        let heads: Vec<String> = parts.iter().map(|(name, _)| field(name)).collect();
        let list: Vec<_> = heads.iter().zip(&parts).map(|(head, (_, text))| (head.as_str(), text.as_bytes())).collect();
        let bytes = body(&list);
        let document = parse(&bytes).unwrap();
        let names: Vec<_> = outermost(&document, Role::Key).map(str::to_owned).collect();
        let theirs = multer(&bytes).unwrap();
        prop_assert_eq!(names, theirs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        for ((_, text), (_, content)) in parts.iter().zip(&theirs) {
            prop_assert_eq!(text.as_bytes(), &content[..]);
        }
        prop_assert_eq!(document.write(&[]).unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..120), cut in any::<prop::sample::Index>()) {
        let _ = parse(&bytes);
        let mut post = post();
        let at = cut.index(post.len());
        post.splice(at..at, bytes);
        if let Ok(document) = parse(&post) {
            prop_assert_eq!(document.write(&[]).unwrap(), post);
        }
    }
}
