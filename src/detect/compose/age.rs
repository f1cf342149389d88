//! Ages: only those over 89 are identifiers, and a birth year that gives one counts as one.
//!
//! A bare number is no age: it needs a unit, a verb of turning, a sex, or a person it stands beside.

use crate::detect::compose::model::Feature;
use crate::detect::compose::surroundings::{self, is_age_code};
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Desk, Proposal, Standing};
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;
use crate::span::Span;

/// The oldest age anybody reaches.
const OLDEST: u32 = 122;

/// Proposes every age over 89.
pub(super) fn propose(reading: &Reading<'_>, desk: Desk<'_>, out: &mut Vec<Proposal>) {
    for at in 0..reading.words.len() {
        let found = age(reading, at)
            .or_else(|| birth_year(reading, desk, at))
            .map(|found| (found, if found.2 { Feature::HitAge } else { Feature::HitWeak }))
            .or_else(|| nth(reading, at).map(|found| (found, Feature::NthBirthday)))
            .or_else(|| bare(reading, at).map(|found| (found, Feature::BareAge)));
        let Some(((first, last, sure), form)) = found else { continue };
        let last = halved(reading, last);
        let mut score = desk.models.age.score(desk.explain);
        score.add(form);
        surroundings::add(reading, first, last, &mut score);
        out.push(Proposal {
            composer: Composer::AgeOver89,
            span: span(reading, first, last),
            words: (first, last),
            tied: score.tied,
            like: if sure { 3.0 } else { -1.0 },
            sure: false,
            standing: Standing::Weighed,
            generalized: Some("90+".to_owned()),
            parts: score.parts,
        });
    }
}

/// The first and last word of an age over 89 that begins at a word, and whether it says so itself.
fn age(reading: &Reading<'_>, at: usize) -> Option<(usize, usize, bool)> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    if word.token.shape == Shape::Code {
        let digits = text.get(..text.bytes().take_while(u8::is_ascii_digit).count())?;
        let number: u32 = digits.parse().ok()?;
        let birthday = matches!(text.get(digits.len()..), Some("th" | "st" | "nd" | "rd"))
            && matches!(reading.word(at + 1), "birthday" | "bday");
        return (is_over_89(number)
            && (birthday
                || (is_age_code(text) && !text.ends_with("mo") && !text.ends_with("wk"))))
        .then_some((at, at, true));
    }
    let (number, last) = match word.number {
        Some(number) => (number, at),
        None => in_words(reading, at)?,
    };
    if !is_over_89(number) || is_measure(reading, at, last) {
        return None;
    }
    let unit = reading.at(last, 1).filter(|next| {
        next.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
            && (next.classes.has(Class::AgeUnit)
                || matches!(
                    reading.word(last + 1),
                    "y" | "m" | "f" | "male" | "female" | "jahrige"
                ))
    });
    if unit.is_some() {
        return (!is_duration(reading, last)).then(|| (at, unit_end(reading, last), true));
    }
    let Some(before) = at.checked_sub(1) else {
        return reading.gap(last + 1).has(Gap::STOP.and(Gap::COMMA)).then_some((at, last, false));
    };
    let lead = reading.word(before);
    let gap = reading.gap(at);
    if reading.classes(before, 0).has(Class::AgeTurn) && gap.only(Gap::SPACE.and(Gap::COLON)) {
        return Some((at, last, lead != "aged" || gap.only(Gap::SPACE)));
    }
    let contracted = matches!(lead, "he" | "she")
        && reading.at(before, 0).is_some_and(|word| word.token.possessive)
        && gap.only(Gap::SPACE);
    let person = [
        "is", "was", "been", "hes", "shes", "he's", "she's", "at", "tiene", "tem", "only",
        "almost", "nearly",
    ]
    .contains(&lead)
        && gap.only(Gap::SPACE)
        && ends_phrase(reading, last)
        && is_person(reading, before);
    // `Wilhelmina, 100, was found`
    let apposed = gap.has(Gap::COMMA)
        && gap.only(Gap::COMMA.and(Gap::SPACE))
        && reading.gap(last + 1).has(Gap::COMMA.and(Gap::STOP))
        && reading.at(before, 0).is_some_and(|word| {
            matches!(word.token.shape, Shape::Capital | Shape::Mixed) && word.entry.word < 12
        });
    // `(91)`, `Ninety-three.`, `bed 2, alone, 99.`: a number set apart, which only its surroundings can tell.
    let apart = gap.has(Gap::BRACKET.and(Gap::COMMA).and(Gap::LINE).and(Gap::STOP).and(Gap::OTHER))
        && reading.gap(last + 1).has(Gap::BRACKET.and(Gap::COMMA).and(Gap::STOP).and(Gap::LINE))
        || matches!(reading.word(last + 1), "na" | "y" | "this" | "herself" | "himself");
    (contracted || person || apposed || apart).then_some((at, last, person || contracted))
}

/// `Happy 100th to our oldest volunteer`, `Mom's 90th is Saturday`
fn nth(reading: &Reading<'_>, at: usize) -> Option<(usize, usize, bool)> {
    let text = reading.word(at);
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let ordinal = matches!(text.get(n_digits..), Some("th" | "st" | "nd" | "rd"));
    if !ordinal || !text.get(..n_digits)?.parse().is_ok_and(is_over_89) {
        return None;
    }
    let born = matches!(reading.word(at + 1), "birthday" | "bday" | "bd" | "b");
    if born {
        return Some((at, at + 1, false));
    }
    let before = at.checked_sub(1)?;
    let whose = ["his", "her", "happy", "my", "their", "turning", "celebrating", "hers", "mamas"]
        .contains(&reading.word(before))
        || reading.at(before, 0).is_some_and(|word| word.token.possessive);
    // `her 100th shift`: something else is counted.
    let next = reading.at(at, 1);
    let counted = next.is_some_and(|next| {
        next.token.gap.only(Gap::SPACE)
            && next.entry.word > 2
            && ![
                "to", "is", "was", "on", "in", "with", "and", "today", "this", "next", "at",
                "tomorrow", "we", "so", "but", "last", "coming",
            ]
            .contains(&reading.word(at + 1))
    });
    (whose && !counted).then_some((at, at, false))
}

/// `Pop Singh is 95 and still drives`, `91 and flirting`, `lady 97 walked in`, `she'll be 100 come May`, `94 and 91`: a
/// number that only what stands around it can tell.
fn bare(reading: &Reading<'_>, at: usize) -> Option<(usize, usize, bool)> {
    const AFTER: &[&str] = &[
        "and", "or", "ou", "y", "na", "in", "next", "today", "now", "this", "half", "candles",
        "come", "but", "still", "who", "with", "on", "not", "of", "when", "if", "soon", "already",
        "ki", "herself", "himself", "has", "had", "was", "is", "lol", "so", "walked", "have",
    ];
    const BEFORE: &[&str] = &[
        "is", "was", "be", "been", "just", "at", "of", "only", "almost", "nearly", "lady", "man",
        "age", "and", "or", "ou", "hes", "shes", "turn", "turned", "pt", "gma", "grandma",
        "grandpa", "still", "now", "over", "with", "to", "actually",
    ];
    let (number, last) = match reading.at(at, 0)?.number {
        Some(number) => (number, at),
        None => in_words(reading, at)?,
    };
    let word = reading.at(at, 0)?;
    if !is_over_89(number) || number > 112 || is_measure(reading, at, last) || word.token.tagged {
        return None;
    }
    let glued =
        |gap: Gap| [Gap::SLASH, Gap::COLON, Gap::HYPHEN, Gap::STOP, Gap::COMMA].contains(&gap);
    let number_at = |at: usize| reading.at(at, 0).is_some_and(|word| word.token.shape.is_number());
    let before = at.checked_sub(1);
    if glued(reading.gap(last + 1)) && number_at(last + 1)
        || glued(reading.gap(at)) && before.is_some_and(number_at)
        || reading.gap(at).has(Gap::HASH.and(Gap::AND))
    {
        return None;
    }
    let roomed = before.is_some_and(|before| {
        let classes = reading.classes(before, 0);
        classes.has(Class::Room)
            || classes.has(Class::UnitWord)
            || classes.has(Class::IdWord)
            || reading.word(before) == "in"
    });
    let marks = Gap::STOP
        .and(Gap::COMMA)
        .and(Gap::LINE)
        .and(Gap::BRACKET)
        .and(Gap::OTHER)
        .and(Gap::QUOTE)
        .and(Gap::COLON)
        .and(Gap::HYPHEN);
    let ends = reading.gap(last + 1).has(marks)
        || AFTER.contains(&reading.word(last + 1))
        || reading.classes(last, 1).has(Class::ClinicalVerb);
    let begins = reading.gap(at).has(marks)
        || before.is_some_and(|before| {
            BEFORE.contains(&reading.word(before))
                || reading.classes(before, 0).has(Class::Kin)
                || reading.classes(before, 0).has(Class::AgeTurn)
                || reading.at(before, 0).is_some_and(|word| {
                    word.token.possessive
                        || matches!(word.token.shape, Shape::Capital) && word.entry.word < 12
                })
        });
    (begins && ends && !roomed).then_some((at, last, false))
}

/// `90 and a half`, `91 y medio`
fn halved(reading: &Reading<'_>, last: usize) -> usize {
    let half = |at: usize| matches!(reading.word(at), "half" | "medio" | "media" | "meia" | "demi");
    if !matches!(reading.word(last + 1), "and" | "y" | "e" | "et") {
        return last;
    }
    match () {
        () if half(last + 2) => last + 2,
        () if half(last + 3) && reading.word(last + 2) == "a" => last + 3,
        () if reading.word(last + 2) == "1" && reading.word(last + 3) == "2" => last + 3,
        () => last,
    }
}

/// `born in 1931` gives over 89 or not by the calendar.
fn birth_year(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<(usize, usize, bool)> {
    let year = reading
        .at(at, 0)?
        .number
        .filter(|_| reading.at(at, 0).is_some_and(|word| word.token.span.len() == 4))?;
    let this_year = u32::try_from(desk.today.year()).ok()?;
    let old = this_year.checked_sub(year).is_some_and(is_over_89);
    let born = (1..=2).any(|back| {
        at.checked_sub(back).is_some_and(|at| {
            ["born", "nacio", "nacido", "nacida", "nasceu", "nee", "dob", "yob"]
                .contains(&reading.word(at))
        })
    });
    (old && born).then_some((at, at, true))
}

const fn is_over_89(age: u32) -> bool {
    89 < age && age <= OLDEST
}

/// `98 %`, `100 mg`, `sat 94`, `bp 120/95`: a number of something else.
fn is_measure(reading: &Reading<'_>, first: usize, last: usize) -> bool {
    let marked = matches!(reading.byte_after(last), b'%' | b'/' | b':')
        || reading.gap(first).has(Gap::SLASH.and(Gap::AND).and(Gap::HASH));
    let decimal = reading.byte_after(last) == b'.'
        && reading
            .at(last, 1)
            .is_some_and(|next| next.token.gap == Gap::STOP && next.number.is_some());
    let before = first.checked_sub(1).is_some_and(|at| {
        reading.classes(at, 0).has(Class::Measure) || reading.gap(first) == Gap::STOP
    });
    marked || decimal || before || reading.classes(last, 1).has(Class::Measure)
}

/// `100 years of service`, `for 95 years`: a length of time.
fn is_duration(reading: &Reading<'_>, last: usize) -> bool {
    let years = matches!(reading.word(last + 1), "years" | "year" | "months" | "anos" | "ans");
    let old = (2..=3).any(|offset| matches!(reading.word(last + offset), "old" | "young"));
    let months = matches!(reading.word(last + 1), "months" | "month");
    let after = ["of", "ago", "later", "from", "after", "since", "in", "experience", "combined"]
        .contains(&reading.word(last + 2));
    months || (years && after && !old)
}

/// The end of `year-old`, `years old`, `años`.
fn unit_end(reading: &Reading<'_>, last: usize) -> usize {
    let old = (2..=3).find(|offset| {
        matches!(reading.word(last + offset), "old" | "young" | "o" | "gulang" | "edad")
            && reading.gap(last + offset).only(Gap::SPACE.and(Gap::HYPHEN).and(Gap::SLASH))
    });
    last + old.unwrap_or(1)
}

fn ends_phrase(reading: &Reading<'_>, last: usize) -> bool {
    reading
        .gap(last + 1)
        .has(Gap::STOP.and(Gap::COMMA).and(Gap::LINE).and(Gap::BRACKET).and(Gap::OTHER))
        || ["and", "with", "but", "today", "now", "next", "on", "this", "years"]
            .contains(&reading.word(last + 1))
}

/// Whether the words before speak of a person.
fn is_person(reading: &Reading<'_>, at: usize) -> bool {
    (at.saturating_sub(3)..=at).any(|at| {
        reading.classes(at, 0).has(Class::Pron3)
            || reading.classes(at, 0).has(Class::Patient)
            || reading.classes(at, 0).has(Class::Kin)
            || matches!(reading.word(at), "died" | "passed" | "tiene" | "tem")
            || reading
                .at(at, 0)
                .is_some_and(|word| word.token.shape == Shape::Capital && word.entry.first > 8)
    })
}

/// `ninety`, `ninety-four`, `one hundred and two`
fn in_words(reading: &Reading<'_>, at: usize) -> Option<(u32, usize)> {
    let unit = |at: usize| {
        const UNITS: [&str; 9] =
            ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        UNITS
            .iter()
            .position(|unit| *unit == reading.word(at))
            .and_then(|at| u32::try_from(at + 1).ok())
    };
    match reading.word(at) {
        "ninety" => Some(unit(at + 1).map_or((90, at), |unit| (90 + unit, at + 1))),
        // `noventa y tres`, `noventa e cinco`
        "noventa" if matches!(reading.word(at + 1), "y" | "e") => Some((91, at + 2)),
        "noventa" => Some((90, at)),
        "hundred" => Some(unit(at + 1).map_or((100, at), |unit| (100 + unit, at + 1))),
        // `one hundred and four`, `a hundred`
        "one" | "a" if reading.word(at + 1) == "hundred" => {
            let and = usize::from(reading.word(at + 2) == "and");
            let last = at + 1;
            Some(unit(last + 1 + and).map_or((100, last), |unit| (100 + unit, last + 1 + and)))
        }
        _ => None,
    }
}

fn span(reading: &Reading<'_>, first: usize, last: usize) -> Span {
    reading.span(first, last)
}
