//! Syslog (RFC 5424) over TCP and TLS, for the hospital's SIEM: each line of the audit as one message, by octet counting.
//!
//! TCP syslog has no acknowledgement: what the kernel took may still be lost with the receiver. So the lines that were sent
//! shortly before a connection was found broken are sent again over the next one, and the cursor stands before them: a
//! process that ends sends them again when it starts. A receiver gets each event at least
//! once, and tells repetitions by the hash that every message carries.

mod cef;
mod connection;
mod frame;
mod ocsf;
mod settings;

pub use settings::{Facility, SyslogFormat, SyslogSettings};

use std::collections::VecDeque;
use std::time::Instant;

use crate::audit::chain::Link;
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::follow::Batch;
use crate::audit::sinks::{HeldChain, Sink};
use connection::Connection;

/// Most bytes of messages that are kept for sending again.
const MOST_KEPT: usize = 4 << 20;

/// One receiver.
pub(super) struct Syslog {
    settings: SyslogSettings,
    connection: Option<Connection>,
    /// Messages that a receiver may not have read, with when they were sent and the line before each.
    sent: VecDeque<(Instant, Link, Vec<u8>)>,
    n_sent_bytes: usize,
    /// When the connection was last seen whole.
    seen_whole: Instant,
}

impl Syslog {
    pub(super) fn new(settings: SyslogSettings) -> Self {
        Self {
            settings,
            connection: None,
            sent: VecDeque::new(),
            n_sent_bytes: 0,
            seen_whole: Instant::now(),
        }
    }

    /// Whether the receiver is still there; what it can no longer have missed is let go.
    fn check(&mut self) -> Result<(), SinkFault> {
        let connection = self
            .connection
            .as_mut()
            .ok_or_else(|| SinkFault::new("the receiver is not connected"))?;
        if let Err(fault) = connection.check() {
            self.connection = None;
            return Err(fault);
        }
        self.seen_whole = Instant::now();
        let resend = self.settings.resend;
        while let Some((at, ..)) = self.sent.front() {
            if self.seen_whole.duration_since(*at) <= resend {
                break;
            }
            self.forget_oldest();
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), SinkFault> {
        let connection = self
            .connection
            .as_mut()
            .ok_or_else(|| SinkFault::new("the receiver is not connected"))?;
        let sent = connection.send(bytes);
        if sent.is_err() {
            self.connection = None;
        }
        sent
    }

    fn keep(&mut self, before: Link, message: Vec<u8>) {
        self.n_sent_bytes += message.len();
        self.sent.push_back((Instant::now(), before, message));
        while self.n_sent_bytes > MOST_KEPT {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((.., message)) = self.sent.pop_front() {
            self.n_sent_bytes -= message.len();
        }
    }
}

impl Sink for Syslog {
    fn connect(&mut self, _node: &str) -> Result<Option<Vec<HeldChain>>, SinkFault> {
        self.connection = None;
        self.connection = Some(Connection::open(&self.settings)?);
        // Once more, in order, before anything new.
        let again: Vec<u8> = self.sent.iter().flat_map(|(.., message)| message).copied().collect();
        if !again.is_empty() {
            self.send(&again)?;
            let now = Instant::now();
            self.sent.iter_mut().for_each(|(at, ..)| *at = now);
        }
        self.seen_whole = Instant::now();
        Ok(None)
    }

    fn go_on(&mut self, _chain: &str) -> Result<(), SinkFault> {
        Ok(())
    }

    fn begin(&mut self, _node: &str, _before: Link) -> Result<(), SinkFault> {
        Ok(())
    }

    fn put(&mut self, batch: &Batch) -> Result<(), SinkFault> {
        self.check()?;
        let messages: Vec<Vec<u8>> =
            batch.lines().map(|(line, _)| frame::message(line, &self.settings)).collect();
        self.send(&messages.concat())?;
        for ((_, place), message) in batch.lines().zip(messages) {
            self.keep(place.before, message);
        }
        Ok(())
    }

    fn unsure_after(&self) -> Option<Link> {
        self.sent.front().map(|(_, before, _)| *before)
    }

    fn tidy(&mut self) -> Result<(), SinkFault> {
        self.check()
    }
}

#[cfg(test)]
mod tests;
