//! Subcommands, output for people and for machines.
//!
//! Everything here stands on the library below: a command reads its arguments, calls one room, and says what came of
//! it. Results go to standard output, everything else to standard error; no error, log line or panic message holds the
//! text of a post.

mod args;
mod audit;
mod ca;
mod check;
mod demo;
mod diagnostics;
mod diff;
mod endpoints;
mod eval;
mod evidence;
mod exit;
mod failure;
mod health;
mod init;
mod judging;
mod pages;
mod progress;
mod roster;
mod scan;
mod serve;
mod style;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use crate::app;
use crate::cli::args::{Command, CommandLine};
use crate::cli::failure::Failure;

pub use exit::Exit;

/// Runs one command line.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    app::hide_payloads();
    // Every command may come to hold posts or keys. `serve` says whether it held; the others have nobody to tell.
    let _ = app::forbid_dumps();
    let command = match CommandLine::try_parse_from(args) {
        Ok(line) => line.command,
        Err(answer) => return said(&answer).into(),
    };
    // The hook has said where; a panic is a failure like any other to the script that called us.
    let exit = catch_unwind(AssertUnwindSafe(|| run(&command).unwrap_or_else(Failure::report)));
    exit.unwrap_or(Exit::Failed).into()
}

fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(_) => demo::run(),
        Command::Init(args) => init::run(args),
        Command::Check(args) => check::run(args),
        Command::Health(args) => health::run(args),
        Command::Scan(args) => scan::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Ca(args::Ca::Init(args)) => ca::run(args),
        Command::Roster(args) => roster::run(args),
        Command::Audit(args::Audit::Verify(args)) => audit::run(args),
        Command::Audit(args::Audit::Find(args)) => audit::find(args),
        Command::Audit(args::Audit::Export(args)) => evidence::export(args),
        Command::Audit(args::Audit::Report(args)) => evidence::report(args),
        Command::Man(args) => pages::man(args),
        Command::Completions(args) => pages::completions(args),
    }
}

/// What clap has to say: help and version on standard output, wrong usage on standard error.
fn said(answer: &clap::Error) -> Exit {
    // Nobody can be told that the terminal is gone.
    let _ = answer.print();
    if answer.use_stderr() { Exit::WrongUsage } else { Exit::Fine }
}
