//! One post by every door: as a file, a field, a string or a raw body, in every charset, packing and code that a server or a
//! reader would undo. Each of these was once a way past, or is next to one.

use std::io::Write as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use jiff::civil::date;

use crate::inspect::check::PLATFORMS;
use crate::inspect::tests::ALLOWING;
use crate::inspect::{Inspection, Request, Verdict};

/// A patient, as an export of a ward's list has him.
const PATIENTS: &str = "name;geboren;MRN\r\nCastellano, José;03/14/1961;MRN 00412345\r\n";
/// The same number of letters, and nobody's.
const NOBODY: &str = "dish;since;price\r\nSopa, jamón curado;noon only;three dollars \r\n";

/// One call.
struct Call {
    platform: &'static str,
    path: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Call {
    fn run(&self) -> Inspection {
        let mut headers = HeaderMap::new();
        if !self.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        ALLOWING.inspect(&Request {
            platform: PLATFORMS.get(self.platform).expect("a platform"),
            method: &Method::POST,
            path: self.path,
            query: None,
            headers: &headers,
            body: &Bytes::from(self.body.clone()),
            groups: &[],
            reference: "k3f7q2ma",
            mark: None,
            today: date(2026, 11, 22),
        })
    }
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| u8::try_from(u32::from(letter)).expect("a letter of Latin-1"))
        .collect()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The plain alphabet, padded.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for n in 0..4 {
            let digit = DIGITS[usize::try_from(bits >> (18 - 6 * n) & 63).expect("six bits")];
            out.push(if n > three.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// A text in every charset, and each of those packed or under the first bytes of media.
fn files(text: &str) -> Vec<(String, Vec<u8>)> {
    let in_charsets = [
        ("UTF-8", text.as_bytes().to_vec()),
        ("windows-1252", latin1(text)),
        ("UTF-16", [vec![0xFF, 0xFE], utf16(text, u16::to_le_bytes)].concat()),
        ("UTF-16, low first", utf16(text, u16::to_le_bytes)),
        ("UTF-16, high first", utf16(text, u16::to_be_bytes)),
        ("zeros between", latin1(text).iter().flat_map(|byte| [*byte, 0, 0]).collect()),
    ];
    let mut files = Vec::new();
    for (charset, bytes) in in_charsets {
        files.push((format!("{charset}, gzip"), gzip(&bytes)));
        files.push((format!("{charset}, gzip twice"), gzip(&gzip(&bytes))));
        files.push((format!("{charset}, zlib"), zlib(&bytes)));
        for magic in [
            &b"GIF89a\x01\0\x01\0"[..],
            b"\x89PNG\r\n\x1A\n\0",
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0",
            b"ID3\x03\0\0",
            b"\0\0\x10\0mdat",
            b"\xFF\x0A\x01",
        ] {
            let name = format!("{charset} after {}", magic.escape_ascii());
            files.push((name, [magic, &bytes].concat()));
        }
        files.push((format!("{charset}, base64"), base64(&bytes).into_bytes()));
        files.push((format!("{charset}, base64 and gzip"), gzip(base64(&bytes).as_bytes())));
        files.push((charset.to_owned(), bytes));
    }
    files
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--bb7\r\nContent-Disposition: form-data; name=\"file\"{head}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n--bb7--\r\n"].concat()
}

/// Every way by which an endpoint of media takes a file.
fn uploads(bytes: &[u8]) -> Vec<(&'static str, Call)> {
    let form = |head: &str, content: &[u8]| Call {
        platform: "mastodon",
        path: "/api/v2/media",
        content_type: "multipart/form-data; boundary=bb7",
        body: part(head, content),
    };
    let raw = |content_type| Call {
        platform: "bluesky",
        path: "/xrpc/com.atproto.repo.uploadBlob",
        content_type,
        body: bytes.to_vec(),
    };
    let call = format!(
        "<!-- a client --><methodCall ><methodName>wp.uploadFile</methodName><params><param><value><struct><member><name>bits</name><value><base64>{}</base64></value></member></struct></value></param></params></methodCall>",
        base64(bytes)
    );
    let rpc = |content_type, call: &str| Call {
        platform: "wordpress",
        path: "/xmlrpc.php",
        content_type,
        body: call.as_bytes().to_vec(),
    };
    let head =
        b"--bb7\r\nContent-Disposition: form-data; name=\"media\"; filename=\"blob\"\r\n\r\n";
    let opaque = [&head[..], bytes, b"\r\n--bb7--\r\n"].concat();
    let related = [
        b"--bb7\r\nContent-Type: application/json\r\n\r\n{}\r\n--bb7\r\nContent-Type: video/mp4\r\n\r\n",
        bytes,
        b"\r\n--bb7--\r\n",
    ]
    .concat();
    vec![
        ("file", form("; filename=\"a.csv\"", bytes)),
        (
            "named opaque",
            Call {
                platform: "x",
                path: "/i/media/upload.json",
                content_type: "multipart/form-data; boundary=bb7",
                body: opaque,
            },
        ),
        ("picture", form("; filename=\"a.gif\"\r\nContent-Type: image/gif", bytes)),
        (
            "table",
            form("; filename=\"a.csv\"\r\nContent-Type: text/csv; charset=windows-1252", bytes),
        ),
        ("field", form("\r\nContent-Type: image/gif", bytes)),
        (
            "encoded",
            form(
                "; filename=\"a.gif\"\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: base64",
                base64(bytes).as_bytes(),
            ),
        ),
        ("raw picture", raw("image/gif")),
        ("raw table", raw("text/csv")),
        ("raw", raw("")),
        ("raw form", raw("application/x-www-form-urlencoded")),
        (
            "related",
            Call {
                platform: "youtube",
                path: "/upload/youtube/v3/videos",
                content_type: "multipart/related; boundary=bb7",
                body: related,
            },
        ),
        ("call", rpc("text/plain", &call)),
        ("call as a form", rpc("application/x-www-form-urlencoded", &call)),
        ("call after a mark", rpc("", &format!("\u{feff}\n<!DOCTYPE methodCall>{call}"))),
    ]
}

#[test]
fn no_file_of_text_passes_unread_where_media_go() {
    for (name, bytes) in files(PATIENTS) {
        for (door, call) in uploads(&bytes) {
            let inspection = call.run();
            assert_ne!(inspection.verdict, Verdict::Forward, "{name} as {door}: {inspection:?}");
        }
    }
}

#[test]
fn no_file_hides_words_in_its_own_way() {
    let ssn = "pt ssn 078-05-1120";
    let letters: String =
        ssn.bytes().map(|byte| format!("\\'{byte:02x}")).fold(String::new(), |all, one| all + &one);
    let entities: String =
        ssn.bytes().map(|byte| format!("&#{byte};")).fold(String::new(), |all, one| all + &one);
    let mut named =
        flate2::GzBuilder::new().filename(ssn).write(Vec::new(), flate2::Compression::fast());
    named.write_all(b"hello there").expect("memory");
    for bytes in [
        format!("{{\\rtf1\\ansi {letters}}}").into_bytes(),
        format!("<svg><text>{entities}</text></svg>").into_bytes(),
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\npt ssn 07=\r\n8-05=\r\n-1120".to_vec(),
        named.finish().expect("memory"),
    ] {
        for (door, call) in uploads(&bytes) {
            let inspection = call.run();
            assert_ne!(inspection.verdict, Verdict::Forward, "{} as {door}", bytes.escape_ascii());
        }
    }
}

#[test]
fn files_that_name_nobody_pass() {
    for (name, bytes) in files(NOBODY) {
        for (door, call) in uploads(&bytes) {
            if ["file", "picture", "raw picture", "raw", "related"].contains(&door) {
                let inspection = call.run();
                assert_eq!(
                    inspection.verdict,
                    Verdict::Forward,
                    "{name} as {door}: {inspection:?}"
                );
            }
        }
    }
}

#[test]
fn media_pass_and_archives_do_not() {
    let noise = |n: u32| (0..n).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
    let head = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0\x08\x06\0\0\0\xAB\xCD\xEF\x01\0\0\x10\0IDAT";
    let png: Vec<u8> = head.iter().copied().chain(noise(4096)).collect();
    let scan = b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xFF\xDA\0\x0C";
    let jpeg: Vec<u8> = scan.iter().copied().chain(noise(4096)).collect();
    for bytes in [&png, &jpeg] {
        for (door, call) in uploads(bytes) {
            let inspection = call.run();
            let as_text = ["table", "raw table"].contains(&door);
            assert!(as_text || inspection.verdict == Verdict::Forward, "{door}: {inspection:?}");
            assert!(as_text || inspection.unjudged_media, "{door}");
        }
    }
    let mut tar = vec![0u8; 1024];
    tar[..5].copy_from_slice(b"a.csv");
    tar[257..262].copy_from_slice(b"ustar");
    for archive in [
        &b"PK\x03\x04\x14\0\0\0"[..],
        b"7z\xBC\xAF\x27\x1C\0\x04",
        b"BZh91AY&SY\x01\x02",
        &tar,
        &gzip(&tar),
    ] {
        for (door, call) in uploads(archive) {
            let inspection = call.run();
            assert_ne!(
                inspection.verdict,
                Verdict::Forward,
                "{} as {door}",
                archive.escape_ascii()
            );
        }
    }
}

#[test]
fn no_code_in_a_string_hides_what_it_holds() {
    let text = "Castellano,Jose,MRN-00412345,03/14/1961,ssn-078-05-1120";
    let code = base64(text.as_bytes());
    let bare = code.trim_end_matches('=').to_owned();
    let lines = |n: usize| -> String {
        let lines: Vec<String> = code
            .as_bytes()
            .chunks(n)
            .map(|line| line.iter().map(|byte| char::from(*byte)).collect())
            .collect();
        lines.join("\r\n")
    };
    let escaped =
        |form: fn(u32) -> String| text.chars().map(|c| form(u32::from(c))).collect::<String>();
    for written in [
        code.clone(),
        bare.clone(),
        bare.replace('+', "-").replace('/', "_"),
        format!("see {bare} there"),
        format!("https://example.org/f/x{bare}/y"),
        lines(76),
        lines(20),
        base64(code.as_bytes()),
        base64(base64(code.as_bytes()).as_bytes()),
        base64(&gzip(text.as_bytes())),
        base64(&zlib(text.as_bytes())),
        base64(&utf16(text, u16::to_le_bytes)),
        format!("data:image/png;base64,{code}"),
        format!("data:text/csv;charset=utf-8;base64,{code}"),
        escaped(|c| format!("{c:02x}")),
        escaped(|c| format!("%25{c:02x}")),
        escaped(|c| format!("%u{c:04x}")),
        escaped(|c| format!("&#{c};")),
        escaped(|c| format!("&#{c:07}")),
        escaped(|c| format!("&#x{c:020x};")),
        escaped(|c| format!("={c:02X}")),
        escaped(|c| format!("\\u{c:04x}")),
        escaped(|c| format!("{}\0", char::from_u32(c).unwrap_or(' '))),
    ] {
        let json = serde_json::json!({ "status": written, "media_ids": [] }).to_string();
        let unknown = serde_json::json!({ "data": [written] }).to_string();
        let form = format!(
            "status={}",
            percent_encoding::utf8_percent_encode(&written, percent_encoding::NON_ALPHANUMERIC)
        );
        let toot = |path, content_type, body: &str| Call {
            platform: "mastodon",
            path,
            content_type,
            body: body.as_bytes().to_vec(),
        };
        for call in [
            toot("/api/v1/statuses", "application/json", &json),
            toot("/api/v1/unknown", "application/json", &unknown),
            toot("/api/v1/statuses", "application/x-www-form-urlencoded", &form),
            toot("/api/v1/statuses", "text/plain", &written),
            toot("/api/v1/statuses", "application/yaml", &format!("status: {written}\n")),
        ] {
            let inspection = call.run();
            assert_ne!(
                inspection.verdict,
                Verdict::Forward,
                "{written} as {}: {inspection:?}",
                call.content_type
            );
        }
    }
}

#[test]
fn members_of_a_call_are_read_whatever_they_are_called() {
    for member in ["content", "type", "methodName", "post_title"] {
        let call = Call {
            platform: "wordpress",
            path: "/xmlrpc.php",
            content_type: "text/xml",
            body: format!("<methodCall><methodName>wp.newPost</methodName><params><param><value><struct><member><name>{member}</name><value><string>pt ssn 078-05-1120</string></value></member></struct></value></param></params></methodCall>").into_bytes(),
        };
        assert_ne!(call.run().verdict, Verdict::Forward, "{member}");
    }
    // What declares entities of its own, or is no XML, a server may yet read.
    for call in [
        "<!DOCTYPE a [<!ENTITY j \"Cas\">]><methodCall><params><param><value>&j;tellano</value></param></params></methodCall>",
        "<methodCall><params><value>hello</params></methodCall>",
        "<?php ?><METHODCALL><params>",
    ] {
        let call = Call {
            platform: "wordpress",
            path: "/xmlrpc.php",
            content_type: "text/plain",
            body: call.into(),
        };
        let inspection = call.run();
        assert!(
            inspection.fault.is_some() && inspection.verdict != Verdict::Forward,
            "{inspection:?}"
        );
    }
}

#[test]
fn headers_that_name_a_file_are_read() {
    for (name, value) in [
        ("content-type", "image/png; name=\"ssn 078-05-1120.png\""),
        ("content-type", "image/png; name*=UTF-8''ssn%20078-05-1120.png"),
        ("x-file-name", "ssn%20078-05-1120.png"),
        ("x-goog-upload-file-name", "ssn 078-05-1120.mp4"),
        ("content-description", "=?utf-8?B?cHQgc3NuIDA3OC0wNS0xMTIw?="),
        ("x-instagram-rupload-params", "{\"caption\":\"pt ssn 078-05-1120\"}"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        let inspection = ALLOWING.inspect(&Request {
            platform: PLATFORMS.get("bluesky").expect("a platform"),
            method: &Method::POST,
            path: "/xrpc/com.atproto.repo.uploadBlob",
            query: None,
            headers: &headers,
            body: &Bytes::from_static(b"hello there"),
            groups: &[],
            reference: "k3f7q2ma",
            mark: None,
            today: date(2026, 11, 22),
        });
        assert_ne!(inspection.verdict, Verdict::Forward, "{name}: {value}");
    }
}

#[test]
fn what_heads_of_parts_say_is_read() {
    for head in [
        "; filename*0*=UTF-8''pt%20ssn%20; filename*1=\"078-05-1120.csv\"",
        "; filename=\"a.csv\"\r\nContent-Description: pt ssn 078-05-1120",
        "; filename=\"a.csv\"\r\nContent-ID: <ssn-078-05-1120@example.org>",
        "; filename=\"a.csv\"\r\nContent-Location: /ssn/078-05-1120",
        "; filename=\"a.csv\"\r\nContent-Type: image/png; name=\"ssn 078-05-1120.png\"",
        "; filename=\"a.csv\"\r\nContent-Description: =?utf-8?B?cHQgc3NuIDA3OC0wNS0xMTIw?=",
        "; filename=\"a.csv\"\r\nX-Ssn-078-05-1120: yes",
        "; filename=\"a.csv\"; ssn-078-05-1120=yes",
    ] {
        let call = Call {
            platform: "mastodon",
            path: "/api/v2/media",
            content_type: "multipart/form-data; boundary=bb7",
            body: part(head, b"hello there"),
        };
        assert_ne!(call.run().verdict, Verdict::Forward, "{head}");
    }
    for outside in [
        "pt ssn 078-05-1120\r\n--bb7\r\n\r\nx\r\n--bb7--",
        "--bb7\r\n\r\nx\r\n--bb7--\r\npt ssn 078-05-1120",
    ] {
        let call = Call {
            platform: "mastodon",
            path: "/api/v2/media",
            content_type: "multipart/form-data; boundary=bb7",
            body: outside.into(),
        };
        assert_ne!(call.run().verdict, Verdict::Forward, "{outside}");
    }
}
