//! What cannot be read: malformed bodies and framing, over limits, cut off, too slow; and platforms that fail.

use serde_json::json;

use super::canary::Canary;
use super::case::Reach::{Either, Nothing};
use super::case::{Act, Case, JSON, MASTODON, STATUSES, case, post, request};
use super::posts::gzip;
use crate::edge::raw_h2::{CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, block, frame};

pub(super) fn cases() -> Vec<Case> {
    let mut all = bodies();
    all.extend(framing());
    all.extend(http2());
    all.extend(platforms());
    all
}

fn bodies() -> Vec<Case> {
    let plain = |bytes: Vec<u8>| Act::Plain(bytes);
    vec![
        case("bad JSON", Nothing, move |it| {
            plain(post("application/json", format!("{{\"status\": \"{}\"", it.numbered())))
        }),
        case("JSON with bytes behind it", Nothing, move |it| {
            plain(post("application/json", format!("{{}} {}", it.numbered())))
        }),
        case("JSON with half a surrogate", Nothing, move |it| {
            plain(post("application/json", format!("{{\"status\":\"\\ud800 {}\"}}", it.numbered())))
        }),
        case("JSON with an invalid escape", Nothing, move |it| {
            plain(post("application/json", format!("{{\"status\":\"\\q{}\"}}", it.numbered())))
        }),
        case("JSON too deep", Nothing, move |it| {
            let (open, close) = ("[".repeat(3000), "]".repeat(3000));
            plain(post("application/json", format!("{open}\"{}\"{close}", it.numbered())))
        }),
        case("JSON with a key twice", Nothing, move |it| {
            let text = it.numbered();
            plain(post("application/json", format!("{{\"status\":\"a\",\"status\":\"{text}\"}}")))
        }),
        case("no UTF-8", Nothing, move |it| {
            plain(post(
                "application/json",
                [b"{\"status\":\"\xff\xfe", it.numbered().as_bytes(), b"\"}"].concat(),
            ))
        }),
        case("an unknown charset", Nothing, move |it| {
            plain(post(&format!("text/plain; charset={}", it.secret), it.numbered()))
        }),
        case("UTF-7", Nothing, move |it| plain(post("text/plain; charset=utf-7", it.numbered()))),
        case("an unknown coding", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Encoding: {}\r\n", it.secret),
                it.numbered(),
            ))
        }),
        case("no gzip", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Encoding: gzip\r\n"),
                it.numbered(),
            ))
        }),
        case("gzip cut off", Nothing, move |it| {
            let whole = gzip(&it.numbered().repeat(40));
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Encoding: gzip\r\n"),
                &whole[..whole.len() - 9],
            ))
        }),
        case("gzip too long", Nothing, move |it| {
            let whole = gzip(&(it.numbered() + &" ".repeat(1 << 20)));
            plain(request(STATUSES, MASTODON, &format!("{JSON}Content-Encoding: gzip\r\n"), whole))
        }),
        case("zstd cut off", Nothing, move |it| {
            let whole = zstd::encode_all(it.numbered().as_bytes(), 3).unwrap();
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Encoding: zstd\r\n"),
                &whole[..whole.len() - 3],
            ))
        }),
        case("too many codings", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Encoding: gzip, gzip, gzip, gzip, gzip\r\n"),
                it.numbered(),
            ))
        }),
        case("multipart without an end", Nothing, move |it| {
            plain(post(
                "multipart/form-data; boundary=b",
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n{}",
                    it.numbered()
                ),
            ))
        }),
        case("multipart without a boundary", Nothing, move |it| {
            plain(post("multipart/form-data", format!("--b\r\n\r\n{}\r\n--b--", it.numbered())))
        }),
        case("multipart with a bad head", Nothing, move |it| {
            plain(post(
                "multipart/form-data; boundary=b",
                format!("--b\r\n{}\r\n\r\nx\r\n--b--\r\n", it.numbered()),
            ))
        }),
        case("multipart with a canary for a boundary", Nothing, move |it| {
            plain(post(&format!("multipart/form-data; boundary={}", it.secret), it.numbered()))
        }),
        case("an invalid type", Nothing, move |it| {
            plain(post(&format!("{} / {}", it.secret, it.email), it.numbered()))
        }),
        case("two types", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Content-Type: {}/x\r\n", it.secret),
                it.numbered(),
            ))
        }),
        case("bad XML", Nothing, move |it| {
            plain(post(
                "application/xml",
                format!("<!DOCTYPE a [<!ENTITY e \"{}\">]><a>&e;", it.numbered()),
            ))
        }),
        case("bad percent escapes", Nothing, move |it| {
            plain(post(
                "application/x-www-form-urlencoded",
                format!("status=%zz%{}", it.numbered()),
            ))
        }),
        case("over max-body", Nothing, move |it| {
            plain(post(
                "application/json",
                json!({ "status": it.numbered() + &" ".repeat(90_000) }).to_string(),
            ))
        }),
        case("over max-media", Either, move |it| {
            let media = [b"\xff\xd8\xff\xe0".as_slice(), it.numbered().as_bytes()].concat();
            let head = request("POST /api/v2/media", MASTODON, "Content-Type: image/jpeg\r\n", "");
            let head = String::from_utf8(head)
                .unwrap()
                .replace("Content-Length: 0", "Content-Length: 99999999");
            plain([head.as_bytes(), &media].concat())
        }),
        case("too many fields", Nothing, move |it| {
            let fields = "a=&".repeat(21_000);
            plain(post(
                "application/x-www-form-urlencoded",
                format!("{fields}status={}", it.numbered()),
            ))
        }),
    ]
}

fn framing() -> Vec<Case> {
    let plain = |text: String| Act::Plain(text.into_bytes());
    let head = |more: &str| format!("{STATUSES} HTTP/1.1\r\nHost: {MASTODON}\r\n{JSON}{more}");
    vec![
        case("two framings", Nothing, move |it| {
            plain(head("Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n") + &it.numbered())
        }),
        case("an unknown transfer coding", Nothing, move |it| {
            plain(head(&format!("Transfer-Encoding: {}\r\n\r\n{}", it.secret, it.numbered())))
        }),
        case("a bad length", Nothing, move |it| {
            plain(head(&format!("Content-Length: {}\r\n\r\n{}", it.mrn, it.numbered())))
        }),
        case("a length that is a word", Nothing, move |it| {
            plain(head(&format!("Content-Length: {}\r\n\r\n", it.secret)))
        }),
        case("a bad chunk size", Nothing, move |it| {
            plain(head(&format!("Transfer-Encoding: chunked\r\n\r\n{}\r\n", it.numbered())))
        }),
        case("a bad chunk extension", Nothing, move |it| {
            plain(head(&format!(
                "Transfer-Encoding: chunked\r\n\r\n5;{}\nhello\r\n",
                it.numbered()
            )))
        }),
        case("a chunk without its end", Nothing, move |it| {
            plain(head(&format!("Transfer-Encoding: chunked\r\n\r\n5\r\nhello{}", it.numbered())))
        }),
        case("a bad trailer", Nothing, move |it| {
            plain(head(&format!(
                "Transfer-Encoding: chunked\r\n\r\n0\r\n{}\r\n\r\n",
                it.numbered()
            )))
        }),
        case("a trailer", Nothing, move |it| {
            plain(head(&format!(
                "Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nx-note: {}\r\n\r\n",
                it.numbered()
            )))
        }),
        case("a folded line", Nothing, move |it| {
            plain(head(&format!("X-A: b\r\n {}\r\n\r\n", it.numbered())))
        }),
        case("a line without a colon", Nothing, move |it| {
            plain(head(&format!("{}\r\n\r\n", it.numbered())))
        }),
        case("NUL in a value", Nothing, move |it| {
            plain(head(&format!("X-A: {}\0\r\n\r\n", it.numbered())))
        }),
        case("bare CR", Nothing, move |it| {
            plain(head(&format!("X-A: {}\rb\r\n\r\n", it.numbered())))
        }),
        case("no HTTP", Nothing, move |it| plain(format!("{}\r\n\r\n", it.numbered()))),
        case("no HTTP, one line, no end", Nothing, move |it| plain(it.numbered())),
        case("another version", Nothing, move |it| {
            plain(format!("POST /{} HTTP/{}\r\n\r\n", it.secret, it.secret))
        }),
        case("two hosts", Nothing, move |it| {
            plain(head(&format!("Host: {}.example\r\n\r\n", it.secret)))
        }),
        case("a head too long", Nothing, move |it| {
            plain(head(&format!("X-A: {}{}\r\n\r\n", it.numbered(), "a".repeat(20_000))))
        }),
        case("too many headers", Nothing, move |it| {
            plain(head(&format!("X-A: {}\r\n{}\r\n", it.numbered(), "X-B: c\r\n".repeat(120))))
        }),
        case("a head cut off by a client that goes", Nothing, move |it| {
            Act::Gone(head(&format!("X-A: {}", it.numbered())).into_bytes())
        }),
        case("a head that never ends", Nothing, move |it| {
            plain(head(&format!("X-A: {}", it.numbered())))
        }),
        case("a body cut off by a client that goes", Nothing, move |it| {
            Act::Gone(
                (head("Content-Length: 9000\r\n\r\n{\"status\":\"") + &it.numbered()).into_bytes(),
            )
        }),
        case("a body that never ends", Nothing, move |it| {
            plain(head("Content-Length: 9000\r\n\r\n{\"status\":\"") + &it.numbered())
        }),
        case("an expectation", Nothing, move |it| {
            plain(head(&format!("Expect: {}\r\nContent-Length: 2\r\n\r\n{{}}", it.secret)))
        }),
        case("a request behind a refused one", Nothing, move |it| {
            plain(
                head("Content-Length: x\r\n\r\n")
                    + &head(&format!("X-A: {}\r\n\r\n", it.numbered())),
            )
        }),
        case("TLS to the plain listener", Nothing, move |it| {
            Act::Plain([b"\x16\x03\x01\x02\x00\x01".as_slice(), it.numbered().as_bytes()].concat())
        }),
        case("no TLS to the TLS listener", Nothing, move |it| {
            Act::RawTls(request(&format!("POST /{}", it.secret), MASTODON, JSON, it.numbered()))
        }),
        case("a broken TLS hello", Nothing, move |it| {
            Act::RawTls(
                [
                    b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03".as_slice(),
                    it.numbered().as_bytes(),
                ]
                .concat(),
            )
        }),
    ]
}

/// The pseudo-headers of a POST, and more.
fn headers(more: &[(&str, &str)]) -> Vec<u8> {
    let post = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", MASTODON),
        (":path", "/api/v1/statuses"),
    ];
    block(&[&post[..], more].concat())
}

fn h2(head: &[u8], body: &str) -> Act {
    let frames =
        [frame(HEADERS, END_HEADERS, 1, head), frame(DATA, END_STREAM, 1, body.as_bytes())];
    Act::H2(MASTODON, frames.concat())
}

fn http2() -> Vec<Case> {
    let ask = |path: &str| {
        block(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", MASTODON),
            (":path", path),
        ])
    };
    vec![
        case("HTTP/2: a bad path", Nothing, move |it| {
            h2(&ask(&format!("/a {}", it.numbered())), "")
        }),
        case("HTTP/2: a path without its slash", Nothing, move |it| h2(&ask(&it.secret), "")),
        case("HTTP/2: a path of a URL", Nothing, move |it| {
            h2(&ask(&format!("https://{}.example/", it.secret)), "")
        }),
        case("HTTP/2: a header's name with capitals", Nothing, |it| {
            h2(&headers(&[(&it.secret.to_uppercase(), &it.numbered())]), "")
        }),
        case("HTTP/2: a header's value with a line end", Nothing, |it| {
            h2(&headers(&[("x-a", &format!("{}\r\nb", it.numbered()))]), "")
        }),
        case("HTTP/2: an unknown pseudo-header", Nothing, |it| {
            h2(&[block(&[(&format!(":{}", it.secret), &it.numbered())]), headers(&[])].concat(), "")
        }),
        case("HTTP/2: a wrong length", Nothing, |it| {
            h2(&headers(&[("content-length", "3")]), &it.numbered())
        }),
        case("HTTP/2: a connection header", Nothing, |it| {
            h2(&headers(&[("connection", &it.secret)]), &it.numbered())
        }),
        case("HTTP/2: another authority", Nothing, |it| {
            h2(
                &block(&[
                    (":method", "POST"),
                    (":scheme", "https"),
                    (":authority", &format!("{}.example", it.secret)),
                    (":path", "/"),
                ]),
                &it.numbered(),
            )
        }),
        case("HTTP/2: no HPACK", Nothing, |it| {
            Act::H2(MASTODON, frame(HEADERS, END_HEADERS | END_STREAM, 1, it.numbered().as_bytes()))
        }),
        case("HTTP/2: an unknown frame", Nothing, |it| {
            Act::H2(
                MASTODON,
                [frame(0xee, 0, 1, it.numbered().as_bytes()), frame(DATA, 0, 0, it.ssn.as_bytes())]
                    .concat(),
            )
        }),
        case("HTTP/2: a GOAWAY with words", Nothing, |it| {
            Act::H2(
                MASTODON,
                frame(
                    7,
                    0,
                    0,
                    &[b"\0\0\0\0\0\0\0\x02".as_slice(), it.numbered().as_bytes()].concat(),
                ),
            )
        }),
        case("HTTP/2: headers that never end", Nothing, |it| {
            let piece = block(&[("x-a", &it.numbered())]);
            let mut frames = frame(HEADERS, 0, 1, &headers(&[("x-b", &it.numbered())]));
            (0..200).for_each(|_| frames.extend(frame(CONTINUATION, 0, 1, &piece)));
            Act::H2(MASTODON, frames)
        }),
        case("HTTP/2: a body that never ends", Nothing, |it| {
            let body = frame(DATA, 0, 1, it.numbered().as_bytes());
            Act::H2(MASTODON, [frame(HEADERS, END_HEADERS, 1, &headers(&[])), body].concat())
        }),
        case("HTTP/2: a stream that is taken back", Nothing, |it| {
            let body = frame(DATA, 0, 1, it.numbered().as_bytes());
            Act::H2(
                MASTODON,
                [
                    frame(HEADERS, END_HEADERS, 1, &headers(&[])),
                    body,
                    frame(3, 0, 1, &[0, 0, 0, 8]),
                ]
                .concat(),
            )
        }),
        case("HTTP/2: a trailer", Nothing, |it| {
            let frames = [
                frame(HEADERS, END_HEADERS, 1, &headers(&[("content-type", "application/json")])),
                frame(DATA, 0, 1, b"{\"status\":\"flu shots on Friday\"}"),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x-note", &it.numbered())])),
            ];
            Act::H2(MASTODON, frames.concat())
        }),
    ]
}

/// Posts to platforms that fail, each in its own way; the post says so itself, and one quotes it back.
fn platforms() -> Vec<Case> {
    fn to(host: &'static str) -> impl Fn(&Canary) -> Act + Send + Sync + 'static {
        move |it| {
            let line = format!("POST /{}?code={}", it.secret, it.secret);
            let headers =
                format!("{JSON}Authorization: Bearer {}\r\nX-Note: {}\r\n", it.secret, it.secret);
            Act::Plain(request(&line, host, &headers, json!({ "status": it.named() }).to_string()))
        }
    }
    vec![
        case("a platform that refuses connections", Nothing, to("dead.example")),
        case("a platform that answers nothing", Either, to("slow.example")),
        case("a platform that hangs up", Either, to("gone.example")),
        case("a platform that quotes it in no HTTP", Either, to("garbage.example")),
        case("a platform that quotes it in a header", Either, to("echo.example")),
        case("a platform without TLS where it should have it", Nothing, to("untrusted.example")),
        case("a platform that cannot be resolved", Nothing, to("unknown.example")),
    ]
}
