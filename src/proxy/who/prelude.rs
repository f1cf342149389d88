//! What a listed balancer says before anything else on a connection: read to its last byte and no further, because what
//! follows is the client's.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Caller;
use super::header::{HeaderFault, Named, ends_tls, extent, read};
use crate::policy::{CertifiedName, NameKind};

/// Whom a balancer that is listed names for a connection; it has `limit` to say so.
pub(crate) async fn named(
    tcp: &mut TcpStream,
    peer: IpAddr,
    limit: Duration,
) -> Result<Caller, HeaderFault> {
    let header = timeout(limit, header(tcp)).await.unwrap_or(Err(HeaderFault::Late))?;
    let caller = Caller::direct(peer);
    Ok(match read(&header)? {
        Named::Client(address, name) => Caller {
            address,
            is_named: true,
            ends_tls: ends_tls(&header),
            certificate: name.map(|value| {
                let name = CertifiedName { kind: NameKind::CommonName, value };
                (Arc::from([name]), "proxy-protocol")
            }),
            ..caller
        },
        // Its own address is what it says it is.
        Named::Itself => caller,
        Named::Nobody => {
            Caller { is_known: false, is_named: true, ends_tls: ends_tls(&header), ..caller }
        }
    })
}

/// The bytes of the header, taken off the connection.
async fn header(tcp: &mut TcpStream) -> Result<Vec<u8>, HeaderFault> {
    let mut header = Vec::with_capacity(64);
    let mut ahead = [0; 1024];
    loop {
        // Looked at, not taken: how many of them are the header's shows only then.
        let n_ahead = tcp.peek(&mut ahead).await.map_err(|_| HeaderFault::Late)?;
        if n_ahead == 0 {
            return Err(if header.is_empty() { HeaderFault::Missing } else { HeaderFault::Late });
        }
        let n_had = header.len();
        header.extend_from_slice(ahead.get(..n_ahead).unwrap_or_default());
        let (n, is_whole) = extent(&header)?;
        header.truncate(n);
        let taken = header.get_mut(n_had..).unwrap_or_default();
        tcp.read_exact(taken).await.map_err(|_| HeaderFault::Late)?;
        if is_whole {
            return Ok(header);
        }
    }
}
