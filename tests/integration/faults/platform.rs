//! Platforms that reset, break off, talk too early, too much or nonsense. A post is never sent twice, and no client is given
//! an answer that is another's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use postward::config::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{HARMLESS, rulings};
use crate::support::client::raw;
use crate::support::proxy::{HOST, Started, route};
use crate::support::{Client, Proxy};

/// What a platform does with a connection.
#[derive(Clone, Debug)]
enum Does {
    /// Reads the post, resets the connection.
    Resets,
    /// Writes these bytes once it has the post, and closes.
    Says(Vec<u8>),
    /// Writes these bytes before it has read anything, and closes once it has read the head.
    SaysFirst(Vec<u8>),
    /// Writes an interim answer again and again.
    NeverAnswers,
}

/// A platform by hand, and how many posts it has got.
async fn platform(does: Does) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let n_posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&n_posts);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(one(tcp, does.clone(), Arc::clone(&counted)));
        }
    });
    (address, n_posts)
}

async fn one(mut tcp: TcpStream, does: Does, n_posts: Arc<AtomicUsize>) {
    if let Does::SaysFirst(bytes) = &does {
        let _ = tcp.write_all(bytes).await;
    }
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        if !matches!(tcp.read_buf(&mut read).await, Ok(1..)) {
            return;
        }
    }
    n_posts.fetch_add(1, SeqCst);
    match does {
        Does::Resets => tcp.set_zero_linger().unwrap(),
        Does::Says(bytes) => {
            let _ = tcp.write_all(&bytes).await;
            // What is still to be read would turn the close into a reset.
            let _ = tcp.shutdown().await;
            let _ = tcp.read_to_end(&mut read).await;
        }
        Does::SaysFirst(_) => {}
        Does::NeverAnswers => {
            while tcp.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

async fn start(address: SocketAddr) -> Started {
    let quick = |config: &mut Config| {
        config.timeouts.answer = Duration::from_millis(200);
        config.timeouts.connect = Duration::from_millis(200);
    };
    Proxy::with_routes(vec![route(&[HOST], address)]).config(quick).start().await
}

#[tokio::test]
async fn a_platform_that_does_not_answer_is_said_to_be_broken() {
    let says = |text: &str| Does::Says(text.as_bytes().to_vec());
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: a\r\n".repeat(10_000));
    for (does, status) in [
        (Does::Resets, 502),
        (says(""), 502),
        (says("HTTP/1.1 200 OK\r\ncontent-le"), 502),
        (says("SSH-2.0-OpenSSH_9.2\r\n"), 502),
        (says("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}"), 502),
        (says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"), 502),
        (
            says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
            502,
        ),
        (says(&huge), 502),
        (says(&many), 502),
        (Does::NeverAnswers, 504),
    ] {
        let (address, n_posts) = platform(does.clone()).await;
        let proxy = start(address).await;
        let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
        let reply = client.toot(HOST, HARMLESS).await;
        let case: String = format!("{does:?}").chars().take(99).collect();
        assert_eq!(reply.status.as_u16(), status, "{case}: {}", reply.text());
        assert!(reply.text().starts_with("{\"error\":\"The platform "), "{case}: {}", reply.text());
        assert!(reply.text().contains("It may have received this (ref "), "{case}");
        assert_eq!(rulings(&proxy.stop().await), [("forward", Some("failed"))], "{case}");
        assert_eq!(n_posts.load(SeqCst), 1, "{case}: sent once");
    }
}

#[tokio::test]
async fn half_an_answer_is_no_whole_one() {
    for half in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\"",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\nno size\r\n",
    ] {
        let (address, n_posts) = platform(Does::Says(half.as_bytes().to_vec())).await;
        let proxy = start(address).await;
        let body = format!("{{\"status\":\"{HARMLESS}\"}}");
        let request = format!(
            "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        // It ends, and not as a whole answer does.
        let answer = raw(proxy.plain, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
        let mut h2 = Client::h2(proxy.tls, &proxy.authority, HOST).await;
        let request = h2.post(HOST, "/api/v1/statuses", "application/json", body);
        let (_, incoming) = h2.begin(request).await.unwrap().into_parts();
        assert!(http_body_util::BodyExt::collect(incoming).await.is_err(), "{half}");
        assert_eq!(rulings(&proxy.stop().await), [("forward", Some("answered")); 2]);
        assert_eq!(n_posts.load(SeqCst), 2);
    }
}

/// Two answers to one request: the second must answer nobody.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_answers_nobody() {
    let first = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":\"1\"}";
    let second = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":\"2\"}";
    for does in [
        Does::Says(format!("{first}{second}").into_bytes()),
        Does::Says(
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n{first}{second}")
                .into_bytes(),
        ),
    ] {
        let (address, n_posts) = platform(does).await;
        let proxy = start(address).await;
        for n in 1..=5 {
            let mut client = Client::plain(proxy.plain).await;
            let reply = client.toot(HOST, HARMLESS).await;
            assert_eq!((reply.status.as_u16(), reply.text()), (200, "{\"id\":\"1\"}"), "{n}");
        }
        assert_eq!(rulings(&proxy.stop().await), [("forward", Some("answered")); 5]);
        assert_eq!(n_posts.load(SeqCst), 5);
    }
}

/// An answer before the post: the connection cannot be trusted, or the answer is the post's. Either way nothing is sent
/// twice, and what went is written down.
#[tokio::test]
async fn an_answer_before_the_post_sends_nothing_twice() {
    let early = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let (address, n_posts) = platform(Does::SaysFirst(early.as_bytes().to_vec())).await;
    let proxy = start(address).await;
    let mut client = Client::plain(proxy.plain).await;
    for n in 1..=3 {
        let reply = client.toot(HOST, HARMLESS).await;
        assert!([200, 502].contains(&reply.status.as_u16()), "{}", reply.text());
        assert!(n_posts.load(SeqCst) <= n);
    }
    let events = proxy.stop().await;
    assert_eq!(rulings(&events).len(), 3);
    assert!(rulings(&events).iter().all(|it| it.0 == "forward" && it.1.is_some()), "{events:?}");
}
