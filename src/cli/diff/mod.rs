//! `diff`: which posts would be judged otherwise by new rules or another policy, before anybody feels it.
//!
//! Both sides judge every post with the very inspector that `serve` runs. What is only logged changes nothing for an
//! author, and is no difference here.

mod output;
mod side;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::cli::args::{self, ScanFormat};
use crate::cli::diff::output::Output;
use crate::cli::diff::side::Side;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::judging::{self, NO_PLATFORM};
use crate::cli::progress::Progress;
use crate::cli::scan::input::Posts;
use crate::detect::Finding;
use crate::inspect::TextInspection;
use crate::policy::{Action, Judgement};
use crate::rules::RuleId;
use crate::span::Span;

pub(crate) fn run(args: &args::Diff) -> Result<Exit, Failure> {
    let config = args.config.as_deref();
    let (old, new) = (Side::open(&args.old, config)?, Side::open(&args.new, config)?);
    let today = args.today.unwrap_or_else(judging::today);
    let out: Box<dyn Write> = match args.format {
        ScanFormat::Human => Box::new(anstream::stdout().lock()),
        ScanFormat::Jsonl => Box::new(io::stdout().lock()),
    };
    let mut output = Output::new(args.format, args.show, out);
    let progress = Progress::of_unknown();
    let mut all_read = true;
    for file in &args.on {
        let (name, input) = open(file)?;
        let mut posts = Posts::new(name, input, args.on.len() > 1, old.max_line.max(new.max_line));
        loop {
            let post = match posts.next_post() {
                Ok(Some(post)) => post,
                Ok(None) => break,
                Err(error) => {
                    let failure = match error.help() {
                        Some(help) => Failure::new(error, help),
                        None => Failure::plain(error),
                    };
                    // The exit of the whole is settled at the end.
                    let _ = failure.report();
                    all_read = false;
                    continue;
                }
            };
            let platform = post.platform.as_deref().unwrap_or(NO_PLATFORM);
            let field = post.field.as_deref();
            let judge = |side: &Side| {
                let groups = post.groups(side.inspector.policy());
                side.inspector.judge_text(&post.text, platform, &groups, field, today)
            };
            let (before, after) = (judge(&old), judge(&new));
            output.post(&post, &before, &after, change(&before, &after))?;
            progress.add(1);
        }
    }
    drop(progress);
    let n_changed = output.finish(&old, &new)?;
    Ok(if !all_read || (args.exit_code && n_changed > 0) { Exit::Failed } else { Exit::Fine })
}

fn open(file: &Path) -> Result<(String, Box<dyn Read>), Failure> {
    if file.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), Box::new(io::stdin())));
    }
    let input =
        File::open(file).map_err(|source| Failure::plain(Context::file("open", file, source)))?;
    Ok((file.display().to_string(), Box::new(input)))
}

/// What of a post changes, by what its author notices most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    /// Forwarded, redacted or blocked: no longer the same.
    Verdict,
    /// Redacted both times, to another text.
    Text,
    /// The same for its author, for other reasons: other findings, rules or clauses.
    Reasons,
}

impl Change {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Text => "text",
            Self::Reasons => "reasons",
        }
    }
}

fn change(before: &TextInspection, after: &TextInspection) -> Option<Change> {
    let words = |judged: &TextInspection| {
        judged.redacted.as_ref().map(|redacted| redacted.expose().to_owned())
    };
    if before.verdict() != after.verdict() {
        Some(Change::Verdict)
    } else if words(before) != words(after) {
        Some(Change::Text)
    } else if !acted(before).map(known_by).eq(acted(after).map(known_by)) {
        Some(Change::Reasons)
    } else {
        None
    }
}

/// The findings that something is done about.
fn acted(judged: &TextInspection) -> impl Iterator<Item = &(Finding, Judgement)> {
    judged.findings.iter().filter(|(_, judgement)| judgement.action > Action::Log)
}

/// What makes two findings of one text the same one, decided alike.
fn known_by((finding, judgement): &(Finding, Judgement)) -> (Span, &RuleId, &Judgement) {
    (finding.span, &finding.rule, judgement)
}
