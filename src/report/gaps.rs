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
}

/// Follows each machine.
#[derive(Debug)]
pub(super) struct Gaps {
    from: Timestamp,
    to: Timestamp,
    least: jiff::SignedDuration,
    nodes: BTreeMap<String, Timestamp>,
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
        if let Some(last) = self.nodes.get_mut(&entry.node) {
            let before = *last;
            *last = at.max(before);
            self.silent(&entry.node, before, at);
        } else if self.nodes.len() < MOST {
            self.nodes.insert(entry.node.clone(), at);
            let from = self.from;
            self.silent(&entry.node, from, at);
        }
    }

    fn silent(&mut self, node: &str, from: Timestamp, to: Timestamp) {
        let is_long = to.duration_since(from) >= self.least;
        if is_long && self.found.len() < MOST {
            self.found.push(Silence { node: node.to_owned(), from, to });
        }
    }

    /// All of them, up to now at most.
    pub(super) fn finish(mut self, now: Timestamp) -> Vec<Silence> {
        let end = self.to.min(now);
        for (node, last) in std::mem::take(&mut self.nodes) {
            self.silent(&node, last, end.max(last));
        }
        self.found.sort_by_key(|silence| silence.from);
        self.found
    }
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}
