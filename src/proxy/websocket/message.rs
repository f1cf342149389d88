//! Puts a client's frames together to messages, and keeps them as they came: a message is judged whole, and what is clean
//! goes on in the very bytes of its client.

use bytes::{Bytes, BytesMut};

use crate::proxy::websocket::frame::{FrameFault, Head, Opcode, Side, mask};

/// Something whole that a client sent.
pub(super) enum Event {
    /// A control frame, unmasked.
    Control(Opcode, Vec<u8>),
    /// A message.
    Message(Message),
}

/// Prints lengths only, as a message does: a control frame may hold words, too.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Control(opcode, payload) => {
                f.debug_tuple("Control").field(opcode).field(&payload.len()).finish()
            }
            Self::Message(message) => f.debug_tuple("Message").field(message).finish(),
        }
    }
}

/// A message, all its fragments.
pub(super) struct Message {
    pub(super) is_text: bool,
    pub(super) is_compressed: bool,
    /// Unmasked and joined; still compressed.
    pub(super) payload: Vec<u8>,
    /// Its frames, as they came.
    pub(super) frames: Bytes,
}

/// Prints lengths only: everything else is a client's words.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("is_text", &self.is_text)
            .field("n_payload", &self.payload.len())
            .field("n_frames", &self.frames.len())
            .finish_non_exhaustive()
    }
}

/// Reads what a client sends.
pub(super) struct Reader {
    /// What has come and is no whole frame yet.
    buffer: BytesMut,
    /// A message of which fragments are still to come.
    begun: Option<Begun>,
    /// The longest message, all its frames with their heads, in bytes.
    most: usize,
    may_be_compressed: bool,
}

struct Begun {
    opcode: Opcode,
    is_compressed: bool,
    payload: Vec<u8>,
    frames: BytesMut,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("n_buffered", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn new(most: usize, may_be_compressed: bool) -> Self {
        Self { buffer: BytesMut::new(), begun: None, most, may_be_compressed }
    }

    /// Where what comes is to be appended.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether a frame or a message has begun and not ended: its client owes us the rest.
    pub(super) fn is_within(&self) -> bool {
        !self.buffer.is_empty() || self.begun.is_some()
    }

    /// The longest message.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many bytes are held.
    pub(super) fn n_held(&self) -> usize {
        self.buffer.len() + self.begun.as_ref().map_or(0, |begun| begun.frames.len() * 2)
    }

    /// The next that is whole; `None` until more has come.
    pub(super) fn next(&mut self) -> Result<Option<Event>, FrameFault> {
        loop {
            let head = Head::read(&self.buffer, Side::Client, self.may_be_compressed)?;
            let Some(head) = head else { return Ok(None) };
            self.check_order(&head)?;
            let n_payload = usize::try_from(head.n_payload).map_err(|_| FrameFault::TooLarge)?;
            let n_frame = head.n_own.checked_add(n_payload).ok_or(FrameFault::TooLarge)?;
            let n_before = self.begun.as_ref().map_or(0, |begun| begun.frames.len());
            if !head.opcode.is_control() && n_frame > self.most.saturating_sub(n_before) {
                return Err(FrameFault::TooLarge);
            }
            if self.buffer.len() < n_frame {
                return Ok(None);
            }
            let frame = self.buffer.split_to(n_frame);
            if let Some(event) = self.take(&head, frame) {
                return Ok(Some(event));
            }
        }
    }

    fn check_order(&self, head: &Head) -> Result<(), FrameFault> {
        let continues = head.opcode == Opcode::Continuation;
        if head.opcode.is_control() || continues == self.begun.is_some() {
            Ok(())
        } else {
            Err(FrameFault::Order)
        }
    }

    fn take(&mut self, head: &Head, frame: BytesMut) -> Option<Event> {
        let mut payload = frame.get(head.n_own..).unwrap_or_default().to_vec();
        mask(&mut payload, head.mask.unwrap_or_default(), 0);
        if head.opcode.is_control() {
            return Some(Event::Control(head.opcode, payload));
        }
        let begun = match self.begun.take() {
            Some(mut begun) => {
                begun.payload.append(&mut payload);
                begun.frames.extend_from_slice(&frame);
                begun
            }
            None => Begun {
                opcode: head.opcode,
                is_compressed: head.is_compressed,
                payload,
                frames: frame,
            },
        };
        if !head.is_last {
            self.begun = Some(begun);
            return None;
        }
        Some(Event::Message(Message {
            is_text: begun.opcode == Opcode::Text,
            is_compressed: begun.is_compressed,
            payload: begun.payload,
            frames: begun.frames.freeze(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Reader};
    use crate::proxy::websocket::frame::{FrameFault, Opcode, write};

    const KEY: Option<[u8; 4]> = Some([9, 8, 7, 6]);

    fn fragment(opcode: Opcode, is_last: bool, payload: &[u8]) -> Vec<u8> {
        let mut frame = write(opcode, payload, KEY);
        if !is_last {
            frame[0] &= 0x7f;
        }
        frame
    }

    /// Everything that comes of these bytes, whether they come at once or one by one.
    fn read(bytes: &[u8]) -> Result<Vec<Event>, FrameFault> {
        let mut said = Vec::new();
        for step in [bytes.len().max(1), 1] {
            let mut reader = Reader::new(1000, true);
            let mut events = Vec::new();
            for piece in bytes.chunks(step) {
                reader.buffer().extend_from_slice(piece);
                while let Some(event) = reader.next()? {
                    events.push(event);
                }
            }
            said.push(events);
        }
        let [at_once, one_by_one] = said.try_into().unwrap();
        assert_eq!(format!("{at_once:?}"), format!("{one_by_one:?}"));
        Ok(at_once)
    }

    #[test]
    fn fragments_are_joined_and_kept_as_they_came() {
        let bytes = [
            fragment(Opcode::Text, false, b"saw "),
            write(Opcode::Ping, b"p", KEY),
            fragment(Opcode::Continuation, false, b""),
            fragment(Opcode::Continuation, true, b"Jane"),
        ];
        let events = read(&bytes.concat()).unwrap();
        let [Event::Control(Opcode::Ping, ping), Event::Message(message)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!((&ping[..], &message.payload[..]), (&b"p"[..], &b"saw Jane"[..]));
        assert_eq!(message.frames, [&bytes[0][..], &bytes[2], &bytes[3]].concat());
    }

    #[test]
    fn what_is_out_of_order_or_too_long_is_refused() {
        let text = || fragment(Opcode::Text, false, b"a");
        for (frames, want) in [
            (vec![fragment(Opcode::Continuation, true, b"a")], FrameFault::Order),
            (vec![text(), text()], FrameFault::Order),
            (vec![text(), write(Opcode::Binary, b"a", KEY)], FrameFault::Order),
            (vec![write(Opcode::Text, &[b'a'; 995], KEY)], FrameFault::TooLarge),
            (vec![text(), write(Opcode::Continuation, &[b'a'; 990], KEY)], FrameFault::TooLarge),
            (
                std::iter::once(text())
                    .chain((0..200).map(|_| fragment(Opcode::Continuation, false, b"")))
                    .collect(),
                FrameFault::TooLarge,
            ),
        ] {
            assert_eq!(read(&frames.concat()).unwrap_err(), want);
        }
        // Its head is enough to refuse it.
        let long = write(Opcode::Text, &[b'a'; 5000], KEY);
        assert_eq!(read(&long[..8]).unwrap_err(), FrameFault::TooLarge);
    }

    #[test]
    fn nothing_of_a_message_is_printed() {
        let events = read(&write(Opcode::Text, b"Jane", KEY)).unwrap();
        assert!(!format!("{events:?}").contains("74"), "{events:?}");
    }
}
