//! Where lines are read from again: files, and whatever else keeps a chain whole.

use std::io;

use crate::audit::lines::Lines;
use std::path::Path;

/// A line's number, from 1, the line without its end, and whether it is short enough to be one of an audit: of one that is
/// not, only the start.
pub type NextLine<'l> = Option<(usize, &'l [u8], bool)>;

/// The lines of one file or of one chain of a database, in their order, one at a time.
pub trait LineSource {
    /// What people call it: a path, or `sqlite:audit.db`.
    fn name(&self) -> String;

    /// The next line; `None` at the end.
    fn next_line(&mut self) -> io::Result<NextLine<'_>>;
}

impl LineSource for Lines {
    fn name(&self) -> String {
        self.path().display().to_string()
    }

    fn next_line(&mut self) -> io::Result<NextLine<'_>> {
        self.next()
    }
}

/// Opens a file, compressed or not; an error names it.
pub fn open_lines(file: &Path) -> io::Result<Box<dyn LineSource>> {
    Ok(Box::new(Lines::open(file)?))
}
