//! A connection to a platform: dialled, and over TLS always verified.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::proxy::upstream::UpstreamFault;
use crate::proxy::upstream::address::{Dialled, Dialler};
use crate::proxy::upstream::stream::Stream;
use crate::proxy::upstream::trust::{self, Distrust, Trust, UpstreamSetupError};

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
    #[error("the platform's end of the TLS handshake is not to be trusted: {}", .0.as_str())]
    Untrusted(Distrust),
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
}

impl ConnectError {
    pub(crate) fn as_fault(&self) -> UpstreamFault {
        match self {
            Self::Loop => UpstreamFault::Loop,
            Self::Untrusted(why) => UpstreamFault::Untrusted(*why),
            Self::NoRoute
            | Self::NoAddress
            | Self::Dial(_)
            | Self::TooSlow
            | Self::Handshake(_) => UpstreamFault::Unreachable,
        }
    }
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
    pub(crate) fn new(dialler: Arc<Dialler>, trust: &Trust) -> Result<Self, UpstreamSetupError> {
        let mut config = trust::client_config(trust, dialler.needs_roots())?;
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
            Ok(Err(error)) => Err(match distrust(&error) {
                Some(why) => ConnectError::Untrusted(why),
                None => ConnectError::Handshake(error),
            }),
            Err(_) => Err(ConnectError::TooSlow),
        }
    }
}

fn distrust(error: &io::Error) -> Option<Distrust> {
    Distrust::of(error.get_ref()?.downcast_ref::<rustls::Error>()?)
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
