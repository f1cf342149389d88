//! Another policy beside the one in force: asked about the same findings, never obeyed.
//!
//! It sees what the policy in force sees, one finding at a time, and what it would have done is held against what was
//! done. It can neither change a verdict nor keep one from being reached: a panic in it is counted, and it is asked nothing
//! more about that post.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::policy::{Action, Judgement, Policy, Question};
use crate::rules::RuleId;
use crate::span::Span;

/// What another policy would have done with a post.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shadowed {
    /// Something else.
    Otherwise {
        /// `forward`, `redact` or `block`, by the findings alone.
        verdict: &'static str,
        /// Findings that it would have treated otherwise.
        n_findings: usize,
    },
    /// It failed; what it would have done is not known.
    Failed,
}

/// Asks another policy about each finding of one post.
#[derive(Debug, Default)]
pub(super) struct Shadow<'p> {
    policy: Option<&'p Policy>,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The strictest actions: of the policy in force, and of the other.
    strictest: (Option<Action>, Option<Action>),
    /// Findings treated otherwise: the text they stand in, where, and by which rule.
    otherwise: BTreeSet<(usize, Span, RuleId)>,
    has_failed: bool,
}

impl Seen {
    fn note(
        &mut self,
        done: Action,
        ask: impl FnOnce() -> Action,
        finding: impl FnOnce() -> (usize, Span, RuleId),
    ) {
        if self.has_failed {
            return;
        }
        // What it panicked with is dropped unread: it may quote the post.
        let Ok(other) = catch_unwind(AssertUnwindSafe(ask)) else {
            self.has_failed = true;
            return;
        };
        self.strictest.0 = self.strictest.0.max(Some(done));
        self.strictest.1 = self.strictest.1.max(Some(other));
        if other != done {
            self.otherwise.insert(finding());
        }
    }

    fn told(self) -> Option<Shadowed> {
        if self.has_failed {
            return Some(Shadowed::Failed);
        }
        let (done, other) = (verdict(self.strictest.0), verdict(self.strictest.1));
        let n_findings = self.otherwise.len();
        let is_other = n_findings > 0 || done != other;
        is_other.then_some(Shadowed::Otherwise { verdict: other, n_findings })
    }
}

impl<'p> Shadow<'p> {
    pub(super) fn new(policy: Option<&'p Policy>) -> Self {
        Self { policy, seen: RefCell::default() }
    }

    /// Asks about a finding that was judged. `text` tells the texts of one post apart.
    pub(super) fn see(&self, text: usize, question: &Question<'_>, judged: &Judgement) {
        let Some(policy) = self.policy else { return };
        let Ok(mut seen) = self.seen.try_borrow_mut() else { return };
        let (done, finding) = (judged.action, question.finding);
        seen.note(
            done,
            || policy.judge(question).action,
            || (text, finding.span, finding.rule.clone()),
        );
    }

    /// What it would have done, if that is something else.
    pub(super) fn told(self) -> Option<Shadowed> {
        self.seen.into_inner().told()
    }
}

const fn verdict(strictest: Option<Action>) -> &'static str {
    match strictest {
        None | Some(Action::Log) => "forward",
        Some(Action::Redact) => "redact",
        Some(Action::Block) => "block",
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, Shadowed};
    use crate::policy::Action::{self, Block, Log, Redact};
    use crate::rules::RuleId;
    use crate::span::Span;

    fn note(seen: &mut Seen, at: usize, done: Action, ask: impl FnOnce() -> Action) {
        let rule = RuleId::try_from("some-rule".to_owned()).unwrap();
        seen.note(done, ask, || (0, Span::new(at, at + 1), rule));
    }

    #[test]
    fn only_what_differs_is_told() {
        let otherwise = |verdict, n_findings| Some(Shadowed::Otherwise { verdict, n_findings });
        for (findings, want) in [
            (&[][..], None),
            (&[(0, Log, Log), (1, Redact, Redact)], None),
            (&[(0, Redact, Block)], otherwise("block", 1)),
            (&[(0, Redact, Redact), (1, Log, Redact)], otherwise("redact", 1)),
            (&[(0, Block, Log), (1, Redact, Log)], otherwise("forward", 2)),
            // The same finding of two readings of one text.
            (&[(0, Log, Block), (0, Log, Block)], otherwise("block", 1)),
        ] {
            let mut seen = Seen::default();
            for (at, done, other) in findings {
                note(&mut seen, *at, *done, || *other);
            }
            assert_eq!(seen.told(), want, "{findings:?}");
        }
    }

    #[test]
    fn a_panic_in_it_is_told_and_goes_no_further() {
        let mut seen = Seen::default();
        note(&mut seen, 0, Redact, || Block);
        note(&mut seen, 1, Redact, || panic!("a fault of ours"));
        note(&mut seen, 2, Redact, || unreachable!("it is asked nothing more"));
        assert_eq!(seen.told(), Some(Shadowed::Failed));
    }
}
