//! Strings within strings: what a value holds in an encoding of its own, read and written back in the same.
//!
//! Facebook's batch is a form in a JSON string in a form; a link's query is a form; a caption may be escaped as HTML. The
//! value itself stays listed, and what it holds is listed after it, so that a platform's file may name either. Promise:
//! encodings in encodings cost memory linear in the body, and more of them than any client writes have no reading.

use std::ops::Range;

use bytes::Bytes;

use crate::body::blob::Held;
use crate::body::coded::Coded;
use crate::body::coding::{Coding, hex_pair};
use crate::body::files::At;
use crate::body::json::{self, NONE};
use crate::body::reader::{Inner, Place, Reader};
use crate::body::slot::Slot;
use crate::body::{Role, Unreadable, blob, coded, entity, form, sniff};
use crate::phi::PhiText;

/// How often an encoding may lie in another.
const MOST_LAYERS: u32 = 6;
/// The longest name or signature that stands before a value.
const MOST_PREFIX: usize = 256;

/// How a value is to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    /// A string of JSON, or text: whatever it may hold besides, it is a string first.
    Lenient,
    /// A parameter, of which a server may expect JSON: if it looks like that and is not, a lenient server may yet read
    /// it so, and then escapes hide words from us.
    Parameter,
}

/// Lists one value and what it holds, and gives the index of the value.
pub(super) fn push(
    reader: &mut Reader<'_>,
    place: &Place,
    value: impl Into<PhiText>,
    slot: Slot,
    node: u32,
    reading: Reading,
) -> Result<u32, Unreadable> {
    let value = value.into();
    let text = value.expose();
    let codes = coded::find(text);
    if codes.is_empty() && !may_hold_more(text) {
        return reader.push(place, Role::Value, value, slot, node);
    }
    if reader.is_media(text, slot)? {
        // Listed, so that a value of JSON has its text; empty, since nobody reads it.
        let slot = slot.read_only();
        return reader.push(place, Role::Value, String::new(), slot, node);
    }
    let source = Bytes::copy_from_slice(text.as_bytes());
    let index = reader.push(place, Role::Value, value, slot, node)?;
    let around = reader.enter(index, source.len(), MOST_LAYERS)?;
    let inner = Within { source: &source, slot, place, reading }.read(reader, codes);
    reader.leave(around);
    let inner = inner?;
    reader.note_inner(index, inner);
    Ok(index)
}

/// Spares nearly every string the look into it.
fn may_hold_more(value: &str) -> bool {
    let bytes = value.as_bytes();
    memchr::memchr3(b'%', b'&', b'=', bytes).is_some()
        || json::opens_like_json(bytes)
        || signature(bytes).is_some()
        || bytes.starts_with(RICH_TEXT)
}

/// The length of a signature and its dot before JSON (Instagram's `signed_body`).
fn signature(bytes: &[u8]) -> Option<usize> {
    let brace = memchr::memchr(b'{', bytes.get(..MOST_PREFIX.min(bytes.len()))?)?;
    let prefix = bytes.get(..brace)?.strip_suffix(b".")?;
    let plain = !prefix.is_empty() && prefix.iter().all(u8::is_ascii_alphanumeric);
    plain.then_some(brace)
}

/// One value that may hold more.
struct Within<'a> {
    source: &'a Bytes,
    slot: Slot,
    place: &'a Place,
    reading: Reading,
}

impl Within<'_> {
    fn read(&self, reader: &mut Reader<'_>, codes: Vec<Coded>) -> Result<Inner, Unreadable> {
        let text = std::str::from_utf8(self.source).map_err(|_| Unreadable::Charset)?;
        if let Some(inner) = self.json(reader)? {
            return Ok(inner);
        }
        if let Some(inner) = self.signed(reader)? {
            return Ok(inner);
        }
        if let Some(inner) = self.fields(reader, text)? {
            return Ok(inner);
        }
        let mut inner = Inner::None;
        let mark = reader.mark();
        let layer = reader.open_layer(self.source, Some(self.slot))?;
        let files = codes.iter().filter(|code| sniff::is_whole_media(&code.bytes));
        let files: Vec<Range<usize>> = files.map(|code| code.span.clone()).collect();
        let mut files = files.as_slice();
        for (start, word) in words(text) {
            let end = start + word.len();
            while let Some((_, later)) = files.split_first().filter(|(file, _)| file.end <= start) {
                files = later;
            }
            let here = files.iter().take_while(|file| file.start < end);
            let here = here.map(|file| file.start.saturating_sub(start)..file.end - start);
            if let Some(decoded) = undo_percent(word, here) {
                let coding =
                    if decoded.contains('\u{fffd}') { Coding::ReadOnly } else { Coding::Percent };
                self.push(reader, decoded, Slot::new(layer, start, start + word.len(), coding))?;
                inner = Inner::Some;
            }
        }
        if let Some(decoded) = entity::undo(text) {
            self.push(reader, decoded, Slot::new(layer, 0, text.len(), Coding::Entities))?;
            inner = Inner::Some;
        }
        if let Some(decoded) = undo_rich_text(text) {
            self.push(reader, decoded, Slot::new(layer, 0, text.len(), Coding::ReadOnly))?;
            inner = Inner::Some;
        }
        if let Some(decoded) = undo_quoted(text) {
            self.push(reader, decoded, Slot::new(layer, 0, text.len(), Coding::ReadOnly))?;
            inner = Inner::Some;
        }
        for code in codes {
            self.coded(reader, layer, code)?;
            inner = Inner::Some;
        }
        if inner == Inner::None {
            reader.back_to(&mark);
        }
        Ok(inner)
    }

    /// What stands in base64 or hexadecimal. A token that holds neither text nor media is no file of unknown kind.
    fn coded(&self, reader: &mut Reader<'_>, layer: u32, code: Coded) -> Result<(), Unreadable> {
        let (start, end) = (code.span.start, code.span.end);
        match String::from_utf8(code.bytes) {
            Ok(text) if sniff::is_plain_text(&text) => {
                let coding = if code.is_exact { Coding::Base64 } else { Coding::ReadOnly };
                self.push(reader, text, Slot::new(layer, start, end, coding))
            }
            other => {
                let bytes =
                    other.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                let flags = (reader.unread_files, reader.unknown_files);
                let slot = Slot::new(layer, start, end, Coding::ReadOnly);
                let n_files = reader.files.len();
                let held = blob::read(reader, self.place, &bytes.into(), slot, At::Fixed)?;
                if held == Held::Unknown {
                    reader.unread_files = flags.0;
                    reader.files.truncate(n_files);
                }
                reader.unknown_files = flags.1;
                Ok(())
            }
        }
    }

    fn push(&self, reader: &mut Reader<'_>, text: String, slot: Slot) -> Result<(), Unreadable> {
        push(reader, self.place, text, slot, NONE, Reading::Lenient).map(|_| ())
    }

    /// JSON. `[7]` and `{}` say nothing as JSON that they do not say as text.
    fn json(&self, reader: &mut Reader<'_>) -> Result<Option<Inner>, Unreadable> {
        if !json::opens_like_json(self.source) {
            return Ok(None);
        }
        let mark = reader.mark();
        let layer = reader.next_layer();
        let is_json = json::try_read(reader, self.source, Some(self.slot), self.place.clone())?;
        if is_json && reader.holds_strings_since(&mark) {
            return Ok(Some(Inner::Json(layer)));
        }
        reader.back_to(&mark);
        let escaped = || memchr::memmem::find(self.source, b"\\u").is_some();
        if self.reading == Reading::Parameter
            && !is_json
            && sniff::claims_json(self.source)
            && escaped()
        {
            return Err(Unreadable::Json);
        }
        Ok(None)
    }

    /// `SIGNATURE.{..}`. A real signature (older clients of Instagram) is over the JSON, which then cannot be edited.
    fn signed(&self, reader: &mut Reader<'_>) -> Result<Option<Inner>, Unreadable> {
        let Some(start) = signature(self.source) else { return Ok(None) };
        let mark = reader.mark();
        let around = reader.open_layer(self.source, Some(self.slot))?;
        let prefix = self.source.get(..start - 1).unwrap_or_default();
        let is_digest = prefix.len() >= 32 && prefix.iter().all(u8::is_ascii_hexdigit);
        let coding = if is_digest { Coding::ReadOnly } else { Coding::Plain };
        let slot = Slot::new(around, start, self.source.len(), coding);
        let layer = reader.next_layer();
        let json = self.source.slice(start..);
        if json::try_read(reader, &json, Some(slot), self.place.clone())? {
            return Ok(Some(Inner::Json(layer)));
        }
        reader.back_to(&mark);
        Ok(None)
    }

    /// A form, or an address with a query.
    fn fields(&self, reader: &mut Reader<'_>, text: &str) -> Result<Option<Inner>, Unreadable> {
        let Some(start) = start_of_fields(text) else { return Ok(None) };
        let mark = reader.mark();
        let layer = reader.open_layer(self.source, Some(self.slot))?;
        if let Some(before) = start.checked_sub(1).and_then(|end| text.get(..end)) {
            let decoded = undo_percent(before, None).unwrap_or_else(|| before.to_owned());
            let coding =
                if decoded.contains('\u{fffd}') { Coding::ReadOnly } else { Coding::Percent };
            let slot = Slot::new(layer, 0, before.len(), coding);
            reader.push(self.place, Role::Value, decoded, slot, NONE)?;
        }
        let fields = form::Fields { layer, place: self.place, encoding: None };
        match fields.read(reader, self.source, start) {
            Ok(()) => Ok(Some(Inner::Form)),
            Err(Unreadable::Form) => {
                reader.back_to(&mark);
                Ok(None)
            }
            Err(limit) => Err(limit),
        }
    }
}

/// Where the fields of a form begin: a plain name, `=` and a value at the start, or after the `?` of an address.
fn start_of_fields(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let equals = memchr::memchr(b'=', bytes)?;
    let before = bytes.get(..equals)?;
    let has_value = bytes.get(equals + 1).is_some_and(|next| !matches!(next, b'=' | b' '));
    if !has_value && memchr::memchr(b'&', bytes).is_none() {
        return None;
    }
    let start = memchr::memchr(b'?', before).map_or(0, |at| at + 1);
    let name = before.get(start..)?;
    let address = before.get(..start)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]:%$*".contains(byte);
    let sound = !name.is_empty()
        && name.len() <= MOST_PREFIX
        && name.iter().all(plain)
        && (start == 0 || !bytes.iter().any(u8::is_ascii_whitespace))
        && !address.contains(&b'<');
    sound.then_some(start)
}

/// The words of a text, and where each starts.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive(char::is_whitespace).map(move |word| {
        let start = at;
        at += word.len();
        (start, word.trim_end_matches(char::is_whitespace))
    })
}

/// How a file of RTF begins.
const RICH_TEXT: &[u8] = b"{\\rtf";

/// RTF whose letters are written by their bytes: `\\'4a`.
fn undo_rich_text(text: &str) -> Option<String> {
    let mut rest = text.as_bytes().starts_with(RICH_TEXT).then_some(text)?;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"\\'") {
        out.push_str(rest.get(..at)?);
        let digits = rest.get(at + 2..).and_then(|after| after.as_bytes().first_chunk::<2>());
        let byte = digits.and_then(|[high, low]| {
            let (high, low) = (char::from(*high).to_digit(16)?, char::from(*low).to_digit(16)?);
            u8::try_from(high << 4 | low).ok()
        });
        let length = match byte {
            Some(byte) => {
                out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0);
                4
            }
            None => 2,
        };
        rest = rest.get(at + length..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// Quoted-printable, as mail and cards of addresses have it. An equals sign before two digits may be a sum, a few of them
/// may be several.
fn undo_quoted(text: &str) -> Option<String> {
    const FEWEST: usize = 6;
    let bytes = text.as_bytes();
    let pair = |at: usize| {
        let [high, low] = *bytes.get(at + 1..)?.first_chunk::<2>()?;
        let (high, low) = (char::from(high).to_digit(16)?, char::from(low).to_digit(16)?);
        u8::try_from(high << 4 | low).ok()
    };
    let n_pairs = memchr::memchr_iter(b'=', bytes).filter(|at| pair(*at).is_some()).count();
    let is_cut = memchr::memmem::find(bytes, b"=\r\n").is_some()
        || memchr::memmem::find(bytes, b"=\n").is_some();
    if n_pairs < FEWEST && !is_cut {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let length = match (byte, pair(at)) {
            (b'=', Some(decoded)) => {
                out.push(decoded);
                3
            }
            (b'=', None) if rest.starts_with(b"\r\n") => 3,
            (b'=', None) if rest.starts_with(b"\n") => 2,
            _ => {
                out.push(byte);
                1
            }
        };
        at += length;
    }
    Some(sniff::lossy(&out))
}

/// The letter of an escape as the oldest scripts write it: `%u00e9`.
fn wide_escape(raw: &[u8]) -> Option<char> {
    let digits = raw.strip_prefix(b"%u").or_else(|| raw.strip_prefix(b"%U"))?.first_chunk::<4>()?;
    let code = digits
        .iter()
        .try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))?;
    char::from_u32(code)
}

/// A percent-encoded word. Bytes that are no UTF-8 become a mark, so that one of them does not hide the rest.
///
/// A `+` in base64 of a file, which stand in order, is a digit and makes no form of the word.
fn undo_percent(word: &str, files: impl IntoIterator<Item = Range<usize>>) -> Option<String> {
    let bytes = word.as_bytes();
    let has_blank = |text: Option<&[u8]>| text.is_some_and(|text| text.contains(&b'+'));
    let is_form = bytes.contains(&b'=') && {
        let mut at = 0;
        files
            .into_iter()
            .any(|file| has_blank(bytes.get(std::mem::replace(&mut at, file.end)..file.start)))
            || has_blank(bytes.get(at.min(bytes.len())..))
    };
    let is_escape = |rest: &[u8]| hex_pair(rest).is_some() || wide_escape(rest).is_some();
    let is_encoded =
        memchr::memchr_iter(b'%', bytes).any(|at| bytes.get(at..).is_some_and(is_escape));
    if !is_encoded && !is_form {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&byte) = rest.first() {
        let (byte, length) = match hex_pair(rest) {
            Some(decoded) => (decoded, 3),
            None if byte == b'+' && is_form => (b' ', 1),
            None => (byte, 1),
        };
        if let Some(letter) = wide_escape(rest) {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = rest.get(6..).unwrap_or_default();
            continue;
        }
        out.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    Some(sniff::lossy(&out))
}
