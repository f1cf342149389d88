//! What the process can no longer do once it serves, what it still does, and kernels that can do less.
//!
//! The sandboxed process is this very test binary, started again with [`PLAY`] set: from within, it tries what an intruder
//! would. A kernel without Landlock or seccomp is played by a filter of system calls that the real program inherits.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use postward::app::{self, Options};
use postward::{config, sandbox};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, Upstream};

/// Who is played: `within`, or system calls that the kernel does not have.
const PLAY: &str = "POSTWARD_TEST_PLAY";

/// The folder of one test: settings, audit, spool, and what is outside.
struct House {
    dir: TempDir,
}

impl House {
    /// With a post's way to `upstream`, what stands at the file's top, and beside it two that would take over from it.
    fn new(top: &str, upstream: SocketAddr, dns: SocketAddr) -> Self {
        let house = Self { dir: TempDir::new().unwrap() };
        for folder in ["config", "audit", "spool", "outside"] {
            fs::create_dir(house.path(folder)).unwrap();
        }
        fs::write(house.path("outside/secret"), "nobody's business").unwrap();
        let text = format!(
            "{top}\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
             [[route]]\nhosts = [\"mastodon.example\"]\nplatform = \"mastodon\"\nupstream = \"http://localhost:{}\"\n\
             [[route]]\nhosts = [\"public.example\"]\nplatform = \"mastodon\"\n\
             [upstream]\nresolver = [\"{dns}\"]\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [audit]\nfile = \"../audit/audit.jsonl\"\n[timeouts]\ndrain = \"10 s\"\n",
            upstream.port()
        );
        fs::write(house.path("config/postward.toml"), &text).unwrap();
        let policy = include_str!("../../config/policy.toml");
        fs::write(house.path("outside/policy.toml"), policy).unwrap();
        let other = format!("policy = \"../outside/policy.toml\"\n{text}");
        fs::write(house.path("config/other-policy.toml"), other).unwrap();
        let other = text.replace(&format!("localhost:{}", upstream.port()), "localhost:3100");
        fs::write(house.path("config/other-upstream.toml"), other).unwrap();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The real program, serving.
    fn serve(&self, program: &mut Command) -> Serving {
        let mut child = program
            .args(["serve", "--log-format", "json", "--config"])
            .arg(self.path("config/postward.toml"))
            .env("TMPDIR", self.path("spool"))
            .env_remove("POSTWARD_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Serving { child, stderr, said: String::new() }
    }

    /// The real program on a kernel that answers these calls as if it had never heard of them.
    fn serve_on_an_old_kernel(&self, lacks: &str) -> Serving {
        let mut me = Command::new(std::env::current_exe().unwrap());
        me.env(PLAY, lacks);
        me.env("POSTWARD_TEST_CONFIG", self.path("config/postward.toml"));
        me.args(["sandbox::play", "--exact", "--nocapture", "--test-threads=1"]);
        let mut child = me
            .env("TMPDIR", self.path("spool"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Serving { child, stderr, said: String::new() }
    }
}

/// The program, and what it says.
struct Serving {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Serving {
    /// The log line with this message.
    fn line(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "it ended: {}", self.said);
            self.said.push_str(&line);
            if let Ok(line) = serde_json::from_str::<Value>(&line)
                && line.get("message").is_some_and(|said| said == message)
            {
                return line;
            }
        }
    }

    /// Where staff's programs reach it.
    fn address(&mut self) -> SocketAddr {
        let ready = self.line("ready");
        let listening = ready.get("listening").unwrap().as_str().unwrap();
        listening.trim_matches(['[', ']']).parse().unwrap()
    }

    /// Asks it to stop. Gives its exit code, and the rest of what it said.
    fn stop(mut self) -> (Option<i32>, String) {
        kill_process(pid(&self.child), Signal::TERM).unwrap();
        self.ended()
    }

    fn ended(&mut self) -> (Option<i32>, String) {
        self.stderr.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap()).unwrap()
}

/// A DNS server that sends every name to this machine, and says which names it was asked for.
fn dns() -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let (asked, names) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut packet = [0_u8; 512];
        while let Ok((length, client)) = socket.recv_from(&mut packet) {
            let query = packet.get(..length).unwrap();
            let name = name_of(query);
            // The header, the question as it came, and, for an A record, one answer: 127.0.0.1.
            let end = 12 + name.len() + 2 + 4;
            let is_a = query.get(end - 4..end - 2) == Some(&[0, 1]);
            let mut answer = query.get(..2).unwrap().to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend(query.get(12..end).unwrap());
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, client);
            let _ = asked.send(name);
        }
    });
    (address, names)
}

/// The name in a query's question.
fn name_of(query: &[u8]) -> String {
    let mut name = String::new();
    let mut at = 12;
    while let Some(&length) = query.get(at).filter(|length| **length > 0) {
        let label = query.get(at + 1..at + 1 + usize::from(length)).unwrap();
        let _ = write!(name, "{}.", std::str::from_utf8(label).unwrap());
        at += 1 + usize::from(length);
    }
    name.trim_end_matches('.').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandboxed_proxy_posts_looks_up_names_audits_and_drains() {
    let upstream = Upstream::start().await;
    let (dns, names) = dns();
    let house = House::new("", upstream.address, dns);
    let mut serving = house.serve(&mut Command::new(env!("CARGO_BIN_EXE_postward")));
    let address = serving.address();

    let mut client = Client::plain(address).await;
    let reply = client.toot("mastodon.example", "The cafeteria has soup today").await;
    assert_eq!((reply.status.as_u16(), upstream.received().len()), (200, 1));
    let reply =
        client.toot("mastodon.example", "Jane Example, SSN 987-65-4321, is in room 4").await;
    assert!(reply.status.is_client_error(), "{}", reply.status);
    // The name is asked for and answered; what it leads to is ourselves, and that is refused.
    let reply = client.toot("public.example", "The cafeteria has soup today").await;
    assert!(reply.status.is_server_error(), "{}", reply.status);
    assert!(names.try_iter().any(|name| name == "public.example"));
    let line = serving.line("no answer from the platform");
    assert_eq!(line.get("reason").unwrap(), "loop");

    let status = fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    let value = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(value("NoNewPrivs:"), "1");
    assert_eq!(value("CapEff:").trim_start_matches('0'), "", "no capability is left");
    assert_eq!(value("Umask:"), "0077");

    let (code, said) = serving.stop();
    assert_eq!(code, Some(0), "{said}");
    let audit = house.path("audit/audit.jsonl");
    let report = postward::audit::verify(&[&audit]).unwrap();
    assert_eq!(report.broken, None);
    let lines = fs::read_to_string(&audit).unwrap();
    assert!(lines.lines().count() >= 4, "{lines}");
}

/// What is tried from within, and whether it may be done where the kernel can forbid it.
const TRIED: [(&str, bool); 17] = [
    ("read the configuration", true),
    ("make, rename and remove a file beside the audit", true),
    ("use a spool file", true),
    ("start a thread", true),
    ("dial the platform's port", true),
    ("read a file outside", false),
    ("read the list of users", false),
    ("list a folder outside", false),
    ("write a file outside", false),
    ("write beside the configuration", false),
    ("make a folder beside the audit", false),
    ("make a link beside the audit", false),
    ("dial another port", false),
    ("listen on another port", false),
    ("look for another process", false),
    ("open a raw socket", false),
    ("run a program", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn from_within_nothing_else_can_be_read_written_dialled_or_run() {
    let upstream = Upstream::start().await;
    let (dns, _names) = dns();
    let house = House::new("require-sandbox = true", upstream.address, dns);
    let (other, free) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["sandbox::play", "--exact", "--nocapture", "--test-threads=1"])
        .env(PLAY, "within")
        .env("POSTWARD_TEST_DIR", house.dir.path())
        .env(
            "POSTWARD_TEST_PORTS",
            format!("{} {} {}", upstream.address.port(), port(&other), port(&free)),
        )
        .env("TMPDIR", house.path("spool"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(free);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let entered = said(&mut output, "entered");
    if entered == "lacking" {
        eprintln!(
            "skipped: from_within_nothing_else_can_be_read_written_dialled_or_run (this kernel has no Landlock or no seccomp)"
        );
        child.wait().unwrap();
        return;
    }
    let has_ports = entered == "files, calls and ports";
    let refused = said(&mut output, "another policy");
    assert!(
        refused.contains("/outside/policy.toml cannot be read") && refused.contains("restart"),
        "{refused}"
    );
    assert_eq!(said(&mut output, "another upstream"), "port 3100 may not be dialled");
    for (what, may) in TRIED {
        let could = said(&mut output, what);
        if what.contains("another port") && !has_ports {
            eprintln!("skipped: {what} (this kernel's Landlock limits no ports)");
        } else {
            assert_eq!(could == "done", may, "{what}: {could}");
        }
    }
    // A post still passes, with all of that behind it.
    let address = said(&mut output, "listening").parse().unwrap();
    let reply = Client::plain(address).await.toot("mastodon.example", "Soup today").await;
    assert_eq!((reply.status.as_u16(), upstream.received().len()), (200, 1));
    // What runs a program by the system call itself is ended by the kernel.
    child.stdin.take().unwrap().write_all(b"exec\n").unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::SYS.as_raw()));
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

/// What the player says of something: lines of `@ what: answer`.
fn said(output: &mut BufReader<ChildStdout>, what: &str) -> String {
    let mut all = String::new();
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "it ended before «{what}»: {all}");
        if let Some(answer) =
            line.trim().strip_prefix("@ ").and_then(|line| line.strip_prefix(what))
        {
            return answer.trim_start_matches(": ").to_owned();
        }
        all.push_str(&line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_kernel_can_do_less_it_serves_and_says_so() {
    let upstream = Upstream::start().await;
    let (dns, _names) = dns();
    for (lacks, what) in [("landlock", "files"), ("landlock seccomp", "files, system calls")] {
        let house = House::new("", upstream.address, dns);
        let mut serving = house.serve_on_an_old_kernel(lacks);
        let line = serving.line("sandboxed as far as this kernel can");
        assert!(line.get("lacking").unwrap().as_str().unwrap().starts_with(what), "{line}");
        let address = serving.address();
        let reply = Client::plain(address).await.toot("mastodon.example", "Soup today").await;
        assert_eq!(reply.status, 200, "{lacks}");
        assert_eq!(serving.stop().0, Some(0), "{lacks}");
    }
}

#[test]
fn where_it_is_required_and_cannot_be_had_it_does_not_start() {
    let nowhere = "127.0.0.1:9".parse().unwrap();
    for (lacks, what, help) in [
        ("landlock", "cannot limit files", "Linux 5.13"),
        ("seccomp", "cannot limit system calls", "CONFIG_SECCOMP_FILTER"),
    ] {
        let house = House::new("require-sandbox = true", nowhere, nowhere);
        let (code, said) = house.serve_on_an_old_kernel(lacks).ended();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(what) && said.contains("help:") && said.contains(help), "{said}");
        assert!(!house.path("audit/audit.jsonl").exists(), "nothing was opened");
    }
}

#[test]
fn turned_off_it_says_so() {
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let house = House::new("sandbox = false", nowhere, nowhere);
    let mut serving = house.serve(&mut Command::new(env!("CARGO_BIN_EXE_postward")));
    serving.line("the sandbox is turned off (`sandbox = false`)");
    serving.address();
    assert_eq!(serving.stop().0, Some(0));
}

/// Plays what [`PLAY`] says; does nothing in the test run itself.
#[test]
fn play() {
    match std::env::var(PLAY).as_deref() {
        Err(_) => {}
        Ok("within") => play_within(),
        Ok(lacks) => play_an_old_kernel(lacks),
    }
}

/// Becomes the real program, with a kernel that lacks system calls.
fn play_an_old_kernel(lacks: &str) {
    let calls = lacks.split(' ').flat_map(|what| match what {
        "landlock" => vec![libc::SYS_landlock_create_ruleset, libc::SYS_landlock_restrict_self],
        "seccomp" => vec![libc::SYS_seccomp],
        other => panic!("{other} cannot be played"),
    });
    let filter = SeccompFilter::new(
        calls.map(|call| (call, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS.cast_unsigned()),
        TargetArch::try_from(std::env::consts::ARCH).unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_postward"));
    program.args(["serve", "--log-format", "json", "--config"]);
    program.arg(std::env::var_os("POSTWARD_TEST_CONFIG").unwrap());
    panic!("{}", program.exec());
}

/// Puts the sandbox on, tries everything, and serves.
fn play_within() {
    let dir = PathBuf::from(std::env::var_os("POSTWARD_TEST_DIR").unwrap());
    let ports = std::env::var("POSTWARD_TEST_PORTS").unwrap();
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().unwrap()).collect();
    let loaded = config::load(Some(&dir.join("config/postward.toml"))).unwrap();
    let Ok(entered) = sandbox::enter(&loaded) else { return println!("\n@ entered: lacking") };
    println!("\n@ entered: files, calls{}", if entered.ports { " and ports" } else { "" });
    // What a reload would meet.
    let faults = config::load(Some(&dir.join("config/other-policy.toml"))).unwrap_err();
    println!("\n@ another policy: {}", faults.first().unwrap().message);
    let other = config::load(Some(&dir.join("config/other-upstream.toml"))).unwrap();
    println!("\n@ another upstream: {}", sandbox::lacks(&other).join(", "));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = app::start(loaded, Options::default()).await.unwrap();
        // A thread of the runtime, as one that parses a post: it inherited everything.
        let tried = tokio::spawn(async move { attempts(&dir, &ports) }).await.unwrap();
        for ((what, _), could) in TRIED.iter().zip(tried) {
            let could = could.map_or_else(|error| error.to_string(), |()| "done".to_owned());
            println!("\n@ {what}: {could}");
        }
        println!("\n@ listening: {}", running.addresses().first().unwrap());
        let mut word = String::new();
        std::io::stdin().read_line(&mut word).unwrap();
        let error = Command::new("/bin/true").exec();
        println!("\n@ exec: {error}");
    });
}

/// Everything in [`TRIED`], in its order.
fn attempts(dir: &Path, ports: &[u16]) -> Vec<std::io::Result<()>> {
    let [platform, other, free] = *ports else { panic!("three ports") };
    let parent = rustix::process::getppid().unwrap();
    let dial = |port: u16| TcpStream::connect(("127.0.0.1", port)).map(drop);
    let netlink = socket2::Domain::from(libc::AF_NETLINK);
    vec![
        fs::read(dir.join("config/postward.toml")).map(drop),
        File::create_new(dir.join("audit/one"))
            .and_then(|_| fs::rename(dir.join("audit/one"), dir.join("audit/two")))
            .and_then(|()| fs::remove_file(dir.join("audit/two"))),
        tempfile::tempfile().and_then(|mut file| file.write_all(b"sealed")),
        std::thread::Builder::new().spawn(|| ()).map(|thread| thread.join().unwrap()),
        dial(platform),
        fs::read(dir.join("outside/secret")).map(drop),
        fs::read("/etc/passwd").map(drop),
        fs::read_dir(dir.join("outside")).map(drop),
        fs::write(dir.join("outside/secret"), "ours now"),
        fs::write(dir.join("config/rules.toml"), "ours now"),
        fs::create_dir(dir.join("audit/folder")),
        std::os::unix::fs::symlink("/etc/passwd", dir.join("audit/link")),
        dial(other),
        TcpListener::bind(("127.0.0.1", free)).map(drop),
        test_kill_process(parent).map_err(Into::into),
        socket2::Socket::new(netlink, socket2::Type::from(libc::SOCK_RAW), None).map(drop),
        Command::new("/bin/true").spawn().map(drop),
    ]
}
