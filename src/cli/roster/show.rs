//! `roster show`: what a roster says of itself, and that it is whole.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::cli::args::RosterShow;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::roster::key_failure;
use crate::cli::style;
use crate::roster::{About, Index, Key, OpenError};

pub(crate) fn run(args: &RosterShow) -> Result<Exit, Failure> {
    let key = Key::find(args.key_file.as_deref()).map_err(key_failure)?;
    let failure = |error: OpenError| {
        let help = error.remedy();
        Failure::new(error, help)
    };
    let index = Index::open(&args.file, &key).map_err(failure)?;
    if args.whole && !index.check_whole() {
        return Err(failure(OpenError::Altered { path: args.file.clone() }));
    }
    let heading = style::paint(style::GOOD, if args.whole { "whole:" } else { "fine:" });
    style::to_stdout(&format!(
        "{heading} {}\n{}",
        args.file.display(),
        about(index.about(), Timestamp::now())
    ))?;
    Ok(Exit::Fine)
}

/// What a roster says of itself, line by line.
pub(super) fn about(about: &About, now: Timestamp) -> String {
    let mut text = String::new();
    let kinds: Vec<String> = about
        .kinds
        .each()
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(word, n)| format!("{word} {n}"))
        .collect();
    let hours = now.duration_since(about.built).as_hours();
    let age = match hours {
        ..1 => "less than an hour".to_owned(),
        1..48 => style::count(usize::try_from(hours).unwrap_or_default(), "hour"),
        _ => style::count(usize::try_from(hours / 24).unwrap_or_default(), "day"),
    };
    let _ = writeln!(text, "  patients    {}", about.n_patients);
    let _ = writeln!(
        text,
        "  in house    {}; left within half a year {}",
        about.n_in_house, about.n_left
    );
    let _ = writeln!(text, "  columns     {}", kinds.join(", "));
    let _ = writeln!(text, "  words       {} distinct in names", about.n_words);
    let _ = writeln!(text, "  built       {:.0} UTC, {age} ago", about.built);
    let _ = writeln!(text, "  key id      {}", about.key());
    let size = about.n_bytes.checked_div(about.n_patients).unwrap_or_default();
    let _ = write!(text, "  size        {} bytes, {size} a patient", about.n_bytes);
    text
}
