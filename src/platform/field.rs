//! Fields that an endpoint names: where they sit, and what must hold of them after an edit.

use std::cmp::Reverse;

use crate::body::{Document, Role, Step};
use crate::platform::endpoint::Place;
use crate::platform::frame::Form;
use crate::platform::limit::Limit;
use crate::platform::markup::{Markup, Spoken};
use crate::platform::offsets::Offsets;
use crate::platform::split::Split;
use crate::platform::template::Fault;

/// One field that an endpoint names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldSpec {
    /// The path template as written, such as `poll.options[]`: safe to print.
    pub template: String,
    /// How long its text may be; all of them hold.
    pub(super) limits: Vec<Limit>,
    /// The field in whose limit this one's length is counted, too (Mastodon's content warning).
    pub(super) counts_with: Option<String>,
    /// What points into the text by position.
    pub(super) offsets: Option<Offsets>,
    /// Whether the texts of one list must differ (poll options).
    pub(super) distinct: bool,
    /// Whether the platform refuses an empty text here.
    pub(super) required: bool,
    /// The entry of its file that it comes from: fields of one entry stand for each other.
    pub(super) group: usize,
    /// How its strings are pieces of one text.
    pub(super) split: Option<Split>,
    /// Which marks its text may hold.
    pub(super) markup: Option<Spoken>,
    /// What its text looks like where it is nobody's words: ciphertext, an id.
    pub(super) opaque_if: Vec<Form>,
}

impl FieldSpec {
    /// A field with no conditions.
    pub fn named(template: impl Into<String>) -> Self {
        Self { template: template.into(), ..Self::default() }
    }

    /// Whether a text here is nobody's words, by what it looks like.
    pub fn is_nobodys(&self, text: &str) -> bool {
        self.opaque_if.iter().any(|form| form.is_of(text))
    }

    /// Whether positions may point into its text.
    pub fn has_offsets(&self) -> bool {
        self.offsets.is_some()
    }

    /// Whether the texts of its list must differ.
    pub const fn is_distinct(&self) -> bool {
        self.distinct
    }

    /// Whether the platform refuses an empty text here.
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// How the strings of this field make one text, if they do.
    pub const fn split(&self) -> Option<Split> {
        self.split
    }

    /// Whether a platform that refuses an empty text refuses this. A blank between two words may be a piece of its own.
    pub fn is_blank(&self, text: &str) -> bool {
        if self.split.is_some() { text.is_empty() } else { text.trim().is_empty() }
    }

    /// Whether its texts read otherwise than they are written.
    pub const fn may_be_joined(&self) -> bool {
        self.split.is_some() || self.markup.is_some()
    }

    /// The marks of text `text` of a document. `other` is the query where the document is the body, and the other way
    /// round: some platforms let a parameter beside the text say how it is marked up.
    pub fn markup(&self, document: &Document, other: &Document, text: usize) -> Option<Markup> {
        self.markup?.of(document, other, text)
    }
}

/// Where a template looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Where {
    /// No prefix: the body, of whatever kind, and the query where the platform reads both alike.
    Params { query_too: bool },
    /// `query:`
    Query,
    /// `part:`, a part of a multipart body.
    Part,
    /// `filename:`, the file name of a part.
    FileName,
}

const PREFIXES: &[(&str, Where)] =
    &[("query", Where::Query), ("part", Where::Part), ("filename", Where::FileName)];

/// One step of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// This key.
    Key(Box<str>),
    /// `*`: any one key.
    AnyKey,
    /// `[]`: any one element of a list.
    Element,
}

/// A compiled field template, such as `record.facets[].features[].uri` or `query:status`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FieldPath {
    place: Where,
    /// What stands before `**`, or everything where there is none.
    head: Vec<Segment>,
    /// What stands after `**`, if there is one.
    tail: Option<Vec<Segment>>,
    ignore_case: bool,
}

impl FieldPath {
    pub(super) fn parse(template: &str, query_too: bool, ignore_case: bool) -> Result<Self, Fault> {
        let (place, rest) = prefix(template, query_too)?;
        let mut head = Vec::new();
        let mut tail: Option<Vec<Segment>> = None;
        for word in words(rest)? {
            if word == "**" {
                if tail.replace(Vec::new()).is_some() {
                    return Err((
                        "two `**` in one field".into(),
                        "one `**` is all a field may have",
                    ));
                }
                continue;
            }
            segments_of(&word, tail.as_mut().unwrap_or(&mut head))?;
        }
        Ok(Self { place, head, tail, ignore_case })
    }

    /// Whether it has no prefix.
    pub(super) fn is_anywhere(&self) -> bool {
        matches!(self.place, Where::Params { .. })
    }

    /// Whether the template names this text.
    pub(super) fn matches(&self, place: Place, steps: &[&Step], role: Role) -> bool {
        if role == Role::FileName {
            return self.place == Where::FileName && self.matches_steps(steps);
        }
        let looks_there = match (self.place, place) {
            (Where::Params { .. }, Place::Body | Place::Part)
            | (Where::Query, Place::Query)
            | (Where::Part, Place::Part) => true,
            (Where::Params { query_too }, Place::Query) => query_too,
            _ => false,
        };
        looks_there && self.matches_steps(steps)
    }

    fn matches_steps(&self, steps: &[&Step]) -> bool {
        let Some(tail) = &self.tail else {
            return self.head.len() == steps.len() && self.tails_match(&self.head, steps);
        };
        let Some(before_tail) = steps.len().checked_sub(tail.len()) else { return false };
        before_tail >= self.head.len()
            && self.tails_match(tail, steps)
            && self.head.iter().zip(steps).all(|(segment, step)| self.is_step(segment, step))
    }

    /// The last key differs most often, so that comparing from the end is soonest done.
    fn tails_match(&self, segments: &[Segment], steps: &[&Step]) -> bool {
        segments
            .iter()
            .rev()
            .zip(steps.iter().rev())
            .all(|(segment, step)| self.is_step(segment, step))
    }

    fn is_step(&self, segment: &Segment, step: &Step) -> bool {
        match (segment, step) {
            (Segment::Key(mine), Step::Key(key)) if self.ignore_case => {
                mine.eq_ignore_ascii_case(key)
            }
            (Segment::Key(mine), Step::Key(key)) => **mine == **key,
            (Segment::AnyKey, Step::Key(_)) | (Segment::Element, Step::Index(_) | Step::Append) => {
                true
            }
            // Forms number their lists (`fields_attributes[0][name]`), and Rails takes {"0": ..} for a list in JSON, too.
            (Segment::Element, Step::Key(key)) => is_number(key),
            _ => false,
        }
    }

    /// The key that every text named by this field stands under, apart from list elements; `None` where it may be any.
    pub(super) fn last_key(&self) -> Option<&str> {
        let segments = self.tail.as_ref().unwrap_or(&self.head);
        let last = segments.iter().rev().find(|segment| **segment != Segment::Element)?;
        match last {
            Segment::Key(key) if !is_number(key) => Some(key),
            Segment::Key(_) | Segment::AnyKey | Segment::Element => None,
        }
    }

    /// Fields sort with the more exact one first: more named keys, then more list steps, then no `**`.
    pub(super) fn rank(&self) -> Reverse<(usize, usize, bool)> {
        let all = || self.head.iter().chain(self.tail.iter().flatten());
        let n_keys = all().filter(|segment| matches!(segment, Segment::Key(_))).count();
        Reverse((n_keys, all().count(), self.tail.is_none()))
    }
}

/// Whether a key numbers a list's element.
pub(super) fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

fn prefix(template: &str, query_too: bool) -> Result<(Where, &str), Fault> {
    let everywhere = Where::Params { query_too };
    if template.starts_with('"') {
        return Ok((everywhere, template));
    }
    let Some((prefix, rest)) = template.split_once(':') else { return Ok((everywhere, template)) };
    if prefix.contains('"') {
        return Ok((everywhere, template));
    }
    match PREFIXES.iter().find(|(name, _)| *name == prefix) {
        Some(&(_, place)) => Ok((place, rest)),
        None => Err((
            format!("`{prefix}:` is no place a field can be in"),
            "the prefixes are query:, part: and filename:; a key that holds a colon is put in quotes",
        )),
    }
}

/// The words between dots; a quoted word may hold dots.
fn words(template: &str) -> Result<Vec<String>, Fault> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in template.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if c == '.' && !quoted {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    if quoted {
        return Err((
            "a quote is not closed".into(),
            "put quotes round the whole key: a.\"b.c\".d",
        ));
    }
    if words.iter().any(String::is_empty) {
        return Err((
            "a step between dots is empty".into(),
            "write the keys from the outermost in, with dots between: \"poll.options[]\"",
        ));
    }
    Ok(words)
}

/// `options[]` is a key and its elements.
fn segments_of(word: &str, into: &mut Vec<Segment>) -> Result<(), Fault> {
    let mut key = word;
    let mut n_lists = 0;
    while let Some(rest) = key.strip_suffix("[]") {
        key = rest;
        n_lists += 1;
    }
    let unquoted = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if unquoted.is_none() && (key.contains(['[', ']', '"']) || (key.contains('*') && key != "*")) {
        return Err((
            format!("`{word}` is no step of a field"),
            "a step is a key, `*` for any key, `**` for any depth; a list's elements are written `key[]`",
        ));
    }
    match unquoted {
        Some(key) => into.push(Segment::Key(key.into())),
        None if key == "*" => into.push(Segment::AnyKey),
        None if key.is_empty() => {}
        None => into.push(Segment::Key(key.into())),
    }
    into.extend((0..n_lists).map(|_| Segment::Element));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::FieldPath;
    use crate::body::{Path, Role, Step};
    use crate::platform::endpoint::Place;

    /// `a.0.b` as steps; `-` is the `[]` of a form, `#n` an index.
    pub(super) fn path(written: &str) -> Path {
        let steps = written.split('.').map(|step| match step {
            "-" => Step::Append,
            _ => match step.strip_prefix('#') {
                Some(index) => Step::Index(index.parse().unwrap()),
                None => Step::Key(step.into()),
            },
        });
        steps.collect()
    }

    #[test]
    fn templates_match_what_they_say() {
        use Place::{Body, Part, Query};
        for (template, place, written, matches) in [
            ("status", Body, "status", true),
            ("status", Part, "status", true),
            ("status", Query, "status", false),
            ("status", Body, "a.status", false),
            ("query:status", Query, "status", true),
            ("query:status", Body, "status", false),
            ("part:status", Part, "status", true),
            ("part:status", Body, "status", false),
            ("poll.options[]", Body, "poll.options.#1", true),
            ("poll.options[]", Body, "poll.options.-", true),
            ("poll.options[]", Body, "poll.options.7", true),
            ("poll.options[]", Body, "poll.options.x", false),
            ("poll.options[]", Body, "poll.options", false),
            ("a.*.b", Body, "a.x.b", true),
            ("a.*.b", Body, "a.#1.b", false),
            ("a.**", Body, "a", true),
            ("a.**", Body, "a.#1.c.d", true),
            ("a.**", Body, "b.a", false),
            ("**.text", Body, "text", true),
            ("**.text", Body, "a.#3.text", true),
            ("**.text", Body, "a.texts", false),
            ("a.**.b", Body, "a.b", true),
            ("a.**.b", Body, "a", false),
            ("a.**.a", Body, "a", false),
            ("\"a.b\".c", Body, "a.b.c", false),
            ("[].text", Body, "#0.text", true),
        ] {
            let field = FieldPath::parse(template, false, false).unwrap();
            assert_eq!(
                field.matches(place, &path(written).steps(), Role::Value),
                matches,
                "{template} on {written}"
            );
        }
    }

    #[test]
    fn keys_with_dots_and_colons_are_quoted() {
        let field = FieldPath::parse("\"twitter:string:a.b\".c", false, false).unwrap();
        let steps = vec![Step::Key("twitter:string:a.b".into()), Step::Key("c".into())];
        assert!(field.matches(Place::Body, &Path::from_iter(steps).steps(), Role::Value));
    }

    #[test]
    fn platforms_may_read_the_query_alike_and_ignore_case() {
        let field = FieldPath::parse("status", true, true).unwrap();
        assert!(field.matches(Place::Query, &path("STATUS").steps(), Role::Value));
    }

    #[test]
    fn file_names_are_matched_by_their_own_prefix_alone() {
        let any = FieldPath::parse("filename:*", false, false).unwrap();
        assert!(any.matches(Place::Part, &path("file").steps(), Role::FileName));
        assert!(!any.matches(Place::Part, &path("file").steps(), Role::Value));
        let part = FieldPath::parse("file", false, false).unwrap();
        assert!(!part.matches(Place::Part, &path("file").steps(), Role::FileName));
    }

    #[test]
    fn bad_templates_are_named() {
        for template in
            ["", "a..b", "qeury:a", "header:slug", "a.**.b.**", "a[0]", "a*b", "\"a", "a]"]
        {
            assert!(FieldPath::parse(template, false, false).is_err(), "{template}");
        }
    }
}
