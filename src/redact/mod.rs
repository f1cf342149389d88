//! Splices replacements into a text, nothing else.

use crate::span::Span;

/// Replace the bytes under `span` by `with`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Splice {
    /// What goes.
    pub span: Span,
    /// What comes: a marker of the policy or a generalisation, never text of a post.
    pub with: String,
}

/// Applies splices, which must be sorted, disjoint, inside the text and on character boundaries; `None` otherwise, so
/// that a caller fails closed.
pub fn splice(text: &str, splices: &[Splice]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for splice in splices {
        out.push_str(text.get(at..splice.span.start())?);
        text.get(splice.span.start()..splice.span.end())?;
        out.push_str(&splice.with);
        at = splice.span.end();
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// Where an offset of the old text stands in the new one. Inside a replaced stretch there is no such place: `None`.
/// The start of a stretch maps to the start of its replacement, its end to the end.
pub fn moved(offset: usize, splices: &[Splice]) -> Option<usize> {
    let mut shifted = offset;
    for splice in splices {
        if offset <= splice.span.start() {
            break;
        }
        if offset < splice.span.end() {
            return None;
        }
        shifted = (shifted + splice.with.len()).checked_sub(splice.span.len())?;
    }
    Some(shifted)
}

#[cfg(test)]
mod tests {
    use super::{Splice, moved, splice};
    use crate::span::Span;

    fn name(start: usize, end: usize) -> Splice {
        Splice { span: Span::new(start, end), with: "[name]".into() }
    }

    #[test]
    fn only_the_spans_change() {
        assert_eq!(
            splice("saw Jane Roe today", &[name(4, 12)]).as_deref(),
            Some("saw [name] today")
        );
    }

    #[test]
    fn splices_that_do_not_fit_give_nothing() {
        for splices in
            [vec![name(4, 99)], vec![name(8, 12), name(4, 6)], vec![name(0, 5), name(4, 6)]]
        {
            assert_eq!(splice("saw Jane Roe", &splices), None);
        }
        assert_eq!(splice("é", &[name(1, 2)]), None);
    }

    #[test]
    fn offsets_move_with_the_text() {
        let splices = [name(4, 12), name(20, 22)];
        for (old, new) in
            [(0, Some(0)), (4, Some(4)), (6, None), (12, Some(10)), (15, Some(13)), (22, Some(24))]
        {
            assert_eq!(moved(old, &splices), new, "{old}");
        }
    }
}
