//! Texts as their readers see them: without marks, and with the strings of rich text run together.
//!
//! `<b>Ja</b>ne Roe` and `[{"t":"Ja"},{"t":"ne Roe"}]` are one name to whoever reads the post. So what is marked up or cut
//! up is read once more as one text, whose findings go back to the strings it came from: the first stretch of each line
//! gets the marker, the others go. Promise: whatever is read joined is read apart as well, and costs memory linear in it.

use crate::body::{Document, Path};
use crate::platform::{FieldSpec, Join, Markup, Split, Visible};
use crate::redact::Splice;
use crate::span::Span;

/// One stretch of a string, and where it stands in the joined text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stretch {
    at: usize,
    text: usize,
    span: Span,
    line: usize,
}

/// A joined text, and where each of its stretches came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    stretches: Vec<Stretch>,
    /// The platform's own ids in the strings, which are not read here.
    ids: Vec<(usize, Span)>,
}

impl Joined {
    /// Where a span of the joined text lies in the strings it came from; whether each is the first of a line.
    pub(super) fn parts(&self, span: Span) -> impl Iterator<Item = (usize, Span, bool)> {
        let first = self.stretches.partition_point(|it| it.at + it.span.len() <= span.start());
        let mut last_line = None;
        self.stretches.iter().skip(first).take_while(move |it| it.at < span.end()).map(move |it| {
            let from = span.start().max(it.at) - it.at;
            let to = span.end().min(it.at + it.span.len()) - it.at;
            let is_first = last_line.replace(it.line) != Some(it.line);
            (it.text, Span::new(it.span.start() + from, it.span.start() + to), is_first)
        })
    }

    /// What a splice of the joined text is in the strings it came from.
    pub(super) fn splices(&self, splice: &Splice) -> impl Iterator<Item = (usize, Splice)> {
        self.parts(splice.span).map(|(text, span, is_first)| {
            let with = if is_first { splice.with.clone() } else { String::new() };
            (text, Splice { span, with })
        })
    }

    /// Every string it came from, in order; one that has several stretches is given as often.
    pub(super) fn texts(&self) -> impl Iterator<Item = usize> {
        self.stretches.iter().map(|it| it.text)
    }

    /// Every string it came from, with the stretches of it that are read here or are ids.
    pub(super) fn seen(&self) -> impl Iterator<Item = (usize, Span)> {
        self.stretches.iter().map(|it| (it.text, it.span)).chain(self.ids.iter().copied())
    }
}

/// What stands for somebody's id between two names: no name goes on over it.
const APART: char = '\u{fffc}';

/// Whether names may end and begin here with a blank between them, so that both would be read as one.
fn are_two_names(before: &str, after: &str) -> bool {
    let word = before.trim_end().rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    (before.ends_with(char::is_whitespace) || after.starts_with(char::is_whitespace))
        && word.starts_with(char::is_uppercase)
        && after.trim_start().starts_with(char::is_uppercase)
}

/// A text that is being joined.
struct Open<'a> {
    spec: &'a FieldSpec,
    split: Option<Split>,
    last: &'a Path,
    text: String,
    line: usize,
    n_strings: usize,
    hides: bool,
    joined: Joined,
}

/// Joins the texts of one document.
pub(super) struct Joiner<'a> {
    document: &'a Document,
    other: &'a Document,
    open: Vec<Open<'a>>,
    /// Which of them go on, by the field whose strings they are: a few for each endpoint.
    split: Vec<(&'a FieldSpec, usize)>,
}

impl<'a> Joiner<'a> {
    /// For a document; `other` is the request's other one.
    pub(super) fn new(document: &'a Document, other: &'a Document) -> Self {
        Self { document, other, open: Vec::new(), split: Vec::new() }
    }

    /// Takes in one text of words.
    pub(super) fn add(&mut self, spec: &'a FieldSpec, text: usize) {
        if !spec.may_be_joined() {
            return;
        }
        let Some(own) = self.document.texts().get(text) else { return };
        let (path, words) = (&own.path, own.text.expose());
        let split = spec.split();
        let markup = spec.markup(self.document, self.other, text);
        let ids = markup.map(|markup| markup.ids(words)).unwrap_or_default();
        let ids = ids.into_iter().map(|id| (text, id));
        let visible = match markup {
            Some(markup) if markup != Markup::Undecided => markup.visible(words),
            _ if split.is_some() => vec![Visible::Text(Span::new(0, words.len()))],
            _ => return,
        };
        let whole = [Visible::Text(Span::new(0, words.len()))];
        let hides = visible != whole;
        let known = self.split.iter().find(|(known, _)| std::ptr::eq(*known, spec));
        let known = known.map(|(_, at)| *at);
        if let Some(open) = known.and_then(|at| self.open.get_mut(at)) {
            open.go_on(path);
            open.take(text, words, &visible);
            open.joined.ids.extend(ids);
            open.hides |= hides;
        } else if split.is_some() || hides {
            let mut open = Open {
                spec,
                split,
                last: path,
                text: String::with_capacity(words.len()),
                line: 0,
                n_strings: 0,
                hides,
                joined: Joined::default(),
            };
            open.take(text, words, &visible);
            open.joined.ids.extend(ids);
            if split.is_some() {
                self.split.push((spec, self.open.len()));
            }
            self.open.push(open);
        }
    }

    /// Every text that reads otherwise than its strings do.
    pub(super) fn finish(self) -> impl Iterator<Item = (&'a FieldSpec, String, Joined)> {
        let differs = |open: &Open<'_>| open.hides || open.n_strings > 1;
        let all = self.open.into_iter().filter(differs);
        all.map(|open| (open.spec, open.text, open.joined))
    }
}

impl<'a> Open<'a> {
    fn go_on(&mut self, path: &'a Path) {
        match self.split.map_or(Join::Line, |split| split.join(self.last, path)) {
            Join::Run => {}
            Join::Gap => self.text.push(' '),
            Join::Line => self.new_line(),
        }
        self.last = path;
    }

    fn new_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.line += 1;
    }

    fn take(&mut self, text: usize, words: &str, visible: &[Visible]) {
        self.n_strings += 1;
        let mut is_apart = false;
        for visible in visible {
            match *visible {
                Visible::Break => self.new_line(),
                Visible::Apart => is_apart = true,
                Visible::Text(span) => {
                    let Some(seen) = span.of(words).filter(|seen| !seen.is_empty()) else {
                        continue;
                    };
                    if is_apart && !seen.trim().is_empty() {
                        is_apart = false;
                        if are_two_names(&self.text, seen) {
                            self.text.push(APART);
                        }
                    }
                    let at = self.text.len();
                    self.joined.stretches.push(Stretch { at, text, span, line: self.line });
                    self.text.push_str(seen);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Joined, Stretch};
    use crate::redact::Splice;
    use crate::span::Span;

    /// Three strings: "Ja" and "ne" run on, "Roe" is on the next line.
    fn joined() -> Joined {
        let stretch = |at, text, line| Stretch { at, text, span: Span::new(1, 3), line };
        let stretches = vec![stretch(0, 4, 0), stretch(2, 6, 0), stretch(5, 8, 1)];
        Joined { stretches, ids: Vec::new() }
    }

    #[test]
    fn the_first_stretch_of_each_line_gets_the_marker() {
        type Row<'a> = (usize, usize, &'a [(usize, usize, usize, &'a str)]);
        let rows: &[Row<'_>] = &[
            (0, 2, &[(4, 1, 3, "x")]),
            (0, 4, &[(4, 1, 3, "x"), (6, 1, 3, "")]),
            (1, 3, &[(4, 2, 3, "x"), (6, 1, 2, "")]),
            (0, 7, &[(4, 1, 3, "x"), (6, 1, 3, ""), (8, 1, 3, "x")]),
            (4, 5, &[]),
            (3, 6, &[(6, 2, 3, "x"), (8, 1, 2, "x")]),
            (9, 12, &[]),
        ];
        for (start, end, want) in rows {
            let splice = Splice { span: Span::new(*start, *end), with: "x".into() };
            let got: Vec<_> = joined()
                .splices(&splice)
                .map(|(text, splice)| (text, splice.span.start(), splice.span.end(), splice.with))
                .collect();
            let got: Vec<_> =
                got.iter().map(|(text, s, e, with)| (*text, *s, *e, with.as_str())).collect();
            assert_eq!(got, *want, "{start}..{end}");
        }
    }
}
