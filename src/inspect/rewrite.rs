//! Turns judged findings into a request that may be sent: edits, offsets, limits, encoding.
//!
//! Every step that does not hold is a [`CannotRedact`], and so the policy's `on-cannot-redact`: nothing half-edited
//! leaves. What was written is read back before it counts as redacted.

use std::collections::HashSet;

use bytes::Bytes;

use crate::body::encoding::Codings;
use crate::body::{Document, Edit, Limits, Node, Step, Text};
use crate::inspect::fit::{self, Brevity};
use crate::inspect::{Redacted, Request};
use crate::platform::{CannotRedact, Endpoint, FieldSpec, Platform, list_of};
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

impl<'a> Documents<'a> {
    pub(super) fn document(&self, in_query: bool) -> &'a Document {
        if in_query { self.query } else { self.body }
    }
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
    files: &[Edit],
    limits: &Limits,
) -> Result<Redacted, CannotRedact> {
    let mut redacted = Err(CannotRedact::OverLimit);
    // Where the policy's own words would make the post too long, shorter ones may not.
    for brevity in Brevity::ALL {
        redacted = attempt(request, endpoint, documents, (edits, files), limits, brevity);
        if redacted != Err(CannotRedact::OverLimit) {
            break;
        }
    }
    redacted
}

fn attempt(
    request: &Request<'_>,
    endpoint: &Endpoint,
    documents: &Documents<'_>,
    (edits, files): (&[TextEdit<'_>], &[Edit]),
    limits: &Limits,
    brevity: Brevity,
) -> Result<Redacted, CannotRedact> {
    let platform = request.platform;
    let mut body = Pending::new(documents.body, documents.query);
    let mut query = Pending::new(documents.query, documents.body);
    for edit in edits {
        let spec = edit.spec.ok_or(CannotRedact::NotEditable)?;
        let pending = if edit.in_query { &mut query } else { &mut body };
        pending.plan(platform, spec, edit.text, &edit.splices, brevity)?;
    }
    body.settle(platform)?;
    query.settle(platform)?;
    body.edits.extend_from_slice(files);
    let signed = platform.signed(
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
        let reread = |bytes| Document::parse(documents.content_type, bytes, limits).ok();
        let (written, after) = body.write(reread)?;
        let (written, after) =
            mended(platform, endpoint, documents.body, (written, after), reread)?;
        platform.still_valid(endpoint, false, documents.body, &after)?;
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
        platform.still_valid(endpoint, true, documents.query, &after)?;
        redacted.query =
            Some(String::from_utf8(written.to_vec()).map_err(|_| CannotRedact::Write)?);
    }
    Ok(redacted)
}

/// The element of a list that a piece of a split text is. One that a redaction leaves nothing of goes: platforms refuse
/// an empty piece.
fn piece(document: &Document, spec: &FieldSpec, text: usize) -> Option<Node> {
    spec.split()?;
    let path = &document.texts().get(text)?.path;
    let is_element = matches!(&path.steps()[..], [.., Step::Index(_), Step::Key(_)]);
    document.parent(document.node_of(text)?).filter(|_| is_element)
}

/// What was written, with the hashes put right by which its records name each other.
fn mended(
    platform: &Platform,
    endpoint: &Endpoint,
    before: &Document,
    (written, after): (Bytes, Document),
    reread: impl Fn(Bytes) -> Option<Document>,
) -> Result<(Bytes, Document), CannotRedact> {
    let edits = platform.mend(endpoint, before, &after)?;
    if edits.is_empty() {
        return Ok((written, after));
    }
    let written = after.write(&edits).map_err(|_| CannotRedact::Write)?;
    let again = reread(written.clone()).ok_or(CannotRedact::Write)?;
    let mut expected = Vec::with_capacity(edits.len());
    for edit in edits {
        let Edit::Splice { text, with, .. } = edit else { return Err(CannotRedact::Write) };
        expected.push((text, with));
    }
    if !all_stand(&after, &expected, &again, false) {
        return Err(CannotRedact::Write);
    }
    Ok((written, again))
}

/// One text with what replaces what in it, as it will be written.
pub(super) struct Planned<'a> {
    pub(super) spec: &'a FieldSpec,
    pub(super) text: usize,
    pub(super) before: &'a str,
    pub(super) splices: Vec<Splice>,
    pub(super) after: String,
}

impl Planned<'_> {
    /// The list that its text stands in.
    pub(super) fn list(&self, document: &Document) -> String {
        document.texts().get(self.text).map(|text| list_of(&text.path)).unwrap_or_default()
    }
}

/// The edits of one document, gathered.
struct Pending<'a> {
    document: &'a Document,
    /// The request's other document.
    other: &'a Document,
    planned: Vec<Planned<'a>>,
    edits: Vec<Edit>,
    /// Text index and what the text must read afterwards.
    expected: Vec<(usize, String)>,
    /// Edited fields of a form that may have ranges beside them.
    n_in_form: usize,
}

impl<'a> Pending<'a> {
    fn new(document: &'a Document, other: &'a Document) -> Self {
        Self {
            document,
            other,
            planned: Vec::new(),
            edits: Vec::new(),
            expected: Vec::new(),
            n_in_form: 0,
        }
    }

    /// Takes one text in: with markers that fit it, if any do.
    fn plan(
        &mut self,
        platform: &Platform,
        spec: &'a FieldSpec,
        text: usize,
        splices: &[Splice],
        brevity: Brevity,
    ) -> Result<(), CannotRedact> {
        // Ranges beside a form's field are looked for in the whole form. A form has a field a few times at most.
        if spec.has_offsets() && self.document.node_of(text).is_none() {
            self.n_in_form += 1;
            if self.n_in_form > MOST_IN_FORM {
                return Err(CannotRedact::Offsets);
            }
        }
        let before = self.document.texts().get(text).ok_or(CannotRedact::Write)?.text.expose();
        let markup = spec.markup(self.document, self.other, text);
        for brevity in Brevity::ALL.into_iter().filter(|level| *level >= brevity) {
            let mut splices =
                fit::written(before, splices, markup, brevity).ok_or(CannotRedact::NotEditable)?;
            let mut after = splice(before, &splices).ok_or(CannotRedact::Write)?;
            let goes = after.is_empty() && piece(self.document, spec, text).is_some();
            if !goes && spec.is_required() && spec.is_blank(&after) {
                // A policy may put nothing in a finding's place; here there must be something.
                splices.last_mut().ok_or(CannotRedact::Write)?.with = "x".into();
                after = splice(before, &splices).ok_or(CannotRedact::Write)?;
            }
            if platform.still_fits(spec, before, &after) {
                self.planned.push(Planned { spec, text, before, splices, after });
                return Ok(());
            }
        }
        Err(CannotRedact::OverLimit)
    }

    /// Turns what is planned into edits, and moves what points into the texts.
    fn settle(&mut self, platform: &Platform) -> Result<(), CannotRedact> {
        fit::keep_distinct(platform, self.document, &mut self.planned)
            .ok_or(CannotRedact::Invalid)?;
        for plan in std::mem::take(&mut self.planned) {
            if plan.after.is_empty()
                && let Some(node) = piece(self.document, plan.spec, plan.text)
            {
                self.edits.push(Edit::Remove { node });
                continue;
            }
            self.edits.extend(plan.splices.iter().map(|splice| Edit::Splice {
                text: plan.text,
                span: splice.span,
                with: splice.with.clone(),
            }));
            let moved = platform.move_offsets(
                plan.spec,
                self.document,
                self.other,
                plan.text,
                &plan.splices,
            )?;
            self.edits.extend(moved);
            self.expected.push((plan.text, plan.after));
        }
        self.leave_what_goes();
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
        if !all_stand(self.document, &self.expected, &again, shortened) {
            return Err(CannotRedact::Write);
        }
        Ok((written, again))
    }
}

/// Whether every text that was edited stands where it did and reads as meant. Texts keep their order, so one walk finds
/// them all: looking for each anew would cost edits times texts.
fn all_stand(
    before: &Document,
    expected: &[(usize, String)],
    again: &Document,
    shortened: bool,
) -> bool {
    let mut expected: Vec<&(usize, String)> = expected.iter().collect();
    expected.sort_unstable_by_key(|(text, _)| *text);
    let mut rest = again.texts().iter();
    expected.into_iter().all(|(text, expected)| {
        before.texts().get(*text).is_some_and(|original| {
            rest.any(|new| {
                same_path(new, original, shortened)
                    && new.role == original.role
                    && new.text.expose() == expected
            })
        })
    })
}

/// Whether two texts stand at the same path. Where elements were taken out of lists, those after them have moved up.
fn same_path(new: &Text, original: &Text, shortened: bool) -> bool {
    let (new, original) = (new.path.steps(), original.path.steps());
    new.len() == original.len()
        && new.iter().zip(&original[..]).all(|steps| match steps {
            (Step::Index(_), Step::Index(_)) if shortened => true,
            (new, original) => new == original,
        })
}
