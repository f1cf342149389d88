//! The table: medians over the rounds, and ratios to the yardstick taken within each round before their median.

use std::fs;
use std::time::Duration;

use crate::contender::{Contender, version};

/// One contender's measurements.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contender: Contender,
    pub(crate) samples: Vec<Sample>,
    pub(crate) ready: Vec<Duration>,
    pub(crate) rest_kib: Vec<u64>,
    pub(crate) idle_kib: f64,
}

/// One contender in one round.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Processor time a post in its own processes, microseconds.
    pub(crate) http1_us: f64,
    pub(crate) http2_us: f64,
    pub(crate) alone_us: f64,
    /// Median and 99th of a hundred of the latency, microseconds.
    pub(crate) alone: (f64, f64),
    pub(crate) http1: (f64, f64),
    pub(crate) http2: (f64, f64),
    pub(crate) posts_per_second: f64,
}

impl Row {
    pub(crate) fn new(contender: Contender) -> Self {
        Self {
            contender,
            samples: Vec::new(),
            ready: Vec::new(),
            rest_kib: Vec::new(),
            idle_kib: 0.0,
        }
    }

    fn median_of(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(value))
    }

    fn ratio_to(&self, yardstick: &Self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(
            self.samples
                .iter()
                .zip(&yardstick.samples)
                .map(|(own, other)| value(own) / value(other)),
        )
    }
}

/// Prints everything. The first row is the yardstick.
pub(crate) fn print(rows: &[Row], direct: &[Sample], n_idle: usize) {
    let yardstick = &rows[0];
    println!(
        "Processor time a post within the proxy's own processes (user + system), median of {} rounds:\n",
        yardstick.samples.len()
    );
    println!(
        "| proxy | h1, 16 connections | x bare | h2, 4 x 4 streams | x bare | one at a time | x bare |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in rows {
        let column = |value: fn(&Sample) -> f64| {
            format!("{:.1} us | {:.2}", row.median_of(value), row.ratio_to(yardstick, value))
        };
        let columns = [column(|s| s.http1_us), column(|s| s.http2_us), column(|s| s.alone_us)];
        println!("| {} | {} |", row.contender.name(), columns.join(" | "));
    }
    println!(
        "\nLatency as the client sees it, p50 / p99 (load, origin and proxy share the machine):\n"
    );
    println!("| proxy | one at a time | h1, 16 connections | h2, 4 x 4 streams | posts/s (h1) |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let direct_row =
        ("none (straight to the origin)".to_owned(), direct.iter().collect::<Vec<_>>());
    let all = rows.iter().map(|row| (row.contender.name(), row.samples.iter().collect()));
    for (name, samples) in std::iter::once(direct_row).chain(all) {
        let column = |value: fn(&Sample) -> (f64, f64)| {
            let (p50, p99) = (
                median(samples.iter().map(|s| value(s).0)),
                median(samples.iter().map(|s| value(s).1)),
            );
            format!("{p50:.0} / {p99:.0} us")
        };
        let columns = [column(|s| s.alone), column(|s| s.http1), column(|s| s.http2)];
        let rate = median(samples.iter().map(|s| s.posts_per_second));
        println!("| {name} | {} | {rate:.0} |", columns.join(" | "));
    }
    println!("\nMemory and start:\n");
    println!("| proxy | at rest | an idle TLS connection (of {n_idle}) | start to first answer |");
    println!("| --- | ---: | ---: | ---: |");
    for row in rows {
        let rest = median(row.rest_kib.iter().map(|&kib| kib as f64)) / 1024.0;
        let ready = median(row.ready.iter().map(Duration::as_secs_f64)) * 1e3;
        println!(
            "| {} | {rest:.1} MiB | {:.1} KiB | {ready:.0} ms |",
            row.contender.name(),
            row.idle_kib
        );
    }
    println!("\n{}", machine());
}

/// What it was measured on.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("?", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let versions: Vec<_> = ["haproxy", "nginx"].into_iter().filter_map(version).collect();
    format!(
        "Measured on {cores} cores of {model}, Linux {}; {}.",
        kernel.trim(),
        versions.join("; ")
    )
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    if values.is_empty() { f64::NAN } else { values[values.len() / 2] }
}
