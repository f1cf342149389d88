//! All rules of an installation, merged in order: embedded first, then the hospital's own.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Source};
use crate::rules::embedded::{self, FILES};
use crate::rules::read::{self, Disabled, Entry, TermFile};
use crate::rules::{Except, Lexicons, Rule, RuleId};
use crate::span::Span;

/// Rules, excepts and lexicons that fit together: ids are unique, names are known, patterns compile.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules in force.
    pub rules: Vec<Rule>,
    /// The excepts in force.
    pub excepts: Vec<Except>,
    /// Rules turned off, each with its reason.
    pub disabled: Vec<(RuleId, String)>,
    /// Word lists.
    pub lexicons: Arc<Lexicons>,
    /// SHA-256 over all files in order, in hexadecimal: the audit says which rules judged.
    pub hash: String,
}

/// Collects rule files in order. Term files named by a rule are asked for by name, so that this room reads no disk.
#[derive(Debug, Default)]
pub struct RuleSetBuilder {
    set: RuleSet,
    disabled: Vec<(Arc<Source>, Disabled)>,
    faults: Vec<Diagnostic>,
    hash: Sha256,
}

impl RuleSet {
    /// The shipped rules and lexicons alone. Read once.
    ///
    /// # Panics
    ///
    /// If a shipped file is not whole, which a test rules out.
    #[expect(
        clippy::expect_used,
        reason = "the shipped files are part of the program, and a test reads them"
    )]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<RuleSet>> = OnceLock::new();
        let set = EMBEDDED.get_or_init(|| {
            let set = RuleSetBuilder::default().embedded().finish();
            Arc::new(set.expect("the shipped rules are whole"))
        });
        Arc::clone(set)
    }

    /// The rule of an id, if it is in force.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.as_str() == id)
    }
}

impl RuleSetBuilder {
    /// Adds every shipped rule file.
    #[must_use]
    pub fn embedded(self) -> Self {
        FILES.iter().fold(self, |builder, (name, text)| {
            let source = Source::new(format!("embedded:rules/{name}"), *text);
            builder.file(&source, &embedded::list)
        })
    }

    /// Adds one rule file. `term_file` reads a list named by `terms = { file = ".." }`, relative to this file; an
    /// error is the reason in words.
    #[must_use]
    pub fn file(mut self, source: &Arc<Source>, term_file: &TermFile<'_>) -> Self {
        let file = read::read(source, term_file, &mut self.faults);
        // Lengths keep two files apart from one that holds both.
        for text in std::iter::once(&source.text).chain(&file.term_files) {
            self.hash.update((text.len() as u64).to_le_bytes());
            self.hash.update(text);
        }
        let faults = &mut self.faults;
        merge(&mut self.set.rules, file.rules, faults, |rule| (&rule.id, &rule.source, rule.span));
        merge(&mut self.set.excepts, file.excepts, faults, |except| {
            (&except.id, &except.source, except.span)
        });
        self.disabled
            .extend(file.disabled.into_iter().map(|disabled| (Arc::clone(source), disabled)));
        self
    }

    /// The set, or every fault found in every file.
    pub fn finish(mut self) -> Result<RuleSet, Vec<Diagnostic>> {
        for (source, Disabled { rule, reason, span }) in self.disabled {
            if self.set.disabled.iter().any(|(one, _)| *one == rule) {
                let fault = Diagnostic::error(&source, format!("`{rule}` is disabled twice"));
                self.faults.push(
                    fault
                        .at(span)
                        .label("disabled before")
                        .help("keep one entry, with the reason that holds"),
                );
                continue;
            }
            let before = self.set.rules.len() + self.set.excepts.len();
            self.set.rules.retain(|one| one.id != rule);
            self.set.excepts.retain(|one| one.id != rule);
            if self.set.rules.len() + self.set.excepts.len() == before {
                let fault =
                    Diagnostic::error(&source, format!("there is no rule `{rule}` to disable"));
                self.faults.push(
                    fault
                        .at(span)
                        .label("names no rule in force")
                        .help("remove the entry, or mend the id"),
                );
            }
            self.set.disabled.push((rule, reason));
        }
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        self.set.lexicons = Lexicons::embedded();
        self.set.hash =
            self.hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
                for nibble in [byte >> 4, byte & 15] {
                    hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or_default());
                }
                hex
            });
        Ok(self.set)
    }
}

/// Adds entries; one of an id already there must say `replaces = true`, and one that says so must find it.
fn merge<T>(
    there: &mut Vec<T>,
    new: Vec<Entry<T>>,
    faults: &mut Vec<Diagnostic>,
    about: impl Fn(&T) -> (&RuleId, &Arc<Source>, Span),
) {
    for Entry { item, replaces, id_span } in new {
        let (id, source, _) = about(&item);
        let at = there.iter().position(|old| about(old).0 == id);
        match (at, replaces) {
            (Some(at), true) => {
                if let Some(old) = there.get_mut(at) {
                    *old = item;
                }
            }
            (None, false) => there.push(item),
            (Some(at), false) => {
                let first = there
                    .get(at)
                    .map(&about)
                    .map(|(_, source, span)| Diagnostic::error(source, "").at(span).to_string());
                let first = first.unwrap_or_default();
                let first = first.trim_end_matches([':', ' ']);
                faults.push(
                    Diagnostic::error(source, format!("`{id}` is defined twice; first at {first}"))
                        .at(id_span)
                        .label("same id again")
                        .help("choose another id, or write `replaces = true` if this one is meant to stand for it"),
                );
            }
            (None, true) => faults.push(
                Diagnostic::error(source, format!("`{id}` replaces nothing"))
                    .at(id_span)
                    .label("no such id before this file")
                    .help("mend the id, or remove `replaces`"),
            ),
        }
    }
}
