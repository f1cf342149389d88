//! Turns judged findings into a request that may be sent: edits, offsets, limits, encoding.
//!
//! Every step that does not hold is a [`CannotRedact`], and so the policy's `on-cannot-redact`: nothing half-edited
//! leaves. What was written is read back before it counts as redacted.

use std::collections::HashSet;

use bytes::Bytes;

use crate::body::encoding::Codings;
use crate::body::{Document, Edit, Limits, Node, Step, Text};
use crate::inspect::{Redacted, Request};
use crate::platform::{CannotRedact, Endpoint, FieldSpec};
use crate::redact::{Splice, splice};

/// Fields of a form with ranges beside them that are edited at most.
const MOST_IN_FORM: usize = 64;

/// The two documents of a request, as they were read.
pub(super) struct Documents<'a> {
    pub(super) body: &'a Document,
    pub(super) query: &'a Document,
    pub(super) codings: &'a Codings,
    pub(super) content_type: Option<&'a str>,
}

/// One text with what replaces what in it.
pub(super) struct TextEdit<'a> {
    /// The endpoint's own words for it; `None` for what it does not name, and so cannot be edited.
    pub(super) spec: Option<&'a FieldSpec>,
    pub(super) in_query: bool,
    pub(super) text: usize,
    pub(super) splices: Vec<Splice>,
}

/// The request with these edits, or why there is none.
pub(super) fn rewrite(
    request: &Request<'_>,
    endpoint: &Endpoint,
    documents: &Documents<'_>,
    edits: &[TextEdit<'_>],
    limits: &Limits,
) -> Result<Redacted, CannotRedact> {
    let mut body = Pending::new(documents.body);
    let mut query = Pending::new(documents.query);
    for edit in edits {
        let spec = edit.spec.ok_or(CannotRedact::NotEditable)?;
        let (pending, other) =
            if edit.in_query { (&mut query, documents.body) } else { (&mut body, documents.query) };
        pending.add(request, spec, other, edit.text, &edit.splices)?;
    }
    body.leave_what_goes();
    query.leave_what_goes();
    let signed = request.platform.signed(
        request.headers,
        documents.body,
        documents.query,
        !body.edits.is_empty(),
        !query.edits.is_empty(),
    );
    if signed {
        return Err(CannotRedact::Signed);
    }
    let mut redacted = Redacted::default();
    if !body.edits.is_empty() {
        let (written, after) =
            body.write(|bytes| Document::parse(documents.content_type, bytes, limits).ok())?;
        request.platform.still_valid(endpoint, false, documents.body, &after)?;
        redacted.body = Some(if documents.codings.is_identity() {
            written
        } else {
            Bytes::from(documents.codings.encode(&written))
        });
    }
    if !query.edits.is_empty() {
        let reread =
            |bytes: Bytes| Document::parse_query(std::str::from_utf8(&bytes).ok()?, limits).ok();
        let (written, after) = query.write(reread)?;
        request.platform.still_valid(endpoint, true, documents.query, &after)?;
        redacted.query =
            Some(String::from_utf8(written.to_vec()).map_err(|_| CannotRedact::Write)?);
    }
    Ok(redacted)
}

/// The edits of one document, gathered.
struct Pending<'a> {
    document: &'a Document,
    edits: Vec<Edit>,
    /// Text index and what the text must read afterwards.
    expected: Vec<(usize, String)>,
    /// Edited fields of a form that may have ranges beside them.
    n_in_form: usize,
}

impl<'a> Pending<'a> {
    fn new(document: &'a Document) -> Self {
        Self { document, edits: Vec::new(), expected: Vec::new(), n_in_form: 0 }
    }

    fn add(
        &mut self,
        request: &Request<'_>,
        spec: &FieldSpec,
        other: &Document,
        text: usize,
        splices: &[Splice],
    ) -> Result<(), CannotRedact> {
        // Ranges beside a form's field are looked for in the whole form. A form has a field a few times at most.
        if spec.has_offsets() && self.document.node_of(text).is_none() {
            self.n_in_form += 1;
            if self.n_in_form > MOST_IN_FORM {
                return Err(CannotRedact::Offsets);
            }
        }
        let before = self.document.texts().get(text).ok_or(CannotRedact::Write)?.text.expose();
        let after = splice(before, splices).ok_or(CannotRedact::Write)?;
        if !request.platform.still_fits(spec, before, &after) {
            return Err(CannotRedact::OverLimit);
        }
        self.edits.extend(splices.iter().map(|splice| Edit::Splice {
            text,
            span: splice.span,
            with: splice.with.clone(),
        }));
        let moved = request.platform.move_offsets(spec, self.document, other, text, splices)?;
        self.edits.extend(moved);
        self.expected.push((text, after));
        Ok(())
    }

    /// Takes back the edits of texts that go as a whole: the tag of a facet whose words were redacted.
    fn leave_what_goes(&mut self) {
        let gone: HashSet<Node> = self
            .edits
            .iter()
            .filter_map(|edit| if let Edit::Remove { node } = edit { Some(*node) } else { None })
            .collect();
        if gone.is_empty() {
            return;
        }
        let document = self.document;
        let goes = |text: usize| {
            let mut node = document.node_of(text);
            while let Some(here) = node.filter(|here| !gone.contains(here)) {
                node = document.parent(here);
            }
            node.is_some()
        };
        self.edits
            .retain(|edit| if let Edit::Splice { text, .. } = edit { !goes(*text) } else { true });
        self.expected.retain(|(text, _)| !goes(*text));
    }

    /// Writes, and reads back: each edited text must stand at its path and read as meant.
    fn write(
        &self,
        reread: impl Fn(Bytes) -> Option<Document>,
    ) -> Result<(Bytes, Document), CannotRedact> {
        let written = self.document.write(&self.edits).map_err(|_| CannotRedact::Write)?;
        let again = reread(written.clone()).ok_or(CannotRedact::Write)?;
        let shortened = self.edits.iter().any(|edit| matches!(edit, Edit::Remove { .. }));
        // Texts keep their order, so one walk finds them all: looking for each anew would cost edits times texts.
        let mut expected: Vec<&(usize, String)> = self.expected.iter().collect();
        expected.sort_unstable_by_key(|(text, _)| *text);
        let mut rest = again.texts().iter();
        for (text, expected) in expected {
            let original = self.document.texts().get(*text).ok_or(CannotRedact::Write)?;
            let stands = rest.any(|new| {
                same_path(new, original, shortened)
                    && new.role == original.role
                    && new.text.expose() == expected
            });
            if !stands {
                return Err(CannotRedact::Write);
            }
        }
        Ok((written, again))
    }
}

/// Whether two texts stand at the same path. Where elements were taken out of lists, those after them have moved up.
fn same_path(new: &Text, original: &Text, shortened: bool) -> bool {
    let (new, original) = (&new.path.steps, &original.path.steps);
    new.len() == original.len()
        && new.iter().zip(original).all(|steps| match steps {
            (Step::Index(_), Step::Index(_)) if shortened => true,
            (new, original) => new == original,
        })
}
