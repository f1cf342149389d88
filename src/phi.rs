//! Text that may hold PHI has its own type, so that no `Debug`, log or error can print it by accident.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Text a person wrote. It may hold PHI, so it prints only its length.
#[derive(Clone)]
pub struct PhiText(Held);

#[derive(Clone)]
enum Held {
    Owned(String),
    Shared(SharedText),
}

impl PhiText {
    /// Wraps a text.
    pub const fn new(text: String) -> Self {
        Self(Held::Owned(text))
    }

    /// Gives the text to the rooms that must read it: `detect`, `redact` and the writers of bodies.
    pub fn expose(&self) -> &str {
        match &self.0 {
            Held::Owned(text) => text,
            Held::Shared(text) => text,
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for PhiText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhiText({} bytes)", self.len())
    }
}

impl Default for PhiText {
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl PartialEq for PhiText {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for PhiText {}

impl From<String> for PhiText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<SharedText> for PhiText {
    fn from(text: SharedText) -> Self {
        Self(Held::Shared(text))
    }
}

/// A stretch of a text that others are stretches of, too: the strings of a body that stand in it as they are. It prints
/// only its length.
#[derive(Clone)]
pub struct SharedText {
    source: Arc<str>,
    start: u32,
    end: u32,
}

impl SharedText {
    /// Bytes `start..end` of a text; all of it, where it has no such stretch.
    pub fn new(source: Arc<str>, start: usize, end: usize) -> Self {
        let short = |offset| u32::try_from(offset).ok();
        let stretch = source.get(start..end).and_then(|_| short(start).zip(short(end)));
        let (start, end) = stretch.unwrap_or((0, u32::MAX));
        Self { source, start, end }
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        self.source.get(self.start as usize..self.end as usize).unwrap_or(&self.source)
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedText {}

impl From<Arc<str>> for SharedText {
    fn from(source: Arc<str>) -> Self {
        let end = source.len();
        Self::new(source, 0, end)
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        Self::from(Arc::<str>::from(text))
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self::from(Arc::<str>::from(text))
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedText({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{PhiText, SharedText};

    #[test]
    fn a_stretch_is_a_text_of_its_own() {
        let all: std::sync::Arc<str> = "for Zo\u{eb} Roe".into();
        let name = SharedText::new(std::sync::Arc::clone(&all), 4, 8);
        assert_eq!((&*name, PhiText::from(name.clone()).len()), ("Zo\u{eb}", 4));
        assert_eq!(format!("{name:?}"), "SharedText(4 bytes)");
        assert_eq!(name, SharedText::from("Zo\u{eb}"));
        // Cutting a character, or past the end.
        assert_eq!(&*SharedText::new(std::sync::Arc::clone(&all), 4, 7), &*all);
        assert_eq!(&*SharedText::new(std::sync::Arc::clone(&all), 4, 99), &*all);
    }

    #[test]
    fn debug_prints_the_length_only() {
        assert_eq!(format!("{:?}", PhiText::new("Jane Roe".into())), "PhiText(8 bytes)");
    }
}
