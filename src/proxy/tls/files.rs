//! Certificates, keys and revocation lists from files. A key that others can read is no longer a secret, and one that they
//! can put another in place of is not ours, so such a file is refused, not warned about.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// The longest revocation list that is read: the largest of public CAs hold some ten.
const MOST_LIST: u64 = 64 << 20;

/// How files in a folder of revocation lists are called.
const LIST_NAMES: [&str; 3] = ["crl", "pem", "der"];

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
    /// Somebody else could put another key in its place.
    #[error("the key file {} lies below {}, mode {mode:04o}: anybody can replace it", path.display(), folder.display())]
    Replaceable {
        /// The file.
        path: PathBuf,
        /// The folder that everybody may write.
        folder: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no revocation list in it.
    #[error("{} holds no revocation list", path.display())]
    NoList {
        /// The file or folder.
        path: PathBuf,
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
            Self::Replaceable { path, folder, .. } => format!(
                "run `chmod o-w {}`, or keep {} in a folder that only root and postward's own user can write",
                folder.display(),
                path.display()
            ),
            Self::NoList { .. } => {
                "name a list as the CA publishes it, PEM or DER, or a folder of such files called *.crl, *.pem or *.der".to_owned()
            }
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
    let unread = |source| KeyFileError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(unread)?;
    Ok(text)
}

/// Opens a file that is one: a named pipe would be waited for, and a reload with it.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
    }
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
    let mut file = open(path).map_err(unread)?;
    // Asked of the open file, so that what is checked is what is read.
    let mode = file.metadata().map_err(unread)?.permissions().mode() & 0o777;
    if mode & 0o026 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    if let Some((folder, mode)) = open_folder(path).map_err(unread)? {
        return Err(KeyFileError::Replaceable { path: path.to_owned(), folder, mode });
    }
    let mut pem = Vec::new();
    file.read_to_end(&mut pem).map_err(unread)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| KeyFileError::NoKey { path: path.to_owned() })
}

/// A folder on the way to a file in which everybody may replace what is not theirs; the way through links, and the one
/// where the file really lies. (A sticky folder such as /tmp, or a secret mounted by an orchestrator, lets nobody replace.)
fn open_folder(path: &Path) -> io::Result<Option<(PathBuf, u32)>> {
    for way in [std::path::absolute(path)?, path.canonicalize()?] {
        for folder in way.ancestors().skip(1) {
            let mode = fs::metadata(folder)?.permissions().mode() & 0o7777;
            if mode & 0o002 != 0 && mode & 0o1000 == 0 {
                return Ok(Some((folder.to_owned(), mode)));
            }
        }
    }
    Ok(None)
}

/// Every revocation list of a file, or of the files of a folder in the order of their names; at least one.
pub(crate) fn revocation_lists(
    path: &Path,
) -> Result<Vec<(PathBuf, CertificateRevocationListDer<'static>)>, KeyFileError> {
    let unread = |source| KeyFileError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    if fs::metadata(path).map_err(unread)?.is_dir() {
        for entry in fs::read_dir(path).map_err(unread)? {
            let file = entry.map_err(unread)?.path();
            let is_named = |name: &&str| {
                file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(name))
            };
            if LIST_NAMES.iter().any(is_named) {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut lists = Vec::new();
    for file in files {
        lists.extend(lists_of(&file)?.into_iter().map(|list| (file.clone(), list)));
    }
    if lists.is_empty() { Err(KeyFileError::NoList { path: path.to_owned() }) } else { Ok(lists) }
}

/// The lists of one file: CAs publish DER, tools write PEM.
fn lists_of(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, KeyFileError> {
    let unread = |source| KeyFileError::Read { path: path.to_owned(), source };
    let none = || KeyFileError::NoList { path: path.to_owned() };
    let mut bytes = Vec::new();
    open(path).map_err(unread)?.take(MOST_LIST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > MOST_LIST {
        return Err(unread(io::ErrorKind::FileTooLarge.into()));
    }
    // A DER list is one SEQUENCE; no PEM text begins with that byte, which is `0`.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![bytes.into()]);
    }
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    found.ok().filter(|lists| !lists.is_empty()).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{KeyFileError, private_key, revocation_lists};

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
    fn a_key_is_looked_at_through_links_and_in_its_folders() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("keys").join("edge");
        fs::create_dir_all(&inner).unwrap();
        let (path, link) = (inner.join("edge.key"), directory.path().join("link.key"));
        fs::write(&path, key).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let open = inner.parent().unwrap();
        for (file, folder, accepted) in [
            (0o600, 0o755, true),
            // As orchestrators mount secrets: everybody may add files there, nobody may replace another's.
            (0o600, 0o1777, true),
            (0o600, 0o777, false),
            (0o600, 0o772, false),
            (0o600, 0o770, true),
            (0o644, 0o700, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
            fs::set_permissions(open, fs::Permissions::from_mode(folder)).unwrap();
            for name in [&path, &link] {
                let read = private_key(name);
                assert_eq!(read.is_ok(), accepted, "{file:o} in {folder:o}");
                if let Err(fault) = read {
                    assert!(fault.remedy().contains("chmod"), "{fault}");
                }
            }
            fs::set_permissions(open, fs::Permissions::from_mode(0o700)).unwrap();
        }
        // The link's own folder, too: whoever writes there leads the link elsewhere.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(private_key(&link), Err(KeyFileError::Replaceable { .. })));
    }

    #[test]
    fn what_is_no_list_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path();
        assert!(matches!(revocation_lists(folder), Err(KeyFileError::NoList { .. })));
        fs::write(folder.join("a.pem"), "nothing").unwrap();
        let fault = revocation_lists(folder).unwrap_err();
        assert!(fault.to_string().contains("a.pem"), "{fault}");
        assert!(matches!(
            revocation_lists(&folder.join("absent.crl")),
            Err(KeyFileError::Read { .. })
        ));
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
