//! `audit report`: a period of the audit as one page of HTML.

use jiff::Timestamp;

use crate::cli::args;
use crate::cli::evidence::{opened, to_file, unreadable};
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;
use crate::config;
use crate::report::{self, Begins, Scope};

pub(crate) fn run(args: &args::AuditReport) -> Result<Exit, Failure> {
    if args.from > args.to {
        return Err(Failure::new(
            format!("the period ends before it begins: {} to {}", args.from, args.to),
            "give the first day with --from and the last with --to",
        ));
    }
    let exemptions = match &args.config {
        None => None,
        Some(file) => Some(config::load(Some(file)).map_err(Failure::Files)?.policy.exemptions()),
    };
    let now = Timestamp::now();
    let scope = Scope { from: args.from, to: args.to, now, silence: args.silence };
    let gathered = report::gather(opened(&args.sources), scope).map_err(unreadable)?;
    let page = report::page(&gathered, exemptions.as_deref());
    to_file(&args.out, |out| {
        out.write_all(page.as_bytes())
            .map_err(|source| Failure::plain(Context::file("write", &args.out, source)))
    })?;
    for chain in gathered.chains.iter().filter(|chain| chain.begins == Begins::AfterMissing) {
        style::to_stderr(&format!(
            "{} {}: the lines before number {} are not among the sources, and no line says that their time was over",
            style::paint(style::WARNING, "warning:"),
            chain.sources.first().map_or("", String::as_str),
            chain.first.0
        ));
    }
    let broken = gathered.chains.iter().find_map(|chain| chain.breaks.first());
    if let Some(link) = broken {
        style::to_stderr(&format!(
            "{} {}, line {}: {}",
            style::paint(style::ERROR, "broken:"),
            link.source,
            link.line,
            link.why
        ));
        return Ok(Exit::Failed);
    }
    style::to_stderr(&format!(
        "{} {} of {} to {}",
        style::paint(style::GOOD, "fine:"),
        style::count(usize::try_from(gathered.posts.all()).unwrap_or(usize::MAX), "post"),
        args.from,
        args.to
    ));
    Ok(Exit::Fine)
}
