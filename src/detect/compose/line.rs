//! Lines that are nothing but an address: a label, the foot of a letter, a cell.
//!
//! Prose shows an address by its kind of street; on a line of its own nothing else is meant by `175 Old Half Day`,
//! `RR 1 Box 81`, `53 W. Jackson, Ste. 1222, Chicago, IL 60604`. Each word of the line counts for or against. What is
//! found is of low confidence: a list of scores or a film's title may look the same.

use crate::detect::compose::address::ordinal;
use crate::detect::compose::words::{Reading, Word};
use crate::detect::compose::{Composer, Proposal, Standing};
use crate::detect::labelled::words::{HIGHWAYS, LINKS, PREMISES, STREETS};
use crate::detect::token::{Gap, Shape};
use crate::rules::{Class, Classes};
use crate::span::Span;

/// The most words of an address.
const LONGEST: usize = 26;

/// What an address must reach.
const ENOUGH: i32 = 3;

/// Beyond this no line of that length is an address.
const MOST_OTHERS: i32 = 9;

/// Words of sentences, which no address holds.
const SENTENCE: Classes = Classes::of(&[
    Class::Pron1,
    Class::Pron2,
    Class::Pron3,
    Class::Question,
    Class::TimeWord,
    Class::Shock,
    Class::Praise,
    Class::Diagnosis,
    Class::Measure,
    Class::AgeUnit,
    Class::Patient,
    Class::Month,
    Class::Weekday,
    Class::Event,
]);

/// What a word is in an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Number,
    Ordinal,
    Direction,
    Street,
    Highway,
    Unit,
    Box,
    State,
    Zip,
    City,
    Name,
    /// `of`, `the`, `de`: stands between names.
    Link,
    /// A word too common to be a name where capitals say nothing.
    Common,
    /// A word of sentences.
    Other,
}

/// Proposes every line that is an address.
pub(super) fn propose(reading: &Reading<'_>, out: &mut Vec<Proposal>) {
    // Addresses that their street has shown, in order.
    let known: Vec<Span> = out
        .iter()
        .filter(|proposal| proposal.composer == Composer::LocationAddress)
        .map(|proposal| proposal.span)
        .collect();
    let mut first = 0;
    while first < reading.words.len() {
        let more =
            (first + 1..reading.words.len()).take_while(|at| !reading.gap(*at).has(Gap::LINE));
        let last = first + more.take(LONGEST + 1).count();
        if last - first < LONGEST
            && may_hold(reading, first, last)
            && let Some((from, to)) = address_in(reading, first, last)
            && !is_known(&known, reading.span(from, to))
        {
            out.push(Proposal {
                composer: Composer::LocationAddress,
                span: reading.span(from, to),
                words: (from, to),
                tied: f32::NEG_INFINITY,
                like: 0.0,
                sure: false,
                standing: Standing::Loose,
                generalized: None,
                parts: Vec::new(),
            });
        }
        // A very long line is left word by word until it ends.
        first = (last + 1..=reading.words.len())
            .find(|at| *at == reading.words.len() || reading.gap(*at).has(Gap::LINE))
            .unwrap_or(reading.words.len());
    }
}

/// Whether one of these spans, which are in order, covers another.
fn is_known(known: &[Span], span: Span) -> bool {
    let until = known.partition_point(|known| known.start() <= span.start());
    until.checked_sub(1).and_then(|at| known.get(at)).is_some_and(|known| known.covers(span))
}

/// Whether a line holds anything that an address must.
fn may_hold(reading: &Reading<'_>, first: usize, last: usize) -> bool {
    let kinds = Classes::of(&[Class::Street, Class::State, Class::StateCode]);
    reading.words.get(first..=last).is_some_and(|words| {
        words.iter().any(|word| word.token.shape.is_number() || word.classes.meets(kinds))
    })
}

/// The words of a line that are its address, if it is one.
fn address_in(reading: &Reading<'_>, first: usize, last: usize) -> Option<(usize, usize)> {
    // A line may name who lives there first.
    let starts = (first..=last).filter(|at| *at == first || begins(reading, *at)).take(4);
    let enough = |from: usize| if from == first { ENOUGH } else { ENOUGH + 2 };
    starts
        .into_iter()
        .find(|from| points(reading, *from, last).is_some_and(|points| points >= enough(*from)))
        .map(|from| (from, last))
}

/// Whether an address may begin at a word in the middle of a line.
fn begins(reading: &Reading<'_>, at: usize) -> bool {
    // Nearly no word does, and to know its part takes every list.
    may_begin(reading, at)
        && matches!(part(reading, at, at), Part::Number | Part::Box | Part::Highway)
        && !reading.gap(at).has(Gap::HASH)
        && !reading.gap(at).has(Gap::COLON)
}

/// Whether a word at the beginning of a stretch may be a number, a box or a highway.
fn may_begin(reading: &Reading<'_>, at: usize) -> bool {
    let text = reading.word(at);
    reading.at(at, 0).is_some_and(|word| word.token.shape.is_number())
        || is_house_word(text)
        || is_box(reading, at)
        || HIGHWAYS.has(text)
}

/// The numbers of houses that are written as words.
fn is_house_word(text: &str) -> bool {
    matches!(text, "one" | "two" | "three" | "four" | "five" | "six" | "ten" | "twenty" | "fifty")
}

/// How much the words of a stretch look like an address, if they may be one at all.
fn points(reading: &Reading<'_>, first: usize, last: usize) -> Option<i32> {
    let mut points = 0;
    let mut n_streets = 0;
    let (mut n_names, mut n_numbers, mut n_others) = (0, 0, 0);
    for at in first..=last {
        match part(reading, at, first) {
            Part::Number if at == first => {
                let number = reading.at(at, 0).and_then(|word| word.number);
                let house = number.is_some_and(|number| number >= 100 && !is_year(number));
                points += if house { 3 } else { 2 };
                n_numbers += 1;
            }
            Part::Number => n_numbers += 1,
            Part::Ordinal => points += if at == first { 2 } else { 1 },
            Part::Direction => points += 1,
            Part::Street | Part::Highway => {
                points += 2;
                n_streets += 1;
            }
            Part::Unit => {
                let numbered = part(reading, at + 1, first) == Part::Number;
                points += if numbered { 2 } else { 1 };
                n_streets += i32::from(numbered);
            }
            Part::Box => {
                points += 3;
                n_streets += 1;
            }
            Part::State => points += if at == last { 2 } else { 1 },
            Part::Zip => points += 2,
            Part::City => {
                points += 1;
                n_names += 1;
            }
            Part::Name => n_names += 1,
            Part::Link => {}
            Part::Common => n_others += 1,
            Part::Other => n_others += 3,
        }
        if n_others > MOST_OTHERS {
            return None;
        }
    }
    // `Fifth & Main`
    if reading.gap(first + 1).has(Gap::AND) || reading.word(first + 1) == "and" {
        points += 1;
    }
    // Numbers alone are a list of numbers, and a number word begins a song.
    let spelled = reading.at(first, 0).is_some_and(|word| !word.token.shape.is_number());
    let told = if spelled && part(reading, first, first) == Part::Number {
        n_streets > 0
    } else {
        n_names + n_streets > 0 && n_names + points > 1 + n_numbers
    };
    (told && n_others * 2 <= points && last > first).then_some(points - n_others)
}

const fn is_year(number: u32) -> bool {
    1900 <= number && number <= 2100
}

fn part(reading: &Reading<'_>, at: usize, first: usize) -> Part {
    let Some(word) = reading.at(at, 0) else { return Part::Other };
    let text = reading.word(at);
    if (at > first && !joins(reading, at)) || word.token.tagged {
        return Part::Other;
    }
    if word.token.shape.is_number() {
        return numbered(reading, at, first, word, text);
    }
    if at > first && state(reading, word) && ends_line(reading, at) {
        return Part::State;
    }
    let spared = Classes::of(&[Class::Direction, Class::Street]);
    if word.classes.meets(SENTENCE) && !word.classes.meets(spared) && !is_listed(text) {
        return if LINKS.has(text) { Part::Link } else { Part::Other };
    }
    match () {
        () if is_box(reading, at) => Part::Box,
        () if HIGHWAYS.has(text) && (is_followed(reading, at) || at > first) => Part::Highway,
        () if PREMISES.has(text) => Part::Unit,
        () if at == first && is_house_word(text) => Part::Number,
        () if at > first && (word.classes.has(Class::Street) || STREETS.has(text)) => Part::Street,
        () if at > first && state(reading, word) => Part::State,
        () if word.classes.has(Class::Direction) => Part::Direction,
        () if LINKS.has(text) => Part::Link,
        () if word.place.0 > 0 || word.classes.has(Class::WorldCity) => Part::City,
        () => name(reading, word),
    }
}

/// What a number is by where it stands.
fn numbered(reading: &Reading<'_>, at: usize, first: usize, word: &Word, text: &str) -> Part {
    if ordinal(text) {
        return Part::Ordinal;
    }
    let zip = matches!(word.token.span.len(), 5 | 9)
        && word.token.shape == Shape::Digits
        && at > first
        && at.checked_sub(1).and_then(|at| reading.at(at, 0)).is_some_and(|before| {
            state(reading, before) || before.place.0 > 0 || before.within_phrase
        });
    match () {
        () if zip => Part::Zip,
        () if word.token.span.len() <= 10 && (at > first || is_house(text)) => Part::Number,
        () => Part::Other,
    }
}

/// `12`, `12b`, `N79W5406`: what a house bears.
fn is_house(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.len() - digits;
    let first = text.bytes().next();
    (first.is_some_and(|byte| byte.is_ascii_digit())
        && digits <= 6
        && letters <= 2
        && text.bytes().skip_while(u8::is_ascii_digit).all(|byte| byte.is_ascii_alphabetic()))
        || (letters <= 2
            && digits >= 2
            && matches!(first, Some(b'n' | b's' | b'e' | b'w' | b'a' | b'l')))
}

/// Whether the marks before a word may stand within an address.
fn joins(reading: &Reading<'_>, at: usize) -> bool {
    let gap = reading.gap(at);
    let marks = Gap::SPACE
        .and(Gap::COMMA)
        .and(Gap::STOP)
        .and(Gap::HYPHEN)
        .and(Gap::HASH)
        .and(Gap::SLASH)
        .and(Gap::AND)
        .and(Gap::BRACKET);
    gap.only(marks) && !(gap.has(Gap::SLASH) && gap != Gap::SLASH)
}

fn state(reading: &Reading<'_>, word: &Word) -> bool {
    word.classes.has(Class::State)
        || (word.classes.has(Class::StateCode)
            && (word.token.shape == Shape::Upper
                || reading.case != crate::detect::compose::words::Case::Normal))
}

/// `po box`, `p.o. box`, `box 12`, `rr 1`, `lockbox`, `rural route`.
fn is_box(reading: &Reading<'_>, at: usize) -> bool {
    let (text, next) = (reading.word(at), reading.word(at + 1));
    let numbered = |at: usize| reading.at(at, 0).is_some_and(|word| word.token.shape.is_number());
    match text {
        "box" | "bx" | "pob" | "lockbox" | "mailbox" | "pmb" | "rr" | "rfd" | "msc" | "cmr"
        | "drawer" => numbered(at + 1) || (next == "no" && numbered(at + 2)) || next == "box",
        "po" => matches!(next, "box" | "bx") || numbered(at + 1),
        "p" => next == "o",
        "post" => next == "office",
        "rural" => next == "route",
        "lock" => next == "box",
        _ => false,
    }
}

/// Whether a number stands soon after a word.
fn is_followed(reading: &Reading<'_>, at: usize) -> bool {
    (at + 1..at + 3).any(|at| reading.at(at, 0).is_some_and(|word| word.token.shape.is_number()))
}

/// Whether a ZIP code follows a word, or nothing does.
fn ends_line(reading: &Reading<'_>, at: usize) -> bool {
    reading.at(at, 1).is_none_or(|next| {
        next.token.gap.has(Gap::LINE)
            || (next.token.shape == Shape::Digits && next.token.span.len() >= 5)
    })
}

/// Words that the lists hold for something else and addresses for themselves.
fn is_listed(text: &str) -> bool {
    PREMISES.has(text)
        || STREETS.has(text)
        || HIGHWAYS.has(text)
        || matches!(
            text,
            "me" | "main"
                | "long"
                | "heart"
                | "brain"
                | "pe"
                | "ms"
                | "hr"
                | "oz"
                | "can"
                | "la"
                | "st"
                | "do"
                | "us"
                | "side"
                | "hall"
                | "bay"
        )
}

/// A word of the name of a street or city: it has its capital, unless the line has none, and is no word of sentences.
fn name(reading: &Reading<'_>, word: &Word) -> Part {
    let capital = matches!(word.token.shape, Shape::Capital | Shape::Upper | Shape::Mixed);
    let free = reading.case != crate::detect::compose::words::Case::Normal || word.entry.word <= 10;
    match () {
        () if capital || (free && word.entry.word < 15) => Part::Name,
        () if free => Part::Common,
        () => Part::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::address_in;
    use crate::detect::compose::Composers;
    use crate::detect::compose::words::Reading;
    use crate::detect::token::Text;
    use crate::rules::RuleSet;

    /// The address of a line.
    fn address(text: &str) -> Option<String> {
        let composers = Composers::build(&RuleSet::embedded()).unwrap();
        let cut = Text::of(text);
        let reading = Reading::of(&cut, &composers.lexicons);
        let (first, last) = address_in(&reading, 0, reading.words.len() - 1)?;
        Some(cut.view.to_original(reading.span(first, last)).of(text)?.to_owned())
    }

    #[test]
    fn lines_that_are_addresses() {
        for text in [
            "410 Orchard Glen",
            "rr 7 box 12 harlan il 61400",
            "12 W. Cedar, Ste. 9, Eau Claire, WI 54701",
            "P.O. Box 77, Lodi, CA 95240",
            "Highway 9 North",
            "5TH & ALDER",
            "TWO PINE PLAZA FLOOR 3",
            "Mill Creek, MT 59701",
        ] {
            assert_eq!(address(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn lines_that_are_not() {
        for text in [
            "12 hours into my shift and I need coffee",
            "120/80 again",
            "We won 3-2 in the second half",
            "Room for one more?",
            "2026 was a year",
            "4 8 15 16 23 42",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
