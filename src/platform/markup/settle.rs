//! Edits of a marked text that leave it valid, and show nothing odd.
//!
//! What a reader sees of a text is replaced as it is; what is hidden has a form of its own. A marker in a tag's attribute is
//! escaped as that is, an address that holds a name goes with its whole link, and marks round nothing go with what they
//! were round. Promise: where nobody can say how an edit must be written, there is none.

use crate::platform::markup::html::{self, Kind, Value, Written};
use crate::platform::markup::{Markup, marks};
use crate::redact::Splice;
use crate::span::Span;

/// Edits of what is hidden, as they must be written: sorted, disjoint. Those of what is seen are as they were.
pub(super) fn hidden(markup: Markup, text: &str, splices: Vec<Splice>) -> Option<Vec<Splice>> {
    match markup {
        Markup::Html => in_html(text, splices),
        Markup::LinkedInLittle | Markup::Undecided => Some(splices),
        _ => Some(in_links(&marks::links(markup, text), splices)),
    }
}

/// A splice cut to what it shares with a stretch.
fn cut(splice: &Splice, to: Span) -> Splice {
    let start = splice.span.start().max(to.start());
    let end = splice.span.end().min(to.end()).max(start);
    Splice { span: Span::new(start, end), with: splice.with.clone() }
}

fn in_html(text: &str, splices: Vec<Splice>) -> Option<Vec<Splice>> {
    let elements = html::elements(text);
    if elements.is_empty() {
        return Some(splices.iter().map(|splice| escaped(splice, html::escape)).collect());
    }
    let mut settled: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        let first = elements.partition_point(|element| element.span.end() <= splice.span.start());
        let touched = elements.get(first..).unwrap_or_default();
        let mut at = splice.span.start();
        let mut is_marked = false;
        for element in touched.iter().take_while(|it| it.span.start() < splice.span.end()) {
            if at < element.span.start() {
                shown(&splice, Span::new(at, element.span.start()), &mut is_marked, &mut settled);
            }
            in_element(text, element, &splice, &mut settled)?;
            at = element.span.end();
        }
        if at < splice.span.end() {
            shown(&splice, Span::new(at, splice.span.end()), &mut is_marked, &mut settled);
        }
    }
    Some(together(settled))
}

/// What a reader sees of a splice: the first stretch has the marker.
fn shown(splice: &Splice, span: Span, is_marked: &mut bool, settled: &mut Vec<Splice>) {
    let splice = escaped(&cut(splice, span), html::escape);
    let with = if *is_marked { String::new() } else { splice.with };
    *is_marked = true;
    settled.push(Splice { span: splice.span, with });
}

fn escaped(splice: &Splice, escape: impl Fn(&str) -> String) -> Splice {
    Splice { with: escape(&splice.with), span: splice.span }
}

fn in_element(
    text: &str,
    element: &html::Element,
    splice: &Splice,
    settled: &mut Vec<Splice>,
) -> Option<()> {
    let n_before = settled.len();
    for value in element.values.iter().filter(|value| value.span.overlaps(splice.span)) {
        settled.push(in_value(text, element.kind, *value, splice)?);
    }
    if settled.len() > n_before {
        return Some(());
    }
    // In a name, and so in what would be another element without it: all of it goes, as long as it is not needed.
    match element.kind {
        Kind::Block => None,
        Kind::Open | Kind::Close | Kind::Comment | Kind::Shortcode => {
            settled.push(Splice { span: element.span, with: String::new() });
            Some(())
        }
    }
}

/// An edit of one value, as it is written.
fn in_value(text: &str, kind: Kind, value: Value, splice: &Splice) -> Option<Splice> {
    let words = value.span.of(text)?;
    let is_address = words.contains("://")
        || ["mailto:", "tel:", "/", "#", "?"].iter().any(|start| words.starts_with(start));
    if is_address && value.written != Written::Words {
        let with = if value.written == Written::Bare { "\"#\"" } else { "#" };
        return Some(Splice { span: value.span, with: with.into() });
    }
    let part = cut(splice, value.span);
    let plain = |marker: &str| html::escape(marker).replace('"', "&quot;").replace('\'', "&#39;");
    Some(match value.written {
        // A bracket would end a shortcode.
        Written::Quoted if kind == Kind::Shortcode => {
            escaped(&part, |marker| plain(marker).replace('[', "(").replace(']', ")"))
        }
        Written::Quoted => escaped(&part, plain),
        Written::Bare => Splice { span: value.span, with: format!("\"{}\"", plain(&splice.with)) },
        Written::Json => escaped(&part, |marker| {
            let quoted = serde_json_string(marker);
            quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "\\u002d\\u002d")
        }),
        Written::Number => Splice { span: value.span, with: "0".into() },
        Written::Words => escaped(&part, |marker| html::escape(marker).replace('-', " ")),
    })
}

/// A marker within the quotes of JSON: markers hold no control characters.
fn serde_json_string(marker: &str) -> String {
    marker.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A link in marks or angles: `[label](address)`, `<address|label>`, `<@U1>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) span: Span,
    /// What a reader sees of it; nothing of an id.
    pub(super) label: Span,
}

/// A splice that touches what a link hides takes the link, and leaves its label; without one, the marker stands there.
fn in_links(links: &[Link], splices: Vec<Splice>) -> Vec<Splice> {
    let mut settled: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        let first = links.partition_point(|link| link.span.end() <= splice.span.start());
        let touched = links.get(first..).unwrap_or_default();
        let mut rest = splice.clone();
        for link in touched.iter().take_while(|link| link.span.start() < splice.span.end()) {
            if link.label.covers(cut(&splice, link.span).span) {
                continue;
            }
            if link.label.is_empty() {
                rest.span = rest.span.union(link.span);
                continue;
            }
            let nothing = |start, end| Splice { span: Span::new(start, end), with: String::new() };
            settled.push(nothing(link.span.start(), link.label.start()));
            settled.push(nothing(link.label.end(), link.span.end()));
            // What of the splice is hidden went with the link.
            if !rest.span.overlaps(link.label) && link.span.covers(rest.span) {
                rest.span = Span::new(link.label.end(), link.label.end());
                rest.with.clear();
            }
        }
        if !(rest.span.is_empty() && rest.with.is_empty()) {
            settled.push(rest);
        }
    }
    together(settled)
}

/// Sorted and disjoint; of splices that meet in one stretch, the first that puts something there stands for all.
pub(super) fn together(mut splices: Vec<Splice>) -> Vec<Splice> {
    splices.sort_by_key(|splice| (splice.span.start(), splice.span.end()));
    let mut out: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        match out.last_mut().filter(|last| last.span.overlaps(splice.span)) {
            Some(last) => {
                last.span = last.span.union(splice.span);
                if last.with.is_empty() {
                    last.with = splice.with;
                }
            }
            None => out.push(splice),
        }
    }
    out
}

/// Takes marks away that stand round what is gone: `||` of `||lano||`, `<i>` of `<i>Roe</i>`, whole links.
///
/// `marks` are sorted and disjoint.
pub(super) fn sweep(text: &str, splices: Vec<Splice>, marks: &[Span]) -> Vec<Splice> {
    let mut swept: Vec<Splice> = Vec::with_capacity(splices.len());
    let mut rest = splices.into_iter().peekable();
    while let Some(mut splice) = rest.next() {
        if !splice.with.is_empty() || splice.span.is_empty() {
            swept.push(splice);
            continue;
        }
        loop {
            // What is gone beside it is one stretch with it.
            if let Some(last) =
                swept.pop_if(|last| last.with.is_empty() && last.span.end() >= splice.span.start())
            {
                splice.span = splice.span.union(last.span);
            }
            let touches =
                |next: &Splice| next.with.is_empty() && next.span.start() <= splice.span.end();
            if let Some(next) = rest.next_if(touches) {
                splice.span = splice.span.union(next.span);
                continue;
            }
            let first = marks.partition_point(|mark| mark.end() < splice.span.start());
            let left = marks.get(first).filter(|mark| mark.end() == splice.span.start());
            let first = marks.partition_point(|mark| mark.start() < splice.span.end());
            let right = marks.get(first).filter(|mark| mark.start() == splice.span.end());
            let is_free =
                |mark: &&Span| !swept.last().is_some_and(|last| last.span.overlaps(**mark));
            match left.filter(is_free).zip(right) {
                Some((left, right)) if is_pair(text, *left, *right) => {
                    splice.span = left.union(*right);
                }
                _ => break,
            }
        }
        swept.push(splice);
    }
    swept
}

/// Whether two marks open and close the same.
fn is_pair(text: &str, left: Span, right: Span) -> bool {
    let (left, right) = (left.of(text).unwrap_or_default(), right.of(text).unwrap_or_default());
    let of_tag = |tag: &str| -> String {
        let name = tag.trim_start_matches(['<', '/']);
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
        name.get(..end).unwrap_or_default().to_ascii_lowercase()
    };
    match (left.as_bytes(), right.as_bytes()) {
        ([b'[', ..] | [b'!', b'[', ..], [b']', ..])
        | ([b'<', ..], [b'>'])
        | ([b'>', b'!'], [b'!', b'<']) => true,
        ([b'<', first, ..], [b'<', b'/', ..]) if first.is_ascii_alphabetic() => {
            of_tag(left) == of_tag(right)
        }
        _ => left == right && !left.starts_with(['<', '[', ']', '\\', '>']),
    }
}
