//! `audit verify`: whether audit files are whole, offline. `audit find`: the events of one post.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::audit::{self, ChainReport, KeptIn};
use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;
use crate::config;

pub(crate) fn run(args: &args::AuditVerify) -> Result<Exit, Failure> {
    let (given, databases) = sources(args)?;
    let mut reports = Vec::new();
    let mut is_missing = false;
    if !given.is_empty() {
        let all = audit::with_segments(&given);
        let files = openable(&all)?;
        let report = audit::verify(&files).map_err(unreadable)?;
        let missing = missing(&report, args.after.as_deref());
        is_missing = missing.is_some();
        style::to_stdout(&said(&report, missing, &style::count(all.len(), "file")))?;
        reports.push(report);
    }
    for database in &databases {
        let chains = database.chains().map_err(unread)?;
        if chains.is_empty() {
            let none = format!("{}: no chain is kept there yet", database.name());
            style::to_stdout(&format!("{} {none}", style::paint(style::WARNING, "warning:")))?;
        }
        for mut chain in chains {
            let report = audit::verify_kept(&mut chain).map_err(unread)?;
            style::to_stdout(&said(&report, None, chain.name()))?;
            reports.push(report);
        }
    }
    let is_whole = !is_missing && reports.iter().all(|report| report.broken.is_none());
    let exit = if is_whole { Exit::Fine } else { Exit::Failed };
    let Some(wanted) = &args.head else { return Ok(exit) };
    if reports.iter().any(|report| wanted.eq_ignore_ascii_case(&report.head)) {
        style::to_stdout(&format!(
            "{} the head is the one given",
            style::paint(style::GOOD, "fine:")
        ))?;
        return Ok(exit);
    }
    style::to_stdout(&format!(
        "{} the head is not the one given: lines were cut off the end, or these are not its files",
        style::paint(style::ERROR, "broken:")
    ))?;
    Ok(Exit::Failed)
}

/// Files, and databases: those that were named, and those of a configuration.
fn sources(args: &args::AuditVerify) -> Result<(Vec<PathBuf>, Vec<KeptIn>), Failure> {
    let (mut files, mut databases) = (Vec::new(), Vec::new());
    for given in &args.files {
        match given.to_str().and_then(KeptIn::parse) {
            None => files.push(given.clone()),
            Some(Ok(database)) => databases.push(database),
            Some(Err(fault)) => {
                return Err(Failure::new(
                    format!("`postgres://..` cannot be used: {fault}"),
                    "write postgres://USER@HOST/DATABASE, and give the password by $POSTWARD_POSTGRES_PASSWORD",
                ));
            }
        }
    }
    if let Some(file) = &args.config {
        let loaded = config::load(Some(file)).map_err(Failure::Files)?;
        files.push(loaded.config.audit.file);
        let sinks = loaded.config.audit.sinks.iter();
        databases.extend(sinks.filter_map(|sink| KeptIn::of(&sink.kind)));
    }
    Ok((files, databases))
}

fn unread(source: io::Error) -> Failure {
    Failure::plain(Context { what: "cannot read the audit".into(), source })
}

pub(crate) fn find(args: &args::AuditFind) -> Result<Exit, Failure> {
    let all = audit::with_segments(&args.files);
    let files = openable(&all)?;
    let found = audit::find(&files, &args.reference).map_err(unreadable)?;
    if found.is_empty() {
        return Err(Failure::new(
            format!("no event of these files has the reference {}", args.reference),
            "give the files of the day of the post too: an older one is named like audit.jsonl.1",
        ));
    }
    for line in &found {
        style::to_stdout(&line.text)?;
        if !line.intact {
            style::to_stderr(&format!(
                "{} {}, line {}: it was changed: its hash is not that of its words",
                style::paint(style::WARNING, "warning:"),
                line.file.display(),
                line.line
            ));
        }
    }
    Ok(Exit::Fine)
}

/// Each file is opened once before, so that a fault can name it.
fn openable(files: &[PathBuf]) -> Result<Vec<&Path>, Failure> {
    let files: Vec<&Path> = files.iter().map(|file| given(file)).collect();
    for file in &files {
        std::fs::File::open(file)
            .map_err(|source| Failure::plain(Context::file("open", file, source)))?;
    }
    Ok(files)
}

/// `-` is standard input, which the system names as a file.
fn given(file: &Path) -> &Path {
    if file.as_os_str() == "-" { Path::new("/dev/stdin") } else { file }
}

fn unreadable(source: io::Error) -> Failure {
    Failure::plain(Context { what: "cannot read the audit files".into(), source })
}

/// Before which number lines are missing, unless they went by rule or the caller knows where the files begin.
fn missing(report: &ChainReport, after: Option<&str>) -> Option<u64> {
    let is_known = after.is_some_and(|after| after.eq_ignore_ascii_case(&report.before));
    report.begins_at.filter(|_| !is_known)
}

fn said(report: &ChainReport, missing: Option<u64>, place: &str) -> String {
    let mut text = match (&report.broken, missing) {
        (Some(link), _) => {
            format!(
                "{} {}, line {}: {}",
                style::paint(style::ERROR, "broken:"),
                link.file.display(),
                link.line,
                link.why
            )
        }
        (None, Some(first)) => format!(
            "{} lines 1 to {} are not here, and no line says that they were removed when their time was over: give the \
             earlier files first, or with --after the hash noted of the line before\n{} in {}: every link of what is here \
             holds\nhead: {}",
            style::paint(style::ERROR, "broken:"),
            first.saturating_sub(1),
            style::count(report.n_lines, "line"),
            place,
            report.head
        ),
        (None, None) => format!(
            "{} {} in {}, every link holds\nhead: {}",
            style::paint(style::GOOD, "fine:"),
            style::count(report.n_lines, "line"),
            place,
            report.head
        ),
    };
    for file in &report.torn {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{} {}: a line is torn: the program was stopped in the middle of writing it",
            style::paint(style::WARNING, "note:"),
            file.display()
        );
    }
    for file in &report.empty {
        let _ = write!(
            text,
            "\n{} {}: there is nothing in it: it is new, or somebody emptied it",
            style::paint(style::WARNING, "warning:"),
            file.display()
        );
    }
    text
}
