//! Pictures, films and documents through the real proxy: what leaves of them under each word of the policy.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use std::net::SocketAddr;

use http::StatusCode;
use postward::config::Route;
use serde_json::Value;

use crate::support::proxy::{HOST, Started, route};
use crate::support::socket::Socket;
use crate::support::{Client, Proxy, Upstream};

const BSKY: &str = "bsky.example";
const BLOB: &str = "/xrpc/com.atproto.repo.uploadBlob";
const FORM: &str = "multipart/form-data; boundary=b";
const CAPTION: &str = "MRN 00412345, seen on the ward";
/// The compressed picture.
const SCAN: &[u8] = b"\x12\xff\x00\xff\xd0\x99pixels";

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

/// A JPEG of this many bytes of picture, with these segments before it.
pub(crate) fn jpeg(segments: &[u8], n_pixels: usize) -> Vec<u8> {
    let pixels = SCAN.iter().copied().cycle().take(n_pixels / SCAN.len() * SCAN.len() + SCAN.len());
    let mut out = b"\xff\xd8".to_vec();
    out.extend_from_slice(segments);
    out.extend(segment(0xdb, &[7; 65]));
    out.extend(segment(0xc0, b"\x08\0\x01\0\x01\x01\x01\x11\0"));
    out.extend(segment(0xc4, &[3; 28]));
    out.extend(segment(0xda, b"\x01\x01\0\0\x3f\0"));
    out.extend(pixels);
    out.extend_from_slice(b"\xff\xd9");
    out
}

/// EXIF with a description, and a place: 40.71278 north, 74.006 west.
fn exif() -> Vec<u8> {
    let text = [CAPTION.as_bytes(), b"\0"].concat();
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02\x01\x0e\0\x02".to_vec();
    tiff.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
    tiff.extend_from_slice(&38_u32.to_be_bytes());
    let gps_at = u32::try_from(38 + text.len()).unwrap();
    tiff.extend_from_slice(b"\x88\x25\0\x04\0\0\0\x01");
    tiff.extend_from_slice(&gps_at.to_be_bytes());
    tiff.extend_from_slice(&[0; 4]);
    assert_eq!(tiff.len(), 38);
    tiff.extend(text);
    tiff.extend_from_slice(b"\0\x04\0\x01\0\x02\0\0\0\x02N\0\0\0\0\x02\0\x05\0\0\0\x03");
    tiff.extend_from_slice(&(gps_at + 54).to_be_bytes());
    tiff.extend_from_slice(b"\0\x03\0\x02\0\0\0\x02W\0\0\0\0\x04\0\x05\0\0\0\x03");
    tiff.extend_from_slice(&(gps_at + 78).to_be_bytes());
    tiff.extend_from_slice(&[0; 4]);
    for number in [40_u32, 1, 42, 1, 4600, 100, 74, 1, 0, 1, 2160, 100] {
        tiff.extend_from_slice(&number.to_be_bytes());
    }
    segment(0xe1, &[b"Exif\0\0".as_slice(), &tiff].concat())
}

fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length[..], &kind, content].concat()
}

/// A film of this length with its place in it, as phones write it: the description behind the pictures.
pub(crate) fn film(n_pixels: usize) -> Vec<u8> {
    let place = boxed(*b"udta", &boxed(*b"\xa9xyz", b"\0\x12\x15\xc7+40.7128-074.0060/"));
    let movie = [boxed(*b"mvhd", &[0; 100]), place].concat();
    [
        boxed(*b"ftyp", b"isom\0\0\x02\0isommp42"),
        boxed(*b"mdat", &SCAN.repeat(n_pixels / SCAN.len())),
        boxed(*b"moov", &movie),
    ]
    .concat()
}

pub(crate) fn part(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

pub(crate) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let text = b"--b\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\nthe lobby\r\n";
    [&text[..], &parts.concat(), b"--b--\r\n"].concat()
}

async fn start(upstream: &Upstream, media: &str) -> Started {
    let to = |hosts: &[&str], platform: &str, address: SocketAddr| Route {
        platform: platform.into(),
        ..route(hosts, address)
    };
    Proxy::with_routes(vec![
        to(&[HOST], "mastodon", upstream.address),
        to(&[BSKY], "bluesky", upstream.address),
        to(&["api.x.example"], "x", upstream.address),
        to(&["pins.example"], "pinterest", upstream.address),
        to(&["files.slack.example"], "slack", upstream.address),
        to(&["blog.example"], "wordpress", upstream.address),
    ])
    .policy("default = \"strip-metadata\"\n", media)
    .start()
    .await
}

const STRIP: &str = "default = \"strip-metadata\"\n";
const ALLOW: &str = "default = \"allow\"\n";

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn decision(events: &[Value], n: usize) -> &Value {
    events.iter().filter(|event| event["event"] == "decision").nth(n).unwrap()
}

#[tokio::test]
async fn a_picture_leaves_without_what_its_camera_wrote() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let full =
        [jpeg(&[exif(), segment(0xfe, b"a comment")].concat(), 100), b"tail".to_vec()].concat();
    let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", full.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap();
    let bare = jpeg(b"", 100);
    assert_eq!(received.body, bare);
    assert_eq!(received.header("content-length"), Some(bare.len().to_string().as_str()));
    // Without metadata, it is the very bytes; in a form the same, and what says it is nothing is a picture all the same.
    let reply = client.send(client.post(BSKY, BLOB, "*/*", bare.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.received().pop().unwrap().body, bare);
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let body = form(&[part("holiday.txt", &full), part("b.jpg", &bare)]);
    let reply = client.send(client.post(HOST, "/api/v2/media", FORM, body)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let want = form(&[part("holiday.txt", &bare), part("b.jpg", &bare)]);
    assert!(upstream.received().pop().unwrap().body == want);
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 0)["metadata-stripped"], true);
    assert_eq!(decision(&events, 0)["unjudged-media"], true);
    assert_eq!(decision(&events, 1)["metadata-stripped"], Value::Null);
    assert_eq!(decision(&events, 2)["verdict"], "redact");
    assert!(!events.iter().any(|event| event.to_string().contains("00412345")));
}

#[tokio::test]
async fn a_picture_in_json_is_encoded_again() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, "pins.example").await;
    let body = |picture: &[u8]| {
        serde_json::json!({ "board_id": "549755885175", "title": "the lobby", "media_source": {
            "source_type": "image_base64", "content_type": "image/jpeg", "data": base64(picture) } })
        .to_string()
    };
    let request =
        client.post("pins.example", "/v5/pins", "application/json", body(&jpeg(&exif(), 100)));
    let reply = client.send(request).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.only().body, body(&jpeg(b"", 100)));
    proxy.stop().await;
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for n in 0..4 {
            out.push(if n > three.len() {
                '='
            } else {
                char::from(DIGITS[bits >> (18 - 6 * n) & 63])
            });
        }
    }
    out
}

#[tokio::test]
async fn where_pictures_pass_as_they_are_their_words_are_read() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, ALLOW).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let captioned = jpeg(&exif(), 100);
    let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", captioned.clone())).await;
    assert!(
        reply.status.is_client_error() && reply.text().contains("record number"),
        "{}",
        reply.text()
    );
    for picture in [
        jpeg(&segment(0xfe, CAPTION.as_bytes()), 100),
        [jpeg(b"", 100), CAPTION.as_bytes().to_vec()].concat(),
    ] {
        let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", picture)).await;
        assert!(reply.status.is_client_error(), "{}", reply.text());
    }
    assert_eq!(upstream.n_begun(), 0);
    let harmless = jpeg(&segment(0xfe, b"made with care by a camera"), 100);
    let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", harmless.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.only().body, harmless);
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 0)["findings"][0]["field"], "media:#0");
    // The place is a finding, too; a place alone speaks of no patient.
    let found = decision(&events, 0)["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["rule"] == "location-position"), "{found:?}");
}

#[tokio::test]
async fn words_that_would_be_redacted_go_with_all_that_is_beside_the_picture() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::with_routes(vec![Route {
        platform: "bluesky".into(),
        ..route(&[BSKY], upstream.address)
    }])
    .policy("default = \"strip-metadata\"\n", ALLOW)
    .policy("context = \"care\"\n", "")
    .start()
    .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let picture = jpeg(&segment(0xfe, b"write to rosalind.hartwell@mail.example"), 100);
    let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", picture)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.only().body, jpeg(b"", 100));
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 0)["metadata-stripped"], true);
}

#[tokio::test]
async fn documents_do_not_leave_whatever_they_are_called() {
    let upstream = Upstream::start().await;
    let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0\0\0\0\0"].concat();
    let headless = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x16\0UI\x1a\0".to_vec();
    let documents = [
        b"%PDF-1.7\n\0\xff".to_vec(),
        [&[b' '; 900][..], b"%PDF-1.7\n\0"].concat(),
        dicom,
        headless,
        b"PK\x03\x04\x14\0\0\0".to_vec(),
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0".to_vec(),
    ];
    for media in [STRIP, ALLOW] {
        let proxy = start(&upstream, media).await;
        let mut bsky = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
        let mut toot = Client::tls(proxy.tls, &proxy.authority, HOST).await;
        let mut pins = Client::tls(proxy.tls, &proxy.authority, "pins.example").await;
        for document in &documents {
            let pin = serde_json::json!({ "media_source": { "data": base64(&[document.as_slice(), &[0; 64]].concat()) } });
            let replies = [
                bsky.send(bsky.post(BSKY, BLOB, "image/jpeg", document.clone())).await,
                toot.send(toot.post(
                    HOST,
                    "/api/v2/media",
                    FORM,
                    form(&[part("holiday.jpg", document)]),
                ))
                .await,
                pins.send(pins.post(
                    "pins.example",
                    "/v5/pins",
                    "application/json",
                    pin.to_string(),
                ))
                .await,
            ];
            for reply in replies {
                assert!(reply.status.is_client_error(), "{document:?}");
                let shown = reply.text();
                assert!(shown.contains("documents such as PDF may not be sent"), "{shown}");
            }
        }
        // Behind a picture: dropped, or refused.
        let both = [jpeg(b"", 2000), b"%PDF-1.7 hidden".to_vec()].concat();
        let n_before = upstream.n_begun();
        let reply = bsky.send(bsky.post(BSKY, BLOB, "image/jpeg", both)).await;
        if media == STRIP {
            assert_eq!(upstream.received().pop().unwrap().body, jpeg(b"", 2000));
        } else {
            assert!(reply.status.is_client_error());
            assert_eq!(upstream.n_begun(), n_before);
        }
        proxy.stop().await;
    }
    let proxy =
        Proxy::to(&upstream).policy("documents = \"block\"", "documents = \"allow\"").start().await;
    let mut toot = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let body = form(&[part("leaflet.pdf", b"%PDF-1.7\n\0\xff")]);
    let reply = toot.send(toot.post(HOST, "/api/v2/media", FORM, body.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.received().pop().unwrap().body, body);
    proxy.stop().await;
}

#[tokio::test]
async fn long_documents_do_not_stream_where_what_is_unreadable_goes_on() {
    let upstream = Upstream::start().await;
    let forwarding = || {
        Proxy::to(&upstream).policy(r#"on-unreadable = "block""#, r#"on-unreadable = "forward""#)
    };
    let proxy = forwarding().start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let dicom = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0\0\0\0\0"].concat();
    let long = |start: &[u8]| [start, &vec![0; 200_000]].concat();
    for start in [b"%PDF-1.7\n".as_slice(), b"PK\x03\x04\x14\0", &dicom[..]] {
        for path in ["/api/v2/media", "/api/v1/statuses"] {
            let kind = "application/octet-stream";
            let reply = client.send(client.post(HOST, path, kind, long(start))).await;
            assert!(reply.status.is_client_error(), "{path} {start:?}");
            // Nor where the client waits for our word before it sends any of it.
            let mut waiting = Socket::plain(proxy.plain).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\n\
                 Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n"
            );
            let mut answer = waiting.ask(&head).await;
            if answer.starts_with("HTTP/1.1 100 ") {
                waiting.send(&long(start)[..4200]).await;
                answer = waiting.ask("").await;
            }
            assert!(answer.starts_with("HTTP/1.1 4"), "{path} {start:?}\n{answer}");
        }
    }
    assert_eq!(upstream.n_begun(), 0);
    // What is none goes on, as the policy says.
    let other = long(b"\x01\x02 something else");
    let reply = client.send(client.post(HOST, "/api/v1/statuses", "x/y", other.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(upstream.only().body == other);
    proxy.stop().await;

    let allowing = forwarding().policy("documents = \"block\"", "documents = \"allow\"");
    let proxy = allowing.start().await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let pdf = long(b"%PDF-1.7\n");
    let reply = client.send(client.post(HOST, "/api/v1/statuses", "x/y", pdf.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(upstream.received().pop().unwrap().body == pdf);
    proxy.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_apart_does_not_leave() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let whole = jpeg(&exif(), 100);
    let tiff = &exif()[10..];
    let nested = [&whole[..whole.len() - 2], b"\xff\xd8\xff\xd9"].concat();
    for (name, broken) in
        [("cut off", &whole[..whole.len() - 20]), ("TIFF", tiff), ("nested", &nested)]
    {
        let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", broken.to_vec())).await;
        assert!(reply.status.is_client_error(), "{name}");
        // Other pictures may be sent, and the sentence must not deny it.
        let shown = reply.text();
        assert!(shown.contains("cannot be cleaned of hidden data; save it anew"), "{shown}");
        assert!(shown.contains("Nothing was sent") && !shown.contains("pictures"), "{shown}");
    }
    assert_eq!(upstream.n_begun(), 0);
    let events = proxy.stop().await;
    for n in 0..3 {
        assert_eq!(decision(&events, n)["reason"], "media");
    }
}

#[tokio::test]
async fn a_digest_of_a_picture_is_put_right_and_a_signed_one_stops_it() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let post = |client: &Client, headers: &[(&'static str, &'static str)]| {
        let mut request = client.post(BSKY, BLOB, "image/jpeg", jpeg(&exif(), 100));
        for (name, value) in headers {
            request.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        request
    };
    let reply = client
        .send(post(&client, &[("content-digest", "sha-256=:b2xk:"), ("content-md5", "b2xk")]))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap();
    assert_eq!(received.body, jpeg(b"", 100));
    assert_eq!(received.header("content-md5"), None);
    assert_ne!(received.header("content-digest"), Some("sha-256=:b2xk:"));
    let signed = [
        ("content-digest", "sha-256=:b2xk:"),
        ("signature-input", "sig=(\"content-digest\");keyid=\"a\""),
        ("signature", "sig=:b2xk:"),
    ];
    let reply = client.send(post(&client, &signed)).await;
    assert!(reply.status.is_client_error(), "{}", reply.text());
    assert_eq!(upstream.n_begun(), 1);
    proxy.stop().await;
}

#[tokio::test]
async fn a_length_that_was_told_before_stays() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let full = jpeg(&exif(), 100);
    // A piece of X's that is the whole picture.
    let mut client = Client::tls(proxy.tls, &proxy.authority, "api.x.example").await;
    let append = |file: &[u8], n: u8| {
        let field = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .into_bytes()
        };
        let media = [b"--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"blob\"\r\nContent-Type: application/octet-stream\r\n\r\n", file, b"\r\n--b--\r\n"].concat();
        [
            field("command", "APPEND"),
            field("media_id", "710511363345354753"),
            field("segment_index", &n.to_string()),
            media,
        ]
        .concat()
    };
    let path = "/1.1/media/upload.json";
    let reply = client.send(client.post("api.x.example", path, FORM, append(&full, 0))).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap().body;
    assert_eq!(received.len(), append(&full, 0).len());
    assert!(!holds(&received, b"00412345") && holds(&received, SCAN));
    // One that is not, first or later, is not known to be clean.
    for (n, piece) in [&full[..full.len() - 30], &full[full.len() - 30..]].into_iter().enumerate() {
        let n = u8::try_from(n).unwrap();
        let reply = client.send(client.post("api.x.example", path, FORM, append(piece, n))).await;
        assert!(reply.status.is_client_error(), "{n}: {}", reply.text());
        assert!(reply.text().contains("files in pieces may not be sent"), "{}", reply.text());
    }
    // Slack hears the length first, and gets the bytes then.
    let mut slack = Client::tls(proxy.tls, &proxy.authority, "files.slack.example").await;
    let form_type = "application/x-www-form-urlencoded";
    let reply = slack
        .send(slack.post("files.slack.example", "/upload/v1/abc", form_type, full.clone()))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap().body;
    assert!(
        received.len() == full.len() && !holds(&received, b"00412345") && holds(&received, SCAN)
    );
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 1)["reason"], "media-piece");
    let proxy = Proxy::with_routes(vec![Route {
        platform: "x".into(),
        ..route(&["api.x.example"], upstream.address)
    }])
    .policy("pieces = \"block\"", "pieces = \"allow\"")
    .start()
    .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, "api.x.example").await;
    let reply = client
        .send(client.post("api.x.example", path, FORM, append(&full[..full.len() - 30], 0)))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap().body;
    assert!(
        !holds(&received, b"00412345")
            && received.len() == append(&full[..full.len() - 30], 0).len()
    );
    proxy.stop().await;
}

#[tokio::test]
async fn a_long_film_is_overwritten_as_it_passes() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let long = film(400_000);
    let reply = client.send(client.post(BSKY, BLOB, "video/mp4", long.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap();
    let described = long.len() - boxed(*b"udta", &boxed(*b"\xa9xyz", &[0; 22])).len();
    assert_eq!(received.body.len(), long.len());
    assert!(received.body[..described] == long[..described]);
    assert!(!holds(&received.body, b"40.7128") && !holds(&received.body, b"xyz"));
    assert_eq!(received.header("content-length"), Some(long.len().to_string().as_str()));
    // A short one the same, and a picture that is too long to be held is refused.
    let short = film(1000);
    let reply = client.send(client.post(BSKY, BLOB, "video/mp4", short.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(!holds(&upstream.received().pop().unwrap().body, b"40.7128"));
    let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", jpeg(&exif(), 200_000))).await;
    assert!(reply.status.is_client_error());
    assert_eq!(upstream.n_begun(), 2);
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 0)["metadata-stripped"], true);
}

#[tokio::test]
async fn what_claims_to_be_a_form_streams_only_where_files_are_taken_as_they_are() {
    const CLAIM: &str = "application/x-www-form-urlencoded";
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    let long = film(400_000);
    let reply = client.send(client.post(BSKY, BLOB, CLAIM, long.clone())).await;
    assert!(reply.status.is_client_error(), "{}", reply.text());
    assert_eq!(upstream.n_begun(), 0);
    let host = "files.slack.example";
    let mut client = Client::tls(proxy.tls, &proxy.authority, host).await;
    let reply = client.send(client.post(host, "/upload/v1/abc", CLAIM, long.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(upstream.received().pop().unwrap().body.len(), long.len());
    proxy.stop().await;
}

#[tokio::test]
async fn long_files_in_a_form_are_stripped_in_the_spool() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let (picture, long) = (jpeg(&exif(), 50_000), film(400_000));
    let body =
        form(&[part("a.jpg", &picture), part("b.mp4", &long), part("c.jpg", &jpeg(&exif(), 100))]);
    let reply = client.send(client.post(HOST, "/api/v2/media", FORM, body.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let received = upstream.received().pop().unwrap();
    assert!(!holds(&received.body, b"00412345") && !holds(&received.body, b"40.7128"));
    // The long ones keep their length; the short one is cut as ever.
    let gone = exif().len();
    assert_eq!(received.body.len(), body.len() - gone);
    let pixels = jpeg(b"", 50_000);
    assert!(holds(&received.body, &pixels[2..]));
    assert_eq!(received.header("content-length"), Some(received.body.len().to_string().as_str()));
    // One of them that cannot be taken apart stops all of it, words included.
    let broken = [&picture[..20_000], &[0xff, 0xd8][..], &picture[20_000..]].concat();
    let body = form(&[part("a.jpg", &broken), part("b.mp4", &long)]);
    let reply = client.send(client.post(HOST, "/api/v2/media", FORM, body)).await;
    assert!(reply.status.is_client_error(), "{}", reply.text());
    assert_eq!(upstream.n_begun(), 1);
    let events = proxy.stop().await;
    assert_eq!(decision(&events, 0)["metadata-stripped"], true);
}

#[tokio::test]
async fn monitoring_leaves_pictures_alone() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::with_routes(vec![Route {
        platform: "bluesky".into(),
        ..route(&[BSKY], upstream.address)
    }])
    .policy("mode = \"enforce\"", "mode = \"monitor\"")
    .start()
    .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, BSKY).await;
    for picture in [jpeg(&exif(), 100), film(400_000)] {
        let reply = client.send(client.post(BSKY, BLOB, "image/jpeg", picture.clone())).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert!(upstream.received().pop().unwrap().body == picture);
    }
    proxy.stop().await;
}

/// Editors paste pictures into the words: there, a plus is a digit of the picture and no blank of a form.
#[tokio::test]
async fn pictures_pasted_into_words_go_on_as_they_are() {
    let upstream = Upstream::start().await;
    let proxy = start(&upstream, STRIP).await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let picture = |segments: &[u8], n_pixels: usize| {
        let whole = jpeg(segments, n_pixels);
        base64(&[&whole[..whole.len() - 2], &[0xfb, 0xef, 0xbe].repeat(9), b"\xff\xd9"].concat())
    };
    let (short, other, long) = (picture(b"", 60), picture(b"", 61), picture(b"", 20_000));
    assert!(short.contains("++++"));
    for words in [
        format!("<p>Hi</p><img src=\"data:image/jpeg;base64,{short}\"/>"),
        format!("<img src='data:image/jpeg;base64,{short}'>"),
        format!("<p>Hi&nbsp;you</p><img alt=\"50%25\" src=\"data:image/jpeg;base64,{short}\">"),
        format!(
            "<img src=\"data:image/jpeg;base64,{short}\"><img\nsrc=\"data:image/jpeg;base64,{other}\">"
        ),
        format!("![lobby](data:image/jpeg;base64,{short})"),
        format!("<p>Hi</p><img src=\"data:image/jpeg;base64,{long}\"/>"),
    ] {
        let post = serde_json::json!({ "status": words }).to_string();
        let reply = client
            .send(client.post(HOST, "/api/v1/statuses", "application/json", post.clone()))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{} for {:.90}", reply.text(), words);
        assert!(upstream.received().pop().unwrap().body == post.as_bytes());
    }
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAP0lEQVR4nAE0AMv/AHlCvfIhBvCEd2Lw8wDLTXZNxwcgURWaD4kA8sbayuNEuzESRf1vAITfmtfFs9B2rA6PU4eKGYNqI6fbAAAAAElFTkSuQmCC";
    let mut blog = Client::tls(proxy.tls, &proxy.authority, "blog.example").await;
    let content = format!("<p>Hi</p><img src=\"data:image/png;base64,{png}\"/>");
    let post = serde_json::json!({ "title": "Hi", "content": content }).to_string();
    let path = "/wp-json/wp/v2/posts";
    let reply = blog.send(blog.post("blog.example", path, "application/json", post.clone())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(upstream.received().pop().unwrap().body == post.as_bytes());
    let n_begun = upstream.n_begun();
    let full = picture(&exif(), 60);
    let cut = short.get(..short.len() - 40).unwrap();
    for (words, why) in [
        (format!("<img src=\"data:image/jpeg;base64,{full}\"/>"), "that cannot be taken out here"),
        (
            format!("<img src=\"data:image/jpeg;base64,{cut}\"/>"),
            "cannot be cleaned of hidden data",
        ),
        (format!("<img src=\"data:image/jpeg;base64,{short}\"/>&b=MRN+00412345,+seen"), ""),
    ] {
        let post = serde_json::json!({ "status": words }).to_string();
        let reply =
            client.send(client.post(HOST, "/api/v1/statuses", "application/json", post)).await;
        assert!(reply.status.is_client_error() && reply.text().contains(why), "{}", reply.text());
    }
    assert_eq!(upstream.n_begun(), n_begun);
    proxy.stop().await;
}
