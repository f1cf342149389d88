//! LinkedIn's *little* text: reserved characters stand behind a backslash, `@[Name](urn:li:person:..)` is a mention,
//! `{hashtag|\#|tag}` a hashtag.
//!
//! A reserved character without its backslash ends the post there, without a word. So no edit may leave one behind: an
//! escape goes or stays as a whole, and so does an element, since the name in a mention is not all that names somebody.

use crate::platform::markup::{Visible, push};
use crate::span::Span;

pub(super) const RESERVED: &str = "\\|{}@[]()<>#*_~";

pub(super) fn visible(text: &str) -> Vec<Visible> {
    let mut visible = Vec::new();
    walk(text, |piece| {
        if let Piece::Shown(span) = piece {
            push(&mut visible, span.start(), span.end());
        }
    });
    visible
}

/// What goes or stays as a whole.
pub(super) fn wholes(text: &str) -> Vec<Span> {
    let mut wholes: Vec<Span> = Vec::new();
    walk(text, |piece| {
        if let Piece::Whole(span) = piece {
            wholes.push(span);
        }
    });
    wholes
}

enum Piece {
    Shown(Span),
    /// Comes before the pieces in it.
    Whole(Span),
}

fn walk(text: &str, mut tell: impl FnMut(Piece)) {
    let (mut at, mut shown) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(next) = rest.find(['\\', '@', '{']) else { break };
        let here = at + next;
        let rest = rest.get(next..).unwrap_or_default();
        let (length, words) = element(rest);
        if length == 0 {
            at = here + 1;
            continue;
        }
        tell(Piece::Shown(Span::new(shown, here)));
        tell(Piece::Whole(Span::new(here, here + length)));
        for span in words {
            let span = span.shifted(here);
            if rest.starts_with('\\') {
                tell(Piece::Shown(span));
            } else {
                unescaped(text, span, &mut tell);
            }
        }
        at = here + length;
        shown = at;
    }
    tell(Piece::Shown(Span::new(shown, text.len())));
}

/// What is shown of the words in an element: all but the backslashes of its own escapes.
fn unescaped(text: &str, span: Span, tell: &mut impl FnMut(Piece)) {
    let words = span.of(text).unwrap_or_default();
    let mut from = 0;
    let mut escaped = false;
    for (at, byte) in words.bytes().enumerate() {
        if byte == b'\\' && !escaped {
            tell(Piece::Shown(Span::new(from, at).shifted(span.start())));
            from = at + 1;
            escaped = true;
        } else {
            escaped = false;
        }
    }
    tell(Piece::Shown(Span::new(from, words.len()).shifted(span.start())));
}

/// The length of the escape or element at the start, and what a reader sees of it.
fn element(rest: &str) -> (usize, Vec<Span>) {
    let found = if let Some(escaped) = rest.strip_prefix('\\') {
        let c = escaped.chars().next().filter(|c| RESERVED.contains(*c));
        c.map(|c| (1 + c.len_utf8(), vec![Span::new(1, 1 + c.len_utf8())]))
    } else if rest.starts_with('@') {
        mention(rest)
    } else {
        hashtag(rest)
    };
    found.unwrap_or_default()
}

fn mention(rest: &str) -> Option<(usize, Vec<Span>)> {
    let name = until(rest.strip_prefix("@[")?, ']')?;
    let urn = until(rest.get(2 + name..)?.strip_prefix("](")?, ')')?;
    Some((2 + name + 2 + urn + 1, vec![Span::new(2, 2 + name)]))
}

fn hashtag(rest: &str) -> Option<(usize, Vec<Span>)> {
    const HEAD: &str = "{hashtag|";
    let sign = until(rest.strip_prefix(HEAD)?, '|')?;
    let tag_at = HEAD.len() + sign + 1;
    let tag = until(rest.get(tag_at..)?, '}')?;
    let words = vec![Span::new(HEAD.len(), HEAD.len() + sign), Span::new(tag_at, tag_at + tag)];
    Some((tag_at + tag + 1, words))
}

/// How far it is to an unescaped `end`. Any other opening character ends the search, so that each stretch of a text is
/// searched once.
fn until(text: &str, end: char) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => _ = characters.next()?,
            _ if c == end => return Some(at),
            '[' | ']' | '(' | ')' | '{' | '}' | '|' | '@' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{visible, wholes};
    use crate::platform::markup::{Markup, Visible, widen};
    use crate::span::Span;

    fn seen(text: &str) -> String {
        let piece = |visible: Visible| match visible {
            Visible::Text(span) => span.of(text).unwrap().to_owned(),
            Visible::Break => "\n".into(),
            Visible::Apart => String::new(),
        };
        visible(text).into_iter().map(piece).collect()
    }

    #[test]
    fn little_text_reads_as_it_is_shown() {
        for (text, want) in [
            (r"mail jane\_roe\@clinic.example", "mail jane_roe@clinic.example"),
            (r"call \(415\) 555-0134", "call (415) 555-0134"),
            (r"thanks @[Ann Bray](urn:li:person:a1)!", "thanks Ann Bray!"),
            (r"at @[St. John \(north\)](urn:li:organization:9)", "at St. John (north)"),
            (r"@[a\\b](urn:li:person:1)", r"a\b"),
            (r"so {hashtag|\#|proud} of her", "so #proud of her"),
            (r"a\b \\ c", r"a\b \ c"),
            ("@[open @[Ann](urn:li:person:1)", "@[open Ann"),
            ("@[Ann] (no)", "@[Ann] (no)"),
            ("a {b} @c", "a {b} @c"),
            (r"ends in \", r"ends in \"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(seen(text), want, "{text}");
        }
    }

    #[test]
    fn nothing_is_cut_in_two() {
        for (text, cut, want) in [
            (r"call \(415\) now", "(415", r"\(415"),
            (r"call \(415\) now", "415", "415"),
            (r"call \(415\) now", r"415\", r"415\)"),
            ("so @[Ann Bray](urn:li:person:a1) is", "Bray", "@[Ann Bray](urn:li:person:a1)"),
            ("so @[Ann Bray](urn:li:person:a1) is", "so", "so"),
            (
                "so @[Ann Bray](urn:li:person:a1) is",
                "Bray](urn:li:person:a1) is",
                "@[Ann Bray](urn:li:person:a1) is",
            ),
            (r"{hashtag|\#|AnnBray} x", "AnnBray", r"{hashtag|\#|AnnBray}"),
        ] {
            let start = text.find(cut).unwrap();
            let span = widen(&wholes(text), Span::new(start, start + cut.len()));
            assert_eq!(span.of(text), Some(want), "{cut} in {text}");
        }
    }

    #[test]
    fn markers_are_escaped() {
        let escaped = Markup::LinkedInLittle.escape("[name]", true, "");
        assert_eq!(escaped.as_deref(), Some(r"\[name\]"));
    }

    #[test]
    fn many_openings_cost_no_more_than_their_length() {
        for opening in ["@[", "{hashtag|", "@[a](", "\\", "@[\\", "{hashtag|\\#|"] {
            assert!(!visible(&opening.repeat(100_000)).is_empty());
        }
    }
}
