//! Numbers and times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `12,345`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12,345 posts`, `1 post`.
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// `3.4 %` of a whole; never `0.0 %` of what is there, nor `100.0 %` of what is not all.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let thousandths = u128::from(part) * 1000 / u128::from(whole);
    match thousandths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        1000 => "100 %".to_owned(),
        n => format!("{}.{} %", n / 10, n % 10),
    }
}

/// `3.2 ms`.
pub(super) fn micros(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

/// `2026-11-23 10:05`, UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The same of a time as an audit writes it.
pub(super) fn minute_of(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(|_| time.to_owned(), minute)
}

/// `2 d 3 h`, `3 h 5 min`, `5 min`, `20 s`.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The first letters of a hash: enough to tell sets apart by eye. The whole stands in the table of chains.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::{counted, micros, minute_of, number, share, short, span};

    #[test]
    fn numbers_read_as_people_write_them() {
        for (n, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), want);
        }
        assert_eq!(
            (counted(1, "post", "posts"), counted(0, "post", "posts")),
            ("1 post".into(), "0 posts".into())
        );
        for (part, whole, want) in [
            (0, 0, "–"),
            (0, 10, "0.0 %"),
            (1, 10_000, "< 0.1 %"),
            (9_999, 10_000, "99.9 %"),
            (7, 7, "100 %"),
            (u64::MAX, u64::MAX, "100 %"),
        ] {
            assert_eq!(share(part, whole), want);
        }
        for (n, want) in [(812, "812 µs"), (3_210, "3.2 ms"), (2_500_000, "2.5 s")] {
            assert_eq!(micros(n), want);
        }
    }

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(minute_of("2026-11-23T10:05:59.123Z"), "2026-11-23 10:05");
        assert_eq!(minute_of("nonsense"), "nonsense");
        let at = |text: &str| text.parse().unwrap();
        for (to, want) in [
            ("2026-11-23T10:00:20Z", "20 s"),
            ("2026-11-23T10:05:20Z", "5 min"),
            ("2026-11-23T13:05:00Z", "3 h 5 min"),
            ("2026-11-25T13:05:00Z", "2 d 3 h"),
            ("2026-11-20T13:05:00Z", "0 s"),
        ] {
            assert_eq!(span(at("2026-11-23T10:00:00Z"), at(to)), want);
        }
        assert_eq!((short("0123456789abcdef"), short("ab")), ("0123456789ab", "ab"));
    }
}
