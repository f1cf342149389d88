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

fn request(text: &str) -> Vec<u8> {
    let body = format!("{{\"status\":\"{text}\"}}");
    let length = body.len();
    format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A client that can vanish: over HTTP/1 by a reset (one that only ends its own side may listen still), over HTTP/2 by
/// dropping its connection.
enum Vanishing {
    H1(TcpStream),
    H2(tokio::task::JoinHandle<()>, tokio::sync::mpsc::Receiver<()>),
}

impl Vanishing {
    async fn posting(proxy: &Started, h2: bool, text: &str) -> Self {
        if !h2 {
            let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
            tcp.write_all(&request(text)).await.unwrap();
            return Self::H1(tcp);
        }
        let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
        let body = serde_json::json!({ "status": text }).to_string();
        let request = client.post(HOST, "/api/v1/statuses", "application/json", body);
        let (told, heard) = tokio::sync::mpsc::channel(1);
        let posting = tokio::spawn(async move {
            let answer = client.begin(request).await;
            told.send(()).await.unwrap();
            // Holds the answer, half of it still to come, until it is gone.
            std::future::pending::<()>().await;
            drop(answer);
        });
        Self::H2(posting, heard)
    }

    /// Waits until an answer has begun.
    async fn hears(&mut self) {
        match self {
            Self::H1(tcp) => drop(tcp.read_u8().await.unwrap()),
            Self::H2(_, heard) => heard.recv().await.unwrap(),
        }
    }

    async fn vanish(self) {
        match self {
            Self::H1(tcp) => tcp.set_zero_linger().unwrap(),
            Self::H2(posting, _) => {
                posting.abort();
                let _ = posting.await;
            }
        }
    }
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
    let whole = request(HARMLESS);
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
        // Long enough to be judged off the threads that move bytes: whoever waits for it can be told that its client left.
        let client = Vanishing::posting(&proxy, h2, &"the lobby is open ".repeat(10_000)).await;
        while !is_judging.load(SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.vanish().await;
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
            let mut client = Vanishing::posting(&proxy, h2, HARMLESS).await;
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                assert!(tcp.read_buf(&mut read).await.unwrap() > 0);
            }
            if answers {
                tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{").await.unwrap();
                client.hears().await;
            }
            client.vanish().await;
            // The platform is let go, too.
            let _ = timeout(PATIENCE, tcp.read_to_end(&mut read)).await.unwrap();
            quiet(&proxy).await;
            let outcome = if answers { "answered" } else { "client-gone" };
            assert_eq!(rulings(&proxy.stop().await), [("forward", Some(outcome))], "h2 {h2}");
        }
    }
}
