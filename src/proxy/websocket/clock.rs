//! The clocks of one socket: how long it may be silent, and how long one message may take.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When something last happened on a socket.
#[derive(Debug)]
pub(super) struct Clock {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    heard: Instant,
    /// When the message began that is being read.
    begun: Option<Instant>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { heard: Instant::now(), begun: None }) }
    }

    /// Something passed, either way.
    pub(super) fn heard(&self) {
        self.with(|state| state.heard = Instant::now());
    }

    /// Says whether the reader is within a message.
    pub(super) fn note_within(&self, is_within: bool) {
        self.with(|state| {
            state.begun = is_within.then(|| state.begun.unwrap_or_else(Instant::now));
        });
    }

    /// Until when the message that has begun must have ended.
    pub(super) fn within(&self, limit: Duration) -> Instant {
        self.with(|state| state.begun.unwrap_or_else(Instant::now) + limit)
    }

    /// Waits until nothing has passed for so long.
    pub(super) async fn silence(&self, limit: Duration) {
        loop {
            let end = self.with(|state| state.heard) + limit;
            if Instant::now() >= end {
                return;
            }
            sleep_until(end).await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
