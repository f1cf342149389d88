//! Texts with marks in them: what a reader sees of them, and how a marker is written into them. A closed list that the
//! platform files name.
//!
//! A name cut by bold (`<b>Ja</b>ne Roe`, `*Ja*ne Roe`) is one name to whoever reads the post, so it must be one to the
//! rules. What is hidden here is read all the same, in the text as it was written: a link can hold a name, too.
//!
//! Promise: the visible stretches are in order, disjoint, and on character boundaries; finding them is one pass.

mod html;
mod little;
mod machine;
mod marks;
mod settle;
mod telegram;
mod vocabulary;

use crate::body::Document;
use crate::redact::Splice;
use crate::span::Span;

/// How the marks of one text are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Markup {
    /// HTML: tags, comments, entities.
    Html,
    /// Markdown, as Reddit reads it.
    Markdown,
    /// Markdown with Discord's mentions in it (`<@1>`, `<#1>`, `<:name:1>`).
    Discord,
    /// Slack's own: `*bold*`, `<https://a.example|label>`, `&lt;`.
    Slack,
    /// Telegram's `MarkdownV2`, in which a marker must be escaped.
    TelegramMarkdownV2,
    /// Telegram's first `Markdown`.
    TelegramMarkdown,
    /// LinkedIn's *little* text, in which a marker must be escaped: see `little`.
    LinkedInLittle,
    /// Nobody can say which of these: the text is read as it stands, and never edited.
    Undecided,
}

/// What a platform file asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spoken {
    /// Always this.
    Always(Markup),
    /// What `parse_mode` says beside the text.
    Telegram,
    /// What `content_type` says beside the text.
    ContentType,
}

impl Spoken {
    pub(super) const NAMES: &[(&str, Self)] = &[
        ("html", Self::Always(Markup::Html)),
        ("markdown", Self::Always(Markup::Markdown)),
        ("discord", Self::Always(Markup::Discord)),
        ("slack", Self::Always(Markup::Slack)),
        ("linkedin-little", Self::Always(Markup::LinkedInLittle)),
        ("telegram", Self::Telegram),
        ("content-type", Self::ContentType),
    ];

    /// What holds for one text. `other` is the query where the text is in the body, and the other way round.
    pub(super) fn of(self, document: &Document, other: &Document, text: usize) -> Option<Markup> {
        match self {
            Self::Always(markup) => Some(markup),
            Self::Telegram => telegram::mode(document, other, text),
            Self::ContentType => telegram::content_type(document, other, text),
        }
    }
}

/// One stretch of a marked text, as a reader sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Visible {
    /// These bytes.
    Text(Span),
    /// A new line begins, which the text does not hold as a line break (`</p>`).
    Break,
    /// Somebody else is named here, or a channel or a time, by the platform's id: what stands after it is no part of a
    /// name before it.
    Apart,
}

impl Markup {
    /// What a reader sees of a text, in order.
    pub fn visible(self, text: &str) -> Vec<Visible> {
        match self {
            Self::Html => html::visible(text),
            Self::LinkedInLittle => little::visible(text),
            Self::Undecided => {
                let mut whole = Vec::new();
                push(&mut whole, 0, text.len());
                whole
            }
            Self::Markdown
            | Self::Discord
            | Self::Slack
            | Self::TelegramMarkdownV2
            | Self::TelegramMarkdown => marks::visible(self, text),
        }
    }

    /// The platform's own ids in a text (`<@U024BE7LH>`), and the names of its marks (`<img alt=..>`): nobody's words,
    /// however they look. In order and disjoint.
    pub fn ids(self, text: &str) -> Vec<Span> {
        match self {
            Self::Html => html::ids(text),
            Self::LinkedInLittle | Self::Undecided => Vec::new(),
            Self::Discord | Self::Slack => {
                united(marks::ids(self, text), marks::schemes(self, text))
            }
            Self::Markdown | Self::TelegramMarkdownV2 | Self::TelegramMarkdown => {
                marks::schemes(self, text)
            }
        }
    }

    /// What no edit may cut in two: escapes, and elements of which the visible words are not all that says who is meant.
    /// In order and disjoint.
    pub fn wholes(self, text: &str) -> Vec<Span> {
        match self {
            Self::LinkedInLittle => little::wholes(text),
            Self::Markdown | Self::Discord | Self::TelegramMarkdownV2 | Self::TelegramMarkdown => {
                escapes(self, text)
            }
            Self::Html | Self::Slack => entities(text),
            Self::Undecided => Vec::new(),
        }
    }

    /// Edits as they must be written, so that the text is valid and shows no more than their markers: escaped, addresses
    /// taken with their links, marks that stand round nothing taken away. The splices are sorted, disjoint and cut nothing
    /// in two, and so are those that come back; `None` where nobody knows.
    pub fn settle(self, text: &str, splices: Vec<Splice>) -> Option<Vec<Splice>> {
        let settled = settle::hidden(self, text, splices)?;
        let settled = match self {
            Self::Html => {
                let elements = html::elements(text);
                let tags = elements
                    .iter()
                    .filter(|it| matches!(it.kind, html::Kind::Open | html::Kind::Close));
                settle::sweep(text, settled, &tags.map(|tag| tag.span).collect::<Vec<_>>())
            }
            Self::LinkedInLittle | Self::Undecided => settled,
            _ => settle::sweep(text, settled, &marks::all(self, text)),
        };
        // In HTML each marker is escaped by its place already.
        if self == Self::Html {
            return Some(settled);
        }
        let after = |nth: usize, mut at: usize| {
            for splice in settled.iter().skip(nth + 1) {
                if splice.span.start() > at {
                    break;
                }
                if !splice.with.is_empty() {
                    return Some(splice.with.as_str());
                }
                at = splice.span.end();
            }
            text.get(at..)
        };
        let escape = |(nth, splice): (usize, &Splice)| {
            let with = if splice.with.is_empty() {
                String::new()
            } else {
                let starts_line =
                    text.get(..splice.span.start())?.chars().next_back().is_none_or(|c| c == '\n');
                self.escape(&splice.with, starts_line, after(nth, splice.span.end())?)?
            };
            Some(Splice { span: splice.span, with })
        };
        settled.iter().enumerate().map(escape).collect()
    }

    /// A marker as it must be written before `after`, so that it reads as it is; `None` where nobody knows.
    fn escape(self, marker: &str, starts_line: bool, after: &str) -> Option<String> {
        let would_be_link =
            || after.starts_with(['(', '[']) || (starts_line && after.starts_with(':'));
        match self {
            Self::Html | Self::Slack => Some(html::escape(marker)),
            Self::Markdown | Self::Discord if would_be_link() => {
                Some(escape_with_backslashes(marker, "[]"))
            }
            Self::Markdown | Self::Discord => Some(marker.to_owned()),
            Self::TelegramMarkdownV2 => {
                Some(escape_with_backslashes(marker, "_*[]()~`>#+-=|{}.!\\"))
            }
            Self::LinkedInLittle => Some(escape_with_backslashes(marker, little::RESERVED)),
            Self::TelegramMarkdown => Some(escape_with_backslashes(marker, "_*`[")),
            Self::Undecided => None,
        }
    }
}

/// A span with all of what it cuts. `wholes` are sorted and disjoint.
pub fn widen(wholes: &[Span], span: Span) -> Span {
    let first = wholes.partition_point(|whole| whole.end() <= span.start());
    let past = wholes.partition_point(|whole| whole.start() < span.end());
    let start = wholes.get(first).map_or(span.start(), |whole| whole.start().min(span.start()));
    let last = past.checked_sub(1).and_then(|last| wholes.get(last));
    let end = last.map_or(span.end(), |whole| whole.end().max(span.end()));
    Span::new(start, end)
}

/// Both lists as one that is sorted and disjoint.
pub fn united(one: Vec<Span>, other: Vec<Span>) -> Vec<Span> {
    if other.is_empty() {
        return one;
    }
    let mut all = [one, other].concat();
    all.sort_unstable();
    let mut united: Vec<Span> = Vec::with_capacity(all.len());
    for span in all {
        match united.last_mut().filter(|last| last.overlaps(span)) {
            Some(last) => *last = last.union(span),
            None => united.push(span),
        }
    }
    united
}

/// The longest entity, in bytes: `&CounterClockwiseContourIntegral;`.
const MOST_ENTITY: usize = 33;

/// Each entity of HTML: `&amp;`.
fn entities(text: &str) -> Vec<Span> {
    let entity = |start: usize| {
        let rest = text.as_bytes().get(start + 1..)?;
        let rest = rest.get(..MOST_ENTITY.min(rest.len()))?;
        let length =
            rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'#'))?;
        let is_closed = length > 0 && rest.get(length) == Some(&b';');
        is_closed.then(|| Span::new(start, start + length + 2))
    };
    memchr::memchr_iter(b'&', text.as_bytes()).filter_map(entity).collect()
}

/// Each backslash with what it stands before.
fn escapes(markup: Markup, text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let (mut escapes, mut at) = (Vec::new(), 0);
    while let Some(here) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let here = at + here;
        let is_escape = bytes.get(here + 1).is_some_and(|next| marks::is_escaped(markup, *next));
        if is_escape {
            escapes.push(Span::new(here, here + 2));
        }
        at = here + 1 + usize::from(is_escape);
    }
    escapes
}

fn escape_with_backslashes(marker: &str, reserved: &str) -> String {
    let mut out = String::with_capacity(marker.len() + 4);
    for character in marker.chars() {
        if reserved.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// Adds a stretch, joined with the one before where nothing is hidden between them.
fn push(visible: &mut Vec<Visible>, start: usize, end: usize) {
    if start >= end {
        return;
    }
    match visible.last_mut() {
        Some(Visible::Text(span)) if span.end() == start => *span = Span::new(span.start(), end),
        _ => visible.push(Visible::Text(Span::new(start, end))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Markup, Visible};

    const ALL: [Markup; 7] = [
        Markup::LinkedInLittle,
        Markup::Html,
        Markup::Markdown,
        Markup::Slack,
        Markup::TelegramMarkdownV2,
        Markup::TelegramMarkdown,
        Markup::Undecided,
    ];

    fn seen(markup: Markup, text: &str) -> String {
        let piece = |visible: Visible| match visible {
            Visible::Text(span) => span.of(text).unwrap().to_owned(),
            Visible::Break => "\n".into(),
            Visible::Apart => String::new(),
        };
        markup.visible(text).into_iter().map(piece).collect()
    }

    #[test]
    fn a_reader_sees_no_marks() {
        use Markup::{Discord, Html, Markdown, Slack, TelegramMarkdown, TelegramMarkdownV2};
        for (markup, text, want) in [
            (Html, "saw <b>Ja</b>ne <i>Roe</i>", "saw Jane Roe"),
            (Html, "<p>one</p><p>two</p>", "\none\n\ntwo\n"),
            (Html, "Ja<!-- > -->ne", "Jane"),
            (Html, "<a href=\"x>y\" title='a>b'>Jane</a>", "Jane"),
            (Html, "3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
            (Html, "a <b open", "a <b open"),
            (Html, "a<br/>b", "a\nb"),
            (Html, "J&#97;ne", "J&#97;ne"),
            (Html, "<!-- wp:paragraph --><p>x</p>", "\nx\n"),
            (Html, "<!-- open", "<!-- open"),
            (Markdown, "saw **Ja**ne *Roe*", "saw Jane Roe"),
            (Markdown, "saw [Jane](https://a.example) Roe", "saw Jane Roe"),
            (Markdown, "3*4 and 5 * 6", "3*4 and 5 * 6"),
            (Markdown, "snake_case and _Jane_ Roe", "snake_case and Jane Roe"),
            (Markdown, "||Jane|| ~~Roe~~ `x`", "Jane Roe x"),
            (Markdown, ">!Jane!< Roe", "Jane Roe"),
            (Markdown, r"Jane O\_Roe", "Jane O_Roe"),
            (Markdown, "[a] (b)", "[a] (b)"),
            (Slack, "*Jane* _Roe_", "Jane Roe"),
            (Slack, "<https://a.example/?q=1|Jane> Roe", "Jane Roe"),
            (Slack, "see <https://a.example>", "see https://a.example"),
            (Slack, "<@U123> saw <#C1|ward> <!here>", " saw ward "),
            (Slack, "1 &lt; 2", "1 &lt; 2"),
            (Discord, "<@1> <@!22> <@&3> <#4> <:pray:5> <a:x:6> <t:7:R> hi", "       hi"),
            (Discord, "**Ja**ne <Roe> <@Roe>", "Jane <Roe> <@Roe>"),
            (TelegramMarkdownV2, r"*Ja*ne \(Roe\)", "Jane (Roe)"),
            (TelegramMarkdownV2, "__Jane__ ||Roe||", "Jane Roe"),
            (TelegramMarkdownV2, "[Jane](tg://user?id=1) Roe", "Jane Roe"),
            (TelegramMarkdown, "*Jane* Roe", "Jane Roe"),
        ] {
            assert_eq!(seen(markup, text), want, "{text}");
        }
    }

    #[test]
    fn markers_read_as_they_are() {
        for (markup, after, want) in [
            (Markup::Html, "", Some("[a-b] &lt;1&gt; &amp;")),
            (Markup::Slack, "", Some("[a-b] &lt;1&gt; &amp;")),
            (Markup::Markdown, " came", Some("[a-b] <1> &")),
            (Markup::Markdown, "(x)", Some(r"\[a-b\] <1> &")),
            (Markup::TelegramMarkdownV2, "", Some(r"\[a\-b\] <1\> &")),
            (Markup::TelegramMarkdown, "", Some(r"\[a-b] <1> &")),
            (Markup::Undecided, "", None),
        ] {
            assert_eq!(markup.escape("[a-b] <1> &", true, after).as_deref(), want, "{markup:?}");
        }
    }

    proptest! {
        #[test]
        fn stretches_are_in_order_and_fit(text in "[a-z<>/!&\"'*_~|`\\\\\\[\\]() \\n-é]{0,60}") {
            for markup in ALL {
                let mut at = 0;
                for visible in markup.visible(&text) {
                    if let Visible::Text(span) = visible {
                        prop_assert!(span.start() >= at && !span.is_empty());
                        prop_assert!(span.of(&text).is_some());
                        at = span.end();
                    }
                }
            }
        }
    }
}
