//! What a clinician reads when a post is refused: one line of printable ASCII, and never a word of the post.
//!
//! Stock clients show the sentence as it is. Line ends, markup and letters outside ASCII break some of them, so a policy
//! with such a message is refused rather than shown wrong. The Bluesky app shows another text of its own for messages
//! that hold certain phrases: reading such a policy warns.

use crate::diagnostic::{Faults, Placed, did_you_mean, shown};
use crate::rules::Category;

/// Longest message as written.
const MAX_MESSAGE: usize = 280;

/// Most kinds that are named; a list of twenty is no sentence. Those that decided stand first.
const MAX_KINDS: usize = 4;

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

const DEFAULT_OF_FAULT: &str = "Blocked by hospital policy: {why}. Nothing was sent. (ref {ref})";

/// Why a post is refused, if not for what it contains.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    /// It cannot be read.
    Unreadable,
    /// It is longer than what is read.
    TooLarge,
    /// Its words are encrypted from end to end.
    Encrypted,
    /// It did not come whole, or not in time.
    Incomplete,
    /// Looking at it failed.
    Unchecked,
    /// It holds media, which may not pass.
    Media,
    /// A file of it is broken, or of a kind whose metadata cannot be taken out.
    Uncleaned,
    /// A file of it has metadata that cannot be taken out where it stands.
    Unstripped,
    /// It is a piece of a file.
    Piece,
    /// It holds a document that cannot be read.
    Document,
    /// The audit cannot be written.
    Unaudited,
    /// There is no memory to read it.
    Busy,
}

impl Refused {
    /// A clause: what stands at `{why}`.
    const fn why(self) -> &'static str {
        match self {
            Self::Unreadable => "this post could not be read, so it could not be checked",
            Self::TooLarge => "this post is too long to be checked",
            Self::Encrypted => "this post is encrypted, so it could not be checked",
            Self::Incomplete => "this post did not come whole, so it could not be checked",
            Self::Unchecked => "this post could not be checked",
            Self::Media => "pictures and files may not be sent to this platform",
            Self::Uncleaned => {
                "this file cannot be cleaned of hidden data; save it anew as JPEG, PNG or MP4, or smaller"
            }
            Self::Unstripped => "a file in this post has hidden data that cannot be taken out here",
            Self::Piece => "files in pieces may not be sent; send a smaller file",
            Self::Document => "documents such as PDF may not be sent",
            Self::Unaudited => "no record of posts can be written at the moment",
            Self::Busy => {
                "too many posts are being checked at the moment; send it again in a few minutes"
            }
        }
    }
}

/// The policy's `message` and `fault-message`, checked.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    block: String,
    fault: String,
}

/// What a message may hold.
struct Shape {
    default: &'static str,
    /// What stands in braces, with what it is good for.
    braces: [(&'static str, &'static str); 2],
}

const BLOCK: Shape = Shape {
    default: DEFAULT,
    braces: [("{kinds}", "the author knows what to take out of the post"), REFERENCE],
};

const FAULT: Shape = Shape {
    default: DEFAULT_OF_FAULT,
    braces: [("{why}", "the author knows what is wrong with the post"), REFERENCE],
};

const REFERENCE: (&str, &str) = ("{ref}", "whoever is asked finds the event in the audit at once");

impl Default for Messages {
    fn default() -> Self {
        Self { block: DEFAULT.to_owned(), fault: DEFAULT_OF_FAULT.to_owned() }
    }
}

impl Messages {
    /// Checks the messages as written.
    pub(super) fn read(
        block: Option<Placed<String>>,
        fault: Option<Placed<String>>,
        faults: &mut Faults,
    ) -> Self {
        let (block, fault) = (check(block, &BLOCK, faults), check(fault, &FAULT, faults));
        Self { block, fault }
    }

    /// The sentence of a block. Kinds are named in the order given.
    pub(super) fn of_block(&self, kinds: &[Category], reference: &str) -> String {
        self.block.replace("{kinds}", &phrase(kinds)).replace("{ref}", &printable(reference))
    }

    /// The sentence for a post that was refused for another reason than what it contains.
    pub(super) fn of_fault(&self, refused: Refused, reference: &str) -> String {
        self.fault.replace("{why}", refused.why()).replace("{ref}", &printable(reference))
    }
}

/// A message as written that can be shown, or the shipped one.
fn check(written: Option<Placed<String>>, shape: &Shape, faults: &mut Faults) -> String {
    let Some(written) = written else { return shape.default.to_owned() };
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
            format!("write one such as \"{}\"", shape.default),
        );
        return shape.default.to_owned();
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
        faults.warning(
            written.span,
            format!("the Bluesky app shows a text of its own for a message with \"{phrase}\""),
            "use other words, so that its users, too, read why a post was refused",
        );
    }
    check_braces(&written, shape, faults);
    written.value
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

fn check_braces(written: &Placed<String>, shape: &Shape, faults: &mut Faults) {
    let names = shape.braces.map(|(name, _)| name);
    let mut rest = written.value.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) =
            after.split_once('}').filter(|(name, _)| !before.contains('}') && !name.contains('{'))
        else {
            rest = "}";
            break;
        };
        let name = format!("{{{name}}}");
        if !names.contains(&name.as_str()) {
            faults.error(
                written.span,
                format!("the message cannot fill in `{}`", shown(&name)),
                did_you_mean(&name, &names),
            );
        }
        rest = behind;
    }
    if rest.contains('}') {
        faults.error(
            written.span,
            "a brace of the message has no partner",
            format!("braces stand only around {}", names.join(" and ")),
        );
        return;
    }
    for (name, use_of_it) in shape.braces {
        if !written.value.contains(name) {
            faults.warning(
                written.span,
                format!("the message has no {name}"),
                format!("with it, {use_of_it}"),
            );
        }
    }
}
