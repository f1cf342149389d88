//! Clients that vanish: in a head, in a body, before the verdict, before the answer and in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::house::PATIENCE;
use super::{HARMLESS, rulings};
use crate::support::proxy::{HOST, Started, route};
use crate::support::{Client, Proxy, Upstream};

fn request() -> Vec<u8> {
    let body = format!("{{\"status\":\"{HARMLESS}\"}}");
    let length = body.len();
    format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Waits until the proxy serves nobody.
async fn quiet(proxy: &Started) {
    let none = async {
        loop {
            let mut tcp = TcpStream::connect(proxy.admin).await.unwrap();
            let ask = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            tcp.write_all(ask).await.unwrap();
            let mut page = String::new();
            tcp.read_to_string(&mut page).await.unwrap();
            if page.contains("postward_in_flight 0\n") && page.contains("postward_connections 0\n")
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, none).await.unwrap();
}

#[tokio::test]
async fn before_its_end_a_post_goes_nowhere() {
    let whole = request();
    for n_sent in [1, 40, whole.len() - 60, whole.len() - 1] {
        for reset in [false, true] {
            let upstream = Upstream::start().await;
            let proxy = Proxy::to(&upstream).start().await;
            let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
            tcp.write_all(&whole[..n_sent]).await.unwrap();
            if reset {
                tcp.set_zero_linger().unwrap();
            }
            drop(tcp);
            quiet(&proxy).await;
            assert_eq!(upstream.n_begun(), 0);
            // A body that broke off is refused, or its client was gone before even that; never sent.
            let events = proxy.stop().await;
            assert!(rulings(&events).iter().all(|it| *it == ("block", None)), "{events:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn before_the_verdict_a_post_is_dropped() {
    for h2 in [false, true] {
        let upstream = Upstream::start().await;
        let (is_judging, may_go_on) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (begun, go_on) = (Arc::clone(&is_judging), Arc::clone(&may_go_on));
        let proxy = Proxy::to(&upstream)
            .config(|config| config.max_body = 1 << 20)
            .rehearsing(move || {
                begun.store(true, SeqCst);
                while !go_on.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            })
            .start()
            .await;
        let mut client = if h2 {
            Client::h2(proxy.tls, &proxy.authority, HOST).await
        } else {
            Client::plain(proxy.plain).await
        };
        // Long enough to be judged off the threads that move bytes: whoever waits for it can be told that its client left.
        let long = "the lobby is open ".repeat(10_000);
        let body = serde_json::json!({ "status": long }).to_string();
        let request = client.post(HOST, "/api/v1/statuses", "application/json", body.into_bytes());
        let posting = tokio::spawn(async move { client.begin(request).await.map(drop) });
        while !is_judging.load(SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        posting.abort();
        let _ = posting.await;
        // The judging goes on, and nobody waits for it.
        quiet(&proxy).await;
        may_go_on.store(true, SeqCst);
        assert_eq!(upstream.n_begun(), 0);
        assert_eq!(rulings(&proxy.stop().await), []);
        assert_eq!(upstream.n_begun(), 0);
    }
}

#[tokio::test]
async fn before_the_answer_it_is_noted_and_in_the_answer_it_was_answered() {
    for answers in [false, true] {
        for h2 in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let platform = route(&[HOST], listener.local_addr().unwrap());
            let proxy = Proxy::with_routes(vec![platform]).start().await;
            let mut client = if h2 {
                Client::h2(proxy.tls, &proxy.authority, HOST).await
            } else {
                Client::plain(proxy.plain).await
            };
            let body = serde_json::json!({ "status": HARMLESS }).to_string();
            let request = client.post(HOST, "/api/v1/statuses", "application/json", body);
            let (told, mut heard) = tokio::sync::mpsc::channel(1);
            let posting = tokio::spawn(async move {
                let answer = client.begin(request).await;
                told.send(()).await.unwrap();
                // Holds the answer, half of it still to come, until it is gone.
                std::future::pending::<()>().await;
                drop(answer);
            });
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                assert!(tcp.read_buf(&mut read).await.unwrap() > 0);
            }
            if answers {
                tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{").await.unwrap();
                heard.recv().await.unwrap();
            }
            posting.abort();
            let _ = posting.await;
            // The platform is let go, too.
            let _ = timeout(PATIENCE, tcp.read_to_end(&mut read)).await.unwrap();
            quiet(&proxy).await;
            let outcome = if answers { "answered" } else { "client-gone" };
            assert_eq!(rulings(&proxy.stop().await), [("forward", Some(outcome))], "h2 {h2}");
        }
    }
}
