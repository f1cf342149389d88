//! Which findings a clause or an exception is about: every condition it names must hold.

use crate::diagnostic::{Faults, Placed, Table, did_you_mean, shown};
use crate::policy::Question;
use crate::rules::{Category, RuleSet};

/// Names that clauses and exceptions may use; `None` where they could not be loaded, and so cannot be checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) rules: Option<&'a RuleSet>,
    pub(super) platforms: Option<&'a [&'a str]>,
    pub(super) groups: &'a [String],
}

/// Conditions on a finding and its post; one that is left out holds always.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// One bit a category; zero is any.
    categories: u32,
    rules: Vec<RuleName>,
    platforms: Vec<String>,
    groups: Vec<String>,
    fields: Vec<String>,
}

/// A rule's id, or the start of several (`name-*`).
#[derive(Clone, Debug)]
enum RuleName {
    Id(String),
    Prefix(String),
}

impl Scope {
    /// Reads the conditions of one table; a name that does not exist is a fault.
    pub(super) fn read(table: &mut Table<'_>, known: &Known<'_>, faults: &mut Faults) -> Self {
        let mut scope = Self::default();
        for word in table.texts("categories", faults).unwrap_or_default() {
            if let Some(category) = Category::parse(&word.value) {
                scope.categories |= bit(category);
            } else {
                let words: Vec<&str> =
                    Category::ALL.iter().map(|category| category.as_str()).collect();
                unknown("category", &word, &words, faults);
            }
        }
        for word in table.texts("rules", faults).unwrap_or_default() {
            scope.rules.extend(RuleName::read(&word, known.rules, faults));
        }
        for word in table.texts("platforms", faults).unwrap_or_default() {
            if let Some(platforms) = known.platforms
                && !platforms.contains(&word.value.as_str())
            {
                unknown("platform", &word, platforms, faults);
            }
            scope.platforms.push(word.value);
        }
        for word in table.texts("groups", faults).unwrap_or_default() {
            if !known.groups.contains(&word.value) {
                let names: Vec<&str> = known.groups.iter().map(String::as_str).collect();
                let help = if names.is_empty() {
                    "describe the group in a [[group]] with `name` and `clients`, `certificates` or `identities`".to_owned()
                } else {
                    did_you_mean(&word.value, &names)
                };
                faults.error(
                    word.span,
                    format!("no [[group]] is named `{}`", shown(&word.value)),
                    help,
                );
            }
            scope.groups.push(word.value);
        }
        for word in table.texts("fields", faults).unwrap_or_default() {
            if word.value.trim().is_empty() {
                faults.error(
                    word.span,
                    "a field without a name matches nothing",
                    "name it as the platform's file does, such as `poll.options[]`",
                );
            }
            scope.fields.push(word.value);
        }
        scope
    }

    /// Whether it is about every finding of a category, whoever posts it wherever.
    pub(super) fn covers(&self, category: Category) -> bool {
        self.categories & bit(category) != 0
            && self.rules.is_empty()
            && self.platforms.is_empty()
            && self.groups.is_empty()
            && self.fields.is_empty()
    }

    /// Whether all its conditions hold.
    pub(super) fn holds(&self, question: &Question<'_>) -> bool {
        let rule = question.finding.rule.as_str();
        (self.categories == 0 || self.categories & bit(question.finding.category) != 0)
            && (self.rules.is_empty() || self.rules.iter().any(|name| name.matches(rule)))
            && among(&self.platforms, Some(question.platform))
            && (self.groups.is_empty()
                || question.groups.iter().any(|one| self.groups.contains(one)))
            && among(&self.fields, question.field)
    }
}

impl RuleName {
    fn read(word: &Placed<String>, rules: Option<&RuleSet>, faults: &mut Faults) -> Option<Self> {
        let ids = || rules.into_iter().flat_map(|rules| &rules.rules).map(|rule| rule.id.as_str());
        if let Some(prefix) = word.value.strip_suffix('*') {
            if prefix.is_empty() {
                faults.error(
                    word.span,
                    "`*` alone is every rule",
                    "leave `rules` out, or give the start of some rules' names, such as `name-*`",
                );
                return None;
            }
            if rules.is_some() && !ids().any(|id| id.starts_with(prefix)) {
                let ids: Vec<&str> = ids().collect();
                faults.error(
                    word.span,
                    format!("no rule's name starts with `{}`", shown(prefix)),
                    did_you_mean(prefix.trim_end_matches('-'), &ids),
                );
                return None;
            }
            return Some(Self::Prefix(prefix.to_owned()));
        }
        let Some(rules) = rules else { return Some(Self::Id(word.value.clone())) };
        if rules.disabled.iter().any(|(id, _)| id.as_str() == word.value) {
            faults.warning(
                word.span,
                format!(
                    "rule `{}` is turned off by a [[disable]], so this does nothing",
                    word.value
                ),
                "take it out here, or take the [[disable]] out",
            );
        } else if !ids().any(|id| id == word.value) {
            unknown("rule", word, &ids().collect::<Vec<_>>(), faults);
            return None;
        }
        Some(Self::Id(word.value.clone()))
    }

    fn matches(&self, rule: &str) -> bool {
        match self {
            Self::Id(id) => id == rule,
            Self::Prefix(prefix) => rule.starts_with(prefix.as_str()),
        }
    }
}

/// The bit of a category: there are 20, each with its own discriminant.
const fn bit(category: Category) -> u32 {
    1 << category as u32
}

fn among(names: &[String], name: Option<&str>) -> bool {
    names.is_empty() || name.is_some_and(|name| names.iter().any(|one| one == name))
}

fn unknown(what: &str, word: &Placed<String>, words: &[&str], faults: &mut Faults) {
    faults.error(
        word.span,
        format!("there is no {what} `{}`", shown(&word.value)),
        did_you_mean(&word.value, words),
    );
}
