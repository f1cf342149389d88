//! Marks of one or two characters round words: Markdown and its kin.
//!
//! What is taken for a mark and was none (`2*x*3`) costs nothing: the text is read as it was written, too.

use crate::platform::markup::{Markup, Visible, push};
use crate::span::Span;

/// How far a label or an address may go on: looking further for each bracket would cost the square of the text.
const MOST_LINK: usize = 1024;

pub(super) fn visible(markup: Markup, text: &str) -> Vec<Visible> {
    let mut visible = Vec::new();
    let bytes = text.as_bytes();
    let (mut at, mut shown) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let hidden = hidden(markup, bytes, at, byte);
        if hidden == 0 {
            at += 1;
            continue;
        }
        push(&mut visible, shown, at);
        at += hidden;
        shown = at;
        // What an escape stands before is no mark.
        at += usize::from(byte == b'\\');
    }
    push(&mut visible, shown, text.len());
    visible
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
        b'\\' if markup != Markup::Slack => usize::from(next.is_ascii_punctuation()),
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
        let is_id = all(name, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
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

/// The length of `](address)`.
fn link_end(bytes: &[u8], at: usize) -> usize {
    let line = upto(bytes, at, b'\n');
    memchr::memchr(b')', line).map_or(0, |end| end + 1)
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
