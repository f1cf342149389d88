//! `check`: everything `serve` would read, read and proved.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::args;
use crate::cli::diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::proved;
use crate::cli::style;
use crate::config::{self, Loaded};
use crate::diagnostic::{Diagnostic, Severity};
use crate::policy::Mode;
use crate::rules::{Category, RuleSet};

pub(crate) fn run(args: &args::Check) -> Result<Exit, Failure> {
    let loaded = config::load(args.config.as_deref()).map_err(Failure::Files)?;
    if !loaded.warnings.is_empty() {
        diagnostics::print(&loaded.warnings);
    }
    if let Some(file) = &args.config {
        let idle = proved::proved(file, &loaded)?;
        if !idle.is_empty() {
            // Nobody could reach the proxy: what `serve` warns of is no fine configuration.
            let as_fault = |told| Diagnostic { severity: Severity::Error, ..told };
            return Err(Failure::Files(idle.into_iter().map(as_fault).collect()));
        }
    }
    let what = match &args.config {
        Some(file) => file.display().to_string(),
        None => "what ships inside this program".to_owned(),
    };
    style::to_stdout(&summary(&what, &loaded))?;
    Ok(Exit::Fine)
}

/// What was read, in numbers an officer can compare with what was meant.
fn summary(what: &str, loaded: &Loaded) -> String {
    let Loaded { config, rules, policy, platforms, .. } = loaded;
    let mut text = format!("{} {what}\n", style::paint(style::GOOD, "fine:"));
    let _ = writeln!(
        text,
        "  rules       {}, {}, {} turned off; {} hold",
        style::count(rules.rules.len(), "rule"),
        style::count(rules.excepts.len(), "except"),
        rules.disabled.len(),
        style::count(n_examples(rules), "example"),
    );
    indented(&mut text, &by_category(rules));
    let mode = match policy.mode() {
        Mode::Enforce => "enforce",
        Mode::Monitor => "monitor: verdicts are recorded, every post goes on as it is",
    };
    let _ =
        writeln!(text, "  policy      {}, mode {mode}", style::count(policy.n_clauses(), "clause"));
    let n_endpoints = platforms.iter().map(|platform| platform.n_endpoints()).sum();
    let names: Vec<String> = platforms
        .iter()
        .map(|platform| format!("{}\u{a0}{}", platform.id(), platform.n_endpoints()))
        .collect();
    let _ = writeln!(
        text,
        "  platforms   {}, {}",
        style::count(names.len(), "platform"),
        style::count(n_endpoints, "endpoint"),
    );
    indented(&mut text, &names.join(", "));
    if config.routes.is_empty() {
        text.push_str("  routes      none: `serve` needs a configuration with at least one");
    } else {
        let n_hosts = config.routes.iter().map(|route| route.hosts.len()).sum();
        let _ = write!(
            text,
            "  routes      {} for {} on {}",
            style::count(config.routes.len(), "route"),
            style::count(n_hosts, "host"),
            style::count(config.listeners.len(), "listener"),
        );
    }
    text
}

/// More of the line above, under its words.
fn indented(text: &mut String, words: &str) {
    for line in style::wrap(words, 64) {
        let _ = writeln!(text, "              {}", line.replace('\u{a0}', " "));
    }
}

fn n_examples(rules: &RuleSet) -> usize {
    let of_rules: usize =
        rules.rules.iter().map(|rule| rule.finds.len() + rule.ignores.len()).sum();
    let of_excepts: usize =
        rules.excepts.iter().map(|except| except.passes.len() + except.still_finds.len()).sum();
    of_rules + of_excepts
}

/// `name 12, date 9`: no break between a word and its number.
fn by_category(rules: &RuleSet) -> String {
    let mut counts: BTreeMap<Category, usize> = BTreeMap::new();
    for rule in &rules.rules {
        *counts.entry(rule.category).or_default() += 1;
    }
    let parts: Vec<String> =
        counts.iter().map(|(category, n)| format!("{category}\u{a0}{n}")).collect();
    parts.join(", ")
}
