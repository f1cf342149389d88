//! `check`: everything `serve` would read, read and proved.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::app;
use crate::cli::args::{self, CheckFormat};
use crate::cli::diagnostics;
use crate::cli::endpoints;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::style;
use crate::config::{self, Loaded};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::platform::Platform;
use crate::policy::Mode;
use crate::rules::{Category, RuleSet};

pub(crate) fn run(args: &args::Check) -> Result<Exit, Failure> {
    let loaded = config::load(args.config.as_deref()).map_err(Failure::Files)?;
    if !loaded.warnings.is_empty() {
        diagnostics::print(&loaded.warnings);
    }
    if let Some(file) = &args.config {
        let idle = app::proved(file, &loaded).map_err(Failure::Files)?;
        if !idle.is_empty() {
            // Nobody could reach the proxy: what `serve` warns of is no fine configuration.
            let as_fault = |told| Diagnostic { severity: Severity::Error, ..told };
            return Err(Failure::Files(idle.into_iter().map(as_fault).collect()));
        }
    }
    let listed = match &args.endpoints {
        None => Vec::new(),
        Some(None) => concerned(&loaded),
        Some(Some(name)) => {
            let Some(platform) = loaded.platforms.get(name) else {
                no_platform(name, &loaded);
                return Ok(Exit::WrongUsage);
            };
            vec![platform]
        }
    };
    let text = match args.format {
        CheckFormat::Json => as_json(args, &loaded, &listed).to_string(),
        CheckFormat::Human => {
            let what = match &args.config {
                Some(file) => file.display().to_string(),
                None => "what ships inside this program".to_owned(),
            };
            let mut text = summary(&what, &loaded);
            for platform in listed {
                let _ =
                    write!(text, "\n\n{}", endpoints::list(platform, &hosts(&loaded, platform)));
            }
            text
        }
    };
    style::to_stdout(&text)?;
    Ok(Exit::Fine)
}

/// The platforms that somebody asks about: those with a route or, where there is none, all.
fn concerned(loaded: &Loaded) -> Vec<&Arc<Platform>> {
    let is_routed = |platform: &&Arc<Platform>| !routed(loaded, platform).is_empty();
    let routed: Vec<_> = loaded.platforms.iter().filter(is_routed).collect();
    if routed.is_empty() { loaded.platforms.iter().collect() } else { routed }
}

/// The hosts that routes lead to a platform.
fn routed(loaded: &Loaded, platform: &Platform) -> Vec<String> {
    let routes = loaded.config.routes.iter().filter(|route| route.platform == platform.id());
    routes.flat_map(|route| route.hosts.iter().cloned()).collect()
}

/// The hosts of its routes or, where it has none, those that its file lists.
fn hosts(loaded: &Loaded, platform: &Platform) -> Vec<String> {
    let routed = routed(loaded, platform);
    if routed.is_empty() { platform.hosts().to_vec() } else { routed }
}

fn no_platform(name: &str, loaded: &Loaded) {
    let names: Vec<&str> = loaded.platforms.iter().map(|platform| platform.id()).collect();
    style::to_stderr(&format!(
        "{}: there is no platform `{}`\n{}: {}",
        style::paint(style::ERROR, "error"),
        style::printable(name),
        style::paint(style::HELP, "help"),
        did_you_mean(name, &names),
    ));
}

/// The same as [`summary`] for machines; the endpoints of those platforms with it.
fn as_json(args: &args::Check, loaded: &Loaded, listed: &[&Arc<Platform>]) -> Value {
    let Loaded { config, rules, policy, platforms, .. } = loaded;
    let platform = |platform: &Arc<Platform>| {
        let mut said = Map::new();
        said.insert("name".into(), platform.id().into());
        said.insert("routed-hosts".into(), routed(loaded, platform).into());
        said.insert("n-endpoints".into(), platform.n_endpoints().into());
        if listed.iter().any(|one| Arc::ptr_eq(one, platform)) {
            said.insert("always-signed".into(), platform.is_always_signed().into());
            said.insert("endpoints".into(), endpoints::as_json(platform));
        }
        Value::Object(said)
    };
    json!({
        "config": args.config.as_ref().map(|file| file.display().to_string()),
        "rules": {
            "n-rules": rules.rules.len(), "n-excepts": rules.excepts.len(), "n-disabled": rules.disabled.len(),
            "n-examples": n_examples(rules), "hash": rules.hash,
        },
        "policy": {
            "n-clauses": policy.n_clauses(), "hash": policy.hash(),
            "mode": match policy.mode() { Mode::Enforce => "enforce", Mode::Monitor => "monitor" },
        },
        "platforms": platforms.iter().map(platform).collect::<Vec<_>>(),
        "n-routes": config.routes.len(),
        "n-listeners": config.listeners.len(),
    })
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
        for platform in concerned(loaded) {
            let _ = write!(text, "\n{}", understood(platform));
        }
    }
    text.push_str("\n  --endpoints [PLATFORM] lists the calls that are understood; any other is read, never edited");
    text
}

/// A routed platform's endpoints in numbers, under the words of the line above.
fn understood(platform: &Platform) -> String {
    let lines = style::wrap(&endpoints::by_class(platform), 64 - 12);
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\u{a0}', " ")).collect();
    format!("              {:<11} {}", platform.id(), lines.join("\n                          "))
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
