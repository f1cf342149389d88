//! The secret key of a roster. Whoever has both it and the file can count through all names and numbers; whoever has
//! the file alone can do nothing. So it lives in a file of its own, or in what the service manager hands over.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::{Zeroize as _, Zeroizing};

/// Where keys for each purpose come from; never used for anything else.
const CONTEXT: &str = "postward 2026-11 roster key";
/// The least a key of bytes holds; one of text, such as hexadecimal digits, holds twice that.
const LEAST: usize = 16;
/// The most that is read: a key is short.
const MOST: u64 = 4096;

/// The variable that holds the key where there is no file.
pub(crate) const VARIABLE: &str = "POSTWARD_ROSTER_KEY";
/// The name of the credential by which systemd hands it over.
pub(crate) const CREDENTIAL: &str = "postward-roster-key";

/// The secret key of a roster. It prints nothing of itself and leaves memory when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("the key {} has mode {mode:03o}: others may read or change it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is too short to be a secret.
    #[error("the key {} is too short to be a secret", place.display())]
    Short {
        /// Which file or variable.
        place: PathBuf,
    },
    /// No file is named, and neither systemd nor the environment has one.
    #[error(
        "there is no key: no file is named, systemd hands over no credential `{CREDENTIAL}`, and `{VARIABLE}` is not set"
    )]
    Missing,
    /// A new key cannot be written.
    #[error("cannot write the key {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl KeyError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { path, .. } | Self::Short { place: path } => {
                format!("make one with `postward roster key {}`", path.display())
            }
            Self::Exposed { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Missing => "name one, or make one with `postward roster key FILE`".to_owned(),
            Self::Write { .. } => {
                "name a file that does not exist, in a folder that you may write to".to_owned()
            }
        }
    }
}

impl Key {
    /// Reads a key from a file that nobody else may read or change (the group may read it: orchestrators mount so).
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unread = |source| KeyError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(unread)?;
        // Asked of the open file, so that what is checked is what is read.
        let about = file.metadata().map_err(unread)?;
        let mode = about.permissions().mode() & 0o777;
        if about.is_file() && mode & 0o026 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(MOST).read_to_end(&mut bytes).map_err(unread)?;
        Self::of(&bytes).ok_or_else(|| KeyError::Short { place: path.to_owned() })
    }

    /// The key of a file, or where none is named the credential of systemd or the variable of the environment.
    pub fn find(path: Option<&Path>) -> Result<Self, KeyError> {
        if let Some(path) = path {
            return Self::read(path);
        }
        if let Some(credential) = Self::credential() {
            return Self::read(&credential);
        }
        let value = set(VARIABLE).ok_or(KeyError::Missing)?;
        let short = || KeyError::Short { place: format!("${VARIABLE}").into() };
        Self::of(OsStr::as_encoded_bytes(&value)).ok_or_else(short)
    }

    /// The file by which systemd hands a key over, if it does.
    pub fn credential() -> Option<PathBuf> {
        let file = Path::new(&set("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
        file.exists().then_some(file)
    }

    /// Writes a new key, readable by its owner alone, to a file that does not exist yet.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        use std::fmt::Write as _;
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let unwritten = |source| KeyError::Write { path: path.to_owned(), source };
        let mut secret = Zeroizing::new([0_u8; 32]);
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut *secret))
            .map_err(unwritten)?;
        // Room for all of it at once: a text that grows leaves copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * secret.len() + 1));
        for byte in secret.iter() {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(unwritten)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritten)?;
        Self::read(path)
    }

    /// The key that these bytes are; `None` if they are too few. Blanks around one of text are not part of it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_text =
            bytes.iter().all(|byte| (b' '..=b'~').contains(byte) || byte.is_ascii_whitespace());
        let bytes = if is_text { bytes.trim_ascii() } else { bytes };
        let least = if is_text { 2 * LEAST } else { LEAST };
        if bytes.len() < least {
            return None;
        }
        let mut key = blake3::derive_key(CONTEXT, bytes);
        let held = Zeroizing::new(key);
        key.zeroize();
        Some(Self(held))
    }

    /// By which a file says that it was built with this key, and which says nothing of the key: sixteen digits.
    pub fn id(&self) -> [u8; 8] {
        let hash = blake3::keyed_hash(&self.0, b"which key");
        let mut id = [0; 8];
        for (slot, byte) in id.iter_mut().zip(hash.as_bytes()) {
            *slot = *byte;
        }
        id
    }

    /// The key for one purpose in one file.
    pub(super) fn purpose(&self, purpose: &str, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(salt).update(purpose.as_bytes());
        Zeroizing::new(*hasher.finalize().as_bytes())
    }
}

/// A variable of the environment that says something.
fn set(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Key, KeyError};

    #[test]
    fn a_key_that_others_can_read_or_that_is_short_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roster.key");
        let key = Key::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Key::create(&path), Err(KeyError::Write { .. })), "never over another");
        assert_eq!(format!("{key:?}"), "Key");
        for (mode, fine) in
            [(0o400, true), (0o640, true), (0o644, false), (0o660, false), (0o602, false)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Key::read(&path).is_ok(), fine, "{mode:o}");
        }
        for (bytes, fine) in [
            (&b"0123456789abcdef"[..], false),
            (b"0123456789abcdef0123456789abcdef", true),
            (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\xfe\xff", true),
            (b"\xff\xfe", false),
            (b"                                          ", false),
            (b"", false),
        ] {
            assert_eq!(Key::of(bytes).is_some(), fine);
        }
    }

    #[test]
    fn blanks_around_a_key_of_text_are_not_part_of_it() {
        let text = "5e884898da28047151d0e56f8dc62927";
        let one = Key::of(text.as_bytes()).unwrap();
        let other = Key::of(format!("  {text}\r\n").as_bytes()).unwrap();
        assert_eq!(one.id(), other.id());
        assert_ne!(one.id(), Key::of(text.to_uppercase().as_bytes()).unwrap().id());
    }
}
