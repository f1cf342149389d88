//! Another process takes over from the real program, and systemd hears how it stands. Under load, with restarts and passed
//! sockets: `tests/lifecycle`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program::{Program, write};
use crate::support::{Client, Upstream};

const HOST: &str = "mastodon.example";

/// Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(upstream: SocketAddr, more: &str) -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\n{more}\n[[route]]\nhosts = [\"{HOST}\"]\nplatform = \"mastodon\"\n\
         upstream = \"http://{upstream}\"\n[admin]\naddress = \"127.0.0.1:0\"\n[audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n\
         [reload]\nwatch = false\n[timeouts]\ndrain = \"20 s\"\n"
    )
}

/// A process that is to take over. Dropping it kills it.
struct Successor {
    child: Child,
    log: Receiver<String>,
}

impl Successor {
    fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
            .args(["serve", "--take-over", "--log-format", "json", "--config"])
            .arg(config)
            .env_remove("POSTWARD_LOG")
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
        Self { child, log }
    }

    fn logged(&self, message: &str) -> Value {
        let mut before = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("not {message:?} but {before:#?}"));
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["message"] == message => return event,
                _ => before.push(line),
            }
        }
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_over_and_no_post_is_lost() {
    let upstream = Upstream::start().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("postward.toml");
    write(&file, &config(upstream.address, ""));
    let mut old = Program::start_in(folder);
    let (address, admin) = (old.listening[0], old.admin);
    let (stop, n_posts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|nth| {
            let (stop, n_posts) = (Arc::clone(&stop), Arc::clone(&n_posts));
            tokio::spawn(async move {
                let mut client = Client::plain(address).await;
                while !stop.load(Relaxed) {
                    let number = n_posts.fetch_add(1, Relaxed);
                    let reply =
                        client.toot(HOST, &format!("flu shots in the lobby, {number}")).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    // Half of them connect anew each time, the others when they are told to.
                    if nth % 2 == 0 || reply.header("connection") == Some("close") {
                        client = Client::plain(address).await;
                    }
                }
            })
        })
        .collect();
    let new = Successor::start(&file);
    let ready = new.logged("ready");
    assert_eq!(ready["took_over"], true, "{ready}");
    assert_eq!(ready["listening"], format!("[{address}]"));
    assert_eq!(ready["admin"], admin.to_string());
    old.logged("another process serves: posts under way are finished");
    let n_then = n_posts.load(Relaxed);
    while n_posts.load(Relaxed) < n_then + 20 {
        assert!(!clients.iter().any(tokio::task::JoinHandle::is_finished));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.store(true, Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    old.logged("stopped");
    let folder = old.ended();
    let mut by_number: BTreeMap<String, usize> = BTreeMap::new();
    for received in upstream.received() {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        *by_number.entry(body["status"].to_string()).or_default() += 1;
    }
    assert_eq!(by_number.len(), n_posts.load(Relaxed), "every post arrived");
    assert!(by_number.values().all(|n| *n == 1), "and once: {by_number:?}");
    // The socket by which it is asked is there for the next one, and goes with the last.
    let asked = folder.path().join(".audit.jsonl.handover");
    assert!(asked.exists());
    let mut new = new;
    let pid = rustix::process::Pid::from_raw(i32::try_from(new.child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(new.child.wait().unwrap().success());
    assert!(!asked.exists());
    let audit = folder.path().join("audit.jsonl");
    assert_eq!(postward::audit::verify(&[&audit]).unwrap().broken, None);
    let text = std::fs::read_to_string(&audit).unwrap();
    assert_eq!(text.matches("\"event\":\"decision\"").count(), n_posts.load(Relaxed));
    assert_eq!(text.matches("\"event\":\"outcome\"").count(), n_posts.load(Relaxed));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_other_process_cannot_serve_this_one_goes_on_and_says_why() {
    let upstream = Upstream::start().await;
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("postward.toml"), &config(upstream.address, ""));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!("[[listener]]\naddress = \"{}\"\n", taken.local_addr().unwrap());
    write(&folder.path().join("taken.toml"), &config(upstream.address, &more));
    let mut old = Program::start_in(folder);
    let mut new = Successor::start(&old.file("taken.toml"));
    assert!(!new.child.wait().unwrap().success());
    let said = old.logged("another process was to take over and did not: this one goes on");
    assert!(said["why"].as_str().unwrap().contains("cannot listen on"), "{said}");
    let reply = Client::plain(old.listening[0]).await.toot(HOST, "flu shots in the lobby").await;
    assert_eq!(reply.status, 200);
    // Where nobody serves, it just starts.
    let alone = TempDir::new().unwrap();
    let file = alone.path().join("postward.toml");
    write(&file, &config(upstream.address, ""));
    assert_eq!(Successor::start(&file).logged("ready")["took_over"], false);
    assert_eq!(old.stop().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_how_it_stands() {
    let upstream = Upstream::start().await;
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("postward.toml"), &config(upstream.address, ""));
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hears = |wanted: &str| {
        let mut before = Vec::new();
        loop {
            let mut text = [0; 4096];
            let n =
                socket.recv(&mut text).unwrap_or_else(|_| panic!("not {wanted:?} but {before:?}"));
            let text = String::from_utf8(text[..n].to_vec()).unwrap();
            if text.starts_with(wanted) {
                return text;
            }
            before.push(text);
        }
    };
    let program = Program::start_with(
        folder,
        &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", Path::new("400000"))],
    );
    let said = hears("READY=1\n");
    assert!(said.contains("STATUS=serving on 1 listeners, mode enforce, rules "), "{said}");
    hears("WATCHDOG=1\n");
    hears("WATCHDOG=1\n");
    program.signal(Signal::HUP);
    assert!(hears("RELOADING=1\n").contains("\nMONOTONIC_USEC="));
    hears("READY=1\n");
    program.change("postward.toml", "[reload]", "nonsense = 1\n[reload]");
    program.signal(Signal::HUP);
    hears("RELOADING=1\n");
    let said = hears("READY=1\n");
    assert!(said.contains("nonsense") && said.contains("what ran before goes on"), "{said}");
    program.signal(Signal::TERM);
    hears("STOPPING=1\n");
    program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_idle_is_answered_once_more_and_a_second_signal_ends_that_at_once() {
    let upstream = Upstream::start().await;
    let patient = config(upstream.address, "").replace("drain =", "farewell = \"60 s\"\ndrain =");
    let start = || {
        let folder = TempDir::new().unwrap();
        write(&folder.path().join("postward.toml"), &patient);
        Program::start_in(folder)
    };
    let mut program = start();
    let mut client = Client::plain(program.listening[0]).await;
    assert_eq!(client.toot(HOST, "flu shots in the lobby").await.header("connection"), None);
    program.signal(Signal::TERM);
    program.logged("stopping");
    let reply = client.toot(HOST, "flu shots in the hall").await;
    assert_eq!((reply.status.as_u16(), reply.header("connection")), (200, Some("close")));
    program.logged("stopped");
    program.ended();
    let mut program = start();
    let _idle =
        Client::plain(program.listening[0]).await.toot(HOST, "flu shots in the lobby").await;
    let idle = Client::plain(program.listening[0]).await;
    program.signal(Signal::TERM);
    program.logged("stopping");
    program.signal(Signal::TERM);
    program.logged("stopped");
    program.ended();
    drop(idle);
}
