//! Marks of one or two characters round words: Markdown and its kin.
//!
//! What is taken for a mark and was none (`2*x*3`) costs nothing: the text is read as it was written, too.

use crate::platform::markup::settle::Link;
use crate::platform::markup::{Markup, Visible, push};
use crate::span::Span;

/// How far a label or an address may go on: looking further for each bracket would cost the square of the text.
const MOST_LINK: usize = 1024;

pub(super) fn visible(markup: Markup, text: &str) -> Vec<Visible> {
    let mut visible = Vec::new();
    let mut shown = 0;
    each(markup, text, |mark| {
        push(&mut visible, shown, mark.start());
        if is_mention(markup, text.as_bytes(), mark.start()) {
            visible.push(Visible::Apart);
        }
        shown = mark.end();
    });
    push(&mut visible, shown, text.len());
    visible
}

/// Whether an id begins here that stands for somebody, a channel or a time. An emoji may stand in the middle of a name.
fn is_mention(markup: Markup, bytes: &[u8], at: usize) -> bool {
    matches!(markup, Markup::Discord | Markup::Slack)
        && matches!(bytes.get(at..at + 2), Some(b"<@" | b"<#" | b"<!" | b"<t"))
        && id_length(markup, bytes, at) > 0
}

/// Every mark, in order.
pub(super) fn all(markup: Markup, text: &str) -> Vec<Span> {
    let mut marks = Vec::new();
    each(markup, text, |mark| marks.push(mark));
    marks
}

fn each(markup: Markup, text: &str, mut tell: impl FnMut(Span)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hidden = hidden(markup, bytes, at, byte);
        if hidden == 0 {
            at += 1;
            continue;
        }
        tell(Span::new(at, at + hidden));
        at += hidden;
        // What an escape stands before is no mark.
        at += usize::from(byte == b'\\');
    }
}

/// Whether a backslash before a byte is an escape. Telegram's second Markdown takes one before anything.
pub(super) fn is_escaped(markup: Markup, next: u8) -> bool {
    match markup {
        Markup::TelegramMarkdownV2 => (1..=126).contains(&next),
        _ => next.is_ascii_punctuation(),
    }
}

/// How many bytes are a mark here. Marks are ASCII, so no character is cut.
fn hidden(markup: Markup, bytes: &[u8], at: usize, byte: u8) -> usize {
    let next = bytes.get(at + 1).copied().unwrap_or_default();
    let last = at.checked_sub(1).and_then(|before| bytes.get(before)).copied().unwrap_or_default();
    let is_v2 = markup == Markup::TelegramMarkdownV2;
    if markup == Markup::Discord && byte == b'<' {
        return id_length(markup, bytes, at);
    }
    if markup == Markup::Slack && matches!(byte, b'<' | b'>') {
        return if byte == b'<' { slack_angle(bytes, at) } else { 1 };
    }
    match byte {
        b'\\' if markup != Markup::Slack => usize::from(is_escaped(markup, next)),
        b'*' | b'`' | b'~' => {
            let is_sum = |byte: u8| byte.is_ascii_digit() || byte == b' ' || byte == 0;
            usize::from(is_v2 || !(is_sum(last) && is_sum(next)))
        }
        b'_' => {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
            usize::from(is_v2 || !(is_word(last) && is_word(next)))
        }
        b'|' if next == b'|' && markup != Markup::Slack => 2,
        b'>' if next == b'!' && matches!(markup, Markup::Markdown | Markup::Discord) => 2,
        b'!' if next == b'<' && matches!(markup, Markup::Markdown | Markup::Discord) => 2,
        b'[' if markup != Markup::Slack => usize::from(opens_link(bytes, at)),
        b']' if next == b'(' && markup != Markup::Slack => link_end(bytes, at),
        _ => 0,
    }
}

/// The platform's own ids.
pub(super) fn ids(markup: Markup, text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let (mut ids, mut at) = (Vec::new(), 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
        let start = at + found;
        let length = id_length(markup, bytes, start);
        if length > 0 {
            ids.push(Span::new(start, start + length));
        }
        at = start + length.max(1);
    }
    ids
}

/// The length of an id in angles: Discord's are numbers, Slack's are capitals and digits, maybe with a label.
fn id_length(markup: Markup, bytes: &[u8], at: usize) -> usize {
    let inside = upto(bytes, at, b'>');
    let is_closed = bytes.get(at + inside.len()) == Some(&b'>');
    let Some(id) = inside.get(1..).filter(|_| is_closed) else { return 0 };
    let all = |id: &[u8], is: fn(&u8) -> bool| !id.is_empty() && id.iter().all(is);
    if markup == Markup::Slack {
        let [b'@' | b'#' | b'!', id @ ..] = id else { return 0 };
        let id = id.strip_prefix(b"subteam^").unwrap_or(id);
        let bar = memchr::memchr(b'|', id);
        let name = id.get(..bar.unwrap_or(id.len())).unwrap_or_default();
        let is_id = all(name, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            || matches!(name, b"here" | b"channel" | b"everyone")
            || name.starts_with(b"date^");
        // Of one with a label, what stands before the label.
        let before_label = inside.len() - id.len() + name.len() + 1;
        return if is_id { before_label } else { 0 };
    }
    let number = |id: &[u8]| all(id, u8::is_ascii_digit);
    let is_id = match id {
        [b'@', b'!' | b'&', id @ ..] | [b'@' | b'#', id @ ..] => number(id),
        [b't', b':', id @ ..] => number(id.split(|byte| *byte == b':').next().unwrap_or_default()),
        [b':', emoji @ ..] | [b'a', b':', emoji @ ..] => {
            emoji.rsplit(|byte| *byte == b':').next().is_some_and(number)
        }
        _ => false,
    };
    if is_id { inside.len() + 1 } else { 0 }
}

/// Whether `](` follows on the same line.
fn opens_link(bytes: &[u8], at: usize) -> bool {
    let line = upto(bytes, at, b'\n');
    memchr::memmem::find(line, b"](").is_some()
}

/// The length of `](address)` or `](address "title")`. An address may hold brackets, as long as each is closed.
fn link_end(bytes: &[u8], at: usize) -> usize {
    let line = upto(bytes, at, b'\n');
    let (mut n_open, mut quote, mut last) = (0_usize, None, b'(');
    let mut bytes = line.iter().enumerate().skip(1);
    while let Some((end, &byte)) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' | b'\'' if quote == Some(byte) => quote = None,
            b'"' | b'\'' if quote.is_none() && last == b' ' => quote = Some(byte),
            b'(' if quote.is_none() => n_open += 1,
            b')' if quote.is_none() => match n_open {
                0 | 1 => return end + 1,
                _ => n_open -= 1,
            },
            _ => {}
        }
        last = byte;
    }
    memchr::memchr(b')', line).map_or(0, |end| end + 1)
}

/// Links and ids, in order and disjoint: of links in links, the outermost.
pub(super) fn links(markup: Markup, text: &str) -> Vec<Link> {
    let bytes = text.as_bytes();
    let (mut links, mut open): (Vec<Link>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut length = 1;
        match byte {
            b'\\' if markup != Markup::Slack => length = 2,
            b'\n' => open.clear(),
            b'[' if markup != Markup::Slack => open.push(at),
            b']' if markup != Markup::Slack => {
                let start = open.pop();
                let is_link = bytes.get(at + 1) == Some(&b'(');
                let end = if is_link { link_end(bytes, at) } else { 0 };
                if let Some(start) = start.filter(|_| end > 0) {
                    add_link(
                        &mut links,
                        bytes,
                        Span::new(start, at + end),
                        Span::new(start + 1, at),
                    );
                    length = end;
                }
            }
            b'<' => {
                if let Some(link) = in_angles(markup, bytes, at) {
                    length = link.span.len();
                    links.push(link);
                }
            }
            _ => {}
        }
        at += length;
    }
    links
}

fn add_link(links: &mut Vec<Link>, bytes: &[u8], span: Span, label: Span) {
    let is_picture =
        span.start().checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'!');
    let mut link =
        Link { span: Span::new(span.start() - usize::from(is_picture), span.end()), label };
    while let Some(within) = links.pop_if(|within| span.covers(within.span)) {
        // A picture in a link: what a reader sees is the picture's.
        if !within.label.is_empty() {
            link.label = within.label;
        }
    }
    links.push(link);
}

/// `<address>`, and Slack's `<address|label>`, `<@U1>`, `<!here>`.
fn in_angles(markup: Markup, bytes: &[u8], at: usize) -> Option<Link> {
    let inside = upto(bytes, at, b'>');
    let end = at + inside.len();
    bytes.get(end).filter(|byte| **byte == b'>')?;
    let span = Span::new(at, end + 1);
    let nothing = Span::new(at, at);
    if markup != Markup::Slack {
        let is_address = memchr::memmem::find(inside, b"://").is_some();
        let has_blank = inside.iter().any(u8::is_ascii_whitespace);
        return (is_address && !has_blank).then_some(Link { span, label: nothing });
    }
    let bar = memchr::memchr(b'|', inside);
    let label = bar.map_or(nothing, |bar| Span::new(at + bar + 1, end));
    // Of a person, a group or a word to all, what stands there is nobody's; of a channel the label is a person's words.
    let is_id = matches!(inside.get(1), Some(b'@' | b'!'));
    Some(Link { span, label: if is_id { nothing } else { label } })
}

/// How the addresses of links begin: `https://`, `mailto:`.
pub(super) fn schemes(markup: Markup, text: &str) -> Vec<Span> {
    let begin = |link: &Link| {
        let (start, before) = if text.get(link.span.start()..)?.starts_with('<') {
            (link.span.start() + 1, link.span.end())
        } else {
            (link.label.end() + 2, link.span.end())
        };
        let address = text.get(start..before)?;
        let length = address.find(':').filter(|&end| {
            address.get(..end).is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_alphabetic()))
        })?;
        Some(Span::new(start, start + length + 1))
    };
    links(markup, text).iter().filter_map(begin).collect()
}

/// `<@U1>` goes as a whole; of `<address|label>` the label stays, of `<address>` the address.
fn slack_angle(bytes: &[u8], at: usize) -> usize {
    let inside = upto(bytes, at, b'>');
    if inside.len() == MOST_LINK {
        return 1;
    }
    if let Some(bar) = memchr::memchr(b'|', inside) {
        return bar + 1;
    }
    match inside.get(1) {
        Some(b'@' | b'#' | b'!') => inside.len(),
        _ => 1,
    }
}

/// What stands from here on, up to the first of a byte or so far as is looked.
fn upto(bytes: &[u8], at: usize, end: u8) -> &[u8] {
    let rest = bytes.get(at..(at + MOST_LINK).min(bytes.len())).unwrap_or_default();
    let length = memchr::memchr(end, rest).unwrap_or(rest.len());
    rest.get(..length).unwrap_or_default()
}
