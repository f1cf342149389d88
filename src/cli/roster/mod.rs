//! `roster`: the hospital's own patients, built into a file of keyed hashes, shown and tried.

mod build;
mod listen;
mod show;
mod sources;
mod test;

use crate::cli::args::{Roster, RosterKey};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::style;
use crate::roster::{Key, KeyError};

pub(crate) fn run(args: &Roster) -> Result<Exit, Failure> {
    match args {
        Roster::Key(args) => key(args),
        Roster::Build(args) => build::run(args),
        Roster::Listen(args) => listen::run(args),
        Roster::Show(args) => show::run(args),
        Roster::Test(args) => test::run(args),
    }
}

fn key(args: &RosterKey) -> Result<Exit, Failure> {
    Key::create(&args.file).map_err(key_failure)?;
    style::to_stdout(&format!(
        "{} {}\nKeep it apart from the roster and its backups: who has both can find out by guessing who is on it.",
        style::paint(style::GOOD, "made"),
        args.file.display(),
    ))?;
    Ok(Exit::Fine)
}

/// The failure with its remedy.
fn key_failure(error: KeyError) -> Failure {
    let help = error.remedy();
    Failure::new(error, help)
}
