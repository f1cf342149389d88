//! What a configuration needs of the machine: the files, folders and ports that it names, and what looks up names and
//! authorities. Nothing else can be opened once the sandbox is on.
//!
//! Landlock grants inodes, and editors and certificate tools put a new file in the old one's place. So a named file is
//! granted with the folder that it stands in, and with every folder that a link on the way to it stands in, but for folders
//! that belong to the whole system. All are granted and compared as they are called without links: a link may lead elsewhere
//! by the time of a reload, and a file may be there that was not.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::config::{Config, Loaded, Way, is_common, spool_folder};

/// Where platforms listen.
const HTTPS: u16 = 443;

/// Where DNS servers listen.
const DNS: u16 = 53;

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
    /// Folders in which sockets may be made.
    pub sockets: BTreeSet<PathBuf>,
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
        let names = Way::to(Path::new("/etc/resolv.conf")).real;
        grants.read.extend(names.parent().filter(|folder| !is_common(folder)).map(Path::to_owned));
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            let value = std::env::var_os(variable).unwrap_or_default();
            for path in std::env::split_paths(&value).filter(|path| path.is_absolute()) {
                grants.name(&path);
            }
        }
        let looks_up = config.upstream.resolver.is_empty()
            && config.routes.iter().any(|route| route.upstream.is_none());
        let is_name = config
            .routes
            .iter()
            .filter_map(|route| route.upstream.as_ref())
            .chain(config.traces.as_ref().map(|traces| &traces.endpoint))
            .map(|upstream| upstream.host.clone())
            .chain(config.audit.sinks.iter().flat_map(|sink| sink.kind.hosts()))
            .any(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().is_err());
        if looks_up || is_name {
            grants.read.extend(MODULES.iter().map(PathBuf::from));
            // What tells the C library of servers and names is replaced by renaming, right in the system's own folder. Root, whose
            // secrets lie there, gets no more than the files that there are: then a restart is needed (docs/edge.md).
            if !geteuid().is_root() {
                grants.read.insert("/etc".into());
            }
        }
        grants.writes(config);
        grants.ports(config);
        grants
    }

    /// What following a roster needs: the folder of the roster, where three files are written beside it, and its port.
    pub fn of_follower(roster: &Path, port: u16) -> Self {
        let mut grants = Self::default();
        grants.read.extend(MACHINE.iter().map(PathBuf::from));
        let folder = roster.parent().filter(|folder| !folder.as_os_str().is_empty());
        grants.write.insert(Way::to(folder.unwrap_or(Path::new("."))).real);
        grants.write.extend(Way::to(roster).real.parent().map(Path::to_owned));
        grants.bind.insert(port);
        grants
    }

    /// What another configuration needs beyond this one: each a sentence that names it, for an operator. `is_withheld` is
    /// what the kernel says of a file, where it says anything.
    pub fn lacks(&self, other: &Self, is_withheld: impl Fn(&Path) -> Option<bool>) -> Vec<String> {
        let mut lacks = Vec::new();
        let covers = |folders: &BTreeSet<PathBuf>, real: &Path| {
            folders.iter().any(|folder| real.starts_with(folder))
        };
        for path in &other.named {
            let is_lacking = is_withheld(path).unwrap_or_else(|| {
                let Way { real, .. } = Way::to(path);
                !covers(&self.read, &real) && !covers(&self.write, &real)
            });
            if is_lacking {
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

    /// Grants a file or folder that the configuration names, and where another can come to stand in its place.
    fn name(&mut self, path: &Path) {
        self.named.insert(path.to_owned());
        let way = Way::to(path);
        self.read.extend(way.folders().filter(|folder| !is_common(folder)).map(Path::to_owned));
        self.read.insert(way.real);
    }

    fn writes(&mut self, config: &Config) {
        let file = &config.audit.file;
        self.written.insert(file.clone());
        // By the folders: at the first start there is no file yet.
        self.write.insert(Way::to(file.parent().unwrap_or(Path::new("/"))).real);
        self.write.extend(Way::to(file).real.parent().map(Path::to_owned));
        if config.handover {
            // Where the next process asks for this one's sockets: the folder of the name, whatever it is a link to.
            self.sockets.insert(Way::to(file.parent().unwrap_or(Path::new("/"))).real);
        }
        for file in config.audit.sinks.iter().flat_map(|sink| sink.kind.written()) {
            self.written.insert(file.to_owned());
            self.write.insert(Way::to(file.parent().unwrap_or(Path::new("/"))).real);
            self.write.extend(Way::to(file).real.parent().map(Path::to_owned));
        }
        // Where large parts of a post wait, encrypted, in files without a name.
        self.write.insert(Way::to(&spool_folder()).real);
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
        self.connect.extend(config.traces.iter().map(|traces| traces.endpoint.port));
        self.connect.insert(DNS);
        self.connect.extend(config.audit.sinks.iter().flat_map(|sink| sink.kind.ports()));
        self.connect.extend(config.upstream.resolver.iter().map(std::net::SocketAddr::port));
    }
}

/// The certificates and keys of a configuration.
fn certificates(config: &Config) -> impl Iterator<Item = &Path> {
    config.files()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Grants;
    use crate::config::{Loaded, Way, load};

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
        assert!(grants.write.contains(&root.join("audit")), "{:?}", grants.write);
        assert!(!grants.read.contains(&root));
        let has = |grants: &Grants, path: &str| grants.read.contains(Path::new(path));
        // The names of platforms are left to the C library, whose files are replaced by renaming.
        assert!(has(&grants, "/usr/lib"));
        assert_eq!(has(&grants, "/etc"), !rustix::process::geteuid().is_root());
        let asks = format!("{PUBLIC}[upstream]\nresolver = [\"192.0.2.53\"]\n");
        let own = Grants::of(&loaded(&root, &asks));
        assert!(!has(&own, "/usr/lib") && !has(&own, "/etc"), "no name is left to the C library");
        assert_eq!(grants.bind, [8443, 9464].into());
        assert_eq!(grants.connect, [53, 443].into());
    }

    #[test]
    fn an_audit_that_is_made_after_the_start_lacks_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut named = loaded(&root, PUBLIC);
        std::os::unix::fs::symlink("audit", root.join("linked")).unwrap();
        std::os::unix::fs::symlink("../audit/other.jsonl", root.join("live/a.jsonl")).unwrap();
        for file in ["audit/../audit/audit.jsonl", "linked/audit.jsonl", "live/a.jsonl"] {
            named.config.audit.file = root.join(file);
            // As where the folder for temporary files is elsewhere.
            let before = without_spool(Grants::of(&named));
            assert!(before.write.contains(&root.join("audit")), "{:?}", before.write);
            fs::write(root.join(file), "").unwrap();
            let after = without_spool(Grants::of(&named));
            assert_eq!(before.lacks(&after, |_| None), [] as [&str; 0], "{file}");
            fs::remove_file(root.join("audit").join(if file.starts_with("live") {
                "other.jsonl"
            } else {
                "audit.jsonl"
            }))
            .unwrap();
        }
    }

    fn without_spool(mut grants: Grants) -> Grants {
        grants.write.remove(&Way::to(&crate::config::spool_folder()).real);
        grants
    }

    #[test]
    fn every_folder_in_which_a_link_can_be_swapped_is_granted() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut named = loaded(&root, PUBLIC);
        for folder in ["store/..v1", "x/gen1"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (target, link) in [
            ("../store/tls.pem", "config/tls.pem"),
            ("..data/tls.pem", "store/tls.pem"),
            ("..v1", "store/..data"),
            ("gen1", "x/current"),
        ] {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        named.config.upstream.crls =
            vec![root.join("config/tls.pem"), root.join("x/current/tls.pem")];
        let before = without_spool(Grants::of(&named));
        for folder in ["config", "store", "store/..v1", "x", "x/gen1"] {
            assert!(before.read.contains(&root.join(folder)), "{folder}: {:?}", before.read);
        }
        assert!(!before.read.contains(&root));
        // Swapped for one beside it, and for one elsewhere.
        for (target, lacking) in [("gen2", 0), ("../archive", 1)] {
            fs::remove_file(root.join("x/current")).unwrap();
            std::os::unix::fs::symlink(target, root.join("x/current")).unwrap();
            let after = without_spool(Grants::of(&named));
            assert_eq!(before.lacks(&after, |_| None).len(), lacking, "{target}");
        }
        // What the kernel says counts more than names.
        assert_eq!(before.lacks(&before, |_| Some(true)).len(), before.named.len());
        assert_eq!(
            Grants::default()
                .lacks(&Grants { named: before.named.clone(), ..Grants::default() }, |_| Some(
                    false
                )),
            [] as [&str; 0]
        );
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
        let ask = |_: &Path| None;
        assert_eq!(before.lacks(&Grants::of(&other), ask), ["port 3100 may not be dialled"]);
        other.config.upstream.extra_roots = Some(elsewhere.join("roots.pem"));
        other.config.audit.file = elsewhere.join("audit.jsonl");
        other.seen.note(&root.join("config/policy.toml"));
        let lacks = before.lacks(&Grants::of(&other), ask);
        assert!(lacks.iter().any(|lack| lack.ends_with("roots.pem may not be read")), "{lacks:?}");
        assert!(lacks.iter().any(|lack| lack.ends_with("may not be written to")), "{lacks:?}");
        assert_eq!(lacks.len(), 3, "{lacks:?}");
        assert_eq!(before.lacks(&before, ask), [] as [&str; 0]);
    }
}
