//! A stand-in for the platforms: it answers as they would and remembers what reached it.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::cli::demo::posts::Site;

/// What reached the platforms.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Arc<Mutex<Vec<Bytes>>>);

impl Received {
    /// Takes what came since the last call.
    pub(super) fn take(&self) -> Vec<Bytes> {
        self.0.lock().map(|mut bodies| std::mem::take(&mut *bodies)).unwrap_or_default()
    }

    fn add(&self, body: Bytes) {
        if let Ok(mut bodies) = self.0.lock() {
            bodies.push(body);
        }
    }
}

/// Starts the stand-in on a port of its own.
pub(super) async fn start(tls: rustls::ServerConfig) -> io::Result<(SocketAddr, Received)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let received = Received::default();
    tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), received.clone()));
    Ok((address, received))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, received: Received) {
    while let Ok((socket, _)) = listener.accept().await {
        let (tls, received) = (tls.clone(), received.clone());
        tokio::spawn(async move {
            let Ok(socket) = tls.accept(socket).await else { return };
            let service = service_fn(|request| answer(request, received.clone()));
            // A client that goes away is no fault of the demo.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Received,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let site = Site::of_path(request.uri().path());
    let Ok(body) = request.into_body().collect().await else {
        return Ok(reply(StatusCode::BAD_REQUEST, String::new()));
    };
    received.add(body.to_bytes());
    Ok(match site {
        Some(Site::X) => reply(
            StatusCode::CREATED,
            json!({ "data": { "id": "1990000000000000001", "text": "" } }).to_string(),
        ),
        Some(Site::Mastodon) => {
            reply(StatusCode::OK, json!({ "id": "115000000000000001", "content": "" }).to_string())
        }
        Some(Site::Bluesky) => {
            let uri = "at://did:plc:demodemodemodemodemodemo/app.bsky.feed.post/3m6demodemo2a";
            reply(StatusCode::OK, json!({ "uri": uri, "cid": "bafyreidemo" }).to_string())
        }
        None => reply(StatusCode::NOT_FOUND, String::new()),
    })
}

fn reply(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
