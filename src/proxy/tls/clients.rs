//! Whose certificates a listener believes: verified whole (chain, dates, purpose, revocation) in each full handshake, and
//! once more when a session is resumed, since its certificate may have expired or been revoked since.

use std::io;
use std::sync::Arc;

use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{Error, HandshakeKind, RootCertStore, ServerConnection};

use crate::config::{ClientCertificates, UnknownRevocation};
use crate::policy::CertifiedName;
use crate::proxy::tls::TlsSetupError;
use crate::proxy::tls::accept::provider;
use crate::proxy::tls::certificate::names;
use crate::proxy::tls::files;

/// Verifies clients' certificates.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
}

impl Clients {
    /// Reads roots and lists, and refuses any that cannot be used.
    pub(crate) fn new(settings: &ClientCertificates) -> Result<Self, TlsSetupError> {
        let mut roots = RootCertStore::empty();
        let path = &settings.roots;
        for root in files::certificates(path, &files::read_text(path)?)? {
            roots
                .add(root)
                .map_err(|source| TlsSetupError::ClientRoot { path: path.clone(), source })?;
        }
        let mut lists = Vec::new();
        for path in &settings.crls {
            for (path, list) in files::revocation_lists(path)? {
                webpki::OwnedCertRevocationList::from_der(&list)
                    .map_err(|source| TlsSetupError::ClientList { path, source })?;
                lists.push(list);
            }
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .with_crls(lists)
            // A list past its date says nothing of what was revoked since.
            .enforce_revocation_expiration();
        let builder = match settings.unknown_revocation {
            UnknownRevocation::Allow => builder.allow_unknown_revocation_status(),
            UnknownRevocation::Refuse => builder,
        };
        let builder = if settings.is_required { builder } else { builder.allow_unauthenticated() };
        let verifier = builder.build().map_err(TlsSetupError::ClientVerifier)?;
        Ok(Self { verifier })
    }

    /// The names of the client at the other end of a finished handshake; `None` if it showed no certificate.
    pub(super) fn certified(
        &self,
        connection: &ServerConnection,
    ) -> io::Result<Option<Arc<[CertifiedName]>>> {
        let Some([shown, between @ ..]) = connection.peer_certificates() else {
            // The verifier has refused whoever had to show one; this is the second lock.
            if self.verifier.client_auth_mandatory() {
                return Err(io::Error::other(Error::NoCertificatesPresented));
            }
            return Ok(None);
        };
        if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
            let now = UnixTime::now();
            self.verifier.verify_client_cert(shown, between, now).map_err(io::Error::other)?;
        }
        Ok(Some(names(shown)))
    }
}

/// What keeps a handshake from being finished, where that is the client's certificate.
pub(crate) fn fault_of(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}
