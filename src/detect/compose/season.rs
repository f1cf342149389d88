//! Days as people say them: `second week of March`, `the Friday before spring break`, `on the 8th`, `winter of 2020`,
//! `sat night`, `nächsten Donnerstag`, `domingo de Páscoa`, `上周二`, `지난 금요일`.
//!
//! What the calendar grammar reads by its form stands in `calendar`; here is what only its surroundings show to be a
//! day, each with a feature of its own.

use crate::detect::compose::calendar::{Found, day_at, find_plain, year_after};
use crate::detect::compose::foreign::{eastern, foreign_day, vietnamese};
use crate::detect::compose::model::Feature;
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Desk};
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;

pub(super) const fn found(last: usize, form: Feature, composer: Composer, lead: usize) -> Found {
    Found { last, form, composer, year: None, lead }
}

/// What is longer than the form that the calendar grammar would read from the same word on.
pub(super) fn longer(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.tagged {
        return None;
    }
    roman(reading, at)
        .or_else(|| eastern(reading, at))
        .or_else(|| vietnamese(reading, at))
        .or_else(|| week_of(reading, desk, at))
        .or_else(|| weekday_with(reading, desk, at))
        .or_else(|| foreign_day(reading, desk, at))
}

/// What is a day only where it is said.
pub(super) fn spoken(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.tagged {
        return None;
    }
    ordinal(reading, at)
        .or_else(|| season(reading, at))
        .or_else(|| bare_month(reading, desk, at))
        .or_else(|| bare_weekday(reading, at))
        .or_else(|| dotted(reading, at))
        .or_else(|| week_said(reading, at))
        .or_else(|| owned_day(reading, at))
        .or_else(|| of_month(reading, at))
}

pub(super) fn spaced(reading: &Reading<'_>, at: usize) -> bool {
    reading.gap(at).only(Gap::SPACE)
}

pub(super) fn before<'t>(reading: &Reading<'t>, at: usize) -> &'t str {
    at.checked_sub(1).map_or("", |before| reading.word(before))
}

/// `VI.XI.XXIV`
fn roman(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let numeral = |at: usize| {
        let word = reading.word(at);
        !word.is_empty()
            && word.len() <= 8
            && word
                .bytes()
                .all(|byte| matches!(byte, b'i' | b'v' | b'x' | b'l' | b'm' | b'c' | b'd'))
            && reading.at(at, 0).is_some_and(|word| {
                matches!(word.token.shape, Shape::Upper) || word.token.span.len() == 1
            })
    };
    let marks = [Gap::STOP, Gap::SLASH, Gap::HYPHEN];
    let gap = reading.gap(at + 1);
    let three = marks.contains(&gap)
        && reading.gap(at + 2) == gap
        && numeral(at)
        && numeral(at + 1)
        && numeral(at + 2)
        && reading.word(at + 2).len() > 1;
    three.then_some(found(at + 2, Feature::RomanDate, Composer::DateCalendar, 0))
}

/// `second week of March`, `the 2nd week of deer season`, `the Monday before Thanksgiving`, `first Saturday in Lent`
fn week_of(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let counted = word.classes.has(Class::NumberWord)
        || matches!(text, "last" | "1st" | "2nd" | "3rd" | "4th" | "5th" | "primera" | "segunda")
        || (matches!(text, "8th" | "15th" | "30th" | "first") && reading.word(at + 1) == "of");
    let unit = |at: usize| {
        reading.classes(at, 0).has(Class::Weekday)
            || matches!(
                reading.word(at),
                "week"
                    | "weekend"
                    | "day"
                    | "night"
                    | "morning"
                    | "semana"
                    | "fin"
                    | "part"
                    | "half"
            )
    };
    let day = if counted { at + 1 } else { at };
    if !unit(day) || (counted && !spaced(reading, day)) {
        return None;
    }
    let linked = ["of", "in", "before", "after", "de", "following", "into"]
        .contains(&reading.word(day + 1))
        && spaced(reading, day + 1)
        && spaced(reading, day + 2);
    // `day of surgery` and `night before` are no days by themselves.
    let the = usize::from(before(reading, at) == "the" && spaced(reading, at));
    if !linked || !(counted || the > 0 || reading.classes(at, 0).has(Class::Weekday)) {
        return None;
    }
    let article = usize::from(matches!(reading.word(day + 2), "the" | "every" | "his" | "her"));
    let last = occasion(reading, desk, day + 2 + article)?;
    Some(found(last, Feature::WeekOf, Composer::DatePartial, the))
}

/// The end of what a week or weekday is told by: a month, a holiday, a season, a break.
fn occasion(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<usize> {
    let word = reading.at(at, 0)?;
    if word.classes.has(Class::Month) && desk.lexicons.month(reading.word(at)).is_some() {
        let whole = find_plain(reading, desk, at).map(|found| found.last);
        return whole.or_else(|| Some(year_after(reading, at).map_or(at, |(_, last)| last)));
    }
    if word.classes.has(Class::Holiday) && !word.within_phrase {
        let last = at + usize::from(word.phrase.max(1)) - 1;
        let day = usize::from(matches!(reading.word(last + 1), "day" | "eve" | "weekend" | "week"));
        return Some(last + day);
    }
    if is_season(reading.word(at)) || reading.word(at) == "month" {
        return Some(year_after(reading, at).map_or(at, |(_, last)| last));
    }
    let second = reading.word(at + 1);
    let kind = ["season", "break", "week", "weekend", "moon", "month", "night", "game", "festival"]
        .contains(&second)
        && spaced(reading, at + 1);
    (kind && word.entry.word < 17).then_some(at + 1)
}

fn is_season(word: &str) -> bool {
    matches!(
        word,
        "spring"
            | "summer"
            | "fall"
            | "autumn"
            | "winter"
            | "verano"
            | "invierno"
            | "otono"
            | "primavera"
            | "verao"
            | "inverno"
            | "ete"
            | "hiver"
            | "sommer"
            | "herbst"
            | "fruhling"
    )
}

/// What stands before a weekday and belongs to it.
const LEADS: &[&str] = &[
    "nachsten",
    "naechsten",
    "letzten",
    "kommenden",
    "diesen",
    "ce",
    "este",
    "esta",
    "zeszly",
    "zeszla",
    "ostatni",
    "nastepny",
    "w",
    "od",
    "в",
    "во",
    "с",
    "прошлый",
    "прошлую",
    "noong",
    "nung",
    "sa",
    "يوم",
    "지난",
    "지난주",
    "이번",
    "다음",
    "last",
    "this",
    "next",
    "past",
    "every",
];
/// Parts of a day, and words that say which day, after a weekday.
const PARTS: &[&str] = &[
    "pase",
    "maten",
    "swa",
    "midi",
    "aswe",
    "denye",
    "prochain",
    "matin",
    "soir",
    "apres",
    "pasado",
    "pasada",
    "passado",
    "passada",
    "proximo",
    "proxima",
    "noche",
    "manha",
    "noite",
    "tarde",
    "rano",
    "wieczor",
    "wieczorem",
    "morgen",
    "abend",
    "nacht",
    "night",
    "morning",
    "nights",
    "mornings",
    "evening",
    "afternoon",
    "am",
    "pm",
    "утром",
    "вечером",
    "العظيمة",
    "الماضي",
];

/// `vandredi maten`, `lunes por la noche`, `domingo de Páscoa`, `nächsten Donnerstag`, `sat night`, `friday 11am`
fn weekday_with(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if !word.classes.has(Class::Weekday) {
        return None;
    }
    let lead = usize::from(LEADS.contains(&before(reading, at)) && spaced(reading, at));
    let next = at + 1;
    let part = PARTS.contains(&reading.word(next)) && spaced(reading, next);
    // `domingo de Páscoa`, `Linggo ng Pagkabuhay`
    let named = matches!(reading.word(next), "de" | "des" | "ng" | "di" | "da")
        && spaced(reading, next)
        && spaced(reading, next + 1)
        && reading.at(next, 1).is_some_and(|word| {
            matches!(word.token.shape, Shape::Capital) && !word.classes.has(Class::Month)
        });
    let clocked = reading.at(at, 1).is_some_and(|next| {
        next.token.shape == Shape::Code
            && next.token.gap.only(Gap::SPACE)
            && (reading.word(at + 1).ends_with("am") || reading.word(at + 1).ends_with("pm"))
    });
    if !(part || named || clocked || lead > 0) {
        return None;
    }
    // What the calendar grammar reads further, such as a day of the month, is its.
    if !(part || named) && find_plain(reading, desk, at).is_some() {
        let mut plain = find_plain(reading, desk, at)?;
        plain.lead = plain.lead.max(lead);
        return (lead > 0).then_some(plain);
    }
    let last = match () {
        () if named => next + 1,
        () if part => next,
        () => at,
    };
    Some(found(last, Feature::WeekdayAlone, Composer::DateWeekday, lead))
}

/// `on the 8th should`, `the 12th she asked`, `since the 2nd`, `on the Fourth`
fn ordinal(reading: &Reading<'_>, at: usize) -> Option<Found> {
    const COUNTED: &[&str] = &[
        "floor",
        "time",
        "street",
        "st",
        "ave",
        "avenue",
        "grade",
        "grader",
        "graders",
        "hour",
        "day",
        "one",
        "person",
        "attempt",
        "try",
        "year",
        "place",
        "degree",
        "century",
        "percentile",
        "rib",
        "dose",
        "patient",
        "pt",
        "case",
        "code",
        "call",
        "visit",
        "round",
        "shift",
        "admission",
        "person",
        "trimester",
        "quarter",
        "inning",
        "step",
        "line",
        "nurse",
        "resident",
        "metatarsal",
        "edition",
        "amendment",
        "straight",
        "most",
        "annual",
        "week",
        "month",
        "night",
        "transplant",
    ];
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let the = matches!(before(reading, at), "the" | "el" | "dia" | "am") && spaced(reading, at);
    if !the {
        return None;
    }
    let lead = at.checked_sub(2).map_or("", |lead| reading.word(lead));
    let told = [
        "on", "since", "by", "from", "until", "till", "til", "before", "after", "of", "for",
        "through", "thru", "to",
    ]
    .contains(&lead);
    if text == "fourth" && told && word.token.shape == Shape::Capital {
        let july = reading.word(at + 1) == "of" && reading.word(at + 2) == "july";
        let last = if july { at + 2 } else { at };
        return Some(found(last, Feature::OrdinalDate, Composer::DatePartial, 1));
    }
    let numbered = word.token.shape == Shape::Code && day_at(reading, at, 0).is_some();
    let dated = before(reading, at) == "am"
        && word.token.shape == Shape::Digits
        && day_at(reading, at, 0).is_some()
        && reading.gap(at + 1).has(Gap::STOP);
    if !(numbered || dated) || COUNTED.contains(&reading.word(at + 1)) {
        return None;
    }
    let next = reading.at(at, 1);
    let apart = !spaced(reading, at + 1)
        || next.is_none_or(|next| {
            next.classes.has(Class::Pron3)
                || next.classes.has(Class::Pron1)
                || next.classes.has(Class::ClinicalVerb)
                || ["to", "at", "with", "in", "and", "for", "because", "when", "from"]
                    .contains(&reading.word(at + 1))
        });
    (told || apart || dated).then_some(found(at, Feature::OrdinalDate, Composer::DatePartial, 1))
}

/// `in the spring`, `since spring`, `winter of 2020`, `last summer`
fn season(reading: &Reading<'_>, at: usize) -> Option<Found> {
    if !is_season(reading.word(at)) {
        return None;
    }
    let the = usize::from(before(reading, at) == "the");
    let lead = (at.checked_sub(the)?).checked_sub(1).map_or("", |lead| reading.word(lead));
    let told = [
        "in", "since", "last", "this", "next", "until", "till", "by", "during", "over", "through",
        "el", "en", "late", "early",
    ]
    .contains(&lead);
    let year = year_after(reading, at);
    if !told && year.is_none() {
        return None;
    }
    Some(Found {
        last: year.map_or(at, |(_, last)| last),
        form: Feature::SeasonDate,
        composer: Composer::DatePartial,
        year: year.map(|(year, _)| year),
        lead: 0,
    })
}

/// `he give it in march`, `since feb. FEBRUARY`, `finales de mayo`
fn bare_month(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    const BEFORE: &[&str] = &[
        "in", "since", "until", "till", "by", "last", "this", "next", "of", "late", "early", "mid",
        "en", "de", "desde", "em", "do", "do", "seit", "im", "w", "od", "в", "с", "di", "a",
        "depuis",
    ];
    let word = reading.at(at, 0)?;
    if !word.classes.has(Class::Month) || desk.lexicons.month(reading.word(at)).is_none() {
        return None;
    }
    let ambiguous = word.classes.has(Class::MonthAmbiguous);
    let led =
        BEFORE.contains(&before(reading, at)) && reading.gap(at).only(Gap::SPACE.and(Gap::HYPHEN));
    let english =
        ["in", "since", "until", "till", "of", "last", "mid"].contains(&before(reading, at));
    let upper = word.token.shape == Shape::Upper && word.token.span.len() > 3 && !ambiguous;
    let short = ["me", "mi", "mar", "out", "set", "dic", "ago", "mas"].contains(&reading.word(at));
    (upper || (led && (!ambiguous || english) && !short)).then_some(found(
        at,
        Feature::MonthAlone,
        Composer::DatePartial,
        0,
    ))
}

/// `he passed wed`, `mon, tues, weds`, `de quarta`, `Sat, 11 am`
fn bare_weekday(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if !word.classes.has(Class::Weekday) {
        return None;
    }
    let previous = at.checked_sub(1);
    let led = previous.is_some_and(|before| {
        [
            "on", "since", "till", "until", "last", "this", "next", "by", "every", "de", "na",
            "da", "das", "ate", "desde", "twice", "para", "hoje", "passed", "died",
        ]
        .contains(&reading.word(before))
            || reading.classes(before, 0).has(Class::DateVerb)
            || reading.classes(before, 0).has(Class::Death)
    }) && spaced(reading, at);
    let beside = [-1, 1]
        .into_iter()
        .any(|offset| reading.at(at, offset).is_some_and(|word| word.classes.has(Class::Weekday)));
    let timed = reading.gap(at + 1).only(Gap::SPACE.and(Gap::COMMA))
        && reading.at(at, 1).is_some_and(|next| next.token.shape.is_number())
        && word.token.shape != Shape::Lower;
    let sun = matches!(reading.word(at), "sun" | "me" | "thu") && word.token.shape == Shape::Lower;
    ((led && !sun) || beside || timed).then_some(found(
        at,
        Feature::WeekdayAlone,
        Composer::DateWeekday,
        0,
    ))
}

/// `💙 9.14 💙`, `Operacja 12.05, proszę`, `ur. 27.01.`: a decimal set apart or led by what has a day.
fn dotted(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let (one, two) = (reading.at(at, 0)?, reading.at(at, 1)?);
    let (day, month) = (one.number?, two.number?);
    if two.token.gap != Gap::STOP || reading.gap(at) == Gap::STOP {
        return None;
    }
    let whole = (one.token.span.len(), two.token.span.len());
    let calendar = |a: u32, b: u32| (1..=12).contains(&a) && (1..=31).contains(&b);
    if whole.0 > 2 || whole.1 > 2 || !(calendar(day, month) || calendar(month, day)) {
        return None;
    }
    let third = reading
        .at(at, 2)
        .filter(|word| word.token.gap == Gap::STOP && word.token.shape == Shape::Digits);
    let last = match third.map(|word| word.token.span.len()) {
        None => at + 1,
        Some(2 | 4) => at + 2,
        Some(_) => return None,
    };
    let apart = |gap: Gap| gap.has(Gap::OTHER.and(Gap::LINE).and(Gap::BRACKET));
    let ends = apart(reading.gap(last + 1))
        || reading.gap(last + 1).has(Gap::STOP.and(Gap::COMMA))
        || reading.at(last, 1).is_none();
    let begins = apart(reading.gap(at)) || reading.gap(at).has(Gap::COMMA);
    let led = at.checked_sub(1).is_some_and(|before| {
        reading.classes(before, 0).has(Class::DateVerb)
            || reading.classes(before, 0).has(Class::Procedure)
            || [
                "home", "sched", "ur", "seit", "od", "am", "operacja", "dnia", "do", "il", "dal",
                "on",
            ]
            .contains(&reading.word(before))
    });
    let unit = reading.at(last, 1).is_some_and(|word| word.classes.has(Class::Measure));
    ((begins && ends || led) && !unit && whole.1 == 2).then_some(found(
        last,
        Feature::DottedDate,
        Composer::DatePartial,
        0,
    ))
}

/// `the first of the month`, `the 1st of every month`
fn of_month(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let numbered = reading.classes(at, 0).has(Class::NumberWord)
        || reading.word(at) == "last"
        || reading.at(at, 0)?.token.shape == Shape::Code && day_at(reading, at, 0).is_some();
    let linked = reading.word(at + 1) == "of"
        && matches!(reading.word(at + 2), "the" | "every" | "each" | "this" | "last" | "next")
        && reading.word(at + 3) == "month";
    let the = usize::from(before(reading, at) == "the");
    (numbered && linked).then_some(found(at + 3, Feature::WeekOf, Composer::DatePartial, the))
}

/// `Valentine's`
fn owned_day(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if !matches!(reading.word(at), "valentine" | "patrick" | "paddy") {
        return None;
    }
    let alone = ["on", "since", "until", "till", "before", "after", "st"]
        .contains(&before(reading, at))
        || !spaced(reading, at + 1);
    (word.token.possessive && alone).then_some(found(
        at,
        Feature::HolidayDate,
        Composer::DateHoliday,
        0,
    ))
}

/// `passed last week`, `next weekend`
fn week_said(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let unit = matches!(reading.word(at), "week" | "weekend" | "month");
    let led = matches!(before(reading, at), "last" | "next" | "this") && spaced(reading, at);
    (unit && led).then_some(found(at, Feature::WeekSaid, Composer::DatePartial, 1))
}
