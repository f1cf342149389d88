//! No core dump is written, however the process ends, and nobody but root may look into it.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use rustix::process::Signal;

use super::house::{ENFORCE, House};

const NOWHERE: &str = "[[route]]\nhosts = [\"mastodon.example\"]\nplatform = \"mastodon\"\n";

#[test]
fn the_limit_is_nothing_and_proc_is_roots() {
    let house = House::start(ENFORCE, NOWHERE);
    let limits = String::from_utf8(house.proc("limits").unwrap()).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // The kernel gives the files of an undumpable process to root, whoever runs it.
    let folder = format!("/proc/{}", house.pid.as_raw_nonzero());
    for file in ["mem", "environ", "maps"] {
        let owner = std::fs::metadata(format!("{folder}/{file}")).unwrap().uid();
        assert_eq!(owner, 0, "{file}");
    }
    let left = house.end(Signal::TERM);
    assert!(left.status.success());
    let log = String::from_utf8(std::fs::read(left.work().join("stderr")).unwrap()).unwrap();
    assert_eq!(log.matches("core dumps are off").count(), 1, "{log}");
}

#[test]
fn every_command_turns_them_off() {
    // The limit is lowered before anything is read: a command that waits for input shows it.
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" scan"])
        .arg(env!("CARGO_BIN_EXE_postward"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let file = format!("/proc/{}/limits", child.id());
    let began = std::time::Instant::now();
    let is_off = loop {
        let limits = std::fs::read_to_string(&file).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        if line.split_whitespace().nth(4) == Some("0")
            && line.split_whitespace().nth(5) == Some("0")
        {
            break true;
        }
        if began.elapsed().as_secs() > 60 {
            break false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(is_off);
}
