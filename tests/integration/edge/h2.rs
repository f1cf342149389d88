//! HTTP/2 over TLS: what has no way to be written as one HTTP/1 request must not get that far.

use super::raw_h2::{DATA, END_HEADERS, END_STREAM, Fate, HEADERS, Raw, block, frame};
use crate::support::proxy::HOST;
use crate::support::{Proxy, Upstream};

const BODY: &str = r#"{"status":"flu shots on Friday"}"#;

type Headers<'a> = Vec<(&'a str, &'a str)>;

/// The four pseudo-headers of a POST, and more.
fn post<'a>(more: &[(&'a str, &'a str)]) -> Headers<'a> {
    let mut headers = vec![
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/statuses"),
        ("content-type", "application/json"),
    ];
    headers.extend_from_slice(more);
    headers
}

/// The same with one pseudo-header changed, or left out.
fn with<'a>(name: &str, value: Option<&'a str>) -> Headers<'a> {
    let mut headers = post(&[]);
    match value {
        Some(value) => {
            headers
                .iter_mut()
                .filter(|header| header.0 == name)
                .for_each(|header| header.1 = value);
        }
        None => headers.retain(|header| header.0 != name),
    }
    headers
}

async fn fate(
    proxy: &crate::support::proxy::Started,
    headers: &[(&str, &str)],
    body: &str,
) -> Fate {
    let mut raw = Raw::connect(proxy).await;
    raw.send(&frame(HEADERS, END_HEADERS, 1, &block(headers))).await;
    raw.send(&frame(DATA, END_STREAM, 1, body.as_bytes())).await;
    raw.fate(1).await
}

#[tokio::test]
async fn what_is_no_request_reaches_nobody() {
    let refused = Fate::Status(400);
    let cases: Vec<(&str, Headers<'_>, Fate)> = vec![
        ("no method", with(":method", None), Fate::Reset),
        ("no scheme", with(":scheme", None), Fate::Reset),
        ("no path", with(":path", None), Fate::Reset),
        ("an empty path", with(":path", Some("")), Fate::Reset),
        ("a path without its slash", with(":path", Some("api/v1/statuses")), Fate::Reset),
        ("every path", with(":path", Some("*")), refused),
        ("a whole URL for a path", with(":path", Some("https://mastodon.example/a")), Fate::Reset),
        ("a blank in the path", with(":path", Some("/a HTTP/1.1")), Fate::Reset),
        ("a line end in the path", with(":path", Some("/a\r\nx: y")), Fate::Reset),
        ("a backslash", with(":path", Some("/a\\b")), refused),
        ("a byte above ASCII", with(":path", Some("/\u{e9}")), refused),
        ("a method twice", post(&[(":method", "GET")]), Fate::Reset),
        ("a pseudo-header behind the others", post(&[(":path", "/b")]), Fate::Reset),
        ("an unknown pseudo-header", [vec![(":host", HOST)], post(&[])].concat(), Fate::Reset),
        ("a status", [vec![(":status", "200")], post(&[])].concat(), Fate::Reset),
        ("a method with a blank", with(":method", Some("GET / HTTP/1.1")), Fate::Reset),
        ("a method in small letters", with(":method", Some("post")), Fate::Status(405)),
        ("another scheme", with(":scheme", Some("ftp")), refused),
        ("a user in the authority", with(":authority", Some("me@mastodon.example")), refused),
        ("an empty authority", with(":authority", Some("")), Fate::Reset),
        ("a blank in the authority", with(":authority", Some("mastodon.example x")), Fate::Reset),
        ("no authority and no host", with(":authority", None), refused),
        ("another host", post(&[("host", "other.example")]), refused),
        ("two hosts", post(&[("host", HOST), ("host", HOST)]), refused),
        ("a CONNECT", vec![(":method", "CONNECT"), (":authority", HOST)], Fate::Status(405)),
        ("a CONNECT with a path", with(":method", Some("CONNECT")), Fate::Reset),
        ("TRACE", with(":method", Some("TRACE")), Fate::Status(405)),
        ("a name with capitals", post(&[("X-A", "b")]), Fate::Reset),
        ("a name with a line end", post(&[("x\r\ny", "b")]), Fate::Reset),
        ("a name with a colon", post(&[("x: y", "b")]), Fate::Reset),
        ("a name with a blank", post(&[("x y", "b")]), Fate::Reset),
        ("a name with a blank at its end", post(&[("transfer-encoding ", "chunked")]), Fate::Reset),
        ("no name", post(&[("", "b")]), Fate::Reset),
        ("a name with a quotation mark", post(&[("x\"y", "b")]), refused),
        ("a value with a line end", post(&[("x", "b\r\ny: z")]), Fate::Reset),
        ("a value with LF", post(&[("x", "b\ny: z")]), Fate::Reset),
        ("a value with NUL", post(&[("x", "b\0")]), Fate::Reset),
        ("connection", post(&[("connection", "close")]), Fate::Reset),
        ("keep-alive", post(&[("keep-alive", "5")]), Fate::Reset),
        ("proxy-connection", post(&[("proxy-connection", "close")]), Fate::Reset),
        ("transfer-encoding", post(&[("transfer-encoding", "chunked")]), Fate::Reset),
        ("upgrade", post(&[("upgrade", "h2c")]), Fate::Reset),
        ("te: gzip", post(&[("te", "gzip")]), Fate::Reset),
        ("a length too short", post(&[("content-length", "3")]), Fate::Reset),
        ("a length too long", post(&[("content-length", "99")]), Fate::Reset),
        ("two lengths", post(&[("content-length", "32"), ("content-length", "3")]), Fate::Reset),
        ("one length twice", post(&[("content-length", "32"), ("content-length", "32")]), refused),
        ("a length with a sign", post(&[("content-length", "+32")]), Fate::Reset),
        ("a list of lengths", post(&[("content-length", "32, 32")]), Fate::Reset),
        ("a length under an underscore", post(&[("content_length", "3")]), refused),
        ("another expectation", post(&[("expect", "200-ok")]), Fate::Status(417)),
        (
            "another host of the certificate",
            with(":authority", Some("other.example")),
            Fate::Status(421),
        ),
    ];
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut wrong = Vec::new();
    for (name, headers, want) in &cases {
        let got = fate(&proxy, headers, BODY).await;
        // A stricter library may end the connection where a reset would do.
        if got != *want && !(*want == Fate::Reset && got == Fate::Ended) {
            wrong.push(format!("{name}: {got:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(upstream.received().is_empty(), "{:?}", upstream.received().first());
}

#[tokio::test]
async fn what_is_one_request_arrives_framed_anew() {
    let length = BODY.len().to_string();
    let cases: Vec<(&str, Headers<'_>)> = vec![
        ("no length", post(&[])),
        ("a length", post(&[("content-length", &length)])),
        ("the same host", post(&[("host", HOST)])),
        ("host for authority", [with(":authority", None), vec![("host", HOST)]].concat()),
        // The library drops it, so that it is neither judged nor sent.
        ("a fragment", with(":path", Some("/api/v1/statuses#b"))),
        ("te: trailers", post(&[("te", "trailers")])),
        (
            "identities",
            post(&[
                ("x-forwarded-for", "192.0.2.7"),
                ("forwarded", "for=192.0.2.7"),
                ("via", "2 ward"),
                ("true-client-ip", "192.0.2.7"),
            ]),
        ),
    ];
    for (name, headers) in &cases {
        let upstream = Upstream::start().await;
        let proxy = Proxy::to(&upstream).start().await;
        assert_eq!(fate(&proxy, headers, BODY).await, Fate::Status(200), "{name}");
        let seen = upstream.only();
        assert_eq!(&seen.body[..], BODY.as_bytes(), "{name}");
        let mut names: Vec<_> = seen.parts.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "content-type", "host"], "{name}");
        assert_eq!(seen.header("content-length"), Some(length.as_str()), "{name}");
        assert_eq!(seen.header("host"), Some(HOST), "{name}");
        assert_eq!(seen.parts.uri, "/api/v1/statuses", "{name}");
    }
}

#[tokio::test]
async fn as_many_streams_live_as_are_allowed() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).config(|config| config.edge.streams = 6000).start().await;
    let mut raw = Raw::connect(&proxy).await;
    let head = block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/statuses"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]);
    let posts: Vec<u8> =
        (0..5000).flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &head)).collect();
    raw.send(&posts).await;
    raw.send(&frame(DATA, END_STREAM, 1, br#"{"status":"quiet"}"#)).await;
    assert_eq!(raw.fate(1).await, Fate::Status(200));
}
