//! The platform behind every contender: reads a post, answers a few hundred bytes, as little work as can be.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificate;
use crate::process::Process;

const ANSWER: &str = concat!(
    r#"{"id":"115000000000000001","created_at":"2026-01-01T00:00:00.000Z","visibility":"public","language":"en","#,
    r#""uri":"https://mastodon.example/users/clinic/statuses/115000000000000001","content":"<p>posted</p>","#,
    r#""account":{"id":"1","username":"clinic","acct":"clinic"},"media_attachments":[],"mentions":[],"tags":[],"emojis":[]}"#
);

/// Starts an origin process; gives it with its plain address, and the address it speaks TLS on.
pub(crate) fn start(folder: &Path) -> (Process, SocketAddr) {
    let executable = std::env::current_exe().unwrap();
    let process = Process::start_and_read(&executable, &[&"origin", &folder.display()]);
    let direct = process.addresses[1];
    (process, direct)
}

/// Serves until it is ended; prints the plain and the TLS address.
pub(crate) async fn serve(folder: &Path) {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{} {}", plain.local_addr().unwrap(), tls.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(certificate::server(folder));
    tokio::spawn(async move {
        loop {
            let stream = accept(&tls).await;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                serve_connection(stream, is_http2).await;
            });
        }
    });
    loop {
        let stream = accept(&plain).await;
        tokio::spawn(serve_connection(stream, false));
    }
}

/// One connection, small answers at once.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn serve_connection(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    is_http2: bool,
) {
    let io = TokioIo::new(stream);
    // A client that goes away in mid-post is no fault here.
    let _gone = if is_http2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service_fn(answer))
            .await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(io, service_fn(answer)).await
    };
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let _body = request.into_body().collect().await;
    let answer = Response::builder()
        .header("content-type", "application/json")
        .body(Full::from(ANSWER))
        .unwrap();
    Ok(answer)
}
