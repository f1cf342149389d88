//! Addresses, hashtags and handles within a text: what is redacted in one goes with all of it.
//!
//! `https://ward.example/[name]` is a link to nowhere, and `#Team[name]` a tag that nobody wrote.

use percent_encoding::percent_decode_str;

use crate::span::Span;

/// The longest hashtag or handle, in letters: looking further for each sign would cost the square of the text.
const MOST_TAG: usize = 320;

/// Every address of the web, without the punctuation that ends a sentence. In order and disjoint.
pub(super) fn links(text: &str) -> Vec<Span> {
    let mut links: Vec<Span> = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
        let past = links.last().map_or(0, |last| last.end());
        let head = text.get(past..at).unwrap_or_default();
        let scheme = head.len() - head.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        let name = head.get(head.len() - scheme..).unwrap_or_default();
        let is_web = ["http", "https"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_web {
            let start = at - scheme;
            links.push(Span::new(start, start + length(text.get(start..).unwrap_or_default())));
        }
    }
    links
}

fn length(link: &str) -> usize {
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "<>\"|\\^`{}".contains(c);
    let link = link.get(..link.find(is_end).unwrap_or(link.len())).unwrap_or_default();
    let link = link.trim_end_matches(|c: char| ".,;:!?'*_~]".contains(c));
    // A bracket that was opened before the address closes after it.
    let unopened =
        |link: &str| link.ends_with(')') && link.matches(')').count() > link.matches('(').count();
    if unopened(link) { link.len() - 1 } else { link.len() }
}

/// Every `#hashtag` and `@handle` (`@user@host`, too) that holds a letter. In order and disjoint.
pub(super) fn tags(text: &str) -> Vec<Span> {
    let mut tags: Vec<Span> = Vec::new();
    for sign in memchr::memchr2_iter(b'#', b'@', text.as_bytes()) {
        let before = text.get(..sign).and_then(|before| before.chars().next_back());
        let past = tags.last().is_some_and(|last| last.end() > sign);
        if past
            || before
                .is_some_and(|c| c.is_alphanumeric() || matches!(c, '&' | '@' | '#' | '/' | '='))
        {
            continue;
        }
        let is_handle = text.as_bytes().get(sign) == Some(&b'@');
        let rest = text.get(sign + 1..).unwrap_or_default();
        let is_in = |c: char| {
            c.is_alphanumeric() || c == '_' || (is_handle && matches!(c, '.' | '-' | '@'))
        };
        let letters = rest.char_indices().take(MOST_TAG).take_while(|(_, c)| is_in(*c));
        let end = letters.last().map_or(0, |(at, c)| at + c.len_utf8());
        let tag = rest.get(..end).unwrap_or_default();
        let tag = tag.trim_end_matches(['.', '-', '@', '_']);
        if tag.chars().any(char::is_alphabetic) {
            tags.push(Span::new(sign, sign + 1 + tag.len()));
        }
    }
    tags
}

/// A marker as it reads outside an address: within one it is percent-encoded.
pub(super) fn plain(marker: &str) -> String {
    let decoded = percent_decode_str(marker).decode_utf8();
    decoded.map_or_else(|_| marker.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::{links, plain, tags};

    #[test]
    fn addresses_end_where_they_end() {
        for (text, want) in [
            ("see https://a.example/b?c=d.", &["https://a.example/b?c=d"][..]),
            ("(HTTP://a.example/x_(y)) and", &["HTTP://a.example/x_(y)"]),
            ("(http://a.example)", &["http://a.example"]),
            ("<https://a.example|b>", &["https://a.example"]),
            ("ftp://a.example x://y ://", &[]),
            ("https://a.example/https://b.example", &["https://a.example/https://b.example"]),
            ("https:///", &["https:///"]),
        ] {
            let found: Vec<&str> = links(text).iter().map(|span| span.of(text).unwrap()).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn tags_are_words_behind_their_sign() {
        for (text, want) in [
            ("so #TeamRoe, #412 #a_b.", &["#TeamRoe", "#a_b"][..]),
            ("ask @jane.roe. @jane@ward.example: @", &["@jane.roe", "@jane@ward.example"]),
            ("mail a@b.example &#97; a#b", &[]),
            ("##x #Özil (#y)", &["#Özil", "#y"]),
        ] {
            let found: Vec<&str> = tags(text).iter().map(|span| span.of(text).unwrap()).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn many_signs_cost_no_more_than_their_length() {
        // At most one for each sign; where each ran to the end and gave way, the test would not end.
        for (sign, n_links, n_tags) in [
            ("@....", 0, 0),
            ("#____", 0, 0),
            ("https://", 1, 0),
            ("@a", 0, 1),
            ("@a ", 0, 200_000),
            ("#a ", 0, 200_000),
            ("https://a.example ", 200_000, 0),
            ("##", 0, 0),
        ] {
            let text = sign.repeat(200_000);
            assert_eq!((links(&text).len(), tags(&text).len()), (n_links, n_tags), "{sign}");
        }
    }

    #[test]
    fn markers_read_as_they_are() {
        assert_eq!(plain("%5Bname%5D"), "[name]");
        assert_eq!(plain("[name]"), "[name]");
    }
}
