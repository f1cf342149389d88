//! What the candidates of a post say together of whether it is about a patient.
//!
//! A name, a place and a date that are each a little likely to be a patient's are so together: the best candidate of
//! each kind counts, softly added up. Only the best: many weak ones are a list, a paper or a timetable.

use crate::detect::compose::Composer;

/// How softly: at 0 only the best of all would count.
const SOFTNESS: f32 = 0.7;

/// A kind of candidate, weighed by a model of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Name,
    Date,
    Place,
    Age,
    Hit,
}

impl Kind {
    pub(super) const fn of(composer: Composer) -> Self {
        match composer {
            Composer::DateCalendar
            | Composer::DatePartial
            | Composer::DateWeekday
            | Composer::DateHoliday => Self::Date,
            Composer::AgeOver89 => Self::Age,
            _ if composer.is_place() => Self::Place,
            _ => Self::Name,
        }
    }
}

/// The best score of each kind so far.
#[derive(Debug)]
pub(super) struct Evidence([f32; 5]);

impl Default for Evidence {
    fn default() -> Self {
        Self([f32::NEG_INFINITY; 5])
    }
}

impl Evidence {
    /// Takes a candidate in.
    pub(super) fn note(&mut self, kind: Kind, score: f32) {
        if let Some(best) = self.0.get_mut(kind as usize) {
            *best = best.max(score);
        }
    }

    /// What they say together: at least the best, negative infinity of nothing.
    pub(super) fn together(&self) -> f32 {
        let best = self.0.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if best == f32::NEG_INFINITY {
            return best;
        }
        let sum: f32 = self.0.iter().map(|score| ((score - best) / SOFTNESS).exp()).sum();
        SOFTNESS.mul_add(sum.ln(), best)
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Kind};

    #[test]
    fn two_kinds_say_more_than_one_and_two_of_a_kind_do_not() {
        let of = |scores: &[(Kind, f32)]| {
            let mut evidence = Evidence::default();
            for (kind, score) in scores {
                evidence.note(*kind, *score);
            }
            evidence.together()
        };
        assert!(of(&[]).is_infinite());
        let one = of(&[(Kind::Name, 1.0)]);
        assert!((one - 1.0).abs() < 1e-6);
        assert!((of(&[(Kind::Name, 1.0), (Kind::Name, 0.9)]) - one).abs() < 1e-6);
        assert!(of(&[(Kind::Name, 1.0), (Kind::Date, 0.9)]) > one + 0.3);
        assert!(of(&[(Kind::Name, 1.0), (Kind::Date, -4.0)]) < one + 0.01);
    }
}
