//! `postward.toml` as meant.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::AuditSettings;
use crate::body::Limits;
use crate::config::{Edge, Log, Traces, Who};

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where we accept; at least one.
    pub listeners: Vec<Listener>,
    /// Which hosts are whose.
    pub routes: Vec<Route>,
    /// How platforms are reached.
    pub upstream: Upstream,
    /// The operators' own listener.
    pub admin: Option<Admin>,
    /// The audit; `serve` needs one.
    pub audit: AuditSettings,
    /// Largest body read whole, before decompression (`max-body`, 16 MiB).
    pub max_body: usize,
    /// Largest media that streams through (`max-media`, 512 MiB).
    pub max_media: u64,
    /// Caps on clients.
    pub edge: Edge,
    /// Limits on decoded bodies.
    pub body_limits: Limits,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// What `serve` asks of the kernel against itself.
    pub sandbox: Sandbox,
    /// Whether another process may be given the listeners' sockets (`handover`).
    pub handover: bool,
    /// How changes of the files are noticed.
    pub reload: Reload,
    /// The log.
    pub log: Log,
    /// Where traces go; `None` is nowhere.
    pub traces: Option<Traces>,
}

/// Whether the process gives up, once and for all, what it does not need (`sandbox`, `require-sandbox`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sandbox {
    /// It gives up nothing.
    Off,
    /// As far as the kernel lets it; what the kernel lacks is said in the log.
    #[default]
    Wanted,
    /// It does not start where the kernel cannot limit files and system calls.
    Required,
}

impl Config {
    /// The files that are read beside rules, policy and platforms: certificates and keys.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let of_listeners = self.listeners.iter().filter_map(|listener| listener.tls.as_ref());
        let sinks = self.audit.sinks.iter().flat_map(|sink| sink.kind.files());
        let of_clients = self.listeners.iter().flat_map(|listener| listener.who.files());
        let of_names = self.audit.names.key_file();
        of_listeners
            .flat_map(TlsIdentity::files)
            .chain(of_clients)
            .chain(self.upstream.files())
            .chain(sinks)
            .chain(of_names)
    }
}

/// What the operators' own listener is called where sockets have names.
pub const ADMIN_NAME: &str = "admin";

/// One address we accept on.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The address; `[::]` is dual stack.
    pub address: SocketAddr,
    /// What systemd's socket unit calls its socket, if it bears another name than its address.
    pub name: Option<String>,
    /// How TLS is spoken; `None` is plain HTTP, on loopback only.
    pub tls: Option<TlsIdentity>,
    /// By what it knows who sends, beside the address of the connection.
    pub who: Who,
}

/// Where a listener's certificates come from. Paths are absolute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TlsIdentity {
    /// A leaf for each routed host, minted from the hospital's CA.
    Ca {
        /// The CA's certificate.
        ca: PathBuf,
        /// Its key.
        ca_key: PathBuf,
    },
    /// A certificate of one's own.
    Certificate {
        /// The chain.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

impl TlsIdentity {
    /// Its files.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Ca { ca, ca_key } => vec![ca, ca_key],
            Self::Certificate { certificate, key } => vec![certificate, key],
        }
    }
}

/// Hosts that belong to one platform.
#[derive(Clone, Debug)]
pub struct Route {
    /// Lower case, no port; `*.` is one label. Exact beats wildcard.
    pub hosts: Vec<String>,
    /// The platform's name.
    pub platform: String,
    /// Where to dial and verify; `None` is `https://<host of the request>`.
    pub upstream: Option<UpstreamAddress>,
    /// What is done with `WebSocket`s.
    pub websocket: WebSocket,
}

/// What a route does with `WebSocket`s.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WebSocket {
    /// None is passed on.
    #[default]
    Refuse,
    /// Each message of a client is read as a post before it goes on; what the platform sends streams down.
    Read,
}

/// A fixed upstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpstreamAddress {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The host to dial and, with TLS, to verify.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How platforms are reached.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Upstream {
    /// DNS servers; empty is the system's.
    pub resolver: Vec<SocketAddr>,
    /// More roots to trust, beside the system's.
    pub extra_roots: Option<PathBuf>,
    /// Lists of revoked certificates: files, or folders of them.
    pub crls: Vec<PathBuf>,
    /// What of platforms whose certificate's issuer has no list among `crls`.
    pub unknown_revocation: UnknownRevocation,
    /// Addresses a public route may resolve to although they are private.
    pub allow_private: Vec<IpAddr>,
}

/// What is done with a platform of whose certificate no list says whether it was revoked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UnknownRevocation {
    /// It is trusted: the platforms of the web are signed by dozens of CAs.
    #[default]
    Allow,
    /// It is not.
    Refuse,
}

impl Upstream {
    /// The files it names.
    pub fn files(&self) -> Vec<&Path> {
        self.extra_roots.iter().chain(&self.crls).map(PathBuf::as_path).collect()
    }
}

/// The operators' own listener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admin {
    /// Its address.
    pub address: SocketAddr,
}

/// How changes of the files are noticed. Each is documented in `config/postward.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reload {
    /// Whether files are watched.
    pub watch: bool,
    /// How long changed files must lie still before they are read.
    pub settle: Duration,
    /// How often they are looked at where the system does not tell of changes.
    pub poll: Duration,
    /// How often files that cannot be used are complained of.
    pub remind: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            watch: true,
            settle: Duration::from_millis(500),
            poll: Duration::from_secs(30),
            remind: Duration::from_secs(600),
        }
    }
}

/// Deadlines. Each is documented in `config/postward.toml`.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// Accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// The end of the handshake, or of accepting, to the first byte.
    pub first_byte: Duration,
    /// A request's head.
    pub head: Duration,
    /// A pause in a request's body; on the whole it must keep `min-body-rate`.
    pub body: Duration,
    /// Deciding on a post.
    pub inspect: Duration,
    /// Writing its event.
    pub audit: Duration,
    /// How long a post waits for memory to be read in.
    pub busy: Duration,
    /// Idle keep-alive.
    pub idle: Duration,
    /// How often an HTTP/2 client is asked whether it is there, and how long it has to say so.
    pub ping: Duration,
    /// How old a connection grows before it is asked to end; what is under way ends first.
    pub age: Duration,
    /// Dialling a platform.
    pub connect: Duration,
    /// The first byte of a platform's answer.
    pub answer: Duration,
    /// Idle within a platform's answer.
    pub answer_idle: Duration,
    /// Reading on in a refused request, so that its client hears why.
    pub refused: Duration,
    /// SIGTERM to the closing of idle connections.
    pub farewell: Duration,
    /// SIGTERM to the end.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(60),
            inspect: Duration::from_secs(30),
            audit: Duration::from_secs(10),
            busy: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            ping: Duration::from_secs(20),
            age: Duration::from_secs(3600),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(120),
            answer_idle: Duration::from_secs(600),
            refused: Duration::from_secs(10),
            farewell: Duration::from_secs(1),
            drain: Duration::from_secs(30),
        }
    }
}
