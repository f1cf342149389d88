//! How long the file grows before it is rotated, and how long its segments are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// When the file is rotated, and what becomes of its segments. Each is documented in `config/postward.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keep {
    /// After which span of the calendar (UTC) a new file is begun.
    pub rotate: Period,
    /// The length in bytes at which one is begun at any rate.
    pub size: u64,
    /// How many months a segment is kept after its last event.
    pub months: u32,
    /// Whether segments are compressed (gzip).
    pub compress: bool,
    /// Whether the file is nothing but the spool of other sinks: segments go as soon as all have them.
    pub only_spool: bool,
}

impl Keep {
    /// 45 CFR 164.316(b)(2)(i): documentation is retained for six years.
    pub const HIPAA_MONTHS: u32 = 72;

    /// Whether what was last written on `last` may go on `today`.
    pub(super) fn is_over(&self, last: Date, today: Date) -> bool {
        // A span that no calendar has is never over.
        i32::try_from(self.months)
            .ok()
            .and_then(|months| last.checked_add(months.months()).ok())
            .is_some_and(|end| end < today)
    }
}

/// How far the clock may stand from the newest line that was written before, in days, for a file to be removed by it.
const CREDIBLE: i32 = 60;

/// Whether a clock that says `today` is believed, where the newest line before was written on `newest`.
pub(super) fn is_credible(newest: Option<Date>, today: Date) -> bool {
    newest
        .and_then(|newest| newest.until(today).ok())
        .is_some_and(|span| span.get_days().abs() <= CREDIBLE)
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            rotate: Period::Month,
            size: 256 << 20,
            months: Self::HIPAA_MONTHS,
            compress: true,
            only_spool: false,
        }
    }
}

/// A span of the calendar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Period {
    /// A day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// No span: the length alone decides.
    Never,
}

impl Period {
    /// Whether two days lie in different spans.
    pub(super) fn parts(self, one: Date, other: Date) -> bool {
        match self {
            Self::Day => one != other,
            Self::Week => monday(one) != monday(other),
            Self::Month => (one.year(), one.month()) != (other.year(), other.month()),
            Self::Never => false,
        }
    }
}

fn monday(day: Date) -> Date {
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(since.days()).unwrap_or(day)
}

/// The day it is, UTC.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Up to which line every other sink has all. No segment with a later one is deleted, or compressed under a reader's hands.
#[derive(Clone, Debug)]
pub struct Held(Arc<AtomicU64>);

impl Held {
    /// With no other sink, nobody waits for a line.
    pub fn everything() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// Says that all sinks have the lines up to this number.
    pub fn set(&self, seq: u64) {
        self.0.store(seq, Relaxed);
    }

    /// Up to which number they do.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::everything()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Keep, Period, is_credible};

    #[test]
    fn periods_part_days_as_the_calendar_does() {
        let (sunday, monday) = (date(2026, 11, 22), date(2026, 11, 23));
        for (one, other, want) in [
            (monday, monday, [false, false, false, false]),
            (sunday, monday, [true, true, false, false]),
            (monday, date(2026, 11, 29), [true, false, false, false]),
            (date(2026, 11, 30), date(2026, 12, 1), [true, false, true, false]),
            (date(2025, 11, 23), monday, [true, true, true, false]),
        ] {
            let parts = [Period::Day, Period::Week, Period::Month, Period::Never]
                .map(|period| period.parts(one, other));
            assert_eq!(parts, want, "{one} {other}");
        }
    }

    #[test]
    fn a_clock_far_from_the_newest_line_is_not_believed() {
        let newest = Some(date(2026, 11, 23));
        for (today, want) in [
            (date(2026, 11, 23), true),
            (date(2027, 1, 22), true),
            (date(2027, 1, 23), false),
            (date(2026, 9, 24), true),
            (date(2016, 1, 1), false),
            (date(2040, 1, 1), false),
        ] {
            assert_eq!(is_credible(newest, today), want, "{today}");
        }
        assert!(!is_credible(None, date(2026, 11, 23)));
    }

    #[test]
    fn six_years_are_over_on_the_day_after_them() {
        let keep = Keep::default();
        for (last, today, want) in [
            (date(2026, 11, 23), date(2032, 11, 23), false),
            (date(2026, 11, 23), date(2032, 11, 24), true),
            (date(2024, 2, 29), date(2030, 2, 28), false),
            (date(2024, 2, 29), date(2030, 3, 1), true),
        ] {
            assert_eq!(keep.is_over(last, today), want, "{last} {today}");
        }
        let for_ever = Keep { months: u32::MAX, ..keep };
        assert!(!for_ever.is_over(date(2026, 11, 23), date(9999, 1, 1)));
    }
}
