//! The yardstick: a pass-through made of the crates Postward is made of, which buffers each body whole and reads nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificate;
use crate::origin::accept;

type Upstream = Client<HttpConnector, Full<Bytes>>;

/// Serves until it is ended.
pub(crate) async fn serve(folder: &Path, address: SocketAddr, origin: SocketAddr) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let upstream: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(address).await.unwrap();
    let acceptor = TlsAcceptor::from(certificate::server(folder));
    loop {
        let stream = accept(&listener).await;
        let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let service = service_fn(move |request| pass(upstream.clone(), origin, request));
            let io = TokioIo::new(stream);
            let _gone = if is_http2 {
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(io, service)
                    .await
            } else {
                hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
            };
        });
    }
}

async fn pass(
    upstream: Upstream,
    origin: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Infallible> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Some(host) = head.uri.authority() {
        head.headers.insert(HOST, host.as_str().parse().unwrap());
    }
    head.uri = Uri::builder()
        .scheme("http")
        .authority(origin.to_string())
        .path_and_query(path)
        .build()
        .unwrap();
    head.version = hyper::Version::HTTP_11;
    head.headers.remove(CONNECTION);
    head.headers.remove(TRANSFER_ENCODING);
    let mut answer = upstream.request(Request::from_parts(head, Full::from(body))).await.unwrap();
    answer.headers_mut().remove(CONNECTION);
    Ok(answer)
}
