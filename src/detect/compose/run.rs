//! Where a name may stand: every run of words with a hint of one, generously.

use crate::detect::compose::hint::{CUES, NEVER, RARELY, STRONG_CUES, hint, is_letters};
use crate::detect::compose::join::joins;
use crate::detect::compose::model::Feature;
use crate::detect::compose::script;
use crate::detect::compose::surroundings::ends_before;
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// The most words of one name.
const LONGEST: usize = 5;

pub(super) const LISTED: Classes =
    Classes::of(&[Class::FirstName, Class::LastName, Class::Nickname]);

/// A name from its first to its last word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) last_first: bool,
    pub(super) cue: Classes,
    /// How it was proposed.
    pub(super) way: Feature,
}

pub(super) fn runs(reading: &Reading<'_>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < reading.words.len() {
        let whole = handle(reading, at)
            .map(|last| (last, Feature::ByHandle))
            .or_else(|| spaced(reading, at).map(|last| (last, Feature::ByDisguise)))
            .or_else(|| masked(reading, at).map(|last| (last, Feature::ByDisguise)))
            .or_else(|| login(reading, at).map(|last| (last, Feature::ByHandle)))
            .or_else(|| script::name(reading, at).map(|last| (last, Feature::ByScript)));
        if let Some((last, way)) = whole {
            let cue = cue_before(reading, at);
            runs.push(Run { first: at, last, last_first: false, cue, way });
            at = last + 1;
            continue;
        }
        let cue = cue_before(reading, at);
        let Some(way) = hint(reading, at, cue) else {
            at += 1;
            continue;
        };
        let first = begins(reading, at, runs.last().map_or(0, |run: &Run| run.last + 1));
        let mut last = at;
        let mut last_first = false;
        while last + 1 - first < LONGEST + 2 {
            let Some(step) = joins(reading, first, last) else { break };
            last_first |= reading.gap(last + 1).has(Gap::COMMA);
            last += step;
        }
        let bare = reading.at(first, 0).is_some_and(is_initial)
            && (last == first || matches!(reading.word(first), "a" | "i"))
            && last <= first + 1;
        if !bare || cue.meets(STRONG_CUES) || is_letters(reading, first, last) {
            runs.push(Run { first, last, last_first, cue, way });
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
        let titled =
            ["big", "little", "lil", "baby", "girl", "boy", "naw", "saw", "la", "el", "de", "di"]
                .contains(&reading.word(first - 1));
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
    particles(reading, first, free)
}

/// Takes in the particles before a surname that stands by itself: `Espinoza, de la Cruz`, `Frau von Trotnow`.
fn particles(reading: &Reading<'_>, first: usize, free: usize) -> usize {
    let is_particle = |at: usize| {
        reading.classes(at, 0).has(Class::Particle) && reading.gap(at + 1).only(Gap::SPACE)
    };
    let n_particles = (free..first).rev().take(3).take_while(|at| is_particle(*at)).count();
    let head = first - n_particles;
    if n_particles == 0 {
        return first;
    }
    // One that is an ordinary word elsewhere needs a place where a name begins.
    let sure = matches!(
        (reading.word(head), reading.word(head + 1)),
        ("von" | "van" | "bin" | "ibn" | "abu" | "ter", _) | ("de", "la" | "los" | "las")
    );
    let begins = reading.gap(head).has(Gap::COMMA.and(Gap::LINE).and(Gap::COLON))
        || head.checked_sub(1).is_some_and(|before| {
            let classes = reading.classes(before, 0);
            classes.has(Class::Honorific) || classes.has(Class::Title)
        });
    if sure || begins { head } else { first }
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
                || gap == Gap::STOP
                || (gap == Gap::HYPHEN && word.token.span.len() > 1)
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
    // `[name] left`: the marker of what was redacted here before calls for nothing.
    if reading.byte_after(before) == b']' {
        return Classes::default();
    }
    // `lat.ms/19f0` is a link, and no Ms.
    if !gap.has(Gap::SPACE) && !gap.has(Gap::COLON) && gap != Gap::default() {
        return Classes::default();
    }
    if gap.has(Gap::COMMA) && !reading.classes(before, 0).has(Class::Kin) {
        return Classes::default();
    }
    reading.classes(before, 0).and(CUES)
}

/// Whether a word is one letter. Without a cue it is a blood group, a vitamin, a list.
fn is_initial(word: &Word) -> bool {
    word.token.span.len() == 1
}

/// `g.halvorsen`, `m_reyes`: how somebody signs in.
fn login(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let (here, next) = (reading.at(at, 0)?, reading.at(at, 1)?);
    let lower = |word: &Word| word.token.shape == Shape::Lower;
    let joined = [Gap::STOP, Gap::UNDERSCORE].contains(&next.token.gap)
        && reading.gap(at) != Gap::STOP
        && !reading.gap(at).has(Gap::SLASH.and(Gap::AT));
    let named = next.token.span.len() > 3
        && next.entry.word <= 2
        && (next.entry.last >= 5 || next.entry.first >= 7 || next.entry.word == 0);
    let goes_on = [Gap::STOP, Gap::SLASH, Gap::AT, Gap::HYPHEN].contains(&reading.gap(at + 2))
        && reading.byte_after(at + 1) != b'.';
    (is_initial(here) && lower(here) && lower(next) && joined && named && !goes_on)
        .then_some(at + 1)
}

/// Whether a word with digits for letters reads as a listed name.
pub(super) fn leet(reading: &Reading<'_>, at: usize) -> bool {
    let word = reading.word(at);
    let n_letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    // Room codes, ordinals and doses begin with a digit or hold few letters.
    n_letters >= 2
        && word.len() >= 4
        && word.len() <= 14
        && n_letters * 3 >= word.len()
        && !word.bytes().skip_while(u8::is_ascii_digit).all(|byte| byte.is_ascii_alphabetic())
}
