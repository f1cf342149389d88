//! Puts the data path together from a configuration: bound, verified and ready, or not started at all.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use tokio::net::TcpListener;

use crate::audit::Audit;
use crate::config::{Listener, Loaded, TlsIdentity};
use crate::proxy::calendar::Calendar;
use crate::proxy::drain::Drain;
use crate::proxy::judge::Judging;
use crate::proxy::listener::{self, Caps};
use crate::proxy::memory::Memory;
use crate::proxy::metrics::Metrics;
use crate::proxy::route::{Routes, UnknownPlatform};
use crate::proxy::seldom::Seldom;
use crate::proxy::service::{Gateway, Limits};
use crate::proxy::tls::{self, Authority, CaError, KeyFileError, TlsAcceptor, TlsSetupError};
use crate::proxy::upstream::{self, Dialler, Pool, Trust, UpstreamSetupError};

/// Why the data path cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A listener's TLS.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The CA.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// A certificate file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A route.
    #[error(transparent)]
    Route(#[from] UnknownPlatform),
    /// The way to the platforms.
    #[error(transparent)]
    Upstream(#[from] UpstreamSetupError),
}

impl SetupError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::File(fault) | Self::Ca(CaError::File(fault)) | Self::Tls(TlsSetupError::File(fault)) => Some(fault.remedy()),
            Self::Listen { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => Some(format!("another program listens on {address}: stop it, or choose another address")),
                io::ErrorKind::PermissionDenied => {
                    Some(format!("port {} needs the capability CAP_NET_BIND_SERVICE (or choose a port above 1023)", address.port()))
                }
                io::ErrorKind::AddrNotAvailable => Some("choose an address of this machine, or [::] for all of them".to_owned()),
                _ => None,
            },
            Self::Tls(TlsSetupError::CaCannotSign { .. }) => {
                Some("make a CA for all routed hosts with `postward ca init`, or take the host out of its route".to_owned())
            }
            Self::Upstream(UpstreamSetupError::NoRoots) => {
                Some("install the package ca-certificates, or set extra-roots under [upstream]".to_owned())
            }
            Self::Tls(TlsSetupError::Unusable { .. }) => {
                Some("give the certificate's own key: both must come from one request".to_owned())
            }
            Self::Ca(CaError::Unusable { .. }) => {
                Some("name the two files that `postward ca init` wrote, or a CA's certificate and its own key".to_owned())
            }
            Self::Upstream(UpstreamSetupError::Root(_)) => {
                Some("extra-roots under [upstream] takes certificates of CAs, as PEM".to_owned())
            }
            Self::Upstream(UpstreamSetupError::List { .. }) => {
                Some("crls under [upstream] takes whole lists as the CA publishes them, PEM or DER; lists of changes only and lists of other CAs' certificates are not read".to_owned())
            }
            Self::Route(_) => Some("name one of the platforms that `postward check` lists".to_owned()),
            Self::Tls(_) | Self::Ca(_) | Self::Upstream(_) => None,
        }
    }

    /// Whether the fault lies in a file that somebody gave us, rather than in the machine.
    pub const fn is_of_a_file(&self) -> bool {
        match self {
            Self::File(_) | Self::Ca(_) | Self::Route(_) => true,
            Self::Tls(fault) => !matches!(fault, TlsSetupError::Provider(_)),
            Self::Upstream(fault) => {
                matches!(fault, UpstreamSetupError::Root(_) | UpstreamSetupError::List { .. })
            }
            Self::Listen { .. } => false,
        }
    }
}

/// A running data path.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    metrics: Arc<Metrics>,
    drain: Drain,
}

impl Server {
    /// Binds every listener, loads every certificate, and begins to accept. `authority` stands in for the files of
    /// every TLS listener.
    pub fn start(
        loaded: &Loaded,
        audit: &Audit,
        authority: Option<&Arc<Authority>>,
    ) -> Result<Self, SetupError> {
        let config = &loaded.config;
        let routes = Arc::new(Routes::new(&config.routes, &loaded.platforms)?);
        let mut bound = Vec::with_capacity(config.listeners.len());
        for listener in &config.listeners {
            bound.push((bind(listener)?, acceptor(listener, authority, &routes)?));
        }
        let addresses: Vec<SocketAddr> = bound.iter().map(|((_, address), _)| *address).collect();
        let metrics = Arc::new(Metrics::new(routes.platforms()));
        let (drain, signal) = Drain::new();
        let memory = Memory::new(&config.edge, config.timeouts.busy, config.body_limits.max_fields);
        metrics.watch(&memory);
        let gateway = Arc::new(Gateway {
            inspector: Arc::clone(&loaded.inspector),
            rules_hash: loaded.rules.hash.clone(),
            audit: audit.clone(),
            pool: pool(loaded, &routes, &addresses)?,
            metrics: Arc::clone(&metrics),
            limits: Limits {
                max_body: config.max_body,
                max_media: config.max_media,
                edge: config.edge.clone(),
                timeouts: config.timeouts.clone(),
            },
            routes,
            judging: Judging::new(config.timeouts.inspect, memory.clone()),
            calendar: Calendar::default(),
            is_cut: drain.is_cut(),
            unaccepted_lines: Seldom::default(),
            memory,
            unaudited_lines: Seldom::default(),
            unanswered_lines: Seldom::default(),
            untrusted_lines: Seldom::default(),
        });
        let caps = Arc::new(Caps::new(&config.edge));
        for ((listener, _), tls) in bound {
            tokio::spawn(listener::run(
                listener,
                tls,
                Arc::clone(&gateway),
                Arc::clone(&caps),
                signal.clone(),
            ));
        }
        Ok(Self { addresses, metrics, drain })
    }

    /// The addresses of the listeners, with the ports actually bound.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Stops accepting, and lets what is under way end before `deadline` does. Says whether all of it did.
    pub async fn stop(self, deadline: impl Future<Output = ()>) -> bool {
        self.drain.finish(deadline).await
    }
}

fn bind(listener: &Listener) -> Result<(TcpListener, SocketAddr), SetupError> {
    let fault = |source| SetupError::Listen { address: listener.address, source };
    let socket = listener::bind(listener.address).map_err(fault)?;
    let address = socket.local_addr().map_err(fault)?;
    Ok((socket, address))
}

pub(super) fn acceptor(
    listener: &Listener,
    authority: Option<&Arc<Authority>>,
    routes: &Arc<Routes>,
) -> Result<Option<TlsAcceptor>, SetupError> {
    Ok(match (&listener.tls, authority) {
        (None, _) => None,
        (Some(_), Some(authority)) => {
            Some(TlsAcceptor::minting(Arc::clone(authority), Arc::clone(routes))?)
        }
        (Some(TlsIdentity::Ca { ca, ca_key }), None) => {
            Some(TlsAcceptor::minting(Arc::new(Authority::open(ca, ca_key)?), Arc::clone(routes))?)
        }
        (Some(TlsIdentity::Certificate { certificate, key }), None) => {
            Some(TlsAcceptor::own(certificate, key)?)
        }
    })
}

/// What the platforms are verified by, beside the system's roots; each part can be used.
pub(super) fn trust(loaded: &Loaded) -> Result<Trust, SetupError> {
    let config = &loaded.config.upstream;
    let mut trust = Trust { unknown: config.unknown_revocation, ..Trust::default() };
    if let Some(path) = &config.extra_roots {
        trust.extra_roots = tls::certificates(path, &tls::read_text(path)?)?;
        upstream::add_roots(&mut RootCertStore::empty(), &trust.extra_roots)?;
    }
    for path in &config.crls {
        for (path, list) in tls::revocation_lists(path)? {
            upstream::try_list(&list)
                .map_err(|source| UpstreamSetupError::List { path, source })?;
            trust.lists.push(list);
        }
    }
    Ok(trust)
}

fn pool(
    loaded: &Loaded,
    routes: &Arc<Routes>,
    listening: &[SocketAddr],
) -> Result<Pool, SetupError> {
    let config = &loaded.config;
    let trust = trust(loaded)?;
    let dialler = Dialler::new(
        Arc::clone(routes),
        &config.upstream,
        listening.to_vec(),
        config.timeouts.connect,
    );
    Ok(Pool::new(upstream::connector(Arc::new(dialler), &trust)?))
}
