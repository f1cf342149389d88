//! Numbers and codes by which a ward calls its rooms, where no word says so: `the man in 14`, `409 banged his bedpan`,
//! `SICU 9`, `moved her: 310, 322, 518`, `7 South 33`, `302房`.
//!
//! A number alone is nearly always something else, so each of these is its own feature and worth little by itself.

use crate::detect::compose::Composer;
use crate::detect::compose::hint::acts;
use crate::detect::compose::model::Feature;
use crate::detect::compose::place::{Found, is_proper};
use crate::detect::compose::room::code_end;
use crate::detect::compose::surroundings;
use crate::detect::compose::words::{Reading, Word};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};

/// What makes a number before it a count, and no room.
const COUNTED: Classes = Classes::of(&[
    Class::AgeUnit,
    Class::Measure,
    Class::Month,
    Class::Weekday,
    Class::Street,
    Class::NumberWord,
    Class::Kin,
    Class::Patient,
    Class::Role,
]);
/// What may follow the number of a room: somebody acts, or the sentence goes on.
const FOLLOWS: Classes = Classes::of(&[
    Class::ClinicalVerb,
    Class::Death,
    Class::Pron1,
    Class::Pron2,
    Class::Pron3,
    Class::Possessive,
    Class::Question,
    Class::Shock,
]);

/// A room called by its number alone.
pub(super) fn ward(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.tagged || is_plain(reading, at, word) {
        return None;
    }
    unit(reading, at)
        .or_else(|| side(reading, at))
        .or_else(|| code(reading, at))
        .or_else(|| eastern(reading, at))
}

/// Whether a word is one as nearly all are, with which no room is called.
fn is_plain(reading: &Reading<'_>, at: usize, word: &Word) -> bool {
    let lettered = match word.token.shape {
        Shape::Lower => true,
        Shape::Capital => word.token.span.len() > 1,
        _ => false,
    };
    lettered && !word.classes.meets(CALLED) && reading.word(at).is_ascii()
}

/// The classes of words with which the name of a room begins.
const CALLED: Classes = Classes::of(&[Class::UnitWord, Class::Ward, Class::NumberWord]);

const fn room(first: usize, last: usize, form: Feature) -> Found {
    Found { first, last, form, composer: Composer::LocationRoom }
}

/// `SICU 9`, `LDR 3`, `station 14`, `Engine 303`, `pod C`, `behind curtain 4`
fn unit(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let value = reading.at(at, 1)?;
    if !value.token.shape.is_number() && value.token.span.len() > 1 {
        return None;
    }
    let called = word.classes.has(Class::UnitWord);
    if word.classes.has(Class::Room) || !(called || word.classes.has(Class::Ward)) {
        return None;
    }
    let near = value.token.gap.only(Gap::SPACE.and(Gap::HASH).and(Gap::HYPHEN));
    let coded = value.token.shape == Shape::Code
        && value.token.span.len() <= 5
        && (!surroundings::is_age_code(reading.word(at + 1))
            || matches!(reading.word(at), "apartment" | "apt" | "apto"))
        && !is_ordinal(reading.word(at + 1));
    let lettered = value.token.span.len() == 1
        && is_proper(value)
        && !matches!(reading.word(at + 1), "i" | "a")
        && called;
    let numbered = value.token.shape == Shape::Digits && value.token.span.len() <= 4;
    if !near || !(coded || lettered || numbered && is_whole(reading, at + 1)) {
        return None;
    }
    let counted = reading.classes(at, 2).meets(COUNTED) && reading.gap(at + 2).only(Gap::SPACE);
    (!counted).then_some(())?;
    let last = code_end(reading, at + 1);
    // `NICU pod C`
    let of = at.checked_sub(1).filter(|before| {
        reading.classes(*before, 0).has(Class::Ward)
            && reading.gap(at).only(Gap::SPACE)
            && reading.word(*before).len() < 7
    });
    Some(room(of.unwrap_or(at), last, Feature::UnitNumber))
}

/// By what the halves of a floor are called.
const SIDES: &[&str] = &[
    "east", "west", "north", "south", "sur", "norte", "este", "oeste", "sul", "leste", "nord",
    "sud", "ost", "central", "main", "center", "tower", "annex",
];

/// `4 south`, `7 South 33`, `5 Oeste`
fn side(reading: &Reading<'_>, at: usize) -> Option<Found> {
    // `the seventh floor`, `4th floor`
    let floor = matches!(reading.word(at + 1), "floor" | "andar" | "piso")
        && reading.gap(at + 1).only(Gap::SPACE)
        && (is_ordinal(reading.word(at)) || reading.classes(at, 0).has(Class::NumberWord))
        && !matches!(reading.word(at), "one" | "two" | "first");
    if floor {
        return Some(room(at, at + 1, Feature::OrdinalFloor));
    }
    let word = reading.at(at, 0)?;
    let numbered = word.number.is_some_and(|number| (1..=30).contains(&number));
    let next = reading.at(at, 1)?;
    let sided = SIDES.contains(&reading.word(at + 1)) && next.token.gap.only(Gap::SPACE);
    let foreign = !["este", "central", "main", "ost", "center", "tower", "annex"]
        .contains(&reading.word(at + 1))
        || is_proper(next);
    if !numbered || !sided || !foreign || !is_apart(reading, at) {
        return None;
    }
    // `4 north of here`, `9 East St`
    let goes_on = matches!(reading.word(at + 2), "of" | "to")
        || reading.classes(at, 2).has(Class::Street) && reading.gap(at + 2).only(Gap::SPACE);
    if goes_on {
        return None;
    }
    let bed = reading.at(at, 2).is_some_and(|word| {
        word.token.shape == Shape::Digits
            && word.token.span.len() <= 3
            && word.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
    });
    Some(room(at, if bed { at + 2 } else { at + 1 }, Feature::FloorName))
}

/// `314-B`, `6-112`, `W7-22`, `311 B`; `2A` after `in`
fn code(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let next = reading.at(at, 1);
    let hyphened = next.filter(|next| next.token.gap == Gap::HYPHEN);
    let n_digits = if word.token.shape == Shape::Digits { word.token.span.len() } else { 0 };
    let closes = |after: usize| {
        let gap = reading.gap(after);
        gap != Gap::default() && !gap.only(Gap::HYPHEN) && gap != Gap::SLASH
    };
    if let Some(next) = hyphened {
        let letter = next.token.span.len() == 1 && is_proper(next);
        if (2..=4).contains(&n_digits) && letter && closes(at + 2) {
            return Some(room(at, at + 1, Feature::RoomCode));
        }
        let digits = next.token.shape == Shape::Digits;
        let floor = (1..=2).contains(&n_digits) && next.token.span.len() == 3;
        let counted = reading.classes(at + 1, 1).meets(COUNTED);
        if floor && digits && is_apart(reading, at) && closes(at + 2) && !counted {
            return Some(room(at, at + 1, Feature::RoomCode));
        }
        let coded = word.token.shape == Shape::Code
            && word.token.span.len() == 2
            && reading.word(at).starts_with(|c: char| c.is_ascii_alphabetic());
        if coded && digits && next.token.span.len() <= 3 && closes(at + 2) {
            return Some(room(at, at + 1, Feature::RoomCode));
        }
    }
    // `in PC-4`
    let lettered = word.token.shape == Shape::Upper && (1..=4).contains(&word.token.span.len())
        || (word.token.span.len() == 1 && is_proper(word));
    let led = at.checked_sub(1).is_some_and(|before| leads(reading, before));
    if let Some(next) = hyphened.filter(|_| lettered && led)
        && next.token.shape == Shape::Digits
        && next.token.span.len() <= 3
        && closes(at + 2)
    {
        return Some(room(at, at + 1, Feature::RoomCode));
    }
    // `311 B`
    let bed = next.is_some_and(|next| {
        next.token.gap == Gap::SPACE
            && next.token.span.len() == 1
            && is_proper(next)
            && matches!(reading.word(at + 1), "a" | "b" | "c" | "d")
    });
    if n_digits == 3 && bed && !reading.gap(at + 2).only(Gap::SPACE) && is_whole(reading, at) {
        return Some(room(at, at + 1, Feature::RoomCode));
    }
    // `kid in 2A`, `a woman on 4B`, `7B,` in a list
    let letters = reading.word(at).bytes().filter(u8::is_ascii_alphabetic).count();
    let coded = word.token.shape == Shape::Code
        && word.token.span.len() <= 4
        && letters == 1
        && reading.word(at).ends_with(|c: char| ('a'..='g').contains(&c));
    let led = at.checked_sub(1).is_some_and(|before| leads(reading, before))
        || reading.gap(at).has(Gap::COMMA)
        || reading.word(at.saturating_sub(1)) == "on";
    (coded && led && is_written(reading, at)).then_some(())?;
    let last = code_end(reading, at);
    Some(room(at, last, if last > at { Feature::RoomCode } else { Feature::InNumber }))
}

/// Whether the letter of a code is a capital or stands where nobody writes any.
fn is_written(reading: &Reading<'_>, at: usize) -> bool {
    !surroundings::is_age_code(reading.word(at)) && !is_ordinal(reading.word(at))
}

/// `302房`, `15床`, `507호`, `11樓22房`
fn eastern(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let after = reading.gap(at + 1) == Gap::default() || reading.gap(at + 1) == Gap::SPACE;
    let spelled =
        ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"].contains(&reading.word(at));
    let numbered = word.token.shape == Shape::Digits || word.token.shape == Shape::Code || spelled;
    let is_room = |at: usize| {
        let word = reading.word(at);
        ["房", "床", "号", "號", "室", "楼", "樓", "병동", "층", "번"].contains(&word)
            || word.starts_with('호')
    };
    if !numbered || word.token.span.len() > 5 || !after || !is_room(at + 1) {
        return None;
    }
    let mut last = at + 1;
    while last < at + 8
        && reading.gap(last + 1) == Gap::default()
        && reading.at(last, 1).is_some()
        && (is_room(last + 1) || reading.at(last, 1)?.token.shape == Shape::Digits)
    {
        last += 1;
    }
    Some(room(at, last, Feature::RoomCode))
}

/// A number that stands alone.
pub(super) fn bare(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    if word.token.tagged || !(word.token.shape.is_number() || word.classes.has(Class::NumberWord)) {
        return None;
    }
    let Some(number) = word.number else { return spelled(reading, at) };
    let n_digits = word.token.span.len();
    let year = n_digits == 4 && (1900..=2100).contains(&number);
    if !(1..=4).contains(&n_digits) || year || !is_whole(reading, at) || !is_apart(reading, at) {
        return None;
    }
    let counted = reading.classes(at, 1).meets(COUNTED)
        && reading.gap(at + 1).only(Gap::SPACE.and(Gap::HYPHEN));
    let measured =
        at.checked_sub(1).is_some_and(|before| reading.classes(before, 0).has(Class::Measure));
    if counted || measured {
        return None;
    }
    let form = in_place(reading, at, n_digits)
        .or_else(|| leading(reading, at, n_digits))
        .or_else(|| apart(reading, at, n_digits))?;
    Some(room(at, at, form))
}

/// Marks that set a number apart from what stands before it, or after.
const MARKS: Gap = Gap::COMMA.and(Gap::STOP).and(Gap::LINE).and(Gap::COLON).and(Gap::BRACKET);

/// Whether what stands after a number ends what it belongs to.
fn ends(reading: &Reading<'_>, at: usize) -> bool {
    reading.gap(at + 1).has(MARKS.and(Gap::QUOTE).and(Gap::OTHER).and(Gap::HYPHEN))
}

/// Whether somebody acts after a number, or the sentence goes on without a thing that it counts.
fn goes_on(reading: &Reading<'_>, at: usize) -> bool {
    const ON: &[&str] = &[
        "and", "or", "with", "for", "on", "at", "to", "from", "because", "cause", "again",
        "tonight", "last", "today", "just", "who", "que", "se", "y", "proposed", "by", "if", "so",
        "but", "n", "since", "has", "needs", "keeps", "come", "get", "please", "this", "right",
        "whose", "like", "is", "lol",
    ];
    reading.classes(at, 1).meets(FOLLOWS) || acts(reading, at) || ON.contains(&reading.word(at + 1))
}

/// `the man in 14`, `en la 401,`, `le 602 c'est`, `in 4 and 5`
fn in_place(reading: &Reading<'_>, at: usize, n_digits: usize) -> Option<Feature> {
    let before = at.checked_sub(1)?;
    let ends = ends(reading, at);
    if !reading.gap(at).only(Gap::SPACE) {
        return None;
    }
    if leads(reading, before) && (ends || goes_on(reading, at)) {
        return Some(if n_digits > 2 { Feature::InNumber } else { Feature::InBareNumber });
    }
    // An article and three digits are a room, or a count that a noun follows.
    let article =
        ["la", "le", "el", "do", "da", "del", "na", "nan"].contains(&reading.word(before));
    let foreign = reading
        .at(at, 1)
        .is_some_and(|next| next.entry.word < 2 || next.classes.has(Class::ForeignWord));
    if article && n_digits == 3 && foreign {
        return Some(Feature::InNumber);
    }
    let joined = at.checked_sub(3).is_some_and(|lead| {
        matches!(reading.word(before), "and" | "y" | "et" | "e" | "&")
            && reading.at(at, -2).is_some_and(|word| word.number.is_some())
            && (leads(reading, lead) || reading.classes(lead, 0).has(Class::Room))
    });
    (joined && ends).then_some(Feature::InBareNumber)
}

/// `409 banged`, `201 Mulroney`, `512 bed 2`, `7p 310 pulls at lines`
fn leading(reading: &Reading<'_>, at: usize, n_digits: usize) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let after = reading.gap(at + 1);
    let next = reading.at(at, 1)?;
    let bed = next.classes.has(Class::Room)
        && after.only(Gap::SPACE)
        && reading.at(at, 2).is_some_and(|word| word.token.shape.is_number());
    let timed = at.checked_sub(1).is_some_and(|before| {
        let hour = reading.word(before);
        hour.len() <= 3
            && hour.ends_with(['p', 'a'])
            && hour.starts_with(|c: char| c.is_ascii_digit())
    });
    if (bed && n_digits >= 3) || (timed && n_digits == 3) {
        return Some(Feature::LeadingNumber);
    }
    if !word.token.starts_sentence && !word.token.gap.has(MARKS.and(Gap::QUOTE)) {
        return None;
    }
    let named = is_proper(next)
        && after.only(Gap::SPACE)
        && next.token.span.len() > 1
        && (next.entry.word <= 3
            || next.entry.last >= 9
            || next.entry.first >= 8
            || next.classes.has(Class::Honorific));
    let dashed = after.has(Gap::HYPHEN) && after.has(Gap::SPACE);
    let told = goes_on(reading, at)
        || dashed
        || matches!(reading.word(at + 1), "empty" | "going" | "waiting" | "rules");
    (named || (n_digits >= 3 && told)).then_some(Feature::LeadingNumber)
}

/// `they moved her: 310, 322, 518, hallway`, `(trach, 5120)`, `covid line list: 3, 7, 11`
fn apart(reading: &Reading<'_>, at: usize, n_digits: usize) -> Option<Feature> {
    let word = reading.at(at, 0)?;
    let gap = word.token.gap;
    let apart = if n_digits < 3 {
        gap.has(Gap::COMMA.and(Gap::COLON))
            && gap.has(Gap::SPACE)
            && reading.gap(at + 1).has(Gap::COMMA)
            && [-1, 1].into_iter().any(|offset| {
                reading.at(at, offset).is_some_and(|word| word.token.shape.is_number())
            })
    } else {
        (word.token.starts_sentence || gap.has(MARKS.and(Gap::QUOTE))) && ends(reading, at)
    };
    apart.then_some(Feature::ApartNumber)
}

/// `Winston in twelve`
fn spelled(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.at(at, 0)?;
    let before = at.checked_sub(1)?;
    let spelled = word.classes.has(Class::NumberWord)
        && !matches!(reading.word(at), "one" | "two" | "first" | "second" | "oh" | "zero")
        && matches!(reading.word(before), "in" | "en");
    let named = before.checked_sub(1).and_then(|at| reading.at(at, 0)).is_some_and(is_proper);
    let counted = reading.at(at, 1).is_some_and(|next| next.classes.meets(COUNTED));
    (spelled && named && !counted).then_some(())?;
    Some(room(at, at, Feature::InBareNumber))
}

/// Whether a word is one after which a room stands.
fn leads(reading: &Reading<'_>, at: usize) -> bool {
    const LEADS: &[&str] = &[
        "in", "en", "em", "na", "no", "nan", "sa", "nasa", "la", "le", "el", "del", "do", "da",
        "w", "в", "o", "phong", "with", "of", "to", "from", "is",
    ];
    LEADS.contains(&reading.word(at))
}

/// Whether a number is no part of a decimal, a fraction, a clock, a percentage or a price.
fn is_whole(reading: &Reading<'_>, at: usize) -> bool {
    let before = reading.gap(at);
    let glued = |gap: Gap| {
        gap == Gap::SLASH
            || gap == Gap::COLON
            || gap == Gap::STOP
            || gap == Gap::COMMA
            || gap == Gap::HYPHEN
            || gap == Gap::default()
            || gap == Gap::OTHER
    };
    let after = reading.gap(at + 1);
    let number = |offset| reading.at(at, offset).is_some_and(|word| word.token.shape.is_number());
    let joined = glued(after) && number(1) || (glued(before) && number(-1));
    !joined
        && !matches!(reading.byte_after(at), b'%' | b'/' | b'+' | b'*')
        && !before.has(Gap::AND.and(Gap::SLASH))
}

/// Whether nothing is written right before a number: no `$`, no `#`, no hyphen.
fn is_apart(reading: &Reading<'_>, at: usize) -> bool {
    let Some(word) = reading.at(at, 0) else { return false };
    let text = reading.text.view.text().as_bytes();
    let before = word.token.span.start().checked_sub(1).and_then(|at| text.get(at));
    before
        .is_none_or(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'(' | b'"' | b'[' | b'*' | b','))
        || (before.is_some_and(|byte| !byte.is_ascii()) && !word.token.gap.has(Gap::OTHER))
}

fn is_ordinal(text: &str) -> bool {
    crate::detect::compose::address::ordinal(text)
}
