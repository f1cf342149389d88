//! Lets the strings of a JSON text stand in one copy of it, so that most cost no allocation of their own.
//!
//! Promise: what is copied is at most the text once and, for each stretch of it that holds a string, one window; a string
//! that is longer than the most that is shared is copied alone.

use std::sync::Arc;

use crate::phi::{PhiText, SharedText};

/// Bytes that are copied at once. A body of one post fits; of a long one, only what holds strings is copied.
const WINDOW: usize = 16 * 1024;
/// The longest string that is shared: one more copy of it costs more than its own allocation.
const MOST_SHARED: usize = 1024;

/// The strings of one JSON text, in order.
pub(super) struct Shares<'a> {
    source: &'a str,
    /// The copy of `source` from `start` on.
    window: Arc<str>,
    start: usize,
}

impl<'a> Shares<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, window: Arc::default(), start: 0 }
    }

    /// The string `raw`, which starts at `start`, without escapes.
    pub(super) fn text(&mut self, start: usize, raw: &str) -> PhiText {
        if raw.len() > MOST_SHARED {
            return PhiText::from(raw.to_owned());
        }
        PhiText::from(self.stretch(start, raw))
    }

    /// The same of a key, which the paths through it share however long it is.
    pub(super) fn stretch(&mut self, start: usize, raw: &str) -> SharedText {
        if raw.len() > MOST_SHARED {
            return SharedText::from(raw);
        }
        let fits = start >= self.start && start + raw.len() <= self.start + self.window.len();
        if !fits {
            let end = boundary(self.source, start.saturating_add(WINDOW));
            self.window = Arc::from(self.source.get(start..end).unwrap_or(raw));
            self.start = start;
        }
        let from = start - self.start;
        SharedText::new(Arc::clone(&self.window), from, from + raw.len())
    }
}

/// The end of the last character that ends at `at` or before.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{MOST_SHARED, Shares, WINDOW, boundary};

    #[test]
    fn strings_are_those_of_the_text_wherever_they_stand() {
        let source = "Zo\u{eb} ".repeat(3 * WINDOW / 5);
        let mut shares = Shares::new(&source);
        let mut at = 0;
        for length in [0, 1, 4, 40, 400, MOST_SHARED, MOST_SHARED + 1, 4000].into_iter().cycle() {
            let end = boundary(&source, at + length);
            let raw = source.get(at..end).unwrap();
            assert_eq!(shares.text(at, raw).expose(), raw);
            assert_eq!(&*shares.stretch(at, raw), raw);
            if end == source.len() {
                break;
            }
            at = boundary(&source, end + 2);
        }
    }
}
