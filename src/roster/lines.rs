//! A file line by line, with no line longer in memory than is asked for.

use std::io::{self, BufRead as _, BufReader, Read};

/// What ends a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ends {
    /// LF.
    Lf,
    /// CR, LF, or both.
    CrOrLf,
}

/// One line without its end.
pub(super) struct Line {
    /// As many of its bytes as were asked for.
    pub(super) bytes: Vec<u8>,
    /// Whether it was longer.
    pub(super) is_cut: bool,
}

/// Shows no text.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("n_bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R: Read> {
    input: BufReader<R>,
    ends: Ends,
    /// The number of the line that was read last, from 1.
    pub(super) number: u64,
    /// Whether the last line ended with CR: an LF behind it belongs to it.
    after_cr: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, ends: Ends) -> Self {
        Self { input: BufReader::with_capacity(1 << 17, input), ends, number: 0, after_cr: false }
    }

    /// The next line, at most its first `most` bytes; the rest of it is passed over. `None` at the end.
    pub(super) fn next(&mut self, most: usize) -> io::Result<Option<Line>> {
        let mut line = Line { bytes: Vec::new(), is_cut: false };
        let mut any = false;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                self.number += u64::from(any);
                return Ok(any.then_some(line));
            }
            if std::mem::take(&mut self.after_cr) && buffer.first() == Some(&b'\n') {
                self.input.consume(1);
                continue;
            }
            any = true;
            let end = match self.ends {
                Ends::Lf => memchr::memchr(b'\n', buffer),
                Ends::CrOrLf => memchr::memchr2(b'\r', b'\n', buffer),
            };
            let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let room = most.saturating_sub(line.bytes.len()).min(piece.len());
            line.bytes.extend_from_slice(piece.get(..room).unwrap_or_default());
            line.is_cut |= room < piece.len();
            let n = piece.len();
            if end.is_some() {
                self.after_cr = buffer.get(n) == Some(&b'\r');
                self.input.consume(n + 1);
                self.number += 1;
                return Ok(Some(line));
            }
            self.input.consume(n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, Lines};

    #[test]
    fn lines_end_as_files_end_them_and_are_cut_where_they_are_too_long() {
        let read = |text: &str, ends| {
            let mut lines = Lines::new(text.as_bytes(), ends);
            let mut read = Vec::new();
            while let Some(line) = lines.next(4).unwrap() {
                let cut = if line.is_cut { "+" } else { "" };
                read.push(format!(
                    "{}{}{cut}",
                    lines.number,
                    String::from_utf8(line.bytes).unwrap()
                ));
            }
            read.join(" ")
        };
        assert_eq!(read("a\r\nb\rc\n\nlonger", Ends::CrOrLf), "1a 2b 3c 4 5long+");
        assert_eq!(read("a\r\nb", Ends::Lf), "1a\r 2b");
        assert_eq!(read("", Ends::Lf), "");
    }
}
