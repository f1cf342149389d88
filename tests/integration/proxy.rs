//! The way of a post over real sockets: what the platform, the client and the audit trail each see.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Frame};
use postward::config::{Route, UpstreamAddress, WebSocket};
use postward::proxy::tls::Authority;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::client::{raw, shake};
use crate::support::proxy::{HOST, route};
use crate::support::upstream::{H2, json};
use crate::support::{Client, Proxy, Upstream};

const SSN: &str = "her SSN is 078-05-1120, please call back";
const HARMLESS: &str = "flu shots are available in the lobby today";

#[tokio::test]
async fn a_harmless_post_arrives_byte_for_byte() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let body = "{ \"status\" : \"flu shots\\u0021 in the lobby\",\"visibility\":\"public\" }\n";
    for h2 in [false, true] {
        let mut client = if h2 {
            Client::h2(proxy.tls, &proxy.authority, HOST).await
        } else {
            Client::tls(proxy.tls, &proxy.authority, HOST).await
        };
        let reply = client
            .send(client.post(HOST, "/api/v1/statuses?a=%20b", "application/json", body))
            .await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, r#"{"id":"1"}"#));
    }
    let received = upstream.received();
    assert_eq!(received.len(), 2);
    for request in received {
        assert_eq!(request.body, body);
        assert_eq!(request.parts.uri, "/api/v1/statuses?a=%20b");
        assert_eq!(request.header("host"), Some(HOST));
        assert_eq!(request.header("content-length"), Some(body.len().to_string().as_str()));
        for name in ["via", "x-forwarded-for", "forwarded", "transfer-encoding"] {
            assert_eq!(request.header(name), None, "{name}");
        }
    }
    let events = proxy.stop().await;
    assert_eq!(verdicts(&events), ["forward", "forward"]);
}

#[tokio::test]
async fn a_blocked_post_never_reaches_the_platform() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let body = serde_json::json!({ "status": SSN }).to_string();
    let mut request = client.post(HOST, "/api/v1/statuses", "application/json", body);
    request.headers_mut().insert("origin", "https://web.example".parse().unwrap());
    let reply = client.send(request).await;

    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("Blocked by hospital policy"), "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://web.example"));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(reply.header("vary"), Some("Origin"));
    assert_eq!(reply.header("retry-after"), None);
    // The connection lives on.
    assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::OK);
    assert_eq!(upstream.n_begun(), 1);

    let events = proxy.stop().await;
    assert_eq!(verdicts(&events), ["block", "forward"]);
    assert!(!format!("{events:?}").contains("078-05"));
}

#[tokio::test]
async fn monitoring_forwards_the_original() {
    let upstream = Upstream::start().await;
    let proxy =
        Proxy::to(&upstream).policy(r#"mode = "enforce""#, r#"mode = "monitor""#).start().await;
    let mut client = Client::plain(proxy.plain).await;
    assert_eq!(client.toot(HOST, SSN).await.status, StatusCode::OK);
    assert!(String::from_utf8(upstream.only().body.to_vec()).unwrap().contains(SSN));
    assert_eq!(verdicts(&proxy.stop().await), ["block"]);
}

#[tokio::test]
async fn a_redacted_post_has_the_right_length() {
    let upstream = Upstream::start().await;
    // Wherever it stands, so that this test is about the wire and not about context.
    let proxy = Proxy::to(&upstream).policy("context = \"care\"\n", "").start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, "write to rosalind.hartwell@mail.example about it").await;
    assert_eq!(reply.status, StatusCode::OK);
    let request = upstream.only();
    let text = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(!text.contains("hartwell") && text.contains("about it"), "{text}");
    assert_eq!(request.header("content-length"), Some(text.len().to_string().as_str()));
    assert_eq!(verdicts(&proxy.stop().await), ["redact"]);
}

#[tokio::test]
async fn outcomes_follow_decisions() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::plain(proxy.plain).await;
    client.toot(HOST, HARMLESS).await;
    let events = proxy.stop().await;
    let outcome =
        events.iter().find(|event| event.get("outcome").is_some()).expect("an outcome event");
    let decided = events.iter().find(|event| event.get("verdict").is_some()).expect("a decision");
    assert_eq!(outcome["id"], decided["id"]);
}

#[tokio::test]
async fn what_is_not_understood_is_counted_and_marked() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::plain(proxy.plain).await;
    for (path, body) in [
        ("/api/v1/statuses", r#"{"status":"flu shots are here"}"#),
        ("/api/v9/jane-roe", r#"{"status":"flu shots are here"}"#),
        ("/api/v1/statuses", r#"{"status":"flu sh"#),
    ] {
        let request = client.request("POST", HOST, path).header("content-type", "application/json");
        client.send(request.body(body.into()).unwrap()).await;
    }
    let mut admin = Client::plain(proxy.admin).await;
    let metrics =
        admin.send(admin.request("GET", "a", "/metrics").body(Full::default()).unwrap()).await;
    let metrics = metrics.text();
    for line in [
        r#"postward_generic_bodies_total{platform="mastodon",endpoint="(none)"} 1"#,
        r#"postward_unreadable_bodies_total{platform="mastodon",endpoint="POST /api/v1/statuses",reason="json"} 1"#,
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{metrics}");
    }
    assert!(!metrics.contains("jane"), "{metrics}");
    let events = proxy.stop().await;
    let marks: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "decision")
        .map(|event| (event["coverage"].as_str(), event["reason"].as_str()))
        .collect();
    assert_eq!(marks, [(None, None), (Some("generic"), None), (Some("unreadable"), Some("json"))]);
}

#[tokio::test]
async fn an_unknown_host_is_misdirected() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::plain(proxy.plain).await;
    assert_eq!(
        client.toot("other.example", HARMLESS).await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
    // Routed, but not what this connection's certificate is for.
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    assert_eq!(
        client.toot("a.clinic.example", HARMLESS).await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
    assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::OK);
    assert_eq!(upstream.n_begun(), 1);
    let mut admin = Client::plain(proxy.admin).await;
    let metrics =
        admin.send(admin.request("GET", "a", "/metrics").body(Full::default()).unwrap()).await;
    assert!(metrics.text().contains("\npostward_unrouted_total 1\n"), "{}", metrics.text());
}

#[tokio::test]
async fn an_unknown_server_name_gets_an_alert() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let refused = shake(proxy.tls, &proxy.authority, "other.example", &["h2"]).await.unwrap_err();
    assert!(refused.to_string().contains("UnrecognisedName"), "{refused}");
}

#[tokio::test]
async fn ambiguous_requests_are_refused() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let cases: &[(&str, &str)] = &[
        ("POST /a HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "400"),
        ("POST /a HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\n\r\n", "400"),
        ("GET http://mastodon.example/a HTTP/1.1\r\nhost: b\r\n\r\n", "400"),
        ("GET /a HTTP/1.1\r\nhost: me@mastodon.example\r\n\r\n", "400"),
        ("GET /a HTTP/1.1\r\nhost: mastodon.example:x\r\n\r\n", "400"),
        (
            "POST /a HTTP/1.1\r\nhost: mastodon.example\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "POST /a HTTP/1.1\r\nhost: mastodon.example\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        (
            "POST /a HTTP/1.1\r\nhost: mastodon.example\r\nconnection: content-type\r\ncontent-length: 0\r\n\r\n",
            "400",
        ),
        ("CONNECT mastodon.example:443 HTTP/1.1\r\nhost: mastodon.example:443\r\n\r\n", "405"),
        (
            "GET /a HTTP/1.1\r\nhost: mastodon.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            "403",
        ),
        ("OPTIONS * HTTP/1.1\r\nhost: mastodon.example\r\n\r\n", "400"),
    ];
    for (request, status) in cases {
        let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        let answer = raw(proxy.plain, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
    }
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn one_hops_headers_stay_on_their_hop() {
    let upstream = Upstream::answering(|_| {
        let mut answer = json("{}");
        answer.headers_mut().insert("alt-svc", "h3=\":443\"".parse().unwrap());
        answer.headers_mut().insert("connection", "x-hop".parse().unwrap());
        answer.headers_mut().insert("x-hop", "1".parse().unwrap());
        answer.headers_mut().insert("x-stays", "1".parse().unwrap());
        answer
    })
    .await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::plain(proxy.plain).await;
    let request = client
        .request("GET", HOST, "/api/v1/timelines/home")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("proxy-authorization", "Basic eA==")
        .header("authorization", "Bearer t");
    let reply = client.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(
        (reply.header("alt-svc"), reply.header("x-hop"), reply.header("x-stays")),
        (None, None, Some("1"))
    );
    let request = upstream.only();
    for name in ["connection", "x-mine", "te", "proxy-authorization", "content-length"] {
        assert_eq!(request.header(name), None, "{name}");
    }
    assert_eq!(request.header("authorization"), Some("Bearer t"));
}

#[tokio::test]
async fn expectations_are_met_here() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let body = serde_json::json!({ "status": HARMLESS }).to_string();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 64];
    let n = tcp.read(&mut buffer).await.unwrap();
    assert!(buffer[..n].starts_with(b"HTTP/1.1 100 "));
    assert_eq!(upstream.n_begun(), 0);
    tcp.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(upstream.only().header("expect"), None);
}

#[tokio::test]
async fn a_body_too_large_is_blocked_after_it_was_read() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, &"flu shots ".repeat(20_000)).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::OK);
    assert_eq!(upstream.n_begun(), 1);
    assert_eq!(verdicts(&proxy.stop().await), ["block", "forward"]);
}

#[tokio::test]
async fn a_truncated_body_is_blocked() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .policy(r#"on-unreadable = "block""#, r#"on-unreadable = "forward""#)
        .start()
        .await;
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{\"sta"
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer).await;
    drop(tcp);
    proxy.stop().await;
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn a_slow_body_is_blocked() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .config(|config| config.timeouts.body = Duration::from_millis(50))
        .start()
        .await;
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{\"sta"
    );
    let answer = raw(proxy.plain, head.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 422 ") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(upstream.n_begun(), 0);
    assert_eq!(verdicts(&proxy.stop().await), ["block"]);
}

#[tokio::test]
async fn silent_connections_end() {
    let upstream = Upstream::start().await;
    let short = Duration::from_millis(100);
    let proxy = Proxy::to(&upstream)
        .config(|config| {
            config.timeouts.handshake = short;
            config.timeouts.first_byte = short;
            config.timeouts.head = short;
            config.timeouts.idle = short * 2;
        })
        .start()
        .await;
    let partial = b"POST /a HTTP/1.1\r\nhost: ";
    for (address, bytes) in
        [(proxy.tls, &b""[..]), (proxy.plain, b""), (proxy.plain, b"P"), (proxy.plain, partial)]
    {
        let ended = timeout(Duration::from_secs(5), raw(address, bytes)).await;
        assert!(ended.is_ok(), "{bytes:?}");
    }
    // Idle after a request, and HTTP/2 without its preface.
    let mut client = Client::plain(proxy.plain).await;
    client.toot(HOST, HARMLESS).await;
    let Client::H1(mut sender) = client else { panic!("HTTP/1.1") };
    let gone = async {
        while sender.ready().await.is_ok() && !sender.is_closed() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), gone).await.unwrap();
    let mut silent = shake(proxy.tls, &proxy.authority, HOST, &["h2"]).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), silent.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn answers_stream() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let upstream = Upstream::answering(move |_| {
        let told = Told(receiver.lock().unwrap().take().unwrap());
        Response::builder().header("content-type", "text/event-stream").body(told.boxed()).unwrap()
    })
    .await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let request =
        client.request("GET", HOST, "/api/v1/streaming/user").body(Full::default()).unwrap();
    let mut body = client.begin(request).await.unwrap().into_body();
    for event in ["event: update\n\n", ":thump\n\n"] {
        sender.send(Bytes::from(event)).await.unwrap();
        // It comes before the next one is sent.
        let frame = timeout(Duration::from_secs(5), body.frame()).await.unwrap().unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), event);
    }
    drop(sender);
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn a_platform_that_is_down_is_said_to_be() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::with_routes(vec![route(&[HOST], closed)]).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, HARMLESS).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(
        reply
            .text()
            .starts_with(r#"{"error":"The platform cannot be reached. Nothing was sent (ref "#),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_platform_that_is_slow_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::with_routes(vec![route(&[HOST], silent.local_addr().unwrap())])
        .config(|config| {
            config.timeouts.answer = Duration::from_millis(50);
            config.timeouts.connect = Duration::from_millis(50);
        })
        .start()
        .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, HARMLESS).await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(reply.text().contains("may have received this"), "{}", reply.text());
}

#[tokio::test]
async fn a_post_that_may_have_been_read_is_sent_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Answers the first request of a connection and closes on the second, once it has read it.
    let counted = tokio::spawn(async move {
        let mut n_posts = 0;
        while let Ok(Ok((mut tcp, _))) = timeout(Duration::from_secs(1), listener.accept()).await {
            let mut buffer = vec![0; 4096];
            while let Ok(n @ 1..) = tcp.read(&mut buffer).await {
                n_posts += usize::from(buffer[..n].starts_with(b"POST "));
                if n_posts == 2 {
                    break;
                }
                tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            }
        }
        n_posts
    });
    let proxy = Proxy::with_routes(vec![route(&[HOST], address)]).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::OK);
    assert_eq!(client.toot(HOST, HARMLESS).await.status, StatusCode::BAD_GATEWAY);
    proxy.stop().await;
    assert_eq!(counted.await.unwrap(), 2);
}

#[tokio::test]
async fn the_platform_is_verified() {
    let trusted = Authority::generate("Platform CA", &[]).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let roots = scratch.path().join("roots.pem");
    std::fs::write(&roots, trusted.certificate_pem()).unwrap();
    let stranger = Authority::generate("Stranger CA", &[]).unwrap();
    let cases = [
        (&trusted, "localhost", StatusCode::OK),
        (&trusted, "other.example", StatusCode::BAD_GATEWAY),
        (&stranger, "localhost", StatusCode::BAD_GATEWAY),
    ];
    for (authority, name, want) in cases {
        let upstream = Upstream::with_tls(authority, name).await;
        let address =
            UpstreamAddress { tls: true, host: "localhost".into(), port: upstream.address.port() };
        let route = Route {
            hosts: vec![HOST.into()],
            platform: "mastodon".into(),
            upstream: Some(address),
            websocket: WebSocket::Refuse,
        };
        let proxy = Proxy::with_routes(vec![route])
            .config(|config| config.upstream.extra_roots = Some(roots.clone()))
            .start()
            .await;
        let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
        let reply = client.toot(HOST, HARMLESS).await;
        assert_eq!(reply.status, want, "{name}: {}", reply.text());
        if want.is_success() {
            let request = upstream.only();
            assert_eq!(request.parts.version, H2);
            assert_eq!(request.parts.uri.host(), Some(HOST));
            assert_eq!(request.header("host"), None);
        } else {
            assert!(reply.text().contains("certificate cannot be verified"), "{}", reply.text());
            assert_eq!(upstream.n_begun(), 0);
        }
    }
}

#[tokio::test]
async fn a_public_route_never_leads_back() {
    let route = Route {
        hosts: vec!["127.0.0.1".into(), "[::1]".into()],
        platform: "mastodon".into(),
        upstream: None,
        websocket: WebSocket::Refuse,
    };
    let proxy = Proxy::with_routes(vec![route]).start().await;
    for host in ["127.0.0.1", "[::1]"] {
        let mut client = Client::plain(proxy.plain).await;
        let reply = client.toot(host, HARMLESS).await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
        assert!(reply.text().contains("leads back into this network"), "{}", reply.text());
    }
}

#[tokio::test]
async fn stopping_lets_a_request_end() {
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (arrived, arrival) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = tcp.read(&mut buffer).await.unwrap();
        arrived.send(()).unwrap();
        released.await.unwrap();
        tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    });
    let proxy = Proxy::with_routes(vec![route(&[HOST], address)]).start().await;
    let plain = proxy.plain;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let posting = tokio::spawn(async move { client.toot(HOST, HARMLESS).await });
    arrival.await.unwrap();
    let stopping = tokio::spawn(proxy.stop());
    // Stopping has begun when nothing is accepted any more.
    while TcpStream::connect(plain).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert_eq!(posting.await.unwrap().status, StatusCode::OK);
    assert_eq!(verdicts(&stopping.await.unwrap()), ["forward"]);
}

#[tokio::test]
async fn media_too_long_to_hold_streams_through() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::with_routes(vec![Route {
        platform: "bluesky".into(),
        ..route(&["bsky.example"], upstream.address)
    }])
    .policy("default = \"strip-metadata\"", "default = \"allow\"")
    .start()
    .await;
    let mut video = vec![0_u8; 300_000];
    video[..12].copy_from_slice(b"\0\0\0\x18ftypmp42");
    let mut client = Client::tls(proxy.tls, &proxy.authority, "bsky.example").await;
    let request = client.post(
        "bsky.example",
        "/xrpc/com.atproto.repo.uploadBlob",
        "video/mp4",
        video.clone(),
    );
    assert_eq!(client.send(request).await.status, StatusCode::OK);
    assert_eq!(upstream.only().body, video);
    // The same length of text is not media, whatever it says it is.
    let request = client.post(
        "bsky.example",
        "/xrpc/com.atproto.repo.uploadBlob",
        "video/mp4",
        SSN.repeat(3000),
    );
    assert!(client.send(request).await.status.is_client_error());
    assert_eq!(upstream.n_begun(), 1);
    let events = proxy.stop().await;
    assert_eq!(verdicts(&events), ["forward", "block"]);
}

#[tokio::test]
async fn long_media_in_a_form_waits_for_the_verdict_on_its_texts() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .policy("context = \"care\"\n", "")
        .policy("default = \"strip-metadata\"", "default = \"allow\"")
        .start()
        .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let cases = [
        ("the lobby", StatusCode::OK, "the lobby"),
        ("write to rosalind.hartwell@mail.example", StatusCode::OK, "write to [email]"),
        (SSN, StatusCode::UNPROCESSABLE_ENTITY, ""),
    ];
    for (description, status, arrives) in cases {
        let request = client.post(
            HOST,
            "/api/v2/media",
            "multipart/form-data; boundary=b",
            form(description),
        );
        let reply = client.send(request).await;
        assert_eq!(reply.status, status, "{description}: {}", reply.text());
        if status.is_success() {
            let received = upstream.received().pop().unwrap();
            let want = form(arrives);
            assert!(
                received.body == want,
                "{description}: {} of {} bytes",
                received.body.len(),
                want.len()
            );
            assert_eq!(received.header("content-length"), Some(want.len().to_string().as_str()));
        }
    }
    assert_eq!(upstream.n_begun(), 2);
    let events = proxy.stop().await;
    assert_eq!(verdicts(&events), ["forward", "redact", "block"]);
}

/// A photo of 300 KB, and after it what it shows.
fn form(description: &str) -> Vec<u8> {
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
        content-type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\
        \0\0\x02\0\0\0\x02\0\x08\x06\0\0\0\xab\xcd\xef\x01\0\0\xff\0IDAT"
        .to_vec();
    body.extend((0..=250_u8).cycle().take(300_000));
    body.extend_from_slice(
        b"\r\n--b\r\ncontent-disposition: form-data; name=\"description\"\r\n\r\n",
    );
    body.extend_from_slice(description.as_bytes());
    body.extend_from_slice(b"\r\n--b--\r\n");
    body
}

#[tokio::test]
async fn what_cannot_be_audited_is_not_sent() {
    for (policy, status, n_sent) in
        [("block", StatusCode::UNPROCESSABLE_ENTITY, 0), ("forward", StatusCode::OK, 1)]
    {
        let upstream = Upstream::start().await;
        let proxy = Proxy::to(&upstream)
            .policy(r#"on-unaudited = "block""#, &format!("on-unaudited = \"{policy}\""))
            .start()
            .await;
        // As if the disk had gone.
        proxy.running.audit().close().await;
        let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
        let reply = client.toot(HOST, HARMLESS).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(upstream.n_begun(), n_sent);
    }
}

#[tokio::test]
async fn a_session_does_not_lead_round_us() {
    let upstream = Upstream::answering(|_| {
        json(r##"{"did":"did:plc:a","didDoc":{"service":[{"id":"#atproto_pds","serviceEndpoint":"https://pds.elsewhere.example"}]},"accessJwt":"a"}"##)
    })
    .await;
    let route = Route { platform: "bluesky".into(), ..route(&["bsky.example"], upstream.address) };
    let proxy = Proxy::with_routes(vec![route]).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, "bsky.example").await;
    let body = r#"{"identifier":"rosalind.hartwell@mail.example","password":"p"}"#;
    let mut request = client.post(
        "bsky.example",
        "/xrpc/com.atproto.server.createSession",
        "application/json",
        body,
    );
    request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let reply = client.send(request).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(
        !reply.text().contains("elsewhere") && reply.text().contains("accessJwt"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    assert_eq!(upstream.only().header("accept-encoding"), Some("identity"));
    assert_eq!(upstream.only().body, body);
}

#[tokio::test]
async fn a_head_request_keeps_its_length() {
    let upstream = Upstream::answering(|_| {
        Response::builder().header("content-length", "1234").body(Empty::new().boxed()).unwrap()
    })
    .await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::plain(proxy.plain).await;
    let reply =
        client.send(client.request("HEAD", HOST, "/a").body(Full::default()).unwrap()).await;
    assert_eq!(
        (reply.status, reply.header("content-length"), reply.body.len()),
        (StatusCode::OK, Some("1234"), 0)
    );
}

fn verdicts(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event.get("verdict")).filter_map(Value::as_str).collect()
}

/// A body whose frames come when the test sends them.
struct Told(tokio::sync::mpsc::Receiver<Bytes>);

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}
