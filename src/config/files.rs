//! Reads the files that the configuration names; a file that cannot be read is a fault with its name and remedy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::diagnostic::Source;

/// Largest file that is read: a rule file or word list beyond it is another file by mistake.
const MAX_FILE: u64 = 64 << 20;

/// Whether files outside those that the process was started with are out of its reach.
static LIMITED: AtomicBool = AtomicBool::new(false);

/// Says that from now on a file may be unreadable because it was not there when the sandbox was put on.
pub fn files_are_limited(are: bool) {
    LIMITED.store(are, Relaxed);
}

/// Reads a text file; the error is the reason in words.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| reason(&error))?;
    if !about.is_file() {
        return Err("it is no file".to_owned());
    }
    if about.len() > MAX_FILE {
        return Err("it is larger than 64 MiB".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| reason(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        format!(
            "it is not UTF-8 text (byte {} is not); save it as UTF-8",
            error.utf8_error().valid_up_to()
        )
    })
}

/// The same as a [`Source`].
pub(super) fn source(path: &Path) -> Result<Arc<Source>, String> {
    read(path).map(|text| Source::new(path.display().to_string(), text))
}

/// The `*.toml` files of a folder in the order of their names, or the one file that a path names.
pub(super) fn toml_files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !fs::metadata(path).map_err(|error| reason(&error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| reason(&error))? {
        let file = entry.map_err(|error| reason(&error))?.path();
        let is_hidden =
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a file cannot be read, without the number that the system adds.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied if LIMITED.load(Relaxed) => {
            "this user may not read it, or it lies outside the folders of the files that the sandbox was put on with: then \
             restart"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        kind => kind.to_string(),
    }
}
