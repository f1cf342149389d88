//! The tokens of an XML document, and where each stands.

use std::ops::Range;

use crate::body::Unreadable;

/// More attributes than any client writes; each is held against all before it.
const MOST_ATTRIBUTES: usize = 64;

/// One token.
pub(super) enum Token<'a> {
    /// Text between tags, entities and all.
    Text(Range<usize>),
    /// The inside of a CDATA section.
    Cdata(Range<usize>),
    /// The inside of a comment, or of a document type without entities.
    Comment(Range<usize>),
    /// The inside of `<?..?>`.
    Instruction(Range<usize>),
    Open {
        name: &'a str,
        attributes: Vec<Attribute<'a>>,
        closed: bool,
    },
    Close {
        name: &'a str,
    },
}

/// One attribute; its value is what stands between the quotes.
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: Range<usize>,
}

/// A place in a document.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at: mark }
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Unreadable> {
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        if !rest.starts_with('<') {
            let length = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            // It would end a CDATA section, which none has begun.
            if rest.get(..length).is_some_and(|text| text.contains("]]>")) {
                return Err(Unreadable::Xml);
            }
            self.at += length;
            return Ok(Some(Token::Text(self.at - length..self.at)));
        }
        let token = if rest.starts_with("<!--") {
            Token::Comment(self.until("<!--", "-->")?)
        } else if rest.starts_with("<![CDATA[") {
            Token::Cdata(self.until("<![CDATA[", "]]>")?)
        } else if rest.starts_with("<?") {
            Token::Instruction(self.until("<?", "?>")?)
        } else if rest.starts_with("<!") {
            let range = self.until("<!", ">")?;
            // Entities of its own, and what they stand for.
            if self.text.get(range.clone()).is_some_and(|inside| inside.contains('[')) {
                return Err(Unreadable::Xml);
            }
            Token::Comment(range)
        } else if rest.starts_with("</") {
            self.at += 2;
            let name = self.name()?;
            self.blanks();
            self.expect(">")?;
            Token::Close { name }
        } else {
            self.at += 1;
            self.open()?
        };
        Ok(Some(token))
    }

    fn open(&mut self) -> Result<Token<'a>, Unreadable> {
        let name = self.name()?;
        let mut attributes: Vec<Attribute<'a>> = Vec::new();
        loop {
            let blanks = self.blanks();
            let rest = self.rest();
            if rest.starts_with("/>") || rest.starts_with('>') {
                let closed = rest.starts_with('/');
                self.at += if closed { 2 } else { 1 };
                return Ok(Token::Open { name, attributes, closed });
            }
            if blanks == 0 || attributes.len() == MOST_ATTRIBUTES {
                return Err(Unreadable::Xml);
            }
            let name = self.name()?;
            self.blanks();
            self.expect("=")?;
            self.blanks();
            let quote = self.rest().chars().next().filter(|quote| matches!(quote, '"' | '\''));
            let quote = quote.ok_or(Unreadable::Xml)?;
            let start = self.at + 1;
            let inside = self.text.get(start..).ok_or(Unreadable::Xml)?;
            let length = inside.find(quote).ok_or(Unreadable::Xml)?;
            let has_tag = inside.get(..length).is_none_or(|value| value.contains('<'));
            if has_tag || attributes.iter().any(|other| other.name == name) {
                return Err(Unreadable::Xml);
            }
            attributes.push(Attribute { name, value: start..start + length });
            self.at = start + length + 1;
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The range between two marks, the first of which stands here.
    fn until(&mut self, start: &str, end: &str) -> Result<Range<usize>, Unreadable> {
        let from = self.at + start.len();
        let inside = self.text.get(from..).ok_or(Unreadable::Xml)?;
        let length = memchr::memmem::find(inside.as_bytes(), end.as_bytes());
        let to = from + length.ok_or(Unreadable::Xml)?;
        self.at = to + end.len();
        Ok(from..to)
    }

    fn name(&mut self) -> Result<&'a str, Unreadable> {
        let rest = self.rest();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
        let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let name = rest
            .get(..length)
            .filter(|name| name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')));
        self.at += length;
        name.ok_or(Unreadable::Xml)
    }

    fn blanks(&mut self) -> usize {
        let rest = self.rest();
        let length = rest.len() - rest.trim_ascii_start().len();
        self.at += length;
        length
    }

    fn expect(&mut self, mark: &str) -> Result<(), Unreadable> {
        if !self.rest().starts_with(mark) {
            return Err(Unreadable::Xml);
        }
        self.at += mark.len();
        Ok(())
    }
}
