//! From judged findings to what replaces what in each text of a request.
//!
//! A text may hold others in an encoding of their own: a link with a query, a word escaped as HTML. Both are read, and a
//! finding in what is held is an edit of the text that holds it, encoded as it must stand there. Promise: where two edits
//! of one stretch come together, all of both goes.

use std::collections::{BTreeMap, HashMap};

use crate::body::{CannotWrite, Document};
use crate::detect::Finding;
use crate::inspect::collect::{Field, Source};
use crate::inspect::rewrite::{Documents, TextEdit};
use crate::inspect::text;
use crate::platform::{CannotRedact, FieldSpec};
use crate::policy::{Judgement, Policy};
use crate::redact::Splice;
use crate::rules::Category;
use crate::span::Span;

/// The findings of one text, judged.
pub(super) struct Judged<'f> {
    pub(super) field: &'f Field<'f>,
    pub(super) findings: Vec<(Finding, Judgement)>,
}

/// What replaces what in one text, before it is one list.
struct Gathered<'f> {
    spec: Option<&'f FieldSpec>,
    /// From findings in the text as it stands.
    own: Vec<Splice>,
    /// From findings in what it holds.
    held: Vec<Splice>,
}

/// The edits of all texts.
pub(super) fn gather<'f>(
    judged: &'f [Judged<'f>],
    policy: &Policy,
    documents: &Documents<'_>,
) -> Result<Vec<TextEdit<'f>>, CannotRedact> {
    let mut texts: BTreeMap<(bool, usize), Gathered<'f>> = BTreeMap::new();
    for Judged { field, findings } in judged {
        let splices = text::splices(findings, policy);
        if splices.is_empty() {
            continue;
        }
        let (in_query, document, index) = match field.source {
            Source::Body(index) => (false, documents.body, index),
            Source::Query(index) => (true, documents.query, index),
            Source::Head => return Err(CannotRedact::NotEditable),
        };
        let splices = match field.within {
            Some(whole) => {
                outward(document, index, whole, splices).map_err(|_| CannotRedact::NotEditable)?
            }
            None => splices,
        };
        let index = field.within.unwrap_or(index);
        let gathered = texts.entry((in_query, index)).or_insert_with(|| Gathered {
            spec: field.words,
            own: Vec::new(),
            held: Vec::new(),
        });
        let list = if field.within.is_some() { &mut gathered.held } else { &mut gathered.own };
        list.extend(splices);
    }
    let edits = texts.into_iter().map(|((in_query, index), gathered)| TextEdit {
        spec: gathered.spec,
        in_query,
        text: index,
        splices: united(gathered.own, gathered.held),
    });
    Ok(edits.collect())
}

/// What splices of a text come to in the one around it that a person wrote.
fn outward(
    document: &Document,
    mut index: usize,
    whole: usize,
    splices: Vec<Splice>,
) -> Result<Vec<Splice>, CannotWrite> {
    let mut splices: Vec<_> =
        splices.into_iter().map(|splice| (splice.span, splice.with)).collect();
    while index != whole {
        splices = document.outward(index, &splices)?;
        index = document.holder(index).ok_or(CannotWrite::Misplaced)?;
    }
    Ok(splices.into_iter().map(|(span, with)| Splice { span, with }).collect())
}

/// Where findings lie in the texts that persons wrote, so that one that is found in a text and again in what that holds
/// is listed once.
#[derive(Debug, Default)]
pub(super) struct Listed {
    by_text: HashMap<(bool, usize), Vec<(Span, Category)>>,
}

impl Listed {
    /// Whether no such finding was listed; lists it.
    pub(super) fn is_new(
        &mut self,
        documents: &Documents<'_>,
        field: &Field<'_>,
        finding: &Finding,
    ) -> bool {
        let (in_query, document, index) = match field.source {
            Source::Body(index) => (false, documents.body, index),
            Source::Query(index) => (true, documents.query, index),
            Source::Head => return true,
        };
        let Some(whole) = field.within else {
            if document.holds_texts(index) {
                let here = self.by_text.entry((in_query, index)).or_default();
                here.push((finding.span, finding.category));
            }
            return true;
        };
        let splice = Splice { span: finding.span, with: String::new() };
        let outward = outward(document, index, whole, vec![splice]).unwrap_or_default();
        let Some(Splice { span, .. }) = outward.first() else { return true };
        let here = self.by_text.entry((in_query, whole)).or_default();
        let known = here
            .iter()
            .any(|(other, category)| *category == finding.category && other.overlaps(*span));
        if !known {
            here.push((*span, finding.category));
        }
        !known
    }
}

/// One sorted, disjoint list. Of splices that overlap, the whole stretch goes; what stands in its place is that of a held
/// text where that covers all of the stretch, since it is encoded as its surroundings are.
fn united(own: Vec<Splice>, held: Vec<Splice>) -> Vec<Splice> {
    if held.is_empty() {
        return own;
    }
    let own = own.into_iter().map(|splice| (splice, false));
    let mut all: Vec<(Splice, bool)> =
        own.chain(held.into_iter().map(|splice| (splice, true))).collect();
    all.sort_by_key(|(splice, _)| (splice.span.start(), splice.span.end()));
    let mut united = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    while let Some((first, _)) = rest.first() {
        let mut span = first.span;
        let mut n = 1;
        while let Some((next, _)) = rest.get(n).filter(|(next, _)| next.span.overlaps(span)) {
            span = span.union(next.span);
            n += 1;
        }
        let (group, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
        let covering = group.iter().find(|(splice, is_held)| *is_held && splice.span == span);
        let own = group.iter().find(|(_, is_held)| !is_held);
        if let Some((splice, _)) = covering.or(own).or(group.first()) {
            united.push(Splice { span, with: splice.with.clone() });
        }
        rest = after;
    }
    united
}

#[cfg(test)]
mod tests {
    use super::united;
    use crate::redact::Splice;
    use crate::span::Span;

    #[test]
    fn all_of_two_edits_goes() {
        type Row<'a> = (usize, usize, &'a str);
        type Case<'a> = (&'a [Row<'a>], &'a [Row<'a>], &'a [Row<'a>]);
        let cases: &[Case<'_>] = &[
            (&[(0, 2, "a")], &[], &[(0, 2, "a")]),
            (&[(0, 2, "a")], &[(4, 6, "b")], &[(0, 2, "a"), (4, 6, "b")]),
            (&[(1, 3, "a")], &[(0, 4, "b")], &[(0, 4, "b")]),
            (&[(0, 4, "a")], &[(0, 4, "b")], &[(0, 4, "b")]),
            (&[(0, 4, "a")], &[(1, 3, "b")], &[(0, 4, "a")]),
            (&[(0, 4, "a")], &[(2, 6, "b")], &[(0, 6, "a")]),
            (&[], &[(0, 4, "b"), (2, 6, "c")], &[(0, 6, "b")]),
            (&[(0, 3, "a"), (5, 8, "a")], &[(2, 6, "b")], &[(0, 8, "a")]),
        ];
        let list = |rows: &[Row<'_>]| -> Vec<Splice> {
            let splice = |&(start, end, with): &Row<'_>| Splice {
                span: Span::new(start, end),
                with: with.to_owned(),
            };
            rows.iter().map(splice).collect()
        };
        for (own, held, want) in cases {
            let got = united(list(own), list(held));
            let got: Vec<_> = got
                .iter()
                .map(|splice| (splice.span.start(), splice.span.end(), splice.with.as_str()))
                .collect();
            assert_eq!(got, *want);
        }
    }
}
