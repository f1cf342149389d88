//! `multipart/form-data`, and mixed or related as far as they are plain parts: text, JSON, and files with their names.
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

use self::head::Head;
use crate::body::coding::Coding;
use crate::body::content_type::{Claim, ContentType};
use crate::body::json::{self, NONE};
use crate::body::reader::{Place, Reader};
use crate::body::slot::{Patch, Slot, arrange};
use crate::body::within::{self, Reading};
use crate::body::{CannotWrite, Path, Role, Unreadable, name, sniff};
use crate::span::Span;

/// What a multipart body is held to when it is written.
#[derive(Debug)]
pub(super) struct Parts {
    delimiter: Vec<u8>,
    n_delimiters: usize,
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
    content_type: &ContentType<'_>,
) -> Result<(), Unreadable> {
    let boundary = content_type.boundary().ok_or(Unreadable::Multipart)?;
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let split = split::split(body, &delimiter, reader.limits().max_fields)?;
    let layer = reader.open_layer(body, None)?;
    let form_data = content_type.is_form_data();
    let mut lengths = Vec::new();
    for (n, part) in split.parts.iter().enumerate() {
        let head = Head::read(body, part.head.clone(), split.line_end)?;
        if form_data && !is_field(&head) {
            return Err(Unreadable::Multipart);
        }
        let part =
            PartReader { body, layer, form_data, head: &head, content: part.content.clone() };
        let place = part.read_head(reader, n)?;
        part.read_content(reader, place)?;
        lengths.extend(part.length()?);
    }
    reader.parts = Some(Parts { delimiter, n_delimiters: split.n_delimiters, lengths });
    Ok(())
}

/// Whether a head is that of a form's field: of that disposition, and with a name.
fn is_field(head: &Head<'_>) -> bool {
    head.disposition.is_some_and(|disposition| disposition.eq_ignore_ascii_case("form-data"))
        && head.param("name").is_some()
}

struct PartReader<'a> {
    body: &'a Bytes,
    layer: u32,
    form_data: bool,
    head: &'a Head<'a>,
    content: Range<usize>,
}

impl PartReader<'_> {
    /// Lists what the head says, and gives the place of the content.
    fn read_head(&self, reader: &mut Reader<'_>, n: usize) -> Result<Place, Unreadable> {
        let name = self.head.param("name");
        let steps = name.map(|name| name::steps(name.value)).unwrap_or_default();
        let place = Place { path: Path { steps, indexes: vec![n] }, in_part: true };
        for param in &self.head.params {
            let read_only =
                Slot::new(self.layer, param.span.start(), param.span.end(), Coding::ReadOnly);
            let (role, (text, slot)) = match param.name.to_ascii_lowercase().as_str() {
                "name" if param.value.contains(['\\']) || param.value.contains("=?") => {
                    return Err(Unreadable::Multipart);
                }
                "name" => (Role::Key, (param.value.to_owned(), read_only)),
                "filename" => (Role::FileName, file_name::plain(*param, self.layer)?),
                "filename*" => (Role::FileName, file_name::extended(*param, self.layer)?),
                other if file_name::continuation(other).is_some() => continue,
                // `name*` and its continuations, of which no browser knows.
                other if other.contains('*') => return Err(Unreadable::Multipart),
                _ => (Role::PartHeader, (param.value.to_owned(), read_only)),
            };
            reader.push(&place, role, text, slot, NONE)?;
        }
        if let Some(text) = file_name::continued(&self.head.params)? {
            let first =
                self.head.params.iter().find(|param| file_name::continuation(param.name).is_some());
            let span = first.map(|param| param.span).unwrap_or_default();
            let slot = Slot::new(self.layer, span.start(), span.end(), Coding::ReadOnly);
            reader.push(&place, Role::FileName, text, slot, NONE)?;
        }
        for other in &self.head.others {
            let slot =
                Slot::new(self.layer, other.span.start(), other.span.end(), Coding::ReadOnly);
            reader.push(&place, Role::PartHeader, other.text.to_owned(), slot, NONE)?;
        }
        Ok(place)
    }

    /// Lists what the part holds.
    fn read_content(&self, reader: &mut Reader<'_>, place: Place) -> Result<(), Unreadable> {
        let content = self.body.slice(self.content.clone());
        let content_type = ContentType::parse(self.head.content_type);
        let slot = Slot::new(self.layer, self.content.start, self.content.end, Coding::Plain);
        if content_type.claim == Claim::Multipart {
            return Err(Unreadable::Multipart);
        }
        if content_type.claim == Claim::Json {
            self.check_encoding()?;
            content_type.check_charset(&content)?;
            return json::read(reader, &content, Some(slot), place);
        }
        if sniff::is_known_document(&content) {
            return Err(Unreadable::UnknownKind);
        }
        let text = std::str::from_utf8(&content).ok();
        // Servers of forms take a part without a file name for a string, whatever type it claims.
        let is_string = content_type.claim != Claim::Other || (self.form_data && !self.is_file());
        let is_text = text.is_some_and(|text| is_string || sniff::is_plain_text(text));
        match text {
            Some(text) if is_text => {
                self.check_encoding()?;
                content_type.check_charset(&content)?;
                if place.path.steps.last().is_some_and(|step| step.is_key("_charset_"))
                    && !text.eq_ignore_ascii_case("utf-8")
                {
                    return Err(Unreadable::UnknownCharset);
                }
                within::push(reader, &place, text.to_owned(), slot, NONE, Reading::Parameter)
                    .map(|_| ())
            }
            _ if is_string && !sniff::is_media(&content) => Err(Unreadable::Charset),
            _ => {
                reader.unread_files = true;
                reader.unknown_files |= !sniff::is_media(&content);
                Ok(())
            }
        }
    }

    fn is_file(&self) -> bool {
        self.head.param("filename").is_some()
            || self.head.param("filename*").is_some()
            || self.head.params.iter().any(|param| file_name::continuation(param.name).is_some())
    }

    /// Servers of forms disagree on whether they undo a transfer encoding: what they read then is not for us to say.
    fn check_encoding(&self) -> Result<(), Unreadable> {
        if self.head.is_plainly_encoded() { Ok(()) } else { Err(Unreadable::UnknownCoding) }
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

    /// Whether no replacement made a new boundary.
    pub(super) fn still_apart(&self, written: &[u8]) -> bool {
        memmem::find_iter(written, &self.delimiter).count() == self.n_delimiters
    }
}

#[cfg(test)]
mod tests;
