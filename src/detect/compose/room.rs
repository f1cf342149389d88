//! Rooms, beds and the codes by which a ward calls them.

use crate::detect::compose::Composer;
use crate::detect::compose::address::ordinal;
use crate::detect::compose::model::Feature;
use crate::detect::compose::place::{Found, is_proper};
use crate::detect::compose::surroundings;
use crate::detect::compose::words::Reading;
use crate::detect::token::{Gap, Shape};
use crate::rules::Class;

/// `room 2217`, `bed 14`, `in 412`, `4B-12`, `7N-04`
pub(super) fn room(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let written = reading.word(at);
    let found =
        |first, last, form| Some(Found { first, last, form, composer: Composer::LocationRoom });
    if word.classes.has(Class::Room) && !word.token.possessive {
        return numbered_room(reading, at);
    }
    // `4B-12`: a ward and a bed; `412B`; `in 412`
    let short = word.token.span.len() <= 4;
    let coded = word.token.shape == Shape::Code && short && is_ward(written);
    if coded {
        let last = code_end(reading, at);
        let sided =
            written.ends_with(['n', 's', 'e', 'w', 'a', 'b', 'c', 'd']) && written.len() >= 3;
        if last > at || (sided && !surroundings::is_age_code(written)) {
            return found(at, last, Feature::RoomCode);
        }
    }
    // `B-214`
    let hyphened = word.token.span.len() == 1
        && is_proper(word)
        && reading.at(at, 1).is_some_and(|next| {
            next.token.gap == Gap::HYPHEN
                && next.token.shape == Shape::Digits
                && (2..=4).contains(&next.token.span.len())
        });
    if hyphened && written != "i" {
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
        || (coded && written.len() >= 2);
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

/// `room 2217`, `bed 14`, `Ward 7 Bay 2`: the word for a room and its number.
fn numbered_room(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let text = reading.word(at);
    let mut next = at + 1;
    while next < at + 4
        && matches!(
            reading.word(next),
            "number" | "no" | "num" | "bed" | "numero" | "room" | "rm" | "was" | "is"
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
    let time = reading.byte_after(next) == b'%'
        || (reading.gap(next + 1) == Gap::COLON
            && reading.at(next, 1).is_some_and(|word| word.number.is_some()));
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
        let form = if matches!(text, "bed" | "bay" | "cama" | "lit" | "leito" | "chair") {
            Feature::BedNumber
        } else {
            Feature::RoomNumber
        };
        return Some(Found { first: at, last, form, composer: Composer::LocationRoom });
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
pub(super) fn code_end(reading: &Reading<'_>, at: usize) -> usize {
    let next = reading
        .at(at, 1)
        .filter(|word| word.token.gap == Gap::HYPHEN && word.token.span.len() <= 3);
    let part = next.is_some_and(|word| {
        matches!(word.token.shape, Shape::Digits | Shape::Code) || word.token.span.len() == 1
    });
    if part { at + 1 } else { at }
}
