//! Numbers in words, whole or in part: `four four seven`, `6 one five, 555, oh 171`, `twenty twenty-six`.

use crate::detect::disguise::page::{Page, whole};
use crate::detect::token::{Gap, Shape};
use crate::normalize::{Kind, Rewrite};
use crate::rules::{Class, Classes};
use crate::span::Span;

/// A number of fewer digits identifies nobody, unless a word before it says what it is.
const FEW_DIGITS: usize = 4;
/// Longer digits are no part of a number that is spelled in part.
const LONGEST_DIGITS: usize = 6;
/// Words before which a short number counts.
const LABELS: Classes = Classes::of(&[Class::Room, Class::IdWord]);

/// What a word of a spelled number says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Unit(u8),
    Teen(u8),
    Tens(u8),
    Hundred,
    Times(usize),
    /// A sign by its name: `dash`.
    Sign(char),
}

fn said(word: &str) -> Option<Said> {
    Some(match word {
        "zero" | "oh" | "cero" | "nought" => Said::Unit(0),
        "one" | "uno" => Said::Unit(1),
        "two" | "dos" => Said::Unit(2),
        "three" | "tres" => Said::Unit(3),
        "four" | "cuatro" | "quatro" => Said::Unit(4),
        "five" | "cinco" => Said::Unit(5),
        "six" | "seis" => Said::Unit(6),
        "seven" | "siete" | "sete" => Said::Unit(7),
        "eight" | "ocho" | "oito" => Said::Unit(8),
        "nine" | "niner" | "nueve" | "nove" => Said::Unit(9),
        "ten" => Said::Teen(10),
        "eleven" => Said::Teen(11),
        "twelve" => Said::Teen(12),
        "thirteen" => Said::Teen(13),
        "fourteen" => Said::Teen(14),
        "fifteen" => Said::Teen(15),
        "sixteen" => Said::Teen(16),
        "seventeen" => Said::Teen(17),
        "eighteen" => Said::Teen(18),
        "nineteen" => Said::Teen(19),
        "twenty" => Said::Tens(2),
        "thirty" => Said::Tens(3),
        "forty" | "fourty" => Said::Tens(4),
        "fifty" => Said::Tens(5),
        "sixty" => Said::Tens(6),
        "seventy" => Said::Tens(7),
        "eighty" => Said::Tens(8),
        "ninety" => Said::Tens(9),
        "hundred" => Said::Hundred,
        "double" => Said::Times(2),
        "triple" | "treble" => Said::Times(3),
        "dash" | "hyphen" | "guion" => Said::Sign('-'),
        "dot" | "period" | "punto" => Said::Sign('.'),
        "slash" => Said::Sign('/'),
        _ => return None,
    })
}

/// Whether a word is a number in words.
pub(super) fn is_number_word(word: &str) -> bool {
    word.len() >= 2
        && word.len() <= 9
        && word.as_bytes().first().is_some_and(|first| b"zoctdqsneftn".contains(first))
        && said(word).is_some_and(|said| !matches!(said, Said::Sign(_) | Said::Times(_)))
}

/// The digit that a word or a digit says.
pub(super) fn digit(word: &str) -> Option<char> {
    match (said(word), word.as_bytes()) {
        (Some(Said::Unit(unit)), _) => Some(char::from(b'0' + unit)),
        (None, [digit @ b'0'..=b'9']) => Some(char::from(*digit)),
        _ => None,
    }
}

/// Whether a word is several digits in words run together.
pub(super) fn is_run_together(word: &str) -> bool {
    together(word).is_some()
}

/// The digits of words run together, three or more: `fourfourseven`.
fn together(word: &str) -> Option<String> {
    const UNITS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let mut rest = word;
    let mut digits = String::new();
    while !rest.is_empty() {
        let (unit, tail) = ('0'..='9')
            .zip(UNITS)
            .find_map(|(digit, unit)| Some((digit, rest.strip_prefix(unit)?)))?;
        digits.push(unit);
        rest = tail;
    }
    (digits.len() >= 3).then_some(digits)
}

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        let word = page.word(at);
        if word.len() >= 10
            && let Some(digits) = together(word)
        {
            out.push(whole(page.span(at), &digits, Kind::Spelled));
            at += 1;
            continue;
        }
        let end = run(page, at);
        if end > at
            && let Some(rewrite) = number(page, at, end)
        {
            out.push(rewrite);
        }
        at = end.max(at + 1);
    }
}

fn is_digits(page: &Page<'_>, at: usize) -> bool {
    page.shape(at) == Shape::Digits
        && page.word(at).len() <= LONGEST_DIGITS
        && page.word(at).is_ascii()
}

fn is_item(page: &Page<'_>, at: usize) -> bool {
    // `o` is a zero among digits only, and a capital letter part of a code.
    is_digits(page, at)
        || page.word(at) == "o"
        || is_letter(page, at)
        || said(page.word(at)).is_some_and(|said| !matches!(said, Said::Sign(_)))
}

/// A letter within a code.
fn is_letter(page: &Page<'_>, at: usize) -> bool {
    let written = page.written(page.span(at));
    written.len() == 1
        && written.starts_with(|c: char| c.is_ascii_uppercase() && c != 'I' && c != 'A')
}

/// One past the last word of a run that begins here and says a number.
fn run(page: &Page<'_>, first: usize) -> usize {
    if !is_item(page, first)
        || is_letter(page, first)
        || matches!(page.word(first), "o" | "hundred")
    {
        return first;
    }
    let follows = |at: usize| {
        at < page.len()
            && page.between(at).chars().count() <= 5
            && !page.gap(at).has(Gap::OTHER)
            && !page.between(at).contains(';')
            && !(page.gap(at).has(Gap::STOP)
                && !page.between(at).starts_with(' ')
                && page.reading.at(at, 0).is_some_and(|word| word.token.starts_sentence))
    };
    let mut end = first + 1;
    while follows(end) {
        // A letter alone ends no number.
        let closed = || follows(end + 1) && is_item(page, end + 1) && !is_letter(page, end + 1);
        if is_letter(page, end) && !(page.gap(end).only(Gap::SPACE) && closed()) {
            break;
        }
        if is_item(page, end) {
            end += 1;
        } else if matches!(said(page.word(end)), Some(Said::Sign(_)))
            && follows(end + 1)
            && is_item(page, end + 1)
        {
            end += 2;
        } else {
            break;
        }
    }
    end
}

/// The number that a run of words says, if it is long enough to be one.
fn number(page: &Page<'_>, first: usize, end: usize) -> Option<Rewrite> {
    let spelled = (first..end).filter(|at| is_number_word(page.word(*at))).count();
    let digits = (first..end).any(|at| is_digits(page, at));
    // `2026/04/03/one-way`, `20/five`: one word beside digits is part of them only where nothing parts them.
    let plain = (first + 1..end).all(|at| page.between(at).starts_with(' '));
    if (digits && spelled < 2 && !plain) || page.in_link(first) {
        return None;
    }
    let amount = matches!(page.word(end), "thousand" | "million" | "percent" | "mil");
    let month = |at: Option<usize>| at.is_some_and(|at| page.classes(at).has(Class::Month));
    let beside_month = month(first.checked_sub(1)) || month(Some(end));
    if spelled == 0 || (end - first < 2 && !beside_month) || amount {
        return None;
    }
    // A sign between all of them groups nothing.
    let grouped = (first + 1..end).any(|at| page.gap(at).only(Gap::SPACE.and(Gap::LINE)));
    let mut with: Vec<(char, Span)> = Vec::new();
    let mut times = 1;
    let mut at = first;
    while at < end {
        let span = page.span(at);
        let joins_tens = at > first && matches!(said(page.word(at - 1)), Some(Said::Tens(_)));
        if at > first && grouped && !(joins_tens && page.gap(at) == Gap::HYPHEN) {
            group(page, at, &mut with);
        }
        let mut say = |digits: &str| {
            for _ in 0..times {
                with.extend(digits.chars().map(|digit| (digit, span)));
            }
            times = 1;
        };
        match said(page.word(at)) {
            Some(Said::Unit(unit)) => say(&unit.to_string()),
            Some(Said::Teen(teen)) => say(&teen.to_string()),
            Some(Said::Tens(tens)) => match said(page.word(at + 1)) {
                Some(Said::Unit(unit))
                    if unit > 0
                        && at + 1 < end
                        && page.gap(at + 1).only(Gap::SPACE.and(Gap::HYPHEN)) =>
                {
                    say(&format!("{tens}{unit}"));
                    at += 1;
                }
                _ => say(&format!("{tens}0")),
            },
            Some(Said::Hundred) => match said(page.word(at + 1)) {
                // `one hundred twelve` and `eight hundred`.
                Some(Said::Teen(_) | Said::Tens(_)) if at + 1 < end => {}
                _ => say("00"),
            },
            Some(Said::Times(n)) => times = n,
            Some(Said::Sign(sign)) => with.push((sign, span)),
            None if page.word(at) == "o" => say("0"),
            None if is_letter(page, at) => with.extend(page.chars(span)),
            None => say(page.word(at)),
        }
        at += 1;
    }
    let n_digits = with.iter().filter(|(c, _)| c.is_ascii_digit()).count();
    let labelled = (1..=3)
        .any(|back| first.checked_sub(back).is_some_and(|at| page.classes(at).meets(LABELS)));
    let aged = (2..=3).contains(&n_digits) && page.classes(end).has(Class::AgeUnit);
    // `may one of us`
    let dated = (2..=4).contains(&n_digits) && beside_month;
    let enough = (n_digits >= FEW_DIGITS && end - first >= 3)
        || (labelled && n_digits >= 2)
        || aged
        || dated;
    let span = Span::new(page.span(first).start(), page.span(end - 1).end());
    enough.then_some(Rewrite { span, with, kind: Kind::Spelled })
}

/// The sign between two groups of a number, if one stands there.
fn group(page: &Page<'_>, at: usize, with: &mut Vec<(char, Span)>) {
    let between = page.between(at);
    if between.chars().all(char::is_whitespace)
        || with.last().is_none_or(|(c, _)| !c.is_ascii_digit())
    {
        return;
    }
    let sign = if between.contains('/') {
        '/'
    } else if between.contains(')') {
        ')'
    } else if between.contains('.') && !between.contains(' ') {
        '.'
    } else {
        '-'
    };
    with.push((sign, Span::new(page.span(at - 1).end(), page.span(at).start())));
}
