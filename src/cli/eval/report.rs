//! What `eval` writes: a table for people, JSON for machines, and the lists that are asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::cli::eval::corpus::{Corpus, MarkedPost};
use crate::cli::eval::score::{Label, PostScore, Posts, Tally, ratio};
use crate::cli::style::{self, paint};
use crate::rules::Category;

/// One corpus, scored.
pub(super) struct Scored {
    pub(super) corpus: Corpus,
    pub(super) posts: Vec<PostScore>,
    pub(super) tally: Tally,
}

/// Which lists are asked for.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    pub(super) missed: bool,
    pub(super) false_alarms: bool,
}

impl Scored {
    pub(super) fn new(corpus: Corpus, posts: Vec<PostScore>) -> Self {
        let mut tally = Tally::default();
        for post in &posts {
            tally += &post.tally;
        }
        Self { corpus, posts, tally }
    }

    fn pairs(&self) -> impl Iterator<Item = (&MarkedPost, &PostScore)> {
        self.corpus.posts.iter().zip(&self.posts)
    }
}

fn total(scored: &[Scored]) -> Tally {
    let mut total = Tally::default();
    for one in scored {
        total += &one.tally;
    }
    total
}

/// The lists, the table of corpora, and the table of categories.
pub(super) fn human(scored: &[Scored], lists: Lists) -> String {
    let mut text = String::new();
    for one in scored {
        list(one, lists, &mut text);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let total = total(scored);
    corpora(scored, &total, &mut text);
    categories(&total, &mut text);
    remarks(&total, &mut text);
    text
}

fn list(scored: &Scored, lists: Lists, text: &mut String) {
    for (post, score) in scored.pairs() {
        if lists.missed {
            for missed in &score.missed {
                let words = style::printable(missed.span.of(&post.text).unwrap_or_default());
                let how = if missed.blocked { "blocked" } else { "missed" };
                let whole = paint(style::QUIET, &style::printable(&post.text));
                let _ = writeln!(
                    text,
                    "{how:<11} {} {} \"{words}\"  {whole}",
                    post.id, missed.category
                );
            }
        }
        if lists.false_alarms {
            for found in &score.false_alarms {
                let words = style::printable(found.span.of(&post.text).unwrap_or_default());
                let sure = found.confidence.as_str();
                let whole = paint(style::QUIET, &style::printable(&post.text));
                let _ = writeln!(
                    text,
                    "false-alarm {} {} {sure} \"{words}\"  {whole}",
                    post.id, found.rule
                );
            }
        }
    }
}

fn corpora(scored: &[Scored], total: &Tally, text: &mut String) {
    let width = scored.iter().map(|one| one.corpus.name.chars().count()).max().unwrap_or(0).max(8);
    let heading = format!(
        "{:<width$}  {:>22}  {:>20}  {:>20}\n{:<width$}  {:>13} {:>8}  {:>11} {:>8}  {:>11} {:>8}",
        "",
        "identifiers",
        "posts that disclose",
        "clean posts",
        "corpus",
        "found",
        "recall",
        "safe",
        "share",
        "alarmed",
        "share"
    );
    let _ = writeln!(text, "{}", paint(style::HEADING, &heading));
    let mut row = |name: &str, tally: &Tally| {
        let all = tally.all_labels();
        let Posts { n, n_safe, .. } = tally.disclosing;
        let _ = writeln!(
            text,
            "{name:<width$}  {:>13} {:>8}  {:>11} {:>8}  {:>11} {:>8}",
            of(all.n_found, all.n_marks),
            share(all.n_found, all.n_marks),
            of(n_safe, n),
            share(n_safe, n),
            of(tally.n_clean_alarmed, tally.n_clean),
            share(tally.n_clean_alarmed, tally.n_clean),
        );
    };
    for one in scored {
        row(&one.corpus.name, &one.tally);
    }
    if scored.len() > 1 {
        row("all", total);
    }
}

fn categories(total: &Tally, text: &mut String) {
    let heading = format!(
        "\n{:<12} {:>13} {:>8} {:>12} {:>14} {:>14}",
        "category", "found", "recall", "or blocked", "false alarms", "in clean posts"
    );
    let _ = writeln!(text, "{}", paint(style::HEADING, &heading));
    let mut row = |name: &str, label: Label, n_false: usize, n_in_clean: usize| {
        let _ = writeln!(
            text,
            "{name:<12} {:>13} {:>8} {:>12} {n_false:>14} {n_in_clean:>14}",
            of(label.n_found, label.n_marks),
            share(label.n_found, label.n_marks),
            share(label.n_safe, label.n_marks),
        );
    };
    for category in Category::ALL {
        let label = total.labels.get(&category).copied().unwrap_or_default();
        let n_false = total.false_alarms.get(&category).copied().unwrap_or_default();
        let n_in_clean = total.false_alarms_in_clean.get(&category).copied().unwrap_or_default();
        if label.n_marks + n_false > 0 {
            row(category.as_str(), label, n_false, n_in_clean);
        }
    }
    let n_in_clean = total.false_alarms_in_clean.values().sum();
    row("all", total.all_labels(), total.n_false_alarms(), n_in_clean);
}

fn remarks(total: &Tally, text: &mut String) {
    let n_counted = total.n_hits + total.n_false_alarms();
    let _ = write!(
        text,
        "\nfindings acted on that hit a mark: {} ({}); {} neither right nor wrong",
        of(total.n_hits, n_counted),
        share(total.n_hits, n_counted),
        total.n_neutral,
    );
    let Posts { n, n_found, n_safe } = total.disclosing;
    let _ = write!(
        text,
        "\nposts safe because all was found: {}; with those blocked: {}",
        of(n_found, n),
        of(n_safe, n)
    );
    if total.obfuscated.n > 0 {
        let marks = total.obfuscated_marks;
        let _ = write!(
            text,
            "\nobfuscated: found {} ({}); posts safe {} ({})",
            of(marks.n_found, marks.n_marks),
            share(marks.n_found, marks.n_marks),
            of(total.obfuscated.n_safe, total.obfuscated.n),
            share(total.obfuscated.n_safe, total.obfuscated.n),
        );
    }
    if total.n_lookalikes > 0 {
        let touched = of(total.n_lookalikes_touched, total.n_lookalikes);
        let share = share(total.n_lookalikes_touched, total.n_lookalikes);
        let _ = write!(text, "\nlook-alikes touched: {touched} ({share})");
    }
}

fn of(part: usize, whole: usize) -> String {
    format!("{part} / {whole}")
}

fn share(part: usize, whole: usize) -> String {
    ratio(part, whole).map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// The same for machines: `corpora` in the order given, and `total`.
pub(super) fn json(scored: &[Scored], lists: Lists) -> Value {
    let corpora: Vec<Value> = scored
        .iter()
        .map(|one| {
            let mut object = tally_json(&one.tally);
            object.insert("name".to_owned(), json!(one.corpus.name));
            if lists.missed {
                object.insert("missed".to_owned(), missed_json(one));
            }
            if lists.false_alarms {
                object.insert("false_alarm_list".to_owned(), false_alarms_json(one));
            }
            Value::Object(object)
        })
        .collect();
    json!({ "corpora": corpora, "total": tally_json(&total(scored)) })
}

fn tally_json(tally: &Tally) -> Map<String, Value> {
    let labels: Map<String, Value> = tally
        .labels
        .iter()
        .map(|(category, label)| (category.to_string(), label_json(*label)))
        .collect();
    let object = json!({
        "posts": tally.n_posts,
        "identifiers": label_json(tally.all_labels()),
        "categories": labels,
        "disclosing": posts_json(tally.disclosing),
        "obfuscated": posts_json(tally.obfuscated),
        "obfuscated_identifiers": label_json(tally.obfuscated_marks),
        "clean": { "posts": tally.n_clean, "alarmed": tally.n_clean_alarmed },
        "findings": { "hits": tally.n_hits, "false_alarms": tally.n_false_alarms(), "neutral": tally.n_neutral },
        "false_alarms": counts_json(&tally.false_alarms),
        "false_alarms_in_clean": counts_json(&tally.false_alarms_in_clean),
        "look_alikes": { "marked": tally.n_lookalikes, "touched": tally.n_lookalikes_touched },
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn counts_json(counts: &BTreeMap<Category, usize>) -> Value {
    counts.iter().map(|(category, n)| (category.to_string(), json!(n))).collect()
}

fn label_json(label: Label) -> Value {
    let recall = ratio(label.n_found, label.n_marks);
    json!({ "marked": label.n_marks, "found": label.n_found, "safe": label.n_safe, "recall": recall })
}

fn posts_json(posts: Posts) -> Value {
    json!({ "posts": posts.n, "found": posts.n_found, "safe": posts.n_safe })
}

fn missed_json(scored: &Scored) -> Value {
    let rows = scored.pairs().flat_map(|(post, score)| {
        score.missed.iter().map(|missed| {
            json!({
                "id": post.id,
                "category": missed.category.as_str(),
                "words": missed.span.of(&post.text),
                "blocked": missed.blocked,
            })
        })
    });
    rows.collect()
}

fn false_alarms_json(scored: &Scored) -> Value {
    let rows = scored.pairs().flat_map(|(post, score)| {
        score.false_alarms.iter().map(|found| {
            json!({
                "id": post.id,
                "category": found.category.as_str(),
                "rule": found.rule.as_str(),
                "confidence": found.confidence.as_str(),
                "action": found.action.as_str(),
                "words": found.span.of(&post.text),
            })
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Lists, Scored, human};
    use crate::cli::eval::corpus::{Corpus, post};
    use crate::cli::eval::score::{Found, score};
    use crate::policy::Action;
    use crate::rules::{Category, Confidence, RuleId};
    use crate::span::Span;

    fn found(start: usize, end: usize, category: Category, action: Action) -> Found {
        Found {
            span: Span::new(start, end),
            category,
            action,
            rule: RuleId::try_from(format!("{category}-rule")).expect("kebab-case"),
            confidence: Confidence::High,
        }
    }

    fn scored() -> Scored {
        let posts = vec![
            post(
                r#"{"id":"p1","text":"Jane Roe in 412","kind":"phi","note":"obfuscation: none",
                "spans":[{"start":0,"end":8,"label":"NAME"},{"start":12,"end":15,"label":"LOCATION"}]}"#,
            ),
            post(
                r#"{"id":"p2","text":"MRN 00412345","spans":[{"start":4,"end":12,"label":"MRN"}]}"#,
            ),
            post(
                r#"{"id":"p3","text":"Bell's palsy \u001b today","spans":[],
                "not_phi":[{"start":0,"end":4,"label":null}]}"#,
            ),
        ];
        let findings = [
            vec![found(0, 8, Category::Name, Action::Redact)],
            vec![found(4, 12, Category::Mrn, Action::Block)],
            vec![
                found(0, 4, Category::Name, Action::Redact),
                found(15, 20, Category::Date, Action::Log),
            ],
        ];
        let scores = posts.iter().zip(&findings).map(|(post, found)| score(post, found)).collect();
        Scored::new(Corpus { name: "tiny".into(), posts }, scores)
    }

    #[test]
    fn the_table_for_people() {
        let text = human(&[scored()], Lists { missed: true, false_alarms: true });
        let plain = anstream::adapter::strip_str(&text).to_string();
        let plain: Vec<&str> = plain.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(plain.join("\n"), @r#"
        missed      p1 location "412"  Jane Roe in 412
        false-alarm p3 name-rule high "Bell"  Bell's palsy \u{1b} today

                             identifiers   posts that disclose           clean posts
        corpus            found   recall         safe    share      alarmed    share
        tiny              2 / 3   66.7 %        1 / 2   50.0 %        1 / 1  100.0 %

        category             found   recall   or blocked   false alarms in clean posts
        name                 1 / 1  100.0 %      100.0 %              1              1
        location             0 / 1    0.0 %        0.0 %              0              0
        mrn                  1 / 1  100.0 %      100.0 %              0              0
        all                  2 / 3   66.7 %       66.7 %              1              1

        findings acted on that hit a mark: 2 / 3 (66.7 %); 0 neither right nor wrong
        posts safe because all was found: 1 / 2; with those blocked: 1 / 2
        obfuscated: found 1 / 2 (50.0 %); posts safe 0 / 1 (0.0 %)
        look-alikes touched: 1 / 1 (100.0 %)
        "#);
    }

    #[test]
    fn the_object_for_machines() {
        let object = super::json(&[scored()], Lists { missed: true, false_alarms: true });
        for (pointer, want) in [
            ("/corpora/0/name", json!("tiny")),
            ("/corpora/0/posts", json!(3)),
            ("/corpora/0/missed/0/words", json!("412")),
            ("/corpora/0/false_alarm_list/0/rule", json!("name-rule")),
            (
                "/total/identifiers",
                json!({ "marked": 3, "found": 2, "safe": 2, "recall": 2.0 / 3.0 }),
            ),
            (
                "/total/categories/name",
                json!({ "marked": 1, "found": 1, "safe": 1, "recall": 1.0 }),
            ),
            ("/total/disclosing", json!({ "posts": 2, "found": 1, "safe": 1 })),
            ("/total/obfuscated", json!({ "posts": 1, "found": 0, "safe": 0 })),
            ("/total/clean", json!({ "posts": 1, "alarmed": 1 })),
            ("/total/findings", json!({ "hits": 2, "false_alarms": 1, "neutral": 0 })),
            ("/total/look_alikes", json!({ "marked": 1, "touched": 1 })),
        ] {
            assert_eq!(object.pointer(pointer), Some(&want), "{pointer}");
        }
    }
}
