//! How a platform counts the length of a text. The units are a closed list that the files name.
//!
//! Counting is close to each platform's own, not a copy of it: it only has to say whether a redaction made a text too
//! long that was not so before. A text that was over the limit already may stay as long as it was.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    /// Extended grapheme clusters: what a reader calls a character.
    Graphemes,
    /// X: most letters weigh 1, other scripts, ellipses, blocks and emoji weigh 2.
    XWeight,
    /// Bytes of UTF-8.
    Bytes,
    /// Code units of UTF-16, as JavaScript's `length`.
    Utf16,
    /// Unicode code points.
    CodePoints,
    /// Threads: code points, but each emoji as the bytes of its UTF-8.
    Threads,
}

impl Unit {
    pub(super) const NAMES: &[(&str, Self)] = &[
        ("graphemes", Self::Graphemes),
        ("x-weight", Self::XWeight),
        ("bytes", Self::Bytes),
        ("utf16", Self::Utf16),
        ("code-points", Self::CodePoints),
        ("threads", Self::Threads),
    ];

    fn measure(self, text: &str) -> usize {
        match self {
            Self::Graphemes => text.graphemes(true).count(),
            Self::XWeight => x_weight(text),
            Self::Bytes => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::CodePoints => text.chars().count(),
            Self::Threads => threads_length(text),
        }
    }
}

/// One limit of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limit {
    pub(super) at_most: usize,
    pub(super) unit: Unit,
    /// What every URL counts, however long it is.
    pub(super) url_counts_as: Option<usize>,
    /// Whether `@user@host` counts its host, too.
    pub(super) mention_hosts_count: bool,
    /// Whether a host without a scheme (`ward.example/a`) is a URL, too.
    pub(super) bare_urls: bool,
}

/// What several fields may come to together: Discord's embeds 6000.
#[derive(Clone, Debug)]
pub(super) struct Total {
    /// The templates of the fields.
    pub(super) fields: Vec<String>,
    pub(super) limit: Limit,
}

impl Limit {
    /// Whether a text may be this long now, given how long it was.
    pub(super) fn allows(&self, before: usize, after: usize) -> bool {
        after <= self.at_most.max(before)
    }

    pub(super) fn measure(&self, text: &str) -> usize {
        let mut total = 0;
        let mut plain = 0;
        let mut at = 0;
        let mut word_before = false;
        let mut sign_before = false;
        while let Some(rest) = text.get(at..) {
            let Some(first) = rest.chars().next() else { break };
            let skipped = if word_before { None } else { self.skip(rest, sign_before) };
            if let Some((len, counts)) = skipped {
                total += self.unit.measure(text.get(plain..at).unwrap_or_default()) + counts;
                at += len;
                plain = at;
                word_before = true;
            } else {
                word_before = first.is_alphanumeric() || first == '_';
                sign_before = matches!(first, '@' | '#' | '$' | '.' | '-' | '/');
                at += first.len_utf8();
            }
        }
        total + self.unit.measure(text.get(plain..).unwrap_or_default())
    }

    /// Length without any shortening: of a text that counts in another one's limit.
    pub(super) fn measure_whole(&self, text: &str) -> usize {
        self.unit.measure(text)
    }

    /// A stretch at the start of `text` that has a count of its own: its bytes and that count.
    fn skip(&self, text: &str, sign_before: bool) -> Option<(usize, usize)> {
        if let Some(counts) = self.url_counts_as {
            let bare = || if self.bare_urls && !sign_before { bare_url_len(text) } else { None };
            if let Some(len) = url_len(text).or_else(bare) {
                return Some((len, counts));
            }
        }
        if self.mention_hosts_count {
            return None;
        }
        let (user, whole) = mention_len(text)?;
        Some((whole, self.unit.measure(text.get(..user)?)))
    }
}

/// The length of an `http://` or `https://` URL at the start, without the punctuation that ends a sentence.
fn url_len(text: &str) -> Option<usize> {
    let starts = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let scheme = ["https://", "http://"].into_iter().find(|scheme| starts(scheme))?;
    let url = stretch(text);
    (url.len() > scheme.len()).then_some(url.len())
}

/// No name of a host is longer.
const MOST_HOST: usize = 253;

/// The length of a host with a top-level domain at the start, with what follows a slash. X counts such words as URLs where
/// it knows the domain; which ones it knows changes.
fn bare_url_len(text: &str) -> Option<usize> {
    let in_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let end = text
        .char_indices()
        .take_while(|&(at, c)| at < MOST_HOST && in_host(c))
        .last()
        .map(|(at, c)| at + c.len_utf8())?;
    let host = text.get(..end)?.trim_end_matches(['.', '-']);
    let (name, top) = host.rsplit_once('.')?;
    let is_top = top.len() >= 2 && top.chars().all(char::is_alphabetic);
    if name.is_empty() || name.starts_with(['.', '-']) || !is_top {
        return None;
    }
    let rest = text.get(host.len()..)?;
    let path = if rest.starts_with('/') { stretch(rest) } else { "" };
    Some(host.len() + path.len())
}

/// What stands up to a blank, without the punctuation that ends a sentence.
fn stretch(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    let stretch = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    stretch.trim_end_matches(|c: char| ".,;:!?)]}'".contains(c))
}

/// `@user@host` at the start: the length of `@user` and of the whole.
fn mention_len(text: &str) -> Option<(usize, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let user = text.strip_prefix('@')?;
    let user_len = user.find(|c: char| !is_word(c)).filter(|&len| len > 0)?;
    let host = user.get(user_len..)?.strip_prefix('@')?;
    let host_len = host.find(|c: char| !is_word(c)).unwrap_or(host.len());
    let host = host.get(..host_len)?.trim_end_matches(['.', '-']);
    (!host.is_empty()).then_some((1 + user_len, 2 + user_len + host.len()))
}

/// The ranges that weigh 1; all else weighs 2 (twitter-text, configuration 3).
const LIGHT: &[(u32, u32)] = &[(0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037)];

fn x_weight(text: &str) -> usize {
    let weight = |c: char| {
        let code = u32::from(c);
        if LIGHT.iter().any(|&(from, to)| (from..=to).contains(&code)) { 1 } else { 2 }
    };
    if text.is_ascii() {
        return text.len();
    }
    let composed: String = text.nfc().collect();
    composed
        .graphemes(true)
        .map(|cluster| if is_emoji(cluster) { 2 } else { cluster.chars().map(weight).sum() })
        .sum()
}

fn threads_length(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true)
        .map(|cluster| if is_emoji(cluster) { cluster.len() } else { cluster.chars().count() })
        .sum()
}

/// Whether a cluster is drawn as one emoji, however many code points it has (families, flags, skin tones, key caps).
fn is_emoji(cluster: &str) -> bool {
    cluster.chars().any(|c| {
        matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F | 0x20E3 | 0xE0020..=0xE007F)
    })
}

#[cfg(test)]
mod tests {
    use super::{Limit, Unit};

    fn limit(unit: Unit, url_counts_as: Option<usize>, mention_hosts_count: bool) -> Limit {
        Limit { at_most: 280, unit, url_counts_as, mention_hosts_count, bare_urls: false }
    }

    #[test]
    fn each_unit_counts_its_own_way() {
        for (text, graphemes, x, bytes, utf16, points) in [
            ("", 0, 0, 0, 0, 0),
            ("plain", 5, 5, 5, 5, 5),
            ("café", 4, 4, 5, 4, 4),
            ("cafe\u{301}", 4, 4, 6, 5, 5),
            ("…", 1, 2, 3, 1, 1),
            ("█", 1, 2, 3, 1, 1),
            ("“a”", 3, 3, 7, 3, 3),
            ("日本", 2, 4, 6, 2, 2),
            ("🏥", 1, 2, 4, 2, 1),
            ("👨‍👩‍👧", 1, 2, 18, 8, 5),
            ("🇨🇭", 1, 2, 8, 4, 2),
            ("👍🏽", 1, 2, 8, 4, 2),
            ("1\u{fe0f}\u{20e3}", 1, 2, 7, 3, 3),
        ] {
            for (unit, want) in [
                (Unit::Graphemes, graphemes),
                (Unit::XWeight, x),
                (Unit::Bytes, bytes),
                (Unit::Utf16, utf16),
                (Unit::CodePoints, points),
            ] {
                assert_eq!(limit(unit, None, true).measure(text), want, "{unit:?} of {text:?}");
            }
        }
    }

    #[test]
    fn urls_count_what_the_platform_says() {
        let x = limit(Unit::XWeight, Some(23), true);
        for (text, want) in [
            ("https://ward.example/a/very/long/path?of=many&words=1", 23),
            ("see HTTP://a.example.", 4 + 23 + 1),
            ("(https://a.example/b)", 1 + 23 + 1),
            ("xhttps://a.example", 18),
            ("https://", 8),
            ("a https://a.example https://b.example b", 2 + 23 + 1 + 23 + 2),
        ] {
            assert_eq!(x.measure(text), want, "{text}");
        }
    }

    #[test]
    fn hosts_without_a_scheme_may_be_urls() {
        let x = Limit { bare_urls: true, ..limit(Unit::XWeight, Some(23), true) };
        for (text, want) in [
            ("ward.example", 23),
            ("see ward.example/a/b?c=d.", 4 + 23 + 1),
            ("https://ward.example/a.example", 23),
            ("jane@ward.example", 17),
            ("no.1 of 2.5", 11),
            (".example", 8),
            ("a..example", 23),
            ("é.example x", 23 + 2),
        ] {
            assert_eq!(x.measure(text), want, "{text}");
        }
        assert!(x.measure(&"1.".repeat(500_000)) > 0);
    }

    #[test]
    fn threads_counts_emoji_by_their_bytes() {
        let threads = limit(Unit::Threads, None, true);
        for (text, want) in
            [("café", 4), ("cafe\u{301}", 5), ("🏥", 4), ("a 👍🏽 b", 4 + 8), ("日本", 2)]
        {
            assert_eq!(threads.measure(text), want, "{text}");
        }
    }

    #[test]
    fn hosts_of_mentions_may_be_free() {
        let mastodon = limit(Unit::Graphemes, Some(23), false);
        for (text, want) in [
            ("@ward@clinic.example hello", 5 + 6),
            ("@ward hello", 11),
            ("mail a@b.example", 16),
            ("@ward@clinic.example.", 5 + 1),
            ("@a@b @c@d", 2 + 1 + 2),
            ("@", 1),
            ("@@x", 3),
        ] {
            assert_eq!(mastodon.measure(text), want, "{text}");
        }
    }

    #[test]
    fn a_text_that_was_too_long_may_stay_so() {
        let limit = limit(Unit::Bytes, None, true);
        for (before, after, allowed) in
            [(10, 280, true), (10, 281, false), (300, 300, true), (300, 301, false)]
        {
            assert_eq!(limit.allows(before, after), allowed, "{before} to {after}");
        }
    }
}
