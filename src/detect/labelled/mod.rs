//! Numbers beside their labels, in whatever layout people write them.
//!
//! A label decides, not a shape: after `MRN` stands a record number, whether it is written `4471902`, `XR-4410-26`,
//! `4 4 7 1 9 0 2` or `four four seven one`. A rule names its labels as keywords and claims one of two composers:
//! `number-beside-label` for words that are labels and nothing else, `number-beside-word` for ordinary words (`visit`,
//! `policy`, `case`), which need a number that can be nothing else. Read are `label number`, `label: number`,
//! lists after one label, `number (label)`, a label in one cell and its number in the next, and columns of pasted
//! tables under their head. Each label looks at a bounded stretch, so the cost is linear.

pub(super) mod code;
mod table;
pub(super) mod words;

use crate::detect::token::{Gap, Text};
use crate::span::Span;

use code::{Code, between, counts_something, is_filler, is_marker};

/// How many words further on a number may stand.
const FORWARD: usize = 16;

/// How many of them in the label's own sentence.
const SENTENCE: usize = 10;

/// How many words further back.
const BACK: usize = 5;

/// The most numbers after one label.
const MOST_LISTED: usize = 24;

/// What kind of word the labels of a rule are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Label {
    /// A label and nothing else: `mrn`.
    Sure,
    /// An ordinary word that may be one: `visit`.
    Word,
}

impl Label {
    /// The composers of this room by the names that rules claim.
    pub(super) const ALL: [(&str, Self); 2] =
        [("number-beside-label", Self::Sure), ("number-beside-word", Self::Word)];

    /// The composer of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, label)| *label)
    }
}

/// Adds the numbers that belong to these labels, which are sorted.
pub(super) fn find(text: &Text, labels: &[Span], kind: Label, out: &mut Vec<Span>) {
    let mut tables = table::Tables::new(text);
    let mut done = 0;
    for (nth, label) in labels.iter().enumerate() {
        // A label within a longer one that begins at the same place, or that was read past, says nothing more.
        let longer = labels.get(nth + 1).is_some_and(|next| next.covers(*label));
        if longer || label.end() < done {
            continue;
        }
        // `/plan-costs/`: an ordinary word within a link is none.
        let head = text.view.text().get(..label.start()).unwrap_or_default();
        if kind == Label::Word && in_link(head) {
            continue;
        }
        let before = out.len();
        // What stands beyond the next label is that one's.
        let next = labels.get(nth + 1..).unwrap_or_default();
        let until = next.iter().find(|next| next.start() >= label.end()).map(|next| next.start());
        forward(text, *label, until.unwrap_or(usize::MAX), kind, out);
        if out.len() == before {
            tables.column(*label, kind, out);
        }
        if out.len() == before {
            back(text, *label, done, kind, out);
        }
        done = done.max(label.end());
    }
    out.sort_unstable();
    out.dedup();
}

/// What stands between a label and a place after it.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// A mark or word that announces a number: `:`, `#`, `number`.
    marked: bool,
    /// Words that say something else.
    n_others: usize,
    /// The word right before announces a number.
    just_marked: bool,
    /// Words since a sentence ended, if one did.
    since_stop: Option<usize>,
}

/// Looks for numbers after a label.
fn forward(text: &Text, label: Span, until: usize, kind: Label, out: &mut Vec<Span>) {
    let view = text.view.text();
    let mut way = Way {
        marked: label.of(view).is_some_and(|label| label.ends_with('#') || ends_in_marker(label)),
        ..Way::default()
    };
    let mut at = text.tokens.partition_point(|token| token.span.end() <= label.end());
    let mut end = label.end();
    for nth in 0..=FORWARD {
        let Some(token) = text.tokens.get(at).filter(|token| token.span.start() < until) else {
            return;
        };
        // The label may run into its number: `mrn4471902`.
        let from = (token.span.start() < label.end()).then_some(label.end());
        if from.is_none() {
            let gap = between(text, end, token);
            let line = token.gap.has(Gap::LINE);
            let stops = token.gap.has(Gap::STOP) && (token.gap.has(Gap::SPACE) || line);
            // What stands in a link is the link's.
            if gap.contains("://") {
                return;
            }
            // `.. a wristband on the floor. It says W-55310-2`
            if stops && way.n_others > 0 {
                if kind == Label::Word || way.since_stop.is_some() {
                    return;
                }
                way.since_stop = Some(0);
            } else {
                way.since_stop = way.since_stop.map(|n_words| n_words + 1);
            }
            let far = way.since_stop.map_or(nth > SENTENCE, |n_words| n_words > 3);
            if far || (line && (way.n_others > 0 || nth > 3)) {
                return;
            }
            way.just_marked = gap.contains(['#', '=', ':', '№', 'º', '°']) || way.just_marked;
            way.marked |= way.just_marked;
        }
        if let Some(mut code) = Code::at(text, at, from) {
            // A hash that ends the label is no part of the number.
            if code.start <= label.end()
                && view.get(code.start..).is_some_and(|v| v.starts_with('#'))
            {
                code.start += 1;
            }
            if is_told(text, &code, kind, way) {
                out.push(code.span());
                return listed(text, code, out);
            }
            // A date or a dose is passed over whole.
            let said = code.n_spelled == code.n_groups && code.n_digits <= 2;
            let n_others = way.n_others + usize::from(!said);
            way = Way { n_others, just_marked: false, ..way };
            (at, end) = (code.next, code.end);
            continue;
        }
        let word = text.word(token);
        way.just_marked = is_marker(word);
        way.marked |= way.just_marked && way.n_others == 0;
        if !is_filler(word) {
            way.n_others += 1;
        }
        end = token.span.end();
        at += 1;
    }
}

/// Whether a label says of itself that it is a number's.
fn ends_in_marker(label: &str) -> bool {
    label.rsplit([' ', '-', '.', '_']).next().is_some_and(is_marker)
}

/// Whether a number is the label's: the weaker the label and the further off, the more it must look like one.
fn is_told(text: &Text, code: &Code, kind: Label, way: Way) -> bool {
    let head = text.view.text().get(..code.start).unwrap_or_default();
    let thousands = code.has_commas() && (kind == Label::Word || code.n_digits < 7);
    // `the wifi's code 447190`: a password, not a person.
    let password = head.trim_end().ends_with("code") && code.n_digits <= 6 && code.n_letters == 0;
    if thousands
        || password && kind == Label::Word
        || (code.is_range() && way.n_others > 0)
        || code.is_date()
        || code.is_decimal()
        || head.ends_with(['$', '€', '£', '~'])
    {
        return false;
    }
    if way.n_others > 0 && in_link(head) {
        return false;
    }
    if code.n_letters == 0 && counts_something(text, code.next.saturating_sub(1)) {
        return false;
    }
    let spelled = code.n_spelled > 0;
    let mixed =
        code.n_letters > 0 && (code.letters_first || code.is_joined() || code.n_digits >= 5);
    let (marked, year) = (way.marked || way.just_marked, code.is_year());
    if kind == Label::Word && code.is_of_year() && !marked {
        return false;
    }
    if spelled && code.n_spelled < 4 && code.n_digits < 5 {
        return false;
    }
    match (kind, way.n_others) {
        (Label::Sure, 0) => {
            (code.n_digits >= 4 && (!year || way.just_marked))
                || (code.n_digits >= 3 && !year && (marked || mixed))
                || (code.n_digits >= 2 && mixed && code.n_letters >= 3 && marked)
                || (code.n_digits >= 1 && mixed && code.n_letters >= 6 && marked)
        }
        (Label::Sure, _) if way.since_stop.is_some() => {
            !code.is_phone() && code.n_digits >= if mixed { 5 } else { 7 }
        }
        (Label::Sure, _) => {
            !year
                && (code.n_digits >= 6
                    || (code.n_digits >= 5 && mixed)
                    || (code.n_digits >= 4 && way.just_marked))
                && !code.is_phone()
        }
        (Label::Word, 0) => {
            (marked && code.n_digits >= 4 && !year && !code.is_phone())
                || (code.n_digits >= 6 && !code.is_phone() && !code.is_measure())
                || (mixed && code.n_digits >= 5)
                || (mixed && code.n_digits >= 4 && (code.n_groups >= 3 || marked))
        }
        (Label::Word, _) => {
            !code.is_phone()
                && !code.is_measure()
                && ((way.just_marked && code.n_digits >= 5)
                    || (mixed && code.n_digits >= 6 && way.n_others <= 4)
                    || (way.n_others <= 1 && code.n_digits >= 7))
        }
    }
}

/// Whether a text breaks off within a link, an address or a query: `bit.ly/`, `?ref=`.
fn in_link(head: &str) -> bool {
    let mut back = head.chars().rev();
    back.next().is_some_and(|last| {
        matches!(last, '.' | '/' | '@' | '=' | '?' | '&' | '%' | '-' | '_' | '\'')
    }) && back.next().is_some_and(char::is_alphanumeric)
}

/// Adds the numbers that a list goes on with: `40018772 and 40018779`.
fn listed(text: &Text, first: Code, out: &mut Vec<Span>) {
    let mut last = first;
    for _ in 0..MOST_LISTED {
        let mut at = last.next;
        let mut joined = false;
        let mut end = last.end;
        for _ in 0..2 {
            let Some(token) = text.tokens.get(at) else { return };
            joined |= between(text, end, token).contains([',', '/', '&', '+', '\n', ';', '|']);
            let links = matches!(
                text.word(token),
                "and"
                    | "y"
                    | "e"
                    | "et"
                    | "or"
                    | "und"
                    | "then"
                    | "plus"
                    | "i"
                    | "not"
                    | "vs"
                    | "versus"
            );
            if !links {
                break;
            }
            joined = true;
            end = token.span.end();
            at += 1;
        }
        let Some(code) = Code::at(text, at, None).filter(|_| joined) else { return };
        let alike = code.n_digits.abs_diff(last.n_digits) <= 1
            && (code.n_letters > 0) == (last.n_letters > 0)
            && code.n_digits >= 4;
        if !alike || code.is_date() || code.is_year() {
            return;
        }
        out.push(code.span());
        last = code;
    }
}

/// Looks for a number before its label: `4471902 is his MRN`, `4471902 (MRN)`.
fn back(text: &Text, label: Span, from: usize, kind: Label, out: &mut Vec<Span>) {
    let at = text.tokens.partition_point(|token| token.span.end() <= label.start());
    let mut n_others = 0;
    let mut after = at;
    for offset in 1..=BACK {
        let Some(before) = at.checked_sub(offset) else { return };
        let (Some(token), Some(next)) = (text.tokens.get(before), text.tokens.get(after)) else {
            return;
        };
        let stops = next.gap.has(Gap::STOP) && next.gap.has(Gap::SPACE);
        if token.span.start() < from || stops || next.gap.has(Gap::LINE) {
            return;
        }
        after = before;
        if token.shape.is_number() {
            // The number may have begun some words before.
            let begun = (before.saturating_sub(6)..=before)
                .find_map(|from| Code::at(text, from, None).filter(|code| code.next == before + 1));
            let told = begun.filter(|code| {
                let enough = match kind {
                    Label::Sure => 5,
                    Label::Word => 7,
                };
                code.n_digits >= enough && !code.is_date() && !code.is_phone()
            });
            if let Some(code) = told {
                out.push(code.span());
            }
            return;
        }
        if !is_filler(text.word(token)) {
            n_others += 1;
        }
        if n_others > usize::from(kind == Label::Sure) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, find};
    use crate::detect::token::Text;
    use crate::span::Span;

    #[track_caller]
    fn check(kind: Label, label: &str, cases: &[(&str, &[&str])]) {
        for (text, want) in cases {
            let cut = Text::of(text);
            let view = cut.view.text();
            let labels: Vec<Span> =
                view.match_indices(label).map(|(at, _)| Span::new(at, at + label.len())).collect();
            let mut found = Vec::new();
            find(&cut, &labels, kind, &mut found);
            let found: Vec<&str> =
                found.iter().map(|span| cut.view.to_original(*span).of(text).unwrap()).collect();
            assert_eq!(found, *want, "{text:?}");
        }
    }

    #[test]
    fn a_label_decides_in_every_layout() {
        check(
            Label::Sure,
            "mrn",
            &[
                ("MRN 4471902", &["4471902"]),
                ("mrn4471902", &["4471902"]),
                ("MRN: #SF-998877)", &["#SF-998877"]),
                ("MRN\n4471902", &["4471902"]),
                ("MRN is four four seven one nine", &["four four seven one nine"]),
                (
                    "mrn's are 40018772, 40018773 and 40018779",
                    &["40018772", "40018773", "40018779"],
                ),
                ("his MRN for the redraw was, I think, 4471902", &["4471902"]),
                ("4471902 is the MRN", &["4471902"]),
                ("00 44 71 (MRN)", &["00 44 71"]),
                (
                    "name|mrn|dob\nRoe|4471902|3/4/1950\nDoe|4471903|3/4/1951",
                    &["4471902", "4471903"],
                ),
                ("name,mrn\n\"Roe, J\",4471902", &["4471902"]),
                ("MRN | 4471902", &["4471902"]),
                ("mrn=4471902;", &["4471902"]),
                ("the MRN is missing. Call 555-0142", &[]),
                ("MRN pending, bed 12, 40 units", &[]),
                ("MRN since 2019", &[]),
                ("mrn 3/14/2026", &[]),
            ],
        );
    }

    #[test]
    fn an_ordinary_word_needs_a_number_that_can_be_nothing_else() {
        check(
            Label::Word,
            "visit",
            &[
                ("visit V000771920", &["V000771920"]),
                ("visit #44719", &["#44719"]),
                ("visit number 44719", &["44719"]),
                ("visit 2024-0113-77", &["2024-0113-77"]),
                ("visit 12 patients", &[]),
                ("visit us in 2024", &[]),
                ("visit 3/14/2026", &[]),
                ("visit 4000 homes", &[]),
            ],
        );
    }
}
