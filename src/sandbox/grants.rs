//! What a configuration needs of the machine: the files, folders and ports that it names, and what looks up names and
//! authorities. Nothing else can be opened once the sandbox is on.
//!
//! Landlock grants inodes, and editors and certificate tools put a new file in the old one's place. So a named file is
//! granted with the folder that it stands in, but for folders that belong to the whole system.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::config::{Config, Loaded, TlsIdentity};

/// Where platforms listen.
const HTTPS: u16 = 443;

/// Where DNS servers listen.
const DNS: u16 = 53;

/// Folders of the whole system: of a file that stands right in one of them, the file alone is granted.
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

/// The public authorities, wherever a distribution keeps them.
const AUTHORITIES: [&str; 10] = [
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/pki",
    "/var/lib/ca-certificates",
];

/// How names are looked up.
const NAMES: [&str; 5] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"];

/// What the C library and the runtime ask of the machine: its name, its processors, a container's share of them, how
/// memory is given out, and random numbers where there is no system call for them.
const MACHINE: [&str; 10] = [
    "/proc/sys/kernel/hostname",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/core/somaxconn",
    "/proc/meminfo",
    "/proc/self",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
];

/// Modules by which the C library looks up names, where an upstream is written as one.
const MODULES: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];

/// What the process may still open and reach.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Grants {
    /// Read, with all beneath.
    pub read: BTreeSet<PathBuf>,
    /// Read and written, with all beneath: files may be made and removed, folders and links may not.
    pub write: BTreeSet<PathBuf>,
    /// TCP ports that may be listened on; 0 is one that the system chooses.
    pub bind: BTreeSet<u16>,
    /// TCP ports that may be dialled.
    pub connect: BTreeSet<u16>,
    /// The files and folders of the configuration, each as it is named there.
    pub(super) named: BTreeSet<PathBuf>,
    /// The files that are written.
    pub(super) written: BTreeSet<PathBuf>,
}

impl Grants {
    /// What this configuration needs.
    pub fn of(loaded: &Loaded) -> Self {
        let config = &loaded.config;
        let mut grants = Self::default();
        for file in loaded.seen.paths().chain(certificates(config)) {
            grants.name(file);
        }
        for path in AUTHORITIES.iter().chain(&NAMES).chain(&MACHINE) {
            grants.read.insert(path.into());
        }
        // Where the file is a link, what writes it replaces it in the folder that the link leads to.
        if let Some(folder) = real_folder(Path::new("/etc/resolv.conf")) {
            grants.read.insert(folder);
        }
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            let value = std::env::var_os(variable).unwrap_or_default();
            for path in std::env::split_paths(&value).filter(|path| path.is_absolute()) {
                grants.name(&path);
            }
        }
        if config
            .routes
            .iter()
            .filter_map(|route| route.upstream.as_ref())
            .any(|upstream| upstream.host.trim_matches(['[', ']']).parse::<IpAddr>().is_err())
        {
            grants.read.extend(MODULES.iter().map(PathBuf::from));
        }
        grants.writes(config);
        grants.ports(config);
        grants
    }

    /// What another configuration needs beyond this one: each a sentence that names it, for an operator.
    pub fn lacks(&self, other: &Self) -> Vec<String> {
        let mut lacks = Vec::new();
        let covers = |folders: &BTreeSet<PathBuf>, path: &Path| {
            let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            folders.iter().any(|folder| path.starts_with(folder) || real.starts_with(folder))
        };
        for path in &other.named {
            if !covers(&self.read, path) && !covers(&self.write, path) {
                lacks.push(format!("{} may not be read", path.display()));
            }
        }
        for path in &other.write {
            if !covers(&self.write, path) {
                lacks.push(format!("{} may not be written to", path.display()));
            }
        }
        for port in other.bind.difference(&self.bind) {
            lacks.push(format!("port {port} may not be listened on"));
        }
        for port in other.connect.difference(&self.connect) {
            lacks.push(format!("port {port} may not be dialled"));
        }
        lacks
    }

    /// Grants a file or folder that the configuration names, by its name and where links lead.
    fn name(&mut self, path: &Path) {
        self.named.insert(path.to_owned());
        self.read.insert(path.to_owned());
        let mut folders = vec![path.parent().map(Path::to_owned), real_folder(path)];
        if path.is_dir() {
            folders.push(Some(path.to_owned()));
        }
        self.read.extend(folders.into_iter().flatten().filter(|folder| !is_common(folder)));
    }

    fn writes(&mut self, config: &Config) {
        let file = &config.audit.file;
        self.written.insert(file.clone());
        let folder = file.parent().unwrap_or(Path::new("/"));
        self.write.insert(folder.to_owned());
        self.write.extend(real_folder(file));
        // Where large parts of a post wait, encrypted, in files without a name.
        self.write.insert(std::env::temp_dir());
    }

    fn ports(&mut self, config: &Config) {
        self.bind.extend(config.listeners.iter().map(|listener| listener.address.port()));
        self.bind.extend(config.admin.iter().map(|admin| admin.address.port()));
        self.connect.extend(
            config
                .routes
                .iter()
                .map(|route| route.upstream.as_ref().map_or(HTTPS, |upstream| upstream.port)),
        );
        self.connect.insert(DNS);
        self.connect.extend(config.upstream.resolver.iter().map(std::net::SocketAddr::port));
    }
}

/// The certificates and keys of a configuration.
fn certificates(config: &Config) -> impl Iterator<Item = &Path> {
    let of_listeners = config.listeners.iter().filter_map(|listener| listener.tls.as_ref());
    let pairs = of_listeners.flat_map(|tls| match tls {
        TlsIdentity::Ca { ca, ca_key } => [ca, ca_key],
        TlsIdentity::Certificate { certificate, key } => [certificate, key],
    });
    let upstream = &config.upstream;
    pairs.chain(&upstream.extra_roots).chain(&upstream.crls).map(PathBuf::as_path)
}

/// The folder that a file stands in once links are followed.
fn real_folder(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    real.parent().filter(|folder| !is_common(folder)).map(Path::to_owned)
}

/// Whether a folder belongs to the whole system.
fn is_common(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || COMMON.iter().any(|common| Path::new(common) == folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Grants;
    use crate::config::{Loaded, load};

    /// A configuration in a folder of its own, with its certificate elsewhere.
    fn loaded(dir: &Path, more: &str) -> Loaded {
        for folder in ["config", "audit", "live/edge", "archive/edge"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        // As certificate tools keep them: a link to the newest.
        for name in ["chain.pem", "key.pem"] {
            fs::write(dir.join("archive/edge").join(name), "").unwrap();
            let link = dir.join("live/edge").join(name);
            let _ = std::os::unix::fs::symlink(dir.join("archive/edge").join(name), link);
        }
        let file = dir.join("config/postward.toml");
        let text = format!(
            "[[listener]]\naddress = \"127.0.0.1:8443\"\ntls = {{ certificate = \"../live/edge/chain.pem\", key = \"../live/edge/key.pem\" }}\n\
             [audit]\nfile = \"../audit/audit.jsonl\"\n[admin]\naddress = \"127.0.0.1:9464\"\n{more}"
        );
        fs::write(&file, text).unwrap();
        load(Some(&file)).unwrap()
    }

    const PUBLIC: &str = "[[route]]\nhosts = [\"a.example\"]\nplatform = \"mastodon\"\n";

    #[test]
    fn a_configuration_grants_what_it_names_and_where_links_lead() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let grants = Grants::of(&loaded(&root, PUBLIC));
        for folder in ["config", "live/edge", "archive/edge"] {
            let reads = |path: &Path| {
                path == root.join(folder) || path == root.join("config/..").join(folder)
            };
            assert!(grants.read.iter().any(|path| reads(path)), "{folder}: {:?}", grants.read);
        }
        assert!(grants.write.contains(&root.join("config/../audit")), "{:?}", grants.write);
        assert!(!grants.read.contains(&root) && !grants.read.contains(Path::new("/etc")));
        assert!(!grants.read.contains(Path::new("/usr/lib")), "no name is left to the C library");
        assert_eq!(grants.bind, [8443, 9464].into());
        assert_eq!(grants.connect, [53, 443].into());
    }

    #[test]
    fn another_configuration_lacks_what_lies_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        // The folder for temporary files is granted, so this one is not there.
        let elsewhere = Path::new("/nonexistent");
        let root = dir.path().canonicalize().unwrap();
        let before = Grants::of(&loaded(&root, PUBLIC));
        fs::write(root.join("config/policy.toml"), crate::policy::Policy::embedded()).unwrap();
        let mut other = loaded(&root, &format!("{PUBLIC}upstream = \"http://127.0.0.1:3100\"\n"));
        assert_eq!(before.lacks(&Grants::of(&other)), ["port 3100 may not be dialled"]);
        other.config.upstream.extra_roots = Some(elsewhere.join("roots.pem"));
        other.config.audit.file = elsewhere.join("audit.jsonl");
        other.seen.note(&root.join("config/policy.toml"));
        let lacks = before.lacks(&Grants::of(&other));
        assert!(lacks.iter().any(|lack| lack.ends_with("roots.pem may not be read")), "{lacks:?}");
        assert!(lacks.iter().any(|lack| lack.ends_with("may not be written to")), "{lacks:?}");
        assert_eq!(lacks.len(), 3, "{lacks:?}");
        assert_eq!(before.lacks(&before), [] as [&str; 0]);
    }
}
