//! What two processes say to each other while one takes over from the other, over a Unix socket.
//!
//! ```text
//! new:  hello                             who I am
//! old:  offer, and the sockets            what listens, which audit; the old one goes on serving
//! new:  ready                             everything is read and proved
//! old:  yours                             nobody is accepted now, and the audit's file is let go
//! new:  opened                            the audit's file is locked by me
//! old:  go
//! new:  serving                           every listener accepts
//! old:  lines of the audit, for as long as its last posts take; new: how each was written
//! ```
//!
//! Until `serving` either side may fail: then the old one takes the file back and goes on. Who holds the lock of the audit
//! serves, whatever the other believes.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::time::timeout;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Of what is said here. Another one is refused, and the old process goes on.
pub(super) const PROTOCOL: u32 = 1;

/// Longest message, in bytes.
const LONGEST: u32 = 1 << 20;

/// Most sockets that are handed over.
const MOST_SOCKETS: usize = 1024;

/// What one process says to the other.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(super) enum Word {
    /// I am here to take over.
    Hello {
        /// Of what is said.
        protocol: u32,
        /// The program's version, for the log.
        version: String,
    },
    /// This is what there is; as many sockets follow.
    Offer {
        /// The program's version, for the log.
        version: String,
        /// Whose each socket is.
        sockets: Vec<Whose>,
        /// The file of the audit.
        audit: String,
    },
    /// I could begin.
    Ready,
    /// The audit's file is yours.
    Yours,
    /// I hold it.
    Opened,
    /// Begin.
    Go,
    /// I have begun.
    Serving,
    /// I cannot; go on.
    Failed {
        /// Why.
        why: String,
    },
}

/// Whose a socket is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Whose {
    /// The listener's that is configured for this address.
    Listener(SocketAddr),
    /// The operators' own listener's.
    Admin(SocketAddr),
    /// What this is said over is made there.
    Handover,
}

/// Why two processes could not agree.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// The other one is gone, or does not answer.
    #[error("the other process does not answer")]
    Silent(#[source] io::Error),
    /// The other one says something that does not belong here.
    #[error("the other process says something else than was to be said: is it of another version?")]
    Strange,
    /// The other one cannot go on.
    #[error("the other process cannot: {0}")]
    Refused(String),
}

impl From<io::Error> for TalkError {
    fn from(error: io::Error) -> Self {
        Self::Silent(error)
    }
}

/// Says one word.
pub(super) async fn say(stream: &mut UnixStream, word: &Word) -> Result<(), TalkError> {
    let text = serde_json::to_vec(word).map_err(|_| TalkError::Strange)?;
    let length = u32::try_from(text.len()).map_err(|_| TalkError::Strange)?;
    let saying = async {
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&text).await
    };
    // A few hundred bytes: who does not take them is not there.
    timeout(Duration::from_secs(5), saying)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(())
}

/// Waits for one word.
pub(super) async fn hear(stream: &mut UnixStream, limit: Duration) -> Result<Word, TalkError> {
    let hearing = async {
        let length = stream.read_u32().await?;
        if length > LONGEST {
            return Err(TalkError::Strange);
        }
        let mut text = vec![0; length as usize];
        stream.read_exact(&mut text).await?;
        serde_json::from_slice(&text).map_err(|_| TalkError::Strange)
    };
    let word =
        timeout(limit, hearing).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    match word {
        Word::Failed { why } => Err(TalkError::Refused(why)),
        word => Ok(word),
    }
}

/// Waits for a word without anything in it.
pub(super) async fn hear_plain(
    stream: &mut UnixStream,
    wanted: &Word,
    limit: Duration,
) -> Result<(), TalkError> {
    let heard = hear(stream, limit).await?;
    if std::mem::discriminant(&heard) == std::mem::discriminant(wanted) {
        Ok(())
    } else {
        Err(TalkError::Strange)
    }
}

/// Hands a socket over: one byte, and the descriptor with it.
pub(super) async fn give(stream: &UnixStream, socket: impl AsFd) -> Result<(), TalkError> {
    let sending = stream.async_io(Interest::WRITABLE, || {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds = [socket.as_fd()];
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        sendmsg(stream, &[io::IoSlice::new(b"s")], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    });
    timeout(Duration::from_secs(5), sending)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(())
}

/// Takes a socket that was handed over.
pub(super) async fn take(stream: &UnixStream) -> Result<OwnedFd, TalkError> {
    let taking = stream.async_io(Interest::READABLE, || {
        let mut byte = [0];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [io::IoSliceMut::new(&mut byte)];
        let told = recvmsg(stream, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if told.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        fd.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    });
    Ok(timeout(Duration::from_secs(5), taking)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
}

/// Whether an offer may be taken: nobody has thousands of listeners.
pub(super) fn is_sane(sockets: &[Whose]) -> bool {
    sockets.len() <= MOST_SOCKETS
}

/// Whether the process at the other end is of our own user, or the machine's.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|other| other.uid() == us || other.uid() == 0)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::{TalkError, Whose, Word, give, hear, hear_plain, is_ours, say, take};

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn words_and_sockets_arrive_in_their_order() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        assert!(is_ours(&one));
        let sockets =
            [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let whose = vec![Whose::Listener(sockets[0].local_addr().unwrap()), Whose::Handover];
        let offer = Word::Offer { version: "1".into(), sockets: whose.clone(), audit: "/a".into() };
        say(&mut one, &offer).await.unwrap();
        for socket in &sockets {
            give(&one, socket).await.unwrap();
        }
        say(&mut one, &Word::Go).await.unwrap();
        let Word::Offer { sockets: told, .. } = hear(&mut other, SOON).await.unwrap() else {
            panic!()
        };
        assert_eq!(told, whose);
        for socket in &sockets {
            let taken = TcpListener::from(take(&other).await.unwrap());
            assert_eq!(taken.local_addr().unwrap(), socket.local_addr().unwrap());
        }
        hear_plain(&mut other, &Word::Go, SOON).await.unwrap();
    }

    #[tokio::test]
    async fn what_does_not_belong_here_is_no_word() {
        for bytes in [&b"\0\0\0\x02{}"[..], b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"] {
            let (mut one, mut other) = UnixStream::pair().unwrap();
            one.write_all(bytes).await.unwrap();
            assert!(matches!(hear(&mut other, SOON).await, Err(TalkError::Strange)));
        }
        let (one, mut other) = UnixStream::pair().unwrap();
        drop(one);
        assert!(matches!(hear(&mut other, SOON).await, Err(TalkError::Silent(_))));
        let (mut one, mut other) = UnixStream::pair().unwrap();
        say(&mut one, &Word::Failed { why: "no disk".into() }).await.unwrap();
        let told = hear_plain(&mut other, &Word::Ready, SOON).await.unwrap_err();
        assert!(told.to_string().contains("no disk"), "{told}");
        say(&mut one, &Word::Yours).await.unwrap();
        assert!(matches!(hear_plain(&mut other, &Word::Go, SOON).await, Err(TalkError::Strange)));
        one.write_all(b"x").await.unwrap();
        assert!(take(&other).await.is_err(), "a byte without a socket");
    }
}
