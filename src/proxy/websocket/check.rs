//! What must hold of a client's frames, whatever their bytes: the check of a fuzz target.
//!
//! `fuzz/` calls this with what a fuzzer makes up, and a test with the seeds that lie beside it. It panics on a fault and
//! does nothing else.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use crate::proxy::websocket::deflate::inflate;
use crate::proxy::websocket::frame::{FrameFault, Opcode};
use crate::proxy::websocket::message::{Event, Reader};
use crate::proxy::websocket::walk::Walker;

/// Limits under which a fuzzer soon finds their edges.
const MOST: usize = 4096;

/// One thing that was read: a message, or a control frame.
#[derive(Eq, PartialEq)]
struct Said {
    opcode: Option<Opcode>,
    is_text: bool,
    payload: Vec<u8>,
    frames: Vec<u8>,
}

/// Frames of a client, and then the same bytes as a platform's.
pub fn frames(data: &[u8]) {
    let (said, fault) = read(data, data.len().max(1));
    assert!((&said, fault) == (&read(data, 1).0, read(data, 1).1), "pieces read otherwise");
    let mut n_kept = 0;
    for message in said.iter().filter(|said| said.opcode.is_none()) {
        n_kept += message.frames.len();
        // What goes on is the very message that was read.
        let (again, fault) = read(&message.frames, message.frames.len());
        assert!(fault.is_none() && again.len() == 1, "what goes on is not one message");
        assert!(again.first() == Some(message), "what goes on reads otherwise");
        let _ = inflate(&message.payload, MOST);
    }
    assert!(n_kept <= data.len(), "bytes were made up");
    walks(data);
}

fn read(data: &[u8], step: usize) -> (Vec<Said>, Option<FrameFault>) {
    let mut reader = Reader::new(MOST, true);
    let mut said = Vec::new();
    for piece in data.chunks(step) {
        reader.buffer().extend_from_slice(piece);
        loop {
            match reader.next() {
                Ok(Some(Event::Control(opcode, payload))) => said.push(Said {
                    opcode: Some(opcode),
                    is_text: false,
                    payload,
                    frames: Vec::new(),
                }),
                Ok(Some(Event::Message(message))) => said.push(Said {
                    opcode: None,
                    is_text: message.is_text,
                    payload: message.payload,
                    frames: message.frames.to_vec(),
                }),
                Ok(None) => break,
                Err(fault) => return (said, Some(fault)),
            }
        }
    }
    (said, None)
}

/// A platform's bytes pass in their order, however they come, and as many of them.
fn walks(data: &[u8]) {
    let passed = |step: usize| {
        let mut walker = Walker::new(true);
        let (mut held, mut n_passed) = (Vec::new(), 0);
        for piece in data.chunks(step) {
            held.extend_from_slice(piece);
            match walker.walk(&held) {
                Ok(passing) => {
                    assert!(passing.n_ready <= held.len(), "passed more than came");
                    n_passed += passing.n_ready;
                    held.drain(..passing.n_ready);
                }
                // Before a fault, all at once pass nothing, and one by one what came before it.
                Err(_) => return None,
            }
        }
        Some((n_passed, walker.is_closed(), walker.is_between_messages()))
    };
    assert!(passed(data.len().max(1)) == passed(1), "pieces pass otherwise");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_seed_holds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut n = 0;
        for seed in fs::read_dir(root.join("fuzz/seeds/frames")).unwrap() {
            let data = fs::read(seed.unwrap().path()).unwrap();
            super::frames(&data);
            // A fuzzer's first steps: cut off, one byte turned.
            for at in (0..data.len()).step_by(data.len() / 60 + 1) {
                super::frames(&data[..at]);
                for turn in [0x01, 0x11, 0x80] {
                    let mut turned = data.clone();
                    turned[at] ^= turn;
                    super::frames(&turned);
                }
            }
            n += 1;
        }
        assert!(n >= 4, "frames has no seeds");
        assert!(root.join("fuzz/fuzz_targets/frames.rs").exists());
    }
}
