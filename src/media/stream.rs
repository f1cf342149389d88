//! A film on its way: its metadata overwritten as it passes, without its length or an offset in it changing.
//!
//! What describes the film is held until it is whole; pictures and sound pass at once. Promise: what comes out is as long
//! as what went in, whatever the pieces it came in. A track of positions is taken out of the description; of its samples,
//! which may have passed before the description came, bytes stay that no player finds.

use crate::media::Format;
use crate::media::anatomy::{Anatomy, Fault, Keep, Part};
use crate::media::bytes::{be32, be64, take};
use crate::media::iso::{self, Boxed, Top};

/// The longest description that is held: that of hours of film is a few megabytes.
const MOST_HELD: usize = 16 << 20;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The head of a box.
    Head,
    /// So many bytes that pass; `None`: all that come.
    Pass(Option<u64>),
    /// So many bytes of metadata, which become noughts.
    Blank(Option<u64>),
    /// A box of this length, to be held whole.
    Hold(usize),
}

/// Overwrites the metadata of a film as it passes. Feed it with [`InPlace::push`], then call [`InPlace::finish`].
pub struct InPlace {
    state: State,
    held: Vec<u8>,
    is_described: bool,
    /// Whether any byte was overwritten.
    pub changed: bool,
}

/// Prints lengths only: what is held may say who is on the film.
impl std::fmt::Debug for InPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InPlace")
            .field("state", &self.state)
            .field("n_held", &self.held.len())
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

impl InPlace {
    /// For a file that begins like this, if its kind can be stripped as it passes.
    pub fn for_start(start: &[u8]) -> Option<Self> {
        (Format::of(start) == Some(Format::IsoFilm)).then_some(Self {
            state: State::Head,
            held: Vec::new(),
            is_described: false,
            changed: false,
        })
    }

    /// Takes the next bytes, and appends to `out` what may pass.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = self.step(rest, out)?;
        }
        Ok(())
    }

    /// The end of the file: whatever is still held is no box.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.state {
            State::Head if self.held.is_empty() && self.is_described => Ok(()),
            State::Pass(None) | State::Blank(None) if self.is_described => Ok(()),
            State::Head if self.is_described => {
                blank(self.held.len(), out);
                self.held.clear();
                Ok(())
            }
            _ => Err(Fault::Truncated),
        }
    }

    fn step<'a>(&mut self, rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Fault> {
        match self.state {
            State::Pass(left) => {
                let (now, after) = cut(rest, left);
                out.extend_from_slice(now);
                self.state = less(left, now.len(), State::Pass);
                Ok(after)
            }
            State::Blank(left) => {
                let (now, after) = cut(rest, left);
                self.changed |= now.iter().any(|byte| *byte != 0);
                blank(now.len(), out);
                self.state = less(left, now.len(), State::Blank);
                Ok(after)
            }
            State::Hold(length) => {
                let n = (length - self.held.len()).min(rest.len());
                let (now, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
                self.held.extend_from_slice(now);
                if self.held.len() == length {
                    self.rewrite(out)?;
                    self.state = State::Head;
                }
                Ok(after)
            }
            State::Head => {
                // A head is eight bytes long, or sixteen.
                let wanted = if be32(&self.held, 0) == Some(1) { 16 } else { 8 };
                let n = (wanted - self.held.len().min(wanted)).min(rest.len());
                let (now, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
                self.held.extend_from_slice(now);
                let is_whole = self.held.len() >= 8
                    && (be32(&self.held, 0) != Some(1) || self.held.len() == 16);
                if is_whole {
                    self.head(out)?;
                }
                Ok(after)
            }
        }
    }

    /// Decides what becomes of a box whose head is held.
    fn head(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let kind: Option<[u8; 4]> = take(&self.held, 4, 4).and_then(|kind| kind.try_into().ok());
        let kind = kind.filter(|kind| iso::is_kind(*kind));
        let size = match be32(&self.held, 0) {
            Some(0) => None,
            Some(1) => be64(&self.held, 8),
            size => size,
        };
        let is_sound = size.is_none_or(|size| size >= self.held.len());
        let Some(kind) = kind.filter(|_| is_sound) else {
            if !self.is_described {
                return Err(Fault::Malformed);
            }
            // Behind the end of the film.
            self.changed = true;
            blank(self.held.len(), out);
            self.held.clear();
            self.state = State::Blank(None);
            return Ok(());
        };
        let left = size.map(|size| u64::try_from(size - self.held.len()).unwrap_or(u64::MAX));
        self.state = match iso::top(kind) {
            Top::Kept => State::Pass(left),
            Top::Room => State::Blank(left),
            Top::Movie => {
                self.is_described = true;
                let length = size.filter(|size| *size <= MOST_HELD).ok_or(Fault::Unknown)?;
                self.state = State::Hold(length);
                if self.held.len() == length {
                    self.rewrite(out)?;
                    self.state = State::Head;
                }
                return Ok(());
            }
            Top::Meta | Top::Other => {
                self.changed = true;
                if let Some(kind) = self.held.get_mut(4..8) {
                    kind.copy_from_slice(b"free");
                }
                State::Blank(left)
            }
        };
        out.append(&mut self.held);
        if matches!(self.state, State::Pass(Some(0)) | State::Blank(Some(0))) {
            self.state = State::Head;
        }
        Ok(())
    }

    /// Writes what describes a film without its metadata.
    fn rewrite(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let held = std::mem::take(&mut self.held);
        let outer = Boxed::read(&held, 0, held.len())?;
        let mut parts: Vec<Part> = Vec::new();
        iso::movie(&held, &outer, false, &mut parts).map_err(|(_, fault)| fault)?;
        let anatomy = Anatomy::of_parts(parts, held.len());
        match anatomy.stripped(&held, Keep::Length)? {
            Some(bare) => {
                self.changed = true;
                out.extend_from_slice(&bare);
            }
            None => out.extend_from_slice(&held),
        }
        Ok(())
    }
}

fn blank(n: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + n, 0);
}

/// What of these bytes is still of a stretch, and the rest.
fn cut(bytes: &[u8], left: Option<u64>) -> (&[u8], &[u8]) {
    let n = left
        .map_or(bytes.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
    bytes.split_at_checked(n).unwrap_or((bytes, &[]))
}

fn less(left: Option<u64>, n: usize, state: fn(Option<u64>) -> State) -> State {
    match left.map(|left| left - u64::try_from(n).unwrap_or(left).min(left)) {
        Some(0) => State::Head,
        left => state(left),
    }
}

#[cfg(test)]
mod tests {
    use super::InPlace;
    use crate::media::words::Caption;
    use crate::phi::PhiText;

    #[test]
    fn nothing_of_a_file_is_printed() {
        let mut film = InPlace::for_start(b"\0\0\0\x18ftypmp42\0\0\0\0").unwrap();
        let mut out = Vec::new();
        film.push(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x40moovCanary", &mut out).unwrap();
        assert!(film.held.ends_with(b"Canary"));
        let caption = Caption {
            label: Some("Canary".into()),
            text: PhiText::new("Canary".into()),
            is_position: false,
        };
        // As bytes it would be a list of numbers.
        let numbers = format!("{:?}", b"Canary");
        let numbers = numbers.trim_matches(['[', ']']);
        for said in [format!("{film:?}"), format!("{caption:?}")] {
            assert!(!said.contains("Canary") && !said.contains(numbers), "{said}");
        }
    }
}
