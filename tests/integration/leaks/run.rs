//! Sends every canary along its path, and gathers what was written.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::canary::{Canary, Leak, Search};
use super::case::{Act, Case, Reach};
use super::house::{House, Left, Style};
use super::platforms::Platforms;
use super::{broken, places, posts, secrets};
use crate::edge::raw_h2::frame;
use crate::support::socket::handshake;

/// Longer than any clock of the proxy's in these tests.
const LONGEST: Duration = Duration::from_secs(15);
/// How many clients there are at once. A machine under load serves more of them late.
const AT_ONCE: usize = 16;

/// Whose answers may hold a canary: the platform wrote it into them, or the protocol has it said back to who said it.
pub(super) const ANSWERED: [&str; 4] = [
    "a platform that quotes it in a header",
    "secret: a session of Bluesky",
    // `Access-Control-Allow-Origin`, without which a browser does not show its page why.
    "an origin",
    // A pong is what the ping was.
    "socket: a ping with words",
];

/// What came of all cases.
pub(super) struct Outcome {
    pub(super) canaries: Vec<Canary>,
    pub(super) search: Search,
    /// Everything that was written, by its name, but for what the platforms were told.
    pub(super) written: Vec<(String, Vec<u8>)>,
    pub(super) left: Left,
    /// The proxy's own ports, then the platforms'.
    pub(super) ports: ([u16; 3], Vec<u16>),
    /// What reached the platforms although it should not, or did not although it should.
    pub(super) astray: Vec<String>,
}

/// Every path.
fn cases() -> Vec<Case> {
    let all: Vec<Case> = [posts::cases(), broken::cases(), places::cases(), secrets::cases()]
        .into_iter()
        .flatten()
        .collect();
    let names: std::collections::BTreeSet<_> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len(), "two cases of one name");
    all
}

pub(super) async fn run(style: Style) -> Outcome {
    let platforms = Platforms::start().await;
    let routes = platforms.routes();
    let house = tokio::task::spawn_blocking(move || House::start(style, &routes)).await.unwrap();
    let ways = Arc::new(Ways::to(&house));
    let cases = cases();
    let canaries: Vec<Canary> =
        cases.iter().enumerate().map(|(n, case)| Canary::new(case.name, n)).collect();

    let rooms = Arc::new(Semaphore::new(AT_ONCE));
    let mut clients = JoinSet::new();
    for (case, canary) in cases.iter().zip(&canaries) {
        let (act, name) = ((case.send)(canary), case.name);
        let (ways, rooms) = (Arc::clone(&ways), Arc::clone(&rooms));
        clients.spawn(async move {
            let _room = rooms.acquire_owned().await.unwrap();
            (name, ways.act(act).await)
        });
    }
    let mut written = Vec::new();
    while let Some(client) = clients.join_next().await {
        let (name, answer) = client.unwrap();
        if !ANSWERED.contains(&name) {
            written.push((format!("the answer to «{name}»"), answer));
        }
    }
    for page in ["/livez", "/readyz", "/metrics", "/status", "/none"] {
        let ask = format!("GET {page} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = ways.act(Act::Admin(ask.into_bytes())).await;
        assert!(answer.starts_with(b"HTTP/1.1 "), "{page}");
        written.push((format!("the operators' {page}"), answer));
    }
    for file in ["environ", "cmdline", "comm", "status"] {
        written.push((format!("/proc/PID/{file}"), house.proc(file).unwrap_or_default()));
    }

    let ports = ([house.plain.port(), house.tls.port(), house.admin.port()], platforms.ports());
    let left = tokio::task::spawn_blocking(move || house.end(Signal::TERM)).await.unwrap();
    assert!(left.status.success(), "{:?}", left.status);
    written.extend(left.written());
    let astray = if style.mode == "enforce" {
        astray(&cases, &canaries, &platforms.received())
    } else {
        Vec::new()
    };
    let search = Search::new(&canaries);
    Outcome { canaries, search, written, left, ports, astray }
}

impl Outcome {
    /// Every canary in what was written.
    pub(super) fn leaks(&self) -> Vec<Leak> {
        self.written.iter().flat_map(|(name, bytes)| self.search.search(name, bytes)).collect()
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.written.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// A file that it wrote.
    pub(super) fn file(&self, name: &str) -> &[u8] {
        let file = self.written.iter().find(|(found, _)| found == name);
        &file.unwrap_or_else(|| panic!("no {name}")).1
    }
}

/// Canaries that reached the platforms and should not have, and those that should have and did not.
fn astray(cases: &[Case], canaries: &[Canary], received: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (case, canary) in cases.iter().zip(canaries) {
        let seen = Search::new([canary]).search("", received);
        let has_name = seen.iter().any(|leak| leak.what.starts_with("name"));
        let came = memchr::memmem::find(received, b"[name]").is_some();
        let fault = match case.reaches {
            Reach::All => seen.is_empty().then_some("did not arrive"),
            Reach::NoName => (has_name || !came).then_some("arrived with its name"),
            Reach::Nothing => (!seen.is_empty()).then_some("arrived"),
            Reach::Either => None,
        };
        wrong.extend(fault.map(|fault| format!("{}: {fault}", case.name)));
    }
    wrong
}

/// A connection that a client keeps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Door {
    Plain,
    Tls,
    H2,
}

/// How the proxy is reached.
pub(super) struct Ways {
    plain: SocketAddr,
    tls: SocketAddr,
    admin: SocketAddr,
    config: Arc<ClientConfig>,
    h2_config: Arc<ClientConfig>,
}

impl Ways {
    pub(super) fn to(house: &House) -> Self {
        Self {
            plain: house.plain,
            tls: house.tls,
            admin: house.admin,
            config: client(&house.root, b"http/1.1"),
            h2_config: client(&house.root, b"h2"),
        }
    }

    /// What the client reads.
    pub(super) async fn act(&self, act: Act) -> Vec<u8> {
        match act {
            Act::Plain(bytes) => talk(connect(self.plain).await, &bytes).await,
            Act::RawTls(bytes) => talk(connect(self.tls).await, &bytes).await,
            Act::Admin(bytes) => talk(connect(self.admin).await, &bytes).await,
            Act::Gone(bytes) => {
                let mut tcp = connect(self.plain).await;
                tcp.write_all(&bytes).await.unwrap();
                // It is to be read before it is known that nobody is there.
                tokio::time::sleep(Duration::from_millis(200)).await;
                Vec::new()
            }
            Act::Tls(host, bytes) => {
                talk(self.shake(&self.config, host).await.unwrap(), &bytes).await
            }
            Act::Hello(host) => match self.shake(&self.config, &host).await {
                Ok(_) => b"a leaf".to_vec(),
                Err(error) => error.to_string().replace(&host, "").into_bytes(),
            },
            Act::H2(host, frames) => {
                let stream = self.shake(&self.h2_config, host).await.unwrap();
                let hello =
                    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, b"")].concat();
                talk(stream, &[hello, frames].concat()).await
            }
            Act::Socket(path, frames) => {
                let mut tcp = connect(self.plain).await;
                let ask = handshake("relay.example", &path, "");
                tcp.write_all(ask.as_bytes()).await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(tcp.read_u8().await.unwrap());
                }
                assert!(head.starts_with(b"HTTP/1.1 101 "));
                // One that is left open is closed by its client.
                let _ = tcp.write_all(&frames).await;
                let mut answer = Vec::new();
                let _ = timeout(Duration::from_secs(1), tcp.read_to_end(&mut answer)).await;
                [head, answer].concat()
            }
        }
    }

    /// Writes a request, waits for its answer (of HTTP/2, for a second's silence), and leaves the connection open.
    pub(super) async fn keep(&self, door: Door, host: &str, bytes: &[u8]) -> Box<dyn Any> {
        match door {
            Door::Plain => Box::new(kept(connect(self.plain).await, bytes).await),
            Door::Tls => {
                let stream = self.shake(&self.config, host).await.unwrap();
                Box::new(kept(stream, bytes).await)
            }
            Door::H2 => {
                let stream = self.shake(&self.h2_config, host).await.unwrap();
                let hello = frame(4, 0, 0, b"");
                let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &hello[..], bytes].concat();
                Box::new(kept(stream, &hello).await)
            }
        }
    }

    async fn shake(
        &self,
        config: &Arc<ClientConfig>,
        host: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        TlsConnector::from(Arc::clone(config)).connect(name, connect(self.tls).await).await
    }
}

/// What was written to, and has been silent since it answered.
async fn kept<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> S {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    let (mut answer, mut n_read) = (vec![0; 4096], 0);
    let mut patience = LONGEST;
    while let Ok(read) = timeout(patience, stream.read(&mut answer)).await {
        let n = read.unwrap();
        assert_ne!(n, 0, "it was not kept");
        n_read += n;
        // Heads, bodies and settings come apart.
        patience = Duration::from_secs(1);
    }
    assert_ne!(n_read, 0, "no answer");
    stream
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Writes, and reads to the end of the connection.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> Vec<u8> {
    // A connection that is ended while it is written to is a case like others.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let _ = timeout(LONGEST, stream.read_to_end(&mut answer)).await;
    answer
}

fn client(root: &CertificateDer<'static>, protocol: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}
