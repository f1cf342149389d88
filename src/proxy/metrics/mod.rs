//! Counters of the data path. Labels are platforms and rules of the configuration, and fixed words: nothing a client sends
//! can add one.

mod families;
mod histogram;
mod page;
mod rules;
mod write;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::body::Unreadable;
use crate::inspect::{self, Coverage, Inspection, Shadowed, Verdict};
use crate::proxy::connection::Activity;
use crate::proxy::memory::Memory;
use crate::proxy::metrics::histogram::Histogram;
use crate::proxy::metrics::rules::ByRule;
use crate::proxy::trace::Counts;
use crate::proxy::upstream::UpstreamFault;
use crate::proxy::who;
use crate::proxy::wire::Fault;
use crate::rules::Rule;

pub use families::FAMILIES;
pub use page::{Family, Format, Kind, Page, Samples};

const VERDICTS: [&str; 3] = ["forward", "redact", "block"];

/// The label of an endpoint that the platform's file does not name. Its path is the client's own words.
const NO_ENDPOINT: &str = "(none)";

/// The first digits that a status of an answer may have.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What a limit is known by: of bodies the audit's own word, of connections the setting's.
const LIMITS: [&str; 8] = [
    Unreadable::TooLarge.as_str(),
    Unreadable::TooDeep.as_str(),
    Unreadable::TooManyFields.as_str(),
    Unreadable::TooManyCodings.as_str(),
    Unreadable::TooSlow.as_str(),
    Unreadable::Busy.as_str(),
    PER_ADDRESS,
    RESETS,
];

const PER_ADDRESS: &str = "max-connections-per-address";
const RESETS: &str = "max-resets";

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Each keeps its place for as long as the process lives, so that no counter ever goes back.
    platforms: RwLock<Vec<PlatformCounters>>,
    findings: ByRule,
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
    accepted: AtomicU64,
    connections: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    over_limits: [AtomicU64; LIMITS.len()],
    in_flight: AtomicU64,
    sockets: AtomicU64,
    /// Posts that the policy beside would have treated otherwise, by what it would have done.
    shadow: [AtomicU64; VERDICTS.len()],
    shadow_failed: AtomicU64,
    inspected: AtomicU64,
    inspect_micros: AtomicU64,
    inspection: Inspections,
    /// What became of spans.
    pub(super) traces: Arc<Counts>,
    pub(crate) who: who::Counts,
}

#[derive(Debug)]
struct Inspections(Histogram);

impl Default for Inspections {
    fn default() -> Self {
        Self(Histogram::new(&histogram::INSPECTION))
    }
}

#[derive(Debug)]
struct PlatformCounters {
    name: String,
    verdicts: [AtomicU64; VERDICTS.len()],
    answers: [AtomicU64; CLASSES.len()],
    first_byte: Histogram,
    /// Bodies for no endpoint of its file.
    generic: AtomicU64,
    /// Bodies that could not be read, by the endpoint's template and the reason: at most as many as the file has endpoints,
    /// times a closed list. Seldom enough for a lock.
    unreadable: Mutex<BTreeMap<(String, &'static str), u64>>,
}

impl PlatformCounters {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            verdicts: Default::default(),
            answers: Default::default(),
            first_byte: Histogram::new(&histogram::FIRST_BYTE),
            generic: AtomicU64::new(0),
            unreadable: Mutex::default(),
        }
    }

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
    /// How many requests were inspected since the start.
    pub(crate) fn n_inspected(&self) -> u64 {
        self.inspected.load(Relaxed)
    }

    pub(crate) fn new(platforms: &[String]) -> Self {
        let metrics = Self::default();
        metrics.count_for(platforms);
        metrics
    }

    /// Makes counters for the platforms that have none: those behind the last that has.
    pub(crate) fn count_for(&self, platforms: &[String]) {
        let mut counted = self.platforms.write().unwrap_or_else(PoisonError::into_inner);
        let n_counted = counted.len();
        counted.extend(platforms.iter().skip(n_counted).map(|name| PlatformCounters::new(name)));
    }

    /// Makes counters for the rules that have none.
    pub(crate) fn count_rules(&self, rules: &[Rule]) {
        self.findings.count_for(rules);
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
        self.accepted.fetch_add(1, Relaxed);
        self.connections.fetch_add(1, Relaxed);
        Connected(Arc::clone(self))
    }

    pub(crate) fn open_socket(self: &Arc<Self>) -> OpenSocket {
        self.sockets.fetch_add(1, Relaxed);
        OpenSocket(Arc::clone(self))
    }

    /// Counts a decision; posts by platform and verdict, findings by category and rule.
    pub(crate) fn decided(&self, platform: usize, inspection: &Inspection, spent: Duration) {
        self.inspected.fetch_add(1, Relaxed);
        self.inspect_micros
            .fetch_add(u64::try_from(spent.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.inspection.0.observe(spent);
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
        self.findings.count(&inspection.findings);
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
        if let Some(inspect::Fault::Unreadable(why)) = inspection.fault {
            self.busy.fetch_add((why == Unreadable::Busy).into(), Relaxed);
            self.over_limit(why.as_str());
        }
        self.unjudged_media.fetch_add(inspection.unjudged_media.into(), Relaxed);
    }

    /// Counts what is over a limit, if that is what the word says.
    fn over_limit(&self, word: &str) {
        let place = LIMITS.iter().position(|limit| *limit == word);
        place
            .and_then(|place| self.over_limits.get(place))
            .map(|counter| counter.fetch_add(1, Relaxed));
    }

    /// Counts a connection that was closed because its address has too many.
    pub(crate) fn one_too_many(&self) {
        self.over_limit(PER_ADDRESS);
    }

    /// Counts a connection that was closed because it took back too many requests.
    pub(crate) fn flooded(&self) {
        self.over_limit(RESETS);
    }

    /// Counts bytes from clients.
    pub(crate) fn received(&self, n_bytes: usize) {
        self.received.fetch_add(n_bytes as u64, Relaxed);
    }

    /// Counts bytes to clients.
    pub(crate) fn sent(&self, n_bytes: usize) {
        self.sent.fetch_add(n_bytes as u64, Relaxed);
    }

    /// Counts the head of a platform's answer, and how long it took to come.
    pub(crate) fn answered(&self, platform: usize, status: u16, spent: Duration) {
        if let Some(counters) = self.platforms().get(platform) {
            counters.first_byte.observe(spent);
            let class = usize::from(status / 100).checked_sub(1);
            class
                .and_then(|class| counters.answers.get(class))
                .map(|counter| counter.fetch_add(1, Relaxed));
        }
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

    /// Client connections open.
    pub fn n_connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// WebSockets open.
    pub fn n_websockets(&self) -> u64 {
        self.sockets.load(Relaxed)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Format, Metrics, Page};
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

    fn text(metrics: &Metrics) -> String {
        let mut page = Page::new(Format::Prometheus);
        metrics.write(&mut page);
        page.finish()
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
        let text = text(&metrics);
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
        let text = text(&metrics);
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
