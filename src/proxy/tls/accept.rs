//! The handshake with a client: which certificate it is shown, and which hosts that certificate covers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{Acceptor as HelloReader, ParsedCertificate, VerifierBuilderError};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::policy::CertifiedName;
use crate::proxy::route::Routes;
use crate::proxy::tls::ca::Authority;
use crate::proxy::tls::clients::Clients;
use crate::proxy::tls::files::{self, KeyFileError};
use crate::proxy::tls::leaf::Leaves;

/// A fatal alert `unrecognized_name` (112), as a whole TLS record (RFC 6066, section 3).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Why a listener's TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Certificate and key do not belong together, or cannot be used for a server.
    #[error("certificate and key {} cannot be used", path.display())]
    Unusable {
        /// The certificate's file.
        path: std::path::PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The CA's leaf for a routed host would be refused by every client.
    #[error(
        "a leaf for `{host}` signed by the CA is not valid: the CA has expired, is constrained to other names, or its key is another's"
    )]
    CaCannotSign {
        /// The host, from the configuration.
        host: String,
        /// Why, if verification said so.
        source: Option<rustls::Error>,
    },
    /// A CA of clients' certificates cannot be used.
    #[error("a certificate in {} cannot be trusted to sign clients' certificates", path.display())]
    ClientRoot {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A list of revoked clients' certificates cannot be used.
    #[error("the revocation list {} cannot be used", path.display())]
    ClientList {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: webpki::Error,
    },
    /// Clients' certificates cannot be verified (the parts were tried out before).
    #[error("clients' certificates could not be verified")]
    ClientVerifier(#[source] VerifierBuilderError),
    /// The provider lacks what we need (it does not; this is the second lock).
    #[error("TLS cannot be set up")]
    Provider(#[source] rustls::Error),
}

/// Speaks TLS with the clients of one listener.
#[derive(Clone, Debug)]
pub(crate) struct TlsAcceptor {
    config: Arc<ServerConfig>,
    leaves: Option<Arc<Leaves>>,
    own: Option<Arc<CertificateDer<'static>>>,
    /// Clients are asked for certificates.
    clients: Option<Clients>,
}

/// Which hosts the certificate of a connection covers.
#[derive(Clone)]
pub(crate) enum Presented {
    /// No TLS: plain HTTP on loopback.
    Plain,
    /// A leaf for exactly this host.
    Leaf(Box<str>),
    /// The operator's own certificate.
    Own(Arc<CertificateDer<'static>>),
}

/// Shows no host: under a wildcard it is the client's word.
impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Leaf(_) => "Leaf",
            Self::Own(_) => "Own",
        })
    }
}

/// A finished handshake.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) presented: Presented,
    pub(crate) is_h2: bool,
    /// The names in the client's certificate.
    pub(crate) certified: Option<Arc<[CertifiedName]>>,
}

/// The one provider, named wherever TLS is set up: a second one in the tree must not be able to take over.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl TlsAcceptor {
    /// Leaves from the hospital's CA. That the CA can sign for every routed host is tried out here, not on a Monday.
    pub(crate) fn minting(
        authority: Arc<Authority>,
        routes: Arc<Routes>,
        clients: Option<Clients>,
    ) -> Result<Self, TlsSetupError> {
        let hosts: Vec<String> = routes.sample_hosts().collect();
        let leaves = Arc::new(Leaves::new(authority, routes, provider()));
        for host in &hosts {
            try_out(&leaves, host)?;
        }
        Ok(Self {
            config: server_config(Arc::clone(&leaves) as _, clients.as_ref())?,
            leaves: Some(leaves),
            own: None,
            clients,
        })
    }

    /// When the first of the leaves that are shown ends, in seconds since 1970; `None` where there are none.
    pub(crate) fn first_end(&self) -> Option<i64> {
        self.leaves.as_ref()?.first_end()
    }

    /// A certificate of the operator's own.
    pub(crate) fn own(
        certificate: &Path,
        key: &Path,
        clients: Option<Clients>,
    ) -> Result<Self, TlsSetupError> {
        let chain = files::certificates(certificate, &files::read_text(certificate)?)?;
        let own = chain.first().cloned().map(Arc::new);
        let key = files::private_key(key)?;
        let certified = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|source| TlsSetupError::Unusable { path: certificate.to_owned(), source })?;
        Ok(Self {
            config: server_config(Arc::new(SingleCertAndKey::from(certified)), clients.as_ref())?,
            leaves: None,
            own,
            clients,
        })
    }

    /// Whether any routed host may be asked for over it.
    pub(crate) fn covers_any(&self, routes: &Routes) -> bool {
        let Some(own) = &self.own else { return true };
        let presented = Presented::Own(Arc::clone(own));
        routes.sample_hosts().any(|host| presented.covers(&host))
    }

    /// Shakes hands. The caller sets the deadline.
    pub(crate) async fn accept(&self, tcp: TcpStream) -> io::Result<Accepted> {
        let mut start = LazyConfigAcceptor::new(HelloReader::default(), tcp).await?;
        let asked_for = start.client_hello().server_name().map(str::to_ascii_lowercase);
        let presented = match (&self.leaves, &self.own) {
            (Some(leaves), _) => match asked_for {
                Some(host) if leaves.serves(&host) => Presented::Leaf(host.into()),
                _ => {
                    // Nothing is minted, and nothing says which hosts we would serve.
                    start.io.write_all(&UNRECOGNIZED_NAME).await?;
                    start.io.shutdown().await?;
                    return Err(io::Error::new(
                        io::ErrorKind::NotFound,
                        "no route for the server name",
                    ));
                }
            },
            (None, Some(own)) => Presented::Own(Arc::clone(own)),
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let stream = start.into_stream(Arc::clone(&self.config)).await?;
        let connection = stream.get_ref().1;
        let is_h2 = connection.alpn_protocol() == Some(b"h2");
        let certified = match &self.clients {
            Some(clients) => clients.certified(connection)?,
            None => None,
        };
        Ok(Accepted { stream, presented, is_h2, certified })
    }
}

impl Presented {
    /// Whether a request for this host may come over the connection. Browsers reuse a connection for every host that its
    /// certificate covers, and for no other.
    pub(crate) fn covers(&self, host: &str) -> bool {
        match self {
            Self::Plain => true,
            Self::Leaf(leaf) => **leaf == *host,
            Self::Own(certificate) => {
                let Ok(parsed) = ParsedCertificate::try_from(&**certificate) else { return false };
                ServerName::try_from(host)
                    .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
            }
        }
    }
}

fn server_config(
    resolver: Arc<dyn rustls::server::ResolvesServerCert>,
    clients: Option<&Clients>,
) -> Result<Arc<ServerConfig>, TlsSetupError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsSetupError::Provider)?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(&clients.verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsSetupError::Provider)?;
    // A post in early data could be replayed by whoever recorded it.
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// Mints a leaf and verifies it as a client would.
fn try_out(leaves: &Leaves, host: &str) -> Result<(), TlsSetupError> {
    use rustls::client::danger::ServerCertVerifier;

    let fault = |source| TlsSetupError::CaCannotSign { host: host.to_owned(), source };
    let Ok(name) = ServerName::try_from(host.to_owned()) else { return Err(fault(None)) };
    // Clients send no server name for an address, so in this mode such a route is never reached over TLS.
    if matches!(name, ServerName::IpAddress(_)) {
        return Ok(());
    }
    let leaf = leaves.mint(host).map_err(|_| fault(None))?;
    let [end_entity, ca] = leaf.cert.as_slice() else { return Err(fault(None)) };
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).map_err(|source| fault(Some(source)))?;
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|_| fault(None))?;
    verifier
        .verify_server_cert(end_entity, &[], &name, &[], UnixTime::now())
        .map_err(|source| fault(Some(source)))?;
    Ok(())
}
