//! Which day it is, for exceptions that expire: a clock that is put back must not bring one back to life.

use std::time::Instant;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The day of the clock on the wall, or of the one that only goes on, whichever is later. A clock that leaps ahead and is
/// put right leaves no trace; one that was behind at the start is believed once it is right.
#[derive(Debug)]
pub(crate) struct Calendar {
    began: Timestamp,
    since: Instant,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { began: Timestamp::now(), since: Instant::now() }
    }
}

impl Calendar {
    /// Today, UTC.
    pub(crate) fn today(&self) -> Date {
        self.day_of(Timestamp::now(), SignedDuration::try_from(self.since.elapsed()))
    }

    fn day_of<E>(&self, wall: Timestamp, elapsed: Result<SignedDuration, E>) -> Date {
        let counted = elapsed.ok().and_then(|elapsed| self.began.checked_add(elapsed).ok());
        let now = counted.map_or(wall, |counted| counted.max(wall));
        now.to_zoned(TimeZone::UTC).date()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use jiff::civil::date;
    use jiff::{SignedDuration, Timestamp};

    use super::Calendar;

    #[test]
    fn no_day_comes_twice() {
        let noon = |day: &str| format!("{day}T12:00:00Z").parse::<Timestamp>().unwrap();
        let calendar = Calendar { began: noon("2026-11-23"), since: Instant::now() };
        for (wall, days, want) in [
            ("2026-11-23", 0, date(2026, 11, 23)),
            ("2026-11-25", 2, date(2026, 11, 25)),
            // Put back, by a little and by years.
            ("2026-11-24", 2, date(2026, 11, 25)),
            ("1970-01-01", 2, date(2026, 11, 25)),
            // Ahead: believed as long as the clock says so.
            ("2027-06-30", 2, date(2027, 6, 30)),
            ("2026-11-25", 2, date(2026, 11, 25)),
        ] {
            let elapsed = Ok::<_, ()>(SignedDuration::from_hours(24 * days));
            assert_eq!(calendar.day_of(noon(wall), elapsed), want, "{wall} after {days} days");
        }
    }
}
