//! Makes a set of one configuration: everything that requests are served by, whole or not at all.
//!
//! What has not changed is taken over from the set before: a listener keeps its socket, its leaves and the tickets that
//! clients resume by, and the pool its connections. So a change of the rules costs no client a handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderName;
use rustls_native_certs::load_native_certs;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use crate::audit::Audit;
use crate::config::{
    ClientCertificates, Digest, Edge, Listener, Loaded, TlsIdentity, Upstream, UpstreamAddress,
};
use crate::proxy::calendar::Calendar;
use crate::proxy::drain::Drain;
use crate::proxy::judge::Places;
use crate::proxy::listener::{self, Caps, Listening};
use crate::proxy::memory::Memory;
use crate::proxy::metrics::Metrics;
use crate::proxy::route::Routes;
use crate::proxy::seldom::Seldom;
use crate::proxy::server::{SetupError, acceptor, pool};
use crate::proxy::service::{Gateway, Limits};
use crate::proxy::tls::{self, Authority, Expiry};
use crate::proxy::trace::Tracer;

/// A socket that listens already: systemd or the process before this one bound it.
#[derive(Debug)]
pub struct Given {
    /// The configured address whose listener it is.
    pub configured: SocketAddr,
    /// The socket.
    pub socket: std::net::TcpListener,
    /// Whether it listens for as long as this process lives, whoever accepts: a listener that is taken out and put back finds
    /// it again.
    pub stays: bool,
}

/// What outlives every set.
#[derive(Debug)]
pub(super) struct Lasting {
    pub(super) audit: Audit,
    pub(super) metrics: Arc<Metrics>,
    /// Stands in for the files of every TLS listener.
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) caps: Arc<Caps>,
    pub(super) drain: Arc<Drain>,
    runtime: Handle,
    /// Sockets that need not be bound.
    given: Mutex<Vec<Given>>,
    places: Places,
    calendar: Arc<Calendar>,
    unaccepted_lines: Arc<Seldom>,
    unaudited_lines: Arc<Seldom>,
    unanswered_lines: Arc<Seldom>,
    untrusted_lines: Arc<Seldom>,
    /// The id of the next listener. None is used twice: a task that has not heard yet that its listener is gone must not
    /// take another for it.
    next_id: AtomicUsize,
}

impl Lasting {
    /// Within a runtime.
    pub(super) fn new(
        audit: &Audit,
        authority: Option<&Arc<Authority>>,
        edge: &Edge,
        given: Vec<Given>,
    ) -> Self {
        Self {
            audit: audit.clone(),
            metrics: Arc::new(Metrics::new(&[])),
            authority: authority.map(Arc::clone),
            caps: Arc::new(Caps::new(edge)),
            drain: Arc::new(Drain::new()),
            runtime: Handle::current(),
            given: Mutex::new(given),
            places: Places::new(),
            calendar: Arc::default(),
            unaccepted_lines: Arc::default(),
            unaudited_lines: Arc::default(),
            unanswered_lines: Arc::default(),
            untrusted_lines: Arc::default(),
            next_id: AtomicUsize::new(0),
        }
    }

    /// The socket that is there for a configured address already.
    fn given(&self, configured: SocketAddr) -> Option<io::Result<std::net::TcpListener>> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = given.iter().position(|given| given.configured == configured)?;
        // Of several for port 0, each is given once.
        let one = given.remove(nth);
        if !one.stays {
            return Some(Ok(one.socket));
        }
        let socket = one.socket.try_clone();
        given.push(one);
        Some(socket)
    }

    /// Lets go of what no listener asked for and nobody else keeps open.
    pub(super) fn let_go(&self) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|given| given.stays);
    }
}

/// Where a connection of the pool leads, and by what it was trusted. A pool serves two sets if all of it is the same.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Way {
    hosts: Vec<(String, Option<UpstreamAddress>)>,
    upstream: Upstream,
    files: Vec<Option<Digest>>,
    /// What the system trusts.
    roots: Digest,
    connect: Duration,
    listening: Vec<SocketAddr>,
}

/// What an acceptor was made of. One serves two sets if all of it is the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Origin {
    identity: TlsIdentity,
    /// Which clients' certificates are believed, and what stood in the files of that.
    clients: Option<(ClientCertificates, Vec<Option<Digest>>)>,
    files: Vec<Option<Digest>>,
    /// A leaf is minted for these alone.
    hosts: Vec<String>,
}

impl Origin {
    /// What the certificates of an acceptor are: a word for operators.
    pub(crate) fn kind(&self) -> &'static str {
        match self.identity {
            TlsIdentity::Ca { .. } => "ca",
            TlsIdentity::Certificate { .. } => "certificate",
        }
    }
}

/// What a set is made on: what runs now.
#[derive(Clone, Debug)]
pub struct Ground {
    pub(super) lasting: Arc<Lasting>,
    /// `None` before the first.
    pub(super) running: Option<Arc<Gateway>>,
}

/// A set that can take over at once: its files are read, its new listeners are bound.
#[derive(Debug)]
pub struct Prepared {
    pub(super) gateway: Gateway,
    /// Listeners that the running set does not have, by their ids.
    pub(super) bound: Vec<(usize, std::net::TcpListener)>,
    pub(super) drain: Duration,
    is_reached_as_before: bool,
}

impl Prepared {
    /// Whether nothing outside the files has changed either: what the system trusts, most of all.
    pub fn is_reached_as_before(&self) -> bool {
        self.is_reached_as_before
    }
}

impl Ground {
    /// Makes a set. Takes as long as reading certificates and trying them out does; nothing that runs is touched.
    pub fn prepare(self, loaded: &Loaded) -> Result<Prepared, SetupError> {
        let Self { lasting, running } = self;
        let config = &loaded.config;
        let counted = lasting.metrics.counted();
        lasting.metrics.count_rules(&loaded.rules.rules);
        let routes = Arc::new(Routes::new(&config.routes, &loaded.platforms, counted)?);
        let (listening, bound) =
            Listeners::of(running.as_deref()).all(loaded, &lasting, &routes)?;
        let addresses: Vec<SocketAddr> = listening.iter().map(|one| one.address).collect();
        let way = way(loaded, &routes, &addresses);
        let as_before = running.as_ref().filter(|running| running.way == way);
        let is_reached_as_before = as_before.is_some();
        let pool = match as_before {
            Some(running) => running.pool.clone(),
            None => pool(loaded, &routes, &addresses)?,
        };
        let memory = memory(running.as_deref(), loaded);
        let tracer = tracer(running.as_deref(), loaded, &lasting);
        let gateway = Gateway {
            routes,
            inspector: Arc::clone(&loaded.inspector),
            rules_hash: loaded.rules.hash.clone(),
            audit: lasting.audit.clone(),
            pool,
            metrics: Arc::clone(&lasting.metrics),
            limits: Limits {
                max_body: config.max_body,
                max_media: config.max_media,
                edge: config.edge.clone(),
                timeouts: config.timeouts.clone(),
            },
            judging: lasting.places.judging(config.timeouts.inspect, memory.clone()),
            memory,
            calendar: Arc::clone(&lasting.calendar),
            is_cut: lasting.drain.is_cut(),
            unaccepted_lines: Arc::clone(&lasting.unaccepted_lines),
            unaudited_lines: Arc::clone(&lasting.unaudited_lines),
            unanswered_lines: Arc::clone(&lasting.unanswered_lines),
            untrusted_lines: Arc::clone(&lasting.untrusted_lines),
            identity_headers: identity_headers(&listening),
            listening,
            expiries: expiries(loaded, &lasting),
            tracer,
            way,
        };
        Ok(Prepared { gateway, bound, drain: config.timeouts.drain, is_reached_as_before })
    }
}

/// That of the running set, if its settings are the same.
fn tracer(running: Option<&Gateway>, loaded: &Loaded, lasting: &Lasting) -> Option<Arc<Tracer>> {
    let wanted = loaded.config.traces.as_ref()?;
    let before = running.and_then(|running| running.tracer.as_ref());
    if let Some(before) = before.filter(|before| before.is_of(wanted)) {
        return Some(Arc::clone(before));
    }
    let started = Tracer::start(wanted, &lasting.metrics.traces, &lasting.runtime);
    if started.is_none() {
        tracing::warn!(
            "no traces are sent: a variable OTEL_EXPORTER_OTLP_* asks for what is not there"
        );
    }
    started
}

fn expiries(loaded: &Loaded, lasting: &Lasting) -> Vec<Expiry> {
    let Some(authority) = &lasting.authority else { return tls::expiries(loaded) };
    let end = tls::end_of(authority.certificate());
    let file = tls::MEMORY.to_owned();
    end.map(|at| Expiry { kind: "ca", file, at }).into_iter().collect()
}

/// The budget of the running set, if it is the same. Of another one, what is under way holds nothing: for as long as that
/// takes there are two.
fn memory(running: Option<&Gateway>, loaded: &Loaded) -> Memory {
    let config = &loaded.config;
    let (edge, busy, most) = (&config.edge, config.timeouts.busy, config.body_limits.max_fields);
    let is_same = |running: &&Gateway| {
        let (before, timeouts) = (&running.limits.edge, &running.limits.timeouts);
        before.inspect_memory == edge.inspect_memory
            && before.inspect_share == edge.inspect_share
            && timeouts.busy == busy
            && running.inspector.limits().max_fields == most
    };
    match running.filter(is_same) {
        Some(running) => running.memory.clone(),
        None => Memory::new(edge, busy, most),
    }
}

/// The headers by which any listener may be told who sent a request: none of them goes on.
fn identity_headers(listening: &[Listening]) -> Vec<HeaderName> {
    let identities = listening.iter().filter_map(|one| one.who.identity.as_ref());
    let mut names: Vec<_> = identities.filter_map(|one| one.header.clone()).collect();
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    names
}

fn way(loaded: &Loaded, routes: &Routes, listening: &[SocketAddr]) -> Way {
    let upstream = loaded.config.upstream.clone();
    let files = upstream.files().iter().flat_map(|file| loaded.seen.digests(file)).collect();
    let mut roots = Sha256::new();
    for root in load_native_certs().certs {
        roots.update(&root);
    }
    Way {
        hosts: routes.ways(),
        files,
        upstream,
        roots: roots.finalize().into(),
        connect: loaded.config.timeouts.connect,
        listening: listening.to_vec(),
    }
}

/// The listeners of the running set that no listener of the new one has taken over yet.
struct Listeners<'s> {
    left: Vec<&'s Listening>,
}

/// The listeners of a set, and those of them that were bound for it.
type Bound = (Vec<Listening>, Vec<(usize, std::net::TcpListener)>);

impl<'s> Listeners<'s> {
    fn of(running: Option<&'s Gateway>) -> Self {
        Self { left: running.iter().flat_map(|running| &running.listening).collect() }
    }

    /// Each listener of a configuration: taken over where its address is listened on, bound where it is not.
    fn all(
        mut self,
        loaded: &Loaded,
        lasting: &Lasting,
        routes: &Arc<Routes>,
    ) -> Result<Bound, SetupError> {
        let (mut all, mut bound) = (Vec::new(), Vec::new());
        // Those that stay are found first, so that what is left over is what is given up.
        let running: Vec<_> =
            loaded.config.listeners.iter().map(|one| self.take(one.address)).collect();
        for (listener, running) in loaded.config.listeners.iter().zip(running) {
            let origin = origin(loaded, listener, routes);
            let tls = match running.filter(|running| is_same(running, origin.as_ref(), lasting)) {
                Some(running) => running.tls.clone(),
                None => acceptor(listener, lasting.authority.as_ref(), routes)?,
            };
            let (id, address) = if let Some(running) = running {
                (running.id, running.address)
            } else {
                let (socket, address) = self.bind(listener.address, lasting)?;
                let id = lasting.next_id.fetch_add(1, Relaxed);
                bound.push((id, socket));
                (id, address)
            };
            // Who connected in the clear must not stay where TLS is spoken now, nor who proved an identity in a way, or
            // by a certificate, that may not be believed any more.
            let drain = running
                .filter(|running| running.tls.is_some() == tls.is_some())
                .filter(|running| identifies_alike(running, origin.as_ref(), listener))
                .map_or_else(|| Arc::new(Drain::new()), |running| Arc::clone(&running.drain));
            all.push(Listening {
                id,
                configured: listener.address,
                address,
                tls,
                origin,
                who: Arc::new(listener.who.clone()),
                drain,
            });
        }
        Ok((all, bound))
    }

    /// The running listener of this address, once.
    fn take(&mut self, configured: SocketAddr) -> Option<&'s Listening> {
        let nth = self.left.iter().position(|one| one.configured == configured)?;
        Some(self.left.remove(nth))
    }

    fn bind(
        &self,
        address: SocketAddr,
        lasting: &Lasting,
    ) -> Result<(std::net::TcpListener, SocketAddr), SetupError> {
        let socket = lasting.given(address).unwrap_or_else(|| listener::bind(address));
        let bound = socket.and_then(|socket| {
            let address = socket.local_addr()?;
            Ok((socket, address))
        });
        bound.map_err(|source| {
            let held_by = self.left.iter().find(|one| one.address.port() == address.port());
            SetupError::Listen { address, held_by: held_by.map(|one| one.configured), source }
        })
    }
}

fn origin(loaded: &Loaded, listener: &Listener, routes: &Routes) -> Option<Origin> {
    let identity = listener.tls.clone()?;
    let files = identity.files().iter().flat_map(|file| loaded.seen.digests(file)).collect();
    let clients = listener.who.clients.clone().map(|clients| {
        (clients, listener.who.files().flat_map(|file| loaded.seen.digests(file)).collect())
    });
    let hosts = match identity {
        TlsIdentity::Ca { .. } => routes.ways().into_iter().map(|(host, _)| host).collect(),
        TlsIdentity::Certificate { .. } => Vec::new(),
    };
    Some(Origin { identity, clients, files, hosts })
}

/// Whether those connected over a listener would be known by the same as those who connect now.
fn identifies_alike(running: &Listening, origin: Option<&Origin>, listener: &Listener) -> bool {
    let clients = |origin: Option<&Origin>| origin.and_then(|origin| origin.clients.clone());
    running.who.proxy_protocol == listener.who.proxy_protocol
        && clients(running.origin.as_ref()) == clients(origin)
}

/// Whether a listener's acceptor can stay as it is.
fn is_same(running: &Listening, origin: Option<&Origin>, lasting: &Lasting) -> bool {
    let is_known = origin.is_none_or(|origin| {
        let of_clients = origin.clients.iter().flat_map(|(_, files)| files);
        let files = origin.files.iter().filter(|_| lasting.authority.is_none());
        files.chain(of_clients).all(Option::is_some)
    });
    is_known && running.origin.as_ref() == origin && running.tls.is_some() == origin.is_some()
}
