//! The time of an event: UTC, RFC 3339 with milliseconds, and never running backwards by a clock's small step.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A step back of at most this much is smoothed: lines then sort by time. A larger one is a clock put right, and is
/// written as it is.
const SMOOTHED: Duration = Duration::from_secs(5);

/// Tells the time, and remembers how it wrote the second it is in.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Duration,
    second: u64,
    written: String,
}

impl Clock {
    /// Appends the time now.
    pub(super) fn write(&mut self, line: &mut Vec<u8>) {
        self.write_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), line);
    }

    fn write_at(&mut self, now: Duration, line: &mut Vec<u8>) {
        let is_small_step_back = self.last.checked_sub(now).is_some_and(|back| back <= SMOOTHED);
        let now = if is_small_step_back { self.last } else { now };
        self.last = now;
        if self.written.is_empty() || self.second != now.as_secs() {
            self.second = now.as_secs();
            self.written = i64::try_from(now.as_secs())
                .ok()
                .and_then(|second| Timestamp::from_second(second).ok())
                .unwrap_or_default()
                .to_zoned(TimeZone::UTC)
                .strftime("%Y-%m-%dT%H:%M:%S")
                .to_string();
        }
        line.extend_from_slice(self.written.as_bytes());
        let millis = now.subsec_millis();
        for digit in [millis / 100, millis / 10 % 10, millis % 10].into_iter().enumerate() {
            if digit.0 == 0 {
                line.push(b'.');
            }
            line.push(b'0' + u8::try_from(digit.1).unwrap_or(0));
        }
        line.push(b'Z');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Clock;

    #[test]
    fn times_are_rfc_3339_and_small_steps_back_are_smoothed() {
        let mut clock = Clock::default();
        for (millis, want) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_362_872_007, "2026-11-22T15:54:32.007Z"),
            (1_795_362_872_120, "2026-11-22T15:54:32.120Z"),
            (1_795_362_870_000, "2026-11-22T15:54:32.120Z"),
            (1_795_362_000_000, "2026-11-22T15:40:00.000Z"),
            (u64::MAX, "1970-01-01T00:00:00.615Z"),
        ] {
            let mut line = Vec::new();
            clock.write_at(Duration::from_millis(millis), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), want, "{millis}");
        }
    }
}
