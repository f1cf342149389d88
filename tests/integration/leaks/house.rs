//! The real program as a child, at its most talkative, and everything that it writes.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;

/// A machine under load is slow; one that hangs is slower.
const PATIENCE: Duration = Duration::from_secs(120);

/// How it is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// `enforce` or `monitor`.
    pub(super) mode: &'static str,
    /// `json` or `human`.
    pub(super) log_format: &'static str,
    /// What the policy says of media.
    pub(super) media: &'static str,
    /// Whether the kernel's view of what is written is kept.
    pub(super) traced: bool,
}

pub(super) const ENFORCE: Style =
    Style { mode: "enforce", log_format: "json", media: "strip-metadata", traced: false };

/// A running Postward.
pub(super) struct House {
    running: Running,
    /// Its own process: the child's child where the child is `strace`.
    pub(super) pid: Pid,
    pub(super) plain: SocketAddr,
    pub(super) tls: SocketAddr,
    pub(super) admin: SocketAddr,
    /// The CA that signs its leaves.
    pub(super) root: CertificateDer<'static>,
    folder: TempDir,
}

/// The child, and the process itself. Neither outlives a test that fails.
struct Running {
    child: Child,
    pid: Pid,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What it left behind.
pub(super) struct Left {
    pub(super) status: ExitStatus,
    folder: TempDir,
}

impl House {
    /// Starts it with these routes, as TOML, in a folder of its own.
    pub(super) fn start(style: Style, routes: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path();
        let made = Command::new(env!("CARGO_BIN_EXE_postward"))
            .args(["init".as_ref(), path.join("files").as_os_str()])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let config = path.join("files/config");
        for folder in ["work", "work/tmp"] {
            fs::create_dir(path.join(folder)).unwrap();
        }
        let policy = fs::read_to_string(config.join("policy.toml")).unwrap();
        let policy =
            policy.replacen("mode = \"enforce\"", &format!("mode = \"{}\"", style.mode), 1);
        assert!(policy.contains(&format!("mode = \"{}\"", style.mode)));
        let strips = "default = \"strip-metadata\"";
        assert!(policy.contains(strips));
        let policy = policy.replace(strips, &format!("default = \"{}\"", style.media));
        fs::write(config.join("policy.toml"), policy).unwrap();
        fs::write(config.join("postward.toml"), format!("{SETTINGS}{routes}")).unwrap();

        let work = path.join("work");
        let mut command = if style.traced {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-xx", "-yy", "-s", "4000000", "-e"]);
            strace.arg("trace=write,writev,pwrite64,pwritev,sendmsg,sendmmsg,sendto");
            strace.arg("-o").arg(path.join("trace")).arg(env!("CARGO_BIN_EXE_postward"));
            strace
        } else {
            // A machine on which core dumps are wanted.
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\""]);
            shell.arg(env!("CARGO_BIN_EXE_postward"));
            shell
        };
        command
            .args(["serve", "--log", "trace", "--log-format", style.log_format, "--config"])
            .arg(config.join("postward.toml"))
            .current_dir(&work)
            .env("TMPDIR", work.join("tmp"))
            .env("HOME", &work)
            .env("RUST_LOG", "trace")
            .env("POSTWARD_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("SSLKEYLOGFILE", work.join("keys"))
            .stdin(Stdio::null())
            .stdout(File::create(work.join("stdout")).unwrap())
            .stderr(File::create(work.join("stderr")).unwrap());
        let child = command.spawn().unwrap();
        let [tls, plain, admin] = ports(&work.join("stderr"));
        let direct = child.id();
        let pid = if style.traced { only_child(direct) } else { direct };
        let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
        Self {
            running: Running { child, pid },
            pid,
            plain,
            tls,
            admin,
            root: CertificateDer::from_pem_file(config.join("ca.pem")).unwrap(),
            folder,
        }
    }

    /// A file of `/proc` about it; `None` where it may not be read.
    pub(super) fn proc(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(format!("/proc/{}/{name}", self.pid.as_raw_nonzero())).ok()
    }

    /// Sends a signal and waits for the end.
    pub(super) fn end(mut self, signal: Signal) -> Left {
        kill_process(self.pid, signal).unwrap();
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.running.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        Left { status, folder: self.folder }
    }
}

impl Left {
    /// Every file that it wrote, by its name: its output, its audit, and whatever else stands in the folders it may
    /// write to.
    pub(super) fn written(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.folder.path().join("work"), self.folder.path(), &mut files);
        files
    }

    /// What stands in its configuration's folder, which it must not write to.
    pub(super) fn configuration(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.folder.path().join("files"), self.folder.path(), &mut files);
        files
    }

    /// The folder it worked in.
    pub(super) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// What the kernel was asked to write, where that was watched.
    pub(super) fn trace(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("trace")).unwrap()
    }
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else if path.is_file() {
            // What is none holds nothing: a socket that a killed process left.
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// The addresses in the line that says it is ready.
fn ports(log: &Path) -> [SocketAddr; 3] {
    let address = Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap();
        let ready = text.lines().find(|line| line.contains("ready") && address.is_match(line));
        if let Some(line) = ready.filter(|_| text.ends_with('\n')) {
            let found: Vec<SocketAddr> =
                address.find_iter(line).map(|found| found.as_str().parse().unwrap()).collect();
            return found.try_into().expect("two listeners and the operators' own");
        }
        assert!(began.elapsed() < PATIENCE, "it does not start: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn only_child(of: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
    children.split_whitespace().next().expect("strace runs something").parse().unwrap()
}

/// Small limits and short clocks: what is over them is soon said.
const SETTINGS: &str = r#"
rules = ["embedded", "rules.d"]
policy = "policy.toml"

[[listener]]
address = "127.0.0.1:0"
tls = { ca = "ca.pem", ca-key = "ca.key" }

[[listener]]
address = "127.0.0.1:0"

[admin]
address = "127.0.0.1:0"

[audit]
file = "../../work/audit.jsonl"

[[audit.sink]]
kind = "sqlite"
file = "../../work/audit.db"

[limits]
max-body = "64 KiB"
max-media = "4 MiB"
max-decoded = "128 KiB"
max-head = "16 KiB"
max-target = "8 KiB"

[timeouts]
handshake = "3 s"
first-byte = "3 s"
head = "3 s"
body = "3 s"
idle = "2 s"
connect = "1 s"
answer = "4 s"
answer-idle = "2 s"
refused = "500 ms"
drain = "3 s"
"#;
