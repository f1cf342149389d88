//! Leaves: one for each routed host that a client asked for, kept until two thirds of its life are over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::proxy::route::Routes;
use crate::proxy::tls::ca::{Authority, BACKDATED, CaError, LEAF_LIFE};

/// Wildcard routes let clients name hosts without end; the oldest leaves go first.
const MOST_LEAVES: usize = 4096;

/// Mints and keeps leaves.
#[derive(Debug)]
pub(crate) struct Leaves {
    authority: Arc<Authority>,
    routes: Arc<Routes>,
    provider: Arc<CryptoProvider>,
    kept: Mutex<HashMap<Box<str>, Kept>>,
}

#[derive(Debug)]
struct Kept {
    key: Arc<CertifiedKey>,
    minted: Instant,
    /// By the clock that clients compare it with.
    minted_at: SystemTime,
}

impl Kept {
    /// Whether clients take it, and for a while yet. The clock on the wall may leap: a machine that wakes in 1970 mints
    /// leaves that are long expired once it knows the day.
    fn is_good(&self, now: SystemTime) -> bool {
        let age = match now.duration_since(self.minted_at) {
            Ok(age) => age,
            // From a time that has not come yet: good as far as it was dated back.
            Err(ahead) if ahead.duration() < BACKDATED => Duration::ZERO,
            Err(_) => return false,
        };
        age.max(self.minted.elapsed()) < renew_after()
    }
}

impl Leaves {
    pub(crate) fn new(
        authority: Arc<Authority>,
        routes: Arc<Routes>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { authority, routes, provider, kept: Mutex::default() }
    }

    /// Whether a leaf may be minted: the host has a route.
    pub(crate) fn serves(&self, host: &str) -> bool {
        self.routes.find(host).is_some()
    }

    /// The leaf for a routed host.
    pub(crate) fn leaf(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = kept.get(host).filter(|leaf| leaf.is_good(SystemTime::now())) {
            return Some(Arc::clone(&leaf.key));
        }
        if !self.serves(host) {
            return None;
        }
        // Minting takes some 100 microseconds; it stays under the lock so that a burst mints once.
        let key = Arc::new(self.mint(host).ok()?);
        if kept.len() >= MOST_LEAVES
            && let Some(oldest) =
                kept.iter().min_by_key(|(_, leaf)| leaf.minted).map(|(host, _)| host.clone())
        {
            kept.remove(&oldest);
        }
        let (minted, minted_at) = (Instant::now(), SystemTime::now());
        kept.insert(host.into(), Kept { key: Arc::clone(&key), minted, minted_at });
        Some(key)
    }

    /// When the first of those that are still shown ends, in seconds since 1970.
    pub(crate) fn first_end(&self) -> Option<i64> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let shown = kept.values().filter(|leaf| leaf.is_good(now));
        let ends = shown.filter_map(|leaf| {
            let end = leaf.minted_at + LEAF_LIFE.saturating_sub(BACKDATED);
            i64::try_from(end.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
        });
        ends.min()
    }

    /// Mints one without keeping it.
    pub(crate) fn mint(&self, host: &str) -> Result<CertifiedKey, CaError> {
        let leaf = self.authority.mint(host)?;
        let unusable = |_| CaError::Sign(rcgen::Error::RemoteKeyError);
        let key = self.provider.key_provider.load_private_key(leaf.key).map_err(unusable)?;
        Ok(CertifiedKey::new(leaf.chain, key))
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.leaf(&hello.server_name()?.to_ascii_lowercase())
    }
}

fn renew_after() -> Duration {
    LEAF_LIFE * 2 / 3
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant, SystemTime};

    use super::Kept;
    use crate::proxy::tls::ca::Authority;
    use crate::proxy::tls::provider;

    #[test]
    fn a_leaf_is_minted_anew_when_the_clock_has_leapt() {
        const DAY: Duration = Duration::from_secs(86_400);
        let leaf = Authority::generate("CA", &[]).unwrap().mint("mastodon.example").unwrap();
        let key = provider().key_provider.load_private_key(leaf.key).unwrap();
        let key = Arc::new(rustls::sign::CertifiedKey::new(leaf.chain, key));
        let now = SystemTime::now();
        let kept = Kept { key, minted: Instant::now(), minted_at: now };
        for (later, earlier, want) in
            [(0, 0, true), (130, 0, true), (132, 0, false), (20_000, 0, false), (0, 2, false)]
        {
            assert_eq!(kept.is_good(now + DAY * later - DAY * earlier), want, "{later} {earlier}");
        }
        assert!(kept.is_good(now - DAY / 2), "it is dated back by a day");
    }
}
