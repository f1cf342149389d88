//! Undoes what only a word list can: letters set apart, numbers in words, digits for letters, words backwards.
//!
//! What is disguised is written plainly into a second view of the text ([`crate::normalize::Rewrite`]), and every rule
//! and composer reads that; patterns read the first view as well, so that nothing is lost where a guess was wrong. A
//! post without a hint of a disguise pays for one look at each of its words.

mod coded;
mod hint;
mod leet;
mod masked;
mod nato;
mod page;
mod spaced;
mod spelled;
mod split;
mod turned;

#[cfg(test)]
mod tests;

use crate::detect::compose::Reading;
use crate::detect::token::{Plain, Text};
use crate::normalize::Rewrite;
use crate::rules::Lexicons;

use page::Page;

/// The text with its disguises undone; the same text if it has none.
pub(super) fn undone(text: Text, original: &str, lexicons: &Lexicons) -> Text {
    if !hint::at_disguise(&text, original) {
        return text;
    }
    let rewrites = {
        let reading = Reading::of(&text, lexicons);
        rewrites(&Page::new(&reading, original, lexicons))
    };
    if rewrites.is_empty() {
        return text;
    }
    let (view, moves) = text.view.rewritten(original, &rewrites);
    Text::with_plain(original, view, Plain { text, moves })
}

/// What is to be rewritten, in order and disjoint.
fn rewrites(page: &Page<'_>) -> Vec<Rewrite> {
    let mut found = Vec::new();
    coded::find(page, &mut found);
    spaced::find(page, &mut found);
    nato::find(page, &mut found);
    spelled::find(page, &mut found);
    masked::find(page, &mut found);
    turned::find(page, &mut found);
    leet::find(page, &mut found);
    // A stable sort: of two that begin together the one found first, hence surer, stands.
    found.sort_by_key(|rewrite| rewrite.span.start());
    let mut at = 0;
    found.retain(|rewrite| {
        let free =
            rewrite.span.start() >= at && !(rewrite.with.is_empty() && rewrite.span.is_empty());
        if free {
            at = rewrite.span.end();
        }
        free
    });
    found
}
