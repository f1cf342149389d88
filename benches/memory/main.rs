//! How much memory Postward takes: for each connection of clients that do nothing, little, or too much, and for the length of a
//! body while it is read. What `src/proxy/memory.rs` charges a post is from here.
//!
//! `cargo bench --bench memory [-- connections|bodies] [--connections N] [--mib N] [--postward PATH]` prints two Markdown tables.
//! Every row starts the real program anew, with the shipped rules, and asks the kernel for its resident memory: before, and
//! with all connections open (`connections`), or the peak while one body is read (`bodies`). N connections take N open files
//! here and there; twice as many are asked for.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark reports on the terminal and ends at the first fault"
)]

mod bodies;
#[expect(dead_code, reason = "the other benchmark needs more of it")]
#[path = "../proxy/certificate.rs"]
mod certificate;
mod clients;
mod platform;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// What the command line says.
struct Arguments {
    what: Option<String>,
    connections: usize,
    mib: usize,
    postward: PathBuf,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    if std::env::var_os("POSTWARD_BENCH_LIMITS").is_none() {
        return raise_limits(&arguments);
    }
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let arguments = Arguments {
        what: arguments.first().filter(|first| !first.starts_with("--")).cloned(),
        connections: after("--connections").map_or(5000, |n| n.parse().unwrap()),
        mib: after("--mib").map_or(4, |n| n.parse().unwrap()),
        postward: after("--postward").unwrap_or(env!("CARGO_BIN_EXE_postward").to_owned()).into(),
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure(&arguments));
}

/// Thousands of connections need more open files than a shell grants by default; the shell can be asked for more.
fn raise_limits(arguments: &[String]) {
    let status = Command::new("sh")
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env("POSTWARD_BENCH_LIMITS", "raised")
        .status()
        .unwrap();
    assert!(status.success(), "the benchmark ended with {status}");
}

async fn measure(arguments: &Arguments) {
    let folder = tempfile::tempdir().unwrap();
    certificate::write(folder.path());
    let platform = platform::start().await;
    if arguments.what.as_deref() != Some("bodies") {
        println!(
            "| connections | open | requests | before | with them | each |\n| --- | --- | --- | --- | --- | --- |"
        );
        for kind in clients::KINDS {
            let running = Running::start(arguments, folder.path(), platform).await;
            clients::measure(kind, &running, arguments.connections).await;
        }
    }
    if arguments.what.as_deref() != Some("connections") {
        println!(
            "\n| body | MiB | answer | peak, MiB over before | times its length | seconds |\n| --- | --- | --- | --- | --- | --- |"
        );
        for body in bodies::all(arguments.mib << 20) {
            let running = Running::start(arguments, folder.path(), platform).await;
            bodies::measure(&body, &running).await;
        }
    }
}

/// The program under measurement.
struct Running {
    process: Child,
    plain: SocketAddr,
    tls: SocketAddr,
    folder: PathBuf,
}

impl Running {
    async fn start(arguments: &Arguments, folder: &Path, platform: SocketAddr) -> Self {
        let own = tempfile::tempdir_in(folder).unwrap().keep();
        let (plain, tls) = (free_address(), free_address());
        let shown = folder.display();
        let config = format!(
            "[[listener]]\naddress = \"{plain}\"\n[[listener]]\naddress = \"{tls}\"\n\
             tls = {{ certificate = \"{shown}/edge.pem\", key = \"{shown}/edge.key\" }}\n\
             [[route]]\nhosts = [\"{}\"]\nplatform = \"mastodon\"\nupstream = \"http://{platform}\"\n\
             [audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n\
             [limits]\nmax-connections-per-address = 100000\nmax-connections = 100000\n\
             [timeouts]\nfirst-byte = \"1 h\"\nhead = \"1 h\"\nbody = \"1 h\"\nidle = \"1 h\"\nping = \"1 h\"\nrefused = \"1 h\"\n",
            certificate::HOST,
        );
        fs::write(own.join("postward.toml"), config).unwrap();
        let mut command = Command::new(&arguments.postward);
        command.arg("serve").arg("--config").arg(own.join("postward.toml"));
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..1200 {
            assert!(process.try_wait().unwrap().is_none(), "postward ended at once: {command:?}");
            if TcpStream::connect(plain).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let running = Self { process, plain, tls, folder: folder.to_owned() };
        // What the first post brings in is there before.
        let _ =
            bodies::post(running.plain, "application/json", "", br#"{"status":"all calm"}"#).await;
        running
    }

    fn memory_mib(&self) -> f64 {
        self.status_mib("VmRSS:")
    }

    /// The highest since [`Self::forget_peak`].
    fn peak_mib(&self) -> f64 {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, key: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
