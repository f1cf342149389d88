//! Columns of pasted tables: the label stands at the head, its numbers below it.
//!
//! A table is lines that `|`, tab, `;` or `,` cuts into cells. A spreadsheet pasted into a post, a CSV with its head
//! and a page of Markdown all come out so.

use crate::detect::labelled::Label;
use crate::detect::labelled::code::Code;
use crate::detect::token::Text;
use crate::span::Span;

/// How far back the head's line may begin, and how long any line may be.
const LONGEST_LINE: usize = 400;

/// How many lines below the head are read.
const MOST_LINES: usize = 60;

/// How many heads of one rule are followed, which bounds the cost of a text made of heads.
const MOST_HEADS: usize = 16;

/// The tables of a text.
#[derive(Debug)]
pub(super) struct Tables<'t> {
    text: &'t Text,
    n_heads: usize,
}

impl<'t> Tables<'t> {
    pub(super) const fn new(text: &'t Text) -> Self {
        Self { text, n_heads: 0 }
    }

    /// Adds the numbers in the column under a label.
    pub(super) fn column(&mut self, label: Span, kind: Label, out: &mut Vec<Span>) {
        if self.n_heads >= MOST_HEADS {
            return;
        }
        let view = self.text.view.text();
        let Some((line_start, separator, column)) = head(view, label) else { return };
        self.n_heads += 1;
        let bytes = view.as_bytes();
        let Some(mut at) = end_of_line(bytes, label.end()) else { return };
        let n_columns = cells(view.get(line_start..at).unwrap_or_default(), separator);
        for _ in 0..MOST_LINES {
            let Some(end) = end_of_line(bytes, at + 1).or_else(|| rest(bytes, at)) else { return };
            let line = view.get(at + 1..end).unwrap_or_default();
            if cells(line, separator) != n_columns {
                return;
            }
            if let Some((from, cell)) = line
                .split(separator)
                .nth(column)
                .map(|cell| (at + 1 + (cell.as_ptr() as usize - line.as_ptr() as usize), cell))
                && let Some(code) = self.code_in(Span::new(from, from + cell.len()), kind)
            {
                out.push(code.span());
            }
            at = end;
        }
    }

    /// The number that a cell holds.
    fn code_in(&self, cell: Span, kind: Label) -> Option<Code> {
        let first = self.text.tokens.partition_point(|token| token.span.start() < cell.start());
        let enough = if kind == Label::Sure { 3 } else { 5 };
        Code::at(self.text, first, None)
            .filter(|code| code.end <= cell.end() && code.n_digits >= enough && !code.is_date())
    }
}

/// The line of a label that is a cell of its own: where it begins, what parts its cells, and which cell it is.
fn head(view: &str, label: Span) -> Option<(usize, char, usize)> {
    let from = label.start().saturating_sub(LONGEST_LINE);
    let from = (from..=label.start()).find(|at| view.is_char_boundary(*at))?;
    let before = view.get(from..label.start())?;
    let line = before.rfind('\n').map_or(from, |at| from + at + 1);
    let before = view.get(line..label.start())?;
    let after = view.get(label.end()..end_of_line(view.as_bytes(), label.end())?)?;
    let separator = ['|', '\t', ';', ',']
        .into_iter()
        .find(|separator| before.contains(*separator) || after.contains(*separator))?;
    let own = before.rsplit(separator).next()?.len() + after.split(separator).next()?.len();
    // Nothing but the label stands in its cell, and no sentence is a table's head.
    (own <= 12).then(|| (line, separator, before.matches(separator).count()))
}

fn cells(line: &str, separator: char) -> usize {
    line.matches(separator).count() + 1
}

fn end_of_line(bytes: &[u8], from: usize) -> Option<usize> {
    let line = bytes.get(from..(from + LONGEST_LINE).min(bytes.len()))?;
    line.iter().position(|byte| *byte == b'\n').map(|at| from + at)
}

/// The end of a text whose last line has no break.
fn rest(bytes: &[u8], at: usize) -> Option<usize> {
    (at + 1 < bytes.len() && bytes.len() - at <= LONGEST_LINE).then_some(bytes.len())
}
