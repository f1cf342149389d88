//! What a line says, taken apart for the columns of a table. The line itself stays beside them, whole: it is what counts.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;

/// A word of a line.
type Word<'l> = Option<Cow<'l, str>>;

/// The keys of a line that have columns of their own.
#[derive(Default, Deserialize)]
pub(super) struct Columns<'l> {
    #[serde(borrow, default)]
    pub(super) time: Word<'l>,
    #[serde(borrow, default)]
    pub(super) event: Word<'l>,
    #[serde(borrow, default)]
    pub(super) id: Word<'l>,
    #[serde(borrow, default, rename = "ref")]
    pub(super) reference: Word<'l>,
    #[serde(borrow, default)]
    pub(super) client: Word<'l>,
    #[serde(borrow, default)]
    pub(super) group: Word<'l>,
    #[serde(borrow, default)]
    pub(super) host: Word<'l>,
    #[serde(borrow, default)]
    pub(super) platform: Word<'l>,
    #[serde(borrow, default)]
    pub(super) endpoint: Word<'l>,
    #[serde(borrow, default)]
    pub(super) verdict: Word<'l>,
    #[serde(default)]
    pub(super) enforced: Option<bool>,
    #[serde(borrow, default)]
    findings: Vec<Finding<'l>>,
    #[serde(borrow, default)]
    pub(super) fault: Word<'l>,
    #[serde(borrow, default)]
    pub(super) coverage: Word<'l>,
    #[serde(borrow, default)]
    pub(super) outcome: Word<'l>,
    #[serde(default)]
    pub(super) status: Option<i64>,
    #[serde(default)]
    pub(super) micros: Option<i64>,
}

#[derive(Deserialize)]
struct Finding<'l> {
    #[serde(borrow, default)]
    rule: Word<'l>,
    #[serde(borrow, default)]
    category: Word<'l>,
    #[serde(borrow, default)]
    clause: Word<'l>,
    #[serde(borrow, default)]
    exception: Word<'l>,
}

impl<'l> Columns<'l> {
    /// A line that says something else than lines do has no columns; it is kept all the same.
    pub(super) fn of(line: &'l [u8]) -> Self {
        serde_json::from_slice(line).unwrap_or_default()
    }

    /// How many findings it lists.
    pub(super) fn n_findings(&self) -> i64 {
        i64::try_from(self.findings.len()).unwrap_or(i64::MAX)
    }

    pub(super) fn rules(&self) -> Option<String> {
        self.listed(|finding| finding.rule.as_deref())
    }

    pub(super) fn categories(&self) -> Option<String> {
        self.listed(|finding| finding.category.as_deref())
    }

    pub(super) fn clauses(&self) -> Option<String> {
        self.listed(|finding| finding.clause.as_deref())
    }

    pub(super) fn exceptions(&self) -> Option<String> {
        self.listed(|finding| finding.exception.as_deref())
    }

    /// Each word once, sorted, between commas: `,name,ssn,`, so that `LIKE '%,ssn,%'` finds a whole one.
    fn listed<'s>(&'s self, word: impl Fn(&'s Finding<'l>) -> Option<&'s str>) -> Option<String> {
        let words: BTreeSet<&str> = self.findings.iter().filter_map(word).collect();
        if words.is_empty() {
            return None;
        }
        let mut list = String::from(",");
        for word in words {
            list.push_str(word);
            list.push(',');
        }
        Some(list)
    }
}
