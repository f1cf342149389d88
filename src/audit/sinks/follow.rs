//! Reads the audit's files from any line on, over rotations, no further than what counts as written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::audit::chain::{Hash, Link, MAX_LINE};
use crate::audit::lines::{GZIP, Lines};
use crate::audit::segments::{folder, last_of};
use crate::audit::sinks::Newest;
use crate::audit::sinks::fault::SinkFault;

/// Most bytes of one batch, unless one line is longer.
const MOST_BYTES: usize = 512 << 10;

/// Most lines of one batch.
const MOST_LINES: usize = 1000;

/// What stands between a line's node and its number, its number and the hash before it, and before its own hash.
const SEQ: &[u8] = b"\",\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const START: &[u8] = b"{\"time\":\"";

/// Where a line stands in its chain, by its words: that they fit its hash is for [`verify`](fn@crate::audit::verify) to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::audit) struct Place {
    /// The line before it.
    pub(in crate::audit) before: Link,
    /// Its own.
    pub(in crate::audit) link: Link,
}

impl Place {
    /// Reads it off a line without its end; `None` if it is none of ours.
    pub(in crate::audit) fn of(line: &[u8]) -> Option<Self> {
        if !line.starts_with(START) {
            return None;
        }
        let rest = line.get(memchr::memmem::find(line, SEQ)? + SEQ.len()..)?;
        let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(n_digits)?;
        let seq: u64 = std::str::from_utf8(digits).ok()?.parse().ok().filter(|seq| *seq > 0)?;
        let prev = Hash::parse(rest.strip_prefix(PREV)?.get(..64)?)?;
        let end = line.strip_suffix(b"\"}")?;
        let hash = Hash::parse(end.get(end.len().checked_sub(64)?..)?)?;
        Some(Self {
            before: Link { seq: seq.checked_sub(1)?, hash: prev },
            link: Link { seq, hash },
        })
    }
}

/// Lines in order, each as it stands in the file.
#[derive(Default)]
pub(in crate::audit) struct Batch {
    bytes: Vec<u8>,
    /// Where each starts, and ends before its line end.
    spans: Vec<(usize, usize)>,
    places: Vec<Place>,
    /// How many bytes of the file were read for them.
    n_read: u64,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("lines", &self.spans.len()).finish_non_exhaustive()
    }
}

impl Batch {
    /// The lines without their ends, and their places.
    pub(in crate::audit) fn lines(&self) -> impl Iterator<Item = (&[u8], Place)> {
        self.spans
            .iter()
            .filter_map(|(start, end)| self.bytes.get(*start..*end))
            .zip(self.places.iter().copied())
    }

    pub(in crate::audit) fn n_lines(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn n_read(&self) -> u64 {
        self.n_read
    }

    /// The line before the first.
    pub(in crate::audit) fn before(&self) -> Option<Link> {
        self.places.first().map(|place| place.before)
    }

    /// The last line.
    pub(in crate::audit) fn end(&self) -> Option<Link> {
        self.places.last().map(|place| place.link)
    }
}

/// Reads on from a place.
#[derive(Debug)]
pub(super) struct Follower {
    /// The file that is written.
    live: PathBuf,
    /// The newest line that was read.
    after: Link,
    /// Where that ends, in which file.
    at: Option<(File, u64)>,
}

impl Follower {
    pub(super) fn new(live: &Path) -> Self {
        Self { live: live.to_owned(), after: Link::START, at: None }
    }

    /// The newest line that was read.
    pub(super) const fn after(&self) -> Link {
        self.after
    }

    /// Reads on behind this line, if the files hold it.
    pub(super) fn seek(&mut self, after: Link) -> io::Result<bool> {
        let mut was_unpacked = false;
        for path in self.files()? {
            let Some(first) = first_in(&path)? else { continue };
            let is_compressed = is_compressed(&File::open(&path)?)?;
            if first.before == after {
                (self.after, self.at) = (after, Some((opened(&path)?, 0)));
                return Ok(true);
            }
            // Of those that are compressed only the newest that begins before it can hold it.
            if first.link.seq > after.seq || (is_compressed && was_unpacked) {
                continue;
            }
            was_unpacked |= is_compressed;
            let file = opened(&path)?;
            let length = file.metadata()?.len();
            if let Some(end) = end_of(&file, length, after)? {
                (self.after, self.at) = (after, Some((file, end)));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads from the oldest line on that hangs together with the newest, and says what stood before it.
    pub(super) fn seek_oldest(&mut self) -> io::Result<Link> {
        let mut files = self.files()?.into_iter();
        let live = files.next().unwrap_or_else(|| self.live.clone());
        let Some(first) = first_in(&live)? else {
            // Nothing was written yet, or it begins with a torn line: what follows says where it stands.
            (self.after, self.at) = (Link::START, Some((File::open(live)?, 0)));
            return Ok(Link::START);
        };
        let (mut after, mut oldest) = (first.before, live);
        for path in files {
            let Some(first) = first_in(&path)? else { continue };
            if first.link.seq > after.seq {
                continue;
            }
            let file = File::open(&path)?;
            let is_before = if is_compressed(&file)? {
                last_of(&path)? == Some(after)
            } else {
                end_of(&file, file.metadata()?.len(), after)?.is_some()
            };
            if is_before {
                (after, oldest) = (first.before, path);
            }
        }
        (self.after, self.at) = (after, Some((opened(&oldest)?, 0)));
        Ok(after)
    }

    /// How many bytes there are to read.
    pub(super) fn behind(&self, newest: &Newest) -> io::Result<u64> {
        let Some((file, offset)) = &self.at else { return Ok(0) };
        if id(file)? == newest.file {
            return Ok(newest.length.saturating_sub(*offset));
        }
        let behind = file.metadata()?.len().saturating_sub(*offset) + newest.length;
        // By their first lines: while one is compressed it stands there twice.
        let mut between: BTreeMap<u64, u64> = BTreeMap::new();
        let own = first_place(file, file.metadata()?.len())?.map_or(0, |first| first.link.seq);
        for path in self.files()? {
            let file = File::open(&path)?;
            let Some(first) = first_in(&path)? else { continue };
            if id(&file)? != newest.file && first.link.seq > own {
                between.insert(first.link.seq, unpacked_length(&file)?);
            }
        }
        Ok(behind + between.values().sum::<u64>())
    }

    /// The lines that follow, into `batch`; it is empty where there is none yet. What a crash tore is passed over: the line
    /// behind it stands in its place.
    pub(super) fn next(&mut self, newest: &Newest, batch: &mut Batch) -> Result<(), SinkFault> {
        batch.bytes.clear();
        batch.spans.clear();
        batch.places.clear();
        batch.n_read = 0;
        if self.at.is_none() && !self.seek(self.after)? {
            return Err(SinkFault::new("the audit's files do not hold the line that is due"));
        }
        let Some((file, offset)) = &mut self.at else { return Ok(()) };
        let is_live = id(file)? == newest.file;
        let limit = if is_live { newest.length } else { file.metadata()?.len() };
        let left = usize::try_from(limit.saturating_sub(*offset)).unwrap_or(usize::MAX);
        batch.bytes.resize(left.min(MOST_BYTES), 0);
        file.read_exact_at(&mut batch.bytes, *offset)?;
        if left > MOST_BYTES && !batch.bytes.contains(&b'\n') {
            batch.bytes.resize(left.min(2 * MAX_LINE), 0);
            file.read_exact_at(&mut batch.bytes, *offset)?;
        }
        let mut start = 0;
        let mut after = self.after;
        while batch.spans.len() < MOST_LINES {
            let rest = batch.bytes.get(start..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'\n', rest) else { break };
            if let Some(place) = rest.get(..length).and_then(Place::of) {
                // A chain that is not ours may stand at the very start of what a sink is given, nowhere else.
                if place.before != after {
                    return Err(SinkFault::new(
                        "a line of the audit file does not follow the one before it: `postward audit verify` says where",
                    ));
                }
                after = place.link;
                batch.spans.push((start, start + length));
                batch.places.push(place);
            }
            start += length + 1;
        }
        if start == 0 && left > MAX_LINE * 2 {
            return Err(SinkFault::new(
                "a line of the audit file is longer than one can be: `postward audit verify` says where",
            ));
        }
        batch.n_read = start as u64;
        *offset += start as u64;
        self.after = after;
        // What a crash left at the end of a file that another continues has no line end.
        if !is_live && start == 0 && self.after != newest.link {
            self.at = None;
            if !self.seek_behind(newest)? {
                return Err(SinkFault::new("the audit's files do not hold the line that is due"));
            }
            return self.next(newest, batch);
        }
        Ok(())
    }

    /// Whether it stands at the end of a file that is no longer written and that none continues, though the chain that is
    /// written ends elsewhere: a file was lost, or an older copy was put in its place.
    pub(super) fn is_dead_end(&mut self, newest: &Newest) -> io::Result<bool> {
        let Some((file, offset)) = &self.at else { return Ok(false) };
        let length = file.metadata()?.len();
        if self.after == newest.link
            || id(file)? == newest.file
            || has_line_behind(file, length, *offset)?
        {
            return Ok(false);
        }
        // Where a rotation happens meanwhile, the next file may have been missed; it is not lost.
        let is_continued = self.seek_behind(newest)?;
        Ok(!is_continued && id(&File::open(&self.live)?)? == newest.file)
    }

    /// Goes on in the next file.
    fn seek_behind(&mut self, newest: &Newest) -> io::Result<bool> {
        for path in self.files()? {
            let is_next = match first_in(&path)? {
                Some(first) => first.before == self.after,
                None => id(&File::open(&path)?)? == newest.file && newest.link == self.after,
            };
            if is_next {
                self.at = Some((opened(&path)?, 0));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The files whose names begin alike: the one that is written first, then the others from the newest on.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = vec![self.live.clone()];
        let stem = self.live.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let mut others: Vec<(u64, PathBuf)> = Vec::new();
        for entry in folder(&self.live).read_dir()? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with(stem) || path == self.live || !path.is_file() {
                continue;
            }
            // What may not be read, or goes at this moment, is none of them.
            if let Ok(Some(first)) = first_in(&path) {
                others.push((first.link.seq, path));
            }
        }
        others.sort_unstable_by(|one, other| other.cmp(one));
        files.extend(others.into_iter().map(|(_, path)| path));
        Ok(files)
    }
}

/// Which file it is, whatever it is called.
pub(super) fn id(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// A file; of a compressed one what it says, in a file without a name beside it.
fn opened(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if !is_compressed(&file)? {
        return Ok(file);
    }
    let mut plain = tempfile::tempfile_in(folder(path))?;
    io::copy(&mut MultiGzDecoder::new(BufReader::new(file)), &mut plain)?;
    Ok(plain)
}

fn is_compressed(file: &File) -> io::Result<bool> {
    let mut start = [0; 2];
    Ok(file.read_at(&mut start, 0)? == 2 && start == GZIP)
}

/// How long a file is once it is unpacked, as far as its last bytes say so.
fn unpacked_length(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    if !is_compressed(file)? {
        return Ok(length);
    }
    let mut end = [0; 4];
    file.read_exact_at(&mut end, length.saturating_sub(4))?;
    Ok(u64::from(u32::from_le_bytes(end)))
}

/// The first line of ours in a file, compressed or not.
fn first_in(path: &Path) -> io::Result<Option<Place>> {
    let file = File::open(path)?;
    if !is_compressed(&file)? {
        return first_place(&file, file.metadata()?.len());
    }
    let mut lines = Lines::open(path)?;
    for _ in 0..2 {
        let Some((_, line, _)) = lines.next()? else { return Ok(None) };
        if let Some(place) = Place::of(line) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// The first line of ours in a file, behind one torn line at most.
fn first_place(file: &File, length: u64) -> io::Result<Option<Place>> {
    let mut at = 0;
    for _ in 0..2 {
        let Some((start, line)) = line_at(file, length, at)? else { return Ok(None) };
        if let Some(place) = Place::of(&line) {
            return Ok(Some(place));
        }
        at = start + line.len() as u64 + 1;
    }
    Ok(None)
}

/// Whether a whole line of ours begins at or behind an offset.
fn has_line_behind(file: &File, length: u64, mut at: u64) -> io::Result<bool> {
    while let Some((start, line)) = line_at(file, length, at)? {
        at = start + line.len() as u64 + 1;
        if at <= length && Place::of(&line).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where the line of this place ends, by halving: lines stand in the order of their numbers.
fn end_of(file: &File, length: u64, wanted: Link) -> io::Result<Option<u64>> {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        // The first line of ours that starts at or behind the middle.
        let mut at = start_at(file, length, middle)?;
        let found = loop {
            let Some(start) = at else { break None };
            let Some((start, line)) = line_at(file, length, start)? else { break None };
            let end = start + line.len() as u64 + 1;
            if let Some(place) = Place::of(&line) {
                break Some((start, end, place.link));
            }
            at = Some(end);
        };
        match found {
            Some((_, end, link)) if link.seq == wanted.seq => {
                return Ok((link.hash == wanted.hash).then_some(end.min(length)));
            }
            Some((_, end, link)) if link.seq < wanted.seq => low = end.max(middle + 1),
            // It stands before the middle, or nowhere.
            _ => high = middle,
        }
    }
    Ok(None)
}

/// Where the first line starts that starts at or behind an offset.
fn start_at(file: &File, length: u64, offset: u64) -> io::Result<Option<u64>> {
    if offset == 0 {
        return Ok(Some(0));
    }
    Ok(line_at(file, length, offset - 1)?
        .map(|(start, rest)| start + rest.len() as u64 + 1)
        .filter(|start| *start < length))
}

/// The line, or rest of one, from an offset on, without its end: no more of it than a line can be long.
fn line_at(file: &File, length: u64, offset: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    if offset >= length {
        return Ok(None);
    }
    let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    for size in [4096, 2 * MAX_LINE] {
        bytes.resize(left.min(size), 0);
        file.read_exact_at(&mut bytes, offset)?;
        if let Some(end) = memchr::memchr(b'\n', &bytes) {
            bytes.truncate(end);
            break;
        }
    }
    Ok(Some((offset, bytes)))
}
