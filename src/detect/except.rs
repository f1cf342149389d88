//! Excepts: what rules must let pass wherever it stands.

use crate::detect::engine::{Judged, outcome};
use crate::detect::pattern::window;
use crate::rules::{Needs, Pattern, RuleSet};
use crate::span::Span;

/// Every except with the rules it speaks to.
#[derive(Debug)]
pub(super) struct Excepts {
    excepts: Vec<Except>,
}

#[derive(Debug)]
struct Except {
    pattern: Pattern,
    /// By index into `RuleSet::rules`: whether it speaks to the rule.
    rules: Vec<bool>,
}

impl Excepts {
    pub(super) fn build(set: &RuleSet) -> Self {
        let excepts = set.excepts.iter().map(|except| {
            let speaks_to = |id: &str| except.rules.iter().any(|name| names(name, id));
            let rules = set.rules.iter().map(|rule| speaks_to(rule.id.as_str())).collect();
            Except { pattern: except.pattern.clone(), rules }
        });
        Self { excepts: excepts.collect() }
    }

    /// Marks what stands inside an except. An except runs only if a rule it speaks to has found something.
    pub(super) fn apply(&self, view: &str, judged: &mut [Judged]) {
        if judged.is_empty() {
            return;
        }
        let held = Needs::held_by(view);
        for except in self.excepts.iter().filter(|except| except.pattern.needs().met_by(held)) {
            let speaks_to = |judged: &Judged| {
                judged.outcome == outcome::FOUND
                    && except.rules.get(judged.candidate.rule) == Some(&true)
            };
            let mut last = None;
            for judged in judged.iter_mut() {
                // Rules report in order of their hits, so the span tried last is often the one that counts again.
                if speaks_to(judged) && except.covers(view, judged.candidate.span, &mut last) {
                    judged.outcome = outcome::EXCEPTED;
                }
            }
        }
    }
}

/// How far around a finding an except may reach, in bytes.
const AROUND: usize = 256;

impl Except {
    /// Whether a hit of the except covers a span.
    fn covers(&self, view: &str, span: Span, last: &mut Option<Span>) -> bool {
        if last.is_some_and(|last| last.covers(span)) {
            return true;
        }
        let window =
            window(view, Span::new(span.start().saturating_sub(AROUND), span.end() + AROUND));
        let (Some(haystack), mut at) = (view.get(..window.end()), window.start()) else {
            return false;
        };
        while let Some(hit) = self.pattern.regex().find_at(haystack, at) {
            let hit: Span = hit.range().into();
            if hit.covers(span) {
                *last = Some(hit);
                return true;
            }
            if hit.start() > span.start() {
                return false;
            }
            // One character on, not behind the hit: another may begin inside it.
            at = hit.start()
                + haystack
                    .get(hit.start()..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8);
        }
        false
    }
}

/// Whether a name of an except (`us-ssn`, `name-*`) names a rule.
pub(super) fn names(name: &str, id: &str) -> bool {
    match name.strip_suffix('*') {
        Some(prefix) => id.starts_with(prefix),
        None => name == id,
    }
}
