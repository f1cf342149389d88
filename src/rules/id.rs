//! The name of one rule.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// Names one rule in rule files, policies and audit events, such as `us-ssn`. Cheap to clone.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct RuleId(Arc<str>);

/// A rule id that is not kebab-case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no rule id: use lower-case letters, digits and single hyphens, such as `us-ssn`")]
pub struct InvalidRuleId(String);

impl RuleId {
    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RuleId {
    type Error = InvalidRuleId;

    fn try_from(id: String) -> Result<Self, InvalidRuleId> {
        let fine = id.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if fine { Ok(Self(id.into())) } else { Err(InvalidRuleId(id)) }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RuleId;

    #[test]
    fn ids_are_kebab_case() {
        for (id, fine) in [
            ("us-ssn", true),
            ("a", true),
            ("a1-2", true),
            ("", false),
            ("A", false),
            ("a--b", false),
            ("-a", false),
            ("a_b", false),
        ] {
            assert_eq!(RuleId::try_from(id.to_owned()).is_ok(), fine, "{id:?}");
        }
    }
}
