//! Separates a long multipart body, as it comes in, into what must be read and long runs of media.
//!
//! A video in a form is too long to hold, and its pixels are not judged; the text parts beside it are. What is kept
//! here reads as the same multipart body with each long run of media replaced by a mark that nobody outside can
//! guess; it is inspected like any other body, and the proxy puts the runs back where their marks stand. A part is
//! elided only when it has a file name and its leading bytes are those of media: everything else is kept, and so read.
//!
//! Promise: a kept body with its marks replaced by the runs, in order, is the original, byte for byte.

use memchr::memmem;

use crate::body::content_type::{Claim, ContentType};
use crate::body::params;

/// How much of a file part is kept, so that its leading bytes can be looked at.
const LEAD: usize = 4096;
/// The longest head of a part; a longer one is kept whole and left to the reader to refuse.
const MOST_HEAD: usize = 16 * 1024;

/// What becomes of a stretch of the body.
pub enum Piece<'a> {
    /// To be held and read.
    Keep(&'a [u8]),
    /// A run of media begins here: hold the mark in its place.
    Begin,
    /// Part of the run.
    Media(&'a [u8]),
}

/// Prints lengths only: what is kept is to be read.
impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keep(bytes) => f.debug_tuple("Keep").field(&bytes.len()).finish(),
            Self::Begin => f.write_str("Begin"),
            Self::Media(bytes) => f.debug_tuple("Media").field(&bytes.len()).finish(),
        }
    }
}

/// Says whether a part with this `Content-Type` and these leading bytes is media.
pub type IsMedia = fn(Option<&str>, &[u8]) -> bool;

/// Where in the body we are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Before or between parts, or in a part that is kept.
    Kept,
    /// In the head of a part.
    Head,
    /// In the first bytes of a file part.
    Lead,
    /// In a run of media.
    Run,
}

/// Separates one body. Feed it with [`Elider::push`], then call [`Elider::finish`].
pub struct Elider {
    /// `--boundary`, which ends a part wherever it starts a line.
    delimiter: Vec<u8>,
    is_media: IsMedia,
    state: State,
    /// Bytes not yet given out: a possible delimiter at the end, a head, a lead.
    held: Vec<u8>,
    /// `Content-Type` of the part whose lead is held.
    content_type: Option<String>,
}

/// Prints lengths only: what is held is to be read.
impl std::fmt::Debug for Elider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elider")
            .field("state", &self.state)
            .field("n_held", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl Elider {
    /// How much of a file that is elided is kept before its mark.
    pub const LEAD_OF_FILE: usize = LEAD - 2;

    /// For a body with this boundary (without the dashes).
    pub fn new(boundary: &str, is_media: IsMedia) -> Self {
        let mut delimiter = b"--".to_vec();
        delimiter.extend_from_slice(boundary.as_bytes());
        Self { delimiter, is_media, state: State::Kept, held: Vec::new(), content_type: None }
    }

    /// For a body of this `Content-Type`, if it is multipart and names its boundary.
    pub fn of_type(content_type: Option<&str>, is_media: IsMedia) -> Option<Self> {
        let claimed = ContentType::parse(content_type);
        let boundary = claimed.boundary().filter(|_| claimed.claim == Claim::Multipart)?;
        Some(Self::new(boundary, is_media))
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, chunk: &[u8], out: &mut impl FnMut(Piece<'_>)) {
        self.held.extend_from_slice(chunk);
        while self.step(false, out) {}
    }

    /// Gives out what is still held.
    pub fn finish(mut self, out: &mut impl FnMut(Piece<'_>)) {
        while self.step(true, out) {}
        if !self.held.is_empty() {
            self.give(self.held.len(), out);
        }
    }

    /// One step; whether another may follow with the bytes at hand.
    fn step(&mut self, last: bool, out: &mut impl FnMut(Piece<'_>)) -> bool {
        match self.state {
            State::Kept | State::Run => self.until_delimiter(out),
            State::Head => self.read_head(last, out),
            State::Lead => self.read_lead(last, out),
        }
    }

    /// Gives out everything up to the next delimiter; what may be the start of one stays.
    fn until_delimiter(&mut self, out: &mut impl FnMut(Piece<'_>)) -> bool {
        if let Some(at) = self.delimiter_in_held() {
            let before = self.held.get(..at).unwrap_or_default();
            let line_end = if before.ends_with(b"\r\n") { 2 } else { at.min(1) };
            self.give(at - line_end, out);
            // The delimiter itself is kept, with the line end that makes it one, and a head may follow it.
            self.state = State::Kept;
            self.give(line_end + self.delimiter.len(), out);
            self.state = State::Head;
            return true;
        }
        let safe = self.held.len().saturating_sub(self.delimiter.len() + 2);
        if safe > 0 {
            self.give(safe, out);
        }
        false
    }

    /// Where the next delimiter starts: at the start of what is held, or of a line. (`held` starts at the very start
    /// of the body, or with at least two bytes of what came before still in it.)
    fn delimiter_in_held(&self) -> Option<usize> {
        memmem::find_iter(&self.held, &self.delimiter).find(|&at| {
            at == 0 || self.held.get(at - 1).is_some_and(|&byte| byte == b'\n' || byte == b'\r')
        })
    }

    /// Waits for the end of a part's head, then decides what the part is.
    fn read_head(&mut self, last: bool, out: &mut impl FnMut(Piece<'_>)) -> bool {
        let Some(end) = end_of_head(&self.held) else {
            if self.held.len() > MOST_HEAD || self.delimiter_in_held().is_some() || last {
                self.state = State::Kept;
                return !self.held.is_empty() && !last;
            }
            return false;
        };
        let head = self.held.get(..end).unwrap_or_default();
        let is_file = header(head, "content-disposition").is_some_and(|value| names_a_file(&value));
        self.content_type = header(head, "content-type");
        self.state = State::Kept;
        if end >= 2 {
            // The line end before the content stays held: a delimiter may follow at once.
            self.give(end - 2, out);
        }
        if is_file {
            self.state = State::Lead;
        }
        true
    }

    /// Waits for the first bytes of a file part, then decides whether it is media.
    fn read_lead(&mut self, last: bool, out: &mut impl FnMut(Piece<'_>)) -> bool {
        if self.delimiter_in_held().is_some_and(|at| at <= LEAD) {
            // A short file: kept whole.
            self.state = State::Kept;
            return true;
        }
        if self.held.len() < LEAD + self.delimiter.len() + 2 && !last {
            return false;
        }
        let lead = self.held.get(2..LEAD.min(self.held.len())).unwrap_or_default();
        let media = !last && (self.is_media)(self.content_type.as_deref(), lead);
        self.state = State::Kept;
        if media {
            self.give(LEAD, out);
            out(Piece::Begin);
            self.state = State::Run;
        }
        !last
    }

    fn give(&mut self, n: usize, out: &mut impl FnMut(Piece<'_>)) {
        let n = n.min(self.held.len());
        let bytes = self.held.get(..n).unwrap_or_default();
        if !bytes.is_empty() {
            out(if self.state == State::Run { Piece::Media(bytes) } else { Piece::Keep(bytes) });
        }
        self.held.drain(..n);
    }
}

/// One past the empty line that ends a head.
fn end_of_head(held: &[u8]) -> Option<usize> {
    let crlf = memmem::find(held, b"\r\n\r\n").map(|at| at + 4);
    let lf = memmem::find(held, b"\n\n").map(|at| at + 2);
    match (crlf, lf) {
        (Some(crlf), Some(lf)) => Some(crlf.min(lf)),
        (one, other) => one.or(other),
    }
}

/// The value of a header of a part, lower-cased. Only used to decide what may be elided: a head that says nothing
/// plain is kept and left to the reader.
fn header(head: &[u8], name: &str) -> Option<String> {
    std::str::from_utf8(head).ok()?.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
    })
}

/// Whether a disposition has a file name: a field may be called `filename` and hold words.
fn names_a_file(disposition: &str) -> bool {
    let params = params::parse(disposition).map(|(_, params)| params).unwrap_or_default();
    params.iter().any(|param| param.name == "filename" || param.name.starts_with("filename*"))
}

#[cfg(test)]
mod tests {
    use super::{Elider, LEAD, Piece};

    const MARK: &[u8] = b"<run>";

    fn starts_like_media(_: Option<&str>, lead: &[u8]) -> bool {
        lead.starts_with(b"\x89PNG")
    }

    /// Kept bytes with marks, and the runs.
    fn separate(body: &[u8], chunk: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
        let mut kept = Vec::new();
        let mut runs: Vec<Vec<u8>> = Vec::new();
        let mut elider = Elider::new("b", starts_like_media);
        let mut out = |piece: Piece<'_>| match piece {
            Piece::Keep(bytes) => kept.extend_from_slice(bytes),
            Piece::Begin => {
                kept.extend_from_slice(MARK);
                runs.push(Vec::new());
            }
            Piece::Media(bytes) => runs.last_mut().unwrap().extend_from_slice(bytes),
        };
        for chunk in body.chunks(chunk) {
            elider.push(chunk, &mut out);
        }
        elider.finish(&mut out);
        (kept, runs)
    }

    fn file(content: &[u8]) -> Vec<u8> {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n".to_vec();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--b\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\nlast words\r\n--b--\r\n");
        body
    }

    #[track_caller]
    fn check(content: &[u8], n_runs: usize) {
        let body = file(content);
        for chunk in [1, 7, 1000, body.len()] {
            let (kept, runs) = separate(&body, chunk);
            assert_eq!(runs.len(), n_runs, "in chunks of {chunk}");
            let mut again = Vec::new();
            let mut rest = kept.as_slice();
            for run in &runs {
                let at = memchr::memmem::find(rest, MARK).unwrap();
                again.extend_from_slice(&rest[..at]);
                again.extend_from_slice(run);
                rest = &rest[at + MARK.len()..];
            }
            again.extend_from_slice(rest);
            assert_eq!(again, body, "in chunks of {chunk}");
            let kept = kept.escape_ascii().to_string();
            assert!(kept.contains("hello") && kept.contains("last words"));
        }
    }

    fn png(n: usize) -> Vec<u8> {
        let mut content = b"\x89PNG\r\n\x1a\n".to_vec();
        content.extend((0..n).map(|byte| u8::try_from(byte % 251).unwrap()));
        content
    }

    #[test]
    fn a_field_that_is_called_filename_is_no_file() {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n".to_vec();
        body.extend(png(3 * LEAD));
        body.extend_from_slice(b"\r\n--b--\r\n");
        let (kept, runs) = separate(&body, 1000);
        assert!(runs.is_empty() && kept == body);
    }

    #[test]
    fn long_media_is_elided_and_put_back() {
        check(&png(3 * LEAD), 1);
    }

    #[test]
    fn short_media_and_long_text_are_kept() {
        check(&png(100), 0);
        check("my patient Jane Roe ".repeat(1000).as_bytes(), 0);
        check(b"", 0);
    }

    #[test]
    fn a_delimiter_inside_a_run_ends_it() {
        let mut content = png(2 * LEAD);
        content.extend_from_slice(
            b"\n--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhidden words\r\n",
        );
        content.extend(png(10));
        let (kept, _) = separate(&file(&content), 512);
        assert!(memchr::memmem::find(&kept, b"hidden words").is_some());
    }

    #[test]
    fn a_head_without_an_end_is_kept() {
        let body = [b"--b\r\n".as_slice(), &b"x: y\r\n".repeat(10_000)].concat();
        let (kept, runs) = separate(&body, 4096);
        assert!(runs.is_empty());
        assert_eq!(kept, body);
    }
}
