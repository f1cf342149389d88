//! Places that no list names and no kind of street marks: `2218 N Howard`, `Broad and Erie`, `the Rasmussen place`,
//! `FM 1472`, `the Dollar General on Pine`, `Reading Terminal`, `Lake Pepin`.
//!
//! Each is proposed on its form alone, and that form is its feature.

use crate::detect::compose::Composer;
use crate::detect::compose::address::{called_road, ordinal};
use crate::detect::compose::hint::NEVER;
use crate::detect::compose::model::Feature;
use crate::detect::compose::place::{Found, is_proper, spaced};
use crate::detect::compose::script;
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// Words with a capital that name no place.
const NO_PLACE: Classes = Classes::of(&[
    Class::Month,
    Class::Weekday,
    Class::Holiday,
    Class::Pron1,
    Class::Pron2,
    Class::Pron3,
    Class::Possessive,
    Class::Honorific,
    Class::Doctor,
    Class::Credential,
    Class::NoName,
    Class::Ward,
    Class::Measure,
    Class::AgeUnit,
    Class::Procedure,
    Class::Kin,
]);

/// What stands before the name of a corner.
const CORNER_BEFORE: &[&str] =
    &["at", "on", "off", "near", "of", "from", "to", "na", "en", "by", "corner", "between", "in"];
/// What stands before an address.
const ADDRESS_BEFORE: &[&str] = &[
    "on",
    "by",
    "address",
    "lives",
    "into",
    "adres",
    "se",
    "is",
    "live",
    "over",
    "home",
    "house",
    "direccion",
    "endereco",
    "dia",
];
/// What stands before the name of a place of two words or more.
const PLACE_BEFORE: &[&str] = &[
    "at", "from", "in", "near", "outside", "nan", "sot", "de", "en", "em", "to", "sa", "aus", "z",
    "by", "o", "tu", "of",
];

/// A place known by its form alone.
pub(super) fn spot(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let told = |word: &Word| is_proper(word) || word.token.shape.is_number();
    let beside = word.entry.word <= 1 || reading.at(at, 1).is_some_and(told);
    // Most words are neither written as a place nor stand before one.
    if word.token.tagged || !(told(word) || beside) {
        return None;
    }
    bare_address(reading, at)
        .or_else(|| coded_road(reading, at))
        .or_else(|| named_road(reading, at))
        .or_else(|| headed(reading, at))
        .or_else(|| crossing_of_names(reading, at))
        .or_else(|| on_street(reading, at))
        .or_else(|| known(reading, at))
        .or_else(|| {
            script::place(reading, at).map(|last| Found {
                first: at,
                last,
                form: Feature::PlaceScript,
                composer: Composer::LocationCity,
            })
        })
}

/// Whether a word may be part of a place's name.
fn names(reading: &Reading<'_>, at: usize) -> bool {
    reading
        .at(at, 0)
        .is_some_and(|word| is_proper(word) && !word.classes.meets(NO_PLACE) && !word.token.tagged)
}

/// The last of the words with a capital from `at` on, at most `most` of them.
pub(super) fn proper_end(reading: &Reading<'_>, at: usize, most: usize) -> Option<usize> {
    if !names(reading, at) {
        return None;
    }
    let more = (at + 1..at + most).take_while(|at| {
        names(reading, *at) && reading.at(*at, 0).is_some_and(spaced) && !starts(reading, *at)
    });
    Some(more.last().unwrap_or(at))
}

fn starts(reading: &Reading<'_>, at: usize) -> bool {
    reading.at(at, 0).is_some_and(|word| word.token.starts_sentence)
}

/// `2218 N Howard`, `12406 Beechnut`, `77 Fordham Hill Oval`, `56 Calle Luna`, `W6021 Cemetery Lane`
fn bare_address(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let len = word.token.span.len();
    let rural = word.token.shape == Shape::Code
        && (4..=6).contains(&len)
        && reading.word(at).starts_with(['w', 'n', 's', 'e'])
        && reading.word(at).bytes().skip(1).all(|byte| byte.is_ascii_digit());
    let numbered = word.token.shape == Shape::Digits && (2..=6).contains(&len);
    let nth = word.token.shape == Shape::Code && reading.word(at + 1) == "rue";
    if !(numbered || rural || nth) || reading.case != Case::Normal {
        return None;
    }
    let found =
        |last, form| Some(Found { first: at, last, form, composer: Composer::LocationAddress });
    let tight = |at: usize| reading.gap(at).only(Gap::SPACE);
    if tight(at + 1)
        && let Some(road) = called_road(reading, at + 1)
    {
        return found(road.last, Feature::BareAddress);
    }
    // `49 calle`, `167e rue`
    let kind = matches!(reading.word(at + 1), "calle" | "rue" | "avenida" | "strasse" | "ulica")
        && tight(at + 1)
        && at.checked_sub(1).is_some_and(|before| {
            matches!(reading.word(before), "la" | "de" | "en" | "sur" | "na")
        });
    if kind {
        return found(at + 1, Feature::BareAddress);
    }
    let directed = reading.at(at, 1).is_some_and(|next| {
        next.classes.has(Class::Direction)
            && is_proper(next)
            && next.token.gap.only(Gap::SPACE)
            && !matches!(reading.word(at + 1), "old" | "new" | "upper" | "lower")
    });
    let name = if directed { at + 2 } else { at + 1 };
    let joined = reading.gap(name).only(Gap::SPACE.and(Gap::STOP)) && (directed || tight(name));
    let street = reading.at(name, 0).is_some_and(|word| {
        word.token.shape == Shape::Capital
            && word.token.span.len() > 2
            && (directed || !word.token.starts_sentence)
            || directed && ordinal(reading.word(name))
    });
    if !joined || !street || (reading.classes(name, 0).meets(NO_PLACE) && !rural) {
        return None;
    }
    let led = at.checked_sub(1).is_some_and(|before| {
        reading.classes(before, 0).has(Class::PlaceBefore)
            || ADDRESS_BEFORE.contains(&reading.word(before))
    });
    let year = word.number.is_some_and(|number| (1900..=2100).contains(&number)) && len == 4;
    let last = proper_end(reading, name, 3).unwrap_or(name);
    let long = last > name && len >= 2;
    let sure = directed || rural || (!year && (led || len >= 4 || long));
    sure.then_some(())?;
    found(flat(reading, last), Feature::BareAddress)
}

/// `, apt 5G`, `, кв. 6Д`
fn flat(reading: &Reading<'_>, last: usize) -> usize {
    let unit = ["apt", "apartment", "unit", "lot", "suite", "ste", "apto", "кв", "m"]
        .contains(&reading.word(last + 1))
        && reading.gap(last + 1).only(Gap::SPACE.and(Gap::COMMA));
    let numbered = reading.at(last, 2).is_some_and(|word| word.token.shape.is_number());
    if unit && numbered { last + 2 } else { last }
}

/// `FM 1472`, `mile marker 212`, `County Road N`, `Ruta 29`, `Avenue U`
fn coded_road(reading: &Reading<'_>, at: usize) -> Option<Found> {
    const SHORT: &[&str] =
        &["fm", "rm", "sh", "rr", "mm", "pr", "ruta", "ps", "marker", "mile", "milepost"];
    const KINDS: &[&str] = &[
        "road", "route", "rte", "highway", "hwy", "county", "avenue", "ave", "township", "state",
        "street", "exit",
    ];
    const BEFORE: &[&str] = &["county", "state", "township", "mile", "us", "farm"];
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let coded = reading.at(at, 1).is_some_and(|word| {
        word.token.span.len() <= 5
            && (word.token.shape.is_number() && !ordinal(reading.word(at + 1))
                || (word.token.span.len() == 1
                    && is_proper(word)
                    && !matches!(reading.word(at + 1), "i" | "a")))
    });
    let loud = is_proper(word) || matches!(text, "mm" | "marker" | "ruta" | "mile" | "milepost");
    if !coded || !loud || !(SHORT.contains(&text) || KINDS.contains(&text)) {
        return None;
    }
    let before = at.checked_sub(1).filter(|before| BEFORE.contains(&reading.word(*before)));
    let first = before.unwrap_or(at);
    Some(Found { first, last: at + 1, form: Feature::Highway, composer: Composer::LocationRoad })
}

/// `the Turnpike`, `NE 2nd Ave`
fn named_road(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let road = |last, form| Some(Found { first: at, last, form, composer: Composer::LocationRoad });
    let alone =
        matches!(reading.word(at), "turnpike" | "beltway" | "parkway" | "expressway" | "thruway")
            && !word.token.starts_sentence;
    if alone && is_proper(word) {
        return road(at, Feature::Highway);
    }
    let numbered = word.classes.has(Class::Direction)
        && is_proper(word)
        && ordinal(reading.word(at + 1))
        && reading.classes(at, 2).has(Class::Street);
    if numbered { road(at + 2, Feature::StreetName) } else { None }
}

/// `Lake Pepin`, `rancho San Ysidro`, `lake wissota`: the kind of place stands before its name.
fn headed(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let next = reading.at(at, 1)?;
    if !word.classes.has(Class::PlaceHead)
        || !next.token.gap.only(Gap::SPACE.and(Gap::STOP))
        || (starts(reading, at + 1) && !next.token.gap.has(Gap::STOP))
    {
        return None;
    }
    let mut name = at + 1;
    while name < at + 4
        && (reading.classes(name, 0).has(Class::Particle)
            || matches!(reading.word(name), "de" | "au" | "aux" | "of" | "nail" | "cho"))
        && reading.gap(name + 1).only(Gap::SPACE)
        && !names(reading, name)
    {
        name += 1;
    }
    let lower =
        reading.at(name, 0).is_some_and(|word| {
            word.token.shape == Shape::Lower && word.entry.word == 0 && word.token.span.len() > 3
        }) && matches!(reading.word(at), "lake" | "fort" | "camp" | "little" | "isle" | "rancho");
    let last = proper_end(reading, name, 4).or(lower.then_some(name))?;
    let form = Feature::PlaceHeaded;
    Some(Found { first: at, last, form, composer: Composer::LocationFacility })
}

/// `at Broad and Erie`, `Lombard & 17th`, `na Belmont i Central`, `Prospect Avenue and 54th`
fn crossing_of_names(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let one = proper_end(reading, at, 2).or_else(|| ordinal(reading.word(at)).then_some(at));
    let lower = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            word.token.shape == Shape::Lower && word.entry.word <= 1 && word.token.span.len() > 3
        })
    };
    let free =
        lower(at) && matches!(reading.word(at.saturating_sub(1)), "at" | "on" | "off" | "corner");
    let one = one.or(free.then_some(at))?;
    let joined = matches!(reading.word(one + 1), "and" | "y" | "i" | "e" | "et" | "und")
        && reading.gap(one + 1).only(Gap::SPACE)
        && reading.gap(one + 2).only(Gap::SPACE);
    let signed = reading.gap(one + 1).has(Gap::AND.and(Gap::SLASH))
        && reading.gap(one + 1).only(Gap::AND.and(Gap::SPACE).and(Gap::SLASH));
    if !joined && !signed {
        return None;
    }
    let other = if joined { one + 2 } else { one + 1 };
    let numbered = |at: usize| ordinal(reading.word(at));
    let last = proper_end(reading, other, 2)
        .or_else(|| numbered(other).then_some(other))
        .or_else(|| (free && lower(other)).then_some(other))?;
    let led = at.checked_sub(1).is_some_and(|before| CORNER_BEFORE.contains(&reading.word(before)));
    // Two persons are joined like two streets.
    let known = |at: usize| {
        let entry = reading.at(at, 0).map(|word| word.entry).unwrap_or_default();
        entry.first >= 10 && entry.first > entry.last
    };
    let streets = numbered(other)
        || numbered(at)
        || (led && !(known(at) && known(other)))
        || (reading.gap(at).has(Gap::COMMA) && !known(at) && !known(other));
    // `the corner of Bramble and 11th`
    let corner = at.checked_sub(2).filter(|corner| {
        reading.word(corner + 1) == "of"
            && matches!(reading.word(*corner), "corner" | "intersection")
    });
    streets.then_some(Found {
        first: corner.unwrap_or(at),
        last,
        form: Feature::CrossingNames,
        composer: Composer::LocationRoad,
    })
}

/// `the Dollar General on Pine`, `Serenity on 8th`, `their house on Chestnut`, `I-49 at Gloria Switch`
fn on_street(reading: &Reading<'_>, at: usize) -> Option<Found> {
    // `the bakery on Fourth`, `on N Monroe`
    let before = reading.word(at.checked_sub(1)?);
    let street = matches!(before, "on" | "off") && reading.gap(at).only(Gap::SPACE);
    let spelled = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ]
    .contains(&reading.word(at))
        && reading.at(at, 0).is_some_and(is_proper);
    let directed = reading.classes(at, 0).has(Class::Direction)
        && reading.at(at, 0).is_some_and(is_proper)
        && reading.gap(at + 1).only(Gap::SPACE.and(Gap::STOP))
        && names(reading, at + 1);
    if street && (spelled || directed) {
        let last = if directed { proper_end(reading, at + 1, 2)? } else { at };
        return Some(Found {
            first: at,
            last,
            form: Feature::StreetName,
            composer: Composer::LocationRoad,
        });
    }
    let end = proper_end(reading, at, 3)?;
    let titled = at.checked_sub(1).is_some_and(|before| {
        reading.classes(before, 0).has(Class::Honorific)
            || reading.classes(before, 0).has(Class::Doctor)
    });
    if titled {
        return None;
    }
    if starts(reading, at) && reading.at(at, 0).is_some_and(|word| word.entry.word > 12) {
        return None;
    }
    let on = matches!(reading.word(end + 1), "on" | "off")
        && reading.gap(end + 1).only(Gap::SPACE)
        && reading.gap(end + 2).only(Gap::SPACE);
    if !on {
        return None;
    }
    let road = end + 2;
    let brand = reading.classes(road, 0).has(Class::Brand);
    let last = if ordinal(reading.word(road)) && !is_day(reading, road) {
        road
    } else {
        proper_end(reading, road, 3).filter(|_| !brand)?
    };
    Some(Found {
        first: at,
        last,
        form: Feature::PlaceOnStreet,
        composer: Composer::LocationFacility,
    })
}

/// Whether an ordinal is the day of a month: `on 8th of May`.
fn is_day(reading: &Reading<'_>, at: usize) -> bool {
    reading.classes(at, 1).has(Class::Month) || reading.word(at + 1) == "of"
}

/// `the Rasmussen place`, `the Fruitvale office`, `Tilden Park bandshell`, `Polish Hill`: the kind comes after the name.
fn known(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let end = proper_end(reading, at, 3)?;
    let word = reading.at(at, 0)?;
    if word.token.starts_sentence && word.entry.word > 3 {
        return None;
    }
    let found =
        |last, form| Some(Found { first: at, last, form, composer: Composer::LocationFacility });
    let before = at.checked_sub(1).map_or("", |before| reading.word(before));
    let placed = ["the", "that", "our", "old", "at", "from", "in", "near"].contains(&before);
    let lower = reading.classes(end, 1).has(Class::PlaceKind)
        && reading.gap(end + 1).only(Gap::SPACE)
        && !reading.at(end, 1).is_some_and(is_proper);
    if lower && (placed || !word.classes.has(Class::Brand)) {
        return found(end + 1, Feature::PlaceKnown);
    }
    let ending = end > at && reading.classes(end, 0).has(Class::PlaceKind);
    if ending { found(end, Feature::PlaceSuffix) } else { None }
}

/// `at Reading Terminal`, `from the Copperopolis Y`, `to Hazard ARH`: two capitals or more after a word of place.
pub(super) fn after_place_word(reading: &Reading<'_>, at: usize) -> Option<Found> {
    if reading.case != Case::Normal {
        return None;
    }
    let before = at.checked_sub(1)?;
    let the = matches!(reading.word(before), "the" | "el" | "la" | "le" | "o" | "a");
    let lead = if the { before.checked_sub(1)? } else { before };
    let placed = PLACE_BEFORE.contains(&reading.word(lead))
        && reading.gap(at).only(Gap::SPACE)
        && reading.gap(before).only(Gap::SPACE.and(Gap::LINE).and(Gap::STOP));
    if !placed {
        return None;
    }
    let word = reading.at(at, 0)?;
    if word.classes.meets(NEVER) && !word.classes.has(Class::NumberWord) {
        return None;
    }
    let last = proper_end(reading, at, 4)?;
    let entry = word.entry;
    let person = entry.first >= 9 && !matches!(reading.word(lead), "at" | "near" | "outside");
    (last > at && !person).then_some(Found {
        first: at,
        last,
        form: Feature::PlaceNames,
        composer: Composer::LocationFacility,
    })
}
