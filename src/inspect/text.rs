//! One text on its own: findings judged, overlaps merged, replacements spliced. `scan` and `eval` call this; posts go
//! through the same merging, so that what is scored is what is sent.

use jiff::civil::Date;

use crate::detect::{Care, Explained, Finding, Piece, Scan};
use crate::inspect::Inspector;
use crate::phi::PhiText;
use crate::policy::{Action, Judgement, Policy, Question};
use crate::redact::{Splice, splice};
use crate::span::Span;

/// What is decided on one text.
#[derive(Clone, Debug)]
pub struct TextInspection {
    /// The strictest action over all findings; `None` where there are none.
    pub action: Option<Action>,
    /// Every finding with its judgement, sorted by span.
    pub findings: Vec<(Finding, Judgement)>,
    /// The text as it would go on, where the strictest action is to redact.
    pub redacted: Option<PhiText>,
    /// How much the text speaks of a patient's care.
    pub care: Care,
}

impl TextInspection {
    /// The word of `scan` and the audit.
    pub const fn verdict(&self) -> &'static str {
        match self.action {
            None | Some(Action::Log) => "forward",
            Some(Action::Redact) => "redact",
            Some(Action::Block) => "block",
        }
    }
}

/// One text, and where it is taken to stand.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    platform: &'a str,
    groups: &'a [String],
    field: Option<&'a str>,
    today: Date,
}

impl Inspector {
    /// Decides on one text as if it were a field of words on this platform.
    pub fn judge_text(
        &self,
        text: &str,
        platform: &str,
        groups: &[String],
        field: Option<&str>,
        today: Date,
    ) -> TextInspection {
        let scan = self.engine().scan(&[Piece { text, label: None }], today);
        self.judge_scan(text, scan, Place { platform, groups, field, today })
    }

    /// The same, with every candidate and the parts of its score. Slower; for people.
    pub fn explain_text(
        &self,
        text: &str,
        platform: &str,
        groups: &[String],
        field: Option<&str>,
        today: Date,
    ) -> (TextInspection, Vec<Explained>) {
        let (scan, candidates) = self.engine().explain(&[Piece { text, label: None }], today);
        (self.judge_scan(text, scan, Place { platform, groups, field, today }), candidates)
    }

    fn judge_scan(&self, text: &str, scan: Scan, place: Place<'_>) -> TextInspection {
        let Place { platform, groups, field, today } = place;
        let care = scan.care.speaks_of_care;
        let findings: Vec<(Finding, Judgement)> = scan
            .findings
            .into_iter()
            .flatten()
            .map(|finding| {
                let words = finding.span.of(text).unwrap_or_default();
                let question =
                    Question { finding: &finding, words, care, platform, groups, field, today };
                let judgement = self.policy().judge(&question);
                (finding, judgement)
            })
            .collect();
        let mut action = findings.iter().map(|(_, judgement)| judgement.action).max();
        let mut redacted = None;
        if action == Some(Action::Redact) {
            redacted = splice(text, &splices(&findings, self.policy())).map(PhiText::new);
            if redacted.is_none() {
                // Spans that do not fit the text cannot be replaced, and so the text cannot go on.
                action = Some(Action::Block);
            }
        }
        TextInspection { action, findings, redacted, care: scan.care }
    }
}

/// What replaces what in one text: findings that are more than logged, overlapping ones merged into one stretch.
///
/// Where findings overlap, the replacement is that of the longest among the strictest, since a stretch can be replaced
/// once only; the whole stretch goes, so that no part of either is left standing. A generalised form (a date's year, a
/// ZIP's three digits) is then given up for the fixed word: it would leave digits standing that belong to the other
/// identifier, too.
pub(super) fn splices(findings: &[(Finding, Judgement)], policy: &Policy) -> Vec<Splice> {
    merge(findings)
        .into_iter()
        .map(|Merged { span, leader, alone }| {
            let with = if alone || leader.generalized.is_none() {
                policy.replacement(leader).to_owned()
            } else {
                policy.replacement(&Finding { generalized: None, ..leader.clone() }).to_owned()
            };
            Splice { span, with }
        })
        .collect()
}

/// A stretch that is replaced as one.
#[derive(Debug)]
struct Merged<'a> {
    span: Span,
    /// The longest among the strictest.
    leader: &'a Finding,
    /// Whether it is the only finding of the stretch.
    alone: bool,
}

fn merge(findings: &[(Finding, Judgement)]) -> Vec<Merged<'_>> {
    let mut acted: Vec<&(Finding, Judgement)> =
        findings.iter().filter(|(_, judgement)| judgement.action > Action::Log).collect();
    acted.sort_by_key(|(finding, _)| (finding.span.start(), finding.span.end()));
    let mut merged: Vec<(Merged<'_>, Action)> = Vec::with_capacity(acted.len());
    for (finding, judgement) in acted {
        match merged.last_mut() {
            Some((stretch, action)) if stretch.span.overlaps(finding.span) => {
                if (judgement.action, finding.span.len()) > (*action, stretch.leader.span.len()) {
                    stretch.leader = finding;
                    *action = judgement.action;
                }
                stretch.span = stretch.span.union(finding.span);
                stretch.alone = false;
            }
            _ => merged.push((
                Merged { span: finding.span, leader: finding, alone: true },
                judgement.action,
            )),
        }
    }
    merged.into_iter().map(|(stretch, _)| stretch).collect()
}

#[cfg(test)]
mod tests {
    use super::{merge, splices};
    use crate::detect::Finding;
    use crate::diagnostic::Source;
    use crate::policy::{Action, DecidedBy, Judgement, Policy};
    use crate::rules::{Category, Confidence, RuleId, RuleSet};
    use crate::span::Span;

    const LOG: Action = Action::Log;
    const REDACT: Action = Action::Redact;
    const BLOCK: Action = Action::Block;

    fn judged(start: usize, end: usize, rule: &str, action: Action) -> (Finding, Judgement) {
        let finding = Finding {
            rule: RuleId::try_from(rule.to_owned()).expect("kebab-case"),
            category: Category::Name,
            span: Span::new(start, end),
            confidence: Confidence::High,
            standalone: false,
            generalized: None,
        };
        (finding, Judgement { action, by: DecidedBy::NoClause })
    }

    /// Each row: findings in, and stretches out as start, end, leader, alone.
    #[test]
    fn overlaps_become_one_stretch_under_the_strictest() {
        type Row<'a> = (&'a [(usize, usize, &'a str, Action)], &'a [(usize, usize, &'a str, bool)]);
        let rows: &[Row<'_>] = &[
            (&[], &[]),
            (&[(0, 4, "a", LOG)], &[]),
            (&[(0, 4, "a", REDACT), (4, 8, "b", REDACT)], &[(0, 4, "a", true), (4, 8, "b", true)]),
            (&[(0, 5, "a", REDACT), (4, 8, "b", REDACT)], &[(0, 8, "a", false)]),
            (&[(0, 5, "a", REDACT), (4, 12, "b", REDACT)], &[(0, 12, "b", false)]),
            (&[(0, 9, "a", REDACT), (4, 6, "b", BLOCK)], &[(0, 9, "b", false)]),
            (&[(4, 6, "b", REDACT), (0, 9, "a", LOG)], &[(4, 6, "b", true)]),
            (
                &[(0, 3, "a", REDACT), (2, 6, "b", REDACT), (5, 7, "c", REDACT)],
                &[(0, 7, "b", false)],
            ),
            (&[(2, 2, "a", REDACT), (2, 5, "b", REDACT)], &[(2, 2, "a", true), (2, 5, "b", true)]),
        ];
        for (findings, want) in rows {
            let findings: Vec<_> =
                findings.iter().map(|(s, e, rule, action)| judged(*s, *e, rule, *action)).collect();
            let merged = merge(&findings);
            let got: Vec<_> = merged
                .iter()
                .map(|m| (m.span.start(), m.span.end(), m.leader.rule.as_str(), m.alone))
                .collect();
            assert_eq!(got, *want);
        }
    }

    /// A date's year would leave part of the number beside it standing, so a stretch of two kinds gets the fixed word.
    #[test]
    fn a_generalised_form_stands_only_for_what_it_generalises() {
        let names: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
        let text = format!(
            "[[clause]]\nname = \"all\"\ncategories = {names:?}\naction = \"redact\"\n\
             [replacement]\ndate = \"year\"\n"
        );
        let source = Source::new("policy.toml", text);
        let (policy, _) = Policy::parse(&source, &RuleSet::default(), &[]).expect("a policy");
        let date = |start, end| {
            let (mut finding, judgement) = judged(start, end, "date-calendar", REDACT);
            finding.category = Category::Date;
            finding.generalized = Some("2026".to_owned());
            (finding, judgement)
        };
        let number = judged(0, 4, "phone-nanp", REDACT);
        let alone = splices(&[date(2, 12)], &policy);
        let merged = splices(&[number, date(2, 12)], &policy);
        assert_eq!(alone.iter().map(|splice| splice.with.as_str()).collect::<Vec<_>>(), ["2026"]);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].span, Span::new(0, 12));
        assert!(!merged[0].with.contains("2026"), "{}", merged[0].with);
    }
}
