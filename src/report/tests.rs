//! Reports over audits as the writer writes them, and over ones that somebody changed.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::audit::{LineSource, open_lines};
use crate::policy::Exemption;
use crate::report::{Report, Scope, gather, page};

/// Writes chained lines at times of one's choice, in the form of the audit's own writer.
struct Trail {
    node: &'static str,
    seq: u64,
    prev: String,
    text: String,
}

impl Trail {
    fn new(node: &'static str) -> Self {
        Self { node, seq: 0, prev: "0".repeat(64), text: String::new() }
    }

    fn line(&mut self, time: &str, event: &str) -> &mut Self {
        self.seq += 1;
        let (node, seq, prev) = (self.node, self.seq, &self.prev);
        let body = format!(
            "{{\"time\":\"{time}\",\"node\":\"{node}\",\"seq\":{seq},\"prev\":\"{prev}\",{event}}}"
        );
        let hash = hex(body.as_bytes());
        let open = body.strip_suffix('}').unwrap();
        self.text += &[open, ",\"hash\":\"", &hash, "\"}\n"].concat();
        self.prev = hash;
        self
    }

    fn post(&mut self, time: &str, platform: &str, verdict: &str, more: &str) -> &mut Self {
        let id = format!("E{}", self.seq);
        self.line(time, &format!(
            "\"event\":\"decision\",\"id\":\"{id}\",\"ref\":\"abcd2345\",\"client\":\"10.20.0.7\",\"group\":\"press-office\",\
             \"host\":\"mastodon.example\",\"platform\":\"{platform}\",\"method\":\"POST\",\"endpoint\":\"POST /api/v1/statuses\",\
             \"known\":true,\"post\":true,\"verdict\":\"{verdict}\",\"enforced\":true,{more}\"care\":0.50,\"rules\":\"aa11\",\"policy\":\"bb22\",\"micros\":800"
        ))
    }

    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, &self.text).unwrap();
        file
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const SSN: &str = "\"findings\":[{\"rule\":\"us-ssn\",\"category\":\"ssn\",\"field\":\"status\",\"length\":11,\"confidence\":\"certain\",\"action\":\"block\",\"clause\":\"numbers\"},{\"rule\":\"us-ssn\",\"category\":\"ssn\",\"field\":\"status\",\"length\":11,\"confidence\":\"low\",\"action\":\"log\",\"clause\":\"numbers\"}],";
const EXCUSED: &str = "\"findings\":[{\"rule\":\"us-phone\",\"category\":\"phone\",\"field\":\"status\",\"length\":8,\"confidence\":\"certain\",\"action\":\"log\",\"exception\":\"switchboard\"}],";

fn october() -> Trail {
    let mut trail = Trail::new("edge-1");
    trail
        .post("2026-09-30T23:59:59.999Z", "mastodon", "forward", "")
        .post("2026-10-01T09:00:00.000Z", "mastodon", "forward", EXCUSED)
        .post("2026-10-01T09:30:00.000Z", "bluesky", "block", SSN)
        .line("2026-10-01T09:30:01.000Z", "\"event\":\"outcome\",\"id\":\"E2\",\"host\":\"h\",\"platform\":\"bluesky\",\"method\":\"POST\",\"outcome\":\"answered\",\"status\":200")
        .line("2026-10-05T10:00:00.000Z", "\"event\":\"reload\",\"trigger\":\"signal\",\"config-before\":\"c1\",\"config\":\"c2\",\"rules-before\":\"aa11\",\"rules\":\"aa11\",\"policy-before\":\"bb22\",\"policy\":\"bb33\"")
        .post("2026-10-05T10:00:01.000Z", "mastodon", "redact", "\"findings\":[],\"fault\":\"unreadable: JSON is malformed\",\"coverage\":\"unreadable\",\"reason\":\"json\",")
        .line("2026-10-31T23:59:59.999Z", "\"event\":\"lost\",\"lines\":3")
        .post("2026-11-01T00:00:00.000Z", "mastodon", "forward", "");
    trail
}

fn report(files: &[PathBuf]) -> Report {
    let day = |day: &str| day.parse::<Date>().unwrap();
    let scope = Scope {
        from: day("2026-10-01"),
        to: day("2026-10-31"),
        now: "2026-11-02T08:00:00Z".parse().unwrap(),
        silence: 12,
    };
    let open = |file: &PathBuf| -> io::Result<Box<dyn LineSource>> { open_lines(file) };
    gather(files.iter().map(open), scope).unwrap()
}

#[test]
fn what_lies_in_the_period_is_counted_and_the_chain_is_verified_whole() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&[october().write(folder.path(), "audit.jsonl")]);
    let posts = &report.posts;
    assert_eq!((posts.forward, posts.redact, posts.block), (1, 1, 1));
    assert_eq!(report.days.len(), 31);
    assert_eq!(report.days[&"2026-10-01".parse().unwrap()].all(), 2);
    assert_eq!(report.hours[9], 1);
    let (name, ssn) = report.categories.largest_first(|row| row.block)[0];
    assert_eq!(
        (name, ssn.block, ssn.forward),
        ("ssn", 1, 0),
        "once a post, by its strictest action"
    );
    assert_eq!(report.exceptions.by_name().next().unwrap(), ("switchboard", &1));
    assert_eq!((report.n_lost, report.n_changes, report.sets.len()), (3, 1, 1));
    let chain = &report.chains[0];
    assert!(chain.holds() && report.chains.len() == 1);
    assert_eq!((chain.n_lines, chain.first.0, chain.last.0), (8, 1, 8));
    let bounds = &report.bounds["edge-1"];
    assert_eq!((bounds.first, bounds.last, bounds.n), (2, 7, 6));
    // From the second line on the fifth to the last of the month: nothing was written.
    assert_eq!(report.silences.len(), 2, "{:?}", report.silences);
}

#[test]
fn a_changed_line_is_named_loudly_and_counted_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let trail = october();
    let file = folder.path().join("audit.jsonl");
    std::fs::write(
        &file,
        trail.text.replacen("\"verdict\":\"block\"", "\"verdict\":\"forward\"", 1),
    )
    .unwrap();
    let report = report(std::slice::from_ref(&file));
    let chain = &report.chains[0];
    assert_eq!((chain.n_breaks, chain.breaks[0].line), (1, 3), "{:?}", chain.breaks);
    assert_eq!(report.posts.all(), 2);
    let page = page(&report, None);
    assert!(page.contains("THE RECORD WAS CHANGED OR IS DAMAGED."));
    assert!(page.contains("audit.jsonl, line 3"), "it names where");

    // A line taken out, one put in, and one twice.
    let lines: Vec<&str> = trail.text.lines().collect();
    for (kept, want) in [
        (vec![0, 1, 3, 4, 5, 6, 7], 3),
        (vec![0, 1, 2, 2, 3, 4, 5, 6, 7], 4),
        (vec![0, 2, 1, 3, 4, 5, 6, 7], 2),
    ] {
        let text: String = kept.iter().flat_map(|at| [lines[*at], "\n"]).collect();
        std::fs::write(&file, text).unwrap();
        let report = self::report(std::slice::from_ref(&file));
        assert_eq!(report.chains[0].breaks[0].line, want, "{kept:?}");
    }
    std::fs::write(&file, trail.text.replacen('\n', "\na note\n", 1)).unwrap();
    assert_eq!(self::report(std::slice::from_ref(&file)).chains[0].breaks[0].line, 2);
}

#[test]
fn files_of_one_chain_join_in_any_order_and_a_missing_one_shows() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = october();
    let first = trail.write(folder.path(), "a.jsonl");
    trail.text.clear();
    trail.line("2026-11-01T00:00:01.000Z", "\"event\":\"continue\"");
    let second = trail.write(folder.path(), "b.jsonl");
    trail.text.clear();
    trail.line("2026-11-01T00:00:02.000Z", "\"event\":\"continue\"");
    let third = trail.write(folder.path(), "c.jsonl");
    let joined = report(&[first.clone(), second.clone(), third.clone()]);
    assert_eq!((joined.chains.len(), joined.chains[0].n_lines), (1, 10));
    assert_eq!(joined.chains[0].sources.len(), 3);
    let swapped = report(&[second, first.clone()]);
    assert_eq!(swapped.chains.len(), 2);
    assert!(swapped.chains.iter().all(super::Chain::holds));
    assert!(!page(&swapped, None).contains("earlier lines are not among"));
    let without = report(&[first, third]);
    let said = page(&without, None);
    assert!(said.contains("earlier lines are not among the sources"));
    assert!(said.contains("the record begins in the middle"));
}

#[test]
fn what_was_removed_by_rule_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = october();
    let head = trail.prev.clone();
    trail.text.clear();
    trail.line("2026-10-15T00:00:01.000Z", "\"event\":\"continue\"").line(
        "2026-10-15T00:00:02.000Z",
        &format!("\"event\":\"retired\",\"file\":\"audit-2020-01-01-000000000001.jsonl.gz\",\"first\":1,\"last\":8,\"head\":\"{head}\""),
    );
    let report = report(&[trail.write(folder.path(), "audit.jsonl")]);
    let page = page(&report, None);
    assert!(page.contains("The record is whole"));
    assert!(page.contains("removed when their time was over"));
    assert!(page.contains("audit-2020-01-01-000000000001.jsonl.gz"));
}

#[test]
fn a_torn_line_is_no_break_where_the_next_one_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = october();
    let torn = "{\"time\":\"2026-10-31T";
    trail.text.push_str(torn);
    let at_end = report(&[trail.write(folder.path(), "a.jsonl")]);
    assert!(at_end.chains[0].holds() && at_end.chains[0].n_torn == 1);
    trail.text.push('\n');
    let (n, hash) = (torn.len(), hex(torn.as_bytes()));
    trail.line(
        "2026-11-01T00:01:00.000Z",
        &format!("\"event\":\"torn\",\"bytes\":{n},\"sha256\":\"{hash}\""),
    );
    let noted = report(&[trail.write(folder.path(), "b.jsonl")]);
    assert!(noted.chains[0].holds() && noted.chains[0].n_torn == 1, "{:?}", noted.chains[0].breaks);
}

#[test]
fn a_long_period_is_drawn_by_the_week_and_an_empty_one_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = october().write(folder.path(), "audit.jsonl");
    let scope = |from: &str, to: &str| Scope {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        now: "2026-11-02T08:00:00Z".parse().unwrap(),
        silence: 12,
    };
    let of = |scope| gather(std::iter::once(open_lines(&file)), scope).unwrap();
    let year = of(scope("2026-01-01", "2026-12-31"));
    assert!(year.by_week);
    assert_eq!(year.days.len(), 53);
    assert_eq!(year.posts.all(), 5);
    let nothing = of(scope("2025-01-01", "2025-01-31"));
    assert!(page(&nothing, None).contains("No post was judged in this period"));
    std::fs::write(&file, "").unwrap();
    let empty = of(scope("2026-01-01", "2026-12-31"));
    assert!(page(&empty, None).contains("There is nothing to verify"));
}

/// What a policy's author or a forged audit writes stays text, and the page needs nothing from outside.
#[test]
fn the_page_stands_alone_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = october();
    trail.post("2026-10-06T10:00:01.000Z", "<script>alert(1)</script>", "block", SSN);
    let report = report(&[trail.write(folder.path(), "<b>.jsonl")]);
    let exemptions = [Exemption {
        name: "switchboard".into(),
        reason: "our \"public\" number <i>".into(),
        expires: "2026-11-20".parse().unwrap(),
    }];
    let page = page(&report, Some(&exemptions));
    for never in [
        "<script",
        "<b>.jsonl",
        "<i>",
        "http://",
        "https://",
        "src=",
        "@import",
        "url(http",
        "10.20.0.7",
        "abcd2345",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("in 18 days"));
}

#[test]
fn the_page_of_october_is_as_it_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&[october().write(folder.path(), "audit.jsonl")]);
    let page = page(&report, None)
        .replace(&folder.path().display().to_string(), "FOLDER")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let body = page.split_once("</style>").unwrap().1.replace("><", ">\n<");
    insta::assert_snapshot!(body);
}
