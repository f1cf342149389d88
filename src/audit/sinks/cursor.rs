//! How far a sink has come, in a small file beside the audit: so that a restart knows it also while the sink is down.
//!
//! It stands in the audit's folder as `.<file>.<sink>.cursor`, is replaced whole, and never says more than the sink holds. Without
//! it nothing is lost and nothing is sent twice to a place that can tell what it holds; a place that cannot (syslog) would
//! be sent everything again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audit::chain::{Hash, Link};
use crate::audit::segments::folder;

/// Longest file that is read as one.
const MOST_BYTES: u64 = 4096;

/// How far a sink has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cursor {
    /// The newest line that it holds.
    pub(super) end: Link,
    /// See [`Backlog::allowance`](super::Backlog).
    pub(super) allowance: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    seq: u64,
    hash: String,
    allowance: u64,
}

/// The file of one sink's cursor.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    saved: Option<Cursor>,
}

impl CursorFile {
    pub(super) fn of(audit: &Path, sink: &str) -> Self {
        let name = audit.file_name().unwrap_or_default().to_string_lossy();
        Self { path: audit.with_file_name(format!(".{name}.{sink}.cursor")), saved: None }
    }

    /// What it says; `None` where there is none yet, or what stands there is none of ours.
    pub(super) fn read(&mut self) -> Option<Cursor> {
        let is_short = fs::metadata(&self.path).ok()?.len() <= MOST_BYTES;
        let text = is_short.then(|| fs::read(&self.path).ok()).flatten()?;
        let written: Written = serde_json::from_slice(&text).ok()?;
        let hash = Hash::parse(written.hash.as_bytes())?;
        let end = Link { seq: written.seq, hash };
        self.saved = Some(Cursor { end, allowance: written.allowance });
        self.saved
    }

    /// Whether anything stands where it should.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Replaces it. The disk has it when this returns: a cursor that a power cut emptied would make room in the spool.
    pub(super) fn write(&mut self, cursor: Cursor) -> io::Result<()> {
        if self.saved == Some(cursor) {
            return Ok(());
        }
        let Cursor { end, allowance } = cursor;
        let written = Written { seq: end.seq, hash: end.hash.to_string(), allowance };
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.sync_data()?;
        fs::rename(&beside, &self.path)?;
        if self.saved.is_none() {
            // Its name, too; later ones replace what is there already.
            File::open(folder(&self.path))?.sync_data()?;
        }
        self.saved = Some(cursor);
        Ok(())
    }
}
