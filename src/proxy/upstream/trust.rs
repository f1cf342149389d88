//! Whom we believe to be a platform, and in what words a connection is refused that proves nothing.
//!
//! Verified is every new connection, whole: chain, host, dates, purpose, constraints and, where the operator gave lists,
//! revocation. Nothing of a request is written before that.

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::VerifierBuilderError;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use crate::config::UnknownRevocation;
use crate::proxy::tls::provider;

/// What verification goes by, beside the system's roots.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// Certificates to trust beside the system's.
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
    /// Lists of revoked certificates.
    pub(crate) lists: Vec<CertificateRevocationListDer<'static>>,
    /// What of certificates whose issuer has no list here.
    pub(crate) unknown: UnknownRevocation,
}

/// Why the way to the platforms cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamSetupError {
    /// Nothing could ever be verified.
    #[error("this machine trusts no root certificates")]
    NoRoots,
    /// A root certificate cannot be used.
    #[error("an extra root certificate cannot be used")]
    Root(#[source] Error),
    /// A list of revoked certificates cannot be used.
    #[error("the revocation list {} cannot be used", path.display())]
    List {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: webpki::Error,
    },
    /// The provider lacks what we need.
    #[error("TLS towards the platforms cannot be set up")]
    Provider(#[source] Error),
    /// The verifier cannot be made (its parts were tried out before).
    #[error("the platforms' certificates could not be verified")]
    Verifier(#[source] VerifierBuilderError),
}

/// Why a platform's end of a handshake is not believed. Nothing was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Distrust {
    Expired,
    NotYetValid,
    WrongHost,
    UnknownIssuer,
    Revoked,
    RevocationUnknown,
    ListExpired,
    ListUnusable,
    WeakSignature,
    WrongSignature,
    NameConstraint,
    NoIssuer,
    CaAsLeaf,
    Purpose,
    NoCertificate,
    Malformed,
    OldTls,
}

impl Distrust {
    pub(crate) const ALL: [Self; 17] = [
        Self::Expired,
        Self::NotYetValid,
        Self::WrongHost,
        Self::UnknownIssuer,
        Self::Revoked,
        Self::RevocationUnknown,
        Self::ListExpired,
        Self::ListUnusable,
        Self::WeakSignature,
        Self::WrongSignature,
        Self::NameConstraint,
        Self::NoIssuer,
        Self::CaAsLeaf,
        Self::Purpose,
        Self::NoCertificate,
        Self::Malformed,
        Self::OldTls,
    ];

    /// What an error of a handshake says of the other end, if it says anything.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::InvalidCertificate(fault) => Self::of_certificate(fault),
            Error::InvalidCertRevocationList(_) => Self::ListUnusable,
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                AlertDescription::ProtocolVersion
                | AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity,
            ) => Self::OldTls,
            _ => return None,
        })
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongHost
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownRevocationStatus => Self::RevocationUnknown,
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Self::ListExpired,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::WeakSignature
            }
            CertificateError::BadSignature => Self::WrongSignature,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(webpki::Error::NameConstraintViolation) => Self::NameConstraint,
                Some(
                    webpki::Error::EndEntityUsedAsCa | webpki::Error::PathLenConstraintViolated,
                ) => Self::NoIssuer,
                Some(webpki::Error::CaUsedAsEndEntity) => Self::CaAsLeaf,
                _ => Self::Malformed,
            },
            _ => Self::Malformed,
        }
    }

    /// A word for the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::WrongHost => "wrong-host",
            Self::UnknownIssuer => "unknown-issuer",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::ListExpired => "revocation-list-expired",
            Self::ListUnusable => "revocation-list-unusable",
            Self::WeakSignature => "weak-signature",
            Self::WrongSignature => "wrong-signature",
            Self::NameConstraint => "name-constraint",
            Self::NoIssuer => "no-issuer",
            Self::CaAsLeaf => "ca-as-leaf",
            Self::Purpose => "wrong-purpose",
            Self::NoCertificate => "no-certificate",
            Self::Malformed => "malformed",
            Self::OldTls => "old-tls",
        }
    }

    /// What an operator can do about it. Most of these only the platform can mend; none is a reason to trust it.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::Expired => {
                "the platform's certificate, or one it is signed by, has expired: compare this machine's clock, and tell the platform"
            }
            Self::NotYetValid => {
                "the platform's certificate begins in the future: compare this machine's clock"
            }
            Self::WrongHost => {
                "who answers has a certificate for other hosts: look where the platform's name leads, and at the route's `upstream`"
            }
            Self::UnknownIssuer => {
                "the certificate is signed by itself, by a CA that this machine does not trust, or its intermediate is not sent: for a CA of the hospital's own set `extra-roots` under [upstream]"
            }
            Self::Revoked => {
                "a list under `crls` says that the certificate was taken back: whoever answers may have stolen it"
            }
            Self::RevocationUnknown => {
                "no list under `crls` speaks for the certificate's issuer: add it, or set `unknown-revocation = \"allow\"`"
            }
            Self::ListExpired => {
                "a list under `crls` is older than it says it may be: fetch it anew, and do so by the clock"
            }
            Self::ListUnusable => {
                "a list under `crls` is not signed by the issuer it speaks for: fetch it anew from the CA"
            }
            Self::WeakSignature => {
                "the certificate is signed in a way that is no longer sound, such as SHA-1 or MD5: only the platform can mend that"
            }
            Self::WrongSignature => {
                "a signature is wrong, or its key is too weak (RSA needs 2048 bits): only the platform can mend that"
            }
            Self::NameConstraint => {
                "the certificate's CA may not sign for this host: only the platform can mend that"
            }
            Self::NoIssuer => {
                "the certificate is signed by one that may sign no certificates: somebody may be posing as the platform"
            }
            Self::CaAsLeaf => {
                "a CA's own certificate is shown in place of a server's: give that server a certificate of its own"
            }
            Self::Purpose => {
                "the certificate is not one for servers: give that server one with the purpose serverAuth"
            }
            Self::NoCertificate => "who answers shows no certificate",
            Self::Malformed => {
                "the certificate cannot be read, or breaks a rule of its kind: only the platform can mend that"
            }
            Self::OldTls => {
                "who answers speaks neither TLS 1.3 nor TLS 1.2 with forward secrecy and authenticated encryption: nothing older is spoken"
            }
        }
    }
}

/// Adds certificates that somebody named; none is left out.
pub(crate) fn add_roots(
    roots: &mut RootCertStore,
    extra: &[CertificateDer<'static>],
) -> Result<(), UpstreamSetupError> {
    extra.iter().try_for_each(|root| roots.add(root.clone())).map_err(UpstreamSetupError::Root)
}

/// Whether a list of revoked certificates can be read. (That its issuer signed it shows only beside that issuer.)
pub(crate) fn try_list(list: &CertificateRevocationListDer<'static>) -> Result<(), webpki::Error> {
    webpki::OwnedCertRevocationList::from_der(list).map(drop)
}

/// How TLS is spoken with platforms, all but the protocols on offer.
pub(crate) fn client_config(
    trust: &Trust,
    needs_roots: bool,
) -> Result<ClientConfig, UpstreamSetupError> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be parsed are left out: they verify nothing.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    add_roots(&mut roots, &trust.extra_roots)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(UpstreamSetupError::Provider)?;
    let mut config = if roots.is_empty() {
        if needs_roots {
            return Err(UpstreamSetupError::NoRoots);
        }
        builder.with_root_certificates(roots)
    } else {
        builder.with_webpki_verifier(verifier(roots, trust)?)
    }
    .with_no_client_auth();
    // A resumed session is not verified again, and may outlive a certificate that has expired or was revoked since.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn verifier(
    roots: RootCertStore,
    trust: &Trust,
) -> Result<Arc<WebPkiServerVerifier>, UpstreamSetupError> {
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .with_crls(trust.lists.iter().cloned())
        // A list past its date says nothing of what was revoked since: whoever holds back new ones would win.
        .enforce_revocation_expiration();
    let builder = match trust.unknown {
        UnknownRevocation::Allow => builder.allow_unknown_revocation_status(),
        UnknownRevocation::Refuse => builder,
    };
    builder.build().map_err(UpstreamSetupError::Verifier)
}
