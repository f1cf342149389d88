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
pub(crate) use request::{Ignored, ToldBy};

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::policy::{CertifiedName, NameKind, Sender};

/// By whose word a certificate is known that was shown in our own handshake.
const OURS: &str = "certificate";

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
    /// Whether it says that it ended the client's TLS: then our own handshake is with the balancer.
    ends_tls: bool,
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
        Self {
            peer,
            address: peer,
            is_known: true,
            is_named: false,
            ends_tls: false,
            certificate: None,
        }
    }

    /// A certificate was shown in our own handshake, and verified there. It is the client's, unless a balancer has ended
    /// the client's TLS and shows one of its own.
    pub(crate) fn certified(mut self, names: Option<Arc<[CertifiedName]>>) -> Self {
        if let Some(names) = names.filter(|_| !self.ends_tls) {
            self.certificate = Some((names, OURS));
        }
        self
    }

    /// The same without what our own handshake proved: of who is believed in headers it names the balancer, and nobody
    /// else.
    fn behind(&self) -> Self {
        let told = self.certificate.as_ref().filter(|(_, by)| *by != OURS);
        Self { certificate: told.cloned(), ..self.clone() }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Caller;
    use crate::policy::{CertifiedName, NameKind};

    fn names(name: &str) -> Arc<[CertifiedName]> {
        Arc::from([CertifiedName { kind: NameKind::CommonName, value: name.into() }])
    }

    #[test]
    fn a_balancer_that_encrypts_anew_lends_nobody_its_certificate() {
        let direct = || Caller::direct([10, 0, 0, 5].into());
        let holder = |caller: Caller| {
            let held = caller.certified(Some(names("balancer"))).holder();
            held.map(|(name, by)| (name.to_string(), by))
        };
        assert_eq!(holder(direct()), Some(("balancer".into(), "certificate")));
        let told = Some((names("anna"), "proxy-protocol"));
        let named = Caller { is_named: true, ends_tls: true, certificate: told, ..direct() };
        assert_eq!(holder(named), Some(("anna".into(), "proxy-protocol")));
        let nobody = Caller { is_named: true, ends_tls: true, ..direct() };
        assert_eq!(holder(nobody), None, "the client had no certificate");
        // TLS that was passed on is the client's own.
        let passed = Caller { is_named: true, ..direct() };
        assert_eq!(holder(passed), Some(("balancer".into(), "certificate")));
    }
}
