//! Reads a request's body whole, within its limits of size and time: nothing is judged by halves.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use crate::body::Unreadable;
use crate::proxy::headers::Framing;
use crate::proxy::memory::{Busy, Claim, FIRST, Memory};
use crate::proxy::pace::Pace;
use crate::proxy::spool::Spooled;

/// How much of a refused request is still read, so that its client sees the answer: a reset looks like a network
/// failure, and clients try again.
const DRAIN_BYTES: u64 = 64 << 20;

/// Enough leading bytes to tell what a file is.
const LEAD: usize = 4096;

/// What came of reading a body.
pub(crate) enum Received {
    /// All of it.
    Whole(Bytes),
    /// It is longer than we hold: its start, and the rest still to come.
    Long(Bytes, Incoming),
    /// Its texts, and its long runs of media in the spool.
    Spooled(Box<Spooled>),
    /// It did not come whole, or cannot be kept; what may still come.
    Failed(Unreadable, Option<Incoming>),
}

/// How often a body that does not come is looked at, to see whether others wait for what it holds.
const LOOK: Duration = Duration::from_secs(2);

/// How many times faster than `min-body-rate` a body must come while others wait for what it holds.
const WHEN_WANTED: u64 = 8;

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The longest body that is held.
    pub(crate) most: usize,
    /// Whether the start of a longer one is of use.
    pub(crate) wants_start: bool,
    /// How long it may pause.
    pub(crate) pause: Duration,
    /// How many bytes must come in a second, on the whole.
    pub(crate) rate: u64,
}

/// Reads a body. Of a body that says it is too long, only the start is read, and nothing at all where the client waits
/// for our word first and no start is of use. The claim is on the memory that what was received takes.
pub(crate) async fn receive(
    mut body: Incoming,
    framing: Framing,
    reading: Reading,
    (memory, address): (&Memory, IpAddr),
) -> (Received, Option<Claim>) {
    if body.is_end_stream() {
        return (Received::Whole(Bytes::new()), None);
    }
    let length = framing.length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let says_too_long = length.is_some_and(|length| length > reading.most);
    if says_too_long && framing.expects && !reading.wants_start {
        return (Received::Long(Bytes::new(), body), None);
    }
    let most = if says_too_long { LEAD } else { reading.most };
    let known = length.map(|length| length.min(most));
    // Before the first byte is asked for: a client that waits for our word hears that we are busy in its place.
    let Ok(claim) = memory.enter(address, known.unwrap_or(FIRST).min(FIRST)).await else {
        return (Received::Failed(Unreadable::Busy, Some(body)), None);
    };
    let mut taking =
        Taking { claim, known, pace: Pace::new(reading.pause, reading.rate), joined: Vec::new() };
    let received = match taking.collect(&mut body, most, reading.pause).await {
        Ok(Collected::All(bytes)) => Received::Whole(bytes),
        Ok(Collected::Over(start)) => Received::Long(start, body),
        // What was taken in goes at once; the rest is read and dropped.
        Err(Unreadable::Busy) => return (Received::Failed(Unreadable::Busy, Some(body)), None),
        Err(why) => return (Received::Failed(why, None), None),
    };
    (received, Some(taking.claim))
}

enum Collected {
    All(Bytes),
    Over(Bytes),
}

/// A body that is being taken in.
struct Taking {
    claim: Claim,
    /// Its length, if its client named it.
    known: Option<usize>,
    pace: Pace,
    joined: Vec<u8>,
}

impl Taking {
    /// Nearly every post comes in one piece, and then is not copied.
    async fn collect(
        &mut self,
        body: &mut Incoming,
        most: usize,
        pause: Duration,
    ) -> Result<Collected, Unreadable> {
        let mut first = Bytes::new();
        while let Some(data) = self.next(body, pause).await? {
            let length = self.joined.len().max(first.len()) + data.len();
            // One frame more than may be held is held, for a moment, by whoever is told so.
            self.make_room(length, most).await?;
            if first.is_empty() && self.joined.is_empty() {
                first = data;
            } else {
                self.join(&std::mem::take(&mut first));
                self.join(&data);
            }
            if length > most {
                return Ok(Collected::Over(self.take(first)));
            }
        }
        Ok(Collected::All(self.take(first)))
    }

    /// The next bytes, in time.
    async fn next(
        &mut self,
        body: &mut Incoming,
        pause: Duration,
    ) -> Result<Option<Bytes>, Unreadable> {
        let mut waited = Duration::ZERO;
        loop {
            let look = LOOK.min(pause.saturating_sub(waited));
            let Ok(frame) = timeout(look, body.frame()).await else {
                waited += look;
                if waited >= pause {
                    return Err(Unreadable::TooSlow);
                }
                self.give_way()?;
                continue;
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Unreadable::Truncated)?;
            // Trailers are dropped: they are this hop's own.
            let Ok(data) = frame.into_data() else { continue };
            if !self.pace.keeps(data.len()) {
                return Err(Unreadable::TooSlow);
            }
            self.give_way()?;
            return Ok(Some(data));
        }
    }

    /// Where others wait, a client that dribbles loses what it holds.
    fn give_way(&self) -> Result<(), Unreadable> {
        let holds_up = self.claim.is_wanted() && !self.pace.is_brisk(LOOK, WHEN_WANTED);
        if holds_up { Err(Unreadable::Busy) } else { Ok(()) }
    }

    /// Sees to it that so many bytes may be held: of a body of known length all of it at once, so that it can come to its
    /// end; of another twice as much as before, and never more than a body may measure: that much there is.
    async fn make_room(&mut self, length: usize, most: usize) -> Result<(), Unreadable> {
        let length = length.min(most);
        if length <= self.claim.n_bytes() {
            return Ok(());
        }
        let twice = self.claim.n_bytes().saturating_mul(2).min(most);
        let wanted = self.known.unwrap_or(twice);
        let asked = Instant::now();
        let grown = self.claim.grow(wanted.max(length)).await;
        // The time that it took was ours.
        self.pace.forgive(asked.elapsed());
        grown.map_err(|Busy| Unreadable::Busy)
    }

    fn join(&mut self, data: &[u8]) {
        let wanted = self.claim.n_bytes().max(self.joined.len() + data.len());
        if self.joined.capacity() < wanted {
            self.joined.reserve_exact(wanted - self.joined.len());
        }
        self.joined.extend_from_slice(data);
    }

    fn take(&mut self, first: Bytes) -> Bytes {
        if self.joined.is_empty() { first } else { std::mem::take(&mut self.joined).into() }
    }
}

/// Reads on without keeping anything, so that an answer reaches the client. Says whether the end was reached; if not,
/// the connection cannot be used again.
pub(crate) async fn drain(mut body: Incoming, framing: Framing, limit: Duration) -> bool {
    if body.is_end_stream() {
        return true;
    }
    // This client sends nothing before it hears from us, and what it hears is the answer.
    if framing.expects {
        return false;
    }
    let all = async {
        let mut n_read = 0_u64;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            n_read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if n_read > DRAIN_BYTES {
                return false;
            }
        }
        true
    };
    timeout(limit, all).await.unwrap_or(false)
}
