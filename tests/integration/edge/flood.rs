//! Floods: what a client sends without end must not cost us without end. Each ends by a cap, not by a clock, and while it
//! lasts another client is served.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::raw_h2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Fate, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM,
    Raw, SETTINGS, WINDOW_UPDATE, block, frame,
};
use crate::support::proxy::{HOST, Started};
use crate::support::{Client, Proxy, Upstream};

/// Makes the n-th piece of a flood.
type Piece = Box<dyn FnMut(u32) -> Vec<u8>>;

/// How many bytes a flood may get rid of before it must have ended.
const MOST: usize = 24 << 20;

/// A proxy that no clock of ours ends a connection of, but for one that a client's silence would start.
async fn patient(upstream: &Upstream) -> Started {
    let hour = Duration::from_secs(3600);
    Proxy::to(upstream)
        .config(|config| {
            config.timeouts.head = hour;
            config.timeouts.body = hour;
            config.timeouts.idle = hour;
            config.timeouts.ping = hour;
            config.timeouts.first_byte = hour;
        })
        .start()
        .await
}

fn post() -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/statuses"),
        ("content-type", "application/json"),
    ])
}

/// Sends pieces of a flood until the connection ends. What comes back is read and dropped.
async fn flood(name: &str, raw: Raw, mut piece: impl FnMut(u32) -> Vec<u8>) {
    let (mut from, mut to) = tokio::io::split(raw.into_stream());
    let drained = tokio::spawn(async move {
        let mut bytes = vec![0; 16 * 1024];
        while from.read(&mut bytes).await.is_ok_and(|n| n > 0) {}
    });
    let mut n_taken = 0;
    for n in 0.. {
        let piece = piece(n);
        if drained.is_finished() || to.write_all(&piece).await.is_err() {
            break;
        }
        n_taken += piece.len();
        assert!(n_taken < MOST, "{name} goes on");
    }
    // However it ended, it ended for good.
    let _ = to.shutdown().await;
    drained.await.unwrap();
}

/// Many frames in one write.
fn times(n: usize, frame: &[u8]) -> Vec<u8> {
    frame.repeat(n)
}

/// The odd number of the n-th stream.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

#[tokio::test]
async fn floods_of_frames_end() {
    let upstream = Upstream::start().await;
    let proxy = patient(&upstream).await;
    let opened = || frame(HEADERS, END_HEADERS, 1, &post());
    let reset = |id, code: u32| frame(RST_STREAM, 0, id, &code.to_be_bytes());
    let mut floods: Vec<(&str, Vec<u8>, Piece)> = Vec::new();
    let mut add = |name, first: Vec<u8>, piece: Piece| floods.push((name, first, piece));
    add(
        "rapid reset (CVE-2023-44487)",
        Vec::new(),
        Box::new(move |n| {
            [frame(HEADERS, END_HEADERS, stream(n), &post()), reset(stream(n), 8)].concat()
        }),
    );
    // Faults that make us reset the stream, so that the client need not (CVE-2025-8671).
    add(
        "a window past its end",
        Vec::new(),
        Box::new(|n| {
            let grow = frame(WINDOW_UPDATE, 0, stream(n), &0x7FFF_FFFF_u32.to_be_bytes());
            [frame(HEADERS, END_HEADERS, stream(n), &post()), grow].concat()
        }),
    );
    add(
        "a window grown by nothing",
        Vec::new(),
        Box::new(|n| {
            let grow = frame(WINDOW_UPDATE, 0, stream(n), &[0; 4]);
            [frame(HEADERS, END_HEADERS, stream(n), &post()), grow].concat()
        }),
    );
    add(
        "data beyond its length",
        Vec::new(),
        Box::new(|n| {
            let head = [&post()[..], &block(&[("content-length", "1")])].concat();
            [
                frame(HEADERS, END_HEADERS, stream(n), &head),
                frame(DATA, 0, stream(n), b"too much of it"),
            ]
            .concat()
        }),
    );
    add(
        "a priority on itself",
        Vec::new(),
        Box::new(|n| {
            let priority = [&stream(n).to_be_bytes()[..], &[16]].concat();
            [
                frame(HEADERS, END_HEADERS, stream(n), &post()),
                frame(PRIORITY, 0, stream(n), &priority),
            ]
            .concat()
        }),
    );
    add(
        "malformed heads",
        Vec::new(),
        Box::new(|n| {
            frame(HEADERS, END_HEADERS | END_STREAM, stream(n), &block(&[("Upper", "x")]))
        }),
    );
    add("empty data", opened(), Box::new(|_| times(100, &frame(DATA, 0, 1, b""))));
    add(
        "data for streams that were reset",
        [opened(), reset(1, 8)].concat(),
        Box::new(|_| times(100, &frame(DATA, 0, 1, b""))),
    );
    add(
        "a head without end (CVE-2024-27316)",
        frame(HEADERS, 0, 1, &post()),
        Box::new(|_| frame(CONTINUATION, 0, 1, &block(&[("a", "b"); 500]))),
    );
    add(
        "empty pieces of a head",
        frame(HEADERS, 0, 1, &post()),
        Box::new(|_| times(100, &frame(CONTINUATION, 0, 1, b""))),
    );
    for (name, first, piece) in floods {
        let mut raw = Raw::connect(&proxy).await;
        raw.send(&first).await;
        flood(name, raw, piece).await;
        served(&proxy).await;
    }
}

/// What the protocol lets a client send for ever. Whoever reads none of the answers that are due is not read either, so
/// nothing piles up here; what needs no answer is dropped as it comes. Others are served meanwhile.
#[tokio::test]
async fn floods_that_are_allowed_pile_nothing_up() {
    let upstream = Upstream::start().await;
    let proxy = patient(&upstream).await;
    for (name, is_answered, piece) in [
        ("pings", true, frame(PING, 0, 0, &[1; 8])),
        ("settings", true, frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
        ("acknowledgements of pings", false, frame(PING, 1, 0, &[1; 8])),
        ("priorities", false, frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 16])),
        ("windows", false, frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())),
        ("frames of a kind unknown", false, frame(0xEE, 0, 0, &[7; 100])),
        ("farewells", false, frame(GOAWAY, 0, 0, &[0; 8])),
    ] {
        let (_unread, mut to) = tokio::io::split(Raw::connect(&proxy).await.into_stream());
        let mut n_taken = 0;
        let flood = async {
            let many = times(500, &piece);
            while n_taken < MOST && to.write_all(&many).await.is_ok() {
                n_taken += many.len();
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(700), flood).await;
        served(&proxy).await;
        assert!(!is_answered || n_taken < MOST, "{name}: {n_taken} bytes taken, no answer read");
    }
}

/// Heads that unpack to more than they are, and tables of headers kept for a client.
#[tokio::test]
async fn packed_heads_stay_small() {
    let upstream = Upstream::start().await;
    let proxy = patient(&upstream).await;
    // One header of 4 KiB into the table, then referred to by a byte each: 16 KiB unpack to 64 MiB.
    let name = b"x-long";
    let mut long = vec![0x40, u8::try_from(name.len()).unwrap()];
    long.extend_from_slice(name);
    long.extend_from_slice(&[0x7F, 0x81, 0x1E]);
    long.extend_from_slice(&[b'a'; 127 + 1 + 30 * 128]);
    let bomb = [&post()[..], &long, &[0xBE; 12_000]].concat();
    let mut raw = Raw::connect(&proxy).await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb)).await;
    let fate = raw.fate(1).await;
    assert!(matches!(fate, Fate::Status(431) | Fate::Reset | Fate::Ended));
    // A table that grows with each head: the same connection, new names for ever, within the size agreed.
    let mut raw = Raw::connect(&proxy).await;
    let mut n_answered = 0;
    for n in 0..400_u32 {
        let name = format!("x-name-{n:06}");
        let mut head = post();
        head.extend_from_slice(&[0x40, u8::try_from(name.len()).unwrap()]);
        head.extend_from_slice(name.as_bytes());
        head.push(100);
        head.extend_from_slice(&[b'v'; 100]);
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream(n), &head)).await;
        if matches!(raw.fate(stream(n)).await, Fate::Status(_)) {
            n_answered += 1;
        }
    }
    assert_eq!(n_answered, 400);
    // A table larger than we allow is a fault of compression.
    let mut raw = Raw::connect(&proxy).await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x3F, 0xE1, 0xFF, 0xFF, 0x7F])).await;
    assert_eq!(raw.fate(1).await, Fate::Ended);
}

/// More streams than we allow are refused, not queued; those that we serve are answered.
#[tokio::test]
async fn streams_beyond_the_cap_are_refused() {
    let upstream = Upstream::start().await;
    let proxy = patient(&upstream).await;
    let mut raw = Raw::connect(&proxy).await;
    let mut many = Vec::new();
    for n in 0..3000 {
        many.extend(frame(HEADERS, END_HEADERS, stream(n), &post()));
    }
    raw.send(&many).await;
    served(&proxy).await;
    assert_eq!(upstream.received().len(), 1);
}

/// HTTP/1: thousands of requests in one write. They are answered in order, one after another; a client that reads nothing
/// stops being read.
#[tokio::test]
async fn thousands_in_a_row_are_answered_in_order() {
    let upstream = Upstream::start().await;
    let proxy = patient(&upstream).await;
    let n = 1000;
    let mut all = String::new();
    for number in 0..n {
        let _ = write!(all, "GET /api/v1/statuses/{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    }
    let again = all.clone();
    let (mut from, mut to) = TcpStream::connect(proxy.plain).await.unwrap().into_split();
    let writing = tokio::spawn(async move {
        to.write_all(all.as_bytes()).await.unwrap();
        to
    });
    let mut answers = BufReader::new(&mut from).lines();
    let mut n_answered = 0;
    while n_answered < n {
        // An answer's body ends in no line end: the next answer's first line follows it.
        let line =
            answers.next_line().await.unwrap().unwrap_or_else(|| panic!("{n_answered} answers"));
        n_answered += usize::from(line.contains("HTTP/1.1 200 "));
    }
    drop(writing.await.unwrap());
    let came: Vec<String> =
        upstream.received().iter().map(|request| request.parts.uri.to_string()).collect();
    let sent: Vec<String> = (0..n).map(|number| format!("/api/v1/statuses/{number}")).collect();
    assert_eq!(came, sent);
    let (_from, mut to) = TcpStream::connect(proxy.plain).await.unwrap().into_split();
    let unread = async {
        let mut n_taken = 0;
        while n_taken < 64 << 20 && to.write_all(again.as_bytes()).await.is_ok() {
            n_taken += again.len();
        }
    };
    let stuck = tokio::time::timeout(Duration::from_secs(2), unread).await;
    assert!(stuck.is_err(), "a client that reads nothing was read on and on");
    served(&proxy).await;
}

/// Somebody else is served meanwhile.
async fn served(proxy: &Started) {
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, "flu shots are available in the lobby today").await;
    assert_eq!(reply.status, http::StatusCode::OK, "{}", reply.text());
}
