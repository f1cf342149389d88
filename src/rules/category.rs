//! The 18 identifiers of HIPAA Safe Harbor.

use std::fmt;

use serde::Deserialize;

/// One of the identifiers of 45 CFR 164.514(b)(2)(i).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented by its letter and phrase below")]
pub enum Category {
    Name,
    Date,
    Age,
    Location,
    Zip,
    Phone,
    Fax,
    Email,
    Ssn,
    Mrn,
    HealthPlan,
    Account,
    License,
    Vehicle,
    Device,
    Url,
    Ip,
    Biometric,
    Photo,
    OtherId,
}

impl Category {
    /// Every category, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::Name,
        Self::Date,
        Self::Age,
        Self::Location,
        Self::Zip,
        Self::Phone,
        Self::Fax,
        Self::Email,
        Self::Ssn,
        Self::Mrn,
        Self::HealthPlan,
        Self::Account,
        Self::License,
        Self::Vehicle,
        Self::Device,
        Self::Url,
        Self::Ip,
        Self::Biometric,
        Self::Photo,
        Self::OtherId,
    ];

    /// The word of rule files, policies and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Date => "date",
            Self::Age => "age",
            Self::Location => "location",
            Self::Zip => "zip",
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Email => "email",
            Self::Ssn => "ssn",
            Self::Mrn => "mrn",
            Self::HealthPlan => "health-plan",
            Self::Account => "account",
            Self::License => "license",
            Self::Vehicle => "vehicle",
            Self::Device => "device",
            Self::Url => "url",
            Self::Ip => "ip",
            Self::Biometric => "biometric",
            Self::Photo => "photo",
            Self::OtherId => "other-id",
        }
    }

    /// The letter of 45 CFR 164.514(b)(2)(i) that names it.
    pub const fn letter(self) -> char {
        match self {
            Self::Name => 'A',
            Self::Location | Self::Zip => 'B',
            Self::Date | Self::Age => 'C',
            Self::Phone => 'D',
            Self::Fax => 'E',
            Self::Email => 'F',
            Self::Ssn => 'G',
            Self::Mrn => 'H',
            Self::HealthPlan => 'I',
            Self::Account => 'J',
            Self::License => 'K',
            Self::Vehicle => 'L',
            Self::Device => 'M',
            Self::Url => 'N',
            Self::Ip => 'O',
            Self::Biometric => 'P',
            Self::Photo => 'Q',
            Self::OtherId => 'R',
        }
    }

    /// What a clinician is told a post seems to contain: ASCII, with its article.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Name => "a name",
            Self::Date => "a date",
            Self::Age => "an age over 89",
            Self::Location => "a place",
            Self::Zip => "a ZIP code",
            Self::Phone => "a phone number",
            Self::Fax => "a fax number",
            Self::Email => "an e-mail address",
            Self::Ssn => "a social security number",
            Self::Mrn => "a record number",
            Self::HealthPlan => "a health plan number",
            Self::Account => "an account number",
            Self::License => "a license number",
            Self::Vehicle => "a vehicle number",
            Self::Device => "a device number",
            Self::Url => "a link to a patient",
            Self::Ip => "an IP address",
            Self::Biometric => "a biometric identifier",
            Self::Photo => "a photo",
            Self::OtherId => "an identifying code",
        }
    }

    /// The category of a rule file's or policy's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == word)
    }

    /// The category of a corpus label such as `HEALTH_PLAN`.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::parse(&label.to_ascii_lowercase().replace('_', "-"))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Category;

    #[test]
    fn words_and_labels_lead_back() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()), Some(category));
            let label = category.as_str().to_ascii_uppercase().replace('-', "_");
            assert_eq!(Category::of_label(&label), Some(category));
        }
    }

    #[test]
    fn every_letter_of_safe_harbor_has_a_category() {
        for letter in 'A'..='R' {
            assert!(Category::ALL.iter().any(|category| category.letter() == letter), "{letter}");
        }
    }
}
