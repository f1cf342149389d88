//! Claims that were not believed, counted by why. The words are ours: no name and no address is in them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{HeaderFault, Ignored};
use crate::proxy::upstream::Distrust;

/// What was not believed of who sends.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    headers: [AtomicU64; HeaderFault::ALL.len()],
    certificates: [AtomicU64; Distrust::ALL.len()],
    ignored: [AtomicU64; Ignored::ALL.len()],
}

impl Counts {
    /// A listed balancer's connection that did not begin with a header of the PROXY protocol as it must.
    pub(crate) fn header_refused(&self, why: HeaderFault) {
        count(&self.headers, &HeaderFault::ALL, &why);
    }

    /// A client whose certificate was refused, or that showed none where it must.
    pub(crate) fn certificate_refused(&self, why: Distrust) {
        count(&self.certificates, &Distrust::ALL, &why);
    }

    /// An identity header that was taken off unbelieved.
    pub(crate) fn ignored(&self, why: Ignored) {
        count(&self.ignored, &Ignored::ALL, &why);
    }

    /// Headers of the PROXY protocol that were refused, by why.
    pub(crate) fn headers(&self) -> Vec<(&'static str, u64)> {
        counted(&self.headers, HeaderFault::ALL.map(HeaderFault::as_str))
    }

    /// Clients' certificates that were, by why.
    pub(crate) fn certificates(&self) -> Vec<(&'static str, u64)> {
        counted(&self.certificates, Distrust::ALL.map(Distrust::as_str))
    }

    /// Identities that were not believed, by why.
    pub(crate) fn identities(&self) -> Vec<(&'static str, u64)> {
        counted(&self.ignored, Ignored::ALL.map(Ignored::as_str))
    }
}

fn counted<const N: usize>(
    counters: &[AtomicU64; N],
    words: [&'static str; N],
) -> Vec<(&'static str, u64)> {
    words.into_iter().zip(counters.iter().map(|counter| counter.load(Relaxed))).collect()
}

fn count<T: PartialEq>(counters: &[AtomicU64], all: &[T], one: &T) {
    let place = all.iter().position(|other| other == one);
    if let Some(counter) = place.and_then(|place| counters.get(place)) {
        counter.fetch_add(1, Relaxed);
    }
}
