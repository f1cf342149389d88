//! Reads a head line by line and writes it anew in the same place: one blank or none after each colon, no whole URL as
//! a target, nothing that asks for another protocol. What is written is never longer than what was read.

use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::line::RequestLine;
use crate::proxy::wire::machine::Caps;
use crate::proxy::wire::octet::{is_blank, is_token, is_value, trim};

const MOST_NAME: usize = 256;

/// How the body is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// A whole head, checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Whole {
    /// Bytes read.
    pub(super) consumed: usize,
    /// Bytes written at the start of the same input.
    pub(super) written: usize,
    pub(super) framing: Framing,
    /// It asks for a WebSocket.
    pub(super) upgrade: bool,
    /// The client sends no other request after it.
    pub(super) last: bool,
}

/// A head that is being read. Places count from its first byte.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a head says or does not say"
)]
pub(super) struct Head {
    /// Where the next line starts.
    read: usize,
    /// Up to where its end was looked for.
    seen: usize,
    /// Up to where it is written.
    written: usize,
    n_headers: usize,
    has_request_line: bool,
    has_blank_line: bool,
    is_1_0: bool,
    brings_body: bool,
    /// The host in the request line; seldom there.
    authority: Option<Box<[u8]>>,
    host: Option<Range<usize>>,
    length: Option<u64>,
    is_chunked: bool,
    expects: bool,
    has_upgrade: bool,
    upgrade: bool,
    close: bool,
    keep_alive: bool,
}

/// Prints counts only: the host in a request line is its client's text.
impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head")
            .field("read", &self.read)
            .field("written", &self.written)
            .field("n_headers", &self.n_headers)
            .field("has_authority", &self.authority.is_some())
            .finish_non_exhaustive()
    }
}

impl Head {
    /// Reads on. `Ok(None)` if the head's end has not come.
    pub(super) fn read(&mut self, input: &mut [u8], caps: &Caps) -> Result<Option<Whole>, Fault> {
        loop {
            let from = self.seen.max(self.read);
            let Some(length) = input.get(from..).and_then(|rest| memchr2(b'\r', b'\n', rest))
            else {
                self.seen = input.len();
                return self.check_start(input, caps).map(|()| None);
            };
            let at = from + length;
            if at >= caps.head {
                return Err(self.too_long(caps, at));
            }
            match input.get(at..at + 2) {
                Some(b"\r\n") => {}
                None if input.get(at) == Some(&b'\r') => {
                    self.seen = at;
                    return self.check_start(input, caps).map(|()| None);
                }
                // Told at once: the line's true end may never come.
                _ => return Err(self.no_line(input, at)),
            }
            if at == self.read {
                if self.has_request_line {
                    return self.finish(input, at + 2).map(Some);
                }
                // One empty line may come before a request (RFC 9112, 2.2): old programs send it after a body.
                if std::mem::replace(&mut self.has_blank_line, true) {
                    return Err(Fault::RequestLine);
                }
            } else if self.has_request_line {
                self.header(input, self.read..at, caps)?;
            } else {
                self.request_line(input, self.read..at, caps)?;
            }
            self.read = at + 2;
        }
    }

    /// Whether nothing of a head has come.
    pub(super) fn is_empty(&self, input: &[u8]) -> bool {
        input.is_empty() && self.read == 0
    }

    /// Ends what can no longer become a head.
    fn check_start(&self, input: &[u8], caps: &Caps) -> Result<(), Fault> {
        let start = input.get(self.read..).unwrap_or_default();
        if !self.has_request_line
            && !matches!(start, [] | [b'\r'])
            && !RequestLine::may_become(start)
        {
            return Err(if start.first() == Some(&b'\r') {
                Fault::LineEnd
            } else {
                Fault::RequestLine
            });
        }
        if input.len() >= caps.head || (!self.has_request_line && start.len() > caps.target + 64) {
            return Err(self.too_long(caps, input.len()));
        }
        Ok(())
    }

    fn too_long(&self, caps: &Caps, end: usize) -> Fault {
        let is_target = !self.has_request_line && end - self.read > caps.target;
        if is_target { Fault::TargetTooLong } else { Fault::TooLong }
    }

    /// Why a line with a bare LF or CR is none: garbage is told as such.
    fn no_line(&self, input: &[u8], end: usize) -> Fault {
        let line = input.get(self.read..end).unwrap_or_default();
        let is_request = self.has_request_line || line.is_empty() || RequestLine::may_become(line);
        if is_request { Fault::LineEnd } else { Fault::RequestLine }
    }

    fn request_line(
        &mut self,
        input: &mut [u8],
        at: Range<usize>,
        caps: &Caps,
    ) -> Result<(), Fault> {
        let bytes = input.get(at.clone()).unwrap_or_default();
        let line = RequestLine::read(bytes, caps.target)?;
        self.authority = line.authority.clone().and_then(|range| bytes.get(range)).map(Into::into);
        let lacks_slash = bytes.get(line.target.start) != Some(&b'/') || line.target.is_empty();
        (self.is_1_0, self.brings_body) = (line.is_1_0, line.brings_body);
        self.has_request_line = true;
        if line.authority.is_none() {
            self.shift(input, at.start..at.end + 2);
            return Ok(());
        }
        let shifted = |range: Range<usize>| at.start + range.start..at.start + range.end;
        // The blank after the method, too.
        self.shift(input, shifted(line.method.start..line.method.end + 1));
        if lacks_slash {
            self.put(input, b'/');
        }
        // Target, blank, version, line end.
        self.shift(input, at.start + line.target.start..at.end + 2);
        Ok(())
    }

    /// One header: checked, understood where it frames or routes, and written anew.
    fn header(&mut self, input: &mut [u8], at: Range<usize>, caps: &Caps) -> Result<(), Fault> {
        self.n_headers += 1;
        if self.n_headers > caps.headers {
            return Err(Fault::TooManyHeaders);
        }
        let (start, end) = (at.start, at.end);
        let line = input.get(at).unwrap_or_default();
        if line.first().copied().is_some_and(is_blank) {
            return Err(Fault::Fold);
        }
        let colon = memchr(b':', line).ok_or(Fault::HeaderName)?;
        let (name, rest) = line.split_at(colon);
        if !is_token(name) {
            return Err(Fault::HeaderName);
        }
        if name.len() > MOST_NAME {
            return Err(Fault::TooLong);
        }
        let raw = rest.get(1..).unwrap_or_default();
        let value = trim(raw);
        if !is_value(value) {
            return Err(Fault::HeaderValue);
        }
        let n_before = raw.iter().take_while(|byte| is_blank(**byte)).count();
        let kept = self.note(name, value)?;
        let length = value.len();
        let is_host = name.eq_ignore_ascii_case(b"host");
        if !kept {
            return Ok(());
        }
        let is_canonical = raw.len() == length + n_before
            && (n_before == 0 || raw.first() == Some(&b' ') && n_before == 1);
        let value_at = start + colon + 1 + n_before;
        let value_written;
        if is_canonical {
            value_written = self.written + (value_at - start);
            self.shift(input, start..end + 2);
        } else {
            self.shift(input, start..=start + colon);
            value_written = self.written;
            self.shift(input, value_at..value_at + length);
            self.put(input, b'\r');
            self.put(input, b'\n');
        }
        if is_host {
            self.host = Some(value_written..value_written + length);
        }
        Ok(())
    }

    /// Understands the headers that say where a request ends or goes. Says whether the header stays.
    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<bool, Fault> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            // The value's place is set by the caller; an empty host is none, and still the second.
            4 if is(b"host") && (self.host.replace(0..0).is_some() || value.is_empty()) => {
                return Err(Fault::Host);
            }
            6 if is(b"expect") => {
                if self.is_1_0 {
                    return Ok(false);
                }
                let is_known = value.eq_ignore_ascii_case(b"100-continue");
                if !is_known || std::mem::replace(&mut self.expects, true) {
                    return Err(Fault::Expectation);
                }
            }
            7 if is(b"upgrade") => {
                if std::mem::replace(&mut self.has_upgrade, true) && self.upgrade {
                    return Err(Fault::Upgrade);
                }
                // Any other protocol, h2c first of all, would leave the door that we watch.
                self.upgrade = !self.is_1_0 && value.eq_ignore_ascii_case(b"websocket");
                return Ok(self.upgrade);
            }
            10 if is(b"connection") => {
                for option in value.split(|byte| *byte == b',').map(trim) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if is(b"content-length") => {
                let length = read_length(value).ok_or(Fault::Length)?;
                if self.length.replace(length).is_some() {
                    return Err(Fault::Length);
                }
            }
            14 if is(b"http2-settings") => return Ok(false),
            17 if is(b"transfer-encoding") => {
                check_codings(value)?;
                if std::mem::replace(&mut self.is_chunked, true) {
                    return Err(Fault::Coding);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// The empty line: what the head says as a whole.
    fn finish(&mut self, input: &mut [u8], consumed: usize) -> Result<Whole, Fault> {
        let host = self.host.clone().and_then(|range| input.get(range)).ok_or(Fault::Host)?;
        if self.authority.as_ref().is_some_and(|named| !named.eq_ignore_ascii_case(host)) {
            return Err(Fault::Host);
        }
        let framing = match (self.is_chunked, self.length) {
            (true, Some(_)) => return Err(Fault::TwoFramings),
            (true, None) if self.is_1_0 => return Err(Fault::TwoFramings),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            // Programs of that age end a body by closing, which a request cannot (RFC 1945, 7.2.2).
            (false, None) if self.is_1_0 && self.brings_body => return Err(Fault::NoLength),
            (false, None) => Framing::Length(0),
        };
        if self.upgrade && framing != Framing::Length(0) {
            return Err(Fault::Upgrade);
        }
        self.put(input, b'\r');
        self.put(input, b'\n');
        Ok(Whole {
            consumed,
            written: self.written,
            framing,
            upgrade: self.upgrade,
            last: self.close || (self.is_1_0 && !self.keep_alive),
        })
    }

    fn shift(&mut self, input: &mut [u8], from: impl std::ops::RangeBounds<usize>) {
        let start = match from.start_bound() {
            std::ops::Bound::Included(start) => *start,
            std::ops::Bound::Excluded(start) => *start + 1,
            std::ops::Bound::Unbounded => 0,
        };
        let end = match from.end_bound() {
            std::ops::Bound::Included(end) => *end + 1,
            std::ops::Bound::Excluded(end) => *end,
            std::ops::Bound::Unbounded => input.len(),
        };
        if start != self.written {
            input.copy_within(start..end, self.written);
        }
        self.written += end - start;
    }

    fn put(&mut self, input: &mut [u8], byte: u8) {
        if let Some(place) = input.get_mut(self.written) {
            *place = byte;
        }
        self.written += 1;
    }
}

/// Digits and nothing else; no list, even of equal lengths.
fn read_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// `chunked` alone. What else there is says which answer it gets.
fn check_codings(value: &[u8]) -> Result<(), Fault> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let mut last_is_chunked = false;
    for coding in value.split(|byte| *byte == b',').map(trim) {
        // An empty element, `chunked` twice, or a word that is none.
        if last_is_chunked || !is_token(coding) {
            return Err(Fault::Coding);
        }
        last_is_chunked = coding.eq_ignore_ascii_case(b"chunked");
    }
    Err(if last_is_chunked { Fault::UnknownCoding } else { Fault::Coding })
}
