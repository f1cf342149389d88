//! Reads a policy file into a [`Policy`], or names everything that is wrong with it.
//!
//! Invariant: a [`Policy`] that exists is usable. Its names exist, its clauses have different names, and every category
//! is named by a clause that holds for everybody everywhere: nothing is forgotten by omission.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::diagnostic::{Diagnostic, Faults, Placed, Source, Table, did_you_mean, shown};
use crate::policy::clause::{Clause, Exception};
use crate::policy::group::Groups;
use crate::policy::replacement::Replacements;
use crate::policy::scope::Known;
use crate::policy::sentence::Messages;
use crate::policy::settings::Media;
use crate::policy::{MediaAction, Mode, OnFault, Policy};
use crate::rules::{Category, RuleSet};
use crate::span::Span;

const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("monitor", Mode::Monitor)];

const FAULTS: [(&str, OnFault); 2] = [("block", OnFault::Block), ("forward", OnFault::Forward)];

const MEDIA: [(&str, MediaAction); 3] = [
    ("allow", MediaAction::Allow),
    ("strip-metadata", MediaAction::StripMetadata),
    ("block", MediaAction::Block),
];

/// What becomes of documents, and of media that comes in pieces.
const PASSES: [(&str, bool); 2] = [("block", false), ("allow", true)];

impl Policy {
    /// Reads a policy. `platforms` are the names it may use. Every fault is named, not only the first; a policy that
    /// can be used may come with warnings.
    pub fn parse(
        source: &Arc<Source>,
        rules: &RuleSet,
        platforms: &[&str],
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (policy, faults) = parse(source, Some(rules), Some(platforms));
        match policy {
            Some(policy) if !faults.any_error() => Ok((policy, faults.into_sorted())),
            _ => Err(faults.into_sorted()),
        }
    }

    /// What is wrong with a policy by itself, when the rules or the platforms that it names could not be loaded.
    pub fn faults_alone(
        source: &Arc<Source>,
        rules: Option<&RuleSet>,
        platforms: Option<&[&str]>,
    ) -> Vec<Diagnostic> {
        parse(source, rules, platforms).1.into_sorted()
    }
}

fn parse(
    source: &Arc<Source>,
    rules: Option<&RuleSet>,
    platforms: Option<&[&str]>,
) -> (Option<Policy>, Faults) {
    let mut faults = Faults::new(source);
    let file = Table::of_file(source, &mut faults);
    let policy = file.map(|file| read(file, rules, platforms, &mut faults));
    (policy, faults)
}

fn read(
    mut file: Table<'_>,
    rules: Option<&RuleSet>,
    platforms: Option<&[&str]>,
    faults: &mut Faults,
) -> Policy {
    let mode = file.choice("mode", &MODES, faults);
    let on_unreadable = on_fault(&mut file, "on-unreadable", faults);
    let on_cannot_redact = on_fault(&mut file, "on-cannot-redact", faults);
    let on_unaudited = on_fault(&mut file, "on-unaudited", faults);
    let message = file.text("message", faults);
    let fault_message = file.text("fault-message", faults);
    let messages = Messages::read(message, fault_message, faults);
    let groups = Groups::read(file.tables("group", faults), faults);
    let known = Known { rules, platforms, groups: groups.names() };
    let mut clauses: Vec<Clause> = Vec::new();
    let mut all_read = true;
    for table in file.tables("clause", faults) {
        if let Some((at, clause)) = Clause::read(table, &known, faults) {
            refuse_second(
                "clause",
                &clause.name,
                clauses.iter().map(|clause| &clause.name),
                &at,
                faults,
            );
            clauses.push(clause);
        } else {
            all_read = false;
        }
    }
    let mut exceptions: Vec<Exception> = Vec::new();
    for table in file.tables("exception", faults) {
        if let Some((at, exception)) = Exception::read(table, &known, faults) {
            refuse_second(
                "exception",
                &exception.name,
                exceptions.iter().map(|exception| &exception.name),
                &at,
                faults,
            );
            exceptions.push(exception);
        }
    }
    let replacements = file.table("replacement", faults);
    let replacements = Replacements::read(replacements, faults);
    let media = file.table("media", faults);
    let media = read_media(media, platforms, faults);
    file.finish(faults);
    // A clause too broken to read may have named the missing ones; its own faults come first.
    if all_read {
        check_every_category_is_named(&clauses, faults);
    }
    Policy {
        source: Arc::clone(faults.source()),
        hash: hash_of(&faults.source().text),
        mode: mode.map_or_else(Mode::default, |mode| mode.value),
        on_unreadable,
        on_cannot_redact,
        on_unaudited,
        messages,
        groups,
        clauses,
        exceptions,
        replacements,
        media,
    }
}

fn on_fault(file: &mut Table<'_>, key: &'static str, faults: &mut Faults) -> OnFault {
    file.choice(key, &FAULTS, faults).map_or_else(OnFault::default, |choice| choice.value)
}

fn refuse_second<'n>(
    what: &str,
    name: &str,
    mut names: impl Iterator<Item = &'n Arc<str>>,
    at: &Placed<()>,
    faults: &mut Faults,
) {
    if names.any(|other| **other == *name) {
        faults.error(
            at.span,
            format!("there is {what} `{}` already", shown(name)),
            "give each its own name: the audit says by it which one decided",
        );
    }
}

fn check_every_category_is_named(clauses: &[Clause], faults: &mut Faults) {
    let forgotten: Vec<String> = Category::ALL
        .into_iter()
        .filter(|category| !clauses.iter().any(|clause| clause.covers(*category)))
        .map(|category| format!("\"{category}\""))
        .collect();
    let Some(first) = forgotten.first() else { return };
    let message = match forgotten.len() {
        1 => format!("no clause for everybody names the category {first}"),
        _ => format!("no clause for everybody names the categories {}", forgotten.join(", ")),
    };
    let help = format!(
        "add one without rules, platforms, groups and fields, so that nothing is forgotten: [[clause]] with name = \"the-rest\", categories = [{}], action = \"log\", \"redact\" or \"block\"",
        forgotten.join(", ")
    );
    faults.error(Span::new(0, 0), message, help);
}

fn read_media(table: Option<Table<'_>>, platforms: Option<&[&str]>, faults: &mut Faults) -> Media {
    let mut media = Media::default();
    let Some(mut table) = table else { return media };
    if let Some(default) = table.choice("default", &MEDIA, faults) {
        media.default = default.value;
    }
    if let Some(documents) = table.choice("documents", &PASSES, faults) {
        media.documents = documents.value;
    }
    if let Some(pieces) = table.choice("pieces", &PASSES, faults) {
        media.pieces = pieces.value;
    }
    for (platform, word) in table.named_texts(faults) {
        if let Some(platforms) = platforms
            && !platforms.contains(&platform.value.as_str())
        {
            let known = [&["default", "documents", "pieces"], platforms].concat();
            faults.error(
                platform.span,
                format!("there is no platform `{}`", shown(&platform.value)),
                did_you_mean(&platform.value, &known),
            );
        }
        let Some((_, action)) = MEDIA.iter().find(|(name, _)| *name == word.value) else {
            let names = MEDIA.map(|(name, _)| name);
            faults.error(
                word.span,
                format!("`{}` cannot be done with media", shown(&word.value)),
                did_you_mean(&word.value, &names),
            );
            continue;
        };
        media.platforms.push((platform.value, *action));
    }
    table.finish(faults);
    media
}

fn hash_of(text: &str) -> String {
    let mut hash = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}
