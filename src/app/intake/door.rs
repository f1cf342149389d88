//! How a sender's connection begins: in plain text, or by TLS, with a certificate of the sender's own if that is asked for.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::app::intake::mllp::{self, Limits};
use crate::app::intake::{IntakeError, Waiting};
use crate::proxy::tls::{certificates, private_key, provider, read_text};

/// The files of TLS.
#[derive(Clone, Debug)]
pub struct IntakeTls {
    /// Our certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whose certificates senders must have; `None` asks for none.
    pub client_ca: Option<PathBuf>,
}

/// Lets senders in.
pub(super) struct Door(Option<TlsAcceptor>);

impl Door {
    pub(super) fn new(tls: Option<&IntakeTls>) -> Result<Self, IntakeError> {
        let Some(tls) = tls else { return Ok(Self(None)) };
        let unfit = |source| IntakeError::Certificate { path: tls.certificate.clone(), source };
        let chain = certificates(&tls.certificate, &read_text(&tls.certificate)?)?;
        let key = private_key(&tls.key)?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unfit)?;
        let builder = match &tls.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(ca, &read_text(ca)?)? {
                    roots.add(certificate).map_err(unfit)?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                        .build()
                        .map_err(|_| {
                            unfit(rustls::Error::General("no authority for senders".to_owned()))
                        })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(chain, key).map_err(unfit)?;
        Ok(Self(Some(TlsAcceptor::from(Arc::new(config)))))
    }

    /// Serves one connection to its end; why it was closed, if that was not the sender's wish.
    pub(super) async fn welcome(
        &self,
        stream: TcpStream,
        limits: Limits,
        sender: mpsc::Sender<Waiting>,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), &'static str> {
        // An answer is one small write that somebody waits for.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.0 else {
            return mllp::serve(stream, limits, &sender, stopped).await;
        };
        match timeout(limits.message, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => mllp::serve(stream, limits, &sender, stopped).await,
            Ok(Err(_)) => Err("no TLS was agreed on"),
            Err(_) => Err("the TLS handshake took too long"),
        }
    }
}
