//! A client program on a clinician's device: it trusts the hospital's CA, and believes that it talks to the platform.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::cli::demo::DemoError;
use crate::cli::demo::posts::Draft;
use crate::proxy::tls::Authority;

/// A client program.
pub(super) struct Client {
    proxy: SocketAddr,
    tls: TlsConnector,
}

/// What the client gets back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Client {
    /// A client whose platforms' names lead to the proxy.
    pub(super) fn new(proxy: SocketAddr, authority: &Authority) -> Result<Self, DemoError> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { proxy, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a post as the platform's own client program does.
    pub(super) async fn send(&self, draft: &Draft) -> Result<Reply, DemoError> {
        let host = draft.site.host();
        let socket = TcpStream::connect(self.proxy).await?;
        let name = ServerName::try_from(host).map_err(|_| DemoError::Name)?;
        let socket = self.tls.connect(name, socket).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        let connection = tokio::spawn(connection);
        let wire = draft.wire();
        let mut request = Request::post(wire.path)
            .header(HOST, host)
            .header("authorization", "Bearer demo-token");
        for (name, value) in wire.headers {
            request = request.header(*name, *value);
        }
        let response =
            sender.send_request(request.body(Full::new(Bytes::from(wire.body)))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        drop(sender);
        // The answer is here whole; how the connection ends does not matter.
        connection.abort();
        Ok(Reply { status, body })
    }
}
