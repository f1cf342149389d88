//! Reads a request's body whole, within its limits of size and time: nothing is judged by halves.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::body::Unreadable;
use crate::proxy::headers::Framing;
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

/// How many bodies of more than a megabyte are held at once. Without a bound, a hundred streams on each of many
/// connections could ask for more memory than there is; the rest wait, and their clients with them.
const MOST_LARGE: usize = 64;
const LARGE: usize = 1 << 20;

/// Rooms for large bodies.
#[derive(Clone, Debug)]
pub(crate) struct Rooms(Arc<Semaphore>);

/// A body's claim to one of the rooms; kept until its request is done with.
pub(crate) type Room = Option<OwnedSemaphorePermit>;

impl Default for Rooms {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST_LARGE)))
    }
}

impl Rooms {
    /// A room for what has grown to so many bytes, if it is large.
    pub(crate) async fn enter(&self, n_bytes: usize) -> Room {
        if n_bytes <= LARGE {
            return None;
        }
        // The semaphore is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The longest body that is held.
    pub(crate) most: usize,
    /// Whether the start of a longer one is of use.
    pub(crate) wants_start: bool,
    /// How long all of it may take.
    pub(crate) limit: Duration,
}

/// Reads a body. Of a body that says it is too long, only the start is read, and nothing at all where the client waits
/// for our word first and no start is of use.
pub(crate) async fn receive(
    mut body: Incoming,
    framing: Framing,
    reading: Reading,
    rooms: &Rooms,
) -> (Received, Room) {
    if body.is_end_stream() {
        return (Received::Whole(Bytes::new()), None);
    }
    let says_too_long = framing
        .length
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > reading.most));
    if says_too_long && framing.expects && !reading.wants_start {
        return (Received::Long(Bytes::new(), body), None);
    }
    let most = if says_too_long { LEAD } else { reading.most };
    let mut room = None;
    let received = match timeout(reading.limit, collect(&mut body, most, rooms, &mut room)).await {
        Ok(Collected::All(bytes)) => Received::Whole(bytes),
        Ok(Collected::Over(start)) => Received::Long(start, body),
        Ok(Collected::Broken) => Received::Failed(Unreadable::Truncated, None),
        Err(_) => Received::Failed(Unreadable::TooSlow, None),
    };
    (received, room)
}

enum Collected {
    All(Bytes),
    Over(Bytes),
    Broken,
}

/// Nearly every post comes in one piece, and then is not copied.
async fn collect(body: &mut Incoming, most: usize, rooms: &Rooms, room: &mut Room) -> Collected {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Collected::Broken };
        // Trailers are dropped: they are this hop's own.
        let Ok(data) = frame.into_data() else { continue };
        if first.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
        let length = first.len().max(joined.len());
        if length > most {
            return Collected::Over(if joined.is_empty() { first } else { joined.freeze() });
        }
        if length > LARGE && room.is_none() {
            // The semaphore is never closed.
            *room = Arc::clone(&rooms.0).acquire_owned().await.ok();
        }
    }
    Collected::All(if joined.is_empty() { first } else { joined.freeze() })
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
