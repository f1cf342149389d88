//! Parameters of a header value: `; name=value; name="value"`.
//!
//! Promise: where two readers would disagree on where a value ends or which of two values counts, there is no reading.

use crate::span::Span;

/// More parameters than any client writes; each is held against all before it.
const MOST: usize = 32;

/// One parameter.
#[derive(Clone, Copy)]
pub(super) struct Param<'a> {
    pub(super) name: &'a str,
    /// The value without its quotes.
    pub(super) value: &'a str,
    /// Where that stands in the header value.
    pub(super) span: Span,
    pub(super) quoted: bool,
}

/// The parameters after the first `;` of a header value, each name once.
pub(super) fn parse(header: &str) -> Option<(&str, Vec<Param<'_>>)> {
    let first = header.find(';').unwrap_or(header.len());
    let value = header.get(..first)?.trim();
    let mut params: Vec<Param<'_>> = Vec::new();
    let mut at = first;
    while at < header.len() {
        // At a `;`.
        at += 1;
        at += blanks(header.get(at..)?);
        if at == header.len() || header.as_bytes().get(at) == Some(&b';') {
            continue;
        }
        if params.len() == MOST {
            return None;
        }
        let (param, end) = param(header, at)?;
        if params.iter().any(|other| other.name.eq_ignore_ascii_case(param.name)) {
            return None;
        }
        params.push(param);
        at = end + blanks(header.get(end..)?);
        if at < header.len() && header.as_bytes().get(at) != Some(&b';') {
            return None;
        }
    }
    Some((value, params))
}

/// The value of one parameter.
pub(super) fn find<'a>(params: &[Param<'a>], name: &str) -> Option<Param<'a>> {
    params.iter().find(|param| param.name.eq_ignore_ascii_case(name)).copied()
}

fn param(header: &str, at: usize) -> Option<(Param<'_>, usize)> {
    let rest = header.get(at..)?;
    let equals = rest.find('=')?;
    let name = rest.get(..equals)?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return None;
    }
    let start = at + equals + 1;
    if header.as_bytes().get(start) != Some(&b'"') {
        let value = header.get(start..)?;
        let length = value.find([';', ' ', '\t']).unwrap_or(value.len());
        let value = value.get(..length)?;
        let plain = !value.is_empty() && !value.contains('"');
        let param = Param { name, value, span: Span::new(start, start + length), quoted: false };
        return plain.then_some((param, start + length));
    }
    let inside = header.get(start + 1..)?;
    let length = inside.find('"')?;
    let value = inside.get(..length)?;
    // Browsers write `"` as `%22`; others escape it. After `\"` readers disagree on where the value ends.
    if value.ends_with('\\') {
        return None;
    }
    let span = Span::new(start + 1, start + 1 + length);
    Some((Param { name, value, span, quoted: true }, span.end() + 1))
}

fn blanks(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn parameters_are_read_for_certain_or_not_at_all() {
        type Case<'a> = (&'a str, Option<&'a [(&'a str, &'a str)]>);
        let cases: &[Case<'_>] = &[
            ("text/plain", Some(&[])),
            ("text/plain;", Some(&[])),
            (
                "form-data; name=\"a b\"; filename=c.jpg",
                Some(&[("name", "a b"), ("filename", "c.jpg")]),
            ),
            ("form-data;name=\"a;b=c\" ; ; x=y", Some(&[("name", "a;b=c"), ("x", "y")])),
            ("x; name=\"C:\\a\\b.txt\"", Some(&[("name", "C:\\a\\b.txt")])),
            ("x; name=\"a\\\"; filename=\"b\"", None),
            ("x; name=\"a", None),
            ("x; name=a; NAME=b", None),
            ("x; name=\"a\"b", None),
            ("x; name=a b", None),
            ("x; name", None),
            ("x; na me=a", None),
            ("x; name=", None),
            ("x; name=\"\"", Some(&[("name", "")])),
        ];
        for (header, want) in cases {
            let params = parse(header).map(|(_, params)| params);
            let got: Option<Vec<_>> =
                params.as_ref().map(|params| params.iter().map(|p| (p.name, p.value)).collect());
            assert_eq!(got.as_deref(), *want, "{header}");
            for param in params.unwrap_or_default() {
                assert_eq!(param.span.of(header), Some(param.value), "{header}");
            }
        }
    }
}
