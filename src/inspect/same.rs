//! One post, whatever platform, endpoint, field and kind of body carries it, is found alike: as the text alone is.

use super::check::SHIPPED;
use super::endpoints::{Kind, TODAY, call, fields_of, inspect};
use crate::rules::Category;

/// An invented post that holds an identifier of most kinds. No platform reads a mark in it.
const POST: &str = "My patient Mr. Castellano, MRN 00441127, was seen on March 14, 2026. He lives at 12 Alder Street, \
    Albany, NY 12207, his phone is 415-555-0134, his mail is castellano.j@mail.example and his SSN is 987-65-4321.";

#[test]
fn a_post_is_found_alike_by_every_endpoint_in_every_kind_of_body() {
    let mut faults = Vec::new();
    let (mut n_calls, mut kinds) = (0, Vec::new());
    let mut platforms = Vec::new();
    let fields = fields_of(|_| true);
    for field in fields.iter().filter(|field| !field.template.starts_with("filename:")) {
        platforms.push(field.platform.as_str());
        let alone = SHIPPED.judge_text(POST, &field.platform, &[], None, TODAY);
        let mut want: Vec<(Category, usize)> = alone
            .findings
            .iter()
            .map(|(finding, _)| (finding.category, finding.span.len()))
            .collect();
        want.sort_unstable();
        kinds = want.iter().map(|(category, _)| *category).collect();
        for &kind in &field.kinds {
            n_calls += 1;
            let inspection = inspect(field, &call(field, kind, POST));
            let mut found: Vec<(Category, usize)> =
                inspection.findings.iter().map(|it| (it.category, it.length)).collect();
            found.sort_unstable();
            let elsewhere = inspection.findings.iter().find(|it| it.field != field.template);
            if found != want || elsewhere.is_some() {
                faults.push(format!(
                    "{} {} {} {kind:?}: {found:?} in {:?}",
                    field.platform,
                    inspection.endpoint,
                    field.template,
                    elsewhere.map(|it| &it.field)
                ));
            }
        }
    }
    platforms.dedup();
    kinds.dedup();
    assert!(n_calls > 1000 && platforms.len() > 20, "{n_calls} calls of {}", platforms.len());
    for wanted in ["name", "mrn", "date", "location", "zip", "phone", "email", "ssn"] {
        assert!(kinds.iter().any(|category| category.as_str() == wanted), "{wanted}: {kinds:?}");
    }
    let shown = faults.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} of {n_calls}:\n{shown}", faults.len());
    assert!(fields.iter().any(|field| field.kinds.contains(&Kind::Query)), "no query was tried");
}
