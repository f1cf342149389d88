use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use jiff::civil::{Date, date};

use super::{Engine, Piece};
use crate::rules::RuleSet;

const TODAY: Date = date(2026, 11, 22);

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::build(&RuleSet::embedded()).unwrap())
}

/// What is found in a text: `rule:text`, in order.
fn found(text: &str) -> Vec<String> {
    let scan = engine().scan(&[Piece { text, label: None }], TODAY);
    let findings = scan.findings.into_iter().flatten();
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
