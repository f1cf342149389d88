//! HTML: what stands between tags. Entities are left as they are: the rules' own folding reads them.

use crate::platform::markup::vocabulary::{ATTRIBUTES, BLOCKS, INLINE};
use crate::platform::markup::{Visible, machine, push};
use crate::span::Span;

/// The longest shortcode; looking further for each bracket would cost the square of the text.
const MOST_SHORTCODE: usize = 2048;

/// What a page does not show.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) span: Span,
    pub(super) kind: Kind,
    /// Its name; empty of a comment.
    pub(super) name: Span,
    pub(super) values: Vec<Value>,
    /// Names of attributes and keys: syntax, unless they are of nobody's list.
    keys: Vec<Span>,
}

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// `<b>`
    Open,
    /// `</b>`
    Close,
    /// `<!-- words -->`; its words are its one value.
    Comment,
    /// `<!-- wp:image {"id":1} -->`: the values are those of its JSON.
    Block,
    /// `[gallery ids="1"]`
    Shortcode,
}

/// A value within an element, and how it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Value {
    /// Without its quotes.
    pub(super) span: Span,
    pub(super) written: Written,
    /// The attribute or key that it is of; empty of words of a comment.
    pub(super) key: Span,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    /// In the quotes of an attribute.
    Quoted,
    /// An attribute without quotes.
    Bare,
    /// A string of JSON.
    Json,
    /// A number of JSON.
    Number,
    /// Words of a comment.
    Words,
}

pub(super) fn visible(text: &str) -> Vec<Visible> {
    let mut visible = Vec::new();
    let mut at = 0;
    each(text, |element| {
        push(&mut visible, at, element.span.start());
        if matches!(element.kind, Kind::Open | Kind::Close)
            && is_one_of(element.name.of(text).unwrap_or_default(), BLOCKS)
        {
            visible.push(Visible::Break);
        }
        at = element.span.end();
    });
    push(&mut visible, at, text.len());
    visible
}

/// Every element, in order.
pub(super) fn elements(text: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    each(text, |element| elements.push(element));
    elements
}

/// What is syntax: names of elements, of attributes and of keys, plain numbers as values, and what machines call things.
pub(super) fn ids(text: &str) -> Vec<Span> {
    let mut ids = Vec::new();
    each(text, |element| {
        let name = element.name.of(text).unwrap_or_default();
        let known = match element.kind {
            Kind::Open | Kind::Close => is_one_of(name, BLOCKS) || is_one_of(name, INLINE),
            Kind::Shortcode | Kind::Block => true,
            Kind::Comment => false,
        };
        if known {
            ids.push(element.name);
        }
        let is_nobodys = |key: &&Span| {
            let key = key.of(text).unwrap_or_default();
            element.kind == Kind::Block || is_one_of(key, ATTRIBUTES)
        };
        ids.extend(element.keys.iter().filter(is_nobodys));
        let is_number = |value: &&Value| {
            let value = value.span.of(text).unwrap_or_default();
            !value.is_empty() && value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit())
        };
        for value in &element.values {
            if is_number(&value) {
                ids.push(value.span);
            } else {
                machine::add(text, name, element.kind, value, &mut ids);
            }
        }
    });
    ids.retain(|id| !id.is_empty());
    ids.sort_unstable();
    ids
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn each(text: &str, mut tell: impl FnMut(Element)) {
    let mut from = 0;
    let mut may_close = true;
    while let Some(open) =
        text.get(from..).and_then(|rest| memchr::memchr2(b'<', b'[', rest.as_bytes()))
    {
        let open = from + open;
        let rest = text.get(open..).unwrap_or_default();
        let element = if rest.starts_with('[') {
            shortcode(rest)
        } else if may_close && starts_tag(rest) {
            let element = tag(rest);
            // What is not closed is no tag, and nothing after it can be one either.
            may_close = element.is_some();
            element
        } else {
            None
        };
        from = open + 1;
        if let Some(element) = element {
            from = open + element.span.len();
            tell(element.shifted(open));
        }
    }
}

impl Element {
    fn shifted(mut self, by: usize) -> Self {
        self.span = self.span.shifted(by);
        self.name = self.name.shifted(by);
        for value in &mut self.values {
            value.span = value.span.shifted(by);
            value.key = value.key.shifted(by);
        }
        for key in &mut self.keys {
            *key = key.shifted(by);
        }
        self
    }
}

fn starts_tag(rest: &str) -> bool {
    rest.get(1..).is_some_and(|next| {
        next.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
    })
}

/// The tag or comment at the start.
fn tag(rest: &str) -> Option<Element> {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.find("-->").map(|end| of_comment(rest, 4 + end));
    }
    let kind = if rest.starts_with("</") { Kind::Close } else { Kind::Open };
    let start = 1 + usize::from(kind == Kind::Close);
    let mut reader = Attributes::new(rest, start + word(rest, start));
    let (mut values, mut keys) = (Vec::new(), Vec::new());
    let end = reader.read(b'>', &mut values, &mut keys)?;
    let name = Span::new(start, start + word(rest, start));
    Some(Element { span: Span::new(0, end), kind, name, values, keys })
}

/// `[name key="value"]` or `[/name]`: what stands in brackets otherwise is text.
fn shortcode(rest: &str) -> Option<Element> {
    let is_close = rest.starts_with("[/");
    let start = 1 + usize::from(is_close);
    let length = word(rest, start);
    let name = rest.get(start..start + length)?;
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || name.bytes().any(|b| b.is_ascii_uppercase())
    {
        return None;
    }
    let after = start + length;
    let (mut values, mut keys) = (Vec::new(), Vec::new());
    let end = if is_close {
        rest.get(after..)?.starts_with(']').then_some(after + 1)?
    } else {
        let mut end = rest.len().min(MOST_SHORTCODE);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let end = Attributes::new(rest.get(..end)?, after).read(b']', &mut values, &mut keys)?;
        let quoted = values.iter().filter(|value| value.written == Written::Quoted).count();
        (quoted > 0 && quoted == keys.len()).then_some(end)?
    };
    let (kind, name) = (Kind::Shortcode, Span::new(start, after));
    Some(Element { span: Span::new(0, end), kind, name, values, keys })
}

/// How long the name at a place is.
fn word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'));
    rest.find(is_end).unwrap_or(rest.len())
}

/// Reads the attributes of one element.
struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self { bytes: text.as_bytes(), at }
    }

    /// Up to and with the byte that closes the element.
    fn read(&mut self, close: u8, values: &mut Vec<Value>, keys: &mut Vec<Span>) -> Option<usize> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte == close {
                return Some(self.at + 1);
            }
            // Brackets in brackets are text; so each stretch is read for one of them only.
            if close == b']' && byte == b'[' {
                return None;
            }
            if byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'=') {
                self.at += 1;
                continue;
            }
            keys.push(self.until(|byte| {
                let opens = close == b']' && byte == b'[';
                byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/') || byte == close || opens
            }));
            let after_key = self.at;
            self.skip_blanks();
            if self.bytes.get(self.at) != Some(&b'=') {
                self.at = after_key;
                continue;
            }
            self.at += 1;
            self.skip_blanks();
            values.push(self.value(close, keys.last().copied().unwrap_or_default())?);
        }
    }

    fn value(&mut self, close: u8, key: Span) -> Option<Value> {
        let quote = self.bytes.get(self.at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let Some(quote) = quote else {
            let span = self.until(|byte| byte.is_ascii_whitespace() || byte == close);
            return Some(Value { span, written: Written::Bare, key });
        };
        self.at += 1;
        let span = self.until(|byte| byte == quote);
        self.bytes.get(self.at)?;
        self.at += 1;
        Some(Value { span, written: Written::Quoted, key })
    }

    fn skip_blanks(&mut self) {
        _ = self.until(|byte| !byte.is_ascii_whitespace());
    }

    fn until(&mut self, is_end: impl Fn(u8) -> bool) -> Span {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at += rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len());
        Span::new(start, self.at)
    }
}

/// A comment whose words end at `end`.
fn of_comment(rest: &str, end: usize) -> Element {
    let words = rest.get(4..end).unwrap_or_default();
    let trimmed = words.trim_start();
    let start = 4 + words.len() - trimmed.len();
    let span = Span::new(0, end + 3);
    let block = trimmed.strip_prefix('/').unwrap_or(trimmed).starts_with("wp:");
    if !block {
        let name = Span::new(0, 0);
        let values = vec![Value { span: Span::new(4, end), written: Written::Words, key: name }];
        return Element { span, kind: Kind::Comment, name, values, keys: Vec::new() };
    }
    let length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    let mut values = Vec::new();
    let mut keys = Vec::new();
    let json = start + length;
    of_json(rest.get(..end).unwrap_or_default(), json, &mut values, &mut keys);
    Element { span, kind: Kind::Block, name: Span::new(start, json), values, keys }
}

/// The strings, numbers and keys of the JSON that begins at a place.
fn of_json(text: &str, mut at: usize, values: &mut Vec<Value>, keys: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut key = Span::new(at, at);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        if byte == b'"' {
            while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                at += 1 + usize::from(byte == b'\\');
            }
            let span = Span::new(start + 1, at.min(bytes.len()));
            at += 1;
            let after = bytes.get(at..).unwrap_or_default();
            if after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':') {
                keys.push(span);
                key = span;
            } else {
                values.push(Value { span, written: Written::Json, key });
            }
        } else if byte == b'-' || byte.is_ascii_digit() {
            let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            let rest = bytes.get(at..).unwrap_or_default();
            at += rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len());
            values.push(Value { span: Span::new(start, at), written: Written::Number, key });
        }
    }
}

pub(super) fn escape(marker: &str) -> String {
    let mut out = String::with_capacity(marker.len());
    for character in marker.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}
