//! What operators see of the running proxy: what runs, not what the files say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::families;
use crate::app::process::Process;
use crate::app::standing::{InForce, Standing};
use crate::audit::{Audit, SinkStatus};
use crate::proxy::tls::Expiry;
use crate::proxy::{Family, Format, Metrics, Page};

/// How long before its end a certificate is worth a word, in seconds.
const SOON: i64 = 14 * 86_400;

/// The running proxy, as the operators' listener shows it.
#[derive(Debug)]
pub(crate) struct Observed {
    metrics: Arc<Metrics>,
    audit: Audit,
    pub(crate) standing: Standing,
    began: Instant,
    began_at: Timestamp,
    stopping: AtomicBool,
}

/// What only the data path knows: it is asked for each page.
pub(crate) struct Serving {
    /// Each listener's address, and how TLS is spoken there.
    pub(crate) listeners: Vec<(std::net::SocketAddr, &'static str)>,
    /// When certificates and lists end.
    pub(crate) expiries: Vec<Expiry>,
}

/// A family of metrics, and what a sink has of it.
type OfSink = (&'static Family, fn(&SinkStatus) -> u64);

impl Observed {
    pub(crate) fn new(standing: Standing, metrics: Arc<Metrics>, audit: Audit) -> Self {
        let (began, began_at) = (Instant::now(), Timestamp::now());
        Self { metrics, audit, standing, began, began_at, stopping: AtomicBool::new(false) }
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
        } else if self.audit.is_spool_full() {
            Some("more waits for a sink of the audit than may")
        } else if self.standing.in_force().is_roster_damaged() {
            Some("the roster was altered while it was in use")
        } else {
            None
        }
    }

    /// What an operator should look at although posts may go on: each a sentence that stays the same.
    fn degraded(&self, serving: &Serving) -> Vec<String> {
        let mut reasons: Vec<String> = self.unready().into_iter().map(str::to_owned).collect();
        if self.standing.refused().is_some() {
            reasons.push("the files on disk cannot be used: what ran before goes on".to_owned());
        }
        let down = self.audit.sinks().into_iter().filter(|sink| !sink.is_up);
        reasons.extend(down.map(|sink| format!("the audit's sink {} is down", sink.name)));
        let now = Timestamp::now().as_second();
        for Expiry { kind, file, at } in &serving.expiries {
            if *kind == "leaf" || *at > now + SOON {
                continue;
            }
            let what = if *kind == "list" { "the revocation list" } else { "a certificate of" };
            let when = if *at <= now { "has expired" } else { "expires within 14 days" };
            reasons.push(format!("{what} {file} {when}"));
        }
        reasons
    }

    pub(crate) fn metrics(&self, format: Format, serving: &Serving) -> String {
        let mut page = Page::new(format);
        let in_force = self.standing.in_force();
        self.metrics.write(&mut page);
        let version = env!("CARGO_PKG_VERSION");
        let labels = [version, &in_force.hashes.rules, &in_force.hashes.policy, in_force.mode()];
        page.family(&families::INFO).put(&labels, 1);
        let labels = [version, std::env::consts::OS, std::env::consts::ARCH];
        page.family(&families::BUILD).put(&labels, 1);
        page.single(&families::READY, u8::from(self.unready().is_none()));
        page.single(&families::UPTIME, self.began.elapsed().as_secs());
        self.standing.write_metrics(&mut page);
        self.write_audit(&mut page);
        let mut samples = page.family(&families::EXPIRY);
        for Expiry { kind, file, at } in &serving.expiries {
            samples.put(&[kind, file], at);
        }
        write_roster(&in_force, &mut page);
        self.write_process(&mut page);
        page.finish()
    }

    fn write_audit(&self, page: &mut Page) {
        let (n_queued, n_bytes) = self.audit.queued();
        page.family(&families::HEAD).put(&[&self.audit.head()], 1);
        page.single(&families::SEQUENCE, self.audit.seq());
        page.single(&families::WRITABLE, u8::from(self.audit.is_writable()));
        page.single(&families::QUEUED, n_queued);
        page.single(&families::QUEUED_BYTES, n_bytes);
        page.single(&families::SPOOL_FULL, u8::from(self.audit.is_spool_full()));
        let sinks = self.audit.sinks();
        let value: [OfSink; 7] = [
            (&families::SINK_UP, |sink| sink.is_up.into()),
            (&families::SINK_SEQUENCE, |sink| sink.held_seq),
            (&families::SINK_WAITING, |sink| sink.n_waiting),
            (&families::SINK_WAITING_BYTES, |sink| sink.waiting_bytes),
            (&families::SINK_SPOOL, |sink| sink.spool_bytes),
            (&families::SINK_DELIVERED, |sink| sink.n_delivered),
            (&families::SINK_FAULTS, |sink| sink.n_faults),
        ];
        for (family, value) in value {
            let mut samples = page.family(family);
            for sink in &sinks {
                samples.put(&[&sink.name, sink.kind], value(sink));
            }
        }
    }

    fn write_process(&self, page: &mut Page) {
        let process = Process::now();
        page.single(&families::CPU, process.cpu);
        page.single(&families::RESIDENT, process.resident);
        page.single(&families::VIRTUAL, process.virtual_memory);
        page.single(&families::THREADS, process.n_threads);
        page.single(&families::FILES, process.n_files);
        page.single(&families::MOST_FILES, process.most_files);
        page.single(&families::STARTED, self.began_at.as_second());
    }

    pub(crate) fn status(&self, serving: &Serving) -> Value {
        let [forwarded, redacted, blocked] = self.metrics.n_posts();
        let in_force = self.standing.in_force();
        let (n_queued, n_bytes) = self.audit.queued();
        let listeners: Vec<Value> = serving
            .listeners
            .iter()
            .map(|(address, tls)| json!({ "address": address.to_string(), "tls": tls }))
            .collect();
        let certificates: Vec<Value> = serving.expiries.iter().map(as_json).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ready": self.unready().is_none(),
            "degraded": self.degraded(serving),
            "since": self.began_at.to_string(),
            "uptime_seconds": self.began.elapsed().as_secs(),
            "mode": in_force.mode(),
            "config": self.standing.as_json(),
            "rules": { "hash": in_force.hashes.rules, "count": in_force.n_rules },
            "policy": { "hash": in_force.hashes.policy },
            "platforms": { "hash": in_force.platforms },
            "roster": roster(&in_force),
            "audit": {
                "head": self.audit.head(),
                "sequence": self.audit.seq(),
                "writable": self.audit.is_writable(),
                "queue": { "events": n_queued, "bytes": n_bytes },
                "spool_full": self.audit.is_spool_full(),
                "sinks": self.audit.sinks().iter().map(sink_as_json).collect::<Vec<_>>(),
            },
            "listeners": listeners,
            "certificates": certificates,
            "posts": { "forward": forwarded, "redact": redacted, "block": blocked },
            "connections": self.metrics.n_connections(),
            "in_flight": self.metrics.n_in_flight(),
            "websockets": self.metrics.n_websockets(),
        })
    }
}

fn sink_as_json(sink: &SinkStatus) -> Value {
    json!({
        "name": sink.name,
        "kind": sink.kind,
        "up": sink.is_up,
        "wait": sink.wait,
        "sequence": sink.held_seq,
        "waiting": { "events": sink.n_waiting, "bytes": sink.waiting_bytes },
        "spool_bytes": sink.spool_bytes,
        "fault": sink.fault,
    })
}

fn as_json(expiry: &Expiry) -> Value {
    let at = Timestamp::from_second(expiry.at).map(|at| at.to_string()).ok();
    json!({ "kind": expiry.kind, "file": expiry.file, "expires": at })
}

/// What is known of the rosters in use; null where there is none.
fn roster(in_force: &InForce) -> Option<Value> {
    let roster = in_force.roster()?;
    Some(json!({
        "built": roster.built.map(|built| built.to_string()),
        "patients": roster.n_patients,
        "staff": roster.n_staff,
        "damaged": in_force.is_roster_damaged(),
    }))
}

fn write_roster(in_force: &InForce, page: &mut Page) {
    let roster = in_force.roster();
    let built = roster.as_ref().and_then(|roster| Some(roster.built?.as_second()));
    let age = built.map(|built| Timestamp::now().as_second().saturating_sub(built).max(0));
    let damaged = roster.as_ref().map(|_| i64::from(in_force.is_roster_damaged()));
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    for (family, value) in [
        (&families::ROSTER_BUILT, built),
        (&families::ROSTER_AGE, age),
        (&families::ROSTER_PATIENTS, roster.as_ref().map(|roster| count(roster.n_patients))),
        (&families::ROSTER_STAFF, roster.as_ref().map(|roster| count(roster.n_staff))),
        (&families::ROSTER_DAMAGED, damaged),
    ] {
        let mut samples = page.family(family);
        if let Some(value) = value {
            samples.put(&[], value);
        }
    }
}
