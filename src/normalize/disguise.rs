//! What was disguised and how: evasion is evidence by itself.

use crate::span::Span;

/// A stretch of a folded text that was not written plainly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disguise {
    /// In the folded text.
    pub span: Span,
    /// How it was written.
    pub kind: Kind,
}

/// How many bytes of a folded text are disguised.
pub(super) fn n_hidden(disguises: &[Disguise]) -> usize {
    disguises.iter().map(|disguise| disguise.span.len()).sum()
}

/// How something was hidden.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Characters that show nothing between letters: joiners, soft hyphens, control sequences.
    Invisible,
    /// Letters struck through or under a heap of marks.
    Marked,
    /// Letters of another style: full-width, bold, circled, small capitals, regional indicators.
    Dressed,
    /// Letters of another script that look the same.
    Twins,
    /// Entities, percent-encoding, escapes.
    Escaped,
    /// Upside down.
    Flipped,
    /// Letters or digits set apart.
    Spaced,
    /// A word broken by a sign.
    Broken,
    /// Digits in words, letters by the spelling alphabet.
    Spelled,
    /// Digits for letters, letters for digits.
    Leet,
    /// Letters masked by stars.
    Masked,
    /// Written backwards, or with its letters moved.
    Turned,
    /// In a code that no reader reads by eye: base64, hexadecimal, Morse.
    Coded,
}

impl Kind {
    /// Whether it is hardly ever done but to hide something. Fonts and accents are for show, entities an accident.
    pub const fn is_evasion(self) -> bool {
        !matches!(
            self,
            Self::Dressed | Self::Marked | Self::Escaped | Self::Invisible | Self::Spelled
        )
    }
}
