//! Decides what a body is, and has it read: by its content type first, then by its bytes.

use bytes::Bytes;

use crate::body::blob::{self, Held};
use crate::body::coding::Coding;
use crate::body::content_type::{Claim, ContentType};
use crate::body::files::At;
use crate::body::form::Fields;
use crate::body::json::{self, NONE};
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Kind, Step, Unreadable, captions, charset, form, multipart, sniff, xml};

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
    let claim = content_type.claim;
    // Servers of XML-RPC read the body whatever its type claims.
    if sniff::opens_tag(body) && std::str::from_utf8(body).is_ok_and(xml::is_call) {
        xml::read(reader, body, None, &Place::default())?;
        return Ok(Kind::Xml);
    }
    if claim == Claim::Multipart {
        let boundary = content_type.boundary().ok_or(Unreadable::Multipart)?;
        multipart::read(reader, body, boundary, content_type.is_form_data())?;
        return Ok(Kind::Multipart);
    }
    let binary = matches!(claim, Claim::Other | Claim::Form | Claim::Json) && sniff::is_media(body);
    if let Some(label) = content_type.charset().filter(|_| !binary) {
        return in_charset(label, claim, body, reader);
    }
    Whole { source: body, outer: None }.read(claim, reader)
}

/// A body that names its charset.
fn in_charset(
    label: &str,
    claim: Claim,
    body: &Bytes,
    reader: &mut Reader<'_>,
) -> Result<Kind, Unreadable> {
    let encoding = charset::named(label)?;
    let escapes_bytes = encoding != encoding_rs::UTF_8 && charset::is_single_byte(encoding);
    // What a form escapes is bytes of the charset; what it does not is ASCII in any.
    if claim == Claim::Form && escapes_bytes && body.is_ascii() && sniff::looks_like_form(body) {
        let layer = reader.open_layer(body, None)?;
        let place = Place::default();
        Fields { layer, place: &place, encoding: Some(encoding) }.read(reader, body, 0)?;
        return Ok(Kind::Form);
    }
    let Some(decoded) = charset::read(label, body)? else {
        return Whole { source: body, outer: None }.read(claim, reader);
    };
    // Nearly any bytes are text in a charset of one byte a letter.
    if !sniff::is_plain_text(&decoded.text) {
        return Whole { source: body, outer: None }.read(claim, reader);
    }
    let layer = reader.open_layer(body, None)?;
    let slot = Slot::new(layer, decoded.mark, body.len(), Coding::Charset(decoded.encoding));
    reader.root = reader.next_layer();
    let source = Bytes::from(decoded.text);
    Whole { source: &source, outer: Some(slot) }.read(claim, reader)
}

/// A body, or the text that it is in another charset.
struct Whole<'a> {
    source: &'a Bytes,
    outer: Option<Slot>,
}

impl Whole<'_> {
    fn read(&self, claim: Claim, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        match claim {
            Claim::Json => self.claimed_json(reader),
            Claim::JsonLines => {
                if self.json_lines(reader)? {
                    Ok(Kind::JsonLines)
                } else {
                    Err(Unreadable::Json)
                }
            }
            Claim::Form => self.claimed_form(reader),
            Claim::Xml => {
                xml::read(reader, self.source, self.outer, &Place::default())?;
                Ok(Kind::Xml)
            }
            Claim::Text | Claim::Other | Claim::Multipart => self.sniffed(reader),
        }
    }

    /// A body that claims to be JSON. What begins like it and is none may yet be read so by a lenient server; what does
    /// not is read as what it is.
    fn claimed_json(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        let mark = reader.mark();
        match json::read(reader, self.source, self.outer, Place::default()) {
            Ok(()) => return Ok(Kind::Json),
            Err(Unreadable::Json) => reader.back_to(&mark),
            Err(limit) => return Err(limit),
        }
        let start = self.source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(self.source);
        if json::opens_like_json(start) {
            return self.lines_of_json(reader);
        }
        if start.trim_ascii_start().starts_with(b"\"")
            || std::str::from_utf8(start).is_ok_and(str::is_empty)
        {
            return Err(Unreadable::Json);
        }
        self.sniffed(reader)
    }

    /// A body that claims to be a form. Stock clients send raw uploads and JSON under this claim, too.
    fn claimed_form(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        if reader.is_document(self.source)? || sniff::is_media(self.source) {
            let kind = self.blob(reader)?;
            form::read_in_media(reader, self.source, self.outer)?;
            return Ok(kind);
        }
        if let Some(boundary) = sniff::multipart_boundary(self.source) {
            return self.sniffed_parts(reader, boundary);
        }
        if json::try_read(reader, self.source, self.outer, Place::default())? {
            form::read_beside(reader, self.source, self.outer)?;
            return Ok(Kind::Json);
        }
        let has_value = memchr::memchr(b'=', self.source).is_some();
        let has_blank = self.source.iter().any(u8::is_ascii_whitespace);
        let is_markup = sniff::opens_tag(self.source);
        if !has_value && (has_blank || is_markup) && !sniff::claims_json(self.source) {
            return self.text(reader);
        }
        form::read(reader, self.source, self.outer)?;
        Ok(Kind::Form)
    }

    fn sniffed(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        if reader.is_document(self.source)? || sniff::is_media(self.source) {
            return self.blob(reader);
        }
        if let Some(boundary) = sniff::multipart_boundary(self.source) {
            return self.sniffed_parts(reader, boundary);
        }
        if json::try_read(reader, self.source, self.outer, Place::default())? {
            return Ok(Kind::Json);
        }
        if sniff::claims_json(self.source) {
            return self.lines_of_json(reader);
        }
        if sniff::looks_like_form(self.source) {
            let mark = reader.mark();
            match form::read(reader, self.source, self.outer) {
                Err(Unreadable::Form) => reader.back_to(&mark),
                other => return other.map(|()| Kind::Form),
            }
        }
        self.text(reader)
    }

    /// Parts that do not say that they are, but begin as they do. What is none after all is text.
    fn sniffed_parts(&self, reader: &mut Reader<'_>, boundary: &str) -> Result<Kind, Unreadable> {
        if self.outer.is_some() {
            return self.text(reader);
        }
        let mark = reader.mark();
        match multipart::read(reader, self.source, boundary, false) {
            Ok(()) => Ok(Kind::Multipart),
            Err(Unreadable::Multipart) => {
                reader.back_to(&mark);
                self.text(reader)
            }
            Err(other) => Err(other),
        }
    }

    fn lines_of_json(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        if self.json_lines(reader)? { Ok(Kind::JsonLines) } else { Err(Unreadable::Json) }
    }

    /// One JSON text a line.
    fn json_lines(&self, reader: &mut Reader<'_>) -> Result<bool, Unreadable> {
        let mark = reader.mark();
        let layer = reader.open_layer(self.source, self.outer)?;
        let mut place = Place::default();
        place.down(Step::Index(0));
        let mut at = 0;
        for line in self.source.split(|byte| *byte == b'\n') {
            // RFC 7464 puts a record separator before each.
            let skipped = usize::from(line.first() == Some(&0x1e));
            let (start, end) = (at + skipped, at + line.len());
            at = end + 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let slot = Slot::new(layer, start, end, Coding::Plain);
            match json::read(reader, &self.source.slice(start..end), Some(slot), place.clone()) {
                Ok(()) => place.next_child(),
                Err(Unreadable::Json) => {
                    reader.back_to(&mark);
                    return Ok(false);
                }
                Err(limit) => return Err(limit),
            }
        }
        Ok(true)
    }

    /// Media, or a text whose charset nobody names.
    fn blob(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        let layer = reader.open_layer(self.source, self.outer)?;
        let slot = Slot::new(layer, 0, self.source.len(), Coding::ReadOnly);
        match blob::read(reader, &Place::default(), self.source, slot, At::Whole)? {
            Held::Media => Ok(Kind::Media),
            Held::Text => Ok(Kind::Text),
            Held::Unknown => Err(Unreadable::UnknownKind),
        }
    }

    fn text(&self, reader: &mut Reader<'_>) -> Result<Kind, Unreadable> {
        let text = std::str::from_utf8(self.source).ok();
        let Some(text) = text.filter(|text| sniff::is_plain_text(text)) else {
            return self.blob(reader);
        };
        if captions::is_captions(text) {
            captions::read(reader, self.source, self.outer, &Place::default())?;
            return Ok(Kind::Captions);
        }
        if xml::claims_xml(text) {
            let mark = reader.mark();
            match xml::read(reader, self.source, self.outer, &Place::default()) {
                Err(Unreadable::Xml) => reader.back_to(&mark),
                other => return other.map(|()| Kind::Xml),
            }
        }
        let layer = reader.open_layer(self.source, self.outer)?;
        let slot = Slot::new(layer, 0, self.source.len(), Coding::Plain);
        let place = Place::default();
        within::push(reader, &place, text.to_owned(), slot, NONE, Reading::Lenient)?;
        Ok(Kind::Text)
    }
}
