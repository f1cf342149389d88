//! Everywhere but in a body: hosts, SNI, paths, queries, headers, methods, file names; the operators' pages; sockets.

use serde_json::json;

use super::case::Reach::{Either, Nothing};
use super::case::{Act, Case, JSON, MASTODON, STATUSES, case, form_encoded, post, request};
use crate::support::socket::{BINARY, CLOSE, DEFLATED, PING, TEXT, masked};

pub(super) fn cases() -> Vec<Case> {
    let mut all = requests();
    all.extend(operators());
    all.extend(sockets());
    all
}

fn requests() -> Vec<Case> {
    let plain = |bytes: Vec<u8>| Act::Plain(bytes);
    let body = || json!({ "status": "flu shots on Friday" }).to_string();
    vec![
        case("an unknown host", Nothing, move |it| {
            plain(request(
                STATUSES,
                &format!("{}.example", it.secret),
                JSON,
                json!({ "status": it.numbered() }).to_string(),
            ))
        }),
        case("a host that is none", Nothing, move |it| {
            plain(request(STATUSES, &format!("{} {}", it.secret, it.ssn), JSON, body()))
        }),
        case("an unknown SNI", Nothing, |it| Act::Hello(format!("{}.example", it.secret))),
        case("an SNI of one label", Nothing, |it| Act::Hello(it.name.to_lowercase())),
        case("another host than the SNI's", Nothing, move |it| {
            Act::Tls(MASTODON, request(STATUSES, &format!("{}.example", it.secret), JSON, body()))
        }),
        case("an unknown path", Nothing, move |it| {
            plain(request(
                &format!("POST /{}/{}", it.secret, form_encoded(&it.numbered())),
                MASTODON,
                JSON,
                body(),
            ))
        }),
        case("a path with a number", Nothing, move |it| {
            plain(request(&format!("GET /ssn-{}/mrn-{}", it.ssn, it.mrn), MASTODON, "", ""))
        }),
        case("a bad path", Nothing, move |it| {
            plain(request(&format!("POST /%zz\\{}", it.secret), MASTODON, JSON, body()))
        }),
        case("a path too long", Nothing, move |it| {
            plain(request(&format!("GET /{}{}", it.secret, "a".repeat(9000)), MASTODON, "", ""))
        }),
        case("a query", Nothing, move |it| {
            plain(request(
                &format!("POST /api/v1/statuses?note={}", form_encoded(&it.numbered())),
                MASTODON,
                JSON,
                body(),
            ))
        }),
        case("a query of a GET", Nothing, move |it| {
            plain(request(&format!("GET /?q={}", form_encoded(&it.numbered())), MASTODON, "", ""))
        }),
        case("a query's key", Nothing, move |it| {
            plain(request(
                &format!("POST /api/v1/statuses?{}=1", form_encoded(&it.numbered())),
                MASTODON,
                JSON,
                body(),
            ))
        }),
        case("a fragment", Nothing, move |it| {
            plain(request(&format!("GET /a#{}", it.secret), MASTODON, "", ""))
        }),
        case("a whole URL", Nothing, move |it| {
            plain(request(
                &format!("GET http://{}.example/{}", it.secret, it.secret),
                MASTODON,
                "",
                "",
            ))
        }),
        case("a user in the target", Nothing, move |it| {
            plain(request(
                &format!("GET http://{}:{}@{MASTODON}/", it.secret, it.secret),
                MASTODON,
                "",
                "",
            ))
        }),
        case("a method", Either, move |it| {
            plain(request(
                &format!("{} /api/v1/statuses", it.secret.to_uppercase()),
                MASTODON,
                JSON,
                body(),
            ))
        }),
        case("a method in small letters", Nothing, move |it| {
            plain(request(&format!("{} /", it.secret), MASTODON, JSON, body()))
        }),
        case("CONNECT", Nothing, move |it| {
            plain(request(&format!("CONNECT {}.example:443", it.secret), MASTODON, "", ""))
        }),
        case("a header's name", Either, move |it| {
            plain(request(STATUSES, MASTODON, &format!("{JSON}{}: a\r\n", it.secret), body()))
        }),
        case("a header's value", Either, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}X-Note: {}\r\n", it.numbered()),
                body(),
            ))
        }),
        case("who says who it is", Nothing, move |it| {
            let headers = format!(
                "{JSON}X-Forwarded-For: {}\r\nForwarded: for={}\r\nX-Remote-User: {}\r\n",
                it.secret, it.secret, it.name
            );
            plain(request(STATUSES, MASTODON, &headers, body()))
        }),
        case("an object's name", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!(
                    "Content-Type: image/png\r\nContent-Disposition: attachment; filename=\"{}.png\"\r\n",
                    it.numbered()
                ),
                b"\x89PNG\r\n\x1a\n",
            ))
        }),
        case("a slug", Nothing, move |it| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}Slug: {}\r\n", it.numbered()),
                body(),
            ))
        }),
        case("a part's name", Nothing, move |it| {
            plain(post(
                "multipart/form-data; boundary=b",
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\nx\r\n--b--\r\n",
                    it.numbered()
                ),
            ))
        }),
        case("a file's name", Nothing, move |it| {
            plain(post(
                "multipart/form-data; boundary=b",
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\u{1}\r\n--b--\r\n",
                    it.numbered()
                ),
            ))
        }),
        case("an origin", Nothing, move |it| {
            plain(request(
                "POST /",
                "nobody.example",
                &format!("Origin: https://{}.example\r\n", it.name.to_lowercase()),
                it.numbered(),
            ))
        }),
    ]
}

fn operators() -> Vec<Case> {
    let admin = |text: String| Act::Admin(text.into_bytes());
    let ask = |line: String| format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    vec![
        case("operators: an unknown page", Nothing, move |it| {
            admin(ask(format!("GET /{}", it.secret)))
        }),
        case("operators: a query", Nothing, move |it| {
            admin(ask(format!("GET /status?{}", it.secret)))
        }),
        case("operators: another method", Nothing, move |it| {
            admin(ask(format!("{} /metrics", it.secret)))
        }),
        case("operators: a post", Nothing, move |it| {
            admin(format!(
                "POST /reload HTTP/1.1\r\nHost: {}\r\nX-A: {}\r\nContent-Length: 99\r\n\r\n{}",
                it.secret,
                it.email,
                it.numbered()
            ))
        }),
        case("operators: no HTTP", Nothing, move |it| admin(it.numbered() + "\r\n\r\n")),
        case("operators: a bad header", Nothing, move |it| {
            admin(format!("GET /readyz HTTP/1.1\r\n{}\r\n\r\n", it.numbered()))
        }),
    ]
}

/// An event of Nostr.
fn event(text: &str) -> String {
    json!(["EVENT", {
        "id": "43".repeat(32), "pubkey": "cd".repeat(32), "created_at": 1_790_000_000, "kind": 1,
        "tags": [], "content": text, "sig": "0f".repeat(64),
    }])
    .to_string()
}

fn sockets() -> Vec<Case> {
    let socket = |frames: Vec<u8>| Act::Socket("/".to_owned(), frames);
    vec![
        case("socket: blocked", Nothing, move |it| {
            socket(masked(TEXT, event(&it.numbered()).as_bytes()))
        }),
        case("socket: bad JSON", Nothing, move |it| socket(masked(TEXT, it.numbered().as_bytes()))),
        case("socket: no UTF-8", Nothing, move |it| {
            socket(masked(TEXT, &[b"\xff\xfe".as_slice(), it.numbered().as_bytes()].concat()))
        }),
        case("socket: a binary message", Nothing, move |it| {
            socket(masked(BINARY, it.numbered().as_bytes()))
        }),
        case("socket: no mask", Nothing, move |it| {
            let text = it.named();
            socket([&[TEXT, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat())
        }),
        case("socket: reserved bits", Nothing, move |it| {
            socket(masked(TEXT | 0x30, it.numbered().as_bytes()))
        }),
        case("socket: an unknown opcode", Nothing, move |it| {
            socket(masked(0x83, it.numbered().as_bytes()))
        }),
        case("socket: compressed where none was agreed", Nothing, move |it| {
            socket(masked(TEXT | DEFLATED, it.numbered().as_bytes()))
        }),
        case("socket: a message that never ends", Nothing, move |it| {
            socket(masked(1, it.numbered().as_bytes()))
        }),
        case("socket: a message too long", Nothing, move |it| {
            socket(masked(TEXT, event(&(it.numbered() + &" ".repeat(90_000))).as_bytes()))
        }),
        case("socket: a close with words", Either, move |it| {
            socket(masked(CLOSE, &[&[3, 232], it.ssn.as_bytes()].concat()))
        }),
        case("socket: a close with a bad code", Either, move |it| {
            socket(masked(CLOSE, &[&[0, 1], it.ssn.as_bytes()].concat()))
        }),
        case("socket: a ping with words", Either, move |it| {
            socket(masked(PING, it.ssn.as_bytes()))
        }),
        case("socket: another path", Either, move |it| {
            Act::Socket(format!("/{}", it.secret), Vec::new())
        }),
        case("socket: where none is read", Nothing, move |it| {
            let headers = format!(
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n",
                it.secret, it.secret
            );
            let line = format!("GET /{}", it.secret);
            let bytes = request(&line, MASTODON, &headers, "");
            let text = String::from_utf8(bytes)
                .unwrap()
                .replace("Connection: close", "Connection: Upgrade");
            Act::Plain(text.replace("Content-Length: 0\r\n", "").into_bytes())
        }),
    ]
}
