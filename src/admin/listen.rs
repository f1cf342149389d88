//! A small HTTP/1.1 server of four pages. It reads no bodies, keeps no state, and answers while the data path drains.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::admin::Source;

/// Operators' tools ask and go; a connection that stays longer is not one of them.
const LONGEST: Duration = Duration::from_secs(300);

/// The listener, running.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// Binds the address and begins to answer.
    pub async fn start(address: SocketAddr, source: Arc<dyn Source>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(run(listener, source)) })
    }

    /// The address actually bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops answering.
    pub fn stop(self) {
        self.task.abort();
    }
}

async fn run(listener: TcpListener, source: Arc<dyn Source>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let source = Arc::clone(&source);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let response = answer(&*source, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .half_close(false);
            let _ = timeout(LONGEST, builder.serve_connection(TokioIo::new(tcp), service)).await;
        });
    }
}

fn answer<B>(source: &dyn Source, request: &Request<B>) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        // Says that this process answers, and nothing of what it depends on.
        "/livez" => page(StatusCode::OK, TEXT, "live\n".into()),
        "/readyz" => match source.unready() {
            None => page(StatusCode::OK, TEXT, "ready\n".into()),
            Some(why) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {why}\n")),
        },
        "/metrics" => {
            page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", source.metrics())
        }
        "/status" => page(StatusCode::OK, "application/json", format!("{:#}\n", source.status())),
        _ => page(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /livez, /readyz, /metrics and /status\n".into(),
        ),
    }
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{Request, StatusCode};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{Listening, answer};
    use crate::admin::Source;

    struct Fixed(Option<&'static str>);

    impl Source for Fixed {
        fn unready(&self) -> Option<&'static str> {
            self.0
        }

        fn metrics(&self) -> String {
            "postward_x 1\n".into()
        }

        fn status(&self) -> serde_json::Value {
            serde_json::json!({ "ready": self.0.is_none() })
        }
    }

    #[test]
    fn pages() {
        let cases = [
            ("GET", "/livez", StatusCode::OK),
            ("HEAD", "/livez", StatusCode::OK),
            ("GET", "/readyz", StatusCode::SERVICE_UNAVAILABLE),
            ("GET", "/metrics", StatusCode::OK),
            ("GET", "/status", StatusCode::OK),
            ("GET", "/", StatusCode::NOT_FOUND),
            ("POST", "/livez", StatusCode::METHOD_NOT_ALLOWED),
        ];
        for (method, path, want) in cases {
            let request = Request::builder().method(method).uri(path).body(()).unwrap();
            assert_eq!(
                answer(&Fixed(Some("stopping")), &request).status(),
                want,
                "{method} {path}"
            );
        }
    }

    #[tokio::test]
    async fn it_answers_over_a_socket() {
        let listening =
            Listening::start("127.0.0.1:0".parse().unwrap(), Arc::new(Fixed(None))).await.unwrap();
        let mut tcp = tokio::net::TcpStream::connect(listening.address()).await.unwrap();
        tcp.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut text = String::new();
        tcp.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("ready\n"), "{text}");
    }
}
