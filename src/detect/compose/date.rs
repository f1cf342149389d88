//! Dates: a calendar grammar, and what ties a date to a patient.
//!
//! Safe Harbor lets a year pass and nothing finer, so a year alone is never proposed and the general form of a date is
//! its year. Forms are numeric, ISO, written, partial (`March 3`, `the 9th`), weekdays and holidays.

use crate::detect::compose::calendar::{Found, day_at, day_first, find_plain, numeric, year_after};
use crate::detect::compose::model::{Feature, Seat};
use crate::detect::compose::period;
use crate::detect::compose::season;
use crate::detect::compose::surroundings;
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Desk, Proposal, Standing};
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;
use crate::span::Span;

/// Proposes every date.
pub(super) fn propose(reading: &Reading<'_>, desk: Desk<'_>, out: &mut Vec<Proposal>) {
    let mut at = 0;
    let mut dates = Vec::new();
    while at < reading.words.len() {
        let Some(found) = find(reading, desk, at) else {
            at += 1;
            continue;
        };
        dates.push((at - found.lead, found.last));
        let first = at - found.lead;
        let mut score = desk.models.date.score(desk.explain);
        score.add(found.form);
        score.add_if(found.year.is_some(), Feature::WithYear);
        let this_year = u32::try_from(desk.today.year()).unwrap_or_default();
        score.add_if(found.year.is_some_and(|year| year + 10 < this_year), Feature::OldYear);
        score.add_if(found.year.is_some_and(|year| year > this_year), Feature::FutureYear);
        // Longer ago than anybody in a bed remembers: history, unless it is a birth.
        score.add_if(found.year.is_some_and(|year| year + 75 < this_year), Feature::HistoricYear);
        score.add_if(found.lead > 0, Feature::WeekdayLast);
        score.seat(Seat::Own, reading.classes(at, 0));
        clock(reading, first, found.last, &mut score);
        surroundings::add(reading, first, found.last, &mut score);
        let next = reading.at(found.last, 1);
        let range = next.is_some_and(|word| {
            word.token.gap.has(Gap::HYPHEN) && word.token.gap.only(Gap::HYPHEN.and(Gap::SPACE))
        });
        score.add_if(range, Feature::HyphenAfter);
        score.add_if(
            reading.word(at).len() > 4 && reading.word(at).ends_with("days"),
            Feature::PluralDay,
        );
        out.push(Proposal {
            composer: found.composer,
            span: owned(reading, reading.span(first, found.last), found.last),
            words: (first, found.last),
            tied: score.tied,
            like: score.like,
            sure: false,
            standing: if is_part_of_thread(reading, at, found) {
                Standing::Loose
            } else {
                Standing::Weighed
            },
            // A year so long ago gives an age over 89 if it is a birth's, and then may not stay.
            generalized: found
                .year
                .filter(|year| year.saturating_add(90) > this_year)
                .map(|year| year.to_string()),
            parts: score.parts,
        });
        at = found.last + 1;
    }
    period::propose(reading, &dates, out);
}

/// A holiday that is a possessive is whole only with its ending: `New Year's`, `Valentine's`.
fn owned(reading: &Reading<'_>, span: Span, last: usize) -> Span {
    if !reading.at(last, 0).is_some_and(|word| word.token.possessive) {
        return span;
    }
    let tail = reading.text.view.text().get(span.end()..).unwrap_or_default();
    let ending = ["'s", "’s"].into_iter().find(|ending| tail.starts_with(ending));
    Span::new(span.start(), span.end() + ending.map_or(0, str::len))
}

/// `1/4` at the head of a post says which of four it is.
fn is_part_of_thread(reading: &Reading<'_>, at: usize, found: Found) -> bool {
    let alone = found.form == Feature::NumericDate && found.year.is_none() && found.last == at + 1;
    let (Some(nth), Some(of)) = (reading.at(at, 0), reading.at(at, 1)) else { return false };
    let counts = nth.number.zip(of.number).is_some_and(|(nth, of)| nth <= of && of <= 12);
    let heads = nth.token.gap.has(Gap::LINE) && !nth.token.gap.has(Gap::SPACE);
    let ended = reading.at(found.last, 1).is_none_or(|next| {
        next.token.gap.has(Gap::SPACE)
            && !next.token.gap.has(Gap::COMMA)
            && !next.token.gap.has(Gap::COLON)
    });
    alone && counts && heads && ended && nth.token.span.len() == 1
}

/// A clock time beside a date is an appointment or an event.
fn clock(
    reading: &Reading<'_>,
    first: usize,
    last: usize,
    score: &mut crate::detect::compose::Score<'_>,
) {
    let is_clock = |at: usize| {
        let word = reading.word(at);
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let hour = matches!(word.get(digits..), Some("am" | "pm" | "a" | "p" | "h")) && digits > 0;
        hour || matches!(word, "am" | "pm" | "noon" | "midnight")
            || (reading.gap(at).only(Gap::COLON)
                && reading.at(at, 0).is_some_and(|word| word.number.is_some()))
    };
    score.add_if((last + 1..last + 4).any(is_clock), Feature::ClockAfter);
    score.add_if(
        (first.saturating_sub(6)..first).any(is_clock) || (last + 4..last + 8).any(is_clock),
        Feature::ClockNear,
    );
}

fn find(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    // `1-8 September` is no month and day.
    let found = days_of_month(reading, desk, at)
        .or_else(|| season::longer(reading, desk, at))
        .or_else(|| find_plain(reading, desk, at).map(|found| through(reading, desk, found)))
        .or_else(|| season::spoken(reading, desk, at))?;
    Some(led(reading, at, carried_on(reading, desk, at, found)))
}

/// `13 to 15 July`, `the 13th through the 15th of July`: the first day has its month from the last.
fn days_of_month(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    day_at(reading, at, 0)?;
    let joined = matches!(reading.word(at + 1), "to" | "thru" | "through" | "and" | "al" | "bis")
        && reading.gap(at + 1).only(Gap::SPACE);
    let dashed = reading.gap(at + 1).has(Gap::HYPHEN)
        && reading.gap(at + 1).only(Gap::HYPHEN.and(Gap::SPACE));
    if !(joined || dashed) || !reading.at(at, 0)?.token.shape.is_number() {
        return None;
    }
    let next = if dashed { at + 1 } else { at + 2 };
    let next = next + usize::from(reading.word(next) == "the");
    // Two numbers around a dash and a slash are a date in full: `3-14-26`.
    day_first(reading, desk, next).filter(|found| found.form != Feature::NumericDate)
}

/// Takes in the last day of a range: `July 13 - 15`, `August 27th through 29th`, `July 13 - August 2`.
fn through(reading: &Reading<'_>, desk: Desk<'_>, mut found: Found) -> Found {
    if !matches!(found.form, Feature::MonthDay | Feature::FullDate | Feature::NumericDate) {
        return found;
    }
    let next = found.last + 1;
    let dashed =
        reading.gap(next).has(Gap::HYPHEN) && reading.gap(next).only(Gap::HYPHEN.and(Gap::SPACE));
    let joined = matches!(reading.word(next), "to" | "thru" | "through" | "al");
    let end = if dashed { next } else { next + 1 };
    let end = end + usize::from(reading.word(end) == "the");
    if !(dashed || joined) || !reading.gap(end).only(Gap::SPACE.and(Gap::HYPHEN)) {
        return found;
    }
    let later = find_plain(reading, desk, end).filter(|later| later.form == found.form);
    if let Some(later) = later {
        found.last = later.last;
    } else if found.form == Feature::MonthDay
        && day_at(reading, end, 0).is_some()
        && reading.gap(end + 1) != Gap::COLON
    {
        found.last = end;
    }
    found
}

/// Takes in the words before a date that belong to it: `the 8th`, `this past Wednesday`, `two days before Christmas`.
fn led(reading: &Reading<'_>, at: usize, mut found: Found) -> Found {
    let day = matches!(
        found.form,
        Feature::OrdinalDate
            | Feature::WeekdayAlone
            | Feature::HolidayDate
            | Feature::MonthAlone
            | Feature::MonthDay
    );
    while found.lead < 4 && day && reading.gap(at - found.lead).only(Gap::SPACE) {
        let Some(before) = at.checked_sub(found.lead + 1) else { break };
        let leads = match reading.word(before) {
            "late" | "early" | "mid" => found.form == Feature::MonthAlone,
            "last" | "this" | "next" | "past" | "the" | "proximo" | "proxima" | "zeszly"
            | "zeszla" | "ultimo" | "ostatni" | "прошлую" => true,
            "after" | "before" | "of" | "following" => before.checked_sub(1).is_some_and(|at| {
                reading.classes(at, 0).has(Class::Weekday)
                    || matches!(
                        reading.word(at),
                        "day"
                            | "days"
                            | "week"
                            | "weeks"
                            | "weekend"
                            | "end"
                            | "night"
                            | "eve"
                            | "morning"
                            | "feast"
                            | "beginning"
                            | "start"
                    )
            }),
            "day" | "days" | "week" | "weeks" | "weekend" | "end" | "night" | "eve" | "morning"
            | "feast" | "beginning" | "start" => found.lead > 0,
            _ => {
                found.lead > 1
                    && (reading.classes(before, 0).has(Class::NumberWord)
                        || reading.classes(before, 0).has(Class::Weekday)
                        || reading.at(before, 0).is_some_and(|word| word.number.is_some()))
            }
        };
        if !leads {
            break;
        }
        found.lead += 1;
    }
    // An article alone belongs to an ordinal only.
    if found.lead == 1
        && found.form != Feature::OrdinalDate
        && found.form != Feature::WeekOf
        && reading.word(at - 1) == "the"
        && found.form != Feature::MonthDay
    {
        found.lead = 0;
    }
    found
}

/// Takes in what goes on after a day: `Saturday the 17th`, `Tuesday the 6th of May`, `Thanksgiving 2020`, `Easter morning`.
fn carried_on(reading: &Reading<'_>, desk: Desk<'_>, at: usize, mut found: Found) -> Found {
    if matches!(found.form, Feature::MonthDay | Feature::FullDate)
        && let Some(last) = period::weekday_after(reading, found.last)
    {
        found.last = last;
        return found;
    }
    if found.form == Feature::WeekdayAlone {
        // `Sunday of March 2014`
        let of = found.last + 2;
        if matches!(reading.word(found.last + 1), "of" | "in" | "de")
            && reading.gap(of).only(Gap::SPACE)
            && reading.at(of, 0).is_some_and(|word| word.classes.has(Class::Month))
            && (reading.word(found.last + 1) == "of" || nth(reading, at).is_some())
        {
            let year = year_after(reading, of);
            return Found {
                last: year.map_or(of, |(_, last)| last),
                year: year.map(|(year, _)| year),
                form: Feature::MonthDay,
                lead: nth(reading, at).map_or(found.lead, |_| 1),
                ..found
            };
        }
        let the = usize::from(matches!(reading.word(found.last + 1), "the" | "dia"));
        let day = found.last + 1 + the;
        let near = reading.gap(day).only(Gap::SPACE.and(Gap::COMMA))
            && !reading.at(day, 0).is_some_and(|word| {
                word.token.shape == Shape::Digits
                    && the == 0
                    && reading.gap(day + 1).has(Gap::COLON)
            });
        if near && day_at(reading, day, 0).is_some() {
            let more = day_first(reading, desk, day);
            let bare = reading.at(day, 0).is_some_and(|word| word.token.shape == Shape::Digits);
            if let Some(more) = numeric(reading, day) {
                return Found {
                    last: more.last,
                    year: more.year,
                    form: Feature::MonthDay,
                    ..found
                };
            }
            if let Some(more) = more {
                return Found {
                    last: more.last,
                    year: more.year,
                    form: Feature::MonthDay,
                    ..found
                };
            }
            if the > 0
                || (bare
                    && reading.gap(day).only(Gap::SPACE)
                    && !matches!(reading.word(day + 1), "am" | "pm" | "to"))
            {
                found.last = day;
            }
        }
        return found;
    }
    if found.form == Feature::HolidayDate {
        if let Some((_, last)) = year_after(reading, found.last) {
            found.last = last;
        } else if matches!(
            reading.word(found.last + 1),
            "morning" | "night" | "day" | "eve" | "evening" | "weekend"
        ) && reading.gap(found.last + 1).only(Gap::SPACE)
        {
            found.last += 1;
        }
    }
    found
}

/// `first`, `3rd`, `last` before a weekday of a month.
fn nth(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let before = at.checked_sub(1).filter(|_| reading.gap(at).only(Gap::SPACE))?;
    let word = reading.word(before);
    let counts = matches!(
        word,
        "first" | "second" | "third" | "fourth" | "last" | "1st" | "2nd" | "3rd" | "4th"
    );
    counts.then_some(before)
}
