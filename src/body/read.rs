//! Decides what a body is, and has it read: by its content type first, then by its bytes.

use bytes::Bytes;

use crate::body::coding::Coding;
use crate::body::content_type::{Claim, ContentType};
use crate::body::json::{self, NONE};
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Kind, Unreadable, form, multipart, sniff};

/// Reads a whole body.
pub(super) fn read(
    content_type: Option<&str>,
    body: &Bytes,
    reader: &mut Reader<'_>,
) -> Result<Kind, Unreadable> {
    if body.is_empty() {
        return Ok(Kind::Empty);
    }
    if body.len() > reader.limits().max_decoded {
        return Err(Unreadable::TooLarge);
    }
    let content_type = ContentType::parse(content_type);
    match content_type.claim {
        Claim::Json => {
            content_type.check_charset(body)?;
            json::read(reader, body, None, Place::default())?;
            Ok(Kind::Json)
        }
        Claim::Form => {
            content_type.check_charset(body)?;
            claimed_form(body, reader)
        }
        Claim::Multipart => {
            multipart::read(reader, body, &content_type)?;
            Ok(Kind::Multipart)
        }
        Claim::Text => {
            content_type.check_charset(body)?;
            if std::str::from_utf8(body).is_err() {
                return Err(Unreadable::Charset);
            }
            sniffed(body, reader)
        }
        Claim::Other => sniffed(body, reader),
    }
}

/// A body that claims to be a form. Stock clients send raw uploads and JSON under this claim, too.
fn claimed_form(body: &Bytes, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
    if sniff::is_known_document(body) {
        return Err(Unreadable::UnknownKind);
    }
    if sniff::is_media(body) {
        return Ok(Kind::Media);
    }
    if json::try_read(reader, body, None, Place::default())? {
        form::read_beside(reader, body)?;
        return Ok(Kind::Json);
    }
    let has_value = memchr::memchr(b'=', body).is_some();
    let has_blank = body.iter().any(u8::is_ascii_whitespace);
    if !has_value && has_blank && !sniff::claims_json(body) {
        return plain_text(body, reader);
    }
    form::read(reader, body, None)?;
    Ok(Kind::Form)
}

fn sniffed(body: &Bytes, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
    if sniff::is_known_document(body) {
        return Err(Unreadable::UnknownKind);
    }
    if sniff::is_media(body) {
        return Ok(Kind::Media);
    }
    if json::try_read(reader, body, None, Place::default())? {
        return Ok(Kind::Json);
    }
    if sniff::claims_json(body) {
        return Err(Unreadable::Json);
    }
    if sniff::looks_like_form(body) {
        let mark = reader.mark();
        match form::read(reader, body, None) {
            Err(Unreadable::Form) => reader.back_to(&mark),
            other => return other.map(|()| Kind::Form),
        }
    }
    plain_text(body, reader)
}

fn plain_text(body: &Bytes, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| sniff::is_plain_text(text))
        .ok_or(Unreadable::UnknownKind)?;
    let layer = reader.open_layer(body, None)?;
    let slot = Slot::new(layer, 0, body.len(), Coding::Plain);
    within::push(reader, &Place::default(), text.to_owned(), slot, NONE, Reading::Lenient)?;
    Ok(Kind::Text)
}
