//! Rotated files: what they are called, and which of them belong to a live file.
//!
//! `audit.jsonl` becomes `audit-2026-11-23-000000000001.jsonl`: the day of its first line (UTC) and that line's number.
//! Sorted by name they stand in the order of the chain, unless the clock was set back meanwhile. `.gz` follows once a segment is compressed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::audit::chain::{self, Hash, Line, Link, MAX_LINE};
use crate::audit::lines::Lines;

/// Digits of the number in a name: a hundred posts a second for three centuries.
const DIGITS: usize = 12;

/// What a compressed segment's name ends with.
pub(super) const COMPRESSED: &str = ".gz";

/// One rotated file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// The number of its first line.
    pub first_seq: u64,
    /// The day of its first line.
    pub day: Date,
    /// Whether it is compressed.
    pub compressed: bool,
}

/// The name that a file gets when it is rotated.
pub(super) fn name(live: &Path, day: Date, first_seq: u64) -> Option<String> {
    let (stem, ending) = parts(live)?;
    Some(format!("{stem}-{day}-{first_seq:0DIGITS$}{ending}"))
}

/// The segments of a live file in the order of their numbers, which a clock that was set back does not change. Of one that was being compressed when the process ended, the plain one.
pub fn segments(live: &Path) -> io::Result<Vec<Segment>> {
    let Some((stem, ending)) = parts(live) else { return Ok(Vec::new()) };
    let mut found: BTreeMap<(u64, Date), Segment> = BTreeMap::new();
    for entry in folder(live).read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some((day, first_seq, compressed)) =
            name.to_str().and_then(|name| read_name(name, stem, &ending))
        else {
            continue;
        };
        let segment = Segment { path: entry.path(), first_seq, day, compressed };
        match found.entry((first_seq, day)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(segment);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                if !compressed {
                    place.insert(segment);
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Files as given, each preceded by its own segments that were not given, so that `audit.jsonl` stands for its whole chain.
pub fn with_segments(files: &[PathBuf]) -> Vec<PathBuf> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let given: Vec<PathBuf> = files.iter().map(|file| real(file)).collect();
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        // What cannot be listed is not there to be read either; the file itself says so when it is opened.
        for segment in segments(file).unwrap_or_default() {
            if !given.contains(&real(&segment.path)) && !all.contains(&segment.path) {
                all.push(segment.path);
            }
        }
        all.push(file.clone());
    }
    all
}

/// The folder of a file.
pub(super) fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The number and the day of a file's first line; `None` of a file without a line of ours.
pub(super) fn first_of(path: &Path) -> io::Result<Option<(u64, Date)>> {
    let mut lines = Lines::open(path)?;
    // Behind one torn line at most.
    for _ in 0..2 {
        let Some((_, line, true)) = lines.next()? else { return Ok(None) };
        if let Line::Sealed(sealed) = chain::read(line) {
            return Ok(day_of(line).map(|day| (sealed.link.seq, day)));
        }
    }
    Ok(None)
}

/// The day of the newest line of a live file, or of its newest segment; `None` where there is none.
pub(super) fn newest_day(live: &Path) -> io::Result<Option<Date>> {
    if let Some(day) = last_day(live)? {
        return Ok(Some(day));
    }
    let newest = segments(live)?.pop();
    newest.map_or(Ok(None), |segment| last_day(&segment.path))
}

/// The day of a file's last line: of a plain one no more is read than its end.
fn last_day(path: &Path) -> io::Result<Option<Date>> {
    if path.extension().is_some_and(|ending| ending == "gz") {
        let (mut lines, mut last) = (Lines::open(path)?, None);
        while let Some((_, line, fits)) = lines.next()? {
            last = day_of(line).filter(|_| fits).or(last);
        }
        return Ok(last);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * MAX_LINE as u64);
    let mut end = vec![0; usize::try_from(length - start).unwrap_or(0)];
    file.read_exact_at(&mut end, start)?;
    Ok(end.rsplit(|byte| *byte == b'\n').find_map(day_of))
}

/// The newest line of a file, compressed or not, and none of a file without one.
pub(super) fn last_of(path: &Path) -> io::Result<Option<Link>> {
    let mut lines = Lines::open(path)?;
    let mut last = None;
    while let Some((_, line, fits)) = lines.next()? {
        if fits && let Line::Sealed(sealed) = chain::read(line) {
            last = Some(sealed.link);
        }
    }
    Ok(last.filter(|link| link.hash != Hash::NONE))
}

/// The day in `{"time":"2026-11-23T..`.
fn day_of(line: &[u8]) -> Option<Date> {
    let text = line.strip_prefix(b"{\"time\":\"")?.get(..10)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `audit` and `.jsonl`.
fn parts(live: &Path) -> Option<(&str, String)> {
    let stem = live.file_stem().and_then(OsStr::to_str)?;
    let ending = live.extension().and_then(OsStr::to_str);
    Some((stem, ending.map(|ending| format!(".{ending}")).unwrap_or_default()))
}

fn read_name(name: &str, stem: &str, ending: &str) -> Option<(Date, u64, bool)> {
    let (name, compressed) = match name.strip_suffix(COMPRESSED) {
        Some(name) => (name, true),
        None => (name, false),
    };
    let middle = name.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(ending)?;
    let (day, number) = middle.rsplit_once('-')?;
    if number.len() < DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((day.parse().ok().filter(|_| day.len() == 10)?, number.parse().ok()?, compressed))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use jiff::civil::date;

    use super::{name, segments, with_segments};

    #[test]
    fn names_sort_in_the_order_of_the_chain_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("audit.jsonl");
        let day = date(2026, 11, 23);
        assert_eq!(name(&live, day, 7).unwrap(), "audit-2026-11-23-000000000007.jsonl");
        assert_eq!(name(Path::new("trail"), day, 7).unwrap(), "trail-2026-11-23-000000000007");
        for file in [
            "audit-2026-11-23-000000000100.jsonl",
            "audit-2026-11-23-000000000007.jsonl.gz",
            "audit-2026-11-23-000000000007.jsonl",
            "audit-2026-10-01-000000000001.jsonl.gz",
            "audit-2026-11.jsonl",
            "audit-2026-11-23-1.jsonl",
            "audit-2026-13-23-000000000007.jsonl",
            "audit-x-2026-11-23-000000000007.jsonl",
            "audit.jsonl",
            "audit.jsonl.1",
            ".audit-2026-11-23-000000000007.jsonl.gz.part",
        ] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let found = segments(&live).unwrap();
        let seen: Vec<_> = found.iter().map(|s| (s.first_seq, s.compressed)).collect();
        assert_eq!(seen, [(1, true), (7, false), (100, false)]);
        // The clock was set back over midnight: numbers go on, days do not.
        fs::write(folder.path().join("audit-2026-11-22-000000000200.jsonl"), "").unwrap();
        let seqs: Vec<_> = segments(&live).unwrap().iter().map(|s| s.first_seq).collect();
        assert_eq!(seqs, [1, 7, 100, 200]);
        fs::remove_file(folder.path().join("audit-2026-11-22-000000000200.jsonl")).unwrap();
        // What was given itself is not given twice.
        let given = [found[1].path.clone(), live.clone()];
        let all = with_segments(&given);
        assert_eq!(all.len(), 4);
        assert_eq!((&all[0], &all[3]), (&found[1].path, &live));
    }
}
