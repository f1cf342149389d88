//! The file that a new one continues.
//!
//! Who rotates an audit by hand renames it (`audit.jsonl.1`, `audit-2026-11.jsonl`) and starts anew; a crash right
//! between the two halves of a rotation leaves the same. The new file goes on with the chain of the file beside it
//! whose name begins alike and whose last line has the highest number (an export that lies there has no higher one), so
//! that `audit verify old new` holds and a file that vanished in between shows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::audit::chain::Link;
use crate::audit::segments::{COMPRESSED, folder, last_of, segments};
use crate::audit::tail::{self, Tail};

/// Where the longest chain of the renamed files and segments ends; `None` where there is no such file.
pub(super) fn link(file: &Path) -> Option<Link> {
    let stem = file.file_stem()?.to_str()?;
    let segments = segments(file).unwrap_or_default();
    let alike: Vec<(SystemTime, PathBuf)> = folder(file)
        .read_dir()
        .ok()?
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            Some(name.as_os_str()) != file.file_name()
                && name.to_str().is_some_and(|name| name.starts_with(stem))
                // Of segments the last one alone is read, below.
                && !segments.iter().any(|segment| segment.path == entry.path())
        })
        .filter_map(|entry| {
            // Through links: `entry.metadata` would be theirs.
            let metadata = entry.path().metadata().ok()?;
            let is_file = metadata.is_file() && metadata.len() > 0;
            is_file.then_some((metadata.modified().ok()?, entry.path()))
        })
        .collect();
    let is_compressed = |path: &Path| path.to_str().is_some_and(|name| name.ends_with(COMPRESSED));
    let (mut compressed, plain): (Vec<_>, Vec<_>) =
        alike.into_iter().partition(|(_, path)| is_compressed(path));
    compressed.sort_unstable_by(|one, other| other.cmp(one));
    let last_segment = segments.iter().rev().find_map(|segment| newest_line(&segment.path));
    let newest_compressed = compressed.iter().find_map(|(_, path)| newest_line(path));
    plain
        .iter()
        .filter_map(|(written, path)| Some((newest_line(path)?, *written)))
        .max_by_key(|(link, written)| (link.seq, *written))
        .map(|(link, _)| link)
        .into_iter()
        .chain(newest_compressed)
        .chain(last_segment)
        .max_by_key(|link| link.seq)
}

/// The newest line of a file; `None` of whatever is no audit.
fn newest_line(path: &Path) -> Option<Link> {
    if path.to_str().is_some_and(|name| name.ends_with(COMPRESSED)) {
        // All of it is read.
        return last_of(path).ok()?;
    }
    match tail::examine(&File::open(path).ok()?).ok()? {
        Tail::Whole { link, .. } | Tail::Torn { link, .. } if link != Link::START => Some(link),
        Tail::Whole { .. } | Tail::Torn { .. } | Tail::Damaged => None,
    }
}
