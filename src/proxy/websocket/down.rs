//! From a platform to its client: every frame as it comes, with ours between them.

use std::collections::VecDeque;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::proxy::websocket::clock::Clock;
use crate::proxy::websocket::frame::{Opcode, write};
use crate::proxy::websocket::up::{Ours, Pings};
use crate::proxy::websocket::walk::Walker;

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// Most of our own frames that wait for a place between a platform's.
const MOST_WAITING: usize = 16;

/// The longest reason of a close frame.
const MOST_REASON: usize = 123;

/// Why nothing more comes down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// The platform closed, and its client was told.
    Closed,
    /// We closed, and the client was told.
    WeClosed,
    /// The platform is gone without a word, or what it sends cannot be followed.
    Gone,
    /// The client takes nothing more.
    Refused,
}

/// The other half of a socket.
#[derive(Debug)]
pub(super) struct Down<'a, R, W> {
    pub(super) platform: R,
    pub(super) client: W,
    pub(super) walker: Walker,
    pub(super) pings: &'a Pings,
    pub(super) clock: &'a Clock,
    /// How long the client may take to take what comes.
    pub(super) limit: std::time::Duration,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Down<'_, R, W> {
    /// Carries frames down until either side ends it.
    pub(super) async fn run(mut self, mut ours: mpsc::Receiver<Ours>) -> End {
        let end = self.carry(&mut ours).await;
        if end == End::WeClosed {
            // A client that hears no more lets go, too, whatever it makes of our last words.
            let _ = timeout(self.limit, self.client.shutdown()).await;
        }
        end
    }

    async fn carry(&mut self, ours: &mut mpsc::Receiver<Ours>) -> End {
        let mut held = BytesMut::new();
        let mut waiting = VecDeque::new();
        let mut has_ours = true;
        loop {
            match self.pass(&mut held).await {
                Ok(()) if self.walker.is_closed() => return End::Closed,
                Ok(()) => {}
                Err(end) => return end,
            }
            match self.speak(&mut waiting).await {
                Ok(false) => {}
                Ok(true) => return End::WeClosed,
                Err(end) => return end,
            }
            held.reserve(CHUNK);
            tokio::select! {
                biased;
                one = ours.recv(), if has_ours && waiting.len() < MOST_WAITING => match one {
                    Some(one) => waiting.push_back(one),
                    None => has_ours = false,
                },
                read = self.platform.read_buf(&mut held) => match read {
                    Ok(1..) => self.clock.heard(),
                    Ok(0) | Err(_) => return End::Gone,
                },
            }
        }
    }

    /// Passes on what may be passed on of what has come.
    async fn pass(&mut self, held: &mut BytesMut) -> Result<(), End> {
        if held.is_empty() {
            return Ok(());
        }
        let Ok(walked) = self.walker.walk(held) else {
            // Where its frames end, nobody knows: nothing of ours could stand here.
            return Err(End::Gone);
        };
        for ping in walked.pings {
            self.pings.note(ping);
        }
        let ready = held.get(..walked.n_ready).unwrap_or_default();
        write_all(&mut self.client, ready, self.limit).await?;
        held.advance(walked.n_ready);
        Ok(())
    }

    /// Says what of ours may stand here. Says whether it was the end.
    async fn speak(&mut self, waiting: &mut VecDeque<Ours>) -> Result<bool, End> {
        // Once we close, there is no use in waiting for the end of a platform's message.
        if waiting.iter().any(|ours| matches!(ours, Ours::Close(..)))
            && !self.walker.is_between_messages()
        {
            waiting.retain(|ours| !matches!(ours, Ours::Text(_)));
        }
        // A pong need not wait for a message's place.
        while let Some(nth) = waiting.iter().position(|ours| self.may_stand(ours)) {
            let Some(next) = waiting.remove(nth) else { break };
            let (frame, is_end) = match &next {
                Ours::Text(text) => (write(Opcode::Text, text, None), false),
                Ours::Pong(payload) => (write(Opcode::Pong, payload, None), false),
                Ours::Close(code, reason) => {
                    let reason = reason.as_bytes();
                    let reason = reason.get(..MOST_REASON).unwrap_or(reason);
                    let payload = [&code.to_be_bytes(), reason].concat();
                    (write(Opcode::Close, &payload, None), true)
                }
            };
            write_all(&mut self.client, &frame, self.limit).await?;
            if is_end {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn may_stand(&self, ours: &Ours) -> bool {
        match ours {
            Ours::Text(_) => self.walker.is_between_messages(),
            Ours::Pong(_) | Ours::Close(..) => self.walker.is_between_frames(),
        }
    }
}

async fn write_all(
    client: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    limit: std::time::Duration,
) -> Result<(), End> {
    if bytes.is_empty() {
        return Ok(());
    }
    let all = async {
        client.write_all(bytes).await?;
        client.flush().await
    };
    match timeout(limit, all).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Refused),
    }
}
