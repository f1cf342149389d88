//! Which words hint at a name, and how: a capital where none is needed, a list, a cue before, a verb after.
//!
//! A word that never is proposed can never be found, so every way is open that costs few candidates, and each says
//! of itself which way it was: what it is worth is a weight, and no hint decides.

use crate::detect::compose::model::Feature;
use crate::detect::compose::run::{LISTED, leet};
use crate::detect::compose::surroundings::ends_before;
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes, Lexicons};

/// Words that call for a name after them.
pub(super) const CUES: Classes = Classes::of(&[
    Class::Honorific,
    Class::Title,
    Class::Doctor,
    Class::Kin,
    Class::Patient,
    Class::Named,
]);
/// Cues after which a word without a capital may be a name.
pub(super) const STRONG_CUES: Classes =
    Classes::of(&[Class::Honorific, Class::Patient, Class::Named]);
/// Words that are no part of a name, however written.
pub(super) const NEVER: Classes = Classes::of(&[
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
pub(super) const RARELY: Classes = Classes::of(&[
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

/// How a word hints at a name, if it does.
pub(super) fn hint(reading: &Reading<'_>, at: usize, cue: Classes) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let (entry, len, shape) = (word.entry, word.token.span.len(), word.token.shape);
    if word.token.tagged {
        return in_tag(reading, at);
    }
    let listed = is_listed(word);
    let inside = is_inside(reading, at);
    if word.within_phrase
        && !word.classes.meets(LISTED)
        && entry.first < 8
        && entry.last < 8
        && !cue.meets(STRONG_CUES)
    {
        return None;
    }
    // One letter is an initial.
    if len == 1 {
        let cued = cue.meets(STRONG_CUES)
            || !matches!(reading.word(at), "i" | "a")
            || dotted(reading, at)
            || stands_for(reading, at);
        // `ms p`, where nobody writes capitals.
        let lower = reading.case == Case::Lower && cue.has(Class::Honorific);
        return (shape == Shape::Capital && cued || lower && shape == Shape::Lower)
            .then_some(Feature::ByInitial);
    }
    // `Frau von Trotnow`: the particle is taken in by the name behind it.
    let proper = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            matches!(word.token.shape, Shape::Capital | Shape::Mixed)
                && word.token.gap.only(Gap::SPACE)
        })
    };
    if shape == Shape::Lower && word.classes.has(Class::Particle) && proper(at + 1) {
        return None;
    }
    // `Mr. Old`, `the Vo family`: nothing but a name stands there.
    let free = !matches!(shape, Shape::Digits | Shape::Code) && !shouted_cue(reading, at);
    if free && shape != Shape::Lower && reading.case == Case::Normal {
        if cue.has(Class::Honorific) && !word.classes.meets(STRONG_CUES) {
            return Some(Feature::ByCue);
        }
        if is_family(reading, at) && !word.classes.meets(NEVER) && word.entry.word < 17 {
            return Some(Feature::ByFamily);
        }
    }
    if free && inside && syllables(reading, at) {
        return Some(Feature::ByCapital);
    }
    if word.classes.has(Class::NoName) || (word.classes.meets(NEVER) && entry.first < 12) {
        return None;
    }
    if is_housed(reading, at) && shape != Shape::Lower && (listed || entry.word < 3) {
        return Some(Feature::ByRoom);
    }
    let seldom = word.classes.meets(RARELY) || word.classes.has(Class::ForeignWord);
    let known = entry.first >= 11 || (word.classes.meets(LISTED) && entry.word < 3);
    if seldom && !known && !(cue.meets(STRONG_CUES) && shape != Shape::Lower) {
        return seldom_hint(reading, at, inside, listed);
    }
    match shape {
        Shape::Digits => None,
        Shape::Code => leet(reading, at).then_some(Feature::ByListed),
        Shape::Capital | Shape::Mixed if matches!(reading.case, Case::Normal | Case::Title) => {
            in_capitals(reading, at, cue, inside)
        }
        Shape::Upper if reading.case == Case::Normal && len > 2 => shouted(reading, at, cue),
        _ => in_lower(reading, at, cue, listed),
    }
}

fn is_listed(word: &Word) -> bool {
    word.entry.first >= 7 || word.entry.last >= 7 || word.classes.meets(LISTED)
}

/// Whether a capital is one that the place in the sentence does not ask for.
fn is_inside(reading: &Reading<'_>, at: usize) -> bool {
    reading.case == Case::Normal
        && reading.at(at, 0).is_some_and(|word| {
            !word.token.starts_sentence
                && matches!(word.token.shape, Shape::Capital | Shape::Mixed)
                && word.token.span.len() > 1
        })
}

/// Words of other classes, such as `Coach`, `May` or `Legend`, are names inside a sentence or before a verb.
fn seldom_hint(reading: &Reading<'_>, at: usize, inside: bool, listed: bool) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let entry = word.entry;
    let capital = matches!(word.token.shape, Shape::Capital | Shape::Mixed);
    let named = entry.first >= 6 || entry.last >= 9 || word.classes.meets(LISTED);
    if inside && (named || word.classes.has(Class::Title)) {
        return Some(Feature::BySeldom);
    }
    // Names of languages whose common words are listed: `Khoa`, `Bà Tư`.
    if inside && word.classes.has(Class::ForeignWord) && !word.classes.meets(RARELY) {
        return Some(Feature::BySeldom);
    }
    let first = entry.first >= 8 || (listed && entry.word < 2);
    if capital && reading.case == Case::Normal && first && (acts(reading, at) || plays(reading, at))
    {
        return Some(Feature::ByVerb);
    }
    let ranked = word.classes.has(Class::Title) && capital && reading.case == Case::Normal;
    (ranked && (is_housed(reading, at) || acts(reading, at))).then_some(Feature::ByVerb)
}

/// A word with a capital where capitals say something.
fn in_capitals(reading: &Reading<'_>, at: usize, cue: Classes, inside: bool) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let (entry, common) = (word.entry, word.entry.word);
    let listed = is_listed(word);
    if !cue.is_empty() && (common < 16 || listed || (inside && cue.has(Class::Title))) {
        return Some(Feature::ByCue);
    }
    if inside {
        let next = reading
            .at(at, 1)
            .filter(|next| next.token.gap.only(Gap::SPACE) && next.token.shape == Shape::Capital);
        let surname = next.is_some_and(|next| next.entry.last >= 8 && next.entry.word < 5);
        if common <= 13 || entry.first >= 9 || entry.last >= 9 || surname {
            return Some(Feature::ByCapital);
        }
        return (listed || common < 17).then_some(Feature::BySeldom);
    }
    if common <= 1 || (listed && common <= 4) {
        return Some(Feature::ByListed);
    }
    if entry.first >= 10 || (entry.last >= 9 && common <= 6) {
        return Some(Feature::ByListed);
    }
    // `Dot's daughter`
    let owner = word.token.possessive && (entry.first >= 4 || word.classes.meets(LISTED));
    if owner && !word.classes.has(Class::Eponym) {
        return Some(Feature::ByVerb);
    }
    // `Mercy fed herself`, `Will is doing great`: somebody does something.
    let may = entry.first >= 4 || word.classes.meets(LISTED);
    if may && (acts(reading, at) || plays(reading, at)) {
        return Some(Feature::ByVerb);
    }
    // `"Sunshine"`, `Soon-ja`
    let quoted = reading.gap(at).has(Gap::QUOTE) && reading.gap(at + 1).has(Gap::QUOTE);
    let hyphened = reading.at(at, 1).is_some_and(|next| {
        next.token.gap == Gap::HYPHEN
            && next.entry.word <= 1
            && (2..=4).contains(&next.token.span.len())
            && matches!(next.token.shape, Shape::Lower | Shape::Capital)
    });
    (may && (quoted || hyphened) || (hyphened && common < 17)).then_some(Feature::ByListed)
}

/// A word in capitals among words that are not.
fn shouted(reading: &Reading<'_>, at: usize, cue: Classes) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let (entry, len, common) = (word.entry, word.token.span.len(), word.entry.word);
    let listed = is_listed(word);
    let beside = [-1, 1].iter().any(|offset| {
        reading.at(at, *offset).is_some_and(|word| {
            word.token.shape == Shape::Upper && (word.entry.first > 5 || word.entry.last > 5)
        })
    });
    if !cue.is_empty() && (listed || len > 3) {
        return Some(Feature::ByCue);
    }
    let alone = (listed && common <= 5) || (common == 0 && len > 4);
    if alone || (beside && common <= 10) {
        return Some(Feature::ByCapital);
    }
    // `RUSTY`; `KNEB`, by which a broadcaster is called.
    let called = len == 4 && common == 0 && reading.word(at).starts_with(['w', 'k']);
    (entry.first >= 8 || (called && word.classes.is_empty())).then_some(Feature::BySeldom)
}

/// A word without a capital, or where capitals say nothing.
fn in_lower(reading: &Reading<'_>, at: usize, cue: Classes, listed: bool) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let (entry, len, common) = (word.entry, word.token.span.len(), word.entry.word);
    let after_cue = cue.meets(STRONG_CUES) && common <= 8 && (listed || common <= 1) && len > 2;
    let kin = cue.has(Class::Kin) && listed && common <= 4;
    let titled = (cue.has(Class::Honorific) && entry.last >= 9)
        || (cue.meets(CUES) && common == 0 && entry.first > 0 && len > 3);
    if after_cue || kin || titled {
        return Some(Feature::ByCue);
    }
    let cased = reading.case == Case::Upper
        && ((entry.first >= 9 && common <= 12) || (common == 0 && len > 3));
    // Where nobody writes capitals any unlisted word may be a name.
    let free = reading.case == Case::Lower
        && common == 0
        && len > 3
        && entry.classes.is_empty()
        && !is_stretched(reading.word(at));
    if free || cased {
        return Some(Feature::ByCapital);
    }
    let listed = (entry.first >= 8 && common <= 2)
        || (entry.first >= 13 && common <= 9 && len > 2)
        || (entry.last >= 8 && common == 0)
        || (entry.first >= 4 && common == 0 && len > 4 && entry.classes.is_empty())
        || (word.classes.meets(LISTED) && common == 0);
    if listed {
        return Some(Feature::ByListed);
    }
    if entry.last >= 8 && common < 12 && is_family(reading, at) {
        return Some(Feature::ByFamily);
    }
    // `will came back sober`
    let starts = word.token.starts_sentence && (reading.case != Case::Normal || len > 2);
    (starts && entry.first >= 9 && acts(reading, at)).then_some(Feature::ByVerb)
}

/// A piece of a hashtag or handle: a listed name, or what stands beside a wish (`#PrayForOlamide`).
fn in_tag(reading: &Reading<'_>, at: usize) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let (common, listed) = (word.entry.word, is_listed(word));
    if word.classes.has(Class::NoName) || word.token.shape.is_number() || word.token.span.len() < 3
    {
        return None;
    }
    let seldom = word.classes.meets(RARELY) || word.classes.has(Class::ForeignWord);
    // Words of one tag only: in `@team.example #strokeweek` nobody wishes anything.
    let same = |at: usize| reading.gap(at).only(Gap::UNDERSCORE);
    let wish = |at: usize| reading.classes(at, 0).has(Class::TagWord);
    let wished = same(at) && at.checked_sub(1).is_some_and(wish)
        || same(at) && at.checked_sub(2).is_some_and(|back| same(back + 1) && wish(back))
        || same(at + 1) && wish(at + 1);
    if seldom && word.entry.first < 9 {
        return None;
    }
    if (listed && common < 16) || (wished && common == 0) {
        return Some(Feature::ByTag);
    }
    let unlisted = common == 0 && word.entry.classes.is_empty();
    let capital = matches!(word.token.shape, Shape::Capital | Shape::Mixed);
    // `#NochesLargas`: an adjective after its noun, both of them plural.
    let plural = same(at)
        && reading.at(at, -1).is_some_and(|noun| noun.classes.has(Class::ForeignWord))
        && reading.word(at - 1).ends_with('s')
        && ["as", "os", "es"].iter().any(|ending| reading.word(at).ends_with(ending));
    if unlisted && capital && !plural && word.token.span.len() > 3 {
        return Some(Feature::ByTag);
    }
    (unlisted && !plural && glued(reading.word(at), reading.lexicons)).then_some(Feature::ByTag)
}

/// `prayforethan`, `emmastrong`: a listed name before or after another word, all in one.
fn glued(word: &str, lexicons: &Lexicons) -> bool {
    const WISHES: [&str; 14] = [
        "prayfor",
        "prayersfor",
        "pray4",
        "prayingfor",
        "justicefor",
        "justice4",
        "team",
        "rip",
        "fuerza",
        "forca",
        "bravo",
        "getwell",
        "welcome",
        "goodbye",
    ];
    const CHEERS: [&str; 6] = ["strong", "army", "nation", "tough", "forever", "warrior"];
    if word.len() > 32 || !word.is_ascii() {
        return false;
    }
    let wished = WISHES.iter().any(|wish| word.starts_with(wish) && word.len() > wish.len() + 2)
        || CHEERS.iter().any(|cheer| word.ends_with(cheer) && word.len() > cheer.len() + 2);
    wished
        || (4..=9).any(|len| {
            word.get(..len).is_some_and(|name| lexicons.word(name).first >= 9)
                && word.get(len..).is_some_and(|rest| rest.len() >= 3)
        })
}

/// Verbs of the third person or the past that the classes lack.
const VERBS: &[&str] = &[
    "came", "can't", "cant", "couldn't", "didn't", "didnt", "doesn't", "isn't", "wasn't", "won't",
    "would", "could", "just", "finally", "still", "never", "knew", "wore", "brought", "ran",
    "made", "found", "met", "sent", "won", "wrote", "drove", "sang", "tried", "tells", "comes",
    "swears", "brings", "keeps", "knows", "cannot", "can", "tore", "threw", "spent", "paid",
    "lost", "stole",
];

/// Whether somebody does something: a verb stands right after the word.
pub(super) fn acts(reading: &Reading<'_>, at: usize) -> bool {
    let Some(next) = reading.at(at, 1) else { return false };
    if !next.token.gap.only(Gap::SPACE) || reading.at(at, 0).is_some_and(|w| w.token.possessive) {
        return false;
    }
    let word = reading.word(at + 1);
    next.classes.has(Class::ClinicalVerb)
        || next.classes.has(Class::Death)
        || (word.len() > 4 && word.ends_with("ed") && next.token.shape == Shape::Lower)
        || VERBS.contains(&word)
}

/// `Royal walks in`, `Deacon plays bocce`: a verb of the third person, which a plural looks like.
fn plays(reading: &Reading<'_>, at: usize) -> bool {
    let word = reading.word(at + 1);
    word.len() > 4
        && word.ends_with('s')
        && !word.ends_with("ss")
        && reading.gap(at + 1).only(Gap::SPACE)
        && reading
            .at(at, 1)
            .is_some_and(|next| next.entry.word > 0 && next.token.shape == Shape::Lower)
}

/// `the Vo family`, `the Alvarado twins`
fn is_family(reading: &Reading<'_>, at: usize) -> bool {
    let led = at.checked_sub(1).is_some_and(|before| {
        matches!(reading.word(before), "the" | "entire" | "whole" | "la" | "familia" | "family")
    });
    let followed = [
        "family",
        "boy",
        "boys",
        "girl",
        "girls",
        "kid",
        "kids",
        "twins",
        "brothers",
        "sisters",
        "household",
        "baby",
        "clan",
        "siblings",
    ]
    .contains(&reading.word(at + 1))
        && reading.gap(at + 1).only(Gap::SPACE);
    led && followed || at.checked_sub(1).is_some_and(|before| reading.word(before) == "familia")
}

/// `ART IN 12`: who is in a room is a patient.
fn is_housed(reading: &Reading<'_>, at: usize) -> bool {
    matches!(reading.word(at + 1), "in" | "en")
        && !ends_before(reading, at + 1)
        && (reading
            .at(at, 2)
            .is_some_and(|word| matches!(word.token.shape, Shape::Digits | Shape::Code))
            || reading.classes(at, 2).has(Class::Room))
}

/// Whether the cue before is in capitals: `MS` is a disease, `MR` a scan.
fn shouted_cue(reading: &Reading<'_>, at: usize) -> bool {
    reading.at(at, -1).is_some_and(|word| word.token.shape == Shape::Upper)
}

/// `A. Quintero-Bass`: a letter that stands for a name before a surname.
fn stands_for(reading: &Reading<'_>, at: usize) -> bool {
    let gap = reading.gap(at + 1);
    gap.has(Gap::STOP)
        && gap.has(Gap::SPACE)
        && gap.only(Gap::STOP.and(Gap::SPACE))
        && reading.at(at, 1).is_some_and(|next| {
            next.token.shape == Shape::Capital
                && next.token.span.len() > 2
                && next.entry.word <= 2
                && !next.classes.meets(NEVER)
        })
}

/// `Soon-ja`, `Da-eun`, `Ji-won`: two short syllables, the second without a capital.
fn syllables(reading: &Reading<'_>, at: usize) -> bool {
    reading.at(at, 0).is_some_and(|word| word.token.span.len() <= 5)
        && reading.at(at, 1).is_some_and(|next| {
            next.token.gap == Gap::HYPHEN
                && next.token.shape == Shape::Lower
                && (2..=4).contains(&next.token.span.len())
                && (next.entry.word <= 1 || reading.at(at, 0).is_some_and(|w| w.entry.word <= 1))
        })
        && reading.gap(at + 2) != Gap::HYPHEN
}

/// `A.V.`: a letter with its full stop and another right after it.
fn dotted(reading: &Reading<'_>, at: usize) -> bool {
    reading.at(at, 1).is_some_and(|next| {
        next.token.gap == Gap::STOP
            && next.token.shape == Shape::Capital
            && next.token.span.len() == 1
    })
}

/// Whether a run is of dotted initials, which are a name without a cue: `A.V.`, and neither `U.S.` nor `P.O.`
pub(super) fn is_letters(reading: &Reading<'_>, first: usize, last: usize) -> bool {
    last == first + 1
        && dotted(reading, first)
        && reading.byte_after(last) == b'.'
        && !matches!(
            (reading.word(first), reading.word(last)),
            ("u", "s") | ("p", "o" | "m") | ("i", "v" | "e") | ("a", "m") | ("d", "c") | ("n", "p")
        )
}

/// Whether a word is drawn out or laughed: `nooooo`, `hahaha`, `tysm`.
fn is_stretched(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.windows(3).any(|three| matches!(three, [a, b, c] if a == b && b == c))
        || word.contains("haha")
        || !word.bytes().any(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
}
