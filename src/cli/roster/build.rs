//! `roster build`: sources in, one file of hashes out.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::args::RosterBuild;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::roster::{key_failure, show};
use crate::cli::style;
use crate::diagnostic;
use crate::roster::{
    BadField, BuildError, Columns, CsvSource, Entry, FileBuilder, Key, Source, SourceError,
};

/// Bad rows that are named; the rest is counted.
const NAMED: u64 = 20;
/// Progress is shown at most so often.
const EVERY: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &RosterBuild) -> Result<Exit, Failure> {
    let key = Key::find(args.key_file.as_deref()).map_err(key_failure)?;
    let columns = columns(args.columns.as_deref())?;
    let unwritten = |error: BuildError| {
        Failure::new(error, "name a file in a folder that exists and that you may write to")
    };
    let mut builder = FileBuilder::create(&args.out, &key, Timestamp::now()).map_err(unwritten)?;
    let mut seen = Seen::new();
    for path in &args.sources {
        let name = if path.as_os_str() == "-" {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let mut source = open(path, &columns).map_err(|error| unfit(&name, error))?;
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

fn columns(file: Option<&Path>) -> Result<Columns, Failure> {
    let Some(file) = file else { return Ok(Columns::default()) };
    let text = std::fs::read_to_string(file)
        .map_err(|source| Failure::plain(Context::file("read", file, source)))?;
    let source = diagnostic::Source::new(file.display().to_string(), text);
    Columns::parse(&source).map_err(Failure::Files)
}

/// Opens a source by what it is.
fn open(path: &Path, columns: &Columns) -> Result<Box<dyn Source>, SourceError> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(SourceError::Read)?)
    };
    Ok(Box::new(CsvSource::new(input, columns)?))
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
            style::to_stderr(&format!(
                "{}: {name}:{line}: column {column} is no date; the rest of the row is used",
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
