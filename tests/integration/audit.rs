//! The audit against the end of its process at any moment, and against a disk that runs full.
//!
//! The writer runs in a process of its own: this very test binary, started again with [`FILE`] set, so that only the
//! one test that plays the writer does anything.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use postward::audit::{Audit, AuditSettings, Event, Outcome, Sync, What, verify};

/// Where the writer writes; set only in the process that plays it.
const FILE: &str = "POSTWARD_TEST_AUDIT_FILE";

/// How many events it writes at most.
const MOST: usize = 100_000;

/// Plays the writer: prints the id of each event once it is recorded, which is when a post would be forwarded.
#[test]
fn play_the_writer() {
    let Ok(file) = std::env::var(FILE) else { return };
    let settings = AuditSettings { sync: Sync::Group, ..AuditSettings::of(file, "edge-1") };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let audit = Audit::open(settings).unwrap();
        for _ in 0..MOST / 4 {
            let group: Vec<_> = (0..4)
                .map(|_| {
                    let audit = audit.clone();
                    tokio::spawn(async move {
                        let id = Audit::new_id();
                        let word = if audit.record(event(&id)).await.is_ok() {
                            "recorded"
                        } else {
                            "refused"
                        };
                        println!("\n{word} {id}");
                    })
                })
                .collect();
            for task in group {
                task.await.unwrap();
            }
        }
    });
}

fn event(id: &str) -> Event {
    Event {
        id: id.to_owned(),
        client: None,
        group: None,
        identity: None,
        host: "mastodon.example".into(),
        platform: "mastodon".into(),
        method: "POST".into(),
        what: What::Outcome(Outcome::Answered(200)),
    }
}

fn writer(file: &Path, limit: Option<u32>) -> Child {
    let me = std::env::current_exe().unwrap();
    // The shell sets the limit on file sizes; a write over it then fails half-way, as on a full disk.
    let script = limit.map_or("exec \"$@\"".to_owned(), |blocks| {
        format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")
    });
    Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(me)
        .args(["audit::play_the_writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh is there")
}

fn ids(text: &str, word: &str) -> Vec<String> {
    // The last line may be cut off by the end of the process; ids have one length.
    text.lines()
        .filter_map(|line| line.strip_prefix(word))
        .map(|id| id.trim().to_owned())
        .filter(|id| id.len() == 26)
        .collect()
}

#[test]
fn a_kill_at_any_moment_loses_no_recorded_event_and_breaks_no_chain() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let mut recorded = Vec::new();
    for n_lines in [1_usize, 40, 7, 150, 400] {
        let mut child = writer(&file, None);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while ids(&said, "recorded ").len() < n_lines {
            assert!(output.read_line(&mut said).unwrap() > 0, "the writer ended early: {said}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        output.read_to_string(&mut said).unwrap();
        recorded.extend(ids(&said, "recorded "));

        let report = verify(&[&file]).unwrap();
        assert_eq!(report.broken, None);
        let written = std::fs::read_to_string(&file).unwrap();
        for id in &recorded {
            assert!(written.contains(id.as_str()), "{id} was recorded and is not in the file");
        }
        // Half a line more, as a kill in the middle of a write leaves it: the next start closes and notes it.
        let torn: String = beginning_after(&written).chars().take(50 + n_lines % 100).collect();
        std::fs::write(&file, format!("{written}{torn}")).unwrap();
        assert_eq!(verify(&[&file]).unwrap().broken, None);
    }
    let lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains("\"event\":\"torn\"")).count(), 4);
}

/// The beginning of the line that would come next: its number and the hash before it are the chain's own.
fn beginning_after(written: &str) -> String {
    let last: serde_json::Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
    let part = |key: &str| last.get(key).unwrap();
    let seq = part("seq").as_u64().unwrap() + 1;
    let (time, node, prev) = (part("time"), part("node"), part("hash"));
    format!(
        r#"{{"time":{time},"node":{node},"seq":{seq},"prev":{prev},"event":"decision","id":"abcdefghijklm"#
    )
}

#[test]
fn a_disk_that_runs_full_refuses_and_leaves_a_chain_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let mut child = writer(&file, Some(64));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while ids(&said, "refused ").len() < 20 {
        assert!(output.read_line(&mut said).unwrap() > 0, "the writer ended early: {said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let report = verify(&[&file]).unwrap();
    assert_eq!((report.broken, report.torn), (None, vec![]));
    let written = std::fs::read_to_string(&file).unwrap();
    let recorded = ids(&said, "recorded ");
    assert!(!recorded.is_empty() && recorded.iter().all(|id| written.contains(id.as_str())));
    assert!(ids(&said, "refused ").iter().all(|id| !written.contains(id.as_str())));

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let settings = AuditSettings { sync: Sync::Group, ..AuditSettings::of(&file, "edge-1") };
        let audit = Audit::open(settings).unwrap();
        audit.record(event("AFTER")).await.unwrap();
        audit.close().await;
    });
    let report = verify(&[&file]).unwrap();
    assert_eq!((report.broken, report.torn), (None, vec![]));
}

#[test]
fn a_file_in_use_is_refused_until_its_process_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let mut child = writer(&file, None);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while ids(&said, "recorded ").is_empty() {
        assert!(output.read_line(&mut said).unwrap() > 0, "the writer ended early");
    }
    let settings = AuditSettings { sync: Sync::None, ..AuditSettings::of(&file, "edge-2") };
    let error = Audit::open(settings.clone()).unwrap_err();
    assert!(error.to_string().contains("another process writes the audit file"), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(Audit::open(settings).unwrap());
}

#[test]
fn anybody_can_verify_a_line_with_sed_and_sha256sum() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let audit =
            Audit::open(AuditSettings { sync: Sync::None, ..AuditSettings::of(&file, "edge-1") })
                .unwrap();
        for id in ["A", "B", "C"] {
            audit.record(event(id)).await.unwrap();
        }
        audit.close().await;
    });
    // The recipe of docs/policy.md, word for word.
    let docs =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md")).unwrap();
    let recipe = docs
        .split("```sh\n# verify by hand\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("docs/policy.md has the recipe");
    let run = |file: &Path| {
        Command::new("bash").args(["-c", recipe, "recipe"]).arg(file).output().unwrap()
    };
    let output = run(&file);
    assert!(output.status.success(), "{output:?}");
    let changed =
        std::fs::read_to_string(&file).unwrap().replacen("\"id\":\"B\"", "\"id\":\"X\"", 1);
    std::fs::write(&file, changed).unwrap();
    assert!(!run(&file).status.success());
}
