//! From texts within texts to the text around them that a person wrote: where a finding stands there, and what its edit
//! comes to.
//!
//! A link in base64 in a form in a string is four texts deep, and each may hold ten thousand findings. Promise: each text
//! is walked and written once for everything in it and in what it holds, however much that is.

use std::collections::BTreeMap;

use crate::body::{CannotWrite, Document};
use crate::inspect::collect::{Field, Source};
use crate::inspect::edits::united;
use crate::inspect::rewrite::Documents;
use crate::redact::Splice;
use crate::span::Span;

/// A text of the query or the body.
pub(super) type At = (bool, usize);

/// Spans in one text, on their way out to the text `whole`.
struct Bound {
    whole: usize,
    /// Each with its number.
    spans: Vec<(Span, usize)>,
}

/// Where each span stands in the text that a person wrote; `None` where its field is in no other text, or that text
/// cannot be edited.
pub(super) fn spans<'f>(
    documents: &Documents<'_>,
    spans: impl Iterator<Item = (&'f Field<'f>, Span)>,
) -> Vec<Option<Span>> {
    let mut placed = Vec::new();
    let mut by_text: BTreeMap<At, Bound> = BTreeMap::new();
    for (field, span) in spans {
        if let (Some(at), Some(whole)) = (text_of(field), field.within) {
            let bound = by_text.entry(at).or_insert_with(|| Bound { whole, spans: Vec::new() });
            bound.spans.push((span, placed.len()));
        }
        placed.push(None);
    }
    // What a text holds stands after it, so the last is the innermost.
    while let Some(((in_query, index), Bound { whole, spans })) = by_text.pop_last() {
        if index == whole {
            for (span, number) in spans {
                if let Some(placed) = placed.get_mut(number) {
                    *placed = Some(span);
                }
            }
            continue;
        }
        let document = documents.document(in_query);
        let mut moved: Vec<Span> = spans.iter().map(|(span, _)| *span).collect();
        let (Ok(()), Some(holder)) =
            (document.outward_spans(index, &mut moved), document.holder(index))
        else {
            continue;
        };
        let numbers = spans.into_iter().map(|(_, number)| number);
        let around = by_text.entry((in_query, holder));
        let around = around.or_insert_with(|| Bound { whole, spans: Vec::new() });
        around.spans.extend(moved.into_iter().zip(numbers));
    }
    placed
}

/// Splices of texts within others, gathered by the text they are of.
#[derive(Default)]
pub(super) struct Inner {
    by_text: BTreeMap<At, Edits>,
}

struct Edits {
    whole: usize,
    /// From findings in the text itself.
    own: Vec<Splice>,
    /// From what it holds.
    held: Vec<Splice>,
}

impl Inner {
    /// Takes in what is found in a text that is within `whole`.
    pub(super) fn add(&mut self, at: At, whole: usize, splices: Vec<Splice>) {
        self.edits(at, whole).own.extend(splices);
    }

    fn edits(&mut self, at: At, whole: usize) -> &mut Edits {
        let none = || Edits { whole, own: Vec::new(), held: Vec::new() };
        self.by_text.entry(at).or_insert_with(none)
    }

    /// What they come to in the texts that persons wrote, encoded as they must stand there.
    pub(super) fn outward(
        mut self,
        documents: &Documents<'_>,
        mut done: impl FnMut(At, Vec<Splice>),
    ) -> Result<(), CannotWrite> {
        while let Some(((in_query, index), Edits { whole, own, held })) = self.by_text.pop_last() {
            if index == whole {
                done((in_query, index), held);
                continue;
            }
            let document = documents.document(in_query);
            let holder = document.holder(index).ok_or(CannotWrite::Misplaced)?;
            let moved = outward(document, index, united(own, held))?;
            self.edits((in_query, holder), whole).held.extend(moved);
        }
        Ok(())
    }
}

fn outward(
    document: &Document,
    index: usize,
    splices: Vec<Splice>,
) -> Result<Vec<Splice>, CannotWrite> {
    let splices: Vec<_> = splices.into_iter().map(|it| (it.span, it.with)).collect();
    let moved = document.outward(index, &splices)?;
    Ok(moved.into_iter().map(|(span, with)| Splice { span, with }).collect())
}

fn text_of(field: &Field<'_>) -> Option<At> {
    match field.source {
        Source::Body(index) => Some((false, index)),
        Source::Query(index) => Some((true, index)),
        Source::Joined { .. } | Source::File(_) | Source::Head => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use jiff::civil::date;

    use crate::body::{base64, work};
    use crate::inspect::check::{PLATFORMS, inspector};
    use crate::inspect::{Inspector, Request, Verdict};
    use crate::policy::Policy;

    /// Bytes walked to find places and to encode, for each byte of the body.
    fn work_of(inspector: &Inspector, text: &str) -> f64 {
        let body = serde_json::json!({ "status": text }).to_string();
        let n_bytes = body.len();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        _ = work::take();
        let inspection = inspector.inspect(&Request {
            platform: PLATFORMS.get("mastodon").unwrap(),
            method: &Method::POST,
            path: "/api/v1/statuses",
            query: None,
            headers: &headers,
            body: &body.into(),
            groups: &[],
            reference: "k3f7q2ma",
            mark: None,
            today: date(2026, 11, 22),
        });
        assert!(
            matches!(inspection.verdict, Verdict::Redact(_)),
            "{:?} of {text}",
            inspection.fault
        );
        let walked = u32::try_from(work::take()).unwrap();
        f64::from(walked) / f64::from(u32::try_from(n_bytes).unwrap())
    }

    #[test]
    fn texts_within_texts_are_walked_once_whatever_they_hold() {
        const ONE: &str = "my patient Mr. Castellano coded ";
        let code = |n: usize| base64::encode(ONE.repeat(n).as_bytes());
        let codes = |n: usize| vec![base64::encode(ONE.as_bytes()); n].join(" ");
        // Letters and all: a code that still shows would be found there, too, after the digits of an escape.
        let percent = |text: &str| -> String {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
            text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
        };
        let json = |n: usize| serde_json::json!([vec![ONE; n]]).to_string();
        let in_json = |n: usize| serde_json::json!([json(n)]).to_string();
        let policy = Policy::embedded().replace("action = \"block\"", "action = \"redact\"");
        let redacting = inspector(&policy);
        for (name, of) in [
            ("one code", &code as &dyn Fn(usize) -> String),
            ("codes", &codes),
            ("codes in percent", &|n| percent(&codes(n))),
            ("JSON", &json),
            ("JSON in JSON", &in_json),
        ] {
            let (few, many) = (work_of(&redacting, &of(24)), work_of(&redacting, &of(96)));
            assert!(few > 0.0 && many < few * 1.5 && many < 40.0, "{name}: {few} then {many}");
        }
    }
}
