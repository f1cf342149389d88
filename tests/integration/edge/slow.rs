//! Clients that say nothing, little, or too much. What is asserted is that the connection ends at all: without a clock
//! each of these would stay open for ever, and the test with it.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw_h2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, Raw, SETTINGS,
    WINDOW_UPDATE, block, frame,
};
use crate::support::client::raw;
use crate::support::proxy::{HOST, Started};
use crate::support::{Proxy, Upstream};

const SHORT: Duration = Duration::from_millis(40);

/// A proxy without patience for what `change` says, and with much for the rest: only the clock meant can end it.
async fn impatient(
    upstream: &Upstream,
    change: impl FnOnce(&mut postward::config::Config),
) -> Started {
    Proxy::to(upstream)
        .config(|config| {
            let timeouts = &mut config.timeouts;
            let all = [
                &mut timeouts.handshake,
                &mut timeouts.first_byte,
                &mut timeouts.head,
                &mut timeouts.body,
                &mut timeouts.idle,
                &mut timeouts.ping,
                &mut timeouts.age,
            ];
            for timeout in all {
                *timeout = Duration::from_secs(3600);
            }
            change(config);
        })
        .start()
        .await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

#[tokio::test]
async fn silence_after_connecting_ends() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| config.timeouts.first_byte = SHORT).await;
    assert_eq!(raw(proxy.plain, b"").await, "");
    Raw::silent(&proxy).await.closed().await;
    let proxy = impatient(&upstream, |config| config.timeouts.handshake = SHORT).await;
    assert_eq!(raw(proxy.tls, b"").await, "");
    assert_eq!(raw(proxy.tls, b"\x16\x03\x01").await, "");
}

#[tokio::test]
async fn half_a_head_ends() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| config.timeouts.head = SHORT).await;
    let host = format!("Host: {HOST}\r\n");
    for half in [
        "P",
        "\r\n",
        "GET / HTTP/1.1\r\n",
        &format!("GET / HTTP/1.1\r\n{host}"),
        &format!("GET / HTTP/1.1\r\n{host}\r"),
    ] {
        assert_eq!(raw(proxy.plain, half.as_bytes()).await, "", "{half:?}");
    }
    assert_eq!(upstream.n_begun(), 0);
    // Behind a whole request, too: the clock of idle connections is a longer one.
    let answer = raw(proxy.plain, format!("{}GET /b HT", get("/a")).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(upstream.n_begun(), 1);
}

#[tokio::test]
async fn a_head_in_drops_ends() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| config.timeouts.head = SHORT).await;
    let (mut from, mut to) = TcpStream::connect(proxy.plain).await.unwrap().into_split();
    let dripping = tokio::spawn(async move {
        let head = b"GET / HTTP/1.1\r\nA: b".iter().chain(std::iter::repeat(&b'b'));
        for byte in head {
            if to.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = from.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    dripping.abort();
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn idleness_and_age_end() {
    let upstream = Upstream::start().await;
    for is_age in [false, true] {
        let proxy = impatient(&upstream, |config| {
            let timeouts = &mut config.timeouts;
            *(if is_age { &mut timeouts.age } else { &mut timeouts.idle }) = SHORT;
        })
        .await;
        let answer = raw(proxy.plain, get("/a").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        // An old connection of HTTP/2 is told so, and ends when its client says that it has heard, or is not there.
        if !is_age {
            Raw::connect(&proxy).await.closed().await;
        }
    }
}

#[tokio::test]
async fn half_a_greeting_of_http_2_ends() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| {
        config.timeouts.head = SHORT;
        config.timeouts.first_byte = SHORT;
    })
    .await;
    for half in
        [&b"P"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"]
    {
        let mut raw = Raw::silent(&proxy).await;
        raw.send(half).await;
        raw.closed().await;
    }
    // A client that is gone without a word is asked, and not awaited.
    let proxy = impatient(&upstream, |config| config.timeouts.ping = SHORT).await;
    let mut raw = Raw::connect(&proxy).await;
    raw.send(&frame(HEADERS, END_HEADERS, 1, &post())).await;
    raw.closed().await;
    assert_eq!(upstream.n_begun(), 0);
}

/// A client of HTTP/2 that asks for an answer and takes all but its last bytes.
async fn all_but(proxy: &Started, n: u32, n_left: u32) -> Raw {
    let mut raw = Raw::silent(proxy).await;
    let window = [&[0, 4][..], &(n - n_left).to_be_bytes()].concat();
    let get = block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/picture"),
    ]);
    let hello = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &window),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &get),
    ];
    raw.send(&hello.concat()).await;
    let mut n_taken = 0;
    while n_taken < n - n_left {
        let (kind, _, payload) = raw.frame().await.unwrap();
        if kind == DATA {
            n_taken += u32::try_from(payload.len()).unwrap();
        }
    }
    raw
}

fn wider(n: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, 1, &n.to_be_bytes())
}

#[tokio::test]
async fn the_last_piece_of_an_answer_waits_as_long_as_any_other() {
    let n = 5000;
    let upstream = Upstream::answering(move |_| {
        Response::new(Full::new(Bytes::from(vec![b'a'; n as usize])).boxed())
    })
    .await;
    // Longer than a client that is idle may be.
    let proxy = impatient(&upstream, |config| config.timeouts.idle = Duration::from_secs(1)).await;
    let paused = async {
        let mut raw = all_but(&proxy, n, 100).await;
        tokio::time::sleep(Duration::from_millis(3500)).await;
        raw.send(&wider(100)).await;
        assert_eq!(raw.end_of(1).await, DATA);
        // And then it is idle, and hears so.
        while raw.frame().await.unwrap().0 != GOAWAY {}
        raw.closed().await;
    };
    // Longer than a pause may be, on the whole.
    let patient = impatient(&upstream, |config| {
        config.timeouts.idle = Duration::from_secs(1);
        config.timeouts.answer_idle = Duration::from_secs(2);
    })
    .await;
    let slow = async {
        let mut raw = all_but(&patient, n, 20).await;
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            raw.send(&wider(1)).await;
        }
        assert_eq!(raw.end_of(1).await, DATA);
    };
    // Who takes nothing at all is not waited for.
    let impatient = impatient(&upstream, |config| config.timeouts.answer_idle = SHORT).await;
    let gone = async { all_but(&impatient, n, 100).await.closed().await };
    tokio::join!(paused, slow, gone);
}

#[tokio::test]
async fn too_many_connections_of_one_address_are_closed() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| config.edge.connections_per_address = 2).await;
    let (mut one, two) = (
        TcpStream::connect(proxy.plain).await.unwrap(),
        TcpStream::connect(proxy.tls).await.unwrap(),
    );
    // The first two are served, so that they have their places.
    one.write_all(get("/a").as_bytes()).await.unwrap();
    one.read_u8().await.unwrap();
    assert_eq!(raw(proxy.plain, b"").await, "");
    assert_eq!(raw(proxy.tls, b"").await, "");
    drop(two);
}

fn post() -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/statuses"),
    ])
}

#[tokio::test]
async fn requests_taken_back_by_the_hundred_end() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |config| config.edge.resets = 10).await;
    let mut raw = Raw::connect(&proxy).await;
    let mut n_taken = 0_u32;
    for id in (1..).step_by(2).take(20_000) {
        let pair = [
            frame(HEADERS, END_HEADERS, id, &post()),
            frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()),
        ]
        .concat();
        if !raw.takes(&pair).await {
            break;
        }
        n_taken += 1;
    }
    raw.closed().await;
    assert!(n_taken < 20_000);
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn endless_headers_end() {
    let upstream = Upstream::start().await;
    let proxy = impatient(&upstream, |_| {}).await;
    let mut raw = Raw::connect(&proxy).await;
    raw.send(&frame(HEADERS, 0, 1, &post())).await;
    let more = frame(CONTINUATION, 0, 1, &block(&[("a", "b"); 500]));
    let mut n_taken = 0;
    while n_taken < 20_000 && raw.takes(&more).await {
        n_taken += 1;
    }
    raw.closed().await;
    assert!(n_taken < 20_000);
    assert_eq!(upstream.n_begun(), 0);
}
