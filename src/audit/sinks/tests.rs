//! Sinks against kills, disks that are full, databases that are gone, and files that are rotated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::audit::chain::{Link, seal};
use crate::audit::keep::{Held, Keep};
use crate::audit::sinks::backlog::{Backlog, Sinks};
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::follow::{Batch, Follower, Place};
use crate::audit::sinks::worker::Worker;
use crate::audit::sinks::{HeldChain, Newest, Sink, Trail};
use crate::audit::{
    AuditError, AuditSettings, Event, FileAudit as Audit, KeptIn, Outcome, SinkKind, SinkSettings,
    SqliteSettings, Sync, What, verify_kept,
};

fn event(id: &str) -> Event {
    Event {
        id: id.into(),
        client: Some("10.20.0.7".parse().unwrap()),
        group: None,
        identity: None,
        host: "mastodon.example".into(),
        platform: "mastodon".into(),
        method: "POST".into(),
        what: What::Outcome(Outcome::Answered(200)),
    }
}

fn with_sqlite(folder: &Path) -> AuditSettings {
    let kind =
        SinkKind::Sqlite(SqliteSettings { file: folder.join("audit.db"), keep_months: None });
    let sink = SinkSettings { gather: Duration::ZERO, ..SinkSettings::of("db", kind) };
    AuditSettings {
        sync: Sync::None,
        sinks: vec![sink],
        ..AuditSettings::of(folder.join("audit.jsonl"), "edge-1")
    }
}

async fn record(settings: &AuditSettings, from: usize, to: usize) {
    let audit = Audit::open(settings.clone()).unwrap();
    for n in from..to {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    audit.close().await;
}

/// The lines of the database, by chain, in the order of their numbers.
fn held(folder: &Path) -> Vec<String> {
    let database = Connection::open(folder.join("audit.db")).unwrap();
    let mut select = database.prepare("SELECT line FROM event ORDER BY chain, seq").unwrap();
    let lines = select.query_map([], |row| row.get(0)).unwrap();
    lines.map(Result::unwrap).collect()
}

fn written(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort_by_key(|path| (path.file_name().unwrap() == "audit.jsonl", path.clone()));
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()).collect()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_database_holds_every_line_of_the_file_once_over_restarts_and_rotations() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep { size: 2048, compress: false, ..Keep::default() };
    let settings = AuditSettings { keep, ..with_sqlite(folder.path()) };
    record(&settings, 0, 20).await;
    assert_eq!(held(folder.path()), written(folder.path()));
    // Without the sink, over several rotations: it is caught up from the files.
    record(&AuditSettings { sinks: Vec::new(), ..settings.clone() }, 20, 60).await;
    record(&settings, 60, 70).await;
    assert!(folder.path().read_dir().unwrap().count() > 8, "the file was rotated");
    let lines = held(folder.path());
    assert!(lines.len() > 70, "the lines that open files, too");
    assert_eq!(lines, written(folder.path()));
}

#[tokio::test]
async fn a_sink_that_is_new_is_given_what_the_files_hold() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep { size: 2048, compress: false, ..Keep::default() };
    let settings = AuditSettings { keep, spool: 100, ..with_sqlite(folder.path()) };
    record(&AuditSettings { sinks: Vec::new(), ..settings.clone() }, 0, 30).await;
    let audit = Audit::open(settings).unwrap();
    // However much there was before it, nobody waits for that.
    wait_until("caught up", || audit.sinks()[0].n_waiting == 0 && audit.sinks()[0].is_up);
    audit.close().await;
    assert_eq!(held(folder.path()), written(folder.path()));
}

#[tokio::test]
async fn compressed_files_are_handed_over_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep { size: 2048, ..Keep::default() };
    let settings = AuditSettings { keep, ..with_sqlite(folder.path()) };
    record(&settings, 0, 3).await;
    let alone = AuditSettings { sinks: Vec::new(), ..settings.clone() };
    record(&alone, 3, 40).await;
    let audit = Audit::open(alone).unwrap();
    let packed = || {
        let names = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().ends_with(".jsonl.gz")).count()
    };
    wait_until("compressed", || packed() >= 4);
    audit.close().await;
    // The one goes on in the middle of a compressed file, the other begins with the first of them.
    for begins_anew in [false, true] {
        if begins_anew {
            for entry in folder.path().read_dir().unwrap() {
                let path = entry.unwrap().path();
                if !path.to_str().unwrap().contains(".jsonl")
                    || path.extension().unwrap() == "cursor"
                {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        let audit = Audit::open(settings.clone()).unwrap();
        let status = || audit.sinks().remove(0);
        wait_until("caught up", || status().is_up && status().n_waiting == 0);
        assert_eq!(status().waiting_bytes, 0);
        audit.close().await;
        let lines = held(folder.path());
        let places: Vec<Place> =
            lines.iter().map(|line| Place::of(line.as_bytes()).unwrap()).collect();
        assert!(places.len() > 40 && places[0].before == Link::START);
        assert!(places.windows(2).all(|pair| pair[0].link == pair[1].before));
    }
}

#[tokio::test]
async fn a_torn_line_is_no_line_of_a_sink_and_its_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = with_sqlite(folder.path());
    record(&settings, 0, 3).await;
    let file = folder.path().join("audit.jsonl");
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str("{\"time\":\"2026-11");
    fs::write(&file, &text).unwrap();
    record(&settings, 3, 5).await;
    let lines = held(folder.path());
    assert_eq!(lines.len(), 6);
    assert!(lines[3].contains("\"event\":\"torn\""));
}

#[tokio::test]
async fn a_file_that_begins_anew_is_another_chain_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let settings = with_sqlite(folder.path());
    record(&settings, 0, 3).await;
    fs::remove_file(folder.path().join("audit.jsonl")).unwrap();
    record(&settings, 3, 5).await;
    let database = Connection::open(folder.path().join("audit.db")).unwrap();
    let mut select = database.prepare("SELECT chain, count(*) FROM event GROUP BY chain").unwrap();
    let chains: BTreeMap<i64, i64> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(chains, [(1, 3), (2, 2)].into());
}

/// A place that is down when told so, and may lose the answer after it took lines.
#[derive(Clone, Default)]
struct Weak(Arc<WeakState>);

#[derive(Default)]
struct WeakState {
    is_down: AtomicBool,
    loses_answers: AtomicBool,
    lines: Mutex<Vec<String>>,
    end: Mutex<Option<Link>>,
}

impl Sink for Weak {
    fn connect(&mut self, _: &str) -> Result<Option<Vec<HeldChain>>, SinkFault> {
        if self.0.is_down.load(Relaxed) {
            return Err(SinkFault::new("down"));
        }
        let end = *self.0.end.lock().unwrap();
        Ok(Some(
            end.map(|end| HeldChain { chain: "1".into(), end, is_own: true }).into_iter().collect(),
        ))
    }

    fn go_on(&mut self, _: &str) -> Result<(), SinkFault> {
        Ok(())
    }

    fn begin(&mut self, _: &str, before: Link) -> Result<(), SinkFault> {
        *self.0.end.lock().unwrap() = Some(before);
        Ok(())
    }

    fn put(&mut self, batch: &Batch) -> Result<(), SinkFault> {
        if self.0.is_down.load(Relaxed) {
            return Err(SinkFault::new("down"));
        }
        let lines = batch.lines().map(|(line, _)| String::from_utf8(line.to_vec()).unwrap());
        self.0.lines.lock().unwrap().extend(lines);
        *self.0.end.lock().unwrap() = batch.end();
        if self.0.loses_answers.swap(false, Relaxed) {
            return Err(SinkFault::new("the answer was lost"));
        }
        Ok(())
    }
}

/// An audit with a weak sink that stands at the end of its settings' list.
fn with_weak(settings: &AuditSettings, weak: &Weak, wait: bool) -> Audit {
    let kind = SinkKind::Sqlite(SqliteSettings { file: "unused".into(), keep_months: None });
    let sink = SinkSettings {
        wait,
        gather: Duration::ZERO,
        retry: Duration::from_millis(10),
        ..SinkSettings::of("weak", kind)
    };
    let settings = AuditSettings { sinks: vec![sink], ..settings.clone() };
    Audit::open_with(settings, &mut |_| Box::new(weak.clone())).unwrap()
}

#[tokio::test]
async fn a_sink_that_was_down_is_caught_up_in_order_and_each_line_stands_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = AuditSettings { sinks: Vec::new(), ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    let audit = with_weak(&settings, &weak, false);
    for n in 0..200 {
        weak.0.is_down.store(n % 50 > 20, Relaxed);
        weak.0.loses_answers.store(n % 7 == 0, Relaxed);
        audit.record(event(&format!("E{n}"))).await.unwrap();
        if n == 30 {
            wait_until("noticed", || audit.sinks()[0].fault.is_some());
        }
    }
    weak.0.is_down.store(false, Relaxed);
    wait_until("caught up", || weak.0.lines.lock().unwrap().len() >= 200);
    audit.close().await;
    assert_eq!(*weak.0.lines.lock().unwrap(), written(folder.path()));
    assert_eq!(audit.sinks()[0].held_seq, 200);
}

#[tokio::test]
async fn posts_wait_for_a_sink_only_if_told_to_and_not_for_one_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let settings = AuditSettings { sinks: Vec::new(), ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    weak.0.is_down.store(true, Relaxed);
    let audit = with_weak(&settings, &weak, true);
    let refused = audit.record(event("A")).await;
    assert!(matches!(refused, Err(AuditError::Sink)), "{refused:?}");
    weak.0.is_down.store(false, Relaxed);
    wait_until("up", || audit.sinks()[0].is_up);
    audit.record(event("B")).await.unwrap();
    assert_eq!(weak.0.lines.lock().unwrap().len(), 2, "when it returns, the sink has the line");
    audit.close().await;
}

#[tokio::test]
async fn more_than_the_spool_holds_is_unaudited_and_in_the_file_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let settings = AuditSettings { sinks: Vec::new(), spool: 2000, ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    weak.0.is_down.store(true, Relaxed);
    let audit = with_weak(&settings, &weak, false);
    let mut n_written = 0;
    while audit.record(event("A")).await.is_ok() {
        n_written += 1;
        assert!(n_written < 100, "the spool has no bound");
    }
    assert!(n_written > 3 && audit.is_spool_full());
    assert!(matches!(audit.record(event("B")).await, Err(AuditError::Spool)));
    audit.close().await;
    // A restart does not make room.
    let audit = with_weak(&AuditSettings { spool: 2000, ..settings.clone() }, &weak, false);
    wait_until("looked back", || audit.is_spool_full());
    weak.0.is_down.store(false, Relaxed);
    wait_until("caught up", || !audit.is_spool_full());
    audit.record(event("C")).await.unwrap();
    audit.close().await;
    let lines = written(folder.path());
    assert_eq!(lines.len(), n_written + 3);
    assert_eq!(*weak.0.lines.lock().unwrap(), lines);
}

#[tokio::test]
async fn nothing_is_compressed_or_removed_that_a_sink_has_not_had() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep { size: 2048, ..Keep::default() };
    let settings = AuditSettings { sinks: Vec::new(), keep, ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    weak.0.is_down.store(true, Relaxed);
    let audit = with_weak(&settings, &weak, false);
    for n in 0..40 {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    weak.0.is_down.store(false, Relaxed);
    wait_until("caught up", || audit.sinks()[0].is_up && audit.sinks()[0].n_waiting == 0);
    audit.close().await;
    let lines = weak.0.lines.lock().unwrap();
    let places: Vec<Place> = lines.iter().map(|line| Place::of(line.as_bytes()).unwrap()).collect();
    assert!(lines.len() > 40, "the lines that open files, too");
    assert_eq!(places[0].before, Link::START);
    assert!(places.windows(2).all(|pair| pair[0].link == pair[1].before));
}

#[test]
fn a_follower_finds_any_line_of_files_of_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("audit.jsonl");
    let settings = AuditSettings { sync: Sync::None, ..AuditSettings::of(&live, "edge-1") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(record(&settings, 0, 77));
    let text = fs::read_to_string(&live).unwrap();
    let places: Vec<Place> = text.lines().map(|line| Place::of(line.as_bytes()).unwrap()).collect();
    let newest = Newest {
        link: places[76].link,
        length: text.len() as u64,
        file: super::follow::id(&fs::File::open(&live).unwrap()).unwrap(),
    };
    let mut batch = Batch::default();
    for place in &places {
        let mut follower = Follower::new(&live);
        assert!(follower.seek(place.link).unwrap(), "{}", place.link.seq);
        follower.next(&newest, &mut batch).unwrap();
        assert_eq!(batch.n_lines() as u64, 77 - place.link.seq);
        assert_eq!(follower.after(), newest.link);
        let other = Link { hash: newest.link.hash, ..place.link };
        assert_eq!(follower.seek(other).unwrap(), other == newest.link);
    }
    let mut follower = Follower::new(&live);
    assert_eq!(follower.seek_oldest().unwrap(), Link::START);
    assert_eq!(follower.behind(&newest).unwrap(), text.len() as u64);
    // No further than what counts as written.
    let half = Newest { length: text.len() as u64 / 2, ..newest };
    follower.next(&half, &mut batch).unwrap();
    assert!(batch.n_read() <= half.length && batch.n_lines() > 30);
}

#[test]
fn a_line_that_does_not_follow_is_not_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("audit.jsonl");
    let settings = AuditSettings { sync: Sync::None, ..AuditSettings::of(&live, "edge-1") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(record(&settings, 0, 9));
    let text = fs::read_to_string(&live).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(4);
    fs::write(&live, lines.join("\n") + "\n").unwrap();
    let sink = Weak::default();
    let newest = Newest {
        link: Place::of(lines[7].as_bytes()).unwrap().link,
        length: fs::metadata(&live).unwrap().len(),
        file: super::follow::id(&fs::File::open(&live).unwrap()).unwrap(),
    };
    let backlog = Arc::new(Backlog::new("weak", "sqlite", false));
    let sinks = Arc::new(Sinks {
        trail: Arc::new(Trail::new(&live, newest)),
        backlogs: vec![Arc::clone(&backlog)],
        bound: 1 << 20,
        only_spool: false,
        held: Held::default(),
        workers: Mutex::default(),
    });
    sinks.trail().stop();
    let kind = SinkKind::Sqlite(SqliteSettings { file: "unused".into(), keep_months: None });
    let settings = SinkSettings::of("weak", kind);
    Worker::new(&settings, Box::new(sink.clone()), "edge-1", &sinks, &backlog).run();
    assert_eq!(sink.0.lines.lock().unwrap().len(), 0);
    assert!(sinks.status()[0].fault.as_ref().unwrap().contains("does not follow"));
}

#[tokio::test]
async fn a_file_that_is_only_the_spool_is_gone_once_all_have_it_and_never_grows_beyond_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep { only_spool: true, ..Keep::default() };
    let settings =
        AuditSettings { sinks: Vec::new(), keep, spool: 64 << 10, ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    let audit = with_weak(&settings, &weak, true);
    for n in 0..400 {
        audit.record(event(&format!("E{n}"))).await.unwrap();
    }
    let n_files = || folder.path().read_dir().unwrap().count();
    // Of some hundred KiB no more than two parts, the cursor and the file are left.
    wait_until("removed", || n_files() <= 4);
    weak.0.is_down.store(true, Relaxed);
    let mut n_lost = 0;
    for n in 0..400 {
        n_lost += u64::from(matches!(
            audit.record(event(&format!("F{n}"))).await,
            Err(AuditError::Spool)
        ));
    }
    assert!(n_lost > 100, "the spool has no bound");
    let size: u64 = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size < 150 << 10, "{size}");
    weak.0.is_down.store(false, Relaxed);
    wait_until("caught up", || !audit.is_spool_full() && audit.sinks()[0].n_waiting == 0);
    audit.record(event("G")).await.unwrap();
    audit.close().await;
    let lines = weak.0.lines.lock().unwrap();
    let places: Vec<Place> = lines.iter().map(|line| Place::of(line.as_bytes()).unwrap()).collect();
    assert!(places.windows(2).all(|pair| pair[0].link == pair[1].before));
    let lost: Vec<u64> = lines
        .iter()
        .filter_map(|line| line.split_once("\"event\":\"lost\",\"lines\":")?.1.split_once(','))
        .map(|(n, _)| n.parse().unwrap())
        .collect();
    assert_eq!(lost.iter().sum::<u64>(), n_lost, "the chain says how many");
}

#[test]
fn the_questions_of_the_documentation_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(record(&with_sqlite(folder.path()), 0, 3));
    let page = include_str!("../../../docs/audit.md");
    let blocks = page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<&str> = blocks.filter(|block| !block.starts_with("-- PostgreSQL")).collect();
    let database = Connection::open(folder.path().join("audit.db")).unwrap();
    let questions: Vec<&str> = blocks.iter().flat_map(|block| block.split(';')).collect();
    assert!(questions.len() >= 7);
    for question in questions {
        let mut asked =
            database.prepare(question).unwrap_or_else(|why| panic!("{why}: {question}"));
        asked.query([]).unwrap().next().unwrap_or_else(|why| panic!("{why}: {question}"));
    }
}

/// What is wrong with the chains of the database.
fn faults(folder: &Path) -> Vec<Option<(usize, String)>> {
    let chains = KeptIn::Sqlite(folder.join("audit.db")).chains().unwrap();
    let reports = chains.into_iter().map(|mut chain| verify_kept(&mut chain).unwrap());
    reports.map(|report| report.broken.map(|link| (link.line, link.why))).collect()
}

#[tokio::test]
async fn a_database_is_verified_line_by_line_and_whatever_was_done_to_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    record(&with_sqlite(folder.path()), 0, 9).await;
    assert_eq!(faults(folder.path()), [None]);
    let whole = fs::read(folder.path().join("audit.db")).unwrap();
    for (change, line, why) in [
        (
            "UPDATE event SET line = replace(line, 'E4', 'E0') WHERE seq = 5",
            5,
            "its hash is not that of its words",
        ),
        ("DELETE FROM event WHERE seq = 5", 5, "a line is missing before it"),
        ("DELETE FROM event WHERE seq < 3", 1, "the lines before number 3 are missing"),
        ("DELETE FROM event WHERE seq > 7", 8, "2 lines are missing at the end"),
        ("UPDATE event SET seq = -seq WHERE seq = 5", 1, "the lines before number 5 are missing"),
        ("UPDATE event SET outcome = 'sent' WHERE seq = 5", 5, "columns do not say"),
        ("UPDATE event SET client = NULL WHERE seq = 9", 9, "columns do not say"),
        ("UPDATE event SET categories = ',ssn,' WHERE seq = 2", 2, "columns do not say"),
        ("UPDATE event SET line = 'x' WHERE seq = 2", 2, "it is no audit line"),
    ] {
        fs::write(folder.path().join("audit.db"), &whole).unwrap();
        Connection::open(folder.path().join("audit.db")).unwrap().execute(change, []).unwrap();
        let found = faults(folder.path()).remove(0).unwrap();
        assert!(found.0 == line && found.1.contains(why), "{change}: {found:?}");
        for beside in ["audit.db-wal", "audit.db-shm"] {
            let _ = fs::remove_file(folder.path().join(beside));
        }
    }
}

#[tokio::test]
async fn a_beginning_that_was_taken_from_a_database_shows_though_a_file_begins_there() {
    let folder = tempfile::tempdir().unwrap();
    record(&with_sqlite(folder.path()), 0, 3).await;
    fs::rename(folder.path().join("audit.jsonl"), folder.path().join("audit-old.jsonl")).unwrap();
    record(&with_sqlite(folder.path()), 3, 6).await;
    assert_eq!(faults(folder.path()), [None]);
    let database = Connection::open(folder.path().join("audit.db")).unwrap();
    let begins: i64 = database
        .query_row("SELECT seq FROM event WHERE event = 'continue'", [], |row| row.get(0))
        .unwrap();
    database.execute("DELETE FROM event WHERE seq < ?1", [begins]).unwrap();
    let found = faults(folder.path()).remove(0).unwrap();
    assert!(found.0 == 1 && found.1.contains("are missing"), "{found:?}");
}

/// A file of lines of these days.
fn written_on(file: &Path, days: &[&str]) {
    let (mut text, mut prev) = (Vec::new(), Link::START);
    for day in days {
        let (start, seq) = (text.len(), prev.seq + 1);
        let line = format!(
            "{{\"time\":\"{day}T10:00:00.000Z\",\"node\":\"edge-1\",\"seq\":{seq},\"prev\":\"{}\",\"event\":\"outcome\",\"id\":\"E{seq}\"",
            prev.hash
        );
        text.extend_from_slice(line.as_bytes());
        prev = Link { seq, hash: seal(&mut text, start) };
    }
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn what_was_kept_long_enough_is_removed_and_the_rest_still_hangs_together() {
    let folder = tempfile::tempdir().unwrap();
    let days = ["2020-01-01", "2020-01-02", "2020-01-03", "2999-01-01", "2020-01-05", "2999-01-02"];
    written_on(&folder.path().join("audit.jsonl"), &days);
    let mut settings = with_sqlite(folder.path());
    let SinkKind::Sqlite(sqlite) = &mut settings.sinks[0].kind else { unreachable!() };
    sqlite.keep_months = Some(12);
    let audit = Audit::open(settings).unwrap();
    // The fifth stays behind the fourth: a hole would be a broken chain.
    wait_until("removed", || audit.sinks()[0].held_seq == 6 && held(folder.path()).len() == 3);
    audit.record(event("A")).await.unwrap();
    audit.close().await;
    let first = Place::of(held(folder.path())[0].as_bytes()).unwrap();
    assert_eq!(first.link.seq, 4);
    assert_eq!(faults(folder.path()), [None]);
}

#[tokio::test]
async fn a_chain_whose_old_events_stand_behind_a_young_one_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = with_sqlite(folder.path());
    let SinkKind::Sqlite(sqlite) = &mut settings.sinks[0].kind else { unreachable!() };
    sqlite.keep_months = Some(12);
    let file = folder.path().join("audit.jsonl");
    written_on(&file, &["2999-01-01", "2020-01-01"]);
    let audit = Audit::open(settings.clone()).unwrap();
    wait_until("taken", || audit.sinks()[0].held_seq == 2);
    audit.close().await;
    written_on(&file, &["2020-02-01", "2020-02-02", "2999-01-03"]);
    let audit = Audit::open(settings).unwrap();
    wait_until("removed", || audit.sinks()[0].held_seq == 3 && held(folder.path()).len() == 3);
    audit.close().await;
    let lines = held(folder.path());
    let places: Vec<Place> = lines.iter().map(|line| Place::of(line.as_bytes()).unwrap()).collect();
    assert_eq!(places.iter().map(|place| place.link.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(lines[2].contains("2999-01-03"));
    assert_eq!(faults(folder.path()), [None, None]);
}

#[tokio::test]
async fn a_node_that_is_called_otherwise_goes_on_with_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let settings = with_sqlite(folder.path());
    record(&settings, 0, 3).await;
    record(&AuditSettings { node: "edge-2".into(), ..settings }, 3, 5).await;
    assert_eq!(held(folder.path()), written(folder.path()));
    assert_eq!(faults(folder.path()), [None], "one chain");
}

#[tokio::test]
async fn a_sink_beyond_a_file_that_an_older_copy_took_the_place_of_is_given_the_copys_chain() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = with_sqlite(folder.path());
    settings.sinks[0].wait = true;
    let file = folder.path().join("audit.jsonl");
    record(&settings, 0, 2).await;
    let copy = fs::read(&file).unwrap();
    record(&settings, 2, 6).await;
    fs::rename(&file, folder.path().join("audit-2026-10-01-000000000001.jsonl")).unwrap();
    fs::write(&file, copy).unwrap();
    let audit = Audit::open(settings).unwrap();
    audit.record(event("later")).await.unwrap();
    let lines = held(folder.path());
    assert!(lines.iter().any(|line| line.contains("\"later\"")), "what was waited for is held");
    assert_eq!(lines.len(), 6 + 3, "the one chain stays, the other is whole");
    assert_eq!(audit.sinks()[0].held_seq, 3);
    audit.close().await;
    assert_eq!(faults(folder.path()), [None, None]);
}

#[tokio::test]
async fn a_cursor_that_was_emptied_makes_no_room_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let settings = AuditSettings { sinks: Vec::new(), spool: 2000, ..with_sqlite(folder.path()) };
    let weak = Weak::default();
    weak.0.is_down.store(true, Relaxed);
    let audit = with_weak(&settings, &weak, false);
    for _ in 0..20 {
        let _ = audit.record(event("A")).await;
    }
    assert!(audit.is_spool_full());
    audit.close().await;
    let cursor = folder.path().join(".audit.jsonl.weak.cursor");
    for text in ["", "{\"seq\":0,", "x"] {
        fs::write(&cursor, text).unwrap();
        let audit = with_weak(&settings, &weak, false);
        wait_until("looked back", || audit.sinks()[0].fault.is_some());
        assert!(audit.is_spool_full());
        assert!(matches!(audit.record(event("B")).await, Err(AuditError::Spool)), "{text}");
        audit.close().await;
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = Connection::open(folder.path().join("audit.db")).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    let audit = Audit::open(with_sqlite(folder.path())).unwrap();
    audit.record(event("A")).await.unwrap();
    wait_until("noticed", || audit.sinks()[0].fault.is_some());
    assert!(audit.sinks()[0].fault.as_ref().unwrap().contains("newer postward"));
    assert!(!audit.sinks()[0].is_up);
    audit.close().await;
}

#[tokio::test]
async fn a_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    record(&with_sqlite(folder.path()), 0, 1).await;
    let mode = fs::metadata(folder.path().join("audit.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn sources_are_told_apart_by_how_they_begin() {
    assert!(KeptIn::parse("audit.jsonl").is_none());
    assert_eq!(KeptIn::parse("sqlite:a/b.db"), Some(Ok(KeptIn::Sqlite("a/b.db".into()))));
    let address = KeptIn::parse("postgres://p@db.example.org/audit").unwrap().unwrap();
    assert_eq!(address.name(), "postgres://p@db.example.org/audit");
    assert!(KeptIn::parse("postgres://p:invented@db.example.org/audit").unwrap().is_err());
    let none = KeptIn::Sqlite("none.db".into()).chains().unwrap_err().to_string();
    assert_eq!(none, "sqlite:none.db: there is no such file");
}
