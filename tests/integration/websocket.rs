//! `WebSocket`s over real sockets: what the client, the platform and the audit trail each see.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::time::Duration;

use flate2::Compression;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use postward::config::{Route, UpstreamAddress, WebSocket};
use postward::proxy::tls::Authority;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::support::client::shake;
use crate::support::proxy::{Started, route};
use crate::support::socket::{
    BINARY, CLOSE, DEFLATED, Deflater, PING, PONG, Relay, Socket, TEXT, bare, frames, handshake,
    header, inflate_all, masked,
};
use crate::support::{Client, Proxy};

const HOST: &str = "relay.example";
const ID: &str = "4376c65d2f232afbe9b882a35baa4f6fe8667c4e684749af565f981833ed6a65";
const SSN: &str = "her SSN is 078-05-1120, please call back";
const HARMLESS: &str = "flu shots are available in the lobby today";
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

fn reading(platform: &str, relay: &Relay) -> Route {
    Route { platform: platform.into(), websocket: WebSocket::Read, ..route(&[HOST], relay.address) }
}

fn event(kind: u16, content: &str) -> String {
    let signature = "0f".repeat(64);
    json!(["EVENT", {
        "id": ID, "pubkey": "cd".repeat(32), "created_at": 1_790_000_000, "kind": kind,
        "tags": [["t", "ward"]], "content": content, "sig": signature,
    }])
    .to_string()
}

/// A proxy to a relay of Nostr, and a socket through it.
async fn open(relay: &Relay, more: &str) -> (Started, Socket) {
    let proxy = Proxy::with_routes(vec![reading("nostr", relay)]).start().await;
    let socket = socket(&proxy, more).await;
    (proxy, socket)
}

async fn socket(proxy: &Started, more: &str) -> Socket {
    let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
    let head = socket.ask(&handshake(HOST, "/", more)).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    socket
}

fn decisions(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "decision").collect()
}

/// Of messages only: endpoint, verdict.
fn rulings(events: &[Value]) -> Vec<(String, String)> {
    let said = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let of_messages = |event: &&Value| event["method"] == "WEBSOCKET";
    let decisions = decisions(events).into_iter().filter(of_messages);
    decisions.map(|event| (said(event, "endpoint"), said(event, "verdict"))).collect()
}

#[tokio::test]
async fn a_clean_event_arrives_byte_for_byte_and_a_blocked_one_is_answered() {
    let relay = Relay::start("").await;
    let (proxy, mut socket) = open(&relay, "").await;
    let request = masked(TEXT, br#"["REQ","a",{"kinds":[1],"search":"078-05-1120"}]"#);
    let clean = masked(TEXT, event(1, HARMLESS).as_bytes());
    socket.send(&request).await;
    socket.send(&masked(TEXT, event(1, SSN).as_bytes())).await;
    let answer: Value = serde_json::from_str(&socket.text().await).unwrap();
    assert_eq!((&answer[0], &answer[1], &answer[2]), (&json!("OK"), &json!(ID), &json!(false)));
    let sentence = answer[3].as_str().unwrap();
    assert!(sentence.starts_with("blocked: Blocked by hospital policy"), "{sentence}");
    // The socket lives on.
    socket.send(&clean).await;
    assert_eq!(relay.received(2).await, [request, clean].concat());
    relay.send(bare(TEXT, br#"["OK","a",true,""]"#));
    assert_eq!(socket.text().await, r#"["OK","a",true,""]"#);
    socket.send(&masked(CLOSE, &[3, 232])).await;
    let last = frames(&relay.received(3).await).pop().unwrap();
    assert_eq!(last, (CLOSE, vec![3, 232]));
    relay.send(bare(CLOSE, &[3, 232]));
    assert_eq!(socket.frame().await, Some((CLOSE, vec![3, 232])));
    assert_eq!(socket.frame().await, None);

    let events = proxy.stop().await;
    let endpoint = "WEBSOCKET /** 0=EVENT".to_owned();
    let want = [(endpoint.clone(), "block".into()), (endpoint, "forward".into())];
    assert_eq!(rulings(&events), want);
    let forwarded = decisions(&events).into_iter().rfind(|it| it["verdict"] == "forward").unwrap();
    let outcomes: Vec<_> = events.iter().filter(|it| it["id"] == forwarded["id"]).collect();
    assert_eq!(outcomes[1]["outcome"], "sent");
    assert!(sentence.contains(decisions(&events)[0]["ref"].as_str().unwrap()));
    assert!(!format!("{events:?}").contains("078-05"));
}

#[tokio::test]
async fn what_cannot_be_redacted_or_read_is_blocked() {
    let relay = Relay::start("").await;
    let (proxy, mut socket) = open(&relay, "").await;
    let named = "Saw my patient Jane Hartwell today, she is doing well after surgery";
    let profile = json!({ "name": "ward 5", "about": SSN }).to_string();
    let without_id = event(1, SSN).replace(ID, "4376</b>");
    let tagged = event(1, "x").replace("\"ward\"", &format!("\"{SSN}\""));
    let auth = event(1, SSN).replace("EVENT", "AUTH");
    let twice = event(1059, SSN).replace("\"kind\":1059", "\"kind\":1059,\"kind\":1");
    let ok = json!(["OK", ID, false]);
    let no_id = json!(["OK", "", false]);
    for (first, message, want) in [
        (TEXT, event(1, named), &ok),
        (TEXT, event(0, &profile), &ok),
        (TEXT, tagged, &ok),
        (TEXT, without_id, &no_id),
        // Of a kind that is encrypted, and is not.
        (TEXT, event(4, SSN), &ok),
        (TEXT, twice, &ok),
        (TEXT, auth, &json!(["NOTICE"])),
        (TEXT, event(1, HARMLESS) + "]", &json!(["NOTICE"])),
        (TEXT, SSN.into(), &json!(["NOTICE"])),
        (BINARY, event(1, HARMLESS), &json!(["NOTICE"])),
    ] {
        socket.send(&masked(first, message.as_bytes())).await;
        let answer: Value = serde_json::from_str(&socket.text().await).unwrap();
        let begins = want.as_array().unwrap();
        assert_eq!(answer.as_array().unwrap()[..begins.len()], begins[..], "{message}");
        let sentence = answer.as_array().unwrap().last().unwrap().as_str().unwrap();
        assert!(sentence.starts_with("blocked: "), "{sentence}");
    }
    assert_eq!(relay.so_far(), b"");
    // What nobody here can read passes, if it is what its kind says.
    let noise: Vec<u8> =
        (0..64_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let sealed = format!("{}?iv={}", base64(&noise), base64(&noise[..16]));
    let sealed = masked(TEXT, event(4, &sealed).as_bytes());
    let auth = masked(TEXT, event(22_242, "").replace("EVENT", "AUTH").as_bytes());
    socket.send(&sealed).await;
    socket.send(&auth).await;
    assert_eq!(relay.received(2).await, [sealed, auth].concat());
    drop(socket);
    let events = proxy.stop().await;
    assert_eq!(rulings(&events).iter().filter(|(_, verdict)| verdict == "block").count(), 10);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for n in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize]);
            out.push(if n > three.len() { '=' } else { digit });
        }
    }
    out
}

#[tokio::test]
async fn fragments_are_read_as_one_and_control_frames_carry_nothing_up() {
    let relay = Relay::start("").await;
    let (proxy, mut socket) = open(&relay, "").await;
    let blocked = event(1, SSN);
    let (head, tail) = blocked.as_bytes().split_at(blocked.find("078-05").unwrap() + 4);
    socket.send(&masked(0x01, head)).await;
    socket.send(&masked(PING, b"MRN 00412345")).await;
    assert_eq!(socket.frame().await, Some((PONG, b"MRN 00412345".to_vec())));
    socket.send(&masked(0x80, tail)).await;
    assert!(socket.text().await.starts_with(r#"["OK""#));

    let clean = event(1, HARMLESS);
    let pieces = [
        masked(0x01, &clean.as_bytes()[..30]),
        masked(0x00, b""),
        masked(0x80, &clean.as_bytes()[30..]),
    ];
    socket.send(&pieces.concat()).await;
    relay.send(bare(PING, b"are you there"));
    assert_eq!(socket.frame().await, Some((PING, b"are you there".to_vec())));
    for pong in [&b"MRN 00412345"[..], b"are you there", b"are you there"] {
        socket.send(&masked(PONG, pong)).await;
    }
    socket.send(&masked(CLOSE, b"\x03\xe8patient MRN 00412345")).await;
    let received = relay.received(8).await;
    let at = received.windows(pieces.concat().len()).position(|some| some == pieces.concat());
    assert!(at.is_some(), "fragments as they came");
    let control: Vec<_> =
        frames(&received).into_iter().filter(|(first, _)| first & 8 != 0).collect();
    let want = [
        (PING, vec![]),
        (PONG, vec![]),
        (PONG, b"are you there".to_vec()),
        (PONG, vec![]),
        (CLOSE, vec![3, 232]),
    ];
    assert_eq!(control, want);
    relay.send(bare(CLOSE, &[3, 232]));
    assert_eq!(socket.frame().await, Some((CLOSE, vec![3, 232])));
    proxy.stop().await;
}

/// What `check` calls enough for a body of `max-body` is enough for a message.
#[tokio::test]
async fn the_least_memory_is_enough_for_the_longest_message() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .config(|config| {
            config.max_body = 1280 << 10;
            config.edge.inspect_memory = 28 << 20;
            config.timeouts.busy = Duration::from_millis(100);
        })
        .start()
        .await;
    let clean = format!("{}{}", event(1, HARMLESS), " ".repeat(1_200_000));
    let (one, other) = clean.as_bytes().split_at(900_000);
    for frames in [
        masked(TEXT, clean.as_bytes()),
        [masked(0x01, one), masked(0x00, b""), masked(0x80, other)].concat(),
    ] {
        let mut socket = socket(&proxy, "").await;
        socket.send(&frames).await;
        socket.send(&masked(PING, b"done")).await;
        assert_eq!(socket.frame().await, Some((PONG, b"done".to_vec())));
    }
    proxy.stop().await;
}

#[tokio::test]
async fn compressed_messages_are_read_and_go_on_as_they_came() {
    // The platform would let the client refer to earlier messages, and reads with one window for all.
    let relay = Relay::start("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)]).start().await;
    let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
    let head = socket.ask(&handshake(HOST, "/", DEFLATE)).await;
    assert_eq!(
        header(&head, "sec-websocket-extensions").as_deref(),
        Some("permessage-deflate; client_no_context_takeover")
    );
    let mut deflater = Deflater::new(false);
    let clean = [event(1, HARMLESS), event(1, "and tomorrow, too")];
    let sent = clean.each_ref().map(|text| deflater.deflate(text.as_bytes()));
    socket.send(&masked(TEXT | DEFLATED, &sent[0])).await;
    socket.send(&masked(TEXT | DEFLATED, &deflater.deflate(event(1, SSN).as_bytes()))).await;
    assert!(socket.text().await.starts_with(r#"["OK""#));
    // In fragments, too; and a message that is not compressed.
    let (head, tail) = sent[1].split_at(9);
    socket.send(&masked(0x01 | DEFLATED, head)).await;
    socket.send(&masked(0x80, tail)).await;
    socket.send(&masked(TEXT, clean[0].as_bytes())).await;
    let received = frames(&relay.received(4).await);
    let joined = [&received[1].1[..], &received[2].1].concat();
    assert_eq!(inflate_all(&[&received[0].1, &joined]), clean);
    assert_eq!(received[3], (TEXT, clean[0].clone().into_bytes()));
    // What the platform compresses streams down untouched, ours beside it.
    let down = bare(TEXT | DEFLATED, &Deflater::new(true).deflate(br#"["NOTICE","hello"]"#));
    relay.send(down.clone());
    let (first, payload) = socket.frame().await.unwrap();
    assert_eq!(bare(first, &payload), down);
    drop(socket);
    proxy.stop().await;
}

#[tokio::test]
async fn compression_that_hides_or_explodes_closes_the_socket() {
    let relay = Relay::start("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .config(|config| config.body_limits.max_decoded = 1 << 20)
        .start()
        .await;
    // A client that refers to earlier messages all the same.
    let mut client = socket(&proxy, DEFLATE).await;
    let mut deflater = Deflater::new(true);
    let first = masked(TEXT | DEFLATED, &deflater.deflate(event(1, HARMLESS).as_bytes()));
    client.send(&first).await;
    let again = deflater.deflate(event(1, HARMLESS).as_bytes());
    client.send(&masked(TEXT | DEFLATED, &again)).await;
    assert_eq!(client.close_code().await, Some(1007));
    // A bomb.
    let mut client = socket(&proxy, DEFLATE).await;
    let mut bomb = flate2::Compress::new(Compression::best(), false);
    let mut sent = Vec::with_capacity(1 << 20);
    bomb.compress_vec(&vec![b'a'; 32 << 20], &mut sent, flate2::FlushCompress::Sync).unwrap();
    client.send(&masked(TEXT | DEFLATED, &sent)).await;
    assert_eq!(client.close_code().await, Some(1009));
    let went: Vec<_> =
        frames(&relay.so_far()).into_iter().filter(|(first, _)| first & 8 == 0).collect();
    assert_eq!(went.len(), 1, "only the first message");
    let events = proxy.stop().await;
    let faults: Vec<_> =
        decisions(&events).iter().filter_map(|event| event["fault"].as_str()).collect();
    assert_eq!(
        faults,
        [
            "unreadable: compressed body is damaged or truncated",
            "unreadable: body is larger than the limit"
        ]
    );
}

#[tokio::test]
async fn clients_that_break_the_protocol_are_closed() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .config(|config| {
            config.max_body = 8192;
            config.timeouts.body = Duration::from_millis(200);
        })
        .start()
        .await;
    let clean = event(1, HARMLESS);
    let clean = clean.as_bytes();
    for (name, bytes, want) in [
        ("unmasked", bare(TEXT, clean), 1002),
        ("compressed unasked", masked(TEXT | DEFLATED, clean), 1002),
        ("reserved bit", masked(TEXT | 0x20, clean), 1002),
        ("unknown kind", masked(0x83, clean), 1002),
        ("long control frame", masked(PING, &[b'a'; 126]), 1002),
        ("fragmented control frame", masked(0x09, b"a"), 1002),
        ("continuation of nothing", masked(0x80, clean), 1002),
        ("message within another", [masked(0x01, b"["), masked(TEXT, clean)].concat(), 1002),
        (
            "length not the shortest",
            vec![0x81, 0xfe, 0, 5, 0, 0, 0, 0, b'a', b'b', b'c', b'd', b'e'],
            1002,
        ),
        (
            "endless length",
            vec![0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            1009,
        ),
        ("longer than the limit", masked(TEXT, &[b'a'; 9000]), 1009),
        ("too many fragments", [masked(0x01, b"["), masked(0x00, b"").repeat(2000)].concat(), 1009),
        ("text that is none", masked(TEXT, b"[\"EVENT\",\"\xff\"]"), 1007),
        ("code that may not be sent", masked(CLOSE, &[3, 237]), 1002),
        ("half a code", masked(CLOSE, &[3]), 1002),
        ("reason that is no text", masked(CLOSE, b"\x03\xe8\xff"), 1002),
        ("half a message", masked(TEXT, clean)[..20].to_vec(), 1008),
    ] {
        let mut client = socket(&proxy, "").await;
        client.send(&bytes).await;
        assert_eq!(client.close_code().await, Some(want), "{name}");
    }
    let went = frames(&relay.so_far());
    assert!(went.iter().all(|frame| *frame == (CLOSE, vec![3, 233])), "{went:?}");
    proxy.stop().await;
}

#[tokio::test]
async fn ours_stand_between_the_platforms_messages() {
    let relay = Relay::start("").await;
    let (proxy, mut socket) = open(&relay, "").await;
    relay.send(bare(0x01, b"[\"NOTI"));
    assert_eq!(socket.frame().await, Some((0x01, b"[\"NOTI".to_vec())));
    socket.send(&masked(TEXT, event(1, SSN).as_bytes())).await;
    socket.send(&masked(PING, b"x")).await;
    // Two halves of a frame, and a pong between frames.
    assert_eq!(socket.frame().await, Some((PONG, b"x".to_vec())));
    let rest = bare(0x80, b"CE\",\"hello\"]");
    relay.send(rest[..5].to_vec());
    relay.send(rest[5..].to_vec());
    assert_eq!(socket.frame().await, Some((0x80, b"CE\",\"hello\"]".to_vec())));
    assert!(socket.text().await.starts_with(r#"["OK""#));
    // A platform that cannot be followed is let go.
    relay.send(masked(TEXT, b"x"));
    assert_eq!(socket.frame().await, None);
    proxy.stop().await;
}

#[tokio::test]
async fn a_socket_needs_a_route_a_handshake_and_a_platform_that_agrees() {
    let relay = Relay::start("").await;
    let refusing = Route { hosts: vec!["closed.example".into()], ..route(&[], relay.address) };
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay), refusing]).start().await;
    for (request, status) in [
        (handshake("closed.example", "/", ""), "403"),
        (handshake(HOST, "/", "").replace("Version: 13", "Version: 8"), "400"),
        (handshake(HOST, "/", "").replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIA=="), "400"),
        (handshake(HOST, "/", "").replace("GET", "POST"), "400"),
        (handshake(HOST, "/", "Content-Length: 3\r\n"), "400"),
        // Under that method the platform's file speaks of messages.
        (format!("WEBSOCKET / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"), "405"),
        // What its address says is read as ever.
        (handshake(HOST, "/?note=her+SSN+is+078-05-1120", ""), "403"),
    ] {
        let mut socket = Socket::plain(proxy.plain).await;
        let head = socket.ask(&request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{head}");
        // Whatever follows is no request.
        socket.send(&masked(TEXT, event(1, HARMLESS).as_bytes())).await;
    }
    assert_eq!(relay.n_heads(), 0);
    let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
    let connect = http::Request::connect(HOST).body(Full::default()).unwrap();
    assert_eq!(client.send(connect).await.status, 405);
    proxy.stop().await;

    let agrees =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for (answer, want) in [
        (format!("{agrees}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"), "502"),
        (format!("{agrees}\r\n"), "502"),
        (
            format!(
                "{agrees}Sec-WebSocket-Accept: PROOF\r\nSec-WebSocket-Extensions: x-other\r\n\r\n"
            ),
            "502",
        ),
        (
            format!(
                "{agrees}Sec-WebSocket-Accept: PROOF\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
            ),
            "502",
        ),
        (
            format!("{agrees}Sec-WebSocket-Accept: PROOF\r\nSec-WebSocket-Protocol: other\r\n\r\n"),
            "502",
        ),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nX-Why: token\r\n\r\n".into(), "401"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno".into(), "200"),
    ] {
        let relay = Relay::answering(move |proof| answer.replace("PROOF", proof)).await;
        let proxy = Proxy::with_routes(vec![reading("nostr", &relay)]).start().await;
        let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
        // Frames that follow at once wait for the handshake, and go nowhere without one.
        let early = masked(TEXT, event(1, HARMLESS).as_bytes());
        let early = [handshake(HOST, "/", "").as_bytes(), &early].concat();
        socket.send(&early).await;
        let head = socket.ask("").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {want} ")), "{head}");
        assert_eq!(relay.so_far(), b"");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn the_handshake_passes_on_what_is_the_clients_and_has_keys_of_its_own() {
    let relay =
        Relay::start("Sec-WebSocket-Protocol: v2\r\nSet-Cookie: a=1\r\nAlt-Svc: h3\r\n").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)]).start().await;
    let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
    let more = "Origin: https://client.example\r\nCookie: s=1\r\nSec-WebSocket-Protocol: v1, v2\r\n\
                Sec-WebSocket-Extensions: x-webkit-deflate-frame, permessage-deflate; mux\r\n";
    let head = socket.ask(&handshake(HOST, "/sub?token=t", more)).await;
    for (name, want) in [
        ("sec-websocket-accept", Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
        ("sec-websocket-protocol", Some("v2")),
        ("set-cookie", Some("a=1")),
        ("alt-svc", None),
        ("sec-websocket-extensions", None),
    ] {
        assert_eq!(header(&head, name).as_deref(), want, "{name}");
    }
    let head = relay.head();
    assert!(head.starts_with("GET /sub?token=t HTTP/1.1\r\n"), "{head}");
    for (name, want) in [
        ("host", Some(HOST)),
        ("origin", Some("https://client.example")),
        ("cookie", Some("s=1")),
        ("sec-websocket-protocol", Some("v1, v2")),
        ("sec-websocket-extensions", None),
        ("upgrade", Some("websocket")),
    ] {
        assert_eq!(header(&head, name).as_deref(), want, "{name}");
    }
    assert_ne!(header(&head, "sec-websocket-key").unwrap(), "dGhlIHNhbXBsZSBub25jZQ==");
    drop(socket);
    proxy.stop().await;
}

#[tokio::test]
async fn a_stop_closes_both_sides() {
    let relay = Relay::start("").await;
    let (proxy, mut client) = open(&relay, "").await;
    let mut admin = Client::plain(proxy.admin).await;
    let ask = admin.request("GET", "a", "/metrics").body(Full::default()).unwrap();
    let metrics = admin.send(ask).await;
    assert!(metrics.text().contains("\npostward_websockets 1\n"), "{}", metrics.text());
    drop(admin);
    let stopping = tokio::spawn(proxy.stop());
    assert_eq!(client.close_code().await, Some(1001));
    assert_eq!(frames(&relay.received(1).await), [(CLOSE, vec![3, 233])]);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_silent_socket_is_closed() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .config(|config| config.timeouts.answer_idle = Duration::from_millis(100))
        .start()
        .await;
    let mut client = socket(&proxy, "").await;
    assert_eq!(client.close_code().await, Some(1001));
    // Its platform goes without a word, and so do we.
    proxy.stop().await;
}

#[tokio::test]
async fn monitoring_forwards_and_writes_down() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .policy(r#"mode = "enforce""#, r#"mode = "monitor""#)
        .start()
        .await;
    let mut client = socket(&proxy, "").await;
    let blocked = masked(TEXT, event(1, SSN).as_bytes());
    client.send(&blocked).await;
    assert_eq!(relay.received(1).await, blocked);
    drop(client);
    let events = proxy.stop().await;
    assert_eq!(rulings(&events)[0].1, "block");
}

#[tokio::test]
async fn a_document_as_a_message_is_blocked_where_what_is_unreadable_goes_on() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("nostr", &relay)])
        .policy(r#"on-unreadable = "block""#, r#"on-unreadable = "forward""#)
        .start()
        .await;
    let mut client = socket(&proxy, "").await;
    client.send(&masked(BINARY, b"%PDF-1.7\n\0\xff")).await;
    let answer: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(answer[0], "NOTICE");
    let other = masked(BINARY, b"\x01\x02 something else");
    client.send(&other).await;
    assert_eq!(relay.received(1).await, other);
    let events = proxy.stop().await;
    let verdicts: Vec<_> = rulings(&events).into_iter().map(|(_, verdict)| verdict).collect();
    assert_eq!(verdicts, ["block", "forward"]);
}

#[tokio::test]
async fn a_call_whose_answer_is_rewritten_opens_no_socket() {
    let session = r#"{"did":"did:plc:a","didDoc":{"service":[]},"accessJwt":"a"}"#;
    let length = session.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{session}");
    let relay = Relay::answering(move |_| answer.clone()).await;
    let proxy = Proxy::with_routes(vec![reading("bluesky", &relay)]).start().await;
    for (path, status) in [
        ("/xrpc/com.atproto.server.getSession", "400"),
        ("/xrpc/com.atproto.server.getSession?a=b", "400"),
        ("/xrpc/com.atproto.sync.subscribeRepos", "200"),
    ] {
        let mut socket = Socket::tls(proxy.tls, &proxy.authority, HOST).await;
        let head = socket.ask(&handshake(HOST, path, "")).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}\n{head}");
        assert!(status == "200" || !head.contains("didDoc"), "{head}");
    }
    assert_eq!(relay.n_heads(), 1);
    proxy.stop().await;
}

#[tokio::test]
async fn sockets_of_other_platforms_are_read_too() {
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("discord", &relay)])
        .policy("context = \"care\"\n", "")
        .start()
        .await;
    let mut client = socket(&proxy, "").await;
    let heartbeat = masked(TEXT, br#"{"op":1,"d":251}"#);
    client.send(&heartbeat).await;
    let status = |words: &str| {
        json!({ "op": 3, "d": { "since": null, "afk": false, "status": "online",
            "activities": [{ "name": "Custom Status", "type": 4, "state": words }] } })
        .to_string()
    };
    client.send(&masked(TEXT, status("write to rosalind.hartwell@mail.example").as_bytes())).await;
    let received = frames(&relay.received(2).await);
    assert_eq!(received[0].1, br#"{"op":1,"d":251}"#);
    assert_eq!(received[1], (TEXT, status("write to [email]").into_bytes()));
    // What the file does not name is read, and closes the socket: the platform has no answer for it.
    client.send(&masked(TEXT, json!({ "op": 99, "d": SSN }).to_string().as_bytes())).await;
    assert_eq!(client.close_code().await, Some(1008));
    let events = proxy.stop().await;
    let want = [("WEBSOCKET /** op=3", "redact"), ("unknown", "block")];
    assert_eq!(rulings(&events), want.map(|(one, two)| (one.to_owned(), two.to_owned())));

    // A platform whose file says nothing of messages.
    let relay = Relay::start("").await;
    let proxy = Proxy::with_routes(vec![reading("generic", &relay)]).start().await;
    let mut client = socket(&proxy, "").await;
    let clean = [masked(TEXT, b"h"), masked(TEXT, br#"{"type":"connect"}"#), masked(TEXT, b"")];
    client.send(&clean.concat()).await;
    assert_eq!(relay.received(3).await, clean.concat());
    client.send(&masked(TEXT, format!("42[\"say\",\"{SSN}\"]").as_bytes())).await;
    assert_eq!(client.close_code().await, Some(1008));
    proxy.stop().await;
}

/// A client and a server that others wrote, over TLS on both sides; the platform would rather speak HTTP/2.
#[tokio::test]
async fn stock_libraries_speak_through() {
    let authority = Authority::generate("Platforms' CA", &[]).unwrap();
    let scratch = tempfile::TempDir::new().unwrap();
    let roots = scratch.path().join("roots.pem");
    std::fs::write(&roots, authority.certificate_pem()).unwrap();
    let leaf = authority.mint("localhost").unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain, leaf.key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let stream = tls.accept(tcp).await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let mut heard = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = &message {
                heard.push(text.to_string());
                socket.send(Message::text(r#"["OK","a",true,""]"#)).await.unwrap();
            }
        }
        heard
    });
    let route = Route {
        hosts: vec![HOST.into()],
        platform: "nostr".into(),
        upstream: Some(UpstreamAddress { tls: true, host: "localhost".into(), port }),
        websocket: WebSocket::Read,
    };
    let proxy = Proxy::with_routes(vec![route])
        .config(|config| config.upstream.extra_roots = Some(roots))
        .start()
        .await;
    let stream = shake(proxy.tls, &proxy.authority, HOST, &["http/1.1"]).await.unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("wss://{HOST}/"), stream).await.unwrap();
    let long = event(30_023, &format!("{HARMLESS}. ").repeat(700));
    for (text, want) in
        [(event(1, HARMLESS), "true"), (event(1, SSN), "false"), (long.clone(), "true")]
    {
        socket.send(Message::text(text)).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(answer.contains(want), "{answer}");
    }
    socket.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("x".into()));
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    assert_eq!(echo.await.unwrap(), [event(1, HARMLESS), long]);
    proxy.stop().await;
}
