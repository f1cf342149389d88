//! Where a name may stand: every run of words with a hint of one, generously.

use crate::detect::compose::surroundings::ends_before;
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// The most words of one name.
const LONGEST: usize = 5;

/// Words that call for a name after them.
const CUES: Classes = Classes::of(&[
    Class::Honorific,
    Class::Title,
    Class::Doctor,
    Class::Kin,
    Class::Patient,
    Class::Named,
]);
/// Cues after which a word without a capital may be a name.
const STRONG_CUES: Classes = Classes::of(&[Class::Honorific, Class::Patient, Class::Named]);
/// Words that are no part of a name, however written.
const NEVER: Classes = Classes::of(&[
    Class::Pron1,
    Class::Pron2,
    Class::Pron3,
    Class::Weekday,
    Class::Holiday,
    Class::NumberWord,
    Class::Possessive,
    Class::Honorific,
    Class::Doctor,
]);
/// Words that are no name unless they are listed as a common one.
const RARELY: Classes = Classes::of(&[
    Class::Month,
    Class::State,
    Class::Credential,
    Class::Kin,
    Class::Patient,
    Class::Role,
    Class::Ward,
    Class::IdWord,
    Class::Procedure,
    Class::Diagnosis,
    Class::Measure,
    Class::Status,
    Class::Question,
    Class::Relative,
    Class::Praise,
    Class::Event,
    Class::TagWord,
    Class::Title,
    Class::PlaceBefore,
    Class::Brand,
    Class::Shock,
    Class::Street,
    Class::Facility,
    Class::Direction,
    Class::TimeWord,
    Class::AgeUnit,
    Class::ClinicalVerb,
    Class::Named,
]);

pub(super) const LISTED: Classes =
    Classes::of(&[Class::FirstName, Class::LastName, Class::Nickname]);

/// A name from its first to its last word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) last_first: bool,
    pub(super) cue: Classes,
}

pub(super) fn runs(reading: &Reading<'_>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < reading.words.len() {
        if let Some(last) =
            handle(reading, at).or_else(|| spaced(reading, at)).or_else(|| masked(reading, at))
        {
            runs.push(Run { first: at, last, last_first: false, cue: cue_before(reading, at) });
            at = last + 1;
            continue;
        }
        let cue = cue_before(reading, at);
        if !hints(reading, at, cue) {
            at += 1;
            continue;
        }
        let first = begins(reading, at, runs.last().map_or(0, |run: &Run| run.last + 1));
        let mut last = at;
        let mut last_first = false;
        while last + 1 - first < LONGEST + 2 {
            let Some(step) = joins(reading, first, last) else { break };
            last_first |= reading.gap(last + 1).has(Gap::COMMA);
            last += step;
        }
        if last > first || !is_bare_initial(reading, first, cue) {
            runs.push(Run { first, last, last_first, cue });
        }
        at = last + 1;
    }
    runs
}

/// Takes in words before a name that are written as part of it: `Big Earl`, `BABY GIRL ESPINOZA`, `Trace Hollister`.
fn begins(reading: &Reading<'_>, at: usize, free: usize) -> usize {
    let mut first = at;
    while first > free
        && at - first < 2
        && !ends_before(reading, first)
        && reading.gap(first).only(Gap::SPACE)
    {
        let Some(word) = reading.at(first, -1) else { break };
        let titled = matches!(
            reading.word(first - 1),
            "big"
                | "little"
                | "lil"
                | "baby"
                | "girl"
                | "boy"
                | "naw"
                | "saw"
                | "la"
                | "el"
                | "de"
                | "di"
        );
        let titled = titled || (word.classes.has(Class::Title) && word.entry.first >= 6);
        let written =
            matches!(word.token.shape, Shape::Capital | Shape::Upper) && word.token.span.len() > 1;
        let proper = word.token.shape == Shape::Capital
            && !word.token.starts_sentence
            && !word.classes.meets(NEVER)
            && !word.classes.meets(RARELY)
            && reading.case == Case::Normal
            && reading.at(first, 0).is_some_and(|word| word.token.shape == Shape::Capital);
        if !(written && titled || proper) {
            break;
        }
        first -= 1;
    }
    first
}

/// A whole handle, which says who somebody is only as a whole: `@abuela.consuelo`, `@marlonj_the_welder`.
fn handle(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let word = reading.at(at, 0)?;
    if !(word.token.tagged && word.token.gap.has(Gap::AT)) {
        return None;
    }
    let on = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            let gap = word.token.gap;
            gap == Gap::default() && word.token.tagged
                || gap == Gap::UNDERSCORE
                || ((gap == Gap::STOP || gap == Gap::HYPHEN) && word.token.span.len() > 1)
        })
    };
    let last = (at + 1..at + 8).take_while(|at| on(*at)).last().unwrap_or(at);
    // Ordinary words alone (`@team.example`, `@ourhospital_news`) name a body and nobody.
    let personal = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            let listed =
                word.entry.first >= 7 || word.entry.last >= 7 || word.classes.meets(LISTED);
            word.token.span.len() > 2
                && word.number.is_none()
                && (word.entry.word == 0 || (listed && word.entry.word < 10))
        })
    };
    (at..=last).any(personal).then_some(last)
}

/// Letters set apart so that no filter reads them: `D.a.n.i.e.l`, `V/o/g/e/l`, `T u r n e r`. Two such words are two names.
fn spaced(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let letter = |at: usize| {
        reading.at(at, 0).is_some_and(|word| word.token.span.len() == 1 && word.number.is_none())
    };
    let gap = reading.gap(at + 1);
    let even =
        [Gap::SPACE, Gap::STOP, Gap::HYPHEN, Gap::SLASH, Gap::LINE, Gap::OTHER, Gap::UNDERSCORE]
            .contains(&gap);
    if !letter(at) || !even {
        return None;
    }
    let last = (at + 1..at + 24).take_while(|at| letter(*at) && reading.gap(*at) == gap).last()?;
    (last >= at + 3).then_some(last)
}

/// Letters masked in the midst of a word: `S*m*nth*`, `Ch*rl*tte`.
fn masked(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let goes_on = |at: usize| {
        reading.gap(at) == Gap::OTHER
            && reading.at(at, 0).is_some_and(|word| word.token.shape != Shape::Digits)
    };
    let star = |at: usize| reading.byte_after(at) == b'*';
    if !(star(at) && matches!(reading.at(at, 0)?.token.shape, Shape::Capital | Shape::Upper))
        || reading.gap(at).has(Gap::OTHER)
    {
        return None;
    }
    let last = (at + 1..at + 8).take_while(|at| star(*at - 1) && goes_on(*at)).last()?;
    Some(last)
}

/// The classes of the cue right before a word, if one is.
fn cue_before(reading: &Reading<'_>, at: usize) -> Classes {
    let Some(before) = at.checked_sub(1).filter(|_| !ends_before(reading, at)) else {
        return Classes::default();
    };
    let gap = reading.gap(at);
    // `lat.ms/19f0` is a link, and no Ms.
    if !gap.has(Gap::SPACE) && !gap.has(Gap::COLON) && gap != Gap::default() {
        return Classes::default();
    }
    if gap.has(Gap::COMMA) && !reading.classes(before, 0).has(Class::Kin) {
        return Classes::default();
    }
    reading.classes(before, 0).and(CUES)
}

/// Whether a word has a hint of a name.
fn hints(reading: &Reading<'_>, at: usize, cue: Classes) -> bool {
    let Some(word) = reading.at(at, 0) else { return false };
    let entry = word.entry;
    let len = word.token.span.len();
    if word.within_phrase
        && !word.classes.meets(LISTED)
        && entry.first < 8
        && entry.last < 8
        && !cue.meets(STRONG_CUES)
    {
        return false;
    }
    let never = word.classes.has(Class::NoName) || (word.classes.meets(NEVER) && entry.first < 12);
    if never && len > 1 {
        return false;
    }
    let common = entry.word;
    // `ART IN 12`: who is in a room is a patient.
    let housed = matches!(reading.word(at + 1), "in" | "en")
        && !ends_before(reading, at + 1)
        && reading
            .at(at, 2)
            .is_some_and(|word| matches!(word.token.shape, Shape::Digits | Shape::Code))
        && word.token.shape != Shape::Lower;
    if housed && (entry.first > 6 || entry.last > 6 || common < 3) && len > 1 {
        return true;
    }
    let listed = entry.first >= 7 || entry.last >= 7 || word.classes.meets(LISTED);
    let known = entry.first >= 11 || (word.classes.meets(LISTED) && common < 3);
    if word.classes.meets(RARELY)
        && !known
        && !(cue.meets(STRONG_CUES) && word.token.shape != Shape::Lower)
    {
        return false;
    }
    if word.classes.has(Class::ForeignWord) && entry.first < 9 {
        return false;
    }
    // One letter is an initial.
    if len == 1 {
        let cued = cue.meets(STRONG_CUES) || !matches!(reading.word(at), "i" | "a");
        return word.token.shape == Shape::Capital && cued;
    }
    match word.token.shape {
        Shape::Digits => false,
        Shape::Code => leet(reading, at),
        Shape::Capital | Shape::Mixed
            if matches!(reading.case, Case::Normal | Case::Title) || word.token.tagged =>
        {
            if word.token.tagged {
                // `#TeamJosephine` has a listed name, `#PrayForOlamide` a wish; the rest are words of any language.
                let wished = [-2, -1, 1].iter().any(|offset| {
                    reading.at(at, *offset).is_some_and(|other| {
                        other.token.tagged && other.classes.has(Class::TagWord)
                    })
                });
                return (listed && common < 16) || (wished && common == 0);
            }
            if !cue.is_empty() {
                return common < 16 || listed;
            }
            if word.token.starts_sentence || reading.case == Case::Title {
                // `Mercy fed herself`, `Will is doing great`: somebody does something.
                let does = (entry.first >= 8 || word.classes.meets(LISTED))
                    && reading.classes(at, 1).has(Class::ClinicalVerb)
                    && !ends_before(reading, at + 1);
                does || common <= 1
                    || (listed && common <= 4)
                    || entry.first >= 10
                    || (entry.last >= 9 && common <= 6)
            } else {
                let next = reading.at(at, 1).filter(|next| {
                    next.token.gap.only(Gap::SPACE) && next.token.shape == Shape::Capital
                });
                let surname = next.is_some_and(|next| next.entry.last >= 8 && next.entry.word < 5);
                common <= 13 || entry.first >= 9 || entry.last >= 9 || surname
            }
        }
        Shape::Upper if reading.case == Case::Normal && len > 2 => {
            let beside = [-1, 1].iter().any(|offset| {
                reading.at(at, *offset).is_some_and(|word| {
                    word.token.shape == Shape::Upper
                        && (word.entry.first > 5 || word.entry.last > 5)
                })
            });
            (listed && common <= 5)
                || (!cue.is_empty() && (listed || len > 3))
                || (beside && common <= 10 && len > 2)
                || (common == 0 && len > 4)
        }
        _ => hints_in_lower(reading, at, cue, listed),
    }
}

/// The same of a word without a capital, or where capitals say nothing.
fn hints_in_lower(reading: &Reading<'_>, at: usize, cue: Classes, listed: bool) -> bool {
    let Some(word) = reading.at(at, 0) else { return false };
    let (entry, len, common) = (word.entry, word.token.span.len(), word.entry.word);
    let after_cue = cue.meets(STRONG_CUES) && common <= 8 && (listed || common <= 1) && len > 2;
    let kin = cue.has(Class::Kin) && listed && common <= 4;
    let cased = reading.case == Case::Upper
        && ((entry.first >= 9 && common <= 12) || (common == 0 && len > 3));
    // Where nobody writes capitals any unlisted word may be a name.
    let free = reading.case == Case::Lower
        && !word.token.tagged
        && common == 0
        && len > 3
        && entry.classes.is_empty()
        && !is_stretched(reading.word(at));
    let titled = cue.has(Class::Honorific) && entry.last >= 9;
    after_cue
        || kin
        || titled
        || free
        || cased
        || (entry.first >= 8 && common <= 2)
        || (entry.first >= 13 && common <= 9 && len > 2)
        || (entry.last >= 8 && common == 0)
        || (word.classes.meets(LISTED) && common == 0)
}

/// Whether a word is drawn out or laughed: `nooooo`, `hahaha`, `tysm`.
fn is_stretched(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.windows(3).any(|three| matches!(three, [a, b, c] if a == b && b == c))
        || word.contains("haha")
        || !word.bytes().any(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
}

/// Whether a lone capital letter is not a name: without a cue it is a blood group, a vitamin, a list.
fn is_bare_initial(reading: &Reading<'_>, at: usize, cue: Classes) -> bool {
    reading.at(at, 0).is_some_and(|word| word.token.span.len() == 1) && !cue.meets(STRONG_CUES)
}

/// How many words further a run goes on after its word `last`, if it does.
fn joins(reading: &Reading<'_>, first: usize, last: usize) -> Option<usize> {
    let here = reading.at(last, 0)?;
    let next = reading.at(last, 1)?;
    if here.token.possessive || (here.token.tagged != next.token.tagged) {
        return None;
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
        // `van der Berg`, `de la Cruz`: particles and then a name.
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
        return (n_particles > 0 && named && here.token.shape != Shape::Lower)
            .then_some(n_particles + 1);
    }
    // `RODRIGUEZ, MANUEL`
    let comma = gap.has(Gap::COMMA) && gap.only(Gap::COMMA.and(Gap::SPACE));
    if comma && first == last && hints(reading, last + 1, Classes::default()) {
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
        return (upper || (listed && dated)).then_some(1);
    }
    None
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
        return next.entry.word < 16
            && next.token.shape != Shape::Digits
            && (next.token.shape == here.token.shape
                || (here.entry.word < 8 && here.token.span.len() < 6));
    }
    match here.token.shape {
        Shape::Lower if next.token.shape == Shape::Lower => {
            (next.entry.last >= 7 || next.classes.meets(LISTED)) && next.entry.word <= 3
        }
        Shape::Upper if next.token.shape == Shape::Upper => hints(reading, at, Classes::default()),
        Shape::Lower | Shape::Digits | Shape::Code => {
            next.token.shape == Shape::Code && leet(reading, at)
        }
        _ if next.token.shape == Shape::Code => leet(reading, at),
        _ => {
            let surname = next.entry.last >= 8
                && !next.classes.meets(NEVER)
                && !next.classes.has(Class::NoName);
            let numbered =
                next.classes.has(Class::NumberWord) && next.token.shape == Shape::Capital;
            let word = next.token.shape == Shape::Capital
                && next.entry.word <= 15
                && !next.classes.meets(NEVER)
                && !next.classes.has(Class::NoName)
                && !next.classes.meets(RARELY);
            upper && (hints(reading, at, Classes::default()) || surname || numbered || word)
        }
    }
}

/// Whether a word with digits for letters reads as a listed name.
fn leet(reading: &Reading<'_>, at: usize) -> bool {
    let word = reading.word(at);
    let n_letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    // Room codes, ordinals and doses begin with a digit or hold few letters.
    n_letters >= 2
        && word.len() >= 4
        && word.len() <= 14
        && n_letters * 3 >= word.len()
        && !word.bytes().skip_while(u8::is_ascii_digit).all(|byte| byte.is_ascii_alphabetic())
}
