//! Markers that fit where they stand: short enough for the platform's limit, different where texts must differ, never
//! nothing where there must be something, and written so that no markup takes them for its own.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use crate::body::{Document, Role};
use crate::inspect::address;
use crate::platform::{Markup, Platform, list_of, united, widen};
use crate::redact::{Splice, splice};

use super::rewrite::Planned;

/// How much room markers may take.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Brevity {
    /// As the policy has them.
    Full,
    /// None longer than what it stands for.
    Short,
    /// One character each.
    Least,
}

impl Brevity {
    pub(super) const ALL: [Self; 3] = [Self::Full, Self::Short, Self::Least];
}

/// What stands for the policy's own words where there is no room for them: signs of omission, ASCII, none of them markup.
const SHORTER: [&str; 3] = ["[...]", "...", "-"];

/// The splices as they must be written: nothing cut in two, each marker short enough, and escaped.
pub(super) fn written(
    text: &str,
    splices: &[Splice],
    markup: Option<Markup>,
    brevity: Brevity,
) -> Option<Vec<Splice>> {
    let addresses = united(address::links(text), address::tags(text));
    let wholes = markup.map(|markup| markup.wholes(text)).unwrap_or_default();
    let wholes = united(wholes, addresses);
    let mut written: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        let marker = short(text, splice, brevity);
        let span = widen(&wholes, splice.span);
        let with = if span == splice.span { marker.to_owned() } else { address::plain(marker) };
        match written.last_mut() {
            // Two findings in one element: the one marker stands for both.
            Some(last) if last.span.end() > span.start() => last.span = last.span.union(span),
            _ => written.push(Splice { span, with }),
        }
    }
    match markup {
        Some(markup) => markup.settle(text, written),
        None => Some(written),
    }
}

fn short<'a>(text: &str, splice: &'a Splice, brevity: Brevity) -> &'a str {
    let marker = splice.with.as_str();
    // What is taken out without a word stays so: another splice beside it has the marker.
    if marker.is_empty() || brevity == Brevity::Full {
        return marker;
    }
    if brevity == Brevity::Least {
        return "-";
    }
    // No platform counts a text as shorter than this.
    let room = splice.span.of(text).map_or(0, |gone| gone.graphemes(true).count());
    let fits = |marker: &&str| marker.len() <= room;
    if marker.is_ascii() && fits(&marker) {
        return marker;
    }
    SHORTER.into_iter().find(fits).unwrap_or("-")
}

/// Sees to it that edited texts which must differ from others of their list do, by numbers in their markers.
pub(super) fn keep_distinct(
    platform: &Platform,
    document: &Document,
    planned: &mut [Planned<'_>],
) -> Option<()> {
    let lists: HashSet<String> = planned
        .iter()
        .filter(|plan| plan.spec.is_distinct())
        .map(|plan| plan.list(document))
        .collect();
    if lists.is_empty() {
        return Some(());
    }
    let edited: HashSet<usize> = planned.iter().map(|plan| plan.text).collect();
    let mut taken: HashSet<(String, String)> = HashSet::new();
    for (index, text) in document.texts().iter().enumerate() {
        if text.role == Role::Value
            && !edited.contains(&index)
            && !document.is_another_reading(index)
        {
            let list = list_of(&text.path);
            if lists.contains(&list) {
                taken.insert((list, folded(text.text.expose())));
            }
        }
    }
    let mut next: HashMap<(String, String), usize> = HashMap::new();
    for plan in planned.iter_mut().filter(|plan| plan.spec.is_distinct()) {
        let list = plan.list(document);
        let base = (list.clone(), folded(&plan.after));
        if taken.insert(base.clone()) {
            continue;
        }
        let shown = plan.splices.iter().rposition(|splice| !splice.with.is_empty());
        let shown = shown.unwrap_or(plan.splices.len().checked_sub(1)?);
        let base_marker = plan.splices.get(shown)?.with.clone();
        let number = next.entry(base).or_insert(2);
        loop {
            let after = numbered(platform, plan, (shown, &base_marker), *number)?;
            *number += 1;
            if taken.insert((list.clone(), folded(&after))) {
                plan.after = after;
                break;
            }
        }
    }
    Some(())
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The text with a number in its last marker: `[name 2]`, or, where there is no room for that, `2`. Neither a digit nor a
/// blank is markup anywhere.
fn numbered(
    platform: &Platform,
    plan: &mut Planned<'_>,
    (nth, marker): (usize, &str),
    number: usize,
) -> Option<String> {
    let closed = ["\\]", "]"].into_iter().find_map(|end| Some((marker.strip_suffix(end)?, end)));
    let full = match closed {
        Some((open, end)) => format!("{open} {number}{end}"),
        None => format!("{marker} {number}"),
    };
    for with in [full, number.to_string()] {
        plan.splices.get_mut(nth)?.with = with;
        let after = splice(plan.before, &plan.splices)?;
        if platform.still_fits(plan.spec, plan.before, &after) {
            return Some(after);
        }
    }
    None
}
