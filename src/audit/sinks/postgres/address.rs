//! Where a PostgreSQL is, and how it is spoken to: with TLS whose certificate is proven to be the host's, unless nothing
//! leaves the machine or the configuration says otherwise in so many words.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::postgres::password;

/// How long one host may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);

/// Where PostgreSQL listens.
const PORT: u16 = 5432;

/// What every connection is told: no piece of work lasts for ever, also where this program is gone in the middle of it.
const SETTINGS: &str = "SET statement_timeout = '25s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC'; SET client_min_messages = 'warning'";

/// A PostgreSQL that several nodes may share.
#[derive(Clone, Eq, PartialEq)]
pub struct PostgresSettings {
    /// `postgres://USER@HOST[:PORT]/DATABASE`; several hosts between commas. It holds no password.
    pub url: String,
    /// The schema of the tables; made if there is none.
    pub schema: String,
    /// The file with the password; `None` is what systemd or the environment hand over, if anything.
    pub password_file: Option<PathBuf>,
    /// Authorities to trust in place of the system's (PEM).
    pub roots: Option<PathBuf>,
    /// The certificate and key to sign in by (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Months after which whole months are removed; `None` keeps them.
    pub keep_months: Option<u32>,
}

impl std::fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// What is wrong with the address of a PostgreSQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PostgresAddressError {
    /// It cannot be read.
    #[error("it is no address of a PostgreSQL")]
    Unreadable,
    /// It holds the password.
    #[error("it holds the password, and this file is read by many")]
    Password,
    /// It says what `tls` says.
    #[error("it says how TLS is spoken, which is said by `tls`")]
    Tls,
    /// The schema's name is not one that needs no quotation marks.
    #[error("this cannot be the name of a schema")]
    Schema,
}

impl PostgresSettings {
    /// The name of the schema unless another is given.
    pub const SCHEMA: &str = "postward";

    /// Reads an address; everything else is as where nothing is said. TLS is spoken with hosts of a network, and not where
    /// nothing leaves the machine.
    pub fn of(url: &str) -> Result<Self, PostgresAddressError> {
        let config: Config = url.parse().map_err(|_| PostgresAddressError::Unreadable)?;
        if config.get_password().is_some() {
            return Err(PostgresAddressError::Password);
        }
        if config.get_ssl_mode() != SslMode::Prefer {
            return Err(PostgresAddressError::Tls);
        }
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_url || config.get_hosts().is_empty() || config.get_user().is_none() {
            return Err(PostgresAddressError::Unreadable);
        }
        let mut settings = Self {
            url: url.to_owned(),
            schema: Self::SCHEMA.to_owned(),
            password_file: None,
            roots: None,
            identity: None,
            tls: true,
            keep_months: None,
        };
        settings.tls = settings.is_remote();
        Ok(settings)
    }

    /// With the password that systemd hands over, if it does and no other file is named.
    #[must_use]
    pub fn with_credential(mut self) -> Self {
        self.password_file = self.password_file.or_else(password::credential);
        self
    }

    /// Puts the tables elsewhere.
    pub fn in_schema(mut self, schema: &str) -> Result<Self, PostgresAddressError> {
        let starts = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !starts
            || schema.len() > 48
            || !schema.bytes().all(is_plain)
            || schema.starts_with("pg_")
        {
            return Err(PostgresAddressError::Schema);
        }
        schema.clone_into(&mut self.schema);
        Ok(self)
    }

    /// The hosts that are dialled; a socket of this machine is none.
    pub fn hosts(&self) -> Vec<String> {
        let Ok(config) = self.url.parse::<Config>() else { return Vec::new() };
        let named = config.get_hosts().iter().filter_map(|host| match host {
            Host::Tcp(host) => Some(host.clone()),
            Host::Unix(_) => None,
        });
        named.collect()
    }

    /// The ports that are dialled.
    pub fn ports(&self) -> Vec<u16> {
        let Ok(config) = self.url.parse::<Config>() else { return Vec::new() };
        if self.hosts().is_empty() {
            return Vec::new();
        }
        match config.get_ports() {
            [] => vec![PORT],
            ports => ports.to_vec(),
        }
    }

    /// Whether anything would cross a network.
    pub fn is_remote(&self) -> bool {
        self.hosts().iter().any(|host| {
            let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host != "localhost" && !ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
        })
    }

    /// The files that it reads.
    pub fn files(&self) -> Vec<&Path> {
        let identity = self.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        self.password_file.iter().chain(&self.roots).chain(identity).map(PathBuf::as_path).collect()
    }
}

/// Connects; the connection is driven by the current runtime. Files are read anew each time: passwords and certificates
/// change while this runs.
pub(in crate::audit) async fn connect(settings: &PostgresSettings) -> Result<Client, SinkFault> {
    let mut config: Config =
        settings.url.parse().map_err(|_| SinkFault::new("the address cannot be read"))?;
    config.connect_timeout(CONNECT).keepalives_idle(Duration::from_secs(30));
    config.application_name("postward");
    if let Some(password) = password::find(settings.password_file.as_deref())? {
        config.password(password);
    }
    let client = if settings.tls {
        config.ssl_mode(SslMode::Require);
        let tls = MakeRustlsConnect::new(tls(settings)?);
        let (client, connection) = config.connect(tls).await?;
        // It ends with the client, or is told of by the client's next call.
        tokio::spawn(async move { connection.await.is_ok() });
        client
    } else {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move { connection.await.is_ok() });
        client
    };
    client.batch_execute(SETTINGS).await?;
    Ok(client)
}

/// The host's certificate must be signed by an authority that we trust, and be for the host's name.
fn tls(settings: &PostgresSettings) -> Result<ClientConfig, SinkFault> {
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
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
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

#[cfg(test)]
mod tests {
    use super::{PostgresAddressError, PostgresSettings};

    #[test]
    fn addresses_name_hosts_and_ports_and_never_a_password() {
        for (url, hosts, ports, tls, is_remote) in [
            (
                "postgres://postward@db.example.org/audit",
                vec!["db.example.org"],
                vec![5432],
                true,
                true,
            ),
            (
                "postgresql://p@a.example.org:5433,b.example.org:5434/audit",
                vec!["a.example.org", "b.example.org"],
                vec![5433, 5434],
                true,
                true,
            ),
            ("postgres://p@127.0.0.1:6000/audit", vec!["127.0.0.1"], vec![6000], false, false),
            ("postgres://p@localhost/audit", vec!["localhost"], vec![5432], false, false),
            ("postgres://p@/audit?host=/run/postgresql", vec![], vec![], false, false),
        ] {
            let settings = PostgresSettings::of(url).unwrap();
            assert_eq!(settings.hosts(), hosts, "{url}");
            assert_eq!(settings.ports(), ports, "{url}");
            assert_eq!((settings.tls, settings.is_remote()), (tls, is_remote), "{url}");
        }
        for (url, fault) in [
            ("postgres://postward:invented@db.example.org/audit", PostgresAddressError::Password),
            ("postgres://p@db.example.org/audit?password=invented", PostgresAddressError::Password),
            ("postgres://p@db.example.org/audit?sslmode=disable", PostgresAddressError::Tls),
            ("postgres://db.example.org/audit", PostgresAddressError::Unreadable),
            ("host=db.example.org user=p", PostgresAddressError::Unreadable),
            ("mysql://p@db.example.org", PostgresAddressError::Unreadable),
            ("", PostgresAddressError::Unreadable),
        ] {
            assert_eq!(PostgresSettings::of(url).unwrap_err(), fault, "{url}");
        }
    }

    #[test]
    fn schemas_need_no_quotation_marks() {
        let settings = PostgresSettings::of("postgres://p@localhost/audit").unwrap();
        for (schema, is_fine) in [
            ("audit_2", true),
            ("_x", true),
            ("Audit", false),
            ("a;b", false),
            ("", false),
            ("pg_x", false),
            ("2a", false),
        ] {
            assert_eq!(settings.clone().in_schema(schema).is_ok(), is_fine, "{schema}");
        }
    }
}
