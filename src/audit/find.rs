//! Finds the events of one post by the reference that its author was shown, in files of any length.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audit::chain::{self, Line};
use crate::audit::lines::Lines;

/// One event's line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line as it stands there, without its end.
    pub text: String,
    /// Whether its hash is that of its words. `false`: somebody changed it.
    pub intact: bool,
}

/// Keys by which a line is known.
#[derive(Deserialize)]
struct Keys<'l> {
    #[serde(borrow, default, rename = "ref")]
    reference: Option<&'l str>,
    #[serde(borrow, default)]
    id: Option<&'l str>,
}

/// The decision with this reference and what became of its post, in files given oldest first. Capitals do not matter:
/// references are read out on the telephone. Memory is that of one line and of what is found.
pub fn find(files: &[&Path], reference: &str) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for file in files {
        let mut lines = Lines::open(file)?;
        while let Some((number, line, fits)) = lines.next()? {
            if !fits {
                continue;
            }
            let Ok(keys) = serde_json::from_slice::<Keys<'_>>(line) else { continue };
            if keys.reference.is_some_and(|own| own.eq_ignore_ascii_case(reference)) {
                ids.extend(keys.id.map(ToOwned::to_owned));
            } else if keys.id.is_none_or(|id| !ids.contains(id)) {
                continue;
            }
            let Ok(text) = std::str::from_utf8(line) else { continue };
            found.push(Found {
                file: file.to_path_buf(),
                line: number,
                text: text.to_owned(),
                intact: matches!(chain::read(line), Line::Sealed(_)),
            });
        }
    }
    Ok(found)
}
