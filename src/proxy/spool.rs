//! Long media of a multipart body waits here until the words beside it are judged.
//!
//! The file has no name (nobody else can open it, and nothing is left behind), and what is written to it is sealed
//! under a key that this process draws at its start and keeps in memory only: a stolen disk tells nothing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use memchr::memmem;

/// Plain bytes in one sealed block.
const BLOCK: usize = 64 * 1024;

static KEY: OnceLock<Option<LessSafeKey>> = OnceLock::new();
static N_SPOOLS: AtomicU64 = AtomicU64::new(0);

/// The key of this process.
fn key() -> io::Result<&'static LessSafeKey> {
    KEY.get_or_init(|| {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
    })
    .as_ref()
    .ok_or_else(|| io::Error::other("no random numbers for the spool's key"))
}

/// Never used twice under one key: the spool's number and the block's.
fn nonce(spool: u64, block: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    let (high, low) = bytes.split_at_mut(8);
    high.copy_from_slice(&spool.to_be_bytes());
    low.copy_from_slice(&block.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// A spool being filled. Blocking: call it off the async threads.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    number: u64,
    n_blocks: u32,
    open: Vec<u8>,
}

/// A full spool, read once, in order.
#[derive(Debug)]
pub(super) struct SpoolReader {
    file: File,
    number: u64,
    next_block: u32,
    rest: Bytes,
}

impl Spool {
    /// An empty spool in the system's folder for temporary files.
    pub(super) fn create() -> io::Result<Self> {
        key()?;
        let number = N_SPOOLS.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            file: tempfile::tempfile()?,
            number,
            n_blocks: 0,
            open: Vec::with_capacity(BLOCK),
        })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.open.len()));
            self.open.extend_from_slice(now);
            bytes = later;
            if self.open.len() == BLOCK {
                self.seal()?;
            }
        }
        Ok(())
    }

    /// Ends the writing.
    pub(super) fn finish(mut self) -> io::Result<SpoolReader> {
        if !self.open.is_empty() {
            self.seal()?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        Ok(SpoolReader { file: self.file, number: self.number, next_block: 0, rest: Bytes::new() })
    }

    fn seal(&mut self) -> io::Result<()> {
        key()?
            .seal_in_place_append_tag(
                nonce(self.number, self.n_blocks),
                Aad::empty(),
                &mut self.open,
            )
            .map_err(|_| io::Error::other("a block of the spool could not be sealed"))?;
        self.n_blocks =
            self.n_blocks.checked_add(1).ok_or_else(|| io::Error::other("the spool is full"))?;
        let length = u32::try_from(self.open.len()).map_err(io::Error::other)?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&self.open)?;
        self.open.clear();
        Ok(())
    }
}

impl SpoolReader {
    /// The next bytes, at most this many; empty at the end. Blocking.
    pub(super) fn read(&mut self, most: u64) -> io::Result<Bytes> {
        if self.rest.is_empty() {
            self.unseal()?;
        }
        let n = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        Ok(self.rest.split_to(n))
    }

    fn unseal(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        match self.file.read_exact(&mut length) {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let mut block =
            vec![0; usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?];
        self.file.read_exact(&mut block)?;
        let n = key()?
            .open_in_place(nonce(self.number, self.next_block), Aad::empty(), &mut block)
            .map_err(|_| io::Error::other("a block of the spool is not as it was written"))?
            .len();
        block.truncate(n);
        self.next_block += 1;
        self.rest = Bytes::from(block);
        Ok(())
    }
}

/// A stretch of a body on its way out.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Segment {
    /// Bytes held in memory.
    Held(Bytes),
    /// The next so many bytes of the spool.
    Spooled(u64),
}

/// Cuts a kept body at its marks. `None` unless every mark stands there exactly once, in order: a body that lost a
/// run must not go on.
pub(super) fn cut_at_marks(
    kept: &Bytes,
    marks: &[Vec<u8>],
    lengths: &[u64],
) -> Option<Vec<Segment>> {
    let mut segments = Vec::with_capacity(2 * marks.len() + 1);
    let mut at = 0;
    for (mark, &length) in marks.iter().zip(lengths) {
        let begins = at + memmem::find(kept.get(at..)?, mark)?;
        segments.push(Segment::Held(kept.slice(at..begins)));
        segments.push(Segment::Spooled(length));
        at = begins + mark.len();
    }
    let rest = kept.slice(at..);
    if marks.len() != lengths.len() || marks.iter().any(|mark| memmem::find(&rest, mark).is_some())
    {
        return None;
    }
    segments.push(Segment::Held(rest));
    Some(segments)
}

/// A mark that nobody outside can guess, for the `n`th run of a body.
pub(super) fn mark(n: usize) -> io::Result<Vec<u8>> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| io::Error::other("no random numbers for a mark"))?;
    Ok(format!("[run {n} {:032x}]", u128::from_be_bytes(random)).into_bytes())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{BLOCK, Segment, Spool, cut_at_marks, mark};

    #[test]
    fn what_went_in_comes_out() {
        let bytes: Vec<u8> = (0..3 * BLOCK + 17).map(|n| u8::try_from(n % 253).unwrap()).collect();
        let mut spool = Spool::create().unwrap();
        for chunk in bytes.chunks(10_007) {
            spool.write(chunk).unwrap();
        }
        let mut reader = spool.finish().unwrap();
        let mut again = Vec::new();
        loop {
            let next = reader.read(5_000).unwrap();
            if next.is_empty() {
                break;
            }
            again.extend_from_slice(&next);
        }
        assert_eq!(again, bytes);
    }

    #[test]
    fn nothing_plain_reaches_the_disk() {
        use std::io::{Read, Seek, SeekFrom};
        let mut spool = Spool::create().unwrap();
        spool.write(b"Jane Roe 078-05-1120").unwrap();
        let mut file = spool.finish().unwrap().file;
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut disk = Vec::new();
        file.read_to_end(&mut disk).unwrap();
        assert!(disk.len() > 20);
        assert!(memchr::memmem::find(&disk, b"Roe").is_none());
    }

    #[test]
    fn a_body_is_cut_only_where_every_mark_stands() {
        let marks = [mark(0).unwrap(), mark(1).unwrap()];
        let kept = Bytes::from([b"a", &*marks[0], b"b", &*marks[1], b"c"].concat());
        let held = |text: &'static str| Segment::Held(Bytes::from_static(text.as_bytes()));
        let want = [held("a"), Segment::Spooled(5), held("b"), Segment::Spooled(7), held("c")];
        assert_eq!(cut_at_marks(&kept, &marks, &[5, 7]).unwrap(), want);
        let lost = Bytes::from([b"a", &*marks[0], b"b"].concat());
        assert_eq!(cut_at_marks(&lost, &marks, &[5, 7]), None);
        let doubled = Bytes::from([&*marks[0], &*marks[1], &*marks[1]].concat());
        assert_eq!(cut_at_marks(&doubled, &marks, &[5, 7]), None);
    }
}
