//! Text that may hold PHI has its own type, so that no `Debug`, log or error can print it by accident.

use std::fmt;
use std::sync::Arc;

/// Text a person wrote. It may hold PHI, so it prints only its length.
#[derive(Clone)]
pub struct PhiText(Held);

#[derive(Clone)]
enum Held {
    Owned(String),
    /// A key of a body, which the paths through it share.
    Shared(Arc<str>),
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

impl From<Arc<str>> for PhiText {
    fn from(text: Arc<str>) -> Self {
        Self(Held::Shared(text))
    }
}

#[cfg(test)]
mod tests {
    use super::PhiText;

    #[test]
    fn debug_prints_the_length_only() {
        assert_eq!(format!("{:?}", PhiText::new("Jane Roe".into())), "PhiText(8 bytes)");
    }
}
