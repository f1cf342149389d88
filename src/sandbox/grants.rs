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
        for file in loaded.files.iter().map(PathBuf::as_path).chain(certificates(config)) {
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
    pairs.chain(&config.upstream.extra_roots).map(PathBuf::as_path)
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
