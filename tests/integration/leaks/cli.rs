//! Commands that read posts, with good input and bad: what they say of it on either output.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::canary::{Canary, Search};

/// What a run may say of the posts it reads, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum May {
    /// Nothing anywhere.
    Nothing,
    /// On standard output, which is what it was asked for; nothing on standard error.
    Show,
}

/// A run of the program with posts of these canaries.
struct Run {
    name: &'static str,
    args: Vec<String>,
    input: Vec<u8>,
    may: May,
    code: i32,
}

#[test]
fn commands_say_nothing_of_the_posts_they_read_but_what_they_are_asked_for() {
    let folder = TempDir::new().unwrap();
    let canaries: Vec<Canary> = (0..40).map(|n| Canary::new(&format!("post {n}"), n)).collect();
    let search = Search::new(&canaries);
    let mut wrong = Vec::new();
    for run in runs(folder.path(), &canaries) {
        let (code, stdout, stderr) = postward(&run);
        if code != run.code {
            wrong.push(format!("{}: exit {code}: {}", run.name, stderr.escape_ascii()));
        }
        let said = search.search("standard error", &stderr);
        let shown = search.search("standard output", &stdout);
        if !said.is_empty() || (run.may == May::Nothing && !shown.is_empty()) {
            wrong.push(format!("{}: {said:?} {shown:?}", run.name));
        }
        if run.may == May::Show {
            // The control: what is asked for is there, and the search sees it.
            assert!(!shown.is_empty(), "{}: {}", run.name, stdout.escape_ascii());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lines of which none is a post, each with a canary of its own.
fn no_posts(canaries: &[Canary]) -> Vec<u8> {
    let text = |n: usize| canaries[n].numbered();
    let lines: Vec<Vec<u8>> = vec![
        json!({ "id": 0, "text": "hello" }).to_string().into(),
        format!("{{\"id\":1,\"text\":\"{}", text(0)).into(),
        format!("{{\"id\":1,\"text\":\"\\ud800{}\"}}", text(1)).into(),
        format!("{{\"id\":1,\"text\":\"\\q{}\"}}", text(2)).into(),
        format!("{{\"id\":true,\"text\":\"{}\"}}", text(3)).into(),
        format!("{{\"id\":1,\"text\":[\"{}\"]}}", text(4)).into(),
        format!("{{\"id\":1,\"text\":\"a\",\"text\":\"{}\"}}", text(5)).into(),
        format!("{{\"id\":1,\"text\":\"a\",\"platform\":{{\"{}\":1}}}}", text(6)).into(),
        format!("{{\"{}\":1}}", text(7)).into(),
        text(8).into(),
        [b"{\"id\":1,\"text\":\"\xff".as_slice(), text(9).as_bytes(), b"\"}"].concat(),
        format!("[\"{}\"]", text(10)).into(),
        format!("{{\"id\":1,\"text\":\"a\"}}{}", text(11)).into(),
    ];
    lines.join(&b'\n')
}

/// Marked posts of which none is right.
fn no_marks(canaries: &[Canary]) -> Vec<u8> {
    let text = |n: usize| canaries[n].numbered();
    let mark = |start: usize, end: usize, label: &str| json!([{ "start": start, "end": end, "label": label }]);
    let lines = [
        format!("{{\"id\":\"a\",\"text\":\"{}", text(0)),
        json!({ "id": "a", "text": text(1), "spans": mark(0, 9999, "NAME") }).to_string(),
        json!({ "id": "a", "text": text(2), "spans": mark(3, 3, "NAME") }).to_string(),
        json!({ "id": "a", "text": text(3), "spans": mark(0, 4, &text(4)) }).to_string(),
        json!({ "id": "a", "text": text(5), "spans": text(6) }).to_string(),
        json!({ "id": [text(7)], "text": text(7), "spans": [] }).to_string(),
        text(8),
    ];
    lines.join("\n").into_bytes()
}

fn runs(folder: &Path, canaries: &[Canary]) -> Vec<Run> {
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let run = |name, args: &str, input: &[u8], may, code| Run {
        name,
        args: words(args),
        input: input.to_vec(),
        may,
        code,
    };
    let (named, numbered) = (canaries[20].named(), canaries[21].numbered());
    let posts = format!("{named}\n{numbered}\n");
    let marked = json!({ "id": "a", "text": numbered, "spans": [] }).to_string() + "\n"
        + &json!({ "id": "b", "text": named, "spans": [{ "start": 0, "end": 3, "label": "NAME" }] }).to_string();
    let small = "rules = [\"embedded\"]\n[limits]\nmax-body = \"1 KiB\"\n";
    let small = file("small.toml", small.as_bytes());
    let long = format!("{numbered}{}\nhello\n", " and on".repeat(300));
    let no_posts = no_posts(canaries);
    let file_of_none = file("none.jsonl", &no_posts);
    let file_of_posts = file("posts.txt", posts.as_bytes());
    let no_marks = no_marks(canaries);
    vec![
        run("scan", "scan", posts.as_bytes(), May::Show, 0),
        run("scan, why", "scan --explain", posts.as_bytes(), May::Show, 0),
        // Ids, categories, offsets, and the text without what was found.
        run(
            "scan, for scripts",
            "scan --format jsonl --exit-code",
            posts.as_bytes(),
            May::Nothing,
            12,
        ),
        // The words that a score is made of are the post's.
        run(
            "scan, for scripts, why",
            "scan --format jsonl --explain",
            posts.as_bytes(),
            May::Show,
            0,
        ),
        run("scan of no posts", "scan --format jsonl", &no_posts, May::Nothing, 1),
        run("scan of a file of no posts", &format!("scan {file_of_none}"), b"", May::Nothing, 1),
        run(
            "scan of lines too long",
            &format!("scan --config {small}"),
            long.as_bytes(),
            May::Nothing,
            1,
        ),
        run("eval", "eval -", marked.as_bytes(), May::Nothing, 0),
        run("eval, for scripts", "eval --format json -", marked.as_bytes(), May::Nothing, 0),
        run(
            "eval, what was missed",
            "eval --missed --false-alarms -",
            marked.as_bytes(),
            May::Show,
            0,
        ),
        run("eval of bad JSON", "eval -", &no_marks, May::Nothing, 1),
        run(
            "eval of a mark outside",
            "eval -",
            no_marks.split(|&byte| byte == b'\n').nth(1).unwrap(),
            May::Nothing,
            1,
        ),
        run(
            "eval of an empty mark",
            "eval -",
            no_marks.split(|&byte| byte == b'\n').nth(2).unwrap(),
            May::Nothing,
            1,
        ),
        run(
            "eval of no label",
            "eval -",
            no_marks.split(|&byte| byte == b'\n').nth(3).unwrap(),
            May::Nothing,
            1,
        ),
        run(
            "eval of no spans",
            "eval -",
            no_marks.split(|&byte| byte == b'\n').nth(4).unwrap(),
            May::Nothing,
            1,
        ),
        run(
            "eval of no id",
            "eval -",
            no_marks.split(|&byte| byte == b'\n').nth(5).unwrap(),
            May::Nothing,
            1,
        ),
        run(
            "audit verify of posts",
            &format!("audit verify {file_of_posts}"),
            b"",
            May::Nothing,
            1,
        ),
        run(
            "audit verify of no posts",
            &format!("audit verify {file_of_none}"),
            b"",
            May::Nothing,
            1,
        ),
        run(
            "audit find in posts",
            &format!("audit find k3f7q2ma {file_of_posts}"),
            b"",
            May::Nothing,
            1,
        ),
        run(
            "audit find in no posts",
            &format!("audit find k3f7q2ma {file_of_none}"),
            b"",
            May::Nothing,
            1,
        ),
    ]
}

fn postward(run: &Run) -> (i32, Vec<u8>, Vec<u8>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args(&run.args)
        .env("RUST_LOG", "trace")
        .env("POSTWARD_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops reading early is what some runs are about.
    let _ = child.stdin.take().unwrap().write_all(&run.input);
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap_or(-1), output.stdout, output.stderr)
}

/// Keys that cannot be used are named, never quoted; so is an audit that cannot be gone on with.
#[test]
fn a_start_that_fails_says_nothing_of_keys_and_audits() {
    let folder = TempDir::new().unwrap();
    let canaries: Vec<Canary> = (0..4).map(|n| Canary::new(&format!("file {n}"), n)).collect();
    let search = Search::new(&canaries);
    let made = Command::new(env!("CARGO_BIN_EXE_postward"))
        .args(["init".as_ref(), folder.path().join("a").as_os_str()])
        .output()
        .unwrap();
    assert!(made.status.success());
    let config = folder.path().join("a/config");
    let key = config.join("ca.key");
    let fine = std::fs::read(&key).unwrap();
    let mut wrong = Vec::new();
    let mut fails = |name: &'static str, command: &str| {
        let args = vec![
            command.to_owned(),
            "--config".into(),
            config.join("postward.toml").display().to_string(),
        ];
        let run = Run { name, args, input: Vec::new(), may: May::Nothing, code: 0 };
        let (code, stdout, stderr) = postward(&run);
        if code == 0 {
            wrong.push(format!("{name}: it is fine"));
        }
        let said = [search.search("out", &stdout), search.search("err", &stderr)].concat();
        if !said.is_empty() {
            wrong.push(format!("{name}: {said:?}"));
        }
    };
    for (name, bytes) in [
        ("a key that is none", canaries[0].numbered().into_bytes()),
        (
            "a key of letters",
            [
                b"-----BEGIN PRIVATE KEY-----\n".as_slice(),
                canaries[1].secret.as_bytes(),
                b"\n-----END PRIVATE KEY-----\n",
            ]
            .concat(),
        ),
        ("a key with words", [&fine[..100], canaries[2].numbered().as_bytes()].concat()),
    ] {
        std::fs::write(&key, bytes).unwrap();
        fails(name, "check");
        fails(name, "serve");
    }
    std::fs::write(&key, &fine).unwrap();
    std::fs::write(config.join("../audit.jsonl"), canaries[3].numbered().repeat(3) + "\n").unwrap();
    fails("an audit that is none", "serve");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A roster is made of patients, and neither it nor what is said while it is made holds one.
#[test]
fn a_roster_and_its_making_hold_no_patient() {
    let folder = TempDir::new().unwrap();
    let canaries: Vec<Canary> = (0..12).map(|n| Canary::new(&format!("row {n}"), n)).collect();
    let search = Search::new(&canaries);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |args: Vec<String>, input: &[u8]| {
        let run = Run { name: "roster", args, input: input.to_vec(), may: May::Nothing, code: 0 };
        let (code, stdout, stderr) = postward(&run);
        let said = [search.search("out", &stdout), search.search("err", &stderr)].concat();
        assert_eq!(said, [], "{}", stderr.escape_ascii());
        code
    };
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(run(words(&format!("roster key {}", path("key"))), b""), 0);
    let row = |canary: &Canary| {
        format!("{},Jane,{},\"{}\",{}\n", canary.mrn, canary.name, canary.phone, canary.email)
    };
    let heading = "mrn,first_name,last_name,phone,email\n";
    let good = heading.to_owned() + &canaries[..6].iter().map(row).collect::<String>();
    let build = words(&format!("roster build --out {} --key-file {} -", path("a"), path("key")));
    assert_eq!(run(build, good.as_bytes()), 0);
    assert!(std::fs::metadata(path("a")).unwrap().len() > 100);
    // Too few columns, too many, no UTF-8, a quotation without its end; no heading at all.
    let bad = [
        heading.as_bytes(),
        canaries[6].numbered().as_bytes(),
        b"\n",
        format!("{0},{0},{0},{0},{0},{0},{0}\n", canaries[7].secret).as_bytes(),
        &[b"\xff\xfe".as_slice(), row(&canaries[8]).as_bytes()].concat(),
        format!("{},\"{}\n", canaries[9].mrn, canaries[9].name).as_bytes(),
    ]
    .concat();
    for (name, table) in [("b", &bad[..]), ("c", row(&canaries[10]).as_bytes()), ("d", b"")] {
        let line = format!("roster build --out {} --key-file {} -", path(name), path("key"));
        run(words(&line), table);
    }
    run(words(&format!("roster show {}", path("a"))), b"");
    run(words(&format!("roster show {}", path("key"))), b"");
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let file = entry.unwrap().path();
        let name = file.display().to_string();
        assert_eq!(search.search(&name, &std::fs::read(&file).unwrap()), [], "{name}");
    }
}
