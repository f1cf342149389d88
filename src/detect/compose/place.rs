//! Places: addresses, roads, cities and counties, rooms and beds, small facilities and schools.
//!
//! States and countries pass. A city alone says little; beside a patient it is an identifier.

use crate::detect::compose::address::{address, called_road, crossing, ordinal, road};
use crate::detect::compose::model::{Feature, Grade, Score, Seat};
use crate::detect::compose::room::room;
use crate::detect::compose::spot::{after_place_word, proper_end, spot};
use crate::detect::compose::surroundings;
use crate::detect::compose::ward::{bare, ward};
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::compose::{Composer, Desk, Proposal, Standing};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};
use crate::span::Span;

/// A place from its first to its last word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) form: Feature,
    pub(super) composer: Composer,
}

/// Proposes every place.
pub(super) fn propose(reading: &Reading<'_>, desk: Desk<'_>, out: &mut Vec<Proposal>) {
    let mut at = 0;
    while at < reading.words.len() {
        let found = address(reading, at)
            .or_else(|| crossing(reading, at))
            .or_else(|| road(reading, at))
            .or_else(|| called_road(reading, at))
            .or_else(|| ward(reading, at))
            .or_else(|| room(reading, at))
            .or_else(|| county(reading, at))
            .or_else(|| spot(reading, at))
            .or_else(|| facility(reading, at))
            .or_else(|| acronym(reading, at))
            .or_else(|| city(reading, at))
            .or_else(|| after_place_word(reading, at))
            .or_else(|| bare(reading, at));
        let Some(mut found) = found else {
            at += 1;
            continue;
        };
        if numbered_kind(reading, found) {
            found.last += 1;
        }
        if let Some(last) = on_road(reading, found.last).or_else(|| beyond(reading, found)) {
            found.last = last;
        }
        if matches!(found.form, Feature::Crossing | Feature::CrossingNames)
            && found.first >= 2
            && reading.word(found.first - 1) == "of"
            && matches!(reading.word(found.first - 2), "corner" | "intersection")
        {
            found.first -= 2;
        }
        let mut score = desk.models.place.score(desk.explain);
        weigh(reading, found, &mut score);
        out.push(Proposal {
            composer: found.composer,
            span: whole(reading, found),
            words: (found.first, found.last),
            tied: score.tied,
            like: score.like,
            sure: false,
            standing: Standing::Weighed,
            generalized: None,
            parts: score.parts,
        });
        at = found.last + 1;
    }
}

/// `the Costco on Route 9`, `Grace Tabernacle on 5th`: where a place is said to be goes with it.
fn on_road(reading: &Reading<'_>, last: usize) -> Option<usize> {
    let joined = matches!(reading.word(last + 1), "on" | "at" | "by" | "near")
        && reading.gap(last + 1).only(Gap::SPACE)
        && reading.gap(last + 2).only(Gap::SPACE);
    let after = last + 2;
    if !joined {
        return None;
    }
    let road = address(reading, after)
        .or_else(|| road(reading, after))
        .or_else(|| facility(reading, after));
    let street = reading.at(after, 0).filter(|_| ordinal(reading.word(after))).map(|_| after);
    road.map(|road| road.last).or(street)
}

/// `County Road 10`, `Archer Avenue 6120`: the number comes after the kind of road.
fn numbered_kind(reading: &Reading<'_>, found: Found) -> bool {
    matches!(found.form, Feature::StreetName | Feature::Address | Feature::BareAddress)
        && reading.classes(found.last, 0).has(Class::Street)
        && reading.gap(found.last + 1).only(Gap::SPACE)
        && reading.at(found.last, 1).is_some_and(|word| {
            (word.token.shape == Shape::Digits && word.token.span.len() <= 5)
                || (word.token.shape == Shape::Capital
                    && word.token.span.len() == 1
                    && !matches!(reading.word(found.last + 1), "i" | "a"))
        })
        && !reading.gap(found.last + 2).only(Gap::COLON)
}

/// `Route 9 by Fallkirk`, `I-40 at mile 61`, `Prospect Avenue and 54th`, `Grace Tabernacle on Webster`: a road or a place
/// goes on to the place that says where.
fn beyond(reading: &Reading<'_>, found: Found) -> Option<usize> {
    let road = matches!(found.form, Feature::Highway | Feature::StreetName);
    let placed = matches!(
        found.form,
        Feature::FacilityName | Feature::PlaceKnown | Feature::PlaceNames | Feature::PlaceSuffix
    );
    let crossed = road || found.form == Feature::PlaceOnStreet;
    let word = reading.word(found.last + 1);
    let joined = match word {
        "at" | "near" | "by" | "past" => road,
        "on" => road || placed,
        "in" | "off" => placed,
        "and" | "y" => crossed,
        _ => false,
    };
    let the = usize::from(reading.word(found.last + 2) == "the");
    let next = found.last + 2 + the;
    if !joined || !(found.last + 1..=next).all(|at| reading.gap(at).only(Gap::SPACE)) {
        return None;
    }
    if word == "off" && reading.at(next, 0).is_some_and(|word| word.number.is_some()) {
        return Some(next);
    }
    let mile = matches!(reading.word(next), "mile" | "mm" | "exit" | "milepost" | "marker");
    if mile && reading.at(next, 1).is_some_and(|word| word.number.is_some()) {
        return Some(next + 1);
    }
    let brand = reading.classes(next, 0).has(Class::Brand);
    let street = ordinal(reading.word(next)) && the == 0 && word != "on";
    proper_end(reading, next, 3).filter(|_| !brand).or(street.then_some(next))
}

/// The span of a place; a name that is a possessive is whole only with its ending: `St. Brendan's`, `at Yoke's`.
fn whole(reading: &Reading<'_>, found: Found) -> Span {
    let span = reading.span(found.first, found.last);
    let named =
        found.composer == Composer::LocationFacility || found.form == Feature::UnlistedPlace;
    if !named || !reading.at(found.last, 0).is_some_and(|word| word.token.possessive) {
        return span;
    }
    let tail = reading.text.view.text().get(span.end()..).unwrap_or_default();
    let ending = ["'s", "’s"].into_iter().find(|ending| tail.starts_with(ending));
    Span::new(span.start(), span.end() + ending.map_or(0, str::len))
}

fn weigh(reading: &Reading<'_>, found: Found, score: &mut Score<'_>) {
    score.add(found.form);
    let Some(words) = reading.words.get(found.first..=found.last) else { return };
    let own = words.iter().fold(Classes::default(), |classes, word| classes.union(word.classes));
    score.seat(Seat::Own, own);
    let head = words.first();
    score.grade(Grade::City(head.map_or(0, |word| word.place.1)));
    score.add_if(words.len() == 2, Feature::Words2);
    score.add_if(words.len() > 2, Feature::Words3);
    score.add_if(head.is_some_and(|word| word.token.shape == Shape::Lower), Feature::ShapeLower);
    score.add_if(
        head.is_some_and(|word| word.entry.first > 9 || word.entry.last > 9),
        Feature::FirstAndLast,
    );
    score.add_if(head.is_some_and(|word| word.token.starts_sentence), Feature::StartsSentence);
    score.add_if(head.is_some_and(|word| word.token.tagged), Feature::Tagged);
    surroundings::add(reading, found.first, found.last, score);
}

/// Whether a word may be the name of a street, a school, a place: a capital, or a number or direction.
pub(super) fn is_proper(word: &Word) -> bool {
    matches!(word.token.shape, Shape::Capital | Shape::Mixed | Shape::Upper)
        && !word.classes.has(Class::Pron1)
}

pub(super) fn spaced(word: &Word) -> bool {
    word.token.gap.only(Gap::SPACE.and(Gap::STOP).and(Gap::HYPHEN))
        && !word.token.gap.has(Gap::LINE)
}

/// `Prather County`, `County of Prather`
fn county(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if !is_proper(word) || word.classes.has(Class::Region) {
        return None;
    }
    let end = (1..=2).find(|offset| {
        reading.at(at, *offset).is_some_and(|word| {
            word.classes.has(Class::Region) && is_proper(word) && word.token.gap.only(Gap::SPACE)
        }) && (1..*offset).all(|offset| {
            reading.at(at, offset).is_some_and(|word| is_proper(word) && spaced(word))
        })
    })?;
    let common = word.token.starts_sentence && word.entry.word > 14;
    (!common).then_some(Found {
        first: at,
        last: at.saturating_add_signed(end),
        form: Feature::CountyName,
        composer: Composer::LocationCity,
    })
}

/// `Harding High`, `Golden Meadows SNF`, `St. Brendan's`, `the Sycamore Grove trailer park`
fn facility(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    // A saint is no place when a person bears the name, but a post rarely speaks of saints.
    if matches!(text, "st" | "saint")
        && is_proper(word)
        && reading
            .at(at, 1)
            .is_some_and(|word| is_proper(word) && word.token.gap.only(Gap::SPACE.and(Gap::STOP)))
    {
        let named = (2..=3)
            .take_while(|offset| {
                reading.at(at, *offset).is_some_and(|word| {
                    is_proper(word)
                        && word.classes.has(Class::Facility)
                        && word.token.gap.only(Gap::SPACE)
                })
            })
            .count();
        return Some(Found {
            first: at,
            last: at + 1 + named,
            form: Feature::FacilityName,
            composer: Composer::LocationFacility,
        });
    }
    if !is_proper(word)
        || (word.token.starts_sentence && word.entry.word > 15)
        || (word.classes.has(Class::Facility) && !reading.at(at, 1).is_some_and(is_proper))
    {
        return None;
    }
    let reach = (1..=4).take_while(|offset| {
        reading.at(at, *offset).is_some_and(|word| {
            spaced(word)
                && !word.token.starts_sentence
                && (is_proper(word) || word.classes.has(Class::Facility))
        })
    });
    let end = reach
        .filter(|offset| {
            reading.at(at, *offset).is_some_and(|word| word.classes.has(Class::Facility))
        })
        .last()?;
    let last = at.saturating_add_signed(end);
    let proper = reading.at(last, 0).is_some_and(is_proper)
        || reading.at(last, 0).is_some_and(|word| word.phrase > 1 || word.within_phrase);
    proper.then_some(Found {
        first: at,
        last,
        form: Feature::FacilityName,
        composer: Composer::LocationFacility,
    })
}

/// `seen at QRMC`, `admitted to UWX Med`: letters by which people call a hospital, after a word of being cared for there.
fn acronym(reading: &Reading<'_>, at: usize) -> Option<Found> {
    const CARED: Classes = Classes::of(&[Class::ClinicalVerb, Class::Status, Class::Procedure]);
    let word = reading.at(at, 0)?;
    let letters = (2..=6).contains(&word.token.span.len()) && word.token.shape == Shape::Upper;
    let before = at.checked_sub(1).map_or("", |before| reading.word(before));
    if !letters
        || reading.case == Case::Upper
        || word.entry.word > 8
        || !word.classes.and(ACRONYM.inverse()).is_empty()
        || !matches!(before, "at" | "to" | "from" | "by" | "with")
    {
        return None;
    }
    let cared = [-2, -3].into_iter().any(|offset| {
        let cared = reading.at(at, offset).is_some_and(|word| word.classes.meets(CARED));
        let verb = at.checked_add_signed(offset).map_or("", |at| reading.word(at));
        cared || matches!(verb, "seen" | "treated" | "admitted" | "transferred" | "followed" | "up")
    });
    let kind = reading.at(at, 1).is_some_and(|word| {
        word.token.gap.only(Gap::SPACE)
            && (word.classes.has(Class::Facility)
                || matches!(reading.word(at + 1), "med" | "health"))
    });
    (cared || kind).then_some(Found {
        first: at,
        last: at + usize::from(kind),
        form: Feature::FacilityAcronym,
        composer: Composer::LocationFacility,
    })
}

/// What the letters of a hospital may be besides.
const ACRONYM: Classes = Classes::of(&[Class::PhraseHead, Class::LastName, Class::FirstName]);

/// What a listed city may be besides without being something else as well.
const OTHERWISE: Classes = Classes::of(&[Class::WorldCity, Class::PhraseHead]).inverse();

/// A listed city, or an unlisted word with a capital after `from`, `in` and their kin.
fn city(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.shape == Shape::Digits
        || word.token.shape == Shape::Code
        || word.within_phrase && word.place.0 == 0
    {
        return None;
    }
    let never = Classes::of(&[
        Class::State,
        Class::Month,
        Class::Weekday,
        Class::Pron1,
        Class::Pron2,
        Class::Pron3,
        Class::Holiday,
        Class::Brand,
        Class::Ward,
        Class::Credential,
        Class::NoName,
    ]);
    let listed = word.place.0 > 0 || word.classes.has(Class::WorldCity);
    let (n_words, _) = word.place;
    let last = at + usize::from(n_words.max(1)) - 1;
    let small = |word: &Word| word.token.span.len() <= 3 && word.entry.word > 13;
    let proper = is_proper(word)
        && (at..=last).all(|at| reading.at(at, 0).is_some_and(|w| is_proper(w) || small(w)));
    let led =
        at.checked_sub(1).is_some_and(|before| reading.classes(before, 0).has(Class::PlaceBefore))
            && reading.gap(at).only(Gap::SPACE);
    let state = reading.at(last, 1).is_some_and(|next| {
        next.token.gap.only(Gap::SPACE.and(Gap::COMMA))
            && (next.classes.has(Class::State)
                || (next.classes.has(Class::StateCode) && next.token.shape == Shape::Upper))
    });
    let found = |last, form, composer| Some(Found { first: at, last, form, composer });
    let uncommon = word.token.starts_sentence || word.entry.word < 12;
    if listed && n_words > 1 && (proper || (reading.case != Case::Normal && (led || uncommon))) {
        return found(last, Feature::CityName, Composer::LocationCity);
    }
    if word.classes.meets(never) && !state {
        return None;
    }
    // One word that is a name or a word as well needs `in`, `from` or its state beside it.
    let own = word.entry.word <= 3 && word.entry.first < 9 && word.entry.last < 10;
    if listed
        && proper
        && (led || state || (own && !word.token.starts_sentence && word.place.1 >= 3))
    {
        // `Bunkie General`: the city is part of the name of a place in it.
        let on = reading.gap(last + 1).only(Gap::SPACE) && !state;
        let last = if on { proper_end(reading, last + 1, 2).unwrap_or(last) } else { last };
        return found(last, Feature::CityName, Composer::LocationCity);
    }
    let free = reading.case == Case::Lower
        && word.entry.word == 0
        && word.entry.first < 9
        && word.classes.and(OTHERWISE).is_empty();
    if listed
        && (led || free)
        && word.token.shape == Shape::Lower
        && word.entry.word <= 2
        && word.entry.first < 10
        && word.place.1 >= 3
    {
        return found(last, Feature::CitySmall, Composer::LocationCity);
    }
    let unlisted = is_proper(word)
        && word.token.shape == Shape::Capital
        && (led || state)
        && word.entry.word < 12
        && reading.case == Case::Normal
        && word.token.span.len() > 2;
    if unlisted {
        let more = (1..=4)
            .take_while(|offset| {
                reading.at(at, *offset).is_some_and(|word| {
                    is_proper(word)
                        && word.token.gap != Gap::default()
                        && word.token.gap.only(Gap::SPACE.and(Gap::AND).and(Gap::HYPHEN))
                })
            })
            .count();
        return found(at + more, Feature::UnlistedPlace, Composer::LocationCity);
    }
    None
}
