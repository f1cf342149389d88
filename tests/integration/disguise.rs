//! What is found in a plain post is found in its disguised copy: a rate for each transform, over our own posts.
//!
//! What counts is what is found in the plain post with medium confidence or better, so that the rate says what a
//! disguise costs and nothing else. It is disguised and the rest of the post is not, as people do it.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that cannot be set up has failed"
)]

#[path = "../../examples/disguise/tables.rs"]
mod tables;
#[expect(dead_code, reason = "the program that writes copies uses the rest")]
#[path = "../../examples/disguise/transform.rs"]
mod transform;

use std::fs;
use std::ops::Range;

use jiff::civil::date;
use postward::detect::{Engine, Piece};
use postward::rules::{Confidence, RuleSet};
use transform::{ALL, Transform, cut};
use unicode_segmentation::UnicodeSegmentation as _;

/// Every so many posts of each file: all of them take minutes.
const STEP: usize = 40;

/// The least percentage of what is found in plain posts that must be found in their copies. What reads as if it had been
/// written plainly loses next to nothing; what must be guessed loses more.
const LEAST: &[(&str, usize)] = &[
    ("zero-width", 98),
    ("word-joiner", 98),
    ("soft-hyphen", 98),
    ("control", 98),
    ("ansi", 98),
    ("struck", 98),
    ("stacked-marks", 98),
    ("accents", 98),
    ("full-width", 98),
    ("bold", 98),
    ("bold-italic-sans", 98),
    ("fraktur", 98),
    ("monospace", 98),
    ("double-struck-digits", 98),
    ("circled", 98),
    ("squared", 88),
    ("negative-circled", 88),
    ("small-capitals", 88),
    ("homoglyphs", 98),
    ("regional-indicators", 88),
    ("keycaps", 98),
    ("arabic-digits", 98),
    ("devanagari-digits", 98),
    ("superscript-digits", 98),
    ("spaced", 77),
    ("spaced-evenly", 70),
    ("dotted", 73),
    ("hyphened", 77),
    ("slashed", 75),
    ("underscored", 80),
    ("emoji-between", 78),
    ("one-a-line", 73),
    ("broken", 85),
    ("leet", 72),
    ("letters-for-digits", 63),
    ("masked", 71),
    ("spelled", 39),
    ("partly-spelled", 28),
    ("spelled-run-together", 28),
    ("nato", 74),
    ("entities", 98),
    ("hex-entities", 98),
    ("percent", 98),
    ("escaped", 98),
    ("at-dot", 98),
    ("bracketed-at-dot", 98),
    ("defanged", 98),
    ("reversed-words", 54),
    ("pig-latin", 58),
    ("reversed", 53),
    ("upside-down", 81),
    ("base64", 81),
    ("hex", 85),
    ("binary", 88),
    ("morse", 66),
    ("rot13", 39),
];

/// Posts that disclose something.
fn posts() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/posts");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    let mut posts = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).unwrap();
        let disclosing = text.lines().filter(|line| line.contains("\"kind\": \"phi\""));
        posts.extend(disclosing.step_by(STEP).map(|line| {
            let post: serde_json::Value = serde_json::from_str(line).unwrap();
            post.get("text").unwrap().as_str().unwrap().to_owned()
        }));
    }
    posts
}

/// What is found in a text, in order; what overlaps is one.
fn found(engine: &Engine, text: &str) -> Vec<Range<usize>> {
    let read = engine.scan(&[Piece { text, label: None }], date(2026, 11, 22));
    let sure =
        read.findings.into_iter().flatten().filter(|one| one.confidence >= Confidence::Medium);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for finding in sure {
        let span = finding.span;
        match ranges.last_mut() {
            Some(last) if span.start() < last.end => last.end = last.end.max(span.end()),
            _ => ranges.push(span.start()..span.end()),
        }
    }
    ranges
}

/// How much of what is found in plain posts is found in their copies: found, and all.
fn rate(
    engine: &Engine,
    plain: &[(String, Vec<Range<usize>>)],
    transform: &Transform,
) -> (usize, usize) {
    let (mut n_found, mut n_all) = (0, 0);
    for (text, ranges) in plain {
        let (copy, places) = transform.run(&cut(text, ranges.iter().cloned()).unwrap(), false);
        if copy == *text {
            continue;
        }
        let there = found(engine, &copy);
        let edges: Vec<usize> =
            copy.grapheme_indices(true).map(|(at, _)| at).chain([copy.len()]).collect();
        for range in &there {
            let whole = edges.binary_search(&range.start).is_ok()
                && edges.binary_search(&range.end).is_ok();
            assert!(whole, "{} splits a grapheme", transform.name);
        }
        for (before, after) in ranges.iter().zip(places) {
            if text[before.clone()] == copy[after.clone()] {
                continue;
            }
            let covers = |at: usize| there.iter().any(|range| range.contains(&at));
            let mut told = copy[after.clone()].char_indices().filter(|(_, c)| !c.is_whitespace());
            n_all += 1;
            n_found += usize::from(told.all(|(at, _)| covers(after.start + at)));
        }
    }
    (n_found, n_all)
}

#[test]
fn what_is_found_in_a_plain_post_is_found_in_a_disguised_one() {
    let engine = Engine::build(&RuleSet::embedded()).unwrap();
    let plain: Vec<(String, Vec<Range<usize>>)> = posts()
        .into_iter()
        .map(|text| {
            let ranges = found(&engine, &text);
            (text, ranges)
        })
        .filter(|(_, ranges)| !ranges.is_empty())
        .collect();
    assert!(plain.len() > 50, "too few posts to tell a rate");
    let mut short = Vec::new();
    for transform in ALL {
        let (n_found, n_all) = rate(&engine, &plain, transform);
        let percent = n_found * 100 / n_all.max(1);
        println!("{:24} {n_found:4} / {n_all:4} {percent:4} %", transform.name);
        let least = LEAST.iter().find(|(name, _)| *name == transform.name).unwrap().1;
        if percent < least {
            short.push(format!("{}: {percent} %, and not {least}", transform.name));
        }
    }
    assert!(short.is_empty(), "{short:#?}");
}
