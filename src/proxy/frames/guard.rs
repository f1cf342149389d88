//! The machine round a stream: gives the library what may pass, and ends a connection whose client broke the protocol with the code that
//! says how.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proxy::connection::Activity;
use crate::proxy::frames::machine::{Code, DATA, HEADERS, Machine};
use crate::proxy::linger::Linger;

const GOAWAY: u8 = 7;
/// The highest number of a stream: which were seen is not said.
const ANY: u32 = 0x7FFF_FFFF;

/// A client's stream as the library may see it.
pub(crate) struct Guard<S> {
    stream: S,
    machine: Machine,
    written: Written,
    refused: Option<Refused>,
    activity: Arc<Activity>,
}

/// Where in a frame of ours the library's last write ended.
#[derive(Default)]
struct Written {
    head: Vec<u8>,
    /// Bytes of a payload that are to come.
    left: usize,
    /// Of a GOAWAY under way: how many bytes of the stream in it have come, and what they are.
    farewell: Option<(usize, u32)>,
    /// The lowest last stream of the library's GOAWAYs.
    last: Option<u32>,
}

struct Refused {
    goodbye: Vec<u8>,
    n_written: usize,
    /// The stream is shut on our side.
    shut: bool,
    linger: Linger,
}

impl<S> Guard<S> {
    /// `most_head` is what a header block may measure, in bytes; `most_streams` is how many streams may be open at once. The
    /// connection's clocks hear of the answers that are not at their end.
    pub(crate) fn new(
        stream: S,
        most_head: usize,
        most_streams: u32,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            stream,
            machine: Machine::new(most_head, most_streams),
            written: Written::default(),
            refused: None,
            activity,
        }
    }

    /// Follows what has gone of the library's writing.
    fn wrote(&mut self, bytes: &[u8]) {
        let Self { written, machine, activity, .. } = self;
        written.note(bytes, |kind, flags, stream| {
            machine.wrote(kind, flags, stream);
            activity.owes(machine.n_owed(), matches!(kind, DATA | HEADERS));
        });
    }

    fn refuse(&mut self, code: Code) {
        // Within a frame of ours nothing can be said.
        let goodbye = if self.written.is_between() {
            goodbye(code, self.written.last.unwrap_or(ANY))
        } else {
            Vec::new()
        };
        self.refused =
            Some(Refused { goodbye, n_written: 0, shut: false, linger: Linger::begin() });
    }
}

/// A GOAWAY. Which streams were seen is not said, as the client cannot be believed about them, unless an earlier one said it:
/// that number never grows (RFC 9113, 6.8).
fn goodbye(code: Code, last: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&last.to_be_bytes());
    frame.extend_from_slice(&(code as u32).to_be_bytes());
    frame
}

impl Written {
    fn is_between(&self) -> bool {
        self.left == 0 && self.head.is_empty()
    }

    /// Hands out kind, flags, and stream of each frame whose head is whole.
    fn note(&mut self, mut bytes: &[u8], mut hear: impl FnMut(u8, u8, u32)) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let n = self.left.min(bytes.len());
                self.left -= n;
                self.note_farewell(bytes.get(..n).unwrap_or_default());
                bytes = bytes.get(n..).unwrap_or_default();
                continue;
            }
            let n = bytes.len().min(9 - self.head.len());
            let (more, rest) = bytes.split_at(n);
            self.head.extend_from_slice(more);
            bytes = rest;
            if let [a, b, c, kind, flags, s0, s1, s2, s3] = *self.head.as_slice() {
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.farewell = (kind == GOAWAY).then_some((0, 0));
                self.head.clear();
                hear(kind, flags, u32::from_be_bytes([s0, s1, s2, s3]) & 0x7FFF_FFFF);
            }
        }
    }

    fn note_farewell(&mut self, payload: &[u8]) {
        for byte in payload {
            let Some((n, stream)) = self.farewell else { return };
            let (n, stream) = (n + 1, stream << 8 | u32::from(*byte));
            self.farewell = (n < 4).then_some((n, stream));
            if n == 4 {
                let stream = stream & ANY;
                self.last = Some(self.last.map_or(stream, |last| last.min(stream)));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// Says goodbye, and listens until the client is gone or has had time to hear it. Ready is the end of the stream.
    fn poll_refused(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(refused) = &mut self.refused else { return Poll::Ready(()) };
        if refused.linger.is_over(cx) {
            return Poll::Ready(());
        }
        let mut stream = Pin::new(&mut self.stream);
        while let Some(rest) =
            refused.goodbye.get(refused.n_written..).filter(|rest| !rest.is_empty())
        {
            match ready!(stream.as_mut().poll_write(cx, rest)) {
                Ok(n) if n > 0 => refused.n_written += n,
                _ => return Poll::Ready(()),
            }
        }
        if !refused.shut {
            if ready!(stream.as_mut().poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            refused.shut = true;
        }
        refused.linger.poll_read(stream, cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused.is_none() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let (n, code) = this.machine.pass(buf.filled().get(before..).unwrap_or_default());
            this.activity.owes(this.machine.n_owed(), false);
            let Some(code) = code else { return Poll::Ready(Ok(())) };
            buf.set_filled(before + n);
            this.refuse(code);
            if n > 0 {
                // What was right is done first.
                return Poll::Ready(Ok(()));
            }
        }
        ready!(this.poll_refused(cx));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // After the goodbye there is nothing more to say.
        if this.refused.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        let n = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        this.wrote(buf.get(..n).unwrap_or_default());
        Poll::Ready(Ok(n))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refused.is_some() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let n = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, bufs))?;
        let mut left = n;
        for buf in bufs {
            let taken = left.min(buf.len());
            this.wrote(buf.get(..taken).unwrap_or_default());
            left -= taken;
        }
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::Guard;
    use crate::proxy::connection::Activity;

    /// Graceful ends say the last stream first as any, and then as it was.
    #[tokio::test]
    async fn the_last_stream_never_grows() {
        for (said, last) in [
            (vec![], 0x7FFF_FFFF),
            (vec![0x7FFF_FFFF], 0x7FFF_FFFF),
            (vec![0x7FFF_FFFF, 5], 5),
            (vec![3, 5], 3),
        ] {
            let (mut client, server) = duplex(4096);
            let mut guard = Guard::new(server, 4096, 100, Arc::new(Activity::new(true)));
            let mut n_said = 0;
            for stream in said {
                let head = [0, 0, 8, 7, 0, 0, 0, 0, 0];
                let goaway = [&head[..], &u32::to_be_bytes(stream), &[0; 4]].concat();
                n_said += goaway.len();
                // However it is cut.
                guard.write_all(&goaway[..11]).await.unwrap();
                guard.write_all(&goaway[11..]).await.unwrap();
            }
            client.write_all(&[7; 24]).await.unwrap();
            client.write_all(&[0, 0, 7, 6, 0, 0, 0, 0, 0, 1, 2]).await.unwrap();
            let library = tokio::spawn(async move { guard.read_to_end(&mut Vec::new()).await });
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard[n_said + 9..n_said + 13], u32::to_be_bytes(last));
            drop(client);
            library.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_refused_client_is_told_why_after_what_was_under_way() {
        let (mut client, server) = duplex(4096);
        let mut guard = Guard::new(server, 4096, 100, Arc::new(Activity::new(true)));
        let library = tokio::spawn(async move {
            // A frame of ours in two writes.
            guard.write_all(&[0, 0, 2, 0, 0, 0, 0, 0, 1, b'a']).await.unwrap();
            guard.write_all(b"b").await.unwrap();
            let mut seen = Vec::new();
            guard.read_to_end(&mut seen).await.unwrap();
            guard.write_all(b"never heard").await.unwrap();
            seen
        });
        client.write_all(&[7; 24]).await.unwrap();
        client.write_all(&[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).await.unwrap();
        client.write_all(&[0, 0, 7, 6, 0, 0, 0, 0, 0, 1, 2]).await.unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard[..11], *b"\0\0\x02\0\0\0\0\0\x01ab");
        assert_eq!(heard[11..], *b"\0\0\x08\x07\0\0\0\0\0\x7F\xFF\xFF\xFF\0\0\0\x06");
        drop(client);
        // Of the frame at fault the library has nothing.
        assert_eq!(library.await.unwrap().len(), 24 + 17);
    }
}
