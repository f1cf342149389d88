//! `scan`: judges posts from files, offline, one at a time: memory does not grow with the input, and what was judged
//! is written out before more input is waited for. A line that is no post is named, and the rest is judged all the same.

mod human;
pub(super) mod input;
pub(super) mod jsonl;
mod output;
#[cfg(test)]
mod samples;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::cli::args::{self, ScanFormat};
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::judging::{self, NO_PLATFORM};
use crate::cli::progress::Progress;
use crate::cli::scan::input::{InputError, Posts};
use crate::cli::scan::output::Output;
use crate::cli::style;
use crate::inspect::Inspector;
use crate::policy::Action;

pub(crate) fn run(args: &args::Scan) -> Result<Exit, Failure> {
    let (loaded, inspector) = judging::load(args.config.as_deref(), args.policy.as_deref())?;
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files[..] };
    let mut scan = Scan {
        inspector: &inspector,
        explain: args.explain,
        today: args.today.unwrap_or_else(judging::today),
        output: match args.format {
            ScanFormat::Human => Output::human(anstream::stdout().lock()),
            ScanFormat::Jsonl => Output::jsonl(io::stdout().lock()),
        },
        strictest: None,
        helped: Vec::new(),
        progress: Progress::of_unknown(),
    };
    for file in files {
        let (name, input) = open(file)?;
        scan.posts(Posts::new(name, input, files.len() > 1, loaded.config.max_body))?;
    }
    scan.output.finish()?;
    if !scan.output.is_whole() {
        // A line nobody judged is worse news than any verdict on the others.
        return Ok(Exit::Failed);
    }
    Ok(if args.exit_code { Exit::of_action(scan.strictest) } else { Exit::Fine })
}

fn open(file: &Path) -> Result<(String, Box<dyn Read>), Failure> {
    if file.as_os_str() == "-" {
        if io::stdin().is_terminal() {
            style::to_stderr("Reading posts from the terminal, one a line; end with Ctrl-D.");
        }
        return Ok(("standard input".to_owned(), Box::new(io::stdin())));
    }
    let input =
        File::open(file).map_err(|source| Failure::plain(Context::file("open", file, source)))?;
    Ok((file.display().to_string(), Box::new(input)))
}

/// A scan under way.
struct Scan<'a> {
    inspector: &'a Inspector,
    explain: bool,
    today: Date,
    output: Output<'a>,
    /// The strictest action so far.
    strictest: Option<Action>,
    /// Remedies said already: a thousand lines of one fault need it once.
    helped: Vec<&'static str>,
    progress: Progress,
}

impl Scan<'_> {
    fn posts(&mut self, mut posts: Posts<Box<dyn Read>>) -> Result<(), Failure> {
        loop {
            if posts.will_wait() {
                self.output.flush()?;
            }
            let post = match posts.next_post() {
                Ok(Some(post)) => post,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.name_fault(error)?;
                    continue;
                }
            };
            let platform = post.platform.as_deref().unwrap_or(NO_PLATFORM);
            let groups = post.groups(self.inspector.policy());
            let field = post.field.as_deref();
            let (judged, candidates) = if self.explain {
                let (judged, candidates) =
                    self.inspector.explain_text(&post.text, platform, &groups, field, self.today);
                (judged, Some(candidates))
            } else {
                (self.inspector.judge_text(&post.text, platform, &groups, field, self.today), None)
            };
            self.strictest = self.strictest.max(judged.action);
            self.output.write(&post, &judged, candidates.as_deref())?;
            self.progress.add(1);
        }
    }

    fn name_fault(&mut self, error: InputError) -> Result<(), Failure> {
        self.output.unread()?;
        let help = error.help().filter(|help| !self.helped.contains(help));
        self.helped.extend(help);
        let failure = match help {
            Some(help) => Failure::new(error, help),
            None => Failure::plain(error),
        };
        // The exit of the whole is settled at the end.
        let _ = failure.report();
        Ok(())
    }
}
