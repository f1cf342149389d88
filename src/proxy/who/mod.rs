//! Who is at the other end of a connection, and who sent a request: what is proved, never what is claimed.
//!
//! A peer that is listed is believed in what it says of others; of anybody else it is taken off and counted. Where
//! something that a listed peer must say is missing or cannot be read, nobody is named, or the request is refused: a
//! group is for those who prove that they are in it.

pub mod check;
mod counts;
mod header;
mod prelude;
mod request;

pub(crate) use counts::Counts;
pub(crate) use header::HeaderFault;
pub(crate) use prelude::named;
pub(crate) use request::Ignored;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::policy::{CertifiedName, NameKind, Sender};

/// Who is at the other end of a connection.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Who connected.
    pub(crate) peer: IpAddr,
    /// Whom caps count and events name: the client that a listed balancer names for the connection, else the peer.
    pub(crate) address: IpAddr,
    /// Whether that is the client's address, so that networks may be compared with it.
    is_known: bool,
    /// Whether a balancer named it for the whole connection: then headers say nothing of it.
    is_named: bool,
    /// The names in the client's certificate, and whose word they are.
    certificate: Option<(Arc<[CertifiedName]>, &'static str)>,
}

/// Shows addresses alone.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("peer", &self.peer)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// One who connected by itself.
    pub(crate) fn direct(peer: IpAddr) -> Self {
        Self { peer, address: peer, is_known: true, is_named: false, certificate: None }
    }

    /// A certificate was shown in our own handshake, and verified there: it counts more than what a balancer says.
    pub(crate) fn certified(mut self, names: Option<Arc<[CertifiedName]>>) -> Self {
        if let Some(names) = names {
            self.certificate = Some((names, "certificate"));
        }
        self
    }

    /// What of a sender the connection proves.
    fn sender(&self) -> Sender {
        Sender {
            address: self.is_known.then_some(self.address),
            certificate: self.certificate.as_ref().map(|(names, _)| Arc::clone(names)),
            identity: None,
        }
    }

    /// What events call the holder of the certificate: the first e-mail address or principal, else the common name, else
    /// the whole subject, else the first name that there is.
    fn holder(&self) -> Option<(Arc<str>, &'static str)> {
        let (names, by) = self.certificate.as_ref()?;
        let of = |kind| names.iter().find(|name| name.kind == kind);
        let kinds = [NameKind::Email, NameKind::Principal, NameKind::CommonName, NameKind::Subject];
        let name = kinds.into_iter().find_map(of).or(names.first())?;
        Some((Arc::from(&*name.value), *by))
    }
}
