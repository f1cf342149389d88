//! Identity headers: believed from the listed peer alone, once, under their own name; gone before the platform.

use http::StatusCode;
use http_body_util::Full;
use postward::audit::{NameKey, Naming, Said};
use postward::config::{IdentityHeaders, Listener, Route, WebSocket, Who};
use serde_json::{Value, json};

use super::{ELSEWHERE, HERE, HOST, SSN, decisions, excused, excusing, metric, networks};
use crate::support::client::raw;
use crate::support::proxy::{Started, route};
use crate::support::socket::{Relay, Socket, TEXT, handshake, masked};
use crate::support::{Client, Proxy, Upstream};

const PRESS: &str = "identities = [\"press-*\"]";

fn told_by(from: &str, forwarded_for: Option<usize>) -> impl FnOnce(&mut postward::config::Config) {
    let header = Some("x-remote-user".parse().unwrap());
    let identity = IdentityHeaders { from: networks(&[from]), header, forwarded_for };
    move |config| {
        for Listener { who, .. } in &mut config.listeners {
            *who = Who { identity: Some(identity.clone()), ..Who::default() };
        }
    }
}

/// What a post with these headers is answered.
async fn posted(client: &mut Client, headers: &[(&str, &str)]) -> StatusCode {
    let body = json!({ "status": SSN, "visibility": "public" }).to_string();
    let mut request = client.post(HOST, "/api/v1/statuses", "application/json", body);
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    client.send(request).await.status
}

#[tokio::test]
async fn a_listed_peer_is_believed_for_each_request_and_the_header_stays_here() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, PRESS).config(told_by(HERE, None)).start().await;
    let mut h1 = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let mut h2 = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    for client in [&mut h1, &mut h2] {
        assert_eq!(posted(client, &[("X-Remote-User", "press-anna")]).await, StatusCode::OK);
        // The next on the same connection is somebody else's.
        assert_ne!(posted(client, &[("X-Remote-User", "eve")]).await, StatusCode::OK);
        assert_ne!(posted(client, &[]).await, StatusCode::OK);
    }
    assert_eq!(upstream.received().len(), 2);
    for received in upstream.received() {
        assert_eq!(received.header("x-remote-user"), None);
    }
    let of = |identity: &str, by: &str, group: &str, verdict: &str| {
        ["127.0.0.1", identity, by, group, verdict].map(ToOwned::to_owned)
    };
    let once = [
        of("press-anna", "header", "press", "forward"),
        of("eve", "header", "", "block"),
        of("", "", "", "block"),
    ];
    assert_eq!(decisions(&proxy.stop().await), [once.clone(), once].concat());
}

#[tokio::test]
async fn nobody_else_is_and_no_other_spelling() {
    let press = "press-anna";
    for (from, headers, ignored) in [
        (ELSEWHERE, &[("X-Remote-User", press)][..], Some("unlisted")),
        (ELSEWHERE, &[("X-Remote-User", press), ("X-Remote-User", press)], Some("unlisted")),
        (HERE, &[("X_Remote_User", press)], Some("misspelt")),
        (HERE, &[("x-remote_user", press)], Some("misspelt")),
        (HERE, &[("x.remote.user", press)], Some("misspelt")),
        (HERE, &[("X_Remote_User", press), ("X-Remote-User", "eve")], Some("misspelt")),
        (HERE, &[("X-Remote-Users", press)], None),
        (HERE, &[("Remote-User", press)], None),
        (HERE, &[("X-Remote-User", "")], None),
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, PRESS).config(told_by(from, None)).start().await;
        let mut client = Client::plain(proxy.plain).await;
        assert_ne!(posted(&mut client, headers).await, StatusCode::OK, "{headers:?}");
        for reason in ["unlisted", "misspelt"] {
            let series = format!("postward_identities_ignored_total{{reason=\"{reason}\"}}");
            let n = u64::from(ignored == Some(reason));
            assert_eq!(metric(&proxy, &series).await, n, "{headers:?} {reason}");
        }
        assert_eq!(upstream.n_begun(), 0, "{headers:?}");
        let decided = decisions(&proxy.stop().await);
        assert_eq!((decided.len(), &*decided[0][3], &*decided[0][4]), (1, "", "block"));
        assert!(["", "eve"].contains(&&*decided[0][1]), "{decided:?}");
    }
}

#[tokio::test]
async fn who_is_named_in_two_ways_is_refused() {
    for headers in [
        &[("X-Remote-User", "press-anna"), ("X-Remote-User", "eve")][..],
        &[("X-Remote-User", "press-anna, eve")],
        &[("X-Remote-User", "press-anna\teve")],
        &[("X-Forwarded-For", "10.20.0.7, not an address")],
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, PRESS).config(told_by(HERE, Some(1))).start().await;
        let mut client = Client::plain(proxy.plain).await;
        assert_eq!(posted(&mut client, headers).await, StatusCode::BAD_REQUEST, "{headers:?}");
        assert_eq!(upstream.n_begun(), 0);
        assert_eq!(decisions(&proxy.stop().await).len(), 0);
    }
}

/// A name behind the body, one that `Connection` is to take off, and one on a line of its own folding.
#[tokio::test]
async fn a_name_elsewhere_in_a_request_names_nobody() {
    let body = json!({ "status": SSN }).to_string();
    let chunked = |more: &str, trailer: &str| {
        format!(
            "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{more}\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n{trailer}\r\n",
            body.len()
        )
    };
    for request in [
        chunked("", "X-Remote-User: press-anna\r\n"),
        chunked("Trailer: X-Remote-User\r\n", "X-Remote-User: press-anna\r\n"),
        chunked("X-A: b\r\n X-Remote-User: press-anna\r\n", ""),
        chunked("X-Remote-User : press-anna\r\n", ""),
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, PRESS).config(told_by(HERE, None)).start().await;
        let answer = raw(proxy.plain, request.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{request}\n{answer}");
        assert_eq!(upstream.n_begun(), 0, "{request}");
        let decided = decisions(&proxy.stop().await);
        assert!(decided.iter().all(|one| one[1].is_empty() && one[3].is_empty()), "{decided:?}");
    }
}

/// What the listed peer says is read before the headers of one hop go.
#[tokio::test]
async fn a_client_cannot_have_its_name_taken_off() {
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, PRESS).config(told_by(HERE, None)).start().await;
    let mut client = Client::plain(proxy.plain).await;
    let headers = [("X-Remote-User", "eve"), ("Connection", "x-remote-user")];
    posted(&mut client, &headers).await;
    assert_eq!(decisions(&proxy.stop().await)[0][1], "eve");
}

#[tokio::test]
async fn the_address_is_the_one_that_the_trusted_hop_saw() {
    let upstream = Upstream::start().await;
    let near = "clients = [\"10.20.0.0/24\"]";
    let proxy = excusing(&upstream, near).config(told_by(HERE, Some(1))).start().await;
    let mut client = Client::plain(proxy.plain).await;
    for (forwarded, want, is_excused) in [
        (Some("10.20.0.7"), "10.20.0.7", true),
        // The first entry is the client's own word.
        (Some("10.20.0.7, 192.0.2.66"), "192.0.2.66", false),
        (None, "127.0.0.1", false),
    ] {
        let headers: Vec<_> = forwarded.iter().map(|value| ("X-Forwarded-For", *value)).collect();
        let status = posted(&mut client, &headers).await;
        assert_eq!(status == StatusCode::OK, is_excused, "{forwarded:?} {want}");
    }
    let decided = decisions(&proxy.stop().await);
    let clients: Vec<&str> = decided.iter().map(|one| &*one[0]).collect();
    assert_eq!(clients, ["10.20.0.7", "192.0.2.66", "127.0.0.1"]);
    assert_eq!(upstream.only().header("x-forwarded-for"), None);
}

/// With the key anybody's events can be found; without it nothing says whose they are.
#[tokio::test]
async fn hashed_names_stand_nowhere_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("audit.key");
    std::fs::write(&key, "5e884898da28047151d0e56f8dc62927").unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let names = Naming {
        identity: Said::Hashed,
        address: Said::Hashed,
        key: Some(NameKey::read(&key).unwrap()),
    };
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, PRESS)
        .config(told_by(HERE, Some(1)))
        .config(|config| config.audit.names = names)
        .start()
        .await;
    let mut client = Client::plain(proxy.plain).await;
    for (name, address) in [
        ("press-anna", "10.20.0.7"),
        ("press-anna", "10.20.0.8"),
        ("eve", "10.20.0.7"),
        ("press-anna", "unknown"),
    ] {
        posted(&mut client, &[("X-Remote-User", name), ("X-Forwarded-For", address)]).await;
    }
    let mut operator = Client::plain(proxy.admin).await;
    for page in ["/metrics", "/status"] {
        let request = operator.request("GET", "a", page).body(Full::default()).unwrap();
        let page = operator.send(request).await;
        assert!(!page.text().contains("press-anna") && !page.text().contains("10.20.0."));
    }
    let text = proxy.stop_and_read(|file| std::fs::read_to_string(file).unwrap()).await;
    assert!(
        !text.contains("anna") && !text.contains("eve\"") && !text.contains("10.20.0."),
        "{text}"
    );
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decided = decisions(&events);
    assert_eq!(decided.len(), 3);
    assert_eq!(decided[0][1], decided[1][1]);
    assert_ne!(decided[0][1], decided[2][1]);
    assert_eq!(decided[0][0], decided[2][0]);
    assert_ne!(decided[0][0], decided[1][0]);
    assert!(decided.iter().flat_map(|one| &one[..2]).all(|hash| hash.len() == 32));
    assert_eq!(decided[0][3], "press", "groups are the policy's own words");
}

async fn socket(proxy: &Started, more: &str) -> Socket {
    let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
    let head = socket.ask(&handshake(HOST, "/", more)).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    socket
}

/// A message is its handshake's sender's.
#[tokio::test]
async fn messages_of_a_socket_are_of_who_opened_it() {
    let relay = Relay::start("").await;
    let over = Route {
        platform: "nostr".into(),
        websocket: WebSocket::Read,
        ..route(&[HOST], relay.address)
    };
    let proxy = Proxy::with_routes(vec![over])
        .policy("[replacement]", &excused(PRESS))
        .config(told_by(HERE, None))
        .start()
        .await;
    let says = json!(["EVENT", {
        "id": "43".repeat(32), "pubkey": "cd".repeat(32), "created_at": 1_790_000_000, "kind": 1,
        "tags": [], "content": SSN, "sig": "0f".repeat(64),
    }])
    .to_string();
    let mut press = socket(&proxy, "X-Remote-User: press-anna\r\n").await;
    assert!(!relay.head().to_ascii_lowercase().contains("x-remote-user"), "{}", relay.head());
    press.send(&masked(TEXT, says.as_bytes())).await;
    relay.received(1).await;
    // The relay has one at a time.
    drop(press);
    let mut other = socket(&proxy, "X-Remote-User: eve\r\nX_Remote_User: press-anna\r\n").await;
    other.send(&masked(TEXT, says.as_bytes())).await;
    assert!(other.text().await.contains("blocked"));
    drop(other);
    let decided = decisions(&proxy.stop().await);
    let verdicts: Vec<_> = decided
        .iter()
        .filter(|one| one[4] != "forward" || one[3] == "press")
        .map(|one| (&*one[1], &*one[4]))
        .collect();
    assert!(verdicts.contains(&("press-anna", "forward")), "{decided:?}");
    assert!(verdicts.contains(&("eve", "block")), "{decided:?}");
    assert!(!decided.iter().any(|one| one[1] == "eve" && one[3] == "press"), "{decided:?}");
}
