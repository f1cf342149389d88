//! What may be written behind `audit export` and `audit report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

/// Write events for other programs: CSV for spreadsheets, or JSON lines.
///
/// A file brings the rotated ones beside it along. Outcomes follow the decision of their post: with --verdict block, what
/// became of blocked posts is written, too. Exit 1 if lines had to be left out because somebody changed them.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward audit export --format csv --from 2026-10-01 --to 2026-10-31 audit.jsonl > october.csv
  postward audit export --format json --verdict block --clause numbers audit.jsonl | jq .ref")]
pub(crate) struct AuditExport {
    /// csv: a head line and a row an event, safe for spreadsheets. json: each line as the audit keeps it.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// The first day, UTC.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<Date>,
    /// The last day, UTC.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<Date>,
    /// Only of this platform; may be given several times, as all that follow.
    #[arg(long = "platform", value_name = "NAME")]
    pub(crate) platforms: Vec<String>,
    /// Only what was decided so: forward, redact or block.
    #[arg(long = "verdict", value_name = "VERDICT", value_parser = ["forward", "redact", "block"])]
    pub(crate) verdicts: Vec<String>,
    /// Only what this clause, or exception, of the policy decided.
    #[arg(long = "clause", value_name = "NAME")]
    pub(crate) clauses: Vec<String>,
    /// Only with a finding of this rule.
    #[arg(long = "rule", value_name = "ID")]
    pub(crate) rules: Vec<String>,
    /// Only with a finding of this category.
    #[arg(long = "category", value_name = "NAME")]
    pub(crate) categories: Vec<String>,
    /// Only of clients of this group.
    #[arg(long = "group", value_name = "NAME")]
    pub(crate) groups: Vec<String>,
    /// Only of this machine.
    #[arg(long = "node", value_name = "NAME")]
    pub(crate) nodes: Vec<String>,
    /// Only events of this kind: decision, outcome, reload, ...
    #[arg(long = "event", value_name = "KIND")]
    pub(crate) events: Vec<String>,
    /// The file to write, for its owner only. Left out: standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Audit files, oldest first; `-` is standard input. `sqlite:PATH` and `postgres://..` are databases.
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
}

/// How `audit export` writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A row an event.
    Csv,
    /// A line an event, as it was kept.
    Json,
}

/// Write a report on a period: one page of HTML, for people and for paper.
///
/// Posts, verdicts, platforms, categories, rules and clauses, trends, what could not be read, what was in force and what
/// changed, and whether the record is whole. No text of a post and no client is in it. Exit 1 if the chain is broken;
/// the report is written all the same, and says so first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward audit report --from 2026-10-01 --to 2026-10-31 --out october.html audit.jsonl
  postward audit report --from 2026-10-01 --to 2026-12-31 --config postward.toml --out quarter.html edge-1.jsonl sqlite:audit.db")]
pub(crate) struct AuditReport {
    /// The first day, UTC.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Date,
    /// The last day, UTC.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Date,
    /// The file to write, for its owner only.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The configuration whose policy says which exceptions there are and when they end.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How many hours without a line are worth a row.
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(crate) silence: u32,
    /// Audit files of one or several machines, `sqlite:PATH` or `postgres://..`; `-` is standard input.
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
}
