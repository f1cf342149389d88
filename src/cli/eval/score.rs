//! The maths of `eval`: marks against the findings that the policy acts on.
//!
//! A mark is found when every character of it that is not blank lies under a finding that is redacted or blocked. A
//! post is safe when all its marks are found, or when it is blocked. A finding that hits no mark is a false alarm,
//! unless it stands on a span that is neither right nor wrong, or on a person in a post that discloses a patient.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::cli::eval::corpus::MarkedPost;
use crate::policy::Action;
use crate::rules::{Category, Confidence, RuleId};
use crate::span::Span;

/// A finding as far as the maths go.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) span: Span,
    pub(super) category: Category,
    pub(super) action: Action,
    pub(super) rule: RuleId,
    pub(super) confidence: Confidence,
}

/// One post, scored.
#[derive(Debug, Default)]
pub(super) struct PostScore {
    pub(super) tally: Tally,
    /// Marks not found.
    pub(super) missed: Vec<Missed>,
    /// Findings that hit no mark.
    pub(super) false_alarms: Vec<Found>,
}

/// A mark that was not found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    pub(super) category: Category,
    pub(super) span: Span,
    /// Whether the post was blocked all the same.
    pub(super) blocked: bool,
}

/// Counts over posts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    pub(super) n_posts: usize,
    pub(super) labels: BTreeMap<Category, Label>,
    /// Posts that disclose a patient.
    pub(super) disclosing: Posts,
    /// Those whose note says that something is obfuscated.
    pub(super) obfuscated: Posts,
    /// Marks of those.
    pub(super) obfuscated_marks: Label,
    pub(super) n_clean: usize,
    pub(super) n_clean_alarmed: usize,
    /// Findings the policy acts on that hit a mark, no mark, or a span that is neither right nor wrong.
    pub(super) n_hits: usize,
    pub(super) n_neutral: usize,
    pub(super) false_alarms: BTreeMap<Category, usize>,
    /// Those of them in clean posts: what colleagues would notice.
    pub(super) false_alarms_in_clean: BTreeMap<Category, usize>,
    /// Spans that look like an identifier and are none.
    pub(super) n_lookalikes: usize,
    pub(super) n_lookalikes_touched: usize,
}

/// Marks of one label.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_field_names, reason = "counts are named so")]
pub(super) struct Label {
    pub(super) n_marks: usize,
    /// Under findings that are acted on.
    pub(super) n_found: usize,
    /// Found, or in a post that is blocked.
    pub(super) n_safe: usize,
}

/// Posts with marks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Posts {
    pub(super) n: usize,
    /// With every mark found.
    pub(super) n_found: usize,
    /// With every mark found, or blocked.
    pub(super) n_safe: usize,
}

pub(super) fn score(post: &MarkedPost, findings: &[Found]) -> PostScore {
    let acted: Vec<&Found> = findings.iter().filter(|found| found.action > Action::Log).collect();
    let blocked = acted.iter().any(|found| found.action == Action::Block);
    let mut score = PostScore::default();
    score.tally.n_posts = 1;
    score_marks(post, &acted, blocked, &mut score);
    score_findings(post, &acted, &mut score);
    score
}

fn score_marks(post: &MarkedPost, acted: &[&Found], blocked: bool, score: &mut PostScore) {
    let PostScore { tally, missed, .. } = score;
    let mut all = Label::default();
    for mark in &post.marks {
        let found = is_found(&post.text, mark.span, acted);
        let one = Label {
            n_marks: 1,
            n_found: usize::from(found),
            n_safe: usize::from(found || blocked),
        };
        *tally.labels.entry(mark.category).or_default() += one;
        all += one;
        if !found {
            missed.push(Missed { category: mark.category, span: mark.span, blocked });
        }
    }
    if !post.marks.is_empty() {
        let all_found = all.n_found == all.n_marks;
        tally.disclosing = Posts {
            n: 1,
            n_found: usize::from(all_found),
            n_safe: usize::from(all_found || blocked),
        };
        if post.is_obfuscated {
            tally.obfuscated = tally.disclosing;
            tally.obfuscated_marks = all;
        }
    }
}

fn score_findings(post: &MarkedPost, acted: &[&Found], score: &mut PostScore) {
    let PostScore { tally, false_alarms, .. } = score;
    for found in acted {
        let hits = |span: &Span| span.overlaps(found.span);
        if post.marks.iter().any(|mark| hits(&mark.span)) {
            tally.n_hits += 1;
        } else if post.neutral.iter().any(hits) || (!post.is_clean && post.others.iter().any(hits))
        {
            tally.n_neutral += 1;
        } else {
            *tally.false_alarms.entry(found.category).or_default() += 1;
            if post.is_clean {
                *tally.false_alarms_in_clean.entry(found.category).or_default() += 1;
            }
            false_alarms.push((*found).clone());
        }
    }
    tally.n_clean = usize::from(post.is_clean);
    tally.n_clean_alarmed = usize::from(post.is_clean && !false_alarms.is_empty());
    tally.n_lookalikes = post.not_phi.len();
    tally.n_lookalikes_touched = post
        .not_phi
        .iter()
        .filter(|span| acted.iter().any(|found| span.overlaps(found.span)))
        .count();
}

/// Whether every character of a mark that is not blank lies under one of the findings.
fn is_found(text: &str, mark: Span, acted: &[&Found]) -> bool {
    let Some(marked) = mark.of(text) else { return false };
    marked.char_indices().filter(|(_, letter)| !letter.is_whitespace()).all(|(at, letter)| {
        let letter = Span::new(at, at + letter.len_utf8()).shifted(mark.start());
        acted.iter().any(|found| found.span.covers(letter))
    })
}

impl Tally {
    /// All labels together.
    pub(super) fn all_labels(&self) -> Label {
        let mut all = Label::default();
        for label in self.labels.values() {
            all += *label;
        }
        all
    }

    pub(super) fn n_false_alarms(&self) -> usize {
        self.false_alarms.values().sum()
    }
}

impl AddAssign for Label {
    fn add_assign(&mut self, other: Self) {
        self.n_marks += other.n_marks;
        self.n_found += other.n_found;
        self.n_safe += other.n_safe;
    }
}

impl AddAssign for Posts {
    fn add_assign(&mut self, other: Self) {
        self.n += other.n;
        self.n_found += other.n_found;
        self.n_safe += other.n_safe;
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.n_posts += other.n_posts;
        for (category, label) in &other.labels {
            *self.labels.entry(*category).or_default() += *label;
        }
        self.disclosing += other.disclosing;
        self.obfuscated += other.obfuscated;
        self.obfuscated_marks += other.obfuscated_marks;
        self.n_clean += other.n_clean;
        self.n_clean_alarmed += other.n_clean_alarmed;
        self.n_hits += other.n_hits;
        self.n_neutral += other.n_neutral;
        for (category, n) in &other.false_alarms {
            *self.false_alarms.entry(*category).or_default() += n;
        }
        for (category, n) in &other.false_alarms_in_clean {
            *self.false_alarms_in_clean.entry(*category).or_default() += n;
        }
        self.n_lookalikes += other.n_lookalikes;
        self.n_lookalikes_touched += other.n_lookalikes_touched;
    }
}

/// A part of a whole, from 0 to 1; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of posts are far below 2^52")]
pub(super) fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::{Found, Label, Posts, Tally, ratio, score};
    use crate::cli::eval::corpus::post;
    use crate::policy::Action;
    use crate::rules::{Category, Confidence, RuleId};
    use crate::span::Span;

    const LOG: Action = Action::Log;
    const REDACT: Action = Action::Redact;
    const BLOCK: Action = Action::Block;

    fn found(start: usize, end: usize, action: Action) -> Found {
        Found {
            span: Span::new(start, end),
            category: Category::Name,
            action,
            rule: RuleId::try_from("name".to_owned()).expect("kebab-case"),
            confidence: Confidence::High,
        }
    }

    const DISCLOSES: &str = r#"{"id":"a","text":"Jane Roe in 412 with Dr. Fry","kind":"phi","note":"obfuscation",
        "spans":[{"start":0,"end":8,"label":"NAME"},{"start":12,"end":15,"label":"LOCATION"},
                 {"start":25,"end":28,"label":"PERSON"}]}"#;

    /// Findings; marks found, marks safe, all marks found, post safe, false alarms, neutral.
    type Row<'a> = (&'a [(usize, usize, Action)], [usize; 6]);

    #[test]
    fn a_post_that_discloses() {
        let rows: &[Row<'_>] = &[
            (&[], [0, 0, 0, 0, 0, 0]),
            (&[(0, 8, REDACT), (12, 15, REDACT)], [2, 2, 1, 1, 0, 0]),
            // Two findings cover one mark; the blank between them need not be covered.
            (&[(0, 4, REDACT), (5, 8, REDACT)], [1, 1, 0, 0, 0, 0]),
            // Half a name is no name found, and no false alarm.
            (&[(0, 4, REDACT)], [0, 0, 0, 0, 0, 0]),
            // What is only logged is not acted on.
            (&[(0, 8, LOG), (12, 15, LOG)], [0, 0, 0, 0, 0, 0]),
            // A block makes everything safe, though not found.
            (&[(0, 8, BLOCK)], [1, 2, 0, 1, 0, 0]),
            // One wide finding covers both marks.
            (&[(0, 15, REDACT)], [2, 2, 1, 1, 0, 0]),
            // A colleague is neutral where a patient is disclosed; `with` is nobody.
            (&[(25, 28, REDACT), (16, 20, REDACT)], [0, 0, 0, 0, 1, 1]),
        ];
        let post = post(DISCLOSES);
        for (findings, want) in rows {
            let findings: Vec<Found> =
                findings.iter().map(|(s, e, action)| found(*s, *e, *action)).collect();
            let tally = score(&post, &findings).tally;
            let all = tally.all_labels();
            let got = [
                all.n_found,
                all.n_safe,
                tally.disclosing.n_found,
                tally.disclosing.n_safe,
                tally.n_false_alarms(),
                tally.n_neutral,
            ];
            assert_eq!((all.n_marks, got), (2, *want), "{findings:?}");
            assert_eq!(tally.obfuscated, tally.disclosing);
            assert_eq!(tally.n_clean, 0);
        }
    }

    #[test]
    fn a_clean_post() {
        let clean = r#"{"id":"b","text":"Dr. Fry on Graves disease","kind":"clean",
            "spans":[{"start":4,"end":7,"label":"PERSON"}],"extra":[{"start":8,"end":10,"label":null}],
            "not_phi":[{"start":11,"end":17,"label":null}]}"#;
        let post = post(clean);
        for (findings, want) in [
            (&[][..], [0, 0, 0, 0]),
            (&[found(4, 7, REDACT)], [1, 1, 0, 0]),
            (&[found(4, 7, LOG)], [0, 0, 0, 0]),
            (&[found(8, 10, REDACT)], [0, 0, 1, 0]),
            (&[found(11, 17, BLOCK)], [1, 1, 0, 1]),
        ] {
            let tally = score(&post, findings).tally;
            let got = [
                tally.n_clean_alarmed,
                tally.n_false_alarms(),
                tally.n_neutral,
                tally.n_lookalikes_touched,
            ];
            assert_eq!(got, want, "{findings:?}");
            assert_eq!(
                (tally.n_clean, tally.n_lookalikes, tally.disclosing),
                (1, 1, Posts::default())
            );
        }
    }

    #[test]
    fn posts_add_up() {
        let post = post(DISCLOSES);
        let mut sum = Tally::default();
        sum += &score(&post, &[found(0, 8, REDACT)]).tally;
        sum += &score(&post, &[found(12, 15, BLOCK), found(16, 20, REDACT)]).tally;
        assert_eq!(sum.n_posts, 2);
        assert_eq!(
            sum.labels.get(&Category::Name),
            Some(&Label { n_marks: 2, n_found: 1, n_safe: 2 })
        );
        assert_eq!(
            sum.labels.get(&Category::Location),
            Some(&Label { n_marks: 2, n_found: 1, n_safe: 1 })
        );
        assert_eq!(sum.disclosing, Posts { n: 2, n_found: 0, n_safe: 1 });
        assert_eq!((sum.n_hits, sum.n_false_alarms()), (2, 1));
    }

    #[test]
    fn shares() {
        assert_eq!(ratio(1, 4), Some(0.25));
        assert_eq!(ratio(0, 0), None);
    }
}
