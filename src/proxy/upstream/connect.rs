//! A connection to a platform: dialled, and over TLS always verified.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::proxy::tls::provider;
use crate::proxy::upstream::UpstreamFault;
use crate::proxy::upstream::address::{Dialled, Dialler};
use crate::proxy::upstream::stream::Stream;

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the host has no route")]
    NoRoute,
    #[error("the platform's name has no address")]
    NoAddress,
    #[error("the platform's name leads to this machine or a private network")]
    Loop,
    #[error("the platform's address cannot be dialled")]
    Dial(#[source] io::Error),
    #[error("the platform's address did not answer in time")]
    TooSlow,
    #[error("the platform's certificate cannot be verified")]
    Untrusted(#[source] io::Error),
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
}

impl ConnectError {
    pub(crate) fn as_fault(&self) -> UpstreamFault {
        match self {
            Self::Loop => UpstreamFault::Loop,
            Self::Untrusted(_) => UpstreamFault::Untrusted,
            Self::NoRoute
            | Self::NoAddress
            | Self::Dial(_)
            | Self::TooSlow
            | Self::Handshake(_) => UpstreamFault::Unreachable,
        }
    }
}

/// Why the way to the platforms cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamSetupError {
    /// Nothing could ever be verified.
    #[error("this machine trusts no root certificates")]
    NoRoots,
    /// A root certificate cannot be used.
    #[error("an extra root certificate cannot be used")]
    Root(#[source] rustls::Error),
    /// The provider lacks what we need.
    #[error("TLS towards the platforms cannot be set up")]
    Provider(#[source] rustls::Error),
}

/// Adds certificates that somebody named; none is left out.
pub(crate) fn trust(
    roots: &mut RootCertStore,
    extra: &[CertificateDer<'static>],
) -> Result<(), UpstreamSetupError> {
    extra.iter().try_for_each(|root| roots.add(root.clone())).map_err(UpstreamSetupError::Root)
}

/// Connects the pool.
#[derive(Clone)]
pub(crate) struct Connector {
    dialler: Arc<Dialler>,
    tls: TlsConnector,
    /// The same without HTTP/2.
    tls_h1: TlsConnector,
    handshake: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) fn new(
        dialler: Arc<Dialler>,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, UpstreamSetupError> {
        let mut roots = RootCertStore::empty();
        // Certificates of the system that cannot be parsed are left out: they verify nothing.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        trust(&mut roots, extra_roots)?;
        if roots.is_empty() && dialler.needs_roots() {
            return Err(UpstreamSetupError::NoRoots);
        }
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(UpstreamSetupError::Provider)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls_h1 = TlsConnector::from(Arc::new(config.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let handshake = dialler.limit();
        Ok(Self { dialler, tls: TlsConnector::from(Arc::new(config)), tls_h1, handshake })
    }

    /// The same for connections that may be upgraded, which those of HTTP/2 cannot be.
    pub(crate) fn for_upgrades(&self) -> Self {
        Self { tls: self.tls_h1.clone(), ..self.clone() }
    }

    async fn connect(self, host: String) -> Result<TokioIo<Stream>, ConnectError> {
        let Dialled { tcp, verify } = self.dialler.dial(&host).await?;
        let Some(name) = verify else { return Ok(TokioIo::new(Stream::Plain(tcp))) };
        let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| ConnectError::NoAddress)?;
        match timeout(self.handshake, self.tls.connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(TokioIo::new(Stream::Tls(Box::new(stream)))),
            Ok(Err(error)) if is_about_the_certificate(&error) => {
                Err(ConnectError::Untrusted(error))
            }
            Ok(Err(error)) => Err(ConnectError::Handshake(error)),
            Err(_) => Err(ConnectError::TooSlow),
        }
    }
}

fn is_about_the_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(
        cause,
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    /// The pool's URI carries the client's own host; the route of that host says where to dial.
    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .trim_end_matches('.')
            .to_ascii_lowercase();
        Box::pin(self.clone().connect(host))
    }
}
