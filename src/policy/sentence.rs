//! What a clinician reads when a post is refused: one line of printable ASCII, and never a word of the post.
//!
//! Stock clients show the sentence as it is. Line ends, markup and letters outside ASCII break some of them, and the
//! Bluesky app shows another text of its own for messages that hold certain phrases (`platforms` were measured), so a
//! policy with such a message is refused rather than shown wrong.

use crate::diagnostic::{Faults, Placed, did_you_mean, shown};
use crate::rules::Category;

/// Longest message as written.
const MAX_MESSAGE: usize = 280;

/// Most kinds that are named; a list of twenty is no sentence.
const MAX_KINDS: usize = 5;

/// Phrases for which the Bluesky app shows a text of its own.
const REWRITTEN: [&str; 8] = [
    "abort",
    "network request failed",
    "failed to fetch",
    "load failed",
    "upstream service unreachable",
    "upstream failure",
    "notenoughresources",
    "bad token scope",
];

const DEFAULT: &str =
    "Blocked by hospital policy: this post seems to contain {kinds}. Nothing was sent. (ref {ref})";

/// The policy's `message`, checked.
#[derive(Clone, Debug)]
pub(super) struct Message {
    text: String,
}

impl Default for Message {
    fn default() -> Self {
        Self { text: DEFAULT.to_owned() }
    }
}

impl Message {
    /// Checks the message as written.
    pub(super) fn read(written: Option<Placed<String>>, faults: &mut Faults) -> Self {
        let Some(written) = written else { return Self::default() };
        let text = written.value.as_str();
        if let Some(strange) = text.chars().find(|c| !matches!(c, ' '..='~')) {
            let what = if strange.is_control() {
                "line ends and tabs".to_owned()
            } else {
                format!("`{strange}`")
            };
            faults.error(
                written.span,
                format!("some apps cannot show {what} in an answer"),
                "write one line of plain letters, digits and punctuation",
            );
        }
        if text.contains(['<', '>']) {
            faults.error(
                written.span,
                "some apps take `<` and `>` for markup",
                "write the message without them",
            );
        }
        if text.trim().is_empty() {
            faults.error(
                written.span,
                "the message is empty, so nobody would know why a post is refused",
                format!("write one such as \"{DEFAULT}\""),
            );
            return Self::default();
        }
        let n_characters = text.chars().count();
        if n_characters > MAX_MESSAGE {
            faults.error(
                written.span,
                format!("a message may have {MAX_MESSAGE} characters, this one has {n_characters}"),
                "apps show it in one small box: say what, and whom to ask",
            );
        }
        let lower = text.to_ascii_lowercase();
        if let Some(phrase) = REWRITTEN.iter().find(|phrase| lower.contains(*phrase)) {
            faults.error(
                written.span,
                format!("the Bluesky app shows a text of its own for a message with \"{phrase}\""),
                "use other words",
            );
        }
        check_placeholders(&written, faults);
        Self { text: written.value }
    }

    /// The sentence of a block.
    pub(super) fn fill(&self, kinds: &[Category], reference: &str) -> String {
        self.text.replace("{kinds}", &phrase(kinds)).replace("{ref}", &printable(reference))
    }
}

/// The sentence for a post that was refused for another reason than what it contains.
pub(super) fn of_fault(fault: &str, reference: &str) -> String {
    let why = match fault {
        "unreadable" => "this post could not be read, so it could not be checked".to_owned(),
        "cannot-redact" => {
            "this post has parts that may not be sent and cannot be taken out".to_owned()
        }
        "unaudited" => "the record of posts cannot be written at the moment".to_owned(),
        "busy" => {
            "too many posts are being checked at the moment, please try again later".to_owned()
        }
        other => printable(other),
    };
    format!("Blocked by hospital policy: {why}. Nothing was sent. (ref {})", printable(reference))
}

/// `a record number and a date`.
fn phrase(kinds: &[Category]) -> String {
    let mut phrases: Vec<&str> = Vec::with_capacity(kinds.len());
    for kind in kinds {
        if !phrases.contains(&kind.phrase()) {
            phrases.push(kind.phrase());
        }
    }
    if phrases.len() > MAX_KINDS {
        phrases.truncate(MAX_KINDS);
        phrases.push("more");
    }
    match phrases.split_last() {
        None => "something that may identify a patient".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// Whatever a caller passes, the sentence stays one line of printable ASCII.
fn printable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '<' | '>')).take(120).collect()
}

fn check_placeholders(written: &Placed<String>, faults: &mut Faults) {
    let mut rest = written.value.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) =
            after.split_once('}').filter(|(name, _)| !before.contains('}') && !name.contains('{'))
        else {
            rest = "}";
            break;
        };
        if !matches!(name, "kinds" | "ref") {
            faults.error(
                written.span,
                format!("the message cannot fill in `{{{}}}`", shown(name)),
                did_you_mean(&format!("{{{name}}}"), &["{kinds}", "{ref}"]),
            );
        }
        rest = behind;
    }
    if rest.contains('}') {
        faults.error(
            written.span,
            "a brace of the message has no partner",
            "braces stand only around {kinds} and {ref}",
        );
        return;
    }
    if !written.value.contains("{ref}") {
        faults.warning(
            written.span,
            "the message has no {ref}",
            "with it, whoever is asked finds the event in the audit at once",
        );
    }
    if !written.value.contains("{kinds}") {
        faults.warning(
            written.span,
            "the message has no {kinds}",
            "with it, the author knows what to take out of the post",
        );
    }
}
