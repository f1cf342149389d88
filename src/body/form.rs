//! `application/x-www-form-urlencoded`: forms and query strings, each name and value listed where it stands.
//!
//! Servers differ on which of two fields of one name they take (the first, the last, or all), so all are listed. What does
//! not decode for certain (a stray percent sign, bytes that are not UTF-8) is a fault.

use bytes::Bytes;
use encoding_rs::Encoding;

use crate::body::coding::{Coding, percent, percent_bytes, percent_lenient};
use crate::body::json::NONE;
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Role, Unreadable, charset, name, textual};

/// Reads a form as a new layer.
pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Bytes,
    outer: Option<Slot>,
) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, outer)?;
    Fields { layer, place: &Place::default(), encoding: None }.read(reader, body, 0)
}

/// The fields of one form.
pub(super) struct Fields<'a> {
    pub(super) layer: u32,
    /// Where the form stands.
    pub(super) place: &'a Place,
    /// What its percent-encoded bytes are in, if not UTF-8.
    pub(super) encoding: Option<&'static Encoding>,
}

impl Fields<'_> {
    /// Reads the fields from `start` of the layer's source.
    pub(super) fn read(
        &self,
        reader: &mut Reader<'_>,
        source: &[u8],
        mut start: usize,
    ) -> Result<(), Unreadable> {
        let fields = source.get(start..).unwrap_or_default();
        for (n, field) in fields.split(|byte| *byte == b'&').enumerate() {
            if !field.is_empty() {
                self.read_field(reader, start, n, field)?;
            }
            start += field.len() + 1;
        }
        Ok(())
    }

    fn read_field(
        &self,
        reader: &mut Reader<'_>,
        start: usize,
        n: usize,
        field: &[u8],
    ) -> Result<(), Unreadable> {
        let (name, value) = name_and_value(field);
        let decoded = self.decode(name)?;
        let mut place = self.place.clone();
        place.enter(name::steps(&decoded), n);
        let slot = Slot::new(self.layer, start, start + name.len(), Coding::ReadOnly);
        reader.push(&place, Role::Key, decoded, slot, NONE)?;
        let Some(value) = value else { return Ok(()) };
        let value_start = start + name.len() + 1;
        let coding = self.encoding.map_or(Coding::Percent, Coding::PercentIn);
        let slot = Slot::new(self.layer, value_start, value_start + value.len(), coding);
        let value = self.decode(value)?;
        within::push(reader, &place, value, slot, NONE, Reading::Parameter).map(|_| ())
    }

    fn decode(&self, raw: &[u8]) -> Result<String, Unreadable> {
        let Some(encoding) = self.encoding else {
            return percent(raw, true).ok_or(Unreadable::Form);
        };
        let bytes = percent_bytes(raw, true).ok_or(Unreadable::Form)?;
        // A server that does not believe the charset would read other letters.
        if !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok() {
            return Err(Unreadable::Charset);
        }
        charset::decode(encoding, &bytes)
            .map(std::borrow::Cow::into_owned)
            .ok_or(Unreadable::Charset)
    }
}

fn name_and_value(field: &[u8]) -> (&[u8], Option<&[u8]>) {
    let equals = memchr::memchr(b'=', field);
    match equals.and_then(|at| field.split_at_checked(at)) {
        Some((name, value)) => (name, value.get(1..)),
        None => (field, None),
    }
}

/// Lists what else a server would read that believes a JSON body to be the form it claims to be: whatever looks like a
/// field after an ampersand. Nothing of it is edited.
pub(super) fn read_beside(
    reader: &mut Reader<'_>,
    body: &Bytes,
    outer: Option<Slot>,
) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, outer)?;
    let mut start = 0;
    for (n, field) in body.split(|byte| *byte == b'&').enumerate() {
        let (raw_name, value) = name_and_value(field);
        let name = percent(raw_name, true).filter(|name| n > 0 && is_plain_name(name));
        let value = value.and_then(|value| percent(value, true));
        if let (Some(name), Some(value)) = (name, value) {
            let slot = Slot::new(layer, start, start + field.len(), Coding::ReadOnly);
            let mut place = Place::default();
            place.enter(name::steps(&name), n);
            reader.push(&place, Role::Value, value, slot, NONE)?;
        }
        start += field.len() + 1;
    }
    Ok(())
}

/// Lists what a server would read that believes media to be the form they claim to be: pictures may be written whose
/// pixels hold fields. What servers forgive is forgiven here: stray percent signs, bytes that are no UTF-8, and names cut
/// at a zero. Nothing of it is edited.
pub(super) fn read_in_media(
    reader: &mut Reader<'_>,
    body: &Bytes,
    outer: Option<Slot>,
) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, outer)?;
    let mut start = 0;
    for (n, field) in body.split(|byte| *byte == b'&').enumerate() {
        let (raw_name, value) = name_and_value(field);
        let slot = Slot::new(layer, start, start + field.len(), Coding::ReadOnly);
        start += field.len() + 1;
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        let raw_name = percent_lenient(raw_name);
        let name = raw_name.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = std::str::from_utf8(name).ok().filter(|name| is_plain_name(name));
        let value = percent_lenient(value);
        let mut place = Place::default();
        let words = match name {
            Some(name) => {
                place.enter(name::steps(name), n);
                textual::words(&value).or_else(|| textual::phrases(&value))
            }
            // No field of anybody's, unless it says much.
            None if value.len() < 24 => None,
            None => textual::stretches(&value),
        };
        if let Some(words) = words {
            within::push(reader, &place, words, slot, NONE, Reading::Parameter)?;
        }
    }
    Ok(())
}

fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]:".contains(&byte);
    !name.is_empty() && name.trim_start_matches(' ').bytes().all(plain)
}
