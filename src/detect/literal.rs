//! Keywords and terms of all rules in one Aho-Corasick automaton, found in one pass.
//!
//! A phrase matches whole words across `-`, `_`, `.`, `/` and spaces in any number: the pass reads each run of them
//! as one space, so `social-security`, `social  security` and `Social_Security` are one phrase.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError, MatchKind, StartKind};
use std::collections::BTreeMap;

use crate::normalize::View;
use crate::rules::{Matcher, Rule};
use crate::span::Span;

/// Above this many bytes of words the table of a DFA outgrows the processor's caches.
const DFA_BYTES: usize = 64 << 10;

/// Why a word was found for a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Use {
    /// It raises hits of the rule near it.
    Keyword,
    /// It is a hit of the rule.
    Term,
}

/// A word or phrase found for one rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hit {
    /// Index into `RuleSet::rules`.
    pub(super) rule: u32,
    pub(super) used: Use,
    pub(super) span: Span,
}

/// Every keyword and term.
#[derive(Debug)]
pub(super) struct Literals {
    table: Table,
    words: Vec<Word>,
}

#[derive(Debug)]
enum Table {
    None,
    Dfa(DFA),
    Nfa(NFA),
}

#[derive(Debug)]
struct Word {
    text: String,
    users: Vec<(u32, Use)>,
}

impl Literals {
    pub(super) fn build(rules: &[Rule]) -> Result<Self, BuildError> {
        let mut users: BTreeMap<String, Vec<(u32, Use)>> = BTreeMap::new();
        for (index, rule) in (0_u32..).zip(rules) {
            let terms = match &rule.matcher {
                Matcher::Terms(terms) => terms.as_slice(),
                Matcher::Pattern(_) | Matcher::Composer(_) => &[],
            };
            let keywords = rule.keywords.as_ref().map_or(&[][..], |keywords| &keywords.words);
            let both = [(terms, Use::Term), (keywords, Use::Keyword)];
            for (words, used) in both {
                for word in words.iter().flat_map(|word| forms(word)) {
                    users.entry(word).or_default().push((index, used));
                }
            }
        }
        let words: Vec<Word> =
            users.into_iter().map(|(text, users)| Word { text, users }).collect();
        let texts = || words.iter().map(|word| word.text.as_str());
        let table = if words.is_empty() {
            Table::None
        } else if texts().map(str::len).sum::<usize>() <= DFA_BYTES {
            let mut builder = DFA::builder();
            let builder = builder.match_kind(MatchKind::Standard).start_kind(StartKind::Unanchored);
            Table::Dfa(builder.build(texts())?)
        } else {
            Table::Nfa(NFA::builder().match_kind(MatchKind::Standard).build(texts())?)
        };
        Ok(Self { table, words })
    }

    /// Adds every word found in a folded text.
    pub(super) fn find(&self, text: &str, out: &mut Vec<Hit>) {
        match &self.table {
            Table::None => {}
            Table::Dfa(table) => self.run(table, text, out),
            Table::Nfa(table) => self.run(table, text, out),
        }
    }

    fn run<A: Automaton>(&self, table: &A, text: &str, out: &mut Vec<Hit>) {
        let Ok(mut state) = table.start_state(Anchored::No) else { return };
        // The text's edge counts as a separator, so that it need not be one.
        let mut in_gap = false;
        for (at, byte) in text.bytes().enumerate() {
            let gap = is_separator(byte);
            if gap && in_gap {
                continue;
            }
            in_gap = gap;
            state = table.next_state(Anchored::No, state, if gap { b' ' } else { byte });
            if table.is_special(state) && table.is_match(state) {
                self.note(table, state, text, at + 1, out);
            }
        }
    }

    /// Adds the words that end here and are whole.
    fn note<A: Automaton>(
        &self,
        table: &A,
        state: StateID,
        text: &str,
        end: usize,
        out: &mut Vec<Hit>,
    ) {
        let next = text.get(end..).and_then(|after| after.chars().next());
        // Whatever ends here ends in the same character.
        let whole = stands_free(next, text.get(..end).and_then(|text| text.chars().next_back()));
        // A label may run into its number: `mrn4471902`.
        let numbered = next.is_some_and(|next| next.is_ascii_digit());
        if !whole && !numbered {
            return;
        }
        for nth in 0..table.match_len(state) {
            let Some(word) = self.words.get(table.match_pattern(state, nth).as_usize()) else {
                continue;
            };
            let Some(start) = start_of(text, end, &word.text) else { continue };
            let span = Span::new(start, end);
            if !stands_free(
                text.get(..start).and_then(|before| before.chars().next_back()),
                word.text.chars().next(),
            ) {
                continue;
            }
            let label = numbered
                && word.text.len() > 2
                && word.text.ends_with(|last: char| last.is_ascii_alphabetic());
            for &(rule, used) in &word.users {
                if whole || (label && used == Use::Keyword) {
                    out.push(Hit { rule, used, span });
                }
            }
        }
    }
}

/// Whether a word's edge beside this neighbour is the end of a word. Scripts without spaces have no such edges.
fn stands_free(neighbour: Option<char>, edge: Option<char>) -> bool {
    let joins = |c: char| c.is_alphanumeric() && u32::from(c) < 0x2E80;
    !(neighbour.is_some_and(joins) && edge.is_some_and(joins))
}

/// Where a word that ends at `end` begins: as many bytes back, each space a run of separators.
fn start_of(text: &str, end: usize, word: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = end;
    for &byte in word.as_bytes().iter().rev() {
        at = at.checked_sub(1)?;
        if byte == b' ' {
            while at > 0 && bytes.get(at - 1).is_some_and(|&byte| is_separator(byte)) {
                at -= 1;
            }
        }
    }
    Some(at)
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'_' | b'.' | b'/' | b'\t' | b'\n' | b'\r')
}

/// A word as the view folds it; and as it is written, since a word of look-alikes alone (`карта`) is folded by itself
/// and left among others of its script.
fn forms(word: &str) -> impl Iterator<Item = String> {
    let folded = squeezed(View::of(word).text());
    let written = Some(squeezed(&word.to_lowercase())).filter(|written| *written != folded);
    std::iter::once(folded).chain(written).filter(|form| !form.is_empty())
}

/// A word with each run of separators made one space.
fn squeezed(word: &str) -> String {
    let parts = word.split(|c: char| u8::try_from(c).is_ok_and(is_separator));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Literals;
    use crate::diagnostic::Source;
    use crate::normalize::View;
    use crate::rules::RuleSetBuilder;

    #[track_caller]
    fn check(words: &str, cases: &[(&str, &[&str])]) {
        let file = format!(
            "[[rule]]\nid = \"a\"\ncategory = \"mrn\"\nterms = [{words}]\nconfidence = \"low\"\nwhy = \"w\"\nfinds = [\"x\"]\nignores = [\"x\", \"y\"]\n\
             keywords = {{ words = [\"label\"], confidence = \"high\" }}\n"
        );
        let set = RuleSetBuilder::default()
            .file(&Source::new("t", file), &|_| Err(String::new()))
            .finish()
            .unwrap();
        let literals = Literals::build(&set.rules).unwrap();
        for (text, want) in cases {
            let mut hits = Vec::new();
            let view = View::of(text);
            literals.find(view.text(), &mut hits);
            let found: Vec<&str> =
                hits.iter().map(|hit| hit.span.of(view.text()).unwrap()).collect();
            assert_eq!(found, *want, "{text:?}");
        }
    }

    #[test]
    fn words_are_whole_and_phrases_cross_separators() {
        check(
            r#""social security", "ss#", "security", "médico", "病历""#,
            &[
                ("Social-Security", &["social-security", "security"]),
                ("social _ security", &["social _ security", "security"]),
                ("social\nsecurity", &["social\nsecurity", "security"]),
                ("asocial security", &["security"]),
                ("insecurity", &[]),
                ("security2", &[]),
                ("SS#123", &["ss#"]),
                ("médico Medico", &["medico", "medico"]),
                ("他的病历号", &["病历"]),
                ("label9", &["label"]),
                ("labels", &[]),
                ("a_label_b", &["label"]),
                ("", &[]),
            ],
        );
    }
}
