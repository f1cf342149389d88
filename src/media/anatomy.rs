//! A file taken apart: which of its bytes are no picture and no sound, and what stands there once they are gone.

use std::ops::Range;

use crate::media::words::{self, Words};
use crate::media::{Format, audio, gif, iso, jpeg, matroska, png, riff};

/// Why a file could not be taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It is sound as far as it goes, and ends too early: a piece of a file, or a broken upload.
    #[error("media ends early")]
    Truncated,
    /// It is not built as its first bytes say.
    #[error("media is malformed")]
    Malformed,
    /// Nothing here knows how files of its kind are built.
    #[error("media is of a kind that cannot be taken apart")]
    Unknown,
}

/// What must stay as it is when a file is stripped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// Only what decoders need: metadata goes, and the file becomes shorter.
    Needed,
    /// The length too, since somebody was told it before: metadata is overwritten where it stands.
    Length,
}

/// What some bytes that are no picture are, and so how they are read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A TIFF structure from the first byte on.
    Exif,
    Xmp,
    /// A further piece of XMP that goes over several.
    XmpPiece,
    /// Blocks of Photoshop's.
    Photoshop,
    /// A text as it stands.
    Text,
    /// `keyword NUL text`, as PNG has it.
    Keyword,
    /// The same, deflated.
    Deflated,
    /// The same, in UTF-8 with a language.
    International,
    /// Boxes of ISO media, with texts and positions in them.
    Boxes,
    /// Tags of ID3.
    Id3,
    /// Anything: what looks like text in it is.
    Unknown,
    /// What stands behind the end of the file.
    Tail,
    /// No words: a length or a flag that must be put right, or a time.
    Nothing,
}

/// What overwrites a part where the length must stay.
#[derive(Clone)]
pub(super) enum Blank {
    /// Nothing does.
    Keep,
    /// These bytes first, those last, and one byte over and over between them.
    Fill { first: Vec<u8>, with: u8, last: Vec<u8> },
    /// These very bytes, of the same length.
    Own(Vec<u8>),
}

/// Prints lengths only.
impl std::fmt::Debug for Blank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keep => f.write_str("Keep"),
            Self::Fill { first, last, .. } => {
                f.debug_tuple("Fill").field(&first.len()).field(&last.len()).finish()
            }
            Self::Own(bytes) => f.debug_tuple("Own").field(&bytes.len()).finish(),
        }
    }
}

impl Blank {
    pub(super) fn zeros() -> Self {
        Self::starting(Vec::new())
    }

    pub(super) fn starting(first: Vec<u8>) -> Self {
        Self::Fill { first, with: 0, last: Vec::new() }
    }

    fn write(&self, was: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Own(bytes) if bytes.len() == was.len() => out.extend_from_slice(bytes),
            Self::Fill { first, with, last } if first.len() + last.len() <= was.len() => {
                out.extend_from_slice(first);
                out.resize(out.len() + was.len() - first.len() - last.len(), *with);
                out.extend_from_slice(last);
            }
            Self::Own(_) | Self::Fill { .. } => out.resize(out.len() + was.len(), 0),
            Self::Keep => out.extend_from_slice(was),
        }
    }
}

/// One stretch that is no picture.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where it stands, with whatever holds it.
    pub(super) span: Range<usize>,
    /// The bytes of it that are read.
    pub(super) content: Range<usize>,
    pub(super) kind: Kind,
    /// What stands in its place when it is taken out; `None` where other parts of the file count its bytes, and it is
    /// overwritten always.
    pub(super) cut: Option<Vec<u8>>,
    pub(super) blank: Blank,
}

impl Part {
    /// One that goes and leaves nothing.
    pub(super) fn gone(span: Range<usize>, content: Range<usize>, kind: Kind) -> Self {
        Self { span, content, kind, cut: Some(Vec::new()), blank: Blank::zeros() }
    }

    /// One that is overwritten where it stands, always.
    pub(super) fn overwritten(
        span: Range<usize>,
        content: Range<usize>,
        kind: Kind,
        blank: Blank,
    ) -> Self {
        Self { span, content, kind, cut: None, blank }
    }

    pub(super) fn with_blank(self, blank: Blank) -> Self {
        Self { blank, ..self }
    }
}

/// A file taken apart.
#[derive(Debug)]
pub struct Anatomy {
    pub(super) format: Option<Format>,
    /// Sorted and disjoint.
    pub(super) parts: Vec<Part>,
    pub(super) fault: Option<Fault>,
    /// Up to where the file was understood: its end, unless there is a fault.
    pub(super) understood: usize,
}

impl Anatomy {
    /// Takes a file apart, whatever it claims to be.
    pub fn of(bytes: &[u8]) -> Self {
        let format = Format::of(bytes);
        let mut anatomy = Self { format, parts: Vec::new(), fault: None, understood: bytes.len() };
        let read = match format {
            Some(Format::Jpeg) => jpeg::read(bytes, &mut anatomy.parts),
            Some(Format::Png) => png::read(bytes, &mut anatomy.parts),
            Some(Format::Gif) => gif::read(bytes, &mut anatomy.parts),
            Some(Format::WebP | Format::Wave) => riff::read(bytes, &mut anatomy.parts),
            Some(Format::Heif | Format::IsoFilm) => iso::read(bytes, &mut anatomy.parts),
            Some(Format::Matroska) => matroska::read(bytes, &mut anatomy.parts),
            Some(Format::Mp3) => audio::mp3(bytes, &mut anatomy.parts),
            Some(Format::Flac) => audio::flac(bytes, &mut anatomy.parts),
            Some(Format::Bmp) => audio::bmp(bytes, &mut anatomy.parts),
            _ => Err((0, Fault::Unknown)),
        };
        if let Err((at, fault)) = read {
            anatomy.understood = at.min(bytes.len());
            anatomy.fault = Some(fault);
        }
        anatomy.arrange(bytes.len());
        anatomy
    }

    /// Sorts the parts. Two claims on the same bytes: whoever takes out the one may take a picture with it.
    fn arrange(&mut self, length: usize) {
        self.parts.sort_by_key(|part| (part.span.start, part.span.end));
        let disjoint = self.parts.is_sorted_by(|a, b| a.span.end <= b.span.start);
        let within = self.parts.last().is_none_or(|part| part.span.end <= length);
        if !disjoint || !within {
            self.parts.clear();
            self.understood = 0;
            self.fault = Some(Fault::Malformed);
        }
    }

    /// What kind of file it is.
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// What kept it from being taken apart. Then nothing of it can be taken out, though some of it may be read.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The file without its metadata. `Ok(None)`: it has none, and stays the very bytes. Of a piece of a file whose length
    /// must stay, all that stands in this piece is overwritten; the rest of the file is not known.
    pub fn stripped(&self, bytes: &[u8], keep: Keep) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        Ok(self.without(bytes, keep))
    }

    /// What a piece of a file becomes: what it holds of metadata is overwritten as far as the piece is understood.
    pub fn piece_stripped(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        match self.fault {
            None | Some(Fault::Truncated) => Ok(self.without(bytes, Keep::Length)),
            Some(fault) => Err(fault),
        }
    }

    fn without(&self, bytes: &[u8], keep: Keep) -> Option<Vec<u8>> {
        if self.parts.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let mut at = 0;
        for part in &self.parts {
            out.extend_from_slice(bytes.get(at..part.span.start)?);
            match &part.cut {
                Some(with) if keep == Keep::Needed => out.extend_from_slice(with),
                _ => part.blank.write(bytes.get(part.span.clone())?, &mut out),
            }
            at = part.span.end;
        }
        out.extend_from_slice(bytes.get(at..)?);
        (out != bytes).then_some(out)
    }

    /// Everything that a person or a device wrote into it.
    pub fn words(&self, bytes: &[u8]) -> Words {
        words::of(self, bytes)
    }
}

impl Anatomy {
    /// Of parts that were found some other way.
    pub(super) fn of_parts(parts: Vec<Part>, understood: usize) -> Self {
        let mut anatomy = Self { format: None, parts, fault: None, understood };
        anatomy.arrange(understood);
        anatomy
    }
}
