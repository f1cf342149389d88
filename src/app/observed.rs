//! What operators see of the running proxy: what runs, not what the files say.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use serde_json::{Value, json};

use crate::app::standing::Standing;
use crate::audit::Audit;
use crate::proxy::Metrics;

/// The running proxy, as the operators' listener shows it.
#[derive(Debug)]
pub(crate) struct Observed {
    metrics: Arc<Metrics>,
    audit: Audit,
    pub(crate) standing: Standing,
    began: Instant,
    stopping: AtomicBool,
}

impl Observed {
    pub(crate) fn new(standing: Standing, metrics: Arc<Metrics>, audit: Audit) -> Self {
        Self { metrics, audit, standing, began: Instant::now(), stopping: AtomicBool::new(false) }
    }

    /// From now on not ready: load balancers look elsewhere while we drain.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    pub(crate) fn unready(&self) -> Option<&'static str> {
        if self.stopping.load(Relaxed) {
            Some("stopping")
        } else if !self.audit.is_writable() {
            Some("the audit file cannot be written")
        } else if self.standing.in_force().is_roster_damaged() {
            Some("the roster was altered while it was in use")
        } else {
            None
        }
    }

    pub(crate) fn metrics(&self) -> String {
        let mut out = String::with_capacity(4096);
        let in_force = self.standing.in_force();
        self.metrics.write(&mut out);
        self.standing.write_metrics(&mut out);
        let _ = writeln!(
            out,
            "# HELP postward_info What runs.\n# TYPE postward_info gauge\n\
             postward_info{{version=\"{}\",rules=\"{}\",policy=\"{}\",mode=\"{}\"}} 1\n\
             # HELP postward_audit_head The hash of the newest audit line.\n# TYPE postward_audit_head gauge\n\
             postward_audit_head{{hash=\"{}\"}} 1\n\
             # HELP postward_audit_writable Whether the last audit line was written.\n# TYPE postward_audit_writable gauge\n\
             postward_audit_writable {}\n\
             # HELP postward_uptime_seconds Seconds since the start.\n# TYPE postward_uptime_seconds gauge\n\
             postward_uptime_seconds {}",
            env!("CARGO_PKG_VERSION"),
            in_force.hashes.rules,
            in_force.hashes.policy,
            in_force.mode(),
            self.audit.head(),
            u8::from(self.audit.is_writable()),
            self.began.elapsed().as_secs(),
        );
        out
    }

    pub(crate) fn status(&self) -> Value {
        let [forwarded, redacted, blocked] = self.metrics.n_posts();
        let in_force = self.standing.in_force();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ready": self.unready().is_none(),
            "uptime_seconds": self.began.elapsed().as_secs(),
            "mode": in_force.mode(),
            "config": self.standing.as_json(),
            "rules": { "hash": in_force.hashes.rules, "count": in_force.n_rules },
            "policy": { "hash": in_force.hashes.policy },
            "audit": { "head": self.audit.head(), "writable": self.audit.is_writable() },
            "posts": { "forward": forwarded, "redact": redacted, "block": blocked },
            "in_flight": self.metrics.n_in_flight(),
        })
    }
}
