//! Frames of RFC 6455, read strictly: whatever the two sides could read in two ways ends the connection.

use std::fmt;

/// The longest payload of a control frame (RFC 6455, section 5.5).
pub(super) const MOST_CONTROL: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn parse(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// Masks each frame.
    Client,
    /// Masks none.
    Server,
}

/// Why a stream of frames cannot be followed further.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum FrameFault {
    #[error("a reserved bit is set that no extension speaks of")]
    Reserved,
    #[error("the frame is of no known kind")]
    Opcode,
    #[error("a client's frame is not masked, or a server's is")]
    Mask,
    #[error("the length is not written as short as it can be, or is out of range")]
    Length,
    #[error("a control frame is fragmented, compressed or too long")]
    Control,
    #[error("fragments of messages are out of order")]
    Order,
    #[error("a close frame is malformed")]
    Close,
    #[error("a message is larger than the limit")]
    TooLarge,
}

/// What stands before a frame's payload.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Head {
    pub(super) is_last: bool,
    /// The first reserved bit: by RFC 7692 the message is compressed.
    pub(super) is_compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    /// Of the head itself, in bytes.
    pub(super) n_own: usize,
    /// Of the payload, in bytes.
    pub(super) n_payload: u64,
}

/// The mask is left out: with it, masked bytes in a dump could be read.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("is_last", &self.is_last)
            .field("opcode", &self.opcode)
            .field("n_payload", &self.n_payload)
            .finish_non_exhaustive()
    }
}

impl Head {
    /// Reads the head that `bytes` begin with; `None` until enough of it has come. A head is at most 14 bytes long.
    pub(super) fn read(
        bytes: &[u8],
        sender: Side,
        may_be_compressed: bool,
    ) -> Result<Option<Self>, FrameFault> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        let opcode = Opcode::parse(first & 0x0f).ok_or(FrameFault::Opcode)?;
        let is_last = first & 0x80 != 0;
        let is_compressed = first & 0x40 != 0;
        if first & 0x30 != 0 || (is_compressed && !may_be_compressed) {
            return Err(FrameFault::Reserved);
        }
        // A message says that it is compressed in its first frame (RFC 7692, section 6).
        if is_compressed && opcode == Opcode::Continuation {
            return Err(FrameFault::Reserved);
        }
        let is_masked = second & 0x80 != 0;
        if is_masked != (sender == Side::Client) {
            return Err(FrameFault::Mask);
        }
        let short = second & 0x7f;
        if opcode.is_control() && (!is_last || is_compressed || usize::from(short) > MOST_CONTROL) {
            return Err(FrameFault::Control);
        }
        let Some((n_payload, n_length)) = length(short, rest)? else { return Ok(None) };
        let mut n_own = 2 + n_length;
        let mut mask = None;
        if is_masked {
            let Some(key) = rest.get(n_length..).and_then(|rest| rest.first_chunk::<4>()) else {
                return Ok(None);
            };
            mask = Some(*key);
            n_own += 4;
        }
        Ok(Some(Self { is_last, is_compressed, opcode, mask, n_own, n_payload }))
    }
}

/// The payload's length, and how many bytes it took to write beside the first seven bits.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, FrameFault> {
    match short {
        126 => match rest.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes)) {
            None => Ok(None),
            Some(length @ 126..) => Ok(Some((length.into(), 2))),
            Some(_) => Err(FrameFault::Length),
        },
        127 => match rest.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)) {
            None => Ok(None),
            Some(length @ 0x1_0000..=0x7fff_ffff_ffff_ffff) => Ok(Some((length, 8))),
            Some(_) => Err(FrameFault::Length),
        },
        _ => Ok(Some((short.into(), 0))),
    }
}

/// Masks, or unmasks; `offset` is where in the frame's payload the bytes begin.
pub(super) fn mask(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let mut turned = key;
    turned.rotate_left(offset % 4);
    // Eight at a time: the same as one by one, and faster.
    let wide = u64::from_ne_bytes([
        turned[0], turned[1], turned[2], turned[3], turned[0], turned[1], turned[2], turned[3],
    ]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(turned) {
        *byte ^= key;
    }
    for (byte, key) in rest.iter_mut().skip(4).zip(turned) {
        *byte ^= key;
    }
}

/// A whole frame of our own. A client's is masked with `key`.
pub(super) fn write(opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode.bits());
    let masked = if key.is_some() { 0x80 } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => frame.push(masked | short),
        (_, Ok(length)) => {
            frame.push(masked | 0x7e);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(masked | 0x7f);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&key.unwrap_or_default().repeat(key.is_some().into()));
    let begin = frame.len();
    frame.extend_from_slice(payload);
    if let (Some(key), Some(payload)) = (key, frame.get_mut(begin..)) {
        mask(payload, key, 0);
    }
    frame
}

/// The code of a close frame, if its payload is as it must be: nothing, or a code that may be sent and a reason in UTF-8.
pub(super) fn close_code(payload: &[u8]) -> Result<Option<u16>, FrameFault> {
    match payload {
        [] => Ok(None),
        &[high, low, ref reason @ ..] => {
            let code = u16::from_be_bytes([high, low]);
            let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let is_text = std::str::from_utf8(reason).is_ok();
            (may_be_sent && is_text).then_some(Some(code)).ok_or(FrameFault::Close)
        }
        [_] => Err(FrameFault::Close),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FrameFault, Head, Opcode, Side, close_code, mask, write};

    fn read(bytes: &[u8]) -> Result<Option<Head>, FrameFault> {
        Head::read(bytes, Side::Client, true)
    }

    #[test]
    fn heads_are_read_strictly() {
        let key = [1, 2, 3, 4];
        for (bytes, want) in [
            (&[0x81][..], Ok(None)),
            (&[0x81, 0x80, 1, 2, 3], Ok(None)),
            (&[0x81, 0x80, 1, 2, 3, 4], Ok(Some((true, false, Opcode::Text, 6, 0)))),
            (&[0xc1, 0x83, 1, 2, 3, 4], Ok(Some((true, true, Opcode::Text, 6, 3)))),
            (&[0x02, 0xfe, 0, 126, 1, 2, 3, 4], Ok(Some((false, false, Opcode::Binary, 8, 126)))),
            (&[0x81, 0xfe, 0, 125, 1, 2, 3, 4], Err(FrameFault::Length)),
            (&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Err(FrameFault::Length)),
            (&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], Err(FrameFault::Length)),
            (
                &[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4],
                Ok(Some((true, false, Opcode::Text, 14, 65536))),
            ),
            (&[0x81, 0x05], Err(FrameFault::Mask)),
            (&[0x91, 0x85], Err(FrameFault::Reserved)),
            (&[0xa1, 0x85], Err(FrameFault::Reserved)),
            (&[0xc0, 0x85], Err(FrameFault::Reserved)),
            (&[0x83, 0x85], Err(FrameFault::Opcode)),
            (&[0x8b, 0x85], Err(FrameFault::Opcode)),
            (&[0x09, 0x85], Err(FrameFault::Control)),
            (&[0x89, 0xfe], Err(FrameFault::Control)),
            (&[0xc9, 0x85], Err(FrameFault::Control)),
        ] {
            let head = read(bytes);
            let said = head.map(|head| {
                head.map(|it| {
                    assert_eq!(it.mask, Some(key));
                    (it.is_last, it.is_compressed, it.opcode, it.n_own, it.n_payload)
                })
            });
            assert_eq!(said, want, "{bytes:x?}");
        }
        assert_eq!(Head::read(&[0xc1, 0x80], Side::Client, false), Err(FrameFault::Reserved));
        assert_eq!(Head::read(&[0x81, 0x80], Side::Server, false), Err(FrameFault::Mask));
        assert!(Head::read(&[0x81, 0x00], Side::Server, false).unwrap().is_some());
    }

    #[test]
    fn close_codes_are_those_that_may_be_sent() {
        for (payload, want) in [
            (&b""[..], Ok(None)),
            (&[3, 232], Ok(Some(1000))),
            (&[3, 232, b'o', b'k'], Ok(Some(1000))),
            (&[15, 160], Ok(Some(4000))),
            (&[3], Err(FrameFault::Close)),
            (&[3, 237], Err(FrameFault::Close)),
            (&[3, 238], Err(FrameFault::Close)),
            (&[0, 1], Err(FrameFault::Close)),
            (&[0xff, 0xff], Err(FrameFault::Close)),
            (&[3, 232, 0xff], Err(FrameFault::Close)),
        ] {
            assert_eq!(close_code(payload), want, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            key in any::<[u8; 4]>(),
            cut in 0..14_usize,
        ) {
            let frame = write(Opcode::Text, &payload, Some(key));
            let head = read(&frame).unwrap().unwrap();
            let mut read_back = frame[head.n_own..].to_vec();
            mask(&mut read_back, key, 0);
            prop_assert_eq!(&read_back, &payload);
            // The head, wherever it is cut, asks for more; a payload in two pieces is unmasked alike.
            if cut < head.n_own {
                prop_assert_eq!(read(&frame[..cut]), Ok(None));
            }
            let mut pieces = frame[head.n_own..].to_vec();
            let at = cut.min(pieces.len());
            let (left, right) = pieces.split_at_mut(at);
            mask(left, key, 0);
            mask(right, key, at);
            prop_assert_eq!(pieces, payload);
        }
    }
}
