//! Text that may hold PHI has its own type, so that no `Debug`, log or error can print it by accident.

use std::fmt;

/// Text a person wrote. It may hold PHI, so it prints only its length.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct PhiText(String);

impl PhiText {
    /// Wraps a text.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Gives the text to the rooms that must read it: `detect`, `redact` and the writers of bodies.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for PhiText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhiText({} bytes)", self.0.len())
    }
}

impl From<String> for PhiText {
    fn from(text: String) -> Self {
        Self(text)
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
