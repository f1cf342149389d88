//! Digits and signs for letters (`J0hn`, `J@ne`), and letters for digits (`447l9O2`).

use crate::detect::disguise::page::{Page, as_name};
use crate::detect::token::Shape;
use crate::normalize::{Kind, Rewrite};
use crate::rules::{Class, Classes, Entry};
use crate::span::Span;

/// Longer words are links and keys.
const LONGEST: usize = 16;
/// A word is rewritten if it is so well known as a name ...
const NAME: u8 = 6;
/// ... or as a word.
const WORD: u8 = 5;
/// What stands after a number that may be short.
const SHORT: Classes = Classes::of(&[Class::Month, Class::AgeUnit]);

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        if let Some(end) = date(page, at, out) {
            at = end;
            continue;
        }
        let end = chunk(page, at);
        let span = Span::new(start(page, at), page.span(end - 1).end());
        at = end;
        let word = span.of(page.text()).unwrap_or_default();
        if word.len() < 2 || word.len() > LONGEST || !word.is_ascii() {
            continue;
        }
        let n_digits = word.bytes().filter(u8::is_ascii_digit).count();
        let n_letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
        if n_digits == word.len() || n_letters == word.len() || page.in_link(at - 1) {
            continue;
        }
        if n_digits > 0
            && let Some(rewrite) = digits(page, at - 1, span, word)
        {
            out.push(rewrite);
        } else if n_letters > 0
            && let Some(rewrite) = letters(page, span, word)
        {
            out.push(rewrite);
        }
    }
}

/// One past the last of the words that signs for letters join, such as the two of `J@ne`.
fn chunk(page: &Page<'_>, first: usize) -> usize {
    let mut end = first + 1;
    while end < page.len() && matches!(page.between(end), "@" | "!" | "$" | "|" | "!!" | "$$" | "+")
    {
        end += 1;
    }
    end
}

/// Where a word begins; `$mith` begins with its sign.
fn start(page: &Page<'_>, at: usize) -> usize {
    let start = page.span(at).start();
    let gap = page.between(at);
    let free = gap
        .strip_suffix('$')
        .is_some_and(|head| head.is_empty() || head.ends_with(char::is_whitespace));
    if free && page.shape(at) == Shape::Lower { start - 1 } else { start }
}

/// What a sign stands for among letters; `1` is an `i` or an `l`.
fn letter(sign: char, one: char) -> Option<char> {
    Some(match sign {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        '2' => 'z',
        c if c.is_ascii_alphabetic() => c,
        _ => return None,
    })
}

fn letters(page: &Page<'_>, span: Span, word: &str) -> Option<Rewrite> {
    let bytes = word.as_bytes();
    let n_letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let head = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let tail = bytes.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let digits_end =
        head + bytes.iter().skip(head).take_while(|byte| byte.is_ascii_digit()).count();
    // A dose, an ordinal, a room (`40mg`, `3rd`, `4west`); and a word that is numbered (`room4`, `covid19`).
    let leads = head == 0
        && bytes.iter().skip_while(|byte| byte.is_ascii_digit()).all(u8::is_ascii_alphabetic);
    let follows = digits_end == bytes.len();
    let even = bytes.len() < 5 && n_letters * 2 <= bytes.len();
    if bytes.len() < 3
        || even
        || n_letters < 2
        || n_letters * 5 < bytes.len() * 2
        || (leads && bytes.len() < 5)
    {
        return None;
    }
    let numbered = follows
        && (bytes.len() - head > 1 || bytes.len() < 4 || {
            let known = page.look_up(word.get(..head)?);
            known.word > 0 || as_name(known) >= NAME
        });
    // Vertebrae are named so: `l4s5`, `t11l2`.
    let vertebra = bytes.first().is_some_and(|c| b"clts".contains(c))
        && word.len() <= 6
        && head == 1
        && bytes.iter().all(|byte| byte.is_ascii_digit() || b"clts".contains(byte));
    if numbered || vertebra || (leads && tail + 1 < bytes.len()) {
        return None;
    }
    let mut best: Option<(u8, String)> = None;
    for one in ['i', 'l'] {
        let plain: String = word.chars().map(|c| letter(c, one)).collect::<Option<_>>()?;
        let entry = page.look_up(&plain);
        let worth = worth(entry);
        if best.as_ref().is_none_or(|(known, _)| worth > *known) {
            best = Some((worth, plain));
        }
    }
    let (worth, plain) = best?;
    // A name that no list has: written as one, with two digits or more for its vowels.
    let vowels = bytes.iter().filter(|byte| matches!(byte, b'0' | b'1' | b'3' | b'4')).count();
    let capital = page.written(span).starts_with(|c: char| c.is_ascii_uppercase())
        && page.written(span).chars().filter(|c| c.is_uppercase()).count() == 1;
    let coined = capital && vowels >= 2 && n_letters > 2 && turns(bytes) > 2;
    (worth > 0 || coined).then(|| rewrite(page, span, &plain))
}

/// How often letters and digits take turns.
fn turns(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .filter(|two| matches!(two, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
        .count()
}

/// How well known what a sign stands for is; 0 if it is nothing.
fn worth(entry: Entry) -> u8 {
    if as_name(entry) >= NAME || entry.word >= WORD || !entry.classes.is_empty() {
        as_name(entry).max(entry.word).max(1)
    } else {
        0
    }
}

/// A word written with these letters, its capitals where they stand.
fn rewrite(page: &Page<'_>, span: Span, plain: &str) -> Rewrite {
    let written: Vec<(char, Span)> = page.chars(span).collect();
    let n_letters = written.iter().filter(|(c, _)| c.is_alphabetic()).count();
    let shouted = n_letters > 1 && written.iter().all(|(c, _)| !c.is_lowercase());
    let with = written.into_iter().zip(plain.chars()).map(|((c, place), plain)| {
        let upper = c.is_uppercase() || (!c.is_alphabetic() && shouted);
        (if upper { plain.to_ascii_uppercase() } else { plain }, place)
    });
    let mut with: Vec<(char, Span)> = with.collect();
    // `$mith` and `4nna` begin a name as a capital does.
    if let Some((first, _)) = with.first_mut()
        && page.written(span).starts_with(|c: char| !c.is_alphabetic())
        && !shouted
    {
        *first = first.to_ascii_uppercase();
    }
    Rewrite { span, with, kind: Kind::Leet }
}

/// The digit that a letter looks like.
fn numeral(c: char) -> Option<char> {
    match c {
        'o' => Some('0'),
        'l' | 'i' => Some('1'),
        c => c.is_ascii_digit().then_some(c),
    }
}

/// `l/l4`, `ll/3O`, `3Oth`: a date whose digits are letters.
fn date(page: &Page<'_>, first: usize, out: &mut Vec<Rewrite>) -> Option<usize> {
    let part = |at: usize| {
        let word = page.word(at);
        (1..=4).contains(&word.len()) && word.chars().all(|c| numeral(c).is_some())
    };
    let mut end = first;
    let sign = page.between(first + 1);
    let signed = matches!(sign, "/" | "-" | ".");
    while end < page.len()
        && part(end)
        && (end == first || (signed && page.between(end) == sign))
        && end - first < 3
    {
        end += 1;
    }
    // Two parts with another sign are a range, a version, a measure.
    if sign != "/" && end != first + 3 {
        end = first;
    }
    let span = Span::new(page.span(first).start(), page.span(end.max(first + 1) - 1).end());
    let text = span.of(page.text())?;
    let stem = ["st", "nd", "rd", "th"].iter().find_map(|ordinal| text.strip_suffix(ordinal));
    let is_ordinal = end == first
        && stem.is_some_and(|stem| {
            (1..=2).contains(&stem.len()) && stem.chars().all(|c| numeral(c).is_some())
        });
    let numerals = if is_ordinal { stem.unwrap_or_default() } else { text };
    let told = numerals.bytes().any(|byte| byte.is_ascii_digit());
    let hidden = numerals.bytes().any(|byte| matches!(byte, b'o' | b'l' | b'i'));
    if !told || !hidden || !(is_ordinal || end > first + 1) || numerals.is_empty() {
        return None;
    }
    let with = page.chars(span).enumerate().map(|(at, (c, place))| {
        let plain = numeral(c.to_ascii_lowercase()).filter(|_| at < numerals.len());
        (plain.unwrap_or(c), place)
    });
    out.push(Rewrite { span, with: with.collect(), kind: Kind::Leet });
    Some(end.max(first + 1))
}

/// A number with letters that look like digits: most of it must be digits, and not a letter alone follow them, as in
/// `50l`.
fn digits(page: &Page<'_>, at: usize, span: Span, word: &str) -> Option<Rewrite> {
    let bytes = word.as_bytes();
    let plain: String = word.chars().map(numeral).collect::<Option<_>>()?;
    let n_digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let tail = bytes.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let unit =
        bytes.iter().rposition(u8::is_ascii_digit).is_some_and(|last| last + 2 == bytes.len())
            && bytes.last() == Some(&b'l')
            && n_digits + 1 == bytes.len();
    // Beside other digits (`615-555-Ol7l`) it may hold fewer of its own.
    let grouped = ["-", ".", " ", "/"].iter().any(|sign| {
        let after = page.text().get(span.end()..).and_then(|rest| rest.strip_prefix(sign));
        let before = page.text().get(..span.start()).and_then(|head| head.strip_suffix(sign));
        after.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            || before.is_some_and(|head| head.ends_with(|c: char| c.is_ascii_digit()))
    });
    // `December l2`, `3O years`: a day and an age are short.
    let after = at.checked_sub(1).map(|at| page.classes(at)).unwrap_or_default();
    let short =
        after.has(Class::Month) || after.has(Class::AgeTurn) || page.classes(at + 1).meets(SHORT);
    let measured = page.text().get(..span.start()).is_some_and(|head| head.ends_with('.'));
    // `L10` is a vertebra, an antibody.
    let coded = bytes.len() < 6 && !bytes.first().is_some_and(u8::is_ascii_digit);
    if unit && measured || !grouped && (tail > 1 || coded) {
        return None;
    }
    if !grouped && !short && (unit || bytes.len() < 3 || n_digits * 5 < bytes.len() * 2) {
        return None;
    }
    let with =
        page.chars(span).zip(plain.chars()).map(|((_, place), digit)| (digit, place)).collect();
    Some(Rewrite { span, with, kind: Kind::Leet })
}
