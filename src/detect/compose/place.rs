//! Places: addresses, roads, cities and counties, rooms and beds, small facilities and schools.
//!
//! States and countries pass. A city alone says little; beside a patient it is an identifier.

use crate::detect::compose::model::{Feature, Grade, Score, Seat};
use crate::detect::compose::surroundings;
use crate::detect::compose::words::{Reading, Word};
use crate::detect::compose::{Composer, Desk, Proposal};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// A place from its first to its last word.
#[derive(Clone, Copy, Debug)]
struct Found {
    first: usize,
    last: usize,
    form: Feature,
    composer: Composer,
}

/// Proposes every place.
pub(super) fn propose(reading: &Reading<'_>, desk: Desk<'_>, out: &mut Vec<Proposal>) {
    let mut at = 0;
    while at < reading.words.len() {
        let found = address(reading, at)
            .or_else(|| crossing(reading, at))
            .or_else(|| road(reading, at))
            .or_else(|| called_road(reading, at))
            .or_else(|| floor(reading, at))
            .or_else(|| room(reading, at))
            .or_else(|| county(reading, at))
            .or_else(|| facility(reading, at))
            .or_else(|| city(reading, at));
        let Some(mut found) = found else {
            at += 1;
            continue;
        };
        if let Some(last) = on_road(reading, found.last) {
            found.last = last;
        }
        let mut score = desk.models.place.score(desk.explain);
        weigh(reading, found, &mut score);
        out.push(Proposal {
            composer: found.composer,
            span: reading.span(found.first, found.last),
            words: (found.first, found.last),
            tied: score.tied,
            like: score.like,
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
fn is_proper(word: &Word) -> bool {
    matches!(word.token.shape, Shape::Capital | Shape::Mixed | Shape::Upper)
        && !word.classes.has(Class::Pron1)
}

fn spaced(word: &Word) -> bool {
    word.token.gap.only(Gap::SPACE.and(Gap::STOP).and(Gap::HYPHEN))
        && !word.token.gap.has(Gap::LINE)
}

/// `1184 Larkspur Lane`, `410 Orchard St Apt 4B`, `calle 8 #1204`, `1902 Cedar Ave S`
fn address(reading: &Reading<'_>, at: usize) -> Option<Found> {
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
                && reading.case != crate::detect::compose::words::Case::Normal);
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
    street?;
    last = unit_after(reading, direction_after(reading, last));
    Some(Found { first: at, last, form: Feature::Address, composer: Composer::LocationAddress })
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
        "apt" | "unit" | "suite" | "ste" | "lot" | "apartment" | "trlr" | "bldg"
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
fn road(reading: &Reading<'_>, at: usize) -> Option<Found> {
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
        || (is_proper(word) && reading.gap(at + 1).only(Gap::HYPHEN));
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
fn crossing(reading: &Reading<'_>, at: usize) -> Option<Found> {
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
fn called_road(reading: &Reading<'_>, at: usize) -> Option<Found> {
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

/// `7 East`, `4 North`, `7 West bed 22`
fn floor(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let number = reading.at(at, 0)?.number?;
    let side = reading.at(at, 1)?;
    let sided = matches!(reading.word(at + 1), "east" | "west" | "north" | "south")
        && is_proper(side)
        && side.token.gap.only(Gap::SPACE);
    if number > 20 || !sided {
        return None;
    }
    let last = at + 1;
    Some(Found { first: at, last, form: Feature::FloorName, composer: Composer::LocationRoom })
}

/// `room 2217`, `bed 14`, `in 412`, `4B-12`, `7N-04`
fn room(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let text = reading.word(at);
    let found =
        |first, last, form| Some(Found { first, last, form, composer: Composer::LocationRoom });
    if word.classes.has(Class::Room) && !word.token.possessive {
        let mut next = at + 1;
        while next < at + 4
            && matches!(
                reading.word(next),
                "number" | "no" | "num" | "bed" | "numero" | "room" | "rm"
            )
        {
            next += 1;
        }
        let value = reading.at(next, 0)?;
        let near = value
            .token
            .gap
            .only(Gap::SPACE.and(Gap::HASH).and(Gap::COLON).and(Gap::HYPHEN).and(Gap::STOP))
            && !value.token.starts_sentence;
        let spelled = value.classes.has(Class::NumberWord)
            && !matches!(reading.word(next), "one" | "first" | "second");
        let numbered = spelled
            || (value.token.shape == Shape::Digits && value.token.span.len() <= 5)
            || (value.token.shape == Shape::Code
                && value.token.span.len() <= 6
                && !surroundings::is_age_code(reading.word(next))
                && !ordinal(reading.word(next)));
        let lettered = value.token.span.len() == 1 && is_proper(value) && reading.word(next) != "i";
        // `5 rooms`, `bed 1 of 2` and a time (`room 12:30`) are no room.
        let time = matches!(reading.byte_after(next), b':' | b'%');
        if near && (numbered || lettered) && !time {
            let mut last = code_end(reading, next);
            while spelled
                && last < next + 4
                && reading.classes(last + 1, 0).has(Class::NumberWord)
                && reading.gap(last + 1).only(Gap::SPACE.and(Gap::HYPHEN))
            {
                last += 1;
            }
            // `Ward 7 Bay 2`, `ICU bed 6`
            let goes_on = reading.classes(last + 1, 0).has(Class::Room)
                && reading.gap(last + 1).only(Gap::SPACE)
                && reading.gap(last + 2).only(Gap::SPACE)
                && reading
                    .at(last, 2)
                    .is_some_and(|word| matches!(word.token.shape, Shape::Digits | Shape::Code));
            if goes_on {
                last += 2;
            }
            let next = at;
            let form = if matches!(text, "bed" | "bay" | "cama" | "lit" | "leito" | "chair") {
                Feature::BedNumber
            } else {
                Feature::RoomNumber
            };
            return found(next, last, form);
        }
        return None;
    }
    // `4B-12`: a ward and a bed; `412B`; `in 412`
    let short = word.token.span.len() <= 4;
    let ward = word.token.shape == Shape::Code && short && is_ward(text);
    if ward {
        let last = code_end(reading, at);
        let sided = text.ends_with(['n', 's', 'e', 'w', 'a', 'b', 'c', 'd']) && text.len() >= 3;
        if last > at || (sided && !surroundings::is_age_code(text)) {
            return found(at, last, Feature::RoomCode);
        }
    }
    // `B-214`
    let lettered = word.token.span.len() == 1
        && is_proper(word)
        && reading.at(at, 1).is_some_and(|next| {
            next.token.gap == Gap::HYPHEN
                && next.token.shape == Shape::Digits
                && (2..=4).contains(&next.token.span.len())
        });
    if lettered && !matches!(text, "i") {
        return found(at, at + 1, Feature::RoomCode);
    }
    // `301 - threw up`: a list of rooms at the starts of lines.
    let listed = word.token.gap.has(Gap::LINE)
        && word.token.shape == Shape::Digits
        && (3..=4).contains(&word.token.span.len())
        && (reading.gap(at + 1).has(Gap::HYPHEN.and(Gap::COLON)));
    if listed {
        return found(at, at, Feature::LineNumber);
    }
    let in_before = at.checked_sub(1).is_some_and(|before| {
        matches!(
            reading.word(before),
            "in" | "to" | "from" | "for" | "of" | "and" | "en" | "la" | "del" | "sa" | "el"
        )
    }) && reading.gap(at).only(Gap::SPACE);
    let bare = (word.token.shape == Shape::Digits
        && (3..=4).contains(&word.token.span.len())
        && word.number.is_some_and(|number| !(1900..=2100).contains(&number)))
        || (ward && text.len() >= 2);
    // `ART IN 12`: a low number needs somebody in it.
    let low = word.token.shape == Shape::Digits
        && word.token.span.len() <= 2
        && matches!(reading.word(at.saturating_sub(1)), "in" | "en")
        && at >= 2
        && reading.at(at - 2, 0).is_some_and(|word| {
            is_proper(word) && (word.entry.first > 6 || word.entry.last > 6 || word.entry.word == 0)
        })
        && !reading.classes(at, 1).has(Class::AgeUnit)
        && reading.gap(at + 1) != Gap::COLON;
    if in_before && low && !matches!(reading.byte_after(at), b':' | b'%' | b'/') {
        return found(at, at, Feature::InLowNumber);
    }
    if in_before && bare && !matches!(reading.byte_after(at), b':' | b'%' | b'/' | b',') {
        return found(at, code_end(reading, at), Feature::InNumber);
    }
    None
}

/// A digit and a letter as wards are called: `4b`, `7n`, `12w`, `412b`.
fn is_ward(text: &str) -> bool {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let tail = text.get(n_digits..).unwrap_or_default();
    n_digits > 0
        && n_digits <= 4
        && !tail.is_empty()
        && tail.len() <= 2
        && tail.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !matches!(
            tail,
            "th" | "st"
                | "nd"
                | "rd"
                | "mg"
                | "ml"
                | "am"
                | "pm"
                | "yo"
                | "hr"
                | "lb"
                | "cm"
                | "mm"
                | "kg"
                | "oz"
                | "ft"
                | "in"
                | "pt"
                | "mo"
                | "wk"
                | "m"
                | "f"
                | "x"
                | "g"
                | "h"
                | "k"
                | "y"
        )
}

/// The end of a code that goes on after a hyphen: `4B-12`, `12-A`.
fn code_end(reading: &Reading<'_>, at: usize) -> usize {
    let next = reading
        .at(at, 1)
        .filter(|word| word.token.gap == Gap::HYPHEN && word.token.span.len() <= 3);
    let part = next.is_some_and(|word| {
        matches!(word.token.shape, Shape::Digits | Shape::Code) || word.token.span.len() == 1
    });
    if part { at + 1 } else { at }
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
        || word.classes.has(Class::Facility)
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
    ]);
    let listed = word.place.0 > 0 || word.classes.has(Class::WorldCity);
    let (n_words, _) = word.place;
    let last = at + usize::from(n_words.max(1)) - 1;
    let proper = is_proper(word) && (at..=last).all(|at| reading.at(at, 0).is_some_and(is_proper));
    let led =
        at.checked_sub(1).is_some_and(|before| reading.classes(before, 0).has(Class::PlaceBefore))
            && reading.gap(at).only(Gap::SPACE);
    let state = reading.at(last, 1).is_some_and(|next| {
        next.token.gap.only(Gap::SPACE.and(Gap::COMMA))
            && (next.classes.has(Class::State)
                || (next.classes.has(Class::StateCode) && next.token.shape == Shape::Upper))
    });
    let found = |last, form, composer| Some(Found { first: at, last, form, composer });
    if listed
        && n_words > 1
        && (proper || (led && reading.case != crate::detect::compose::words::Case::Normal))
    {
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
        return found(last, Feature::CityName, Composer::LocationCity);
    }
    if listed
        && led
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
        && reading.case == crate::detect::compose::words::Case::Normal
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

/// `9th`
fn ordinal(text: &str) -> bool {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    n_digits > 0 && matches!(text.get(n_digits..), Some("st" | "nd" | "rd" | "th"))
}
