//! The folders on the way to a file: by each of them another file can come to stand under its name.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Most links that are followed, as the system itself does.
const MOST_LINKS: usize = 40;

/// Folders of the whole system: they hold what is nobody's in particular.
const COMMON: [&str; 25] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/local",
    "/usr/local/etc",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/tmp",
];

/// Folders that many programs write to, each in a folder of its own.
const SHARED: [&str; 7] = [
    "/var/backups",
    "/var/cache",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/spool",
    "/usr/local/share",
];

/// How a name leads to a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Way {
    /// The folders that links on the way stand in, each as it is called without links.
    pub links: Vec<PathBuf>,
    /// Where it ends, whether something is there or not.
    pub real: PathBuf,
}

impl Way {
    /// The way that the system goes now.
    pub fn to(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut way = Self { links: Vec::new(), real: PathBuf::from("/") };
        // What is still to go, the next step last.
        let mut ahead = steps(&path);
        while let Some(step) = ahead.pop() {
            let Some(name) = step else {
                way.real.pop();
                continue;
            };
            let next = way.real.join(name);
            match fs::read_link(&next) {
                Ok(target) if way.links.len() < MOST_LINKS => {
                    way.links.push(way.real.clone());
                    if target.is_absolute() {
                        way.real = PathBuf::from("/");
                    }
                    ahead.append(&mut steps(&target));
                }
                _ => way.real = next,
            }
        }
        way
    }

    /// The folders in which another file, or a link to one, can be put in its place.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.links.iter().map(PathBuf::as_path).chain(self.real.parent())
    }
}

/// The steps of a path from its last to its first; `None` is one up.
fn steps(path: &Path) -> Vec<Option<OsString>> {
    let step = |part| match part {
        Component::Normal(name) => Some(Some(name.to_owned())),
        Component::ParentDir => Some(None),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().rev().filter_map(step).collect()
}

/// Where large parts of a post wait: `TMPDIR`, unless it is empty.
pub fn spool_folder() -> PathBuf {
    let folder = std::env::temp_dir();
    if folder.as_os_str().is_empty() { PathBuf::from("/tmp") } else { folder }
}

/// Whether a folder belongs to the whole system.
pub fn is_common(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || COMMON.iter().any(|common| Path::new(common) == folder)
}

/// Whether others than postward keep files in a folder or right beneath it, so that it should not be one to write to.
pub(super) fn is_shared(folder: &Path) -> bool {
    is_common(folder) || SHARED.iter().any(|shared| Path::new(shared) == folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::Way;

    #[test]
    fn every_folder_of_a_chain_of_links_is_on_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["cfg", "store/..v1"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        symlink("../store/tls.pem", root.join("cfg/tls.pem")).unwrap();
        symlink("..data/tls.pem", root.join("store/tls.pem")).unwrap();
        symlink("..v1", root.join("store/..data")).unwrap();
        symlink(root.join("store"), root.join("current")).unwrap();
        // With the file and without it.
        for _ in 0..2 {
            let way = Way::to(&root.join("cfg/../cfg/./tls.pem"));
            let folders: Vec<_> = way.folders().collect();
            let [cfg, store, v1] = ["cfg", "store", "store/..v1"].map(|name| root.join(name));
            assert_eq!(folders, [&*cfg, &store, &store, &v1]);
            assert_eq!(way.real, v1.join("tls.pem"));
            let through = Way::to(&root.join("current/..v1/tls.pem"));
            assert_eq!((through.links, through.real), (vec![root.clone()], way.real));
            fs::write(v1.join("tls.pem"), "").unwrap();
        }
    }

    #[test]
    fn links_in_a_circle_come_to_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        symlink("two/x", root.join("one")).unwrap();
        symlink("one/x", root.join("two")).unwrap();
        assert!(Way::to(&root.join("one")).links.len() <= super::MOST_LINKS);
    }
}
