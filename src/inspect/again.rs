//! One more reading of strings that no platform's file names: labels and values that stand apart in an export.
//!
//! `{"type": {"text": "MRN"}, "value": "00412345"}`, `[["patient name", "MRN"], ["Dorothy Kowalski", "00412345"]]` and
//! `<td>MRN</td><td>00412345</td>` are clear to whoever opens them, string by string they are not. What is found here is
//! edited nowhere. Promise: linear in the document; ids, addresses and times of an API are no lines of it.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::body::{Document, Role, Step, Text};
use crate::detect::{Engine, Finding};
use crate::inspect::collect::Field;
use crate::inspect::label;
use crate::policy::{Action, Judgement};
use crate::rules::Category;

/// Digits of a number that may be a patient's. Fewer are counts, more are ids of platforms.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=12;

/// The strings of JSON that may be labels and values, as lines; cells of one list stand in one.
#[derive(Default)]
pub(super) struct Lines<'a> {
    joined: String,
    last: Option<&'a Text>,
    n_taken: usize,
    has_number: bool,
}

impl<'a> Lines<'a> {
    /// Takes in a string. One that the platform's file names is the post's words, which are read together elsewhere: here it
    /// is a label at most.
    pub(super) fn add(&mut self, document: &'a Document, index: usize, is_named: bool) {
        let Some(text) = document.texts().get(index) else { return };
        let is_value = matches!(text.role, Role::Value | Role::Number);
        if !is_value || document.node_of(index).is_none() || !label::may_be_apart(&text.path) {
            return;
        }
        let words = text.text.expose().trim();
        let is_number = is_number(words);
        let is_long = words.len() > label::MOST_LABEL;
        if (is_named && (is_number || is_long)) || (!is_number && !is_line(words)) {
            return;
        }
        self.has_number |= is_number;
        self.n_taken += 1;
        let is_cell = self.last.is_some_and(|last| {
            let in_list = |text: &Text| matches!(text.path.last(), Some(Step::Index(_)));
            in_list(last) && in_list(text) && label::stand_together(&last.path, &text.path)
        });
        if !self.joined.is_empty() {
            self.joined.push(if is_cell { '\t' } else { '\n' });
        }
        _ = self.joined.write_str(words);
        self.last = Some(text);
    }

    /// All lines, if a number stands in one of them.
    pub(super) fn finish(self) -> Option<String> {
        (self.has_number && self.n_taken > 1).then_some(self.joined)
    }
}

/// A number, perhaps with hyphens in it, which is no date.
fn is_number(text: &str) -> bool {
    let n_digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_date = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    DIGITS.contains(&n_digits)
        && !is_date
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// A label or a name: of letters, perhaps of several words.
fn is_line(text: &str) -> bool {
    text.contains(char::is_alphabetic)
        && (text.len() <= label::MOST_LABEL || Engine::is_prose(text))
        && (text.contains(' ')
            || !text.bytes().any(|byte| byte.is_ascii_digit() || b"/@:_".contains(&byte)))
}

/// What the strings of a post were found to say by themselves, and how strictly that is judged.
#[derive(Default)]
pub(super) struct Known<'a>(HashMap<(Category, &'a str), Action>);

impl<'a> Known<'a> {
    pub(super) fn of(fields: &'a [Field<'a>], found: &[Vec<(Finding, Judgement)>]) -> Self {
        let mut known = HashMap::new();
        for (field, found) in fields.iter().zip(found) {
            for (it, judged) in found {
                let Some(words) = it.span.of(&field.text) else { continue };
                let action = known.entry((it.category, words.trim())).or_insert(judged.action);
                *action = judged.action.max(*action);
            }
        }
        Self(known)
    }

    /// Whether a finding of another reading says nothing new.
    pub(super) fn holds(
        &self,
        field: &Field<'_>,
        (finding, judged): &(Finding, Judgement),
    ) -> bool {
        let words = finding.span.of(&field.text).unwrap_or_default().trim();
        self.0.get(&(finding.category, words)).is_some_and(|known| *known >= judged.action)
    }
}
