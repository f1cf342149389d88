//! What events say of who sent a post: its address and identity as they are, as keyed hashes, or not at all.
//!
//! A keyed hash lets an officer who has the key look for one person's events, and lets nobody else learn whose any are. It
//! is HMAC-SHA-256, cut to 32 hexadecimal digits, so that any tool that knows it finds the same:
//! `printf %s alice | openssl dgst -sha256 -hmac "$(cat audit.key)"`.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The least that a key holds, in bytes: as 32 hexadecimal digits, 128 bits.
const LEAST: usize = 32;

/// The most that is read: a key is short.
const MOST: u64 = 4096;

/// How many bytes of a hash are kept: enough that no two people ever share one.
const KEPT: usize = 16;

/// How a name stands in events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Said {
    /// It does not.
    Nothing,
    /// As it is.
    #[default]
    Plain,
    /// As a keyed hash.
    Hashed,
}

impl Said {
    /// The words of the configuration.
    pub const WORDS: [(&'static str, Self); 3] =
        [("none", Self::Nothing), ("plain", Self::Plain), ("keyed-hash", Self::Hashed)];
}

/// What events say of who sent a post.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Naming {
    /// Of identities: what a load balancer or a certificate says (`identity`, plain).
    pub identity: Said,
    /// Of addresses (`address`, plain).
    pub address: Said,
    /// The key of the hashes.
    pub key: Option<NameKey>,
}

impl Naming {
    /// The file of the key.
    pub fn key_file(&self) -> Option<&Path> {
        self.key.as_ref().map(|key| key.path.as_path())
    }

    /// What an event says of a name; `None` where it says nothing. Without a key nothing is hashed, and so nothing said.
    pub(super) fn said(&self, keep: Said, name: &str) -> Option<String> {
        match keep {
            Said::Nothing => None,
            Said::Plain => Some(name.to_owned()),
            Said::Hashed => self.key.as_ref().map(|key| key.hash(name)),
        }
    }
}

/// A secret key for hashes of names. It prints nothing of itself.
#[derive(Clone)]
pub struct NameKey {
    path: PathBuf,
    secret: Arc<Zeroizing<Vec<u8>>>,
    key: hmac::Key,
}

impl fmt::Debug for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameKey")
    }
}

impl PartialEq for NameKey {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.secret == other.secret
    }
}

impl Eq for NameKey {}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NameKeyError {
    /// The file cannot be read.
    #[error("the key {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read it, or its group may change it.
    #[error("the key {} has mode {mode:04o}: others may read or change it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is too short to be a secret.
    #[error("the key {} is too short to be a secret", path.display())]
    Short {
        /// Which file.
        path: PathBuf,
    },
}

impl NameKeyError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { path, .. } | Self::Short { path } => format!(
                "make one with `openssl rand -hex 32 > {0}` and `chmod 600 {0}`",
                path.display()
            ),
            Self::Exposed { path, .. } => format!(
                "run `chmod 600 {}` (0640 where a group must read it), and make a new key if others had access to it",
                path.display()
            ),
        }
    }
}

impl NameKey {
    /// Reads a key from a file that nobody else may read or change. Blanks around it are not part of it.
    pub fn read(path: &Path) -> Result<Self, NameKeyError> {
        let unread = |source| NameKeyError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unread)?;
        // Asked of the open file, so that what is checked is what is read.
        let mode = file.metadata().map_err(unread)?.permissions().mode() & 0o777;
        if mode & 0o026 != 0 {
            return Err(NameKeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(MOST).read_to_end(&mut bytes).map_err(unread)?;
        let secret = Zeroizing::new(bytes.trim_ascii().to_vec());
        if secret.len() < LEAST {
            return Err(NameKeyError::Short { path: path.to_owned() });
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        Ok(Self { path: path.to_owned(), secret: Arc::new(secret), key })
    }

    fn hash(&self, name: &str) -> String {
        let mut hash = String::with_capacity(2 * KEPT);
        for byte in hmac::sign(&self.key, name.as_bytes()).as_ref().iter().take(KEPT) {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{NameKey, NameKeyError, Naming, Said};

    fn written(mode: u32, text: &str) -> (tempfile::TempDir, Result<NameKey, NameKeyError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = NameKey::read(&path);
        (folder, read)
    }

    #[test]
    fn a_hash_is_what_openssl_says() {
        let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
        let (_folder, key) = written(0o600, text);
        let key = key.unwrap();
        assert_eq!(format!("{key:?}"), "NameKey");
        let naming = Naming { identity: Said::Hashed, address: Said::Nothing, key: Some(key) };
        // printf %s alice | openssl dgst -sha256 -hmac "$(cat audit.key)" | head of 32 digits
        assert_eq!(
            naming.said(naming.identity, "alice").as_deref(),
            Some("029fd753cc22b555e9b5929546ce568e")
        );
        assert_eq!(naming.said(naming.address, "10.0.0.1"), None);
        assert_eq!(Naming::default().said(Said::Hashed, "alice"), None, "without a key, nothing");
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_short_is_refused() {
        let long = "0".repeat(32);
        for (mode, text, fine) in [
            (0o600, &*long, true),
            (0o640, &long, true),
            (0o644, &long, false),
            (0o660, &long, false),
            (0o600, "0123456789abcdef0123456789abcde\n\n\n", false),
            (0o600, "", false),
        ] {
            let (_folder, key) = written(mode, text);
            assert_eq!(key.is_ok(), fine, "{mode:o}");
            if let Err(fault) = key {
                assert!(fault.remedy().contains("chmod 600"), "{fault}");
            }
        }
    }
}
