//! Words backwards (`nhoJ`), whole lines backwards, pig Latin (`Ohnjay`), letters moved by thirteen (`Wbua`).

use crate::detect::disguise::page::{Page, as_name};
use crate::detect::token::{Gap, Shape};
use crate::normalize::{Kind, Rewrite};
use crate::rules::{Class, Classes, Entry};
use crate::span::Span;

/// How well a name must be known to be read in a word that is none.
const NAME: u8 = 7;
/// What is no name and may be told of a patient.
const TIMES: Classes = Classes::of(&[Class::Month, Class::Weekday, Class::Holiday]);
/// Words of a line that must read backwards before the whole line does.
const FEW: usize = 3;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    lines(page, out);
    rotated_lines(page, out);
    let mut at = 0;
    while at < page.len() {
        let end = name(page, at, out).unwrap_or_else(|| at + 1);
        at = end.max(at + 1);
    }
}

/// Rewrites one word that is turned, and what beside it is turned with it: one past the last.
fn name(page: &Page<'_>, at: usize, out: &mut Vec<Rewrite>) -> Option<usize> {
    let word = page.word(at);
    if page.in_link(at) {
        return None;
    }
    if is_ordinal(word) {
        out.push(backward(page, at, at));
        return None;
    }
    let capital = ends_with_capital(page, at);
    if word.len() < 3
        || !word.is_ascii()
        || page.shape(at).is_number()
        || !(capital || page.is_unlisted(at))
    {
        return None;
    }
    let entry = page.look_up(&backwards(word));
    let known = if capital {
        // Nobody writes so otherwise, whatever the word.
        word.len() > 3 || as_name(entry) >= NAME - 3 || entry.word >= 5 || entry.city > 0
    } else {
        word.len() >= 5 && as_name(entry) >= NAME + 4
    };
    if !known {
        if let Some(rewrite) = pig_latin(page, at).or_else(|| rotated(page, at)) {
            out.push(rewrite);
        }
        return None;
    }
    out.push(backward(page, at, at));
    if !capital {
        return None;
    }
    // `yecnaleD dna dr3`
    let turned = |at: usize| {
        at < page.len()
            && page.gap(at).only(Gap::SPACE.and(Gap::HYPHEN))
            && (is_backward(page, at)
                || is_ordinal(page.word(at))
                || matches!(page.word(at), "dna" | "eht" | "fo" | "ot" | "ta"))
    };
    let mut end = at + 1;
    while turned(end) && !ends_with_capital(page, end) {
        out.push(backward(page, end, end));
        end += 1;
    }
    Some(end)
}

/// `dr3`, `ht21`: the day of a date backwards.
fn is_ordinal(word: &str) -> bool {
    let digits = ["ts", "dn", "dr", "ht"].iter().find_map(|end| word.strip_prefix(end));
    // `ht9`, and no gene such as `DR4`: the last digit tells which ending it has.
    digits.is_some_and(|digits| {
        let ending = match digits.as_bytes() {
            [_, b'1'] => "ht",
            [b'1', ..] => "ts",
            [b'2', ..] => "dn",
            [b'3', ..] => "dr",
            _ => "ht",
        };
        matches!(digits.len(), 1 | 2)
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && word.starts_with(ending)
    })
}

fn backwards(word: &str) -> String {
    word.chars().rev().collect()
}

/// `nhoJ`: a capital at the end and none before it.
fn ends_with_capital(page: &Page<'_>, at: usize) -> bool {
    let written = page.written(page.span(at));
    written.ends_with(char::is_uppercase)
        && written.chars().filter(|c| c.is_uppercase()).count() == 1
        && written.chars().count() >= 3
}

/// Whether a word reads backwards and not forwards.
fn is_backward(page: &Page<'_>, at: usize) -> bool {
    let word = page.word(at);
    if word.len() < 2 || !word.is_ascii() || page.shape(at).is_number() {
        return false;
    }
    let (there, back) = (page.entry(at), page.look_up(&backwards(word)));
    let known = |entry: Entry| entry.word.max(as_name(entry).saturating_sub(2));
    known(back) >= 9 && known(back) > known(there) + 3
}

/// Whether a word reads forwards and not backwards.
fn is_forward(page: &Page<'_>, at: usize) -> bool {
    let word = page.word(at);
    if word.len() < 2 || page.shape(at).is_number() {
        return false;
    }
    let (there, back) = (page.entry(at), page.look_up(&backwards(word)));
    there.word >= 9 && there.word > back.word + 3
}

/// Stretches of several words that read backwards: turned round with all that stands between.
fn lines(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        if !is_backward(page, at) {
            at += 1;
            continue;
        }
        let first = at;
        let mut last = at;
        let mut n_backward = 0;
        while at < page.len() && !is_forward(page, at) && at <= last + 6 {
            if is_backward(page, at) {
                n_backward += 1;
                last = at;
            }
            at += 1;
        }
        if n_backward < FEW || n_backward * 2 <= last - first {
            at = last + 1;
            continue;
        }
        // What stands around and is neither, such as a number or a name, is turned with it.
        let neither = |at: usize| {
            !is_forward(page, at)
                && (page.shape(at).is_number() || page.is_unlisted(at) || page.word(at).len() < 4)
        };
        let mut start = first;
        while start > 0 && !page.gap(start).has(Gap::LINE) && neither(start - 1) {
            start -= 1;
        }
        let mut end = last;
        while end + 1 < page.len() && !page.gap(end + 1).has(Gap::LINE) && neither(end + 1) {
            end += 1;
        }
        // Whole: the sentence's first capital is at the end.
        let whole = !ends_with_capital(page, start)
            && ((start..=end).rev().take(2).any(|at| ends_with_capital(page, at))
                || page.between(start).ends_with(['.', '!', '?']));
        if whole {
            out.push(backward(page, start, end));
        } else {
            out.extend((start..=end).map(|at| backward(page, at, at)));
        }
        at = end + 1;
    }
}

/// The words from one to another, last character first.
fn backward(page: &Page<'_>, first: usize, last: usize) -> Rewrite {
    let span = Span::new(page.span(first).start(), page.span(last).end());
    let mut with: Vec<(char, Span)> = page.chars(span).collect();
    with.reverse();
    Rewrite { span, with, kind: Kind::Turned }
}

/// `Ohnjay Ithsmay`: the first consonants at the end, and `ay`.
fn pig_latin(page: &Page<'_>, at: usize) -> Option<Rewrite> {
    let word = page.word(at);
    let stem = word.strip_suffix("ay").filter(|stem| stem.len() >= 3)?;
    if page.shape(at) != Shape::Capital {
        return None;
    }
    let chars: Vec<(char, Span)> = page.chars(page.span(at)).collect();
    let n_stem = stem.chars().count();
    let ways = (1..=3.min(n_stem - 1)).map(|moved| (n_stem - moved, n_stem));
    let vowel = stem
        .strip_suffix(['w', 'y'])
        .filter(|stem| stem.starts_with(['a', 'e', 'i', 'o', 'u']))
        .map(|_| (n_stem, n_stem - 1));
    let (from, end) = vowel.into_iter().chain(ways).find(|&(from, end)| {
        let moved = chars.get(from..n_stem).unwrap_or_default().iter();
        let rest = chars.get(..from.min(end)).unwrap_or_default().iter();
        let plain: String = moved.chain(rest).map(|(c, _)| c.to_ascii_lowercase()).collect();
        let entry = page.look_up(&plain);
        as_name(entry) >= NAME + 2 || entry.city > 0 || entry.classes.meets(TIMES)
    })?;
    let moved = chars.get(from..n_stem).unwrap_or_default().iter();
    let rest = chars.get(..from.min(end)).unwrap_or_default().iter();
    let small = moved.chain(rest).map(|(c, at)| (c.to_ascii_lowercase(), *at));
    let mut with: Vec<(char, Span)> = small.collect();
    if let Some((first, place)) = with.first_mut() {
        *first = first.to_ascii_uppercase();
        // `ay` belongs to it: what is found must cover the whole word.
        *place = page.span(at);
    }
    Some(Rewrite { span: page.span(at), with, kind: Kind::Turned })
}

/// A letter moved by thirteen.
fn rotate(c: char) -> char {
    match c {
        'a'..='m' | 'A'..='M' => char::from_u32(u32::from(c) + 13).unwrap_or(c),
        'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(c) - 13).unwrap_or(c),
        c => c,
    }
}

/// A word with its letters moved by thirteen. Only one with a capital: the lists hold too many short words to guess among
/// all.
fn rotated(page: &Page<'_>, at: usize) -> Option<Rewrite> {
    let word = page.word(at);
    if word.len() < 4 || !matches!(page.shape(at), Shape::Capital | Shape::Upper) {
        return None;
    }
    // One word alone may read so by chance: `Ebola` is `Robyn`.
    let reads = |at: usize| {
        let plain: String = page.word(at).chars().map(rotate).collect();
        page.word(at).len() >= 3
            && page.is_unlisted(at)
            && as_name(page.look_up(&plain)) >= NAME + 2
    };
    let beside = reads(at + 1) || at.checked_sub(1).is_some_and(reads);
    (reads(at) && beside).then(|| rotation(page, at))
}

fn rotation(page: &Page<'_>, at: usize) -> Rewrite {
    let with = page.chars(page.span(at)).map(|(c, at)| (rotate(c), at)).collect();
    Rewrite { span: page.span(at), with, kind: Kind::Coded }
}

/// Stretches of which several words read so: every word of them is moved.
fn rotated_lines(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let known = |entry: Entry| entry.word.max(as_name(entry).saturating_sub(2));
    let is_rotated = |at: usize| {
        let word = page.word(at);
        let plain: String = word.chars().map(rotate).collect();
        let (there, moved) = (known(page.entry(at)), known(page.look_up(&plain)));
        let short = word.len() == 2
            && !matches!(word, "zl" | "va" | "bs" | "ba" | "gb" | "ur" | "ng" | "vf");
        word.len() >= 2 && !short && word.is_ascii() && moved >= 9 && moved > there + 3
    };
    let mut last: Option<usize> = None;
    let mut run: Vec<usize> = Vec::new();
    for at in 0..=page.len() {
        let near = last.is_some_and(|last| at <= last + 4);
        if at < page.len() && is_rotated(at) {
            if !near {
                run.clear();
            }
            run.push(at);
            last = Some(at);
        } else if !near || at == page.len() {
            let reach = run.first().zip(run.last()).map_or(0, |(first, last)| last + 1 - first);
            if run.len() >= FEW
                && run.len() * 2 > reach
                && let (Some(&first), Some(&last)) = (run.first(), run.last())
            {
                let words = first..=last;
                out.extend(
                    words.filter(|at| !page.shape(*at).is_number()).map(|at| rotation(page, at)),
                );
            }
            run.clear();
        }
    }
}
