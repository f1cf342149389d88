//! From a rule file as written to rules as meant; every fault of the file is noted, none stops the rest.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Source};
use crate::rules::pattern::Pattern;
use crate::rules::syntax::{Faults, Table, Text, listed, tables, text_of, texts_of};
use crate::rules::{
    Category, Confidence, Except, Keywords, Matcher, Rule, RuleId, Validation, Validator,
};
use crate::span::Span;

const CONFIDENCES: [Confidence; 4] =
    [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Certain];

/// Near misses without which a rule is only a hope.
const MIN_IGNORES: usize = 2;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) rules: Vec<Entry<Rule>>,
    pub(super) excepts: Vec<Entry<Except>>,
    pub(super) disabled: Vec<Disabled>,
    /// Term files that were read, in order: they count for the hash.
    pub(super) term_files: Vec<String>,
}

/// An entry and whether it says that it replaces one of the same id.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) item: T,
    pub(super) replaces: bool,
    /// Where its id stands.
    pub(super) id_span: Span,
}

/// One `[[disable]]`.
#[derive(Debug)]
pub(super) struct Disabled {
    pub(super) rule: RuleId,
    pub(super) reason: String,
    pub(super) span: Span,
}

/// Reads the list that a file's `terms = { file = ".." }` names; an error is the reason in words.
pub(super) type TermFile<'r> = dyn Fn(&str) -> Result<String, String> + 'r;

/// Reads one file.
pub(super) fn read(
    source: &Arc<Source>,
    term_file: &TermFile<'_>,
    found: &mut Vec<Diagnostic>,
) -> File {
    let mut faults = Faults::new(source, found);
    let mut file = File::default();
    let Some(root) = tables(&source.text, &mut faults) else { return file };
    let mut top = Table::new("a rule file", &root, Span::new(0, 0));
    for (table, span) in entries("rule", &mut top, &mut faults) {
        file.rules.extend(rule(table, span, term_file, &mut file.term_files, &mut faults));
    }
    for (table, span) in entries("except", &mut top, &mut faults) {
        file.excepts.extend(except(table, span, &mut faults));
    }
    for (table, span) in entries("disable", &mut top, &mut faults) {
        file.disabled.extend(disable(table, span, &mut faults));
    }
    top.finish(&mut faults);
    file
}

/// The tables of `[[key]]`.
fn entries<'t, 's>(
    key: &'static str,
    top: &mut Table<'t, 's>,
    faults: &mut Faults<'_>,
) -> Vec<(&'t DeTable<'s>, Span)> {
    let Some(value) = top.get(key) else { return Vec::new() };
    let DeValue::Array(items) = value.get_ref() else {
        let message = format!("`{key}` must be a list of tables");
        let help = format!("write `[[{key}]]` above each entry");
        faults.note(value.span().into(), message, "one pair of brackets makes one table", help);
        return Vec::new();
    };
    let mut tables = Vec::new();
    for item in items {
        if let DeValue::Table(table) = item.get_ref() {
            tables.push((table, item.span().into()));
        } else {
            let message = format!("`{key}` must be a list of tables");
            let help = format!("write `[[{key}]]` above each entry");
            faults.note(item.span().into(), message, "this is no table", help);
        }
    }
    tables
}

fn rule(
    keys: &DeTable<'_>,
    span: Span,
    term_file: &TermFile<'_>,
    term_files: &mut Vec<String>,
    faults: &mut Faults<'_>,
) -> Option<Entry<Rule>> {
    let mut table = Table::new("[[rule]]", keys, span);
    let id = table.required("id", "give it a name such as `us-ssn`", faults);
    let named = id.as_ref().and_then(|id| rule_id(id, faults));
    let category = category(&mut table, faults);
    let unicode = table.flag("unicode", faults);
    let matcher = matcher(&mut table, unicode, term_file, term_files, faults);
    let confidence = table.text("confidence", faults);
    let confidence = confidence.map(|text| confidence_of(&text, faults));
    let keywords = keywords(&mut table, faults);
    let validator = validation(&mut table, faults);
    let why =
        table.required("why", "say which letter of 45 CFR 164.514(b)(2)(i) asks for it", faults);
    let finds = table.texts("finds", faults);
    let ignores = table.texts("ignores", faults);
    let replaces = table.flag("replaces", faults);
    table.finish(faults);

    let composed = matches!(matcher, Some(Matcher::Composer(_)));
    if confidence.is_none() && keywords.is_none() && matcher.is_some() && !composed {
        faults.note(
            span,
            "a rule without `confidence` or `keywords` finds nothing".to_owned(),
            "neither is set",
            "say how sure a hit is alone (`confidence = \"medium\"`), or beside a word (`keywords = { .. }`)",
        );
    }
    if finds.is_empty() {
        faults.note(
            span,
            "a rule needs an example of what it finds".to_owned(),
            "`finds` is missing or empty",
            "write `finds = [\"..\"]` with a text as staff would write it; `check` runs it",
        );
    }
    if ignores.len() < MIN_IGNORES {
        faults.note(
            span,
            "a rule needs two near misses at least".to_owned(),
            "`ignores` has too few",
            "write `ignores = [\"..\", \"..\"]` with texts that look alike and must pass; `check` runs them",
        );
    }
    let id_span = id.map_or(span, |id| id.span);
    let item = Rule {
        id: named?,
        category: category?,
        matcher: matcher?,
        confidence: confidence.flatten(),
        keywords,
        validator,
        why: why?.value,
        finds: values(finds),
        ignores: values(ignores),
        source: Arc::clone(faults.source()),
        span,
    };
    Some(Entry { item, replaces, id_span })
}

fn except(keys: &DeTable<'_>, span: Span, faults: &mut Faults<'_>) -> Option<Entry<Except>> {
    let mut table = Table::new("[[except]]", keys, span);
    let id = table.required("id", "give it a name such as `eponym-disease`", faults);
    let named = id.as_ref().and_then(|id| rule_id(id, faults));
    let rules = table.texts("rules", faults);
    let unicode = table.flag("unicode", faults);
    let pattern = table.required("pattern", "a regular expression of what must pass", faults);
    let pattern = pattern.and_then(|text| pattern_of(&text, unicode, faults));
    let why = table.required("why", "say why this is nobody's identifier", faults);
    let passes = table.texts("passes", faults);
    let still_finds = table.texts("still-finds", faults);
    let replaces = table.flag("replaces", faults);
    table.finish(faults);
    for (key, list, help) in [
        ("rules", rules.len(), "name the rules it speaks to, such as `rules = [\"name-*\"]`"),
        (
            "passes",
            passes.len(),
            "write `passes = [\"..\"]` with a text that must pass; `check` runs it",
        ),
        (
            "still-finds",
            still_finds.len(),
            "write `still-finds = [\"..\"]` with a text that must not slip through with it; `check` runs it",
        ),
    ] {
        if list == 0 {
            let message = format!("an except needs `{key}`");
            faults.note(span, message, &format!("`{key}` is missing or empty"), help);
        }
    }
    let id_span = id.map_or(span, |id| id.span);
    let item = Except {
        id: named?,
        rules: values(rules),
        pattern: pattern?,
        why: why?.value,
        passes: values(passes),
        still_finds: values(still_finds),
        source: Arc::clone(faults.source()),
        span,
    };
    Some(Entry { item, replaces, id_span })
}

fn disable(keys: &DeTable<'_>, span: Span, faults: &mut Faults<'_>) -> Option<Disabled> {
    let mut table = Table::new("[[disable]]", keys, span);
    let rule = table.required("rule", "the id of the rule to turn off", faults);
    let reason = table.required("reason", "say why, for whoever reads it next year", faults);
    table.finish(faults);
    let rule = rule?;
    Some(Disabled { rule: rule_id(&rule, faults)?, reason: reason?.value, span: rule.span })
}

fn rule_id(text: &Text, faults: &mut Faults<'_>) -> Option<RuleId> {
    match RuleId::try_from(text.value.clone()) {
        Ok(id) => Some(id),
        Err(error) => {
            let help = "use lower-case letters, digits and single hyphens";
            faults.note(text.span, error.to_string(), "not kebab-case", help);
            None
        }
    }
}

fn category(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Category> {
    let known = || listed(Category::ALL.iter().map(|category| category.as_str()));
    let text = table.required("category", &format!("one of {}", known()), faults)?;
    let category = Category::parse(&text.value);
    if category.is_none() {
        let message = format!("unknown category `{}`", text.value);
        faults.note(text.span, message, "no such category", format!("one of {}", known()));
    }
    category
}

fn confidence_of(text: &Text, faults: &mut Faults<'_>) -> Option<Confidence> {
    let confidence = CONFIDENCES.into_iter().find(|confidence| confidence.as_str() == text.value);
    if confidence.is_none() {
        let message = format!("unknown confidence `{}`", text.value);
        let help = format!("one of {}", listed(CONFIDENCES.iter().map(|one| one.as_str())));
        faults.note(text.span, message, "no such confidence", help);
    }
    confidence
}

fn pattern_of(text: &Text, unicode: bool, faults: &mut Faults<'_>) -> Option<Pattern> {
    match Pattern::parse(&text.value, unicode) {
        Ok(pattern) => Some(pattern),
        Err(fault) => {
            let at = fault.span.map_or(text.span, |within| text.place(faults.source(), within));
            faults.note(at, "bad pattern".to_owned(), &fault.message, fault.help);
            None
        }
    }
}

/// Exactly one of `pattern`, `terms` and `composer`.
fn matcher(
    table: &mut Table<'_, '_>,
    unicode: bool,
    term_file: &TermFile<'_>,
    term_files: &mut Vec<String>,
    faults: &mut Faults<'_>,
) -> Option<Matcher> {
    let (span, terms) = (table.span, table.get("terms"));
    let pattern = table.text("pattern", faults);
    let composer = table.text("composer", faults);
    match (pattern, terms, composer) {
        (Some(pattern), None, None) => pattern_of(&pattern, unicode, faults).map(Matcher::Pattern),
        (None, None, Some(composer)) => Some(Matcher::Composer(composer.value)),
        (None, Some(value), None) => {
            let terms = if let DeValue::Table(keys) = value.get_ref() {
                let mut inner = Table::new("`terms`", keys, value.span().into());
                let name = inner.required("file", "the list's path, relative to this file", faults);
                inner.finish(faults);
                terms_of_file(&name?, term_file, term_files, faults)?
            } else {
                let texts = texts_of("terms", value, faults);
                for text in texts.iter().filter(|text| text.value.trim().is_empty()) {
                    let message = "a term is empty".to_owned();
                    faults.note(
                        text.span,
                        message,
                        "finds nothing",
                        "name a word, or leave it out",
                    );
                }
                values(texts)
            };
            if terms.is_empty() {
                faults.note(
                    value.span().into(),
                    "no terms".to_owned(),
                    "empty list",
                    "name one word at least",
                );
                return None;
            }
            Some(Matcher::Terms(terms))
        }
        _ => {
            faults.note(
                span,
                "a rule looks for one thing: `pattern`, `terms` or `composer`".to_owned(),
                "none of them, or more than one",
                "write one; make two rules of what looks for two things",
            );
            None
        }
    }
}

/// The terms of a list: one a line, blank lines and `#` comments left out.
fn terms_of_file(
    name: &Text,
    term_file: &TermFile<'_>,
    term_files: &mut Vec<String>,
    faults: &mut Faults<'_>,
) -> Option<Vec<String>> {
    match term_file(&name.value) {
        Ok(list) => {
            let terms = list
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'));
            let terms = terms.map(str::to_owned).collect();
            term_files.push(list);
            Some(terms)
        }
        Err(reason) => {
            let message = format!("cannot read term file `{}`: {reason}", name.value);
            faults.note(name.span, message, "named here", "the path is relative to this rule file");
            None
        }
    }
}

fn keywords(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Keywords> {
    let value = table.get("keywords")?;
    let DeValue::Table(keys) = value.get_ref() else {
        let help = "write `keywords = { words = [\"mrn\"], confidence = \"certain\" }`";
        faults.note(
            value.span().into(),
            "`keywords` must be a table".to_owned(),
            "not a table",
            help,
        );
        return None;
    };
    let span = value.span().into();
    let mut inner = Table::new("`keywords`", keys, span);
    let words = values(inner.texts("words", faults));
    let confidence =
        inner.required("confidence", "how sure a hit is beside one of the words", faults);
    inner.finish(faults);
    if words.iter().all(|word| word.trim().is_empty()) {
        faults.note(
            span,
            "`keywords` has no words".to_owned(),
            "`words` is missing or empty",
            "name one at least",
        );
        return None;
    }
    Some(Keywords { words, confidence: confidence_of(&confidence?, faults)? })
}

fn validation(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Validation> {
    let value = table.get("validator")?;
    let DeValue::Table(keys) = value.get_ref() else {
        let help = "write `validator = { name = \"luhn\", valid = \"high\" }`";
        faults.note(
            value.span().into(),
            "`validator` must be a table".to_owned(),
            "not a table",
            help,
        );
        return None;
    };
    let mut inner = Table::new("`validator`", keys, value.span().into());
    let known = || listed(Validator::ALL.iter().map(|validator| validator.as_str()));
    let name = inner.get("name").and_then(|name| text_of("name", name, faults));
    let valid = inner.required("valid", "how sure a hit is that passes", faults);
    inner.finish(faults);
    let Some(name) = name else {
        let message = "`validator` has no `name`".to_owned();
        faults.note(inner_span(value), message, "`name` is missing", format!("one of {}", known()));
        return None;
    };
    let validator = Validator::parse(&name.value);
    if validator.is_none() {
        let message = format!("unknown validator `{}`", name.value);
        faults.note(name.span, message, "no such validator", format!("one of {}", known()));
    }
    let valid = confidence_of(&valid?, faults)?;
    Some(Validation { validator: validator?, valid })
}

fn inner_span(value: &toml::Spanned<DeValue<'_>>) -> Span {
    value.span().into()
}

fn values(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}
