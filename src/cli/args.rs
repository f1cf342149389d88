//! What may be written on the command line. The words here are what a stranger reads first.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

pub(crate) use crate::cli::evidence::args::{AuditExport, AuditReport, ExportFormat};
use crate::cli::exit::Exit;
use crate::cli::init;
use crate::cli::pages;

/// Keeps patients' identifiers out of what hospital staff post.
///
/// Postward is a reverse proxy at the hospital's network edge. It reads each outgoing post, finds what identifies a
/// patient (the 18 identifiers of HIPAA Safe Harbor), and forwards, redacts or blocks the post by a policy.
#[derive(Debug, Parser)]
#[command(name = "postward", version, max_term_width = 100, disable_help_subcommand = true, after_help = root_help())]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn root_help() -> String {
    format!(
        "First steps:\n  \
         postward demo                                 see it work, on this machine, with nothing set up\n  \
         postward init ./postward                      write a configuration to start from\n  \
         postward check --config ./postward/config/postward.toml\n  \
         postward serve --config ./postward/config/postward.toml\n\n{}",
        Exit::table()
    )
}

/// A subcommand; each says itself what it does, above its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    Demo(Demo),
    Init(init::Args),
    Check(Check),
    Health(Health),
    Scan(Scan),
    Diff(Diff),
    Eval(Eval),
    /// The hospital's own certificate authority.
    #[command(subcommand, arg_required_else_help = true)]
    Ca(Ca),
    /// The audit trail.
    #[command(subcommand, arg_required_else_help = true)]
    Audit(Audit),
    /// The hospital's own patients, as keyed hashes.
    #[command(subcommand, arg_required_else_help = true)]
    Roster(Roster),
    Man(pages::Man),
    Completions(pages::Completions),
}

/// The hospital's own patients, as keyed hashes.
#[derive(Debug, Subcommand)]
pub(crate) enum Roster {
    Key(RosterKey),
    Build(RosterBuild),
    Listen(RosterListen),
    Show(RosterShow),
    Test(RosterTest),
}

/// Make a secret key for rosters.
///
/// Writes a new key that only its owner may read (mode 0600) to a file that does not exist yet. Keep it apart from the
/// roster: who has both can find out by guessing who is on it.
#[derive(Args, Debug)]
pub(crate) struct RosterKey {
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Build a roster from what other systems export of patients.
///
/// Reads CSV tables (comma, semicolon, tab or bar; headings in the first line), FHIR (a Bulk Data export by lines, or one
/// Bundle: Patient, and Encounter, Location and RelatedPerson for the stay and kin) and HL7 v2 messages (ADT), each known
/// by how it begins, and writes one file that holds nothing of them but hashes under the key. The usual headings of tables
/// are known: `mrn`, `first_name`, `last_name`, `birth_date`, `phone`, `email`, `address`, `room`, `admitted`,
/// `discharged` and their common spellings; `--columns` names others.
/// Who was admitted and not discharged is in the house.
///
/// A row that cannot be used is counted and named by its line, never by what it holds. The file takes its name only
/// when it is whole: a proxy that reads it never sees half of one.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward roster key /etc/postward/roster.key
  postward roster build --out roster.pwr --key-file roster.key patients.csv
  postward roster build --out roster.pwr --key-file roster.key Location.ndjson Encounter.ndjson Patient.ndjson
  postward roster build --out roster.pwr --key-file roster.key adt.hl7
  extract-patients | postward roster build --out roster.pwr --key-file roster.key -")]
pub(crate) struct RosterBuild {
    /// The file to write; an older one is replaced when the new one is whole.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The secret key. Left out: the credential `postward-roster-key` of systemd, or the variable `POSTWARD_ROSTER_KEY`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// A TOML file that says which heading is what: `mrn = ["PAT_NO"]`, `phone = ["TEL1", "TEL2"]`.
    #[arg(long, value_name = "FILE")]
    pub(crate) columns: Option<PathBuf>,
    /// Write it also if more than a twentieth of the rows cannot be used, or the roster that stands has twice as many patients.
    #[arg(long)]
    pub(crate) force: bool,
    /// Where the patients are; `-` is standard input.
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
}

/// Follow admissions: take HL7 v2 messages by MLLP, and show readers of the roster what is new within a second.
///
/// Takes ADT messages (admissions, transfers, discharges, updates, merges) from the hospital's integration engine, and
/// acknowledges each only when it is on the disk, sealed under the roster's key. Beside the roster it keeps FILE.journal,
/// FILE.overlay and FILE.lock; `serve` and `scan` read the overlay by themselves. Build the roster anew from a full export
/// as often as you can, by renaming as `build` does: those who were last heard of before it are then left to it.
///
/// It listens in plain text on loopback, elsewhere with TLS, or with --plain-text where the network itself is trusted.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward roster listen --listen 127.0.0.1:2575 --out /var/lib/postward/roster.pwr --key-file roster.key
  postward roster listen --listen 10.1.2.3:2575 --out roster.pwr --key-file roster.key \\
      --tls-certificate mllp.pem --tls-key mllp.key --tls-client-ca engine-ca.pem")]
pub(crate) struct RosterListen {
    /// Where senders connect; port 0 is one that the system chooses, and the log says which.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:2575")]
    pub(crate) listen: SocketAddr,
    /// The roster to follow; an empty one is made if there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The secret key, as for `build`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// A PEM certificate with its chain: senders must use TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Authorities of whom each sender must show a certificate.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Listen in plain text also elsewhere than on loopback.
    #[arg(long, conflicts_with = "tls_certificate")]
    pub(crate) plain_text: bool,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_connections: u16,
    /// The longest message, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1024..=64 << 20))]
    pub(crate) max_message: u32,
    /// How long a message may take from its first byte to its last, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) message_seconds: u16,
    /// How long a connection may be silent, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub(crate) idle_seconds: u32,
    /// How long before a newly built roster somebody may have been heard of last and still be kept, in hours: longer than
    /// an export takes.
    #[arg(long, value_name = "HOURS", default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=2160))]
    pub(crate) keep_hours: u16,
    /// Refuse to start if the kernel cannot limit files and system calls.
    #[arg(long, conflicts_with = "no_sandbox")]
    pub(crate) require_sandbox: bool,
    /// Give up nothing before listening.
    #[arg(long)]
    pub(crate) no_sandbox: bool,
    /// How log lines are written, as for `serve`.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// Which log lines, as for `serve`.
    #[arg(long, value_name = "FILTER", value_parser = log_filter)]
    pub(crate) log: Option<String>,
}

/// Try a text: would the roster find somebody in it, and by which columns?
///
/// Says which words would be found by which columns, never which patient they are. Without --text the texts are lines of
/// standard input. The answer holds the texts: keep it where they may be kept.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward roster test --roster roster.pwr --key-file roster.key --text 'Chidi from 4 West coded'
  postward roster test --config postward.toml --text 'Chidi from 4 West coded'")]
pub(crate) struct RosterTest {
    /// The configuration whose `[roster]`, rules and policy to use.
    #[arg(long, value_name = "FILE", required_unless_present = "roster", conflicts_with_all = ["roster", "key_file", "staff"])]
    pub(crate) config: Option<PathBuf>,
    /// The roster, with the rules that ship inside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) roster: Option<PathBuf>,
    /// Its key, as for `build`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// A staff list.
    #[arg(long, value_name = "FILE")]
    pub(crate) staff: Option<PathBuf>,
    /// The text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// The day to judge by. Left out: today, UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
}

/// Show what a roster is: how many patients, which columns, how old, which key.
///
/// A file that is cut off, or of another key, is refused, and so is one that was altered in its head or seals; with --whole
/// every byte is checked.
#[derive(Args, Debug)]
pub(crate) struct RosterShow {
    /// The roster.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Its key, as for `build`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Check every byte, also of a large roster.
    #[arg(long)]
    pub(crate) whole: bool,
}

/// Run the proxy.
///
/// Reads the configuration with its rules, policy and platforms, refuses to start if any of it cannot be used, and
/// serves until SIGTERM or SIGINT, when it takes no more connections and finishes the posts under way. It is ready
/// when the admin listener answers /readyz.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward serve --config /etc/postward/postward.toml
  postward serve --config /etc/postward/postward.toml --take-over
  POSTWARD_LOG=debug postward serve --config postward.toml --log-format human")]
pub(crate) struct Serve {
    /// The configuration, postward.toml. Paths in it are relative to it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Take over from the process that serves with this configuration, if there is one: it gives its sockets, and ends once
    /// its posts under way have; no client notices. If this one cannot serve, that one goes on.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// How log lines are written (to standard error; never the text of a post). Left out: `format` under `[log]`, or human on a
    /// terminal and JSON elsewhere.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// Which log lines: error, warn, info, debug, or a filter such as postward=debug. Libraries are held to warnings:
    /// their other lines hold what clients send. Left out: the variable `POSTWARD_LOG`, `level` under
    /// `[log]`, or info.
    #[arg(long, value_name = "FILTER", value_parser = log_filter)]
    pub(crate) log: Option<String>,
}

/// Ask a running proxy on this machine how it is.
///
/// Asks the admin listener for /readyz and prints what it says: exit 0 if the proxy is ready, 1 if it is not, if it does not
/// answer, or if it does so too late. For containers without a shell, as their health check.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward health --config /etc/postward/postward.toml
  postward health --address 127.0.0.1:9464 --live")]
pub(crate) struct Health {
    /// The configuration whose `[admin] address` is asked; nothing else of it is read.
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    pub(crate) config: Option<PathBuf>,
    /// The address that is asked. Left out without --config: 127.0.0.1:9464.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<SocketAddr>,
    /// Ask for /livez: whether the process answers at all, ready or not.
    #[arg(long)]
    pub(crate) live: bool,
    /// How many seconds the answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) timeout: u64,
}

/// A filter that means something; its text is kept.
fn log_filter(filter: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(filter).map(|_| filter.to_owned())
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of words.
    Human,
    /// One JSON object a line.
    Json,
}

/// Show the proxy at work on this machine; needs nothing.
///
/// Starts a stand-in for the platforms and the proxy on loopback, with the rules and the policy that ship inside this
/// program, sends a handful of made-up posts through as X, Mastodon and Bluesky clients would, and shows what each
/// side saw. Needs no network, no files and no rights, and leaves nothing behind. Exits 1 if anything went otherwise
/// than it says.
#[derive(Args, Debug)]
pub(crate) struct Demo {}

/// Check configuration, rules, policy and platforms.
///
/// Reads everything `serve` would read, compiles every rule and runs the examples each carries. Every fault is shown
/// with its file, its line and what to do about it. Nothing is started.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward check                                  the rules and policy that ship inside this program
  postward check --config /etc/postward/postward.toml
  postward check --endpoints mastodon             which calls of Mastodon are understood, and what is redacted in them
  postward check --config postward.toml --endpoints --format json > understood.json")]
pub(crate) struct Check {
    /// The configuration, postward.toml. Left out: what ships inside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also list every call that is understood: of this platform; without a name, of each that has a route, or of all
    /// where no configuration is given.
    #[arg(long, value_name = "PLATFORM")]
    #[expect(clippy::option_option, reason = "left out, without a name, with one")]
    pub(crate) endpoints: Option<Option<String>>,
    /// For people, or JSON.
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub(crate) format: CheckFormat,
}

/// How `check` writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

/// Judge posts from files or standard input, offline.
///
/// Reads one post a line of text. When the first character of a file that is not blank is `{`, it reads JSON lines
/// instead, each with `id` and `text`, and optionally `platform`, `group` and `field`, in any order; other keys are
/// passed over. The verdict is the policy's for that text: forward, redact or block.
///
/// With --format jsonl each post gives one line with these keys, in this order: `id`, `verdict`, `findings` (each with
/// `start`, `end`, `category`, `rule`, `confidence`, `action`), and `redacted` when the verdict is redact. Offsets count
/// Unicode code points of the text. The `id` of a line of text is its number, in `FILE:LINE` form when several files
/// are given. A numeric `id` is given back digit for digit; a key that is null counts as left out.
///
/// A line that is no post (no UTF-8, no JSON object, too long) is named on standard error by file and line, the others
/// are judged, and the exit code is 1 whatever they say.
///
/// The output holds the text of the posts: keep it where the posts may be kept.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  echo 'Mr. Roe, MRN 00412345, is back' | postward scan
  postward scan --format jsonl posts.jsonl > judged.jsonl
  postward scan --policy strict.toml --exit-code draft.txt || echo 'do not post this'
  postward scan --explain draft.txt               why each candidate was found, or was not

Exit codes with --exit-code: 0 nothing found, 10 would log, 11 would redact, 12 would block.")]
pub(crate) struct Scan {
    /// The configuration whose rules and policy to use. Left out: what ships inside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A policy to use instead.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// For people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = ScanFormat::Human)]
    pub(crate) format: ScanFormat,
    /// Show every candidate with the parts of its score, whether it was found or not.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Let the exit code tell the strictest verdict.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// The day to judge by: exceptions end, ages pass 89. Left out: today, UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
    /// Files to read; `-`, or none, is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// How `scan` writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Jsonl,
}

/// Show which posts new rules or another policy would judge otherwise.
///
/// OLD and NEW are each a configuration (postward.toml), a policy, rules (a file or a folder, added to those that ship inside this
/// program), or the word `embedded` for what ships inside this program. A policy stands in the place of the one that
/// --config names. The posts are read as `scan` reads them: a line of text each, or JSON lines.
///
/// A post is judged otherwise if its verdict changes, if it is redacted to another text, or if it fares the same for
/// other reasons (other rules, spans or clauses). Findings that are only logged change nothing for an author and are left out.
///
/// With --format jsonl each such post gives one line with these keys, in this order: `id`, `change` (verdict, text or
/// reasons), `old` and `new` (each with `verdict` and `findings`: `start`, `end`, `category`, `rule`, `confidence`, `action`,
/// `clause`); with --show also `redacted` of each and `text`. Offsets count Unicode code points.
///
/// Without --show, no text of a post is written.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward diff policy.toml policy-next.toml --on last-month.jsonl
  postward diff --config postward.toml policy.toml policy-next.toml --on posts.txt --show
  postward diff embedded rules.d --on posts.jsonl          what the hospital's own rules add
  postward diff live/postward.toml next/postward.toml --on posts.jsonl --format jsonl > changes.jsonl

Exit codes with --exit-code: 0 every post is judged as before, 1 some are not.")]
pub(crate) struct Diff {
    /// What is in force: a configuration, a policy, rules, or `embedded`.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// What is to be, in the same forms.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// The posts to judge; `-` is standard input.
    #[arg(long, value_name = "CORPUS", required = true, num_args = 1..)]
    pub(crate) on: Vec<PathBuf>,
    /// The configuration whose rules policies are judged with. Left out: what ships inside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// For people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = ScanFormat::Human)]
    pub(crate) format: ScanFormat,
    /// Write the texts, too: then the output belongs where the posts may be kept.
    #[arg(long)]
    pub(crate) show: bool,
    /// Let the exit code tell whether any post is judged otherwise.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// The day to judge by: exceptions end, ages pass 89. Left out: today, UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
}

/// Measure the engine on posts whose identifiers are marked.
///
/// Reads JSON lines with `id`, `text` and `spans` (each with `start`, `end`, `label`; offsets in Unicode code points,
/// end exclusive), and compares the spans with what the policy acts on: redacts or blocks. A mark is found when all
/// of it but its blanks lies under findings that are acted on; a post is safe when all its marks are found or it is
/// blocked.
///
/// Labels are the categories in capitals, such as `NAME` or `HEALTH_PLAN`; `PERSON` and `ORG` mark people and bodies that are
/// no patients. Also read, where they stand: `platform`, `kind` (`clean`: must pass untouched), `note`, `extra` (spans
/// that are neither right nor wrong), `not_phi` (spans that look like an identifier and are none).
///
/// --missed and --false-alarms print text of the posts: use them on corpora that may be shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward eval corpus.jsonl
  postward eval --policy config/policy-strict.toml corpus.jsonl
  postward eval --missed corpus.jsonl | less
  postward eval --format json a.jsonl b.jsonl > scores.json")]
pub(crate) struct Eval {
    /// The configuration whose rules and policy to use. Left out: what ships inside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A policy to use instead.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// A table for people, or JSON.
    #[arg(long, value_enum, default_value_t = EvalFormat::Human)]
    pub(crate) format: EvalFormat,
    /// List each mark that was not found, with its text.
    #[arg(long)]
    pub(crate) missed: bool,
    /// List each finding that hit no mark, with its text.
    #[arg(long)]
    pub(crate) false_alarms: bool,
    /// The day to judge by. Left out: today, UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
    /// Corpora; each gets a row; `-` is standard input.
    #[arg(value_name = "CORPUS.jsonl", required = true, num_args = 1.., action = ArgAction::Append)]
    pub(crate) corpora: Vec<PathBuf>,
}

/// How `eval` writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// A table for people.
    Human,
    /// For machines.
    Json,
}

/// The hospital's own certificate authority.
#[derive(Debug, Subcommand)]
pub(crate) enum Ca {
    Init(CaInit),
}

/// Make a certificate authority for the proxy.
///
/// Writes ca.pem, which the hospital's devices must trust, and ca.key, which only the proxy may read (mode 0600). Files
/// that exist are never overwritten. With --host the authority is constrained to those names: it cannot vouch for any
/// other, whoever gets hold of the key.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward ca init --out /etc/postward
  postward ca init --out /etc/postward --host api.x.com --host bsky.social")]
pub(crate) struct CaInit {
    /// Where to write ca.pem and ca.key.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// A host the authority may vouch for; give it once for each. Left out: any host.
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
}

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Verify(AuditVerify),
    Find(AuditFind),
    Export(AuditExport),
    Report(AuditReport),
}

/// Check that the audit is whole: files, and databases that keep it.
///
/// Every line carries a hash over itself and the line before. A line that was changed, dropped or moved breaks the
/// chain; the first broken link is named. Rotated files beside a given one (audit-2026-11-23-000000000001.jsonl.gz) are
/// read before it; give others in the order in which they were written. A tail that was
/// cut off whole shows only against a head noted elsewhere (the log, /metrics): give it with --head. A beginning that is
/// not there is a fault, unless the chain says that its time was over, or --after says where it ends. Of a database every
/// chain is read, and its columns are held against its lines. A PostgreSQL's password is taken from
/// $POSTWARD_POSTGRES_PASSWORD, or from what --config names.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward audit verify audit.jsonl
  postward audit verify audit.jsonl.2 audit.jsonl.1 audit.jsonl --head 5f1c...
  postward audit verify sqlite:audit.db postgres://auditor@db.example.org/audit
  postward audit verify --config postward.toml")]
pub(crate) struct AuditVerify {
    /// The hash the newest line should have.
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Option<String>,
    /// The hash that the line before the files' first one had: for files of the middle of a chain.
    #[arg(long, value_name = "HASH")]
    pub(crate) after: Option<String>,
    /// Verify the file and every sink that this configuration names, as far as it can be read from.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Audit files, oldest first; `-` is standard input. `sqlite:PATH` and `postgres://..` are databases.
    #[arg(value_name = "SOURCE", required_unless_present = "config")]
    pub(crate) files: Vec<PathBuf>,
}

/// Find the post that somebody asks about.
///
/// A blocked post's author is shown a reference: (ref k3f7q2ma). This prints the audit lines of that post as they stand
/// in the files, the decision first, then what became of it. Exit 1 if there is none.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  postward audit find k3f7q2ma audit.jsonl
  postward audit find k3f7q2ma audit-2025.jsonl audit.jsonl | jq .findings")]
pub(crate) struct AuditFind {
    /// The reference: 8 letters and digits, small or capital.
    #[arg(value_name = "REF", value_parser = reference)]
    pub(crate) reference: String,
    /// Audit files, oldest first; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// What people copy along with a reference is left out.
fn reference(written: &str) -> Result<String, String> {
    let bare = written.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let bare = bare.strip_prefix("ref ").unwrap_or(bare).trim();
    if bare.len() == 8 && bare.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(bare.to_ascii_lowercase())
    } else {
        Err("a reference is 8 letters and digits, such as k3f7q2ma".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::CommandLine;

    #[test]
    fn the_tree_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn command_lines() {
        for (line, fine) in [
            ("postward scan", true),
            (
                "postward scan - a.txt b.txt --format jsonl --explain --exit-code --today 2026-11-22",
                true,
            ),
            ("postward scan --format xml", false),
            ("postward scan --today 22.11.2026", false),
            ("postward eval", false),
            ("postward eval a.jsonl b.jsonl --format json", true),
            ("postward serve", false),
            ("postward serve --config a.toml", true),
            ("postward serve --config a.toml --take-over", true),
            ("postward serve --config a.toml --log postward=debug,hyper=warn", true),
            ("postward serve --config a.toml --log postward=loud", false),
            ("postward check", true),
            ("postward health", true),
            ("postward health --config a.toml --live", true),
            ("postward health --config a.toml --address 127.0.0.1:1", false),
            ("postward health --timeout 0", false),
            ("postward check --endpoints", true),
            ("postward check --endpoints mastodon --format json", true),
            ("postward check --endpoints --format xml", false),
            ("postward init", false),
            ("postward init a --interactive --all", true),
            ("postward man", true),
            ("postward man a", true),
            ("postward completions fish", true),
            ("postward completions tcsh", false),
            ("postward ca init --host a.example --host b.example", true),
            ("postward audit verify", false),
            ("postward audit verify a b --head 00", true),
            ("postward audit verify --config postward.toml", true),
            ("postward audit verify sqlite:a postgres://p@db.example.org/a", true),
            ("postward audit find k3f7q2ma a b", true),
            ("postward audit find K3F7Q2MA -", true),
            ("postward audit find k3f7q2ma", false),
            ("postward audit find audit.jsonl k3f7q2ma", false),
            ("postward audit export --format csv a", true),
            (
                "postward audit export --format csv --from 2026-10-01 --verdict block --verdict redact a b",
                true,
            ),
            ("postward audit export --format csv --verdict refuse a", false),
            ("postward audit export a", false),
            ("postward audit report --from 2026-10-01 --to 2026-10-31 --out r.html a", true),
            ("postward audit report --from 2026-10-01 --to 2026-10-31 a", false),
            ("postward audit report --from October --to 2026-10-31 --out r.html a", false),
            ("postward", false),
        ] {
            assert_eq!(CommandLine::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }
}
