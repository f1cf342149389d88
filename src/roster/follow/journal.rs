//! What was acknowledged, on disk and under a key: groups of entries, each group one sealed box, synced before any of its
//! messages is acknowledged.
//!
//! ```text
//! head     48 bytes   what it is, key id, salt
//! group    marker 16, length 4, sealed entries (AES-256-GCM; the number of the group is the nonce)
//! entry    kind 1, slot 4, length 4, bytes
//! ```
//!
//! A group that cannot be opened and has none behind it was never synced whole, and nobody was told that it was: it is
//! passed over. One with another behind it was, so the file was altered, and is refused.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tempfile::NamedTempFile;

use crate::roster::Key;

const MAGIC: [u8; 16] = *b"postward-journal";
const VERSION: u64 = 1;
const HEAD: usize = 16 + 8 + 8 + 16;
const MARKER: usize = 16;
/// The longest group, in bytes.
const LONGEST: usize = 64 << 20;
/// Entries of a file that is written anew are put together to groups of so many bytes.
const PIECE: usize = 1 << 20;

/// What stands in a journal.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Entry<'b> {
    /// A patient as they are now.
    Put(u32, &'b [u8]),
    /// A patient that is no more.
    Gone(u32),
    /// A message that was applied: a hash of it.
    Seen(&'b [u8]),
}

/// Shows no bytes.
impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl Entry<'_> {
    pub(super) fn write(self, to: &mut Vec<u8>) {
        let (kind, slot, bytes) = match self {
            Self::Put(slot, bytes) => (1, slot, bytes),
            Self::Gone(slot) => (2, slot, &[][..]),
            Self::Seen(mark) => (3, 0, mark),
        };
        to.push(kind);
        to.extend_from_slice(&slot.to_le_bytes());
        to.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        to.extend_from_slice(bytes);
    }
}

/// Why a journal cannot be used. No word of a patient.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal {} cannot be read or written", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no journal, or one of another version or key.
    #[error("{} is no journal of this key and version", path.display())]
    Other {
        /// Which file.
        path: PathBuf,
    },
    /// Something that was acknowledged is not as it was written.
    #[error("the journal {} was altered or damaged", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
    },
    /// Another process writes it.
    #[error("another process listens for this roster: {} is locked", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
}

/// A journal being written.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    sealer: Sealer,
    /// Bytes so far, and when it was written anew.
    pub(super) n_bytes: u64,
    pub(super) n_at_first: u64,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("n_bytes", &self.n_bytes).finish_non_exhaustive()
    }
}

/// Seals the groups of one file, or opens them.
struct Sealer {
    key: LessSafeKey,
    marker: [u8; MARKER],
    nth: u64,
}

impl Sealer {
    fn new(key: &Key, salt: &[u8; 16]) -> Option<Self> {
        let secret = key.purpose("journal", salt);
        let marker = key.purpose("marker of the journal", salt);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*secret).ok()?);
        Some(Self { key, marker: marker.first_chunk().copied()?, nth: 0 })
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        for (slot, byte) in nonce.iter_mut().zip(self.nth.to_le_bytes()) {
            *slot = byte;
        }
        self.nth += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, entries: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = entries.to_vec();
        let nonce = self.nonce();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(self.marker), &mut sealed)
            .map_err(|_| io::Error::other("the group cannot be sealed"))?;
        let n =
            u32::try_from(sealed.len()).map_err(|_| io::Error::other("the group is too long"))?;
        let mut group = Vec::with_capacity(MARKER + 4 + sealed.len());
        group.extend_from_slice(&self.marker);
        group.extend_from_slice(&n.to_le_bytes());
        group.append(&mut sealed);
        Ok(group)
    }

    /// The entries of the next group, and what stands behind it. `None` of what is no whole group.
    fn open<'b>(&mut self, bytes: &'b mut [u8]) -> Option<(&'b [u8], &'b mut [u8])> {
        let rest = bytes.strip_prefix_mut_of(&self.marker)?;
        let (length, rest) = rest.split_first_chunk_mut::<4>()?;
        let n = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|n| *n <= LONGEST)?;
        let (sealed, rest) = rest.split_at_mut_checked(n)?;
        let nonce = self.nonce();
        let entries = self.key.open_in_place(nonce, Aad::from(self.marker), sealed).ok()?;
        Some((entries, rest))
    }
}

/// What slices lack: a prefix taken off one that may be changed.
trait StripPrefixMut {
    fn strip_prefix_mut_of(&mut self, prefix: &[u8]) -> Option<&mut [u8]>;
}

impl StripPrefixMut for [u8] {
    fn strip_prefix_mut_of(&mut self, prefix: &[u8]) -> Option<&mut [u8]> {
        if self.starts_with(prefix) { self.get_mut(prefix.len()..) } else { None }
    }
}

/// What a journal said when it was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadBack {
    /// Bytes at its end that were never synced whole.
    pub(super) n_torn: usize,
}

impl Journal {
    /// Reads what there is; a file that is not there has nothing. `each` is given every entry in its order, and says
    /// whether it can be used.
    pub(super) fn read(
        path: &Path,
        key: &Key,
        mut each: impl FnMut(Entry<'_>) -> bool,
    ) -> Result<ReadBack, JournalError> {
        let mut bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ReadBack::default()),
            Err(source) => return Err(JournalError::Io { path: path.to_owned(), source }),
        };
        let other = || JournalError::Other { path: path.to_owned() };
        let altered = || JournalError::Altered { path: path.to_owned() };
        let (head, mut rest) = bytes.split_at_mut_checked(HEAD).ok_or_else(other)?;
        let (magic, head) = head.split_at(MAGIC.len());
        let (version, head) = head.split_at(8);
        let (id, salt) = head.split_at(8);
        if magic != MAGIC || version != VERSION.to_le_bytes() || id != key.id() {
            return Err(other());
        }
        let salt = salt.try_into().map_err(|_| other())?;
        let mut sealer = Sealer::new(key, &salt).ok_or_else(other)?;
        // Where the last group begins: what stands before it was synced before it began.
        let n_all = rest.len();
        let last = memchr::memmem::rfind(rest, &sealer.marker).unwrap_or(0);
        while !rest.is_empty() {
            let n_left = rest.len();
            let Some((entries, behind_it)) = sealer.open(rest) else {
                if n_all - n_left < last {
                    return Err(altered());
                }
                return Ok(ReadBack { n_torn: n_left });
            };
            let mut entries = entries;
            while !entries.is_empty() {
                let (entry, more) = entry(entries).ok_or_else(altered)?;
                if !each(entry) {
                    return Err(altered());
                }
                entries = more;
            }
            rest = behind_it;
        }
        Ok(ReadBack::default())
    }

    /// Writes a journal anew, of these entries, in place of an older one. It is locked for as long as it is held.
    pub(super) fn create<'e>(
        path: &Path,
        key: &Key,
        entries: impl Iterator<Item = Entry<'e>>,
    ) -> Result<Self, JournalError> {
        Self::write_anew(path, key, entries)
            .map_err(|source| JournalError::Io { path: path.to_owned(), source })
    }

    fn write_anew<'e>(
        path: &Path,
        key: &Key,
        entries: impl Iterator<Item = Entry<'e>>,
    ) -> io::Result<Self> {
        let mut salt = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut salt)?;
        let sealer = Sealer::new(key, &salt).ok_or_else(|| io::Error::other("no cipher"))?;
        let folder = folder(path);
        let mut temporary = NamedTempFile::with_prefix_in(".roster-", folder)?;
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&key.id());
        head.extend_from_slice(&salt);
        temporary.write_all(&head)?;
        let file = temporary.as_file().try_clone()?;
        let mut journal =
            Self { path: path.to_owned(), file, sealer, n_bytes: HEAD as u64, n_at_first: 0 };
        let mut piece = Vec::new();
        for entry in entries {
            entry.write(&mut piece);
            if piece.len() >= PIECE {
                journal.write(&piece)?;
                piece.clear();
            }
        }
        journal.write(&piece)?;
        journal.file.sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
        journal.n_at_first = journal.n_bytes;
        Ok(journal)
    }

    fn write(&mut self, entries: &[u8]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        if entries.len() > LONGEST - 64 {
            return Err(io::Error::other("the group is too long"));
        }
        let group = self.sealer.seal(entries)?;
        self.file.write_all(&group)?;
        self.n_bytes += group.len() as u64;
        Ok(())
    }

    /// Appends one group; once this returns it is on the disk. After an error nothing may be appended any more: what is
    /// on the disk is not known.
    pub(super) fn append(&mut self, entries: &[u8]) -> Result<(), JournalError> {
        let written = self.write(entries).and_then(|()| self.file.sync_data());
        written.map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }
}

/// Keeps all other processes from following the same roster for as long as it is held.
pub(super) fn lock(path: &Path) -> Result<File, JournalError> {
    let unread = |source| JournalError::Io { path: path.to_owned(), source };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(unread)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(_) => Err(JournalError::Locked { path: path.to_owned() }),
    }
}

pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (slot, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) =
        rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let slot = u32::from_le_bytes(*slot);
    let entry = match kind {
        1 => Entry::Put(slot, value),
        2 => Entry::Gone(slot),
        3 => Entry::Seen(value),
        _ => return None,
    };
    Some((entry, rest))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Entry, Journal, JournalError, lock};
    use crate::roster::Key;

    fn key(last: u8) -> Key {
        Key::of(&[last; 16]).unwrap()
    }

    fn read(path: &Path, key: &Key) -> Result<(Vec<String>, usize), JournalError> {
        let mut entries = Vec::new();
        let back = Journal::read(path, key, |entry| {
            entries.push(match entry {
                Entry::Put(slot, bytes) => {
                    format!("{slot} {}", std::str::from_utf8(bytes).unwrap())
                }
                Entry::Gone(slot) => format!("{slot} gone"),
                Entry::Seen(mark) => format!("seen {}", mark.len()),
            });
            true
        })?;
        Ok((entries, back.n_torn))
    }

    fn group(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut group = Vec::new();
        for entry in entries {
            entry.write(&mut group);
        }
        group
    }

    #[test]
    fn what_was_appended_is_read_back_and_no_plain_byte_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        assert_eq!(read(&path, &key(1)).unwrap(), (vec![], 0), "there is none yet");
        let mut journal =
            Journal::create(&path, &key(1), [Entry::Put(3, b"Quackenthorpe")].into_iter()).unwrap();
        journal.append(&group(&[Entry::Put(4, b"Grimblehawk"), Entry::Seen(&[7; 16])])).unwrap();
        journal.append(&group(&[Entry::Gone(3)])).unwrap();
        let want = ["3 Quackenthorpe", "4 Grimblehawk", "seen 16", "3 gone"];
        assert_eq!(read(&path, &key(1)).unwrap(), (want.map(str::to_owned).to_vec(), 0));
        let bytes = fs::read(&path).unwrap();
        for plain in ["Quack", "Grimble"] {
            assert!(!bytes.windows(plain.len()).any(|at| at == plain.as_bytes()));
        }
        assert!(matches!(read(&path, &key(2)), Err(JournalError::Other { .. })));
        assert!(!format!("{journal:?}").contains("Quack"));
    }

    #[test]
    fn a_torn_end_is_passed_over_and_what_was_synced_may_not_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let mut journal = Journal::create(&path, &key(1), std::iter::empty()).unwrap();
        let mut ends = vec![journal.n_bytes];
        for n in 0..3 {
            journal.append(&group(&[Entry::Put(n, b"somebody")])).unwrap();
            ends.push(journal.n_bytes);
        }
        let whole = fs::read(&path).unwrap();
        for cut in 48..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let n_whole = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
            let (entries, n_torn) = read(&path, &key(1)).unwrap();
            assert_eq!(
                (entries.len(), n_torn as u64),
                (n_whole, cut as u64 - ends[n_whole]),
                "cut at {cut}"
            );
        }
        for at in (48..whole.len()).step_by(3) {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&path, &altered).unwrap();
            // The last group may have been torn so: it was synced, but nothing says so.
            let in_last = at as u64 >= ends[2];
            match read(&path, &key(1)) {
                Err(JournalError::Altered { .. }) => assert!(!in_last, "byte {at}"),
                Ok((entries, _)) => assert!(in_last && entries.len() == 2, "byte {at}"),
                Err(other) => panic!("{other}"),
            }
        }
        // A whole group taken out of the middle, or one moved, is no torn end.
        let (first, second) =
            (usize::try_from(ends[1]).unwrap(), usize::try_from(ends[2]).unwrap());
        fs::write(&path, [&whole[..first], &whole[second..]].concat()).unwrap();
        assert_eq!(
            read(&path, &key(1)).unwrap().0.len(),
            1,
            "what does not follow is not believed"
        );
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path).unwrap();
        assert!(matches!(lock(&path), Err(JournalError::Locked { .. })));
        drop(held);
        assert!(lock(&path).is_ok());
    }
}
