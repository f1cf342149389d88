//! Keeps the arrows of `ARCHITECTURE.md`: which room may import which, what the pure half may not touch, how long a
//! file may grow. Reads the sources as text, tests aside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The house, from the ground up. Rooms on one line never import each other.
const LAYERS: [&[&str]; 14] = [
    &["span"],
    &["phi", "diagnostic"],
    &["media"],
    &["normalize", "rules", "redact", "body"],
    &["roster"],
    &["detect", "platform"],
    &["policy"],
    &["inspect"],
    &["audit"],
    &["config", "report"],
    &["proxy", "admin", "sandbox"],
    &["app"],
    &["cli"],
    &["lib", "main"],
];

/// The rooms that decide: no sockets, no files, no clock.
const PURE: [&str; 12] = [
    "span",
    "phi",
    "diagnostic",
    "media",
    "normalize",
    "rules",
    "redact",
    "body",
    "detect",
    "platform",
    "policy",
    "inspect",
];

const IMPURE: &str = r"\b(?:tokio|hyper|hyper_util|rustls|tokio_rustls|aws_lc_rs)::|\bstd::(?:fs|env|process|thread::(?:spawn|sleep))\b|\bstd::net::(?:Tcp|Udp)|\bTcpStream\b|\bSystemTime\b|\bInstant\b|Timestamp::now|Zoned::now";

const MOST_LINES: usize = 600;

struct File {
    path: PathBuf,
    room: String,
    /// Production lines: everything before the tests, comments stripped.
    code: String,
    n_lines: usize,
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    assert!(files.len() > 40, "the sources were not found");
    files
}

fn collect(source: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(source, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_name().unwrap() != "tests.rs"
        {
            let text = fs::read_to_string(&path).unwrap();
            let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: Vec<&str> = production
                .lines()
                .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
                .collect();
            let first = path.strip_prefix(source).unwrap().components().next().unwrap();
            let room =
                Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
            files.push(File {
                path,
                room,
                n_lines: production.lines().count(),
                code: code.join("\n"),
            });
        }
    }
}

fn layer(room: &str) -> usize {
    LAYERS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| {
        panic!("room `{room}` has no place in LAYERS: give it one here and in ARCHITECTURE.md")
    })
}

#[test]
fn a_room_imports_only_rooms_below_it() {
    let import = Regex::new(r"\bcrate::(\{[^;]*?\}|[a-z_]+)").unwrap();
    let name = Regex::new(r"(?:^|[{,])\s*([a-z_]+)").unwrap();
    let mut faults = BTreeSet::new();
    let mut n_imports = 0;
    for file in sources() {
        for found in import.captures_iter(&file.code) {
            let rooms = &found[1];
            let rooms: Vec<&str> = if rooms.starts_with('{') {
                name.captures_iter(rooms).map(|room| room.get(1).unwrap().as_str()).collect()
            } else {
                vec![rooms]
            };
            for room in rooms {
                n_imports += 1;
                if room != file.room && layer(room) >= layer(&file.room) {
                    faults.insert(format!("{} imports `{room}`", file.path.display()));
                }
            }
        }
    }
    assert!(n_imports > 70, "only {n_imports} imports were seen: the test reads the wrong thing");
    assert!(faults.is_empty(), "arrows that point the wrong way:\n{faults:#?}");
}

#[test]
fn the_deciding_half_is_pure() {
    let impure = Regex::new(IMPURE).unwrap();
    let faults: Vec<String> = sources()
        .iter()
        .filter(|file| PURE.contains(&file.room.as_str()))
        .filter_map(|file| {
            Some(format!("{}: `{}`", file.path.display(), impure.find(&file.code)?.as_str()))
        })
        .collect();
    assert!(faults.is_empty(), "I/O or a clock in a pure room:\n{faults:#?}");
}

#[test]
fn files_stay_small() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|file| file.n_lines > MOST_LINES)
        .map(|file| format!("{}: {} lines", file.path.display(), file.n_lines))
        .collect();
    assert!(long.is_empty(), "look for the second idea in:\n{long:#?}");
}

#[test]
fn every_file_says_why_it_exists() {
    for file in sources() {
        let text = fs::read_to_string(&file.path).unwrap();
        assert!(text.starts_with("//!"), "{} has no opening sentence", file.path.display());
    }
}

#[test]
fn nothing_outside_the_repository_is_needed() {
    let outside = Regex::new(r"\.\./shared|/work/shared").unwrap();
    for file in sources() {
        assert!(
            !outside.is_match(&file.code),
            "{} reaches outside the repository",
            file.path.display()
        );
    }
}

#[test]
fn no_file_but_one_allows_unsafe_code() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"), "the manifest denies it");
    let unsafe_code = Regex::new(r"\bunsafe\b|\bunsafe_code\b|no_mangle|export_name").unwrap();
    let words = Regex::new(r#"(?m)^\s*//.*$|"(?:\\.|[^"\\])*""#).unwrap();
    for file in sources() {
        // With the tests, and without the words of comments and texts.
        let text = fs::read_to_string(&file.path).unwrap();
        let code = words.replace_all(&text, "");
        // The map of the roster's file: once allowed, once used.
        let most = if file.path.ends_with("roster/open.rs") { 2 } else { 0 };
        let n = unsafe_code.find_iter(&code).count();
        assert!(n <= most, "{} has unsafe code", file.path.display());
    }
}

/// Where posts, patients and what clients send pass through.
const OF_POSTS: [&str; 16] = [
    "media/",
    "normalize/",
    "redact/",
    "body/",
    "detect/",
    "platform/answer.rs",
    "platform/bound/",
    "platform/markup/",
    "platform/offsets/",
    "policy/judge.rs",
    "inspect/",
    "audit/",
    "roster/",
    "proxy/",
    "cli/scan/",
    "cli/eval/",
];

/// What may derive `Debug` there although it holds texts or bytes: nothing of a client's or a patient's is in it.
const PRINTABLE: [(&str, &str); 17] = [
    (
        "Expiry Family Page",
        "names of files, and the page of metrics: names of the configuration and numbers",
    ),
    (
        "AuditSettings Backlog BrokenLink ChainReport Names Clock Entry EntryFinding EntryShadow Event Found HeldChain SinkFault SinkSettings SinkStatus SyslogSettings Wanted What Writer Batch Change Known",
        "the audit's own, and it holds no text",
    ),
    ("Answer AnswerTemplate End Splice", "our own words"),
    (
        "Candidate Explained Finding Judged Proposal Weighed",
        "generalised forms that Safe Harbor allows; parts show no word",
    ),
    ("Coverage Inspection JudgedFinding", "platforms' own templates; verdicts print lengths"),
    (
        "CorpusError Fault InputError",
        "names of files and numbers of lines, and labels that look like labels",
    ),
    (
        "CaError CaFiles DecidedBy Gateway Leaves Offsets Place PlatformCounters Routes Target TlsSetupError",
        "configuration",
    ),
    ("UnknownPlatform Columns Way Origin", "configuration"),
    ("Sorted Word Words", "lists that ship with the program"),
    ("Part", "what is put in place of a file's words: blanks"),
    ("BadRow SourceError Taken", "numbers of lines, and reasons of a fixed set"),
    ("Bytes Hash Hashes Overlay", "hashes"),
    ("About Head", "a roster's counts, and the id of its key"),
    ("Count Shape", "kinds of things that are called like types"),
    ("Boxed", "the four letters of a kind of box"),
    ("Shadowed", "a verdict's name and a count"),
    ("Out", "what the fuzzers' check of the filter compares; no request of a client gets there"),
];

/// Every type that holds words or bytes and derives `Debug` in the rooms of posts is known to hold none of theirs: a
/// derived `Debug` prints all that it holds, and one `{:?}` anywhere is a leak.
#[test]
fn nothing_that_holds_a_post_prints_itself() {
    let derived = Regex::new(
        r"#\[derive\([^)]*\bDebug\b[^)]*\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum)\s+(?<name>\w+)[^{;(]*(?<open>[{(])",
    )
    .unwrap();
    let texts = Regex::new(
        r"\b(?:String|str|Bytes|BytesMut|Cow|Uri|HeaderMap|HeaderName|HeaderValue|Parts|RawValue)\b|\[u8\b|Vec<u8>",
    )
    .unwrap();
    let attribute = Regex::new(r"#\[[^\]]*\]").unwrap();
    let printable: BTreeSet<&str> =
        PRINTABLE.iter().flat_map(|(names, _)| names.split(' ')).collect();
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    let mut n_seen = 0;
    for file in sources().iter().filter(|file| is_of_posts(file)) {
        for found in derived.captures_iter(&file.code) {
            n_seen += 1;
            let from = found.get(0).unwrap().end() - 1;
            let body = enclosed(file.code.get(from..).unwrap());
            if !texts.is_match(&attribute.replace_all(body, "")) {
                continue;
            }
            let name = found["name"].to_owned();
            if !printable.contains(name.as_str()) {
                faults.push(format!("{}: {name}", file.path.display()));
            }
            used.insert(name);
        }
    }
    assert!(n_seen > 100, "only {n_seen} types were seen: the test reads the wrong thing");
    assert!(
        faults.is_empty(),
        "write `Debug` by hand, without the text, or say in PRINTABLE why not:\n{faults:#?}"
    );
    let unused: Vec<_> = printable.iter().filter(|name| !used.contains(**name)).collect();
    assert!(unused.is_empty(), "no longer needed in PRINTABLE: {unused:?}");
}

fn is_of_posts(file: &File) -> bool {
    let path = file.path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    OF_POSTS.iter().any(|of| path.to_str().unwrap().starts_with(of))
}

/// What stands between the first bracket and its partner.
fn enclosed(code: &str) -> &str {
    let mut depth = 0_usize;
    for (at, letter) in code.char_indices() {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return code.get(..at).unwrap();
        }
    }
    code
}

/// What log lines may write with `%` and `?`: everything else is a number, a flag, or a word of ours.
const LOGGED: [(&str, &str); 23] = [
    ("self.audit().head()", "a hash"),
    ("running.audit().head()", "a hash"),
    ("in_force.hashes.config", "a hash"),
    ("in_force.hashes.rules", "a hash"),
    ("in_force.hashes.policy", "a hash"),
    ("self.server.addresses()", "the listeners' own addresses"),
    ("warning", "what `check` says of a configuration file, read while no client is"),
    ("self.audit.head()", "a hash"),
    ("running.audit.head()", "a hash"),
    ("self.link.hash", "a hash"),
    ("running.addresses()", "the listeners' own addresses"),
    ("error", "of the system or the audit, never of a parser: none holds what was sent"),
    ("error.kind()", "a kind of the system's"),
    ("kind", "a kind of the system's"),
    ("platform.id()", "a platform's name, from its file"),
    ("passage.target.platform.id()", "a platform's name, from its file"),
    ("passage.target.pattern", "a route's host as the configuration writes it, never the client's"),
    ("passage.reference()", "eight letters of our own making"),
    ("inspection.reference", "eight letters of our own making"),
    ("inspection.endpoint", "a platform's own template"),
    ("address", "the address of a connection"),
    ("peer", "the address of a connection"),
    ("of.client", "the address of a connection"),
];
/// The same, where the name alone is written.
const LOGGED_BY_NAME: [(&str, &str); 2] =
    [("fault", "a fault of framing, which has no text"), ("lacking", "what the kernel lacks")];

/// Log lines are a constant message and fields; what a client sent is in none of them.
#[test]
fn log_lines_write_nothing_that_a_client_sent() {
    let line = Regex::new(r"\b(?:tracing::)?(?:error|warn|info|debug|trace)!\(").unwrap();
    let written = Regex::new(r"[%?]\s*((?:self|[a-z_]+)(?:(?:\.|::)[a-z_]+|\(\))*)").unwrap();
    let known: BTreeSet<&str> =
        LOGGED.iter().chain(&LOGGED_BY_NAME).map(|(expression, _)| *expression).collect();
    let mut faults = Vec::new();
    let mut n_lines = 0;
    for file in sources() {
        for found in line.find_iter(&file.code) {
            n_lines += 1;
            let body = enclosed(file.code.get(found.end() - 1..).unwrap());
            // A message with a hole in it writes whatever fills it.
            let message = body.split('"').nth(1).unwrap_or_default();
            if message.contains('{') {
                faults.push(format!("{}: \"{message}\"", file.path.display()));
            }
            let fields: String = body.split('"').step_by(2).collect();
            for field in written.captures_iter(&fields) {
                if !known.contains(&field[1]) {
                    faults.push(format!("{}: {}", file.path.display(), &field[0]));
                }
            }
        }
    }
    assert!(n_lines > 15, "only {n_lines} log lines were seen: the test reads the wrong thing");
    assert!(
        faults.is_empty(),
        "say in LOGGED why no client sends it, or leave it out:\n{faults:#?}"
    );
}
