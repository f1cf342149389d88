//! The hospital's own certificate authority: made by `postward ca init`, read by `serve`, kept in memory by `demo`.
//!
//! Devices that trust this CA trust whatever its key signs, so the key is written once, readable by its owner only, and
//! never over an existing file; with hosts given, the CA itself says that it signs for no others.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::proxy::tls::files::{self, KeyFileError};

/// A CA lasts ten years: replacing it means touching every device.
const CA_LIFE: Duration = Duration::from_secs(3650 * 86_400);

/// Clocks of devices run behind; a certificate from the future is refused by them.
pub(crate) const BACKDATED: Duration = Duration::from_secs(86_400);

/// A leaf's whole validity. Browsers refuse more than 200 days (from 2026-03 on), counted with the backdating.
pub(crate) const LEAF_LIFE: Duration = Duration::from_secs(197 * 86_400);

/// What `postward ca init` made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaFiles {
    /// The certificate, to be installed on devices.
    pub certificate: PathBuf,
    /// Its key, mode 0600.
    pub key: PathBuf,
    /// SHA-256 of the certificate in hexadecimal, to be compared on devices.
    pub fingerprint: String,
}

/// Why a CA cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// Never overwritten: devices may trust it already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A host cannot stand in a certificate.
    #[error("`{host}` is not a host name or address")]
    Host {
        /// The host, from the operator's own command line or file.
        host: String,
    },
    /// Certificate and key are not what a CA needs.
    #[error("{} is not a CA certificate with its own key", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rcgen::Error,
    },
    /// Key generation or signing failed.
    #[error("cannot sign a certificate")]
    Sign(#[source] rcgen::Error),
}

/// A CA with its key: mints leaves.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// Makes a CA and writes it to two new files. With `hosts`, the CA is constrained to them (`*.clinic.example` stands for
/// everything below `clinic.example`).
pub fn init(
    certificate: &Path,
    key: &Path,
    name: &str,
    hosts: &[String],
) -> Result<CaFiles, CaError> {
    let made = Made::new(name, hosts)?;
    // The key first: a certificate whose key could not be written must not reach any device.
    write_new(key, &made.key.serialize_pem(), 0o600)?;
    write_new(certificate, &made.pem, 0o644)?;
    Ok(CaFiles {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        fingerprint: hex(&made.der),
    })
}

impl Authority {
    /// Makes a CA that lives in memory only (`demo`, tests).
    pub fn generate(name: &str, hosts: &[String]) -> Result<Self, CaError> {
        let made = Made::new(name, hosts)?;
        Ok(Self {
            certificate: made.der,
            pem: made.pem,
            issuer: Issuer::new(made.params, made.key),
        })
    }

    /// Reads a CA from its files. A key that others may read or its group may write is refused.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, CaError> {
        let pem = files::read_text(certificate)?;
        let der = files::certificates(certificate, &pem)?.swap_remove(0);
        let key = files::private_key(key)?;
        let unusable = |source| CaError::Unusable { path: certificate.to_owned(), source };
        let key = KeyPair::try_from(&key).map_err(unusable)?;
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(unusable)?;
        Ok(Self { certificate: der, pem, issuer })
    }

    /// The certificate, for clients that shall trust it.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the certificate in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex(&self.certificate)
    }

    /// Mints a leaf for exactly one host, never a wildcard: a browser would use one connection for all its hosts.
    pub fn mint(&self, host: &str) -> Result<Leaf, CaError> {
        let key = KeyPair::generate().map_err(CaError::Sign)?;
        let mut params = CertificateParams::new([host.to_owned()])
            .map_err(|_| CaError::Host { host: host.to_owned() })?;
        set_validity(&mut params, LEAF_LIFE);
        params.serial_number = Some(serial());
        // No common name: names over 64 bytes do not fit it, and clients read the alternative name only.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Postward");
        // Written out, so that the leaf carries its own key identifier beside the CA's.
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(CaError::Sign)?;
        Ok(Leaf {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }
}

/// A leaf, as TLS needs it.
#[derive(Debug)]
pub struct Leaf {
    /// The leaf, then the CA.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
}

/// A CA just made, before it is written or kept.
struct Made {
    params: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
    pem: String,
}

impl Made {
    fn new(name: &str, hosts: &[String]) -> Result<Self, CaError> {
        let key = KeyPair::generate().map_err(CaError::Sign)?;
        let mut params = CertificateParams::default();
        set_validity(&mut params, CA_LIFE);
        params.serial_number = Some(serial());
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        // Path length 0: this CA signs leaves and no further CA.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = constraints(hosts)?;
        let certificate = params.self_signed(&key).map_err(CaError::Sign)?;
        Ok(Self { params, key, der: certificate.der().clone(), pem: certificate.pem() })
    }
}

/// Permits only these hosts. A tree of names permits everything below a name too; that is how RFC 5280 has it.
fn constraints(hosts: &[String]) -> Result<Option<NameConstraints>, CaError> {
    if hosts.is_empty() {
        return Ok(None);
    }
    let mut permitted = Vec::with_capacity(hosts.len());
    let (mut names_an_address, mut names_a_name) = (false, false);
    for host in hosts {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        permitted.push(if let Ok(address) = bare.parse::<IpAddr>() {
            names_an_address = true;
            let whole = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, whole))
        } else {
            names_a_name = true;
            GeneralSubtree::DnsName(dns_name(host)?)
        });
    }
    // A constraint on names says nothing of addresses and the other way round: what is not named is shut out.
    let mut excluded = Vec::new();
    if !names_an_address {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    if !names_a_name {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    Ok(Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded }))
}

fn dns_name(host: &str) -> Result<String, CaError> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(CaError::Host { host: host.to_owned() })
    }
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), CaError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CaError::Exists { path: path.to_owned() },
        _ => CaError::Write { path: path.to_owned(), source },
    })
}

/// Sets the validity: from a day ago, `life` in all. (The type of the fields is of a crate that we do not name.)
fn set_validity(params: &mut CertificateParams, life: Duration) {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let start = Duration::from_secs(since_epoch.saturating_sub(BACKDATED).as_secs());
    params.not_before = date_time_ymd(1970, 1, 1) + start;
    params.not_after = date_time_ymd(1970, 1, 1) + start + life;
}

/// 127 random bits: positive, and never the same twice under one CA.
fn serial() -> SerialNumber {
    let mut bytes = [0_u8; 16];
    // A failing random generator stops key generation as well, so the leaf could not have been made.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    SerialNumber::from_slice(&bytes)
}

fn hex(der: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, der).as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
