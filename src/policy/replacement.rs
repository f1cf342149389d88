//! What stands in the place of a finding: a fixed word, or the form that Safe Harbor allows.

use crate::detect::Finding;
use crate::diagnostic::{Faults, Table, did_you_mean, shown};
use crate::rules::Category;

/// Longest fixed word, in characters: platforms count every one.
const MAX_WORD: usize = 40;

/// The `[replacement]` of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Replacements {
    chosen: Vec<(Category, Replacement)>,
}

#[derive(Clone, Debug)]
enum Replacement {
    Word(String),
    /// The finding's own generalised form, where it has one.
    Generalized,
}

impl Replacements {
    /// Reads `[replacement]`; a word that would notify somebody or break a line is a fault.
    pub(super) fn read(table: Option<Table<'_>>, faults: &mut Faults) -> Self {
        let mut replacements = Self::default();
        let Some(mut table) = table else { return replacements };
        for (key, word) in table.named_texts(faults) {
            let Some(category) = Category::parse(&key.value) else {
                let words: Vec<&str> =
                    Category::ALL.iter().map(|category| category.as_str()).collect();
                faults.error(
                    key.span,
                    format!("there is no category `{}`", shown(&key.value)),
                    did_you_mean(&key.value, &words),
                );
                continue;
            };
            if generalization(category) == Some(word.value.as_str()) {
                replacements.chosen.push((category, Replacement::Generalized));
                continue;
            }
            if let Some((message, help)) = wrong(category, &word.value) {
                faults.error(word.span, message, help);
                continue;
            }
            replacements.chosen.push((category, Replacement::Word(word.value)));
        }
        table.finish(faults);
        replacements
    }

    /// What replaces a finding.
    pub(super) fn of<'a>(&'a self, finding: &'a Finding) -> &'a str {
        match self.chosen.iter().find(|(category, _)| *category == finding.category) {
            Some((_, Replacement::Word(word))) => word,
            Some((_, Replacement::Generalized)) => {
                finding.generalized.as_deref().unwrap_or(marker(finding.category))
            }
            None => marker(finding.category),
        }
    }

    /// Every word that may be put into a post, with its category: none may itself be found.
    pub(super) fn words(&self) -> impl Iterator<Item = (Category, &str)> {
        Category::ALL.into_iter().map(|category| {
            let chosen = self.chosen.iter().find(|(chosen, _)| *chosen == category);
            (
                category,
                if let Some((_, Replacement::Word(word))) = chosen {
                    word.as_str()
                } else {
                    marker(category)
                },
            )
        })
    }
}

/// The word for the form that Safe Harbor allows in place of a category.
const fn generalization(category: Category) -> Option<&'static str> {
    match category {
        Category::Date => Some("year"),
        Category::Zip => Some("zip3"),
        Category::Age => Some("90+"),
        Category::Name
        | Category::Location
        | Category::Phone
        | Category::Fax
        | Category::Email
        | Category::Ssn
        | Category::Mrn
        | Category::HealthPlan
        | Category::Account
        | Category::License
        | Category::Vehicle
        | Category::Device
        | Category::Url
        | Category::Ip
        | Category::Biometric
        | Category::Photo
        | Category::OtherId => None,
    }
}

/// What stands in for a category of which the policy says nothing: short ASCII. Numbers have one marker, because the
/// post's own label mostly stands before it (`MRN [number]`).
pub(super) const fn marker(category: Category) -> &'static str {
    match category {
        Category::Name => "[name]",
        Category::Date => "[date]",
        Category::Age => "[age]",
        Category::Location => "[place]",
        Category::Zip => "[zip]",
        Category::Phone => "[phone]",
        Category::Fax => "[fax]",
        Category::Email => "[email]",
        Category::Ssn
        | Category::Mrn
        | Category::HealthPlan
        | Category::Account
        | Category::License
        | Category::Vehicle
        | Category::Device => "[number]",
        Category::Url => "[link]",
        Category::Ip => "[address]",
        Category::Biometric => "[biometric]",
        Category::Photo => "[photo]",
        Category::OtherId => "[code]",
    }
}

/// What is wrong with a fixed word, and the remedy.
fn wrong(category: Category, word: &str) -> Option<(String, String)> {
    let generalizations =
        [Category::Date, Category::Zip, Category::Age].map(|other| (other, generalization(other)));
    if let Some((other, _)) = generalizations.iter().find(|(_, name)| *name == Some(word)) {
        return Some((
            format!("`{word}` is a form of a {other}, not of a {category}"),
            format!("write a fixed word such as \"{}\"", marker(category)),
        ));
    }
    let n_characters = word.chars().count();
    if n_characters > MAX_WORD {
        return Some((
            format!("a replacement may have {MAX_WORD} characters, this one has {n_characters}"),
            format!(
                "a short one such as \"{}\" leaves the post within the platform's limit",
                marker(category)
            ),
        ));
    }
    if word.trim().is_empty() {
        return Some((
            "an empty replacement hides that something was taken out".to_owned(),
            format!("write a word such as \"{}\"", marker(category)),
        ));
    }
    if word.chars().any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')) {
        return Some(("a replacement must stay on its line and be visible".to_owned(), "use letters, digits, spaces and brackets".to_owned()));
    }
    if word.contains(['@', '#', '<', '>', '&']) || word.contains("://") {
        return Some((
            "platforms would read this as a mention, a hashtag, a link or markup".to_owned(),
            format!("write a plain word such as \"{}\"", marker(category)),
        ));
    }
    None
}
