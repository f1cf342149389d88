//! Stand-in platforms: one that works, and those that fail, each in its own way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::Upstream;
use crate::support::socket::{frames, header};
use crate::support::upstream::json;

/// All of them.
pub(super) struct Platforms {
    good: Upstream,
    relay: SocketAddr,
    relayed: Arc<Mutex<Vec<u8>>>,
    slow: SocketAddr,
    gone: SocketAddr,
    garbage: SocketAddr,
    echo: SocketAddr,
    /// Bound, and never listened on.
    dead: TcpSocket,
}

impl Platforms {
    pub(super) async fn start() -> Self {
        let relayed: Arc<Mutex<Vec<u8>>> = Arc::default();
        let seen = Arc::clone(&relayed);
        let dead = TcpSocket::new_v4().unwrap();
        dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            good: Upstream::answering(|parts| {
                if !parts.uri.path().ends_with("refreshSession") {
                    return json(r#"{"id":"1"}"#);
                }
                // A session is new tokens, and a document that would lead round the proxy.
                let token = parts.headers["authorization"].to_str().unwrap().replace("Bearer ", "");
                let body = serde_json::json!({
                    "accessJwt": token, "refreshJwt": token, "did": "did:plc:a",
                    "didDoc": { "service": [{ "id": "#atproto_pds", "serviceEndpoint": "https://pds.elsewhere.example" }] },
                });
                let body = Full::new(Bytes::from(body.to_string())).boxed();
                Response::builder().header("content-type", "application/json").body(body).unwrap()
            })
            .await,
            relay: serve(move |mut tcp, head| {
                let seen = Arc::clone(&seen);
                async move {
                    let key = header(&head, "sec-websocket-key").unwrap_or_default();
                    let proof = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
                    let answer = format!(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
                    );
                    let _ = tcp.write_all(answer.as_bytes()).await;
                    let mut come = Vec::new();
                    let _ = tcp.read_to_end(&mut come).await;
                    for (_, payload) in frames(&come) {
                        seen.lock().unwrap().extend(payload);
                    }
                }
            })
            .await,
            relayed,
            slow: serve(|mut tcp, _| async move {
                let _ = tcp.read_to_end(&mut Vec::new()).await;
            })
            .await,
            gone: serve(|_, _| async {}).await,
            garbage: serve(|mut tcp, head| async move {
                let _ = tcp.write_all(format!("HTTQ/9 {head}").as_bytes()).await;
            })
            .await,
            echo: serve(|mut tcp, head| async move {
                let line = head.lines().next().unwrap_or_default().to_owned();
                let answer = format!("HTTP/1.1 500 {line}\r\nX-Echo: {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = tcp.write_all(answer.as_bytes()).await;
            })
            .await,
            dead,
        }
    }

    /// The routes that lead to them.
    pub(super) fn routes(&self) -> String {
        let good = format!("http://{}", self.good.address);
        let plain = |address: SocketAddr| format!("http://{address}");
        let dead = plain(self.dead.local_addr().unwrap());
        let mut all = String::from("[upstream]\nresolver = [\"127.0.0.1:9\"]\n");
        for (host, platform, upstream) in [
            ("mastodon.example", "mastodon", good.clone()),
            ("telegram.example", "telegram", good.clone()),
            ("misskey.example", "misskey", good.clone()),
            ("bsky.example", "bluesky", good),
            ("relay.example", "nostr", plain(self.relay)),
            ("slow.example", "mastodon", plain(self.slow)),
            ("gone.example", "mastodon", plain(self.gone)),
            ("garbage.example", "mastodon", plain(self.garbage)),
            ("echo.example", "mastodon", plain(self.echo)),
            ("untrusted.example", "mastodon", format!("https://{}", self.garbage)),
            ("dead.example", "mastodon", dead),
        ] {
            let socket = if platform == "nostr" { "websocket = \"read\"\n" } else { "" };
            all += &format!(
                "[[route]]\nhosts = [\"{host}\"]\nplatform = \"{platform}\"\nupstream = \"{upstream}\"\n{socket}"
            );
        }
        all + "[[route]]\nhosts = [\"unknown.example\"]\nplatform = \"mastodon\"\n"
    }

    /// Where posts may go.
    pub(super) fn ports(&self) -> Vec<u16> {
        [self.good.address, self.relay, self.slow, self.gone, self.garbage, self.echo]
            .map(|address| address.port())
            .to_vec()
    }

    /// Everything that the platform which works was told, and the words of the sockets.
    pub(super) fn received(&self) -> Vec<u8> {
        let mut all = self.relayed.lock().unwrap().clone();
        for request in self.good.received() {
            all.extend_from_slice(
                format!("\n{} {}\n", request.parts.method, request.parts.uri).as_bytes(),
            );
            for (name, value) in &request.parts.headers {
                all.extend_from_slice(
                    &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat(),
                );
            }
            all.extend_from_slice(&request.body);
        }
        all
    }
}

/// A server that reads a head and does as told.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    act: impl Fn(TcpStream, String) -> F + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let act = Arc::new(act);
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let act = Arc::clone(&act);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match tcp.read_u8().await {
                        // No HTTP: a hello of TLS.
                        Ok(byte) if !byte.is_ascii() || byte == 0 => return,
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                act(tcp, String::from_utf8(head).unwrap()).await;
            });
        }
    });
    address
}
