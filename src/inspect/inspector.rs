//! Decides on one post.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::civil::Date;

use crate::body::{Limits, Unreadable};
use crate::detect::Engine;
use crate::inspect::Inspection;
use crate::platform::Platform;
use crate::policy::Policy;

/// One request, read whole.
#[derive(Debug)]
pub struct Request<'a> {
    /// The platform its route names.
    pub platform: &'a Platform,
    /// The method.
    pub method: &'a Method,
    /// The raw path, still percent-encoded.
    pub path: &'a str,
    /// The raw query, without `?`.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body as it came, still encoded.
    pub body: &'a Bytes,
    /// The client's group, if it is in one.
    pub group: Option<&'a str>,
    /// The reference for the client's sentence and the event: 8 base32 characters, drawn by the caller.
    pub reference: &'a str,
    /// Today, UTC.
    pub today: Date,
}

/// Rules and policy together: one immutable set that a request is pinned to.
#[derive(Debug)]
pub struct Inspector {
    engine: Arc<Engine>,
    policy: Arc<Policy>,
    limits: Limits,
}

impl Inspector {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, policy: Arc<Policy>, limits: Limits) -> Self {
        Self { engine, policy, limits }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The engine in force.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Limits on bodies.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Decides on one request.
    pub fn inspect(&self, _request: &Request<'_>) -> Inspection {
        todo!()
    }

    /// Decides on a request whose body the proxy could not read whole (too large, too slow, truncated). Truncated
    /// and slow bodies are blocked whatever the policy says.
    pub fn unreadable(&self, _request: &Request<'_>, _why: Unreadable) -> Inspection {
        todo!()
    }

    /// The verdict when inspection itself failed (a panic): always a block.
    pub fn failed(&self, _request: &Request<'_>) -> Inspection {
        todo!()
    }
}
