//! Where an encoded text stands, and how replacements are written into it.
//!
//! Promise: what is not replaced keeps the very bytes it had, escapes and all. The map from decoded bytes to encoded ones
//! is walked only for a text that is edited, in one pass whatever the number of edits.

use crate::body::{CannotWrite, json};
use crate::span::Span;

/// How a text is encoded where it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// Between the quotes of a JSON string.
    Json,
    /// Percent-encoded: a form's value, a query, an extended header parameter.
    Percent,
    /// Between the quotes of a header parameter.
    Quoted,
    /// Not to be edited.
    ReadOnly,
}

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
    pub(super) with: String,
}

impl Slot {
    /// A slot within a layer; layers are at most `u32::MAX` long.
    pub(super) fn new(layer: u32, start: usize, end: usize, coding: Coding) -> Self {
        let short = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { layer, start: short(start), end: short(end), coding }
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
        let mut cursor = Cursor::new(raw, decoded.len(), self.coding);
        let mut patches = Vec::with_capacity(splices.len());
        for splice in splices {
            splice.span.of(decoded).ok_or(CannotWrite::Misplaced)?;
            let start = cursor.advance(splice.span.start())?;
            let end = cursor.advance(splice.span.end())?;
            let span = Span::new(start, end).shifted(self.start as usize);
            patches.push(Patch { span, with: self.coding.encode(&splice.with)? });
        }
        Ok(patches)
    }
}

impl Coding {
    fn encode(self, text: &str) -> Result<String, CannotWrite> {
        let mut out = String::with_capacity(text.len());
        match self {
            Self::Plain => out.push_str(text),
            Self::Json => json::escape(text, &mut out),
            Self::Percent => out.extend(percent_encoding::utf8_percent_encode(text, PERCENT)),
            Self::Quoted => quote(text, &mut out)?,
            Self::ReadOnly => return Err(CannotWrite::ReadOnly),
        }
        Ok(out)
    }

    /// The byte that starts an escape.
    fn escape_byte(self) -> Option<u8> {
        match self {
            Self::Json => Some(b'\\'),
            Self::Percent => Some(b'%'),
            Self::Plain | Self::Quoted | Self::ReadOnly => None,
        }
    }

    /// The encoded and decoded lengths of the escape at the start of `raw`.
    fn escape_lengths(self, raw: &[u8]) -> Option<(usize, usize)> {
        match self {
            Self::Json => {
                json::read_escape(raw).map(|(character, length)| (length, character.len_utf8()))
            }
            Self::Percent => Some((3, 1)),
            Self::Plain | Self::Quoted | Self::ReadOnly => None,
        }
    }
}

/// Unreserved characters stand for themselves everywhere; a space is `%20`, which forms and queries both read.
const PERCENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As browsers write file names. A backslash is read differently by different servers, so none is written.
fn quote(text: &str, out: &mut String) -> Result<(), CannotWrite> {
    for character in text.chars() {
        match character {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            '\\' => return Err(CannotWrite::ReadOnly),
            control if control.is_control() => return Err(CannotWrite::ReadOnly),
            other => out.push(other),
        }
    }
    Ok(())
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
        out.extend_from_slice(patch.with.as_bytes());
        at = patch.span.end();
    }
    out.extend_from_slice(source.get(at..).ok_or(CannotWrite::Misplaced)?);
    Ok(out)
}
