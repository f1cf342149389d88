//! The real program, started with files of the test's own, as an operator starts it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Client;
use crate::support::client::Reply;

/// Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    pub(crate) folder: TempDir,
    /// Of the first start; a reload may add others.
    pub(crate) listening: Vec<SocketAddr>,
    pub(crate) admin: SocketAddr,
    log: Receiver<String>,
}

impl Program {
    /// Starts it with these files; `postward.toml` is one of them.
    pub(crate) fn start(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            write(&folder.path().join(name), text);
        }
        Self::start_in(folder)
    }

    /// Starts it with what is in a folder.
    pub(crate) fn start_in(folder: TempDir) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same, with these variables.
    pub(crate) fn start_with(folder: TempDir, variables: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
            .args(["serve", "--log-format", "json", "--config"])
            .arg(folder.path().join("postward.toml"))
            .env_remove("POSTWARD_LOG")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (tell, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let mut program =
            Self { child, folder, listening: Vec::new(), admin: ([127, 0, 0, 1], 0).into(), log };
        let ready = program.logged("ready");
        program.listening = addresses(&ready["listening"]);
        program.admin = ready["admin"].as_str().unwrap().parse().unwrap();
        program
    }

    /// The next log line with this message.
    pub(crate) fn logged(&mut self, message: &str) -> Value {
        let mut before = Vec::new();
        loop {
            let Ok(line) = self.log.recv_timeout(PATIENCE) else {
                panic!("the log does not say {message:?} but {before:#?}");
            };
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["message"] == message => return event,
                _ => before.push(line),
            }
        }
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file in place of another in one step.
    pub(crate) fn put(&self, name: &str, text: &str) {
        write(&self.file(name), text);
    }

    /// Changes words of a file.
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from), "{name} says {from}");
        self.put(name, &text.replace(from, to));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Asks for a reload, and gives the answer.
    pub(crate) async fn reload(&self) -> Reply {
        let mut operator = Client::plain(self.admin).await;
        let request = operator.request("POST", "localhost", "/reload");
        operator.send(request.body(bytes::Bytes::new().into()).unwrap()).await
    }

    /// A page of the operators' listener.
    pub(crate) async fn page(&self, path: &str) -> String {
        let mut operator = Client::plain(self.admin).await;
        let request = operator.request("GET", "localhost", path);
        let reply = operator.send(request.body(bytes::Bytes::new().into()).unwrap()).await;
        reply.text().to_owned()
    }

    pub(crate) async fn status(&self) -> Value {
        serde_json::from_str(&self.page("/status").await).unwrap()
    }

    /// A metric's value.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let page = self.page("/metrics").await;
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let line = line.unwrap_or_else(|| panic!("there is no {series}"));
        line.parse().unwrap()
    }

    /// What runs, as an address list: listeners come and go.
    pub(crate) fn listening_now(&mut self) -> Vec<SocketAddr> {
        addresses(&self.logged("another configuration is in force")["listening"])
    }

    /// Memory that the system has given it, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Waits for it to end by itself, and gives its folder.
    pub(crate) fn ended(mut self) -> TempDir {
        let exit = self.child.wait().unwrap();
        assert!(exit.success(), "{exit}");
        let elsewhere = TempDir::new().unwrap();
        std::mem::replace(&mut self.folder, elsewhere)
    }

    /// Stops it as systemd does, and gives every event of its audit, whose chain holds.
    pub(crate) fn stop(mut self) -> Vec<Value> {
        self.signal(Signal::TERM);
        let exit = self.child.wait().unwrap();
        assert!(exit.success(), "{exit}");
        let file = self.file("audit.jsonl");
        let report = postward::audit::verify(&[&file]).unwrap();
        assert_eq!(report.broken, None);
        let text = std::fs::read_to_string(&file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file beside its place and moves it there, as editors do.
pub(crate) fn write(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let beside = file.with_extension("swp");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, file).unwrap();
}

fn addresses(listed: &Value) -> Vec<SocketAddr> {
    let listed = listed.as_str().unwrap().trim_matches(['[', ']']);
    // Of IPv6 there is none here.
    listed.split(", ").filter(|one| !one.is_empty()).map(|one| one.parse().unwrap()).collect()
}
