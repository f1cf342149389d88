//! Counters of the data path. Labels are platforms of the configuration and fixed words: nothing a client sends can add
//! one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::body::Unreadable;
use crate::inspect::{self, Coverage, Inspection, Shadowed, Verdict};
use crate::proxy::connection::Activity;
use crate::proxy::memory::Memory;
use crate::proxy::upstream::UpstreamFault;
use crate::proxy::wire::Fault;
use crate::rules::Category;

const VERDICTS: [&str; 3] = ["forward", "redact", "block"];

/// The label of an endpoint that the platform's file does not name. Its path is the client's own words.
const NO_ENDPOINT: &str = "(none)";

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Each keeps its place for as long as the process lives, so that no counter ever goes back.
    platforms: RwLock<Vec<PlatformCounters>>,
    findings: [AtomicU64; Category::ALL.len()],
    upstream_faults: [AtomicU64; UpstreamFault::WORDS.len()],
    unrouted: AtomicU64,
    refused: AtomicU64,
    malformed: [AtomicU64; Fault::ALL.len()],
    unaudited: AtomicU64,
    busy: AtomicU64,
    memory: Mutex<Option<Memory>>,
    unreadable: AtomicU64,
    unjudged_media: AtomicU64,
    failed_handshakes: AtomicU64,
    unaccepted: AtomicU64,
    connections: AtomicU64,
    in_flight: AtomicU64,
    sockets: AtomicU64,
    /// Posts that the policy beside would have treated otherwise, by what it would have done.
    shadow: [AtomicU64; VERDICTS.len()],
    shadow_failed: AtomicU64,
    inspected: AtomicU64,
    inspect_micros: AtomicU64,
}

#[derive(Debug, Default)]
struct PlatformCounters {
    name: String,
    verdicts: [AtomicU64; VERDICTS.len()],
    /// Bodies for no endpoint of its file.
    generic: AtomicU64,
    /// Bodies that could not be read, by the endpoint's template and the reason: at most as many as the file has endpoints,
    /// times a closed list. Seldom enough for a lock.
    unreadable: Mutex<BTreeMap<(String, &'static str), u64>>,
}

impl PlatformCounters {
    fn uncovered(&self, inspection: &Inspection) {
        match inspection.coverage {
            Coverage::Understood => {}
            Coverage::Generic => {
                self.generic.fetch_add(1, Relaxed);
            }
            Coverage::Unreadable(why) => {
                let mut gaps = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                let endpoint = if inspection.known { &inspection.endpoint } else { NO_ENDPOINT };
                *gaps.entry((endpoint.to_owned(), why)).or_default() += 1;
            }
        }
    }
}

/// One request, counted while it lives.
#[derive(Debug)]
pub(crate) struct InFlight {
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
}

/// One connection, counted while it lives.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Metrics>);

/// One WebSocket, counted while it lives.
#[derive(Debug)]
pub(crate) struct OpenSocket(Arc<Metrics>);

impl Metrics {
    pub(crate) fn new(platforms: &[String]) -> Self {
        let metrics = Self::default();
        metrics.count_for(platforms);
        metrics
    }

    /// Makes counters for the platforms that have none: those behind the last that has.
    pub(crate) fn count_for(&self, platforms: &[String]) {
        let mut counted = self.platforms.write().unwrap_or_else(PoisonError::into_inner);
        let n_counted = counted.len();
        counted.extend(
            platforms
                .iter()
                .skip(n_counted)
                .map(|name| PlatformCounters { name: name.clone(), ..PlatformCounters::default() }),
        );
    }

    /// The platforms that have counters, in their order.
    pub(crate) fn counted(&self) -> Vec<String> {
        self.platforms().iter().map(|counters| counters.name.clone()).collect()
    }

    fn platforms(&self) -> RwLockReadGuard<'_, Vec<PlatformCounters>> {
        self.platforms.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(self: &Arc<Self>, activity: &Arc<Activity>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        activity.begin();
        InFlight { metrics: Arc::clone(self), activity: Arc::clone(activity) }
    }

    pub(crate) fn connect(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Relaxed);
        Connected(Arc::clone(self))
    }

    pub(crate) fn open_socket(self: &Arc<Self>) -> OpenSocket {
        self.sockets.fetch_add(1, Relaxed);
        OpenSocket(Arc::clone(self))
    }

    /// Counts a decision; posts by platform and verdict, findings by category.
    pub(crate) fn decided(&self, platform: usize, inspection: &Inspection, spent: Duration) {
        self.inspected.fetch_add(1, Relaxed);
        self.inspect_micros
            .fetch_add(u64::try_from(spent.as_micros()).unwrap_or(u64::MAX), Relaxed);
        let platforms = self.platforms();
        if inspection.is_post {
            let verdict = match inspection.verdict {
                Verdict::Forward => 0,
                Verdict::Redact(_) => 1,
                Verdict::Block(_) => 2,
            };
            let counter =
                platforms.get(platform).and_then(|counters| counters.verdicts.get(verdict));
            counter.map(|counter| counter.fetch_add(1, Relaxed));
        }
        for finding in &inspection.findings {
            let place = Category::ALL.iter().position(|category| *category == finding.category);
            place
                .and_then(|place| self.findings.get(place))
                .map(|counter| counter.fetch_add(1, Relaxed));
        }
        if let Some(counters) = platforms.get(platform) {
            counters.uncovered(inspection);
        }
        match inspection.shadow {
            None => {}
            Some(Shadowed::Otherwise { verdict, .. }) => {
                let place = VERDICTS.iter().position(|one| *one == verdict);
                let counter = place.and_then(|place| self.shadow.get(place));
                counter.map(|counter| counter.fetch_add(1, Relaxed));
            }
            Some(Shadowed::Failed) => drop(self.shadow_failed.fetch_add(1, Relaxed)),
        }
        self.unreadable.fetch_add(inspection.fault.is_some().into(), Relaxed);
        let is_busy = inspection.fault == Some(inspect::Fault::Unreadable(Unreadable::Busy));
        self.busy.fetch_add(is_busy.into(), Relaxed);
        self.unjudged_media.fetch_add(inspection.unjudged_media.into(), Relaxed);
    }

    pub(crate) fn unrouted(&self) {
        self.unrouted.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Counts bytes that were no request.
    pub(crate) fn malformed(&self, fault: Fault) {
        let place = Fault::ALL.iter().position(|one| *one == fault);
        place
            .and_then(|place| self.malformed.get(place))
            .map(|counter| counter.fetch_add(1, Relaxed));
    }

    pub(crate) fn unaudited(&self) {
        self.unaudited.fetch_add(1, Relaxed);
    }

    /// Tells of this budget, too.
    pub(crate) fn watch(&self, memory: &Memory) {
        // A data path has one.
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(memory.clone());
    }

    pub(crate) fn failed_handshake(&self) {
        self.failed_handshakes.fetch_add(1, Relaxed);
    }

    pub(crate) fn not_accepted(&self) {
        self.unaccepted.fetch_add(1, Relaxed);
    }

    pub(crate) fn upstream_failed(&self, fault: UpstreamFault) {
        let place = UpstreamFault::WORDS.iter().position(|word| *word == fault.as_str());
        place
            .and_then(|place| self.upstream_faults.get(place))
            .map(|counter| counter.fetch_add(1, Relaxed));
    }

    /// Requests under way.
    pub fn n_in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Posts decided, by verdict, over all platforms: forwarded, redacted, blocked.
    pub fn n_posts(&self) -> [u64; 3] {
        let mut sums = [0; 3];
        for counters in self.platforms().iter() {
            for (sum, counter) in sums.iter_mut().zip(&counters.verdicts) {
                *sum += counter.load(Relaxed);
            }
        }
        sums
    }

    /// What of the traffic no platform's file describes.
    fn write_coverage(&self, out: &mut String) {
        family(
            out,
            "postward_generic_bodies_total",
            "counter",
            "Bodies for no endpoint of the platform's file: read, never edited.",
        );
        for counters in self.platforms().iter() {
            let _ = writeln!(
                out,
                "postward_generic_bodies_total{{platform=\"{}\",endpoint=\"{NO_ENDPOINT}\"}} {}",
                label(&counters.name),
                counters.generic.load(Relaxed)
            );
        }
        family(
            out,
            "postward_unreadable_bodies_total",
            "counter",
            "Bodies that could not be read, by platform, endpoint and reason.",
        );
        for counters in self.platforms().iter() {
            let gaps = counters.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
            for ((endpoint, reason), n) in &*gaps {
                let _ = writeln!(
                    out,
                    "postward_unreadable_bodies_total{{platform=\"{}\",endpoint=\"{}\",reason=\"{reason}\"}} {n}",
                    label(&counters.name),
                    label(endpoint),
                );
            }
        }
    }

    fn write_memory(&self, out: &mut String) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(memory) = memory else { return };
        let (held, read) = memory.n_set_aside();
        family(
            out,
            "postward_inspect_memory_bytes",
            "gauge",
            "Memory set aside for posts, by what for: at most inspect-memory together.",
        );
        for (what, n) in [("hold", held), ("read", read)] {
            let _ = writeln!(out, "postward_inspect_memory_bytes{{for=\"{what}\"}} {n}");
        }
    }

    fn write_shadow(&self, out: &mut String) {
        let name = "postward_shadow_differences_total";
        family(
            out,
            name,
            "counter",
            "Posts that the shadow policy would treat otherwise, by its verdict.",
        );
        for (verdict, counter) in VERDICTS.iter().zip(&self.shadow) {
            let _ = writeln!(out, "{name}{{verdict=\"{verdict}\"}} {}", counter.load(Relaxed));
        }
    }

    fn write_findings(&self, out: &mut String) {
        family(out, "postward_findings_total", "counter", "Findings, by category.");
        for (category, counter) in Category::ALL.iter().zip(&self.findings) {
            let _ = writeln!(
                out,
                "postward_findings_total{{category=\"{}\"}} {}",
                category.as_str(),
                counter.load(Relaxed)
            );
        }
    }

    /// Writes every counter as Prometheus text.
    pub fn write(&self, out: &mut String) {
        family(out, "postward_posts_total", "counter", "Posts decided, by platform and verdict.");
        for counters in self.platforms().iter() {
            for (verdict, counter) in VERDICTS.iter().zip(&counters.verdicts) {
                let _ = writeln!(
                    out,
                    "postward_posts_total{{platform=\"{}\",verdict=\"{verdict}\"}} {}",
                    label(&counters.name),
                    counter.load(Relaxed)
                );
            }
        }
        self.write_coverage(out);
        self.write_findings(out);
        self.write_shadow(out);
        self.write_memory(out);
        family(
            out,
            "postward_upstream_failures_total",
            "counter",
            "Requests that a platform did not answer, by reason.",
        );
        for (word, counter) in UpstreamFault::WORDS.iter().zip(&self.upstream_faults) {
            let _ = writeln!(
                out,
                "postward_upstream_failures_total{{reason=\"{word}\"}} {}",
                counter.load(Relaxed)
            );
        }
        family(
            out,
            "postward_malformed_total",
            "counter",
            "HTTP/1 connections ended because what came was no request, by reason.",
        );
        for (fault, counter) in Fault::ALL.iter().zip(&self.malformed) {
            let _ = writeln!(
                out,
                "postward_malformed_total{{reason=\"{}\"}} {}",
                fault.as_str(),
                counter.load(Relaxed)
            );
        }
        self.write_singles(out);
    }

    fn write_singles(&self, out: &mut String) {
        let singles = [
            (
                "postward_unrouted_total",
                "counter",
                "Requests for a host without a route (421).",
                &self.unrouted,
            ),
            (
                "postward_refused_total",
                "counter",
                "Requests refused for their form.",
                &self.refused,
            ),
            (
                "postward_unaudited_total",
                "counter",
                "Posts whose audit event could not be written.",
                &self.unaudited,
            ),
            (
                "postward_busy_total",
                "counter",
                "Posts refused because there was no memory to read them in time.",
                &self.busy,
            ),
            (
                "postward_faults_total",
                "counter",
                "Posts that could not be read or redacted.",
                &self.unreadable,
            ),
            (
                "postward_unjudged_media_total",
                "counter",
                "Media that went through unjudged.",
                &self.unjudged_media,
            ),
            (
                "postward_failed_handshakes_total",
                "counter",
                "TLS handshakes that failed or timed out.",
                &self.failed_handshakes,
            ),
            (
                "postward_accept_failures_total",
                "counter",
                "Times that no connection could be accepted, such as for want of file descriptors.",
                &self.unaccepted,
            ),
            (
                "postward_shadow_failures_total",
                "counter",
                "Posts over which the shadow policy failed.",
                &self.shadow_failed,
            ),
            ("postward_inspected_total", "counter", "Requests inspected.", &self.inspected),
            (
                "postward_inspect_microseconds_total",
                "counter",
                "Time spent inspecting.",
                &self.inspect_micros,
            ),
            ("postward_connections", "gauge", "Client connections open.", &self.connections),
            ("postward_in_flight", "gauge", "Requests under way.", &self.in_flight),
            ("postward_websockets", "gauge", "WebSockets open.", &self.sockets),
        ];
        for (name, kind, help, counter) in singles {
            family(out, name, kind, help);
            let _ = writeln!(out, "{name} {}", counter.load(Relaxed));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Relaxed);
        self.activity.end();
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Relaxed);
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A platform's name comes from a file; Prometheus knows three characters to escape.
fn label(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Metrics;
    use crate::body::Unreadable;
    use crate::inspect::{Coverage, Inspection, Verdict};

    fn inspection(endpoint: Option<&str>, coverage: Coverage) -> Inspection {
        Inspection {
            verdict: Verdict::Forward,
            enforced: true,
            is_post: true,
            endpoint: endpoint.unwrap_or("unknown").into(),
            known: endpoint.is_some(),
            coverage,
            findings: Vec::new(),
            fault: None,
            unjudged_media: false,
            metadata_stripped: false,
            care: 0.0,
            shadow: None,
            reference: "ABCD2345".into(),
        }
    }

    #[test]
    fn gaps_are_counted_by_platform_and_endpoint() {
        let metrics = Metrics::new(&["mastodon".into(), "x".into()]);
        let post = Some("POST /api/v1/statuses");
        for (platform, endpoint, coverage) in [
            (0, post, Coverage::Understood),
            (0, post, Coverage::Unreadable(Unreadable::Json.as_str())),
            (0, post, Coverage::Unreadable(Unreadable::Json.as_str())),
            (0, post, Coverage::Unreadable(Unreadable::Charset.as_str())),
            (0, None, Coverage::Unreadable(Unreadable::Json.as_str())),
            (1, None, Coverage::Generic),
        ] {
            metrics.decided(platform, &inspection(endpoint, coverage), Duration::ZERO);
        }
        let mut text = String::new();
        metrics.write(&mut text);
        let gaps: Vec<_> = text.lines().filter(|line| line.contains("_bodies_total{")).collect();
        assert_eq!(
            gaps,
            [
                r#"postward_generic_bodies_total{platform="mastodon",endpoint="(none)"} 0"#,
                r#"postward_generic_bodies_total{platform="x",endpoint="(none)"} 1"#,
                r#"postward_unreadable_bodies_total{platform="mastodon",endpoint="(none)",reason="json"} 1"#,
                r#"postward_unreadable_bodies_total{platform="mastodon",endpoint="POST /api/v1/statuses",reason="charset"} 1"#,
                r#"postward_unreadable_bodies_total{platform="mastodon",endpoint="POST /api/v1/statuses",reason="json"} 2"#,
            ]
        );
    }

    #[test]
    fn every_line_is_a_comment_or_a_sample() {
        let metrics = Metrics::new(&["mastodon".into(), "odd\"name".into()]);
        metrics.unrouted();
        let mut text = String::new();
        metrics.write(&mut text);
        assert!(text.contains("postward_unrouted_total 1\n"));
        assert!(
            text.contains("postward_posts_total{platform=\"odd\\\"name\",verdict=\"block\"} 0\n")
        );
        for line in text.lines() {
            let sample = line.rsplit_once(' ').is_some_and(|(name, value)| {
                name.starts_with("postward_") && value.parse::<f64>().is_ok()
            });
            assert!(line.starts_with("# ") || sample, "{line}");
        }
    }
}
