//! From a client to its platform: nothing leaves but messages that were decided on, and control frames of our own making.
//!
//! A ping, a pong or a reason for closing may hold a hundred bytes of anything, and nobody reads them. So pings are answered
//! here and go on empty, a pong goes on as it came only where it repeats a ping of the platform's, and of a close only the
//! code goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::audit::Outcome;
use crate::body::Unreadable;
use crate::proxy::current::Current;
use crate::proxy::memory::{Busy, Claim};
use crate::proxy::outcome::PendingOutcome;
use crate::proxy::passage::Passage;
use crate::proxy::route::of_socket;
use crate::proxy::service::Gateway;
use crate::proxy::websocket::clock::Clock;
use crate::proxy::websocket::frame::{FrameFault, Opcode, close_code, write};
use crate::proxy::websocket::message::{Event, Message, Reader};
use crate::proxy::websocket::ruling::{Ruling, refuse, rule};

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// Most pings of a platform that a client may still answer.
const MOST_PINGS: usize = 16;

/// Going away: what either side hears when the other is no longer there, or when we stop.
pub(super) const AWAY: u16 = 1001;

/// What we say to a client ourselves.
pub(super) enum Ours {
    /// A message.
    Text(Vec<u8>),
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The end, with code and reason.
    Close(u16, String),
}

/// The payloads of a platform's last pings.
#[derive(Default)]
pub(super) struct Pings(Mutex<VecDeque<Vec<u8>>>);

/// Prints nothing of what a platform wrote into them.
impl std::fmt::Debug for Pings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pings").finish_non_exhaustive()
    }
}

impl Pings {
    pub(super) fn note(&self, payload: Vec<u8>) {
        let mut pings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pings.len() >= MOST_PINGS {
            pings.pop_front();
        }
        pings.push_back(payload);
    }

    /// Whether a pong repeats one of them; those before it are done with, too.
    fn answers(&self, payload: &[u8]) -> bool {
        let mut pings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = pings.iter().position(|ping| ping == payload);
        if let Some(found) = found {
            pings.drain(..=found);
        }
        found.is_some()
    }
}

/// Why nothing more goes up.
#[derive(Debug)]
enum End {
    /// The client closed, with this code.
    Closed(Option<u16>),
    /// The client is gone without a word.
    Gone,
    /// We close, with this code and reason.
    Close(u16, String),
    /// The platform takes nothing more.
    Refused,
}

/// One half of a socket.
pub(super) struct Up<'a, R, W> {
    pub(super) current: &'a Current,
    /// The set that the last message was judged by. A silent socket must not keep it.
    pub(super) judged_by: Weak<Gateway>,
    /// The handshake.
    pub(super) of: Passage,
    pub(super) client: R,
    pub(super) platform: W,
    pub(super) reader: Reader,
    pub(super) to_client: mpsc::Sender<Ours>,
    /// Told when the socket must be closed, with the code.
    pub(super) stop: watch::Receiver<Option<u16>>,
    pub(super) pings: &'a Pings,
    pub(super) clock: &'a Clock,
}

impl<R, W> std::fmt::Debug for Up<'_, R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Up").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Up<'_, R, W> {
    /// Carries messages up until either side ends it, and says goodbye to both. Says whether the client still listens.
    pub(super) async fn run(mut self) -> bool {
        let end = self.carry().await;
        match end {
            End::Closed(code) => {
                let payload = code.map(u16::to_be_bytes);
                let payload = payload.as_ref().map_or(&[][..], |code| code);
                self.send(Opcode::Close, payload).await
            }
            End::Gone => {
                self.send(Opcode::Close, &AWAY.to_be_bytes()).await;
                false
            }
            End::Close(code, reason) => {
                let told = self.to_client.send(Ours::Close(code, reason)).await;
                self.send(Opcode::Close, &AWAY.to_be_bytes()).await;
                if told.is_ok() {
                    self.linger().await;
                }
                told.is_ok()
            }
            End::Refused => true,
        }
    }

    async fn carry(&mut self) -> End {
        let mut claim = None;
        loop {
            match self.reader.next() {
                Ok(Some(Event::Control(opcode, payload))) => {
                    if let Some(end) = self.control(opcode, payload).await {
                        return end;
                    }
                }
                Ok(Some(Event::Message(message))) => {
                    if let Some(end) = self.message(message).await {
                        return end;
                    }
                    self.clock.note_within(false);
                    claim = None;
                }
                Ok(None) => {
                    if let Some(end) = self.fill(&mut claim).await {
                        return end;
                    }
                }
                Err(fault) => return broken(&self.current.load(), &self.of, fault).await,
            }
        }
    }

    /// Waits for more of what the client sends.
    async fn fill(&mut self, claim: &mut Option<Claim>) -> Option<End> {
        if let Err(Busy) = self.make_room(claim).await {
            let ruling = refuse(&self.current.load(), &self.of, Unreadable::Busy, 1008).await;
            return Some(closing(ruling));
        }
        let is_within = self.reader.is_within();
        let limit = self.current.load().limits.timeouts.body;
        let deadline = is_within.then(|| self.clock.within(limit));
        self.clock.note_within(is_within);
        let buffer = self.reader.buffer();
        buffer.reserve(CHUNK);
        tokio::select! {
            biased;
            code = stopped(&mut self.stop) => Some(End::Close(code, String::new())),
            read = self.client.read_buf(buffer) => match read {
                Ok(0) | Err(_) => Some(End::Gone),
                Ok(_) => {
                    self.clock.heard();
                    None
                }
            },
            () = at(deadline) => {
                let ruling =
                    refuse(&self.current.load(), &self.of, Unreadable::TooSlow, 1008).await;
                Some(closing(ruling))
            }
        }
    }

    /// Sees to it that what has come of a message may be held. A socket between messages holds nothing.
    async fn make_room(&mut self, claim: &mut Option<Claim>) -> Result<(), Busy> {
        // Of the longest message no more is asked than of the longest body: that much there is, and a claim counts the copy
        // without frames.
        let most = self.reader.most();
        let n_held = self.reader.n_held().min(most);
        let wanted = n_held.saturating_mul(2).min(most);
        match claim {
            Some(claim) if claim.n_bytes() < n_held => claim.grow(wanted).await,
            None if n_held > 0 => {
                let memory = self.current.load().memory.clone();
                *claim = Some(memory.enter(self.of.client, wanted).await?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn control(&mut self, opcode: Opcode, payload: Vec<u8>) -> Option<End> {
        let sent = match opcode {
            Opcode::Close => {
                return Some(match close_code(&payload) {
                    Ok(code) => End::Closed(code),
                    Err(fault) => broken(&self.current.load(), &self.of, fault).await,
                });
            }
            Opcode::Ping => {
                if self.to_client.send(Ours::Pong(payload)).await.is_err() {
                    return Some(End::Gone);
                }
                self.send(Opcode::Ping, &[]).await
            }
            _ if self.pings.answers(&payload) => self.send(Opcode::Pong, &payload).await,
            _ => self.send(Opcode::Pong, &[]).await,
        };
        (!sent).then_some(End::Refused)
    }

    /// Takes the set in force for a message that has come whole: a socket may live for days, and what was forbidden this
    /// morning must not go out over one that was opened last night. `None` if that set has no such socket.
    fn renew(&mut self) -> Option<Arc<Gateway>> {
        let now = self.current.load();
        if !std::ptr::eq(Arc::as_ptr(&now), self.judged_by.as_ptr()) {
            let target = of_socket(&now.routes, &self.of.authority, &self.of.target)?;
            self.of.target = Arc::clone(target);
            if !now.still_believes(self.of.told_by.as_ref()) {
                return None;
            }
            self.of.groups = now.inspector.policy().groups_of(&self.of.sender);
            self.judged_by = Arc::downgrade(&now);
        }
        Some(now)
    }

    async fn message(&mut self, mut message: Message) -> Option<End> {
        let Some(gateway) = self.renew() else { return Some(End::Close(AWAY, String::new())) };
        let (sent, outcome) = match rule(&gateway, &self.of, &mut message).await {
            Ruling::Forward(outcome) => (self.write(&message.frames).await, outcome),
            Ruling::Replace(text, outcome) => (self.send(Opcode::Text, &text).await, outcome),
            Ruling::Reply(text) => {
                let told = self.to_client.send(Ours::Text(text)).await;
                return told.is_err().then_some(End::Gone);
            }
            closes @ Ruling::Close(..) => return Some(closing(closes)),
        };
        PendingOutcome::tell(outcome, if sent { Outcome::Sent } else { Outcome::Failed });
        (!sent).then_some(End::Refused)
    }

    /// Sends a frame of our own. Says whether the platform took it.
    async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> bool {
        let mut key = [0; 4];
        if rand::fill(&mut key).is_err() {
            return false;
        }
        let frame = write(opcode, payload, Some(key));
        self.write(&frame).await
    }

    async fn write(&mut self, bytes: &[u8]) -> bool {
        let platform = &mut self.platform;
        let all = async {
            platform.write_all(bytes).await?;
            platform.flush().await
        };
        let limit = self.current.load().limits.timeouts.answer;
        matches!(timeout(limit, all).await, Ok(Ok(())))
    }

    /// Reads on until the client has heard that it is over: a connection that is cut while bytes are on their way takes
    /// our last words with it.
    async fn linger(&mut self) {
        let mut is_read = true;
        loop {
            if is_read {
                match self.reader.next() {
                    Ok(Some(Event::Control(Opcode::Close, _))) => return,
                    Ok(Some(_)) => continue,
                    Ok(None) => {}
                    Err(_) => is_read = false,
                }
            }
            let buffer = self.reader.buffer();
            if !is_read {
                buffer.clear();
            }
            buffer.reserve(CHUNK);
            if !matches!(self.client.read_buf(buffer).await, Ok(1..)) {
                return;
            }
        }
    }
}

/// The client does not keep to the protocol, or to our limit.
async fn broken(gateway: &Gateway, of: &Passage, fault: FrameFault) -> End {
    if fault == FrameFault::TooLarge {
        return closing(refuse(gateway, of, Unreadable::TooLarge, 1009).await);
    }
    tracing::debug!(client = %of.client, %fault, "WebSocket closed");
    End::Close(1002, String::new())
}

/// What a ruling that ends a socket comes to.
fn closing(ruling: Ruling) -> End {
    match ruling {
        Ruling::Close(code, reason) => End::Close(code, reason),
        Ruling::Forward(_) | Ruling::Replace(..) | Ruling::Reply(_) => {
            End::Close(1011, String::new())
        }
    }
}

/// Waits until the socket must be closed.
async fn stopped(stop: &mut watch::Receiver<Option<u16>>) -> u16 {
    let code = stop.wait_for(Option::is_some).await.ok().and_then(|code| *code);
    match code {
        Some(code) => code,
        // Nobody is there who could say it.
        None => std::future::pending().await,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// How long the two sides get to close.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::{MOST_PINGS, Pings};

    #[test]
    fn a_pong_answers_a_ping_once() {
        let pings = Pings::default();
        assert!(!pings.answers(b""));
        for n in 0..=MOST_PINGS {
            pings.note(vec![u8::try_from(n).unwrap()]);
        }
        assert!(!pings.answers(&[0]), "the oldest is forgotten");
        assert!(pings.answers(&[5]) && !pings.answers(&[5]) && !pings.answers(&[4]));
        assert!(pings.answers(&[6]));
    }
}
