//! From judged findings to what replaces what in each text of a request.
//!
//! A text may hold others in an encoding of their own: a link with a query, a word escaped as HTML. Both are read, and a
//! finding in what is held is an edit of the text that holds it, encoded as it must stand there. Promise: where two edits
//! of one stretch come together, all of both goes.

use std::collections::{BTreeMap, HashMap};

use crate::detect::Finding;
use crate::inspect::collect::{Field, Source};
use crate::inspect::outward::Inner;
use crate::inspect::rewrite::{Documents, TextEdit};
use crate::inspect::text;
use crate::platform::{CannotRedact, FieldSpec};
use crate::policy::{Action, Judgement, Policy};
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
    /// From findings in a joined text that it is part of.
    joined: Vec<Splice>,
}

impl<'f> Gathered<'f> {
    fn new(spec: Option<&'f FieldSpec>) -> Self {
        Self { spec, own: Vec::new(), held: Vec::new(), joined: Vec::new() }
    }
}

/// The edits of all texts.
pub(super) fn gather<'f>(
    judged: &'f [Judged<'f>],
    policy: &Policy,
    documents: &Documents<'_>,
) -> Result<Vec<TextEdit<'f>>, CannotRedact> {
    let mut texts: BTreeMap<(bool, usize), Gathered<'f>> = BTreeMap::new();
    let mut inner = Inner::default();
    for Judged { field, findings } in judged {
        let splices = text::splices(findings, policy);
        if splices.is_empty() {
            continue;
        }
        let (in_query, index) = match &field.source {
            Source::Body(index) => (false, *index),
            Source::Query(index) => (true, *index),
            Source::Joined { in_query, joined } => {
                for (text, splice) in splices.iter().flat_map(|splice| joined.splices(splice)) {
                    let gathered = texts
                        .entry((*in_query, text))
                        .or_insert_with(|| Gathered::new(field.words));
                    gathered.joined.push(splice);
                }
                continue;
            }
            // It goes with all that the file says.
            Source::File(_) => continue,
            Source::Head => return Err(CannotRedact::NotEditable),
        };
        let around = field.within.unwrap_or(index);
        let gathered =
            texts.entry((in_query, around)).or_insert_with(|| Gathered::new(field.words));
        match field.within {
            Some(whole) => inner.add((in_query, index), whole, splices),
            None => gathered.own.extend(splices),
        }
    }
    let outward = inner.outward(documents, |at, splices| {
        if let Some(gathered) = texts.get_mut(&at) {
            gathered.held.extend(splices);
        }
    });
    outward.map_err(|_| CannotRedact::NotEditable)?;
    let edits = texts.into_iter().map(|((in_query, index), gathered)| TextEdit {
        spec: gathered.spec,
        in_query,
        text: index,
        splices: under(gathered.joined, united(gathered.own, gathered.held)),
    });
    Ok(edits.collect())
}

/// A category in a text of the query or the body.
pub(super) type Within = (bool, usize, Category);

/// Where findings lie in the texts that persons wrote, so that one that is found in a text and again in what that holds,
/// or in a joined text, is listed once.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Where each starts, where it ends and what is done about it.
    by_text: HashMap<Within, BTreeMap<usize, (usize, Action)>>,
}

impl Listed {
    /// Whether no such finding was listed on which as much is done; lists it. `outside` is where it stands in the text
    /// that its field is within.
    pub(super) fn is_new(
        &mut self,
        documents: &Documents<'_>,
        field: &Field<'_>,
        finding: &Finding,
        outside: Option<Span>,
        action: Action,
    ) -> bool {
        let (in_query, document, index) = match &field.source {
            Source::Body(index) => (false, documents.body, *index),
            Source::Query(index) => (true, documents.query, *index),
            Source::Joined { in_query, joined } => {
                let mut is_new = true;
                for (text, span, _) in joined.parts(finding.span) {
                    is_new &= self.list((*in_query, text, finding.category), span, action);
                }
                return is_new;
            }
            Source::File(_) | Source::Head => return true,
        };
        let Some(whole) = field.within else {
            if document.holds_texts(index) || !field.seen.is_empty() {
                self.list((in_query, index, finding.category), finding.span, action);
            }
            return true;
        };
        let Some(span) = outside else { return true };
        self.list((in_query, whole, finding.category), span, action)
    }

    /// Lists a span, unless one that overlaps it is listed and no less is done about that: the verdict is taken over what
    /// is listed, so a stricter judgement must never hide behind a milder one. Says whether it was listed.
    pub(super) fn list(&mut self, at: Within, span: Span, action: Action) -> bool {
        let here = self.by_text.entry(at).or_default();
        let before = here.range(..span.end()).next_back();
        if before.is_some_and(|(_, (end, listed))| *end > span.start() && *listed >= action) {
            return false;
        }
        here.insert(span.start(), (span.end(), action));
        true
    }
}

/// Splices of a joined text go before those of the string alone: where they meet, the stretch is one, and what stands in
/// its place is the joined text's, unless that left nothing in a part of it.
fn under(joined: Vec<Splice>, alone: Vec<Splice>) -> Vec<Splice> {
    if joined.is_empty() {
        return alone;
    }
    merged(joined, alone, |span, group| {
        let mut joined = group.iter().filter(|(_, is_alone)| !is_alone);
        let marked = joined.clone().find(|(splice, _)| !splice.with.is_empty());
        let covering = joined.find(|(splice, _)| splice.span == span);
        marked.or(covering).or_else(|| group.iter().find(|(_, is_alone)| *is_alone))
    })
}

/// One sorted, disjoint list. Of splices that overlap, the whole stretch goes; what stands in its place is that of a held
/// text where that covers all of the stretch, since it is encoded as its surroundings are.
pub(super) fn united(own: Vec<Splice>, held: Vec<Splice>) -> Vec<Splice> {
    if held.is_empty() {
        return own;
    }
    merged(own, held, |span, group| {
        let covering = group.iter().find(|(splice, is_held)| *is_held && splice.span == span);
        covering.or_else(|| group.iter().find(|(_, is_held)| !is_held))
    })
}

/// Both lists as one that is sorted and disjoint; `choose` says what stands for each stretch.
fn merged(
    one: Vec<Splice>,
    other: Vec<Splice>,
    choose: impl for<'g> Fn(Span, &'g [(Splice, bool)]) -> Option<&'g (Splice, bool)>,
) -> Vec<Splice> {
    let one = one.into_iter().map(|splice| (splice, false));
    let mut all: Vec<(Splice, bool)> =
        one.chain(other.into_iter().map(|splice| (splice, true))).collect();
    all.sort_by_key(|(splice, _)| (splice.span.start(), splice.span.end()));
    let mut merged = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    while let Some((first, _)) = rest.first() {
        let mut span = first.span;
        let mut n = 1;
        while let Some((next, _)) = rest.get(n).filter(|(next, _)| next.span.overlaps(span)) {
            span = span.union(next.span);
            n += 1;
        }
        let (group, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
        if let Some((splice, _)) = choose(span, group).or(group.first()) {
            merged.push(Splice { span, with: splice.with.clone() });
        }
        rest = after;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Listed, under, united};
    use crate::policy::Action;
    use crate::redact::Splice;
    use crate::rules::Category;
    use crate::span::Span;

    #[test]
    fn a_stricter_judgement_never_hides_behind_a_milder_one() {
        let mut listed = Listed::default();
        let at = (false, 0, Category::OtherId);
        for (start, end, action, is_listed) in [
            (4, 9, Action::Log, true),
            (4, 9, Action::Log, false),
            (2, 9, Action::Block, true),
            (4, 8, Action::Block, true),
            (20, 24, Action::Log, true),
            (18, 24, Action::Redact, true),
        ] {
            let span = Span::new(start, end);
            assert_eq!(listed.list(at, span, action), is_listed, "{start}..{end} {action:?}");
        }
    }

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
        let check = |got: Vec<Splice>, want: &[Row<'_>]| {
            let got: Vec<_> = got
                .iter()
                .map(|splice| (splice.span.start(), splice.span.end(), splice.with.as_str()))
                .collect();
            assert_eq!(got, *want);
        };
        for (own, held, want) in cases {
            check(united(list(own), list(held)), want);
        }
        let cases: &[Case<'_>] = &[
            (&[], &[(0, 2, "a")], &[(0, 2, "a")]),
            (&[(0, 4, "")], &[(1, 4, "a")], &[(0, 4, "")]),
            (&[(0, 4, "j")], &[(1, 4, "a"), (6, 8, "b")], &[(0, 4, "j"), (6, 8, "b")]),
            (&[(0, 4, "")], &[(2, 6, "a")], &[(0, 6, "a")]),
            (&[(0, 4, "j")], &[(2, 6, "a")], &[(0, 6, "j")]),
            (&[(4, 6, "j"), (0, 2, "")], &[(0, 6, "a")], &[(0, 6, "j")]),
        ];
        for (joined, alone, want) in cases {
            check(under(list(joined), list(alone)), want);
        }
    }
}
