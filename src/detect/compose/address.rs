//! Street addresses, roads and crossings.

use crate::detect::compose::Composer;
use crate::detect::compose::model::Feature;
use crate::detect::compose::place::{Found, is_proper, spaced};
use crate::detect::compose::words::{Case, Reading};
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;

/// `1184 Larkspur Lane`, `410 Orchard St Apt 4B`, `calle 8 #1204`, `1902 Cedar Ave S`
pub(super) fn address(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let number = (word.token.shape == Shape::Digits && (1..=6).contains(&word.token.span.len()))
        || (word.token.shape == Shape::Code
            && text.len() <= 6
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
            && text.bytes().last().is_some_and(|byte| byte.is_ascii_alphabetic())
            && text.bytes().filter(u8::is_ascii_alphabetic).count() == 1);
    if !number {
        return None;
    }
    let mut last = at;
    let mut street = None;
    for offset in 1..=5 {
        let Some(word) = reading.at(at, offset).filter(|word| spaced(word)) else { break };
        let end = at.saturating_add_signed(offset);
        if offset > 1 && word.classes.has(Class::Street) && !word.classes.has(Class::Pron1) {
            // A street word right after the number is a unit of it (`5 miles`); one more may follow (`Old Mill Road`).
            street = Some(end);
            continue;
        }
        let named = is_proper(word)
            || word.token.shape == Shape::Digits
            || ordinal(reading.word(end))
            || word.classes.has(Class::Direction)
            || (word.token.shape == Shape::Lower
                && word.entry.word < 14
                && reading.case != Case::Normal);
        if !named {
            break;
        }
    }
    if let Some(end) = street {
        let proper = (at + 1..end).any(|at| {
            reading.at(at, 0).is_some_and(|word| {
                is_proper(word) || ordinal(reading.word(at)) || word.entry.word < 9
            })
        });
        if !proper {
            return None;
        }
        last = end;
    }
    if street.is_none() {
        // `33 W. Monroe, Chicago, IL`: the city and state show that it is a street.
        last = unnamed_street(reading, at)?;
    } else {
        last = unit_after(reading, direction_after(reading, last));
    }
    last = state_after(reading, last).unwrap_or(last);
    Some(Found { first: at, last, form: Feature::Address, composer: Composer::LocationAddress })
}

/// The end of a street without its kind, where a city and its state follow.
fn unnamed_street(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let named = (1..=3)
        .take_while(|offset| {
            reading.at(at, *offset).is_some_and(|word| spaced(word) && is_proper(word))
        })
        .count();
    let comma = reading.gap(at + named + 1).has(Gap::COMMA);
    (named > 0 && comma && state_after(reading, at + named).is_some()).then_some(at + named)
}

/// The state that ends an address, with the city before it: `, Eau Claire, WI`.
pub(super) fn state_after(reading: &Reading<'_>, last: usize) -> Option<usize> {
    for at in last + 1..last + 6 {
        let word = reading.at(at, 0)?;
        let gap = word.token.gap;
        let free = reading.case != Case::Normal;
        if !gap.only(Gap::SPACE.and(Gap::COMMA).and(Gap::STOP).and(Gap::HYPHEN)) {
            return None;
        }
        let code = word.classes.has(Class::StateCode) && (word.token.shape == Shape::Upper || free);
        let full = word.classes.has(Class::State) && (is_proper(word) || free);
        if code || full {
            // `New Mexico`: a state of two words.
            let more =
                usize::from(full && word.phrase > 1) * usize::from(word.phrase.saturating_sub(1));
            return Some(at + more);
        }
        if !(is_proper(word) || free) || word.token.shape.is_number() {
            return None;
        }
    }
    None
}

/// `Cedar Ave S`
fn direction_after(reading: &Reading<'_>, last: usize) -> usize {
    let next = reading.at(last, 1).filter(|word| {
        word.classes.has(Class::Direction) && word.token.gap.only(Gap::SPACE) && is_proper(word)
    });
    if next.is_some() { last + 1 } else { last }
}

/// `, Apt 4B`, `#12`, `unit 3`
fn unit_after(reading: &Reading<'_>, last: usize) -> usize {
    let is_unit = matches!(
        reading.word(last + 1),
        "apt"
            | "unit"
            | "suite"
            | "ste"
            | "lot"
            | "apartment"
            | "trlr"
            | "bldg"
            | "floor"
            | "fl"
            | "rm"
            | "room"
            | "dept"
    );
    let numbered = |at: usize| {
        reading.at(at, 0).is_some_and(|word| {
            matches!(word.token.shape, Shape::Digits | Shape::Code)
                || (word.token.span.len() == 1 && is_proper(word))
        })
    };
    if is_unit && numbered(last + 2) && !reading.gap(last + 1).has(Gap::LINE) {
        return last + 2;
    }
    if reading.gap(last + 1).has(Gap::HASH) && numbered(last + 1) { last + 1 } else { last }
}

/// `Quail Run Ct`, `Route 9`, `I-84 at exit 37`, `Ferndale and 9th`
pub(super) fn road(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let numbered = |offset: isize| {
        reading.at(at, offset).is_some_and(|word| {
            matches!(word.token.shape, Shape::Digits | Shape::Code)
                && word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
                && word.token.span.len() <= 4
        })
    };
    let highway = matches!(
        text,
        "route" | "rte" | "hwy" | "highway" | "interstate" | "i" | "us" | "sr" | "cr" | "exit"
    );
    let dashed = !matches!(text, "i" | "us" | "sr" | "cr")
        || (word.token.shape != Shape::Lower && reading.gap(at + 1).only(Gap::HYPHEN));
    if highway && dashed && numbered(1) {
        let before = at.checked_sub(1).filter(|before| {
            matches!(reading.word(*before), "county" | "state" | "us") && is_proper(word)
        });
        return Some(Found {
            first: before.unwrap_or(at),
            last: at + 1,
            form: Feature::Highway,
            composer: Composer::LocationRoad,
        });
    }
    if text == "county"
        && matches!(reading.word(at + 1), "road" | "rd" | "route")
        && reading.at(at, 2).is_some_and(|word| word.number.is_some())
    {
        return Some(Found {
            first: at,
            last: at + 2,
            form: Feature::Highway,
            composer: Composer::LocationRoad,
        });
    }
    if !(is_proper(word) || ordinal(text)) || (word.entry.word > 15 && word.token.starts_sentence) {
        return None;
    }
    let end = (1..=3)
        .take_while(|offset| {
            reading.at(at, *offset).is_some_and(|word| {
                spaced(word) && (is_proper(word) || word.classes.has(Class::Street))
            })
        })
        .filter(|offset| {
            let street = reading.at(at, *offset);
            street.is_some_and(|word| {
                word.classes.has(Class::Street)
                    && !matches!(
                        reading.word(at.saturating_add_signed(*offset)),
                        "court"
                            | "drive"
                            | "place"
                            | "run"
                            | "way"
                            | "close"
                            | "path"
                            | "walk"
                            | "row"
                            | "mile"
                            | "exit"
                    )
                    || street.is_some_and(|word| word.classes.has(Class::Street) && is_proper(word))
            })
        })
        .last()?;
    let last = at.saturating_add_signed(end);
    Some(Found { first: at, last, form: Feature::StreetName, composer: Composer::LocationRoad })
}

/// `Delancey and 3rd`, `Fifth and Juniper`, `26 y California`
pub(super) fn crossing(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let joined = |at: usize| reading.gap(at).only(Gap::SPACE.and(Gap::AND));
    if !matches!(reading.word(at + 1), "and" | "y") || !joined(at + 1) || !joined(at + 2) {
        return None;
    }
    let (one, other) = (reading.at(at, 0)?, reading.at(at, 2)?);
    let numbered = |at: usize| {
        ordinal(reading.word(at))
            || matches!(
                reading.word(at),
                "first"
                    | "second"
                    | "third"
                    | "fourth"
                    | "fifth"
                    | "sixth"
                    | "seventh"
                    | "eighth"
                    | "ninth"
                    | "tenth"
            ) && reading.at(at, 0).is_some_and(is_proper)
    };
    let bare = reading.word(at + 1) == "y" && one.token.shape == Shape::Digits;
    let streets = (numbered(at) || bare) && (is_proper(other) || numbered(at + 2))
        || (is_proper(one) && numbered(at + 2));
    streets.then_some(Found {
        first: at,
        last: at + 2,
        form: Feature::Crossing,
        composer: Composer::LocationRoad,
    })
}

/// `calle Olvera`, `colonia Doctores`, `rue Sainte-Anne`: the kind of street comes first.
pub(super) fn called_road(reading: &Reading<'_>, at: usize) -> Option<Found> {
    if !matches!(
        reading.word(at),
        "calle"
            | "colonia"
            | "avenida"
            | "rua"
            | "rue"
            | "barrio"
            | "via"
            | "calzada"
            | "carretera"
            | "bairro"
            | "quartier"
            | "travessa"
            | "camino"
            | "po"
    ) {
        return None;
    }
    if reading.word(at) == "po" {
        let boxed = reading.word(at + 1) == "box"
            && reading.at(at, 2).is_some_and(|word| word.number.is_some());
        return boxed.then_some(Found {
            first: at,
            last: at + 2,
            form: Feature::Address,
            composer: Composer::LocationAddress,
        });
    }
    let n_names = (1..=3)
        .take_while(|offset| {
            reading.at(at, *offset).is_some_and(|word| {
                (is_proper(word)
                    || word.token.shape == Shape::Digits
                    || word.classes.has(Class::Particle))
                    && word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
            })
        })
        .count();
    (n_names > 0).then_some(Found {
        first: at,
        last: at + n_names,
        form: Feature::StreetName,
        composer: Composer::LocationRoad,
    })
}

/// `9th`
pub(super) fn ordinal(text: &str) -> bool {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    n_digits > 0 && matches!(text.get(n_digits..), Some("st" | "nd" | "rd" | "th"))
}
