//! Who is compared: how each is set up, as alike as their settings allow, and started.
//!
//! All speak TLS with the same certificate, HTTP/1.1 and HTTP/2 in front, kept-alive HTTP/1.1 to the origin behind, use two
//! threads or workers, and write no access log. Postward alone reads each post, decides on it, and writes its audit.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::certificate::HOST;
use crate::load;
use crate::process::Process;

/// One proxy.
#[derive(Clone, Debug)]
pub(crate) enum Contender {
    Bare,
    Haproxy,
    Nginx,
    /// With the shipped rules and policy; `sync` is the audit's.
    Postward {
        binary: PathBuf,
        sync: &'static str,
    },
}

/// One that runs and has answered.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    pub(crate) ready_after: Duration,
}

impl Contender {
    /// All of them, the yardstick first.
    pub(crate) fn all(postward: &Path) -> Vec<Self> {
        let postward = |sync| Self::Postward { binary: postward.to_owned(), sync };
        vec![Self::Bare, Self::Haproxy, Self::Nginx, postward("group"), postward("none")]
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Bare => "bare hyper pass-through".to_owned(),
            Self::Haproxy => "HAProxy".to_owned(),
            Self::Nginx => "nginx".to_owned(),
            Self::Postward { sync, .. } => format!("Postward, audit sync = \"{sync}\""),
        }
    }

    /// Why it cannot take part, if it cannot.
    pub(crate) fn missing(&self) -> Option<String> {
        let program = match self {
            Self::Bare => return None,
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Postward { binary, .. } => {
                return (!binary.exists()).then(|| format!("no binary at {}", binary.display()));
            }
        };
        version(program)
            .is_none()
            .then(|| format!("{program} is not installed (apt-get install {program})"))
    }

    /// Starts it, and waits until it answers a post.
    pub(crate) async fn start(&self, folder: &Path, origin: SocketAddr) -> Running {
        let (address, admin) = (free_address(), free_address());
        let own = tempfile::tempdir_in(folder).unwrap().keep();
        let mut command = match self {
            Self::Bare => bare(folder, address, origin),
            Self::Haproxy => haproxy(folder, &own, address, origin),
            Self::Nginx => nginx(folder, &own, address, origin),
            Self::Postward { binary, sync } => {
                postward(folder, &own, binary, sync, [address, admin, origin])
            }
        };
        let start = Instant::now();
        let mut process = Process::start(&mut command);
        while !load::is_answered(address, folder).await {
            assert!(process.is_running(), "{} ended at once: {command:?}", self.name());
            assert!(start.elapsed() < Duration::from_secs(60), "{} does not answer", self.name());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Running { name: self.name(), address, process, ready_after: start.elapsed() }
    }
}

/// The first line in which a program tells its version.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("-v").stdin(Stdio::null()).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).ok()?.lines().next().map(str::to_owned)
}

fn bare(folder: &Path, address: SocketAddr, origin: SocketAddr) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("bare").arg(folder).args([address.to_string(), origin.to_string()]);
    command
}

fn haproxy(folder: &Path, own: &Path, address: SocketAddr, origin: SocketAddr) -> Command {
    let certificate = folder.join("both.pem");
    let config = format!(
        "global
    nbthread 2
    maxconn 4000
defaults
    mode http
    timeout connect 10s
    timeout client 75s
    timeout server 120s
    http-reuse always
frontend edge
    bind {address} ssl crt {} alpn h2,http/1.1
    default_backend platform
backend platform
    server origin {origin} maxconn 1000
",
        certificate.display()
    );
    fs::write(own.join("haproxy.cfg"), config).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(own.join("haproxy.cfg"));
    command
}

fn nginx(folder: &Path, own: &Path, address: SocketAddr, origin: SocketAddr) -> Command {
    let config = format!(
        "daemon off;
worker_processes 2;
pid {own}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    client_body_temp_path {own}/body;
    proxy_temp_path {own}/proxy;
    fastcgi_temp_path {own}/fastcgi;
    uwsgi_temp_path {own}/uwsgi;
    scgi_temp_path {own}/scgi;
    keepalive_requests 100000000;
    keepalive_timeout 75s;
    upstream platform {{ server {origin}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen {address} ssl http2;
        ssl_certificate {folder}/edge.pem;
        ssl_certificate_key {folder}/edge.key;
        location / {{
            proxy_pass http://platform;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
        }}
    }}
}}
",
        own = own.display(),
        folder = folder.display(),
    );
    fs::write(own.join("nginx.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(own).arg("-c").arg(own.join("nginx.conf")).args(["-e", "stderr"]);
    command
}

fn postward(
    folder: &Path,
    own: &Path,
    binary: &Path,
    sync: &str,
    [address, admin, origin]: [SocketAddr; 3],
) -> Command {
    let config = format!(
        r#"
[[listener]]
address = "{address}"
tls = {{ certificate = "{folder}/edge.pem", key = "{folder}/edge.key" }}

[[route]]
hosts = ["{HOST}"]
platform = "mastodon"
upstream = "http://{origin}"

[admin]
address = "{admin}"

[audit]
file = "audit.jsonl"
sync = "{sync}"
"#,
        folder = folder.display(),
    );
    fs::write(own.join("postward.toml"), config).unwrap();
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg("--config")
        .arg(own.join("postward.toml"))
        .env("TOKIO_WORKER_THREADS", "2");
    command
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
