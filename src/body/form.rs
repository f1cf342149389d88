//! `application/x-www-form-urlencoded`: forms and query strings, each name and value listed where it stands.
//!
//! Servers differ on which of two fields of one name they take (the first, the last, or all), so all are listed. What does
//! not decode for certain (a stray percent sign, bytes that are not UTF-8) is a fault.

use bytes::Bytes;

use crate::body::json::{self, NONE};
use crate::body::reader::{Place, Reader};
use crate::body::slot::{Coding, Slot};
use crate::body::{Path, Role, Unreadable, name, sniff};

/// Reads a form as the first layer of the document.
pub(super) fn read(reader: &mut Reader<'_>, body: &Bytes) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, None)?;
    let mut start = 0;
    for (n, field) in body.split(|byte| *byte == b'&').enumerate() {
        if !field.is_empty() {
            read_field(reader, layer, start, n, field)?;
        }
        start += field.len() + 1;
    }
    Ok(())
}

fn read_field(
    reader: &mut Reader<'_>,
    layer: u32,
    start: usize,
    n: usize,
    field: &[u8],
) -> Result<(), Unreadable> {
    let (name, value) = name_and_value(field);
    let decoded = decode(name, true).ok_or(Unreadable::Form)?;
    let place =
        Place { path: Path { steps: name::steps(&decoded), indexes: vec![n] }, in_part: false };
    reader.push(
        &place,
        Role::Key,
        decoded,
        Slot::new(layer, start, start + name.len(), Coding::ReadOnly),
        NONE,
    )?;
    let Some(value) = value else { return Ok(()) };
    let value_start = start + name.len() + 1;
    let slot = Slot::new(layer, value_start, value_start + value.len(), Coding::Percent);
    push_value(reader, &place, decode(value, true).ok_or(Unreadable::Form)?, slot)
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
pub(super) fn read_beside(reader: &mut Reader<'_>, body: &Bytes) -> Result<(), Unreadable> {
    let layer = reader.open_layer(body, None)?;
    let mut start = 0;
    for (n, field) in body.split(|byte| *byte == b'&').enumerate() {
        let (raw_name, value) = name_and_value(field);
        let name = decode(raw_name, true).filter(|name| n > 0 && is_plain_name(name));
        let value = value.and_then(|value| decode(value, true));
        if let (Some(name), Some(value)) = (name, value) {
            let path = Path { steps: name::steps(&name), indexes: vec![n] };
            let slot = Slot::new(layer, start, start + field.len(), Coding::ReadOnly);
            let place = Place { path, in_part: false };
            reader.push(&place, Role::Value, value, slot, NONE)?;
        }
        start += field.len() + 1;
    }
    Ok(())
}

fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]:".contains(&byte);
    !name.is_empty() && name.trim_start_matches(' ').bytes().all(plain)
}

/// Lists one value, or, where it is JSON itself, the texts in that.
pub(super) fn push_value(
    reader: &mut Reader<'_>,
    place: &Place,
    value: String,
    slot: Slot,
) -> Result<(), Unreadable> {
    if !json::opens_like_json(value.as_bytes()) {
        return reader.push(place, Role::Value, value, slot, NONE).map(|_| ());
    }
    let source = Bytes::from(value);
    let mark = reader.mark();
    let is_json = json::try_read(reader, &source, Some(slot), place.clone())?;
    // `[7]` and `{}` say nothing as JSON that they do not say as text, and as text they can be edited.
    if is_json && reader.holds_strings_since(&mark) {
        return Ok(());
    }
    reader.back_to(&mark);
    // A lenient server may read it as JSON all the same, and then escapes hide words from us.
    if !is_json && sniff::claims_json(&source) && memchr::memmem::find(&source, b"\\u").is_some() {
        return Err(Unreadable::Json);
    }
    let value = String::from_utf8(Vec::from(source)).map_err(|_| Unreadable::Charset)?;
    reader.push(place, Role::Value, value, slot, NONE).map(|_| ())
}

/// Undoes percent-encoding (and, in forms, `+`). `None` for a stray percent sign or what is not UTF-8.
pub(super) fn decode(raw: &[u8], plus_is_space: bool) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr2(b'%', b'+', rest) {
        let (plain, escape) = rest.split_at_checked(at)?;
        out.extend_from_slice(plain);
        if escape.first() == Some(&b'+') {
            out.push(if plus_is_space { b' ' } else { b'+' });
            rest = escape.get(1..)?;
            continue;
        }
        let high = char::from(*escape.get(1)?).to_digit(16)?;
        let low = char::from(*escape.get(2)?).to_digit(16)?;
        out.push(u8::try_from(high << 4 | low).ok()?);
        rest = escape.get(3..)?;
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn percent_encoding_is_undone() {
        let cases = [
            ("a+b%20c", Some("a b c")),
            ("%C3%A9", Some("é")),
            ("caf\u{e9}", Some("café")),
            ("%2B%25", Some("+%")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
            ("100%25", Some("100%")),
            ("%C3", None),
            ("%ff", None),
        ];
        for (raw, want) in cases {
            assert_eq!(decode(raw.as_bytes(), true).as_deref(), want, "{raw}");
        }
        assert_eq!(decode(b"a+b", false).as_deref(), Some("a+b"));
    }
}
