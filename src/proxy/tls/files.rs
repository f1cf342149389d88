//! Certificates and keys from PEM files. A key that others can read is no longer a secret, so such a file is refused, not
//! warned about.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate or key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could read or change the key.
    #[error("the key file {} has mode {mode:04o}: others can read it, or its group can write it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no certificate in it.
    #[error("{} holds no PEM certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in it.
    #[error("{} holds no PEM private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

impl KeyFileError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { path, .. } => format!(
                "make sure that {} exists and that the user postward runs as can read it",
                path.display()
            ),
            Self::Exposed { path, .. } => format!(
                "run `chmod 0600 {0}` (0640 where a group must read it), and make a new key if others had access to {0}",
                path.display()
            ),
            Self::NoCertificate { .. } => {
                "the file must hold a block that begins with -----BEGIN CERTIFICATE-----".to_owned()
            }
            Self::NoKey { .. } => {
                "the file must hold one unencrypted block such as -----BEGIN PRIVATE KEY-----"
                    .to_owned()
            }
        }
    }
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, KeyFileError> {
    fs::read_to_string(path).map_err(|source| KeyFileError::Read { path: path.to_owned(), source })
}

/// Every certificate of a PEM text, in order; at least one.
pub(crate) fn certificates(
    path: &Path,
    pem: &str,
) -> Result<Vec<CertificateDer<'static>>, KeyFileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(KeyFileError::NoCertificate { path: path.to_owned() }),
    }
}

/// The key of a PEM file that nobody else can read.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, KeyFileError> {
    let unread = |source| KeyFileError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unread)?;
    // Asked of the open file, so that what is checked is what is read.
    let mode = file.metadata().map_err(unread)?.permissions().mode() & 0o777;
    if mode & 0o026 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut pem = Vec::new();
    file.read_to_end(&mut pem).map_err(unread)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| KeyFileError::NoKey { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{KeyFileError, private_key};

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("edge.key");
        fs::write(&path, key).unwrap();
        for (mode, accepted) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o644, false),
            (0o660, false),
            (0o602, false),
            (0o604, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(private_key(&path).is_ok(), accepted, "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("edge.key");
        fs::write(&path, "nothing").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(private_key(&path), Err(KeyFileError::NoKey { .. })));
        assert!(matches!(
            private_key(&directory.path().join("absent")),
            Err(KeyFileError::Read { .. })
        ));
    }
}
