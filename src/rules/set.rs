//! All rules of an installation, merged in order: embedded first, then the hospital's own.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Source};
use crate::rules::{Except, Lexicons, Rule, RuleId};

/// Rules, excepts and lexicons that fit together: ids are unique, names are known, patterns are well formed.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules in force.
    pub rules: Vec<Rule>,
    /// The excepts in force.
    pub excepts: Vec<Except>,
    /// Rules turned off, each with its reason.
    pub disabled: Vec<(RuleId, String)>,
    /// Word lists.
    pub lexicons: Arc<Lexicons>,
    /// SHA-256 over all files in order, in hexadecimal: the audit says which rules judged.
    pub hash: String,
}

/// Collects rule files in order. Term files named by a rule are asked for by name, so that this room reads no disk.
#[derive(Debug, Default)]
pub struct RuleSetBuilder {
    _private: (),
}

impl RuleSet {
    /// The shipped rules and lexicons alone.
    pub fn embedded() -> Arc<Self> {
        todo!()
    }
}

impl RuleSetBuilder {
    /// Adds every shipped rule file.
    #[must_use]
    pub fn embedded(self) -> Self {
        todo!()
    }

    /// Adds one rule file. `term_file` reads a list named by `terms = { file = ".." }`, relative to this file; an
    /// error is the reason in words.
    #[must_use]
    pub fn file(
        self,
        _source: &Arc<Source>,
        _term_file: &dyn Fn(&str) -> Result<String, String>,
    ) -> Self {
        todo!()
    }

    /// The set, or every fault found in every file.
    pub fn finish(self) -> Result<RuleSet, Vec<Diagnostic>> {
        todo!()
    }
}
