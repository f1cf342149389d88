//! Positions in a text by each platform's own count, and where they go when the text is spliced.
//!
//! Everything is measured in one walk over the text, so that a hundred thousand ranges cost no more than their number.

use crate::redact::Splice;

/// What positions count. A closed list that the platform files name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::platform) enum Count {
    /// Bytes of UTF-8.
    Bytes,
    /// Code units of UTF-16, as JavaScript's indexes.
    Utf16,
    /// Unicode code points.
    CodePoints,
}

impl Count {
    pub(in crate::platform) const NAMES: &[(&str, Self)] =
        &[("bytes", Self::Bytes), ("utf16", Self::Utf16), ("code-points", Self::CodePoints)];

    fn of_char(self, c: char) -> usize {
        match self {
            Self::Bytes => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::CodePoints => 1,
        }
    }

    fn of_text(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Utf16 | Self::CodePoints => text.chars().map(|c| self.of_char(c)).sum(),
        }
    }
}

/// What becomes of one range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It now covers this.
    At(usize, usize),
    /// A splice takes a part of it, or adds something in its midst.
    Cut,
    /// It lies nowhere in the text: past its end, within a character, empty or upside down.
    Nowhere,
}

/// One text with its splices, measured by one count.
#[derive(Debug)]
pub(super) struct Ruler {
    /// Start and end of each splice.
    spans: Vec<(usize, usize)>,
    /// What so many of the first splices add and take.
    totals: Vec<(usize, usize)>,
    length: usize,
    /// Positions within a character, sorted.
    within: Vec<usize>,
}

impl Ruler {
    /// `None` where the splices are not sorted, disjoint and on character boundaries.
    pub(super) fn new(count: Count, text: &str, splices: &[Splice]) -> Option<Self> {
        let mut ruler =
            Self { spans: Vec::new(), totals: vec![(0, 0)], length: 0, within: Vec::new() };
        let (mut at, mut added, mut taken) = (0, 0, 0);
        for splice in splices {
            let before = text.get(at..splice.span.start())?;
            let gone = text.get(splice.span.start()..splice.span.end())?;
            ruler.walk(count, before);
            let start = ruler.length;
            ruler.walk(count, gone);
            ruler.spans.push((start, ruler.length));
            added += count.of_text(&splice.with);
            taken += ruler.length - start;
            ruler.totals.push((added, taken));
            at = splice.span.end();
        }
        ruler.walk(count, text.get(at..)?);
        Some(ruler)
    }

    fn walk(&mut self, count: Count, text: &str) {
        if text.is_ascii() {
            self.length += text.len();
            return;
        }
        for c in text.chars() {
            let next = self.length + count.of_char(c);
            self.within.extend(self.length + 1..next);
            self.length = next;
        }
    }

    /// Whether a range ends before anything changes.
    pub(super) fn leaves(&self, start: usize, end: usize) -> bool {
        start <= end && self.spans.first().is_none_or(|&(first, _)| end <= first)
    }

    /// Where a range goes.
    pub(super) fn follow(&self, start: usize, end: usize) -> Fate {
        let is_place = |at: usize| at <= self.length && self.within.binary_search(&at).is_err();
        if start >= end || !is_place(start) || !is_place(end) {
            return Fate::Nowhere;
        }
        let first = self.spans.partition_point(|&(_, gone)| gone <= start);
        if self.spans.get(first).is_some_and(|&(gone, _)| gone < end) {
            return Fate::Cut;
        }
        match (self.place(start, true), self.place(end, false)) {
            (Some(start), Some(end)) => Fate::At(start, end),
            _ => Fate::Cut,
        }
    }

    /// The new place of an offset that no splice covers. A word that begins where something is inserted moves behind it;
    /// one that ends there stays.
    fn place(&self, offset: usize, is_start: bool) -> Option<usize> {
        let n_before = self.spans.partition_point(|&(start, end)| {
            end < offset || (end == offset && (is_start || start < end))
        });
        let &(added, taken) = self.totals.get(n_before)?;
        (offset + added).checked_sub(taken)
    }
}
