//! The lines of an audit file, one at a time: no more of it is held than one of them.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use crate::audit::chain::MAX_LINE;

/// A file's lines.
pub(super) struct Lines<'a> {
    path: &'a Path,
    reader: BufReader<File>,
    bytes: Vec<u8>,
    /// How many were read.
    pub(super) number: usize,
}

impl<'a> Lines<'a> {
    /// Opens a file; an error names it.
    pub(super) fn open(path: &'a Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| named(path, &error))?;
        let reader = BufReader::with_capacity(1 << 16, file);
        Ok(Self { path, reader, bytes: Vec::new(), number: 0 })
    }

    /// The next line's number, from 1, the line without its end, and whether it is short enough to be ours: of one that
    /// is not, only the start. `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<(usize, &[u8], bool)>> {
        self.bytes.clear();
        let fits = read_line(&mut self.reader, &mut self.bytes)
            .map_err(|error| named(self.path, &error))?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        Ok(Some((self.number, line, fits)))
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Reads one line with its end, if it has one; false if it is too long to be ours.
fn read_line(reader: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(true);
        }
        let (part, ended) = match memchr::memchr(b'\n', available) {
            Some(at) => (available.get(..=at).unwrap_or(available), true),
            None => (available, false),
        };
        line.extend_from_slice(part);
        let n_read = part.len();
        reader.consume(n_read);
        if line.len() > 2 * MAX_LINE {
            return Ok(false);
        }
        if ended {
            return Ok(true);
        }
    }
}
