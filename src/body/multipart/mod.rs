//! `multipart/form-data`, mixed and related, also within each other: text, JSON, XML, captions, and files with their names.
//!
//! A file that is no text is not read (media are a matter of the endpoint), yet its name is; a document that could hold text
//! (PDF, DICOM, office files) makes the body unreadable.

pub(in crate::body) mod file_name;
mod head;
mod split;

pub use file_name::encoded_words;

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use self::head::{Head, TransferEncoding};
use crate::body::blob::{self, Held};
use crate::body::coding::Coding;
use crate::body::content_type::{Claim, ContentType};
use crate::body::files::At;
use crate::body::json::{self, NONE};
use crate::body::reader::{Place, Reader};
use crate::body::slot::{Patch, Slot, arrange};
use crate::body::within::{self, Reading};
use crate::body::{
    CannotWrite, Role, Step, Unreadable, base64, captions, charset, name, sniff, textual, xml,
};
use crate::span::Span;

/// The type of bytes that nobody says more about.
const BYTES: &str = "application/octet-stream";

/// How deep parts may lie in parts.
const MOST_DEPTH: usize = 3;

/// What a multipart body is held to when it is written.
#[derive(Default)]
pub(super) struct Parts {
    delimiters: Vec<Vec<u8>>,
    lengths: Vec<Length>,
}

/// A `Content-Length` within a part, as some Java clients write.
#[derive(Debug)]
struct Length {
    digits: Span,
    content: Span,
}

/// Reads a multipart body as the first layer of the document.
pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Bytes,
    boundary: &str,
    form_data: bool,
) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, None)?;
    let mut parts = Parts::default();
    let place = Place::in_part();
    let within = Multipart { body, layer, depth: 0, form_data, place };
    within.read(reader, 0..body.len(), boundary, &mut parts)?;
    reader.parts = Some(parts);
    Ok(())
}

/// A multipart body, or a part of one that is such a body itself.
struct Multipart<'a> {
    body: &'a Bytes,
    layer: u32,
    depth: usize,
    /// Whether its parts are a form's fields.
    form_data: bool,
    place: Place,
}

impl Multipart<'_> {
    fn read(
        &self,
        reader: &mut Reader<'_>,
        range: Range<usize>,
        boundary: &str,
        parts: &mut Parts,
    ) -> Result<(), Unreadable> {
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let bytes = self.body.get(range.clone()).ok_or(Unreadable::Multipart)?;
        let split = split::split(bytes, &delimiter, reader.limits().max_fields)?;
        let moved = |inner: &Range<usize>| inner.start + range.start..inner.end + range.start;
        for (n, part) in split.parts.iter().enumerate() {
            let head = Head::read(self.body, moved(&part.head), split.line_end)?;
            if self.form_data && !is_field(&head) {
                return Err(Unreadable::Multipart);
            }
            let part = PartReader { around: self, head: &head, content: moved(&part.content) };
            let place = part.read_head(reader, n)?;
            part.read_content(reader, place, parts)?;
            parts.lengths.extend(part.length()?);
        }
        parts.delimiters.push(delimiter);
        Ok(())
    }
}

/// Whether a head is that of a form's field: of that disposition, and with a name.
fn is_field(head: &Head<'_>) -> bool {
    head.disposition.is_some_and(|disposition| disposition.eq_ignore_ascii_case("form-data"))
        && head.param("name").is_some()
}

struct PartReader<'a> {
    around: &'a Multipart<'a>,
    head: &'a Head<'a>,
    content: Range<usize>,
}

impl PartReader<'_> {
    /// Lists what the head says, and gives the place of the content.
    fn read_head(&self, reader: &mut Reader<'_>, n: usize) -> Result<Place, Unreadable> {
        let name = self.head.param("name");
        let layer = self.around.layer;
        let mut place = self.around.place.clone();
        match name {
            Some(name) => place.enter(name::steps(name.value), n),
            // Several files of one field.
            None if self.around.depth > 0 => place.enter([Step::Index(n)], n),
            None => place.enter([], n),
        }
        for param in &self.head.params {
            let read_only =
                Slot::new(layer, param.span.start(), param.span.end(), Coding::ReadOnly);
            let (role, (text, slot)) = match param.name.to_ascii_lowercase().as_str() {
                "name" if param.value.contains(['\\']) || param.value.contains("=?") => {
                    return Err(Unreadable::Multipart);
                }
                "name" => (Role::Key, (param.value.to_owned(), read_only)),
                "filename" => (Role::FileName, file_name::plain(*param, layer)?),
                "filename*" => (Role::FileName, file_name::extended(*param, layer)?),
                other if file_name::continuation(other).is_some() => continue,
                // `name*` and its continuations, of which no browser knows.
                other if other.contains('*') => return Err(Unreadable::Multipart),
                // Of no standard, so that its name may say as much as its value.
                _ => {
                    let text = format!("{} {}", param.name, param.value);
                    (Role::PartHeader, (text, read_only))
                }
            };
            reader.push(&place, role, text, slot, NONE)?;
        }
        if let Some(text) = file_name::continued(&self.head.params)? {
            let first =
                self.head.params.iter().find(|param| file_name::continuation(param.name).is_some());
            let span = first.map(|param| param.span).unwrap_or_default();
            let slot = Slot::new(layer, span.start(), span.end(), Coding::ReadOnly);
            reader.push(&place, Role::FileName, text, slot, NONE)?;
        }
        for other in &self.head.others {
            let slot = Slot::new(layer, other.span.start(), other.span.end(), Coding::ReadOnly);
            reader.push(&place, Role::PartHeader, other.text.to_owned(), slot, NONE)?;
        }
        Ok(place)
    }

    /// Lists what the part holds.
    fn read_content(
        &self,
        reader: &mut Reader<'_>,
        place: Place,
        parts: &mut Parts,
    ) -> Result<(), Unreadable> {
        let Multipart { body, layer, depth, .. } = *self.around;
        let content = body.slice(self.content.clone());
        let content_type = ContentType::parse(self.head.content_type);
        let slot = Slot::new(layer, self.content.start, self.content.end, Coding::Plain);
        let claim = content_type.claim;
        if claim == Claim::Multipart {
            self.check_encoding()?;
            let boundary = content_type.boundary().filter(|_| depth < MOST_DEPTH);
            let boundary = boundary.ok_or(Unreadable::Multipart)?;
            let inner = Multipart { body, layer, depth: depth + 1, form_data: false, place };
            return inner.read(reader, self.content.clone(), boundary, parts);
        }
        if let Some(encoding) = self.head.encoding() {
            return self.encoded(reader, &place, encoding, &content);
        }
        if claim != Claim::Json && reader.is_document(&content)? {
            reader.note_file(content, At::Slot(slot));
            return Ok(());
        }
        let is_media = self.may_be_media() && sniff::is_media(&content);
        let binary = claim == Claim::Other && is_media;
        let label = content_type.charset().filter(|_| !binary);
        if let Some(decoded) =
            label.map(|label| charset::read(label, &content)).transpose()?.flatten()
            && sniff::is_plain_text(&decoded.text)
        {
            let start = self.content.start + decoded.mark;
            let coding = Coding::Charset(decoded.encoding);
            let slot = Slot::new(layer, start, self.content.end, coding);
            return read_text(reader, &place, claim, &Bytes::from(decoded.text), slot);
        }
        let text = std::str::from_utf8(&content).ok();
        // Servers of forms take a part without a file name for a string, whatever type it claims.
        let is_string = claim != Claim::Other || (self.around.form_data && !self.is_file());
        match text {
            Some(text) if is_string || sniff::is_plain_text(text) => {
                if place.path().last().is_some_and(|step| step.is_key("_charset_"))
                    && !text.eq_ignore_ascii_case("utf-8")
                {
                    return Err(Unreadable::UnknownCharset);
                }
                read_text(reader, &place, claim, &content, slot)
            }
            _ if claim == Claim::Json => Err(Unreadable::Json),
            _ if claim == Claim::Other && self.is_field_of_bytes() => {
                // Whoever knows the endpoint decides; what looks like text in it is read all the same.
                let before = reader.unknown_files;
                blob::read(reader, &place, &content, slot, At::Slot(slot))?;
                reader.unknown_files = before;
                reader.unread_files = true;
                reader.unread_fields.push(place.path().clone());
                Ok(())
            }
            _ if !self.may_be_media() => Err(Unreadable::Charset),
            _ => match blob::read(reader, &place, &content, slot, At::Slot(slot))? {
                Held::Text if is_string && !self.is_file() => Err(Unreadable::Charset),
                Held::Unknown if is_string => Err(Unreadable::Charset),
                // Whoever believes it to be a string reads the words between its pixels.
                Held::Media if is_string && !self.is_file() => {
                    let slot = self.read_only();
                    textual::phrases(&content).map_or(Ok(()), |words| {
                        within::push(reader, &place, words, slot, NONE, Reading::Lenient).map(drop)
                    })
                }
                Held::Media | Held::Text | Held::Unknown => Ok(()),
            },
        }
    }

    /// A part under a transfer encoding. Servers of forms disagree on whether they undo it, so it is read both ways and not
    /// edited.
    fn encoded(
        &self,
        reader: &mut Reader<'_>,
        place: &Place,
        encoding: TransferEncoding,
        content: &[u8],
    ) -> Result<(), Unreadable> {
        let decoded = match encoding {
            TransferEncoding::Base64 => {
                let digits: Vec<u8> =
                    content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                base64::decode(&digits)
            }
            TransferEncoding::QuotedPrintable => file_name::quoted_printable(content, false),
            TransferEncoding::Other => None,
        };
        let decoded = decoded.ok_or(Unreadable::UnknownCoding)?;
        // To a server that does not undo it, it is text as it stands; that of media is no more than its digits.
        if encoding == TransferEncoding::QuotedPrintable || !sniff::is_whole_media(&decoded) {
            let text = std::str::from_utf8(content).map_err(|_| Unreadable::Charset)?;
            let slot = self.read_only();
            within::push(reader, place, text.to_owned(), slot, NONE, Reading::Parameter)?;
        }
        let held = blob::read(reader, place, &decoded.into(), self.read_only(), At::Fixed)?;
        let may_pass = held == Held::Text || self.may_be_media();
        if may_pass { Ok(()) } else { Err(Unreadable::UnknownCoding) }
    }

    fn read_only(&self) -> Slot {
        Slot::new(self.around.layer, self.content.start, self.content.end, Coding::ReadOnly)
    }

    /// Whether it says that it is a file: by a file name or by its type. Of a form's field, only that of media does.
    fn may_be_media(&self) -> bool {
        self.is_file()
            || ["image/", "audio/", "video/"].into_iter().any(|known| self.claims(known))
            || (!self.around.form_data && self.claims(BYTES))
    }

    /// Whether it is a form's field that says it is bytes, and no file.
    fn is_field_of_bytes(&self) -> bool {
        self.around.form_data && !self.is_file() && self.claims(BYTES)
    }

    fn claims(&self, known: &str) -> bool {
        let claimed = self.head.content_type.and_then(|claimed| claimed.trim().get(..known.len()));
        claimed.is_some_and(|claimed| claimed.eq_ignore_ascii_case(known))
    }

    /// Whether it has a file name. To some servers an empty one is none.
    fn is_file(&self) -> bool {
        self.head.param("filename").is_some_and(|name| !name.value.is_empty())
            || self.head.param("filename*").is_some()
            || self.head.params.iter().any(|param| file_name::continuation(param.name).is_some())
    }

    fn check_encoding(&self) -> Result<(), Unreadable> {
        if self.head.encoding().is_none() { Ok(()) } else { Err(Unreadable::UnknownCoding) }
    }

    /// Where the part says how long it is. (A part whose media the proxy holds elsewhere is shorter than it says.)
    fn length(&self) -> Result<Option<Length>, Unreadable> {
        let Some(length) = &self.head.content_length else { return Ok(None) };
        let claimed: usize = length.text.parse().map_err(|_| Unreadable::Multipart)?;
        if claimed != self.content.len() && !self.is_file() {
            return Err(Unreadable::Multipart);
        }
        Ok(Some(Length { digits: length.span, content: Span::from(self.content.clone()) }))
    }
}

/// Text, by its type and what it begins with.
fn read_text(
    reader: &mut Reader<'_>,
    place: &Place,
    claim: Claim,
    content: &Bytes,
    slot: Slot,
) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(content).map_err(|_| Unreadable::Charset)?;
    if claim == Claim::Json {
        return json::read(reader, content, Some(slot), place.clone());
    }
    if claim == Claim::Xml {
        return xml::read(reader, content, Some(slot), place);
    }
    if captions::is_captions(text) {
        return captions::read(reader, content, Some(slot), place);
    }
    let (text, slot) = if slot.is_in_charset() {
        let layer = reader.open_layer(content, Some(slot))?;
        (text, Slot::new(layer, 0, text.len(), Coding::Plain))
    } else {
        (text, slot)
    };
    within::push(reader, place, text.to_owned(), slot, NONE, Reading::Parameter).map(|_| ())
}

impl Parts {
    /// Puts right the lengths of parts whose content is patched. The patches are arranged before and after.
    pub(super) fn correct_lengths(
        &self,
        body: &[u8],
        patches: &mut Vec<Patch>,
    ) -> Result<(), CannotWrite> {
        let mut corrections = Vec::new();
        for length in &self.lengths {
            let first =
                patches.partition_point(|patch| patch.span.start() < length.content.start());
            let inside =
                patches.iter().skip(first).take_while(|patch| length.content.covers(patch.span));
            let (gone, come) = inside.fold((0, 0), |(gone, come), patch| {
                (gone + patch.span.len(), come + patch.with.len())
            });
            if gone == come {
                continue;
            }
            let digits = body
                .get(length.digits.start()..length.digits.end())
                .and_then(|digits| std::str::from_utf8(digits).ok());
            let before: usize =
                digits.and_then(|digits| digits.parse().ok()).ok_or(CannotWrite::Misplaced)?;
            let after = (before + come).checked_sub(gone).ok_or(CannotWrite::Misplaced)?;
            corrections.push(Patch { span: length.digits, with: after.to_string().into_bytes() });
        }
        patches.extend(corrections);
        arrange(patches)
    }

    /// Whether no replacement made a new boundary. (Each is counted in the whole body, also where parts lie in a part.)
    pub(super) fn still_apart(&self, before: &[u8], written: &[u8]) -> bool {
        self.delimiters.iter().all(|delimiter| {
            let count = |bytes| memmem::find_iter(bytes, delimiter).count();
            count(written) == count(before)
        })
    }
}

#[cfg(test)]
mod tests;
