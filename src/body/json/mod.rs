//! JSON by RFC 8259, strictly, into a flat arena of values with byte spans.
//!
//! A parser that builds values loses what a platform may read: of duplicate keys it keeps one, numbers it spells anew. Here
//! every key, string and number is listed where it stands. Promise: no recursion (depth costs heap, up to the limit), and
//! time linear in the text.

mod scan;
mod share;
mod string;
mod tree;

use bytes::Bytes;

use self::scan::{Inside, Scan};
use self::share::Shares;
pub(super) use self::string::{escape, read_escape};
pub(super) use self::tree::{NONE, Shape, Value, children};
use crate::body::coding::Coding;
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Role, Step, Unreadable};
use crate::phi::{PhiText, SharedText};

/// Reads one JSON text as a new layer of the document. `outer` is the slot of the parent layer whose decoded text it is.
pub(super) fn read(
    reader: &mut Reader<'_>,
    source: &Bytes,
    outer: Option<Slot>,
    place: Place,
) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(source).map_err(|_| Unreadable::Json)?;
    let layer = reader.open_layer(source, outer)?;
    let mut parser = Parser {
        scan: Scan::new(text),
        reader,
        layer,
        values: Vec::with_capacity((text.len() / 24).clamp(4, 4096)),
        open: Vec::new(),
        place,
        shares: Shares::new(text),
        key: NONE,
    };
    parser.run()?;
    let values = parser.values;
    reader.close_layer(layer, values);
    Ok(())
}

/// Reads `source` as JSON if that is what it is: `false`, and nothing read, if not. Running into a limit is a fault all
/// the same, since a platform may read further.
pub(super) fn try_read(
    reader: &mut Reader<'_>,
    source: &Bytes,
    outer: Option<Slot>,
    place: Place,
) -> Result<bool, Unreadable> {
    if !opens_like_json(source) {
        return Ok(false);
    }
    let mark = reader.mark();
    match read(reader, source, outer, place) {
        Ok(()) => Ok(true),
        Err(Unreadable::Json) => {
            reader.back_to(&mark);
            Ok(false)
        }
        Err(limit) => Err(limit),
    }
}

/// Whether the first byte that is not blank opens an object or an array.
pub(super) fn opens_like_json(source: &[u8]) -> bool {
    matches!(source.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

struct Parser<'a, 'r, 'l> {
    scan: Scan<'a>,
    reader: &'r mut Reader<'l>,
    layer: u32,
    values: Vec<Value>,
    /// The containers we are in. For each, `place` has one more step: the child we are at.
    open: Vec<u32>,
    place: Place,
    shares: Shares<'a>,
    /// The text of the key before the value to come.
    key: u32,
}

impl Parser<'_, '_, '_> {
    fn run(&mut self) -> Result<(), Unreadable> {
        loop {
            let opened = self.value()?;
            if !opened && !self.after_value()? {
                break;
            }
        }
        if self.scan.peek().is_some() { Err(Unreadable::Json) } else { Ok(()) }
    }

    /// Reads one value; `true` if it opened a container whose first child comes next.
    fn value(&mut self) -> Result<bool, Unreadable> {
        match self.scan.peek() {
            Some(b'{') => self.open_object(),
            Some(b'[') => self.open_array(),
            Some(b'"') => {
                let id = self.push(Shape::String)?;
                let inside = self.scan.string()?;
                let text = self.string_text(inside, id)?;
                self.finish(id, text)
            }
            Some(b'-' | b'0'..=b'9') => {
                let id = self.push(Shape::Number)?;
                let start = self.scan.at();
                let spelled = self.scan.number()?;
                let slot = Slot::new(self.layer, start, start + spelled.len(), Coding::ReadOnly);
                let spelled = self.shares.text(start, spelled);
                let text = self.reader.push(&self.place, Role::Number, spelled, slot, id)?;
                self.finish(id, text)
            }
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(Unreadable::Json),
        }
    }

    /// After a value: closes what ends here. `true` if another value comes, `false` at the end of the root.
    fn after_value(&mut self) -> Result<bool, Unreadable> {
        while let Some(&container) = self.open.last() {
            let in_object = self
                .values
                .get(container as usize)
                .is_some_and(|value| value.shape == Shape::Object);
            match (self.scan.peek(), in_object) {
                (Some(b','), _) => {
                    self.scan.bump();
                    self.place.next_child();
                    if in_object {
                        self.key()?;
                    }
                    return Ok(true);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close(container)?,
                _ => return Err(Unreadable::Json),
            }
        }
        Ok(false)
    }

    fn open_object(&mut self) -> Result<bool, Unreadable> {
        let id = self.enter(Shape::Object)?;
        if self.scan.take(b'}') {
            return self.finish(id, NONE);
        }
        self.open.push(id);
        self.place.down(Step::Index(0));
        self.key()?;
        Ok(true)
    }

    fn open_array(&mut self) -> Result<bool, Unreadable> {
        let id = self.enter(Shape::Array)?;
        if self.scan.take(b']') {
            return self.finish(id, NONE);
        }
        self.open.push(id);
        self.place.down(Step::Index(0));
        Ok(true)
    }

    fn enter(&mut self, shape: Shape) -> Result<u32, Unreadable> {
        if self.open.len() >= self.reader.limits().max_depth {
            return Err(Unreadable::TooDeep);
        }
        let id = self.push(shape)?;
        self.scan.bump();
        Ok(id)
    }

    fn close(&mut self, container: u32) -> Result<(), Unreadable> {
        self.scan.bump();
        self.open.pop();
        self.place.up();
        self.finish(container, NONE).map(|_| ())
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<(), Unreadable> {
        if self.scan.peek() != Some(b'"') {
            return Err(Unreadable::Json);
        }
        let inside = self.scan.string()?;
        let key = match inside.unescaped {
            Some(key) => SharedText::from(key),
            None => self.shares.stretch(inside.start, inside.raw),
        };
        self.place.at_key(key.clone());
        let slot =
            Slot::new(self.layer, inside.start, inside.start + inside.raw.len(), Coding::ReadOnly);
        self.key = self.reader.push(&self.place, Role::Key, key, slot, NONE)?;
        if self.scan.take(b':') { Ok(()) } else { Err(Unreadable::Json) }
    }

    fn word(&mut self, word: &str) -> Result<bool, Unreadable> {
        let id = self.push(Shape::Word)?;
        self.scan.word(word)?;
        self.finish(id, NONE)
    }

    fn string_text(&mut self, inside: Inside<'_>, node: u32) -> Result<u32, Unreadable> {
        let text = match inside.unescaped {
            Some(text) => PhiText::from(text),
            None => self.shares.text(inside.start, inside.raw),
        };
        let slot =
            Slot::new(self.layer, inside.start, inside.start + inside.raw.len(), Coding::Json);
        within::push(self.reader, &self.place, text, slot, node, Reading::Lenient)
    }

    fn push(&mut self, shape: Shape) -> Result<u32, Unreadable> {
        let id = self.reader.count_value(self.values.len())?;
        let parent = self.open.last().copied().unwrap_or(NONE);
        let start = u32::try_from(self.scan.at()).map_err(|_| Unreadable::TooLarge)?;
        let key = std::mem::replace(&mut self.key, NONE);
        self.values.push(Value { shape, start, end: start, parent, next: id + 1, text: NONE, key });
        Ok(id)
    }

    /// Notes where value `id` ended; always `false`: no container was opened.
    fn finish(&mut self, id: u32, text: u32) -> Result<bool, Unreadable> {
        let end = u32::try_from(self.scan.at()).map_err(|_| Unreadable::TooLarge)?;
        let next = u32::try_from(self.values.len()).map_err(|_| Unreadable::TooManyFields)?;
        let value = self.values.get_mut(id as usize).ok_or(Unreadable::Json)?;
        value.end = end;
        value.next = next;
        value.text = text;
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
