//! HTML: what stands between tags. Entities are left as they are: the rules' own folding reads them.

use crate::platform::markup::{Visible, push};

/// Elements that begin a new line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

pub(super) fn visible(text: &str) -> Vec<Visible> {
    let mut visible = Vec::new();
    let mut at = 0;
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('<')).map(|n| from + n) {
        let rest = text.get(open..).unwrap_or_default();
        if !rest.get(1..).is_some_and(|next| {
            next.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
        }) {
            from = open + 1;
            continue;
        }
        // What is not closed is no tag, and nothing after it can be one either.
        let Some(length) = tag_length(rest) else { break };
        push(&mut visible, at, open);
        if is_block(rest) {
            visible.push(Visible::Break);
        }
        at = open + length;
        from = at;
    }
    push(&mut visible, at, text.len());
    visible
}

/// The length of the tag or comment at the start.
fn tag_length(rest: &str) -> Option<usize> {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.find("-->").map(|end| 4 + end + 3);
    }
    let mut quote = None;
    let mut last = b' ';
    for (at, byte) in rest.bytes().enumerate() {
        match quote {
            Some(open) => quote = Some(open).filter(|open| byte != *open),
            None if byte == b'>' => return Some(at + 1),
            None if matches!(byte, b'"' | b'\'') && last == b'=' => quote = Some(byte),
            None => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    None
}

fn is_block(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    BLOCKS.iter().any(|block| block.eq_ignore_ascii_case(name))
}

pub(super) fn escape(marker: &str) -> String {
    let mut out = String::with_capacity(marker.len());
    for character in marker.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}
