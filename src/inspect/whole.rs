//! All words of a post as one text: the strings of a title, a body and a poll, each a line.
//!
//! A label in a header and its number in the section below (`MRN` | `00412345`), `Patient` | `Dorothy Kowalski`: a reader sees
//! them together, however many strings they are. So the strings of words are read once more, in the order in which they
//! stand, as lines of one text; a finding goes back to the strings it lies in. Promise: what is read apart is found as it
//! was, and the second reading costs no more than the first.

use crate::detect::Finding;
use crate::inspect::collect::Field;
use crate::inspect::disguise::words_of_key;
use crate::inspect::label::MOST_LABEL;
use crate::span::Span;

/// Words of a line that may show by itself that it is about a patient.
const LONG: usize = 16;

/// One line: a field, and where its text begins.
#[derive(Clone, Copy, Debug)]
struct Line {
    field: usize,
    at: usize,
    length: usize,
}

/// The words of a post, joined.
pub(super) struct Whole {
    text: String,
    lines: Vec<Line>,
}

impl Whole {
    /// Of everything that was gathered; `None` where that is one text at most.
    pub(super) fn of(fields: &[Field<'_>]) -> Option<Self> {
        let mut order: Vec<_> = fields
            .iter()
            .enumerate()
            .filter_map(|(field, it)| it.line.map(|line| (line, field, it)))
            .collect();
        if order.len() < 2 {
            return None;
        }
        order.sort_unstable_by_key(|(line, field, _)| (*line, *field));
        let length = order.iter().map(|(_, _, it)| it.text.len() + 2).sum();
        let mut whole = Self { text: String::with_capacity(length), lines: Vec::new() };
        let mut before = "";
        for (_, field, it) in order {
            // What a form calls a field stands before its value as `MRN: 00412345`.
            let label = it.label.as_deref().filter(|_| it.is_paired);
            if label.is_some_and(|label| *label == *words_of_key(before)) {
                _ = whole.text.pop();
                whole.text.push_str(": ");
            }
            before = if it.text.len() <= MOST_LABEL { &it.text } else { "" };
            whole.lines.push(Line { field, at: whole.text.len(), length: it.text.len() });
            whole.text.push_str(&it.text);
            whole.text.push('\n');
        }
        Some(whole)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The fields of lines that are long enough to say by themselves what they are about.
    pub(super) fn long_lines(&self, fields: &[Field<'_>]) -> impl Iterator<Item = usize> {
        self.lines.iter().map(|line| line.field).filter(|at| {
            fields.get(*at).is_some_and(|it| it.text.split_whitespace().nth(LONG - 1).is_some())
        })
    }

    /// The fields that a finding of the whole lies in, and what of it lies in each.
    pub(super) fn parts(&self, finding: &Finding) -> impl Iterator<Item = (usize, Finding)> {
        let span = finding.span;
        let first = self.lines.partition_point(|line| line.at + line.length <= span.start());
        let lines = self.lines.iter().skip(first).take_while(move |line| line.at < span.end());
        lines.filter_map(move |line| {
            let start = span.start().max(line.at) - line.at;
            let end = span.end().min(line.at + line.length).saturating_sub(line.at);
            let is_whole = end.saturating_sub(start) == span.len();
            (start < end).then(|| {
                let generalized = finding.generalized.clone().filter(|_| is_whole);
                (
                    line.field,
                    Finding { span: Span::new(start, end), generalized, ..finding.clone() },
                )
            })
        })
    }
}
