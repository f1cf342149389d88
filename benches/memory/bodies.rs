//! Bodies that are costly to read, each of one kind over its whole length.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Running;
use crate::certificate::HOST;

pub(crate) struct Body {
    name: &'static str,
    content_type: &'static str,
    headers: &'static str,
    bytes: Vec<u8>,
    /// The length of what is read.
    n_read: usize,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Most strings of one body.
const FIELDS: usize = 199_000;

pub(crate) fn all(n: usize) -> Vec<Body> {
    let text = |unit: &str| wrapped("{\"status\":\"", unit, "", n, usize::MAX, "\"}");
    let fields = |unit: &str| wrapped("{\"status\":\"a\",\"a\":[", unit, ",", n, FIELDS, "]}");
    let mut all: Vec<Body> = [
        ("prose", text("the ward was calm today and everyone went home ")),
        ("letters apart", text("a b c d e f ")),
        ("names", text("Mr. Jane Roe and Dr. John Smith ")),
        ("labelled SSNs", text("ssn 987-65-4321 ")),
        ("mail addresses", text("a@b.co ")),
        ("IP addresses", text("ip 192.0.2.4 ")),
        ("telephone numbers", text("call 555-0100 ")),
        ("dates of care", text("patient seen 3/4/19 ")),
        ("marks of HTML", text("<b>x</b>&amp;")),
        ("escapes", text("\\u0061")),
        ("short fields", fields("\"a\"")),
        ("fields of IP addresses", fields("\"192.0.2.4\"")),
        (
            "captions",
            wrapped(
                "{\"status\":\"a\",\"media_attributes\":[",
                "{\"description\":\"jane roe\"}",
                ",",
                n,
                FIELDS / 2,
                "]}",
            ),
        ),
        ("arrays in arrays", fields("[[[[\"a\"]]]]")),
        ("keys", wrapped("{\"status\":\"a\",", "\"a\":\"pt jane roe\"", ",", n, FIELDS / 2, "}")),
    ]
    .into_iter()
    .map(|(name, bytes)| Body { name, content_type: JSON, headers: "", n_read: bytes.len(), bytes })
    .collect();
    let form = wrapped("status=a", "&status=jane+roe", "", n, FIELDS / 2, "");
    let n_read = form.len();
    all.push(Body {
        name: "form of short fields",
        content_type: FORM,
        headers: "",
        bytes: form,
        n_read,
    });
    for (name, unit) in [("gzip of one letter", "a"), ("gzip of SSNs", "ssn 987-65-4321 ")] {
        let text = text(unit);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&text).unwrap();
        let bytes = encoder.finish().unwrap();
        let headers = "Content-Encoding: gzip\r\n";
        all.push(Body { name, content_type: JSON, headers, bytes, n_read: text.len() });
    }
    all
}

/// So many of `unit` as fit into `n` bytes, and as may be.
fn wrapped(start: &str, unit: &str, between: &str, n: usize, most: usize, end: &str) -> Vec<u8> {
    let times = (n / (unit.len() + between.len())).min(most).max(1);
    let mut bytes = start.as_bytes().to_vec();
    bytes.extend_from_slice(vec![unit; times].join(between).as_bytes());
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

pub(crate) async fn measure(body: &Body, running: &Running) {
    running.forget_peak();
    let (before, began) = (running.memory_mib(), Instant::now());
    let status = post(running.plain, body.content_type, body.headers, &body.bytes).await;
    let peak = running.peak_mib() - before;
    let mib = body.n_read as f64 / f64::from(1 << 20);
    println!(
        "| {} | {mib:.2} | {status} | {peak:.0} | {:.0} | {:.1} |",
        body.name,
        peak / mib,
        began.elapsed().as_secs_f64()
    );
    eprintln!("{}: done", body.name);
}

/// Sends a post on a connection of its own; gives the status of its answer.
pub(crate) async fn post(
    address: SocketAddr,
    content_type: &str,
    headers: &str,
    body: &[u8],
) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         {headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    let status = answer.get(9..12).unwrap_or_default().to_vec();
    String::from_utf8(status).unwrap()
}
