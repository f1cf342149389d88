//! What stands around a candidate: the features that names, dates and places share.

use crate::detect::compose::model::{Feature, Score, Seat};
use crate::detect::compose::words::Reading;
use crate::detect::token::{Gap, Shape};
use crate::normalize::Kind;
use crate::rules::{Class, Classes};

/// How many words on either side are near.
const REACH: usize = 9;

/// Titles and short forms whose full stop ends no sentence.
const ABBREVIATED: Classes =
    Classes::of(&[Class::Honorific, Class::Title, Class::Doctor, Class::Credential, Class::Month]);

/// Classes that only mark phrases, or that nearly every word has.
const IGNORED: Classes = Classes::of(&[Class::PhraseHead]).inverse();

/// Adds the classes of the words before, after and near a candidate that reaches from word `first` to `last`, and the
/// marks around it.
pub(super) fn add(reading: &Reading<'_>, first: usize, last: usize, score: &mut Score<'_>) {
    let mut known = 0_u32;
    for kind in reading.text.view.disguises_under(reading.span(first, last)) {
        score.add_if(known & 1 << kind as u32 == 0, disguised(kind));
        known |= 1 << kind as u32;
    }
    let gap = reading.gap(first);
    let before = first.checked_sub(1).filter(|_| !ends_before(reading, first));
    if let Some(at) = before {
        score.seat(Seat::Before, reading.classes(at, 0).and(IGNORED));
        add_before(reading.word(at), score);
        score.add_if(
            reading.at(at, 0).is_some_and(|word| word.number.is_some()),
            Feature::NumberBefore,
        );
        if let Some(at) = at.checked_sub(1).filter(|_| !ends_before(reading, at)) {
            score.seat(Seat::Before2, reading.classes(at, 0).and(IGNORED));
        }
    }
    let after = Some(last + 1).filter(|at| *at < reading.words.len() && !ends_before(reading, *at));
    if let Some(at) = after {
        score.seat(Seat::After, reading.classes(at, 0).and(IGNORED));
        add_after(reading, at, score);
        if at + 1 < reading.words.len() && !ends_before(reading, at + 1) {
            score.seat(Seat::After2, reading.classes(at + 1, 0).and(IGNORED));
        }
    }
    score.seat(Seat::Near, near(reading, first, last).and(IGNORED));
    score.add_if(gap.has(Gap::LINE), Feature::StartsLine);
    score.add_if(gap.has(Gap::COMMA), Feature::CommaBefore);
    score.add_if(gap.has(Gap::COLON), Feature::ColonBefore);
    score.add_if(gap.has(Gap::BRACKET), Feature::BracketBefore);
    score.add_if(gap.has(Gap::QUOTE), Feature::Quoted);
    let gap = reading.gap(last + 1);
    score.add_if(gap.has(Gap::COLON), Feature::ColonAfter);
    score.add_if(gap.has(Gap::COMMA), Feature::CommaAfter);
    score.add_if(gap.has(Gap::STOP), Feature::StopAfter);
    score.add_if(gap.has(Gap::LINE), Feature::LineAfter);
    score.add_if(gap.has(Gap::QUOTE), Feature::QuoteAfter);
}

/// The feature of a way of hiding.
const fn disguised(kind: Kind) -> Feature {
    match kind {
        Kind::Invisible => Feature::DisguiseInvisible,
        Kind::Marked => Feature::DisguiseMarked,
        Kind::Dressed => Feature::DisguiseDressed,
        Kind::Twins => Feature::DisguiseTwins,
        Kind::Escaped => Feature::DisguiseEscaped,
        Kind::Flipped => Feature::DisguiseFlipped,
        Kind::Spaced => Feature::DisguiseSpaced,
        Kind::Broken => Feature::DisguiseBroken,
        Kind::Spelled => Feature::DisguiseSpelled,
        Kind::Leet => Feature::DisguiseLeet,
        Kind::Masked => Feature::DisguiseMasked,
        Kind::Turned => Feature::DisguiseTurned,
        Kind::Coded => Feature::DisguiseCoded,
    }
}

/// Whether a sentence or line ends before this word: what stands there belongs to somebody else.
pub(super) fn ends_before(reading: &Reading<'_>, at: usize) -> bool {
    let Some(word) = reading.at(at, 0) else { return true };
    if word.token.gap.has(Gap::LINE) {
        return true;
    }
    let abbreviated = at
        .checked_sub(1)
        .is_some_and(|at| reading.classes(at, 0).meets(ABBREVIATED) || reading.word(at).len() == 1);
    word.token.gap.has(Gap::STOP) && word.token.gap.has(Gap::SPACE) && !abbreviated
}

/// The classes of the words near a candidate, on its own line.
pub(super) fn near(reading: &Reading<'_>, first: usize, last: usize) -> Classes {
    let mut classes = Classes::default();
    for at in (first.saturating_sub(REACH)..first).rev() {
        if reading.gap(at + 1).has(Gap::LINE) {
            break;
        }
        classes = classes.union(reading.classes(at, 0));
    }
    for at in last + 1..(last + 1 + REACH).min(reading.words.len()) {
        if reading.gap(at).has(Gap::LINE) {
            break;
        }
        classes = classes.union(reading.classes(at, 0));
    }
    classes
}

fn add_before(word: &str, score: &mut Score<'_>) {
    let feature = match word {
        "by" | "por" => Feature::ByBefore,
        "his" | "her" | "their" | "su" => Feature::HisHerBefore,
        "my" | "our" | "mi" => Feature::MyBefore,
        "the" | "el" | "la" | "a" | "an" => Feature::TheBefore,
        "and" | "y" | "e" | "et" | "&" => Feature::AndBefore,
        "to" => Feature::ToBefore,
        "with" | "con" | "com" => Feature::WithBefore,
        "for" | "para" => Feature::ForBefore,
        "from" | "of" | "de" => Feature::FromBefore,
        "in" | "near" | "en" | "em" => Feature::InBefore,
        "at" => Feature::AtBefore,
        "on" => Feature::OnBefore,
        "since" | "until" | "desde" => Feature::SinceBefore,
        "hi" | "hey" | "hello" | "dear" | "hola" | "bye" | "goodbye" | "oh" => Feature::Greeting,
        _ => return,
    };
    score.add(feature);
}

fn add_after(reading: &Reading<'_>, at: usize, score: &mut Score<'_>) {
    match reading.word(at) {
        "is" => score.add(Feature::IsAfter),
        "was" => score.add(Feature::WasAfter),
        "and" | "y" | "e" => score.add(Feature::AndAfter),
        "in" | "en" => {
            score.add(Feature::InAfter);
            let next = reading.at(at, 1);
            score.add_if(
                next.is_some_and(|word| matches!(word.token.shape, Shape::Digits | Shape::Code)),
                Feature::InNumberAfter,
            );
        }
        _ => {}
    }
    let Some(word) = reading.at(at, 0) else { return };
    score.add_if(word.token.shape == Shape::Digits, Feature::NumberAfter);
    let aged = word.number.is_some_and(|number| (1..=120).contains(&number))
        || is_age_code(reading.word(at));
    score.add_if(aged, Feature::AgeAfter);
    let state = word.classes.has(Class::State)
        || (word.classes.has(Class::StateCode) && word.token.shape == Shape::Upper);
    score.add_if(state, Feature::CityAndState);
}

/// Whether a word is an age with its sex or unit, such as `67m` or `97yo`.
pub(super) fn is_age_code(word: &str) -> bool {
    let n_digits = word.bytes().take_while(u8::is_ascii_digit).count();
    (1..=3).contains(&n_digits)
        && matches!(
            word.get(n_digits..),
            Some("m" | "f" | "yo" | "y" | "yom" | "yof" | "yr" | "mo" | "wk" | "yrs")
        )
}
