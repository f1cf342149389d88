//! `roster build`: sources in, one file of hashes out.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::args::RosterBuild;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::roster::sources::{self, Input};
use crate::cli::roster::{key_failure, show};
use crate::cli::style;
use crate::diagnostic;
use crate::roster::{BadField, BuildError, Columns, Entry, FileBuilder, Index, Key, SourceError};

/// Bad rows that are named; the rest is counted.
const NAMED: u64 = 20;
/// Progress is shown at most so often.
const EVERY: Duration = Duration::from_millis(200);

/// More than one in so many rows left out, and more than so many, and the source is not what it was.
const ONE_IN: u64 = 20;
const FEW: u64 = 20;
/// A roster of so many patients or more does not shrink to less than half overnight.
const MANY: u64 = 100;

pub(crate) fn run(args: &RosterBuild) -> Result<Exit, Failure> {
    let key = Key::find(args.key_file.as_deref()).map_err(key_failure)?;
    let columns = columns(args.columns.as_deref())?;
    let unwritten = |error: BuildError| {
        Failure::new(error, "name a file in a folder that exists and that you may write to")
    };
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut seen = Seen::new();
    let mut inputs = Vec::new();
    for path in &args.sources {
        let input = Input::open(path);
        let name = sources::name(path);
        inputs.push((input.map_err(|error| unfit(&name, error))?, name));
    }
    let (stays, n_bad) =
        sources::stays(&mut inputs, today).map_err(|(name, error)| unfit(&name, error))?;
    seen.n_bad += n_bad;
    let mut builder = FileBuilder::create(&args.out, &key, now).map_err(unwritten)?;
    for (input, name) in inputs {
        let source = input.source(&columns, &stays, today);
        let mut source = source.map_err(|error| unfit(&name, error))?;
        while let Some(entry) = source.next_entry().map_err(|error| unfit(&name, error))? {
            match entry {
                Entry::Patient(patient) => {
                    builder.add(&patient).map_err(unwritten)?;
                    seen.progress(builder.n_patients());
                }
                Entry::Bad(bad) => seen.bad(&name, bad.line, bad.why),
                Entry::Passed => {}
            }
            source.take_unread().iter().for_each(|field| seen.field(&name, *field));
        }
    }
    seen.clear();
    if builder.n_patients() == 0 {
        return Err(Failure::new(
            "no source has a patient: no roster was written",
            "look at the rows named above, or give other sources",
        ));
    }
    if !args.force {
        likely(&seen, builder.n_patients(), &args.out, &key)?;
    }
    let summary = builder.finish_at(&args.out).map_err(unwritten)?;
    style::to_stdout(&format!(
        "{} {}\n{}",
        style::paint(style::GOOD, "wrote"),
        args.out.display(),
        show::about(&summary.about, Timestamp::now()),
    ))?;
    seen.say_rest();
    Ok(Exit::Fine)
}

/// Refuses what an export that went wrong looks like: most patients would no longer be known, and nobody would notice.
fn likely(seen: &Seen, n_patients: u64, out: &Path, key: &Key) -> Result<(), Failure> {
    let n_bad = seen.n_bad;
    if n_bad > FEW && n_bad.saturating_mul(ONE_IN) > n_patients + n_bad {
        seen.say_rest();
        return Err(Failure::new(
            format!(
                "{n_bad} rows of {} cannot be used: no roster was written, an older one stands as it is",
                n_patients + n_bad
            ),
            "look at the rows named above: the source's columns or its encoding are others than they were; or take it as it is with --force",
        ));
    }
    // One that cannot be read, or is of another key, says nothing.
    let before = Index::open(out, key).map_or(0, |before| before.about().n_patients);
    if before >= MANY && n_patients < before / 2 {
        return Err(Failure::new(
            format!(
                "there are {n_patients} patients, and the roster that stands has {before}: it was left as it is"
            ),
            "see whether the export is whole; or take it as it is with --force",
        ));
    }
    Ok(())
}

fn columns(file: Option<&Path>) -> Result<Columns, Failure> {
    let Some(file) = file else { return Ok(Columns::default()) };
    let text = std::fs::read_to_string(file)
        .map_err(|source| Failure::plain(Context::file("read", file, source)))?;
    let source = diagnostic::Source::new(file.display().to_string(), text);
    Columns::parse(&source).map_err(Failure::Files)
}

/// A source that cannot be read; its name is a path, and its fault is in our words.
fn unfit(name: &str, error: SourceError) -> Failure {
    let error = match error {
        SourceError::Read(source) => Context { what: format!("cannot read {name}"), source }.into(),
        SourceError::Unfit { line, why } => Box::from(format!("{name}:{line}: {why}")),
    };
    Failure::Other {
        error,
        help: Some("mend the source: no roster was written, an older one stands as it is".into()),
    }
}

/// What was read so far, for whoever looks.
struct Seen {
    n_bad: u64,
    n_fields: u64,
    /// When it was last shown; `None` where nobody looks.
    shown: Option<Instant>,
}

impl Seen {
    fn new() -> Self {
        Self { n_bad: 0, n_fields: 0, shown: io::stderr().is_terminal().then(Instant::now) }
    }

    fn progress(&mut self, n: u64) {
        // The clock is asked once in so many rows.
        if n.is_multiple_of(1024) && self.shown.is_some_and(|shown| shown.elapsed() >= EVERY) {
            self.shown = Some(Instant::now());
            // A terminal that is gone needs no progress.
            let _ = write!(io::stderr(), "\r{n} patients");
        }
    }

    fn clear(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }

    fn bad(&mut self, name: &str, line: u64, why: &str) {
        self.n_bad += 1;
        if self.n_bad <= NAMED {
            self.clear();
            style::to_stderr(&format!(
                "{}: {name}:{line}: {why}",
                style::paint(style::WARNING, "left out")
            ));
        }
    }

    /// A field was left out of a row that is used.
    fn field(&mut self, name: &str, BadField { line, column }: BadField) {
        self.n_fields += 1;
        if self.n_fields <= NAMED {
            self.clear();
            let what = match column {
                0 => "a name of the patient is no name as FHIR has it".to_owned(),
                column => format!("column {column} is no date"),
            };
            style::to_stderr(&format!(
                "{}: {name}:{line}: {what}; the rest of the row is used",
                style::paint(style::WARNING, "left out")
            ));
        }
    }

    fn say_rest(&self) {
        if self.n_fields > 0 {
            let n = usize::try_from(self.n_fields).unwrap_or(usize::MAX);
            let n = style::count(n, "field");
            style::to_stderr(&format!(
                "left out {n} that could not be read, of rows that are used"
            ));
        }
        if self.n_bad > 0 {
            let more = if self.n_bad > NAMED {
                format!("; the first {NAMED} are named above")
            } else {
                String::new()
            };
            style::to_stderr(&format!(
                "left out {} that could not be used{more}",
                style::count(usize::try_from(self.n_bad).unwrap_or(usize::MAX), "row")
            ));
        }
    }
}
