//! The audit against crashes, full disks and people who change it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::audit::FileAudit as Audit;
use crate::audit::chain::{Link, seal};
use crate::audit::sink::start;
use crate::audit::store::Store;
use crate::audit::writer::Writer;
use crate::audit::{
    AuditError, AuditSettings, Event, Held, Keep, Naming, Outcome, Sync, What, line, verify,
};
use crate::audit::{find, segments, with_segments};
use crate::body::Unreadable;
use crate::inspect::{Coverage, Fault, Inspection, JudgedFinding, Verdict};
use crate::policy::{Action, DecidedBy};
use crate::rules::{Category, Confidence, RuleId};

/// Two lines as they were written before coverage was marked.
const OLD_LINES: &str = r#"{"time":"2026-11-22T15:54:32.007Z","node":"edge-1","seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","event":"decision","id":"E0","ref":"ABCD2345","host":"mastodon.example","platform":"mastodon","method":"POST","endpoint":"unknown","known":false,"post":true,"verdict":"block","enforced":true,"findings":[],"fault":"unreadable: JSON is malformed","care":0.00,"rules":"ab12","policy":"cd34","micros":412,"hash":"a9b1e3b305cc3f4a1b7cc2385f585bbcb714fbc0ec686465b6eb99b382b20cf2"}
{"time":"2026-11-22T15:54:33.100Z","node":"edge-1","seq":2,"prev":"a9b1e3b305cc3f4a1b7cc2385f585bbcb714fbc0ec686465b6eb99b382b20cf2","event":"outcome","id":"E0","host":"mastodon.example","platform":"mastodon","method":"POST","outcome":"client-gone","hash":"df3c693e6e0687618f79aedd17af9c5f92b4cd09f66533436d2a860f8d4cfdbc"}
"#;

fn settings(file: &Path) -> AuditSettings {
    // Its thread would work beside the tests.
    let keep = Keep { compress: false, ..Keep::default() };
    AuditSettings { sync: Sync::None, keep, ..AuditSettings::of(file, "edge-1") }
}

fn inspection() -> Inspection {
    Inspection {
        verdict: Verdict::Forward,
        enforced: true,
        is_post: true,
        endpoint: "POST /api/v1/statuses".into(),
        known: true,
        coverage: Coverage::Understood,
        findings: vec![JudgedFinding {
            rule: RuleId::try_from("us-ssn".to_owned()).unwrap(),
            category: Category::Ssn,
            field: "poll.options[]".into(),
            length: 11,
            confidence: Confidence::High,
            action: Action::Log,
            by: DecidedBy::Clause("numbers".into()),
        }],
        fault: None,
        unjudged_media: false,
        metadata_stripped: false,
        care: 1.25,
        shadow: None,
        reference: "ABCD2345".into(),
    }
}

fn event(id: &str) -> Event {
    Event {
        id: id.into(),
        client: Some("::ffff:10.20.0.7".parse().unwrap()),
        group: Some("press-office".into()),
        identity: None,
        host: "mastodon.example".into(),
        platform: "mastodon".into(),
        method: "POST".into(),
        what: What::Decided {
            inspection: Box::new(inspection()),
            spent: Duration::from_micros(812),
            rules: "ab12".into(),
            policy: "cd34".into(),
        },
    }
}

fn outcome(id: &str, outcome: Outcome) -> Event {
    Event { what: What::Outcome(outcome), ..event(id) }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A file of `n` events and their outcomes.
async fn written(file: &Path, n: usize) -> Vec<Value> {
    let audit = Audit::open(settings(file)).unwrap();
    for n in 0..n {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    audit.close().await;
    lines(file)
}

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn said(event: &Event) -> Value {
    let mut body = b"{".to_vec();
    line::write(event, &Naming::default(), &mut body);
    body.push(b'}');
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_decision_says_who_where_what_and_why() {
    assert_eq!(
        said(&event("E1")),
        json!({
            "event": "decision", "id": "E1", "ref": "ABCD2345", "client": "10.20.0.7", "group": "press-office",
            "host": "mastodon.example", "platform": "mastodon", "method": "POST", "endpoint": "POST /api/v1/statuses",
            "known": true, "post": true, "verdict": "forward", "enforced": true,
            "findings": [{"rule": "us-ssn", "category": "ssn", "field": "poll.options[]", "length": 11, "confidence": "high", "action": "log", "clause": "numbers"}],
            "care": 1.25, "rules": "ab12", "policy": "cd34", "micros": 812,
        })
    );
}

#[test]
fn an_outcome_says_what_became_of_it() {
    let base = json!({"event": "outcome", "id": "E1", "client": "10.20.0.7", "group": "press-office", "host": "mastodon.example", "platform": "mastodon", "method": "POST"});
    for (what, more) in [
        (Outcome::Answered(502), json!({"outcome": "answered", "status": 502})),
        (Outcome::Failed, json!({"outcome": "failed"})),
        (Outcome::ClientGone, json!({"outcome": "client-gone"})),
        (Outcome::Stopped, json!({"outcome": "stopped"})),
    ] {
        let mut want = base.clone();
        want.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(said(&outcome("E1", what)), want);
    }
}

#[test]
fn faults_exceptions_and_media_are_said() {
    let mut asked = event("E1");
    let What::Decided { inspection, .. } = &mut asked.what else { unreachable!() };
    inspection.fault = Some(Fault::Unreadable(Unreadable::UnknownCoding));
    inspection.coverage = Coverage::Unreadable(Unreadable::UnknownCoding.as_str());
    inspection.unjudged_media = true;
    inspection.care = f32::NAN;
    inspection.findings[0].by = DecidedBy::Exception("a \"quoted\"\\ name".into());
    inspection.findings = vec![inspection.findings[0].clone(); 300];
    let said = said(&asked);
    assert_eq!(said["fault"], "unreadable: content coding is unknown");
    assert_eq!(
        (&said["coverage"], &said["reason"]),
        (&json!("unreadable"), &json!("unknown-coding"))
    );
    assert_eq!(said["unjudged-media"], true);
    assert_eq!(said["care"], Value::Null);
    assert_eq!(said["findings"][0]["exception"], "a \"quoted\"\\ name");
    assert_eq!(said["findings"].as_array().unwrap().len(), 256);
    assert_eq!(said["unlisted"], 44);
}

#[test]
fn a_body_that_no_endpoint_describes_is_marked() {
    let mut asked = event("E1");
    let What::Decided { inspection, .. } = &mut asked.what else { unreachable!() };
    inspection.endpoint = "unknown".into();
    inspection.known = false;
    inspection.coverage = Coverage::Generic;
    let said = said(&asked);
    assert_eq!((&said["coverage"], &said["known"]), (&json!("generic"), &json!(false)));
    assert_eq!((&said["endpoint"], said.get("reason")), (&json!("unknown"), None));
}

#[test]
fn a_clients_own_words_are_withheld() {
    let words = "Jane Roe ssn 987-65-4321";
    let mut asked = event(words);
    asked.host = words.into();
    asked.platform = words.into();
    asked.method = "JANE".into();
    let What::Decided { inspection, rules, policy, .. } = &mut asked.what else { unreachable!() };
    inspection.endpoint = words.into();
    inspection.reference = words.into();
    inspection.findings[0].field = words.into();
    *rules = words.into();
    *policy = words.into();
    let mut line = Vec::new();
    line::write(&asked, &Naming::default(), &mut line);
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line.matches("withheld").count(), 9, "{line}");
    assert!(!line.to_ascii_lowercase().contains("jane") && !line.contains("987"), "{line}");
}

#[tokio::test]
async fn a_chain_is_written_continued_and_verified() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    written(&file, 3).await;
    let audit = Audit::open(settings(&file)).unwrap();
    audit.record(event("E3")).await.unwrap();
    audit.record_later(outcome("E3", Outcome::Answered(200)));
    audit.close().await;
    assert!(matches!(audit.record(event("late")).await, Err(AuditError::Stopped)));
    let report = verify(&[&file]).unwrap();
    assert_eq!((report.n_lines, report.broken, report.torn), (5, None, vec![]));
    assert_eq!(report.head, audit.head());
    let lines = lines(&file);
    assert_eq!(
        lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(lines[4]["outcome"], "answered");
    assert_eq!(lines[0]["node"], "edge-1");
    assert!(lines.is_sorted_by_key(|line| line["time"].as_str().unwrap().to_owned()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_from_before_coverage_was_marked_goes_on() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    fs::write(&file, OLD_LINES).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(verify(&[&file]).unwrap().broken, None);
    let audit = Audit::open(settings(&file)).unwrap();
    let mut marked = event("E1");
    let What::Decided { inspection, .. } = &mut marked.what else { unreachable!() };
    inspection.coverage = Coverage::Generic;
    audit.record(marked).await.unwrap();
    audit.close().await;
    let report = verify(&[&file]).unwrap();
    assert_eq!((report.n_lines, report.broken, report.torn), (3, None, vec![]));
    assert_eq!(lines(&file)[2]["coverage"], "generic");
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_soon_all_the_same() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let audit = Audit::open(settings(&file)).unwrap();
    // Once while the writer has just written, once when it has long been idle.
    for (n, pause) in [(1, 0), (2, 100)] {
        audit.record(event("E")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        audit.record_later(outcome("E", Outcome::Answered(200)));
        for _ in 0..500 {
            if lines(&file).len() == 2 * n {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(lines(&file).len(), 2 * n, "after {pause} ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_make_one_chain() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let audit = Audit::open(AuditSettings { sync: Sync::Group, ..settings(&file) }).unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let audit = audit.clone();
            tokio::spawn(async move { audit.record(event(&format!("E{n}"))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    // Every line stands before its `record` returns: nothing is closed yet.
    let report = verify(&[&file]).unwrap();
    assert_eq!((report.n_lines, report.broken), (200, None));
    assert_eq!(report.head, audit.head());
}

#[tokio::test]
async fn one_process_at_a_time_and_only_files() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let first = Audit::open(settings(&file)).unwrap();
    assert!(matches!(Audit::open(settings(&file)), Err(AuditError::InUse { .. })));
    first.close().await;
    Audit::open(settings(&file)).unwrap().close().await;
    assert!(matches!(
        Audit::open(settings(Path::new("/dev/full"))),
        Err(AuditError::NotAFile { .. })
    ));
    assert!(matches!(
        Audit::open(settings(&folder.path().join("no/such/folder"))),
        Err(AuditError::Open { .. })
    ));
    fs::write(&file, "a shopping list\n").unwrap();
    assert!(matches!(Audit::open(settings(&file)), Err(AuditError::Damaged { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "a shopping list\n");
}

#[tokio::test]
async fn what_somebody_did_to_the_file_is_found_with_its_line() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    written(&file, 5).await;
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let [one, two, three, four, last] = lines[..] else { unreachable!() };
    let resealed = {
        let mut line =
            three.split(",\"hash\"").next().unwrap().replace("\"high\"", "\"low\"").into_bytes();
        seal(&mut line, 0);
        String::from_utf8(line).unwrap()
    };
    let other = folder.path().join("other.jsonl");
    written(&other, 2).await;
    let other = fs::read_to_string(&other).unwrap();
    let crlf = text.replace('\n', "\r\n");
    let forged = [two, three, four].concat().replace("\"high\"", "\"low\"").replace('\n', "x\n");
    for (name, changed, want) in [
        ("untouched", vec![one, two, three, four, last], None),
        ("empty", vec![], None),
        ("changed", vec![one, &two.replace("\"high\"", "\"low\""), three], Some((2, "changed"))),
        (
            "changed hash",
            vec![one, &two.replace("\"hash\":\"", "\"hash\":\"0"), three],
            Some((2, "no audit line")),
        ),
        (
            "changed and resealed",
            vec![one, two, &resealed, four, last],
            Some((4, "does not follow")),
        ),
        (
            "dropped",
            vec![one, two, four, last],
            Some((3, "a line is missing before it: it is number 4, and number 3 is due")),
        ),
        ("two dropped", vec![one, four, last], Some((2, "2 lines are missing"))),
        ("first dropped", vec![two, three], Some((1, "the lines before number 2 are missing"))),
        ("swapped", vec![one, three, two, four], Some((2, "missing"))),
        ("twice", vec![one, two, two, three], Some((3, "twice"))),
        ("blank line", vec![one, "\n", two], Some((2, "no audit line"))),
        ("put in", vec![one, "{\"time\":\"never\"}\n", two], Some((2, "no audit line"))),
        ("scribbled at the end", vec![one, two, "checked by J.\n"], Some((3, "no audit line"))),
        ("another chain behind it", vec![one, two, &other], Some((3, "a new chain starts here"))),
        ("no line end", vec![one, two.trim_end()], None),
        ("line ends of another system", vec![&crlf], Some((1, "no audit line"))),
        ("blank line at the end", vec![one, "\n"], Some((2, "no audit line"))),
        ("zeros at the end", vec![one, "\0\0\0"], Some((2, "no audit line"))),
        ("a line of zeros", vec![one, "\0\n", two], Some((2, "no audit line"))),
        ("forged behind the end", vec![one, &forged], Some((2, "no audit line"))),
        (
            "cut, then more",
            vec![one, two.get(..two.len() - 9).unwrap(), "\n", three],
            Some((2, "no audit line")),
        ),
        (
            "two beginnings",
            vec![one, two.get(..90).unwrap(), "\n", two.get(..50).unwrap()],
            Some((2, "no audit line")),
        ),
        (
            "another line's beginning",
            vec![one, three.get(..120).unwrap()],
            Some((2, "no audit line")),
        ),
    ] {
        fs::write(&file, changed.concat()).unwrap();
        let report = verify(&[&file]).unwrap();
        match (report.broken, want) {
            (None, None) => assert_eq!(report.n_lines, changed.len(), "{name}"),
            (Some(link), Some((number, why))) => assert!(
                link.line == number && link.why.contains(why) && link.file == file,
                "{name}: {link:?}"
            ),
            (broken, want) => panic!("{name}: {broken:?}, not {want:?}"),
        }
        assert_eq!(report.torn, Vec::<PathBuf>::new(), "{name}");
        assert_eq!(report.empty.len(), usize::from(changed.is_empty()), "{name}");
        if name.contains("end") || name.contains("beginning") || name.contains("zeros") {
            // Nothing is added to what somebody changed, and nothing forged is sealed.
            let opened = Audit::open(settings(&file));
            let is_tail_right = ["no line end", "a line of zeros"].contains(&name);
            assert_eq!(opened.is_ok(), is_tail_right, "{name}");
            if let Ok(audit) = opened {
                audit.close().await;
            } else {
                assert_eq!(fs::read_to_string(&file).unwrap(), changed.concat(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn any_flipped_bit_shows() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    written(&file, 2).await;
    let bytes = fs::read(&file).unwrap();
    let head = verify(&[&file]).unwrap().head;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&file, changed).unwrap();
        let report = verify(&[&file]).unwrap();
        assert!(report.broken.is_some() || report.head != head, "byte {at}");
        assert!(report.broken.is_some() || !report.torn.is_empty(), "byte {at}");
    }
}

#[tokio::test]
async fn a_line_torn_anywhere_is_named_and_the_chain_goes_on() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    written(&file, 2).await;
    let bytes = fs::read(&file).unwrap();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in (last..bytes.len()).step_by(7).chain([last + 1, bytes.len() - 1]) {
        fs::write(&file, &bytes[..cut]).unwrap();
        let is_torn = cut > last && cut < bytes.len() - 1;
        let torn = if is_torn { vec![file.clone()] } else { vec![] };
        let report = verify(&[&file]).unwrap();
        assert_eq!((report.broken, &report.torn), (None, &torn), "cut at {cut}");
        let audit = Audit::open(settings(&file)).unwrap();
        audit.record(event("after")).await.unwrap();
        audit.close().await;
        let report = verify(&[&file]).unwrap();
        assert_eq!((report.broken, report.torn), (None, torn), "cut at {cut}");
        let lines = lines(&file);
        assert_eq!(lines.last().unwrap()["id"], "after");
        assert_eq!(lines[lines.len() - 2]["event"] == "torn", is_torn, "cut at {cut}");
        if is_torn {
            // The torn bytes are part of the record: changing them later shows.
            let changed = fs::read_to_string(&file).unwrap();
            let at = last;
            fs::write(
                &file,
                format!("{}x{}", changed.get(..at).unwrap(), changed.get(at..).unwrap()),
            )
            .unwrap();
            assert!(verify(&[&file]).unwrap().broken.is_some(), "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn files_that_continue_each_other_are_one_chain() {
    let folder = folder();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    written(&old, 2).await;
    let audit = Audit::open_after(settings(&new), &old).unwrap();
    audit.record(event("E")).await.unwrap();
    audit.close().await;
    assert_eq!(
        lines(&new)
            .iter()
            .map(|line| (line["event"].as_str().unwrap().to_owned(), line["seq"].as_u64().unwrap()))
            .collect::<Vec<_>>(),
        [("continue".to_owned(), 3), ("decision".to_owned(), 4)]
    );
    for (files, n_lines, broken) in
        [(vec![&old, &new], 4, None), (vec![&new], 2, None), (vec![&new, &old], 2, Some((&old, 1)))]
    {
        let report = verify(&files.iter().map(|file| file.as_path()).collect::<Vec<_>>()).unwrap();
        assert_eq!(report.n_lines, n_lines, "{files:?}");
        assert_eq!(
            report.broken.map(|link| (link.file, link.line)),
            broken.map(|(file, line)| (file.clone(), line)),
            "{files:?}"
        );
    }
}

#[tokio::test]
async fn a_renamed_file_is_continued() {
    let folder = folder();
    let (file, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
    written(&file, 2).await;
    fs::rename(&file, &old).unwrap();
    fs::write(folder.path().join("audit-notes.txt"), "no audit").unwrap();
    written(&file, 1).await;
    let report = verify(&[&old, &file]).unwrap();
    assert_eq!((report.n_lines, report.broken), (4, None));
}

/// A disk that fails as it is told to.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    bytes: Vec<u8>,
    /// Bytes it still takes.
    room: Option<usize>,
    no_sync: bool,
    no_cut: bool,
}

impl Disk {
    fn set(&self, change: impl FnOnce(&mut DiskState)) {
        change(&mut self.0.lock().unwrap());
    }

    fn verify(&self) -> (usize, bool, bool) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &self.0.lock().unwrap().bytes).unwrap();
        let report = verify(&[file.path()]).unwrap();
        (report.n_lines, report.broken.is_some(), !report.torn.is_empty())
    }
}

impl Store for Disk {
    fn id(&self) -> (u64, u64) {
        (0, 0)
    }

    fn check(&self, length: u64) -> io::Result<()> {
        assert_eq!(self.0.lock().unwrap().bytes.len() as u64, length);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        let n = disk.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        disk.bytes.extend_from_slice(&bytes[..n]);
        disk.room = disk.room.map(|room| room - n);
        if n < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.0.lock().unwrap().no_sync { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    fn rotate(&mut self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        if disk.no_cut {
            return Err(io::ErrorKind::Other.into());
        }
        disk.bytes.truncate(usize::try_from(length).unwrap());
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_with_a_whole_chain() {
    for (no_cut, no_sync) in [(false, false), (true, false), (false, true)] {
        let disk = Disk::default();
        let audit = start(
            Writer::new(disk.clone(), Sync::Group, "edge-1", Link::START, 0),
            None,
            Naming::default(),
        )
        .unwrap();
        audit.record(event("before")).await.unwrap();
        assert!(audit.is_writable());
        let head = audit.head();
        disk.set(|disk| {
            disk.room = if no_sync { None } else { Some(100) };
            disk.no_cut = no_cut;
            disk.no_sync = no_sync;
        });
        for _ in 0..3 {
            assert!(matches!(audit.record(event("lost")).await, Err(AuditError::Write)));
            assert!(!audit.is_writable());
            assert_eq!(audit.head(), head);
        }
        assert_eq!(disk.verify(), (1, false, no_cut), "{no_cut} {no_sync}");
        disk.set(|disk| {
            *disk = DiskState { bytes: std::mem::take(&mut disk.bytes), ..DiskState::default() }
        });
        audit.record(event("after")).await.unwrap();
        assert!(audit.is_writable());
        audit.close().await;
        // Before, the note of the lost ones, after.
        assert_eq!(disk.verify(), (3, false, false), "{no_cut} {no_sync}");
        let text = String::from_utf8(disk.0.lock().unwrap().bytes.clone()).unwrap();
        assert!(text.contains("\"event\":\"lost\",\"lines\":3"), "{text}");
        assert!(!text.contains("\"id\":\"lost\""), "{text}");
    }
}

#[tokio::test]
async fn a_removed_file_is_noticed() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let audit = Audit::open(settings(&file)).unwrap();
    audit.record(event("E")).await.unwrap();
    fs::remove_file(&file).unwrap();
    assert!(matches!(audit.record(event("F")).await, Err(AuditError::Write)));
    assert!(!audit.is_writable());
}

#[tokio::test]
async fn a_file_that_somebody_changed_takes_no_line_and_loses_none() {
    for cut in [true, false] {
        let folder = folder();
        let file = folder.path().join("audit.jsonl");
        let audit = Audit::open(settings(&file)).unwrap();
        audit.record(event("E1")).await.unwrap();
        audit.record(event("E2")).await.unwrap();
        let whole = fs::read_to_string(&file).unwrap();
        let changed = if cut { String::new() } else { format!("{whole}a note of mine\n") };
        fs::write(&file, &changed).unwrap();
        for _ in 0..2 {
            assert!(matches!(audit.record(event("E3")).await, Err(AuditError::Write)));
        }
        assert!(!audit.is_writable());
        assert_eq!(fs::read_to_string(&file).unwrap(), changed, "what is there is evidence");
        // Put back as it was, it goes on.
        fs::write(&file, &whole).unwrap();
        audit.record(event("E4")).await.unwrap();
        audit.close().await;
        let report = verify(&[&file]).unwrap();
        assert_eq!((report.n_lines, report.broken), (4, None));
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = verify(&[Path::new("/no/such/audit.jsonl")]).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/audit.jsonl: "), "{error}");
}

/// Waits for what the keeper's thread does beside the posts.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

fn rotating(file: &Path) -> AuditSettings {
    AuditSettings { keep: Keep { size: 4096, ..Keep::default() }, ..settings(file) }
}

#[tokio::test]
async fn a_file_is_rotated_by_size_and_the_chain_runs_on_over_its_segments() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let held = Held::everything();
    held.set(0);
    let audit = Audit::open_held(rotating(&file), held.clone()).unwrap();
    for n in 0..60 {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    audit.close().await;
    let found = segments(&file).unwrap();
    assert!(found.len() >= 3, "{found:?}");
    assert!(found.iter().all(|segment| !segment.compressed), "no sink has had them");
    let all = with_segments(std::slice::from_ref(&file));
    let files: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    let report = verify(&files).unwrap();
    assert_eq!((report.broken, report.n_lines), (None, 60 + found.len()));
    assert_eq!(report.head, audit.head());
    // Of any of them alone every link holds, and what is missing before it is said; one that is taken away is missed.
    assert_eq!(report.begins_at, None);
    let alone = verify(&[&file]).unwrap();
    let first = &lines(&file)[0];
    assert_eq!((alone.broken, alone.begins_at), (None, first["seq"].as_u64()));
    assert_eq!(alone.before, first["prev"].as_str().unwrap());
    assert!(verify(&[files[0], files[2]]).unwrap().broken.is_some());
    assert_eq!(find(&files, "abcd2345").unwrap().len(), 60);

    // Once every sink has them they are compressed, and everything reads as before.
    let audit = Audit::open(rotating(&file)).unwrap();
    eventually("all are compressed", || segments(&file).unwrap().iter().all(|s| s.compressed));
    audit.record(event("LAST")).await.unwrap();
    audit.close().await;
    let all = with_segments(std::slice::from_ref(&file));
    let files: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    assert!(files[0].to_str().unwrap().ends_with(".jsonl.gz"));
    let again = verify(&files).unwrap();
    assert_eq!((again.broken, again.head), (None, audit.head()));
    assert_eq!(find(&files, "ABCD2345").unwrap().len(), 61);
    // The live file lost: its name goes on where the newest segment ends, though that is compressed.
    fs::remove_file(&file).unwrap();
    let newest = segments(&file).unwrap().last().unwrap().path.clone();
    let before = verify(&[&newest]).unwrap().head;
    let audit = Audit::open(settings(&file)).unwrap();
    audit.close().await;
    assert_eq!(lines(&file)[0]["prev"], before);
}

#[tokio::test]
async fn what_is_over_is_removed_after_the_chain_says_so_and_never_before_a_sink_has_it() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    written(&file, 5).await;
    let old = folder.path().join("audit-2019-01-31-000000000001.jsonl");
    fs::rename(&file, &old).unwrap();
    written(&file, 5).await;
    let middle = folder.path().join("audit-2020-02-01-000000000006.jsonl");
    fs::rename(&file, &middle).unwrap();
    let settings = settings(&file);
    let held = Held::everything();
    held.set(4);
    let audit = Audit::open_held(settings.clone(), held).unwrap();
    audit.record(event("A")).await.unwrap();
    audit.close().await;
    assert!(old.exists(), "line 5 has not been had by a sink");

    let audit = Audit::open(settings).unwrap();
    eventually("the oldest is removed", || !old.exists());
    // The newest segment's last line was written on the day of the live file's first at the latest: today.
    assert!(middle.exists());
    audit.close().await;
    let said = lines(&file);
    let retired = said.iter().find(|line| line["event"] == "retired").unwrap();
    assert_eq!(retired["file"], "audit-2019-01-31-000000000001.jsonl");
    assert_eq!((&retired["first"], &retired["last"]), (&json!(1), &json!(5)));
    let all = with_segments(std::slice::from_ref(&file));
    let files: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    let report = verify(&files).unwrap();
    assert_eq!((report.broken, report.begins_at), (None, None), "gone by rule");
    assert_eq!(
        verify(&[&file]).unwrap().begins_at,
        lines(&file)[0]["seq"].as_u64(),
        "middle is missing"
    );
    assert_eq!(retired["head"], lines(&middle)[0]["prev"]);
}

/// A file of lines of these days, behind a line.
fn dated(file: &Path, mut prev: Link, days: &[&str]) -> Link {
    let mut text = Vec::new();
    for day in days {
        let (start, seq) = (text.len(), prev.seq + 1);
        let line = format!(
            "{{\"time\":\"{day}T10:00:00.000Z\",\"node\":\"edge-1\",\"seq\":{seq},\"prev\":\"{}\",\"event\":\"continue\"",
            prev.hash
        );
        text.extend_from_slice(line.as_bytes());
        prev = Link { seq, hash: seal(&mut text, start) };
    }
    fs::write(file, text).unwrap();
    prev
}

#[tokio::test]
async fn a_clock_that_is_wrong_removes_nothing() {
    let folder = folder();
    let live = folder.path().join("audit.jsonl");
    let today = crate::audit::keep::today().to_string();
    // Over by right; begun today, and gone on with while the clock said 2016; the newest line of long ago, or of the future.
    for (own, others, newest, goes) in [
        ("2016-01-01", "2016-01-02", today.as_str(), true),
        (today.as_str(), "2016-01-01", today.as_str(), false),
        ("2016-01-01", "2016-01-02", "2016-01-02", false),
        ("2016-01-01", "2016-01-02", "2999-01-01", false),
    ] {
        let first = folder.path().join(format!("audit-{own}-000000000001.jsonl"));
        let second = folder.path().join(format!("audit-{others}-000000000002.jsonl"));
        let link = dated(&first, Link::START, &[own]);
        let link = dated(&second, link, &[others]);
        dated(&live, link, &[newest]);
        let keep = Keep { compress: true, rotate: crate::audit::Period::Never, ..Keep::default() };
        let audit = Audit::open(AuditSettings { keep, ..settings(&live) }).unwrap();
        let compressed = second.with_extension("jsonl.gz");
        eventually("a round", || compressed.exists() || (goes && !first.exists()));
        audit.record(event("E")).await.unwrap();
        audit.close().await;
        let is_there = first.exists() || first.with_extension("jsonl.gz").exists();
        assert_eq!(is_there, !goes, "{own} {others} {newest}");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let _ = fs::remove_file(entry.unwrap().path());
        }
    }
}

#[tokio::test]
async fn a_spool_keeps_what_no_sink_has_had_though_the_clock_went_back() {
    let folder = folder();
    let live = folder.path().join("audit.jsonl");
    let first = folder.path().join("audit-2026-10-02-000000000001.jsonl");
    let second = folder.path().join("audit-2026-10-01-000000000002.jsonl");
    let link = dated(&first, Link::START, &["2026-10-02"]);
    let link = dated(&second, link, &["2026-10-01"]);
    dated(&live, link, &["2026-10-03"]);
    let all = with_segments(std::slice::from_ref(&live));
    let files: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    assert_eq!(verify(&files).unwrap().broken, None, "{files:?}");
    let held = Held::everything();
    held.set(1);
    let keep = Keep { only_spool: true, rotate: crate::audit::Period::Never, ..Keep::default() };
    let audit = Audit::open_held(AuditSettings { keep, ..settings(&live) }, held).unwrap();
    eventually("what sinks have had is removed", || !first.exists());
    audit.record(event("E")).await.unwrap();
    audit.close().await;
    assert!(second.exists(), "no sink has had it");
}

#[tokio::test]
async fn a_compressed_file_that_cannot_be_read_keeps_no_other_from_being_compressed() {
    let folder = folder();
    let live = folder.path().join("audit.jsonl");
    let today = crate::audit::keep::today().to_string();
    let bad = folder.path().join("audit-2016-01-01-000000000001.jsonl.gz");
    fs::write(&bad, [0x1f, 0x8b, 8, 0, 1]).unwrap();
    let before = Link { seq: 1, ..Link::START };
    let second = folder.path().join("audit-2016-01-02-000000000002.jsonl");
    let link = dated(&second, before, &["2016-01-02"]);
    dated(&live, link, &[&today]);
    let audit = Audit::open(AuditSettings { keep: Keep::default(), ..settings(&live) }).unwrap();
    eventually("it is compressed", || {
        !second.exists() && second.with_extension("jsonl.gz").exists()
    });
    audit.close().await;
    assert!(bad.exists());
}

#[tokio::test]
async fn a_first_line_that_a_crash_tore_goes_on_with_the_chain() {
    for cut in [1, 40, 100, 150] {
        let folder = folder();
        let live = folder.path().join("audit.jsonl");
        written(&live, 3).await;
        let old = folder.path().join("audit-2026-10-01-000000000001.jsonl");
        fs::rename(&live, &old).unwrap();
        written(&live, 0).await;
        let torn = fs::read(&live).unwrap()[..cut].to_vec();
        fs::write(&live, &torn).unwrap();
        let seen = written(&live, 1).await;
        assert_eq!(seen[0]["event"], "torn");
        assert_eq!(seen[0]["seq"], 4, "{cut}");
        let report = verify(&[&old, &live]).unwrap();
        assert_eq!((report.broken, report.n_lines, report.begins_at), (None, 5, None), "{cut}");
        let alone = verify(&[&live]).unwrap();
        assert_eq!((alone.broken, alone.begins_at), (None, Some(4)), "{cut}");
    }
}

#[tokio::test]
async fn an_export_beside_the_audit_is_not_what_it_goes_on_from() {
    let folder = folder();
    let live = folder.path().join("audit.jsonl");
    written(&live, 3).await;
    let old = folder.path().join("audit-2026-11.jsonl");
    fs::rename(&live, &old).unwrap();
    let text = fs::read_to_string(&old).unwrap();
    let blocked = folder.path().join("audit-blocked.jsonl");
    fs::write(&blocked, text.split_inclusive('\n').next().unwrap()).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(&blocked).unwrap().set_modified(later).unwrap();
    assert_eq!(written(&live, 1).await[0]["seq"], 4);
    assert_eq!(verify(&[&old, &live]).unwrap().broken, None);
}

#[tokio::test]
async fn a_file_that_cannot_be_rotated_goes_on() {
    let folder = folder();
    let file = folder.path().join("audit.jsonl");
    let audit = Audit::open(rotating(&file)).unwrap();
    let today = crate::audit::keep::today();
    fs::write(folder.path().join(format!("audit-{today}-000000000001.jsonl")), "in the way")
        .unwrap();
    for n in 0..30 {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    audit.close().await;
    assert_eq!(lines(&file).len(), 30);
    assert_eq!(verify(&[&file]).unwrap().broken, None);
}
