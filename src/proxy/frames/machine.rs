//! The frames of one connection as they come: which may pass, and why one may not.

use std::collections::BTreeSet;

use crate::proxy::frames::hpack::Walker;

const PREFACE: usize = 24;
const HEAD: usize = 9;
/// What the library takes: the default, as its settings name no other (RFC 9113, 4.2).
const MOST_FRAME: usize = 16 * 1024;
/// Gaps between streams that are remembered. Few clients leave any; of what is forgotten only the code differs.
const MOST_SKIPPED: usize = 64;
/// Streams that we reset and whose client has not said its last: it may not have heard yet. The oldest are forgotten.
const MOST_RESET: usize = 4096;
/// How many more streams than may be open at once a client begins before it hears that they are refused.
const SLACK: usize = 4096;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WITH_PRIORITY: u8 = 0x20;
const INITIAL_WINDOW_SIZE: u8 = 4;

/// Why a connection ends (RFC 9113, 7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Code {
    Protocol = 1,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    Compression = 9,
    Calm = 11,
}

/// A frame's head.
#[derive(Clone, Copy, Debug)]
struct Frame {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

enum Place {
    /// So many bytes before the end of the greeting.
    Preface(usize),
    /// Within a head, of which so much has come.
    Head([u8; HEAD], usize),
    /// Within a payload: so much is to come.
    Payload(Frame, usize),
}

/// Reads the frames of one client. It prints nothing of itself: what it keeps is a client's.
pub(super) struct Machine {
    place: Place,
    /// The longest header block, packed.
    most_block: usize,
    /// The payload of the frame under way, where it is looked at; the header block under way before it.
    kept: Vec<u8>,
    /// Whose header block is under way: its stream, and whether it is one of trailers.
    block: Option<(u32, bool)>,
    /// The highest stream that the client began.
    last: u32,
    /// Which streams below it never began: from the first to before the second.
    skipped: Vec<(u32, u32)>,
    /// How many streams may be open at once.
    most_open: usize,
    /// Streams whose client has said neither its last nor that it takes them back, and that we did not reset.
    open: BTreeSet<u32>,
    /// Such as we did reset.
    reset: BTreeSet<u32>,
    /// Streams whose answer has not gone to its end.
    owed: BTreeSet<u32>,
    walker: Walker,
}

impl Machine {
    pub(super) fn new(most_head: usize, most_streams: u32) -> Self {
        Self {
            place: Place::Preface(PREFACE),
            most_block: most_head.saturating_add(4 * MOST_FRAME),
            kept: Vec::new(),
            block: None,
            last: 0,
            skipped: Vec::new(),
            most_open: (most_streams as usize).saturating_add(SLACK),
            open: BTreeSet::new(),
            reset: BTreeSet::new(),
            owed: BTreeSet::new(),
            walker: Walker::default(),
        }
    }

    /// Hears of a frame of ours that has gone.
    pub(super) fn wrote(&mut self, kind: u8, flags: u8, stream: u32) {
        if kind == RST_STREAM && self.open.remove(&stream) {
            self.reset.insert(stream);
            if self.reset.len() > MOST_RESET {
                self.reset.pop_first();
            }
        }
        if kind == RST_STREAM || matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            self.owed.remove(&stream);
        }
    }

    /// How many answers have not gone to their end.
    pub(super) fn n_owed(&self) -> usize {
        self.owed.len()
    }

    /// Looks at the next bytes. Says how many may pass, and why no more.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, Option<Code>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let n = match &mut self.place {
                Place::Preface(left) => {
                    let n = rest.len().min(*left);
                    *left -= n;
                    if *left == 0 {
                        self.place = Place::Head([0; HEAD], 0);
                    }
                    n
                }
                Place::Head(head, n_come) => {
                    let n = rest.len().min(HEAD - *n_come);
                    for (place, byte) in head.iter_mut().skip(*n_come).zip(rest.iter().take(n)) {
                        *place = *byte;
                    }
                    *n_come += n;
                    if *n_come == HEAD {
                        let frame = Frame::read(head);
                        if let Err(code) = self.begin(frame) {
                            // Of a frame too long the library would judge by the first three bytes.
                            return (at, Some(code));
                        }
                        self.place = Place::Payload(frame, frame.length);
                        if frame.length == 0 {
                            if let Err(code) = self.end(frame) {
                                return (at + n - 1, Some(code));
                            }
                            self.place = Place::Head([0; HEAD], 0);
                        }
                    }
                    n
                }
                Place::Payload(frame, left) => {
                    let n = rest.len().min(*left);
                    *left -= n;
                    let (frame, is_over) = (*frame, *left == 0);
                    if frame.is_looked_at() {
                        self.kept.extend_from_slice(rest.get(..n).unwrap_or_default());
                    }
                    if is_over {
                        if let Err(code) = self.end(frame) {
                            // Without its last byte the library has no frame.
                            return (at + n - 1, Some(code));
                        }
                        self.place = Place::Head([0; HEAD], 0);
                    }
                    n
                }
            };
            at += n;
        }
        (bytes.len(), None)
    }

    /// What a head alone shows.
    fn begin(&mut self, frame: Frame) -> Result<(), Code> {
        if frame.length > MOST_FRAME || !frame.has_right_length() {
            return Err(Code::FrameSize);
        }
        if let Some((stream, _)) = self.block {
            if frame.kind != CONTINUATION || frame.stream != stream {
                return Err(Code::Protocol);
            }
            if self.kept.len() + frame.length > self.most_block {
                return Err(Code::Calm);
            }
        } else if frame.kind == CONTINUATION {
            return Err(Code::Protocol);
        } else {
            self.forget();
        }
        match frame.kind {
            // What never began is for the library to refuse.
            DATA | HEADERS if frame.stream <= self.last && frame.stream % 2 == 1 => {
                if !self.open.contains(&frame.stream) && !self.reset.contains(&frame.stream) {
                    let is_skipped = self
                        .skipped
                        .iter()
                        .any(|&(first, end)| (first..end).contains(&frame.stream));
                    // One that never began may not begin any more (RFC 9113, 5.1.1); one that is over has no more to say.
                    return Err(if frame.kind == HEADERS && is_skipped {
                        Code::Protocol
                    } else {
                        Code::StreamClosed
                    });
                }
                if frame.kind == HEADERS {
                    self.block = Some((frame.stream, true));
                }
            }
            HEADERS => {
                self.block = Some((frame.stream, false));
                if frame.stream > self.last {
                    self.skip_to(frame.stream);
                    self.last = frame.stream;
                }
                self.open.insert(frame.stream);
                self.owed.insert(frame.stream);
                // None of them can be forgotten: its client would be wronged.
                if self.open.len().max(self.owed.len()) > self.most_open {
                    return Err(Code::Calm);
                }
            }
            _ => {}
        }
        if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0
            || frame.kind == RST_STREAM
        {
            self.open.remove(&frame.stream);
            self.reset.remove(&frame.stream);
        }
        if frame.kind == RST_STREAM {
            self.owed.remove(&frame.stream);
        }
        Ok(())
    }

    /// Notes which streams can no more begin now that this one has.
    fn skip_to(&mut self, stream: u32) {
        let first = self.last + 1 + self.last % 2;
        if first < stream {
            if self.skipped.len() >= MOST_SKIPPED {
                self.skipped.remove(0);
            }
            self.skipped.push((first, stream));
        }
    }

    /// What a whole frame shows.
    fn end(&mut self, frame: Frame) -> Result<(), Code> {
        match frame.kind {
            HEADERS => self.strip(frame)?,
            CONTINUATION => {}
            SETTINGS => {
                let is_wrong =
                    |pair: &[u8]| matches!(pair, [0, INITIAL_WINDOW_SIZE, 0x80..=0xFF, ..]);
                let is_wrong = self.kept.chunks(6).any(is_wrong);
                self.forget();
                return if is_wrong { Err(Code::FlowControl) } else { Ok(()) };
            }
            _ => return Ok(()),
        }
        if frame.flags & END_HEADERS == 0 {
            return Ok(());
        }
        let has_pseudo = self.walker.walk(&self.kept).map_err(|_| Code::Compression)?;
        let of_trailers = self.block.take().is_some_and(|(_, of_trailers)| of_trailers);
        self.forget();
        if has_pseudo && of_trailers { Err(Code::Protocol) } else { Ok(()) }
    }

    /// An idle connection holds nothing of what was said over it: what is freed is overwritten, what is merely cleared is not.
    fn forget(&mut self) {
        self.kept = Vec::new();
    }

    /// Takes padding and priority off a header block.
    fn strip(&mut self, frame: Frame) -> Result<(), Code> {
        if frame.flags & PADDED != 0 {
            let n = usize::from(self.kept.first().copied().ok_or(Code::FrameSize)?);
            let left = self.kept.len().checked_sub(1 + n).ok_or(Code::Protocol)?;
            self.kept.truncate(1 + left);
            self.kept.drain(..1);
        }
        if frame.flags & WITH_PRIORITY != 0 {
            if self.kept.len() < 5 {
                return Err(Code::FrameSize);
            }
            self.kept.drain(..5);
        }
        Ok(())
    }
}

impl Frame {
    fn read(head: &[u8; HEAD]) -> Self {
        let [high, middle, low, kind, flags, stream @ ..] = *head;
        Self {
            length: usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low),
            kind,
            flags,
            // The first bit is reserved, and nobody's.
            stream: u32::from_be_bytes(stream) & 0x7FFF_FFFF,
        }
    }

    const fn has_right_length(&self) -> bool {
        match self.kind {
            PRIORITY => self.length == 5,
            RST_STREAM | WINDOW_UPDATE => self.length == 4,
            PING => self.length == 8,
            SETTINGS if self.flags & ACK != 0 => self.length == 0,
            SETTINGS => self.length.is_multiple_of(6),
            _ => true,
        }
    }

    const fn is_looked_at(&self) -> bool {
        matches!(self.kind, HEADERS | CONTINUATION | SETTINGS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, MOST_RESET, Machine, PREFACE, SLACK};

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// What passes must not depend on how it comes.
    #[track_caller]
    fn check(frames: &[Vec<u8>], refused: Option<Code>) {
        let all = [vec![b'p'; PREFACE], frames.concat()].concat();
        let whole = all.len() - frames.last().map_or(0, Vec::len);
        for step in [1, 2, 7, 9, usize::MAX] {
            let mut machine = Machine::new(4096, 100);
            let (mut n_passed, mut end) = (0, None);
            for piece in all.chunks(step.min(all.len())) {
                let (n, code) = machine.pass(piece);
                n_passed += n;
                end = code;
                if code.is_some() {
                    break;
                }
            }
            assert_eq!(end, refused, "by {step}");
            // The frame at fault never passes whole, and everything before it does.
            let is_right = if refused.is_some() {
                (whole..all.len()).contains(&n_passed)
            } else {
                n_passed == all.len()
            };
            assert!(is_right, "{n_passed} of {} by {step}", all.len());
        }
    }

    const REQUEST: &[u8] = &[0x82, 0x84, 0x87];

    #[test]
    fn what_is_right_passes() {
        let cases = [
            vec![
                frame(4, 0, 0, &[0, 4, 0x7F, 0xFF, 0xFF, 0xFF]),
                frame(4, 1, 0, b""),
                frame(6, 0, 0, &[0; 8]),
            ],
            vec![
                frame(1, 5, 1, REQUEST),
                frame(8, 0, 1, &[0, 0, 0, 1]),
                frame(2, 0, 1, &[0; 5]),
                frame(3, 0, 1, &[0; 4]),
            ],
            vec![
                frame(1, 4, 1, REQUEST),
                frame(0, 0, 1, b"a"),
                frame(0, 0, 1, b""),
                frame(1, 5, 1, &[0, 1, b'x', 1, b'y']),
            ],
            vec![
                frame(1, 0, 1, &REQUEST[..1]),
                frame(9, 0, 1, b""),
                frame(9, 4, 1, &REQUEST[1..]),
                frame(0, 1, 1, b"a"),
            ],
            vec![
                frame(1, 0x2D, 1, &[&[2, 0, 0, 0, 0, 9][..], REQUEST, &[0, 0]].concat()),
                frame(0xFF, 0, 7, b"a"),
            ],
            // For the library to refuse: what never began, and what has no meaning.
            vec![frame(0, 0, 1, b"a"), frame(1, 5, 2, REQUEST)],
        ];
        for frames in cases {
            check(&frames, None);
        }
    }

    #[test]
    fn what_is_wrong_ends() {
        let cases = [
            (vec![frame(6, 0, 0, &[0; 6])], Code::FrameSize),
            (vec![frame(2, 0, 1, &[0; 4])], Code::FrameSize),
            (vec![frame(3, 0, 1, &[0; 3])], Code::FrameSize),
            (vec![frame(8, 0, 0, &[0; 3])], Code::FrameSize),
            (vec![frame(4, 0, 0, &[0; 3])], Code::FrameSize),
            (vec![frame(4, 1, 0, &[0; 6])], Code::FrameSize),
            (vec![frame(0, 0, 1, &[0; 16_385])], Code::FrameSize),
            (vec![frame(4, 0, 0, &[0, 3, 0, 0, 0, 1, 0, 4, 0x80, 0, 0, 0])], Code::FlowControl),
            (vec![frame(1, 5, 1, REQUEST), frame(0, 0, 1, b"a")], Code::StreamClosed),
            (vec![frame(1, 5, 1, REQUEST), frame(1, 5, 1, REQUEST)], Code::StreamClosed),
            (
                vec![frame(1, 4, 1, REQUEST), frame(3, 0, 1, &[0; 4]), frame(0, 0, 1, b"a")],
                Code::StreamClosed,
            ),
            (vec![frame(1, 5, 5, REQUEST), frame(1, 5, 3, REQUEST)], Code::Protocol),
            (vec![frame(1, 5, 3, REQUEST), frame(1, 5, 1, REQUEST)], Code::Protocol),
            (
                vec![frame(1, 5, 1, REQUEST), frame(1, 5, 5, REQUEST), frame(1, 5, 1, REQUEST)],
                Code::StreamClosed,
            ),
            (vec![frame(1, 5, 5, REQUEST), frame(1, 5, 5, REQUEST)], Code::StreamClosed),
            (vec![frame(1, 5, 5, REQUEST), frame(0, 0, 3, b"a")], Code::StreamClosed),
            (vec![frame(1, 5, 1, &[0x80])], Code::Compression),
            (vec![frame(1, 1, 1, REQUEST), frame(9, 4, 1, &[0x3F])], Code::Compression),
            (vec![frame(1, 1, 1, REQUEST), frame(9, 4, 3, REQUEST)], Code::Protocol),
            (vec![frame(1, 1, 1, REQUEST), frame(6, 0, 0, &[0; 8])], Code::Protocol),
            (vec![frame(9, 4, 1, REQUEST)], Code::Protocol),
            (vec![frame(1, 4, 1, REQUEST), frame(1, 5, 1, &[0x82])], Code::Protocol),
            (vec![frame(1, 0xD, 1, &[9, 0x82])], Code::Protocol),
        ];
        for (frames, code) in cases {
            check(&frames, Some(code));
        }
        let mut endless = vec![frame(1, 0, 1, REQUEST)];
        endless.extend((0..4).map(|_| frame(9, 0, 1, &[0; 16_384])));
        endless.push(frame(9, 0, 1, &[0; 4096]));
        check(&endless, Some(Code::Calm));
    }

    #[test]
    fn nothing_is_kept_of_what_is_over() {
        for over in [
            vec![frame(1, 5, 1, REQUEST)],
            vec![frame(1, 1, 1, &REQUEST[..1]), frame(9, 4, 1, &REQUEST[1..])],
            vec![frame(4, 0, 0, &[0, 4, 0, 0, 0, 9].repeat(1000))],
        ] {
            let mut machine = Machine::new(4096, 100);
            machine.pass(&[0; PREFACE]);
            assert_eq!(machine.pass(&over.concat()).1, None);
            // Freed, not cleared: only that overwrites it.
            assert_eq!(machine.kept.capacity(), 0);
        }
    }

    #[test]
    fn gaps_are_remembered_up_to_a_bound() {
        let mut machine = Machine::new(4096, 100);
        machine.pass(&[0; PREFACE]);
        for n in 0..500 {
            assert_eq!(machine.pass(&frame(1, 5, 4 * n + 3, REQUEST)).1, None);
        }
        assert_eq!(machine.skipped.len(), super::MOST_SKIPPED);
        assert_eq!(machine.pass(&frame(1, 5, 1997, REQUEST)).1, Some(Code::Protocol));
    }

    /// A machine past its greeting whose client began so many posts.
    fn posting(most_streams: u32, n: u32) -> (Machine, Option<Code>) {
        let mut machine = Machine::new(4096, most_streams);
        machine.pass(&[0; PREFACE]);
        let posts: Vec<u8> = (0..n).flat_map(|n| frame(1, 4, 2 * n + 1, REQUEST)).collect();
        let code = machine.pass(&posts).1;
        (machine, code)
    }

    #[test]
    fn no_stream_that_lives_is_forgotten() {
        let (mut machine, code) = posting(10_000, 10_000);
        assert_eq!(code, None);
        assert_eq!(machine.n_owed(), 10_000);
        // What we reset is forgotten, the oldest first; what its client may not have heard of passes.
        for stream in (1..19_999).step_by(2) {
            machine.wrote(3, 0, stream);
        }
        let kept = 19_999 - 2 * u32::try_from(MOST_RESET).unwrap();
        assert_eq!(machine.pass(&frame(0, 1, kept, b"a")).1, None);
        assert_eq!(machine.pass(&frame(0, 1, 19_999, b"a")).1, None);
        assert_eq!(machine.n_owed(), 1);
        machine.wrote(1, 4, 19_999);
        machine.wrote(0, 0, 19_999);
        assert_eq!(machine.n_owed(), 1);
        machine.wrote(0, 1, 19_999);
        assert_eq!(machine.n_owed(), 0);
        assert_eq!(machine.pass(&frame(0, 1, kept, b"a")).1, Some(Code::StreamClosed));
        // Far more than there may be are no mistake.
        let most = u32::try_from(100 + SLACK).unwrap();
        assert_eq!(posting(100, most).1, None);
        assert_eq!(posting(100, most + 1).1, Some(Code::Calm));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_a_panic(kinds: Vec<(u8, u8, u8, Vec<u8>)>, rest: Vec<u8>) {
            let mut machine = Machine::new(4096, 100);
            machine.pass(&[0; PREFACE]);
            for (kind, flags, stream, payload) in kinds {
                if machine.pass(&frame(kind % 11, flags, u32::from(stream % 8), &payload)).1.is_some() {
                    return Ok(());
                }
            }
            machine.pass(&rest);
        }
    }
}
