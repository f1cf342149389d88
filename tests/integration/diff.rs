//! `postward diff`: which posts a change would judge otherwise, without a word of them unless asked.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const POSTS: &str = "\
{\"id\":\"quiet\",\"text\":\"A long shift, and good coffee.\"}
{\"id\":\"number\",\"text\":\"Her MRN 00412345 is on the board\"}
{\"id\":\"clinic\",\"text\":\"é seen at Cedar Crest today\"}
";

/// A corpus, the shipped policy as it is and with one change, and a folder of rules.
struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let policy = include_str!("../../config/policy.toml");
        assert!(policy.contains("action = \"block\""));
        let rules = "[[rule]]\nid = \"local-clinic\"\ncategory = \"mrn\"\nterms = [\"Cedar Crest\"]\nconfidence = \"certain\"\n\
                     why = \"a test\"\nfinds = [\"at Cedar Crest\"]\nignores = [\"a cedar\", \"a crest\"]\n";
        std::fs::create_dir(dir.path().join("rules.d")).unwrap();
        for (name, text) in [
            ("posts.jsonl", POSTS),
            ("policy.toml", policy),
            ("next.toml", &policy.replacen("action = \"block\"", "action = \"redact\"", 1)),
            ("rules.d/ours.toml", rules),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        if name == "embedded" { Path::new(name).to_owned() } else { self.dir.path().join(name) }
    }

    fn diff(&self, old: &str, new: &str, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_postward"))
            .arg("diff")
            .args([self.path(old), self.path(new)])
            .arg("--on")
            .arg(self.path("posts.jsonl"))
            .args(["--today", "2026-11-23"])
            .args(more)
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn another_policy_shows_which_posts_it_changes_and_no_word_of_them() {
    let case = Case::new();
    let ran = case.diff("policy.toml", "next.toml", &[]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let said = text(&ran.stdout);
    assert!(said.contains("number  block -> redact"), "{said}");
    assert!(said.contains("1 of 3 posts would be judged otherwise"), "{said}");
    assert!(said.contains("by clause numbers"), "{said}");
    assert!(!said.contains("quiet") && !said.contains("clinic  "), "{said}");
    for word in ["00412345", "board", "coffee"] {
        assert!(!said.contains(word), "{said}");
    }
    let shown = case.diff("policy.toml", "next.toml", &["--show"]);
    assert!(text(&shown.stdout).contains("00412345"));
    let row = case.diff("policy.toml", "next.toml", &["--format", "jsonl", "--exit-code"]);
    assert_eq!(row.status.code(), Some(1));
    let row: Value = serde_json::from_slice(&row.stdout).unwrap();
    assert_eq!(row["id"], "number");
    assert_eq!(row["change"], "verdict");
    assert_eq!(
        (&row["old"]["verdict"], &row["new"]["verdict"]),
        (&"block".into(), &"redact".into())
    );
    let found = row["old"]["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["category"] == "mrn"), "{row}");
    assert!(row.get("text").is_none() && row["new"].get("redacted").is_none());
}

#[test]
fn rules_of_ones_own_are_held_against_what_ships() {
    let case = Case::new();
    let ran = case.diff("embedded", "rules.d", &["--format", "jsonl", "--show"]);
    let rows: Vec<Value> =
        text(&ran.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let row = rows.iter().find(|row| row["id"] == "clinic").unwrap();
    let found = row["new"]["findings"].as_array().unwrap();
    let ours = found.iter().find(|finding| finding["rule"] == "local-clinic").unwrap();
    // Code points, not bytes: a letter before it has two.
    assert_eq!((&ours["start"], &ours["end"]), (&10.into(), &21.into()));
    assert_eq!(row["new"]["verdict"], "block");
    assert!(rows.iter().all(|row| row["id"] != "quiet"));
    // A file of rules does as well as their folder.
    let file = case.diff("rules.d/ours.toml", "rules.d", &["--exit-code"]);
    assert_eq!(file.status.code(), Some(0));
    assert!(text(&file.stdout).starts_with("0 of 3 posts"), "{}", text(&file.stdout));
}

#[test]
fn what_cannot_be_used_is_named() {
    let case = Case::new();
    std::fs::write(case.path("bad.toml"), "mode = \"enforcs\"\n").unwrap();
    let ran = case.diff("policy.toml", "bad.toml", &[]);
    assert_eq!(ran.status.code(), Some(3));
    assert!(text(&ran.stderr).contains("bad.toml:1:8"), "{}", text(&ran.stderr));
    let gone = case.diff("policy.toml", "gone.toml", &[]);
    assert_eq!(gone.status.code(), Some(1));
    std::fs::write(case.path("posts.jsonl"), "{\"id\":1,\"text\":\"ok\"}\nno post\n").unwrap();
    let line = case.diff("policy.toml", "policy.toml", &[]);
    assert_eq!(line.status.code(), Some(1), "a line that nobody judged");
    assert!(text(&line.stderr).contains("line 2"), "{}", text(&line.stderr));
}
