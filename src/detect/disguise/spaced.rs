//! Letters and digits set apart so that no filter reads them: `J o h n`, `D.a.n.i.e.l`, `4-4-7-1`, one a line.

use crate::detect::disguise::page::{Page, small};
use crate::detect::disguise::split;
use crate::normalize::{Kind, Rewrite};
use crate::rules::Class;
use crate::span::Span;

/// The longest sign that sets letters apart, in bytes: an emoji of several code points.
const LONGEST_GAP: usize = 16;
/// Fewer letters or digits are initials, a blood group, a score.
const FEW: usize = 4;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let mut at = 0;
    while at < page.len() {
        if !page.is_single(at) {
            at += 1;
            continue;
        }
        let end = run(page, at);
        if end > at + 2 {
            joined(page, at, end, out);
        }
        at = end.max(at + 1);
    }
}

/// One past the last of the single letters that a run takes in.
fn run(page: &Page<'_>, first: usize) -> usize {
    let inner = page.between(first + 1);
    let is_digits = |at: usize| page.word(at).as_bytes().first().is_some_and(u8::is_ascii_digit);
    if inner.is_empty() || inner.len() > LONGEST_GAP {
        return first + 1;
    }
    let listed =
        inner.contains(',') || inner.contains(';') || inner.contains('&') || inner.contains('+');
    let mut end = first + 1;
    while page.is_single(end) {
        let gap = page.between(end);
        let goes_on = gap == inner || widens(inner, gap);
        // `A, B, C` are three things; `4, 4, 7` may be one.
        // Another sign between the letters that follow begins another word.
        let other =
            gap != inner && page.is_single(end + 1) && !page.between(end + 1).contains(inner);
        if !goes_on || other || (listed && !(is_digits(end) && is_digits(end - 1))) {
            break;
        }
        end += 1;
    }
    end
}

/// Whether a gap is one between words where `inner` stands between letters: more blanks, or a mark of grouping.
fn widens(inner: &str, gap: &str) -> bool {
    let is_mark = |c: char| {
        c.is_whitespace() || matches!(c, '-' | '/' | '.' | '|' | '_' | ':' | '(' | ')' | '@')
    };
    !gap.is_empty()
        && gap.chars().count() <= 5
        && gap.chars().all(|c| is_mark(c) || inner.contains(c))
}

/// Adds the words of a run, and the marks between them, if any of them is worth it. Each is a rewrite of its own, so that
/// a finding in one is none of the others.
fn joined(page: &Page<'_>, first: usize, end: usize, out: &mut Vec<Rewrite>) {
    let inner = page.between(first + 1);
    let mut words: Vec<Vec<(char, Span)>> = vec![Vec::new()];
    let mut marks: Vec<(char, Span)> = Vec::new();
    for at in first..end {
        let gap = page.between(at);
        if at > first && gap != inner {
            let place = Span::new(page.span(at - 1).end(), page.span(at).start());
            let mark = gap
                .chars()
                .find(|c| matches!(c, '-' | '/' | '.' | '@' | ':') && !inner.contains(*c));
            marks.push((mark.unwrap_or(' '), place));
            words.push(Vec::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(page.chars(page.span(at)));
        }
    }
    if !words.iter().any(|word| is_enough(page, word)) {
        return;
    }
    for (nth, word) in words.iter().enumerate() {
        if let Some(&(mark, place)) = nth.checked_sub(1).and_then(|nth| marks.get(nth)) {
            out.push(Rewrite { span: place, with: vec![(mark, place)], kind: Kind::Spaced });
        }
        write(page, word, out);
    }
}

/// Whether what was set apart is worth reading as one: four letters, four digits, or the label of a number.
fn is_enough(page: &Page<'_>, word: &[(char, Span)]) -> bool {
    let (head, _) = label(page, word);
    word.len() >= FEW || head > 0
}

/// How many letters at the beginning of a word label a number (`mrn4471`), and whether digits follow.
fn label(page: &Page<'_>, word: &[(char, Span)]) -> (usize, bool) {
    let n_letters = word.iter().take_while(|(c, _)| c.is_alphabetic()).count();
    let letters = small(word.get(..n_letters).unwrap_or_default());
    let labels = n_letters >= 3 && page.look_up(&letters).classes.has(Class::IdWord);
    (if labels { n_letters } else { 0 }, n_letters < word.len())
}

/// Writes one word; where capitals or the lists say that it is several, as several.
fn write(page: &Page<'_>, word: &[(char, Span)], out: &mut Vec<Rewrite>) {
    let mut cuts = Vec::new();
    let (head, numbered) = label(page, word);
    if head > 0 && numbered {
        cuts.push(head);
    }
    let mut last: Option<char> = None;
    for (at, (c, _)) in word.iter().enumerate() {
        if c.is_uppercase() && last.is_some_and(char::is_lowercase) {
            cuts.push(at);
        }
        last = Some(*c);
    }
    let letters = small(word);
    let is_ascii = word.iter().all(|(c, _)| c.is_ascii_alphabetic());
    if cuts.is_empty() && is_ascii && page.look_up(&letters).classes.is_empty() {
        let entry = page.look_up(&letters);
        if entry.word == 0 && entry.first == 0 && entry.last == 0 {
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
