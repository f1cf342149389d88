//! What single words say: those anywhere in a post, and those right beside a candidate.
//!
//! Classes of words carry most of what is known of a language; single words that many people use carry the rest, and
//! their weights are only as good as the posts they were fitted on are many. Names never have weights: a word inside a
//! candidate counts as `<name>`, whatever it is.

use crate::detect::Part;
use crate::detect::compose::Proposal;
use crate::detect::compose::model::Model;
use crate::detect::compose::words::Reading;
use crate::detect::token::Shape;
use crate::rules::Words;

// The order of `Words::STAND_INS`.
const NUMBER: u16 = 1;
const NAME: u16 = 2;
const OTHER: u16 = 3;
const START: u16 = 4;
const END: u16 = 5;

/// Where the words beside a candidate stand, in the order of their weights.
const SEATS: [&str; 4] = ["before2=", "before=", "after=", "after2="];

/// The words of one text by their numbers.
#[derive(Debug)]
pub(super) struct Wording(Vec<u16>);

impl Wording {
    /// Numbers the words of a text, given what was proposed in it.
    pub(super) fn of(reading: &Reading<'_>, proposals: &[Proposal]) -> Self {
        let number = |word: &super::words::Word| match word.token.shape {
            Shape::Digits => NUMBER,
            _ if word.entry.number == 0 => OTHER,
            _ => word.entry.number,
        };
        let mut numbers: Vec<u16> = reading.words.iter().map(number).collect();
        for proposal in proposals {
            if (proposal.composer.is_name() || proposal.composer.is_place())
                && let Some(words) = numbers.get_mut(proposal.words.0..=proposal.words.1)
            {
                words.iter_mut().filter(|number| **number != NUMBER).for_each(|word| *word = NAME);
            }
        }
        Self(numbers)
    }

    /// The four words beside a candidate.
    fn beside(&self, first: usize, last: usize) -> [(Option<usize>, u16); 4] {
        let before = |n: usize| {
            let at = first.checked_sub(n);
            (at, at.and_then(|at| self.0.get(at)).copied().unwrap_or(START))
        };
        let after = |n: usize| (Some(last + n), self.0.get(last + n).copied().unwrap_or(END));
        [before(2), before(1), after(1), after(2)]
    }

    /// Adds what the words beside a candidate are worth.
    pub(super) fn add(
        &self,
        reading: &Reading<'_>,
        model: &Model,
        words: (usize, usize),
        [tied, like]: [&mut f32; 2],
        parts: Option<&mut Vec<Part>>,
    ) {
        let beside = self.beside(words.0, words.1);
        for (seat, (_, number)) in beside.into_iter().enumerate() {
            let points = model.beside(number, seat);
            *tied += points[0];
            *like += points[1];
        }
        let Some(parts) = parts else { return };
        for (seat, ((at, number), place)) in beside.into_iter().zip(SEATS).enumerate() {
            let [points, _] = model.beside(number, seat);
            let word = spoken(reading, at, number);
            parts.push(Part { feature: format!("{place}{word}").into(), points });
        }
    }
}

/// What a word is called in an explanation; one without weights too, since that is what weights are fitted on.
fn spoken(reading: &Reading<'_>, at: Option<usize>, number: u16) -> String {
    let stand_in = Words::STAND_INS.get(usize::from(number)).filter(|_| number != OTHER);
    stand_in.map_or_else(
        || at.map(|at| reading.word(at)).unwrap_or_default().replace('\'', ""),
        |stand_in| (*stand_in).to_owned(),
    )
}

/// What the words of a whole post are worth, each once.
pub(super) fn of_post(
    readings: &[Reading<'_>],
    wordings: &[Wording],
    points: &[f32],
    mut parts: Option<&mut Vec<Part>>,
) -> f32 {
    let mut seen = vec![0_u64; points.len() / 64 + 1];
    let mut unlisted = std::collections::BTreeSet::new();
    let mut score = 0.0;
    for (reading, wording) in readings.iter().zip(wordings) {
        for (at, &number) in wording.0.iter().enumerate() {
            if number < OTHER {
                continue;
            }
            if number == OTHER {
                if let Some(parts) = &mut parts {
                    let feature = format!("has={}", spoken(reading, Some(at), number));
                    if unlisted.insert(feature.clone()) {
                        parts.push(Part { feature: feature.into(), points: 0.0 });
                    }
                }
                continue;
            }
            let Some(seen) = seen.get_mut(usize::from(number) / 64) else { continue };
            let bit = 1 << (number % 64);
            if *seen & bit != 0 {
                continue;
            }
            *seen |= bit;
            let points = points.get(usize::from(number)).copied().unwrap_or_default();
            score += points;
            if let Some(parts) = &mut parts {
                let feature = format!("has={}", spoken(reading, Some(at), number));
                parts.push(Part { feature: feature.into(), points });
            }
        }
    }
    score
}
