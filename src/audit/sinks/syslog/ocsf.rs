//! Open Cybersecurity Schema Framework 1.6: a decision is a Data Security Finding (2006) that is created, what became of the
//! post updates it; all else is a Base Event. What the schema has no place for stands under `unmapped`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::audit::entry::{Entry, EntryFinding};

/// The schema that events are written by.
pub(super) const VERSION: &str = "1.6.0";

/// One event.
pub(super) fn event(entry: &Entry) -> Value {
    let mut event = match entry.event.as_str() {
        "decision" => decision(entry),
        "outcome" => outcome(entry),
        _ => other(entry),
    };
    let time = entry.time.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond);
    let profiles: &[&str] = if entry.is_decision() { &["security_control"] } else { &[] };
    let mut metadata = json!({
        "version": VERSION,
        "product": { "name": "Postward", "vendor_name": "Postward", "version": env!("CARGO_PKG_VERSION") },
        "log_name": "postward-audit",
        "original_time": entry.time,
        "sequence": entry.seq,
        "uid": entry.hash,
        "profiles": profiles,
    });
    set(&mut metadata, "correlation_uid", &entry.id);
    put(&mut event, "metadata", metadata);
    put(&mut event, "time", json!(time));
    put(&mut event, "unmapped", unmapped(entry));
    event
}

/// Activity, as the schema numbers it.
fn finding(activity: u16, name: &str) -> Value {
    json!({
        "category_uid": 2, "category_name": "Findings",
        "class_uid": 2006, "class_name": "Data Security Finding",
        "activity_id": activity, "activity_name": name,
        "type_uid": 200_600 + u32::from(activity), "type_name": format!("Data Security Finding: {name}"),
    })
}

fn decision(entry: &Entry) -> Value {
    let is_enforced = entry.enforced != Some(false);
    let has_findings = !entry.findings.is_empty() || entry.unlisted > 0;
    // 1 Allowed, 2 Denied, 3 Observed, 4 Modified; 1 Allowed, 2 Blocked, 11 Corrected, 17 Logged.
    let (action, action_name, disposition, disposition_name) =
        match (entry.verdict.as_str(), is_enforced) {
            ("block", true) => (2, "Denied", 2, "Blocked"),
            ("redact", true) => (4, "Modified", 11, "Corrected"),
            ("block" | "redact", false) => (3, "Observed", 17, "Logged"),
            _ if has_findings => (1, "Allowed", 17, "Logged"),
            _ => (1, "Allowed", 1, "Allowed"),
        };
    let (severity, severity_name) = match entry.verdict.as_str() {
        "block" => (4, "High"),
        "redact" => (3, "Medium"),
        _ if has_findings => (2, "Low"),
        _ => (1, "Informational"),
    };
    let title = match entry.verdict.as_str() {
        "block" => "Post blocked",
        "redact" => "Post redacted",
        _ => "Post forwarded",
    };
    let categories = words(entry, |finding| &finding.category);
    let rules = words(entry, |finding| &finding.rule);
    let clauses = words(entry, |finding| &finding.clause);
    let mut event = finding(1, "Create");
    for (key, value) in [
        ("severity_id", json!(severity)),
        ("severity", json!(severity_name)),
        ("status_id", json!(1)),
        ("status", json!("New")),
        ("action_id", json!(action)),
        ("action", json!(action_name)),
        ("disposition_id", json!(disposition)),
        ("disposition", json!(disposition_name)),
        ("is_alert", json!(severity >= 3)),
        ("message", json!(format!("{title}: {}", entry.platform))),
        ("finding_info", json!({ "uid": entry.id, "title": title, "types": categories })),
    ] {
        put(&mut event, key, value);
    }
    let mut policy = json!({ "uid": entry.policy });
    set(&mut policy, "name", &clauses.join(", "));
    // 1 Personal; 2 DLP Gateway; 2 Data in-Transit.
    let mut security = json!({
        "category_id": 1, "category": "Personal",
        "detection_system_id": 2, "detection_system": "DLP Gateway",
        "data_lifecycle_state_id": 2, "data_lifecycle_state": "Data in-Transit",
        "policy": policy,
    });
    set(&mut security, "detection_pattern", &rules.join(", "));
    put(&mut event, "data_security", security);
    if let Some((id, name)) = confidence(entry) {
        put(&mut event, "confidence_id", json!(id));
        put(&mut event, "confidence", json!(name));
    }
    endpoints(&mut event, entry);
    event
}

fn outcome(entry: &Entry) -> Value {
    let mut event = finding(2, "Update");
    put(&mut event, "severity_id", json!(1));
    put(&mut event, "severity", json!("Informational"));
    put(&mut event, "is_alert", json!(false));
    put(&mut event, "finding_info", json!({ "uid": entry.id, "title": "What became of a post" }));
    set(&mut event, "status_detail", &entry.outcome);
    if let Some(status) = entry.status {
        set(&mut event, "status_code", &status.to_string());
    }
    endpoints(&mut event, entry);
    event
}

fn other(entry: &Entry) -> Value {
    let (severity, name) = match entry.event.as_str() {
        "lost" => (4, "High"),
        "torn" => (3, "Medium"),
        _ => (1, "Informational"),
    };
    json!({
        "category_uid": 0, "category_name": "Uncategorized",
        "class_uid": 0, "class_name": "Base Event",
        "activity_id": 99, "activity_name": entry.event,
        "type_uid": 99, "type_name": "Base Event: Other",
        "severity_id": severity, "severity": name,
        "message": format!("Audit event: {}", entry.event),
    })
}

fn endpoints(event: &mut Value, entry: &Entry) {
    if !entry.client.is_empty() {
        // A keyed hash in its place is no address.
        let key = if entry.client.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "uid" };
        put(event, "src_endpoint", json!({ key: entry.client }));
    }
    if !entry.host.is_empty() {
        put(event, "dst_endpoint", json!({ "hostname": entry.host, "svc_name": entry.platform }));
    }
    if !entry.identity.is_empty() {
        put(event, "actor", json!({ "user": { "uid": entry.identity } }));
    }
}

/// The surest finding: 1 Low, 2 Medium, 3 High.
fn confidence(entry: &Entry) -> Option<(u8, &'static str)> {
    let of = |finding: &EntryFinding| match finding.confidence.as_str() {
        "low" => Some((1, "Low")),
        "medium" => Some((2, "Medium")),
        "high" | "certain" => Some((3, "High")),
        _ => None,
    };
    entry.findings.iter().filter_map(of).max()
}

/// The rest of the line: with these and what stands above, the line can be told whole.
fn unmapped(entry: &Entry) -> Value {
    let mut rest = json!({ "event": entry.event, "node": entry.node, "prev": entry.prev });
    for (key, value) in [
        ("ref", &entry.reference),
        ("group", &entry.group),
        ("method", &entry.method),
        ("endpoint", &entry.endpoint),
        ("verdict", &entry.verdict),
        ("fault", &entry.fault),
        ("coverage", &entry.coverage),
        ("reason", &entry.reason),
        ("rules", &entry.rules),
        ("trigger", &entry.trigger),
        ("config", &entry.config),
        ("config-before", &entry.config_before),
        ("rules-before", &entry.rules_before),
        ("policy-before", &entry.policy_before),
        ("file", &entry.file),
        ("head", &entry.head),
    ] {
        set(&mut rest, key, value);
    }
    if !entry.is_decision() {
        set(&mut rest, "policy", &entry.policy);
    }
    if let Some(enforced) = entry.enforced {
        put(&mut rest, "enforced", json!(enforced));
    }
    if entry.lines > 0 {
        put(&mut rest, "lines", json!(entry.lines));
    }
    if !entry.findings.is_empty() {
        let findings: Vec<Value> = entry.findings.iter().map(said).collect();
        put(&mut rest, "findings", json!(findings));
    }
    rest
}

fn said(finding: &EntryFinding) -> Value {
    let mut said = json!({ "length": finding.length });
    for (key, value) in [
        ("rule", &finding.rule),
        ("category", &finding.category),
        ("field", &finding.field),
        ("confidence", &finding.confidence),
        ("action", &finding.action),
        ("clause", &finding.clause),
        ("exception", &finding.exception),
    ] {
        set(&mut said, key, value);
    }
    said
}

fn words(entry: &Entry, of: fn(&EntryFinding) -> &String) -> Vec<&str> {
    let words: BTreeSet<&str> =
        entry.findings.iter().map(|f| of(f).as_str()).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect()
}

/// A text, where there is one.
fn set(value: &mut Value, key: &str, text: &str) {
    if !text.is_empty() {
        put(value, key, json!(text));
    }
}

fn put(value: &mut Value, key: &str, of: Value) {
    if let Some(map) = value.as_object_mut() {
        let _: Option<Value> = Map::insert(map, key.to_owned(), of);
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryFinding, Value, event};

    fn entry(event: &str, verdict: &str) -> Entry {
        Entry {
            time: "2026-11-23T10:00:00.123Z".into(),
            node: "edge-1".into(),
            seq: 7,
            hash: "ff".into(),
            event: event.into(),
            id: "E1".into(),
            client: "10.20.0.7".into(),
            host: "mastodon.example".into(),
            platform: "mastodon".into(),
            verdict: verdict.into(),
            enforced: (event == "decision").then_some(true),
            policy: "bb".into(),
            ..Entry::default()
        }
    }

    /// What the schema requires of every event, and of a finding (`events/base_event`, `events/findings`,
    /// `objects/metadata`, `objects/finding_info` of OCSF 1.6).
    fn is_of_the_schema(event: &Value) {
        let whole = |value: &Value, key: &str| value[key].is_u64() || value[key].is_i64();
        for key in ["activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time"] {
            assert!(whole(event, key), "{key} in {event}");
        }
        let (class, activity) =
            (event["class_uid"].as_u64().unwrap(), event["activity_id"].as_u64().unwrap());
        assert_eq!(event["type_uid"].as_u64().unwrap(), class * 100 + activity);
        assert_eq!(event["category_uid"].as_u64().unwrap(), class / 1000);
        assert!((0..=6).contains(&event["severity_id"].as_u64().unwrap()));
        let metadata = &event["metadata"];
        assert_eq!(metadata["version"], "1.6.0");
        assert!(
            metadata["product"]["name"].is_string()
                && metadata["product"]["vendor_name"].is_string()
        );
        if class == 2006 {
            assert!([1, 2, 3].contains(&activity));
            assert!(event["finding_info"]["uid"].is_string());
        }
        assert!(event["unmapped"].is_object());
    }

    #[test]
    fn every_kind_has_what_the_schema_requires() {
        for (kind, verdict) in [
            ("decision", "forward"),
            ("decision", "redact"),
            ("decision", "block"),
            ("outcome", ""),
            ("reload", ""),
            ("continue", ""),
            ("lost", ""),
            ("torn", ""),
            ("retired", ""),
        ] {
            is_of_the_schema(&event(&entry(kind, verdict)));
        }
        is_of_the_schema(&event(&Entry::default()));
    }

    #[test]
    fn a_verdict_is_an_action_and_a_disposition() {
        let found = EntryFinding {
            category: "ssn".into(),
            confidence: "certain".into(),
            ..EntryFinding::default()
        };
        for (verdict, enforced, findings, want) in [
            ("block", true, 1, (2, 2, 4, true)),
            ("redact", true, 1, (4, 11, 3, true)),
            ("block", false, 1, (3, 17, 4, true)),
            ("forward", true, 1, (1, 17, 2, false)),
            ("forward", true, 0, (1, 1, 1, false)),
        ] {
            let mut entry = entry("decision", verdict);
            entry.enforced = Some(enforced);
            entry.findings = vec![found.clone(); findings];
            let event = event(&entry);
            let number = |key: &str| event[key].as_u64().unwrap();
            let seen = (
                number("action_id"),
                number("disposition_id"),
                number("severity_id"),
                event["is_alert"].as_bool().unwrap(),
            );
            assert_eq!(seen, want, "{verdict} {enforced} {findings}");
            assert_eq!(event["confidence_id"].as_u64(), (findings > 0).then_some(3));
        }
        let hashed = Entry { client: "hmac:ab12".into(), ..entry("decision", "block") };
        assert_eq!(event(&hashed)["src_endpoint"]["uid"], "hmac:ab12");
    }
}
