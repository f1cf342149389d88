//! Clients that hold connections open: what each kind says before it falls silent.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Running;
use crate::certificate::{self, HOST};

/// One kind of client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    name: &'static str,
    tls: Option<&'static str>,
    says: Says,
    /// Of so many connections asked for, one is opened.
    of: usize,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    HalfHead,
    /// One request, answered; then nothing.
    Request,
    /// A head that promises so many bytes, and so many of them.
    Body {
        promised: usize,
        sent: usize,
    },
    /// The greeting of HTTP/2, and so many streams.
    Streams(usize, Stream),
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    /// A post with so many bytes of a body, and no end.
    Post(usize),
    /// A request whose answer there is no window for.
    Get,
}

const H1: Option<&str> = Some("http/1.1");
const H2: Option<&str> = Some("h2");

pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "TCP, silent", tls: None, says: Says::Nothing, of: 1 },
    Kind { name: "TLS, silent", tls: H1, says: Says::Nothing, of: 1 },
    Kind { name: "half a head", tls: None, says: Says::HalfHead, of: 1 },
    Kind { name: "kept alive after an answer", tls: None, says: Says::Request, of: 1 },
    Kind { name: "TLS, kept alive after an answer", tls: H1, says: Says::Request, of: 1 },
    Kind {
        name: "200 bytes of a body of 10 KB",
        tls: None,
        says: Says::Body { promised: 10_000, sent: 200 },
        of: 1,
    },
    Kind {
        name: "20 KB of a body of 16 MB",
        tls: None,
        says: Says::Body { promised: 16_000_000, sent: 20_000 },
        of: 1,
    },
    Kind { name: "HTTP/2, greeted", tls: H2, says: Says::Streams(0, Stream::Get), of: 1 },
    Kind {
        name: "HTTP/2, 100 posts of 10 bytes without an end",
        tls: H2,
        says: Says::Streams(100, Stream::Post(10)),
        of: 10,
    },
    Kind {
        name: "HTTP/2, 100 posts of 10 KB without an end",
        tls: H2,
        says: Says::Streams(100, Stream::Post(10_000)),
        of: 10,
    },
    Kind {
        name: "HTTP/2, 100 answers of 100 KB that nobody takes",
        tls: H2,
        says: Says::Streams(100, Stream::Get),
        of: 10,
    },
];

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line for S {}

/// Opens them all, and says what the program takes with them.
pub(crate) async fn measure(kind: &Kind, running: &Running, n: usize) {
    let before = running.memory_mib();
    let alpn = kind.tls.unwrap_or_default();
    let config = certificate::client(&running.folder, alpn.as_bytes());
    let n = n / kind.of;
    let mut open = Vec::with_capacity(n);
    for _ in 0..n {
        let mut line = connect(kind, running, &config).await;
        // One that is refused and closed stays closed: that, too, is measured.
        let _ = speak(&mut line, kind.says).await;
        open.push(line);
    }
    // What was sent is read, and what waits has been turned away.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let with = running.memory_mib();
    let n_requests = match kind.says {
        Says::Streams(n_streams, _) => n_streams * n,
        Says::Nothing | Says::HalfHead => 0,
        Says::Request | Says::Body { .. } => n,
    };
    println!(
        "| {} | {n} | {n_requests} | {before:.0} MiB | {with:.0} MiB | {:.1} KiB |",
        kind.name,
        (with - before) * 1024.0 / n as f64
    );
}

async fn connect(kind: &Kind, running: &Running, config: &Arc<ClientConfig>) -> Box<dyn Line> {
    if kind.tls.is_none() {
        return Box::new(TcpStream::connect(running.plain).await.unwrap());
    }
    let tcp = TcpStream::connect(running.tls).await.unwrap();
    let name = ServerName::try_from(HOST).unwrap();
    Box::new(TlsConnector::from(Arc::clone(config)).connect(name, tcp).await.unwrap())
}

async fn speak(line: &mut Box<dyn Line>, says: Says) -> std::io::Result<()> {
    match says {
        Says::Nothing => {}
        Says::HalfHead => {
            line.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nA: ").as_bytes()).await?;
        }
        Says::Request => {
            let post = post(2);
            line.write_all(format!("{post}{{}}").as_bytes()).await?;
            let mut answer = [0; 15];
            line.read_exact(&mut answer).await?;
        }
        Says::Body { promised, sent } => {
            line.write_all(post(promised).as_bytes()).await?;
            line.write_all(&vec![b' '; sent]).await?;
        }
        Says::Streams(n, stream) => {
            line.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
            // No window for the answers of any stream.
            line.write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])).await?;
            for id in (1..).step_by(2).take(n) {
                streams(line, id, stream).await?;
            }
        }
    }
    line.flush().await
}

async fn streams(line: &mut Box<dyn Line>, id: u32, stream: Stream) -> std::io::Result<()> {
    match stream {
        Stream::Get => line.write_all(&frame(1, 5, id, &head("GET"))).await,
        Stream::Post(n) => {
            line.write_all(&frame(1, 4, id, &head("POST"))).await?;
            // A hundred of these are within the window of a connection.
            line.write_all(&frame(0, 0, id, &vec![b' '; n])).await
        }
    }
}

fn post(length: usize) -> String {
    format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Headers as literals, never indexed.
fn head(method: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in [
        (":method", method),
        (":scheme", "https"),
        (":authority", HOST),
        (":path", "/api/v1/statuses"),
        ("content-type", "application/json"),
    ] {
        bytes.push(0x10);
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}
