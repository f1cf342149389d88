//! How scripts see a judged post: one JSON object a line. The order of its keys is the order of the fields here.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::scan::input::{Id, Post};
use crate::detect::{Explained, Finding, Part};
use crate::inspect::TextInspection;
use crate::phi::PhiText;
use crate::policy::Judgement;
use crate::rules::Confidence;
use crate::span::Span;

/// One line of `jsonl`. The order of the fields is the order in which they are written: scripts rely on it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a Id,
    verdict: &'static str,
    findings: Vec<FindingRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<ExplainRow<'a>>,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    start: usize,
    end: usize,
    category: &'static str,
    rule: &'a str,
    confidence: &'static str,
    action: &'static str,
}

#[derive(Serialize)]
struct ExplainRow<'a> {
    care: CareRow,
    candidates: Vec<CandidateRow<'a>>,
}

#[derive(Serialize)]
struct CareRow {
    score: f32,
    candidates: Option<f32>,
    trigger: f32,
    speaks_of_care: bool,
    parts: Vec<PartRow>,
}

#[derive(Serialize)]
struct CandidateRow<'a> {
    start: usize,
    end: usize,
    category: &'static str,
    rule: &'a str,
    confidence: Option<&'static str>,
    outcome: &'static str,
    parts: Vec<PartRow>,
}

#[derive(Serialize)]
struct PartRow {
    feature: String,
    points: f32,
}

pub(super) fn write(
    out: &mut dyn Write,
    post: &Post,
    judged: &TextInspection,
    candidates: Option<&[Explained]>,
) -> io::Result<()> {
    let found = judged.findings.iter().map(|(finding, _)| finding.span);
    let considered = candidates.unwrap_or_default().iter().map(|candidate| candidate.span);
    let points = CodePoints::of(&post.text, found.chain(considered));
    let row = Row {
        id: &post.id,
        verdict: judged.verdict(),
        findings: judged.findings.iter().map(|judged| finding_row(judged, &points)).collect(),
        redacted: judged.redacted.as_ref().map(PhiText::expose),
        explain: candidates.map(|candidates| explain_row(judged, candidates, &points)),
    };
    serde_json::to_writer(&mut *out, &row).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn finding_row<'a>(
    (finding, judgement): &'a (Finding, Judgement),
    points: &CodePoints,
) -> FindingRow<'a> {
    FindingRow {
        start: points.before(finding.span.start()),
        end: points.before(finding.span.end()),
        category: finding.category.as_str(),
        rule: finding.rule.as_str(),
        confidence: finding.confidence.as_str(),
        action: judgement.action.as_str(),
    }
}

fn explain_row<'a>(
    judged: &TextInspection,
    candidates: &'a [Explained],
    points: &CodePoints,
) -> ExplainRow<'a> {
    let care = &judged.care;
    let candidates = candidates
        .iter()
        .map(|candidate| CandidateRow {
            start: points.before(candidate.span.start()),
            end: points.before(candidate.span.end()),
            category: candidate.category.as_str(),
            rule: candidate.rule.as_str(),
            confidence: candidate.confidence.map(Confidence::as_str),
            outcome: candidate.outcome,
            parts: part_rows(&candidate.parts),
        })
        .collect();
    ExplainRow {
        care: CareRow {
            score: care.score,
            candidates: Some(care.candidates).filter(|sum| sum.is_finite()),
            trigger: care.trigger,
            speaks_of_care: care.speaks_of_care,
            parts: part_rows(&care.parts),
        },
        candidates,
    }
}

fn part_rows(parts: &[Part]) -> Vec<PartRow> {
    parts
        .iter()
        .map(|part| PartRow { feature: part.feature.to_string(), points: part.points })
        .collect()
}

/// Offsets of one text in Unicode code points, counted in one walk however many spans there are.
pub(in crate::cli) struct CodePoints {
    /// Byte offset and code points before it, sorted; empty for ASCII, where the two are one.
    counted: Vec<(usize, usize)>,
}

impl CodePoints {
    pub(in crate::cli) fn of(text: &str, spans: impl Iterator<Item = Span>) -> Self {
        if text.is_ascii() {
            return Self { counted: Vec::new() };
        }
        let mut edges: Vec<usize> = spans.flat_map(|span| [span.start(), span.end()]).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut counted = Vec::with_capacity(edges.len());
        let mut starts = text.char_indices().map(|(at, _)| at).peekable();
        let mut n_points = 0;
        for edge in edges {
            while starts.next_if(|at| *at < edge).is_some() {
                n_points += 1;
            }
            counted.push((edge, n_points));
        }
        Self { counted }
    }

    /// Code points before a byte offset that is an edge of one of the spans.
    pub(in crate::cli) fn before(&self, offset: usize) -> usize {
        let at = self.counted.binary_search_by_key(&offset, |(edge, _)| *edge);
        at.ok().and_then(|at| self.counted.get(at)).map_or(offset, |(_, n_points)| *n_points)
    }
}

#[cfg(test)]
mod tests {
    use super::{CodePoints, write};
    use crate::cli::scan::samples::{candidate, judged, post};
    use crate::detect::Explained;
    use crate::inspect::TextInspection;
    use crate::policy::Action;
    use crate::span::Span;

    fn jsonl(judged: &TextInspection, candidates: Option<&[Explained]>) -> String {
        let mut out = Vec::new();
        write(&mut out, &post("é Jane, March 3"), judged, candidates).expect("a Vec takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn keys_stand_in_the_order_that_scripts_rely_on() {
        insta::assert_snapshot!(jsonl(&judged(Action::Redact), None), @r#"{"id":"p1","verdict":"redact","findings":[{"start":2,"end":6,"category":"name","rule":"some-rule","confidence":"high","action":"redact"},{"start":8,"end":15,"category":"date","rule":"some-rule","confidence":"medium","action":"log"}],"redacted":"é [name], March 3"}"#);
        insta::assert_snapshot!(jsonl(&judged(Action::Block), None), @r#"{"id":"p1","verdict":"block","findings":[{"start":2,"end":6,"category":"name","rule":"some-rule","confidence":"high","action":"block"},{"start":8,"end":15,"category":"date","rule":"some-rule","confidence":"medium","action":"log"}]}"#);
        insta::assert_snapshot!(jsonl(&judged(Action::Log), Some(&[candidate()])), @r#"{"id":"p1","verdict":"forward","findings":[{"start":2,"end":6,"category":"name","rule":"some-rule","confidence":"high","action":"log"},{"start":8,"end":15,"category":"date","rule":"some-rule","confidence":"medium","action":"log"}],"explain":{"care":{"score":1.5,"candidates":1.0,"trigger":0.5,"speaks_of_care":true,"parts":[{"feature":"honorific","points":1.5}]},"candidates":[{"start":8,"end":15,"category":"date","rule":"date","confidence":null,"outcome":"under low","parts":[{"feature":"month","points":-0.25}]}]}}"#);
    }

    #[test]
    fn offsets_count_code_points() {
        for (text, span, want) in [
            ("Jane Roe", Span::new(5, 8), (5, 8)),
            ("é Jane", Span::new(3, 7), (2, 6)),
            ("🏥🏥x", Span::new(4, 9), (1, 3)),
            ("e\u{301}x", Span::new(0, 3), (0, 2)),
            ("é", Span::new(0, 2), (0, 1)),
        ] {
            let points = CodePoints::of(text, [span, Span::new(0, text.len())].into_iter());
            assert_eq!((points.before(span.start()), points.before(span.end())), want, "{text}");
        }
    }
}
