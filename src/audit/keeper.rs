//! Looks after rotated files: compresses them, and removes the oldest once their time is over. A thread of its own,
//! behind all posts.
//!
//! Nothing is removed that another sink has not had, and never without a line in the chain that says so first: a
//! beginning that is missing by rule is told apart from one that somebody took away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::audit::chain::Hash;
use crate::audit::keep::{Held, Keep, is_credible, today};
use crate::audit::line;
use crate::audit::lines::Lines;
use crate::audit::segments::{COMPRESSED, Segment, first_of, folder, last_of, segments};
use crate::audit::writer::Shared;

/// How often it looks although nothing was rotated.
const EVERY: Duration = Duration::from_secs(3600);

/// Below whatever serves posts.
const NICE: i32 = 15;

/// What becomes of segments.
pub(super) struct Keeper {
    pub(super) live: PathBuf,
    pub(super) keep: Keep,
    pub(super) held: Held,
    pub(super) shared: Arc<Shared>,
    /// The day of the newest line when it was last believed: before this start, then of each round.
    pub(super) newest: Option<Date>,
}

impl Keeper {
    /// Starts it; it ends when the other end of `rotated` goes.
    pub(super) fn start(mut self, rotated: Receiver<()>) -> io::Result<()> {
        std::thread::Builder::new().name("audit-keeper".into()).spawn(move || {
            // Where it is refused, nothing is lost but that.
            let _ = rustix::process::setpriority_process(None, NICE);
            loop {
                if let Err(error) = self.round() {
                    tracing::warn!(%error, "the audit's rotated files cannot be looked after");
                }
                if rotated.recv_timeout(EVERY) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Removes what is over, then compresses what is not yet.
    fn round(&mut self) -> io::Result<()> {
        let mut all = segments(&self.live)?;
        let live = if all.is_empty() { None } else { first_of(&self.live)? };
        let today = today();
        let is_credible = is_credible(self.newest, today);
        if is_credible {
            self.newest = Some(today);
        }
        while let Some((oldest, others)) = all.split_first() {
            // Its last line was written on the day of the next file's first at the latest, unless a clock was wrong.
            let next = others.first().map(|next| (next.first_seq, next.day)).or(live);
            let Some((next_seq, last_day)) = next else { break };
            let is_over =
                self.keep.only_spool || self.keep.is_over(last_day.max(oldest.day), today);
            if !is_over || next_seq > self.held.get().saturating_add(1) {
                break;
            }
            if next_seq <= oldest.first_seq {
                tracing::warn!(
                    first = oldest.first_seq,
                    next = next_seq,
                    "nothing of the audit is removed: two of its files begin with the same number"
                );
                break;
            }
            if !self.keep.only_spool && !is_credible {
                tracing::warn!(
                    "nothing of the audit is removed: the clock is more than 60 days from the newest line before this \
                     start. If it is right, the next start removes what is over"
                );
                break;
            }
            if let Err(error) = self.retire(oldest, next_seq.saturating_sub(1)) {
                tracing::warn!(%error, "a file of the audit whose time is over cannot be removed");
                break;
            }
            all.remove(0);
        }
        if !self.keep.compress {
            return Ok(());
        }
        for (at, segment) in all.iter().enumerate() {
            let next = all.get(at + 1).map(|next| next.first_seq).or(live.map(|(seq, _)| seq));
            // The last one, while nothing follows it, may be what a new file continues.
            let is_held = next.is_some_and(|next| {
                next > segment.first_seq && next <= self.held.get().saturating_add(1)
            });
            if is_held
                && !segment.compressed
                && let Err(error) = compress(&segment.path)
            {
                // The others are none the worse for it.
                tracing::warn!(%error, "a file of the audit cannot be compressed");
            }
        }
        Ok(())
    }

    fn retire(&self, segment: &Segment, last_seq: u64) -> io::Result<()> {
        let head = last_of(&segment.path)?.map_or(Hash::NONE, |link| link.hash);
        let name = segment.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (answer, answered) = oneshot::channel();
        let pushed = self.shared.push(Some(answer), |buffer| {
            buffer.extend_from_slice(b"\"event\":\"retired\"");
            line::key_text("file", name, buffer);
            line::key_number("first", segment.first_seq, buffer);
            line::key_number("last", last_seq, buffer);
            line::key_text("head", &head.to_string(), buffer);
        });
        let written = pushed.and_then(|()| {
            answered.blocking_recv().unwrap_or(Err(crate::audit::AuditError::Stopped))
        });
        written.map_err(io::Error::other)?;
        fs::remove_file(&segment.path)?;
        File::open(folder(&self.live))?.sync_all()?;
        tracing::info!(
            first = segment.first_seq,
            last = last_seq,
            "a file of the audit was removed: it was kept as long as `keep` says"
        );
        Ok(())
    }
}

/// Puts a compressed file in place of a plain one, once it was read back and says the same.
fn compress(plain: &Path) -> io::Result<()> {
    let name = plain.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let part = plain.with_file_name(format!(".{name}{COMPRESSED}.part"));
    let whole = plain.with_file_name(format!("{name}{COMPRESSED}"));
    if whole.try_exists()? {
        // An earlier process ended right before it could remove the plain one; or it is another file, and evidence.
        if digest(plain)? != digest(&whole)? {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} is there already and says something else", whole.display()),
            ));
        }
        return fs::remove_file(plain);
    }
    // What an earlier process left behind.
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let made = write_compressed(plain, &part);
    let same = made.and_then(|()| Ok(digest(plain)? == digest(&part)?));
    if !matches!(same, Ok(true)) {
        let _ = fs::remove_file(&part);
        same?;
        return Err(io::Error::other("a compressed file did not read back as it was"));
    }
    fs::rename(&part, &whole)?;
    File::open(folder(plain))?.sync_all()?;
    fs::remove_file(plain)
}

fn write_compressed(plain: &Path, part: &Path) -> io::Result<()> {
    let mut from = File::open(plain)?;
    let written = from.metadata()?.modified()?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    let mut encoder = GzEncoder::new(io::BufWriter::new(file), Compression::default());
    io::copy(&mut from, &mut encoder)?;
    let mut buffered = encoder.finish()?;
    buffered.flush()?;
    let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    // By the time of writing a new file finds the one that it continues.
    file.set_modified(written)?;
    file.sync_all()
}

/// A hash over all lines.
fn digest(path: &Path) -> io::Result<Hash> {
    let mut lines = Lines::open(path)?;
    let mut hasher = Sha256::new();
    while let Some((_, line, fits)) = lines.next()? {
        hasher.update(line);
        hasher.update(if fits { b"\n" } else { b"\0" });
    }
    Ok(Hash::finish(hasher))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{compress, digest};

    #[test]
    fn a_compressed_file_is_never_replaced_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("audit-2026-11-23-000000000001.jsonl");
        let whole = folder.path().join("audit-2026-11-23-000000000001.jsonl.gz");
        fs::write(&plain, "one\n").unwrap();
        compress(&plain).unwrap();
        assert!(!plain.exists());
        let (kept, said) = (fs::read(&whole).unwrap(), digest(&whole).unwrap());
        // An older file was put back and rotated once more.
        fs::write(&plain, "two\n").unwrap();
        assert!(compress(&plain).unwrap_err().to_string().contains("says something else"));
        assert_eq!(
            (fs::read_to_string(&plain).unwrap().as_str(), fs::read(&whole).unwrap()),
            ("two\n", kept)
        );
        // The process ended right before it could remove the plain one.
        fs::write(&plain, "one\n").unwrap();
        compress(&plain).unwrap();
        assert!(!plain.exists() && digest(&whole).unwrap() == said);
    }
}
