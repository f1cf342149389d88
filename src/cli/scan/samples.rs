//! A judged post for the tests of both forms of output.

use crate::cli::scan::input::{Id, Post};
use crate::detect::{Care, Explained, Finding, Part};
use crate::inspect::TextInspection;
use crate::phi::PhiText;
use crate::policy::{Action, DecidedBy, Judgement};
use crate::rules::{Category, Confidence, RuleId};
use crate::span::Span;

pub(super) fn post(text: &str) -> Post {
    Post {
        id: Id::Text("p1".into()),
        text: text.to_owned(),
        platform: None,
        group: None,
        identity: None,
        field: None,
    }
}

fn rule(id: &str) -> RuleId {
    RuleId::try_from(id.to_owned()).expect("kebab-case")
}

/// A name and a date found in `é Jane, March 3`, the strictest action given.
pub(super) fn judged(action: Action) -> TextInspection {
    let finding = |category, span, confidence| Finding {
        rule: rule("some-rule"),
        category,
        span,
        confidence,
        standalone: false,
        generalized: None,
    };
    let by = |action| Judgement { action, by: DecidedBy::Clause("care".into()) };
    TextInspection {
        action: Some(action),
        findings: vec![
            (finding(Category::Name, Span::new(3, 7), Confidence::High), by(action)),
            (
                finding(Category::Date, Span::new(9, 16), Confidence::Medium),
                Judgement { action: Action::Log, by: DecidedBy::NoClause },
            ),
        ],
        redacted: (action == Action::Redact).then(|| PhiText::new("é [name], March 3".to_owned())),
        care: Care {
            score: 1.5,
            candidates: 1.0,
            trigger: 0.5,
            speaks_of_care: true,
            parts: vec![Part { feature: "honorific".into(), points: 1.5 }],
        },
    }
}

pub(super) fn candidate() -> Explained {
    Explained {
        rule: rule("date"),
        category: Category::Date,
        piece: 0,
        span: Span::new(9, 16),
        confidence: None,
        outcome: "under low",
        parts: vec![Part { feature: "month".into(), points: -0.25 }],
    }
}
