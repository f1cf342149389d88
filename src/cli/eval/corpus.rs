//! A corpus as `eval` reads it: posts whose identifiers are marked.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::cli::failure::{Context, Failure};
use crate::rules::Category;
use crate::span::Span;

/// One corpus.
pub(super) struct Corpus {
    /// The file's name without its ending.
    pub(super) name: String,
    pub(super) posts: Vec<MarkedPost>,
}

/// One post with its marks, in bytes.
pub(super) struct MarkedPost {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) platform: Option<String>,
    /// Patients' identifiers.
    pub(super) marks: Vec<Mark>,
    /// People and bodies that are no patients.
    pub(super) others: Vec<Span>,
    /// Neither right nor wrong.
    pub(super) neutral: Vec<Span>,
    /// Looks like an identifier and is none.
    pub(super) not_phi: Vec<Span>,
    /// Must pass untouched: said so by its kind, or nothing in it is marked.
    pub(super) is_clean: bool,
    /// Whether its note says that something is obfuscated.
    pub(super) is_obfuscated: bool,
}

/// Shows no text.
impl std::fmt::Debug for MarkedPost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MarkedPost").field("n_marks", &self.marks.len()).finish_non_exhaustive()
    }
}

/// One marked identifier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) category: Category,
    pub(super) span: Span,
}

/// A post as written. Unknown keys are passed over: corpora carry their own.
#[derive(Deserialize)]
struct RawPost {
    id: String,
    text: String,
    spans: Vec<RawSpan>,
    platform: Option<String>,
    kind: Option<String>,
    note: Option<String>,
    extra: Option<Vec<RawSpan>>,
    not_phi: Option<Vec<RawSpan>>,
}

#[derive(Deserialize)]
struct RawSpan {
    /// In Unicode code points.
    start: usize,
    end: usize,
    label: Option<String>,
}

/// A line that is no marked post.
#[derive(Debug, thiserror::Error)]
#[error("{name}, line {line}")]
struct CorpusError {
    name: String,
    line: usize,
    source: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot be read")]
    Io(#[source] io::Error),
    #[error("is no JSON object with `id`, `text` and `spans`")]
    NotPost,
    #[error("has a span that does not fit its text")]
    Outside,
    #[error("has a span with nothing in it, or blanks alone")]
    Empty,
    #[error("has the label `{0}`, which is no category")]
    NoCategory(String),
    #[error("has a label that is no category")]
    NoLabel,
}

impl Fault {
    /// A slip in a label helps to be seen; what does not even look like one may be the post, in the wrong column.
    fn of_label(label: &str) -> Self {
        let is_like_one = label.len() <= 20
            && label.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            || label == "null";
        if is_like_one { Self::NoCategory(label.to_owned()) } else { Self::NoLabel }
    }
}

const HELP: &str = "each line is {\"id\", \"text\", \"spans\": [{\"start\", \"end\", \"label\"}]}; offsets count Unicode \
                    code points; labels are the categories in capitals, such as NAME or HEALTH_PLAN, or PERSON, ORG";

/// Reads a file, or standard input for `-`. A corpus without a post measures nothing, so it is a fault.
pub(super) fn read(file: &Path) -> Result<Corpus, Failure> {
    if file.as_os_str() == "-" {
        return read_from(io::stdin(), "standard input", "standard input".to_owned());
    }
    let name = file
        .file_stem()
        .map_or_else(|| file.display().to_string(), |stem| stem.display().to_string());
    let input =
        File::open(file).map_err(|source| Failure::plain(Context::file("open", file, source)))?;
    read_from(input, &file.display().to_string(), name)
}

fn read_from(input: impl Read, shown: &str, name: String) -> Result<Corpus, Failure> {
    let mut posts = Vec::new();
    for (at, line) in BufReader::new(input).lines().enumerate() {
        let post = line.map_err(Fault::Io).and_then(|line| {
            if line.trim().is_empty() { Ok(None) } else { parse(&line).map(Some) }
        });
        let named = |source| CorpusError { name: shown.to_owned(), line: at + 1, source };
        posts.extend(post.map_err(|source| Failure::new(named(source), HELP))?);
    }
    if posts.is_empty() {
        return Err(Failure::new(format!("{shown} holds no posts to measure on"), HELP));
    }
    Ok(Corpus { name, posts })
}

fn parse(line: &str) -> Result<MarkedPost, Fault> {
    // serde's own words may quote the post.
    let raw: RawPost = serde_json::from_str(line).map_err(|_| Fault::NotPost)?;
    let bytes = Bytes::of(&raw.text);
    let spans = |spans: Option<Vec<RawSpan>>| {
        spans.iter().flatten().map(|span| bytes.span(span)).collect::<Result<_, _>>()
    };
    let mut marks = Vec::new();
    let mut others = Vec::new();
    for mark in &raw.spans {
        let span = bytes.span(mark)?;
        // Blanks need not be covered, so such a mark would count as found whatever the engine does.
        if span.of(&raw.text).is_none_or(|words| words.trim().is_empty()) {
            return Err(Fault::Empty);
        }
        match mark.label.as_deref() {
            Some("PERSON" | "ORG") => others.push(span),
            label => {
                let label = label.unwrap_or("null");
                let category = Category::of_label(label).ok_or_else(|| Fault::of_label(label))?;
                marks.push(Mark { category, span });
            }
        }
    }
    let neutral = spans(raw.extra)?;
    let not_phi = spans(raw.not_phi)?;
    let is_clean = marks.is_empty() || raw.kind.as_deref() == Some("clean");
    let is_obfuscated = raw.note.is_some_and(|note| note.contains("obfuscation"));
    Ok(MarkedPost {
        id: raw.id,
        platform: raw.platform,
        marks,
        others,
        neutral,
        not_phi,
        is_clean,
        is_obfuscated,
        text: raw.text,
    })
}

/// From code points to bytes.
struct Bytes {
    offsets: Vec<usize>,
}

impl Bytes {
    fn of(text: &str) -> Self {
        Self { offsets: text.char_indices().map(|(at, _)| at).chain([text.len()]).collect() }
    }

    fn span(&self, raw: &RawSpan) -> Result<Span, Fault> {
        match (self.offsets.get(raw.start), self.offsets.get(raw.end)) {
            (Some(start), Some(end)) if start <= end => Ok(Span::new(*start, *end)),
            _ => Err(Fault::Outside),
        }
    }
}

#[cfg(test)]
pub(super) fn post(line: &str) -> MarkedPost {
    parse(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))
}

#[cfg(test)]
mod tests {
    use super::{parse, post};

    #[test]
    fn offsets_become_bytes() {
        let post =
            post(r#"{"id":"a","text":"é Jane","spans":[{"start":2,"end":6,"label":"NAME"}]}"#);
        assert_eq!(post.marks[0].span.of(&post.text), Some("Jane"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, want) in [
            ("[]", "is no JSON object with `id`, `text` and `spans`"),
            (r#"{"id":"a","text":"x"}"#, "is no JSON object with `id`, `text` and `spans`"),
            (
                r#"{"id":"a","text":"x","spans":[{"start":0,"end":2,"label":"NAME"}]}"#,
                "has a span that does not fit its text",
            ),
            (
                r#"{"id":"a","text":"x","spans":[{"start":1,"end":0,"label":"NAME"}]}"#,
                "has a span that does not fit its text",
            ),
            (
                r#"{"id":"a","text":"x","spans":[{"start":1,"end":1,"label":"NAME"}]}"#,
                "has a span with nothing in it, or blanks alone",
            ),
            (
                r#"{"id":"a","text":"x  y","spans":[{"start":1,"end":3,"label":"PERSON"}]}"#,
                "has a span with nothing in it, or blanks alone",
            ),
            (
                r#"{"id":"a","text":"x","spans":[{"start":0,"end":1,"label":"FOO"}]}"#,
                "has the label `FOO`, which is no category",
            ),
            (
                r#"{"id":"a","text":"x","spans":[{"start":0,"end":1,"label":"Jane Roe"}]}"#,
                "has a label that is no category",
            ),
        ] {
            assert_eq!(parse(line).expect_err(line).to_string(), want, "{line}");
        }
    }
}
