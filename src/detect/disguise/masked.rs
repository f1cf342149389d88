//! Words whose letters are masked or broken by a sign: `S*m*nth*`, `Jo*hn`, `Mar🌟cus`.

use crate::detect::disguise::page::{Page, as_name, small};
use crate::detect::token::{Gap, Shape};
use crate::normalize::{Kind, Rewrite};
use crate::rules::Class;
use crate::span::Span;

const LONGEST: usize = 20;
/// More masked letters than this leave too many names to choose from.
const MOST_MASKED: usize = 4;
/// More names than this are not tried in one text, lest a text of masks cost more than others.
const MOST_TRIED: usize = 20_000;
/// How well a name must be known to be seen in what is left of it.
const NAME: u8 = 7;
/// The same where it has a capital.
const RARE_NAME: u8 = 4;
/// How common a word must be to be seen in its halves.
const WORD: u8 = 6;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    let mut left = MOST_TRIED;
    while at < page.len() {
        let end = chunk(page, at);
        let first = page.span(at).start();
        let stars = page.text().get(page.span(end - 1).end()..).unwrap_or_default();
        let stars = stars.bytes().take_while(|byte| *byte == b'*').take(LONGEST).count();
        let span = Span::new(first, page.span(end - 1).end() + stars);
        let written =
            matches!(page.shape(at), Shape::Capital | Shape::Upper | Shape::Mixed | Shape::Lower);
        // `*so*`, and a note`*` of the foot.
        let bare = end == at + 1 && stars == 1 && page.entry(at).word > 0;
        let emphasis = stars > 0 && (page.between(at).ends_with('*') || bare || open(page, first))
            || page.in_link(at);
        if (end > at + 1 || stars > 0) && !emphasis && written && span.len() <= LONGEST * 4 {
            out.extend(read(page, at, span, &mut left));
        }
        at = end;
    }
}

/// Whether a star that stands open on the line closes here: `*sticks her tongue out*`.
fn open(page: &Page<'_>, at: usize) -> bool {
    const LONGEST: usize = 200;
    let head = page.text().as_bytes().get(at.saturating_sub(LONGEST)..at).unwrap_or_default();
    let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    memchr::memchr_iter(b'*', line)
        .filter(|star| {
            let after = line.get(star + 1).is_some_and(|next| !next.is_ascii_whitespace());
            let before = star.checked_sub(1).and_then(|at| line.get(at));
            after && before.is_none_or(|last| !last.is_ascii_alphanumeric())
        })
        .count()
        % 2
        == 1
}

/// One past the last of the words that signs without a blank join.
fn chunk(page: &Page<'_>, first: usize) -> usize {
    let mut end = first + 1;
    while end < page.len() && end - first < LONGEST {
        let gap = page.gap(end);
        let sign = gap != Gap::default() && gap.only(Gap::OTHER.and(Gap::UNDERSCORE));
        let letters = !page.shape(end).is_number();
        if !sign || !letters || page.between(end).len() > 16 {
            break;
        }
        end += 1;
    }
    end
}

/// What a chunk stands for.
fn read(page: &Page<'_>, first: usize, span: Span, left: &mut usize) -> Option<Rewrite> {
    let chars: Vec<(char, Span)> = page.chars(span).collect();
    let letters: Vec<(char, Span)> =
        chars.iter().copied().filter(|(c, _)| c.is_alphabetic()).collect();
    if letters.len() < 2 || letters.len() > LONGEST || page.reading.at(first, 0)?.token.tagged {
        return None;
    }
    // Broken: without its signs it is a name or a word, and not two words that a sign joins.
    let entry = page.look_up(&small(&letters));
    let end = page.reading.under(span).1;
    let apart = (first..=end).all(|at| page.entry(at).word >= 9);
    let vowels = letters.iter().any(|(c, _)| "aeiouyAEIOUY".contains(*c) || !c.is_ascii());
    let known = !entry.classes.is_empty() || entry.word >= WORD || entry.city > 0;
    let whole = vowels && (known || as_name(entry) >= NAME);
    if whole && letters.len() >= 3 && !apart && letters.len() < chars.len() {
        return Some(Rewrite { span, with: letters, kind: Kind::Broken });
    }
    // Masked: each star is a letter.
    let masked = chars.iter().filter(|(c, _)| *c == '*').count();
    if masked == 0 || chars.iter().any(|(c, _)| !c.is_alphabetic() && *c != '*') {
        return None;
    }
    let capital = letters.first().is_some_and(|(c, _)| c.is_uppercase());
    let tried =
        if masked == 1 { 26 } else { 5_usize.saturating_pow(u32::try_from(masked).unwrap_or(9)) };
    let affords = *left >= tried;
    *left = left.saturating_sub(tried.min(MOST_TRIED / 8));
    match affords.then(|| best(page, &chars, masked, first)).flatten() {
        Some((with, true)) => Some(Rewrite { span, with, kind: Kind::Masked }),
        // A word, masked for decency.
        Some((with, false)) => Some(Rewrite { span, with, kind: Kind::Marked }),
        // A name that no list has: its letters, and a vowel for each star.
        None if capital && letters.len() >= masked && span.len() >= 4 => {
            let with =
                chars.iter().map(|(c, at)| (if *c == '*' { 'e' } else { *c }, *at)).collect();
            Some(Rewrite { span, with, kind: Kind::Masked })
        }
        None => None,
    }
}

/// The likeliest filling of the stars, and whether it is a name rather than a word.
fn best(
    page: &Page<'_>,
    chars: &[(char, Span)],
    masked: usize,
    first: usize,
) -> Option<(Vec<(char, Span)>, bool)> {
    let letters: &[char] = match masked {
        1 => &[
            'a', 'e', 'i', 'o', 'u', 'y', 'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n',
            'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'z',
        ],
        _ => &['a', 'e', 'i', 'o', 'u'],
    };
    if masked > MOST_MASKED {
        return None;
    }
    let small = small(chars);
    let ways = letters.len().pow(u32::try_from(masked).ok()?);
    let fill = |way: usize| {
        let mut rest = way;
        small.chars().map(move |c| {
            if c != '*' {
                return c;
            }
            let letter = letters.get(rest % letters.len()).copied().unwrap_or('e');
            rest /= letters.len();
            letter
        })
    };
    let head = page.reading.at(first, 0);
    let capital = chars.first().is_some_and(|(c, _)| c.is_uppercase());
    let proper = capital && head.is_some_and(|word| !word.token.starts_sentence);
    let least = if capital { RARE_NAME } else { NAME };
    let end = chars.iter().rfind(|(c, _)| c.is_alphabetic())?.1;
    let beside = [first.checked_sub(1), Some(page.reading.under(end).1 + 1)];
    let dated = beside.into_iter().flatten().any(|at| page.shape(at) == Shape::Digits);
    let mut best: Option<(u8, usize, bool)> = None;
    let mut word = String::with_capacity(small.len());
    for way in 0..ways {
        word.clear();
        word.extend(fill(way));
        let entry = page.look_up(&word);
        let (name, common) = (as_name(entry), entry.word);
        let known = name.max(common);
        // Decency masks common words; a capital within a sentence is a name's.
        let is_name = name >= least && (name > common || (proper && name >= 8));
        let worth = if dated && entry.classes.has(Class::Month) {
            u8::MAX
        } else if is_name && proper {
            known.saturating_add(8)
        } else {
            known
        };
        let known = worth;
        if (is_name || common >= 6) && best.is_none_or(|(so_far, ..)| known > so_far) {
            best = Some((known, way, is_name));
        }
    }
    let (_, way, is_name) = best?;
    let with = chars
        .iter()
        .zip(fill(way))
        .map(|((c, at), filled)| (if *c == '*' { filled } else { *c }, *at));
    Some((with.collect(), is_name))
}
