//! Leaves: one for each routed host that a client asked for, kept until two thirds of its life are over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::proxy::route::Routes;
use crate::proxy::tls::ca::{Authority, CaError, LEAF_LIFE};

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
        if let Some(leaf) = kept.get(host).filter(|leaf| leaf.minted.elapsed() < renew_after()) {
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
        kept.insert(host.into(), Kept { key: Arc::clone(&key), minted: Instant::now() });
        Some(key)
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
