//! HTTP/2 by hand, for what no library would send: frames, and headers as literals.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::client::shake;
use crate::support::proxy::{HOST, Started};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It was answered.
    Status(u16),
    /// Its stream was reset.
    Reset,
    /// The connection was ended.
    Ended,
}

/// A connection whose frames are ours.
pub(super) struct Raw {
    stream: TlsStream<TcpStream>,
}

impl Raw {
    /// Connects and says hello.
    pub(super) async fn connect(proxy: &Started) -> Self {
        let mut raw = Self::silent(proxy).await;
        raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        raw.send(&frame(SETTINGS, 0, 0, b"")).await;
        raw
    }

    /// Connects and says nothing.
    pub(super) async fn silent(proxy: &Started) -> Self {
        Self { stream: shake(proxy.tls, &proxy.authority, HOST, &["h2"]).await.unwrap() }
    }

    /// The connection beneath.
    pub(super) fn into_stream(self) -> TlsStream<TcpStream> {
        self.stream
    }

    /// Writes; says whether the connection still took it.
    pub(super) async fn takes(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Writes; a connection that was ended is no fault here.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads until it is known what became of a stream.
    pub(super) async fn fate(&mut self, stream: u32) -> Fate {
        while let Some((kind, id, payload)) = self.frame().await {
            match kind {
                HEADERS if id == stream => return Fate::Status(status(&payload)),
                RST_STREAM if id == stream => return Fate::Reset,
                GOAWAY => return Fate::Ended,
                _ => {}
            }
        }
        Fate::Ended
    }

    /// Reads until a stream is at its end, and gives the kind of the frame that ended it.
    pub(super) async fn end_of(&mut self, stream: u32) -> u8 {
        loop {
            let (kind, flags, id, _) = self.flagged().await.unwrap();
            if id == stream && (kind == RST_STREAM || flags & END_STREAM != 0) {
                return kind;
            }
        }
    }

    /// Reads to the end of the connection.
    pub(super) async fn closed(&mut self) {
        while self.frame().await.is_some() {}
    }

    /// The kind of the next frame, its stream, and what it holds; nothing at the end of the connection.
    pub(super) async fn frame(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        self.flagged().await.map(|(kind, _, id, payload)| (kind, id, payload))
    }

    async fn flagged(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some((head[3], head[4], id, payload))
    }
}

/// One frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A block of literal headers, never indexed, without Huffman (RFC 7541, 6.2.3).
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        bytes.push(0x10);
        for text in [name, value] {
            number(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

/// A length with a prefix of seven bits (RFC 7541, 5.1).
fn number(bytes: &mut Vec<u8>, mut n: usize) {
    if n < 127 {
        bytes.push(u8::try_from(n).unwrap());
        return;
    }
    bytes.push(127);
    n -= 127;
    while n >= 128 {
        bytes.push(u8::try_from(n % 128).unwrap() | 128);
        n /= 128;
    }
    bytes.push(u8::try_from(n).unwrap());
}

/// The status at the start of an answer's block.
fn status(block: &[u8]) -> u16 {
    let block = match block {
        [first, rest @ ..] if first & 0xE0 == 0x20 => rest,
        block => block,
    };
    match *block {
        [0x88, ..] => 200,
        [0x89, ..] => 204,
        [0x8A, ..] => 206,
        [0x8B, ..] => 304,
        [0x8C, ..] => 400,
        [0x8D, ..] => 404,
        [0x8E, ..] => 500,
        // A literal under the name `:status`, the value in Huffman's code: 0-2 in five bits, 3-9 in six.
        [0x48, length, ..] if length & 0x80 != 0 => {
            let mut bits = block[2..2 + usize::from(length & 0x7F)]
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)));
            let mut take = |n: usize| (0..n).fold(0, |code, _| code << 1 | bits.next().unwrap());
            (0..3).fold(0, |number, _| {
                let code = take(5);
                let digit = if code <= 2 { code } else { (code << 1 | take(1)) - 0x19 + 3 };
                number * 10 + digit
            })
        }
        [0x48, 3, a, b, c, ..] => {
            [a, b, c].iter().fold(0, |n, digit| n * 10 + u16::from(digit - b'0'))
        }
        _ => panic!("no status in {block:?}"),
    }
}
