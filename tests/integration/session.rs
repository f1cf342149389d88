//! Bluesky's sessions must not lead clients round the proxy, however the server writes them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Write as _;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

use crate::support::client::Reply;
use crate::support::proxy::route;
use crate::support::upstream::Answer;
use crate::support::{Client, Proxy, Upstream};

const HOST: &str = "bsky.example";
const SESSION: &str = r##"{"did":"did:plc:a","didDoc":{"service":[{"id":"#atproto_pds","serviceEndpoint":"https://pds.elsewhere.example"}]},"accessJwt":"a"}"##;
const STAYS: &str = r#"{"did":"did:plc:a","accessJwt":"a"}"#;
const CREATE: &str = "/xrpc/com.atproto.server.createSession";

/// Makes an answer, time and again.
type Make = Box<dyn Fn() -> Answer + Send + Sync>;

fn answer(coding: Option<&str>, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::builder()
        .header("content-type", "application/json; charset=utf-8")
        .header("etag", "\"1\"")
        .header("digest", "sha-256=abc");
    if let Some(coding) = coding {
        answer = answer.header("content-encoding", coding);
    }
    answer.body(Full::new(body.into()).boxed()).unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut text.as_bytes(), &mut out, &params).unwrap();
    out
}

/// What a client gets of such an answer.
async fn ask(
    method: &Method,
    path: &str,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> Reply {
    let upstream = Upstream::answering(move |_| answer()).await;
    let route =
        postward::config::Route { platform: "bluesky".into(), ..route(&[HOST], upstream.address) };
    let proxy = Proxy::with_routes(vec![route]).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let body = if *method == Method::POST { "{}" } else { "" };
    let request = client
        .request(method.as_str(), HOST, path)
        .header("content-type", "application/json")
        .header("accept-encoding", "gzip, br")
        .header("if-none-match", "\"1\"")
        .header("range", "bytes=0-5")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .unwrap();
    let reply = client.send(request).await;
    let sent = upstream.only();
    if reply.status == StatusCode::OK && *method != Method::HEAD && path != "/xrpc/other" {
        assert_eq!(sent.header("accept-encoding"), Some("identity"), "{path}");
        assert_eq!((sent.header("if-none-match"), sent.header("range")), (None, None), "{path}");
    }
    proxy.stop().await;
    reply
}

#[tokio::test]
async fn every_call_that_gives_a_session_is_rewritten() {
    for (method, path) in [
        (Method::POST, CREATE),
        (Method::POST, "/xrpc/com.atproto.server.createSession/"),
        (Method::POST, "/xrpc/com.atproto.server.refreshSession"),
        (Method::POST, "/xrpc/com.atproto.server.createAccount"),
        (Method::GET, "/xrpc/com.atproto.server.getSession"),
    ] {
        let reply = ask(&method, path, || answer(None, SESSION)).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, STAYS), "{path}");
        let length = STAYS.len().to_string();
        assert_eq!(reply.header("content-length"), Some(&*length), "{path}");
        assert_eq!((reply.header("etag"), reply.header("digest")), (None, None));
    }
}

#[tokio::test]
async fn an_encoded_session_is_decoded_and_one_that_cannot_be_does_not_pass() {
    let chunked = || {
        let pieces = SESSION
            .as_bytes()
            .chunks(7)
            .map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(piece))));
        let body = StreamBody::new(futures_util::stream::iter(pieces.collect::<Vec<_>>()));
        Response::builder().header("content-type", "application/json").body(body.boxed()).unwrap()
    };
    let long = format!("{{\"a\":\"{}\",\"didDoc\":{{}}}}", "a".repeat(2 << 20));
    let twice = SESSION.replacen('{', r#"{"did\u0044oc":{"x":"elsewhere"},"#, 1);
    let cases: Vec<(&str, Make, Option<&str>)> = vec![
        ("gzip", Box::new(|| answer(Some("gzip"), gzip(SESSION))), Some(STAYS)),
        ("br", Box::new(|| answer(Some("br"), brotli(SESSION))), Some(STAYS)),
        (
            "zstd",
            Box::new(|| answer(Some("zstd"), zstd::encode_all(SESSION.as_bytes(), 3).unwrap())),
            Some(STAYS),
        ),
        ("chunked", Box::new(chunked), Some(STAYS)),
        ("twice", Box::new(move || answer(None, twice.clone())), Some(STAYS)),
        ("unknown coding", Box::new(|| answer(Some("x-other"), SESSION)), None),
        ("lies about its coding", Box::new(|| answer(Some("gzip"), SESSION)), None),
        ("too long", Box::new(move || answer(None, long.clone())), None),
        ("cut off", Box::new(|| answer(None, &SESSION.as_bytes()[..60])), None),
    ];
    for (name, make, want) in cases {
        let reply = ask(&Method::POST, CREATE, make).await;
        assert!(!reply.text().contains("elsewhere"), "{name}: {}", reply.text());
        match want {
            Some(want) => {
                assert_eq!((reply.status, reply.text()), (StatusCode::OK, want), "{name}");
                assert_eq!(reply.header("content-encoding"), None, "{name}");
            }
            None => assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{name}"),
        }
    }
}

#[tokio::test]
async fn other_answers_stay_as_they_are() {
    let refused = || {
        let body = Full::new(Bytes::from_static(b"no, elsewhere")).boxed();
        Response::builder().status(401).body(body).unwrap()
    };
    let reply = ask(&Method::POST, CREATE, refused).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::UNAUTHORIZED, "no, elsewhere"));
    let reply = ask(&Method::POST, CREATE, || answer(None, "")).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, ""));
    // Whose data lie where is needed to read what others posted.
    let path = "/xrpc/com.atproto.identity.resolveDid?did=did:plc:b";
    let upstream = Upstream::answering(|_| answer(Some("gzip"), gzip(SESSION))).await;
    let route =
        postward::config::Route { platform: "bluesky".into(), ..route(&[HOST], upstream.address) };
    let proxy = Proxy::with_routes(vec![route]).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let request = client.request("GET", HOST, path).body(Full::default()).unwrap();
    let reply = client.send(request).await;
    assert_eq!(&reply.body[..], gzip(SESSION));
    assert_eq!(reply.header("etag"), Some("\"1\""));
    proxy.stop().await;
}
