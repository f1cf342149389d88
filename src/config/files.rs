//! Reads the files that the configuration names; a file that cannot be read is a fault with its name and remedy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, open};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::diagnostic::Source;

/// Largest file that is read: a rule file or word list beyond it is another file by mistake.
const MAX_FILE: u64 = 64 << 20;

/// Whether files outside those that the process was started with are out of its reach.
static LIMITED: AtomicBool = AtomicBool::new(false);

/// Says that from now on a file may be unreadable because it was not there when the sandbox was put on.
pub fn files_are_limited(are: bool) {
    LIMITED.store(are, Relaxed);
}

/// Whether the sandbox alone keeps this process from reading a file or folder; `None` where there is nothing to read, or
/// something else is in the way.
pub fn is_withheld(path: &Path) -> Option<bool> {
    let about = fs::metadata(path).ok()?;
    if !about.is_file() && !about.is_dir() {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match open(path, flags, Mode::empty()) {
        Ok(_) => Some(false),
        // Landlock has no say in whether a file might be read, only in opening it.
        Err(Errno::ACCESS)
            if LIMITED.load(Relaxed)
                && accessat(CWD, path, Access::READ_OK, AtFlags::EACCESS).is_ok() =>
        {
            Some(true)
        }
        Err(_) => None,
    }
}

/// SHA-256 of a file's bytes.
pub type Digest = [u8; 32];

/// Every file that was read or looked for, and every folder that was listed: by these a change is noticed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// What stood in each; `None` where it could not be read.
    files: BTreeMap<PathBuf, Option<Digest>>,
    /// The files of each that were read; `None` where it could not be listed.
    folders: BTreeMap<PathBuf, (Listed, Option<Vec<PathBuf>>)>,
}

/// Which files of a folder matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Listed {
    /// `*.toml`.
    Toml,
    /// Every one.
    All,
}

impl Listed {
    fn of(self, folder: &Path) -> Option<Vec<PathBuf>> {
        match self {
            Self::Toml => toml_files(folder).ok(),
            Self::All => all_files(folder).ok(),
        }
    }
}

impl Seen {
    /// The files, whether they exist or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// The folders whose files were listed.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.keys().map(PathBuf::as_path)
    }

    /// Files and folders.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files().chain(self.folders())
    }

    /// What stood in a file, or in the files of a folder, when they were read.
    pub fn digests(&self, path: &Path) -> Vec<Option<Digest>> {
        let digest = |file: &PathBuf| self.files.get(file).copied().flatten();
        match self.folders.get(path) {
            Some((_, files)) => files.iter().flatten().map(digest).collect(),
            None => vec![digest(&path.to_owned())],
        }
    }

    /// Adds a file that others read, such as a certificate, or a folder of them.
    pub fn note(&mut self, path: &Path) {
        if !path.is_dir() {
            self.files.insert(path.to_owned(), digest_of(path));
            return;
        }
        let files = Listed::All.of(path);
        self.files.extend(files.iter().flatten().map(|file| (file.clone(), digest_of(file))));
        self.folders.insert(path.to_owned(), (Listed::All, files));
    }

    /// The same files and folders, as they are now.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let files = self.files.keys().map(|file| (file.clone(), digest_of(file)));
        let folders = self
            .folders
            .iter()
            .map(|(folder, (listed, _))| (folder.clone(), (*listed, listed.of(folder))));
        Self { files: files.collect(), folders: folders.collect() }
    }

    /// Whether all of it is as it was read.
    pub fn is_current(&self) -> bool {
        self.files.iter().all(|(file, digest)| digest_of(file) == *digest)
            && self.folders.iter().all(|(folder, (listed, files))| listed.of(folder) == *files)
    }

    /// What the system says of each file and folder, which another of the same name would show by: cheaper than reading
    /// them, and never wrong in saying that nothing has changed.
    pub fn print(&self) -> Vec<Option<Print>> {
        let of_folders = self.folders.iter().flat_map(|(folder, (listed, _))| {
            let files = listed.of(folder);
            let is_there = files.is_some().then(Print::default);
            files.into_iter().flatten().map(|file| print_of(&file)).chain([is_there])
        });
        self.files.keys().map(|file| print_of(file)).chain(of_folders).collect()
    }

    /// One hash over all of it, as hexadecimal digits. Files under `folder` count by their place in it, so that two nodes
    /// with the same files have the same hash.
    pub fn hash(&self, folder: &Path) -> String {
        let mut all = Sha256::new();
        for (file, digest) in &self.files {
            let name = file.strip_prefix(folder).unwrap_or(file);
            all.update(name.as_os_str().as_encoded_bytes());
            all.update([0]);
            all.update(digest.unwrap_or_default());
        }
        all.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// What the system says of one file: its place, its size, and when it was last changed in any way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Print {
    place: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

fn print_of(file: &Path) -> Option<Print> {
    let about = fs::metadata(file).ok()?;
    Some(Print {
        place: (about.dev(), about.ino()),
        size: about.size(),
        written: (about.mtime(), about.mtime_nsec()),
        changed: (about.ctime(), about.ctime_nsec()),
    })
}

fn digest_of(file: &Path) -> Option<Digest> {
    let about = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    if about.len() <= MAX_FILE {
        return fs::read(file).ok().map(|bytes| Sha256::digest(&bytes).into());
    }
    // A roster of millions: another one has another place, or another time.
    let print = print_of(file)?;
    let mut digest = Sha256::new();
    for number in [print.place.0, print.place.1, print.size] {
        digest.update(number.to_le_bytes());
    }
    for number in [print.written.0, print.written.1] {
        digest.update(number.to_le_bytes());
    }
    Some(digest.finalize().into())
}

/// Reads files and remembers which.
#[derive(Debug, Default)]
pub(super) struct Reader(RefCell<Seen>);

impl Reader {
    /// Reads a text file; the error is the reason in words.
    pub(super) fn read(&self, path: &Path) -> Result<String, String> {
        let read = read(path);
        // What is no text cannot be used, and is known by its bytes all the same.
        let digest = match &read {
            Ok(text) => Some(Sha256::digest(text.as_bytes()).into()),
            Err(_) => digest_of(path),
        };
        self.0.borrow_mut().files.insert(path.to_owned(), digest);
        read
    }

    /// The same as a [`Source`].
    pub(super) fn source(&self, path: &Path) -> Result<Arc<Source>, String> {
        self.read(path).map(|text| Source::new(path.display().to_string(), text))
    }

    /// The `*.toml` files of a folder in the order of their names, or the one file that a path names.
    pub(super) fn toml_files(&self, path: &Path) -> Result<Vec<PathBuf>, String> {
        let listed = toml_files(path);
        let files = listed.as_ref().ok().cloned();
        if files.iter().flatten().next().is_none_or(|first| first != path) {
            self.0.borrow_mut().folders.insert(path.to_owned(), (Listed::Toml, files));
        }
        listed
    }

    /// Remembers a file that others read, such as a certificate.
    pub(super) fn note(&self, path: &Path) {
        self.0.borrow_mut().note(path);
    }

    /// What was read so far.
    pub(super) fn seen(&self) -> Seen {
        self.0.borrow().clone()
    }
}

/// Reads a text file; the error is the reason in words.
fn read(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| reason(path, &error))?;
    if !about.is_file() {
        return Err("it is no file".to_owned());
    }
    if about.len() > MAX_FILE {
        return Err("it is larger than 64 MiB".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| reason(path, &error))?;
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
fn toml_files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !fs::metadata(path).map_err(|error| reason(path, &error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = all_files(path)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    Ok(files)
}

/// The files of a folder that are not hidden, in the order of their names.
fn all_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| reason(folder, &error))? {
        let file = entry.map_err(|error| reason(folder, &error))?.path();
        let is_hidden =
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a file cannot be read, without the number that the system adds.
fn reason(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied if is_withheld(path) == Some(true) => {
            "the sandbox was put on without it: restart the proxy".to_owned()
        }
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        kind => kind.to_string(),
    }
}
