//! Log lines that a client can provoke are written seldom: whatever is sent to us, the log grows at our pace.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long the log is silent after one line.
const SILENCE: Duration = Duration::from_secs(10);

/// Lets one line through in a while, and counts the others.
#[derive(Debug)]
pub(crate) struct Seldom {
    began: Instant,
    /// Milliseconds after `began` from which the next line may pass.
    next: AtomicU64,
    n_suppressed: AtomicU64,
}

impl Default for Seldom {
    fn default() -> Self {
        Self { began: Instant::now(), next: AtomicU64::new(0), n_suppressed: AtomicU64::new(0) }
    }
}

impl Seldom {
    /// Whether a line may be written now; gives the number of lines that were not since the last.
    pub(crate) fn pass(&self) -> Option<u64> {
        let now = millis(self.began.elapsed());
        let next = self.next.load(Relaxed);
        let passes = now >= next
            && self.next.compare_exchange(next, now + millis(SILENCE), Relaxed, Relaxed).is_ok();
        if passes {
            return Some(self.n_suppressed.swap(0, Relaxed));
        }
        self.n_suppressed.fetch_add(1, Relaxed);
        None
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Seldom;

    #[test]
    fn one_line_passes_and_the_rest_are_counted() {
        let seldom = Seldom::default();
        assert_eq!(seldom.pass(), Some(0));
        assert_eq!((0..9).filter_map(|_| seldom.pass()).count(), 0);
        seldom.next.store(0, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(seldom.pass(), Some(9));
    }
}
