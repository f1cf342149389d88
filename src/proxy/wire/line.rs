//! The request line, read strictly: one blank between its parts, capital letters, a path or a whole URL, and version
//! 1.0 or 1.1.

use std::ops::Range;

use memchr::memchr;

use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::octet;

/// Longer than any registered method.
const MOST_METHOD: usize = 20;

/// What a request line says. Ranges count from the start of the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RequestLine {
    pub(super) method: Range<usize>,
    /// The host that a whole URL names.
    pub(super) authority: Option<Range<usize>>,
    /// Path and query. If it does not start with a slash, it lacks one.
    pub(super) target: Range<usize>,
    pub(super) is_1_0: bool,
    /// POST, PUT and PATCH have a body by their nature.
    pub(super) brings_body: bool,
}

impl RequestLine {
    /// Reads a line without its end.
    pub(super) fn read(line: &[u8], most_target: usize) -> Result<Self, Fault> {
        let end = memchr(b' ', line).ok_or(Fault::RequestLine)?;
        let (method, rest) = line.split_at(end);
        if !is_method(method) {
            return Err(Fault::Method);
        }
        if matches!(method, b"CONNECT" | b"TRACE") {
            return Err(Fault::MethodRefused);
        }
        let start = end + 1;
        let rest = rest.get(1..).unwrap_or_default();
        let length = memchr(b' ', rest).ok_or(Fault::RequestLine)?;
        let (target, version) = rest.split_at(length);
        if length > most_target {
            return Err(Fault::TargetTooLong);
        }
        let is_1_0 = match version.get(1..).unwrap_or_default() {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                return Err(Fault::Version);
            }
            _ => return Err(Fault::RequestLine),
        };
        let (authority, path) = split(target)?;
        let (before, query) = match memchr(b'?', path) {
            Some(at) => path.split_at(at),
            None => (path, &b""[..]),
        };
        if !octet::is_path(before) || !octet::is_query(query) {
            return Err(Fault::Target);
        }
        let end = start + length;
        Ok(Self {
            method: 0..method.len(),
            authority: authority.map(|range| start + range.start..start + range.end),
            target: end - path.len()..end,
            is_1_0,
            brings_body: matches!(method, b"POST" | b"PUT" | b"PATCH"),
        })
    }

    /// Whether a line whose end has not come can still become a request line. A TLS hello is told at once so, not after
    /// a deadline.
    pub(super) fn may_become(start: &[u8]) -> bool {
        match memchr(b' ', start.get(..=MOST_METHOD).unwrap_or(start)) {
            Some(end) => start.get(..end).is_some_and(is_method),
            None => start.is_empty() || is_method(start),
        }
    }
}

/// Whether it is a method as all are: capital letters. Small ones are another method, and some platform's own.
pub(crate) fn is_method(bytes: &[u8]) -> bool {
    (1..=MOST_METHOD).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
}

/// Takes scheme and host off a whole URL (RFC 9112, 3.2.2).
fn split(target: &[u8]) -> Result<(Option<Range<usize>>, &[u8]), Fault> {
    if target.first() == Some(&b'/') {
        return Ok((None, target));
    }
    let scheme = ["http://", "https://"].into_iter().find(|scheme| {
        target
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    });
    let start = scheme.ok_or(Fault::Target)?.len();
    let rest = target.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(length);
    if !octet::is_authority(authority) {
        return Err(Fault::Target);
    }
    Ok((Some(start..start + length), path))
}

#[cfg(test)]
mod tests {
    use super::RequestLine;
    use crate::proxy::wire::fault::Fault;

    #[test]
    fn request_lines() {
        let fine: &[(&str, &str, Option<&str>)] = &[
            ("GET / HTTP/1.1", "/", None),
            ("POST /a?b=c HTTP/1.0", "/a?b=c", None),
            ("GET http://a.example/b HTTP/1.1", "/b", Some("a.example")),
            ("GET HTTPS://a.example:443?q HTTP/1.1", "?q", Some("a.example:443")),
            ("GET http://[::1] HTTP/1.1", "", Some("[::1]")),
            ("M-SEARCH //x/y HTTP/1.1", "//x/y", None),
        ];
        for (line, target, authority) in fine {
            let read = RequestLine::read(line.as_bytes(), 100).unwrap();
            assert_eq!(line.get(read.target), Some(*target), "{line}");
            assert_eq!(read.authority.and_then(|range| line.get(range)), *authority, "{line}");
        }
        let wrong: &[(&[u8], Fault)] = &[
            (b"", Fault::RequestLine),
            (b"GET", Fault::RequestLine),
            (b"GET /", Fault::RequestLine),
            (b"get / HTTP/1.1", Fault::Method),
            (b" GET / HTTP/1.1", Fault::Method),
            (b"G\x00T / HTTP/1.1", Fault::Method),
            (b"ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1", Fault::Method),
            (b"CONNECT a.example:443 HTTP/1.1", Fault::MethodRefused),
            (b"TRACE / HTTP/1.1", Fault::MethodRefused),
            (b"GET  / HTTP/1.1", Fault::RequestLine),
            (b"GET /  HTTP/1.1", Fault::RequestLine),
            (b"GET / HTTP/1.1 ", Fault::RequestLine),
            (b"GET / a HTTP/1.1", Fault::RequestLine),
            (b"GET\t/\tHTTP/1.1", Fault::RequestLine),
            (b"GET / http/1.1", Fault::RequestLine),
            (b"GET / HTTP/1.10", Fault::RequestLine),
            (b"GET / HTTP/1.2", Fault::Version),
            (b"PRI * HTTP/2.0", Fault::Version),
            (b"OPTIONS * HTTP/1.1", Fault::Target),
            (b"GET a HTTP/1.1", Fault::Target),
            (b"GET ftp://a.example/ HTTP/1.1", Fault::Target),
            (b"GET http:///a HTTP/1.1", Fault::Target),
            (b"GET http://me@a.example/ HTTP/1.1", Fault::Target),
            (b"GET /a#b HTTP/1.1", Fault::Target),
            (b"GET /a\\b HTTP/1.1", Fault::Target),
            (b"GET /\xc3\xa9 HTTP/1.1", Fault::Target),
            (b"GET /\x01 HTTP/1.1", Fault::Target),
        ];
        for (line, fault) in wrong {
            let read = RequestLine::read(line, 100);
            assert_eq!(read, Err(*fault), "{}", line.escape_ascii());
        }
        let long = format!("GET /{} HTTP/1.1", "a".repeat(100));
        assert_eq!(RequestLine::read(long.as_bytes(), 100), Err(Fault::TargetTooLong));
    }

    #[test]
    fn what_cannot_become_one_is_known_early() {
        for fine in ["", "G", "GET", "GET /whatever", "PROPFIND "] {
            assert!(RequestLine::may_become(fine.as_bytes()), "{fine}");
        }
        for wrong in [&b"\x16\x03\x01"[..], b"get", b" ", b"ABCDEFGHIJKLMNOPQRSTUV", b"G\0"] {
            assert!(!RequestLine::may_become(wrong), "{}", wrong.escape_ascii());
        }
    }
}
