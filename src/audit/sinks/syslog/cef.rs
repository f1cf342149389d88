//! Common Event Format, version 0: a head of seven fields, then `key=value`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::audit::entry::{Entry, EntryFinding};

/// One event.
pub(super) fn event(entry: &Entry) -> String {
    let (signature, name, severity) = what(entry);
    let mut text = format!(
        "CEF:0|Postward|Postward|{}|{}|{}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        head(signature),
        head(name)
    );
    if let Ok(at) = entry.time.parse::<Timestamp>() {
        extension("rt", &at.as_millisecond().to_string(), &mut text);
    }
    let count = |n: u64| if n > 0 { n.to_string() } else { String::new() };
    let found = entry.findings.len() as u64 + entry.unlisted;
    for (key, value) in [
        ("dvchost", entry.node.clone()),
        ("externalId", entry.id.clone()),
        ("src", entry.client.clone()),
        ("suser", entry.identity.clone()),
        ("app", entry.platform.clone()),
        ("dhost", entry.host.clone()),
        ("requestMethod", entry.method.clone()),
        ("act", entry.verdict.clone()),
        ("outcome", entry.outcome.clone()),
        ("reason", entry.fault.clone()),
        ("msg", message(entry)),
    ] {
        extension(key, &value, &mut text);
    }
    for (key, label, value) in [
        ("cs1", "reference", entry.reference.clone()),
        ("cs2", "clauses", words(entry, |finding| &finding.clause)),
        ("cs3", "rules", words(entry, |finding| &finding.rule)),
        ("cs4", "categories", words(entry, |finding| &finding.category)),
        ("cs5", "endpoint", entry.endpoint.clone()),
        ("cs6", "chainHash", entry.hash.clone()),
        ("flexString1", "group", entry.group.clone()),
        ("flexString2", "policyHash", entry.policy.clone()),
        ("cn1", "chainSequence", count(entry.seq)),
        ("cn2", "findings", count(found)),
        ("cn3", "httpStatus", entry.status.map(|status| status.to_string()).unwrap_or_default()),
    ] {
        if !value.is_empty() {
            extension(&format!("{key}Label"), label, &mut text);
            extension(key, &value, &mut text);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Signature, name, and severity from 0 to 10.
fn what(entry: &Entry) -> (&str, &'static str, u8) {
    match (entry.event.as_str(), entry.verdict.as_str()) {
        ("decision", verdict @ "block") => (verdict, "Post blocked", 7),
        ("decision", verdict @ "redact") => (verdict, "Post redacted", 5),
        ("decision", "forward") => ("forward", "Post forwarded", 1),
        (event @ "outcome", _) => (event, "What became of a post", 1),
        (event @ "reload", _) => (event, "Another configuration in force", 3),
        (event @ "lost", _) => (event, "Audit events lost", 9),
        (event @ "torn", _) => (event, "Audit line torn by a crash", 6),
        (event @ "retired", _) => (event, "Audit file removed after its time", 3),
        (event, _) => (event, "Audit event", 2),
    }
}

/// What the other keys have no room for.
fn message(entry: &Entry) -> String {
    let mut text = String::new();
    if entry.enforced == Some(false) {
        text.push_str("monitor mode: the verdict was not carried out; ");
    }
    match entry.event.as_str() {
        // Writing to a string cannot fail.
        "reload" => {
            let _ = write!(
                text,
                "by {}: rules {}, policy {}",
                entry.trigger, entry.rules, entry.policy
            );
        }
        "lost" => {
            let _ = write!(text, "{} events could not be written", entry.lines);
        }
        "retired" => {
            let _ = write!(text, "{}: lines {} to {}", entry.file, entry.first, entry.last);
        }
        _ => {}
    }
    text.trim_end_matches("; ").to_owned()
}

/// What findings have of one kind, each word once.
fn words(entry: &Entry, of: fn(&EntryFinding) -> &String) -> String {
    let words: BTreeSet<&str> =
        entry.findings.iter().map(|f| of(f).as_str()).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect::<Vec<_>>().join(",")
}

/// A field of the head.
fn head(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn extension(key: &str, value: &str, text: &mut String) {
    if value.is_empty() {
        return;
    }
    text.push_str(key);
    text.push('=');
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '=' => text.push_str("\\="),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            letter => text.push(letter),
        }
    }
    text.push(' ');
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryFinding, event, extension, head};

    #[test]
    fn what_would_end_a_field_is_escaped() {
        assert_eq!(head(r"a|b\c"), r"a\|b\\c");
        let mut text = String::new();
        extension("k", "a=b\\c\nd|e", &mut text);
        assert_eq!(text, "k=a\\=b\\\\c\\nd|e ");
    }

    #[test]
    fn a_blocked_post_is_one_event_of_known_keys() {
        let entry = Entry {
            time: "2026-11-23T10:00:00.123Z".into(),
            node: "edge-1".into(),
            seq: 7,
            hash: "ff".into(),
            event: "decision".into(),
            id: "E1".into(),
            reference: "abcd2345".into(),
            client: "10.20.0.7".into(),
            group: "a=b".into(),
            platform: "x".into(),
            verdict: "block".into(),
            enforced: Some(true),
            findings: vec![EntryFinding {
                rule: "us-ssn".into(),
                category: "ssn".into(),
                clause: "numbers".into(),
                ..EntryFinding::default()
            }],
            ..Entry::default()
        };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            event(&entry),
            format!(
                "CEF:0|Postward|Postward|{version}|block|Post blocked|7|rt=1795428000123 dvchost=edge-1 externalId=E1 src=10.20.0.7 app=x \
                 act=block cs1Label=reference cs1=abcd2345 cs2Label=clauses cs2=numbers cs3Label=rules cs3=us-ssn \
                 cs4Label=categories cs4=ssn cs6Label=chainHash cs6=ff flexString1Label=group flexString1=a\\=b \
                 cn1Label=chainSequence cn1=7 cn2Label=findings cn2=1"
            )
        );
    }
}
