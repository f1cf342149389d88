//! Letters by the spelling alphabet: `Juliett Oscar Hotel November`.

use crate::detect::disguise::page::Page;
use crate::detect::disguise::spelled;
use crate::detect::token::Gap;
use crate::normalize::{Kind, Rewrite};
use crate::span::Span;

/// The letter for which a word of the spelling alphabet stands. `X-ray` is two words.
pub(super) fn letter(word: &str) -> Option<char> {
    Some(match word {
        "alpha" | "alfa" => 'A',
        "bravo" => 'B',
        "charlie" => 'C',
        "delta" => 'D',
        "echo" => 'E',
        "foxtrot" => 'F',
        "golf" => 'G',
        "hotel" => 'H',
        "india" => 'I',
        "juliet" | "juliett" | "juliette" => 'J',
        "kilo" => 'K',
        "lima" => 'L',
        "mike" => 'M',
        "november" => 'N',
        "oscar" => 'O',
        "papa" => 'P',
        "quebec" => 'Q',
        "romeo" => 'R',
        "sierra" => 'S',
        "tango" => 'T',
        "uniform" => 'U',
        "victor" => 'V',
        "whiskey" | "whisky" => 'W',
        "xray" => 'X',
        "yankee" => 'Y',
        "zulu" => 'Z',
        _ => return None,
    })
}

/// Words of the alphabet that are names as well: a list of these alone is a list of people.
fn is_name(word: &str) -> bool {
    matches!(
        word,
        "charlie"
            | "juliet"
            | "juliett"
            | "juliette"
            | "mike"
            | "oscar"
            | "romeo"
            | "victor"
            | "papa"
            | "india"
    )
}

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        let end = run(page, at);
        let letters = (at..end).filter(|at| letter(page.word(*at)).is_some());
        let sure = (at..end).any(|at| letter(page.word(at)).is_some() && !is_name(page.word(at)));
        if letters.count() >= 3 && sure {
            out.push(joined(page, at, end));
        }
        at = end.max(at + 1);
    }
}

/// One past the last word of a run of spelled letters and digits that begins here with a letter.
fn run(page: &Page<'_>, first: usize) -> usize {
    let after_x = |at: usize| at.checked_sub(1).is_some_and(|at| is_x(page, at));
    let spoken = |at: usize| letter(page.word(at)).is_some() || is_x(page, at) || after_x(at);
    if !spoken(first) {
        return first;
    }
    let mut end = first + 1;
    while end < page.len()
        && (spoken(end) || spelled::digit(page.word(end)).is_some())
        && page.between(end).len() <= 4
        && !(page.gap(end).has(Gap::STOP) && page.gap(end).has(Gap::SPACE))
    {
        end += 1;
    }
    end
}

/// Whether a word is the `X` of `X-ray`.
fn is_x(page: &Page<'_>, at: usize) -> bool {
    page.word(at) == "x" && page.word(at + 1) == "ray" && page.gap(at + 1) == Gap::HYPHEN
}

fn joined(page: &Page<'_>, first: usize, end: usize) -> Rewrite {
    // Blanks between letters make another sign the end of a word; where all have a sign it says nothing.
    let blank = |at: usize| page.gap(at).only(Gap::SPACE);
    let after_x = |at: usize| at.checked_sub(1).is_some_and(|at| is_x(page, at));
    let grouped = (first + 1..end).any(blank);
    let mut with: Vec<(char, Span)> = Vec::new();
    let mut starts = true;
    for at in first..end {
        if at > first && grouped && !blank(at) && !page.gap(at).only(Gap::HYPHEN) {
            with.push((' ', Span::new(page.span(at - 1).end(), page.span(at).start())));
            starts = true;
        }
        if is_x(page, at) {
            continue;
        }
        let word = page.word(at);
        let x = after_x(at);
        if let Some(c) = letter(word).or(x.then_some('X')) {
            // Its capitals say nothing; written as a name is.
            let c = if starts { c } else { c.to_ascii_lowercase() };
            let from = if x { page.span(at - 1).union(page.span(at)) } else { page.span(at) };
            with.push((c, from));
            starts = false;
        } else if let Some(digit) = spelled::digit(word) {
            with.push((digit, page.span(at)));
        }
    }
    let span = Span::new(page.span(first).start(), page.span(end - 1).end());
    Rewrite { span, with, kind: Kind::Spelled }
}
