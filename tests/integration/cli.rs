//! The command line as scripts and people meet it: the real binary, its output, its exit codes.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot run its program has failed"
)]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a command did.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn postward<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Ran {
    postward_reading(args, b"")
}

fn postward_reading<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>, input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args(args)
        .env_remove("POSTWARD_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that stops reading early is what some tests are about.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    Ran {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Ran {
    /// Everything that was said, with the paths of this run taken out.
    fn said(&self, dir: &Path) -> String {
        let dir = dir.display().to_string();
        let all = format!("exit {}\n{}{}", self.code, self.stdout, self.stderr);
        all.replace(&dir, "DIR").lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

fn file(dir: &TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("a file in a temporary directory");
    path.display().to_string()
}

#[test]
fn help_names_the_commands_and_the_exits() {
    let help = postward(["--help"]);
    assert_eq!(help.code, 0);
    insta::assert_snapshot!(help.stdout, @r"
    Keeps patients' identifiers out of what hospital staff post.

    Postward is a reverse proxy at the hospital's network edge. It reads each outgoing post, finds what
    identifies a patient (the 18 identifiers of HIPAA Safe Harbor), and forwards, redacts or blocks the
    post by a policy.

    Usage: postward <COMMAND>

    Commands:
      serve  Run the proxy
      demo   Show the proxy at work on this machine; needs nothing
      init   Write a configuration to start from
      check  Check configuration, rules, policy and platforms
      scan   Judge posts from files or standard input, offline
      eval   Measure the engine on posts whose identifiers are marked
      ca     The hospital's own certificate authority
      audit  The audit trail

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    First steps:
      postward demo                                 see it work, on this machine, with nothing set up
      postward init ./postward                      write a configuration to start from
      postward check --config ./postward/config/postward.toml
      postward serve --config ./postward/config/postward.toml

    Exit codes:
       0  fine
       1  failed
       2  wrong usage
       3  bad config, rules or policy
      10  scan --exit-code: something would be logged
      11  scan --exit-code: a post would be redacted
      12  scan --exit-code: a post would be blocked
    ");
}

#[test]
fn every_command_explains_itself_in_80_columns() {
    for command in
        ["serve", "demo", "init", "check", "scan", "eval", "ca", "ca init", "audit", "audit verify"]
    {
        let help = postward(command.split(' ').chain(["--help"]));
        assert_eq!(help.code, 0, "{command}");
        assert!(help.stdout.contains("Usage: postward"), "{command}: {}", help.stdout);
        let wide = help.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{command}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    for line in [
        "",
        "fly",
        "serve",
        "scan --format xml",
        "scan --today yesterday",
        "eval",
        "init",
        "audit verify",
    ] {
        let ran = postward(line.split(' ').filter(|word| !word.is_empty()));
        assert_eq!(ran.code, 2, "{line}");
        assert_eq!(ran.stdout, "", "{line}");
        assert!(ran.stderr.contains("--help"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn init_refuses_a_directory_that_holds_anything() {
    let dir = TempDir::new().expect("a temporary directory");
    file(&dir, "kept.txt", "kept");
    let ran = postward([OsStr::new("init"), dir.path().as_os_str()]);
    insta::assert_snapshot!(ran.said(dir.path()), @r"
    exit 1
    error: DIR is not empty
    help: nothing was written; choose a new directory, or move what is there away
    ");
    let names: Vec<_> = std::fs::read_dir(dir.path())
        .expect("readable")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["kept.txt"]);
}

#[test]
fn ca_init_never_overwrites() {
    let dir = TempDir::new().expect("a temporary directory");
    let out = dir.path().join("ca").display().to_string();
    let first = postward(["ca", "init", "--out", &out, "--host", "api.x.com"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let key = std::fs::read(dir.path().join("ca/ca.key")).expect("a key");
    let second = postward(["ca", "init", "--out", &out]);
    insta::assert_snapshot!(second.said(dir.path()), @r"
    exit 1
    error: DIR/ca/ca.key exists already
    help: devices may trust it already: move both files away first, or choose another --out
    ");
    assert_eq!(std::fs::read(dir.path().join("ca/ca.key")).expect("a key"), key);
}
