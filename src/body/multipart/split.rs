//! Finds the parts of a multipart body.
//!
//! Servers differ on padding, bare line feeds, text before the first part and boundaries that begin other boundaries: each
//! is a way to show one body to us and another to the platform. Promise: every occurrence of the boundary is a delimiter
//! by the strictest reading, all lines end alike, and nothing stands outside the parts; or there is no reading.

use std::ops::Range;

use memchr::memmem;

use crate::body::Unreadable;

/// One part: its head (with the line end of its last line, without the empty line) and its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part {
    pub(super) head: Range<usize>,
    pub(super) content: Range<usize>,
}

/// How all lines of a body end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LineEnd {
    CrLf,
    /// Google's own client writes it.
    Lf,
}

impl LineEnd {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
        }
    }

    fn at_start(bytes: &[u8]) -> Option<Self> {
        [Self::CrLf, Self::Lf].into_iter().find(|end| bytes.starts_with(end.bytes()))
    }

    /// Whether a line that ends so ends here. A carriage return before a lone line feed could be content or not.
    fn before(self, bytes: &[u8]) -> bool {
        bytes.ends_with(self.bytes()) && (self == Self::CrLf || !bytes.ends_with(b"\r\n"))
    }
}

/// The parts of a body, and how its lines end.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) parts: Vec<Part>,
    pub(super) line_end: LineEnd,
}

/// Splits `body` at `delimiter` (the boundary with its two leading dashes).
pub(super) fn split(body: &[u8], delimiter: &[u8], max_parts: usize) -> Result<Split, Unreadable> {
    let mut parts = Vec::new();
    let mut line_end: Option<LineEnd> = None;
    let mut content_from: Option<usize> = None;
    for at in memmem::find_iter(body, delimiter) {
        let (before, after) = around(body, at, delimiter.len())?;
        match (content_from, line_end) {
            (Some(from), Some(end)) => {
                if !end.before(before) {
                    return Err(Unreadable::Multipart);
                }
                parts.push(part(body, from..at - end.bytes().len(), end)?);
            }
            _ if matches!(before, b"" | b"\r\n" | b"\n") => {}
            _ => return Err(Unreadable::Multipart),
        }
        if parts.len() > max_parts {
            return Err(Unreadable::TooManyFields);
        }
        if let Some(epilogue) = after.strip_prefix(b"--") {
            if !matches!(epilogue, b"" | b"\r\n" | b"\n") {
                return Err(Unreadable::Multipart);
            }
            return Ok(Split { parts, line_end: line_end.unwrap_or(LineEnd::CrLf) });
        }
        let end = LineEnd::at_start(after).ok_or(Unreadable::Multipart)?;
        if line_end.is_some_and(|other| other != end) {
            return Err(Unreadable::Multipart);
        }
        line_end = Some(end);
        content_from = Some(at + delimiter.len() + end.bytes().len());
    }
    // The last boundary is missing: the body was cut, or is none of this kind.
    Err(Unreadable::Multipart)
}

fn around(body: &[u8], at: usize, length: usize) -> Result<(&[u8], &[u8]), Unreadable> {
    let before = body.get(..at).ok_or(Unreadable::Multipart)?;
    let after = body.get(at + length..).ok_or(Unreadable::Multipart)?;
    Ok((before, after))
}

/// Separates head and content of one part.
fn part(body: &[u8], range: Range<usize>, end: LineEnd) -> Result<Part, Unreadable> {
    // Two delimiters in a row share one line end: then the range is the wrong way round, and there is no part.
    let bytes = body.get(range.clone()).ok_or(Unreadable::Multipart)?;
    let end = end.bytes();
    let head_length = if bytes.starts_with(end) {
        0
    } else {
        let blank = [end, end].concat();
        memmem::find(bytes, &blank).ok_or(Unreadable::Multipart)? + end.len()
    };
    let head_end = range.start + head_length;
    Ok(Part { head: range.start..head_end, content: head_end + end.len()..range.end })
}

#[cfg(test)]
mod tests {
    use super::split;

    fn contents(body: &str) -> Option<Vec<(&str, &str)>> {
        let split = split(body.as_bytes(), b"--b", 100).ok()?;
        Some(
            split
                .parts
                .iter()
                .map(|part| {
                    (body.get(part.head.clone()).unwrap(), body.get(part.content.clone()).unwrap())
                })
                .collect(),
        )
    }

    #[test]
    fn parts_stand_between_delimiters() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            (
                "--b\r\nA: 1\r\n\r\none\r\n--b\r\nB: 2\r\nC: 3\r\n\r\ntwo\r\n\r\n--b--\r\n",
                &[("A: 1\r\n", "one"), ("B: 2\r\nC: 3\r\n", "two\r\n")],
            ),
            ("--b\nA: 1\n\none\n--b--", &[("A: 1\n", "one")]),
            ("\r\n--b\r\nA: 1\r\n\r\n\r\n--b--\r\n", &[("A: 1\r\n", "")]),
            ("--b\r\n\r\none\r\n--b--", &[("", "one")]),
            ("--b\r\nA: 1\r\n\r\na\nb\rc\r\n--b--", &[("A: 1\r\n", "a\nb\rc")]),
            ("--b--\r\n", &[]),
        ];
        for (body, want) in cases {
            assert_eq!(contents(body).as_deref(), Some(*want), "{body:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_reading() {
        for body in [
            "",
            "no parts",
            "--b\r\nA: 1\r\n\r\none\r\n",
            "--b\r\nA: 1\r\n\r\none\r\n--b",
            "--b\r\nA: 1\r\n\r\none\r\n--b\r\n",
            "hello\r\n--b\r\nA: 1\r\n\r\none\r\n--b--",
            "--b\r\nA: 1\r\n\r\none\r\n--b--\r\nmore",
            "--b\r\nA: 1\r\n\r\none\r\n--b--\r\n--b--\r\n",
            "--b \r\nA: 1\r\n\r\none\r\n--b--",
            "--bx\r\nA: 1\r\n\r\none\r\n--b--",
            "--b\r\nA: 1\r\n\r\none --b two\r\n--b--",
            "--b\r\nA: 1\r\n\r\none\n--b\r\nB: 2\r\n\r\ntwo\r\n--b--",
            "--b\nA: 1\n\none\r\n--b--",
            "--b\r\nA: 1\r\n\r\none\r\n--b\nB: 2\n\ntwo\n--b--",
            "--b\r\n--b--",
            "--b\r\nA: 1\r\n--b--",
            "--b\r\nno head\r\n--b--",
            "--b\r\rA: 1\r\r\rone\r--b--",
        ] {
            assert_eq!(contents(body), None, "{body:?}");
        }
    }
}
