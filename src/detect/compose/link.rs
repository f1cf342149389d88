//! Hosts, links and mailboxes that no pattern calls for.
//!
//! In a post about a patient a link with a path leads to the patient as often as not: a wedding page, a memorial, a
//! share of pictures. Hosts that everybody reads and those of government and schools pass.

use crate::detect::compose::words::Reading;
use crate::detect::labelled::words::PUBLIC_HOSTS;
use crate::detect::token::{Gap, Shape};
use crate::span::Span;

/// The longest link that is read.
const LONGEST: usize = 300;

/// `clinic.example`: words joined by full stops, the last a known ending. Gives its last word.
pub(super) fn host(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let word = reading.at(at, 0)?;
    let before = word.token.gap;
    if before.has(Gap::AT) || before == Gap::STOP || word.token.shape == Shape::Digits {
        return None;
    }
    let n_more = (1..=6)
        .take_while(|offset| {
            let next = reading.at(at, *offset);
            next.is_some_and(|word| matches!(word.token.gap, Gap::STOP | Gap::HYPHEN))
        })
        .count();
    let last = (1..=n_more).rev().find(|offset| {
        reading.gap(at + offset) == Gap::STOP && is_ending(reading.word(at + offset))
    })?;
    // `Mr.` and the like end no host: what stands before the ending has three letters or more.
    let mailed = at.checked_sub(1).is_some_and(|at| matches!(reading.word(at), "at" | "arroba"));
    (mailed || reading.word(at + last - 1).len() >= 3).then_some(at + last)
}

fn is_ending(word: &str) -> bool {
    matches!(
        word,
        "com"
            | "org"
            | "net"
            | "edu"
            | "gov"
            | "mil"
            | "info"
            | "biz"
            | "health"
            | "example"
            | "io"
            | "app"
            | "dev"
    )
}

/// The link with a path that a host begins, unless its host is one that everybody reads.
pub(super) fn link(reading: &Reading<'_>, at: usize, last: usize) -> Option<(Span, usize)> {
    let public = (at..=last).any(|at| PUBLIC_HOSTS.has(reading.word(at)));
    if reading.gap(last + 1) != Gap::SLASH || public {
        return None;
    }
    let scheme = at.checked_sub(1).filter(|before| {
        matches!(reading.word(*before), "http" | "https" | "hxxp" | "hxxps")
            && reading.gap(at).has(Gap::SLASH)
    });
    let first = scheme.unwrap_or(at);
    let start = reading.span(first, first).start();
    let rest = reading.text.view.text().get(start..)?;
    let edge = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>');
    // No further than a link is long, or a text of links alone would cost its square.
    let end = rest.char_indices().take(LONGEST).find(|(_, c)| edge(*c)).map(|(at, _)| at);
    let end = end.unwrap_or(rest.len());
    link_to(reading, start, end.min(LONGEST), last)
}

/// The link that ends so many bytes further at most, without the marks of the sentence.
fn link_to(reading: &Reading<'_>, start: usize, len: usize, last: usize) -> Option<(Span, usize)> {
    let text = reading.text.view.text();
    let len = (0..=len).rev().find(|len| text.is_char_boundary(start + len))?;
    let link = text
        .get(start..start + len)?
        .trim_end_matches(['.', ',', ')', ']', '!', '?', ';', ':', '\'']);
    let span = Span::new(start, start + link.len());
    let n_words = (last..reading.words.len())
        .take_while(|at| {
            reading.at(*at, 0).is_some_and(|word| word.token.span.start() < span.end())
        })
        .count();
    (n_words > 1).then_some((span, last + n_words - 1))
}

/// The first word of the mailbox before `at` and a host: `sugar.pops at craftmail.example`. What is no mailbox says so by
/// being one plain word (`register at ..`) or by the path after the host.
pub(super) fn mailbox(reading: &Reading<'_>, host: usize, last: usize) -> Option<usize> {
    let at = host.checked_sub(1).filter(|at| matches!(reading.word(*at), "at" | "arroba"))?;
    let end = at.checked_sub(1)?;
    let spaced = reading.gap(host).only(Gap::SPACE) && reading.gap(at).only(Gap::SPACE);
    if !spaced || reading.gap(last + 1) == Gap::SLASH {
        return None;
    }
    let marks = Gap::STOP.and(Gap::HYPHEN).and(Gap::UNDERSCORE).and(Gap::AND);
    let n_more = (0..4)
        .take_while(|back| {
            end.checked_sub(*back).is_some_and(|at| {
                at > 0 && reading.gap(at).only(marks) && reading.gap(at) != Gap::default()
            })
        })
        .count();
    let first = end - n_more;
    let dashed = n_more == 1 && reading.gap(end) == Gap::HYPHEN;
    let coded = reading.at(end, 0).is_some_and(|word| word.token.shape == Shape::Code);
    ((n_more > 0 && !dashed) || coded).then_some(first)
}
