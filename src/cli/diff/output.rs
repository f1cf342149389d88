//! How a difference is written: for people, or one JSON object a line. Texts of posts only where they were asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::cli::args::ScanFormat;
use crate::cli::diff::side::Side;
use crate::cli::diff::{Change, acted, known_by};
use crate::cli::scan::input::{Id, Post};
use crate::cli::scan::jsonl::CodePoints;
use crate::cli::style::{self, paint};
use crate::detect::Finding;
use crate::inspect::TextInspection;
use crate::phi::PhiText;
use crate::policy::{DecidedBy, Judgement};

/// One line of `jsonl`. The order of the fields is the order in which they are written: scripts rely on it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a Id,
    change: &'static str,
    old: SideRow<'a>,
    new: SideRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

#[derive(Serialize)]
struct SideRow<'a> {
    verdict: &'static str,
    findings: Vec<FindingRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    start: usize,
    end: usize,
    category: &'static str,
    rule: &'a str,
    confidence: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<&'a str>,
}

/// Writes differences, and counts.
pub(super) struct Output<W> {
    format: ScanFormat,
    /// Whether texts are written.
    show: bool,
    out: W,
    n_posts: usize,
    /// From what verdict to what other.
    verdicts: BTreeMap<(&'static str, &'static str), usize>,
    n_texts: usize,
    n_reasons: usize,
}

impl<W: Write> Output<W> {
    pub(super) fn new(format: ScanFormat, show: bool, out: W) -> Self {
        let verdicts = BTreeMap::new();
        Self { format, show, out, n_posts: 0, verdicts, n_texts: 0, n_reasons: 0 }
    }

    /// Counts a post, and writes it if it is judged otherwise.
    pub(super) fn post(
        &mut self,
        post: &Post,
        before: &TextInspection,
        after: &TextInspection,
        change: Option<Change>,
    ) -> io::Result<()> {
        self.n_posts += 1;
        let Some(change) = change else { return Ok(()) };
        match change {
            Change::Verdict => {
                *self.verdicts.entry((before.verdict(), after.verdict())).or_default() += 1;
            }
            Change::Text => self.n_texts += 1,
            Change::Reasons => self.n_reasons += 1,
        }
        match self.format {
            ScanFormat::Jsonl => self.row(post, before, after, change),
            ScanFormat::Human => self.lines(post, before, after),
        }
    }

    fn row(
        &mut self,
        post: &Post,
        before: &TextInspection,
        after: &TextInspection,
        change: Change,
    ) -> io::Result<()> {
        let spans = acted(before).chain(acted(after)).map(|(finding, _)| finding.span);
        let points = CodePoints::of(&post.text, spans);
        let side = |judged| side_row(judged, &points, self.show);
        let row = Row {
            id: &post.id,
            change: change.as_str(),
            old: side(before),
            new: side(after),
            text: self.show.then_some(post.text.as_str()),
        };
        serde_json::to_writer(&mut self.out, &row).map_err(io::Error::from)?;
        self.out.write_all(b"\n")
    }

    fn lines(
        &mut self,
        post: &Post,
        before: &TextInspection,
        after: &TextInspection,
    ) -> io::Result<()> {
        let id = style::printable(&post.id.to_string());
        let (old, new) = (before.verdict(), after.verdict());
        let verdict = if old == new { old.to_owned() } else { format!("{old} -> {new}") };
        let mut text = format!("{}  {verdict}\n", paint(style::HEADING, &id));
        if self.show {
            let _ = writeln!(text, "    {}", style::printable(&post.text));
        }
        for (sign, one, other, judged) in
            [("-", before, after, before), ("+", after, before, after)]
        {
            for found in
                acted(one).filter(|found| !acted(other).any(|one| known_by(one) == known_by(found)))
            {
                let _ = writeln!(text, "    {sign} {}", self.finding(post, found));
            }
            if let Some(redacted) = judged.redacted.as_ref().filter(|_| self.show) {
                let _ = writeln!(text, "    {sign} {}", style::printable(redacted.expose()));
            }
        }
        self.out.write_all(text.as_bytes())
    }

    fn finding(&self, post: &Post, (finding, judgement): &(Finding, Judgement)) -> String {
        let words = finding.span.of(&post.text).unwrap_or_default();
        let words = if self.show {
            format!("\"{}\"", style::printable(words))
        } else {
            style::count(words.chars().count(), "character")
        };
        let by = clause(judgement).map_or_else(String::new, |name| format!(", by clause {name}"));
        format!(
            "{:<6}  {:<11} {:<8} {}  {words}{by}",
            judgement.action.as_str(),
            finding.category.as_str(),
            finding.confidence.as_str(),
            finding.rule,
        )
    }

    /// Writes what it comes to, for people; says how many posts are judged otherwise.
    pub(super) fn finish(&mut self, old: &Side, new: &Side) -> io::Result<usize> {
        let n_verdicts: usize = self.verdicts.values().sum();
        let n_changed = n_verdicts + self.n_texts + self.n_reasons;
        if self.format == ScanFormat::Human {
            if n_changed > 0 {
                writeln!(self.out)?;
            }
            writeln!(
                self.out,
                "{n_changed} of {} would be judged otherwise by {} than by {}",
                style::count(self.n_posts, "post"),
                style::printable(&new.name),
                style::printable(&old.name),
            )?;
            for ((before, after), n) in &self.verdicts {
                writeln!(self.out, "  {n:>7}  {before} -> {after}")?;
            }
            if self.n_texts > 0 {
                writeln!(self.out, "  {:>7}  redacted to another text", self.n_texts)?;
            }
            if self.n_reasons > 0 {
                writeln!(self.out, "  {:>7}  the same, for other reasons", self.n_reasons)?;
            }
        }
        self.out.flush()?;
        Ok(n_changed)
    }
}

fn side_row<'a>(judged: &'a TextInspection, points: &CodePoints, show: bool) -> SideRow<'a> {
    let row = |(finding, judgement): &'a (Finding, Judgement)| FindingRow {
        start: points.before(finding.span.start()),
        end: points.before(finding.span.end()),
        category: finding.category.as_str(),
        rule: finding.rule.as_str(),
        confidence: finding.confidence.as_str(),
        action: judgement.action.as_str(),
        clause: clause(judgement),
    };
    SideRow {
        verdict: judged.verdict(),
        findings: acted(judged).map(row).collect(),
        redacted: judged.redacted.as_ref().filter(|_| show).map(PhiText::expose),
    }
}

fn clause(judgement: &Judgement) -> Option<&str> {
    match &judgement.by {
        DecidedBy::Clause(name) => Some(name),
        DecidedBy::Exception(_) | DecidedBy::NoClause => None,
    }
}
