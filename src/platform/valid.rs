//! Whether a platform would still take a post after its edits: what one text alone does not show.
//!
//! What was wrong before the edits is not our fault and passes.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::body::{Document, Path, Step};
use crate::platform::field::is_number;
use crate::platform::limit::{Limit, Total};
use crate::platform::{CannotRedact, Endpoint, FieldClass, FieldSpec, Place};

/// Compares a document as it came with the one that was written.
pub(super) fn check(
    endpoint: &Endpoint,
    in_query: bool,
    before: &Document,
    after: &Document,
) -> Result<(), CannotRedact> {
    let (before, after) = (words(endpoint, in_query, before), words(endpoint, in_query, after));
    let mut seen = HashSet::new();
    // Each field once: a body may hold a hundred thousand texts of one field.
    for spec in
        after.iter().map(|word| word.spec).filter(|spec| seen.insert(std::ptr::from_ref(*spec)))
    {
        let bad = |words: &[Word<'_>]| n_empty(words, spec) + n_repeated(words, spec);
        if (spec.required || spec.distinct) && bad(&after) > bad(&before) {
            return Err(CannotRedact::Invalid);
        }
        let length = |words: &[Word<'_>], limit| shared_length(words, spec, limit);
        if spec
            .limits
            .iter()
            .any(|limit| !limit.allows(length(&before, limit), length(&after, limit)))
        {
            return Err(CannotRedact::OverLimit);
        }
    }
    let fits = |total: &Total| {
        let length = |words: &[Word<'_>]| total_length(words, total);
        total.limit.allows(length(&before), length(&after))
    };
    if endpoint.totals().iter().all(fits) { Ok(()) } else { Err(CannotRedact::OverLimit) }
}

/// What the fields of a total come to.
fn total_length(words: &[Word<'_>], total: &Total) -> usize {
    let counts = |word: &&Word<'_>| total.fields.contains(&word.spec.template);
    words.iter().filter(counts).map(|word| total.limit.measure_whole(word.text)).sum()
}

/// One text that carries words.
struct Word<'a> {
    spec: &'a FieldSpec,
    path: &'a Path,
    text: &'a str,
}

fn words<'a>(endpoint: &'a Endpoint, in_query: bool, document: &'a Document) -> Vec<Word<'a>> {
    let texts = document.texts().iter().enumerate();
    let texts = texts.filter(|(index, _)| !document.is_another_reading(*index));
    let words = texts.filter_map(|(_, text)| {
        let place = match (in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        };
        match endpoint.classify(place, &text.path, text.role) {
            FieldClass::Words(spec) => {
                Some(Word { spec, path: &text.path, text: text.text.expose() })
            }
            FieldClass::Opaque(_) | FieldClass::Other => None,
        }
    });
    words.collect()
}

fn of_spec<'w>(words: &'w [Word<'w>], spec: &'w FieldSpec) -> impl Iterator<Item = &'w Word<'w>> {
    words.iter().filter(move |word| std::ptr::eq(word.spec, spec))
}

fn n_empty(words: &[Word<'_>], spec: &FieldSpec) -> usize {
    of_spec(words, spec).filter(|word| spec.is_blank(word.text)).count()
}

/// How many texts of a field repeat an earlier one of the same list.
fn n_repeated(words: &[Word<'_>], spec: &FieldSpec) -> usize {
    if !spec.distinct {
        return 0;
    }
    let mut lists: HashMap<(&str, String), usize> = HashMap::new();
    for word in words.iter().filter(|word| word.spec.distinct && word.spec.group == spec.group) {
        *lists.entry((word.text.trim(), list_of(word.path))).or_default() += 1;
    }
    lists.values().map(|n| n - 1).sum()
}

/// The list that a text stands in: what is above its last index, or, where nothing is numbered, above itself.
pub fn list_of(path: &Path) -> String {
    let is_element = |step: &&Step| match step {
        Step::Index(_) | Step::Append => true,
        Step::Key(key) => is_number(key),
    };
    let steps = path.steps();
    let end = steps.iter().rposition(is_element).unwrap_or(steps.len().saturating_sub(1));
    let mut list = String::new();
    for step in steps.iter().take(end) {
        match step {
            Step::Key(key) => list.push_str(key),
            Step::Index(index) => _ = write!(list, "#{index}"),
            Step::Append => list.push_str("[]"),
        }
        list.push('\0');
    }
    list
}

/// The length of a field together with those that count in its limit.
fn shared_length(words: &[Word<'_>], spec: &FieldSpec, limit: &Limit) -> usize {
    let with = words
        .iter()
        .filter(|word| word.spec.counts_with.as_deref() == Some(spec.template.as_str()));
    let others: usize = with.map(|word| limit.measure_whole(word.text)).sum();
    let own = of_spec(words, spec).map(|word| limit.measure(word.text)).max().unwrap_or_default();
    own + others
}
