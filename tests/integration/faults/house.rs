//! The real program as a child, with real limits and a real disk, and what it left in its audit.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use postward::audit;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use super::HARMLESS;
use crate::support::client::raw;
use crate::support::proxy::HOST;
use crate::support::upstream::Received;

/// How long a thing that must happen may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with settings, audit and spool.
pub(super) struct House {
    dir: TempDir,
}

/// The program, serving.
pub(super) struct Serving {
    child: Child,
    said: Arc<Mutex<String>>,
    pub(super) plain: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl House {
    /// With one route to a platform without TLS, and more settings behind it.
    pub(super) fn new(upstream: SocketAddr, more: &str) -> Self {
        let house = Self { dir: TempDir::new().unwrap() };
        fs::create_dir(house.path("spool")).unwrap();
        fs::create_dir(house.path("audit")).unwrap();
        let settings = format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\n[[route]]\nhosts = [\"{HOST}\"]\nplatform = \"mastodon\"\n\
             upstream = \"http://{upstream}\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [audit]\nfile = \"audit/audit.jsonl\"\n{more}"
        );
        house.add("postward.toml", &settings);
        house
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn audit_file(&self) -> PathBuf {
        self.path("audit/audit.jsonl")
    }

    pub(super) fn add(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Puts settings before all tables.
    pub(super) fn put_first(&self, settings: &str) {
        let text = fs::read_to_string(self.path("postward.toml")).unwrap();
        self.add("postward.toml", &format!("{settings}{text}"));
    }

    /// The shipped policy, changed.
    pub(super) fn policy(self, from: &str, to: &str) -> Self {
        let policy = postward::policy::Policy::embedded();
        assert!(policy.contains(from));
        self.add("policy.toml", &policy.replace(from, to));
        self.put_first("policy = \"policy.toml\"\n");
        self
    }

    fn command(&self, limits: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{limits}\nexec \"$@\""), "sh", env!("CARGO_BIN_EXE_postward")])
            .args(["serve", "--log-format", "json", "--config"])
            .arg(self.path("postward.toml"))
            .env("TMPDIR", self.path("spool"))
            .env_remove("POSTWARD_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it is ready. `limits` are words of the shell, such as `ulimit -n 64`.
    pub(super) fn serve(&self, limits: &str) -> Serving {
        let mut child = self.command(limits).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said: Arc<Mutex<String>> = Arc::default();
        let hearing = Arc::clone(&said);
        // Read to its end: a full pipe would hold the program up.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut said = hearing.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        let began = Instant::now();
        let ready = loop {
            if let Some(ready) = find(&said.lock().unwrap(), "ready") {
                break ready;
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", said.lock().unwrap());
            assert!(began.elapsed() < PATIENCE, "it is not ready");
            std::thread::sleep(Duration::from_millis(10));
        };
        let address =
            |key: &str| ready[key].as_str().unwrap().trim_matches(['[', ']']).parse().unwrap();
        Serving { child, said, plain: address("listening"), admin: address("admin") }
    }

    /// Runs it to its end: gives its exit code, and what it said.
    pub(super) fn run(&self) -> (Option<i32>, String) {
        let output = self.command("").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// The whole lines of its audit.
    pub(super) fn events(&self) -> Vec<Value> {
        events(&self.audit_file())
    }

    /// Every link of the chain holds, and there are at least so many decisions to forward.
    pub(super) fn assert_decided(&self, n_sent: usize) {
        assert_eq!(audit::verify(&[&self.audit_file()]).unwrap().broken, None);
        let n_decided = self.events().iter().filter(|event| event["verdict"] == "forward").count();
        assert!(n_decided >= n_sent, "{n_sent} reached the platform, {n_decided} were decided");
    }

    /// Every link of the chain holds, and every post that reached the platform has a decision to forward it, from the
    /// same client.
    pub(super) fn assert_audited(&self, received: &[Received]) {
        let report = audit::verify(&[&self.audit_file()]).unwrap();
        assert_eq!(report.broken, None);
        let events = self.events();
        for request in received {
            let text = String::from_utf8(request.body.to_vec()).unwrap();
            let client = Value::String(address(number(&text)).to_string());
            let is_it = |event: &&Value| event["verdict"] == "forward" && event["client"] == client;
            assert!(
                events.iter().any(|event| is_it(&event)),
                "{client} reached the platform and no line says so"
            );
        }
    }
}

/// The whole lines of an audit file.
pub(super) fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The log line with this message.
fn find(said: &str, message: &str) -> Option<Value> {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.into_iter().find(|line| line["message"] == message)
}

impl Serving {
    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(super) fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().code(), Some(0), "{}", self.said());
    }

    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A page of the operators'.
    pub(super) async fn admin(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        raw(self.admin, request.as_bytes()).await
    }

    /// A counter or gauge.
    pub(super) async fn metric(&self, name: &str) -> f64 {
        let page = self.admin("/metrics").await;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap().parse().unwrap()
    }

    /// Posts a text that nobody minds, from an address of its own: the audit holds no text to know it by.
    pub(super) async fn post(&self, number: usize) -> Option<(u16, String)> {
        post(self.plain, number).await
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that a post comes from.
fn address(number: usize) -> IpAddr {
    let [.., high, low] = u32::try_from(number + 1).unwrap().to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 1, high, low))
}

/// The number in a post's text.
fn number(text: &str) -> usize {
    text.split("number ").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
}

/// Posts, and gives the answer's status and body; `None` if no answer came.
pub(super) async fn post(to: SocketAddr, number: usize) -> Option<(u16, String)> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address(number), 0)).unwrap();
    let mut tcp = socket.connect(to).await.ok()?;
    let body = format!("{{\"status\":\"{HARMLESS}, number {number}\"}}");
    let length = body.len();
    let request = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    tcp.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let _ = tcp.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().unwrap();
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}
