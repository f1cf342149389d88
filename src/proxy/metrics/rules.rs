//! Findings by category and rule. The labels are the rules of the loaded sets; nothing that is posted can add one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

use crate::inspect::JudgedFinding;
use crate::proxy::metrics::page::Samples;
use crate::rules::{Category, Rule, RuleId};

/// Rules that have a counter of their own, over all sets of the process's life: no counter ever goes back, so those of rules
/// that are gone stay.
const MOST: usize = 4096;

/// The label of what those beyond find.
const OTHER: &str = "(other)";

/// Findings, by category and rule.
#[derive(Debug, Default)]
pub(super) struct ByRule {
    known: RwLock<HashMap<RuleId, Counter>>,
    other: [AtomicU64; Category::ALL.len()],
}

#[derive(Debug)]
struct Counter {
    category: Category,
    n: AtomicU64,
}

impl ByRule {
    /// Makes counters for the rules that have none.
    pub(super) fn count_for(&self, rules: &[Rule]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for rule in rules {
            if known.len() < MOST && !known.contains_key(&rule.id) {
                let counter = Counter { category: rule.category, n: AtomicU64::new(0) };
                known.insert(rule.id.clone(), counter);
            }
        }
    }

    pub(super) fn count(&self, findings: &[JudgedFinding]) {
        if findings.is_empty() {
            return;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for finding in findings {
            // A rule of this name may have been of another category in a set before.
            let of_rule =
                known.get(&finding.rule).filter(|counter| counter.category == finding.category);
            let counter = of_rule.map(|counter| &counter.n).or_else(|| {
                let place = Category::ALL.iter().position(|one| *one == finding.category);
                place.and_then(|place| self.other.get(place))
            });
            counter.map(|counter| counter.fetch_add(1, Relaxed));
        }
    }

    /// Every rule, in the order of categories and names, and what is counted for none of them.
    pub(super) fn write(&self, samples: &mut Samples<'_>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.iter().collect();
        all.sort_by_key(|(rule, counter)| (counter.category, *rule));
        for (rule, counter) in all {
            samples.put(&[counter.category.as_str(), rule.as_str()], counter.n.load(Relaxed));
        }
        for (category, n) in Category::ALL.iter().zip(&self.other) {
            samples.put(&[category.as_str(), OTHER], n.load(Relaxed));
        }
    }
}
