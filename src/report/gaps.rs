//! When nothing was written: the proxy did not run, nobody posted, or the posts went another way.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::audit::Entry;

/// Most machines that are followed, and most silences that are listed of all.
const MOST: usize = 500;

/// A time without a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Silence {
    /// The machine.
    pub node: String,
    /// The last line before it, or the beginning of the period.
    pub from: Timestamp,
    /// The first line after it, or the end of the period.
    pub to: Timestamp,
    /// What is known of it.
    pub known: Known,
}

/// What is known of a silence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Neither an end nor a start is on record: it ran all the while, and had nothing to write.
    Nothing,
    /// It ended as it was told to, and was started again.
    Stopped,
    /// It was started again, and its end is not on record: it was killed, or the machine failed.
    Died,
    /// It ended as it was told to, and was not started again.
    Ended,
}

/// Follows each machine.
#[derive(Debug)]
pub(super) struct Gaps {
    from: Timestamp,
    to: Timestamp,
    least: jiff::SignedDuration,
    nodes: BTreeMap<String, (Timestamp, bool)>,
    found: Vec<Silence>,
}

impl Gaps {
    /// Silences of at least so many hours, from the beginning of one day to the end of another (UTC).
    pub(super) fn new(from: Date, to: Date, hours: u32) -> Self {
        let after = to.checked_add(1.day()).unwrap_or(to);
        Self {
            from: midnight(from),
            to: midnight(after),
            least: jiff::SignedDuration::from_hours(i64::from(hours)),
            nodes: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    /// A line within the period.
    pub(super) fn line(&mut self, entry: &Entry) {
        let Ok(at) = entry.time.parse::<Timestamp>() else { return };
        let stops = entry.event == "stop";
        if let Some((last, stopped)) = self.nodes.get_mut(&entry.node) {
            let (before, after_stop) = (*last, *stopped);
            (*last, *stopped) = (at.max(before), stops);
            let known = match (entry.event.as_str(), after_stop) {
                ("start", true) => Known::Stopped,
                ("start", false) => Known::Died,
                (_, _) => Known::Nothing,
            };
            self.silent(&entry.node, before, at, known);
        } else if self.nodes.len() < MOST {
            self.nodes.insert(entry.node.clone(), (at, stops));
            let from = self.from;
            self.silent(&entry.node, from, at, Known::Nothing);
        }
    }

    fn silent(&mut self, node: &str, from: Timestamp, to: Timestamp, known: Known) {
        // A restart is worth a row however short it was.
        let is_long = to.duration_since(from) >= self.least;
        if (is_long || known != Known::Nothing) && self.found.len() < MOST {
            self.found.push(Silence { node: node.to_owned(), from, to, known });
        }
    }

    /// All of them, up to now at most.
    pub(super) fn finish(mut self, now: Timestamp) -> Vec<Silence> {
        let end = self.to.min(now);
        for (node, (last, stopped)) in std::mem::take(&mut self.nodes) {
            let known = if stopped { Known::Ended } else { Known::Nothing };
            self.silent(&node, last, end.max(last), known);
        }
        self.found.sort_by_key(|silence| silence.from);
        self.found
    }
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}
