//! Counters of a report: bounded, whatever an audit holds.

use std::collections::BTreeMap;

/// Most rows of one table; what comes later is counted as [`OTHERS`]. Words of an audit are of closed vocabularies, so only
/// a forged one comes near.
const MOST: usize = 500;

/// The row of all that found the table full.
pub(super) const OTHERS: &str = "(others)";

/// Posts by what was decided.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Verdicts {
    /// Sent on as they were.
    pub forward: u64,
    /// Sent on with words replaced.
    pub redact: u64,
    /// Not sent on.
    pub block: u64,
}

impl Verdicts {
    /// Counts one; a verdict that is none of ours is not counted.
    pub(super) fn count(&mut self, verdict: &str) {
        match verdict {
            "forward" => self.forward += 1,
            "redact" => self.redact += 1,
            "block" => self.block += 1,
            _ => {}
        }
    }

    /// All of them.
    pub const fn all(&self) -> u64 {
        self.forward + self.redact + self.block
    }
}

/// Rows by name.
#[derive(Clone, Debug)]
pub struct Tally<T>(BTreeMap<String, T>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Default> Tally<T> {
    /// The row of this name.
    pub(super) fn row(&mut self, name: &str) -> &mut T {
        let name = if self.0.len() < MOST || self.0.contains_key(name) { name } else { OTHERS };
        self.0.entry(name.to_owned()).or_default()
    }
}

impl<T> Tally<T> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rows by name.
    pub fn by_name(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, row)| (name.as_str(), row))
    }

    /// Rows, the largest first.
    pub fn largest_first(&self, size: impl Fn(&T) -> u64) -> Vec<(&str, &T)> {
        let mut rows: Vec<_> = self.by_name().collect();
        // Of the same size, by name: the sort is stable.
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(size(row)));
        rows
    }
}

/// How long deciding took, without keeping each figure: steps of a tenth.
#[derive(Clone, Debug)]
pub struct Times {
    steps: [u64; Self::STEPS],
    n: u64,
    longest: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self { steps: [0; Self::STEPS], n: 0, longest: 0 }
    }
}

impl Times {
    /// Eight for each doubling, up to what 64 bits hold.
    const STEPS: usize = 8 * 64;

    pub(super) fn count(&mut self, micros: u64) {
        self.n += 1;
        self.longest = self.longest.max(micros);
        if let Some(step) = self.steps.get_mut(Self::step(micros)) {
            *step += 1;
        }
    }

    fn step(micros: u64) -> usize {
        let micros = micros.max(1);
        let doubling = micros.ilog2();
        // Three bits behind the first.
        let rest = if doubling >= 3 { micros >> (doubling - 3) } else { micros << (3 - doubling) };
        doubling as usize * 8 + usize::try_from(rest & 7).unwrap_or(0)
    }

    /// The time in microseconds that this share of posts stayed below, at most an eighth too long.
    pub fn below(&self, share: f64) -> Option<u64> {
        if self.n == 0 {
            return None;
        }
        let mut left = share_of(self.n, share);
        for (step, n) in self.steps.iter().enumerate() {
            if left <= *n {
                let doubling = u32::try_from(step / 8).unwrap_or(0);
                // The end of the last step of all has one bit more than there are.
                let end = ((step % 8 + 9) as u128) << doubling >> 3;
                let end = u64::try_from(end).unwrap_or(u64::MAX);
                return Some(end.min(self.longest));
            }
            left -= n;
        }
        Some(self.longest)
    }

    /// The longest.
    pub const fn longest(&self) -> u64 {
        self.longest
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count of posts"
)]
fn share_of(n: u64, share: f64) -> u64 {
    ((n as f64 * share).ceil() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::{MOST, OTHERS, Tally, Times};

    #[test]
    fn a_table_has_an_end() {
        let mut tally: Tally<u64> = Tally::default();
        for n in 0..2 * MOST {
            *tally.row(&format!("{n}")) += 1;
        }
        assert_eq!(tally.by_name().count(), MOST + 1);
        assert_eq!(tally.largest_first(|n| *n)[0], (OTHERS, &(MOST as u64)));
    }

    #[test]
    fn times_are_right_to_an_eighth() {
        let mut times = Times::default();
        assert_eq!(times.below(0.5), None);
        for micros in 1..=1000 {
            times.count(micros);
        }
        let half = times.below(0.5).unwrap();
        assert!((500..=563).contains(&half), "{half}");
        let most = times.below(0.99).unwrap();
        assert!((990..=1000).contains(&most), "{most}");
        times.count(u64::MAX);
        times.count(0);
        assert_eq!((times.below(1.0), times.longest()), (Some(u64::MAX), u64::MAX));
    }
}
