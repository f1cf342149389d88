//! XML, and XML-RPC in particular: the text of each element and attribute, with entities undone.
//!
//! Promise: what is not well-formed, declares entities of its own or claims another charset has no reading. Text that
//! comments or CDATA cut in pieces is read as one, as a server reads it, and then not edited.

mod rpc;
mod scan;
mod shown;

use std::ops::Range;

use bytes::Bytes;

use self::rpc::Rpc;
use self::scan::{Attribute, Scan, Token};
use self::shown::Shown;
use crate::body::coding::Coding;
use crate::body::files::{At, Digits};
use crate::body::json::NONE;
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Role, Step, Unreadable, base64, blob, charset, entity};
use crate::phi::SharedText;

/// Whether a text says that it is XML.
pub(super) fn claims_xml(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let declaration = text.strip_prefix("<?xml");
    declaration.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
}

/// Whether a text is a call of XML-RPC, by its first element. What stands before that, servers pass over.
pub(super) fn is_call(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let end = match rest.as_bytes() {
            [b'<', b'?', ..] => "?>",
            [b'<', b'!', b'-', b'-', ..] => "-->",
            // A document type with declarations of its own ends later.
            [b'<', b'!', ..]
                if rest
                    .find(['>', '['])
                    .is_some_and(|at| rest.as_bytes().get(at) == Some(&b'[')) =>
            {
                "]"
            }
            [b'<', b'!', ..] => ">",
            // Entities of a document type that was left early, and its end.
            [b'%' | b']' | b'>', ..] => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            [b'<', ..] => return rest.get(1..).is_some_and(is_method_call),
            _ => return false,
        };
        let Some(at) = rest.find(end) else { return false };
        rest = rest.get(at + end.len()..).unwrap_or_default();
    }
}

/// Whether a tag, without its bracket, is of a call; prefixes of a namespace and case are let pass.
fn is_method_call(tag: &str) -> bool {
    let name = tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next();
    name.is_some_and(|name| local(name).eq_ignore_ascii_case("methodCall"))
}

/// Reads XML as a new layer. `outer` is where it stands in another.
pub(super) fn read(
    reader: &mut Reader<'_>,
    source: &Bytes,
    outer: Option<Slot>,
    place: &Place,
) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(source).map_err(|_| Unreadable::Charset)?;
    let layer = reader.open_layer(source, outer)?;
    let mut parser = Parser {
        reader,
        layer,
        text,
        place: place.clone(),
        open: Vec::new(),
        pieces: Vec::new(),
        rpc: None,
        shown: Shown::default(),
        n_roots: 0,
    };
    let mut scan = Scan::new(text);
    while let Some(token) = scan.next()? {
        parser.take(token)?;
    }
    if !parser.open.is_empty() || parser.n_roots != 1 {
        return Err(Unreadable::Xml);
    }
    if let Some(shown) = parser.shown.finish().filter(|_| parser.rpc.is_none()) {
        reader.note_shown(shown);
    }
    Ok(())
}

/// An element that we are in.
struct Element<'a> {
    name: &'a str,
    /// Whether it is a step of the path.
    is_step: bool,
    n_children: usize,
}

/// A piece of an element's text.
#[derive(Clone)]
enum Piece {
    Text(Range<usize>),
    Cdata(Range<usize>),
}

struct Parser<'a, 'r, 'l> {
    reader: &'r mut Reader<'l>,
    layer: u32,
    text: &'a str,
    place: Place,
    open: Vec<Element<'a>>,
    /// The text since the last tag.
    pieces: Vec<Piece>,
    /// Where a call of XML-RPC is being read, what its elements mean.
    rpc: Option<Rpc>,
    /// All of it as it is seen; of a call of XML-RPC nothing.
    shown: Shown,
    n_roots: usize,
}

impl<'a> Parser<'a, '_, '_> {
    fn take(&mut self, token: Token<'a>) -> Result<(), Unreadable> {
        match token {
            Token::Text(range) => {
                if self.open.is_empty() && !self.of(&range).trim().is_empty() {
                    return Err(Unreadable::Xml);
                }
                self.pieces.push(Piece::Text(range));
                Ok(())
            }
            Token::Cdata(_) if self.open.is_empty() => Err(Unreadable::Xml),
            Token::Cdata(range) => {
                self.pieces.push(Piece::Cdata(range));
                Ok(())
            }
            Token::Comment(range) => self.aside(range),
            Token::Instruction(range) => {
                self.check_declaration(&range)?;
                self.aside(range)
            }
            Token::Open { name, attributes, closed } => {
                self.flush()?;
                self.open_element(name)?;
                let mut said = Vec::with_capacity(attributes.len());
                for attribute in attributes {
                    let name = attribute.name;
                    said.push((name, self.attribute(attribute)?));
                }
                if self.rpc.is_none() {
                    self.shown.open(name, &said);
                }
                if closed { self.close_element(name) } else { Ok(()) }
            }
            Token::Close { name } => {
                self.flush()?;
                self.close_element(name)
            }
        }
    }

    fn of(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// What no reader of the document shows, and yet is sent.
    fn aside(&mut self, range: Range<usize>) -> Result<(), Unreadable> {
        let text = self.of(&range).to_owned();
        let slot = Slot::new(self.layer, range.start, range.end, Coding::ReadOnly);
        self.reader.push(&self.place, Role::Value, text, slot, NONE).map(|_| ())
    }

    /// An XML declaration may name a charset; that must be the one we read.
    fn check_declaration(&self, range: &Range<usize>) -> Result<(), Unreadable> {
        let inside = self.of(range);
        let Some(declaration) = inside.strip_prefix("xml") else { return Ok(()) };
        let Some((_, after)) = declaration.split_once("encoding") else { return Ok(()) };
        let label = after.trim_start().strip_prefix('=').map(str::trim_start);
        let label = label.and_then(|label| label.get(1..)?.split(['"', '\'']).next());
        let encoding = charset::named(label.ok_or(Unreadable::Xml)?)?;
        let is_ours = encoding == encoding_rs::UTF_8
            || self.reader.is_decoded(self.layer)
            || (self.text.is_ascii() && encoding.is_ascii_compatible());
        if is_ours { Ok(()) } else { Err(Unreadable::Charset) }
    }

    fn open_element(&mut self, name: &'a str) -> Result<(), Unreadable> {
        if self.open.len() >= self.reader.limits().max_depth {
            return Err(Unreadable::TooDeep);
        }
        let parent = self.open.last().map(|element| element.name);
        let n = self.open.last_mut().map_or(0, |element| {
            element.n_children += 1;
            element.n_children - 1
        });
        if parent.is_none() {
            self.n_roots += 1;
            self.rpc = is_method_call(name).then(Rpc::default);
        }
        let step = match &mut self.rpc {
            Some(rpc) => rpc.step(parent, name, n),
            None => Some(Step::Key(SharedText::from(local(name)))),
        };
        let is_step = step.is_some();
        if let Some(step) = step {
            self.place.enter([step], n);
        }
        self.open.push(Element { name, is_step, n_children: 0 });
        Ok(())
    }

    fn close_element(&mut self, name: &str) -> Result<(), Unreadable> {
        let element = self.open.pop().filter(|element| element.name == name);
        if element.ok_or(Unreadable::Xml)?.is_step {
            self.place.up();
        }
        if self.rpc.is_none() {
            self.shown.close();
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: Attribute<'a>) -> Result<String, Unreadable> {
        let Attribute { name, value } = attribute;
        let raw = self.of(&value);
        self.place.down(Step::Key(SharedText::from(format!("@{}", local(name)))));
        let slot = Slot::new(self.layer, value.start, value.end, Coding::Entities);
        let text = entity::undo(raw).unwrap_or_else(|| raw.to_owned());
        let said = if self.rpc.is_none() { text.clone() } else { String::new() };
        let pushed = within::push(self.reader, &self.place, text, slot, NONE, Reading::Lenient);
        self.place.up();
        pushed.map(|_| said)
    }

    /// Lists the text since the last tag.
    fn flush(&mut self) -> Result<(), Unreadable> {
        let pieces = std::mem::take(&mut self.pieces);
        let text: String = pieces.iter().map(|piece| self.decoded(piece)).collect();
        if self.rpc.is_none() {
            self.shown.words(&text);
        }
        if text.trim().is_empty() {
            return Ok(());
        }
        let slot =
            |range: &Range<usize>, coding| Slot::new(self.layer, range.start, range.end, coding);
        let slot = match &pieces[..] {
            [Piece::Text(range)] => slot(range, Coding::Entities),
            [Piece::Cdata(range)] => slot(range, Coding::Cdata),
            [Piece::Text(first) | Piece::Cdata(first), ..] => slot(first, Coding::ReadOnly),
            [] => return Ok(()),
        };
        let name = self.open.last().map_or("", |element| element.name);
        if let Some(rpc) = &mut self.rpc {
            if rpc.is_member_name(name, &text) {
                return self
                    .reader
                    .push(&self.place, Role::Key, text, slot.read_only(), NONE)
                    .map(|_| ());
            }
            if name == "base64" {
                return self.base64(&text, slot);
            }
        }
        within::push(self.reader, &self.place, text, slot, NONE, Reading::Lenient).map(|_| ())
    }

    fn decoded(&self, piece: &Piece) -> String {
        match piece {
            Piece::Text(range) => {
                let raw = self.of(range);
                entity::undo(raw).unwrap_or_else(|| raw.to_owned())
            }
            Piece::Cdata(range) => self.of(range).to_owned(),
        }
    }

    /// A file in XML-RPC.
    fn base64(&mut self, text: &str, slot: Slot) -> Result<(), Unreadable> {
        let digits: String = text.split_ascii_whitespace().collect();
        let bytes = base64::decode(digits.as_bytes()).ok_or(Unreadable::Xml)?;
        let at = At::Base64(slot, Digits::of(text));
        blob::read(self.reader, &self.place, &bytes.into(), slot, at).map(|_| ())
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests;
