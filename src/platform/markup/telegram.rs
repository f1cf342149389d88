//! Marks that a parameter chooses, beside the text or for the whole request: Telegram's `parse_mode`, and `content_type` of
//! servers that speak Mastodon's API.

use crate::body::{Document, Path, Role, Step};
use crate::platform::markup::Markup;

/// Texts of a request among which `parse_mode` is looked for.
const MOST_TEXTS: usize = 4096;

/// The marks of one text of Telegram's; `None` where `parse_mode` is not given, and so nothing is a mark.
pub(super) fn mode(document: &Document, other: &Document, text: usize) -> Option<Markup> {
    let own = document.texts().get(text)?;
    chosen(document, other, &own.path, (wanted(&own.path), named))
}

/// The marks of one text by the `content_type` beside it.
pub(super) fn content_type(document: &Document, other: &Document, text: usize) -> Option<Markup> {
    let own = document.texts().get(text)?;
    let named = |kind: &str| match kind.trim().to_ascii_lowercase().as_str() {
        "text/markdown" | "text/x.misskeymarkdown" => Some(Markup::Markdown),
        "text/html" => Some(Markup::Html),
        _ => None,
    };
    chosen(document, other, &own.path, ("content_type", named))
}

/// What a parameter of this name says, by the meaning of its values.
fn chosen(
    document: &Document,
    other: &Document,
    own: &Path,
    (key, named): (&str, impl Fn(&str) -> Option<Markup>),
) -> Option<Markup> {
    // No call has so many texts, and each is compared with each.
    if document.texts().len() + other.texts().len() > MOST_TEXTS {
        return Some(Markup::Undecided);
    }
    let own_steps = own.steps();
    let stands_beside = |path: &Path| match (path.steps().split_last(), own_steps.split_last()) {
        (Some((_, list)), Some((_, own))) => list == own,
        _ => false,
    };
    let mut modes = Vec::new();
    for (texts, here) in [(document.texts(), true), (other.texts(), false)] {
        for text in texts.iter().filter(|text| text.role == Role::Value) {
            let is_mode = text.path.last().is_some_and(
                |step| matches!(step, Step::Key(name) if name.eq_ignore_ascii_case(key)),
            );
            if is_mode && (stands_beside(&text.path) || (!here && text.path.n_steps() == 1)) {
                modes.push(named(text.text.expose()));
            }
        }
    }
    let first = modes.first().copied()?;
    if modes.iter().all(|mode| *mode == first) { first } else { Some(Markup::Undecided) }
}

/// The name that the mode of a text has: polls have one for each of their texts.
fn wanted(path: &Path) -> &'static str {
    match path.last() {
        Some(step) if step.is_key("question") => "question_parse_mode",
        Some(step) if step.is_key("explanation") => "explanation_parse_mode",
        Some(step) if step.is_key("text") && path.n_steps() > 1 => "text_parse_mode",
        _ => "parse_mode",
    }
}

fn named(mode: &str) -> Option<Markup> {
    match mode.trim().to_ascii_lowercase().as_str() {
        "" => None,
        "html" => Some(Markup::Html),
        "markdownv2" => Some(Markup::TelegramMarkdownV2),
        "markdown" => Some(Markup::TelegramMarkdown),
        _ => Some(Markup::Undecided),
    }
}
