//! What a file's metadata says: its texts, and the place where it was taken.

use std::fmt::Write as _;
use std::io::Read as _;

use flate2::read::ZlibDecoder;

use crate::media::anatomy::{Anatomy, Kind, Part};
use crate::media::bytes::take;
use crate::media::{Format, exif, format, gif, iptc, iso, xmp};
use crate::phi::PhiText;

/// All that may be inflated of one file: a caption is a few hundred bytes.
const MOST_INFLATED: usize = 1 << 20;
/// Fewer bytes in a row than this say nothing.
const SHORTEST_RUN: usize = 6;
/// Among bytes that may be anything, chance makes such a row once in a few million.
const SHORTEST_IN_NOISE: usize = 12;
/// How often a file may stand behind another.
const MOST_TAILS: usize = 3;

/// One text.
#[derive(Clone)]
pub struct Caption {
    /// What the file calls it, if anything: `title`, `PatientName`.
    pub label: Option<Box<str>>,
    /// The text.
    pub text: PhiText,
    /// Whether it says where the file was taken; then it was made here, of numbers.
    pub is_position: bool,
}

/// Prints lengths only: a file may name what it likes by what it likes.
impl std::fmt::Debug for Caption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caption")
            .field("n_label", &self.label.as_ref().map(|label| label.len()))
            .field("text", &self.text)
            .field("is_position", &self.is_position)
            .finish_non_exhaustive()
    }
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Words {
    /// Its texts.
    pub captions: Vec<Caption>,
    /// Whether a document that nobody here can read stands behind its end.
    pub holds_document: bool,
    /// Whether a text of it could not be read: it inflates to more than any caption, or lies deeper than any program
    /// puts one.
    pub unread: bool,
    n_inflated: usize,
    /// How many EXIF structures the one that is being read lies in, and how many bytes of values they may still say.
    pub(super) exif_depth: u8,
    pub(super) exif_budget: usize,
}

/// What a file that was taken apart says.
pub(super) fn of(anatomy: &Anatomy, bytes: &[u8]) -> Words {
    let mut words = Words::default();
    words.of_file(anatomy, bytes, 0);
    words
}

impl Words {
    fn of_file(&mut self, anatomy: &Anatomy, bytes: &[u8], depth: usize) {
        let mut xmp_pieces = Vec::new();
        let mut photoshop = Vec::new();
        for part in &anatomy.parts {
            let content = bytes.get(part.content.clone()).unwrap_or_default();
            match part.kind {
                // One packet or block may go over several segments.
                Kind::XmpPiece => xmp_pieces.extend_from_slice(content),
                Kind::Photoshop => photoshop.extend_from_slice(content),
                Kind::Tail => self.tail(content, depth),
                _ => self.of_part(part, content, anatomy.format),
            }
        }
        if !xmp_pieces.is_empty() {
            xmp::words(&xmp_pieces, self);
        }
        if !photoshop.is_empty() {
            iptc::photoshop(&photoshop, self);
        }
        if anatomy.fault.is_some() {
            // Whatever it is, its words are words.
            let rest = bytes.get(anatomy.understood..).unwrap_or_default();
            if anatomy.format == Some(Format::Tiff) {
                exif::words(rest, self);
            } else {
                self.noise(rest);
            }
        }
    }

    fn of_part(&mut self, part: &Part, content: &[u8], format: Option<Format>) {
        match part.kind {
            Kind::Exif => exif::words(content, self),
            Kind::Xmp => xmp::words(content, self),
            Kind::Text if format == Some(Format::Gif) => {
                self.loose(Some("comment"), &gif::joined(content));
            }
            Kind::Text => self.loose(Some("comment"), content),
            Kind::Keyword => self.keyword(content),
            Kind::Deflated => self.deflated(content),
            Kind::International => self.international(content),
            Kind::Boxes => iso::words(content, self),
            Kind::Id3 => self.id3(content),
            Kind::Unknown => self.unknown(content),
            Kind::XmpPiece | Kind::Photoshop | Kind::Tail | Kind::Nothing => {}
        }
    }

    /// A text under a name.
    pub(super) fn text(&mut self, label: Option<&str>, text: String) {
        let trimmed = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
        if trimmed.is_empty() {
            return;
        }
        let text = if trimmed.len() == text.len() { text } else { trimmed.to_owned() };
        let label = label.filter(|label| !label.is_empty()).map(Into::into);
        self.captions.push(Caption { label, text: text.into(), is_position: false });
    }

    /// A text whose encoding nobody names: UTF-8 if it is, else a byte a letter.
    pub(super) fn loose(&mut self, label: Option<&str>, bytes: &[u8]) {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let bytes = bytes.get(..end).unwrap_or_default();
        let n_odd = bytes.iter().filter(|byte| format::is_binary(**byte)).count();
        if n_odd * 8 > bytes.len() {
            self.runs(bytes);
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(label, text.replace('\0', " ")),
            Err(_) => self.text(label, latin(bytes)),
        }
    }

    /// Where it was taken, in degrees. What lies off the earth is nowhere.
    pub(super) fn position(&mut self, latitude: f64, longitude: f64) {
        let sound = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        if !sound || (latitude == 0.0 && longitude == 0.0) {
            return;
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "GPS position {latitude:.5}, {longitude:.5}");
        self.captions.push(Caption {
            label: Some("location".into()),
            text: text.into(),
            is_position: true,
        });
    }

    /// Rows of letters among others, of one byte each or of two.
    pub(super) fn runs(&mut self, bytes: &[u8]) {
        self.rows(bytes, SHORTEST_RUN);
    }

    /// The same where most of it may be anything.
    fn noise(&mut self, bytes: &[u8]) {
        self.rows(bytes, SHORTEST_IN_NOISE);
    }

    fn rows(&mut self, bytes: &[u8], shortest: usize) {
        for run in bytes
            .split(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0x7f)
        {
            if run.len() < shortest {
                continue;
            }
            for chunk in run.utf8_chunks() {
                if chunk.valid().len() >= shortest {
                    self.text(None, chunk.valid().to_owned());
                }
            }
        }
        // Two bytes a letter, either end first: every other byte is nought.
        for first in [0, 1] {
            let mut wide = String::new();
            let pairs = bytes.get(first..).unwrap_or_default().chunks_exact(2);
            for pair in pairs {
                if let &[letter @ b' '..=b'~', 0] = pair {
                    wide.push(char::from(letter));
                    continue;
                }
                if wide.len() >= SHORTEST_RUN {
                    self.text(None, wide.clone());
                }
                wide.clear();
            }
            if wide.len() >= SHORTEST_RUN {
                self.text(None, wide);
            }
        }
    }

    /// What somebody put in under a name of his own: by what it begins with, or as it comes.
    fn unknown(&mut self, bytes: &[u8]) {
        if format::is_document(bytes) {
            self.holds_document = true;
        } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
            exif::words(bytes, self);
        } else if let Some(tiff) = bytes.strip_prefix(b"Exif\0\0") {
            exif::words(tiff, self);
        } else if memchr::memmem::find(bytes.get(..256).unwrap_or(bytes), b"<x:xmpmeta").is_some() {
            xmp::words(bytes, self);
        } else {
            self.runs(bytes);
        }
    }

    /// What stands behind the end of a file: another file, a document, or words.
    fn tail(&mut self, bytes: &[u8], depth: usize) {
        self.holds_document |= format::holds_document(bytes);
        if format::may_be_media(bytes) && depth < MOST_TAILS {
            self.of_file(&Anatomy::of(bytes), bytes, depth + 1);
        } else if format::is_mostly_text(bytes) {
            self.loose(None, bytes);
        } else {
            self.runs(bytes);
        }
    }

    /// `keyword NUL text`.
    fn keyword(&mut self, bytes: &[u8]) {
        let (keyword, text) = cut_keyword(bytes);
        self.under_keyword(&keyword, text);
    }

    fn under_keyword(&mut self, keyword: &str, text: &[u8]) {
        self.text(None, keyword.to_owned());
        if keyword.starts_with("Raw profile type") {
            if let Some(profile) = raw_profile(text) {
                let profile = profile.strip_prefix(b"Exif\0\0").unwrap_or(&profile);
                if profile.starts_with(b"8BIM") {
                    iptc::photoshop(profile, self);
                } else if profile.first() == Some(&0x1c) {
                    iptc::records(profile, self);
                } else {
                    self.unknown(profile);
                }
                return;
            }
        } else if keyword.starts_with("XML:com.adobe") {
            xmp::words(text, self);
            return;
        }
        self.loose(Some(keyword), text);
    }

    /// `keyword NUL method deflated-text`.
    fn deflated(&mut self, bytes: &[u8]) {
        let (keyword, rest) = cut_keyword(bytes);
        match self.inflate(rest.get(1..).unwrap_or_default()) {
            Some(text) => self.under_keyword(&keyword, &text),
            None => self.runs(bytes),
        }
    }

    /// `keyword NUL flag method language NUL keyword NUL text`, in UTF-8.
    fn international(&mut self, bytes: &[u8]) {
        let (keyword, rest) = cut_keyword(bytes);
        let is_deflated = rest.first() == Some(&1);
        let mut parts = rest.get(2..).unwrap_or_default().splitn(3, |byte| *byte == 0);
        let (_language, translated) = (parts.next(), parts.next().unwrap_or_default());
        let text = parts.next().unwrap_or_default();
        self.loose(None, translated);
        if !is_deflated {
            self.under_keyword(&keyword, text);
            return;
        }
        match self.inflate(text) {
            Some(text) => self.under_keyword(&keyword, &text),
            None => self.runs(bytes),
        }
    }

    /// What inflates to more than there is room for is not read, and said so.
    fn inflate(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let room = MOST_INFLATED.saturating_sub(self.n_inflated);
        let mut out = Vec::new();
        let limit = u64::try_from(room).unwrap_or_default() + 1;
        let read = ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out);
        self.n_inflated += out.len();
        if out.len() > room {
            self.unread = true;
            return None;
        }
        // A stream that breaks off has still said what it said.
        (read.is_ok() || !out.is_empty()).then_some(out)
    }

    /// Frames of ID3: a name, a length, an encoding, a text.
    fn id3(&mut self, bytes: &[u8]) {
        // Lengths differ by version; what they hold are rows of letters in any.
        self.runs(bytes);
    }
}

/// The keyword of a chunk, and what follows its nought.
fn cut_keyword(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().take(80).position(|byte| *byte == 0);
    let (keyword, text) = match end {
        Some(at) => {
            (take(bytes, 0, at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default())
        }
        None => (&[][..], bytes),
    };
    (latin(keyword), text)
}

/// A profile as `ImageMagick` writes it into a text: its name, its length, and its bytes in hexadecimal.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_whitespace();
    let (_name, _length) = (words.next()?, words.next()?);
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for digit in words.flat_map(str::chars) {
        let digit = u8::try_from(digit.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => out.push(high | digit),
        }
    }
    Some(out)
}

/// Text of two bytes a letter; halves of letters become marks.
pub(super) fn utf16(bytes: &[u8], is_big: bool) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| {
        let pair: [u8; 2] = pair.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    });
    char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Text of one byte a letter.
pub(super) fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
