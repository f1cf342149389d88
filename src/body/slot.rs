//! Where an encoded text stands, and how replacements are written into it.
//!
//! Promise: what is not replaced keeps the very bytes it had, escapes and all. The map from decoded bytes to encoded ones
//! is walked only for a text that is edited, in one pass whatever the number of edits.

use crate::body::coding::Coding;
use crate::body::{CannotWrite, charset};
use crate::span::Span;

/// A stretch of a layer's source that holds one encoded text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) layer: u32,
    start: u32,
    end: u32,
    coding: Coding,
}

/// Replace bytes of a layer's source (or of a decoded text).
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Patch {
    pub(super) span: Span,
    pub(super) with: Vec<u8>,
}

impl Slot {
    /// A slot within a layer; layers are at most `u32::MAX` long.
    pub(super) fn new(layer: u32, start: usize, end: usize, coding: Coding) -> Self {
        let short = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { layer, start: short(start), end: short(end), coding }
    }

    /// The same stretch, not to be edited.
    pub(super) fn read_only(self) -> Self {
        Self { coding: Coding::ReadOnly, ..self }
    }

    /// Whether it is in a charset other than UTF-8.
    pub(super) const fn is_in_charset(&self) -> bool {
        matches!(self.coding, Coding::Charset(_))
    }

    /// The patch that puts these very bytes in place of all of it.
    pub(super) fn replaced(&self, with: Vec<u8>) -> Patch {
        Patch { span: Span::new(self.start as usize, self.end as usize), with }
    }

    /// The patch that puts another text in place of all of it, encoded as it must stand there.
    pub(super) fn rewritten(&self, text: &str) -> Result<Patch, CannotWrite> {
        Ok(self.replaced(self.coding.encode_whole(text)?))
    }

    pub(super) fn start(&self) -> usize {
        self.start as usize
    }

    /// What becomes of the layer's source when bytes of the decoded text are replaced. The splices must be sorted and
    /// disjoint; those that cut a character are refused.
    pub(super) fn encode(
        &self,
        source: &[u8],
        decoded: &str,
        splices: &[Patch],
    ) -> Result<Vec<Patch>, CannotWrite> {
        if self.coding == Coding::ReadOnly {
            return Err(CannotWrite::ReadOnly);
        }
        let raw =
            source.get(self.start as usize..self.end as usize).ok_or(CannotWrite::Misplaced)?;
        if self.coding.is_whole() {
            return self.encode_whole(decoded, splices);
        }
        if let Coding::Charset(_) = self.coding {
            return self.encode_charset(decoded, splices);
        }
        let mut cursor = Cursor::new(raw, decoded.len(), self.coding);
        let mut patches = Vec::with_capacity(splices.len());
        for splice in splices {
            splice.span.of(decoded).ok_or(CannotWrite::Misplaced)?;
            let start = cursor.advance(splice.span.start())?;
            let end = cursor.advance(splice.span.end())?;
            let span = Span::new(start, end).shifted(self.start as usize);
            patches.push(Patch { span, with: self.coding.encode(text_of(splice)?)? });
        }
        work::count(cursor.raw_at);
        Ok(patches)
    }

    /// Where spans of the decoded text stand in the layer's source, in whatever order they come and however they overlap.
    pub(super) fn place(
        &self,
        source: &[u8],
        decoded: &str,
        spans: &mut [Span],
    ) -> Result<(), CannotWrite> {
        if self.coding == Coding::ReadOnly {
            return Err(CannotWrite::ReadOnly);
        }
        if self.coding.is_whole() {
            spans.fill(Span::new(self.start as usize, self.end as usize));
            return Ok(());
        }
        let raw =
            source.get(self.start as usize..self.end as usize).ok_or(CannotWrite::Misplaced)?;
        let mut at: Vec<usize> = spans.iter().flat_map(|it| [it.start(), it.end()]).collect();
        at.sort_unstable();
        at.dedup();
        let mut placed = Vec::with_capacity(at.len());
        if let Coding::Charset(encoding) = self.coding {
            let (mut raw_at, mut decoded_at) = (0, 0);
            for &at in &at {
                let text = decoded.get(decoded_at..at).ok_or(CannotWrite::Misplaced)?;
                work::count(text.len());
                raw_at += charset::encode(encoding, text).ok_or(CannotWrite::Misplaced)?.len();
                decoded_at = at;
                placed.push(raw_at);
            }
        } else {
            let mut cursor = Cursor::new(raw, decoded.len(), self.coding);
            for &at in &at {
                placed.push(cursor.advance(at)?);
            }
            work::count(cursor.raw_at);
        }
        let place = |decoded: usize| {
            let at = at.binary_search(&decoded).ok().and_then(|at| placed.get(at));
            at.map(|at| self.start as usize + at).ok_or(CannotWrite::Misplaced)
        };
        for span in spans {
            *span = Span::new(place(span.start())?, place(span.end())?);
        }
        Ok(())
    }

    /// Of a coding that is written whole: one patch for all splices.
    fn encode_whole(&self, decoded: &str, splices: &[Patch]) -> Result<Vec<Patch>, CannotWrite> {
        work::count(decoded.len());
        let after = apply(decoded.as_bytes(), splices)?;
        let after = std::str::from_utf8(&after).map_err(|_| CannotWrite::Misplaced)?;
        let span = Span::new(self.start as usize, self.end as usize);
        Ok(vec![Patch { span, with: self.coding.encode_whole(after)? }])
    }

    /// Of a charset: what stands before a splice takes as many bytes as it comes to in that charset. (It was read only if
    /// it comes to the very bytes.)
    fn encode_charset(&self, decoded: &str, splices: &[Patch]) -> Result<Vec<Patch>, CannotWrite> {
        let Coding::Charset(encoding) = self.coding else { return Err(CannotWrite::Misplaced) };
        let length = |start, end| {
            let text = decoded.get(start..end).ok_or(CannotWrite::Misplaced)?;
            work::count(text.len());
            Ok(charset::encode(encoding, text).ok_or(CannotWrite::Misplaced)?.len())
        };
        let mut patches = Vec::with_capacity(splices.len());
        let (mut raw_at, mut decoded_at) = (self.start as usize, 0);
        for splice in splices {
            let start = raw_at + length(decoded_at, splice.span.start())?;
            let end = start + length(splice.span.start(), splice.span.end())?;
            let with = self.coding.encode(text_of(splice)?)?;
            patches.push(Patch { span: Span::new(start, end), with });
            (raw_at, decoded_at) = (end, splice.span.end());
        }
        Ok(patches)
    }
}

/// What a patch of decoded text puts there.
fn text_of(patch: &Patch) -> Result<&str, CannotWrite> {
    std::str::from_utf8(&patch.with).map_err(|_| CannotWrite::Misplaced)
}

/// Walks encoded and decoded offsets side by side, forwards only.
struct Cursor<'a> {
    raw: &'a [u8],
    coding: Coding,
    raw_at: usize,
    decoded_at: usize,
    /// Where the next escape starts, so that many edits in one plain stretch search for it once.
    next_escape: usize,
}

impl<'a> Cursor<'a> {
    fn new(raw: &'a [u8], decoded_length: usize, coding: Coding) -> Self {
        // Every escape is longer than what it stands for, so equal lengths mean that there is none.
        let coding = if raw.len() == decoded_length { Coding::Plain } else { coding };
        let mut cursor = Self { raw, coding, raw_at: 0, decoded_at: 0, next_escape: 0 };
        cursor.find_escape();
        cursor
    }

    fn find_escape(&mut self) {
        let rest = self.raw.get(self.raw_at..).unwrap_or_default();
        let found = self.coding.escape_byte().and_then(|byte| memchr::memchr(byte, rest));
        self.next_escape = found.map_or(self.raw.len(), |at| self.raw_at + at);
    }

    /// The encoded offset of a decoded one at or after the last.
    fn advance(&mut self, to: usize) -> Result<usize, CannotWrite> {
        loop {
            let wanted = to.checked_sub(self.decoded_at).ok_or(CannotWrite::Misplaced)?;
            let plain = self.next_escape - self.raw_at;
            if wanted <= plain {
                self.raw_at += wanted;
                self.decoded_at = to;
                return Ok(self.raw_at);
            }
            self.raw_at = self.next_escape;
            self.decoded_at += plain;
            let escape = self.raw.get(self.raw_at..).unwrap_or_default();
            let (encoded, decoded) =
                self.coding.escape_lengths(escape).ok_or(CannotWrite::Misplaced)?;
            self.raw_at += encoded;
            self.decoded_at += decoded;
            self.find_escape();
        }
    }
}

/// Sorts patches; those that overlap are refused.
pub(super) fn arrange(patches: &mut [Patch]) -> Result<(), CannotWrite> {
    patches.sort_by_key(|patch| (patch.span.start(), patch.span.end()));
    let disjoint = patches.is_sorted_by(|a, b| a.span.end() <= b.span.start());
    if disjoint { Ok(()) } else { Err(CannotWrite::Misplaced) }
}

/// The source with its patches, which must be arranged.
pub(super) fn apply(source: &[u8], patches: &[Patch]) -> Result<Vec<u8>, CannotWrite> {
    let grown: usize = patches.iter().map(|patch| patch.with.len()).sum();
    let mut out = Vec::with_capacity(source.len() + grown);
    let mut at = 0;
    for patch in patches {
        out.extend_from_slice(source.get(at..patch.span.start()).ok_or(CannotWrite::Misplaced)?);
        out.extend_from_slice(&patch.with);
        at = patch.span.end();
    }
    out.extend_from_slice(source.get(at..).ok_or(CannotWrite::Misplaced)?);
    Ok(out)
}

/// Counts the bytes that are walked to find a place or to encode, so that a test can say what is linear without a clock.
pub(crate) mod work {
    #[cfg(test)]
    thread_local! {
        static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[cfg(test)]
    pub(super) fn count(n_bytes: usize) {
        DONE.set(DONE.get() + n_bytes);
    }

    #[cfg(not(test))]
    pub(super) const fn count(_: usize) {}

    /// What this thread has walked since the last call.
    #[cfg(test)]
    pub(crate) fn take() -> usize {
        DONE.take()
    }
}
