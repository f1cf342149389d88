//! One text on its own: findings judged, overlaps merged, replacements spliced. `scan` and `eval` call this; posts go
//! through the same merging, so that what is scored is what is sent.

use jiff::civil::Date;

use crate::detect::{Finding, Piece};
use crate::inspect::Inspector;
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
    pub redacted: Option<String>,
}

impl Inspector {
    /// Decides on one text as if it were a field of words on this platform.
    pub fn judge_text(
        &self,
        text: &str,
        platform: &str,
        group: Option<&str>,
        field: Option<&str>,
        today: Date,
    ) -> TextInspection {
        let scan = self.engine().scan(&[Piece { text, label: None }], today);
        let care = scan.care.speaks_of_care;
        let findings: Vec<(Finding, Judgement)> = scan
            .findings
            .into_iter()
            .flatten()
            .map(|finding| {
                let words = finding.span.of(text).unwrap_or_default();
                let question =
                    Question { finding: &finding, words, care, platform, group, field, today };
                let judgement = self.policy().judge(&question);
                (finding, judgement)
            })
            .collect();
        let action = findings.iter().map(|(_, judgement)| judgement.action).max();
        let redacted = (action == Some(Action::Redact))
            .then(|| splice(text, &splices(&findings, self.policy())))
            .flatten();
        TextInspection { action, findings, redacted }
    }
}

/// What replaces what in one text: findings that are more than logged, overlapping ones merged into one stretch.
///
/// Where findings overlap, the replacement is that of the longest among the strictest, since a stretch can be replaced
/// once only; the whole stretch goes, so that no part of either is left standing.
pub(super) fn splices(findings: &[(Finding, Judgement)], policy: &Policy) -> Vec<Splice> {
    let mut acted: Vec<&(Finding, Judgement)> =
        findings.iter().filter(|(_, judgement)| judgement.action > Action::Log).collect();
    acted.sort_by_key(|(finding, _)| (finding.span.start(), finding.span.end()));
    let mut merged: Vec<(Span, &(Finding, Judgement))> = Vec::with_capacity(acted.len());
    for one in acted {
        match merged.last_mut() {
            Some((span, leader)) if span.overlaps(one.0.span) => {
                *span = span.union(one.0.span);
                if rank(one) > rank(leader) {
                    *leader = one;
                }
            }
            _ => merged.push((one.0.span, one)),
        }
    }
    merged
        .into_iter()
        .map(|(span, (finding, _))| Splice { span, with: policy.replacement(finding).to_owned() })
        .collect()
}

fn rank(one: &(Finding, Judgement)) -> (Action, usize) {
    (one.1.action, one.0.span.len())
}
