use super::{EMBEDDED_FILES, EMBEDDED_LISTS, Matcher, RuleSet, RuleSetBuilder};
use crate::diagnostic::{Diagnostic, Source};

const RULE: &str = "[[rule]]\nid = \"a\"\ncategory = \"mrn\"\nterms = [\"x\"]\nconfidence = \"low\"\nwhy = \"w\"\nfinds = [\"x\"]\nignores = [\"y\", \"z\"]\n";

fn faults(files: &[&str]) -> Vec<Diagnostic> {
    let list = |name: &str| {
        if name == "there.txt" {
            Ok("x\n# no\n\ny".to_owned())
        } else {
            Err("no such file".to_owned())
        }
    };
    let builder = files.iter().enumerate().fold(RuleSetBuilder::default(), |builder, (n, text)| {
        builder.file(&Source::new(format!("{n}.toml"), *text), &list)
    });
    builder.finish().err().unwrap_or_default()
}

#[track_caller]
fn check(files: &[&str], want: &[(&str, &str)]) {
    let faults = faults(files);
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), want.len(), "{told:#?}");
    for (fault, (place, words)) in faults.iter().zip(want) {
        let told = format!("{fault} | {}", fault.label.as_deref().unwrap_or_default());
        assert!(
            told.starts_with(place) && told.contains(words),
            "want {place} {words}\n got {told}"
        );
        assert!(fault.help.as_ref().is_some_and(|help| !help.is_empty()), "no remedy: {told}");
    }
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let with = |from: &str, to: &str| RULE.replace(from, to);
    check(&[RULE], &[]);
    check(&[&with("\"mrn\"", "\"mnr\"")], &[("0.toml:3:12", "unknown category `mnr`")]);
    check(&[&with("\"low\"", "\"lo\"")], &[("0.toml:5:14", "unknown confidence")]);
    check(&[&with("id = \"a\"", "id = \"A B\"")], &[("0.toml:2:6", "no rule id")]);
    check(
        &[&with("why", "wyh")],
        &[("0.toml:1:1", "no `why`"), ("0.toml:6:1", "unknown key `wyh`")],
    );
    check(&[&with("[\"y\", \"z\"]", "[\"y\"]")], &[("0.toml:1:1", "two near misses")]);
    check(&[&with("finds = [\"x\"]", "finds = []")], &[("0.toml:1:1", "example of what it finds")]);
    check(
        &[&with("finds = [\"x\"]", "finds = \"x\"")],
        &[("0.toml:7:9", "`finds` must be a list"), ("0.toml:1:1", "example")],
    );
    check(&[&with("\"mrn\"", "18")], &[("0.toml:3:12", "this is a number")]);
    check(&[&with("terms = [\"x\"]", "pattern = 'ab(c'")], &[("0.toml:4:14", "unclosed group")]);
    check(
        &[&with("terms = [\"x\"]", "pattern = '(a)b'")],
        &[("0.toml:4:11", "none is named `id`")],
    );
    check(
        &[&with("terms = [\"x\"]", "pattern = '((\\w{1,50}){1,50}){1,50}'")],
        &[("0.toml:4:11", "too large")],
    );
    check(
        &[&with("terms = [\"x\"]", "pattern = 'x'\nterms = [\"x\"]")],
        &[("0.toml:1:1", "one thing")],
    );
    check(
        &[&with("terms = [\"x\"]", "terms = { file = \"gone.txt\" }")],
        &[("0.toml:4:18", "no such file")],
    );
    check(&[&with("terms = [\"x\"]", "terms = { file = \"there.txt\" }")], &[]);
    check(
        &[&with("terms = [\"x\"]", "terms = [\"x\", \" \", \"\"]")],
        &[("0.toml:4:15", "a term is empty"), ("0.toml:4:20", "a term is empty")],
    );
    check(&[&with("terms = [\"x\"]", "terms = [\"\"]")], &[("0.toml:4:10", "a term is empty")]);
    check(&[&with("terms = [\"x\"]", "terms = []")], &[("0.toml:4:9", "no terms")]);
    check(&[&with("confidence = \"low\"\n", "")], &[("0.toml:1:1", "finds nothing")]);
    check(
        &[&with("why", "validator = { name = \"lun\", valid = \"high\" }\nwhy")],
        &[("0.toml:6:22", "unknown validator `lun`")],
    );
    check(
        &[&with("why", "keywords = { word = [\"x\"] }\nwhy")],
        &[
            ("0.toml:6:12", "no `confidence`"),
            ("0.toml:6:14", "unknown key `word`"),
            ("0.toml:6:12", "no words"),
        ],
    );
    check(&["[rule]\nid = \"a\"\n"], &[("0.toml:1:1", "list of tables")]);
    check(&["[[rules]]\nid = \"a\"\n"], &[("0.toml:1:3", "unknown key `rules`")]);
    check(
        &["[[except]]\nid = \"e\"\npattern = 'x'\nwhy = \"w\"\n"],
        &[("0.toml:1:1", "`rules`"), ("0.toml:1:1", "`passes`"), ("0.toml:1:1", "`still-finds`")],
    );
}

#[test]
fn all_faults_are_told_at_once() {
    check(
        &["a = no\nb = 1x\nc = \"\n", "[[rule]]\nid = \"a\"\n"],
        &[
            ("0.toml:1:5", ""),
            ("0.toml:2:", ""),
            ("0.toml:3:", "basic string"),
            ("1.toml:1:1", "no `category`"),
            ("1.toml:1:1", "looks for one thing"),
            ("1.toml:1:1", "no `why`"),
            ("1.toml:1:1", "example"),
            ("1.toml:1:1", "near misses"),
        ],
    );
}

#[test]
fn ids_are_unique_unless_one_replaces() {
    check(&[RULE, RULE], &[("1.toml:2:6", "defined twice; first at 0.toml:1:1")]);
    let replaces = format!("{RULE}replaces = true\n");
    check(&[RULE, &replaces], &[]);
    check(&[&replaces], &[("0.toml:2:6", "replaces nothing")]);
    check(
        &["[[disable]]\nrule = \"a\"\nreason = \"r\"\n"],
        &[("0.toml:2:8", "no rule `a` to disable")],
    );
    let disable = "[[disable]]\nrule = \"a\"\nreason = \"r\"\n";
    let twice = "`a` is disabled twice";
    check(&[RULE, &disable.repeat(2)], &[("1.toml:5:8", twice)]);
    check(&[RULE, disable, disable], &[("2.toml:2:8", twice)]);
    check(&[RULE, "[[disable]]\nrule = \"a\"\n"], &[("1.toml:1:1", "no `reason`")]);
    let build = |files: &[&str]| {
        let builder = files.iter().fold(RuleSetBuilder::default(), |builder, text| {
            builder.file(&Source::new("t", *text), &|_| Err(String::new()))
        });
        builder.finish().unwrap()
    };
    let off = build(&[RULE, "[[disable]]\nrule = \"a\"\nreason = \"noisy here\"\n"]);
    assert!(off.rules.is_empty());
    assert_eq!(off.disabled[0].1, "noisy here");
    assert_ne!(off.hash, build(&[RULE]).hash);
    assert_eq!(off.hash.len(), 64);
}

#[test]
fn every_shipped_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // The weights are read by `weights.rs`; they hold no rule.
        let is_toml = std::path::Path::new(&name).extension().is_some_and(|end| end == "toml");
        if is_toml && name != "weights.toml" {
            assert!(
                EMBEDDED_FILES.iter().any(|(listed, _)| *listed == name),
                "{name} is not in `embedded::FILES`"
            );
        }
    }
    assert!(EMBEDDED_LISTS.iter().all(|(_, text)| !text.is_empty()));
}

#[test]
fn the_shipped_rules_are_whole() {
    let set = match RuleSetBuilder::default().embedded().finish() {
        Ok(set) => set,
        Err(faults) => {
            panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    };
    assert_eq!(set.hash, RuleSet::embedded().hash);
    for rule in &set.rules {
        if let Matcher::Pattern(pattern) = &rule.matcher {
            assert!(
                pattern.max_len().is_some(),
                "{} repeats without bound: its cost would not be linear",
                rule.id
            );
        }
    }
}
