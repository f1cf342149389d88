//! The file that a new one continues.
//!
//! Who rotates an audit by hand renames it (`audit.jsonl.1`, `audit-2026-11.jsonl`) and starts anew. The new file
//! goes on with the chain of the newest file beside it whose name begins alike, so that `audit verify old new` holds
//! and a file that vanished in between shows.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use crate::audit::chain::Link;
use crate::audit::tail::{self, Tail};

/// Where the chain of the newest renamed file ends; `None` where there is no such file.
pub(super) fn link(file: &Path) -> Option<Link> {
    let stem = file.file_stem()?.to_str()?;
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut newest: Option<(SystemTime, Link)> = None;
    for entry in folder.read_dir().ok()?.flatten() {
        let name = entry.file_name();
        let alike = name.to_str().is_some_and(|name| name.starts_with(stem));
        if !alike || Some(name.as_os_str()) == file.file_name() {
            continue;
        }
        let Some((changed, link)) = newest_line(&entry.path()) else { continue };
        if newest.as_ref().is_none_or(|(other, _)| *other < changed) {
            newest = Some((changed, link));
        }
    }
    newest.map(|(_, link)| link)
}

/// When a file was last written, and its newest line; `None` of whatever is no audit.
fn newest_line(path: &Path) -> Option<(SystemTime, Link)> {
    let metadata =
        path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() > 0)?;
    match tail::examine(&File::open(path).ok()?).ok()? {
        Tail::Whole { link, .. } | Tail::Torn { link, .. } if link != Link::START => {
            Some((metadata.modified().ok()?, link))
        }
        Tail::Whole { .. } | Tail::Torn { .. } | Tail::Damaged => None,
    }
}
