//! The file under the chain: appended to, synced, cut back after a failed write, held by one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::audit::AuditError;
use crate::audit::segments::{COMPRESSED, folder};

/// What the writer asks of a file; tests put one in its place that fails.
pub(super) trait Store: Send + 'static {
    /// Whether the file is still there, and as long as we left it.
    fn check(&self, length: u64) -> io::Result<()>;

    /// Device and inode of what is written, whatever it is called.
    fn id(&self) -> (u64, u64);

    /// Appends all bytes, or fails with some of them written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when the disk has what was appended.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file back to a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Gives the file another name in its folder and goes on with a new one under its own.
    fn rotate(&mut self, name: &str) -> io::Result<()>;
}

/// How often a file is opened that is renamed meanwhile.
const OPEN_TRIES: usize = 3;

/// A locked file.
#[derive(Debug)]
pub(super) struct FileStore {
    file: File,
    path: PathBuf,
}

impl FileStore {
    /// Opens or makes the file, for its owner only, and locks it. The lock goes with the process, however it ends.
    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        // Whoever held the lock may have given the file another name between our opening and our locking it.
        for _ in 0..OPEN_TRIES {
            let store = Self::open_once(path)?;
            if is_named(&store.file, path) {
                return Ok(store);
            }
        }
        Err(AuditError::InUse { file: path.to_owned() })
    }

    fn open_once(path: &Path) -> Result<Self, AuditError> {
        let failed = |source| AuditError::Open { file: path.to_owned(), source };
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(AuditError::NotAFile { file: path.to_owned() });
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(AuditError::InUse { file: path.to_owned() });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        if is_new {
            // Otherwise a power cut could take the new name with the lines behind it.
            File::open(folder(path)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// Whether this is the file that the name leads to.
fn is_named(file: &File, path: &Path) -> bool {
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().ok().map(id).is_some_and(|ours| path.metadata().ok().map(id) == Some(ours))
}

/// A file that was not there before, for its owner only, and locked.
fn new_file(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

impl Store for FileStore {
    fn id(&self) -> (u64, u64) {
        self.file.metadata().map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()))
    }

    fn check(&self, length: u64) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        // A file that somebody removed takes lines and keeps none of them.
        if metadata.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the audit file was removed"));
        }
        // One that somebody cut or wrote to is evidence, and nothing is added to it. We could not cut it back after a
        // failed write either, without taking lines that were answered for.
        if metadata.len() != length {
            let what = "somebody else changed the audit file";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        // Of a file that somebody made shorter meanwhile, this would make a longer one, of zeros.
        if self.file.metadata()?.len() <= length {
            return Ok(());
        }
        self.file.set_len(length)
    }

    fn rotate(&mut self, name: &str) -> io::Result<()> {
        self.file.sync_all()?;
        let to = self.path.with_file_name(name);
        let (ours, named) = (self.file.metadata()?, self.path.metadata());
        match named {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {
                // A compressed file of that name would be taken for this one's, and replaced.
                let compressed = self.path.with_file_name(format!("{name}{COMPRESSED}"));
                if to.try_exists()? || compressed.try_exists()? {
                    let what = "there is a file of the name that it would get";
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
                }
                std::fs::rename(&self.path, &to)?;
            }
            // Somebody renamed it, as was done before this was: nothing but a new file is missing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => {
                let what = "another file has taken the audit file's name";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
            }
            Err(error) => return Err(error),
        }
        match new_file(&self.path) {
            Ok(file) => self.file = file,
            Err(error) => {
                // So that the name leads to what is written meanwhile; if not even that works, the old file goes on under
                // its new name, and the chain is whole all the same.
                if !self.path.try_exists().unwrap_or(true) {
                    let _ = std::fs::rename(&to, &self.path);
                }
                return Err(error);
            }
        }
        File::open(folder(&self.path))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FileStore, Store as _, is_named};

    #[test]
    fn a_file_that_was_renamed_is_not_the_one_of_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let store = FileStore::open(&path).unwrap();
        assert!(is_named(store.file(), &path));
        fs::rename(&path, folder.path().join("audit.jsonl.1")).unwrap();
        assert!(!is_named(store.file(), &path));
        fs::write(&path, "another").unwrap();
        assert!(!is_named(store.file(), &path));
    }

    #[test]
    fn no_file_is_rotated_to_a_name_that_is_taken_compressed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut store = FileStore::open(&path).unwrap();
        store.append(b"a line\n").unwrap();
        for taken in ["one", "one.gz"] {
            fs::write(folder.path().join(taken), "evidence").unwrap();
            assert!(store.rotate("one").is_err(), "{taken}");
            assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "evidence");
            assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
            fs::remove_file(folder.path().join(taken)).unwrap();
        }
        store.rotate("one").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("one")).unwrap(), "a line\n");
    }
}
