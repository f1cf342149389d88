//! Gathers every string of a request that must be read: body, query, path segments and the headers that carry words.
//!
//! What is opaque is left out here, in one place. What is left over (`other`) is read too: only a platform's own file
//! may say that a string is nobody's words.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::body::{Codes, Document, Kind, Path, Role, Text, base64, encoded_words, lossy};
use crate::detect::Engine;
use crate::inspect::again::Lines;
use crate::inspect::disguise;
use crate::inspect::joined::{Joined, Joiner};
use crate::inspect::label::{self, Label};
use crate::inspect::shape;
use crate::media::Caption;
use crate::platform::{Class, Endpoint, FieldClass, FieldSpec, Place};
use crate::span::Span;
use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};

/// `Slug` of the Atom publishing protocol: becomes part of a post's address.
const SLUG: HeaderName = HeaderName::from_static("slug");

/// Why a moderator did something: Discord shows it to the others.
const AUDIT_LOG_REASON: HeaderName = HeaderName::from_static("x-audit-log-reason");

/// Headers by which uploads name a file or say more of it.
const NAMES_OF_FILES: &[&str] = &[
    "content-description",
    "content-location",
    "dropbox-api-arg",
    "file-name",
    "filename",
    "title",
    "x-bz-file-name",
    "x-entity-name",
    "x-file-name",
    "x-filename",
    "x-goog-upload-file-name",
    "x-instagram-rupload-params",
    "x-title",
    "x-upload-file-name",
];

/// How headers begin that say of a stored file what its owner likes; the rest of the name is a key of theirs.
const DATA_OF_FILES: &[&str] = &["x-amz-meta-", "x-goog-meta-", "x-ms-meta-", "x-object-meta-"];

/// Keys and values of a resumable upload (tus): `filename d2FyZC5tcDQ=,title dw==`.
const UPLOAD_METADATA: &str = "upload-metadata";

/// Which document a string sits in.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Body(usize),
    Query(usize),
    /// Stretches of several strings of the query or the body, as they read together.
    Joined {
        in_query: bool,
        joined: Joined,
    },
    /// What a file says beside its pixels: it goes as a whole or not at all.
    File(usize),
    /// A path segment or a header: read, never edited.
    Head,
}

/// One string that is read.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    /// The key it stands under, where that may say what it is (`{"mrn": "004411"}`).
    pub(super) label: Option<Cow<'a, str>>,
    /// Whether its label is what a form calls it, beside it.
    pub(super) is_paired: bool,
    pub(super) place: Place,
    pub(super) source: Source,
    /// The endpoint's own words for it; `None` for everything that it does not name.
    pub(super) words: Option<&'a FieldSpec>,
    /// The text in whose words it stands: an edit is one of that.
    pub(super) within: Option<usize>,
    /// Whether only findings certain by themselves count here.
    pub(super) certain_only: bool,
    /// Whether it is one more reading of strings that are read each on its own: it says nothing of the post's care.
    pub(super) is_again: bool,
    /// The stretches, of it or of the text it is within, that are read in a joined text, too, where they stand in their
    /// surroundings: what is found in them here counts only if it is certain by itself.
    pub(super) seen: Arc<[Span]>,
    /// Where it stands among the lines of the whole post, if it is one: in the query after the body, then by its text.
    pub(super) line: Option<(bool, usize)>,
    /// Child indexes, for what has no template.
    path: Option<&'a Path>,
}

impl Field<'_> {
    /// Whether a finding that is not certain by itself counts; `start` is where it starts in the text that a person wrote.
    pub(super) fn counts(&self, start: usize) -> bool {
        let first = self.seen.partition_point(|seen| seen.end() <= start);
        let is_seen = self.seen.get(first).is_some_and(|seen| seen.start() <= start);
        !self.certain_only && !is_seen
    }

    /// The platform's own template, or child indexes: safe to print.
    pub(super) fn name(&self) -> String {
        if let Some(spec) = self.words {
            return spec.template.clone();
        }
        if let Source::File(file) = self.source {
            return format!("media:#{file}");
        }
        let mut name = String::from(match self.place {
            Place::Body => "",
            Place::Part => "part:",
            Place::Query => "query:",
            Place::Path => "path:",
            Place::Header => "header:",
        });
        if let Some(path) = self.path {
            _ = write!(name, "{path}");
        } else {
            name.push('#');
        }
        name
    }
}

/// What is done about a text that holds others.
#[derive(Clone, Copy)]
enum Held<'a> {
    /// It is nobody's words, and so is what it holds.
    Opaque,
    /// It is a person's words as it stands; what it holds is read, and an edit of that is an edit of it.
    Whole(usize, &'a FieldSpec),
    /// What it holds is taken each on its own.
    Apart { named_other: bool },
}

/// Every string of a document that must be read.
pub(super) fn of_document<'a>(
    (document, other): (&'a Document, &'a Document),
    in_query: bool,
    endpoint: &'a Endpoint,
    codes: &Codes,
    fields: &mut Vec<Field<'a>>,
) {
    let n_before = fields.len();
    let mut runs = Joiner::new(document, other);
    let mut lines = Lines::default();
    let mut held: HashMap<usize, Held<'a>> = HashMap::new();
    let texts = Texts { document, in_query, endpoint };
    for (index, text) in document.texts().iter().enumerate() {
        let around = document.holder(index).and_then(|holder| held.get(&holder).copied());
        let class = match around {
            Some(Held::Opaque) => {
                held.insert(index, Held::Opaque);
                continue;
            }
            Some(Held::Whole(_, spec)) => FieldClass::Words(spec),
            Some(Held::Apart { named_other }) => match texts.class(text) {
                // An endpoint that reads nothing else says by naming a text that it wants what that holds read, too.
                FieldClass::Opaque(spec) if named_other && spec.template == "*" => {
                    FieldClass::Other
                }
                class => class,
            },
            None => texts.class(text),
        };
        let within = match around {
            Some(Held::Whole(whole, _)) => Some(whole),
            _ => None,
        };
        // A file where media go may be text in a code, which looks like any token.
        let is_file = text.in_part
            && endpoint.class() == Class::Media
            && text.role == Role::Value
            && document.holds_texts(index);
        let words = match class {
            FieldClass::Opaque(spec)
                if !is_file && (spec.template == "*" || !texts.holds_words(index)) =>
            {
                held.insert(index, Held::Opaque);
                continue;
            }
            FieldClass::Words(spec) if spec.is_nobodys(text.text.expose()) => {
                held.insert(index, Held::Opaque);
                continue;
            }
            FieldClass::Words(spec) if endpoint.is_reference(spec, text.text.expose()) => None,
            FieldClass::Words(spec) => Some(spec),
            FieldClass::Other | FieldClass::Opaque(_) => None,
        };
        lines.add(document, index, words.is_some());
        if document.holds_texts(index) {
            let structured = document.is_structured(index);
            let apart = within.is_none() && structured && texts.names_within(index);
            let treatment = match words {
                Some(spec) if !apart => Held::Whole(within.unwrap_or(index), spec),
                Some(_) => Held::Apart { named_other: false },
                None => Held::Apart { named_other: true },
            };
            held.insert(index, treatment);
            // JSON that nothing names says all that it says by its own strings.
            let is_json = document.json_in(index).is_some();
            if apart || (words.is_none() && is_json) {
                continue;
            }
        }
        let source = if in_query { Source::Query(index) } else { Source::Body(index) };
        let field = Field {
            text: Cow::Borrowed(text.text.expose()),
            label: None,
            is_paired: false,
            place: texts.place(text),
            source,
            words,
            within,
            certain_only: false,
            is_again: false,
            seen: Arc::default(),
            line: texts.is_line(index, words, around).then_some((in_query, index)),
            path: Some(&text.path),
        };
        if let (Some(spec), None, Role::Value) = (words, within, text.role) {
            runs.add(spec, index);
        }
        let label = label::of(document, index);
        if text.role != Role::Value {
            let hidden = disguise::hidden(text.text.expose(), codes);
            of_hidden(hidden, &field, label.as_ref(), fields);
        }
        push(field, label.as_ref(), fields);
    }
    let place = if in_query { Place::Query } else { Place::Body };
    of_again(document, lines, place, fields);
    let together: Vec<_> = runs.finish().collect();
    if !together.is_empty() {
        note_seen(in_query, &together, fields.get_mut(n_before..).unwrap_or_default());
    }
    for (spec, text, joined) in together {
        let Some(first) = joined.texts().next() else { continue };
        let label = label::of(document, first);
        let line = Some((in_query, first));
        let source = Source::Joined { in_query, joined };
        let field = Field { source, words: Some(spec), line, ..of_head(Cow::Owned(text), place) };
        push(field, label.as_ref(), fields);
    }
}

/// What a key or a name hides.
fn of_hidden<'a>(
    hidden: Vec<String>,
    field: &Field<'a>,
    label: Option<&Label<'a>>,
    fields: &mut Vec<Field<'a>>,
) {
    for hidden in hidden {
        let text = Cow::Owned(hidden);
        let hidden = Field { text, source: Source::Head, words: None, line: None, ..field.clone() };
        push(hidden, label, fields);
    }
}

/// Strings of a document once more, as whoever opens it sees them together.
fn of_again<'a>(
    document: &'a Document,
    lines: Lines<'a>,
    place: Place,
    fields: &mut Vec<Field<'a>>,
) {
    let again = document.shown().map(Cow::Borrowed).chain(lines.finish().map(Cow::Owned));
    for text in again {
        push(Field { is_again: true, ..of_head(text, place) }, None, fields);
    }
}

/// Notes on each string which of its stretches are read in a joined text, too: that is its line of the post, then.
fn note_seen(in_query: bool, joined: &[(&FieldSpec, String, Joined)], fields: &mut [Field<'_>]) {
    let mut by_text: HashMap<usize, Vec<Span>> = HashMap::new();
    for (text, span) in joined.iter().flat_map(|(_, _, joined)| joined.seen()) {
        by_text.entry(text).or_default().push(span);
    }
    let by_text: HashMap<usize, Arc<[Span]>> = by_text
        .into_iter()
        .map(|(text, mut spans)| {
            spans.sort_unstable();
            (text, spans.into())
        })
        .collect();
    let lines: HashSet<usize> =
        joined.iter().flat_map(|(_, _, joined)| joined.seen()).map(|(text, _)| text).collect();
    for field in fields {
        field.line = field.line.filter(|(_, index)| !lines.contains(index));
        let index = match field.source {
            Source::Body(index) if !in_query => index,
            Source::Query(index) if in_query => index,
            _ => continue,
        };
        if let Some(seen) = by_text.get(&field.within.unwrap_or(index)) {
            field.seen = Arc::clone(seen);
        }
    }
}

/// The texts of a document, as an endpoint sees them.
struct Texts<'a> {
    document: &'a Document,
    in_query: bool,
    endpoint: &'a Endpoint,
}

impl<'a> Texts<'a> {
    fn place(&self, text: &Text) -> Place {
        match (self.in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        }
    }

    fn class(&self, text: &Text) -> FieldClass<'a> {
        match self.endpoint.classify(self.place(text), &text.path, text.role) {
            FieldClass::Opaque(spec) if !self.is_opaque(spec, text) => FieldClass::Other,
            class => class,
        }
    }

    /// Whether what is named opaque looks it. An id that is none is read; so is a sentence that comes with credentials
    /// and is none: some sites take posts wherever they take sign-ins.
    fn is_opaque(&self, spec: &FieldSpec, text: &Text) -> bool {
        let words = text.text.expose();
        if spec.template != "*" {
            return shape::is_id(words);
        }
        self.endpoint.class() != Class::SignIn
            || text.role != Role::Value
            || !Engine::is_prose(words)
            || label::key(&text.path).is_some_and(shape::is_of_secret)
    }

    /// Whether a text is a line of the post: words, or a cue of captions. Of one that holds a form or JSON, the strings in
    /// it are; another reading of words is none.
    fn is_line(&self, index: usize, words: Option<&FieldSpec>, around: Option<Held<'_>>) -> bool {
        let document = self.document;
        let Some(text) = document.texts().get(index) else { return false };
        let is_read = words.is_some() || document.kind() == Kind::Captions;
        let holder = document.holder(index).filter(|_| matches!(around, Some(Held::Whole(..))));
        is_read
            && text.role == Role::Value
            && holder.is_none_or(|holder| document.is_structured(holder))
            && !(document.holds_texts(index) && document.is_structured(index))
    }

    /// Whether the endpoint names any of the texts that a text holds.
    fn names_within(&self, holder: usize) -> bool {
        self.within(holder).any(|text| {
            text.role == Role::Value && matches!(self.class(text), FieldClass::Words(_))
        })
    }

    /// Whether a text that looks like an id holds words in a code: subtitles in base64, a table in that and packed.
    fn holds_words(&self, holder: usize) -> bool {
        self.document.holds_texts(holder)
            && self.within(holder).any(|text| shape::is_words(text.text.expose()))
    }

    /// The texts that a text holds. They follow it at once, and each is looked at once for each text around it, of which
    /// there are few.
    fn within(&self, holder: usize) -> impl Iterator<Item = &'a Text> {
        let document = self.document;
        let is_within = move |index: usize| {
            let mut around = document.holder(index);
            while let Some(here) = around.filter(|here| *here > holder) {
                around = document.holder(here);
            }
            around == Some(holder)
        };
        let texts = document.texts().iter().enumerate().skip(holder + 1);
        texts.take_while(move |(index, _)| is_within(*index)).map(|(_, text)| text)
    }
}

/// Path segments, decoded.
pub(super) fn of_path<'a>(
    path: &'a str,
    endpoint: &Endpoint,
    codes: &Codes,
    fields: &mut Vec<Field<'a>>,
) {
    let segments = path.rsplit('/').filter(|segment| !segment.is_empty()).enumerate();
    for (before_last, segment) in segments {
        if endpoint.is_credential(before_last) {
            continue;
        }
        let text = disguise::undo_percent(segment).map_or(Cow::Borrowed(segment), Cow::Owned);
        for hidden in codes.texts(&text) {
            push(of_head(Cow::Owned(hidden), Place::Path), None, fields);
        }
        push(of_head(text, Place::Path), None, fields);
    }
}

/// The headers that carry words. Their bytes may be UTF-8, percent-encoded, or encoded words of mail (RFC 2047).
pub(super) fn of_headers<'a>(headers: &'a HeaderMap, codes: &Codes, fields: &mut Vec<Field<'a>>) {
    let names = NAMES_OF_FILES.iter().map(|name| HeaderName::from_static(name));
    for name in [CONTENT_DISPOSITION, SLUG, AUDIT_LOG_REASON, CONTENT_TYPE].into_iter().chain(names)
    {
        for value in headers.get_all(&name) {
            let mut raw = lossy(value.as_bytes());
            if name == CONTENT_TYPE {
                // Its other parameters are letters and digits of no meaning.
                let Some((_, after)) = raw.split_once("name") else { continue };
                raw = String::from(after);
            }
            let decoded = encoded_words(&raw).unwrap_or(raw);
            let text = disguise::undo_percent(&decoded).unwrap_or(decoded);
            for hidden in codes.texts(&text) {
                push(of_head(Cow::Owned(hidden), Place::Header), None, fields);
            }
            push(of_head(Cow::Owned(text), Place::Header), None, fields);
        }
    }
    of_data_headers(headers, codes, fields);
}

/// What headers say of a file under keys of their own.
fn of_data_headers(headers: &HeaderMap, codes: &Codes, fields: &mut Vec<Field<'_>>) {
    let mut said = Vec::new();
    for value in headers.get_all(UPLOAD_METADATA) {
        let raw = lossy(value.as_bytes());
        for pair in raw.split(',') {
            let (key, code) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
            said.push((String::new(), key.to_owned()));
            let decoded = base64::decode(code.trim().as_bytes());
            let value = decoded.map_or_else(|| code.to_owned(), |bytes| lossy(&bytes));
            said.push((key.to_owned(), value));
        }
    }
    for (name, value) in headers {
        let key = DATA_OF_FILES.iter().find_map(|start| name.as_str().strip_prefix(start));
        let Some(key) = key else { continue };
        let raw = lossy(value.as_bytes());
        said.push((String::new(), key.to_owned()));
        said.push((key.to_owned(), encoded_words(&raw).unwrap_or(raw)));
    }
    for (key, text) in said {
        let text = disguise::undo_percent(&text).unwrap_or(text);
        let label = label::of_header(key);
        for hidden in codes.texts(&text) {
            push(of_head(Cow::Owned(hidden), Place::Header), label.as_ref(), fields);
        }
        push(of_head(Cow::Owned(text), Place::Header), label.as_ref(), fields);
    }
}

/// What the files of the body say. What a file calls a title or a comment, somebody wrote; other strings in it are read for
/// what is certain by itself, unless they are prose.
pub(super) fn of_files<'a>(captions: &'a [(usize, Caption)], fields: &mut Vec<Field<'a>>) {
    for (file, caption) in captions {
        let text = Cow::Borrowed(caption.text.expose());
        let label = caption.label.as_deref().map(disguise::words_of_key);
        let field = Field { source: Source::File(*file), ..of_head(text, Place::Body) };
        let n_before = fields.len();
        push(field, None, fields);
        if let Some(pushed) = fields.get_mut(n_before) {
            pushed.certain_only &= label.is_none();
            pushed.label = label.filter(|_| !caption.is_position).map(Cow::Owned);
        }
    }
}

fn of_head(text: Cow<'_, str>, place: Place) -> Field<'_> {
    Field {
        text,
        label: None,
        is_paired: false,
        place,
        source: Source::Head,
        words: None,
        within: None,
        certain_only: false,
        is_again: false,
        seen: Arc::default(),
        line: None,
        path: None,
    }
}

/// Takes a string in, unless it can hold nothing. What its platform does not name, and is no prose, is read for what
/// is certain by itself. Its key is its label, unless the platform's file names that very key: under a wildcard the key
/// may be any, `mrn` as well.
fn push<'a>(mut field: Field<'a>, label: Option<&Label<'a>>, fields: &mut Vec<Field<'a>>) {
    let is_line = field.line.is_some();
    field.certain_only = field.words.is_none()
        && !is_line
        && !Engine::is_prose(&field.text)
        && !disguise::hides_blanks(&field.text);
    if field.text.is_empty() || (field.certain_only && !may_identify(&field.text)) {
        return;
    }
    let label = label.filter(|label| field.words.is_none_or(|spec| label.holds_for(spec)));
    field.is_paired = label.is_some_and(Label::is_of_pair);
    field.label = label.map(|label| Cow::Owned(disguise::words_of_key(&label.text)));
    fields.push(field);
}

/// Whether a string of fewer than three words can hold an identifier that is certain by itself: each of those has a
/// digit in some script or spelling, or an `@`. Spares the engine most keys and flags of an API's body.
fn may_identify(text: &str) -> bool {
    text.bytes()
        .any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'&' || !byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::may_identify;

    #[test]
    fn flags_and_keys_are_spared() {
        for (text, read) in [
            ("public", false),
            ("media_ids", false),
            ("MRN 004411", true),
            ("a@b.example", true),
            ("٣٤٥", true),
            ("&#49;", true),
        ] {
            assert_eq!(may_identify(text), read, "{text}");
        }
    }
}
