//! The head of a part: which field it is, what file it was, what it claims to hold.

use std::ops::Range;

use crate::body::Unreadable;
use crate::body::multipart::split::LineEnd;
use crate::body::params::{self, Param};
use crate::span::Span;

/// A stretch of the body with the text it holds.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
}

/// Prints lengths only: a head holds what a person wrote.
impl std::fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("n_text", &self.text.len())
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

/// What a head says. Every header stands once at most.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub(super) disposition: Option<&'a str>,
    /// Parameters of the disposition; spans are those of the body.
    pub(super) params: Vec<Param<'a>>,
    pub(super) content_type: Option<&'a str>,
    pub(super) transfer_encoding: Option<&'a str>,
    pub(super) content_length: Option<Held<'a>>,
    /// All other values that a person may have written, the content type, and the names of headers of no standard.
    pub(super) others: Vec<Held<'a>>,
}

impl<'a> Head<'a> {
    /// Reads the head that stands at `range` of `body`.
    pub(super) fn read(
        body: &'a [u8],
        range: Range<usize>,
        end: LineEnd,
    ) -> Result<Self, Unreadable> {
        let bytes = body.get(range.clone()).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Multipart)?;
        let end = if end == LineEnd::CrLf { "\r\n" } else { "\n" };
        let mut head = Self::default();
        let mut names: Vec<&str> = Vec::new();
        let mut at = range.start;
        for line in text.split_terminator(end) {
            let (name, value) = header(line).ok_or(Unreadable::Multipart)?;
            if names.iter().any(|other| other.eq_ignore_ascii_case(name)) || names.len() >= 32 {
                return Err(Unreadable::Multipart);
            }
            names.push(name);
            head.take(name, Held { text: value.text, span: value.span.shifted(at) })?;
            if !is_standard(name) {
                head.others.push(Held { text: name, span: Span::new(at, at + name.len()) });
            }
            at += line.len() + end.len();
        }
        Ok(head)
    }

    fn take(&mut self, name: &str, value: Held<'a>) -> Result<(), Unreadable> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("content-disposition") {
            let (disposition, params) = params::parse(value.text).ok_or(Unreadable::Multipart)?;
            self.disposition = Some(disposition);
            self.params = params;
            for param in &mut self.params {
                param.span = param.span.shifted(value.span.start());
            }
        } else if is("content-transfer-encoding") {
            self.transfer_encoding = Some(value.text);
        } else if is("content-length") {
            self.content_length = Some(value);
        } else {
            if is("content-type") {
                self.content_type = Some(value.text);
            }
            self.others.push(value);
        }
        Ok(())
    }

    pub(super) fn param(&self, name: &str) -> Option<Param<'a>> {
        params::find(&self.params, name)
    }

    /// What the content is encoded by; `None` where it stands as it is.
    pub(super) fn encoding(&self) -> Option<TransferEncoding> {
        let encoding = self.transfer_encoding?;
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        if ["7bit", "8bit", "binary"].into_iter().any(is) {
            None
        } else if is("base64") {
            Some(TransferEncoding::Base64)
        } else if is("quoted-printable") {
            Some(TransferEncoding::QuotedPrintable)
        } else {
            Some(TransferEncoding::Other)
        }
    }
}

/// A `Content-Transfer-Encoding` that changes the content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TransferEncoding {
    Base64,
    QuotedPrintable,
    Other,
}

/// Whether a header is one of those that parts have: its name then says nothing that a person wrote.
fn is_standard(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "content-disposition",
        "content-type",
        "content-transfer-encoding",
        "content-length",
        "content-id",
        "content-location",
        "content-description",
        "content-language",
        "mime-version",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// One header line. Folded lines and blanks before the colon are read differently by different servers.
fn header(line: &str) -> Option<(&str, Held<'_>)> {
    let colon = line.find(':')?;
    let (name, rest) = line.split_at_checked(colon)?;
    let sound = !name.is_empty() && name.bytes().all(params::is_token);
    let value = rest.get(1..)?.trim_matches([' ', '\t']);
    if !sound || value.chars().any(|character| character.is_control() && character != '\t') {
        return None;
    }
    let leading = rest.get(1..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let start = colon + 1 + if value.is_empty() { 0 } else { leading };
    Some((name, Held { text: value, span: Span::new(start, start + value.len()) }))
}
