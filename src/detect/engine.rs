//! All rules compiled, and the one call that reads a post.
//!
//! The way of a text: fold and cut, find words and patterns, weigh keywords and check digits, drop what an except lets
//! pass, let the composers weigh names and dates against all that, settle overlaps, give spans of the original.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::detect::candidate::Candidate;
use crate::detect::compose::Composers;
use crate::detect::disguise;
use crate::detect::except::Excepts;
use crate::detect::generalize::generalized;
use crate::detect::labelled::{self, Label};
use crate::detect::literal::{self, Literals, Use};
use crate::detect::pattern::{self, Patterns};
use crate::detect::resolve::resolve;
use crate::detect::token::Text;
use crate::detect::weigh::{Evidence, weigh};
use crate::detect::{Care, Finding, Part, check};
use crate::diagnostic::Diagnostic;
use crate::roster::{Live, Roster};
use crate::rules::{Category, Confidence, Matcher, Needs, RuleId, RuleSet};
use crate::span::Span;

/// One text of a post.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    /// The text.
    pub text: &'a str,
    /// The words of its key, as a label that may stand for the text beside it (`mrn` of `{"mrn": "004411"}`).
    pub label: Option<&'a str>,
}

/// Prints lengths only.
impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece")
            .field("n_text", &self.text.len())
            .field("n_label", &self.label.map(str::len))
            .finish_non_exhaustive()
    }
}

/// What a post holds.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// How much the whole post speaks of a patient's care.
    pub care: Care,
    /// The findings of each piece, sorted by span. Overlaps within a category are settled; those across categories
    /// are kept.
    pub findings: Vec<Vec<Finding>>,
}

/// One candidate with its reasons, for `scan --explain`: found, lowered or passed.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: RuleId,
    /// Which identifier it would be.
    pub category: Category,
    /// Which piece it stands in.
    pub piece: usize,
    /// Where, in bytes of that piece.
    pub span: Span,
    /// How sure; `None` is no finding.
    pub confidence: Option<Confidence>,
    /// Why it is no finding, or why it was settled another way: a constant phrase, never text.
    pub outcome: &'static str,
    /// The parts of its score.
    pub parts: Vec<Part>,
}

/// All rules compiled.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    literals: Literals,
    patterns: Patterns,
    excepts: Excepts,
    composers: Composers,
    roster: Option<Arc<Live>>,
}

/// A candidate and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) candidate: Candidate,
    pub(super) outcome: &'static str,
}

/// What becomes of a candidate.
pub(super) mod outcome {
    pub(in crate::detect) const FOUND: &str = "found";
    pub(in crate::detect) const TOO_LOW: &str = "not sure enough";
    pub(in crate::detect) const EXCEPTED: &str = "inside an except";
    pub(in crate::detect) const SETTLED: &str = "settled by a surer finding of its category";
    pub(in crate::detect) const TRIMMED: &str = "cut where a surer finding of its category stands";
    pub(in crate::detect) const JOINED: &str = "joined with a finding of its category";
    pub(in crate::detect) const LABEL: &str = "in the label, not in the text";
}

/// A piece with its label before it, and how long that is.
struct Labelled<'a> {
    text: std::borrow::Cow<'a, str>,
    label: usize,
}

impl<'a> Labelled<'a> {
    fn of(piece: &Piece<'a>) -> Self {
        match piece.label.filter(|label| !label.trim().is_empty()) {
            None => Self { text: piece.text.into(), label: 0 },
            // A line of its own, so that the text begins as a sentence does.
            Some(label) => {
                let label = format!("{label}:\n");
                Self { label: label.len(), text: (label + piece.text).into() }
            }
        }
    }

    /// A span of label and text as one of the text alone.
    fn in_text(&self, span: Span) -> Option<Span> {
        let start = span.start().max(self.label);
        (span.end() > start).then(|| Span::new(start - self.label, span.end() - self.label))
    }
}

impl Engine {
    /// Compiles a rule set.
    pub fn build(rules: &Arc<RuleSet>) -> Result<Self, Vec<Diagnostic>> {
        let literals = Literals::build(&rules.rules).map_err(|error| {
            let source = rules.rules.first().map(|rule| &rule.source);
            source
                .map(|source| {
                    Diagnostic::error(
                        source,
                        format!("the words of all rules cannot be compiled: {error}"),
                    )
                    .help("make the lists of terms shorter")
                })
                .into_iter()
                .collect::<Vec<_>>()
        })?;
        Ok(Self {
            literals,
            patterns: Patterns::build(&rules.rules),
            excepts: Excepts::build(rules),
            composers: Composers::build(rules)?,
            rules: Arc::clone(rules),
            roster: None,
        })
    }

    /// The same with the hospital's own people, who may be replaced while it reads.
    #[must_use]
    pub fn with_roster(self, roster: Arc<Live>) -> Self {
        Self { roster: Some(roster), ..self }
    }

    /// The hospital's own people, if it knows them.
    pub fn roster(&self) -> Option<&Arc<Live>> {
        self.roster.as_ref()
    }

    /// The rules it runs.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Whether the roster was found damaged while it was read: then nothing may be concluded from what was not found.
    pub fn is_damaged(&self) -> bool {
        self.roster.as_ref().is_some_and(|roster| roster.now().is_damaged())
    }

    /// Reads the pieces of one post together: context counts over all of them.
    pub fn scan(&self, pieces: &[Piece<'_>], today: Date) -> Scan {
        self.read(pieces, today, false).0
    }

    /// The same, with every candidate and the parts of its score. Slower; for people.
    pub fn explain(&self, pieces: &[Piece<'_>], today: Date) -> (Scan, Vec<Explained>) {
        self.read(pieces, today, true)
    }

    /// Whether a text is prose (three words or more), which is read like words wherever it stands.
    pub fn is_prose(text: &str) -> bool {
        let is_word = |word: &str| {
            word.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '’' || c == '-')
                && word.chars().any(char::is_alphabetic)
        };
        let trim = |word: &'_ str| -> usize {
            usize::from(is_word(word.trim_matches(|c: char| !c.is_alphabetic())))
        };
        let words = text.split_whitespace().map(trim).scan(0, |sum, word| {
            *sum += word;
            Some(*sum)
        });
        // Scripts without spaces write a sentence as one run.
        let run = text
            .chars()
            .filter(|&c| matches!(u32::from(c), 0xE00..=0xEFF | 0x3040..=0x30FF | 0x3400..=0x9FFF));
        words.into_iter().any(|sum| sum >= 3) || run.take(6).count() >= 6
    }

    /// Runs every rule's and except's own examples.
    pub fn check_examples(&self, today: Date) -> Vec<Diagnostic> {
        check::examples(self, today)
    }

    fn read(&self, pieces: &[Piece<'_>], today: Date, explain: bool) -> (Scan, Vec<Explained>) {
        let labelled: Vec<Labelled<'_>> = pieces.iter().map(Labelled::of).collect();
        let roster = self.roster.as_ref().map(|roster| roster.now());
        let (texts, care, judged) = self.judge(&labelled, today, roster.as_deref(), explain);
        let mut explained = Vec::new();
        let mut findings = Vec::with_capacity(pieces.len());
        for (piece, ((labelled, text), judged)) in
            labelled.iter().zip(&texts).zip(judged).enumerate()
        {
            let mut found = Vec::new();
            for Judged { candidate, mut outcome } in
                resolve(judged, &self.rules.rules, text.view.text(), explain)
            {
                let Some(rule) = self.rules.rules.get(candidate.rule) else { continue };
                let in_text = labelled.in_text(text.view.to_original(candidate.span));
                let stands = candidate.confidence.filter(|_| in_text.is_some());
                if in_text.is_none() {
                    outcome = outcome::LABEL;
                }
                let span = in_text.unwrap_or_default();
                if let Some(confidence) = stands.filter(|_| outcome == outcome::FOUND) {
                    found.push(Finding {
                        rule: rule.id.clone(),
                        category: rule.category,
                        span,
                        confidence,
                        standalone: candidate.standalone,
                        generalized: candidate.generalized.clone(),
                    });
                }
                if explain {
                    explained.push(Explained {
                        rule: rule.id.clone(),
                        category: rule.category,
                        piece,
                        span,
                        confidence: stands,
                        outcome,
                        parts: candidate.parts,
                    });
                }
            }
            found.sort_by_key(|finding| (finding.span, finding.category));
            findings.push(found);
        }
        (Scan { care, findings }, explained)
    }

    /// Every candidate of every text, before overlaps are settled.
    fn judge(
        &self,
        labelled: &[Labelled<'_>],
        today: Date,
        roster: Option<&Roster>,
        explain: bool,
    ) -> (Vec<Text>, Care, Vec<Vec<Judged>>) {
        let undone = |text: &str| disguise::undone(Text::of(text), text, &self.rules.lexicons);
        let texts: Vec<Text> = labelled.iter().map(|piece| undone(&piece.text)).collect();
        let mut judged: Vec<Vec<Judged>> =
            texts.iter().map(|text| self.direct(text, explain)).collect();
        let certain: Vec<Vec<Candidate>> = judged.iter().map(|judged| standing(judged)).collect();
        let (care, composed) = self.composers.run(&texts, today, &certain, roster, explain);
        for ((text, judged), composed) in texts.iter().zip(&mut judged).zip(composed) {
            let mut composed: Vec<Judged> = composed.into_iter().map(Judged::from).collect();
            self.excepts.apply(text.view.text(), &mut composed);
            judged.append(&mut composed);
        }
        (texts, care, judged)
    }

    /// The candidates of patterns and terms in one text. Where disguises were undone the text is also read as it was
    /// written, so that a wrong guess hides nothing.
    fn direct(&self, text: &Text, explain: bool) -> Vec<Judged> {
        let mut judged = self.matched(text, explain);
        let Some(plain) = &text.plain else { return judged };
        let known: HashSet<(usize, Span)> =
            judged.iter().map(|judged| (judged.candidate.rule, judged.candidate.span)).collect();
        for mut written in self.matched(&plain.text, explain) {
            let span = plain.in_undone(written.candidate.span);
            if span.len() != written.candidate.span.len() {
                written.candidate.generalized = None;
            }
            written.candidate.span = span;
            if !span.is_empty() && !known.contains(&(written.candidate.rule, span)) {
                judged.push(written);
            }
        }
        judged
    }

    /// The candidates of patterns, terms and labels in one view.
    fn matched(&self, text: &Text, explain: bool) -> Vec<Judged> {
        let view = text.view.text();
        let mut words = Vec::new();
        self.literals.find(view, &mut words);
        let mut hits = Vec::new();
        let held = Needs::held_by(view);
        self.patterns.find(view, held, &mut hits);
        let keywords = by_rule(&words);
        for (&rule, spans) in &keywords {
            if let Some(rule_) = self.rules.rules.get(rule)
                && rule_.confidence.is_none()
                && let Matcher::Pattern(pattern) = &rule_.matcher
                && pattern.needs().met_by(held)
            {
                pattern::near(rule, pattern, view, spans, &mut hits);
            }
        }
        for (&rule, spans) in &keywords {
            if let Some(Matcher::Composer(name)) =
                self.rules.rules.get(rule).map(|rule| &rule.matcher)
                && let Some(label) = Label::named(name)
            {
                let mut found = Vec::new();
                labelled::find(text, spans, label, &mut found);
                hits.extend(found.into_iter().map(|id| pattern::Hit { rule, id }));
            }
        }
        for word in words.iter().filter(|word| word.used == Use::Term) {
            hits.push(pattern::Hit { rule: word.rule as usize, id: word.span });
        }
        let mut judged = Vec::with_capacity(hits.len());
        for hit in hits {
            let Some(rule) = self.rules.rules.get(hit.rule) else { continue };
            let near = keywords.get(&hit.rule).map_or(&[][..], Vec::as_slice);
            let evidence = Evidence { view, id: hit.id, keywords: near };
            let mut weighed = weigh(rule, &evidence, explain);
            // A number in a table stands far from its label, which found it all the same.
            if let (Matcher::Composer(_), None, Some(label)) =
                (&rule.matcher, weighed.confidence, &rule.keywords)
            {
                weighed.confidence = Some(label.confidence);
                weighed.outcome = outcome::FOUND;
            }
            if weighed.confidence.is_none() && !explain {
                continue;
            }
            let generalized = generalized(rule.category, hit.id.of(view).unwrap_or_default());
            judged.push(Judged {
                outcome: weighed.outcome,
                candidate: Candidate {
                    rule: hit.rule,
                    span: hit.id,
                    confidence: weighed.confidence,
                    standalone: weighed.confidence == Some(Confidence::Certain)
                        && identifies(rule.category),
                    generalized,
                    parts: weighed.parts,
                },
            });
        }
        self.excepts.apply(view, &mut judged);
        judged
    }

    /// What each rule finds in a text on its own, before overlaps with other rules are settled: its index and span.
    pub(super) fn candidates(&self, text: &str, today: Date) -> Vec<(usize, Span)> {
        let piece = [Labelled { text: text.into(), label: 0 }];
        // Examples hold whoever the hospital's patients are: rules of the roster prove themselves on invented ones.
        let (_, _, judged) = self.judge(&piece, today, Some(&Roster::of_examples()), false);
        let standing = judged.iter().flat_map(|judged| standing(judged));
        standing.map(|candidate| (candidate.rule, candidate.span)).collect()
    }
}

impl From<Candidate> for Judged {
    fn from(candidate: Candidate) -> Self {
        let outcome =
            if candidate.confidence.is_some() { outcome::FOUND } else { outcome::TOO_LOW };
        Self { candidate, outcome }
    }
}

/// The candidates that are findings so far.
fn standing(judged: &[Judged]) -> Vec<Candidate> {
    let found = judged.iter().filter(|judged| judged.outcome == outcome::FOUND);
    found.map(|judged| judged.candidate.clone()).collect()
}

/// Where each rule's keywords stand, in order.
fn by_rule(words: &[literal::Hit]) -> BTreeMap<usize, Vec<Span>> {
    let mut keywords: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    for word in words.iter().filter(|word| word.used == Use::Keyword) {
        keywords.entry(word.rule as usize).or_default().push(word.span);
    }
    for spans in keywords.values_mut() {
        spans.sort_unstable();
    }
    keywords
}

/// Whether an identifier of a category names a person by itself. A telephone number, a link or an address does so only
/// where somebody is spoken of, and stands in many a request that is no post.
const fn identifies(category: Category) -> bool {
    match category {
        Category::Ssn
        | Category::Mrn
        | Category::HealthPlan
        | Category::Account
        | Category::License
        | Category::Vehicle
        | Category::Device
        | Category::Biometric
        | Category::OtherId => true,
        Category::Name
        | Category::Date
        | Category::Age
        | Category::Location
        | Category::Zip
        | Category::Phone
        | Category::Fax
        | Category::Email
        | Category::Url
        | Category::Ip
        | Category::Photo => false,
    }
}
