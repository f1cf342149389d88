//! Letters and digits set apart so that no filter reads them: `J o h n`, `D.a.n.i.e.l`, `4-4-7-1`, one a line.

use crate::detect::disguise::page::{Page, as_name, small};
use crate::detect::disguise::split;
use crate::normalize::{Kind, Rewrite};
use crate::rules::{Class, Entry};
use crate::span::Span;

/// The longest sign that sets letters apart, in bytes: an emoji of several code points.
const LONGEST_GAP: usize = 16;
/// The most signs between two words that are set apart.
const MOST_SIGNS: usize = 12;
/// More letters are no single word.
const LONG: usize = 16;
/// Fewer letters or digits are initials, a blood group, a score.
const FEW: usize = 4;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        if !page.is_single(at) {
            at += 1;
            continue;
        }
        let inner = inner(page, at);
        let end = run(page, at, inner);
        // Letters that are left of a mask, `N*k*g*w*`, are no word.
        let masked = inner == "*"
            && page
                .text()
                .get(page.span(end - 1).end()..)
                .is_some_and(|rest| rest.starts_with('*'));
        if end > at + 1 && !masked {
            joined(page, at, end, inner, out);
        }
        at = end.max(at + 1);
    }
}

/// What stands between the letters of a word here: the shorter of the first two gaps, for the first may be one between
/// words (`8   A u g u s t`).
fn inner<'t>(page: &Page<'t>, first: usize) -> &'t str {
    let gap = page.between(first + 1);
    let singles = (first + 1..first + 5).take_while(|at| page.is_single(*at));
    let gaps =
        singles.map(|at| page.between(at)).filter(|next| !next.is_empty() && gap.contains(next));
    gaps.min_by_key(|next| next.len()).unwrap_or(gap)
}

/// One past the last of the single letters that a run takes in.
fn run(page: &Page<'_>, first: usize, inner: &str) -> usize {
    if inner.is_empty() || inner.len() > LONGEST_GAP || inner.starts_with(". ") {
        return first + 1;
    }
    let listed = inner.contains([',', ';', '&', '+']);
    let mut end = first + 1;
    while page.is_single(end) {
        let gap = page.between(end);
        let goes_on = gap == inner || widens(inner, gap);
        // Another sign between the letters that follow begins another word.
        let other =
            gap != inner && page.is_single(end + 1) && !page.between(end + 1).contains(inner);
        // `A, B, C` are three things; `4, 4, 7` may be one.
        if !goes_on || other || (listed && !(is_digit(page, end) && is_digit(page, end - 1))) {
            break;
        }
        end += 1;
    }
    end
}

fn is_digit(page: &Page<'_>, at: usize) -> bool {
    page.word(at).as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Whether a gap is one between words where `inner` stands between letters: more blanks, or signs set apart as well.
fn widens(inner: &str, gap: &str) -> bool {
    let blank = inner.chars().all(char::is_whitespace);
    let is_sign = |c: char| {
        if blank {
            c.is_whitespace() || c.is_ascii_punctuation()
        } else {
            matches!(c, ' ' | '-' | '/' | '.' | '|' | '_' | ':' | '(' | ')' | '@')
        }
    };
    // `A B, C`: signs that are not set apart as the letters are end the run.
    let apart = !blank || gap.starts_with(inner) || gap.chars().all(char::is_whitespace);
    apart
        && !gap.is_empty()
        && gap.chars().count() <= MOST_SIGNS
        && gap.chars().all(|c| is_sign(c) || inner.contains(c))
}

/// What a gap between words says: its signs, and a blank where there were more than between letters.
fn signs(inner: &str, gap: &str) -> String {
    let blank = inner.chars().all(char::is_whitespace);
    let said: String =
        gap.chars().filter(|c| !c.is_whitespace() && (blank || !inner.contains(*c))).collect();
    let wide = gap.contains("  ") || (!blank && gap.contains(' '));
    match (said.is_empty(), wide) {
        (true, _) => " ".to_owned(),
        (false, false) => said,
        (false, true) => {
            if gap.ends_with("  ") {
                said + " "
            } else if gap.starts_with("  ") {
                format!(" {said}")
            } else {
                said
            }
        }
    }
}

/// Adds the words of a run, and the marks between them, if any of them is worth it. Each is a rewrite of its own, so that
/// a finding in one is none of the others.
fn joined(page: &Page<'_>, first: usize, end: usize, inner: &str, out: &mut Vec<Rewrite>) {
    let mut words: Vec<Vec<(char, Span)>> = vec![Vec::new()];
    let mut marks: Vec<(String, Span)> = Vec::new();
    for at in first..end {
        let gap = page.between(at);
        if at > first && gap != inner {
            let place = Span::new(page.span(at - 1).end(), page.span(at).start());
            marks.push((signs(inner, gap), place));
            words.push(Vec::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(page.chars(page.span(at)));
        }
    }
    let dated = end - first >= 3
        && !inner.contains(',')
        && marks.iter().any(|(mark, _)| matches!(mark.as_str(), "/" | "-" | "." | ":"))
        && (first..end).filter(|at| is_digit(page, *at)).count() >= 2;
    let blank = inner.chars().all(|c| c.is_whitespace() || c == '_');
    let enough = words.iter().any(|word| is_enough(page, word, blank));
    if !(enough || dated || is_age(page, first, end)) {
        return;
    }
    // `( 9 2 8 )`, `+ 1 3 1 2`: a sign before the first is set apart with them.
    let before = page.text().get(..page.span(first).start()).unwrap_or_default();
    if let Some(head) = before.strip_suffix(inner)
        && head.ends_with(['(', '+', '#', '@', '$'])
    {
        let gap = Span::new(head.len(), before.len());
        out.push(Rewrite { span: gap, with: Vec::new(), kind: Kind::Spaced });
    }
    for (nth, word) in words.iter().enumerate() {
        if let Some((mark, place)) = nth.checked_sub(1).and_then(|nth| marks.get(nth)) {
            let with = mark.chars().map(|c| (c, *place)).collect();
            out.push(Rewrite { span: *place, with, kind: Kind::Spaced });
        }
        // Where wider gaps part the words, none of them is several.
        write(page, word, words.len() == 1 || word.len() > LONG, out);
    }
}

/// Whether two digits are an age: `turns 9 4`, `9 4 years old`.
fn is_age(page: &Page<'_>, first: usize, end: usize) -> bool {
    let says = |word: &str| {
        matches!(word, "is" | "was" | "s" | "turns" | "turned" | "turning" | "aged" | "age")
    };
    let before = first.checked_sub(1).is_some_and(|at| says(page.word(at)));
    // `was 9.9` is a measure.
    let measured = page.between(first + 1).contains(['.', ',', '-', '/', ':']);
    !measured
        && (2..=3).contains(&(end - first))
        && (first..end).all(|at| is_digit(page, at))
        && (before || page.classes(end).has(Class::AgeUnit))
}

/// Whether what was set apart is worth reading as one: four letters, four digits, the label of a number, a short name,
/// a month, an ordinal, a room.
fn is_enough(page: &Page<'_>, word: &[(char, Span)], blank: bool) -> bool {
    let (head, _) = label(page, word);
    if word.len() >= FEW || head > 0 {
        return true;
    }
    if word.len() < 3 {
        return false;
    }
    let written = small(word);
    let entry = page.look_up(&written);
    let ordinal = written.starts_with(|c: char| c.is_ascii_digit())
        && ["st", "nd", "rd", "th"].iter().any(|end| written.ends_with(end));
    as_name(entry) >= 10
        || entry.classes.has(Class::Month)
        || ordinal
        || (blank && written.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How many letters at the beginning of a word label a number (`mrn4471`), and whether digits follow.
fn label(page: &Page<'_>, word: &[(char, Span)]) -> (usize, bool) {
    let n_letters = word.iter().take_while(|(c, _)| c.is_alphabetic()).count();
    let letters = small(word.get(..n_letters).unwrap_or_default());
    let labels = n_letters >= 3 && page.look_up(&letters).classes.has(Class::IdWord);
    (if labels { n_letters } else { 0 }, n_letters < word.len())
}

/// Writes one word; where capitals or the lists say that it is several, as several.
fn write(page: &Page<'_>, word: &[(char, Span)], split: bool, out: &mut Vec<Rewrite>) {
    let mut cuts = Vec::new();
    let (head, numbered) = label(page, word);
    if head > 0 && numbered {
        cuts.push(head);
    }
    let mut last: Option<char> = None;
    for (at, (c, _)) in word.iter().enumerate() {
        let turns = last.is_some_and(|last| {
            (c.is_uppercase() && last.is_lowercase())
                || (c.is_uppercase()
                    && last.is_ascii_digit()
                    && word.get(at + 1).is_some_and(|(next, _)| next.is_lowercase()))
                || (c.is_ascii_digit() && last.is_lowercase())
        });
        if turns {
            cuts.push(at);
        }
        last = Some(*c);
    }
    if split
        && cuts.is_empty()
        && word.len() > FEW
        && word.iter().all(|(c, _)| c.is_ascii_alphabetic())
    {
        let letters = small(word);
        if page.look_up(&letters) == Entry::default() {
            cuts = split::cuts(page, &letters);
        }
    }
    let mut from = 0;
    for cut in cuts.into_iter().chain([word.len()]) {
        let part = word.get(from..cut).unwrap_or_default();
        from = cut;
        let (Some((_, first)), Some((_, last))) = (part.first(), part.last()) else { continue };
        let span = first.union(*last);
        out.push(Rewrite { span, with: part.to_vec(), kind: Kind::Spaced });
        if let Some((_, next)) = word.get(cut) {
            let gap = Span::new(span.end(), next.start());
            out.push(Rewrite { span: gap, with: vec![(' ', gap)], kind: Kind::Spaced });
        }
    }
}
