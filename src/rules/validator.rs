//! The closed list of checks a rule may name. What each does is written in `detect`, one file a check.

use std::fmt;

/// A check of a number: its range, its layout or its check digit.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each is documented where it is written, in `detect::validate`")]
pub enum Validator {
    SsnArea,
    Luhn,
    Npi,
    Dea,
    Mbi,
    Vin,
    Nanp,
    Ip,
    Imei,
    Aba,
    Iban,
}

impl Validator {
    /// Every check.
    pub const ALL: [Self; 11] = [
        Self::SsnArea,
        Self::Luhn,
        Self::Npi,
        Self::Dea,
        Self::Mbi,
        Self::Vin,
        Self::Nanp,
        Self::Ip,
        Self::Imei,
        Self::Aba,
        Self::Iban,
    ];

    /// The word of rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SsnArea => "ssn-area",
            Self::Luhn => "luhn",
            Self::Npi => "npi",
            Self::Dea => "dea",
            Self::Mbi => "mbi",
            Self::Vin => "vin",
            Self::Nanp => "nanp",
            Self::Ip => "ip",
            Self::Imei => "imei",
            Self::Aba => "aba",
            Self::Iban => "iban",
        }
    }

    /// The check of a rule file's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|validator| validator.as_str() == word)
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
