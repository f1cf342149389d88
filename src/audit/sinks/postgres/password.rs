//! The password of a database: from a file, from systemd, or from the environment. Never from the address, which is
//! written in a file that many may read, and never in a log.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::audit::sinks::fault::SinkFault;

/// How systemd calls it (`LoadCredential=postward-postgres-password:..`), and the environment.
const CREDENTIAL: &str = "postward-postgres-password";
const VARIABLE: &str = "POSTWARD_POSTGRES_PASSWORD";

/// Longest password that is read.
const MOST: u64 = 4096;

/// The password, if there is any: of the file (systemd's is named like any other), or of the environment. Others sign in by certificate, or as the system's user.
pub(super) fn find(file: Option<&Path>) -> Result<Option<Vec<u8>>, SinkFault> {
    if let Some(file) = file {
        return read(file).map(Some);
    }
    let value = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    Ok(value.map(OsString::into_encoded_bytes))
}

/// The file by which systemd hands it over, if it does.
pub(super) fn credential() -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty())?;
    let file = Path::new(&folder).join(CREDENTIAL);
    file.exists().then_some(file)
}

/// Reads a file that nobody else may read or change (the group may read it: orchestrators mount so).
fn read(path: &Path) -> Result<Vec<u8>, SinkFault> {
    let failed = |why: &dyn std::fmt::Display| {
        SinkFault::new(format!("the password file {}: {why}", path.display()))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let about = file.metadata().map_err(|error| failed(&error))?;
    if about.is_file() && about.permissions().mode() & 0o026 != 0 {
        return Err(failed(&"others may read or change it: set its mode to 0600"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(MOST).unwrap_or(0));
    file.take(MOST).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(failed(&"there is nothing in it"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::find;

    #[test]
    fn a_password_file_is_read_only_if_it_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "invented secret\n").unwrap();
        for (mode, is_read) in [(0o600, true), (0o640, true), (0o644, false), (0o660, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let found = find(Some(&file));
            assert_eq!(found.is_ok(), is_read, "{mode:o}");
            match found {
                Ok(found) => assert_eq!(found.unwrap(), b"invented secret"),
                Err(fault) => assert!(!fault.to_string().contains("secret\n"), "{fault}"),
            }
        }
        fs::write(&file, "\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(find(Some(&file)).is_err());
        assert!(find(Some(&folder.path().join("none"))).is_err());
    }
}
