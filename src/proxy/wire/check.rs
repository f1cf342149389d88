//! What must hold of the request layer, whatever a client's bytes and however they come: the check of a fuzz target.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use crate::body::check::Check;
use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::machine::{Caps, Machine, Step};

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[("wire", wire)];

/// Caps under which a fuzzer soon finds their edges.
const CAPS: Caps = Caps { head: 1024, target: 256, headers: 12 };

/// What comes out: what hyper would read, and why it ends.
#[derive(Debug, Default, Eq, PartialEq)]
struct Out {
    passed: Vec<u8>,
    /// Where heads begin and end in it.
    heads: Vec<(usize, usize)>,
    end: Option<Fault>,
}

/// Requests over one connection: the first byte says in what pieces they come, and whether an upgrade is granted.
pub fn wire(data: &[u8]) {
    let Some((&way, input)) = data.split_first() else { return };
    let (step, upgrade) = (usize::from(way >> 1).max(1), way & 1 == 1);
    let whole = feed(input, input.len().max(1), upgrade);
    let pieces = feed(input, step, upgrade);
    assert!(whole.passed == pieces.passed, "pieces read otherwise");
    assert!(whole.heads == pieces.heads, "pieces hold other requests");
    assert!(whole.end.is_some() == pieces.end.is_some(), "pieces end otherwise");
    assert!(whole.passed.len() <= input.len(), "bytes were made up");
    let again = feed(&whole.passed, step, upgrade);
    assert!(again.passed == whole.passed && again.end.is_none(), "what passed reads otherwise");
    for (from, to) in &whole.heads {
        assert!(whole.passed.get(*from..*to).is_some_and(is_plain), "a head that reads two ways");
    }
}

/// What a naive reader would stumble over: line ends, doubled framing, not exactly one host.
fn is_plain(head: &[u8]) -> bool {
    let Some(lines) = head.strip_suffix(b"\r\n\r\n") else { return false };
    let lines: Vec<&[u8]> = split(lines);
    let names: Vec<Vec<u8>> = lines
        .iter()
        .skip(1)
        .map(|line| line.split(|byte| *byte == b':').next().unwrap_or_default())
        .map(<[u8]>::to_ascii_lowercase)
        .collect();
    let count = |name: &str| names.iter().filter(|other| *other == name.as_bytes()).count();
    let is_token = |name: &Vec<u8>| !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    lines.iter().all(|line| !line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)))
        && names.iter().all(is_token)
        && count("host") == 1
        && count("content-length") + count("transfer-encoding") <= 1
}

/// The lines between CR LF.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some(at) = memchr::memmem::find(bytes, b"\r\n") {
        let (line, rest) = bytes.split_at(at);
        lines.push(line);
        bytes = rest.get(2..).unwrap_or_default();
    }
    lines.push(bytes);
    lines
}

/// Feeds `input` in pieces of `step` bytes, as the filter does.
fn feed(input: &[u8], step: usize, upgrade: bool) -> Out {
    let mut machine = Machine::new(CAPS);
    let (mut held, mut out) = (Vec::new(), Out::default());
    let mut pieces = input.chunks(step);
    loop {
        match machine.step(&mut held) {
            Step::Pass { consumed, written, is_head } => {
                assert!(
                    written <= consumed && consumed <= held.len(),
                    "more was written than read"
                );
                let from = out.passed.len();
                out.passed.extend(held.iter().take(written));
                if is_head {
                    out.heads.push((from, out.passed.len()));
                }
                held.drain(..consumed);
            }
            Step::More => {
                let Some(piece) = pieces.next() else { return out };
                let n_direct = usize::try_from(machine.n_direct()).unwrap_or(usize::MAX);
                let (direct, rest) = if held.is_empty() {
                    piece.split_at(n_direct.min(piece.len()))
                } else {
                    piece.split_at(0)
                };
                out.passed.extend_from_slice(direct);
                held.extend_from_slice(rest);
                if !direct.is_empty() {
                    machine.passed(direct.len() as u64);
                }
            }
            Step::Wait => machine.upgraded(upgrade),
            Step::Over => return out,
            Step::Refuse { fault, .. } => {
                out.end = Some(fault);
                return out;
            }
        }
    }
}
