//! Settles overlaps within a category; those across categories are kept, for policy weighs them apart.
//!
//! Nothing found is lost: the surer finding stands, what a less sure one holds beyond it stays as its own finding, and
//! those that are equally sure become one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::detect::candidate::Candidate;
use crate::detect::engine::{Judged, outcome};
use crate::rules::{Category, Matcher, Rule};
use crate::span::Span;

/// The candidates of one text with overlaps settled, by category and place, spans still of its view. What was settled is kept, with its
/// outcome, only to be explained.
pub(super) fn resolve(
    judged: Vec<Judged>,
    rules: &[Rule],
    view: &str,
    explain: bool,
) -> Vec<Judged> {
    let (mut found, mut rest): (Vec<Judged>, Vec<Judged>) =
        judged.into_iter().partition(|judged| judged.outcome == outcome::FOUND);
    if found.len() > 1 {
        found.sort_by_key(|judged| {
            let Candidate { rule, span, confidence, .. } = judged.candidate;
            // Of two that say the same, the hospital's own roster says it best, and a list that somebody wrote better than
            // a guess.
            let guessed = match rules.get(rule).map(|rule| &rule.matcher) {
                Some(Matcher::Composer(name)) if name.starts_with("roster-") => 0,
                Some(Matcher::Terms(_)) => 1,
                _ => 2,
            };
            (Reverse(confidence), Reverse(span.len()), span.start(), guessed, rule)
        });
        let mut settled = Settled { by_place: BTreeMap::new(), lost: Vec::new(), view };
        for judged in found {
            if let Some(rule) = rules.get(judged.candidate.rule) {
                settled.place(rule.category, judged);
            }
        }
        found = settled.by_place.into_values().collect();
        rest.append(&mut settled.lost);
    }
    if explain {
        found.append(&mut rest);
    }
    found
}

/// Findings that overlap no other of their category.
struct Settled<'v> {
    by_place: BTreeMap<(Category, usize), Judged>,
    lost: Vec<Judged>,
    view: &'v str,
}

impl Settled<'_> {
    /// Places a candidate that is no surer than any placed before.
    fn place(&mut self, category: Category, mut judged: Judged) {
        let span = judged.candidate.span;
        let there = self.overlapping(category, span);
        let Some(&first) = there.first() else {
            self.by_place.insert((category, span.start()), judged);
            return;
        };
        let gaps = gaps(span, &there);
        if gaps.iter().all(|gap| !self.says_something(category, *gap)) {
            self.lose(judged, outcome::SETTLED);
        } else if there.iter().all(|at| self.equals(category, *at, &judged)) {
            self.join(category, &there, first, judged);
        } else {
            for gap in gaps {
                if !self.says_something(category, gap) {
                    continue;
                }
                let mut part = judged.clone();
                part.candidate.span = gap;
                part.candidate.generalized = None;
                self.by_place.insert((category, gap.start()), part);
            }
            judged.candidate.generalized = None;
            self.lose(judged, outcome::TRIMMED);
        }
    }

    /// Spans of the category that overlap this one, in order.
    fn overlapping(&self, category: Category, span: Span) -> Vec<Span> {
        let until = self.by_place.range((category, 0)..(category, span.end())).rev();
        let mut there: Vec<Span> = until
            .map(|(_, judged)| judged.candidate.span)
            .take_while(|placed| placed.end() > span.start())
            .filter(|placed| placed.overlaps(span))
            .collect();
        there.reverse();
        there
    }

    fn equals(&self, category: Category, at: Span, judged: &Judged) -> bool {
        let placed = self.by_place.get(&(category, at.start()));
        placed.is_some_and(|placed| placed.candidate.confidence == judged.candidate.confidence)
    }

    /// Makes one finding of a candidate and all it overlaps. Neither's allowed form speaks for both.
    fn join(&mut self, category: Category, there: &[Span], first: Span, judged: Judged) {
        let mut span = judged.candidate.span;
        for at in there {
            span = span.union(*at);
        }
        let Some(mut one) = self.by_place.remove(&(category, first.start())) else { return };
        for at in there.iter().skip(1) {
            if let Some(other) = self.by_place.remove(&(category, at.start())) {
                one.candidate.standalone |= other.candidate.standalone;
                self.lose(other, outcome::JOINED);
            }
        }
        one.candidate.standalone |= judged.candidate.standalone;
        one.candidate.span = span;
        one.candidate.generalized = None;
        self.lose(judged, outcome::JOINED);
        self.by_place.insert((category, span.start()), one);
    }

    fn lose(&mut self, mut judged: Judged, outcome: &'static str) {
        judged.outcome = outcome;
        self.lost.push(judged);
    }

    /// Whether what is left of a finding is worth one: of a number, the label or mark before it is not.
    fn says_something(&self, category: Category, gap: Span) -> bool {
        let words = matches!(
            category,
            Category::Name | Category::Date | Category::Location | Category::Email | Category::Url
        );
        let tells = |c: char| if words { c.is_alphanumeric() } else { c.is_ascii_digit() };
        gap.of(self.view).is_some_and(|text| text.contains(tells))
    }
}

/// What of a span these leave over; they are in order and disjoint.
fn gaps(span: Span, taken: &[Span]) -> Vec<Span> {
    let mut gaps = Vec::new();
    let mut at = span.start();
    for taken in taken {
        if taken.start() > at {
            gaps.push(Span::new(at, taken.start()));
        }
        at = at.max(taken.end());
    }
    if at < span.end() {
        gaps.push(Span::new(at, span.end()));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::detect::candidate::Candidate;
    use crate::detect::engine::Judged;
    use crate::diagnostic::Source;
    use crate::rules::{Confidence, RuleSetBuilder};
    use crate::span::Span;

    use Confidence::{High, Low};

    /// Spans of rules 0 (`mrn`), 1 (`mrn`) and 2 (`ssn`).
    type Case = (usize, std::ops::Range<usize>, Confidence);

    #[test]
    fn overlaps_are_settled_within_a_category_and_nothing_is_lost() {
        let rule = |id: &str, category: &str| {
            format!(
                "[[rule]]\nid = \"{id}\"\ncategory = \"{category}\"\nterms = [\"x\"]\nconfidence = \"low\"\nwhy = \"w\"\n\
                 finds = [\"x\"]\nignores = [\"y\", \"z\"]\n"
            )
        };
        let file = rule("a", "mrn") + &rule("b", "mrn") + &rule("c", "ssn");
        let set = RuleSetBuilder::default()
            .file(&Source::new("t", file), &|_| Err(String::new()))
            .finish()
            .unwrap();
        let cases: &[(&[Case], &[Case])] = &[
            (&[(0, 0..4, High)], &[(0, 0..4, High)]),
            (&[(0, 0..4, High), (1, 4..6, Low)], &[(0, 0..4, High), (1, 4..6, Low)]),
            (&[(0, 0..4, High), (1, 1..3, Low)], &[(0, 0..4, High)]),
            (
                &[(0, 0..8, Low), (1, 2..4, High)],
                &[(0, 0..2, Low), (1, 2..4, High), (0, 4..8, Low)],
            ),
            (&[(0, 0..4, High), (1, 2..8, Low)], &[(0, 0..4, High), (1, 4..8, Low)]),
            (&[(0, 0..4, High), (1, 2..8, High)], &[(1, 0..8, High)]),
            (&[(0, 0..3, High), (1, 5..8, High), (1, 2..6, High)], &[(1, 0..8, High)]),
            (&[(0, 0..4, High), (2, 1..3, Low)], &[(2, 1..3, Low), (0, 0..4, High)]),
            (&[(2, 1..3, Low), (0, 0..4, High)], &[(2, 1..3, Low), (0, 0..4, High)]),
        ];
        for (given, want) in cases {
            let judged = given.iter().map(|(rule, span, confidence)| {
                Judged::from(Candidate {
                    rule: *rule,
                    span: span.clone().into(),
                    confidence: Some(*confidence),
                    standalone: false,
                    generalized: None,
                    parts: Vec::new(),
                })
            });
            let settled = resolve(judged.collect(), &set.rules, "12345678", false);
            let found: Vec<(usize, Span, Confidence)> = settled
                .iter()
                .map(|judged| {
                    (
                        judged.candidate.rule,
                        judged.candidate.span,
                        judged.candidate.confidence.unwrap(),
                    )
                })
                .collect();
            let want: Vec<_> = want
                .iter()
                .map(|(rule, span, sure)| (*rule, Span::from(span.clone()), *sure))
                .collect();
            assert_eq!(found, want, "{given:?}");
        }
    }
}
