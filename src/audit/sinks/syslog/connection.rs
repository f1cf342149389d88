//! One connection to a receiver: TCP, or TLS over it. It blocks, within limits: its thread has nothing else to do.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::syslog::SyslogSettings;

/// How long one address may take to be reached, and the receiver to take what is written.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the peer's kernel may leave what was sent unacknowledged, in milliseconds.
const UNACKNOWLEDGED: u32 = 20_000;

/// How soon a silent peer is asked whether it is there.
const IDLE: Duration = Duration::from_secs(15);

/// How much our kernel may hold: what is lost with a receiver should be little.
const SEND_BUFFER: usize = 256 << 10;

/// A connection.
pub(super) enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    pub(super) fn open(settings: &SyslogSettings) -> Result<Self, SinkFault> {
        let tls = if settings.tls { Some(config(settings)?) } else { None };
        let host = settings.host.trim_matches(['[', ']']);
        let addresses = (host, settings.port)
            .to_socket_addrs()
            .map_err(|error| SinkFault::of("the receiver's name is not known", error))?;
        let mut failed = SinkFault::new("the receiver's name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, PATIENCE)
                .and_then(|tcp| set(&tcp).map(|()| tcp))
            {
                Ok(tcp) => {
                    let Some(config) = tls else { return Ok(Self::Plain(tcp)) };
                    return shaken(config, host, tcp);
                }
                Err(error) => failed = SinkFault::of("the receiver cannot be reached", error),
            }
        }
        Err(failed)
    }

    /// Writes all of it, or fails with some of it written.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), SinkFault> {
        let sent = match self {
            Self::Plain(tcp) => tcp.write_all(bytes).and_then(|()| tcp.flush()),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        };
        sent.map_err(|error| SinkFault::of("the receiver broke off", error))
    }

    /// Whether the receiver has not closed. It has nothing to say to us: what it says is let go.
    pub(super) fn check(&mut self) -> Result<(), SinkFault> {
        let mut said = [0; 256];
        self.tcp().set_nonblocking(true)?;
        let end = loop {
            let read = match self {
                Self::Plain(tcp) => tcp.read(&mut said),
                Self::Tls(tls) => tls.read(&mut said),
            };
            match read {
                Ok(0) => break Some(SinkFault::new("the receiver closed the connection")),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break None,
                Err(error) => break Some(SinkFault::of("the receiver broke off", error)),
            }
        };
        self.tcp().set_nonblocking(false)?;
        end.map_or(Ok(()), Err)
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Self::Tls(tls) = self {
            // A receiver that is gone need not be told.
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

fn set(tcp: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    sockopt::set_tcp_user_timeout(tcp, UNACKNOWLEDGED)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, IDLE)?;
    sockopt::set_tcp_keepintvl(tcp, IDLE)?;
    sockopt::set_socket_send_buffer_size(tcp, SEND_BUFFER)?;
    Ok(())
}

/// Shakes hands before the first message: a certificate that is refused is a fault of connecting.
fn shaken(config: ClientConfig, host: &str, mut tcp: TcpStream) -> Result<Connection, SinkFault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| SinkFault::of("the receiver's name cannot be verified", error))?;
    let mut session = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| SinkFault::of("TLS", error))?;
    while session.is_handshaking() {
        session
            .complete_io(&mut tcp)
            .map_err(|error| SinkFault::of("TLS with the receiver failed", error))?;
    }
    Ok(Connection::Tls(Box::new(StreamOwned::new(session, tcp))))
}

/// Read anew for each connection, so that renewed certificates are taken up.
fn config(settings: &SyslogSettings) -> Result<ClientConfig, SinkFault> {
    let mut roots = RootCertStore::empty();
    match &settings.roots {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| unusable(file, &error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(SinkFault::new("there is no authority to trust: name one with `roots`"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SinkFault::of("TLS", error))?
        .with_root_certificates(roots);
    let Some((chain, key)) = &settings.identity else { return Ok(builder.with_no_client_auth()) };
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    builder
        .with_client_auth_cert(certificates(chain)?, secret)
        .map_err(|error| unusable(chain, &error))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, SinkFault> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> SinkFault {
    SinkFault::new(format!("{} cannot be used: {why}", file.display()))
}
