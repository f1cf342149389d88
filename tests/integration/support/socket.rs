//! `WebSocket`s by hand, a client's and a platform's: every bit of a frame is the test's own, and what no library would
//! send.
#![expect(clippy::expect_used, reason = "a test that waits in vain has failed")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use postward::proxy::tls::Authority;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::support::client::shake;

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
/// The bit of a compressed message.
pub(crate) const DEFLATED: u8 = 0x40;

const PATIENCE: Duration = Duration::from_secs(20);

/// A frame, masked as a client's is.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = head(first, payload.len(), 0x80);
    frame.extend_from_slice(&KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame as a platform's.
pub(crate) fn bare(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..=125 => head.push(mask | u8::try_from(length).unwrap()),
        126..=0xffff => {
            head.push(mask | 0x7e);
            head.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            head.push(mask | 0x7f);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head
}

/// The frames that some bytes are: first byte and payload of each that is whole.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((frame, n)) = frame(bytes) {
        frames.push(frame);
        bytes = &bytes[n..];
    }
    frames
}

fn frame(bytes: &[u8]) -> Option<((u8, Vec<u8>), usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, mut at) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())), 4),
        127 => (
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap())).unwrap(),
            10,
        ),
        short => (usize::from(short), 2),
    };
    let key: [u8; 4] = if second & 0x80 == 0 {
        [0; 4]
    } else {
        at += 4;
        bytes.get(at - 4..at)?.try_into().unwrap()
    };
    let payload = bytes.get(at..at + length)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some(((first, payload), at + length))
}

/// Compresses messages as RFC 7692 has it.
pub(crate) struct Deflater {
    state: Compress,
    takeover: bool,
}

impl Deflater {
    pub(crate) fn new(takeover: bool) -> Self {
        Self { state: Compress::new(Compression::best(), false), takeover }
    }

    pub(crate) fn deflate(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.state.reset();
        }
        let mut out = Vec::with_capacity(message.len() + 1024);
        self.state.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
        out.strip_suffix(&[0, 0, 0xff, 0xff]).unwrap().to_vec()
    }
}

/// Inflates messages one after the other, with a window that goes through all of them.
pub(crate) fn inflate_all(messages: &[&[u8]]) -> Vec<String> {
    let mut state = Decompress::new(false);
    let inflate = |message: &&[u8]| {
        let whole = [message, &[0, 0, 0xff, 0xff][..]].concat();
        let mut out = Vec::with_capacity(1 << 20);
        state.decompress_vec(&whole, &mut out, FlushDecompress::Sync).unwrap();
        String::from_utf8(out).unwrap()
    };
    messages.iter().map(inflate).collect()
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A client's end.
pub(crate) struct Socket {
    stream: Box<dyn Stream>,
    held: Vec<u8>,
}

/// The handshake of a stock client.
pub(crate) fn handshake(host: &str, path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

impl Socket {
    /// Over TLS.
    pub(crate) async fn tls(address: SocketAddr, authority: &Authority, host: &str) -> Self {
        let stream = shake(address, authority, host, &["http/1.1"]).await.unwrap();
        Self { stream: Box::new(stream), held: Vec::new() }
    }

    /// In the clear.
    pub(crate) async fn plain(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { stream: Box::new(stream), held: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Asks for a socket and gives the head of the answer.
    pub(crate) async fn ask(&mut self, request: &str) -> String {
        self.send(request.as_bytes()).await;
        loop {
            if let Some(end) = self.held.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.held.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.fill().await, "closed before an answer");
        }
    }

    /// The next frame; `None` once the connection is closed.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((frame, n)) = frame(&self.held) {
                self.held.drain(..n);
                return Some(frame);
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next frame, which is a text.
    pub(crate) async fn text(&mut self) -> String {
        let (first, payload) = self.frame().await.expect("a message");
        assert_eq!(first, TEXT);
        String::from_utf8(payload).unwrap()
    }

    /// The code of the close frame, which comes next, and nothing after it.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let (first, payload) = self.frame().await?;
        assert_eq!(first, CLOSE, "{payload:?}");
        let code = payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
        self.send(&masked(CLOSE, &payload[..2])).await;
        assert_eq!(self.frame().await, None);
        code
    }

    async fn fill(&mut self) -> bool {
        let mut chunk = [0; 8192];
        let read =
            timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("an answer in time");
        let n = read.unwrap_or_default();
        self.held.extend_from_slice(&chunk[..n]);
        n > 0
    }
}

/// A platform's end: remembers every byte that came after the handshake, and sends what it is told.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    received: watch::Receiver<Vec<u8>>,
    down: mpsc::UnboundedSender<Vec<u8>>,
}

impl Relay {
    /// Agrees to every socket, with these headers beside the proof.
    pub(crate) async fn start(more: &'static str) -> Self {
        Self::answering(move |proof| {
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {proof}\r\n{more}\r\n"
            )
        })
        .await
    }

    /// Answers as told.
    pub(crate) async fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (sender, received) = watch::channel(Vec::new());
        let (down, mut to_send) = mpsc::unbounded_channel::<Vec<u8>>();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let mut come = Vec::new();
                let end = loop {
                    if let Some(end) = come.windows(4).position(|four| four == b"\r\n\r\n") {
                        break end + 4;
                    }
                    let mut chunk = [0; 4096];
                    let n = tcp.read(&mut chunk).await.unwrap_or_default();
                    if n == 0 {
                        break come.len();
                    }
                    come.extend_from_slice(&chunk[..n]);
                };
                let head = String::from_utf8(come.drain(..end).collect()).unwrap();
                let key = header(&head, "sec-websocket-key").unwrap_or_default();
                let proof = tungstenite_proof(&key);
                seen.lock().unwrap().push(head);
                tcp.write_all(answer(&proof).as_bytes()).await.unwrap();
                sender.send_modify(|all| all.append(&mut come));
                let mut chunk = [0; 8192];
                loop {
                    tokio::select! {
                        read = tcp.read(&mut chunk) => match read {
                            Ok(n @ 1..) => sender.send_modify(|all| all.extend_from_slice(&chunk[..n])),
                            _ => break,
                        },
                        Some(bytes) = to_send.recv() => tcp.write_all(&bytes).await.unwrap(),
                    }
                }
            }
        });
        Self { address, heads: asked, received, down }
    }

    /// Sends bytes down.
    pub(crate) fn send(&self, bytes: Vec<u8>) {
        self.down.send(bytes).unwrap();
    }

    /// The head of the last handshake.
    pub(crate) fn head(&self) -> String {
        self.heads.lock().unwrap().last().unwrap().clone()
    }

    /// How many handshakes came.
    pub(crate) fn n_heads(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    /// Every byte that came, once so many frames have.
    pub(crate) async fn received(&self, n_frames: usize) -> Vec<u8> {
        let mut received = self.received.clone();
        let enough = received.wait_for(|bytes| frames(bytes).len() >= n_frames);
        timeout(PATIENCE, enough).await.expect("frames at the platform").unwrap().clone()
    }

    /// Every byte that has come.
    pub(crate) fn so_far(&self) -> Vec<u8> {
        self.received.borrow().clone()
    }
}

/// A header of a head, by its name in small letters.
pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// What proves that a key was seen, by another's reckoning than ours.
fn tungstenite_proof(key: &str) -> String {
    tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())
}
