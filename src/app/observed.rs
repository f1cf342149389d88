//! What operators see of the running proxy: what runs, not what the files say.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use serde_json::{Value, json};

use crate::admin;
use crate::audit::Audit;
use crate::config::Loaded;
use crate::inspect::Inspector;
use crate::policy::Mode;
use crate::proxy::Metrics;

/// The running proxy, as the operators' listener shows it.
#[derive(Debug)]
pub(crate) struct Observed {
    metrics: Arc<Metrics>,
    audit: Audit,
    inspector: Arc<Inspector>,
    rules_hash: String,
    n_rules: usize,
    began: Instant,
    stopping: AtomicBool,
}

impl Observed {
    pub(crate) fn new(loaded: &Loaded, metrics: Arc<Metrics>, audit: Audit) -> Self {
        Self {
            metrics,
            audit,
            inspector: Arc::clone(&loaded.inspector),
            rules_hash: loaded.rules.hash.clone(),
            n_rules: loaded.rules.rules.len(),
            began: Instant::now(),
            stopping: AtomicBool::new(false),
        }
    }

    /// From now on not ready: load balancers look elsewhere while we drain.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    fn mode(&self) -> &'static str {
        match self.inspector.policy().mode() {
            Mode::Enforce => "enforce",
            Mode::Monitor => "monitor",
        }
    }
}

impl admin::Source for Observed {
    fn unready(&self) -> Option<&'static str> {
        if self.stopping.load(Relaxed) {
            Some("stopping")
        } else if !self.audit.is_writable() {
            Some("the audit file cannot be written")
        } else {
            None
        }
    }

    fn metrics(&self) -> String {
        let mut out = String::with_capacity(4096);
        self.metrics.write(&mut out);
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
            self.rules_hash,
            self.inspector.policy().hash(),
            self.mode(),
            self.audit.head(),
            u8::from(self.audit.is_writable()),
            self.began.elapsed().as_secs(),
        );
        out
    }

    fn status(&self) -> Value {
        let [forwarded, redacted, blocked] = self.metrics.n_posts();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ready": self.unready().is_none(),
            "uptime_seconds": self.began.elapsed().as_secs(),
            "mode": self.mode(),
            "rules": { "hash": self.rules_hash, "count": self.n_rules },
            "policy": { "hash": self.inspector.policy().hash() },
            "audit": { "head": self.audit.head(), "writable": self.audit.is_writable() },
            "posts": { "forward": forwarded, "redact": redacted, "block": blocked },
            "in_flight": self.metrics.n_in_flight(),
        })
    }
}
