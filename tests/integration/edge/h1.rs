//! HTTP/1: the same table over plain TCP and over TLS.

use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::shake;
use crate::support::proxy::{HOST, Started};
use crate::support::{Client, Proxy, Upstream};

const BODY: &str = r#"{"status":"flu shots on Friday"}"#;

/// What a client gets: the status of each answer, and the whole text. The proxy must close, or this never ends.
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
) -> (Vec<u16>, String) {
    // A refused client may be cut off while it still writes.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8(answer).unwrap();
    let statuses = text
        .split("HTTP/1.")
        .skip(1)
        .map(|rest| rest.get(2..5).unwrap().parse().unwrap())
        .collect();
    (statuses, text)
}

async fn over(proxy: &Started, tls: bool, bytes: &[u8]) -> (Vec<u16>, String) {
    if tls {
        let stream = shake(proxy.tls, &proxy.authority, HOST, &["http/1.1"]).await.unwrap();
        exchange(stream, bytes).await
    } else {
        exchange(TcpStream::connect(proxy.plain).await.unwrap(), bytes).await
    }
}

/// A post with these headers and this body, that asks for the connection to be closed.
fn post(headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    );
    format!("{head}{headers}Connection: close\r\n\r\n{body}").into_bytes()
}

fn chunked(lines: &str) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", lines)
}

fn get(line: &str, headers: &str) -> Vec<u8> {
    format!("{line}\r\n{headers}\r\n").into_bytes()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn requests_that_read_two_ways_reach_nobody() {
    let length = BODY.len();
    let with_length = |more: &str| post(&format!("Content-Length: {length}\r\n{more}"), BODY);
    let host = format!("Host: {HOST}\r\n");
    let smuggled =
        format!("POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n");
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("length and coding", with_length("Transfer-Encoding: chunked\r\n"), 400),
        (
            "coding and length",
            post(
                &format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
                "0\r\n\r\n",
            ),
            400,
        ),
        (
            "chunked twice",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            400,
        ),
        ("chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400),
        ("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501),
        (",chunked", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), 400),
        ("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 400),
        ("identity", post("Transfer-Encoding: identity\r\n", ""), 400),
        (
            "coding behind a vertical tab",
            post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
            400,
        ),
        ("coding under a blank name", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400),
        ("length twice", with_length(&format!("Content-Length: {length}\r\n")), 400),
        ("two lengths", with_length("Content-Length: 3\r\n"), 400),
        ("a list of lengths", post("Content-Length: 3, 3\r\n", "abc"), 400),
        ("+3", post("Content-Length: +3\r\n", "abc"), 400),
        ("0x3", post("Content-Length: 0x3\r\n", "abc"), 400),
        ("an endless length", post("Content-Length: 99999999999999999999\r\n", "abc"), 400),
        ("LF alone", with_length("A: b\nC: d\r\n"), 400),
        ("CR alone", with_length("A: b\rC: d\r\n"), 400),
        ("NUL", with_length("A: b\0\r\n"), 400),
        ("a folded line", with_length("A: b\r\n c\r\n"), 400),
        ("a folded first line", get("GET / HTTP/1.1", &format!(" A: b\r\n{host}")), 400),
        ("a blank before the colon", with_length("A : b\r\n"), 400),
        ("no name", with_length(": b\r\n"), 400),
        ("a coding under an underscore", with_length("Transfer_Encoding: chunked\r\n"), 400),
        ("no host", get("GET / HTTP/1.1", ""), 400),
        ("two hosts", get("GET / HTTP/1.1", &format!("{host}{host}")), 400),
        ("an empty host", get("GET / HTTP/1.1", "Host:\r\n"), 400),
        ("a host with a user", get("GET / HTTP/1.1", &format!("Host: me@{HOST}\r\n")), 400),
        (
            "a list of hosts",
            get("GET / HTTP/1.1", &format!("Host: {HOST}, other.example\r\n")),
            400,
        ),
        ("another host in the target", get("GET http://other.example/ HTTP/1.1", &host), 400),
        ("the host in the target only", get(&format!("GET http://{HOST}/ HTTP/1.1"), ""), 400),
        ("a user in the target", get(&format!("GET http://me@{HOST}/ HTTP/1.1"), &host), 400),
        (
            "1.0 with a coding",
            get("POST / HTTP/1.0", &format!("{host}Transfer-Encoding: chunked\r\n")),
            400,
        ),
        ("1.0 without a length", get("POST / HTTP/1.0", &host), 411),
        ("0.9", b"GET /\r\n".to_vec(), 400),
        ("2.0", get("GET / HTTP/2.0", &host), 505),
        ("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 505),
        ("1.2", get("GET / HTTP/1.2", &host), 505),
        ("another protocol", get("GET / RTSP/1.0", &host), 400),
        ("small letters", get("get / HTTP/1.1", &host), 400),
        ("two blanks", get("GET  / HTTP/1.1", &host), 400),
        ("a tab", get("GET\t/\tHTTP/1.1", &host), 400),
        ("a relative target", get("GET a HTTP/1.1", &host), 400),
        ("every target", get("OPTIONS * HTTP/1.1", &host), 400),
        ("a fragment", get("GET /a#b HTTP/1.1", &host), 400),
        ("a backslash", get("GET /a\\b HTTP/1.1", &host), 400),
        ("a byte above ASCII in the target", get("GET /\u{e9} HTTP/1.1", &host), 400),
        ("CONNECT", get(&format!("CONNECT {HOST}:443 HTTP/1.1"), &host), 405),
        ("TRACE", get("TRACE / HTTP/1.1", &host), 405),
        ("garbage before", [b"garbage\r\n".as_slice(), &with_length("")].concat(), 400),
        ("empty lines before", [b"\r\n\r\n".as_slice(), &with_length("")].concat(), 400),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400),
        ("another expectation", with_length("Expect: 200-ok\r\n"), 417),
        (
            "a host that is hop-by-hop",
            get("GET / HTTP/1.1", &format!("{host}Connection: close, host\r\n")),
            400,
        ),
        ("a length that is hop-by-hop", with_length("Connection: content-length\r\n"), 400),
        (
            "credentials that are hop-by-hop",
            with_length("Authorization: Bearer t\r\nConnection: authorization\r\n"),
            400,
        ),
        (
            "a body with a request to upgrade",
            with_length("Connection: upgrade\r\nUpgrade: websocket\r\n"),
            400,
        ),
        ("101 headers", with_length(&"A: b\r\n".repeat(101)), 431),
        ("a long head", with_length(&format!("A: {}\r\n", "b".repeat(70_000))), 431),
        ("a long target", get(&format!("GET /{} HTTP/1.1", "a".repeat(40_000)), &host), 414),
        ("an endless target", format!("GET /{}", "a".repeat(500_000)).into_bytes(), 414),
        // After the head has passed: what the body's own framing does.
        ("LF after a chunk's size", chunked(&format!("{length:x}\n{BODY}\r\n0\r\n\r\n")), 400),
        (
            "LF in a chunk's extension",
            chunked(&format!("{length:x};a\nb\r\n{BODY}\r\n0\r\n\r\n")),
            400,
        ),
        (
            "CR in a chunk's extension",
            chunked(&format!("{length:x};a\rb\r\n{BODY}\r\n0\r\n\r\n")),
            400,
        ),
        ("LF after a chunk", chunked(&format!("{length:x}\r\n{BODY}\n0\r\n\r\n")), 400),
        (
            "a chunk longer than its size",
            chunked(&format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", length - 1)),
            400,
        ),
        ("a size with a sign", chunked(&format!("+{length:x}\r\n{BODY}\r\n0\r\n\r\n")), 400),
        ("0x in a size", chunked(&format!("0x{length:x}\r\n{BODY}\r\n0\r\n\r\n")), 400),
        ("a blank after a size", chunked(&format!("{length:x} \r\n{BODY}\r\n0\r\n\r\n")), 400),
        ("a size of 65 bits", chunked("10000000000000000\r\n"), 400),
        (
            "a long extension",
            chunked(&format!("{length:x};{}\r\n{BODY}\r\n0\r\n\r\n", "a".repeat(300))),
            400,
        ),
        (
            "a request for a trailer",
            chunked(&format!("{length:x}\r\n{BODY}\r\n0\r\n{smuggled}")),
            400,
        ),
        (
            "endless trailers",
            chunked(&format!("{length:x}\r\n{BODY}\r\n0\r\n{}", "a: b\r\n".repeat(5000))),
            431,
        ),
    ];
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    for tls in [false, true] {
        for (name, request, status) in &cases {
            let (statuses, text) = over(&proxy, tls, request).await;
            assert_eq!(statuses, [*status], "{name}, tls {tls}: {text}");
            assert!(!text.contains("flu shots"), "{name}");
        }
    }
    assert_eq!(upstream.n_begun(), 0);
    let mut admin = Client::plain(proxy.admin).await;
    let metrics =
        admin.send(admin.request("GET", "a", "/metrics").body(Full::default()).unwrap()).await;
    for line in ["two-framings\"} 6", "unknown-coding\"} 2", "no-length\"} 2", "chunk-end\"} 4"] {
        assert!(
            metrics.text().contains(&format!("postward_malformed_total{{reason=\"{line}\n")),
            "{}",
            metrics.text()
        );
    }
}

#[tokio::test]
async fn requests_that_read_one_way_arrive_framed_anew() {
    let length = BODY.len();
    let half = length / 2;
    let (first, second) = BODY.split_at(half);
    let lengthy = format!("Content-Length: {length}\r\n");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a length", post(&lengthy, BODY)),
        ("an empty line before", [b"\r\n".as_slice(), &post(&lengthy, BODY)].concat()),
        (
            "no blanks, many blanks",
            post(&format!("Content-Length:{length}\r\nA: \t b \t\r\n"), BODY),
        ),
        (
            "chunks",
            chunked(&format!(
                "{half:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                length - half
            )),
        ),
        (
            "extensions and trailers",
            chunked(&format!(
                "00{length:X};a=\"b c\"\r\n{BODY}\r\n0;z\r\ncontent-length: 3\r\nx-sum: 1\r\n\r\n"
            )),
        ),
        ("an absolute target", {
            let request = String::from_utf8(post(&lengthy, BODY)).unwrap();
            request.replace("POST /api", &format!("POST http://{HOST}/api")).into_bytes()
        }),
        ("HTTP/1.0", {
            let request = String::from_utf8(post(&lengthy, BODY)).unwrap();
            request.replace("HTTP/1.1", "HTTP/1.0").into_bytes()
        }),
        (
            "h2c, refused in silence",
            post(
                &format!(
                    "{lengthy}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: upgrade, http2-settings\r\n"
                ),
                BODY,
            ),
        ),
        ("TE", post(&format!("{lengthy}TE: gzip, trailers\r\nConnection: te\r\n"), BODY)),
        (
            "identities",
            post(
                &format!(
                    "{lengthy}X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nX_Forwarded_For: 192.0.2.7\r\nVia: 1.1 ward\r\nX-Remote-User: k\r\nX-Original-URL: /admin\r\n"
                ),
                BODY,
            ),
        ),
        ("what follows the last request", [post(&lengthy, BODY), post(&lengthy, BODY)].concat()),
    ];
    for tls in [false, true] {
        for (name, request) in &cases {
            let upstream = Upstream::start().await;
            let proxy = Proxy::to(&upstream).start().await;
            let (statuses, text) = over(&proxy, tls, request).await;
            assert_eq!(statuses, [200], "{name}, tls {tls}: {text}");
            let seen = upstream.only();
            assert_eq!(upstream.n_begun(), 1, "{name}");
            assert_eq!(seen.parts.uri.path(), "/api/v1/statuses", "{name}");
            assert_eq!(&seen.body[..], BODY.as_bytes(), "{name}");
            let mut names: Vec<_> =
                seen.parts.headers.keys().map(http::HeaderName::as_str).collect();
            names.retain(|name| *name != "a");
            names.sort_unstable();
            assert_eq!(names, ["content-length", "content-type", "host"], "{name}");
            assert_eq!(seen.header("content-length"), Some(length.to_string().as_str()), "{name}");
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_nothing_follows_a_fault() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let one = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        )
    };
    let broken = format!("POST /c HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: +1\r\n\r\nx");
    let bytes = [one("/a"), one("/b"), broken, one("/d")].concat();
    for tls in [false, true] {
        let (statuses, text) = over(&proxy, tls, bytes.as_bytes()).await;
        assert_eq!(statuses, [200, 200, 400], "{text}");
    }
    let paths: Vec<_> =
        upstream.received().iter().map(|one| one.parts.uri.path().to_owned()).collect();
    assert_eq!(paths, ["/a", "/b", "/a", "/b"]);
}

#[tokio::test]
async fn nothing_after_a_request_to_upgrade_is_read_before_its_answer() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let ask = format!(
        "GET /api/v1/streaming HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    // The upgrade is not made, so whatever follows is read by nobody.
    let next =
        String::from_utf8(post(&format!("Content-Length: {}\r\n", BODY.len()), BODY)).unwrap();
    for follows in [next.as_str(), "\u{1}"] {
        let (statuses, text) = over(&proxy, false, format!("{ask}{follows}").as_bytes()).await;
        assert!(statuses.len() == 1 && statuses[0] >= 400, "{text}");
        assert!(text.contains("connection: close\r\n"), "{text}");
    }
}
