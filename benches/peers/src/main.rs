//! What postward's engine costs beside a published scanner of sensitive data, side by side in one process on one thread.
//!
//! Three tables: the staff posts, each read by both in turn; texts of growing length, whose cost must grow in step; and
//! a fuzzed set, whose worst input must stay near the mean. See the README beside this crate for what is compared.

mod fuzz;
mod peer;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::time::Instant;

use jiff::civil::{Date, date};
use postward::detect::{Engine, Piece};
use postward::rules::RuleSet;

use peer::Peer;

/// The day on which everything is read: findings do not depend on when the bench runs.
const TODAY: Date = date(2026, 11, 22);

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    /// How often every post is read.
    rounds: usize,
    /// Only the engine of postward, for a profiler.
    alone: bool,
    /// Print no tables of length and of fuzzed texts.
    posts_only: bool,
    /// A file for all findings over every file of posts, for a comparison before and after a change.
    findings: Option<String>,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { rounds: 9, ..Self::default() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--alone" => options.alone = true,
                "--posts-only" => options.posts_only = true,
                "--findings" => options.findings = Some(value()?),
                _ => {
                    return Err(
                        "usage: [--rounds N] [--alone] [--posts-only] [--findings FILE]".into()
                    );
                }
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse()?;
    let rules = RuleSet::embedded();
    let engine = Engine::build(&rules).map_err(|_| "the shipped rules do not compile")?;
    if let Some(path) = &options.findings {
        return Ok(fs::write(path, findings(&engine, &posts("")?))?);
    }
    let mut readers: Vec<(String, Reader<'_>)> = vec![("postward".into(), Reader::Ours(&engine))];
    let plain = Peer::build(&rules, false)?;
    let keyed = Peer::build(&rules, true)?;
    if !options.alone {
        let words = [(&plain, "patterns alone"), (&keyed, "patterns beside their keywords")];
        for (peer, words) in words {
            println!(
                "dd-sensitive-data-scanner, {words}: {} of {} patterns",
                peer.n_taken, peer.n_patterns
            );
        }
        readers.push(("dd-sds".into(), Reader::Peer(&plain)));
        readers.push(("dd-sds, keywords".into(), Reader::Peer(&keyed)));
    }
    let posts = posts("staff-posts.")?;
    side_by_side(&readers, &posts, options.rounds);
    if !options.posts_only {
        by_length(&readers, &posts, options.rounds);
        fuzzed(&readers, &posts, options.rounds);
    }
    Ok(())
}

/// One that reads posts.
#[derive(Clone, Copy)]
enum Reader<'a> {
    Ours(&'a Engine),
    Peer(&'a Peer),
}

impl Reader<'_> {
    /// How long one reading takes, in nanoseconds.
    fn time(self, text: &mut String) -> f64 {
        let start = Instant::now();
        match self {
            Self::Ours(engine) => {
                std::hint::black_box(engine.scan(&[Piece { text, label: None }], TODAY));
            }
            Self::Peer(peer) => {
                std::hint::black_box(peer.scan(text));
            }
        }
        start.elapsed().as_secs_f64() * 1e9
    }

    /// The shortest of some readings: what the text costs, not what else the machine did meanwhile.
    fn shortest(self, text: &mut String, rounds: usize) -> f64 {
        (0..rounds).map(|_| self.time(text)).fold(f64::INFINITY, f64::min)
    }
}

/// The texts of the files of posts whose names begin so, in order.
fn posts(prefix: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/posts");
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(prefix) && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut posts = Vec::new();
    for path in paths {
        for line in fs::read_to_string(path)?.lines() {
            let post: serde_json::Value = serde_json::from_str(line)?;
            posts.extend(post.get("text").and_then(|text| text.as_str()).map(str::to_owned));
        }
    }
    Ok(posts)
}

fn side_by_side(readers: &[(String, Reader<'_>)], posts: &[String], rounds: usize) {
    let n_bytes: usize = posts.iter().map(String::len).sum();
    let mut posts = posts.to_vec();
    let mut shortest = vec![vec![f64::INFINITY; posts.len()]; readers.len()];
    let mut sums = vec![0.0; readers.len()];
    for round in 0..=rounds {
        for (at, post) in posts.iter_mut().enumerate() {
            for turn in 0..readers.len() {
                // Whoever comes first finds the post in no cache, so they take turns.
                let nth = (turn + at + round) % readers.len();
                let time = readers[nth].1.time(post);
                // The first round warms up.
                if round > 0 {
                    shortest[nth][at] = shortest[nth][at].min(time);
                    sums[nth] += time;
                }
            }
        }
    }
    println!(
        "\n{} staff posts, {n_bytes} bytes, each read {rounds} times; microseconds a post, the shortest of its readings",
        posts.len()
    );
    println!("| | mean | median | p99 | worst | MB/s | postward / this | mean of all readings |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let count = posts.len() as f64;
    let ours: f64 = shortest[0].iter().sum::<f64>() / count;
    for (((name, _), times), sum) in readers.iter().zip(&mut shortest).zip(sums) {
        times.sort_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / count;
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] / 1e3;
        println!(
            "| {name} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {:.1} |",
            mean / 1e3,
            at(0.5),
            at(0.99),
            at(1.0),
            n_bytes as f64 / (mean * count) * 1e3,
            ours / mean,
            sum / count / rounds as f64 / 1e3,
        );
    }
}

/// Posts one under the other, cut at a length.
fn long_text(posts: &[String], bytes: usize) -> String {
    let mut text = String::new();
    for post in posts.iter().cycle() {
        text.push_str(post);
        text.push('\n');
        if text.len() >= bytes {
            break;
        }
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

fn by_length(readers: &[(String, Reader<'_>)], posts: &[String], rounds: usize) {
    println!("\nlinear in length: staff posts one under the other as one text; nanoseconds a byte");
    print!("| bytes |");
    readers.iter().for_each(|(name, _)| print!(" {name} |"));
    println!("\n| ---: |{}", " ---: |".repeat(readers.len()));
    for power in (10..=20).step_by(2) {
        let bytes = 1_usize << power;
        let mut text = long_text(posts, bytes);
        let mut row = format!("| {bytes} |");
        for (_, reader) in readers {
            let time = reader.shortest(&mut text, rounds.min(1 + (1 << 22) / bytes));
            let _ = write!(row, " {:.0} |", time / text.len() as f64);
        }
        println!("{row}");
    }
}

/// The cost of each fuzzed text beside the mean cost of a byte of the staff posts.
fn fuzzed(readers: &[(String, Reader<'_>)], posts: &[String], rounds: usize) {
    println!("\nfuzzed texts; nanoseconds a byte, and as many times the mean of the set");
    for bytes in [280, 4 << 10, 64 << 10] {
        let mut texts = fuzz::texts(posts, bytes);
        for (name, reader) in readers {
            let mut costs: Vec<(f64, &str)> = texts
                .iter_mut()
                .map(|(kind, text)| {
                    let rounds = rounds.min(1 + (1 << 20) / bytes);
                    let time = reader.shortest(text, rounds);
                    (time / text.len() as f64, kind.as_str())
                })
                .collect();
            let mean = costs.iter().map(|(cost, _)| cost).sum::<f64>() / costs.len() as f64;
            costs.sort_by(|a, b| b.0.total_cmp(&a.0));
            let worst: Vec<String> = costs
                .iter()
                .take(6)
                .map(|(cost, kind)| format!("{kind} {cost:.0} ({:.1} x)", cost / mean))
                .collect();
            println!(
                "{name}, {} texts of {bytes} bytes: mean {mean:.0}; worst {}",
                costs.len(),
                worst.join(", ")
            );
        }
    }
}

/// Every finding of every post, a line each, and no text.
fn findings(engine: &Engine, posts: &[String]) -> String {
    let mut lines = String::new();
    let mut hasher = DefaultHasher::new();
    for (at, text) in posts.iter().enumerate() {
        let scan = engine.scan(&[Piece { text, label: None }], TODAY);
        let _ =
            writeln!(lines, "{at} {:08x} {}", scan.care.score.to_bits(), scan.care.speaks_of_care);
        for finding in scan.findings.iter().flatten() {
            hasher.write(finding.generalized.as_deref().unwrap_or_default().as_bytes());
            let _ = writeln!(
                lines,
                "{at} {} {} {} {} {} {:x}",
                finding.rule.as_str(),
                finding.span.start(),
                finding.span.end(),
                finding.confidence.as_str(),
                finding.standalone,
                hasher.finish(),
            );
        }
    }
    lines
}
