//! What readers see of the news: a file beside the roster, one sealed box, replaced by renaming whenever something is new.
//!
//! ```text
//! head     48 bytes   what it is, key id, salt
//! box      when it was made 8, the roster it was made for 32, its rows with news, how many parts 4;
//!          then of each part: its rows with news, length 8, a roster of its own
//! news     how many rows 4, then of each: its number 4, what holds no more 1, days 4
//! ```

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::roster::error::OpenError;
use crate::roster::follow::journal::folder;
use crate::roster::news::{Dropped, News, RowNews};
use crate::roster::term::Day;
use crate::roster::{Index, Key, RowNumber};

const MAGIC: [u8; 16] = *b"postward-overlay";
const VERSION: u64 = 1;
const HEAD: usize = 16 + 8 + 8 + 16;
/// The largest overlay that is read, in bytes: some five million patients.
const LARGEST: u64 = 1 << 30;
/// An overlay says nothing any more beside a roster that was built so many seconds after it.
const STALE: i64 = 48 * 3600;
/// Bytes of a row's news.
const NEWS: usize = 9;

/// The overlay of a roster: its own path with an ending more.
pub fn overlay_path(roster: &Path) -> PathBuf {
    let mut path = roster.as_os_str().to_owned();
    path.push(".overlay");
    path.into()
}

/// By which an overlay is told from the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewsStamp([u64; 4]);

impl NewsStamp {
    /// The overlay beside a roster; `None` where there is none. Asks the system once.
    pub fn of(roster: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let at = std::fs::metadata(overlay_path(roster)).ok()?;
        Some(Self([
            at.ino(),
            at.len(),
            at.mtime().cast_unsigned(),
            at.mtime_nsec().cast_unsigned(),
        ]))
    }
}

/// One part: a roster of few, and what is new of its rows.
pub(super) struct Tier {
    pub(super) roster: Vec<u8>,
    pub(super) news: Vec<(RowNumber, RowNews)>,
}

impl std::fmt::Debug for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tier").field("n_bytes", &self.roster.len()).finish_non_exhaustive()
    }
}

/// All news that readers see.
#[derive(Debug)]
pub struct Overlay {
    made: i64,
    of: [u8; 32],
    base: Vec<(RowNumber, RowNews)>,
    /// Latest first.
    tiers: Vec<(Index, Vec<(RowNumber, RowNews)>)>,
}

fn cipher(key: &Key, salt: &[u8; 16]) -> Option<LessSafeKey> {
    let secret = key.purpose("overlay", salt);
    Some(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*secret).ok()?))
}

/// Puts an overlay in place of an older one. Who can read the roster can read it.
pub(super) fn write(
    roster: &Path,
    key: &Key,
    made: Timestamp,
    of: [u8; 32],
    base: &[(RowNumber, RowNews)],
    tiers: &[&Tier],
) -> io::Result<()> {
    let mut salt = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut salt)?;
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(&MAGIC);
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&key.id());
    head.extend_from_slice(&salt);
    let mut body = Vec::new();
    body.extend_from_slice(&made.as_second().to_le_bytes());
    body.extend_from_slice(&of);
    put_news(base, &mut body);
    put_number(tiers.len(), &mut body);
    for tier in tiers {
        put_news(&tier.news, &mut body);
        body.extend_from_slice(&(tier.roster.len() as u64).to_le_bytes());
        body.extend_from_slice(&tier.roster);
    }
    let sealed = cipher(key, &salt).and_then(|cipher| {
        // The key is this file's own: its one box has the first nonce.
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        cipher.seal_in_place_append_tag(nonce, Aad::from(&head), &mut body).ok()
    });
    sealed.ok_or_else(|| io::Error::other("the overlay cannot be sealed"))?;
    let path = overlay_path(roster);
    let mut file = NamedTempFile::with_prefix_in(".roster-", folder(&path))?;
    file.write_all(&head)?;
    file.write_all(&body)?;
    if let Ok(about) = std::fs::metadata(roster) {
        file.as_file().set_permissions(about.permissions())?;
    }
    // After a power cut a name must not lead to half of a file: readers would refuse it.
    file.as_file().sync_data()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn put_number(n: usize, to: &mut Vec<u8>) {
    to.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_news(news: &[(RowNumber, RowNews)], to: &mut Vec<u8>) {
    const DAYS: u8 = 128;
    put_number(news.len(), to);
    for (row, RowNews { dropped, days }) in news {
        to.extend_from_slice(&row.to_le_bytes());
        to.push(dropped.0 | if days.is_some() { DAYS } else { 0 });
        for day in days.unwrap_or_default() {
            to.extend_from_slice(&Day::packed(day).to_le_bytes());
        }
    }
}

/// Reads one thing after the other.
struct Eye<'b>(&'b [u8]);

impl<'b> Eye<'b> {
    fn take(&mut self, n: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    fn news(&mut self) -> Option<Vec<(RowNumber, RowNews)>> {
        let n = self.number()?;
        let rows = self.take(n.checked_mul(NEWS)?)?;
        rows.chunks_exact(NEWS).map(|bytes| Eye(bytes).row_news()).collect()
    }

    fn row_news(&mut self) -> Option<(RowNumber, RowNews)> {
        let row = u32::from_le_bytes(self.array()?);
        let [flags] = self.array()?;
        let mut day = || Some(Day::unpacked(u16::from_le_bytes(self.array()?)));
        let days = [day()?, day()?];
        let news =
            RowNews { dropped: Dropped(flags & 127), days: (flags & 128 != 0).then_some(days) };
        Some((row, news))
    }
}

impl Overlay {
    /// Reads the overlay of a roster; `None` where there is none.
    pub fn open(roster: &Path, key: &Key) -> Result<Option<Self>, OpenError> {
        let path = overlay_path(roster);
        let unread = |source| OpenError::Read { path: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unread(source)),
        };
        let about = file.metadata().map_err(unread)?;
        if !about.is_file() || about.len() > LARGEST {
            return Err(OpenError::NoRoster { path });
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(unread)?;
        let (head, body) = bytes
            .split_at_mut_checked(HEAD)
            .ok_or_else(|| OpenError::NoRoster { path: path.clone() })?;
        let mut eye = Eye(head);
        let known = eye.array() == Some(MAGIC) && eye.array() == Some(VERSION.to_le_bytes());
        let (Some(id), Some(salt), true) = (eye.array::<8>(), eye.array::<16>(), known) else {
            return Err(OpenError::NoRoster { path });
        };
        if id != key.id() {
            return Err(OpenError::OtherKey { path });
        }
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let cipher = cipher(key, &salt);
        let opened = cipher.and_then(|cipher| {
            let body = cipher.open_in_place(nonce, Aad::from(&*head), body).ok()?;
            Self::of_body(body, key)
        });
        opened.map(Some).ok_or(OpenError::Altered { path })
    }

    fn of_body(body: &[u8], key: &Key) -> Option<Self> {
        let mut eye = Eye(body);
        let made = i64::from_le_bytes(eye.array()?);
        let of = eye.array()?;
        let base = eye.news()?;
        let n_tiers = eye.number()?;
        let mut tiers = Vec::new();
        for _ in 0..n_tiers.min(16) {
            let news = eye.news()?;
            let n = usize::try_from(u64::from_le_bytes(eye.array()?)).ok()?;
            tiers.push((Index::of_memory(eye.take(n)?.to_vec(), key).ok()?, news));
        }
        Some(Self { made, of, base, tiers })
    }

    /// Patients of whom it has news.
    pub fn n_patients(&self) -> u64 {
        self.tiers
            .iter()
            .map(|(index, news)| index.about().n_patients.saturating_sub(news.len() as u64))
            .sum()
    }

    /// Whether its news are of the rows of this roster.
    pub fn is_of(&self, base: &Index) -> bool {
        self.of == base.identity()
    }

    /// When it was made.
    pub fn made(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.made).ok()
    }

    /// A roster with the news: latest first, the roster itself last. Of a roster that was built later than the news, what
    /// they say of its rows is not known to hold, and is left out; of one much later, they are old.
    pub fn over(self, base: &Index) -> Vec<Arc<Index>> {
        if base.about().built.as_second() - self.made > STALE {
            return vec![Arc::new(base.clone())];
        }
        let mut indexes: Vec<Arc<Index>> = self
            .tiers
            .into_iter()
            .map(|(index, news)| Arc::new(index.with_news(News::new(news))))
            .collect();
        let news = if self.of == base.identity() { self.base } else { Vec::new() };
        indexes.push(Arc::new(base.with_news(News::new(news))));
        indexes
    }
}
