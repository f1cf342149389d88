//! The calendar grammar: where a date stands and what form it has.

use crate::detect::compose::model::Feature;
use crate::detect::compose::words::{Case, Reading};
use crate::detect::compose::{Composer, Desk};
use crate::detect::labelled::code::counts_something;
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;

/// A date from its first to its last word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) last: usize,
    pub(super) form: Feature,
    pub(super) composer: Composer,
    pub(super) year: Option<u32>,
    /// A word before it that belongs to it, such as `last`.
    pub(super) lead: usize,
}

pub(super) fn find_plain(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.tagged && word.token.gap != Gap::HASH && !word.token.gap.has(Gap::HASH) {
        return None;
    }
    match word.token.shape {
        Shape::Digits | Shape::Code => iso_time(reading, at)
            .or_else(|| numeric(reading, at))
            .or_else(|| glued(reading, desk, at))
            .or_else(|| day_first(reading, desk, at))
            .or_else(|| ordinal(reading, at)),
        _ if word.classes.has(Class::Month) => {
            month_first(reading, desk, at).or_else(|| weekday(reading, desk, at))
        }
        _ if word.classes.has(Class::Holiday) && !word.within_phrase => holiday(reading, at),
        _ if word.classes.has(Class::NumberWord) => day_first(reading, desk, at),
        _ if word.classes.has(Class::Weekday) => weekday(reading, desk, at),
        _ => None,
    }
}

/// `3/14/2026`, `3-14-26`, `14.03.2026`, `2026-03-14`, `3/14`
pub(super) fn numeric(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let first = reading.at(at, 0)?;
    if let Some(found) = run_together(reading, at) {
        return Some(found);
    }
    let second = reading.at(at, 1)?;
    let separator = second.token.gap;
    let tight = [Gap::SLASH, Gap::HYPHEN, Gap::STOP].into_iter().any(|mark| separator == mark);
    let loose = [Gap::SLASH, Gap::HYPHEN].into_iter().any(|mark| separator == mark.and(Gap::SPACE));
    let (a, b) = (first.number?, second.number?);
    if !tight && !loose {
        return None;
    }
    // A number that goes on before it is no date: a phone number, a version, an IP address.
    if at > 0
        && first.token.gap == separator
        && tight
        && reading.at(at, -1).is_some_and(|word| word.number.is_some())
    {
        return None;
    }
    let third = reading.at(at, 2).filter(|third| third.token.gap == separator);
    let goes_on = |offset| {
        reading.at(at, offset).is_some_and(|word| {
            word.token.gap == separator && matches!(word.token.shape, Shape::Digits | Shape::Code)
        })
    };
    if let Some(third) = third
        && let Some(c) = third.number
        && !goes_on(3)
    {
        let lengths = (first.token.span.len(), second.token.span.len(), third.token.span.len());
        let found = |year, form| Found {
            last: at + 2,
            form,
            composer: Composer::DateCalendar,
            year: Some(year),
            lead: 0,
        };
        match lengths {
            (4, 1..=2, 1..=2) if is_year(a) && is_month_and_day(b, c) => {
                return Some(found(a, Feature::IsoDate));
            }
            (1..=2, 1..=2, 4)
                if is_year(c) && (is_month_and_day(a, b) || is_month_and_day(b, a)) =>
            {
                return Some(found(c, Feature::FullDate));
            }
            (1..=2, 1..=2, 2) if is_month_and_day(a, b) || is_month_and_day(b, a) => {
                return Some(found(century(c), Feature::FullDate));
            }
            _ => return None,
        }
    }
    // `24/7` is a way to say always.
    if (a, b) == (24, 7) {
        return None;
    }
    // `9/2024`
    if tight
        && separator == Gap::SLASH
        && second.token.span.len() == 4
        && is_year(b)
        && (1..=12).contains(&a)
        && !goes_on(2)
    {
        return Some(Found {
            last: at + 1,
            form: Feature::MonthYear,
            composer: Composer::DatePartial,
            year: Some(b),
            lead: 0,
        });
    }
    // Month and day alone: a full stop makes a decimal, and a third number a longer code.
    let short = first.token.span.len() <= 2 && second.token.span.len() <= 2;
    if !tight || !short || third.is_some() {
        return None;
    }
    // `12.27` is a decimal unless a word before it calls for a date.
    if separator == Gap::STOP {
        let called = at.checked_sub(1).is_some_and(|before| {
            matches!(reading.word(before), "on" | "am" | "vom" | "il")
                || reading.classes(before, 0).has(Class::DateVerb)
        });
        // `3:12 am, 2.9 kg`
        let called =
            called && first.token.gap.only(Gap::SPACE) && !counts_something(reading.text, at + 1);
        let fits = called && (is_month_and_day(a, b) || is_month_and_day(b, a));
        return fits.then_some(Found {
            last: at + 1,
            form: Feature::RangeDate,
            composer: Composer::DatePartial,
            year: None,
            lead: 0,
        });
    }
    let fits =
        is_month_and_day(a, b) || (is_month_and_day(b, a) && separator == Gap::SLASH && a > 12);
    let form = if separator == Gap::SLASH { Feature::NumericDate } else { Feature::RangeDate };
    fits.then_some(Found {
        last: at + 1,
        form,
        composer: Composer::DatePartial,
        year: None,
        lead: 0,
    })
}

/// `2024-06-05T09:15:30.500-07:00`: a day and its time as machines write them.
fn iso_time(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let year = reading.at(at, 0)?.number.filter(|year| is_year(*year))?;
    let third = reading.word(at + 2);
    let (day, hour) = third.split_once('t')?;
    let fits = day.len() == 2
        && hour.len() == 2
        && hour.bytes().all(|byte| byte.is_ascii_digit())
        && reading.gap(at + 1) == Gap::HYPHEN
        && reading.gap(at + 2) == Gap::HYPHEN
        && is_month_and_day(reading.at(at, 1)?.number?, day.parse().ok()?);
    if !fits {
        return None;
    }
    let marks = [Gap::COLON, Gap::STOP, Gap::HYPHEN, Gap::AND];
    let more = (at + 3..at + 9)
        .take_while(|at| {
            marks.contains(&reading.gap(*at))
                && reading.at(*at, 0).is_some_and(|word| word.token.shape.is_number())
        })
        .count();
    Some(Found {
        last: at + 2 + more,
        form: Feature::IsoDate,
        composer: Composer::DateCalendar,
        year: Some(year),
        lead: 0,
    })
}

/// `Feb13`, `13Feb`, `13feb2026`: month and day in one word.
fn glued(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.word(at);
    let first = word.find(|c: char| c.is_ascii_alphabetic())?;
    let rest = word.get(first..)?;
    let n_letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, tail) = (rest.get(..n_letters)?, rest.get(n_letters..)?);
    let head = word.get(..first)?;
    if n_letters < 3 || word.len() > 15 || !tail.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    desk.lexicons.month(letters)?;
    let number = |digits: &str| digits.parse::<u32>().ok();
    let day = |digits: &str| number(digits).is_some_and(|day| (1..=31).contains(&day));
    let (fits, year) = match (head.len(), tail.len()) {
        (0, 1..=2) => (day(tail), None),
        (1..=2, 0) => (day(head), None),
        (1..=2, 4) => (day(head), number(tail).filter(|year| is_year(*year))),
        (1..=2, 2) => (day(head), number(tail).map(century)),
        _ => (false, None),
    };
    fits.then_some(Found {
        last: at,
        form: if year.is_some() { Feature::FullDate } else { Feature::MonthDay },
        composer: if year.is_some() { Composer::DateCalendar } else { Composer::DatePartial },
        year,
        lead: 0,
    })
}

/// `20261118`
fn run_together(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let number = word.number.filter(|_| word.token.span.len() == 8)?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    ((1900..=2100).contains(&year) && is_month_and_day(month, day)).then_some(Found {
        last: at,
        form: Feature::IsoDate,
        composer: Composer::DateCalendar,
        year: Some(year),
        lead: 0,
    })
}

/// `March 3rd, 2026`, `Mar 3`, `March 2026`, `March`
fn month_first(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    desk.lexicons.month(reading.word(at))?;
    let word = reading.at(at, 0)?;
    let near = |offset: isize| {
        reading.at(at, offset).filter(|word| {
            word.token.gap.only(Gap::SPACE.and(Gap::STOP).and(Gap::HYPHEN).and(Gap::COMMA))
        })
    };
    let day = |offset: isize| {
        near(offset)
            .filter(|word| !word.token.gap.has(Gap::COMMA))
            .and_then(|_| day_at(reading, at, offset))
    };
    let after_the = usize::from(near(1).is_some() && matches!(reading.word(at + 1), "the"));
    if let Some(_day) = day(1 + after_the.cast_signed()) {
        let mut last = at + 1 + after_the;
        let year = year_after(reading, last);
        if let Some((_, end)) = year {
            last = end;
        }
        let form = if year.is_some() { Feature::FullDate } else { Feature::MonthDay };
        let composer = if year.is_some() { Composer::DateCalendar } else { Composer::DatePartial };
        return Some(Found { last, form, composer, year: year.map(|(year, _)| year), lead: 0 });
    }
    let ambiguous = word.classes.has(Class::MonthAmbiguous) || word.entry.first > 9;
    if let Some((year, last)) =
        year_after(reading, at).filter(|_| !ambiguous || word.token.shape != Shape::Lower)
    {
        return Some(Found {
            last,
            form: Feature::MonthYear,
            composer: Composer::DatePartial,
            year: Some(year),
            lead: 0,
        });
    }
    let led = at.checked_sub(1).is_some_and(|before| {
        matches!(
            reading.word(before),
            "in" | "since"
                | "last"
                | "this"
                | "next"
                | "until"
                | "till"
                | "by"
                | "of"
                | "en"
                | "desde"
                | "em"
                | "late"
                | "early"
                | "mid"
                | "every"
                | "before"
                | "after"
        )
    });
    let capital = word.token.shape == Shape::Capital;
    let alone =
        if ambiguous { led && capital && word.token.span.len() > 2 } else { capital || led };
    alone.then_some(Found {
        last: at,
        form: Feature::MonthAlone,
        composer: Composer::DatePartial,
        year: None,
        lead: 0,
    })
}

/// `3 March 2026`, `12 de febrero`, `the ninth of June`, `07-JUL-1977`, `3rd of the second`
pub(super) fn day_first(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    day_at(reading, at, 0)?;
    // `22:10 Nov 14`: the minutes of a clock are no day.
    if reading.gap(at) == Gap::COLON {
        return None;
    }
    let fill = (1..=2)
        .take_while(|offset| {
            reading
                .at(at, *offset)
                .is_some_and(|word| word.token.gap.only(Gap::SPACE.and(Gap::STOP)))
                && matches!(
                    reading.word(at.saturating_add_signed(*offset)),
                    "de" | "of" | "th" | "nd" | "rd" | "st" | "the" | "day" | "ng"
                )
        })
        .count();
    let month = at + fill + 1;
    let word = reading.at(month, 0)?;
    let joined = word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN).and(Gap::STOP).and(Gap::SLASH));
    let number = desk
        .lexicons
        .month(reading.word(month))
        .filter(|_| joined && word.classes.has(Class::Month));
    number?;
    // `5 may`, `3 mar`: a word that is a month only beside a number needs its capital or `of`.
    let verb = word.classes.has(Class::MonthAmbiguous)
        && word.token.shape == Shape::Lower
        && fill == 0
        && word.entry.word > 9;
    if verb || (reading.word(month) == "sun") {
        return None;
    }
    let year = year_after(reading, month).or_else(|| short_year(reading, at, month));
    let last = year.map_or(month, |(_, last)| last);
    let composer = if year.is_some() { Composer::DateCalendar } else { Composer::DatePartial };
    let form = if year.is_some() { Feature::FullDate } else { Feature::MonthDay };
    Some(Found { last, form, composer, year: year.map(|(year, _)| year), lead: 0 })
}

/// `the 3rd`, `on the 14th`
fn ordinal(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let before = at.checked_sub(1)?;
    let led = matches!(reading.word(before), "the" | "el") && reading.gap(at).only(Gap::SPACE);
    let day = ordinal_day(reading.word(at))?;
    // `the 3rd time`, `the 4th floor`: a number among others of its kind.
    let counted = reading.at(at, 1).is_some_and(|next| {
        next.token.gap.only(Gap::SPACE.and(Gap::HYPHEN)) && next.entry.word > 2
    }) && !matches!(
        reading.word(at + 1),
        "and"
            | "at"
            | "in"
            | "with"
            | "for"
            | "after"
            | "before"
            | "because"
            | "when"
            | "but"
            | "of"
    );
    (led && !counted && (1..=31).contains(&day)).then_some(Found {
        last: at,
        form: Feature::OrdinalDate,
        composer: Composer::DatePartial,
        year: None,
        lead: 0,
    })
}

/// `Tuesday`, `last Tuesday`, `Sunday morning`, `el martes pasado`
fn weekday(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if !word.classes.has(Class::Weekday) {
        return None;
    }
    let lead = at.checked_sub(1).is_some_and(|before| {
        matches!(reading.word(before), "last" | "this" | "next" | "past")
            && reading.gap(at).only(Gap::SPACE)
    });
    let ambiguous = word.classes.has(Class::WeekdayAmbiguous) && !is_told(reading, at);
    let capital = matches!(word.token.shape, Shape::Capital);
    let dated = (matches!(reading.word(at + 1), "the") && day_at(reading, at, 2).is_some())
        || (reading.gap(at + 1).only(Gap::SPACE.and(Gap::COMMA).and(Gap::STOP))
            && (glued(reading, desk, at + 1).is_some()
                || (reading.at(at, 1).is_some_and(|next| next.classes.has(Class::Month))
                    && day_at(reading, at, 2).is_some())));
    if ambiguous
        && !(lead || dated || (capital && !word.token.starts_sentence && word.token.span.len() > 2))
    {
        return None;
    }
    let part = |at: usize| {
        matches!(
            reading.word(at),
            "morning"
                | "night"
                | "afternoon"
                | "evening"
                | "noite"
                | "pasado"
                | "passado"
                | "dernier"
        ) && reading.gap(at).only(Gap::SPACE)
    };
    let last = if part(at + 1) { at + 1 } else { at };
    Some(Found {
        last,
        form: Feature::WeekdayAlone,
        composer: Composer::DateWeekday,
        year: None,
        lead: usize::from(lead),
    })
}

/// `called wed`, `on sat` where nobody writes capitals.
fn is_told(reading: &Reading<'_>, at: usize) -> bool {
    reading.case == Case::Lower
        && at.checked_sub(1).is_some_and(|before| {
            reading.word(before) == "on"
                || reading.classes(before, 0).has(Class::DateVerb)
                || reading.classes(before, 0).has(Class::ClinicalVerb)
        })
        && reading.word(at).len() == 3
        && !matches!(reading.word(at), "sun" | "mon")
}

fn holiday(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let capital = word.token.shape != Shape::Lower;
    // A holiday of one word that is an ordinary word elsewhere needs its capital.
    let certain = word.phrase > 1 || capital || word.entry.word < 3;
    let last = at + usize::from(word.phrase.max(1)) - 1;
    let year = year_after(reading, last).map(|(year, _)| year);
    certain.then_some(Found {
        last,
        form: Feature::HolidayDate,
        composer: Composer::DateHoliday,
        year,
        lead: 0,
    })
}

/// The day that stands at an offset: a number of 1 to 31, an ordinal, or one in words.
pub(super) fn day_at(reading: &Reading<'_>, at: usize, offset: isize) -> Option<u32> {
    let at = at.checked_add_signed(offset)?;
    let word = reading.at(at, 0)?;
    let day = match word.token.shape {
        Shape::Digits if word.token.span.len() <= 2 => word.number?,
        Shape::Code => ordinal_day(reading.word(at))?,
        Shape::Digits => return None,
        _ => day_in_words(reading.word(at))?,
    };
    (1..=31).contains(&day).then_some(day)
}

fn ordinal_day(word: &str) -> Option<u32> {
    let digits = word.get(..word.len().checked_sub(2)?)?;
    let tail = word.get(digits.len()..)?;
    (digits.len() <= 2 && matches!(tail, "st" | "nd" | "rd" | "th" | "er"))
        .then(|| digits.parse().ok())
        .flatten()
}

fn day_in_words(word: &str) -> Option<u32> {
    const DAYS: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    DAYS.iter().position(|day| *day == word).and_then(|at| u32::try_from(at + 1).ok())
}

/// The year after a word, and the word it ends with: `2026`, `, 2026`, `de 2026`, `'26`.
pub(super) fn year_after(reading: &Reading<'_>, at: usize) -> Option<(u32, usize)> {
    let filled = usize::from(matches!(reading.word(at + 1), "de" | "of" | "del"));
    let end = at + 1 + filled;
    let word = reading.at(end, 0)?;
    let number = word.number?;
    let gap = word.token.gap;
    if word.token.span.len() == 4
        && is_year(number)
        && gap.only(Gap::SPACE.and(Gap::COMMA).and(Gap::HYPHEN).and(Gap::STOP).and(Gap::SLASH))
    {
        return Some((number, end));
    }
    let short = word.token.span.len() == 2 && (gap.has(Gap::QUOTE) || gap == Gap::HYPHEN);
    (short && gap.only(Gap::SPACE.and(Gap::QUOTE).and(Gap::COMMA).and(Gap::HYPHEN)))
        .then(|| (century(number), end))
}

/// `14th April 15`: two digits at the end of what is said.
fn short_year(reading: &Reading<'_>, day: usize, month: usize) -> Option<(u32, usize)> {
    let end = month + 1;
    let word = reading.at(end, 0)?;
    let number = word.number.filter(|_| word.token.span.len() == 2)?;
    let next = reading.at(end, 1).map(|next| next.token.gap);
    let ends = next.is_none_or(|gap| {
        gap.has(Gap::LINE) || gap.has(Gap::COMMA) || (gap.has(Gap::STOP) && gap.has(Gap::SPACE))
    });
    let ordinal = reading.at(day, 0).is_some_and(|word| word.token.shape == Shape::Code);
    (ends && ordinal && word.token.gap.only(Gap::SPACE)).then(|| (century(number), end))
}

const fn is_year(number: u32) -> bool {
    1850 <= number && number <= 2100
}

/// The year that two digits mean: up to 30 this century.
const fn century(number: u32) -> u32 {
    if number <= 30 { 2000 + number } else { 1900 + number }
}

const fn is_month_and_day(month: u32, day: u32) -> bool {
    1 <= month && month <= 12 && 1 <= day && day <= 31
}
