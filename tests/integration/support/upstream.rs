//! A stand-in platform: it counts connections and requests, remembers what it got, and answers as told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use postward::proxy::tls::Authority;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What an upstream's answers are made of.
pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

type Handler = dyn Fn(&Parts) -> Answer + Send + Sync;

/// One request as the platform saw it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

/// A stand-in platform.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    /// Requests whose head came, whatever became of their body.
    n_begun: Arc<AtomicUsize>,
}

impl Upstream {
    /// Answers `{"id":"1"}` to everything.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| json(r#"{"id":"1"}"#)).await
    }

    /// Answers as told, once the request has come whole.
    pub(crate) async fn answering(
        handler: impl Fn(&Parts) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::run(None, Arc::new(handler)).await
    }

    /// The same over TLS, with a leaf for `host`, preferring HTTP/2.
    pub(crate) async fn with_tls(authority: &Authority, host: &str) -> Self {
        let leaf = authority.mint(host).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(leaf.chain, leaf.key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::run(Some(TlsAcceptor::from(Arc::new(tls))), Arc::new(|_| json(r#"{"id":"1"}"#))).await
    }

    async fn run(tls: Option<TlsAcceptor>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            n_begun: Arc::default(),
        };
        let (received, n_begun) = (Arc::clone(&upstream.received), Arc::clone(&upstream.n_begun));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (received, n_begun) = (Arc::clone(&received), Arc::clone(&n_begun));
                let (handler, tls) = (Arc::clone(&handler), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, false, handler, received, n_begun).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(tcp).await else { return };
                            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                            serve(stream, h2, handler, received, n_begun).await;
                        }
                    }
                });
            }
        });
        upstream
    }

    /// Requests that came whole.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The only request that came.
    pub(crate) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "requests at the platform");
        received[0].clone()
    }

    /// Requests whose head came.
    pub(crate) fn n_begun(&self) -> usize {
        self.n_begun.load(SeqCst)
    }
}

impl Received {
    /// A header as text, or nothing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A JSON answer.
pub(crate) fn json(text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes())).boxed();
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    h2: bool,
    handler: Arc<Handler>,
    received: Arc<Mutex<Vec<Received>>>,
    n_begun: Arc<AtomicUsize>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, received) = (Arc::clone(&handler), Arc::clone(&received));
        n_begun.fetch_add(1, SeqCst);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let answer = handler(&parts);
            received.lock().unwrap().push(Received { parts, body });
            Ok::<_, hyper::Error>(answer)
        }
    });
    if h2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    } else {
        let builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    }
}

/// The version of a request, for assertions.
pub(crate) const H2: Version = Version::HTTP_2;
