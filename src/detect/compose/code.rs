//! Codes without a label: what looks like a number of somebody and is known to be nothing else.
//!
//! Default deny inside care: where a post is about a patient, `RT448120` is taken for one of the patient's numbers,
//! for nobody writes a code for its beauty. Elsewhere it shows nothing, and only a policy that takes whatever is of
//! low confidence acts on it. Hosts of links are read here as well.

use crate::detect::candidate::Candidate;
use crate::detect::compose::address::ordinal;
use crate::detect::compose::link::{host, link, mailbox};
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Proposal, Standing};
use crate::detect::generalize::generalized;
use crate::detect::labelled::code::{Code, counts_something};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Category, Class, Confidence};
use crate::span::Span;

/// Proposes every code and every host.
pub(super) fn propose(reading: &Reading<'_>, out: &mut Vec<Proposal>) {
    let mut at = 0;
    while let Some(word) = reading.at(at, 0) {
        if let Some(last) = host(reading, at) {
            if let Some(first) = mailbox(reading, at, last) {
                let span = reading.span(first, last);
                out.push(proposal(Composer::EmailAtHost, Standing::WithPost, span, (first, last)));
            }
            if let Some((span, end)) = link(reading, at, last) {
                out.push(proposal(Composer::UrlInCare, Standing::WithPost, span, (at, end)));
            }
            out.push(proposal(
                Composer::UrlHost,
                Standing::Loose,
                reading.span(at, last),
                (at, last),
            ));
            at = last + 1;
            continue;
        }
        if is_zip(reading, at) {
            let span = reading.span(at, at);
            let digits = span.of(reading.text.view.text()).unwrap_or_default();
            let zip = proposal(Composer::ZipInCare, Standing::WithPost, span, (at, at));
            out.push(Proposal { generalized: generalized(Category::Zip, digits), ..zip });
        }
        // A code begins with a number, or with letters that a number is joined to.
        let near = word.token.shape.is_number()
            || reading.at(at, 1).is_some_and(|next| {
                next.token.shape.is_number()
                    && next.token.gap.only(Gap::SPACE.and(Gap::HYPHEN).and(Gap::UNDERSCORE))
            });
        let code = if near { Code::at(reading.text, at, None) } else { None };
        let Some(code) = code else {
            at += 1;
            continue;
        };
        let last = code.next - 1;
        if is_code(reading, &code) && !word.token.tagged && !in_link(reading, code.span()) {
            let standing = if is_plain(&code) { Standing::WithPost } else { Standing::Loose };
            out.push(proposal(Composer::CodeBare, standing, code.span(), (at, last)));
        }
        at = last + 1;
    }
}

/// `from 43608`, `Arcata 95521`: five digits where a place stands, that count nothing.
fn is_zip(reading: &Reading<'_>, at: usize) -> bool {
    let Some(word) = reading.at(at, 0) else { return false };
    if word.token.shape != Shape::Digits || word.token.span.len() != 5 {
        return false;
    }
    let round = reading.word(at).ends_with("00");
    let Some(before) = at.checked_sub(1).and_then(|at| reading.at(at, 0)) else { return false };
    let told = before.classes.has(Class::PlaceBefore)
        || before.classes.has(Class::StateCode)
        || before.classes.has(Class::State)
        || before.place.0 > 0
        || before.within_phrase;
    let marks = Gap::SPACE.and(Gap::COMMA).and(Gap::BRACKET);
    // `in 12345 steps`: what follows is counted, unless it is a small word.
    let counted = reading.at(at, 1).is_some_and(|next| {
        next.token.gap.only(Gap::SPACE)
            && next.token.shape == Shape::Lower
            && reading.word(at + 1).len() > 4
            && reading.word(at + 1).ends_with('s')
    });
    told && !round
        && word.token.gap.only(marks)
        && !before.classes.has(Class::IdWord)
        && !counted
        && !counts_something(reading.text, at)
}

/// Leaves out the codes that a rule of their own has found.
pub(super) fn leave_known(proposals: &mut Vec<Proposal>, hits: &[Candidate]) {
    if !proposals.iter().any(|proposal| proposal.composer == Composer::CodeBare) {
        return;
    }
    let mut known: Vec<Span> = hits
        .iter()
        .filter(|hit| hit.confidence >= Some(Confidence::Medium))
        .map(|hit| hit.span)
        .collect();
    known.sort_unstable();
    proposals.retain(|proposal| {
        let until = known.partition_point(|hit| hit.start() <= proposal.span.start());
        let near = known.get(until.saturating_sub(4)..until).unwrap_or_default();
        proposal.composer != Composer::CodeBare || !near.iter().any(|hit| hit.covers(proposal.span))
    });
}

fn proposal(composer: Composer, standing: Standing, span: Span, words: (usize, usize)) -> Proposal {
    Proposal {
        composer,
        span,
        words,
        tied: f32::NEG_INFINITY,
        like: 0.0,
        sure: false,
        standing,
        generalized: None,
        parts: Vec::new(),
    }
}

/// Whether a number may be somebody's: long, or mixed with letters, and no date, time, dose, range or decimal.
fn is_code(reading: &Reading<'_>, code: &Code) -> bool {
    if code.is_date() || code.is_year() || code.is_decimal() || code.is_measure() {
        return false;
    }
    // `WI 54701` is a state and its code of the post.
    let zip = code.n_groups == 2
        && code.n_digits == 5
        && reading.text.tokens.get(code.next - 2).is_some_and(|token| token.span.len() == 2);
    if zip || code.has_commas() || code.is_range() || counts_something(reading.text, code.next - 1)
    {
        return false;
    }
    let view = reading.text.view.text();
    let head = view.get(..code.start).unwrap_or_default();
    if head.ends_with(['$', '€', '£', '~', '<', '>']) || head.ends_with("+-") {
        return false;
    }
    if code.n_letters == 0 {
        return code.n_digits >= 6 || (code.n_spelled >= 4 && code.n_digits >= 7);
    }
    let begins_day = reading.at(code.next - code.n_groups, 0).is_some_and(|word| {
        ordinal(word.token.span.of(view).unwrap_or_default()) || word.classes.has(Class::Month)
    });
    !begins_day
        && code.n_letters <= 40
        && (code.n_digits >= 5
            || (code.n_digits == 4
                && code.is_joined()
                && code.letters_first
                && code.n_letters >= 2))
}

/// Whether it is written as codes are: together or joined, not as numbers that happen to follow each other.
const fn is_plain(code: &Code) -> bool {
    code.n_digits >= 7
        || (code.n_spelled == 0 && (code.n_groups == 1 || (code.is_joined() && code.n_groups <= 6)))
}

/// Whether a run of signs ends like a file's name. Devices and libraries name files by codes of their own.
fn is_file_name(run: &str) -> bool {
    const ENDINGS: [&str; 18] = [
        "png", "jpg", "jpeg", "gif", "webp", "heic", "heif", "avif", "bmp", "tiff", "mp4", "mov",
        "webm", "m4a", "mp3", "wav", "vtt", "srt",
    ];
    let run = run.trim_end_matches([')', ',', ';', '"', '\'', '!', '?']);
    run.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// Whether a span is part of a link, an address of mail or a file's name.
fn in_link(reading: &Reading<'_>, span: Span) -> bool {
    const REACH: usize = 120;
    let view = reading.text.view.text();
    let edge = |c: char| c.is_whitespace();
    let from = (span.start().saturating_sub(REACH)..=span.start())
        .find(|at| view.is_char_boundary(*at))
        .unwrap_or(span.start());
    let head = view.get(from..span.start()).unwrap_or_default();
    let head = head.rsplit(edge).next().unwrap_or_default();
    let tail = view.get(span.end()..).unwrap_or_default();
    let run = tail.char_indices().take(REACH).find(|(_, c)| c.is_whitespace());
    let run = run.map_or(tail.len().min(REACH), |(at, _)| at);
    let run = (0..=run).rev().find_map(|end| tail.get(..end)).unwrap_or_default();
    is_file_name(run)
        || head.contains("://")
        || head.contains('@')
        || (head.contains('.') && head.contains('/'))
        || head.ends_with(['?', '&', '='])
        || tail.starts_with('@')
}
