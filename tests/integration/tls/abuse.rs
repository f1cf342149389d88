//! What clients may do with TLS, and what abuse of it comes to: each flood ends, by TLS's own caps and not by a clock.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::client::shake;
use crate::support::proxy::{HOST, Started};
use crate::support::{Proxy, Upstream};

/// More than any client has reason to send.
const FLOOD: usize = 20_000;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// A proxy that only TLS's own caps end a connection of.
async fn patient() -> (Upstream, Started) {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream).config(|config| {
        config.timeouts.handshake = Duration::from_secs(3600);
        config.timeouts.first_byte = Duration::from_secs(3600);
    });
    let proxy = proxy.start().await;
    (upstream, proxy)
}

fn config(proxy: &Started) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(proxy.authority.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The record of a first flight, and nothing after it.
fn hello(proxy: &Started) -> Vec<u8> {
    let name = ServerName::try_from(HOST).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config(proxy)), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], payload].concat()
}

async fn get(stream: &mut TlsStream<TcpStream>) -> String {
    let request = format!("GET /api/v1/instance HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut bytes = [0; 1024];
        let n = stream.read(&mut bytes).await.unwrap();
        assert_ne!(n, 0);
        answer.extend_from_slice(&bytes[..n]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn sessions_resume_for_their_own_host_and_carry_no_early_data() {
    let (_upstream, proxy) = patient().await;
    let mut config = config(&proxy);
    config.enable_early_data = true;
    config.resumption = Resumption::in_memory_sessions(64);
    let config = Arc::new(config);
    let connector = TlsConnector::from(Arc::clone(&config));
    for (host, want) in [
        (HOST, HandshakeKind::Full),
        (HOST, HandshakeKind::Resumed),
        ("a.clinic.example", HandshakeKind::Full),
        (HOST, HandshakeKind::Resumed),
    ] {
        let name = ServerName::try_from(host).unwrap();
        let tcp = TcpStream::connect(proxy.tls).await.unwrap();
        let mut stream = connector.connect(name.clone(), tcp).await.unwrap();
        let request = format!("GET /api/v1/instance HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(want), "{host}");
        // No ticket of ours allows a byte before the handshake is done.
        let mut next = ClientConnection::new(Arc::clone(&config), name).unwrap();
        assert!(next.early_data().is_none());
    }
}

#[tokio::test]
async fn many_sessions_resume() {
    let (_upstream, proxy) = patient().await;
    let connector = TlsConnector::from(Arc::new(config(&proxy)));
    let mut n_resumed = 0;
    for _ in 0..100 {
        let name = ServerName::try_from(HOST).unwrap();
        let tcp = TcpStream::connect(proxy.tls).await.unwrap();
        let mut stream = connector.connect(name, tcp).await.unwrap();
        assert!(get(&mut stream).await.starts_with("HTTP/1.1 200 "));
        n_resumed +=
            usize::from(stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed));
    }
    assert_eq!(n_resumed, 99);
}

#[tokio::test]
async fn protocols_are_those_we_speak() {
    let (_upstream, proxy) = patient().await;
    for (offered, want) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&["spdy/3", "http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = shake(proxy.tls, &proxy.authority, HOST, offered).await.unwrap();
        let spoken = stream.get_ref().1.alpn_protocol();
        assert_eq!(spoken, want.map(str::as_bytes), "{offered:?}");
    }
    for offered in [&["spdy/3"][..], &["h3"], &["h2c"], &["http/1.0"]] {
        let refused = shake(proxy.tls, &proxy.authority, HOST, offered).await.unwrap_err();
        assert!(refused.to_string().contains("NoApplicationProtocol"), "{offered:?}: {refused}");
    }
}

/// A hello of an older time: nothing above this version, and these suites.
fn old_hello(version: [u8; 2], suites: &[u8]) -> Vec<u8> {
    let name = [&[0, 0, 0, 21, 0, 19, 0, 0, 16][..], HOST.as_bytes()].concat();
    assert_eq!(HOST.len(), 16);
    let groups = [0, 10, 0, 4, 0, 2, 0, 23];
    let points = [0, 11, 0, 2, 1, 0];
    let signatures = [0, 13, 0, 6, 0, 4, 4, 3, 2, 3];
    let extensions = [&name[..], &groups, &points, &signatures].concat();
    let body = [
        &version[..],
        &[7; 32],
        &[0],
        &u16::try_from(suites.len()).unwrap().to_be_bytes(),
        suites,
        &[1, 0],
        &u16::try_from(extensions.len()).unwrap().to_be_bytes(),
        &extensions,
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    record(HANDSHAKE, &[&[1], &length[1..], &body].concat())
}

#[tokio::test]
async fn nothing_older_than_tls_1_2_and_no_weak_suite() {
    const ECDHE_ECDSA_AES_128_GCM: &[u8] = &[0xC0, 0x2B];
    let (_upstream, proxy) = patient().await;
    let cases = [
        ("TLS 1.2, sound", [3, 3], ECDHE_ECDSA_AES_128_GCM, None),
        ("TLS 1.1", [3, 2], ECDHE_ECDSA_AES_128_GCM, Some(70)),
        ("TLS 1.0", [3, 1], ECDHE_ECDSA_AES_128_GCM, Some(70)),
        ("SSL 3", [3, 0], ECDHE_ECDSA_AES_128_GCM, Some(70)),
        ("CBC with SHA-1", [3, 3], &[0xC0, 0x09][..], Some(40)),
        ("CBC with SHA-256", [3, 3], &[0xC0, 0x23], Some(40)),
        ("no forward secrecy", [3, 3], &[0, 0x9C], Some(40)),
        ("3DES, RC4, NULL", [3, 3], &[0, 0x0A, 0, 5, 0, 2], Some(40)),
        ("anonymous", [3, 3], &[0xC0, 0x18], Some(40)),
        ("export", [3, 3], &[0, 3, 0, 8], Some(40)),
    ];
    for (name, version, suites, alert) in cases {
        let mut tcp = TcpStream::connect(proxy.tls).await.unwrap();
        tcp.write_all(&old_hello(version, suites)).await.unwrap();
        let mut answer = [0; 7];
        tcp.read_exact(&mut answer).await.unwrap();
        match alert {
            None => assert_eq!((answer[0], answer[5]), (HANDSHAKE, 2), "{name}"),
            Some(alert) => assert_eq!((answer[0], answer[6]), (ALERT, alert), "{name}"),
        }
    }
}

#[tokio::test]
async fn a_hello_in_pieces_is_one_hello() {
    let (_upstream, proxy) = patient().await;
    let hello = hello(&proxy);
    let one_by_one: Vec<u8> =
        hello[5..].iter().flat_map(|byte| record(HANDSHAKE, &[*byte])).collect();
    for (name, bytes, step) in [("in records", &one_by_one, 6 * 64), ("in segments", &hello, 7)] {
        let mut tcp = TcpStream::connect(proxy.tls).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        for piece in bytes.chunks(step) {
            tcp.write_all(piece).await.unwrap();
        }
        let mut answer = [0; 6];
        tcp.read_exact(&mut answer).await.unwrap();
        assert_eq!((answer[0], answer[5]), (HANDSHAKE, 2), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_hello_ends_at_once() {
    let (upstream, proxy) = patient().await;
    let endless = record(HANDSHAKE, &[1, 0xFF, 0xFF, 0xFF, 3, 3]);
    for (name, bytes) in [
        ("a hello of 16 MiB", &endless[..]),
        ("a record too long", &[HANDSHAKE, 3, 3, 0xFF, 0xFF]),
        ("a record of a kind unknown", &[99, 3, 3, 0, 1, 0]),
        ("data first", &record(23, b"GET / HTTP/1.1")),
        ("an alert first", &record(ALERT, &[2, 40])),
        ("HTTP in the clear", b"POST /api/v1/statuses HTTP/1.1\r\n\r\n"),
        ("SSL 2", &[0x80, 0x2E, 1, 0, 2, 0, 21, 0, 0, 0, 16]),
    ] {
        let mut tcp = TcpStream::connect(proxy.tls).await.unwrap();
        tcp.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer[0] == ALERT, "{name}: {answer:?}");
    }
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn floods_before_the_handshake_end() {
    let (_upstream, proxy) = patient().await;
    let hello = hello(&proxy);
    for (name, first, again) in [
        ("warnings", &b""[..], record(ALERT, &[1, 90])),
        ("empty records", b"", record(HANDSHAKE, b"")),
        ("changes of cipher", &hello, record(20, &[1])),
        ("hellos", &hello, hello.clone()),
        ("warnings behind a hello", &hello, record(ALERT, &[1, 90])),
        ("pieces of a hello without end", b"", record(HANDSHAKE, &[1, 0, 0xFF, 0xFF])),
    ] {
        let mut tcp = TcpStream::connect(proxy.tls).await.unwrap();
        tcp.write_all(first).await.unwrap();
        assert!(ends(&mut tcp, &again).await, "{name}");
    }
}

/// Whether a connection ends before a flood of these does.
async fn ends(tcp: &mut TcpStream, again: &[u8]) -> bool {
    let (mut from, mut to) = tcp.split();
    let flood = async {
        for _ in 0..FLOOD {
            if to.write_all(again).await.is_err() {
                return true;
            }
        }
        false
    };
    let drain = async {
        let mut bytes = [0; 4096];
        while from.read(&mut bytes).await.is_ok_and(|n| n > 0) {}
        true
    };
    tokio::select! {
        ended = flood => ended,
        ended = drain => ended,
    }
}

#[tokio::test]
async fn new_keys_without_end_end() {
    let (_upstream, proxy) = patient().await;
    let mut stream = shake(proxy.tls, &proxy.authority, HOST, &["http/1.1"]).await.unwrap();
    assert!(get(&mut stream).await.starts_with("HTTP/1.1 200 "));
    let mut n_taken = 0;
    while n_taken < FLOOD {
        if stream.get_mut().1.refresh_traffic_keys().is_err() || stream.flush().await.is_err() {
            break;
        }
        n_taken += 1;
        // What the other end says of it is read, so that its writes do not stand in the way.
        let mut bytes = [0; 64];
        let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut bytes)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    assert!(n_taken < 1000, "{n_taken}");
}
