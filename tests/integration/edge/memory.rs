//! The budget for posts, and clients that would use it up: what is answered, and that it is given back.

use std::time::Duration;

use http::Response;
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw_h2::{DATA, END_HEADERS, END_STREAM, Fate, HEADERS, RST_STREAM, Raw, block, frame};
use crate::media::film;
use crate::support::client::raw;
use crate::support::proxy::{HOST, Started};
use crate::support::{Client, Proxy, Upstream};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(100);
const HARMLESS: &str = "the ward was calm";

/// A proxy with so little memory that a body of 12 KiB is all that one address may hold of what is small.
async fn narrow(upstream: &Upstream, busy: Duration) -> Started {
    Proxy::to(upstream)
        .policy(r#"on-unreadable = "block""#, r#"on-unreadable = "forward""#)
        .config(|config| {
            config.edge.inspect_memory = 1 << 20;
            config.timeouts.body = LONG;
            config.timeouts.busy = busy;
        })
        .start()
        .await
}

/// A head that promises a body of 12 KiB, and its first bytes.
async fn stall(proxy: &Started) -> TcpStream {
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
         Content-Length: 12288\r\n\r\n{{\"sta"
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    // It has been let in once memory is set aside for it.
    while number(proxy, "postward_inspect_memory_bytes{for=\"hold\"}").await == 0 {
        tokio::task::yield_now().await;
    }
    tcp
}

async fn number(proxy: &Started, name: &str) -> u64 {
    let mut admin = Client::plain(proxy.admin).await;
    let ask = admin.request("GET", "a", "/metrics").body(Full::default()).unwrap();
    let metrics = admin.send(ask).await;
    let line = metrics.text().lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_post_without_memory_is_refused_as_its_platform_would_and_written_down() {
    let upstream = Upstream::start().await;
    let proxy = narrow(&upstream, SHORT).await;
    let stalled = stall(&proxy).await;
    let mut client = Client::plain(proxy.plain).await;
    let reply = client.toot(HOST, HARMLESS).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("too many posts are being checked"), "{}", reply.text());
    assert_eq!(reply.header("retry-after"), None);
    assert_eq!(number(&proxy, "postward_busy_total").await, 1);
    assert_eq!(upstream.n_begun(), 0);
    // What asks for no body is served all the same, and everything once the memory is given back.
    let get = client.request("GET", HOST, "/api/v1/timelines/home").body(Full::default()).unwrap();
    assert_eq!(client.send(get).await.status, 200);
    drop(stalled);
    while number(&proxy, "postward_inspect_memory_bytes{for=\"hold\"}").await != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    assert_eq!(upstream.n_begun(), 2);
    let events = proxy.stop().await;
    let busy = events.iter().find(|event| event.to_string().contains("busy")).unwrap();
    assert_eq!(busy["verdict"], "block", "{busy}");
    assert_eq!(busy["client"], "127.0.0.1", "{busy}");
}

#[tokio::test]
async fn who_dribbles_gives_way_to_who_waits() {
    let upstream = Upstream::start().await;
    let proxy = narrow(&upstream, LONG).await;
    let mut stalled = stall(&proxy).await;
    let mut client = Client::plain(proxy.plain).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    // The one that gave way hears so once it has sent the rest.
    let rest = vec![b' '; 12288 - 5];
    stalled.write_all(&rest).await.unwrap();
    let mut answer = [0; 12];
    stalled.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 422");
    assert_eq!(upstream.n_begun(), 1);
}

#[tokio::test]
async fn a_body_without_a_length_loses_against_the_budget() {
    let upstream = Upstream::start().await;
    let proxy = narrow(&upstream, SHORT).await;
    let _stalled = stall(&proxy).await;
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let body = format!("4\r\n{{\"a\"\r\n{:x}\r\n{}\r\n0\r\n\r\n", 40_000, " ".repeat(40_000));
    let answer = raw(proxy.plain, format!("{head}{body}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert_eq!(upstream.n_begun(), 0);
}

/// What `check` calls enough for a body of `max-body`, on a proxy that has nothing else to do.
#[tokio::test]
async fn the_least_memory_is_enough_for_the_longest_body_however_it_comes() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .config(|config| {
            config.max_body = 1280 << 10;
            config.edge.inspect_memory = 28 << 20;
            config.timeouts.busy = SHORT;
        })
        .start()
        .await;
    let (fill, calm) = (" ".repeat(1_200_000), "{\"status\":\"calm\"}");
    let json = format!("{calm}{fill}");
    let part = "--b\r\nContent-Disposition: form-data; name=";
    // Longer than may be held, and so its film is spooled.
    let opening = format!("{part}\"file\"; filename=\"a.mp4\"\r\nContent-Type: video/mp4\r\n\r\n");
    let text = format!("\r\n{part}\"status\"\r\n\r\ncalm{fill}\r\n--b--\r\n");
    let form = [opening.as_bytes(), &film(1 << 20), text.as_bytes()].concat();
    for (kind, body) in
        [("application/json", json.into_bytes()), ("multipart/form-data; boundary=b", form)]
    {
        let head = format!(
            "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\n\
             Connection: close\r\n"
        );
        let n = body.len();
        let length = format!("{head}Content-Length: {n}\r\n\r\n");
        let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n{n:x}\r\n");
        for (before, after) in [(&length, &b""[..]), (&chunk, b"\r\n0\r\n\r\n")] {
            let ask = [before.as_bytes(), &body, after].concat();
            let answer = raw(proxy.plain, &ask).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{before}: {answer}");
        }
    }
    assert_eq!(number(&proxy, "postward_busy_total").await, 0);
}

/// A listener without clients takes no place from another, and one whose client waits for a place still hears of the end.
#[tokio::test]
async fn places_are_for_connections_and_not_for_listeners() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::to(&upstream)
        .config(|config| {
            config.edge.connections = 1;
            config.timeouts.body = LONG;
        })
        .start()
        .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    drop(client);
    let mut client = Client::plain(proxy.plain).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    drop(client);
    let mut first = stall(&proxy).await;
    let mut waiting = TcpStream::connect(proxy.plain).await.unwrap();
    // As soon as the end is announced the door is shut, whoever still has a place.
    let stopping = tokio::spawn(proxy.stop());
    let mut nothing = Vec::new();
    let _ = waiting.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    let rest = vec![b' '; 12288 - 5];
    first.write_all(&rest).await.unwrap();
    let mut answer = Vec::new();
    first.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 "));
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_long_body_may_take_its_time_if_it_comes() {
    let upstream = Upstream::start().await;
    for (rate, status) in [(1, "200"), (1 << 20, "422")] {
        let proxy = Proxy::to(&upstream)
            .config(|config| {
                config.timeouts.body = Duration::from_millis(300);
                config.timeouts.refused = SHORT;
                config.edge.body_rate = rate;
            })
            .start()
            .await;
        let (mut from, mut to) = TcpStream::connect(proxy.plain).await.unwrap().into_split();
        let body = format!("{{\"status\":\"{}\"}}", "calm ".repeat(6));
        let head = format!(
            "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        to.write_all(head.as_bytes()).await.unwrap();
        let sending = tokio::spawn(async move {
            // Longer than a pause may be, in all, and no pause so long.
            for byte in body.bytes() {
                if to.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            to
        });
        let mut answer = String::new();
        let _ = from.read_to_string(&mut answer).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let _ = sending.await;
    }
    assert_eq!(upstream.n_begun(), 1);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_let_go() {
    let upstream = Upstream::answering(|_| {
        Response::new(Full::new(bytes::Bytes::from(vec![b'x'; 300_000])).boxed())
    })
    .await;
    let proxy = Proxy::to(&upstream)
        .config(|config| config.timeouts.answer_idle = Duration::from_millis(300))
        .start()
        .await;
    let mut raw = Raw::connect(&proxy).await;
    let get = block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/timelines/home"),
    ]);
    // A window for the connection and none for the streams.
    raw.send(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
    for id in [1, 3, 5] {
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, id, &get)).await;
        assert_eq!(raw.fate(id).await, Fate::Status(200));
    }
    while number(&proxy, "postward_in_flight").await != 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Another answer on the same connection is whole, and the one let go is broken off.
    raw.send(&frame(8, 0, 3, &100_000_u32.to_be_bytes())).await;
    assert_eq!(raw.end_of(3).await, RST_STREAM);
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 7, &get)).await;
    raw.send(&frame(8, 0, 7, &400_000_u32.to_be_bytes())).await;
    raw.send(&frame(8, 0, 0, &400_000_u32.to_be_bytes())).await;
    assert_eq!(raw.end_of(7).await, DATA);
}

#[tokio::test]
async fn a_client_that_only_listens_is_answered() {
    let upstream = Upstream::answering(|_| {
        Response::new(Full::new(bytes::Bytes::from(vec![b'x'; 3_000_000])).boxed())
    })
    .await;
    let proxy = Proxy::to(&upstream).start().await;
    let body = format!("{{\"status\":\"{HARMLESS}\"}}");
    let post = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let get = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let last = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    for (request, n_answers) in
        [(post.clone(), 1), (get.clone(), 1), (last.clone(), 1), (format!("{post}{get}{last}"), 3)]
    {
        let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        tcp.shutdown().await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.matches("HTTP/1.1 200 ").count(), n_answers);
        assert!(answer.len() > n_answers * 3_000_000, "{}", answer.len());
    }
    // Half a request is none, whoever listens.
    for half in [&get.as_bytes()[..20], &post.as_bytes()[..post.len() - 2]] {
        let before = upstream.n_begun();
        let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
        tcp.write_all(half).await.unwrap();
        tcp.shutdown().await.unwrap();
        let mut answer = String::new();
        let _ = tcp.read_to_string(&mut answer).await;
        assert!(!answer.contains("200"), "{answer}");
        assert_eq!(upstream.n_begun(), before);
    }
}

#[tokio::test]
async fn a_client_that_only_listens_is_not_waited_for_for_ever() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route = crate::support::proxy::route(&[HOST], silent.local_addr().unwrap());
    let proxy = Proxy::with_routes(vec![route])
        .config(|config| config.timeouts.answer = SHORT)
        .start()
        .await;
    let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
    tcp.write_all(format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    tcp.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer).await;
    assert_eq!(number(&proxy, "postward_in_flight").await, 0);
}

/// The program by itself, so that nothing of the test is in what is measured.
#[cfg(target_os = "linux")]
mod alone {
    use std::fs;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::SocketAddr;
    use std::process::{Child, Command, Stdio};

    use futures_util::future::join_all;
    use serde_json::Value;
    use tempfile::TempDir;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;

    use crate::support::Upstream;
    use crate::support::client::raw;
    use crate::support::proxy::HOST;

    /// What five hundred clients may take, generously: they take about a tenth of it.
    const MOST_OF_CLIENTS: u64 = 96 << 20;
    /// What a dozen bombs may take at once: each may come to a hundred times its length.
    const MOST_OF_BOMBS: u64 = 256 << 20;

    struct Alone {
        child: Child,
        plain: SocketAddr,
        _folder: TempDir,
    }

    impl Alone {
        fn start(upstream: &Upstream) -> Self {
            let folder = TempDir::new().unwrap();
            let config = format!(
                "[[listener]]\naddress = \"127.0.0.1:0\"\n\
                 [[route]]\nhosts = [\"{HOST}\"]\nplatform = \"mastodon\"\nupstream = \"http://{}\"\n\
                 [audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n[timeouts]\nhead = \"1 h\"\nbody = \"1 h\"\n",
                upstream.address
            );
            let path = folder.path().join("postward.toml");
            fs::write(&path, config).unwrap();
            let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
                .args(["serve", "--log-format", "json", "--config"])
                .arg(&path)
                .env_remove("POSTWARD_LOG")
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let ready = lines
                .find_map(|line| {
                    let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
                    (line["message"] == "ready").then_some(line)
                })
                .unwrap();
            std::thread::spawn(move || lines.for_each(drop));
            let plain = ready["listening"].as_str().unwrap().trim_matches(['[', ']']);
            Self { plain: plain.parse().unwrap(), child, _folder: folder }
        }

        /// Resident memory now (`VmRSS`), or the most there was (`VmHWM`), in bytes.
        fn memory(&self, key: &str) -> u64 {
            let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            let kib: u64 =
                line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap();
            kib << 10
        }
    }

    impl Drop for Alone {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn post(headers: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\
             Content-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn neither_clients_that_hold_on_nor_bombs_fill_memory() {
        let upstream = Upstream::start().await;
        let proxy = Alone::start(&upstream);
        let harmless = post("", br#"{"status":"all calm"}"#);
        assert!(raw(proxy.plain, &harmless).await.starts_with("HTTP/1.1 200 "));

        let before = proxy.memory("VmRSS");
        let head = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\nA: ");
        let promise = post("", &[b' '; 15_000]);
        let mut open = Vec::new();
        for half in [head.as_bytes(), &promise[..promise.len() - 14_000]] {
            for _ in 0..250 {
                let mut tcp = TcpStream::connect(proxy.plain).await.unwrap();
                tcp.write_all(half).await.unwrap();
                open.push(tcp);
            }
        }
        // Served behind them, so they have all been heard.
        assert!(raw(proxy.plain, &harmless).await.starts_with("HTTP/1.1 200 "));
        let grown = proxy.memory("VmRSS").saturating_sub(before);
        assert!(grown < MOST_OF_CLIENTS, "{} KiB for 500 clients", grown >> 10);
        drop(open);

        let before = proxy.memory("VmHWM");
        let text = format!("{{\"status\":\"{}\"}}", "a".repeat(64 << 20));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(text.as_bytes()).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(text.as_bytes()).unwrap();
        let bombs = [
            post("Content-Encoding: gzip\r\n", &gzip.finish().unwrap()),
            post("Content-Encoding: deflate\r\n", &zlib.finish().unwrap()),
            post("Content-Encoding: zstd\r\n", &zstd::encode_all(text.as_bytes(), 3).unwrap()),
        ];
        let all = bombs.iter().cycle().take(12).map(|bomb| raw(proxy.plain, bomb));
        for answer in join_all(all).await {
            assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
        }
        let grown = proxy.memory("VmHWM").saturating_sub(before);
        assert!(grown < MOST_OF_BOMBS, "{} KiB for 12 bombs", grown >> 10);
        assert_eq!(upstream.n_begun(), 2);
    }
}
