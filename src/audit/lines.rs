//! The lines of an audit file, one at a time: no more of it is held than one of them. A compressed segment reads as the
//! file that it was.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::audit::chain::MAX_LINE;

/// How a gzip file begins; no line of ours does.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How much of a file is read at once.
const BUFFER: usize = 1 << 16;

/// A file's lines.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    bytes: Vec<u8>,
    /// How many were read.
    pub(super) number: usize,
}

impl Lines {
    /// Opens a file; an error names it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let failed = |error: io::Error| named(path, &error);
        let file = File::open(path).map_err(failed)?;
        let mut plain = BufReader::with_capacity(BUFFER, file);
        let is_compressed = plain.fill_buf().map_err(failed)?.starts_with(&GZIP);
        let reader: Box<dyn BufRead + Send> = if is_compressed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Self { path: path.to_owned(), reader, bytes: Vec::new(), number: 0 })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next line's number, from 1, the line without its end, and whether it is short enough to be ours: of one that
    /// is not, only the start. `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<(usize, &[u8], bool)>> {
        self.bytes.clear();
        let fits = read_line(self.reader.as_mut(), &mut self.bytes)
            .map_err(|error| named(&self.path, &error))?;
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
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
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
