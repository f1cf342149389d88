//! What a roster costs and finds: `cargo bench --bench roster` (100 thousand and a million invented patients), or
//! `cargo bench --bench roster -- 10000000`. `-- --ordinary FILE.jsonl ..` also counts false matches on posts with `text`.
//!
//! Names are drawn by the real frequencies of the shipped lists, everything else by chance. Each size runs in a process
//! of its own, so that its peak of memory is its own. The baseline is a sorted table of plain text, searched by halving.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark may stop at the first surprise, prints, and rounds"
)]

mod people;
mod posts;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::date;
use postward::detect::{Engine, Piece};
use postward::roster::{FileBuilder, Index, Key, Live, Roster, number_form};
use postward::rules::{Confidence, RuleSet};

use people::{People, Person};

const ORDINARY: &str = "So proud of our whole team on nights this week. Twelve admissions, two codes, one pizza that \
    nobody got to eat, and still everyone stayed kind to each other. If you are thinking about nursing school, come and \
    shadow us for a shift. Bring good shoes, a snack and a sense of humor, you will need all";

const NAMES: &str = "Congratulations to Dr. Priscilla Montague and Terrence Blackwood on the new Harmon wing. Our whole \
    respiratory team, Keisha, Marguerite and old Stanislaus included, was there with cake. If you missed it, Abernathy \
    filmed the speeches, and Josephine has the pictures up by the clock in the Delacroix hallway today";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let Some(size) = args.iter().position(|arg| arg == "--one") {
        let n = args[size + 1].parse().unwrap();
        one(n, &args[size + 2..]);
        return;
    }
    let at = args.iter().position(|arg| arg == "--ordinary").unwrap_or(args.len());
    let (sizes, ordinary) = args.split_at(at);
    let default = ["100000".to_owned(), "1000000".to_owned()];
    let sizes = if sizes.is_empty() { &default[..] } else { sizes };
    for n in sizes {
        let mut run = Command::new(std::env::current_exe().unwrap());
        run.args(["--one", n]).args(ordinary.iter().skip(1));
        assert!(run.status().unwrap().success());
    }
}

fn today() -> jiff::civil::Date {
    date(2026, 11, 23)
}

/// Everything about one size.
fn one(n: usize, ordinary: &[String]) {
    let people = People::new(n);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roster.pwr");
    let key = Key::of(&[7; 32]).unwrap();
    println!("\n{n} patients");
    build(&people, &file, &key);
    let (index, opened) = timed(|| Index::open(&file, &key).unwrap());
    println!("  open            {:.1} ms", opened.as_secs_f64() * 1e3);
    let (whole, checked) = timed(|| index.check_whole());
    println!(
        "  check of all    {:.0} ms: {}",
        checked.as_secs_f64() * 1e3,
        if whole { "whole" } else { "ALTERED" }
    );
    look_ups(&people, &index);
    if n <= 1_000_000 {
        baseline(&people);
    }
    let roster = Roster { indexes: vec![Arc::new(index)], recent: 30, ..Roster::default() };
    let plain = Engine::build(&RuleSet::embedded()).unwrap();
    let engine =
        Engine::build(&RuleSet::embedded()).unwrap().with_roster(Arc::new(Live::new(roster)));
    for (what, text) in [("ordinary", ORDINARY), ("names", NAMES)] {
        let (with, without) = (per_post(&engine, text), per_post(&plain, text));
        println!(
            "  280-byte post   {what}: {with:.1} us with, {without:.1} us without: {:+.1} us",
            with - without
        );
    }
    recall(&people, &engine);
    for path in ordinary {
        false_matches(&engine, path);
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

fn build(people: &People, file: &Path, key: &Key) {
    let built: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let (summary, time) = timed(|| {
        let mut builder = FileBuilder::create(file, key, built).unwrap();
        for n in 0..people.len() {
            builder.add(&people.person(n).patient()).unwrap();
        }
        builder.finish_at(file).unwrap()
    });
    let about = summary.about;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("?")
        .trim()
        .to_owned();
    println!("  build           {:.1} s, peak memory {peak}", time.as_secs_f64());
    println!(
        "  size            {} MB, {:.1} bytes a patient; {} words; {} in the house",
        about.n_bytes / 1_000_000,
        about.n_bytes as f64 / about.n_patients as f64,
        about.n_words,
        about.n_in_house,
    );
}

/// Half of the look-ups are of numbers and words that are there, half of others; their forms are made before.
fn look_ups(people: &People, index: &Index) {
    const MANY: usize = 1_000_000;
    let numbers: Vec<String> = (0..MANY)
        .map(|nth| {
            let person = people.person(nth.wrapping_mul(7919) % people.len());
            let mrn = if nth % 2 == 0 { person.mrn } else { person.mrn + 500_000_000 };
            number_form(&mrn.to_string()).unwrap().whole
        })
        .collect();
    let (found, time) =
        timed(|| numbers.iter().filter(|form| !index.number(form).is_empty()).count());
    rate("numbers", MANY, found, time);
    let words: Vec<String> = (0..MANY)
        .map(|nth| {
            let person = people.person(nth.wrapping_mul(104_729) % people.len());
            if nth % 2 == 0 { person.family.to_owned() } else { format!("{}qx", person.family) }
        })
        .collect();
    let (found, time) = timed(|| words.iter().filter(|word| index.word(word).is_some()).count());
    rate("words", MANY, found, time);
}

fn rate(what: &str, n: usize, found: usize, time: Duration) {
    let millions = n as f64 / time.as_secs_f64() / 1e6;
    println!("  look-ups        {what}: {millions:.2} million a second, {found} of {n} found");
}

/// Numbers, telephones, addresses of mail and names with a birthday as sorted lines.
fn baseline(people: &People) {
    let (lines, time) = timed(|| {
        let mut lines: Vec<String> = Vec::with_capacity(people.len() * 4);
        for n in 0..people.len() {
            let Person { mrn, phone, email, given, family, birth, .. } = people.person(n);
            lines.extend([mrn.to_string(), phone, email, format!("{given} {family} {birth}")]);
        }
        lines.sort_unstable();
        lines
    });
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    let asked: Vec<String> = (0..1_000_000)
        .map(|nth| people.person(nth * 7919 % people.len()).mrn.to_string())
        .collect();
    let (found, searched) =
        timed(|| asked.iter().filter(|mrn| lines.binary_search(mrn).is_ok()).count());
    println!(
        "  plain baseline  {} MB as text, {:.1} bytes a patient, sorted in {:.1} s; {:.2} million look-ups a second ({found} found)",
        bytes / 1_000_000,
        bytes as f64 / people.len() as f64,
        time.as_secs_f64(),
        1.0 / searched.as_secs_f64(),
    );
}

/// Microseconds for one post, the least of several rounds.
fn per_post(engine: &Engine, text: &str) -> f64 {
    let round = || {
        let ((), time) = timed(|| {
            for _ in 0..500 {
                black_box(engine.scan(black_box(&[Piece { text, label: None }]), today()));
            }
        });
        time.as_secs_f64() * 1e6 / 500.0
    };
    (0..12).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// How many of the ways to write a patient are found, and how many near misses.
fn recall(people: &People, engine: &Engine) {
    let mut counts: BTreeMap<&'static str, [usize; 2]> = BTreeMap::new();
    let found = |text: &str, part: &str| {
        let scan = engine.scan(&[Piece { text, label: None }], today());
        let from = text.find(part).unwrap();
        let to = from + part.len();
        let of_roster =
            scan.findings.iter().flatten().filter(|it| it.rule.as_str().starts_with("roster-"));
        let mut covering = of_roster.filter(|it| it.confidence >= Confidence::Medium);
        covering.any(|it| it.span.start() < to && it.span.end() > from)
    };
    let mut missed: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for person in people.in_house().take(400) {
        for post in posts::variants(&person) {
            let count = counts.entry(post.variant).or_default();
            count[1] += 1;
            if found(&post.text, &post.part) {
                count[0] += 1;
            } else {
                missed.entry(post.variant).or_default().push(post.text);
            }
        }
    }
    let (found_all, all) =
        counts.values().fold((0, 0), |sum, count| (sum.0 + count[0], sum.1 + count[1]));
    println!(
        "  variants        {found_all} of {all} found, {:.2} %",
        100.0 * found_all as f64 / all as f64
    );
    for (variant, [found, all]) in counts.iter().filter(|(_, [found, all])| found < all) {
        println!("                  {variant}: {found} of {all}");
    }
    if std::env::var_os("ROSTER_MISSED").is_some() {
        for (variant, posts) in missed {
            for post in posts.iter().take(12) {
                println!("                  {variant}: {post}");
            }
        }
    }
    let (mut wrong, mut tried) = (0, 0);
    for nth in 0..2000 {
        let stranger = people.stranger(nth);
        tried += 1;
        let name = format!("{} {}", stranger.given, stranger.family);
        wrong += usize::from(found(&format!("Thanks to {name} for the talk on Friday"), &name));
    }
    println!("  strangers       {wrong} of {tried} near misses found");
}

/// Ordinary posts in which the roster finds somebody.
fn false_matches(engine: &Engine, path: &str) {
    let (mut wrong, mut all) = (0_u32, 0_u32);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let post: serde_json::Value = serde_json::from_str(line).unwrap();
        if post.get("kind").is_some_and(|kind| kind != "clean") {
            continue;
        }
        let text = post["text"].as_str().unwrap();
        let scan = engine.scan(&[Piece { text, label: None }], today());
        let acted = scan.findings.iter().flatten().any(|finding| {
            finding.rule.as_str().starts_with("roster-")
                && finding.confidence >= Confidence::Medium
                && scan.care.speaks_of_care
        });
        all += 1;
        wrong += u32::from(acted);
    }
    let name = Path::new(path).file_name().unwrap().display();
    println!(
        "  false matches   {wrong} of {all} ordinary posts, {:.2} %: {name}",
        100.0 * f64::from(wrong) / f64::from(all)
    );
}
