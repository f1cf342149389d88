//! How sure a hit is: alone, beside a keyword, after its check.

use crate::detect::Part;
use crate::detect::engine::outcome;
use crate::detect::pattern::REACH;
use crate::detect::validate;
use crate::rules::{Confidence, Rule};
use crate::span::Span;

/// What there is to weigh.
pub(super) struct Evidence<'a> {
    /// The folded text.
    pub(super) view: &'a str,
    /// The part to redact.
    pub(super) id: Span,
    /// The rule's keywords in the text, sorted.
    pub(super) keywords: &'a [Span],
}

/// How sure a hit is, and why it is no finding if it is none.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) confidence: Option<Confidence>,
    pub(super) outcome: &'static str,
    pub(super) parts: Vec<Part>,
}

/// Weighs one hit of a pattern or term.
pub(super) fn weigh(rule: &Rule, evidence: &Evidence<'_>, explain: bool) -> Weighed {
    let labelled = rule
        .keywords
        .as_ref()
        .filter(|_| has_keyword(evidence))
        .map(|keywords| keywords.confidence);
    let checked = rule.validator.map(|validation| {
        let hit = evidence.id.of(evidence.view).unwrap_or_default();
        (validate::passes(validation.validator, hit), validation.valid)
    });
    let alone = match checked {
        None => rule.confidence,
        Some((true, valid)) => rule.confidence.map(|confidence| confidence.max(valid)),
        Some((false, _)) => rule.confidence.and_then(lowered),
    };
    // `None` is below every confidence, so a label raises and never lowers.
    let confidence = alone.max(labelled);
    let outcome = match (confidence, checked) {
        (Some(_), _) => outcome::FOUND,
        (None, Some((false, _))) => "the check failed and no keyword is near",
        (None, _) => "no keyword near",
    };
    let parts = if explain { parts(rule.confidence, labelled, checked) } else { Vec::new() };
    Weighed { confidence, outcome, parts }
}

const fn lowered(confidence: Confidence) -> Option<Confidence> {
    match confidence {
        Confidence::Low => None,
        Confidence::Medium => Some(Confidence::Low),
        Confidence::High => Some(Confidence::Medium),
        Confidence::Certain => Some(Confidence::High),
    }
}

/// Whether a keyword stands within reach, on either side or inside.
fn has_keyword(evidence: &Evidence<'_>) -> bool {
    let Evidence { view, id, keywords } = *evidence;
    // Only the nearest on each side can be within reach, and a phrase may hold a shorter one.
    let after = keywords.partition_point(|keyword| keyword.start() < id.end());
    let around =
        keywords.get(after.saturating_sub(4)..(after + 1).min(keywords.len())).unwrap_or_default();
    around.iter().any(|keyword| {
        let gap = match () {
            () if keyword.overlaps(id) => return true,
            () if keyword.end() <= id.start() => Span::new(keyword.end(), id.start()),
            () => Span::new(id.end(), keyword.start()),
        };
        gap.len() <= REACH * 4 && gap.of(view).is_some_and(|gap| gap.chars().count() <= REACH)
    })
}

fn parts(
    alone: Option<Confidence>,
    labelled: Option<Confidence>,
    checked: Option<(bool, Confidence)>,
) -> Vec<Part> {
    let points = |confidence: Confidence| match confidence {
        Confidence::Low => 1.0,
        Confidence::Medium => 2.0,
        Confidence::High => 3.0,
        Confidence::Certain => 4.0,
    };
    let mut parts = Vec::new();
    parts.extend(
        alone.map(|confidence| Part { feature: "shape".into(), points: points(confidence) }),
    );
    parts.extend(
        labelled
            .map(|confidence| Part { feature: "keyword-near".into(), points: points(confidence) }),
    );
    parts.extend(checked.map(|(passed, valid)| {
        if passed {
            Part { feature: "check-passed".into(), points: points(valid) }
        } else {
            Part { feature: "check-failed".into(), points: -1.0 }
        }
    }));
    parts
}

#[cfg(test)]
mod tests {
    use super::{Evidence, weigh};
    use crate::diagnostic::Source;
    use crate::rules::{Confidence, RuleSetBuilder};
    use crate::span::Span;

    #[test]
    fn a_label_raises_and_a_failed_check_never_drops_a_labelled_number() {
        let file = "[[rule]]\nid = \"a\"\ncategory = \"ssn\"\npattern = '\\d{9}'\nconfidence = \"low\"\nwhy = \"w\"\nfinds = [\"x\"]\n\
                    ignores = [\"x\", \"y\"]\nkeywords = { words = [\"ssn\"], confidence = \"certain\" }\n\
                    validator = { name = \"ssn-area\", valid = \"medium\" }\n";
        let set = RuleSetBuilder::default()
            .file(&Source::new("t", file), &|_| Err(String::new()))
            .finish()
            .unwrap();
        let rule = &set.rules[0];
        let gap = " ".repeat(50);
        for (text, id, keyword, want) in [
            ("078051120".to_owned(), 0, None, Some(Confidence::Medium)),
            ("987654321".to_owned(), 0, None, None),
            ("ssn 987654321".to_owned(), 4, Some(0), Some(Confidence::Certain)),
            ("987654321 ssn".to_owned(), 0, Some(10), Some(Confidence::Certain)),
            (format!("ssn{gap}987654321"), 53, Some(0), Some(Confidence::Certain)),
            (format!("ssn {gap}987654321"), 54, Some(0), None),
        ] {
            let keywords: Vec<Span> = keyword.into_iter().map(|at| Span::new(at, at + 3)).collect();
            let evidence = Evidence { view: &text, id: Span::new(id, id + 9), keywords: &keywords };
            assert_eq!(weigh(rule, &evidence, true).confidence, want, "{text:?}");
        }
    }
}
