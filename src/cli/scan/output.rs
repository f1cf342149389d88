//! What `scan` writes: for people, or JSON lines in the order of keys that scripts rely on.

use std::io::{self, BufWriter, StdoutLock, Write};

use anstream::AutoStream;
use serde::Serialize;
use serde_json::Value;

use crate::cli::scan::input::Post;
use crate::cli::style::{self, paint};
use crate::detect::{Explained, Finding, Part};
use crate::inspect::TextInspection;
use crate::phi::PhiText;
use crate::policy::{Action, DecidedBy, Judgement};
use crate::rules::Confidence;
use crate::span::Span;

/// Where judged posts go.
pub(super) struct Output<'a> {
    form: Form,
    out: Box<dyn Write + 'a>,
    counts: Counts,
}

#[derive(Clone, Copy)]
enum Form {
    Human,
    Jsonl,
}

/// How many posts got which verdict.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "counts are named so")]
struct Counts {
    n_forward: usize,
    n_redact: usize,
    n_block: usize,
}

impl<'a> Output<'a> {
    pub(super) fn human(out: AutoStream<StdoutLock<'static>>) -> Self {
        Self { form: Form::Human, out: Box::new(BufWriter::new(out)), counts: Counts::default() }
    }

    pub(super) fn jsonl(out: StdoutLock<'a>) -> Self {
        Self {
            form: Form::Jsonl,
            out: Box::new(BufWriter::with_capacity(64 * 1024, out)),
            counts: Counts::default(),
        }
    }

    pub(super) fn write(
        &mut self,
        post: &Post,
        judged: &TextInspection,
        candidates: Option<&[Explained]>,
    ) -> io::Result<()> {
        match judged.action {
            None | Some(Action::Log) => self.counts.n_forward += 1,
            Some(Action::Redact) => self.counts.n_redact += 1,
            Some(Action::Block) => self.counts.n_block += 1,
        }
        match self.form {
            Form::Human => write_human(&mut self.out, post, judged, candidates),
            Form::Jsonl => write_jsonl(&mut self.out, post, judged, candidates),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The last words.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Form::Human = self.form {
            let Counts { n_forward, n_redact, n_block } = self.counts;
            let posts = style::count(n_forward + n_redact + n_block, "post");
            writeln!(
                self.out,
                "\n{posts}: {n_forward} to forward, {n_redact} to redact, {n_block} to block"
            )?;
        }
        self.out.flush()
    }
}

fn write_human(
    out: &mut dyn Write,
    post: &Post,
    judged: &TextInspection,
    candidates: Option<&[Explained]>,
) -> io::Result<()> {
    let id = match &post.id {
        Value::String(id) => style::printable(id),
        other => other.to_string(),
    };
    let color = match judged.action {
        None | Some(Action::Log) => style::GOOD,
        Some(Action::Redact) => style::WARNING,
        Some(Action::Block) => style::ERROR,
    };
    writeln!(
        out,
        "{}  {color}{:<7}{color:#}  {}",
        paint(style::HEADING, &id),
        judged.verdict(),
        style::printable(&post.text)
    )?;
    for (finding, judgement) in &judged.findings {
        let words = finding.span.of(&post.text).unwrap_or_default();
        writeln!(
            out,
            "    {:<6}  {:<11} {:<8} {}  \"{}\"  {}",
            judgement.action.as_str(),
            finding.category.as_str(),
            finding.confidence.as_str(),
            finding.rule,
            style::printable(words),
            paint(style::QUIET, &decided(judgement)),
        )?;
    }
    if let Some(redacted) = &judged.redacted {
        writeln!(
            out,
            "    {}  {}",
            paint(style::HEADING, "becomes"),
            style::printable(redacted.expose())
        )?;
    }
    if let Some(candidates) = candidates {
        write_reasons(out, post, judged, candidates)?;
    }
    Ok(())
}

fn decided(judgement: &Judgement) -> String {
    match &judgement.by {
        DecidedBy::Clause(name) => format!("by clause {name}"),
        DecidedBy::Exception(name) => format!("by exception {name}"),
        DecidedBy::NoClause => "no clause applies".to_owned(),
    }
}

/// Why each candidate was found, or was not.
fn write_reasons(
    out: &mut dyn Write,
    post: &Post,
    judged: &TextInspection,
    candidates: &[Explained],
) -> io::Result<()> {
    let care = &judged.care;
    let says = if care.speaks_of_care { "speaks" } else { "does not speak" };
    writeln!(
        out,
        "    care {:+.2}: {says} of a patient's care  {}",
        care.score,
        parts_in_words(&care.parts)
    )?;
    for candidate in candidates {
        let words = candidate.span.of(&post.text).unwrap_or_default();
        writeln!(
            out,
            "    {} {} \"{}\": {}, {}  {}",
            paint(style::QUIET, "candidate"),
            candidate.rule,
            style::printable(words),
            candidate.confidence.map_or("no finding", Confidence::as_str),
            candidate.outcome,
            parts_in_words(&candidate.parts),
        )?;
    }
    Ok(())
}

fn parts_in_words(parts: &[Part]) -> String {
    let words: Vec<String> =
        parts.iter().map(|part| format!("{} {:+.2}", part.feature, part.points)).collect();
    if words.is_empty() { String::new() } else { format!("({})", words.join(", ")) }
}

/// One line of `jsonl`. The order of the fields is the order in which they are written: scripts rely on it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a Value,
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
    feature: &'static str,
    points: f32,
}

fn write_jsonl(
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
            speaks_of_care: care.speaks_of_care,
            parts: part_rows(&care.parts),
        },
        candidates,
    }
}

fn part_rows(parts: &[Part]) -> Vec<PartRow> {
    parts.iter().map(|part| PartRow { feature: part.feature, points: part.points }).collect()
}

/// Offsets of one text in Unicode code points, counted in one walk however many spans there are.
pub(super) struct CodePoints {
    /// Byte offset and code points before it, sorted; empty for ASCII, where the two are one.
    counted: Vec<(usize, usize)>,
}

impl CodePoints {
    pub(super) fn of(text: &str, spans: impl Iterator<Item = Span>) -> Self {
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
    pub(super) fn before(&self, offset: usize) -> usize {
        let at = self.counted.binary_search_by_key(&offset, |(edge, _)| *edge);
        at.ok().and_then(|at| self.counted.get(at)).map_or(offset, |(_, n_points)| *n_points)
    }
}

#[cfg(test)]
mod tests {
    use super::CodePoints;
    use crate::span::Span;

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
