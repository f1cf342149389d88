//! Puts the counters of the data path on the page.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use crate::proxy::metrics::{
    CLASSES, LIMITS, Metrics, NO_ENDPOINT, Page, PlatformCounters, VERDICTS, families,
};
use crate::proxy::upstream::UpstreamFault;
use crate::proxy::wire::Fault;

impl Metrics {
    /// Writes every counter.
    pub fn write(&self, page: &mut Page) {
        let platforms = self.platforms();
        write_posts(&platforms, page);
        self.findings.write(&mut page.family(&families::FINDINGS));
        write_coverage(&platforms, page);
        let mut samples = page.family(&families::OVER_LIMITS);
        for (limit, counter) in LIMITS.iter().zip(&self.over_limits) {
            samples.put(&[limit], counter.load(Relaxed));
        }
        page.single(&families::FAULTS, self.unreadable.load(Relaxed));
        page.single(&families::UNJUDGED, self.unjudged_media.load(Relaxed));
        let mut samples = page.family(&families::SHADOW);
        for (verdict, counter) in VERDICTS.iter().zip(&self.shadow) {
            samples.put(&[verdict], counter.load(Relaxed));
        }
        page.single(&families::SHADOW_FAILED, self.shadow_failed.load(Relaxed));
        page.single(&families::INSPECTED, self.inspected.load(Relaxed));
        page.single(&families::INSPECT_MICROS, self.inspect_micros.load(Relaxed));
        self.inspection.0.write(&[], &mut page.family(&families::INSPECTION));
        write_answers(&platforms, page);
        self.write_refusals(page);
        self.write_memory(page);
        self.write_connections(page);
        let mut samples = page.family(&families::SPANS);
        let counts = &self.traces;
        for (result, counter) in
            [("sent", &counts.sent), ("dropped", &counts.dropped), ("failed", &counts.failed)]
        {
            samples.put(&[result], counter.load(Relaxed));
        }
    }

    fn write_refusals(&self, page: &mut Page) {
        let mut samples = page.family(&families::UPSTREAM_FAILURES);
        for (word, counter) in UpstreamFault::WORDS.iter().zip(&self.upstream_faults) {
            samples.put(&[word], counter.load(Relaxed));
        }
        let mut samples = page.family(&families::MALFORMED);
        for (fault, counter) in Fault::ALL.iter().zip(&self.malformed) {
            samples.put(&[fault.as_str()], counter.load(Relaxed));
        }
        let who = &self.who;
        for (family, counted) in [
            (&families::PROXY_HEADERS, who.headers()),
            (&families::CLIENT_CERTIFICATES, who.certificates()),
            (&families::IDENTITIES, who.identities()),
        ] {
            let mut samples = page.family(family);
            for (word, n) in counted {
                samples.put(&[word], n);
            }
        }
        page.single(&families::UNROUTED, self.unrouted.load(Relaxed));
        page.single(&families::REFUSED, self.refused.load(Relaxed));
        page.single(&families::UNAUDITED, self.unaudited.load(Relaxed));
        page.single(&families::BUSY, self.busy.load(Relaxed));
    }

    fn write_memory(&self, page: &mut Page) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut samples = page.family(&families::MEMORY);
        let Some(memory) = memory else { return };
        let (held, read) = memory.n_set_aside();
        samples.put(&["hold"], held);
        samples.put(&["read"], read);
    }

    fn write_connections(&self, page: &mut Page) {
        for (family, counter) in [
            (&families::ACCEPTED, &self.accepted),
            (&families::ACCEPT_FAILURES, &self.unaccepted),
            (&families::FAILED_HANDSHAKES, &self.failed_handshakes),
            (&families::CONNECTIONS, &self.connections),
            (&families::IN_FLIGHT, &self.in_flight),
            (&families::WEBSOCKETS, &self.sockets),
            (&families::RECEIVED, &self.received),
            (&families::SENT, &self.sent),
        ] {
            page.single(family, counter.load(Relaxed));
        }
    }
}

fn write_posts(platforms: &[PlatformCounters], page: &mut Page) {
    let mut samples = page.family(&families::POSTS);
    for counters in platforms {
        for (verdict, counter) in VERDICTS.iter().zip(&counters.verdicts) {
            samples.put(&[&counters.name, verdict], counter.load(Relaxed));
        }
    }
}

/// What of the traffic no platform's file describes.
fn write_coverage(platforms: &[PlatformCounters], page: &mut Page) {
    let mut samples = page.family(&families::GENERIC);
    for counters in platforms {
        samples.put(&[&counters.name, NO_ENDPOINT], counters.generic.load(Relaxed));
    }
    let mut samples = page.family(&families::UNREADABLE);
    for counters in platforms {
        let gaps = counters.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        for ((endpoint, reason), n) in &*gaps {
            samples.put(&[&counters.name, endpoint, reason], n);
        }
    }
}

fn write_answers(platforms: &[PlatformCounters], page: &mut Page) {
    let mut samples = page.family(&families::FIRST_BYTE);
    for counters in platforms {
        counters.first_byte.write(&[&counters.name], &mut samples);
    }
    let mut samples = page.family(&families::UPSTREAM_ANSWERS);
    for counters in platforms {
        for (class, counter) in CLASSES.iter().zip(&counters.answers) {
            samples.put(&[&counters.name, class], counter.load(Relaxed));
        }
    }
}
