//! How long things take, in buckets. One observation is three additions and no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::proxy::metrics::page::Samples;

/// Upper bounds of inspections, in microseconds: most take a few hundred, the longest as many seconds as `inspect` allows.
pub(super) static INSPECTION: [u64; 17] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// Upper bounds of platforms' first bytes, in microseconds: most take a tenth of a second, the longest `answer`.
pub(super) static FIRST_BYTE: [u64; 13] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    120_000_000,
];

/// Values in buckets.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Upper bounds in microseconds, each itself within its bucket.
    bounds: &'static [u64],
    /// One for each bound, and one for what is beyond the last.
    counts: Box<[AtomicU64]>,
    /// In nanoseconds: five hundred years of them fit.
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default).take(bounds.len() + 1).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        let place = self.bounds.partition_point(|bound| bound * 1000 < nanos);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(nanos, Relaxed);
    }

    pub(super) fn write(&self, labels: &[&str], samples: &mut Samples<'_>) {
        let mut n = 0;
        let bounds =
            self.bounds.iter().map(|bound| Some(Duration::from_micros(*bound).as_secs_f64()));
        let buckets = bounds.chain([None]).zip(&self.counts).map(|(bound, count)| {
            n += count.load(Relaxed);
            (bound, n)
        });
        let sum = Duration::from_nanos(self.sum.load(Relaxed)).as_secs_f64();
        samples.put_buckets(labels, buckets, sum);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FIRST_BYTE, Histogram, INSPECTION};
    use crate::proxy::metrics::page::{Family, Format, Page};

    static TOOK: Family = Family::histogram("postward_took_seconds", &["of"], "How long it took.");

    #[test]
    fn bounds_grow() {
        for bounds in [INSPECTION.as_slice(), &FIRST_BYTE] {
            assert!(bounds.is_sorted());
        }
    }

    #[test]
    fn a_value_lies_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(&[100, 1_000]);
        for (nanos, n) in [(0, 1), (100_000, 1), (100_001, 1), (1_000_000, 2), (5_000_000_000, 1)] {
            for _ in 0..n {
                histogram.observe(Duration::from_nanos(nanos));
            }
        }
        let mut page = Page::new(Format::Prometheus);
        histogram.write(&["a"], &mut page.family(&TOOK));
        let page = page.finish();
        let samples: Vec<&str> = page.lines().skip(2).collect();
        assert_eq!(
            samples,
            [
                r#"postward_took_seconds_bucket{of="a",le="0.0001"} 2"#,
                r#"postward_took_seconds_bucket{of="a",le="0.001"} 5"#,
                r#"postward_took_seconds_bucket{of="a",le="+Inf"} 6"#,
                r#"postward_took_seconds_sum{of="a"} 5.002200001"#,
                r#"postward_took_seconds_count{of="a"} 6"#,
            ]
        );
    }
}
