//! Clauses decide, exceptions excuse; both say which findings they are about by a [`Scope`].

use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::{Faults, Placed, Table};
use crate::normalize::View;
use crate::policy::scope::{Known, Scope};
use crate::policy::{Action, Question};
use crate::rules::{Category, Confidence};
use crate::span::Span;

/// The words of `action`.
const ACTIONS: [(&str, Action); 3] =
    [("log", Action::Log), ("redact", Action::Redact), ("block", Action::Block)];

const CONFIDENCES: [(&str, Confidence); 4] = [
    ("low", Confidence::Low),
    ("medium", Confidence::Medium),
    ("high", Confidence::High),
    ("certain", Confidence::Certain),
];

/// Longest name of a clause, exception or group: it stands in every event it decides.
pub(super) const MAX_NAME: usize = 64;

/// One `[[clause]]`.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) name: Arc<str>,
    pub(super) action: Action,
    scope: Scope,
    /// Only where the post speaks of a patient's care.
    only_care: bool,
    min_confidence: Confidence,
}

/// One `[[exception]]`.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub(super) name: Arc<str>,
    /// Why it may pass, for reports.
    pub(super) reason: Arc<str>,
    pub(super) expires: Date,
    /// Where `expires` stands, for the warning that it is over.
    pub(super) expires_at: Span,
    scope: Scope,
    /// Folded; empty is any text.
    texts: Vec<String>,
}

impl Clause {
    /// Reads one clause; `None` if it is too broken to judge by.
    pub(super) fn read(
        mut table: Table<'_>,
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Option<(Placed<()>, Self)> {
        let name =
            read_name(&mut table, "the audit says by this name which clause decided", faults);
        let span = name.as_ref().map_or(table.span(), |name| name.span);
        if !(table.has("categories") || table.has("rules")) {
            missing_findings("clause", &table, faults);
        }
        let scope = Scope::read(&mut table, known, faults);
        let care = table.choice("context", &[("any", false), ("care", true)], faults);
        let min_confidence = table.choice("min-confidence", &CONFIDENCES, faults);
        table.require(
            "action",
            "say what to do: `action = \"log\"`, `\"redact\"` or `\"block\"`",
            faults,
        );
        let action = table.choice("action", &ACTIONS, faults);
        table.finish(faults);
        let clause = Self {
            name: name?.value.into(),
            action: action?.value,
            scope,
            only_care: care.is_some_and(|care| care.value),
            min_confidence: min_confidence
                .map_or(Confidence::Medium, |confidence| confidence.value),
        };
        Some((Placed { value: (), span }, clause))
    }

    /// Whether it is about every finding of a category, whoever posts it wherever.
    pub(super) fn covers(&self, category: Category) -> bool {
        self.scope.covers(category)
    }

    /// Whether it applies.
    pub(super) fn applies(&self, question: &Question<'_>) -> bool {
        question.finding.confidence >= self.min_confidence
            && (question.care || !self.only_care)
            && self.scope.holds(question)
    }
}

impl Exception {
    /// Reads one exception; `None` if it is too broken to excuse anything.
    pub(super) fn read(
        mut table: Table<'_>,
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Option<(Placed<()>, Self)> {
        let name =
            read_name(&mut table, "the audit says by this name which exception was used", faults);
        let span = name.as_ref().map_or(table.span(), |name| name.span);
        let reason = table.required_text(
            "reason",
            "say why this may pass: `reason = \"our public number\"`",
            faults,
        );
        if let Some(reason) = reason.as_ref().filter(|reason| reason.value.trim().is_empty()) {
            faults.error(
                reason.span,
                "the reason is empty",
                "say why this may pass; whoever reads the policy next year needs it",
            );
        }
        table.require(
            "expires",
            "every exception ends: `expires = 2027-06-30` is its last day, UTC",
            faults,
        );
        let expires = table.date("expires", faults);
        if !(table.has("categories") || table.has("rules") || table.has("texts")) {
            missing_findings("exception", &table, faults);
        }
        let scope = Scope::read(&mut table, known, faults);
        let written = table.texts("texts", faults).unwrap_or_default();
        let mut texts = Vec::with_capacity(written.len());
        for text in written {
            let folded = fold(&text.value);
            if folded.is_empty() {
                faults.error(text.span, "an empty text excuses nothing", "write the words that may pass, or leave `texts` out to let all such findings pass");
            }
            texts.push(folded);
        }
        table.finish(faults);
        let expires = expires?;
        Some((
            Placed { value: (), span },
            Self {
                name: name?.value.into(),
                reason: reason.map(|reason| reason.value).unwrap_or_default().into(),
                expires: expires.value,
                expires_at: expires.span,
                scope,
                texts,
            },
        ))
    }

    /// Whether it covers a finding.
    pub(super) fn covers(&self, question: &Question<'_>) -> bool {
        question.today <= self.expires
            && self.scope.holds(question)
            && (self.texts.is_empty() || self.texts.contains(&fold(question.words)))
    }
}

/// The name of a clause, exception or group: one line that fits into an event.
pub(super) fn read_name(
    table: &mut Table<'_>,
    why: &str,
    faults: &mut Faults,
) -> Option<Placed<String>> {
    let name =
        table.required_text("name", &format!("give it one: `name = \"..\"`; {why}"), faults)?;
    let fine = !name.value.trim().is_empty()
        && name.value.chars().count() <= MAX_NAME
        && !name.value.chars().any(char::is_control);
    if !fine {
        faults.error(
            name.span,
            "this cannot be a name",
            format!("use one line of 1 to {MAX_NAME} characters, such as `about-a-patient`"),
        );
        return None;
    }
    Some(name)
}

/// The form in which texts are compared: folded like every text that rules read, without the space around it.
fn fold(text: &str) -> String {
    View::of(text).text().trim().to_owned()
}

fn missing_findings(what: &str, table: &Table<'_>, faults: &mut Faults) {
    let help = match what {
        "clause" => "name them: `categories = [\"ssn\", \"mrn\"]` or `rules = [\"name-*\"]`",
        _ => "name them by `categories`, `rules` or `texts`: without any, everything would pass",
    };
    faults.error(
        table.span(),
        format!("this {what} does not say which findings it is about"),
        help,
    );
}
