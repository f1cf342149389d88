//! A small HTTP/1.1 server of four pages and one deed. It reads no bodies, keeps no state, and answers while the data path
//! drains.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::admin::{Reloaded, Source};

/// Operators' tools ask and go; a connection that stays longer is not one of them.
const LONGEST: Duration = Duration::from_secs(300);

/// A socket that is bound, on which nobody answers yet.
#[derive(Debug)]
pub struct Bound {
    address: SocketAddr,
    socket: Arc<TcpListener>,
}

impl Bound {
    /// Binds the address.
    pub async fn to(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpListener::bind(address).await?)
    }

    /// A socket that somebody else bound; within a runtime.
    pub fn given(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::of(TcpListener::from_std(socket)?)
    }

    fn of(socket: TcpListener) -> io::Result<Self> {
        Ok(Self { address: socket.local_addr()?, socket: Arc::new(socket) })
    }

    /// Begins to answer.
    pub fn serve(self, source: Arc<dyn Source>) -> Listening {
        let Self { address, socket } = self;
        let task = tokio::spawn(run(Arc::clone(&socket), source));
        Listening { address, socket, task }
    }
}

/// The listener, running.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    socket: Arc<TcpListener>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Binds the address and begins to answer.
    pub async fn start(address: SocketAddr, source: Arc<dyn Source>) -> io::Result<Self> {
        Ok(Bound::to(address).await?.serve(source))
    }

    /// The address actually bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it answers on, for another process to go on with.
    pub fn socket(&self) -> Arc<TcpListener> {
        Arc::clone(&self.socket)
    }

    /// Stops answering.
    pub fn stop(self) {
        self.task.abort();
    }
}

async fn run(listener: Arc<TcpListener>, source: Arc<dyn Source>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let source = Arc::clone(&source);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let source = Arc::clone(&source);
                async move { Ok::<_, Infallible>(answer(source, &request).await) }
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

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What the asker takes, of all its `Accept` headers.
fn accepted<B>(request: &Request<B>) -> String {
    let asked = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    asked.collect::<Vec<_>>().join(",")
}

async fn answer<B>(source: Arc<dyn Source>, request: &Request<B>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let is_deed = path == "/reload";
    let allowed = if is_deed { "POST" } else { "GET, HEAD" };
    if !allowed.split(", ").any(|method| method == request.method().as_str()) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, format!("only {allowed}\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        return response;
    }
    if is_deed {
        return reload(source, request.headers().contains_key(ORIGIN)).await;
    }
    match path {
        // Says that this process answers, and nothing of what it depends on.
        "/livez" => page(StatusCode::OK, JSON, "{\"live\":true}\n".into()),
        "/readyz" => match source.unready() {
            None => page(StatusCode::OK, JSON, "{\"ready\":true}\n".into()),
            Some(why) => {
                let said = serde_json::json!({ "ready": false, "reason": why });
                page(StatusCode::SERVICE_UNAVAILABLE, JSON, format!("{said}\n"))
            }
        },
        "/metrics" => {
            let (content_type, text) = source.metrics(&accepted(request));
            page(StatusCode::OK, content_type, text)
        }
        "/status" => page(StatusCode::OK, JSON, format!("{:#}\n", source.status())),
        _ => page(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /livez, /readyz, /metrics and /status, and POST /reload\n".into(),
        ),
    }
}

/// A page that a browser shows may not reach in here by the operator's own machine, so what comes from one is refused.
async fn reload(source: Arc<dyn Source>, is_of_a_page: bool) -> Response<Full<Bytes>> {
    if is_of_a_page {
        return page(StatusCode::FORBIDDEN, TEXT, "not from a web page\n".into());
    }
    let Reloaded { is_in_force, text } = source.reload().await;
    let status = if is_in_force { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(status, TEXT, format!("{text}\n"))
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
    use crate::admin::{Reloaded, Reloading, Source};

    struct Fixed(Option<&'static str>);

    impl Source for Fixed {
        fn unready(&self) -> Option<&'static str> {
            self.0
        }

        fn metrics(&self, accept: &str) -> (&'static str, String) {
            if accept.is_empty() {
                ("text/plain", "postward_x 1\n".into())
            } else {
                ("x/y", String::new())
            }
        }

        fn status(&self) -> serde_json::Value {
            serde_json::json!({ "ready": self.0.is_none() })
        }

        fn reload(self: Arc<Self>) -> Reloading {
            let (is_in_force, text) = (self.0.is_none(), "policy.toml:3:1: no".into());
            Box::pin(async move { Reloaded { is_in_force, text } })
        }
    }

    #[tokio::test]
    async fn pages() {
        let cases = [
            ("GET", "/livez", StatusCode::OK),
            ("HEAD", "/livez", StatusCode::OK),
            ("GET", "/readyz", StatusCode::SERVICE_UNAVAILABLE),
            ("GET", "/metrics", StatusCode::OK),
            ("GET", "/status", StatusCode::OK),
            ("GET", "/", StatusCode::NOT_FOUND),
            ("POST", "/livez", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/reload", StatusCode::METHOD_NOT_ALLOWED),
            ("POST", "/reload", StatusCode::UNPROCESSABLE_ENTITY),
        ];
        for (method, path, want) in cases {
            let request = Request::builder().method(method).uri(path).body(()).unwrap();
            let answered = answer(Arc::new(Fixed(Some("stopping"))), &request).await;
            assert_eq!(answered.status(), want, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_page_in_a_browser_reloads_nothing() {
        for (origin, want) in [(None, StatusCode::OK), (Some("null"), StatusCode::FORBIDDEN)] {
            let mut request = Request::post("/reload");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let answered = answer(Arc::new(Fixed(None)), &request.body(()).unwrap()).await;
            assert_eq!(answered.status(), want);
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
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("{\"ready\":true}\n"),
            "{text}"
        );
    }
}
