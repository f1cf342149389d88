//! `man` and `completions`: manual pages and shells' completions, made from the very definitions that the command line is
//! read by, so that they cannot say anything else.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _, ValueEnum};
use clap_mangen::roff::{Roff, roman};

use crate::cli::args::CommandLine;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;

/// Write the manual pages.
///
/// Writes a page for Postward and one for each subcommand, `postward-check.1` and so on, to DIR; pages that stand there are
/// replaced. Without DIR, the first page goes to standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward man | man -l -
  postward man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// The directory to write to; made if it does not exist.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Write a shell's completions.
///
/// Writes the script to standard output by which a shell completes Postward's subcommands and options.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward completions bash > /usr/share/bash-completion/completions/postward
  postward completions zsh > /usr/local/share/zsh/site-functions/_postward
  postward completions fish > ~/.config/fish/completions/postward.fish")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// A shell that completions are made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// Writes every page to a folder, or the first one to standard output.
pub(crate) fn man(args: &Man) -> Result<Exit, Failure> {
    let Some(dir) = &args.dir else {
        let page = page(&root())?;
        return printed(&page);
    };
    fs::create_dir_all(dir).map_err(|source| Failure::plain(Context::file("make", dir, source)))?;
    let n_pages = write_all(&root(), dir)?;
    let at = style::quoted(&dir.display().to_string());
    style::to_stdout(&format!(
        "{} {n_pages} pages to {}; to read one:  man -l {at}/postward.1",
        style::paint(style::GOOD, "written"),
        dir.display()
    ))?;
    Ok(Exit::Fine)
}

/// Writes a shell's completions to standard output.
pub(crate) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    // Into memory first: the generator panics where its output is gone.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root(), "postward", &mut script);
    printed(&script)
}

/// The whole command line, with the names that its pages have.
fn root() -> Command {
    let mut root = CommandLine::command();
    root.build();
    root
}

/// Writes the page of a command and those of its subcommands; gives how many.
fn write_all(command: &Command, dir: &Path) -> Result<usize, Failure> {
    let file = dir.join(format!("{}.1", name(command)));
    fs::write(&file, page(command)?)
        .map_err(|source| Failure::plain(Context::file("write", &file, source)))?;
    let mut n_pages = 1;
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        n_pages += write_all(subcommand, dir)?;
    }
    Ok(n_pages)
}

/// What a page is called: `postward-audit-verify`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let version = concat!("postward ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command.clone()).source(version).manual("Postward");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    // Examples and tables keep their lines, which the renderer would fill up to paragraphs.
    if let Some(after) = command.get_after_help() {
        let mut examples = Roff::new();
        examples.control("SH", ["EXAMPLES AND NOTES"]).control("nf", []);
        for line in after.to_string().lines() {
            examples.text([roman(line.to_owned())]);
        }
        examples.control("fi", []);
        examples.to_writer(&mut page)?;
    }
    Ok(page)
}

fn printed(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::{name, page, root};

    /// Every command with those below it.
    fn all(command: &Command) -> Vec<&Command> {
        let mut found = vec![command];
        found.extend(command.get_subcommands().flat_map(all));
        found
    }

    #[test]
    fn every_command_has_a_page_that_says_what_its_help_says() {
        let root = root();
        let commands = all(&root);
        assert!(commands.len() > 15, "{}", commands.len());
        for command in commands {
            let page = String::from_utf8(page(command).unwrap()).unwrap();
            let plain = page.replace("\\-", "-").replace("\\ ", " ").replace("\\*(Aq", "'");
            let name = name(command);
            assert!(name.starts_with("postward"), "{name}");
            assert!(plain.contains(&format!(".TH {name} 1 ")), "{name}: {plain}");
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && plain.contains(about.as_str()), "{name}: {plain}");
            for long in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(plain.contains(&format!("--{long}")), "{name}: --{long}");
            }
            for subcommand in command.get_subcommands() {
                let mention = format!("{}(1)", super::name(subcommand));
                assert!(plain.contains(&mention), "{name}: {mention}");
            }
        }
    }
}
