//! What an event says, as JSON: never any text of a post.
//!
//! Every string that a client could have a hand in is checked against the closed vocabulary it must come from; what is
//! not of it is written as `withheld`. Written by hand into a buffer that is used again: this is on the way of every post.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::audit::{Change, Event, Identity, Naming, Outcome, Said, What};
use crate::inspect::{Coverage, Inspection, JudgedFinding, Shadowed};
use crate::policy::DecidedBy;

/// Most findings that one event lists; `unlisted` counts the others.
const MAX_FINDINGS: usize = 256;

/// In place of a string that is not of its vocabulary.
const WITHHELD: &str = "withheld";

/// Methods of RFC 9110 and RFC 5789; any other is a client's own word.
/// WEBSOCKET stands for messages.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "WEBSOCKET"];

/// Writes an event from its `event` key on, without braces: the writer puts its place in the chain before it, and the
/// hash behind it.
pub(super) fn write(event: &Event, names: &Naming, line: &mut Vec<u8>) {
    let kind = match event.what {
        What::Decided { .. } => "decision",
        What::Outcome(_) => "outcome",
    };
    line.extend_from_slice(b"\"event\":\"");
    line.extend_from_slice(kind.as_bytes());
    line.push(b'"');
    key_closed("id", &event.id, is_id, line);
    if let What::Decided { inspection, .. } = &event.what {
        key_closed("ref", &inspection.reference, is_id, line);
    }
    if let Some(client) = event.client {
        let client = client.to_canonical();
        if names.address == Said::Plain {
            // Formatting an address into a Vec cannot fail.
            let _ = write!(line, ",\"client\":\"{client}\"");
        } else if let Some(said) = names.said(names.address, &client.to_string()) {
            key_text("client", &said, line);
        }
    }
    if let Some(Identity { name, by }) = &event.identity
        && let Some(said) = names.said(names.identity, name)
    {
        key_text("identity", &said, line);
        key_text("identity-by", by, line);
    }
    if let Some(group) = &event.group {
        key_text("group", group, line);
    }
    key_closed("host", &event.host, is_host, line);
    key_closed("platform", &event.platform, is_platform, line);
    key_closed("method", &event.method, |method| METHODS.contains(&method), line);
    match &event.what {
        What::Decided { inspection, spent, rules, policy } => {
            decision(inspection, line);
            key_closed("rules", rules, is_hex, line);
            key_closed("policy", policy, is_hex, line);
            key_number("micros", u64::try_from(spent.as_micros()).unwrap_or(u64::MAX), line);
        }
        What::Outcome(outcome) => self::outcome(*outcome, line),
    }
}

/// Writes a change of the configuration in the same form.
pub(super) fn write_change(change: &Change, line: &mut Vec<u8>) {
    line.extend_from_slice(b"\"event\":\"reload\"");
    key_text("trigger", change.trigger, line);
    let (before, after) = (&change.before, &change.after);
    for (key, hash) in [
        ("config-before", &before.config),
        ("config", &after.config),
        ("rules-before", &before.rules),
        ("rules", &after.rules),
        ("policy-before", &before.policy),
        ("policy", &after.policy),
    ] {
        key_closed(key, hash, is_hex, line);
    }
}

fn decision(inspection: &Inspection, line: &mut Vec<u8>) {
    key_closed("endpoint", &inspection.endpoint, is_endpoint, line);
    key_flag("known", inspection.known, line);
    key_flag("post", inspection.is_post, line);
    key_text("verdict", inspection.verdict.as_str(), line);
    key_flag("enforced", inspection.enforced, line);
    line.extend_from_slice(b",\"findings\":[");
    for (n, finding) in inspection.findings.iter().take(MAX_FINDINGS).enumerate() {
        if n > 0 {
            line.push(b',');
        }
        self::finding(finding, line);
    }
    line.push(b']');
    if let Some(unlisted @ 1..) = inspection.findings.len().checked_sub(MAX_FINDINGS) {
        key_number("unlisted", unlisted as u64, line);
    }
    if let Some(fault) = inspection.fault {
        // A constant phrase: the fault's own kinds hold no text.
        let mut words = String::new();
        let _ = write!(words, "{fault}");
        key_text("fault", &words, line);
    }
    match inspection.coverage {
        Coverage::Understood => {}
        Coverage::Generic => key_text("coverage", "generic", line),
        Coverage::Unreadable(why) => {
            key_text("coverage", "unreadable", line);
            key_text("reason", why, line);
        }
    }
    if inspection.unjudged_media {
        key_flag("unjudged-media", true, line);
    }
    if inspection.metadata_stripped {
        key_flag("metadata-stripped", true, line);
    }
    match inspection.shadow {
        None => {}
        Some(Shadowed::Otherwise { verdict, n_findings }) => {
            line.extend_from_slice(b",\"shadow\":{\"verdict\":");
            text(verdict, line);
            key_number("findings", n_findings as u64, line);
            line.push(b'}');
        }
        Some(Shadowed::Failed) => line.extend_from_slice(b",\"shadow\":{\"failed\":true}"),
    }
    if inspection.care.is_finite() {
        let _ = write!(line, ",\"care\":{:.2}", inspection.care);
    }
}

fn finding(finding: &JudgedFinding, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"rule\":");
    text(finding.rule.as_str(), line);
    key_text("category", finding.category.as_str(), line);
    key_closed("field", &finding.field, is_field, line);
    key_number("length", finding.length as u64, line);
    key_text("confidence", finding.confidence.as_str(), line);
    key_text("action", finding.action.as_str(), line);
    match &finding.by {
        DecidedBy::Clause(name) => key_text("clause", name, line),
        DecidedBy::Exception(name) => key_text("exception", name, line),
        DecidedBy::NoClause => {}
    }
    line.push(b'}');
}

fn outcome(outcome: Outcome, line: &mut Vec<u8>) {
    match outcome {
        Outcome::Answered(status) => {
            key_text("outcome", "answered", line);
            key_number("status", u64::from(status), line);
        }
        Outcome::Sent => key_text("outcome", "sent", line),
        Outcome::Failed => key_text("outcome", "failed", line),
        Outcome::ClientGone => key_text("outcome", "client-gone", line),
        Outcome::Stopped => key_text("outcome", "stopped", line),
    }
}

/// A string as JSON writes it.
pub(super) fn text(text: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            0..=0x1f | 0x7f => {
                let _ = write!(line, "\\u{byte:04x}");
            }
            _ => line.push(byte),
        }
    }
    line.push(b'"');
}

pub(super) fn key_text(key: &str, value: &str, line: &mut Vec<u8>) {
    self::key(key, line);
    text(value, line);
}

pub(super) fn key_number(key: &str, value: u64, line: &mut Vec<u8>) {
    self::key(key, line);
    let _ = write!(line, "{value}");
}

fn key_flag(key: &str, value: bool, line: &mut Vec<u8>) {
    self::key(key, line);
    line.extend_from_slice(if value { b"true" } else { b"false" });
}

fn key_closed(key: &str, value: &str, is_of_it: impl Fn(&str) -> bool, line: &mut Vec<u8>) {
    key_text(key, if is_of_it(value) { value } else { WITHHELD }, line);
}

fn key(key: &str, line: &mut Vec<u8>) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(key.as_bytes());
    line.extend_from_slice(b"\":");
}

fn is_id(id: &str) -> bool {
    id.len() <= 64
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_hex(hash: &str) -> bool {
    hash.len() <= 128 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A routed pattern: lower case, so never a client's own spelling.
fn is_host(host: &str) -> bool {
    host.len() <= 255 && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*' | b':' | b'[' | b']'))
}

fn is_platform(platform: &str) -> bool {
    platform.len() <= 64
        && platform.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// `POST /api/v1/statuses`, or `unknown`.
fn is_endpoint(endpoint: &str) -> bool {
    let Some((method, template)) = endpoint.split_once(' ') else { return endpoint == "unknown" };
    (METHODS.contains(&method) || method == "*")
        && template.len() <= 200
        && template.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A template such as `poll.options[]` or child indexes such as `#3.#1`: neither has a space, so no prose fits.
fn is_field(field: &str) -> bool {
    field.len() <= 160 && field.bytes().all(|byte| byte.is_ascii_graphic())
}
