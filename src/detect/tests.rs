use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde::Deserialize;

use super::{Engine, Finding, Piece, Scan};
use crate::diagnostic::Source;
use crate::rules::{Category, RuleSet, RuleSetBuilder};

const TODAY: Date = date(2026, 11, 22);

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::build(&RuleSet::embedded()).unwrap())
}

fn scan(text: &str) -> Vec<Finding> {
    let Scan { findings, .. } = engine().scan(&[Piece { text, label: None }], TODAY);
    findings.into_iter().flatten().collect()
}

/// What of one category is found in a text: `rule:text`, in order.
fn found(category: Category, text: &str) -> Vec<String> {
    let findings = scan(text).into_iter().filter(|finding| finding.category == category);
    findings.map(|finding| format!("{}:{}", finding.rule, finding.span.of(text).unwrap())).collect()
}

#[test]
fn every_shipped_example_holds() {
    let faults = engine().check_examples(TODAY);
    let told = faults.iter().fold(String::new(), |mut told, fault| {
        let line = fault.span.and_then(|span| span.of(&fault.source.text)).unwrap_or_default();
        writeln!(told, "{fault}: {line}").unwrap();
        told
    });
    assert!(faults.is_empty(), "{told}");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: String,
    found: Vec<String>,
}

/// A file is named after a category, and lists what of it is found in each text.
#[test]
fn the_corpus_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut told = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Marked posts to fit and measure on stand in a folder of their own.
        if path.is_dir() {
            continue;
        }
        let category = Category::parse(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        let cases: Cases = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for case in cases.case {
            let found = found(category, &case.text);
            // An entry that names no rule asks for the text alone.
            let same = |want: &String, is: &String| {
                want == is || is.split_once(':').is_some_and(|(_, text)| text == want)
            };
            let fine = found.len() == case.found.len()
                && case.found.iter().zip(&found).all(|(want, is)| same(want, is));
            if !fine {
                let (want, is) = (case.found.join(" | "), found.join(" | "));
                writeln!(told, "{category}: {}: want {want}; is {is}", case.name).unwrap();
            }
        }
    }
    assert!(told.is_empty(), "{told}");
}

#[test]
fn an_identifier_inside_another_rules_hit_is_found() {
    for text in [
        "https://portal.clinic.example/patient/219-09-9999/4471",
        "mail 219-09-9999@quickpost.example",
        "serial ABC-219-09-9999",
        "policy 219-09-9999",
    ] {
        assert!(
            scan(text).iter().any(|finding| finding.category == Category::Ssn
                && finding.span.of(text) == Some("219-09-9999")),
            "{text}"
        );
    }
}

#[test]
fn a_key_is_a_label_for_its_text_and_never_a_finding() {
    for (label, text, want) in [
        (Some("mrn"), "00441122", Some("00441122")),
        (Some("patient mrn"), "4471902", Some("4471902")),
        (None, "4471902", None),
        (Some("note"), "MRN 4471902", Some("4471902")),
        (Some("mrn 4471902"), "nothing", None),
    ] {
        let scan = engine().scan(&[Piece { text, label }], TODAY);
        let mrn = scan.findings[0].iter().find(|finding| finding.category == Category::Mrn);
        assert_eq!(mrn.map(|finding| finding.span.of(text).unwrap()), want, "{label:?} {text}");
    }
}

#[test]
fn only_what_identifies_by_itself_stands_alone() {
    for (text, want) in [
        ("MRN 4471902", true),
        ("219-09-9999", true),
        ("email roe.jane@mailhub.example", false),
        ("call 615-555-0171", false),
        ("zip 59711", false),
    ] {
        let findings = scan(text);
        assert!(!findings.is_empty(), "{text}");
        assert_eq!(findings.iter().any(|finding| finding.standalone), want, "{text}");
    }
}

#[test]
fn a_zip_carries_the_form_that_may_stay() {
    for (text, want) in [("zip 14604", "146"), ("zip 03602-1234", "000")] {
        let findings = scan(text);
        let zip = findings.iter().find(|finding| finding.category == Category::Zip).unwrap();
        assert_eq!(zip.generalized.as_deref(), Some(want), "{text}");
    }
}

#[test]
fn explain_names_what_was_passed_over() {
    let text = "call 1-800-273-8255 about 987 65 4321, MRN 4471902";
    let (_, explained) = engine().explain(&[Piece { text, label: None }], TODAY);
    let outcome = |rule: &str| {
        let one = explained.iter().find(|one| one.rule.as_str() == rule).unwrap();
        (one.span.of(text).unwrap(), one.outcome, one.parts.is_empty())
    };
    assert_eq!(outcome("phone-nanp"), ("1-800-273-8255", "inside an except", false));
    assert_eq!(outcome("mrn-labelled"), ("4471902", "found", false));
}

#[test]
fn prose_is_three_words_or_more() {
    for (text, want) in [
        ("three little words", true),
        ("two words", false),
        ("aGVsbG8gd29ybGQ=", false),
        ("2026-11-22 10:44 0.5", false),
        ("患者王伟今天出院", true),
        ("status_update v2", false),
        ("Hola, señora Gómez", true),
        ("", false),
    ] {
        assert_eq!(Engine::is_prose(text), want, "{text}");
    }
}

#[test]
fn a_hospitals_own_rule_and_term_list_are_heard() {
    let file = Source::new(
        "rules.d/clinics.toml",
        "[[rule]]\nid = \"local-facility\"\ncategory = \"location\"\nterms = { file = \"clinics.txt\" }\nconfidence = \"medium\"\n\
         why = \"smaller than a state\"\nfinds = [\"moved to Cedar Crest today\"]\nignores = [\"cedar crested shelves\", \"crest of cedar\"]\n\
         [[disable]]\nrule = \"zip-in\"\nreason = \"too noisy here\"\n",
    );
    let list = |_: &str| Ok("# ours\nCedar Crest\n".to_owned());
    let set = RuleSetBuilder::default().embedded().file(&file, &list).finish().unwrap();
    let engine = Engine::build(&Arc::new(set)).unwrap();
    let examples = engine.check_examples(TODAY);
    assert!(
        examples.iter().all(|fault| fault.source.name != "rules.d/clinics.toml"),
        "{examples:?}"
    );
    assert!(engine.rules().rule("zip-in").is_none());
}

#[test]
fn a_rule_whose_examples_fail_is_named_with_the_example() {
    let file = Source::new(
        "mine.toml",
        "[[rule]]\nid = \"badge\"\ncategory = \"other-id\"\npattern = 'badge \\d{4}'\nconfidence = \"low\"\nwhy = \"w\"\n\
         finds = [\"badge 12\"]\nignores = [\"badge 1234\", \"x\"]\n",
    );
    let set = RuleSetBuilder::default().file(&file, &|_| Err(String::new())).finish().unwrap();
    let faults = Engine::build(&Arc::new(set)).unwrap().check_examples(TODAY);
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "mine.toml:7:11: rule `badge` does not find its own example",
            "mine.toml:8:13: rule `badge` finds something in a near miss",
        ]
    );
}

/// Every area, and every group and serial by steps: a shape must not miss a third of what was issued.
#[test]
fn a_labelled_ssn_of_any_area_is_found() {
    for area in 0..1000 {
        let number = format!("{area:03}-{:02}-{:04}", area * 7 % 100, area * 13 % 10_000);
        let text = format!("ssn {number}");
        assert_eq!(found(Category::Ssn, &text), [format!("us-ssn:{number}")], "{text}");
    }
}

/// Every length of record number that a label may stand before.
#[test]
fn a_labelled_record_number_of_any_length_is_found() {
    for len in 5..=14 {
        for label in
            ["MRN ", "mrn: ", "MRN#", "Medical Record Number ", "chart no. ", "CSN=", "FIN "]
        {
            let number: String = "44719025538126".chars().take(len).collect();
            let text = format!("pls fix {label}{number} today");
            assert_eq!(found(Category::Mrn, &text), [format!("mrn-labelled:{number}")], "{text}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_spans_fit(text in "(\\PC|[0-9:@./ -]|mrn|ssn|\\n){0,60}") {
        for finding in scan(&text) {
            prop_assert!(finding.span.of(&text).is_some());
        }
    }

    #[test]
    fn a_disguise_hides_no_labelled_number(number in "[1-9][0-9]{6}", shift in 0_usize..4) {
        let zero = ['0', '０', '٠', '𝟎'][shift];
        let dressed: String = number.chars().map(|c| {
            char::from_u32(zero as u32 + c.to_digit(10).unwrap()).unwrap()
        }).collect();
        let text = format!("МRN\u{200b}: {dressed}, bed 4");
        prop_assert_eq!(found(Category::Mrn, &text), [format!("mrn-labelled:{dressed}")]);
    }
}
