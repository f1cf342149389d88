//! How slowly a body may come on the whole. A clock for pauses alone lets a client hold a place for days with a
//! byte a minute.

use std::time::Duration;

use tokio::time::Instant;

/// A body's pace: some patience, and a second more for each so many bytes.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    patience: Duration,
    rate: u64,
    n_bytes: u64,
}

impl Pace {
    /// Begins now. `rate` is in bytes per second.
    pub(crate) fn new(patience: Duration, rate: u64) -> Self {
        Self { began: Instant::now(), patience, rate: rate.max(1), n_bytes: 0 }
    }

    /// Counts bytes that came, and says whether the body is still in time.
    pub(crate) fn keeps(&mut self, n: usize) -> bool {
        self.keeps_after(n, self.began.elapsed())
    }

    /// Whether it came `times` as fast as it must, after a while of grace.
    pub(crate) fn is_brisk(&self, grace: Duration, times: u64) -> bool {
        self.is_brisk_after(grace, times, self.began.elapsed())
    }

    /// Takes time out of the reckoning that was not the client's.
    pub(crate) fn forgive(&mut self, time: Duration) {
        self.began += time;
    }

    fn is_brisk_after(&self, grace: Duration, times: u64, elapsed: Duration) -> bool {
        let earned = Duration::from_secs(self.n_bytes / self.rate.saturating_mul(times));
        elapsed <= grace.saturating_add(earned)
    }

    fn keeps_after(&mut self, n: usize, elapsed: Duration) -> bool {
        self.n_bytes = self.n_bytes.saturating_add(n as u64);
        let earned = Duration::from_secs(self.n_bytes / self.rate);
        elapsed <= self.patience.saturating_add(earned)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn a_byte_now_and_then_is_too_slow() {
        let mut pace = Pace::new(Duration::from_secs(60), 512);
        assert!((1..=6).all(|n| pace.keeps_after(1, Duration::from_secs(10 * n))));
        assert!(!pace.keeps_after(1, Duration::from_secs(70)));
    }

    #[test]
    fn a_dribble_is_not_brisk() {
        let mut pace = Pace::new(Duration::from_secs(60), 512);
        let (grace, n) = (Duration::from_secs(2), 8);
        assert!(pace.is_brisk_after(grace, n, Duration::from_secs(2)));
        assert!(!pace.is_brisk_after(grace, n, Duration::from_secs(3)));
        assert!(pace.keeps_after(40_960, Duration::from_secs(11)));
        assert!(pace.is_brisk_after(grace, n, Duration::from_secs(11)));
        assert!(!pace.is_brisk_after(grace, n, Duration::from_secs(13)));
    }

    #[test]
    fn a_slow_line_is_not() {
        let mut pace = Pace::new(Duration::from_secs(60), 512);
        assert!((1..=10_000).all(|n| pace.keeps_after(600, Duration::from_secs(n))));
    }
}
