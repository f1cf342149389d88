//! `audit export`: events as CSV or JSON lines.

use std::io::{self, BufWriter, Write};

use crate::audit::{self, Exported, Format, Wanted};
use crate::cli::args;
use crate::cli::evidence::{opened, to_file, unreadable};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::style;

pub(crate) fn run(args: &args::AuditExport) -> Result<Exit, Failure> {
    let wanted = Wanted {
        from: args.from,
        to: args.to,
        platforms: args.platforms.clone(),
        verdicts: args.verdicts.clone(),
        clauses: args.clauses.clone(),
        rules: args.rules.clone(),
        categories: args.categories.clone(),
        groups: args.groups.clone(),
        nodes: args.nodes.clone(),
        events: args.events.clone(),
    };
    let format = match args.format {
        args::ExportFormat::Csv => Format::Csv,
        args::ExportFormat::Json => Format::Json,
    };
    let write = |out: &mut dyn Write| {
        // A reader that fails and an output that is closed are told apart: only the first names its file.
        let mut watched = Watched { out, failed: None };
        let done = audit::export(opened(&args.sources), &wanted, format, &mut watched);
        match (done, watched.failed) {
            (_, Some(closed)) => Err(Failure::from(closed)),
            (Err(fault), None) => Err(unreadable(fault)),
            (Ok(done), None) => Ok(done),
        }
    };
    let done = if let Some(file) = &args.out {
        to_file(file, write)?
    } else {
        let mut out = BufWriter::new(io::stdout().lock());
        let done = write(&mut out)?;
        out.flush()?;
        done
    };
    say(done);
    Ok(if done.n_changed > 0 { Exit::Failed } else { Exit::Fine })
}

/// What was left out is said loudly: an export without it looks whole.
fn say(done: Exported) {
    let lines = |n: u64| if n == 1 { "1 line".to_owned() } else { format!("{n} lines") };
    if done.n_changed > 0 {
        style::to_stderr(&format!(
            "{} {} left out: somebody changed it, its hash is not that of its words; `postward audit verify` says where",
            style::paint(style::ERROR, "broken:"),
            lines(done.n_changed)
        ));
    }
    if done.n_fragments > 0 {
        style::to_stderr(&format!(
            "{} {} left out that no audit writes, or that a crash tore; `postward audit verify` says which",
            style::paint(style::WARNING, "warning:"),
            lines(done.n_fragments)
        ));
    }
    if done.n_written == 0 {
        style::to_stderr(&format!(
            "{} no event is as asked for",
            style::paint(style::WARNING, "note:")
        ));
    }
}

/// Remembers why writing failed.
struct Watched<'o> {
    out: &'o mut dyn Write,
    failed: Option<io::Error>,
}

impl Watched<'_> {
    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.noted(flushed)
    }
}
