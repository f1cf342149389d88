//! Words whose letters are masked or broken by a sign: `S*m*nth*`, `Jo*hn`, `Mar🌟cus`.

use crate::detect::disguise::page::{Page, as_name, small};
use crate::detect::token::{Gap, Shape};
use crate::normalize::{Kind, Rewrite};
use crate::span::Span;

const LONGEST: usize = 20;
/// More masked letters than this leave too many names to choose from.
const MOST_MASKED: usize = 4;
/// How well a name must be known to be seen in what is left of it.
const NAME: u8 = 7;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        let end = chunk(page, at);
        let first = page.span(at).start();
        let stars = page.text().get(page.span(end - 1).end()..).unwrap_or_default();
        let stars = stars.bytes().take_while(|byte| *byte == b'*').take(LONGEST).count();
        let span = Span::new(first, page.span(end - 1).end() + stars);
        let written =
            matches!(page.shape(at), Shape::Capital | Shape::Upper | Shape::Mixed | Shape::Lower);
        let emphasis = stars > 0 && page.between(at).ends_with('*');
        if (end > at + 1 || (stars > 0 && !emphasis)) && written && span.len() <= LONGEST * 4 {
            out.extend(read(page, at, span));
        }
        at = end;
    }
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
fn read(page: &Page<'_>, first: usize, span: Span) -> Option<Rewrite> {
    let chars: Vec<(char, Span)> = page.chars(span).collect();
    let letters: Vec<(char, Span)> =
        chars.iter().copied().filter(|(c, _)| c.is_alphabetic()).collect();
    if letters.len() < 2 || letters.len() > LONGEST || page.reading.at(first, 0)?.token.tagged {
        return None;
    }
    // Broken: without its signs it is a name.
    let joined = small(&letters);
    let entry = page.look_up(&joined);
    if as_name(entry) >= NAME && entry.word < 12 && letters.len() >= 3 {
        return Some(Rewrite { span, with: letters, kind: Kind::Broken });
    }
    // Masked: each star is a letter.
    let masked = chars.iter().filter(|(c, _)| *c == '*').count();
    if masked == 0 || chars.iter().any(|(c, _)| !c.is_alphabetic() && *c != '*') {
        return None;
    }
    let capital = letters.first().is_some_and(|(c, _)| c.is_uppercase());
    match best(page, &chars, masked) {
        Some((with, true)) => Some(Rewrite { span, with, kind: Kind::Masked }),
        // A name that no list has: its letters, and a vowel for each star.
        None if capital && letters.len() >= masked && span.len() >= 4 => {
            let with =
                chars.iter().map(|(c, at)| (if *c == '*' { 'e' } else { *c }, *at)).collect();
            Some(Rewrite { span, with, kind: Kind::Masked })
        }
        // What is left is too little, or a word that is masked for decency.
        _ => None,
    }
}

/// The likeliest filling of the stars, and whether it is a name rather than a word.
fn best(
    page: &Page<'_>,
    chars: &[(char, Span)],
    masked: usize,
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
    let mut best: Option<(u8, usize, bool)> = None;
    let mut word = String::with_capacity(small.len());
    for way in 0..ways {
        word.clear();
        word.extend(fill(way));
        let entry = page.look_up(&word);
        let (name, common) = (as_name(entry), entry.word);
        let known = name.max(common);
        // Decency masks common words; nobody masks `the`.
        let is_name = name >= NAME && (name > common || name >= 12);
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
