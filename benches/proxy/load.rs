//! The clients: a closed loop of posts over TLS, each sender waiting for its answer before the next post.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::{self, HOST};

/// The version of HTTP the clients speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// How many ask at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) version: Version,
    pub(crate) connections: usize,
    /// At once on each connection; 1 under HTTP/1.
    pub(crate) streams: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) n_failed: usize,
}

impl Outcome {
    /// The median and the 99th of a hundred, in microseconds.
    pub(crate) fn percentiles(mut self) -> (f64, f64) {
        self.latencies.sort_unstable();
        let at = |percent: usize| {
            self.latencies[self.latencies.len() * percent / 100].as_secs_f64() * 1e6
        };
        (at(50), at(99))
    }
}

/// Clean posts of some 300 bytes, as a Mastodon client writes them: nothing in them is anybody's.
const TEXTS: [&str; 4] = [
    "Grateful for a calm night shift and for the colleagues who brought soup. If you are thinking about nursing school, our open \
     house has coffee, honest answers and a tour of the new simulation lab \u{1f3e5}",
    "New guidance on hand hygiene is out and it reads well. Three things changed, one stayed, and the posters by the sinks will \
     follow next month. Thanks to everyone who sent comments on the draft!",
    "Our teaching rounds this week are about Parkinson's disease and what good physiotherapy adds. Slides will be on the intranet \
     afterwards, questions are welcome at any time, no matter how small they seem",
    "The garden behind the cafeteria is open again after the works. Benches, shade, and a path that is wide enough for beds. Come \
     and see it before the autumn, the roses have never looked better than now",
];

/// Opens connections, and sends one post by each sender: what it takes to get there is not measured.
pub(crate) async fn open_all(address: SocketAddr, load: Load, folder: &Path) -> Vec<Sender> {
    let mut senders = Vec::new();
    for _ in 0..load.connections {
        senders.extend(open(address, load, folder, None).await);
    }
    for sender in &mut senders {
        sender.post(0).await.expect("the first post");
    }
    senders
}

/// Sends posts for a time, each sender one after the other.
pub(crate) async fn send(senders: Vec<Sender>, time: Duration) -> Outcome {
    let end = Instant::now() + time;
    let tasks: Vec<_> =
        senders.into_iter().map(|sender| tokio::spawn(send_until(end, sender))).collect();
    let mut all = Outcome::default();
    for task in tasks {
        let outcome = task.await.unwrap();
        all.latencies.extend(outcome.latencies);
        all.n_failed += outcome.n_failed;
    }
    all
}

async fn send_until(end: Instant, mut sender: Sender) -> Outcome {
    let mut outcome = Outcome::default();
    for n in 0.. {
        let start = Instant::now();
        if start >= end {
            break;
        }
        if sender.post(n).await.is_ok() {
            outcome.latencies.push(start.elapsed());
        } else {
            outcome.n_failed += 1;
            break;
        }
    }
    outcome
}

/// Opens connections that have posted once and now wait. They come from several loopback addresses, as staff do.
pub(crate) async fn open_idle(address: SocketAddr, n: usize, folder: &Path) -> Vec<Sender> {
    let load = Load { version: Version::Http1, connections: n, streams: 1 };
    let mut idle = Vec::with_capacity(n);
    for n in 0..n {
        let source = Ipv4Addr::new(127, 0, 1, u8::try_from(1 + n / 20).unwrap());
        let mut senders = open(address, load, folder, Some(source)).await;
        senders[0].post(n).await.expect("one post on each idle connection");
        idle.append(&mut senders);
    }
    idle
}

/// Whether a TLS connection can be opened and one post is answered: what «ready» means for every contender.
pub(crate) async fn is_answered(address: SocketAddr, folder: &Path) -> bool {
    if TcpStream::connect(address).await.is_err() {
        return false;
    }
    let load = Load { version: Version::Http1, connections: 1, streams: 1 };
    open(address, load, folder, None).await[0].post(0).await.is_ok()
}

/// Sends on one connection, or on one stream of it.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    /// Posts once. An answer that is not 200 is a fault like any other: it is the contender's to explain.
    async fn post(&mut self, n: usize) -> Result<(), String> {
        let answer = match self {
            Self::Http1(sender) => {
                sender.ready().await.map_err(|error| error.to_string())?;
                let mut request = post("/api/v1/statuses", n);
                request.headers_mut().insert(header::HOST, HeaderValue::from_static(HOST));
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.send_request(post(&format!("https://{HOST}/api/v1/statuses"), n)).await
            }
        };
        let answer = answer.map_err(|error| format!("{error:?}"))?;
        if answer.status() != StatusCode::OK {
            return Err(answer.status().to_string());
        }
        answer.into_body().collect().await.map(drop).map_err(|error| error.to_string())
    }
}

fn post(target: &str, n: usize) -> Request<Full<Bytes>> {
    let text = TEXTS[n % TEXTS.len()];
    let body = format!(
        r#"{{"status":"{text}","visibility":"public","language":"en","media_ids":[],"sensitive":false}}"#
    );
    let request = Request::post(target)
        .header("user-agent", "postward-bench")
        .header("authorization", "Bearer granted")
        .header("content-type", "application/json")
        .header("accept", "application/json");
    request.body(Full::from(body)).unwrap()
}

async fn open(
    address: SocketAddr,
    load: Load,
    folder: &Path,
    source: Option<Ipv4Addr>,
) -> Vec<Sender> {
    match load.version {
        Version::Http1 => {
            let stream = connect(address, b"http/1.1", folder, source).await;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            vec![Sender::Http1(sender)]
        }
        Version::Http2 => {
            let stream = connect(address, b"h2", folder, source).await;
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            std::iter::repeat_with(|| Sender::Http2(sender.clone())).take(load.streams).collect()
        }
    }
}

async fn connect(
    address: SocketAddr,
    alpn: &[u8],
    folder: &Path,
    source: Option<Ipv4Addr>,
) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(source) = source {
        socket.bind(SocketAddr::from((source, 0))).unwrap();
    }
    let stream = socket.connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let connector = TlsConnector::from(certificate::client(folder, alpn));
    let stream = connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn), "the version of HTTP asked for");
    stream
}
