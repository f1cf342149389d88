//! The PROXY protocol: a listed balancer must speak it, whole and in time; nobody else can.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use postward::config::{Config, Who};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ELSEWHERE, HERE, HOST, SSN, decisions, excusing, metric, networks};
use crate::support::client::{over, raw};
use crate::support::{Client, Upstream};

const NEAR: &str = "clients = [\"10.20.0.0/24\"]";
const V1: &str = "PROXY TCP4 10.20.0.7 10.0.0.5 54321 443\r\n";

fn balanced_by(from: &str) -> impl FnOnce(&mut Config) {
    let who = Who { proxy_protocol: networks(&[from]), ..Who::default() };
    move |config| config.listeners.iter_mut().for_each(|one| one.who = who.clone())
}

/// A header of version 2 for this client, with what else is said.
fn v2(command: u8, values: &[u8]) -> Vec<u8> {
    let said = [&[10, 20, 0, 7, 10, 0, 0, 5, 0xd4, 0x31, 1, 187], values].concat();
    let length = u16::try_from(said.len()).unwrap().to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, 0x11], &length, &said].concat()
}

/// The common name of a client's certificate, verified or not.
fn named(name: &str, verified: u8) -> Vec<u8> {
    let name = [&[0x22, 0, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let said = [&[7, 0, 0, 0, verified], &name[..]].concat();
    [&[0x20, 0, u8::try_from(said.len()).unwrap()], &said[..]].concat()
}

fn post() -> Vec<u8> {
    let body = json!({ "status": SSN }).to_string();
    format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection that begins with these bytes.
async fn begun(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    tcp
}

#[tokio::test]
async fn a_listed_balancer_names_the_client_in_either_version() {
    for (proof, header, is_excused, want) in [
        (NEAR, V1.as_bytes().to_vec(), true, ["10.20.0.7", "", "", "press"]),
        (NEAR, v2(0x21, &[]), true, ["10.20.0.7", "", "", "press"]),
        (
            "certificates = [\"CN=anna\"]",
            v2(0x21, &named("anna", 0)),
            true,
            ["10.20.0.7", "anna", "proxy-protocol", "press"],
        ),
        (
            "certificates = [\"CN=anna\"]",
            v2(0x21, &named("anna", 1)),
            false,
            ["10.20.0.7", "", "", ""],
        ),
        (
            "certificates = [\"CN=anna\"]",
            v2(0x21, &named("eve", 0)),
            false,
            ["10.20.0.7", "eve", "proxy-protocol", ""],
        ),
        // Of itself a balancer says nothing of a client, and of whom it cannot name no network matches.
        ("clients = [\"127.0.0.1\"]", v2(0x20, &[]), true, ["127.0.0.1", "", "", "press"]),
        (NEAR, v2(0x20, &[]), false, ["127.0.0.1", "", "", ""]),
        (
            "clients = [\"127.0.0.1\"]",
            b"PROXY UNKNOWN\r\n".to_vec(),
            false,
            ["127.0.0.1", "", "", ""],
        ),
        (
            NEAR,
            b"PROXY UNKNOWN 10.20.0.7 10.0.0.5 1 2\r\n".to_vec(),
            false,
            ["127.0.0.1", "", "", ""],
        ),
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, proof).config(balanced_by(HERE)).start().await;
        let answer = raw(proxy.plain, &[&header[..], &post()].concat()).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200"), is_excused, "{header:?}\n{answer}");
        assert_eq!(upstream.received().len(), usize::from(is_excused));
        let decided = decisions(&proxy.stop().await);
        assert_eq!(decided.len(), 1);
        assert_eq!(decided[0][..4], want, "{header:?}");
    }
}

#[tokio::test]
async fn a_header_may_come_in_pieces() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE)).start().await;
    for header in [V1.as_bytes().to_vec(), v2(0x21, &[4, 0, 3, 1, 2, 3])] {
        let mut tcp = begun(proxy.plain, &[]).await;
        tcp.set_nodelay(true).unwrap();
        for byte in header {
            tcp.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        tcp.write_all(&post()).await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(decisions(&proxy.stop().await).iter().all(|one| one[0] == "10.20.0.7"));
}

#[tokio::test]
async fn a_listed_balancer_that_does_not_speak_it_right_is_refused_unheard() {
    let too_long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(200));
    let mut wrong_length = v2(0x21, &[]);
    wrong_length[15] = 11;
    let mut beyond = v2(0x21, &[]);
    beyond[14] = 3;
    for (bytes, reason) in [
        (post(), "missing"),
        (b"\x16\x03\x01\x00\x05hello".to_vec(), "missing"),
        ([b"\r\n", V1.as_bytes(), &post()].concat(), "missing"),
        ([&b" "[..], V1.as_bytes(), &post()].concat(), "missing"),
        ([b"PROXY TCP4 10.20.0.7 10.0.0.5 1\r\n", &post()[..]].concat(), "malformed"),
        ([b"PROXY TCP4 10.20.0.7 10.0.0.5 1 2\n", &post()[..]].concat(), "malformed"),
        ([&v2(0x21, &[3, 0, 4, 1, 2, 3, 4])[..], &post()].concat(), "malformed"),
        ([&v2(0x2f, &[])[..], &post()].concat(), "malformed"),
        ([&wrong_length[..], &post()].concat(), "malformed"),
        ([&beyond[..], &post()].concat(), "too-long"),
        ([too_long.as_bytes(), &post()].concat(), "too-long"),
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE)).start().await;
        let mut tcp = begun(proxy.plain, &bytes).await;
        let mut answer = Vec::new();
        // Closed with bytes unread, a connection is reset.
        let _ = tcp.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{reason}: {answer:?}");
        let series = format!("postward_proxy_headers_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(metric(&proxy, &series).await, 1, "{reason}");
        assert_eq!(upstream.n_begun(), 0, "{reason}");
        assert_eq!(decisions(&proxy.stop().await).len(), 0, "{reason}");
    }
}

#[tokio::test]
async fn half_a_header_ends_at_its_deadline() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE));
    let proxy = proxy.config(|config| config.timeouts.handshake = Duration::from_millis(100));
    let proxy = proxy.start().await;
    for half in [&b""[..], b"PROXY TCP4 10.", &v2(0x21, &[])[..20]] {
        let mut tcp = begun(proxy.plain, half).await;
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
    let late = metric(&proxy, "postward_proxy_headers_refused_total{reason=\"late\"}").await;
    assert_eq!(late, 3);
}

/// A second header, one within TLS, one of somebody who is not listed: read as what must follow, which none of them is.
#[tokio::test]
async fn a_header_where_none_belongs_is_never_a_request() {
    let second = [V1.as_bytes(), V1.as_bytes(), &post()].concat();
    let mixed = [V1.as_bytes(), &v2(0x21, &[]), &post()].concat();
    let first = [V1.as_bytes(), &post()].concat();
    let newer = [&v2(0x21, &[])[..], &post()].concat();
    for (from, bytes) in
        [(HERE, second), (HERE, mixed), (ELSEWHERE, first.clone()), (ELSEWHERE, newer.clone())]
    {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, NEAR).config(balanced_by(from)).start().await;
        for address in [proxy.plain, proxy.tls] {
            let mut tcp = begun(address, &bytes).await;
            let mut answer = Vec::new();
            let _ = tcp.read_to_end(&mut answer).await;
            let answer = String::from_utf8(answer).unwrap();
            assert!(!answer.contains(" 200 "), "{answer}");
        }
        assert_eq!(upstream.n_begun(), 0);
        assert_eq!(decisions(&proxy.stop().await).len(), 0);
    }
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE)).start().await;
    for within in [first, newer] {
        let tcp = begun(proxy.tls, V1.as_bytes()).await;
        let mut stream = over(tcp, &proxy.authority, HOST, &["http/1.1"]).await.unwrap();
        stream.write_all(&within).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{answer}");
    }
    assert_eq!(upstream.n_begun(), 0);
}

#[tokio::test]
async fn tls_and_requests_follow_the_header() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE)).start().await;
    let tcp = begun(proxy.tls, &v2(0x21, &[])).await;
    let stream = over(tcp, &proxy.authority, HOST, &["http/1.1"]).await.unwrap();
    let mut client = Client::h1(stream).await;
    for _ in 0..2 {
        assert_eq!(client.toot(HOST, SSN).await.status, StatusCode::OK);
    }
    assert_eq!(upstream.received().len(), 2);
    let decided = decisions(&proxy.stop().await);
    assert!(decided.iter().all(|one| one[0] == "10.20.0.7" && one[3] == "press"), "{decided:?}");
}

#[tokio::test]
async fn caps_count_clients_and_not_their_balancer() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, NEAR).config(balanced_by(HERE));
    let proxy = proxy.config(|config| config.edge.connections_per_address = 1).start().await;
    let of = |client: u8| format!("PROXY TCP4 10.20.0.{client} 10.0.0.5 1 443\r\n");
    let mut held = Vec::new();
    for client in [1, 2, 3] {
        let mut one = Client::h1(begun(proxy.plain, of(client).as_bytes()).await).await;
        assert_eq!(one.toot(HOST, "flu shots in the lobby").await.status, StatusCode::OK);
        held.push(one);
    }
    let mut tcp = begun(proxy.plain, of(2).as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "a second connection of one client is closed");
    assert_eq!(held.len(), 3);
}
