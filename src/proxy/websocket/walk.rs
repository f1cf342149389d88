//! Follows a platform's frames as they stream past, without holding them: where one of our own may stand between them, and
//! when the last has come.

use crate::proxy::websocket::frame::{FrameFault, Head, Opcode, Side, close_code};

/// Where in a platform's stream we are.
#[derive(Debug)]
pub(super) struct Walker {
    /// Bytes of the current frame still to come.
    left: u64,
    /// Whether fragments of a message are still to come.
    is_within_message: bool,
    is_closed: bool,
    may_be_compressed: bool,
}

/// What may pass of some bytes.
#[derive(Default, Eq, PartialEq)]
pub(super) struct Walked {
    /// So many, from the first.
    pub(super) n_ready: usize,
    /// The payloads of the pings among them.
    pub(super) pings: Vec<Vec<u8>>,
}

impl Walker {
    pub(super) const fn new(may_be_compressed: bool) -> Self {
        Self { left: 0, is_within_message: false, is_closed: false, may_be_compressed }
    }

    /// Looks at what has come and did not pass before. Of a frame, any part may pass behind its head; a control frame
    /// passes whole.
    pub(super) fn walk(&mut self, bytes: &[u8]) -> Result<Walked, FrameFault> {
        let mut walked = Walked::default();
        while !self.is_closed {
            let rest = bytes.get(walked.n_ready..).unwrap_or_default();
            if self.left > 0 {
                let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                self.left -= n as u64;
                walked.n_ready += n;
                if self.left > 0 {
                    break;
                }
                continue;
            }
            let Some(head) = Head::read(rest, Side::Server, self.may_be_compressed)? else { break };
            if head.opcode.is_control() {
                let n_payload = usize::try_from(head.n_payload).unwrap_or(usize::MAX);
                let payload = rest.get(head.n_own..).and_then(|rest| rest.get(..n_payload));
                let Some(payload) = payload else { break };
                match head.opcode {
                    Opcode::Ping => walked.pings.push(payload.to_vec()),
                    Opcode::Close => {
                        close_code(payload)?;
                        self.is_closed = true;
                    }
                    _ => {}
                }
                walked.n_ready += head.n_own + n_payload;
                continue;
            }
            if (head.opcode == Opcode::Continuation) != self.is_within_message {
                return Err(FrameFault::Order);
            }
            self.is_within_message = !head.is_last;
            self.left = head.n_payload;
            walked.n_ready += head.n_own;
        }
        Ok(walked)
    }

    /// Whether a control frame of ours may stand here.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.left == 0
    }

    /// Whether a message of ours may stand here.
    pub(super) const fn is_between_messages(&self) -> bool {
        self.left == 0 && !self.is_within_message
    }

    /// Whether the platform has closed the socket: nothing may come after that.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::Walker;
    use crate::proxy::websocket::frame::{FrameFault, Opcode, write};

    /// Where messages of ours may stand, by the bytes that passed before; the pings; whether it ended.
    fn walk(bytes: &[u8], step: usize) -> Result<(Vec<usize>, usize, bool), FrameFault> {
        let mut walker = Walker::new(false);
        let (mut held, mut passed) = (Vec::new(), 0);
        let (mut between, mut n_pings) = (vec![0], 0);
        for piece in bytes.chunks(step) {
            held.extend_from_slice(piece);
            let passing = walker.walk(&held)?;
            held.drain(..passing.n_ready);
            passed += passing.n_ready;
            n_pings += passing.pings.len();
            if walker.is_between_messages() && between.last() != Some(&passed) {
                between.push(passed);
            }
        }
        Ok((between, n_pings, walker.is_closed()))
    }

    #[test]
    fn places_between_messages_are_found_however_the_bytes_come() {
        let mut begun = write(Opcode::Text, &[b'a'; 200], None);
        begun[0] &= 0x7f;
        let ping = write(Opcode::Ping, b"are you there", None);
        let last = write(Opcode::Continuation, b"b", None);
        let other = write(Opcode::Binary, &vec![0; 70_000], None);
        let close = write(Opcode::Close, &[3, 232], None);
        let behind = write(Opcode::Text, b"late", None);
        let first = begun.len() + ping.len() + last.len();
        let second = first + other.len();
        let third = second + close.len();
        let all = [begun, ping, last, other, close, behind].concat();
        for step in [1, 2, 3, 1000, all.len()] {
            let (between, n_pings, is_closed) = walk(&all, step).unwrap();
            assert!(between.iter().all(|at| [0, first, second, third].contains(at)), "{step}");
            // Every place that comes between two pieces is found, and the end always.
            let at_ends = [first, second].into_iter().filter(|at| at % step == 0);
            let want: Vec<usize> = [0].into_iter().chain(at_ends).chain([third]).collect();
            assert!(want.iter().all(|at| between.contains(at)), "{step}: {between:?}");
            assert!(step > 1 || between == [0, first, second, third], "{between:?}");
            assert!(n_pings == 1 && is_closed);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_a_fault() {
        for (bytes, want) in [
            (write(Opcode::Text, b"a", Some([1; 4])), FrameFault::Mask),
            (write(Opcode::Continuation, b"a", None), FrameFault::Order),
            (write(Opcode::Close, &[3, 237], None), FrameFault::Close),
            (vec![0xc1, 1, b'a'], FrameFault::Reserved),
        ] {
            assert_eq!(walk(&bytes, 1), Err(want));
        }
    }
}
