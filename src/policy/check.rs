//! What must hold of rule files and policies, whatever their bytes: the checks of the fuzz targets.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use std::sync::{Arc, LazyLock};

use crate::body::check::Check;
use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::policy::Policy;
use crate::rules::{RuleSet, RuleSetBuilder};

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[("rules", rules), ("policy", policy)];

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(RuleSet::embedded);

/// Rule files: usable, or every fault named at its place.
pub fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let no_list = |_: &str| Err("there is none".to_owned());
    let built =
        RuleSetBuilder::default().file(&Source::new("fuzzed.toml", text), &no_list).finish();
    match built {
        Ok(set) => {
            let ids: Vec<&str> = set.rules.iter().map(|rule| rule.id.as_str()).collect();
            let mut once = ids.clone();
            once.sort_unstable();
            once.dedup();
            assert!(once.len() == ids.len(), "two rules of one name");
        }
        Err(faults) => refused(text, &faults),
    }
}

/// Policies: usable, or every fault named at its place.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("fuzzed.toml", text);
    match Policy::parse(&source, &RULES, &["mastodon", "x"]) {
        Ok((_, warnings)) => {
            let mild = warnings.iter().all(|fault| fault.severity == Severity::Warning);
            assert!(mild, "used in spite of an error");
        }
        Err(faults) => refused(text, &faults),
    }
}

fn refused(text: &str, faults: &[Diagnostic]) {
    assert!(
        faults.iter().any(|fault| fault.severity == Severity::Error),
        "refused without a reason"
    );
    for fault in faults.iter().filter(|fault| fault.source.name == "fuzzed.toml") {
        assert!(fault.span.is_none_or(|span| span.of(text).is_some()), "a fault outside the file");
    }
}
