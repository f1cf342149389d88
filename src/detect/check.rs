//! Runs the examples that every rule and except carries.
//!
//! Each rule is judged on its own: what it finds before overlaps with other rules are settled, after its excepts.

use jiff::civil::Date;

use crate::detect::Engine;
use crate::detect::except::names;
use crate::diagnostic::{Diagnostic, Source};
use crate::span::Span;
use std::sync::Arc;

/// Every example that does not hold.
pub(super) fn examples(engine: &Engine, today: Date) -> Vec<Diagnostic> {
    let set = engine.rules();
    let mut faults = Vec::new();
    for (index, rule) in set.rules.iter().enumerate() {
        let finds =
            |text: &str| engine.candidates(text, today).iter().any(|(found, _)| *found == index);
        for text in rule.finds.iter().filter(|text| !finds(text)) {
            let message = format!("rule `{}` does not find its own example", rule.id);
            let help = "mend the rule, or the example";
            faults.push(fault(
                &rule.source,
                rule.span,
                text,
                message,
                "nothing is found here",
                help,
            ));
        }
        for text in rule.ignores.iter().filter(|text| finds(text)) {
            let message = format!("rule `{}` finds something in a near miss", rule.id);
            let help = "make the rule narrower, or remove the example if it should be found";
            faults.push(fault(
                &rule.source,
                rule.span,
                text,
                message,
                "something is found here",
                help,
            ));
        }
    }
    for except in &set.excepts {
        let speaks_to = |index: usize| {
            let rule = set.rules.get(index);
            rule.is_some_and(|rule| except.rules.iter().any(|name| names(name, rule.id.as_str())))
        };
        let finds =
            |text: &str| engine.candidates(text, today).iter().any(|(found, _)| speaks_to(*found));
        for text in except.passes.iter().filter(|text| finds(text)) {
            let message = format!("except `{}` does not let its own example pass", except.id);
            let help = "mend the except, or the example";
            faults.push(fault(
                &except.source,
                except.span,
                text,
                message,
                "something is found here",
                help,
            ));
        }
        for text in except.still_finds.iter().filter(|text| !finds(text)) {
            let message = format!("except `{}` lets too much pass", except.id);
            let help = "make the except narrower, or name a text that its rules do find without it";
            faults.push(fault(
                &except.source,
                except.span,
                text,
                message,
                "nothing is found here",
                help,
            ));
        }
    }
    faults.extend(set.excepts.iter().flat_map(|except| {
        let unknown = |name: &&String| !set.rules.iter().any(|rule| names(name, rule.id.as_str()));
        except.rules.iter().filter(unknown).map(|name| {
            let message = format!("except `{}` speaks to no rule named `{name}`", except.id);
            let fault = Diagnostic::warning(&except.source, message);
            fault
                .at(place(&except.source, except.span, name))
                .label("names no rule in force")
                .help("mend the name, or remove it")
        })
    }));
    faults
}

fn fault(
    source: &Arc<Source>,
    entry: Span,
    text: &str,
    message: String,
    label: &str,
    help: &str,
) -> Diagnostic {
    Diagnostic::error(source, message).at(place(source, entry, text)).label(label).help(help)
}

/// Where an example stands: behind the head of its entry, unless escapes hide it.
fn place(source: &Source, entry: Span, text: &str) -> Span {
    let from = entry.start();
    let found = source.text.get(from..).and_then(|rest| rest.find(text));
    found.map_or(entry, |at| Span::new(from + at, from + at + text.len()))
}
