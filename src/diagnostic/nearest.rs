//! "Did you mean": the remedy for a misspelt word, from the words that would have been right.

use std::collections::HashSet;

/// Longest word that is compared; nobody misspells a longer one, and the cost is the product of the lengths.
const MAX_WORD: usize = 64;

/// Most words listed when none is near.
const MAX_LISTED: usize = 24;

/// The candidate that a misspelt word is most likely to mean, if one is near enough to say so.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = fold(word);
    let length = folded.len();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            distance(&folded, &fold(candidate)).map(|distance| (distance, candidate))
        })
        .filter(|(distance, candidate)| *distance <= (length.max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// The remedy as a sentence: the nearest word, or else the words there are.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    if let Some(candidate) = nearest(word, candidates.iter().copied()) {
        return format!("did you mean `{candidate}`?");
    }
    // A name may be given twice, which is a fault of its own.
    let mut seen = HashSet::new();
    let words: Vec<&str> = candidates.iter().copied().filter(|word| seen.insert(*word)).collect();
    let mut listed = words
        .iter()
        .take(MAX_LISTED)
        .map(|candidate| format!("`{candidate}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if words.len() > MAX_LISTED {
        listed.push_str(" ...");
    }
    match words.len() {
        0 => "there is none to name yet".to_owned(),
        1 => format!("write {listed}"),
        _ => format!("use one of {listed}"),
    }
}

/// People mix up case, `_`, `-` and a plural far more often than letters.
fn fold(word: &str) -> Vec<char> {
    word.chars()
        .take(MAX_WORD + 1)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '_' || c == ' ' { '-' } else { c })
        .collect()
}

/// Edits between two words, a swap of neighbours counted as one; `None` where a word is too long to compare.
fn distance(a: &[char], b: &[char]) -> Option<usize> {
    if a.len() > MAX_WORD || b.len() > MAX_WORD {
        return None;
    }
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let at = |row: &[usize], n: usize| row.get(n).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, j) + usize::from(from != to))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped =
                i > 0 && j > 0 && a.get(i - 1) == Some(&to) && b.get(j - 1) == Some(&from);
            if swapped {
                cost = cost.min(at(&before_last, j - 1) + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied()
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn the_nearest_word_is_named_only_if_it_is_near() {
        let words = ["health-plan", "phone", "name", "date", "zip"];
        for (word, want) in [
            ("helth-plan", Some("health-plan")),
            ("HEALTH_PLAN", Some("health-plan")),
            ("pohne", Some("phone")),
            ("names", Some("name")),
            ("zpi", Some("zip")),
            ("telephone-number", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, words), want, "{word}");
        }
    }

    #[test]
    fn no_word_is_too_long_to_refuse() {
        assert_eq!(nearest(&"a".repeat(1 << 20), ["a"]), None);
    }

    #[test]
    fn where_none_is_near_all_are_listed() {
        assert_eq!(
            did_you_mean("deny", &["log", "redact", "block"]),
            "use one of `log`, `redact`, `block`"
        );
        assert_eq!(did_you_mean("deny", &["press", "lab", "press"]), "use one of `press`, `lab`");
        assert_eq!(did_you_mean("deny", &["press", "press"]), "write `press`");
        assert_eq!(did_you_mean("blokc", &["log", "redact", "block"]), "did you mean `block`?");
    }
}
