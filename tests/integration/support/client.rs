//! Clients: hyper over TLS for what programs do, raw bytes for what no library would send.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use postward::proxy::tls::Authority;
use rustls::client::WantsClientCert;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a client got back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One connection of a client.
pub(crate) enum Client {
    H1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    H2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Plain HTTP/1.1.
    pub(crate) async fn plain(address: SocketAddr) -> Self {
        Self::h1(TcpStream::connect(address).await.unwrap()).await
    }

    /// HTTP/1.1 over TLS.
    pub(crate) async fn tls(address: SocketAddr, authority: &Authority, host: &str) -> Self {
        Self::h1(shake(address, authority, host, &["http/1.1"]).await.unwrap()).await
    }

    /// HTTP/2 over TLS.
    pub(crate) async fn h2(address: SocketAddr, authority: &Authority, host: &str) -> Self {
        let stream = shake(address, authority, host, &["h2"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let io = TokioIo::new(stream);
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self::H2(sender)
    }

    /// HTTP/1.1 over a stream that is there.
    pub(crate) async fn h1<
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    >(
        stream: S,
    ) -> Self {
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::H1(sender)
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn begin(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::H1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::H2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Sends a request and reads its whole answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        let (parts, body) = self.begin(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// A Mastodon post of this text.
    pub(crate) async fn toot(&mut self, host: &str, text: &str) -> Reply {
        let body = serde_json::json!({ "status": text, "visibility": "public" }).to_string();
        self.send(self.post(host, "/api/v1/statuses", "application/json", body)).await
    }

    /// A POST in the form of this connection's version.
    pub(crate) fn post(
        &self,
        host: &str,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        self.request("POST", host, path)
            .header("content-type", content_type)
            .body(Full::new(body.into()))
            .unwrap()
    }

    /// A request in the form of this connection's version: its host in `Host`, or in `:authority`.
    pub(crate) fn request(&self, method: &str, host: &str, path: &str) -> http::request::Builder {
        match self {
            Self::H1(_) => Request::builder().method(method).uri(path).header("host", host),
            Self::H2(_) => Request::builder().method(method).uri(format!("https://{host}{path}")),
        }
    }
}

impl Reply {
    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header as text, or nothing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A TLS handshake with these protocols on offer.
pub(crate) async fn shake(
    address: SocketAddr,
    authority: &Authority,
    host: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    over(TcpStream::connect(address).await?, authority, host, protocols).await
}

/// The same over a connection that is there.
pub(crate) async fn over(
    tcp: TcpStream,
    authority: &Authority,
    host: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = believing(authority).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// How a client begins to speak TLS with the proxy.
pub(crate) fn believing(authority: &Authority) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

/// Writes bytes on a new connection, and reads until the proxy closes it.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
