//! Reads or maps the file of a roster and checks that it is one, is whole, and belongs to the key.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::fs::OFlags;

use crate::roster::Key;
use crate::roster::error::OpenError;
use crate::roster::format::{HEAD, Head, HeadFault};
use crate::roster::index::{Bytes, Index};
use crate::roster::term::Hasher;

/// Up to this size every block is checked when the file is opened; of a larger one each is checked when it is first
/// touched, and all of them by whoever asks for [`Index::check_whole`].
const CHECKED_AT_ONCE: usize = 32 << 20;

/// Up to this size a roster is read into memory of our own, where nobody can change it once it was checked: some two
/// million patients, in a fraction of a second. A larger one is mapped, so that it opens at once and its pages are the
/// kernel's to drop; then it is [`Watched`].
const HELD: u64 = 256 << 20;

/// The file behind a map, and what it was when it was opened.
#[derive(Debug)]
pub(super) struct Watched {
    file: File,
    about: [u64; 3],
    wrote: [i64; 2],
    /// When its name, rights or number of links last changed, in nanoseconds; the last that was seen.
    touched: AtomicI64,
}

/// How a file is beside what it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Since {
    /// As it was.
    Same,
    /// Renamed over, or given other rights; perhaps written and its time set back.
    Touched,
    /// Written to, or cut off.
    Written,
}

impl Watched {
    fn new(file: File) -> io::Result<Self> {
        let at = file.metadata()?;
        let touched = AtomicI64::new(touched(&at));
        Ok(Self {
            about: [at.dev(), at.ino(), at.len()],
            wrote: [at.mtime(), at.mtime_nsec()],
            touched,
            file,
        })
    }

    /// What became of the file since this was last asked. A file that cannot be asked counts as written to.
    pub(super) fn since(&self) -> Since {
        let Ok(at) = self.file.metadata() else { return Since::Written };
        let about = [at.dev(), at.ino(), at.len()];
        if about != self.about || [at.mtime(), at.mtime_nsec()] != self.wrote {
            return Since::Written;
        }
        let now = touched(&at);
        if self.touched.swap(now, Ordering::AcqRel) == now { Since::Same } else { Since::Touched }
    }
}

fn touched(at: &Metadata) -> i64 {
    at.ctime().wrapping_mul(1_000_000_000).wrapping_add(at.ctime_nsec())
}

impl Index {
    /// Reads a file, or maps a very large one. It must be replaced by renaming: of one that is mapped, each post sees
    /// whether it was written to ([`Index::is_damaged`]), but one that is cut off in the middle of a look-up ends the
    /// process, which lets nothing pass.
    pub fn open(path: &Path, key: &Key) -> Result<Self, OpenError> {
        Self::open_holding(path, key, HELD)
    }

    /// The same, where what is larger than `held` bytes is mapped.
    pub(crate) fn open_holding(path: &Path, key: &Key, held: u64) -> Result<Self, OpenError> {
        let unread = |source| OpenError::Read { path: path.to_owned(), source };
        // A named pipe without a writer would be waited for.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let mut file =
            OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unread)?;
        let about = file.metadata().map_err(unread)?;
        if !about.is_file() || about.len() < HEAD as u64 {
            return Err(OpenError::NoRoster { path: path.to_owned() });
        }
        if about.len() <= held {
            let mut bytes = Vec::new();
            let n = usize::try_from(about.len()).unwrap_or(usize::MAX);
            bytes.try_reserve_exact(n).map_err(|_| unread(io::ErrorKind::OutOfMemory.into()))?;
            // A file that grows meanwhile is not read beyond what was reserved; then its length is refused.
            file.by_ref().take(about.len()).read_to_end(&mut bytes).map_err(unread)?;
            return Self::of_bytes(Bytes::Held(bytes), path, key);
        }
        #[expect(
            unsafe_code,
            reason = "the one map of the crate: read-only, of a file that is only ever replaced by renaming"
        )]
        // SAFETY: the map is read-only and private to this process. Another process that wrote into the file could
        // change bytes under us: they are plain data, copied out before use, and checked against a MAC; writing
        // needs the rights of the roster's owner, and is noticed before and after the look-ups of each post.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(unread)?;
        let watched = Watched::new(file).map_err(unread)?;
        Self::of_bytes(Bytes::Mapped(map, watched), path, key)
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
