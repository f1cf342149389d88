//! Accepts connections: dual stack, capped in number, each with a deadline for its handshake.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::config::{Edge, Who};
use crate::proxy::connection::{self, Activity};
use crate::proxy::current::Current;
pub(crate) use crate::proxy::door::{Door, Ear};
use crate::proxy::drain::{Drain, Signal, Stage};
use crate::proxy::memory::neighbourhood;
use crate::proxy::passage::Peer;
use crate::proxy::set::Origin;
use crate::proxy::tls::{Accepted, Presented, TlsAcceptor, fault_of};
use crate::proxy::upstream::Distrust;
use crate::proxy::who::{self, Caller};

/// A listener, as one set serves it.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    /// The same in every set that has this listener.
    pub(crate) id: usize,
    /// The address of the configuration.
    pub(crate) configured: SocketAddr,
    /// The address actually bound.
    pub(crate) address: SocketAddr,
    /// How TLS is spoken with those who connect now; `None` is plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    /// What that was made of.
    pub(crate) origin: Option<Origin>,
    /// By what it knows who sends.
    pub(crate) who: Arc<Who>,
    /// Ends the connections made over it.
    pub(crate) drain: Arc<Drain>,
}

/// Binds an address. `[::]` takes IPv4 as well, whatever the system's default is.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// Counts connections against their caps.
#[derive(Debug)]
pub(crate) struct Caps {
    all: Arc<Semaphore>,
    resizing: Mutex<Resizing>,
    most_of_one: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// How many places there are, and who takes away those that are too many.
#[derive(Debug)]
struct Resizing {
    n_places: Arc<AtomicUsize>,
    lowering: Option<JoinHandle<()>>,
}

/// One connection's place under the caps.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    pub(crate) fn new(edge: &Edge) -> Self {
        Self {
            all: Arc::new(Semaphore::new(edge.connections)),
            resizing: Mutex::new(Resizing {
                n_places: Arc::new(AtomicUsize::new(edge.connections)),
                lowering: None,
            }),
            most_of_one: AtomicUsize::new(edge.connections_per_address),
            by_address: Mutex::default(),
        }
    }

    /// Holds to other caps from now on. Nobody is sent away: where more are connected than there may be, new ones wait
    /// until enough have left.
    pub(crate) fn resize(&self, edge: &Edge) {
        self.most_of_one.store(edge.connections_per_address, Relaxed);
        let mut resizing = self.resizing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lowering) = resizing.lowering.take() {
            lowering.abort();
        }
        let n_places = resizing.n_places.load(Relaxed);
        if let Some(n_more) = edge.connections.checked_sub(n_places) {
            self.all.add_permits(n_more);
            resizing.n_places.fetch_add(n_more, Relaxed);
            return;
        }
        let (all, n_places, wanted) =
            (Arc::clone(&self.all), Arc::clone(&resizing.n_places), edge.connections);
        resizing.lowering = Some(tokio::spawn(async move {
            // One by one, so that it is known how many are gone if the next change comes first.
            while n_places.load(Relaxed) > wanted {
                let Ok(permit) = all.acquire().await else { return };
                permit.forget();
                n_places.fetch_sub(1, Relaxed);
            }
        }));
    }

    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let n = by_address.entry(address).or_default();
        if *n >= self.most_of_one.load(Relaxed) {
            return None;
        }
        *n += 1;
        Some(Place { _permit: permit, caps: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.caps.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = by_address.get_mut(&self.address) {
            *n -= 1;
            if *n == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// Accepts until the end is announced, or a set takes over that has no such listener.
pub(crate) async fn run(
    id: usize,
    listener: Arc<TcpListener>,
    current: Arc<Current>,
    caps: Arc<Caps>,
    all: Arc<Drain>,
    mut door: Ear,
) {
    let (mut signal, mut changes) = (all.signal(), current.changes());
    let admitting = Admitting { id, current, caps, all };
    // One that waits for a place. A listener that nobody connects to takes none.
    let mut waiting = None;
    loop {
        let is_held = door.is_held();
        let accepted = tokio::select! {
            biased;
            stage = signal.changed() => match stage {
                Stage::Running => continue,
                Stage::Leaving | Stage::Draining | Stage::Cut => break,
            },
            () = changes.next() => {
                if admitting.current.load().listening(id).is_none() {
                    break;
                }
                continue;
            }
            () = door.heard(id) => continue,
            accepted = place(&listener, &admitting.caps.all, &mut waiting), if !is_held => accepted,
        };
        match accepted {
            Ok(Some((tcp, address, permit))) => admitting.admit(tcp, address, permit),
            // The semaphore is never closed.
            Ok(None) => return,
            Err(error) => {
                if !is_of_its_client(&error) {
                    admitting.current.load().not_accepted(&error);
                }
                // Out of file descriptors, or the client left already: neither is helped by a busy loop.
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    // Who was accepted before others take over is served, if a place comes free before the end.
    let Some((tcp, address)) = waiting.filter(|_| signal.stage() == Stage::Leaving) else { return };
    drop(listener);
    tokio::select! {
        _ = signal.changed() => {}
        permit = Arc::clone(&admitting.caps.all).acquire_owned() => {
            if let Ok(permit) = permit {
                admitting.admit(tcp, address, permit);
            }
        }
    }
}

/// What it takes to let a connection in.
struct Admitting {
    id: usize,
    current: Arc<Current>,
    caps: Arc<Caps>,
    all: Arc<Drain>,
}

impl Admitting {
    fn admit(&self, tcp: TcpStream, address: SocketAddr, permit: OwnedSemaphorePermit) {
        // Certificate and routes are those of one set.
        let Some(listening) = self.current.load().listening(self.id).cloned() else {
            return;
        };
        let peer = address.ip().to_canonical();
        let signal = self.all.signal_with(&listening.drain);
        if listening.who.is_proxy(peer) {
            let (caps, current) = (Arc::clone(&self.caps), Arc::clone(&self.current));
            tokio::spawn(balanced(tcp, peer, listening, current, (caps, permit), signal));
        // A client over its cap is closed at once: letting it wait would take the place of others.
        } else if let Some(place) = self.caps.take(permit, neighbourhood(peer)) {
            let caller = Caller::direct(peer);
            tokio::spawn(one(tcp, caller, listening, Arc::clone(&self.current), place, signal));
        } else {
            self.current.load().metrics().one_too_many();
        }
    }
}

/// Takes the next connection, and a place for it once there is one. Nothing is lost where this is dropped half done.
async fn place(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    waiting: &mut Option<(TcpStream, SocketAddr)>,
) -> io::Result<Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)>> {
    if waiting.is_none() {
        *waiting = Some(listener.accept().await?);
    }
    let Ok(permit) = Arc::clone(places).acquire_owned().await else { return Ok(None) };
    Ok(waiting.take().map(|(tcp, address)| (tcp, address, permit)))
}

/// Whether a connection was gone before it could be taken.
fn is_of_its_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// A connection of a load balancer that says whose it is before anything else; it counts as that client's.
async fn balanced(
    mut tcp: TcpStream,
    peer: IpAddr,
    listening: Listening,
    current: Arc<Current>,
    (caps, permit): (Arc<Caps>, OwnedSemaphorePermit),
    signal: Signal,
) {
    let limit = current.load().timeouts().handshake;
    let mut ending = signal.clone();
    let named = tokio::select! {
        biased;
        named = who::named(&mut tcp, peer, limit) => named,
        () = ending.cut() => return,
    };
    match named {
        Ok(caller) => {
            if let Some(place) = caps.take(permit, neighbourhood(caller.address)) {
                one(tcp, caller, listening, current, place, signal).await;
            } else {
                current.load().metrics().one_too_many();
            }
        }
        Err(fault) => {
            current.load().metrics().who.header_refused(fault);
            tracing::debug!(client = %peer, why = fault.as_str(), "no header of the PROXY protocol");
        }
    }
}

/// One connection from the first byte to the last, or to the last behind its header.
async fn one(
    tcp: TcpStream,
    caller: Caller,
    listening: Listening,
    current: Arc<Current>,
    place: Place,
    signal: Signal,
) {
    let (id, tls) = (listening.id, listening.tls);
    let address = caller.address;
    let gateway = current.load();
    let _counted = gateway.metrics().connect();
    let _place = place;
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else {
        let peer = Arc::new(Peer::new(caller, id, Presented::Plain, Activity::new(false)));
        drop(gateway);
        return connection::serve(tcp, peer, current, signal).await;
    };
    let asks = listening.who.clients.is_some();
    // Who was accepted is answered: an end that comes amid a handshake is heard behind it.
    let mut ending = signal.clone();
    let shaken = tokio::select! {
        biased;
        shaken = timeout(gateway.timeouts().handshake, tls.accept(tcp)) => shaken,
        () = ending.cut() => return,
    };
    let Accepted { stream, presented, is_h2, certified } = match shaken {
        Ok(Ok(accepted)) => accepted,
        failed => {
            gateway.metrics().failed_handshake();
            let fault = failed.ok().and_then(Result::err).filter(|_| asks);
            let why = fault.as_ref().and_then(fault_of).and_then(Distrust::of);
            if let Some(why) = why {
                gateway.metrics().who.certificate_refused(why);
            }
            let why = why.map(Distrust::as_str);
            tracing::debug!(client = %address, why, "TLS handshake failed");
            return;
        }
    };
    drop(gateway);
    let caller = caller.certified(certified);
    let peer = Arc::new(Peer::new(caller, id, presented, Activity::new(is_h2)));
    connection::serve(stream, peer, current, signal).await;
}
