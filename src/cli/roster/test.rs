//! `roster test`: would the roster find somebody in a text, and by which columns?

use std::fmt::Write as _;
use std::io::{self, BufRead as _};
use std::sync::Arc;

use crate::cli::args::RosterTest;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{judging, style};
use crate::config::RosterFiles;
use crate::detect::{Engine, Piece};
use crate::roster::Live;
use crate::rules::RuleSet;

pub(crate) fn run(args: &RosterTest) -> Result<Exit, Failure> {
    let engine = engine(args)?;
    let today = args.today.unwrap_or_else(judging::today);
    if let Some(text) = &args.text {
        style::to_stdout(&tried(&engine, text, today))?;
        return Ok(Exit::Fine);
    }
    for line in io::stdin().lock().lines() {
        style::to_stdout(&tried(&engine, &line?, today))?;
    }
    Ok(Exit::Fine)
}

fn engine(args: &RosterTest) -> Result<Arc<Engine>, Failure> {
    if args.config.is_some() {
        let (loaded, _) = judging::load(args.config.as_deref(), None)?;
        if loaded.roster.is_none() {
            return Err(Failure::new(
                "the configuration has no [roster]",
                "add `[roster]` with `file` and `key-file`",
            ));
        }
        return Ok(loaded.engine);
    }
    let absolute = |path: &Option<std::path::PathBuf>| path.clone();
    let files = RosterFiles {
        file: absolute(&args.roster),
        key_file: absolute(&args.key_file),
        staff: absolute(&args.staff),
        recent: crate::config::RECENT_DAYS,
    };
    let roster = files.load().map_err(|fault| {
        let help = fault.remedy();
        Failure::new(fault, help)
    })?;
    let engine = Engine::build(&RuleSet::embedded()).map_err(Failure::Files)?;
    Ok(Arc::new(engine.with_roster(Arc::new(Live::new(roster)))))
}

/// What is found in a text by the roster, and by which columns.
fn tried(engine: &Engine, text: &str, today: jiff::civil::Date) -> String {
    let piece = Piece { text, label: None };
    let (scan, explained) = engine.explain(&[piece], today);
    let mut said = String::new();
    let found = scan
        .findings
        .iter()
        .flatten()
        .filter(|finding| finding.rule.as_str().starts_with("roster-"));
    for finding in found {
        let words = finding.span.of(text).unwrap_or_default();
        let _ = write!(
            said,
            "{:<8}  {:<18} {}",
            finding.confidence.as_str(),
            finding.rule.as_str(),
            style::quoted(words)
        );
        let why = explained.iter().filter(|it| it.rule == finding.rule && it.span == finding.span);
        let mut parts: Vec<&str> = why
            .flat_map(|it| &it.parts)
            .filter(|part| part.feature.starts_with("roster") || part.feature.starts_with("staff"))
            .map(|part| part.feature.as_ref())
            .collect();
        parts.dedup();
        if !parts.is_empty() {
            let _ = write!(said, "  ({})", parts.join(", "));
        }
        said.push('\n');
    }
    let care = if scan.care.speaks_of_care {
        "speaks of a patient's care"
    } else {
        "does not speak of a patient's care"
    };
    if said.is_empty() {
        return format!("the roster finds nobody; the text {care}");
    }
    format!("{said}the text {care}")
}
