//! The lines of a chunked body. Extensions and trailers are checked and left out: nobody needs them, and readers have
//! disagreed about where they end (CVE-2025-55315 was one LF in an extension).

use memchr::memchr;

use crate::proxy::wire::fault::Fault;
use crate::proxy::wire::octet::{is_blank, is_token, is_value};

/// The longest line before a chunk, extensions and all.
const MOST_LINE: usize = 256;
/// What all extensions of a body may add up to: a body of nothing else must not cost more than one of data.
const MOST_EXTENSIONS: usize = 16 * 1024;
/// Sixteen digits are 64 bits.
const MOST_DIGITS: usize = 16;
/// The largest chunk. Nobody has one of a terabyte at hand, and readers have disagreed where sizes overflow.
const MOST_SIZE: u64 = 1 << 40;
const MOST_TRAILERS: usize = 8 * 1024;

/// Where in a chunked body we are.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    place: Place,
    n_extensions: usize,
    n_trailers: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Before a chunk's line.
    #[default]
    Line,
    /// So many bytes before the end of a chunk.
    Data(u64),
    /// After a chunk.
    End,
    /// After the last chunk.
    Trailers,
    /// After everything.
    Over,
}

/// Bytes read, and bytes written in the same place.
pub(super) type Moved = (usize, usize);

impl Chunked {
    /// How many bytes pass as they are.
    pub(super) fn n_direct(&self) -> u64 {
        if let Place::Data(left) = self.place { left } else { 0 }
    }

    /// Says that so many of them have passed.
    pub(super) fn passed(&mut self, n: u64) {
        if let Place::Data(left) = self.place {
            self.place = if left > n { Place::Data(left - n) } else { Place::End };
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.place, Place::Over)
    }

    /// Reads the next line, or `None` if it has not come whole.
    pub(super) fn read(&mut self, input: &mut [u8]) -> Result<Option<Moved>, Fault> {
        match self.place {
            Place::Line => self.line(input),
            Place::Data(left) => {
                let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                self.passed(n as u64);
                Ok((n > 0).then_some((n, n)))
            }
            Place::End => match input {
                [] | [b'\r'] => Ok(None),
                [b'\r', b'\n', ..] => {
                    self.place = Place::Line;
                    Ok(Some((2, 2)))
                }
                _ => Err(Fault::ChunkEnd),
            },
            Place::Trailers => self.trailer(input),
            Place::Over => Ok(None),
        }
    }

    fn line(&mut self, input: &mut [u8]) -> Result<Option<Moved>, Fault> {
        let start = input.get(..MOST_LINE).unwrap_or(input);
        let Some(end) = memchr(b'\n', start) else {
            let hopeless = start.len() == MOST_LINE
                || start.first().is_some_and(|byte| !byte.is_ascii_hexdigit());
            return if hopeless { Err(Fault::ChunkLine) } else { Ok(None) };
        };
        let Some([line @ .., b'\r']) = start.get(..end) else { return Err(Fault::ChunkLine) };
        let n_digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, extension) = line.split_at(n_digits);
        let is_extension =
            extension.is_empty() || (extension.first() == Some(&b';') && is_value(extension));
        if !(1..=MOST_DIGITS).contains(&n_digits) || !is_extension {
            return Err(Fault::ChunkLine);
        }
        self.n_extensions += extension.len();
        if self.n_extensions > MOST_EXTENSIONS {
            return Err(Fault::ChunkLine);
        }
        let size = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let size = size.filter(|size| *size <= MOST_SIZE).ok_or(Fault::ChunkLine)?;
        self.place = if size == 0 { Place::Trailers } else { Place::Data(size) };
        // The digits stay as they are, for they were read as hyper will read them; leading zeros do no harm.
        if let Some(rest) = input.get_mut(n_digits..n_digits + 2) {
            rest.copy_from_slice(b"\r\n");
        }
        Ok(Some((end + 1, n_digits + 2)))
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Option<Moved>, Fault> {
        let Some(end) = memchr(b'\n', input) else {
            let is_too_long = self.n_trailers + input.len() > MOST_TRAILERS;
            return if is_too_long { Err(Fault::TooLong) } else { Ok(None) };
        };
        let Some([line @ .., b'\r']) = input.get(..end) else { return Err(Fault::Trailer) };
        if line.is_empty() {
            self.place = Place::Over;
            return Ok(Some((2, 2)));
        }
        self.n_trailers += end + 1;
        if self.n_trailers > MOST_TRAILERS {
            return Err(Fault::TooLong);
        }
        let colon = memchr(b':', line).ok_or(Fault::Trailer)?;
        let (name, value) = line.split_at(colon);
        if line.first().copied().is_some_and(is_blank) || !is_token(name) || !is_value(value) {
            return Err(Fault::Trailer);
        }
        Ok(Some((end + 1, 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Chunked;
    use crate::proxy::wire::fault::Fault;

    /// Feeds a body in pieces of `step` bytes; gives what is written and what follows the body.
    fn read(body: &[u8], step: usize) -> Result<(Vec<u8>, Vec<u8>), Option<Fault>> {
        let (mut chunked, mut held, mut written) = (Chunked::default(), Vec::new(), Vec::new());
        let mut pieces = body.chunks(step);
        while !chunked.is_over() {
            match chunked.read(&mut held).map_err(Some)? {
                Some((n, m)) => {
                    written.extend_from_slice(&held[..m]);
                    held.drain(..n);
                }
                None => held.extend_from_slice(pieces.next().ok_or(None)?),
            }
        }
        held.extend(pieces.flatten());
        Ok((written, held))
    }

    #[test]
    fn bodies_are_written_anew() {
        let cases: &[(&str, &str)] = &[
            ("0\r\n\r\n", "0\r\n\r\n"),
            ("3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            ("00A\r\n0123456789\r\n0\r\n\r\n", "00A\r\n0123456789\r\n0\r\n\r\n"),
            ("3;a=b;c=\"d e\"\r\nabc\r\n0;z\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            ("1\r\nx\r\n0\r\nx-sum: 1\r\ncontent-length: 9\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"),
        ];
        for (body, want) in cases {
            let body = format!("{body}GET /");
            for step in [1, 2, 3, 7, 1000] {
                let (written, rest) = read(body.as_bytes(), step).unwrap();
                assert_eq!(
                    (written.as_slice(), rest.as_slice()),
                    (want.as_bytes(), &b"GET /"[..]),
                    "{body:?} {step}"
                );
            }
        }
    }

    #[test]
    fn what_reads_two_ways_is_refused() {
        let cases: &[(&[u8], Fault)] = &[
            (b"\r\n", Fault::ChunkLine),
            (b"x\r\n", Fault::ChunkLine),
            (b"0x3\r\nabc\r\n", Fault::ChunkLine),
            (b"+3\r\nabc\r\n", Fault::ChunkLine),
            (b"-1\r\n", Fault::ChunkLine),
            (b" 3\r\nabc\r\n", Fault::ChunkLine),
            (b"3 \r\nabc\r\n", Fault::ChunkLine),
            (b"3\nabc\r\n", Fault::ChunkLine),
            (b"3\rabc\r\n", Fault::ChunkLine),
            (b"3;a\nabc\r\n", Fault::ChunkLine),
            (b"3;a\rb\r\nabc\r\n", Fault::ChunkLine),
            (b"3;\0\r\nabc\r\n", Fault::ChunkLine),
            (b"3, 3\r\nabc\r\n", Fault::ChunkLine),
            (b"10000000000000000\r\n", Fault::ChunkLine),
            (b"ffffffffffffffff\r\n", Fault::ChunkLine),
            (b"7fffffffffffffff\r\n", Fault::ChunkLine),
            (b"3\r\nabcd\r\n", Fault::ChunkEnd),
            (b"3\r\nabc\n0\r\n\r\n", Fault::ChunkEnd),
            (b"3\r\nabc0\r\n\r\n", Fault::ChunkEnd),
            (b"0\r\n\n", Fault::Trailer),
            (b"0\r\na b: c\r\n\r\n", Fault::Trailer),
            (b"0\r\na : c\r\n\r\n", Fault::Trailer),
            (b"0\r\na\r\n\r\n", Fault::Trailer),
            (b"0\r\na: b\r\n c\r\n\r\n", Fault::Trailer),
            (b"0\r\na: \0\r\n\r\n", Fault::Trailer),
            (b"0\r\nGET / HTTP/1.1\r\n\r\n", Fault::Trailer),
        ];
        for (body, fault) in cases {
            for step in [1, 3, 1000] {
                assert_eq!(
                    read(body, step),
                    Err(Some(*fault)),
                    "{} by {step}",
                    body.escape_ascii()
                );
            }
        }
        let long = format!("3;{}\r\nabc\r\n", "a".repeat(300));
        assert_eq!(read(long.as_bytes(), 1), Err(Some(Fault::ChunkLine)));
        let many = format!("1;{}\r\nx\r\n", "a".repeat(200)).repeat(100);
        assert_eq!(read(many.as_bytes(), 64), Err(Some(Fault::ChunkLine)));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(2000));
        assert_eq!(read(trailers.as_bytes(), 64), Err(Some(Fault::TooLong)));
        assert_eq!(read(b"3\r\nab", 1), Err(None));
    }
}
