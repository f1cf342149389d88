//! Puts the data path together from a configuration: bound, verified and ready, or not started at all.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustls::RootCertStore;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::audit::Audit;
use crate::config::{Listener, Loaded, TlsIdentity};
use crate::proxy::current::Current;
use crate::proxy::drain::{Signal, Stage};
use crate::proxy::listener::{self, Door, Listening};
use crate::proxy::metrics::Metrics;
use crate::proxy::route::{Routes, UnknownPlatform};
use crate::proxy::service::Gateway;
use crate::proxy::set::{Given, Ground, Lasting, Prepared};
use crate::proxy::tls::{
    self, Authority, CaError, Clients, Expiry, KeyFileError, TlsAcceptor, TlsSetupError,
};
use crate::proxy::upstream::{self, Dialler, Pool, Trust, UpstreamSetupError};

/// Why the data path cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Our own listener on its port, which the change gives up.
        held_by: Option<SocketAddr>,
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
            Self::Listen { address, held_by: Some(ours), source } if source.kind() == io::ErrorKind::AddrInUse => {
                Some(format!("this very proxy listens on {ours}: reload without it first, and once more with {address}, or restart"))
            }
            Self::Listen { address, source, .. } => match source.kind() {
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
            Self::Tls(TlsSetupError::ClientRoot { .. }) => {
                Some("`roots` of `clients` takes certificates of the CAs that sign clients' certificates, as PEM".to_owned())
            }
            Self::Tls(TlsSetupError::ClientList { .. }) => {
                Some("`crls` of `clients` takes whole lists as the CA publishes them, PEM or DER".to_owned())
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

/// How often a set that was replaced is looked at, whether anything still needs it.
const RETIRING: Duration = Duration::from_millis(500);

/// A set that nothing keeps from taking over.
#[derive(Debug)]
pub struct Ready {
    gateway: Gateway,
    bound: Vec<(usize, TcpListener)>,
    drain: Duration,
}

/// Something that must end before the program does, and is cut off with everything else.
#[derive(Debug)]
pub struct Guest(Signal);

impl Guest {
    /// Runs it, until everything is cut off.
    pub async fn run(mut self, work: impl Future<Output = ()>) {
        tokio::select! {
            () = work => {}
            () = self.0.cut() => {}
        }
    }
}

/// A running data path.
#[derive(Debug)]
pub struct Server {
    lasting: Arc<Lasting>,
    current: Arc<Current>,
    door: Door,
    /// Those that accept, by the ids of their listeners.
    sockets: Mutex<Vec<(usize, Weak<TcpListener>)>>,
    /// Those that are yet to accept.
    bound: Mutex<Vec<(usize, TcpListener)>>,
}

impl Server {
    /// Binds every listener that has no socket among `given`, and loads every certificate; nobody is accepted before
    /// [`Self::open`]. `authority` stands in for the files of every TLS listener.
    pub fn prepare(
        loaded: &Loaded,
        audit: &Audit,
        authority: Option<&Arc<Authority>>,
        given: Vec<Given>,
    ) -> Result<Self, SetupError> {
        let lasting = Arc::new(Lasting::new(audit, authority, &loaded.config.edge, given));
        let ground = Ground { lasting: Arc::clone(&lasting), running: None };
        let Prepared { gateway, bound, .. } = ground.prepare(loaded)?;
        lasting.metrics.count_for(gateway.routes.platforms());
        lasting.metrics.watch(&gateway.memory);
        let bound = registered(bound, &gateway)?;
        lasting.let_go();
        let server = Self {
            lasting,
            current: Arc::new(Current::new(Arc::new(gateway))),
            door: Door::open(),
            sockets: Mutex::default(),
            bound: Mutex::new(bound),
        };
        Ok(server)
    }

    /// Begins to accept.
    pub fn open(&self) {
        let bound = std::mem::take(&mut *self.bound.lock().unwrap_or_else(PoisonError::into_inner));
        self.accept(bound);
    }

    /// Holds up the end for as long as it lives, as a connection does.
    pub fn guest(&self) -> Guest {
        Guest(self.lasting.drain.signal())
    }

    /// The addresses of the listeners, with the ports actually bound.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.current.load().listening.iter().map(|one| one.address).collect()
    }

    /// Each listener's address, and how TLS is spoken there: `ca`, `certificate` or `none`.
    pub fn listeners(&self) -> Vec<(SocketAddr, &'static str)> {
        let of = |one: &Listening| match &one.origin {
            None => (one.address, "none"),
            Some(origin) => (one.address, origin.kind()),
        };
        self.current.load().listening.iter().map(of).collect()
    }

    /// When the certificates and lists in use end.
    pub fn expiries(&self) -> Vec<Expiry> {
        let gateway = self.current.load();
        let leaves = gateway.listening.iter().filter_map(|one| one.tls.as_ref()?.first_end());
        let leaf = leaves.min().map(|at| Expiry { kind: "leaf", file: tls::MEMORY.to_owned(), at });
        gateway.expiries.iter().cloned().chain(leaf).collect()
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.lasting.metrics
    }

    /// What the next set is made on. Only one may be made at a time.
    pub fn ground(&self) -> Ground {
        Ground { lasting: Arc::clone(&self.lasting), running: Some(self.current.load()) }
    }

    /// Makes the runtime know of what a set was bound to; the last thing that may go wrong.
    pub fn register(&self, prepared: Prepared) -> Result<Ready, SetupError> {
        let Prepared { gateway, bound, drain, .. } = prepared;
        let bound = registered(bound, &gateway)?;
        Ok(Ready { gateway, bound, drain })
    }

    /// Lets a set take over: requests whose head has come are served by the one before, all others by this one. Those
    /// connected over a listener that it does not have may end what they have under way.
    pub fn apply(&self, ready: Ready) {
        let Ready { gateway, bound, drain } = ready;
        self.lasting.metrics.count_for(gateway.routes.platforms());
        self.lasting.caps.resize(&gateway.limits.edge);
        self.lasting.metrics.watch(&gateway.memory);
        let gateway = Arc::new(gateway);
        let before = self.current.replace(Arc::clone(&gateway));
        self.accept(bound);
        for left in &before.listening {
            if !gateway.listening.iter().any(|one| Arc::ptr_eq(&one.drain, &left.drain)) {
                let leaving = Arc::clone(&left.drain);
                tokio::spawn(async move { leaving.finish(sleep(drain)).await });
            }
        }
        tokio::spawn(retire(before));
    }

    /// How long requests may take to end when the proxy stops.
    pub fn drain_limit(&self) -> Duration {
        self.current.load().limits.timeouts.drain
    }

    /// How long idle connections stay open for one more request when the proxy stops.
    pub fn farewell(&self) -> Duration {
        self.current.load().limits.timeouts.farewell
    }

    /// How long the audit may take for a line.
    pub fn audit_limit(&self) -> Duration {
        self.current.load().limits.timeouts.audit
    }

    /// Accepts nobody for the time being, or does so again. Who connects meanwhile waits in the kernel's queue.
    /// Says whether all listeners have heard within `limit`.
    pub async fn hold(&self, is_held: bool, limit: Duration) -> bool {
        let ids = self.ids();
        timeout(limit, self.door.hold(is_held, &ids)).await.is_ok()
    }

    fn ids(&self) -> Vec<usize> {
        self.current.load().listening.iter().map(|one| one.id).collect()
    }

    /// The sockets of the listeners, each with the address that is configured for it.
    pub fn sockets(&self) -> Vec<(SocketAddr, Arc<TcpListener>)> {
        let current = self.current.load();
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = sockets.iter().filter_map(|(id, socket)| {
            Some((current.listening(*id)?.configured, socket.upgrade()?))
        });
        alive.collect()
    }

    /// Sees the data path work: every listener hears, and a text is judged where posts are. What comes back names what did
    /// not within `limit`.
    pub async fn pulse(&self, limit: Duration) -> Result<(), &'static str> {
        let gateway = self.current.load();
        // Those that are told to end accept nobody, and hear nothing.
        if self.lasting.drain.stage() == Stage::Running {
            let knocked = timeout(limit, self.door.knock(&self.ids())).await;
            knocked.map_err(|_| "the listeners do not answer")?;
        }
        let before = self.lasting.metrics.n_inspected();
        let judged = gateway.judging.pulse(Arc::clone(&gateway.inspector));
        match timeout(limit, judged).await {
            Ok(true) => Ok(()),
            // With every place taken by posts, what counts is that they get on.
            Ok(false) | Err(_) if self.lasting.metrics.n_inspected() != before => Ok(()),
            Ok(false) | Err(_) => Err("no post is judged"),
        }
    }

    /// Takes no more work, but answers what comes over connections that are there: who is idle hears that its connection
    /// ends by the answer to its next request. Over when nobody is connected any more, or `until` is.
    pub async fn leave(&self, until: impl Future<Output = ()>) {
        self.lasting.drain.leave(until).await;
    }

    /// Stops accepting, and lets what is under way end before `deadline` does. Says whether all of it did.
    pub async fn stop(&self, deadline: impl Future<Output = ()>) -> bool {
        self.lasting.drain.finish(deadline).await
    }

    fn accept(&self, bound: Vec<(usize, TcpListener)>) {
        for (id, socket) in bound {
            let (current, caps) = (Arc::clone(&self.current), Arc::clone(&self.lasting.caps));
            let socket = Arc::new(socket);
            let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
            sockets.retain(|(_, socket)| socket.strong_count() > 0);
            sockets.push((id, Arc::downgrade(&socket)));
            drop(sockets);
            let door = self.door.ear();
            tokio::spawn(listener::run(
                id,
                socket,
                current,
                caps,
                Arc::clone(&self.lasting.drain),
                door,
            ));
        }
    }
}

/// Waits until the last request that a set serves is over. Its automata are large, and taking them apart would hold up
/// whoever lets go of them last.
async fn retire(mut set: Arc<Gateway>) {
    loop {
        set = match Arc::try_unwrap(set) {
            Ok(unused) => {
                let _ = tokio::task::spawn_blocking(move || drop(unused)).await;
                return;
            }
            Err(used) => used,
        };
        sleep(RETIRING).await;
    }
}

/// Sockets that the runtime knows of.
fn registered(
    bound: Vec<(usize, std::net::TcpListener)>,
    gateway: &Gateway,
) -> Result<Vec<(usize, TcpListener)>, SetupError> {
    let register = |(id, socket)| match TcpListener::from_std(socket) {
        Ok(socket) => Ok((id, socket)),
        Err(source) => {
            let address = gateway.listening(id).map(|one| one.configured);
            let address = address.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
            Err(SetupError::Listen { address, held_by: None, source })
        }
    };
    bound.into_iter().map(register).collect()
}

pub(super) fn acceptor(
    listener: &Listener,
    authority: Option<&Arc<Authority>>,
    routes: &Arc<Routes>,
) -> Result<Option<TlsAcceptor>, SetupError> {
    let clients = listener.who.clients.as_ref().filter(|_| listener.tls.is_some());
    let clients = clients.map(Clients::new).transpose()?;
    Ok(match (&listener.tls, authority) {
        (None, _) => None,
        (Some(_), Some(authority)) => {
            Some(TlsAcceptor::minting(Arc::clone(authority), Arc::clone(routes), clients)?)
        }
        (Some(TlsIdentity::Ca { ca, ca_key }), None) => {
            let authority = Arc::new(Authority::open(ca, ca_key)?);
            Some(TlsAcceptor::minting(authority, Arc::clone(routes), clients)?)
        }
        (Some(TlsIdentity::Certificate { certificate, key }), None) => {
            Some(TlsAcceptor::own(certificate, key, clients)?)
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

pub(super) fn pool(
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
