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
    &["config"],
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
    for file in sources() {
        // With the tests, and without the words of comments and texts.
        let text = fs::read_to_string(&file.path).unwrap();
        let code = Regex::new(r#"(?m)^\s*//.*$|"(?:\\.|[^"\\])*""#).unwrap();
        let code = code.replace_all(&text, "");
        // The map of the roster's file: once allowed, once used.
        let most = if file.path.ends_with("roster/open.rs") { 2 } else { 0 };
        let n = unsafe_code.find_iter(&code).count();
        assert!(n <= most, "{} has unsafe code", file.path.display());
    }
}
