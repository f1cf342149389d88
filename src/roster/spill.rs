//! Entries of the table of terms on their way into the file: parted by their hash, so that each part can be sorted by
//! itself, and put on disk when there are many. What is put there is keyed hashes and row numbers, in a file without a
//! name that is gone when the builder is.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::roster::format::PARTS;
use crate::roster::term::{Hash, Kind};

/// Entries held in memory before they go to disk: 24 bytes each.
const MOST_HELD: usize = 12 << 20;
/// Bytes of one entry on disk.
const SIZE: usize = 21;

/// One entry before it has its slot.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Record {
    pub(super) hash: Hash,
    pub(super) kind: Kind,
    /// 27 bits of a row or word, and five that say how it is meant.
    pub(super) payload: u32,
}

/// All entries so far.
#[derive(Debug)]
pub(super) struct Spill {
    parts: Vec<Vec<Record>>,
    n_held: usize,
    /// On disk: the file, and where each part's pieces stand in it.
    file: Option<File>,
    pieces: Vec<Vec<(u64, usize)>>,
    end: u64,
}

impl Spill {
    pub(super) fn new() -> Self {
        Self {
            parts: vec![Vec::new(); PARTS],
            n_held: 0,
            file: None,
            pieces: vec![Vec::new(); PARTS],
            end: 0,
        }
    }

    /// Takes an entry; `folder` is where the nameless file is made once there are many.
    pub(super) fn push(&mut self, record: Record, folder: &Path) -> io::Result<()> {
        let part = usize::try_from(record.hash.home >> 56).unwrap_or_default();
        if let Some(part) = self.parts.get_mut(part) {
            part.push(record);
        }
        self.n_held += 1;
        if self.n_held >= MOST_HELD { self.flush(folder) } else { Ok(()) }
    }

    fn flush(&mut self, folder: &Path) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder)?),
        };
        let mut bytes = Vec::new();
        for (part, pieces) in self.parts.iter_mut().zip(&mut self.pieces) {
            bytes.clear();
            for record in part.iter() {
                bytes.extend_from_slice(&record.hash.home.to_le_bytes());
                bytes.extend_from_slice(&record.hash.tag.to_le_bytes());
                bytes.extend_from_slice(&record.hash.mask.to_le_bytes());
                bytes.extend_from_slice(&record.payload.to_le_bytes());
                bytes.push(record.kind as u8);
            }
            file.write_all(&bytes)?;
            pieces.push((self.end, part.len()));
            self.end += bytes.len() as u64;
            part.clear();
        }
        self.n_held = 0;
        Ok(())
    }

    /// Everything of one part, sorted, each entry once.
    pub(super) fn take(&mut self, part: usize) -> io::Result<Vec<Record>> {
        let mut records = self.parts.get_mut(part).map(std::mem::take).unwrap_or_default();
        let pieces = self.pieces.get_mut(part).map(std::mem::take).unwrap_or_default();
        if let Some(file) = &mut self.file {
            let mut bytes = Vec::new();
            for (start, n) in pieces {
                bytes.resize(n * SIZE, 0);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut bytes)?;
                records.extend(bytes.chunks_exact(SIZE).filter_map(record));
            }
        }
        records.sort_unstable();
        records.dedup();
        Ok(records)
    }
}

fn record(bytes: &[u8]) -> Option<Record> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let home = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let kind = Kind::of(*bytes.get(20)?)?;
    Some(Record {
        hash: Hash { home, tag: number(8)?, mask: number(12)? },
        kind,
        payload: number(16)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Record, Spill};
    use crate::roster::term::{Hash, Kind};

    #[test]
    fn what_went_to_disk_comes_back_sorted_and_once() {
        let mut spill = Spill::new();
        let folder = tempfile::tempdir().unwrap();
        let record = |home: u64, payload: u32| Record {
            hash: Hash { home, tag: 7, mask: 9 },
            kind: Kind::Pair,
            payload,
        };
        for (home, payload) in [(5, 1), (3, 2), (u64::MAX, 3)] {
            spill.push(record(home, payload), folder.path()).unwrap();
        }
        spill.flush(folder.path()).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "the file has no name");
        for (home, payload) in [(3, 2), (4, 9)] {
            spill.push(record(home, payload), folder.path()).unwrap();
        }
        spill.flush(folder.path()).unwrap();
        spill.push(record(1, 1), folder.path()).unwrap();
        assert_eq!(
            spill.take(0).unwrap(),
            [record(1, 1), record(3, 2), record(4, 9), record(5, 1)]
        );
        assert_eq!(spill.take(255).unwrap(), [record(u64::MAX, 3)]);
        assert_eq!(spill.take(255).unwrap(), []);
    }
}
