//! The search itself: every path in every style of log, what the kernel was asked to write, and the proof that a leak
//! would be seen.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use regex::bytes::Regex;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::canary::{Search, base64, codings};
use super::house::{ENFORCE, Style};
use super::run::{Outcome, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks_while_the_policy_is_enforced() {
    let outcome = run(ENFORCE).await;
    check(&outcome);
    assert_eq!(outcome.astray, Vec::<String>::new());
    // Both kinds of verdict were reached, or the paths are not what they say.
    let audit = String::from_utf8(outcome.file("work/audit.jsonl").to_vec()).unwrap();
    for word in ["\"verdict\":\"block\"", "\"verdict\":\"redact\"", "\"verdict\":\"forward\""] {
        assert!(audit.contains(word), "{word}");
    }
    assert!(outcome.file("work/stderr").windows(5).any(|word| word == b"DEBUG"));
    key_of_the_authority(&outcome);
    a_leak_would_be_seen(&outcome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks_while_the_policy_is_monitored() {
    check(&run(Style { mode: "monitor", log_format: "human", ..ENFORCE }).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks_past_the_files() {
    let has_strace = Command::new("strace").arg("-V").output().is_ok();
    if !has_strace || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: what the kernel is asked to write shows only to root, with strace");
        return;
    }
    let outcome = run(Style { log_format: "human", traced: true, ..ENFORCE }).await;
    check(&outcome);
    let written = to_others(&outcome);
    // It saw what the other test reads from files.
    assert!(
        written.iter().any(|(name, _)| name.ends_with("audit.jsonl")),
        "the trace was not read"
    );
    assert!(written.iter().any(|(name, _)| name.ends_with("stderr")), "the trace was not read");
    let leaks: Vec<_> = written
        .iter()
        .flat_map(|(name, bytes)| outcome.search.search(name, bytes))
        // The platform's own words to its client.
        .filter(|leak| {
            !(leak.found_in.starts_with("TCP:")
                && super::run::ANSWERED.contains(&leak.path.as_str()))
        })
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// The files, the answers and the operators' pages hold no canary.
fn check(outcome: &Outcome) {
    let leaks = outcome.leaks();
    println!(
        "{} canaries, {} patterns, {} bytes in {} places: {} found",
        outcome.canaries.len(),
        outcome.search.n_patterns(),
        outcome.n_bytes(),
        outcome.written.len(),
        leaks.len()
    );
    assert!(leaks.is_empty(), "{leaks:#?}");
    let names: Vec<&str> = outcome
        .written
        .iter()
        .map(|(name, _)| &**name)
        .filter(|name| name.starts_with("work/"))
        .collect();
    assert_eq!(
        names.len(),
        5,
        "its output, its log, its audit, and the database of it with the place up to which that has come are all that it writes: {names:?}"
    );
    assert!(outcome.file("work/audit.db").windows(8).any(|word| word == b"decision"));
    assert!(outcome.file("work/stdout").is_empty());
}

/// The key that signs leaves stands in its file alone.
fn key_of_the_authority(outcome: &Outcome) {
    let files = outcome.left.configuration();
    let (_, pem) = files.iter().find(|(name, _)| name.ends_with("ca.key")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let der = key.secret_der();
    // The number itself, without what every key of the kind has in common.
    let secret = &der[der.len() / 3..der.len() / 3 + 24];
    let mut pieces: Vec<Vec<u8>> = vec![secret.to_vec(), base64(&der[33..63])];
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    pieces.push(hex.into_bytes());
    let search = Search::exactly("the authority's key", pieces);
    assert!(!search.search("", der).is_empty());
    for (name, bytes) in &outcome.written {
        assert_eq!(search.search(name, bytes), [], "{name}");
    }
}

/// Puts a canary into the log, once in each coding, and looks again.
fn a_leak_would_be_seen(outcome: &Outcome) {
    let log = outcome.left.work().join("stderr");
    let canary = outcome.canaries.iter().find(|canary| canary.path == "bad JSON").unwrap();
    let parts =
        [&canary.name, &canary.mrn, &canary.ssn, &canary.phone, &canary.email, &canary.secret];
    for part in parts {
        for (coding, bytes) in codings(part) {
            let before = fs::read(&log).unwrap();
            let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
            file.write_all(&[b"{\"message\":\"".as_slice(), &bytes, b"\"}\n"].concat()).unwrap();
            let files = outcome.left.written();
            let leaks: Vec<_> =
                files.iter().flat_map(|(name, bytes)| outcome.search.search(name, bytes)).collect();
            assert!(!leaks.is_empty(), "{part} in {coding}");
            assert!(
                leaks.iter().all(|leak| leak.path == "bad JSON" && leak.found_in == "work/stderr"),
                "{leaks:?}"
            );
            fs::write(&log, before).unwrap();
        }
    }
}

/// What went anywhere but to a platform, by where it went.
fn to_others(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let line = Regex::new(r"(?m)^\d+ +\w+\(\d+<(?<to>[A-Za-z0-9]+:\[[^\]]*\]|[^>]*)>(?<rest>.*)$")
        .unwrap();
    let text = Regex::new(r#""((?:\\x[0-9a-f]{2})*)""#).unwrap();
    let (_, platforms) = &outcome.ports;
    let mut written: std::collections::BTreeMap<String, Vec<u8>> =
        std::collections::BTreeMap::new();
    for found in line.captures_iter(&outcome.left.trace()) {
        // The names of files are written like any other text.
        let to = if found["to"].starts_with(b"\\x") {
            unescaped(&found["to"])
        } else {
            found["to"].to_vec()
        };
        let to = String::from_utf8(to).unwrap();
        let remote = to.rsplit(':').next().unwrap().trim_end_matches(']');
        if to.starts_with("TCP:") && platforms.iter().any(|port| port.to_string() == remote) {
            continue;
        }
        let bytes = written.entry(to).or_default();
        for piece in text.captures_iter(&found["rest"]) {
            bytes.extend(unescaped(&piece[1]));
        }
    }
    written.into_iter().collect()
}

/// Bytes from `\x2f` and the like.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let byte =
        |escape: &[u8]| u8::from_str_radix(std::str::from_utf8(&escape[2..]).unwrap(), 16).unwrap();
    text.chunks(4).map(byte).collect()
}
