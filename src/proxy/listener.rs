//! Accepts connections: dual stack, capped in number, each with a deadline for its handshake.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::config::Edge;
use crate::proxy::connection::{self, Activity};
use crate::proxy::drain::{Signal, Stage};
use crate::proxy::memory::neighbourhood;
use crate::proxy::passage::Peer;
use crate::proxy::service::Gateway;
use crate::proxy::tls::{Accepted, Presented, TlsAcceptor};

/// Binds an address. `[::]` takes IPv4 as well, whatever the system's default is.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// Counts connections against their caps.
#[derive(Debug)]
pub(crate) struct Caps {
    all: Arc<Semaphore>,
    most_of_one: usize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
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
            most_of_one: edge.connections_per_address,
            by_address: Mutex::default(),
        }
    }

    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let n = by_address.entry(address).or_default();
        if *n >= self.most_of_one {
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

/// Accepts until the end is announced.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    gateway: Arc<Gateway>,
    caps: Arc<Caps>,
    mut signal: Signal,
) {
    loop {
        let Ok(permit) = Arc::clone(&caps.all).acquire_owned().await else { return };
        let accepted = tokio::select! {
            biased;
            stage = signal.changed() => match stage {
                Stage::Running => continue,
                Stage::Draining | Stage::Cut => return,
            },
            accepted = listener.accept() => accepted,
        };
        let (tcp, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_of_its_client(&error) {
                    gateway.not_accepted(&error);
                }
                // Out of file descriptors, or the client left already: neither is helped by a busy loop.
                sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let address = address.ip().to_canonical();
        let neighbour = neighbourhood(address);
        // A client over its cap is closed at once: letting it wait would take the place of others.
        if let Some(place) = caps.take(permit, neighbour) {
            tokio::spawn(one(
                tcp,
                address,
                tls.clone(),
                Arc::clone(&gateway),
                place,
                signal.clone(),
            ));
        }
    }
}

/// Whether a connection was gone before it could be taken.
fn is_of_its_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// One connection from the first byte to the last.
async fn one(
    tcp: TcpStream,
    address: IpAddr,
    tls: Option<TlsAcceptor>,
    gateway: Arc<Gateway>,
    place: Place,
    mut signal: Signal,
) {
    let _counted = gateway.metrics().connect();
    let _place = place;
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else {
        let peer = Arc::new(Peer::new(address, Presented::Plain, Activity::new(false)));
        return connection::serve(tcp, peer, gateway, signal).await;
    };
    let shaken = tokio::select! {
        biased;
        shaken = timeout(gateway.timeouts().handshake, tls.accept(tcp)) => shaken,
        _ = signal.changed() => return,
    };
    let Ok(Ok(Accepted { stream, presented, is_h2 })) = shaken else {
        gateway.metrics().failed_handshake();
        tracing::debug!(client = %address, "TLS handshake failed");
        return;
    };
    let peer = Arc::new(Peer::new(address, presented, Activity::new(is_h2)));
    connection::serve(stream, peer, gateway, signal).await;
}
