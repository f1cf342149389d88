//! What one line of the audit says.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::inspect::Inspection;

/// One event. The sink adds time, node, sequence and chain hash.
#[derive(Clone, Debug)]
pub struct Event {
    /// The event id; a post's outcome carries the same. Its reference in the client's sentence is the inspection's.
    pub id: String,
    /// Who sent it.
    pub client: Option<IpAddr>,
    /// The groups that the client proved to be in, one behind the other.
    pub group: Option<String>,
    /// Whom it proved to be.
    pub identity: Option<Identity>,
    /// The routed host pattern (never the client's own spelling).
    pub host: String,
    /// The platform.
    pub platform: String,
    /// The method, if it is a standard one.
    pub method: String,
    /// What happened.
    pub what: What,
}

/// Whom a client proved to be. It does not print the name.
#[derive(Clone)]
pub struct Identity {
    /// The name.
    pub name: Arc<str>,
    /// Whose word that is: `header`, `certificate` or `proxy-protocol`.
    pub by: &'static str,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("by", &self.by).finish_non_exhaustive()
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A post was decided. Written before it is forwarded.
    Decided {
        /// The decision.
        inspection: Box<Inspection>,
        /// Time spent deciding.
        spent: Duration,
        /// SHA-256 of the rules in force.
        rules: String,
        /// SHA-256 of the policy in force.
        policy: String,
    },
    /// What became of a forwarded post.
    Outcome(Outcome),
}

/// What became of a forwarded post.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The platform answered with this status.
    Answered(u16),
    /// It went out over a WebSocket, where nothing answers it.
    Sent,
    /// The platform could not be reached, or broke off.
    Failed,
    /// The client went away before the answer.
    ClientGone,
    /// We stopped before the answer.
    Stopped,
}

/// What was put in place of what, by whose word. Written before the first post is judged by it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// `signal`, `request` or `watch`.
    pub trigger: &'static str,
    /// The set that is replaced.
    pub before: Hashes,
    /// The set that is put in its place.
    pub after: Hashes,
}

/// What a set is known by: SHA-256, as hexadecimal digits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hashes {
    /// Over every file of the configuration, certificates too.
    pub config: String,
    /// Over the rules.
    pub rules: String,
    /// Over the policy.
    pub policy: String,
}
