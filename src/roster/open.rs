//! Maps the file of a roster and checks that it is one, is whole, and belongs to the key.

use std::fs::File;
use std::path::Path;

use crate::roster::Key;
use crate::roster::error::OpenError;
use crate::roster::format::{HEAD, Head, HeadFault};
use crate::roster::index::{Bytes, Index};
use crate::roster::term::Hasher;

/// Up to this size every block is checked when the file is opened; of a larger one each is checked when it is first
/// touched, and all of them by whoever asks for [`Index::check_whole`].
const CHECKED_AT_ONCE: usize = 32 << 20;

impl Index {
    /// Maps a file. It must be replaced by renaming: one that is cut off in place while it is mapped ends the process,
    /// which lets nothing pass.
    pub fn open(path: &Path, key: &Key) -> Result<Self, OpenError> {
        let unread = |source| OpenError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unread)?;
        if file.metadata().map_err(unread)?.len() < HEAD as u64 {
            return Err(OpenError::NoRoster { path: path.to_owned() });
        }
        #[expect(
            unsafe_code,
            reason = "the one map of the crate: read-only, of a file that is only ever replaced by renaming"
        )]
        // SAFETY: the map is read-only and private to this process. Another process that wrote into the file could
        // change bytes under us: they are plain data, copied out before use, and checked against a MAC once; writing
        // needs the rights of the roster's owner, who may replace it anyway.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(unread)?;
        Self::of_bytes(Bytes::Mapped(map), path, key)
    }

    /// The same of bytes in memory, such as of a few patients in a test.
    pub fn of_memory(bytes: Vec<u8>, key: &Key) -> Result<Self, OpenError> {
        Self::of_bytes(Bytes::Held(bytes), Path::new("(memory)"), key)
    }

    fn of_bytes(bytes: Bytes, path: &Path, key: &Key) -> Result<Self, OpenError> {
        let path = || path.to_owned();
        let fault = |fault| match fault {
            HeadFault::NoRoster => OpenError::NoRoster { path: path() },
            HeadFault::Altered => OpenError::Altered { path: path() },
        };
        let whole = bytes.get();
        let (key_id, salt) = Head::key_and_salt(whole).map_err(fault)?;
        if key_id != key.id() {
            return Err(OpenError::OtherKey { path: path() });
        }
        let hasher = Hasher::new(key, &salt);
        let head = Head::read(whole, &hasher.blocks).map_err(fault)?;
        let found = whole.len() as u64;
        if found != head.about.n_bytes {
            return Err(OpenError::Length { path: path(), found, expected: head.about.n_bytes });
        }
        let seals = usize::try_from(head.seals).ok().and_then(|at| whole.get(at..));
        let sealed = seals.map(|seals| *blake3::keyed_hash(&hasher.blocks, seals).as_bytes());
        if sealed != Some(head.seals_hash) {
            return Err(OpenError::Altered { path: path() });
        }
        let is_small = whole.len() <= CHECKED_AT_ONCE;
        let index = Self::new(bytes, head, hasher);
        if is_small && !index.check_whole() {
            return Err(OpenError::Altered { path: path() });
        }
        Ok(index)
    }
}
