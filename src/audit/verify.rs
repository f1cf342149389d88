//! Checks a chain offline, over rotated files, one line at a time.

use std::io;
use std::path::{Path, PathBuf};

use crate::audit::LineSource as _;
use crate::audit::chain::{self, Hash, Line, Link, Sealed};
use crate::audit::lines::Lines;
use crate::audit::sinks::KeptChain;

/// What a verification saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChainReport {
    /// Lines read.
    pub n_lines: usize,
    /// The hash of the newest line; 64 zeros if there is none.
    pub head: String,
    /// The first link that does not hold.
    pub broken: Option<BrokenLink>,
    /// The number of the first line where those before it are not among the files, and no line says that their time was
    /// over.
    pub begins_at: Option<u64>,
    /// The hash that the first line names as that of the line before it; 64 zeros if there is none.
    pub before: String,
    /// Torn lines (a crash in the middle of a write), by file: at the end, or further up and noted by the line after.
    pub torn: Vec<PathBuf>,
    /// Files without a byte: new, or emptied.
    pub empty: Vec<PathBuf>,
}

/// A link that does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrokenLink {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Verifies files in the order given. Memory is that of one line, however long the files are.
pub fn verify(files: &[&Path]) -> io::Result<ChainReport> {
    let mut walk = Walk::from(Link::START, true);
    let mut broken = None;
    for file in files {
        if let Err(fault) = walk.file(file)? {
            broken = Some(fault);
            break;
        }
    }
    Ok(ChainReport {
        n_lines: walk.n_lines,
        head: walk.link.hash.to_string(),
        broken,
        begins_at: walk.begins_at,
        before: walk.before.to_string(),
        torn: walk.torn,
        empty: walk.empty,
    })
}

/// Verifies one chain of a database: its lines, that none is missing at its end, and that its columns say what they say.
pub fn verify_kept(chain: &mut KeptChain) -> io::Result<ChainReport> {
    // The table of chains says exactly where it begins.
    let mut walk = Walk::from(chain.before(), false);
    let place = PathBuf::from(chain.name());
    let mut broken = None;
    while let Some((number, line, fits)) = chain.next_line()? {
        let checked = if fits {
            walk.line(line, number, &place)
        } else {
            Err((number, "it is longer than an audit line can be".to_owned()))
        };
        if let Err((line, why)) = checked {
            broken = Some((line, why));
            break;
        }
    }
    if broken.is_none() && walk.link != chain.end() {
        let why = format!(
            "{} missing at the end: the table of chains says that number {} is the last",
            lines(chain.end().seq.saturating_sub(walk.link.seq)),
            chain.end().seq
        );
        broken = Some((walk.n_lines + 1, why));
    }
    if broken.is_none()
        && let Some(seq) = chain.altered()?
    {
        let line = usize::try_from(seq.saturating_sub(chain.before().seq)).unwrap_or(usize::MAX);
        broken = Some((
            line,
            "its columns do not say what the line says: somebody changed them".to_owned(),
        ));
    }
    Ok(ChainReport {
        n_lines: walk.n_lines,
        head: walk.link.hash.to_string(),
        broken: broken.map(|(line, why)| BrokenLink { file: place, line, why }),
        begins_at: None,
        before: chain.before().hash.to_string(),
        torn: Vec::new(),
        empty: Vec::new(),
    })
}

/// How far a verification has come.
struct Walk {
    /// The newest line that held.
    link: Link,
    n_lines: usize,
    torn: Vec<PathBuf>,
    empty: Vec<PathBuf>,
    /// What may be a torn line, until the next line says so.
    pending: Option<Pending>,
    /// Whether the first line may continue what was not given.
    may_continue: bool,
    /// What the first line names as the hash before it.
    before: Hash,
    /// The number of the first line, until a line says that those before it went by rule.
    begins_at: Option<u64>,
}

/// Bytes that are the beginning of a line.
struct Pending {
    line: usize,
    n_bytes: u64,
    hash: Hash,
}

impl Walk {
    const fn from(link: Link, may_continue: bool) -> Self {
        Self {
            link,
            n_lines: 0,
            torn: Vec::new(),
            empty: Vec::new(),
            pending: None,
            may_continue,
            before: Hash::NONE,
            begins_at: None,
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<Result<(), BrokenLink>> {
        let mut lines = Lines::open(path)?;
        while let Some((number, line, fits)) = lines.next()? {
            let checked = if fits {
                self.line(line, number, path)
            } else {
                Err((number, "it is longer than an audit line can be".to_owned()))
            };
            if let Err((line, why)) = checked {
                return Ok(Err(BrokenLink { file: path.to_owned(), line, why }));
            }
        }
        if lines.number == 0 {
            self.empty.push(path.to_owned());
        }
        if self.pending.take().is_some() {
            self.torn.push(path.to_owned());
        }
        Ok(Ok(()))
    }

    /// Checks one line; a fault may lie in a line before it.
    fn line(&mut self, line: &[u8], number: usize, path: &Path) -> Result<(), (usize, String)> {
        let sealed = match chain::read(line) {
            Line::Sealed(sealed) => sealed,
            Line::Changed => {
                return Err((
                    number,
                    "it was changed: its hash is not that of its words".to_owned(),
                ));
            }
            Line::Fragment => {
                return self.set_pending(line, number);
            }
        };
        if let Some(pending) = self.pending.take() {
            if sealed.torn != Some((pending.n_bytes, pending.hash)) {
                return Err((pending.line, NO_LINE.to_owned()));
            }
            self.torn.push(path.to_owned());
        }
        self.follows(&sealed).map_err(|why| (number, why))?;
        if self.n_lines == 0 {
            self.before = sealed.prev;
            self.begins_at = (self.may_continue && sealed.link.seq > 1).then_some(sealed.link.seq);
        }
        if sealed.retired == Some(self.before) {
            self.begins_at = None;
        }
        self.link = sealed.link;
        self.n_lines += 1;
        Ok(())
    }

    /// Whether a line stands where it belongs.
    fn follows(&self, line: &Sealed) -> Result<(), String> {
        let (seq, due) = (line.link.seq, self.link.seq.saturating_add(1));
        if line.prev == self.link.hash && seq == due {
            return Ok(());
        }
        let is_first = self.n_lines == 0;
        // A file that a crash tore in its first line begins with the note of that.
        if is_first && seq > 1 && self.may_continue && (line.continues || line.torn.is_some()) {
            return Ok(());
        }
        Err(match seq {
            _ if is_first && !self.may_continue && seq > due => {
                format!("the lines before number {seq} are missing: number {due} is due as the first")
            }
            _ if is_first && seq > 1 => format!("the lines before number {seq} are missing: give the earlier files first"),
            1 if line.prev == Hash::NONE => format!("a new chain starts here, though number {due} is due"),
            _ if seq > due => format!("{} missing before it: it is number {seq}, and number {due} is due", lines(seq - due)),
            _ if seq < due => format!("it is out of order or stands here twice: it is number {seq}, and number {due} is due"),
            _ => "it does not follow the line before it: that line was changed together with its hash, or is of another chain".to_owned(),
        })
    }

    /// Keeps what may be a torn line. A crash tears one line at most.
    fn set_pending(&mut self, line: &[u8], number: usize) -> Result<(), (usize, String)> {
        if let Some(pending) = &self.pending {
            return Err((pending.line, NO_LINE.to_owned()));
        }
        // The first line of a file may continue a file that was not given.
        let before = (number > 1).then_some(self.link);
        if !chain::may_be_torn(line, before) {
            return Err((number, NO_LINE.to_owned()));
        }
        let n_bytes = line.len() as u64;
        self.pending = Some(Pending { line: number, n_bytes, hash: Hash::of(line) });
        Ok(())
    }
}

const NO_LINE: &str = "it is no audit line: something was written over it or put in";

fn lines(n: u64) -> String {
    if n == 1 { "a line is".to_owned() } else { format!("{n} lines are") }
}
