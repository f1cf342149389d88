//! Posts that can be read: found in, redacted, blocked, forwarded, in every form a body has.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::json;

use super::canary::Canary;
use super::case::Reach::{All, Either, NoName, Nothing};
use super::case::{Act, Case, JSON, MASTODON, STATUSES, case, form_encoded, post, request, toot};
use crate::edge::raw_h2::{DATA, END_HEADERS, END_STREAM, HEADERS, block, frame};

pub(super) fn cases() -> Vec<Case> {
    let plain = |bytes: Vec<u8>| Act::Plain(bytes);
    vec![
        case("redacted, JSON", NoName, move |it| plain(toot(&it.named()))),
        case("blocked, JSON", Nothing, move |it| plain(toot(&it.numbered()))),
        case("redacted, TLS", NoName, |it| Act::Tls(MASTODON, toot(&it.named()))),
        case("blocked, TLS", Nothing, |it| Act::Tls(MASTODON, toot(&it.numbered()))),
        case("redacted, HTTP/2", NoName, |it| h2(&it.named())),
        case("blocked, HTTP/2", Nothing, |it| h2(&it.numbered())),
        case("forwarded, with a colleague's name", All, move |it| {
            plain(toot(&format!("Thanks to {} for the cake", it.secret)))
        }),
        case("redacted, form", NoName, move |it| {
            plain(post(
                "application/x-www-form-urlencoded",
                format!("status={}", form_encoded(&it.named())),
            ))
        }),
        case("blocked, form", Nothing, move |it| {
            plain(post(
                "application/x-www-form-urlencoded",
                format!("status={}", form_encoded(&it.numbered())),
            ))
        }),
        case("redacted, multipart", NoName, move |it| plain(multipart(&it.named()))),
        case("blocked, multipart", Nothing, move |it| plain(multipart(&it.numbered()))),
        case("blocked, plain text", Nothing, move |it| plain(post("text/plain", it.numbered()))),
        case("blocked, XML", Nothing, move |it| {
            plain(post("application/xml", format!("<a b=\"c\">{}</a>", it.numbered())))
        }),
        case("blocked, UTF-16", Nothing, move |it| {
            let text = json!({ "status": it.numbered() }).to_string();
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            plain(post("application/json; charset=utf-16be", bytes))
        }),
        case("blocked, no type", Nothing, move |it| {
            plain(request(STATUSES, MASTODON, "", it.numbered()))
        }),
        case("blocked, octets", Nothing, move |it| {
            plain(post("application/octet-stream", it.numbered()))
        }),
        case("blocked, gzip", Nothing, move |it| plain(coded("gzip", gzip(&body(it))))),
        case("redacted, gzip", NoName, move |it| {
            plain(coded("gzip", gzip(&json!({ "status": it.named() }).to_string())))
        }),
        case("blocked, deflate", Nothing, move |it| plain(coded("deflate", zlib(&body(it))))),
        case("blocked, raw deflate", Nothing, move |it| {
            plain(coded("deflate", deflate(&body(it))))
        }),
        case("blocked, br", Nothing, move |it| plain(coded("br", brotli(&body(it))))),
        case("blocked, zstd", Nothing, move |it| {
            plain(coded("zstd", zstd::encode_all(body(it).as_bytes(), 3).unwrap()))
        }),
        case("blocked, two codings", Nothing, move |it| {
            plain(coded("gzip, br", brotli_bytes(&gzip(&body(it)))))
        }),
        case("blocked, chunked", Nothing, move |it| plain(chunked(&body(it)))),
        case("blocked, spelled apart", Nothing, move |it| {
            let spread: Vec<String> = it.ssn.chars().map(String::from).collect();
            plain(toot(&format!("my patient's SSN is {}", spread.join(" "))))
        }),
        case("blocked, a value of an unknown key", Nothing, move |it| {
            plain(post(
                "application/json",
                json!({ "status": "hi", "note": it.numbered() }).to_string(),
            ))
        }),
        case("blocked, a key", Nothing, move |it| {
            plain(post("application/json", json!({ "status": "hi", it.numbered(): 1 }).to_string()))
        }),
        case("blocked, deep down", Nothing, move |it| {
            plain(post(
                "application/json",
                json!({ "a": [[{ "b": [it.numbered()] }]] }).to_string(),
            ))
        }),
        case("blocked, base64 in JSON", Nothing, move |it| {
            let inner = String::from_utf8(super::canary::base64(it.numbered().as_bytes())).unwrap();
            plain(post("application/json", json!({ "status": inner }).to_string()))
        }),
        case("found, cannot be redacted: signed", Nothing, move |it| {
            let body = json!({ "status": it.named() }).to_string();
            plain(request(
                STATUSES,
                MASTODON,
                &format!(
                    "{JSON}Signature: keyId=\"a\",signature=\"b\"\r\nDigest: SHA-256={}\r\n",
                    it.secret
                ),
                body,
            ))
        }),
        case("a picture with words", Either, move |it| {
            let words = [b"Exif\0\0".as_slice(), it.numbered().as_bytes()].concat();
            let length = u16::try_from(words.len() + 2).unwrap().to_be_bytes();
            let jpeg = [b"\xff\xd8\xff\xe1".as_slice(), &length, &words, b"\xff\xd9"].concat();
            plain(post("image/jpeg", jpeg))
        }),
        case("a document", Nothing, move |it| {
            plain(post("application/pdf", format!("%PDF-1.4\n({})Tj", it.numbered())))
        }),
        case("no post: GET", All, move |it| {
            plain(request(
                &format!("GET /api/v1/timelines/home?max_id={}", it.secret),
                MASTODON,
                "",
                "",
            ))
        }),
        case("an edit", Nothing, move |it| {
            plain(request("PUT /api/v1/statuses/1", MASTODON, JSON, body(it)))
        }),
        case("a report", Nothing, move |it| {
            plain(request(
                "POST /api/v1/reports",
                MASTODON,
                JSON,
                json!({ "comment": it.numbered() }).to_string(),
            ))
        }),
        case("Telegram, redacted", NoName, move |it| {
            let line = format!("POST /bot77:{}/sendMessage", it.secret);
            plain(request(
                &line,
                "telegram.example",
                JSON,
                json!({ "chat_id": 1, "text": it.named() }).to_string(),
            ))
        }),
        case("Telegram, blocked", Nothing, move |it| {
            let line = format!("POST /bot77:{}/sendMessage", it.secret);
            plain(request(
                &line,
                "telegram.example",
                JSON,
                json!({ "chat_id": 1, "text": it.numbered() }).to_string(),
            ))
        }),
        case("Misskey, blocked", Nothing, move |it| {
            let body = json!({ "i": it.secret, "text": it.numbered() }).to_string();
            plain(request("POST /api/notes/create", "misskey.example", JSON, body))
        }),
        case("Bluesky, redacted", NoName, move |it| {
            plain(request(
                "POST /xrpc/com.atproto.repo.createRecord",
                "bsky.example",
                JSON,
                skeet(&it.named()),
            ))
        }),
        case("Bluesky, blocked", Nothing, move |it| {
            plain(request(
                "POST /xrpc/com.atproto.repo.createRecord",
                "bsky.example",
                JSON,
                skeet(&it.numbered()),
            ))
        }),
    ]
}

fn body(it: &Canary) -> String {
    json!({ "status": it.numbered() }).to_string()
}

fn skeet(text: &str) -> String {
    let record = json!({ "$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-22T19:06:00.000Z" });
    json!({ "repo": "did:plc:a", "collection": "app.bsky.feed.post", "record": record }).to_string()
}

fn h2(text: &str) -> Act {
    let head = block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", MASTODON),
        (":path", "/api/v1/statuses"),
        ("content-type", "application/json"),
    ]);
    let body = json!({ "status": text }).to_string();
    let frames =
        [frame(HEADERS, END_HEADERS, 1, &head), frame(DATA, END_STREAM, 1, body.as_bytes())];
    Act::H2(MASTODON, frames.concat())
}

fn multipart(text: &str) -> Vec<u8> {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n{text}\r\n--b--\r\n"
    );
    post("multipart/form-data; boundary=b", body)
}

fn coded(coding: &str, body: Vec<u8>) -> Vec<u8> {
    let headers = format!("{JSON}Content-Encoding: {coding}\r\n");
    request(STATUSES, MASTODON, &headers, body)
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &str) -> Vec<u8> {
    brotli_bytes(text.as_bytes())
}

fn brotli_bytes(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut bytes, &mut out, &params).unwrap();
    out
}

fn chunked(body: &str) -> Vec<u8> {
    let mut out = format!(
        "{STATUSES} HTTP/1.1\r\nHost: {MASTODON}\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"
    );
    for piece in body.as_bytes().chunks(20) {
        out.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap()));
    }
    (out + "0\r\n\r\n").into_bytes()
}
