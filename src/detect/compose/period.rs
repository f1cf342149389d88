//! Times and spans of time: what stands with a date and makes it finer.
//!
//! `at 7:30 PM on Fri, Sep 20`, `from 18th Dec for 10 days`, `9:30 - 11:00`: the hours of a visit are finer than its
//! day. They name no day by themselves, so they are of low confidence.

use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Proposal, Standing};
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;

/// The most parts that one expression has.
const MOST_PARTS: usize = 12;

/// Proposes every expression of two parts or more. `dates` are the first and last words of the dates, in order.
pub(super) fn propose(reading: &Reading<'_>, dates: &[(usize, usize)], out: &mut Vec<Proposal>) {
    let mut at = 0;
    while at < reading.words.len() {
        let found = period(reading, dates, at).or_else(|| alone(reading, at));
        let Some((first, last)) = found else {
            at += 1;
            continue;
        };
        out.push(Proposal {
            composer: Composer::DatePartial,
            span: reading.span(first, last),
            words: (first, last),
            tied: f32::NEG_INFINITY,
            like: 0.0,
            sure: false,
            standing: Standing::Loose,
            generalized: None,
            parts: Vec::new(),
        });
        at = last + 1;
    }
}

/// The expression that begins at a word.
fn period(reading: &Reading<'_>, dates: &[(usize, usize)], at: usize) -> Option<(usize, usize)> {
    if !(is_lead(reading.word(at)) || part(reading, dates, at).is_some()) {
        return None;
    }
    // `from the 13th to the 15th`: a span of time is said so.
    let (mut last, mut points) = (at, usize::from(matches!(reading.word(at), "from" | "between")));
    let mut n_parts = 0;
    let mut next = at;
    for nth in 0..MOST_PARTS {
        let mut here = next;
        if nth > 0 && !joins(reading, here) {
            break;
        }
        let mut n_links = 0;
        while part(reading, dates, here).is_none()
            && n_links < 2
            && is_link(reading.word(here))
            && (here == at || joins(reading, here))
        {
            here += 1;
            n_links += 1;
        }
        if here > at && !joins(reading, here) {
            break;
        }
        let Some((end, worth)) = part(reading, dates, here) else { break };
        points += worth;
        n_parts += 1;
        last = end;
        next = end + 1;
    }
    (points >= 2 && n_parts > 0).then_some((at, last))
}

/// A part of an expression, its last word, and whether it is one by itself.
fn part(reading: &Reading<'_>, dates: &[(usize, usize)], at: usize) -> Option<(usize, usize)> {
    if let Some(duration) = duration(reading, at) {
        return Some(duration);
    }
    if let Ok(found) = dates.binary_search_by_key(&at, |date| date.0) {
        return dates.get(found).map(|date| (date.1, 1));
    }
    // `9:30 - 11:00`, `9 to 5` is none.
    if let Some((end, minutes)) = clock(reading, at) {
        let dashed = reading.gap(end + 1).has(Gap::HYPHEN) && joins(reading, end + 1);
        let until = clock(reading, end + 1).filter(|until| dashed && (minutes || until.1));
        return Some(until.map_or((end, 1), |(end, _)| (end, 2)));
    }
    matches!(reading.word(at), "morning" | "afternoon" | "evening" | "night" | "noon" | "midnight")
        .then_some((at, 1))
}

/// `10 days`, `1/2 h`
fn duration(reading: &Reading<'_>, at: usize) -> Option<(usize, usize)> {
    let number = reading.at(at, 0)?.number?;
    let before = at.checked_sub(1).map(|at| reading.word(at));
    if !matches!(before, Some("for" | "in")) {
        return None;
    }
    let unit = |at: usize| {
        reading.gap(at).only(Gap::SPACE)
            && matches!(
                reading.word(at),
                "h" | "hr"
                    | "hrs"
                    | "hour"
                    | "hours"
                    | "min"
                    | "minutes"
                    | "day"
                    | "days"
                    | "week"
                    | "weeks"
                    | "month"
                    | "months"
            )
    };
    if reading.gap(at + 1) == Gap::SLASH && number < 10 && unit(at + 2) {
        return reading.at(at, 1)?.number.map(|_| (at + 2, 2));
    }
    unit(at + 1).then_some((at + 1, 1))
}

/// A time of day, its last word, and whether it has minutes: `7:30 pm`, `17:00:00`, `16h`, `4pm`.
fn clock(reading: &Reading<'_>, at: usize) -> Option<(usize, bool)> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let half = |at: usize| {
        matches!(reading.word(at), "am" | "pm") && reading.gap(at).only(Gap::SPACE.and(Gap::STOP))
    };
    if word.token.shape == Shape::Code {
        let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let hour = text.get(..n_digits)?.parse::<u32>().ok()?;
        return (hour <= 24 && matches!(text.get(n_digits..), Some("am" | "pm" | "h" | "hrs")))
            .then_some((at, false));
    }
    let hour = word.number.filter(|hour| *hour <= 24 && word.token.span.len() <= 2)?;
    let mut last = at;
    while last < at + 2
        && reading.gap(last + 1) == Gap::COLON
        && reading.at(last, 1).is_some_and(|next| {
            let text = reading.word(last + 1);
            next.token.shape.is_number() && text.bytes().take_while(u8::is_ascii_digit).count() == 2
        })
    {
        last += 1;
    }
    let minutes = last > at;
    if half(last + 1) {
        return Some((last + 1, minutes));
    }
    (minutes && hour <= 24).then_some((last, true))
}

/// `2 - 15` on a line of its own: a month and a day, or a score.
fn alone(reading: &Reading<'_>, at: usize) -> Option<(usize, usize)> {
    let (month, day) = (reading.at(at, 0)?, reading.at(at, 1)?);
    let ends = reading.at(at, 2).is_none_or(|next| next.token.gap.has(Gap::LINE));
    let dashed = day.token.gap == Gap::HYPHEN.and(Gap::SPACE);
    let fits = (1..=12).contains(&month.number?) && (1..=31).contains(&day.number?);
    (month.token.gap.has(Gap::LINE) && ends && dashed && fits).then_some((at, at + 1))
}

/// Words that begin an expression.
fn is_lead(word: &str) -> bool {
    matches!(word, "from" | "at" | "between" | "in" | "for" | "by")
}

/// Words that stand between its parts.
fn is_link(word: &str) -> bool {
    is_lead(word)
        || matches!(
            word,
            "on" | "the" | "of" | "to" | "until" | "till" | "through" | "thru" | "and"
        )
}

/// Whether a word goes on with the expression before it.
fn joins(reading: &Reading<'_>, at: usize) -> bool {
    let marks = Gap::SPACE.and(Gap::COMMA).and(Gap::HYPHEN).and(Gap::SLASH);
    reading.at(at, 0).is_some_and(|word| word.token.gap.only(marks))
}

/// Whether a day of the week follows, as in `Jul 18, Fri`.
pub(super) fn weekday_after(reading: &Reading<'_>, last: usize) -> Option<usize> {
    let next = reading.at(last, 1)?;
    let told = next.token.gap.has(Gap::COMMA) && next.token.gap.only(Gap::COMMA.and(Gap::SPACE));
    (told && next.classes.has(Class::Weekday) && next.token.shape == Shape::Capital)
        .then_some(last + 1)
}
