//! The state of one connection's requests: which bytes come next, and whether they may pass.

use crate::proxy::wire::chunk::Chunked;
use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::head::{Framing, Head, Whole};

/// What heads may measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    /// Bytes of a head, request line and all.
    pub(crate) head: usize,
    /// Bytes of its target.
    pub(crate) target: usize,
    /// Headers.
    pub(crate) headers: usize,
}

/// What is to be done with the bytes at hand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// More must come first.
    More,
    /// So many were read, and so many stand written at the start in their place.
    Pass { consumed: usize, written: usize, is_head: bool },
    /// Nothing is read before the answer to a request to upgrade is known.
    Wait,
    /// The client has said that it sends no more; what comes is dropped.
    Over,
    /// These bytes are no request.
    Refuse { fault: Fault, in_body: bool },
}

#[derive(Debug)]
enum State {
    Head(Head),
    Length(u64),
    Chunked(Chunked),
    Waiting,
    Raw,
    Over,
    Refused(Fault, bool),
}

/// Reads the requests of one connection.
#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    caps: Caps,
    /// The request under way is the last.
    last: bool,
}

impl Machine {
    pub(super) fn new(caps: Caps) -> Self {
        Self { state: State::Head(Head::default()), caps, last: false }
    }

    /// Looks at all bytes at hand, from the first that has not passed.
    pub(super) fn step(&mut self, input: &mut [u8]) -> Step {
        let read = match &mut self.state {
            State::Head(head) => match head.read(input, &self.caps) {
                Ok(Some(whole)) => return self.begin(whole),
                Ok(None) => Ok(None),
                Err(fault) => Err((fault, false)),
            },
            State::Length(left) => {
                let n = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= n as u64;
                Ok((n > 0).then_some((n, n)))
            }
            State::Chunked(chunked) => chunked.read(input).map_err(|fault| (fault, true)),
            State::Raw => Ok((!input.is_empty()).then_some((input.len(), input.len()))),
            State::Waiting => return Step::Wait,
            State::Over => return Step::Over,
            State::Refused(fault, in_body) => {
                return Step::Refuse { fault: *fault, in_body: *in_body };
            }
        };
        match read {
            Ok(None) => Step::More,
            Ok(Some((consumed, written))) => {
                self.end_body();
                Step::Pass { consumed, written, is_head: false }
            }
            Err((fault, in_body)) => {
                self.state = State::Refused(fault, in_body);
                Step::Refuse { fault, in_body }
            }
        }
    }

    /// How many of the next bytes pass as they are, unseen.
    pub(super) fn n_direct(&self) -> u64 {
        match &self.state {
            State::Length(left) => *left,
            State::Chunked(chunked) => chunked.n_direct(),
            State::Raw => u64::MAX,
            _ => 0,
        }
    }

    /// Says that so many of them have passed.
    pub(super) fn passed(&mut self, n: u64) {
        match &mut self.state {
            State::Length(left) => *left = left.saturating_sub(n),
            State::Chunked(chunked) => chunked.passed(n),
            _ => {}
        }
        self.end_body();
    }

    /// Whether a head has begun and not ended.
    pub(super) fn is_mid_head(&self, input: &[u8]) -> bool {
        matches!(&self.state, State::Head(head) if !head.is_empty(input))
    }

    /// Whether every request that has begun has come to its end.
    pub(super) fn is_between(&self, input: &[u8]) -> bool {
        match &self.state {
            State::Head(head) => head.is_empty(input),
            State::Over => true,
            _ => false,
        }
    }

    /// The answer to a request to upgrade: everything passes from now on, or nothing. Who asked for another protocol
    /// and did not get it may already have begun to speak it.
    pub(super) fn upgraded(&mut self, accepted: bool) {
        if let State::Waiting = self.state {
            self.state = if accepted { State::Raw } else { State::Over };
        }
    }

    fn begin(&mut self, whole: Whole) -> Step {
        self.last = whole.last;
        self.state = match whole.framing {
            _ if whole.upgrade => State::Waiting,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
        };
        self.end_body();
        Step::Pass { consumed: whole.consumed, written: whole.written, is_head: true }
    }

    fn end_body(&mut self) {
        let is_over = match &self.state {
            State::Length(left) => *left == 0,
            State::Chunked(chunked) => chunked.is_over(),
            _ => false,
        };
        if is_over {
            self.state = self.next();
        }
    }

    fn next(&self) -> State {
        if self.last { State::Over } else { State::Head(Head::default()) }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
