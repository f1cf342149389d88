//! A platform that shows what it is told to, and remembers whom it was asked for and how much it was sent.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::chain::Shown;

/// What a platform came to know.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The names that it was asked for.
    pub(super) names: Mutex<Vec<String>>,
    /// The versions of finished handshakes.
    pub(super) versions: Mutex<Vec<ProtocolVersion>>,
    /// Handshakes that were resumed.
    pub(super) n_resumed: AtomicUsize,
    /// Bytes that came after the handshake, decrypted.
    pub(super) n_bytes: AtomicUsize,
}

#[derive(Debug)]
struct Shows {
    key: Arc<CertifiedKey>,
    seen: Arc<Seen>,
}

impl ResolvesServerCert for Shows {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.seen.names.lock().unwrap().push(hello.server_name().unwrap_or_default().to_owned());
        Some(Arc::clone(&self.key))
    }
}

/// Starts one. That key and certificate belong together is not asked.
pub(super) async fn start(
    shown: Shown,
    versions: &[&'static SupportedProtocolVersion],
) -> (SocketAddr, Arc<Seen>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = shown.key.serialize_der().try_into().unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let seen = Arc::new(Seen::default());
    let key = Arc::new(CertifiedKey::new(shown.chain, key));
    let resolver = Shows { key, seen: Arc::clone(&seen) };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&server));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                let session = stream.get_ref().1;
                seen.versions.lock().unwrap().extend(session.protocol_version());
                if session.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
                    seen.n_resumed.fetch_add(1, SeqCst);
                }
                let mut bytes = [0; 4096];
                let mut n_bytes = 0;
                while let Ok(n) = stream.read(&mut bytes).await {
                    n_bytes += n;
                    seen.n_bytes.fetch_add(n, SeqCst);
                    if n == 0 {
                        return;
                    }
                    if n_bytes > 0 && bytes[..n].ends_with(b"}") {
                        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                            content-length: 10\r\nconnection: close\r\n\r\n{\"id\":\"1\"}";
                        let _ = stream.write_all(answer.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                }
            });
        }
    });
    (address, seen)
}
