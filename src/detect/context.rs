//! How much a post speaks of a patient's care, as a signed score with reasons.
//!
//! Classes of words are counted over all texts of a post: care words, third persons and kin raise it; praise, events
//! and questions to everybody lower it, by weights that are data. The sum is added to the score of every candidate,
//! so the same name counts in one post and passes in another.

use crate::detect::Part;
use crate::detect::compose::{Feature, Grade, Model, Reading, Score, Seat};
use crate::detect::token::Shape;
use crate::rules::{Class, Classes};

/// How much a post speaks of a patient's care.
#[derive(Clone, Debug, Default)]
pub struct Care {
    /// The sum of its parts.
    pub score: f32,
    /// What the best candidates of each kind say together; negative infinity of none.
    pub candidates: f32,
    /// What the two must reach for the post to be about a patient.
    pub trigger: f32,
    /// Whether the post is about a patient, by its words or by its best candidate: what a clause with
    /// `context = "care"` asks.
    pub speaks_of_care: bool,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// Classes whose words speak of care; their share of all words is a feature of its own.
const CARE: Classes = Classes::of(&[
    Class::Patient,
    Class::Diagnosis,
    Class::Procedure,
    Class::Measure,
    Class::Status,
    Class::Death,
    Class::Body,
    Class::Ward,
    Class::IdWord,
    Class::Room,
]);

/// Weighs the words of a whole post.
pub(crate) fn weigh(readings: &[Reading<'_>], model: &Model, explain: bool) -> (f32, Vec<Part>) {
    let mut counts = [0_u16; 64];
    let (mut n_words, mut n_care, mut n_unlisted, mut n_lower) =
        (0_usize, 0_usize, 0_usize, 0_usize);
    for word in readings.iter().flat_map(|reading| &reading.words) {
        n_words += 1;
        if word.token.shape == Shape::Lower {
            n_lower += 1;
            n_unlisted += usize::from(word.entry.word == 0 && word.entry.classes.is_empty());
        }
        n_care += usize::from(word.classes.meets(CARE));
        if word.within_phrase {
            continue;
        }
        let mut bits = word.classes.bits();
        while bits != 0 {
            if let Some(count) = counts.get_mut(bits.trailing_zeros() as usize) {
                *count = count.saturating_add(1);
            }
            bits &= bits - 1;
        }
    }
    let mut score = model.score(explain);
    seat_counts(&counts, &mut score);
    score.grade(Grade::CareShare(step(n_care * 100 / n_words.max(1), &[1, 5, 10, 15, 20, 30, 45])));
    score.grade(Grade::Length(step(n_words, &[6, 12, 20, 30, 45, 70, 110])));
    score.add_if(n_lower >= 4 && n_unlisted * 5 > n_lower, Feature::Foreign);
    pairs(&counts, &mut score);
    let mut phrases = Phrases::default();
    for reading in readings {
        for (at, word) in reading.words.iter().enumerate().skip(1) {
            if word.token.starts_sentence {
                continue;
            }
            let before = reading.classes(at, -1);
            phrases.note(reading.word(at - 1), before, word.classes);
        }
    }
    phrases.add(&mut score);
    let mut disguises = readings.iter().flat_map(|reading| reading.text.view.disguises());
    score.add_if(disguises.any(|disguise| disguise.kind.is_evasion()), Feature::Evasion);
    let in_part = readings.iter().any(|reading| reading.text.view.is_hidden_in_part());
    score.add_if(in_part, Feature::HiddenInPart);
    (score.tied, score.parts)
}

/// Pairs of words that tell whose people a post speaks of.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature")]
struct Phrases {
    my_kin: bool,
    their_kin: bool,
    my_patient: bool,
    i_am_role: bool,
}

impl Phrases {
    fn note(&mut self, before: &str, of_before: Classes, classes: Classes) {
        if classes.has(Class::Kin) {
            self.my_kin |= matches!(before, "my" | "mi" | "minha" | "ma" | "mon");
            self.their_kin |=
                matches!(before, "his" | "her" | "their" | "the" | "su" | "la" | "el" | "s");
        }
        self.my_patient |= classes.has(Class::Patient) && of_before.has(Class::Possessive);
        self.i_am_role |= classes.has(Class::Role) && matches!(before, "a" | "an" | "as");
    }

    fn add(&self, score: &mut Score<'_>) {
        score.add_if(self.my_kin, Feature::MyKin);
        score.add_if(self.their_kin, Feature::TheirKin);
        score.add_if(self.my_patient, Feature::MyPatient);
        score.add_if(self.i_am_role, Feature::IAmRole);
    }
}

fn seat_counts(counts: &[u16; 64], score: &mut Score<'_>) {
    let reached = |least: u16| {
        let bits = counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count >= least)
            .fold(0, |bits, (at, _)| bits | 1 << at);
        Classes::from_bits(bits).and(Classes::of(&[Class::PhraseHead]).inverse())
    };
    score.seat(Seat::Has, reached(1));
    score.seat(Seat::Twice, reached(2));
    score.seat(Seat::Often, reached(4));
}

/// Classes that say more together than apart.
fn pairs(counts: &[u16; 64], score: &mut Score<'_>) {
    let has = |class: Class| counts.get(class as usize).is_some_and(|count| *count > 0);
    let clinical =
        has(Class::Diagnosis) || has(Class::Procedure) || has(Class::Status) || has(Class::Death);
    score.add_if(clinical && has(Class::Pron3), Feature::ClinicalThird);
    score.add_if(clinical && has(Class::Kin), Feature::ClinicalKin);
    score.add_if(has(Class::Patient) && has(Class::Possessive), Feature::PatientMine);
    score.add_if(has(Class::Praise) && has(Class::Role), Feature::PraiseRole);
    score.add_if(has(Class::Event) && has(Class::Month), Feature::EventMonth);
    score.add_if(!has(Class::Pron3) && !has(Class::Patient) && !has(Class::Kin), Feature::Nobody);
}

/// How many of these bounds a value reaches.
fn step(value: usize, bounds: &[usize]) -> u8 {
    u8::try_from(bounds.iter().filter(|bound| value >= **bound).count()).unwrap_or(u8::MAX)
}
