//! What Postward costs beside proxies that read nothing: `HAProxy`, nginx, and a bare hyper pass-through made of the same crates.
//!
//! `cargo bench --bench proxy [-- --short] [--postward PATH]` prints a Markdown table. Everything runs on loopback and ends by
//! itself; contenders take turns within each round, so that what else the machine does strikes them alike. The figure to
//! trust is processor time a post within the proxy's own processes: on a machine of few cores the load generator, the origin
//! and the proxy share them, and latency is theirs together. `HAProxy` and nginx are left out, and named, where they are not
//! installed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark reports on the terminal and ends at the first fault"
)]

mod bare;
mod certificate;
mod contender;
mod load;
mod origin;
mod process;
mod report;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use contender::Contender;
use load::{Load, Version};
use report::{Row, Sample};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Plan {
    rounds: usize,
    seconds: f64,
    idle_connections: usize,
    starts: usize,
}

const FULL: Plan = Plan { rounds: 9, seconds: 2.0, idle_connections: 1000, starts: 5 };
const SHORT: Plan = Plan { rounds: 2, seconds: 0.5, idle_connections: 200, starts: 1 };

/// One way of asking: what a row of the table is measured under.
const BUSY_HTTP1: Load = Load { version: Version::Http1, connections: 16, streams: 1 };
const BUSY_HTTP2: Load = Load { version: Version::Http2, connections: 4, streams: 4 };
const ALONE: Load = Load { version: Version::Http1, connections: 1, streams: 1 };

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("origin") => run(origin::serve(&PathBuf::from(&arguments[1]))),
        Some("bare") => run(bare::serve(
            &PathBuf::from(&arguments[1]),
            arguments[2].parse().unwrap(),
            arguments[3].parse().unwrap(),
        )),
        _ if std::env::var_os("POSTWARD_BENCH_LIMITS").is_none() => raise_limits(&arguments),
        _ => run(measure(&arguments)),
    }
}

fn run(task: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(task);
}

/// A thousand connections need more open files than a shell grants by default; the shell can be asked for more.
fn raise_limits(arguments: &[String]) {
    let status = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 8192 2>/dev/null || ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\"",
        ])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env("POSTWARD_BENCH_LIMITS", "raised")
        .status()
        .unwrap();
    assert!(status.success(), "the benchmark ended with {status}");
}

async fn measure(arguments: &[String]) {
    let plan = if arguments.iter().any(|argument| argument == "--short") { SHORT } else { FULL };
    let postward = arguments.iter().position(|argument| argument == "--postward").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_postward")),
        |at| PathBuf::from(&arguments[at + 1]),
    );
    let folder = tempfile::tempdir().unwrap();
    certificate::write(folder.path());
    let (origin, direct) = origin::start(folder.path());
    let origin_address = origin.addresses[0];

    let mut rows: Vec<Row> = Vec::new();
    for contender in Contender::all(&postward) {
        if let Some(why) = contender.missing() {
            eprintln!("left out: {}: {why}", contender.name());
            continue;
        }
        rows.push(Row::new(contender));
    }
    eprintln!("memory and start");
    for row in &mut rows {
        measure_rest(row, plan, folder.path(), origin_address).await;
    }
    let running: Vec<_> = {
        let mut running = Vec::new();
        for row in &rows {
            running.push(row.contender.start(folder.path(), origin_address).await);
        }
        running
    };
    let mut direct_rows = Vec::new();
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        direct_rows.push(sample_direct(direct, plan, folder.path()).await);
        for turn in 0..rows.len() {
            // Another goes first each round.
            let at = (turn + round) % rows.len();
            rows[at].samples.push(sample(&running[at], plan, folder.path()).await);
        }
    }
    report::print(&rows, &direct_rows, plan.idle_connections);
    drop(running);
    drop(origin);
}

/// Memory at rest, memory an idle connection, and the time from start to the first answer.
async fn measure_rest(row: &mut Row, plan: Plan, folder: &std::path::Path, origin: SocketAddr) {
    for _ in 0..plan.starts {
        let running = row.contender.start(folder, origin).await;
        row.ready.push(running.ready_after);
        row.rest_kib.push(running.process.memory_kib());
    }
    let running = row.contender.start(folder, origin).await;
    // What the first posts make it set up is not the connections'.
    load::send(load::open_all(running.address, ALONE, folder).await, Duration::from_millis(300))
        .await;
    let before = running.process.memory_kib();
    let connections = load::open_idle(running.address, plan.idle_connections, folder).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = running.process.memory_kib();
    row.idle_kib = after.saturating_sub(before) as f64 / connections.len() as f64;
    drop(connections);
}

async fn sample(running: &contender::Running, plan: Plan, folder: &std::path::Path) -> Sample {
    let time = Duration::from_secs_f64(plan.seconds);
    let mut measured = Vec::new();
    for load in [BUSY_HTTP1, BUSY_HTTP2, ALONE] {
        let senders = load::open_all(running.address, load, folder).await;
        let before = running.process.processor_us();
        let outcome = load::send(senders, time).await;
        let spent = running.process.processor_us() - before;
        assert_eq!(outcome.n_failed, 0, "{}: posts failed", running.name);
        measured.push((spent / outcome.latencies.len() as f64, outcome));
    }
    let alone = measured.pop().unwrap();
    let http2 = measured.pop().unwrap();
    let http1 = measured.pop().unwrap();
    Sample {
        posts_per_second: http1.1.latencies.len() as f64 / plan.seconds,
        http1_us: http1.0,
        http2_us: http2.0,
        alone_us: alone.0,
        alone: alone.1.percentiles(),
        http1: http1.1.percentiles(),
        http2: http2.1.percentiles(),
    }
}

async fn sample_direct(address: SocketAddr, plan: Plan, folder: &std::path::Path) -> Sample {
    let time = Duration::from_secs_f64(plan.seconds / 2.0);
    let alone = load::send(load::open_all(address, ALONE, folder).await, time).await;
    let http1 = load::send(load::open_all(address, BUSY_HTTP1, folder).await, time).await;
    let http2 = load::send(load::open_all(address, BUSY_HTTP2, folder).await, time).await;
    Sample {
        http1_us: 0.0,
        http2_us: 0.0,
        alone_us: 0.0,
        posts_per_second: http1.latencies.len() as f64 / time.as_secs_f64(),
        alone: alone.percentiles(),
        http1: http1.percentiles(),
        http2: http2.percentiles(),
    }
}
