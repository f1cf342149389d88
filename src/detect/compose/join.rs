//! Where a name goes on: the next word of a run, over spaces, hyphens, particles, quoted nicknames and commas.

use crate::detect::compose::hint::{NEVER, RARELY, hint};
use crate::detect::compose::run::{LISTED, leet};
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// Words that end a name, though written with a capital beside it. What else has a capital may be part of the name of
/// a firm: `Harmon Cold Storage`.
const ENDS: Classes = Classes::of(&[
    Class::Month,
    Class::State,
    Class::Credential,
    Class::Kin,
    Class::Patient,
    Class::Role,
    Class::IdWord,
    Class::Question,
    Class::Relative,
    Class::Praise,
    Class::TimeWord,
    Class::Named,
    Class::Shock,
    Class::EponymHead,
    Class::PlaceBefore,
]);

/// How many words further a run goes on after its word `last`, if it does.
pub(super) fn joins(reading: &Reading<'_>, first: usize, last: usize) -> Option<usize> {
    let here = reading.at(last, 0)?;
    let next = reading.at(last, 1)?;
    if here.token.tagged != next.token.tagged {
        return None;
    }
    if here.token.possessive {
        return owned(reading, first, last).then_some(1);
    }
    let gap = next.token.gap;
    let initial = here.token.span.len() == 1;
    // `Ballard & Sons`
    let firm = gap.has(Gap::AND)
        && gap.only(Gap::AND.and(Gap::SPACE))
        && next.token.shape == Shape::Capital
        && here.token.shape == Shape::Capital;
    if firm && reading.word(last) != "and" {
        return Some(1);
    }
    if gap.only(Gap::SPACE)
        || gap.only(Gap::HYPHEN)
        || (initial && gap.only(Gap::SPACE.and(Gap::STOP)))
    {
        if goes_on(reading, here, next, last + 1) {
            return Some(1);
        }
        return particles(reading, last);
    }
    nickname(reading, last).or_else(|| coded(reading, last)).or_else(|| {
        let comma = gap.has(Gap::COMMA) && gap.only(Gap::COMMA.and(Gap::SPACE));
        if comma { last_first(reading, first, last) } else { None }
    })
}

/// `van der Berg`, `de la Cruz`: particles and then a name.
fn particles(reading: &Reading<'_>, last: usize) -> Option<usize> {
    let here = reading.at(last, 0)?;
    let n_particles = (1..=3)
        .take_while(|offset| {
            reading.at(last, *offset).is_some_and(|word| {
                word.classes.has(Class::Particle)
                    && word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
            })
        })
        .count();
    let end = last + n_particles + 1;
    let named = reading.at(end, 0).is_some_and(|word| {
        matches!(word.token.shape, Shape::Capital | Shape::Mixed | Shape::Upper)
            && word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
            && word.entry.word < 15
    });
    (n_particles > 0 && named && here.token.shape != Shape::Lower).then_some(n_particles + 1)
}

/// `Lorenzo "Lolo" Marchetti`, `Martín «el Güero» Saldívar`, `Anne (Nan) Whitlock`
fn nickname(reading: &Reading<'_>, last: usize) -> Option<usize> {
    const MARKS: Gap = Gap::QUOTE.and(Gap::BRACKET);
    let opens = reading.gap(last + 1);
    let proper = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            matches!(word.token.shape, Shape::Capital | Shape::Mixed | Shape::Upper)
        })
    };
    let marked = opens.has(MARKS) && opens.has(Gap::SPACE);
    if !marked || !opens.only(MARKS.and(Gap::SPACE)) || !proper(last) {
        return None;
    }
    let end = (last + 2..last + 5).find(|at| !reading.gap(*at).only(Gap::SPACE))?;
    let closes = reading.gap(end);
    let ends = closes.has(MARKS) && closes.only(MARKS.and(Gap::SPACE));
    let called = (last + 1..end).any(proper);
    let surname = proper(end)
        && !reading.classes(end, 0).meets(NEVER)
        && !reading.classes(end, 0).has(Class::NoName);
    (ends && called && surname).then_some(end - last)
}

/// `ZELAYA^CONSUELO`, `Soileau_K`: how files and machines write a name.
fn coded(reading: &Reading<'_>, last: usize) -> Option<usize> {
    let (here, next) = (reading.at(last, 0)?, reading.at(last, 1)?);
    let gap = next.token.gap;
    let marked = gap == Gap::UNDERSCORE && !next.token.tagged
        || (gap == Gap::OTHER && reading.byte_after(last) == b'^');
    let written = here.token.shape == next.token.shape || next.token.span.len() == 1;
    (marked && written && !next.token.shape.is_number() && here.token.shape != Shape::Lower)
        .then_some(1)
}

/// `RODRIGUEZ, MANUEL`, `Fitzgibbon, T`, `Gunderson-Vu, BABY A`
fn last_first(reading: &Reading<'_>, first: usize, last: usize) -> Option<usize> {
    let (here, next) = (reading.at(last, 0)?, reading.at(last, 1)?);
    let whole =
        first == last || (last == first + 1 && reading.at(last, 0)?.token.gap == Gap::HYPHEN);
    if !whole {
        return None;
    }
    let child = matches!(reading.word(last + 1), "baby" | "twin" | "girl" | "boy" | "bg" | "bb");
    if child && next.token.shape != Shape::Lower && here.token.shape != Shape::Lower {
        let more = reading.at(last, 2).is_some_and(|word| {
            word.token.gap.only(Gap::SPACE)
                && matches!(word.token.shape, Shape::Upper | Shape::Capital)
                && (word.token.span.len() == 1 || matches!(reading.word(last + 2), "girl" | "boy"))
        });
        return Some(1 + usize::from(more));
    }
    let unlikely_word = here.entry.word <= 3 && (here.entry.last >= 5 || here.entry.word == 0)
        || (last > first && here.entry.last >= 8);
    if next.token.span.len() == 1 {
        let after = reading.gap(last + 2);
        let sets_off = Gap::SPACE.and(Gap::STOP).and(Gap::LINE).and(Gap::COMMA).and(Gap::OTHER);
        let loud = here.token.shape == Shape::Upper && reading.case == Case::Normal;
        let apart = (loud || !matches!(reading.word(last + 1), "i" | "a"))
            && after.only(sets_off.and(Gap::BRACKET).and(Gap::QUOTE));
        let written = matches!(here.token.shape, Shape::Capital | Shape::Upper)
            && next.token.shape == Shape::Capital;
        return (unlikely_word && apart && written).then_some(1);
    }
    // `VANG,PAO,1971-01-19`: a row of a table.
    let row = next.token.gap == Gap::COMMA
        && next.token.shape == Shape::Upper
        && here.token.shape == Shape::Upper
        && reading.gap(last + 2) == Gap::COMMA;
    if row {
        return Some(1);
    }
    hint(reading, last + 1, Classes::default())?;
    let upper = here.token.shape == Shape::Upper
        && next.token.shape == Shape::Upper
        && reading.case != Case::Upper;
    let listed =
        here.entry.last >= 7 && next.entry.first >= 8 && here.entry.last > here.entry.first;
    let dated = (2..=3).any(|offset| {
        reading.at(last, offset).is_some_and(|word| {
            matches!(word.token.shape, Shape::Digits | Shape::Code)
                || word.classes.has(Class::IdWord)
        })
    });
    (upper || (listed && dated)).then_some(1)
}

/// `Hartwell's IGA`, `Sal's Auto Glass`: what somebody owns has a name with capitals.
fn owned(reading: &Reading<'_>, first: usize, last: usize) -> bool {
    let (Some(here), Some(next)) = (reading.at(last, 0), reading.at(last, 1)) else { return false };
    let proper = next.token.shape == Shape::Capital
        || (next.token.shape == Shape::Upper && reading.case == Case::Normal);
    proper
        && first == last
        && reading.case == Case::Normal
        && here.token.shape == Shape::Capital
        && next.token.gap.only(Gap::SPACE.and(Gap::QUOTE))
        && next.token.span.len() > 1
        && !here.classes.has(Class::Eponym)
        && !next.classes.meets(ENDS)
        && !next.classes.meets(NEVER)
        && !next.classes.has(Class::NoName)
        && !next.token.starts_sentence
}

/// Whether the next word carries a name on.
fn goes_on(reading: &Reading<'_>, here: &Word, next: &Word, at: usize) -> bool {
    let upper = matches!(next.token.shape, Shape::Capital | Shape::Mixed | Shape::Upper);
    if next.token.span.len() == 1 {
        return upper && reading.word(at) != "i";
    }
    // `Smith-Jones`, and `Ji-ho`, whose second half has no capital.
    if next.token.gap == Gap::HYPHEN
        && (next.token.shape == here.token.shape || here.token.shape == Shape::Capital)
    {
        let syllable = next.token.span.len() <= 4 && here.entry.word <= 1;
        return (next.entry.word < 16 || syllable)
            && next.token.shape != Shape::Digits
            && (next.token.shape == here.token.shape
                || (here.entry.word < 8 && here.token.span.len() < 6)
                || (next.token.span.len() <= 4
                    && here.token.span.len() <= 5
                    && (next.entry.word <= 1 || here.entry.word <= 1)));
    }
    // `Ji-won Seo`
    if here.token.gap == Gap::HYPHEN
        && here.token.shape == Shape::Lower
        && next.token.shape == Shape::Capital
    {
        return hint(reading, at, Classes::default()).is_some();
    }
    match here.token.shape {
        Shape::Lower if next.token.shape == Shape::Lower => {
            (next.entry.last >= 7 || next.classes.meets(LISTED)) && next.entry.word <= 3
        }
        Shape::Upper if next.token.shape == Shape::Upper => {
            hint(reading, at, Classes::default()).is_some()
        }
        Shape::Lower | Shape::Digits | Shape::Code => {
            next.token.shape == Shape::Code && leet(reading, at)
        }
        _ if next.token.shape == Shape::Code => leet(reading, at),
        _ => {
            let barred = next.classes.meets(NEVER) || next.classes.has(Class::NoName);
            let surname = next.entry.last >= 8 && !barred;
            let numbered =
                next.classes.has(Class::NumberWord) && next.token.shape == Shape::Capital;
            let capital = next.token.shape == Shape::Capital && !barred;
            let word = capital && next.entry.word <= 15 && !next.classes.meets(RARELY);
            let firm = capital && reading.case == Case::Normal && !next.classes.meets(ENDS);
            upper
                && (surname
                    || numbered
                    || word
                    || firm
                    || hint(reading, at, Classes::default()).is_some())
        }
    }
}
