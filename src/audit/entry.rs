//! One line of the audit, read again: for export and reports.

use serde::Deserialize;

use crate::audit::chain::{self, Line};

/// What a line says. What an event does not have is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Entry {
    /// UTC, RFC 3339 with milliseconds.
    pub time: String,
    /// The machine.
    pub node: String,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// The hash of the line before.
    pub prev: String,
    /// Its own hash.
    pub hash: String,
    /// `decision`, `outcome`, `reload`, `continue`, `torn`, `lost`, `retired`, or what a later version writes.
    pub event: String,
    /// A post's events share it.
    pub id: String,
    /// What the author of a blocked post was shown.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The client's address, as the audit keeps it.
    pub client: String,
    /// Who the client is, as the audit keeps it.
    pub identity: String,
    /// The client's group.
    pub group: String,
    /// The routed host pattern.
    pub host: String,
    /// The platform.
    pub platform: String,
    /// The method.
    pub method: String,
    /// The platform's template.
    pub endpoint: String,
    /// Whether it publishes.
    pub post: bool,
    /// `forward`, `redact` or `block`.
    pub verdict: String,
    /// Whether the verdict was carried out.
    pub enforced: Option<bool>,
    /// Each thing that was found.
    pub findings: Vec<EntryFinding>,
    /// Findings beyond those listed.
    pub unlisted: u64,
    /// What could not be done.
    pub fault: String,
    /// `generic` or `unreadable`; empty where the body was understood.
    pub coverage: String,
    /// Why a body was unreadable.
    pub reason: String,
    /// Whether media passed unjudged.
    pub unjudged_media: bool,
    /// Whether metadata were taken out of media.
    pub metadata_stripped: bool,
    /// What a second policy would have done.
    pub shadow: Option<EntryShadow>,
    /// How much it speaks of a patient's care.
    pub care: Option<f64>,
    /// SHA-256 of the rules in force.
    pub rules: String,
    /// SHA-256 of the policy in force.
    pub policy: String,
    /// Microseconds spent deciding.
    pub micros: Option<u64>,
    /// What became of a post.
    pub outcome: String,
    /// The platform's answer.
    pub status: Option<u16>,
    /// What asked for a reload.
    pub trigger: String,
    /// SHA-256 of all files, after a reload.
    pub config: String,
    /// The same, before it.
    pub config_before: String,
    /// SHA-256 of the rules before a reload.
    pub rules_before: String,
    /// SHA-256 of the policy before a reload.
    pub policy_before: String,
    /// Events that were lost.
    pub lines: u64,
    /// Bytes of a torn line.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// A file that was removed by rule.
    pub file: String,
    /// Its first line.
    pub first: u64,
    /// Its last line.
    pub last: u64,
    /// The hash of its last line.
    pub head: String,
}

/// One thing that was found in a post: never the words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct EntryFinding {
    /// The rule.
    pub rule: String,
    /// Its category.
    pub category: String,
    /// The field's template.
    pub field: String,
    /// Bytes.
    pub length: u64,
    /// How sure.
    pub confidence: String,
    /// What the policy wants done.
    pub action: String,
    /// The clause that decided.
    pub clause: String,
    /// The exception that covered it.
    pub exception: String,
}

/// What a second policy would have done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct EntryShadow {
    /// Its verdict, where it differs.
    pub verdict: String,
    /// Its findings.
    pub findings: u64,
    /// Whether it could not be asked.
    pub failed: bool,
}

/// What a line of a file turns out to be.
#[derive(Debug)]
pub enum Seen {
    /// A line whose hash is right.
    Whole(Box<Entry>),
    /// It reads as a line, but its hash is not that of its words.
    Changed(Box<Entry>),
    /// No line of an audit; the beginning of one, if a crash left it.
    Fragment,
}

impl Entry {
    /// Reads a line without its end.
    pub fn read(line: &[u8]) -> Seen {
        let kind = chain::read(line);
        if kind == Line::Fragment {
            return Seen::Fragment;
        }
        match serde_json::from_slice::<Self>(line) {
            Ok(entry) if kind == Line::Changed => Seen::Changed(Box::new(entry)),
            Ok(entry) => Seen::Whole(Box::new(entry)),
            Err(_) => Seen::Fragment,
        }
    }

    /// Whether it says what was decided about a request.
    pub fn is_decision(&self) -> bool {
        self.event == "decision"
    }

    /// The day, `2026-11-23`.
    pub fn day(&self) -> &str {
        self.time.get(..10).unwrap_or_default()
    }
}
