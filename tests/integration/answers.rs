//! Refusals over real sockets: whole, once, in the platform's shape, and read by browsers too.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use postward::config::Route;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::Reply;
use crate::support::proxy::{HOST, Started, route};
use crate::support::{Client, Proxy, Upstream};

const SSN: &str = "her SSN is 078-05-1120, please call back";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// One refused post of each platform: host, platform, method and target, content type, body; then the status, and where
/// in the answer its clients look for the sentence (`""`: it is text or XML, and stands anywhere in it).
type Refused =
    (&'static str, &'static str, &'static str, &'static str, &'static str, u16, &'static str);

const REFUSED: &[Refused] = &[
    ("api.x.com", "x", "POST /2/tweets", JSON, r#"{"text":"$"}"#, 403, "/detail"),
    ("api.x.com", "x", "POST /1.1/statuses/update.json?status=$", "", "", 403, "/errors/0/message"),
    (
        "x.com",
        "x",
        "POST /i/api/graphql/abc/CreateTweet",
        JSON,
        r#"{"variables":{"tweet_text":"$"},"queryId":"abc"}"#,
        403,
        "/errors/0/message",
    ),
    (HOST, "mastodon", "POST /api/v1/statuses", FORM, "status=$", 422, "/error"),
    (
        "misskey.example",
        "misskey",
        "POST /api/notes/create",
        JSON,
        r#"{"text":"$"}"#,
        400,
        "/error/message",
    ),
    (
        "bsky.social",
        "bluesky",
        "POST /xrpc/com.atproto.repo.createRecord",
        JSON,
        r#"{"repo":"did:plc:a","collection":"app.bsky.feed.post","record":{"$type":"app.bsky.feed.post","text":"$"}}"#,
        403,
        "/message",
    ),
    (
        "graph.facebook.com",
        "facebook",
        "POST /v25.0/me/feed",
        FORM,
        "message=$",
        400,
        "/error/message",
    ),
    (
        "www.facebook.com",
        "facebook",
        "POST /api/graphql/",
        FORM,
        r#"fb_api_req_friendly_name=ComposerStoryCreateMutation&variables={"input":{"message":{"text":"$"}}}"#,
        400,
        "/errors/0/description",
    ),
    (
        "graph.instagram.com",
        "instagram",
        "POST /v25.0/1/media?caption=$",
        "",
        "",
        400,
        "/error/error_user_msg",
    ),
    (
        "graph.threads.net",
        "threads",
        "POST /v1.0/1/threads?text=$",
        "",
        "",
        400,
        "/error/error_user_msg",
    ),
    (
        "api.linkedin.com",
        "linkedin",
        "POST /rest/posts",
        JSON,
        r#"{"commentary":"$"}"#,
        403,
        "/message",
    ),
    (
        "oauth.reddit.com",
        "reddit",
        "POST /api/submit/?raw_json=1",
        FORM,
        "title=a&text=$",
        200,
        "/json/errors/0/1",
    ),
    (
        "www.reddit.com",
        "reddit",
        "POST /svc/shreddit/graphql",
        JSON,
        r#"{"operation":"CreatePost","variables":{"input":{"title":"$"}}}"#,
        400,
        "/errors/0/message",
    ),
    (
        "youtube.googleapis.com",
        "youtube",
        "POST /youtube/v3/comments",
        JSON,
        r#"{"snippet":{"textOriginal":"$"}}"#,
        403,
        "/error/message",
    ),
    (
        "api.tumblr.com",
        "tumblr",
        "POST /v2/blog/b/posts",
        JSON,
        r#"{"content":[{"type":"text","text":"$"}]}"#,
        403,
        "/errors/0/detail",
    ),
    ("api.pinterest.com", "pinterest", "POST /v5/pins", JSON, r#"{"title":"$"}"#, 403, "/message"),
    (
        "open.tiktokapis.com",
        "tiktok",
        "POST /v2/post/publish/video/init/",
        JSON,
        r#"{"post_info":{"title":"$"}}"#,
        403,
        "/error/message",
    ),
    (
        "discord.com",
        "discord",
        "POST /api/v10/channels/1/messages",
        JSON,
        r#"{"content":"$"}"#,
        400,
        "/message",
    ),
    (
        "slack.com",
        "slack",
        "POST /api/chat.postMessage",
        FORM,
        "text=$",
        200,
        "/response_metadata/messages/0",
    ),
    ("hooks.slack.com", "slack", "POST /services/T/B/x", JSON, r#"{"text":"$"}"#, 403, ""),
    (
        "api.telegram.org",
        "telegram",
        "GET /bot1:AA/sendMessage?text=$",
        "",
        "",
        403,
        "/description",
    ),
    (
        "micropub.example",
        "micropub",
        "POST /micropub",
        FORM,
        "h=entry&content=$",
        403,
        "/error_description",
    ),
    (
        "wordpress.example",
        "wordpress",
        "POST /wp-json/wp/v2/posts",
        JSON,
        r#"{"title":"$"}"#,
        403,
        "/message",
    ),
    (
        "wordpress.example",
        "wordpress",
        "POST /xmlrpc.php",
        "text/xml",
        "<methodCall><methodName>wp.newPost</methodName><params><param><value><string>$</string></value></param></params></methodCall>",
        200,
        "",
    ),
    (
        "matrix.org",
        "matrix",
        "PUT /_matrix/client/v3/rooms/!a:b/send/m.room.message/1",
        JSON,
        r#"{"msgtype":"m.text","body":"$"}"#,
        403,
        "/error",
    ),
    (
        "ap.example",
        "activitypub",
        "POST /inbox",
        "application/activity+json",
        r#"{"type":"Create","object":{"type":"Note","content":"$"}}"#,
        403,
        "/error",
    ),
    ("forum.example", "generic", "POST /posts", JSON, r#"{"text":"$"}"#, 403, "/error"),
];

/// A proxy with a route for each row's host.
async fn proxy_for_all(upstream: SocketAddr) -> Started {
    let mut routes: Vec<Route> = Vec::new();
    for (host, platform, ..) in REFUSED {
        if routes.iter().all(|route| route.hosts != [*host]) {
            routes.push(Route { platform: (*platform).into(), ..route(&[host], upstream) });
        }
    }
    Proxy::with_routes(routes).start().await
}

fn request_of(
    client: &Client,
    (host, _, call, content_type, body, ..): &Refused,
) -> Request<Full<Bytes>> {
    let (method, target) = call.split_once(' ').unwrap();
    let target = target.replace('$', &SSN.replace(' ', "+").replace(',', "%2C"));
    let text = if *content_type == FORM { SSN.replace(' ', "+") } else { SSN.to_owned() };
    let mut request = client.request(method, host, &target);
    if !content_type.is_empty() {
        request = request.header("content-type", *content_type);
    }
    // `$type` is Bluesky's own.
    let body = body.replace("$type", "@type").replace('$', &text).replace("@type", "$type");
    request.body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn every_platform_hears_of_a_block_in_its_own_words() {
    let upstream = Upstream::start().await;
    let proxy = proxy_for_all(upstream.address).await;
    for h2 in [false, true] {
        for row in REFUSED {
            let (host, platform, call, .., status, pointer) = *row;
            let mut client = if h2 {
                Client::h2(proxy.tls, &proxy.authority, host).await
            } else {
                Client::tls(proxy.tls, &proxy.authority, host).await
            };
            let reply = client.send(request_of(&client, row)).await;
            assert_eq!(reply.status.as_u16(), status, "{platform} {call}: {}", reply.text());
            let shown = if pointer.is_empty() {
                reply.text().to_owned()
            } else {
                let answer: Value = serde_json::from_str(reply.text()).unwrap();
                answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let sentence = "Blocked by hospital policy: this post seems to contain a social security number. Nothing was sent. (ref ";
            let (_, rest) =
                shown.split_once(sentence).unwrap_or_else(|| panic!("{platform} {call}: {shown}"));
            let reference: String = rest.chars().take_while(|c| *c != ')').collect();
            assert!(
                reference.len() == 8
                    && reference.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')),
                "{reference}"
            );
            check_headers(&reply, platform);
            for name in ["access-control-allow-origin", "access-control-allow-credentials", "vary"]
            {
                assert_eq!(reply.header(name), None, "{platform}: nobody asked");
            }
        }
    }
    assert_eq!(upstream.n_begun(), 0);
    let events = proxy.stop().await;
    assert_eq!(
        events.iter().filter(|event| event["verdict"] == "block").count(),
        2 * REFUSED.len()
    );
    assert!(!format!("{events:?}").contains("078-05"));
}

fn check_headers(reply: &Reply, context: &str) {
    assert_eq!(reply.header("retry-after"), None, "{context}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{context}");
    assert_eq!(
        reply.header("content-length"),
        Some(reply.body.len().to_string().as_str()),
        "{context}"
    );
    if context == "discord" {
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_head_hears_the_head_alone() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::with_routes(vec![Route {
        platform: "telegram".into(),
        ..route(&["api.telegram.org"], upstream.address)
    }])
    .start()
    .await;
    let target = "/bot1:AA/sendMessage?text=her+SSN+is+078-05-1120";
    for h2 in [false, true] {
        let mut client = if h2 {
            Client::h2(proxy.tls, &proxy.authority, "api.telegram.org").await
        } else {
            Client::tls(proxy.tls, &proxy.authority, "api.telegram.org").await
        };
        for _ in 0..2 {
            let request =
                client.request("HEAD", "api.telegram.org", target).body(Full::default()).unwrap();
            let reply = client.send(request).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "h2: {h2}");
            assert!(reply.body.is_empty(), "h2: {h2}");
            let length: usize = reply.header("content-length").unwrap().parse().unwrap();
            assert!(length > 100, "{length}");
        }
    }
    // To the byte: what follows the head is the next answer.
    let request = format!(
        "HEAD {target} HTTP/1.1\r\nhost: api.telegram.org\r\n\r\nHEAD {target} HTTP/1.1\r\nhost: api.telegram.org\r\nconnection: close\r\n\r\n"
    );
    let answers = crate::support::client::raw(proxy.plain, request.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 403 ").count(), 2, "{answers}");
    assert!(!answers.contains("Blocked"), "{answers}");
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn preflights_are_the_platforms_to_answer() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let request = client
        .request("OPTIONS", HOST, "/api/v1/statuses")
        .header("origin", "https://web.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key");
    let reply = client.send(request.body(Full::default()).unwrap()).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, r#"{"id":"1"}"#));
    // Ours are not added to the platform's own words.
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let arrived = upstream.only();
    assert_eq!(arrived.parts.method, "OPTIONS");
    assert_eq!(arrived.header("access-control-request-method"), Some("POST"));
    assert_eq!(arrived.header("origin"), Some("https://web.example"));
}

/// Whoever waits for our word before sending hears the refusal in place of it, and sends nothing.
#[tokio::test]
async fn an_expectation_that_will_be_refused_is_answered_at_once() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(
        answer.contains("this post is too long to be checked. Nothing was sent. (ref "),
        "{answer}"
    );
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(upstream.n_begun(), 0);
}

/// A blocked post with an expectation is read to its end first, like any other.
#[tokio::test]
async fn an_expectation_is_met_before_a_block() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let body = serde_json::json!({ "status": SSN }).to_string();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 64];
    let n = tcp.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..n], b"HTTP/1.1 100 Continue\r\n\r\n");
    tcp.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("social security"), "{answer}");
    assert_eq!(upstream.n_begun(), 0);
}

/// More than is held and less than is drained: the client is read to its end, hears why, and keeps its connection. It
/// has written everything before it listens, as many do; an early answer would be lost with a reset.
#[tokio::test]
async fn a_long_refused_upload_is_read_to_its_end() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let body = vec![b'a'; 8 << 20];
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let head = |length: usize, more: &str| {
        format!(
            "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: text/plain\r\n{more}content-length: {length}\r\n\r\n"
        )
    };
    tcp.write_all(head(body.len(), "").as_bytes()).await.unwrap();
    tcp.write_all(&body).await.unwrap();
    // The same connection takes the next post.
    tcp.write_all(head(4, "connection: close\r\n").as_bytes()).await.unwrap();
    tcp.write_all(b"good").await.unwrap();
    let mut answers = String::new();
    tcp.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 422 "), "{answers}");
    assert!(answers.contains("too long to be checked"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200 "), "{answers}");
    assert_eq!(upstream.n_begun(), 1);

    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let request = client.post(HOST, "/api/v1/statuses", "text/plain", body);
    let reply = client.send(request).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("too long to be checked"), "{}", reply.text());
}

/// What is longer than that is answered without being read on, and the connection ends.
#[tokio::test]
async fn an_endless_refused_upload_is_cut_off() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let (mut reader, mut writer) = tcp.into_split();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let sending = tokio::spawn(async move {
        writer.write_all(head.as_bytes()).await.unwrap();
        let chunk = [b"100000\r\n".to_vec(), vec![b'a'; 1 << 20], b"\r\n".to_vec()].concat();
        // It never ends by itself.
        let mut n_sent = 0_u32;
        while writer.write_all(&chunk).await.is_ok() {
            n_sent += 1;
        }
        n_sent
    });
    let mut answer = [0; 16];
    reader.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[..13], b"HTTP/1.1 422 ");
    drop(reader);
    let n_sent = sending.await.unwrap();
    assert!(n_sent >= 64, "{n_sent} MiB were read before the answer");
    assert_eq!(upstream.n_begun(), 0);
}

/// A client that stops in the middle of what will be refused hears why, and the connection ends.
#[tokio::test]
async fn a_refused_upload_that_stalls_is_answered() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .config(|config| config.timeouts.refused = Duration::from_millis(50))
        .start()
        .await;
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: text/plain\r\ncontent-length: 99999999\r\n\r\n"
    );
    let request = [head.as_bytes(), &vec![b'a'; 70_000]].concat();
    let answer = crate::support::client::raw(proxy.plain, &request).await;
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(
        answer.contains("too long to be checked") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(upstream.n_begun(), 0);
}

/// The reference that a client was shown leads to its event, by the command that the officer has.
#[tokio::test]
async fn the_reference_finds_the_event() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, SSN).await;
    client.toot(HOST, "flu shots are available in the lobby today").await;
    let reference =
        reply.text().split("(ref ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    proxy
        .stop_and_read(|file| {
            let lines = |reference: &str| -> Vec<Value> {
                let found = postward::audit::find(&[file], reference).unwrap();
                assert!(found.iter().all(|line| line.intact));
                found.iter().map(|line| serde_json::from_str(&line.text).unwrap()).collect()
            };
            let [event] = &lines(&reference.to_uppercase())[..] else { panic!("one event") };
            assert_eq!((&event["verdict"], &event["ref"]), (&"block".into(), &reference.into()));
            // A post that was sent on has two lines: the decision, and what became of it.
            let text = std::fs::read_to_string(file).unwrap();
            let sent = text.split("\"ref\":\"").nth(2).unwrap();
            let found = lines(sent.split('"').next().unwrap());
            let kinds: Vec<&Value> = found.iter().map(|event| &event["event"]).collect();
            assert_eq!(kinds, ["decision", "outcome"]);
            assert!(lines("aaaaaaaa").is_empty());
        })
        .await;
}
