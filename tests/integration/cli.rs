//! The command line as scripts and people meet it: the real binary, its output, its exit codes.
#![expect(clippy::expect_used, reason = "a test that cannot run its program has failed")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use postward::audit::{Audit, AuditSettings, Event, Outcome, Sync, What};
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
      serve        Run the proxy
      demo         Show the proxy at work on this machine; needs nothing
      init         Write a configuration to start from
      check        Check configuration, rules, policy and platforms
      health       Ask a running proxy on this machine how it is
      scan         Judge posts from files or standard input, offline
      diff         Show which posts new rules or another policy would judge otherwise
      eval         Measure the engine on posts whose identifiers are marked
      ca           The hospital's own certificate authority
      audit        The audit trail
      roster       The hospital's own patients, as keyed hashes
      man          Write the manual pages
      completions  Write a shell's completions

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
fn every_command_explains_itself_in_100_columns() {
    for command in [
        "serve",
        "demo",
        "init",
        "check",
        "scan",
        "diff",
        "eval",
        "ca",
        "ca init",
        "audit",
        "audit verify",
        "audit find",
        "audit export",
        "audit report",
    ] {
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
        "diff a.toml b.toml",
        "diff a.toml --on posts.txt",
        "eval",
        "init",
        "audit verify",
        "audit find k3f7q2ma",
        "audit find short audit.jsonl",
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

/// A policy that does one thing about everything.
fn policy(action: &str) -> String {
    let categories = [
        "name",
        "date",
        "age",
        "location",
        "zip",
        "phone",
        "fax",
        "email",
        "ssn",
        "mrn",
        "health-plan",
        "account",
        "license",
        "vehicle",
        "device",
        "url",
        "ip",
        "biometric",
        "photo",
        "other-id",
    ];
    format!(
        "[[clause]]\nname = \"all\"\ncategories = {categories:?}\naction = \"{action}\"\nmin-confidence = \"low\"\n\
         [replacement]\nssn = \"[gone]\"\n"
    )
}

const WITH_SSN: &str = "her ssn is 987-65-4321, she said";
const WITHOUT: &str = "a quiet night on the ward";

#[test]
fn scan_reads_lines_of_text_and_json() {
    let dir = TempDir::new().expect("a temporary directory");
    let redact = file(&dir, "redact.toml", &policy("redact"));
    let text = format!("{WITHOUT}\n\n{WITH_SSN}\r\n");
    let json = format!(
        "\n{{\"extra\": [1], \"text\": \"🏥 é {WITH_SSN}\", \"platform\": \"x\", \"id\": 7}}\n\
         {{\"id\": \"b\", \"text\": \"{WITHOUT}\", \"group\": \"press\", \"field\": \"status\"}}"
    );
    let scan = ["scan", "--format", "jsonl", "--policy", &redact, "--today", "2026-11-22"];
    insta::assert_snapshot!(postward_reading(scan, text.as_bytes()).said(dir.path()), @r#"
    exit 0
    {"id":"1","verdict":"forward","findings":[]}
    {"id":"3","verdict":"redact","findings":[{"start":11,"end":22,"category":"ssn","rule":"us-ssn","confidence":"certain","action":"redact"}],"redacted":"her ssn is [gone], she said"}
    "#);
    insta::assert_snapshot!(postward_reading(scan, json.as_bytes()).said(dir.path()), @r#"
    exit 0
    {"id":7,"verdict":"redact","findings":[{"start":15,"end":26,"category":"ssn","rule":"us-ssn","confidence":"certain","action":"redact"}],"redacted":"🏥 é her ssn is [gone], she said"}
    {"id":"b","verdict":"forward","findings":[]}
    "#);
    let (one, two) = (file(&dir, "one.txt", &text), file(&dir, "two.jsonl", &json));
    let several = postward_reading(scan.iter().copied().chain([one.as_str(), "-", &two]), b"stdin");
    let ids: Vec<_> = several.stdout.lines().filter_map(|line| line.split(',').next()).collect();
    let first = format!("{{\"id\":\"{one}:1\"");
    let third = format!("{{\"id\":\"{one}:3\"");
    let piped = "{\"id\":\"standard input:1\"";
    assert_eq!(ids, [first.as_str(), third.as_str(), piped, "{\"id\":7", "{\"id\":\"b\""]);
}

#[test]
fn scan_tells_the_strictest_verdict_by_its_exit() {
    let dir = TempDir::new().expect("a temporary directory");
    for (action, text, want) in [
        ("block", WITHOUT, 0),
        ("log", WITH_SSN, 10),
        ("redact", WITH_SSN, 11),
        ("block", WITH_SSN, 12),
    ] {
        let file = file(&dir, "policy.toml", &policy(action));
        let text = format!("{text}\n{WITHOUT}\n");
        let asked = postward_reading(["scan", "--exit-code", "--policy", &file], text.as_bytes());
        assert_eq!(asked.code, want, "{action} {text} {}", asked.stderr);
        let plain = postward_reading(["scan", "--policy", &file], text.as_bytes());
        assert_eq!(plain.code, 0, "{action} {text}");
    }
}

#[test]
fn scan_names_a_bad_line_and_judges_the_others() {
    let dir = TempDir::new().expect("a temporary directory");
    let good = format!("{{\"id\":1,\"text\":\"{WITHOUT}\"}}\n");
    for (bad, want) in [
        (&b"Jane Roe\n"[..], "line 2: is no JSON: the fault is at column 1"),
        (b"{\"id\":2,\"text\":\"Jane Roe\n", "line 2: is no JSON: the fault is at column 24"),
        (
            b"{\"id\":2,\"text\":\"Jane \\ud800\"}\n",
            "line 2: has a `\\u` escape that is no character",
        ),
        (b"{\"id\":2,\"text\":[\"Jane Roe\"]}\n", "line 2: is no post"),
        (b"{\"id\":2,\"text\":\"Jane Roe \xff\"}\n", "line 2: is no UTF-8"),
    ] {
        let path = dir.path().join("posts.jsonl");
        std::fs::write(&path, [good.as_bytes(), bad, good.as_bytes()].concat()).expect("a file");
        let ran = postward([
            OsStr::new("scan"),
            OsStr::new("--format=jsonl"),
            OsStr::new("--exit-code"),
            path.as_os_str(),
        ]);
        assert_eq!(ran.code, 1, "{want}");
        assert_eq!(ran.stdout.lines().count(), 2, "{want}");
        assert!(ran.stderr.contains(want), "{want}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("posts.jsonl") && ran.stderr.contains("help: "),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("Jane"), "{}", ran.stderr);
    }
    let missing = postward(["scan", "no-such-file.txt"]);
    insta::assert_snapshot!(missing.said(dir.path()), @r"
    exit 1
    error: cannot open no-such-file.txt: No such file or directory (os error 2)
    ");
}

#[test]
fn scan_answers_each_line_before_the_next_comes() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args(["scan", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped")).lines();
    for n in 1..=3 {
        writeln!(stdin, "{WITHOUT}").expect("the program reads");
        let answer = answers.next().expect("an answer").expect("UTF-8");
        assert!(
            answer.starts_with(&format!("{{\"id\":\"{n}\",\"verdict\":\"forward\"")),
            "{answer}"
        );
    }
    drop(stdin);
    assert!(child.wait().expect("the program ends").success());
}

#[test]
fn a_reader_who_leaves_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args(["scan", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    let _ = writeln!(stdin, "{WITHOUT}");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"");
}

#[test]
fn bad_files_exit_3_with_every_fault() {
    let dir = TempDir::new().expect("a temporary directory");
    let bad = file(&dir, "policy.toml", &policy("blok").replace("\"low\"", "\"sure\""));
    let ran = postward_reading(["scan", "--policy", &bad], WITHOUT.as_bytes());
    insta::assert_snapshot!(ran.said(dir.path()), @r#"
    exit 3
    error: `action` cannot be `blok`
     --> DIR/policy.toml:4:10
      |
    4 | action = "blok"
      |          ^^^^^^
      |
      = help: did you mean `block`?

    error: `min-confidence` cannot be `sure`
     --> DIR/policy.toml:5:18
      |
    5 | min-confidence = "sure"
      |                  ^^^^^^
      |
      = help: use one of `low`, `medium`, `high`, `certain`

    2 errors in 1 file
    "#);
}

#[test]
fn what_init_writes_passes_check() {
    let dir = TempDir::new().expect("a temporary directory");
    for (name, all) in [("plain", None), ("all", Some("--all")), ("with blanks", None)] {
        let target = dir.path().join(name).display().to_string();
        let made = postward(["init", &target].into_iter().chain(all));
        assert_eq!(made.code, 0, "{}", made.stderr);
        let config = format!("{target}/config/postward.toml");
        let checked = postward(["check", "--config", &config]);
        assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{name}");
        let quote = if name.contains(' ') { "'" } else { "" };
        let next = format!("postward check --config {quote}{config}{quote}\n");
        assert!(made.stdout.contains(&next), "{}", made.stdout);
        let hit = postward_reading(
            ["scan", "--config", &config, "--format", "jsonl"],
            b"our patient moved to Cedar Crest Annex today",
        );
        assert!(hit.stdout.contains("\"rule\":\"our-clinics\""), "{name}: {}", hit.stdout);
    }
}

#[test]
fn the_examples_of_the_rules_guide_load() {
    let dir = TempDir::new().expect("a temporary directory");
    let target = dir.path().join("new").display().to_string();
    assert_eq!(postward(["init", &target]).code, 0);
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md"))
        .expect("the guide");
    let blocks = guide.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    let mut n_blocks = 0;
    for block in blocks {
        n_blocks += 1;
        let block = block.replacen("[[rule]]\n", "[[rule]]\nreplaces = true\n", 1);
        file(&dir, &format!("new/config/rules.d/{n_blocks}.toml"), &block);
    }
    assert_eq!(n_blocks, 2);
    let checked = postward(["check", "--config", &format!("{target}/config/postward.toml")]);
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""));
}

#[test]
fn check_counts_what_ships() {
    let dir = TempDir::new().expect("a temporary directory");
    let ran = postward(["check"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("fine: what ships inside this program\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("ssn") && ran.stdout.contains("mastodon"),
        "{}",
        ran.said(dir.path())
    );
}

/// A configuration of two routed platforms.
fn routed(dir: &TempDir) -> String {
    let routes = "\
        [[listener]]\naddress = \"127.0.0.1:0\"\n\
        [[route]]\nhosts = [\"mastodon.example\"]\nplatform = \"mastodon\"\n\
        [[route]]\nhosts = [\"relay.example\"]\nplatform = \"activitypub\"\n";
    let audit = format!("[audit]\nfile = \"{}/audit.jsonl\"\n", dir.path().display());
    file(dir, "routed.toml", &(audit + routes))
}

#[test]
fn check_says_how_much_of_each_routed_platform_is_understood() {
    let dir = TempDir::new().expect("a temporary directory");
    let ran = postward(["check", "--config", &routed(&dir)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let after = ran.stdout.split("  routes      ").nth(1).expect("routes");
    let mut lines = after.lines();
    assert_eq!(lines.next(), Some("2 routes for 2 hosts on 1 listener"));
    assert_eq!(lines.next(), Some("              activitypub 1 post"));
    let mastodon = lines.next().expect("a line");
    for class in ["mastodon", " post", " media", " pass"] {
        assert!(mastodon.contains(class), "{mastodon}");
    }
    assert!(after.contains("--endpoints [PLATFORM]"), "{after}");
    assert!(!after.contains("discord"), "{after}");
}

#[test]
fn check_lists_what_is_understood() {
    let dir = TempDir::new().expect("a temporary directory");
    let config = routed(&dir);
    let all = postward(["check", "--config", &config, "--endpoints"]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    insta::assert_snapshot!(all.stdout.split("\n\n").take(4).skip(1).collect::<Vec<_>>().join("\n\n"), @r#"
    activitypub: 1 endpoint
      on relay.example

      post (1): read, never redacted: whoever writes them signs them
        POST  /**
                **.anyOf[].name, **.content, **.contentMap.*, **.name,
                **.nameMap.*, **.oneOf[].name, **.source.content, **.summary,
                **.summaryMap.*

      Any other call of activitypub is read whole and never edited. What should be
      redacted there follows the policy's on-cannot-redact; the audit marks it
      coverage: generic.
    "#);
    assert!(all.stdout.contains("\nmastodon: ") && !all.stdout.contains("\nx: "));
    let one = postward(["check", "--config", &config, "--endpoints", "x"]);
    assert!(one.stdout.contains("\nx: ") && !one.stdout.contains("\nmastodon: "));
    for (list, name) in [(&all, "mastodon"), (&one, "x")] {
        let (_, list) = list.stdout.split_once(&format!("\n{name}: ")).expect("a list");
        let wide = list.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{name}");
    }
    let none = postward(["check", "--endpoints", "mastodn"]);
    assert_eq!((none.code, none.stdout.as_str()), (2, ""));
    assert!(none.stderr.contains("did you mean `mastodon`?"), "{}", none.stderr);
}

#[test]
fn check_lists_the_same_for_machines() {
    let ran = postward(["check", "--endpoints", "mastodon", "--format", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let platforms = said["platforms"].as_array().expect("a list");
    let listed: Vec<_> = platforms.iter().filter(|one| one.get("endpoints").is_some()).collect();
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &"mastodon".into()));
    let endpoints = listed[0]["endpoints"].as_array().expect("a list");
    assert_eq!(endpoints.len() as u64, listed[0]["n-endpoints"].as_u64().expect("a number"));
    let is_it = |endpoint: &&serde_json::Value| {
        endpoint["path"] == "/api/v1/statuses" && endpoint["method"] == "POST"
    };
    let status = endpoints.iter().find(is_it).expect("the endpoint");
    assert_eq!(
        (&status["class"], &status["operation"]),
        (&"post".into(), &serde_json::Value::Null)
    );
    assert!(status["words"].as_array().expect("a list").contains(&"status".into()), "{status}");
    assert!(said["policy"]["mode"] == "enforce" && said["rules"]["n-rules"].as_u64() > Some(0));
}

#[test]
fn eval_scores_a_corpus() {
    let dir = TempDir::new().expect("a temporary directory");
    let corpus = format!(
        "{{\"id\":\"1\",\"text\":\"{WITH_SSN}\",\"spans\":[{{\"start\":11,\"end\":22,\"label\":\"SSN\"}}]}}\n\
         {{\"id\":\"2\",\"text\":\"{WITHOUT}\",\"spans\":[],\"kind\":\"clean\"}}\n"
    );
    let piped = postward_reading(["eval", "-"], corpus.as_bytes());
    assert!(piped.stdout.contains("\nstandard input "), "{}{}", piped.stdout, piped.stderr);
    let empty = postward_reading(["eval", "-"], b"\n");
    assert_eq!((empty.code, empty.stdout.as_str()), (1, ""));
    assert!(empty.stderr.starts_with("error: standard input holds no posts"), "{}", empty.stderr);
    let corpus = file(&dir, "tiny.jsonl", &corpus);
    let ran = postward(["eval", &corpus]);
    insta::assert_snapshot!(ran.said(dir.path()), @r"
    exit 0
                         identifiers   posts that disclose           clean posts
    corpus            found   recall         safe    share      alarmed    share
    tiny              1 / 1  100.0 %        1 / 1  100.0 %        0 / 1    0.0 %

    category             found   recall   or blocked   false alarms in clean posts
    ssn                  1 / 1  100.0 %      100.0 %              0              0
    all                  1 / 1  100.0 %      100.0 %              0              0

    findings acted on that hit a mark: 1 / 1 (100.0 %); 0 neither right nor wrong
    posts safe because all was found: 1 / 1; with those blocked: 1 / 1
    ");
    let json = postward(["eval", "--format", "json", "--missed", &corpus]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json.pointer("/total/identifiers/found"), Some(&1.into()));
    assert_eq!(json.pointer("/total/clean/alarmed"), Some(&0.into()));
}

#[test]
fn the_demo_shows_what_it_says() {
    let ran = postward(["demo"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "");
    let wide = ran.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    for word in ["forwarded", "redacted", "blocked", "nothing", "[name]", "\"verdict\":\"block\""] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
}

/// An audit file of three outcomes.
fn audit_file(dir: &TempDir) -> String {
    let file = dir.path().join("audit.jsonl");
    let settings = AuditSettings { sync: Sync::None, ..AuditSettings::of(&file, "test") };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let audit = Audit::open(settings).expect("a new file");
        for status in [200, 201, 403] {
            let event = Event {
                id: "0123456789abcdefghjk".to_owned(),
                client: None,
                group: None,
                identity: None,
                host: "mastodon.example".to_owned(),
                platform: "mastodon".to_owned(),
                method: "POST".to_owned(),
                what: What::Outcome(Outcome::Answered(status)),
            };
            audit.record(event).await.expect("written");
        }
        audit.close().await;
    });
    file.display().to_string()
}

#[test]
fn audit_export_and_report_read_what_the_writer_wrote() {
    let dir = TempDir::new().expect("a temporary directory");
    let file = audit_file(&dir);
    let text = std::fs::read_to_string(&file).expect("an audit file");
    let json = postward(["audit", "export", "--format", "json", &file]);
    assert_eq!((json.code, json.stdout.as_str(), json.stderr.as_str()), (0, text.as_str(), ""));
    let csv = postward(["audit", "export", "--format", "csv", "--event", "outcome", &file]);
    assert_eq!((csv.code, csv.stdout.lines().count()), (0, 4), "{}", csv.stderr);
    assert!(
        csv.stdout.starts_with("time,node,seq,event,") && csv.stdout.contains(",answered,403,")
    );
    let none = postward(["audit", "export", "--format", "csv", "--platform", "x", &file]);
    assert_eq!((none.code, none.stdout.lines().count()), (0, 1));
    assert!(none.stderr.contains("no event is as asked for"), "{}", none.stderr);

    let page = dir.path().join("report.html").display().to_string();
    let day = text.get(9..19).expect("a time");
    let report = |file: &str| {
        postward(["audit", "report", "--from", day, "--to", day, "--out", &page, file])
    };
    let made = report(&file);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("The record is whole: every link holds."));

    // A changed line is left out of the one and is the first thing that the other says.
    std::fs::write(&file, text.replacen("201", "200", 1)).expect("written");
    let json = postward(["audit", "export", "--format", "json", &file]);
    assert_eq!((json.code, json.stdout.lines().count()), (1, 2));
    assert!(json.stderr.contains("1 line left out: somebody changed it"), "{}", json.stderr);
    let made = report(&file);
    assert_eq!(made.code, 1);
    assert!(made.stderr.contains("audit.jsonl, line 2: it was changed"), "{}", made.stderr);
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("THE RECORD WAS CHANGED"));

    let turned = postward([
        "audit",
        "report",
        "--from",
        "2026-10-02",
        "--to",
        "2026-10-01",
        "--out",
        &page,
        &file,
    ]);
    assert_eq!(turned.code, 1);
    assert!(turned.stderr.contains("the period ends before it begins"), "{}", turned.stderr);
    let missing = postward(["audit", "export", "--format", "csv", "no-such.jsonl"]);
    assert!(missing.code == 1 && missing.stderr.contains("no-such.jsonl"), "{}", missing.stderr);
}

/// The first line of a file that goes on where another ended.
const CONTINUED: &str = r#"{"time":"2026-11-23T06:00:00.000Z","node":"edge-1","seq":7,"prev":"5555555555555555555555555555555555555555555555555555555555555555","event":"continue","hash":"b20234284ecb0d0bb9fb1f8e6e5dd86a9eb8b2f8b86ca724660d81c6116f5234"}
"#;

#[test]
fn audit_verify_names_the_first_broken_link() {
    let dir = TempDir::new().expect("a temporary directory");
    let whole = audit_file(&dir);
    let text = std::fs::read_to_string(&whole).expect("an audit file");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();

    let fine = postward(["audit", "verify", &whole]);
    assert_eq!(fine.code, 0, "{}{}", fine.stdout, fine.stderr);
    let head = fine
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("head: "))
        .expect("a head")
        .to_owned();
    let scrubbed = fine.said(dir.path()).replace(&head, "HEAD");
    insta::assert_snapshot!(scrubbed, @r"
    exit 0
    fine: 3 lines in 1 file, every link holds
    head: HEAD
    ");
    assert_eq!(postward(["audit", "verify", &whole, "--head", &head]).code, 0);
    let piped = postward_reading(["audit", "verify", "-", "--head", &head], text.as_bytes());
    assert_eq!(piped.code, 0, "{}{}", piped.stdout, piped.stderr);
    assert_eq!(postward(["audit", "verify", &whole, "--head", &"0".repeat(64)]).code, 1);

    for (name, tampered) in [
        ("changed", text.replacen("201", "500", 1)),
        ("dropped", [lines[0], lines[2]].concat()),
        ("moved", [lines[1], lines[0], lines[2]].concat()),
    ] {
        let tampered = file(&dir, name, &tampered);
        let ran = postward(["audit", "verify", &tampered]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stdout);
        assert!(
            ran.stdout.starts_with("broken: ") && ran.stdout.contains(", line "),
            "{}",
            ran.stdout
        );
    }
    // The beginning taken away, and what is left begins as a rotated file does.
    let log = file(&dir, "begun.jsonl", CONTINUED);
    let part = postward(["audit", "verify", &log]);
    assert_eq!(part.code, 1, "{}", part.stdout);
    assert!(part.stdout.contains("lines 1 to 6 are not here"), "{}", part.stdout);
    let before = "5".repeat(64);
    assert_eq!(postward(["audit", "verify", &log, "--after", &before]).code, 0);
    assert_eq!(postward(["audit", "verify", &log, "--after", &"6".repeat(64)]).code, 1);
    // A tail that was cut off whole shows only against the head.
    let cut = file(&dir, "cut", &lines[..2].concat());
    assert_eq!(postward(["audit", "verify", &cut]).code, 0);
    assert_eq!(postward(["audit", "verify", &cut, "--head", &head]).code, 1);
    let missing = postward(["audit", "verify", "no-such-audit.jsonl"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("no-such-audit.jsonl"), "{}", missing.stderr);
}

#[test]
fn serve_says_what_keeps_it_from_starting() {
    let dir = TempDir::new().expect("a temporary directory");
    let missing = postward(["serve", "--config", "no-such.toml"]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    assert!(missing.stderr.contains("no-such.toml"), "{}", missing.stderr);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let config = file(
        &dir,
        "postward.toml",
        &format!(
            "[[listener]]\naddress = \"{address}\"\n[[route]]\nhosts = [\"mastodon.example\"]\n\
             platform = \"mastodon\"\n[audit]\nfile = \"audit.jsonl\"\n"
        ),
    );
    // What is well is said in log lines, which have a time.
    let ran = postward(["serve", "--config", &config, "--log", "error"]);
    let said = ran.said(dir.path()).replace(&address.to_string(), "ADDRESS");
    insta::assert_snapshot!(said, @r"
    exit 1
    error: cannot listen on ADDRESS: Address already in use (os error 98)
    help: another program listens on ADDRESS: stop it, or choose another address
    ");
}

/// Writes a file with a mode.
fn with_mode(dir: &TempDir, name: &str, text: &str, bits: u32) {
    mode(&file(dir, name, text), bits);
}

fn mode(path: &str, bits: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).expect("a mode");
}

#[test]
fn revocation_lists_are_checked_as_serve_reads_them() {
    let dir = TempDir::new().expect("a temporary directory");
    for folder in ["empty", "bad"] {
        std::fs::create_dir(dir.path().join(folder)).expect("a folder");
    }
    file(&dir, "bad/a.txt", "no list");
    file(&dir, "bad/b.crl", "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n");
    for (command, crls, want) in [
        ("serve", "empty", &["holds no revocation list", "PEM or DER"][..]),
        ("check", "bad", &["b.crl cannot be used", "as the CA publishes them"]),
        ("check", "bad/a.txt", &["a.txt holds no revocation list"]),
        ("check", "gone.crl", &["there is no file or folder", "gone.crl"]),
    ] {
        let text = format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\n[[route]]\nhosts = [\"mastodon.example\"]\n\
             platform = \"mastodon\"\n[upstream]\ncrls = [\"{crls}\"]\n[audit]\nfile = \"audit.jsonl\"\n"
        );
        let config = file(&dir, "postward.toml", &text);
        let ran = postward([command, "--config", &config]);
        assert_eq!(ran.code, 3, "{command} {crls}: {}", ran.stderr);
        let said = ran.stderr.replace('\n', " ");
        for words in want {
            assert!(said.contains(words), "{command} {crls}: no `{words}` in {said}");
        }
    }
}

#[test]
fn certificates_and_keys_are_checked_as_serve_reads_them() {
    let dir = TempDir::new().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name).display().to_string();
    for (name, host) in [("fits", "mastodon.example"), ("other", "elsewhere.example")] {
        let folder = at(&format!("ca-{name}"));
        std::fs::create_dir(&folder).expect("a folder");
        let made = postward(["ca", "init", "--out", &folder, "--host", host]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        for end in ["pem", "key"] {
            std::fs::rename(format!("{folder}/ca.{end}"), at(&format!("{name}.{end}")))
                .expect("a file");
        }
        let own = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
        with_mode(&dir, &format!("own-{name}.pem"), &own.cert.pem(), 0o644);
        with_mode(&dir, &format!("own-{name}.key"), &own.signing_key.serialize_pem(), 0o600);
    }
    let key = std::fs::read_to_string(at("fits.key")).expect("the key");
    with_mode(&dir, "read.key", &key, 0o644);
    with_mode(&dir, "written.key", &key, 0o660);
    with_mode(&dir, "no.key", "no key\n", 0o600);
    std::fs::create_dir(at("open")).expect("a folder");
    with_mode(&dir, "open/fits.key", &key, 0o600);
    mode(&at("open"), 0o777);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(at(to), at(name)).expect("a link");
    link("open/fits.key", "link-open.key");
    let ca = |cert: &str, key: &str| format!("ca = \"{cert}\", ca-key = \"{key}\"");
    let own = |cert: &str, key: &str| format!("certificate = \"{cert}\", key = \"{key}\"");
    for (tls, roots, want) in [
        (ca("fits.pem", "fits.key"), "fits.pem", &[][..]),
        (own("own-fits.pem", "own-fits.key"), "fits.pem", &[]),
        (ca("fits.pem", "read.key"), "fits.pem", &["mode 0644", "chmod 0600"]),
        (ca("fits.pem", "written.key"), "fits.pem", &["mode 0660", "chmod 0600"]),
        (own("own-fits.pem", "written.key"), "fits.pem", &["mode 0660", "chmod 0600"]),
        (ca("fits.pem", "link-open.key"), "fits.pem", &["mode 0777", "replace it", "chmod o-w"]),
        (ca("fits.pem", "no.key"), "fits.pem", &["holds no PEM private key", "BEGIN PRIVATE KEY"]),
        (ca("fits.pem", "other.key"), "fits.pem", &["its key is another's", "postward ca init"]),
        (ca("other.pem", "other.key"), "fits.pem", &["constrained to other names", "ca init"]),
        (own("own-fits.pem", "own-other.key"), "fits.pem", &["cannot be used", "own key"]),
        (ca("fits.pem", "fits.key"), "no.key", &["no.key holds no PEM certificate", "BEGIN CERT"]),
        // Both at once.
        (
            ca("fits.pem", "read.key"),
            "no.key",
            &["mode 0644", "holds no PEM certificate", "2 errors"],
        ),
        (own("own-other.pem", "own-other.key"), "fits.pem", &["covers no routed host", "ca-key"]),
    ] {
        // The address is of no machine, so that even a right configuration ends at once.
        let text = format!(
            "[[listener]]\naddress = \"192.0.2.1:8443\"\ntls = {{ {tls} }}\n[[route]]\nhosts = [\"mastodon.example\"]\n\
             platform = \"mastodon\"\n[upstream]\nextra-roots = \"{roots}\"\n[audit]\nfile = \"audit.jsonl\"\n"
        );
        let config = file(&dir, "postward.toml", &text);
        let is_warned_of = want.contains(&"covers no routed host");
        for (command, code, code_if_fine) in [("check", 3, 0), ("serve", 3, 1)] {
            let ran = postward([command, "--config", &config]);
            let is_fine = want.is_empty() || (command == "serve" && is_warned_of);
            let code = if is_fine { code_if_fine } else { code };
            assert_eq!(ran.code, code, "{command} {tls}: {}", ran.stderr);
            let said = ran.stderr.replace('\n', " ");
            for words in want {
                assert!(said.contains(words), "{command} {tls}: no `{words}` in {said}");
            }
        }
    }
}

#[test]
fn init_asks_writes_what_was_answered_and_says_what_is_next() {
    let dir = TempDir::new().expect("a temporary directory");
    let target = dir.path().join("new").display().to_string();
    let answers =
        b"bluesky, mastodon=social.clinic.example\nnonsense\ntrial\nmonitor\n\n127.0.0.1:9777\n";
    let made = postward_reading(["init", &target, "--interactive"], answers);
    insta::assert_snapshot!(made.said(dir.path()), @r"
    exit 0
    written to DIR/new/config

    Next:
      postward check --config DIR/new/config/postward.toml
      postward serve --config DIR/new/config/postward.toml
      curl --cacert DIR/new/config/ca.pem --connect-to bsky.social:443:127.0.0.1:8443 --data 'text=MRN 00412345' https://bsky.social/
    1. Which platforms do staff post to? Any of bluesky, discord, facebook, instagram, linkedin,
       matrix, pinterest, reddit, slack, telegram, threads, tiktok, tumblr, wordpress, x, youtube; and,
       with their hosts, any of activitypub, generic, mastodon, micropub, misskey, nostr
       (mastodon=HOST, or mastodon=HOST+HOST). Separate them by commas.
       [mastodon=mastodon.example] > bluesky, mastodon=social.clinic.example
    2. Who signs the certificates that devices see? `constrained`: a new authority that can vouch for
       those hosts only; `trial`: a throw-away one; or an authority you have: CERTIFICATE.pem, KEY.key
       [constrained] > nonsense
       write constrained, trial, or two files: CERTIFICATE.pem, KEY.key
       [constrained] > trial
    3. How strict? `standard`: what identifies a patient is redacted or blocked; `strict`: every finding
       is, wherever it stands; `monitor`: nothing is, but the audit says what would have been
       [standard] > monitor
    4. Where is the audit kept? One line for each post, never its text. A file in a folder that exists, such
       as /var/lib/postward/audit.jsonl; `../` is the new directory
       [../audit.jsonl] > ../audit.jsonl
    5. Where do operators look for health and metrics? An address of this machine alone, or `none`
       [127.0.0.1:9464] > 127.0.0.1:9777
    ");
    let config = format!("{target}/config/postward.toml");
    let checked = postward(["check", "--config", &config]);
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{}", checked.stdout);
    assert!(checked.stdout.contains("monitor"), "{}", checked.stdout);
    let text = std::fs::read_to_string(&config).expect("written");
    for line in [
        "[[route]]\nplatform = \"bluesky\"\n",
        "hosts = [\"social.clinic.example\"]\nplatform = \"mastodon\"\n",
        "file = \"../audit.jsonl\"\n",
        "address = \"127.0.0.1:9777\"\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let again = postward_reading(["init", &target, "--interactive"], answers);
    assert_eq!(again.code, 1, "{}", again.stderr);
    assert!(!again.stderr.contains("1. Which"), "nothing is asked in vain: {}", again.stderr);
}

#[test]
fn init_with_every_default_or_an_authority_of_ones_own_passes_check() {
    let dir = TempDir::new().expect("a temporary directory");
    let ca = dir.path().join("ca").display().to_string();
    assert_eq!(postward(["ca", "init", "--out", &ca]).code, 0);
    let own = format!("x\n{ca}/ca.pem, {ca}/ca.key\nstrict\n{ca}/audit.jsonl\nnone\n");
    for (name, answers) in [("defaults", "\n\n\n\n\n"), ("own", own.as_str())] {
        let target = dir.path().join(name).display().to_string();
        let made =
            postward_reading(["init", &target, "--interactive", "--all"], answers.as_bytes());
        assert_eq!(made.code, 0, "{}", made.stderr);
        let config = format!("{target}/config/postward.toml");
        let checked = postward(["check", "--config", &config]);
        assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{}", checked.stdout);
        assert_eq!(Path::new(&target).join("config/ca.pem").exists(), name == "defaults");
    }
}

#[test]
fn an_init_that_is_broken_off_leaves_nothing() {
    let dir = TempDir::new().expect("a temporary directory");
    let target = dir.path().join("new");
    let empty = |why: &str| {
        let left: Vec<_> = std::fs::read_dir(dir.path()).expect("readable").flatten().collect();
        assert!(left.is_empty(), "{why}: {left:?}");
    };
    let ended = postward_reading(
        [OsStr::new("init"), target.as_os_str(), OsStr::new("--interactive")],
        b"mastodon=a.example\ntrial\n",
    );
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("ended before the last question"), "{}", ended.stderr);
    empty("the answers ended");
    let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args([OsStr::new("init"), target.as_os_str(), OsStr::new("--interactive")])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"\n\n\n\n").expect("it listens");
    let mut asked = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("5. ") {
        assert!(asked.read_line(&mut said).expect("readable") > 0, "{said}");
    }
    let pid = rustix::process::Pid::from_raw(child.id().try_into().expect("small")).expect("not 0");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it lives");
    assert!(!child.wait().expect("it ends").success());
    drop(stdin);
    empty("Ctrl-C");
}

#[test]
fn every_command_has_a_page_and_shells_take_the_completions() {
    let dir = TempDir::new().expect("a temporary directory");
    let pages = dir.path().join("man1").display().to_string();
    let ran = postward(["man", &pages]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for name in [
        "postward",
        "postward-serve",
        "postward-audit-verify",
        "postward-ca-init",
        "postward-completions",
    ] {
        let page = std::fs::read_to_string(format!("{pages}/{name}.1")).expect(name);
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    let first = std::fs::read_to_string(format!("{pages}/postward.1")).expect("the first page");
    assert_eq!(postward(["man"]).stdout, first);
    assert!(
        first.contains("\n10  scan") || first.contains("\n  10  scan"),
        "the table keeps its lines: {first}"
    );
    for shell in ["bash", "zsh", "fish"] {
        let ran = postward(["completions", shell]);
        assert!(ran.code == 0 && ran.stdout.contains("interactive"), "{shell}");
        let script = file(&dir, &format!("postward.{shell}"), &ran.stdout);
        // Where a shell is installed it reads its own.
        if let Ok(read) = Command::new(shell).args(["-n", &script]).output() {
            assert!(read.status.success(), "{shell}: {read:?}");
        }
    }
    assert_eq!(postward(["completions", "tcsh"]).code, 2);
}

#[test]
fn init_and_check_say_what_they_did() {
    let dir = TempDir::new().expect("a temporary directory");
    let target = dir.path().join("new").display().to_string();
    insta::assert_snapshot!(postward(["init", &target]).said(dir.path()), @r"
    exit 0
    written to DIR/new/config
      postward.toml                  listener on https://127.0.0.1:8443, one route
      policy.toml                    what happens to a post in which something is found
      rules.d/our-hospital.toml      a rule of your own, as an example
      ca.pem, ca.key                 a throw-away certificate authority

    Next:
      postward check --config DIR/new/config/postward.toml
      postward serve --config DIR/new/config/postward.toml

    and, in another terminal, a post that is blocked before it leaves:
      curl --cacert DIR/new/config/ca.pem --connect-to mastodon.example:443:127.0.0.1:8443 \
           --data-urlencode 'status=Mr. Roe, MRN 00412345, is back with us' \
           https://mastodon.example/api/v1/statuses
    ");
    let said =
        postward(["check", "--config", &format!("{target}/config/postward.toml")]).said(dir.path());
    // Numbers are of what ships; every line that begins one stays.
    let numbers = regex::Regex::new("[0-9]+").expect("a pattern");
    let lines =
        said.lines().filter(|line| !line.starts_with("              ") || line.contains("sign-in"));
    let lines: Vec<_> = lines.map(|line| numbers.replace_all(line, "N").into_owned()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    exit N
    fine: DIR/new/config/postward.toml
      rules       N rules, N excepts, N turned off; N examples hold
      policy      N clauses, mode enforce
      platforms   N platforms, N endpoints
      routes      N route for N host on N listener
                  mastodon    N post, N media, N pass, N sign-in
      --endpoints [PLATFORM] lists the calls that are understood; any other is read, never edited
    ");
}
