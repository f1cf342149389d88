//! Where the words end in letters run together: `johnsmith`, `mypatientjohn`.

use crate::detect::disguise::page::{Page, as_name};

/// The longest word looked for.
const LONGEST: usize = 14;
/// More letters than a post has are not cut.
const MOST: usize = 4000;

/// The places, in bytes, at which a run of small ASCII letters falls into listed words; none if it is one word or does
/// not fall. Each word is worth the logarithm of how common it is, and the dearest way of cutting wins.
pub(super) fn cuts(page: &Page<'_>, letters: &str) -> Vec<usize> {
    if letters.len() > MOST || !letters.is_ascii() || letters.len() < 2 {
        return Vec::new();
    }
    let mut best: Vec<(i32, usize)> = vec![(0, 0)];
    for end in 1..=letters.len() {
        let ways = (end.saturating_sub(LONGEST)..end).filter_map(|start| {
            let before = best.get(start)?.0;
            Some((before + worth(page, letters.get(start..end)?), start))
        });
        best.push(ways.max().unwrap_or((i32::MIN / 2, end - 1)));
    }
    // Words that somebody once wrote cover any letters; a few words that everybody writes cover only themselves.
    let worth = best.last().map_or(i32::MIN, |(worth, _)| *worth);
    if letters.len() < LONGEST * 2 && worth <= UNKNOWN {
        return Vec::new();
    }
    let mut cuts = Vec::new();
    let mut at = letters.len();
    while let Some(&(_, start)) = best.get(at)
        && start > 0
    {
        cuts.push(start);
        at = start;
    }
    cuts.reverse();
    cuts
}

/// What an unlisted word costs: more than all words of a name.
const UNKNOWN: i32 = -200;

fn worth(page: &Page<'_>, word: &str) -> i32 {
    /// What each letter of an unlisted word costs besides.
    const LETTER: i32 = -4;
    let len = i32::try_from(word.len()).unwrap_or(i32::MAX / 64);
    if word.len() == 1 {
        return if matches!(word, "i" | "a") { -9 } else { UNKNOWN };
    }
    let entry = page.look_up(word);
    // Both scales are doublings, some 24 from once to always; a name is a little less likely than a word as common.
    let known = i32::from(entry.word).max(i32::from(as_name(entry)) - 2);
    // The lists hold every string of two or three letters that somebody once wrote.
    let least = match word.len() {
        2 => 14,
        3 => 12,
        4 => 9,
        _ => 7,
    };
    if known >= least { known - 24 } else { UNKNOWN + LETTER * len }
}
