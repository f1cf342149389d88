//! Patterns: which rules run over a text, where, and all their hits.
//!
//! A rule that needs a keyword runs only around its keywords. Of the others, those that cannot match are left out by
//! what the text does not hold, one `RegexSet` chooses among the rest, and each chosen rule's own regex gives all its
//! spans: a search for many patterns at once would hide what another rule's hit covers.

use regex::{RegexSet, RegexSetBuilder};

use crate::rules::{Matcher, Needs, Pattern, Rule};
use crate::span::Span;

/// How far from a keyword a hit may stand, in characters.
pub(super) const REACH: usize = 50;

/// A pattern without bound is run over stretches of this many bytes, which keeps its cost linear ...
const STRETCH: usize = 4096;

/// ... that overlap by as much as any identifier is long.
const OVERLAP: usize = 512;

/// Beyond this the set would cost more memory than it saves time.
const SET_SIZE: usize = 64 << 20;

/// With fewer rules left, asking each is quicker than asking the set.
const FEW: usize = 3;

/// Patterns by how they are chosen.
#[derive(Debug)]
pub(super) struct Patterns {
    /// Rules that read the whole text: index into `RuleSet::rules`, and the pattern.
    free: Vec<(usize, Pattern)>,
    set: Option<RegexSet>,
}

/// A hit of a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) rule: usize,
    /// The part to redact.
    pub(super) id: Span,
}

impl Patterns {
    pub(super) fn build(rules: &[Rule]) -> Self {
        let free: Vec<(usize, Pattern)> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.confidence.is_some())
            .filter_map(|(index, rule)| match &rule.matcher {
                Matcher::Pattern(pattern) => Some((index, pattern.clone())),
                Matcher::Terms(_) | Matcher::Composer(_) => None,
            })
            .collect();
        let all = free.iter().map(|(_, pattern)| pattern.regex().as_str());
        // Without a set every rule is asked: slower, and as right.
        let set =
            RegexSetBuilder::new(all).size_limit(SET_SIZE).dfa_size_limit(SET_SIZE).build().ok();
        Self { free, set }
    }

    /// Adds the hits of the rules that read the whole text, given what that holds.
    pub(super) fn find(&self, text: &str, held: Needs, out: &mut Vec<Hit>) {
        let can = |pattern: &Pattern| pattern.needs().met_by(held);
        let left = self.free.iter().filter(|(_, pattern)| can(pattern)).count();
        if left == 0 {
            return;
        }
        let whole = Span::new(0, text.len());
        match &self.set {
            Some(set) if left > FEW => {
                for index in set.matches(text) {
                    if let Some((rule, pattern)) = self.free.get(index) {
                        run(*rule, pattern, text, whole, out);
                    }
                }
            }
            _ => {
                for (rule, pattern) in self.free.iter().filter(|(_, pattern)| can(pattern)) {
                    run(*rule, pattern, text, whole, out);
                }
            }
        }
    }
}

/// Adds a rule's hits around its keywords, which are sorted.
pub(super) fn near(
    rule: usize,
    pattern: &Pattern,
    text: &str,
    keywords: &[Span],
    out: &mut Vec<Hit>,
) {
    // A character is four bytes at most, an ASCII text's is one.
    let reach = if text.is_ascii() { REACH } else { REACH * 4 };
    let reach = reach + pattern.max_len().unwrap_or(OVERLAP).min(OVERLAP);
    let mut window: Option<Span> = None;
    for keyword in keywords {
        let next = Span::new(
            keyword.start().saturating_sub(reach),
            (keyword.end() + reach).min(text.len()),
        );
        window = match window {
            Some(open) if open.end() >= next.start() => Some(open.union(next)),
            Some(open) => {
                run(rule, pattern, text, open, out);
                Some(next)
            }
            None => Some(next),
        };
    }
    if let Some(open) = window {
        run(rule, pattern, text, open, out);
    }
}

/// Adds a pattern's hits within a window. What stands before the window is seen by `\b`; its end is moved to the end
/// of a word, so that no hit ends within one.
fn run(rule: usize, pattern: &Pattern, text: &str, window: Span, out: &mut Vec<Hit>) {
    if pattern.max_len().is_some() || window.len() <= STRETCH {
        return search(rule, pattern, text, window, out);
    }
    let mut start = window.start();
    while start < window.end() {
        let end = (start + STRETCH).min(window.end());
        let first = out.len();
        search(rule, pattern, text, Span::new(start, end), out);
        let last = out.get(first..).and_then(<[Hit]>::last).map_or(0, |hit| hit.id.end());
        start = if end == window.end() { end } else { (end - OVERLAP).max(last) };
    }
}

fn search(rule: usize, pattern: &Pattern, text: &str, window: Span, out: &mut Vec<Hit>) {
    let window = self::window(text, window);
    let (Some(haystack), mut at) = (text.get(..window.end()), window.start()) else { return };
    while at <= haystack.len() {
        let Some(hit) = pattern.regex().find_at(haystack, at) else { return };
        let id = match pattern.id_group() {
            None => Some(hit.range()),
            Some(group) => pattern
                .regex()
                .captures_at(haystack, hit.start())
                .and_then(|groups| groups.get(group))
                .map(|id| id.range()),
        };
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            out.push(Hit { rule, id: id.into() });
        }
        if hit.is_empty() {
            return;
        }
        at = hit.end();
    }
}

/// A stretch of text widened to whole characters, its end to the end of a word.
pub(super) fn window(text: &str, wanted: Span) -> Span {
    Span::new(boundary(text, wanted.start()), word_end(text, wanted.end()))
}

/// The end of the word in which a place stands; of a very long one, the place itself.
fn word_end(text: &str, at: usize) -> usize {
    let at = boundary(text, at);
    let rest = text.get(at..).unwrap_or_default();
    rest.char_indices()
        .take(OVERLAP)
        .find(|(_, c)| !c.is_alphanumeric() && *c != '_')
        .map_or_else(|| if rest.len() < OVERLAP { text.len() } else { at }, |(by, _)| at + by)
}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().take(4).find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
