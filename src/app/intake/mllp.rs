//! MLLP: a message between VT and FS CR, an answer in the same frame, then the next.

use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::intake::Waiting;
use crate::roster::{Fault, Taken, answer};

/// Begins a message.
const VT: u8 = 0x0b;
/// Ends one, with CR behind it.
const FS: u8 = 0x1c;
/// Bytes that may stand between two messages: line ends, as some senders put them there.
const STRAY: usize = 64;
/// Bytes that are read at once.
const PIECE: usize = 16 << 10;

/// What a sender may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of a message.
    pub(super) bytes: usize,
    /// Time from its first byte to its last, and for an answer to be taken.
    pub(super) message: Duration,
    /// Time without a byte between two.
    pub(super) idle: Duration,
}

/// What came.
enum Came {
    Message(Vec<u8>),
    /// The first bytes of one that is too long.
    TooLong(Vec<u8>),
    /// The sender is gone, or we are to stop.
    End,
}

/// Answers messages one after the other, until the sender goes or we are to stop.
pub(super) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    limits: Limits,
    sender: &mpsc::Sender<Waiting>,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), &'static str> {
    let mut read = Vec::new();
    // Who has sent nothing yet takes a place from those who do, and is not waited for as they are.
    let given = limits;
    let mut limits = Limits { idle: given.idle.min(given.message), ..given };
    loop {
        let came = next(&mut stream, &mut read, limits, &mut stopped).await?;
        let (message, taken, goes_on) = match came {
            Came::End => return Ok(()),
            Came::TooLong(head) => {
                let fault = Fault { segment: "MSH", field: 0, why: "the message is too long" };
                (head, Taken::Unfit(fault), false)
            }
            Came::Message(message) => {
                limits = given;
                let (tell, told) = oneshot::channel();
                let waiting = Waiting { message: message.clone(), answer: tell };
                let sent = sender.send(waiting).await.is_ok();
                let taken = if sent { told.await.ok() } else { None };
                (
                    message,
                    taken.unwrap_or(Taken::NotKept(
                        "the message cannot be kept: it is being stopped",
                    )),
                    true,
                )
            }
        };
        let text = answer(&message, taken, Timestamp::now());
        let mut frame = Vec::with_capacity(text.len() + 3);
        frame.push(VT);
        frame.extend_from_slice(&text);
        frame.extend_from_slice(&[FS, b'\r']);
        let written = async {
            stream.write_all(&frame).await?;
            stream.flush().await
        };
        match timeout(limits.message, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err("the sender does not take its answer"),
        }
        if !goes_on {
            return Err("a message is longer than messages may be");
        }
    }
}

/// The next message. `read` keeps what came behind it.
async fn next(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    limits: Limits,
    stopped: &mut watch::Receiver<bool>,
) -> Result<Came, &'static str> {
    let mut deadline: Option<Instant> = None;
    // Bytes in which no end was found are not looked at again.
    let mut looked = 0;
    let mut piece = vec![0; PIECE];
    loop {
        if deadline.is_none() {
            let stray =
                read.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != VT).count();
            read.drain(..stray);
            if stray > STRAY {
                return Err("there are only blanks between two messages");
            }
            match read.first() {
                Some(&VT) => deadline = Some(Instant::now() + limits.message),
                Some(_) => {
                    return Err("what was sent is not MLLP: a message begins with VT (0x0b)");
                }
                None => {}
            }
        }
        if deadline.is_some() {
            let end = read.get(looked..).and_then(|fresh| memchr::memchr(FS, fresh));
            let until = end.map_or(read.len(), |at| looked + at);
            let inside = read.get(looked.max(1)..until).unwrap_or_default();
            // A sender that begins anew has given up what it began: nothing of that is a part of what comes.
            if let Some(at) = memchr::memrchr(VT, inside) {
                read.drain(..looked.max(1) + at);
                looked = 0;
            }
            let fresh = read.get(looked..).unwrap_or_default();
            if let Some(at) = memchr::memchr(FS, fresh) {
                let end = looked + at;
                let message = read.get(1..end).unwrap_or_default().to_vec();
                read.drain(..=end);
                return Ok(if message.len() > limits.bytes {
                    Came::TooLong(message.into_iter().take(4096).collect())
                } else {
                    Came::Message(message)
                });
            }
            looked = read.len();
            if read.len() > limits.bytes {
                let head = read.iter().skip(1).take(4096).copied().collect();
                return Ok(Came::TooLong(head));
            }
        }
        let until = deadline.unwrap_or_else(|| Instant::now() + limits.idle);
        let n = tokio::select! {
            n = timeout_at(until, stream.read(&mut piece)) => n,
            // A message that has begun is waited for; between two nothing is.
            _ = stopped.wait_for(|stop| *stop), if deadline.is_none() => return Ok(Came::End),
        };
        let n = match n {
            Err(_) if deadline.is_none() => return Err("the sender was silent for too long"),
            Err(_) => return Err("a message took too long to come"),
            Ok(Ok(0)) if deadline.is_some() => {
                return Err("the sender left in the middle of a message");
            }
            Ok(Ok(0) | Err(_)) => return Ok(Came::End),
            Ok(Ok(n)) => n,
        };
        read.extend_from_slice(piece.get(..n).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::{mpsc, watch};
    use tokio::time::timeout;

    use super::{Limits, serve};
    use crate::app::intake::Waiting;
    use crate::roster::Taken;

    /// What comes back for what is sent in these pieces, how many messages were kept, and why the connection ended.
    async fn sent(pieces: &[&[u8]]) -> (String, usize, Result<(), &'static str>) {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (sender, mut receiver) = mpsc::channel::<Waiting>(4);
        let (_stop, stopped) = watch::channel(false);
        let limits =
            Limits { bytes: 200, message: Duration::from_secs(20), idle: Duration::from_secs(20) };
        let server = tokio::spawn(async move { serve(server, limits, &sender, stopped).await });
        let keeper = tokio::spawn(async move {
            let mut n = 0;
            while let Some(waiting) = receiver.recv().await {
                n += 1;
                let _ = waiting.answer.send(Taken::Applied);
            }
            n
        });
        for piece in pieces {
            let _ = client.write_all(piece).await;
        }
        let _ = client.shutdown().await;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        let end = server.await.unwrap();
        (String::from_utf8(said).unwrap(), keeper.await.unwrap(), end)
    }

    fn frame(number: &str) -> Vec<u8> {
        format!("\u{b}MSH|^~\\&|A|B|||20261123||ADT^A08|{number}|P|2.5\rPID|||7\r\u{1c}\r")
            .into_bytes()
    }

    #[tokio::test]
    async fn messages_are_answered_in_their_order_however_they_are_cut() {
        let all = [frame("M1"), b"\r\n".to_vec(), frame("M2")].concat();
        for cut in [1, 7, all.len() / 2, all.len()] {
            let pieces: Vec<&[u8]> = all.chunks(cut).collect();
            let (said, n, end) = sent(&pieces).await;
            assert_eq!((n, end), (2, Ok(())), "{cut}");
            let (one, two) = (said.find("MSA|AA|M1").unwrap(), said.find("MSA|AA|M2").unwrap());
            assert!(one < two && said.starts_with('\u{b}') && said.ends_with("\u{1c}\r"));
        }
    }

    #[tokio::test]
    async fn a_message_that_is_begun_anew_has_nothing_of_the_one_that_broke_off() {
        let half = frame("M1");
        let all = [&half[..40], frame("M2").as_slice()].concat();
        for cut in [1, 41, all.len()] {
            let pieces: Vec<&[u8]> = all.chunks(cut).collect();
            let (said, n, end) = sent(&pieces).await;
            assert_eq!((n, end), (1, Ok(())), "{cut}");
            assert!(said.contains("MSA|AA|M2") && !said.contains("M1"), "{said}");
        }
    }

    #[tokio::test]
    async fn who_never_sends_a_message_is_not_waited_for_as_those_who_do() {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (sender, mut receiver) = mpsc::channel::<Waiting>(4);
        let (_stop, stopped) = watch::channel(false);
        let (message, idle) = (Duration::from_millis(100), Duration::from_secs(3600));
        let limits = Limits { bytes: 200, message, idle };
        let long = Duration::from_secs(30);
        let (silent, theirs) = tokio::io::duplex(64);
        let end = timeout(long, serve(theirs, limits, &sender, stopped.clone())).await.unwrap();
        assert_eq!(end, Err("the sender was silent for too long"));
        drop(silent);
        tokio::spawn(async move {
            while let Some(waiting) = receiver.recv().await {
                let _ = waiting.answer.send(Taken::Applied);
            }
        });
        client.write_all(&frame("M1")).await.unwrap();
        let few = Duration::from_millis(500);
        let end = timeout(few, serve(server, limits, &sender, stopped)).await;
        assert!(end.is_err(), "after a message it may be silent");
    }

    #[tokio::test]
    async fn what_is_no_message_closes_the_connection_and_is_not_kept() {
        let long = [frame("M3").as_slice().split_at(45).0, &[b'x'; 400]].concat();
        let (said, n, end) = sent(&[&long]).await;
        assert!(said.contains("MSA|AR|M3|MSH: the message is too long"), "{said}");
        assert_eq!((n, end.is_err()), (0, true));
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x0bMSH|^~\\&|A", &[b' '; 300]] {
            let (said, n, end) = sent(&[bytes]).await;
            assert_eq!((said.as_str(), n, end.is_err()), ("", 0, true));
        }
    }
}
