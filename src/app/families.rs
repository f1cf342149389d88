//! Every metric that is not of the data path, as `docs/watch.md` lists it.

use crate::proxy::{self, Family};

pub(super) static INFO: Family = Family::info(
    "postward_info",
    &["version", "rules", "policy", "mode"],
    "What runs: hashes of rules and policy as the audit has them, and the policy's mode.",
);
pub(super) static BUILD: Family =
    Family::info("postward_build_info", &["version", "os", "arch"], "The program itself.");
pub(super) static READY: Family = Family::gauge(
    "postward_ready",
    &[],
    "Whether /readyz says so; what keeps it from being ready stands in /status.",
);
pub(super) static UPTIME: Family =
    Family::gauge("postward_uptime_seconds", &[], "Seconds since the start.");
pub(super) static RELOAD_GOOD: Family = Family::gauge(
    "postward_config_last_reload_successful",
    &[],
    "Whether what the files say is what runs.",
);
pub(super) static FILE_BAD: Family = Family::gauge(
    "postward_config_file_bad",
    &[],
    "1 while the files on disk cannot be used and what ran before goes on.",
);
pub(super) static RELOAD_SUCCESS: Family = Family::gauge(
    "postward_config_last_reload_success_timestamp_seconds",
    &[],
    "When the files were last found to be what runs.",
);
pub(super) static RELOAD_TIME: Family = Family::gauge(
    "postward_config_last_reload_timestamp_seconds",
    &[],
    "When the files were last read, whatever came of it.",
);
pub(super) static GENERATION: Family = Family::gauge(
    "postward_config_generation",
    &[],
    "How many sets have been in force since the start.",
);
pub(super) static RELOADS: Family = Family::counter(
    "postward_config_reloads_total",
    &["result"],
    "Attempts to change the configuration while running, by what came of them.",
);
pub(super) static HEAD: Family = Family::gauge(
    "postward_audit_head",
    &["hash"],
    "The hash of the newest audit line: another series for each, so keep no more of them than you need.",
);
pub(super) static SEQUENCE: Family = Family::gauge(
    "postward_audit_sequence",
    &[],
    "The number of the newest audit line in its chain.",
);
pub(super) static WRITABLE: Family =
    Family::gauge("postward_audit_writable", &[], "Whether the last audit line was written.");
pub(super) static QUEUED: Family =
    Family::gauge("postward_audit_queue_events", &[], "Audit events that wait for the disk.");
pub(super) static QUEUED_BYTES: Family = Family::gauge(
    "postward_audit_queue_bytes",
    &[],
    "Bytes of audit events that wait for the disk.",
);
pub(super) static SPOOL_FULL: Family = Family::gauge(
    "postward_audit_spool_full",
    &[],
    "1 while more waits for a sink than may: the policy's on-unaudited decides over posts.",
);
pub(super) static SINK_UP: Family = Family::gauge(
    "postward_audit_sink_up",
    &["sink", "kind"],
    "Whether a sink of the audit took what it was last given.",
);
pub(super) static SINK_SEQUENCE: Family = Family::gauge(
    "postward_audit_sink_sequence",
    &["sink", "kind"],
    "The number of the newest audit line that a sink holds.",
);
pub(super) static SINK_WAITING: Family = Family::gauge(
    "postward_audit_sink_waiting_events",
    &["sink", "kind"],
    "Audit lines that a sink does not hold yet.",
);
pub(super) static SINK_WAITING_BYTES: Family = Family::gauge(
    "postward_audit_sink_waiting_bytes",
    &["sink", "kind"],
    "Bytes of audit lines that a sink does not hold yet.",
);
pub(super) static SINK_SPOOL: Family = Family::gauge(
    "postward_audit_sink_spool_bytes",
    &["sink", "kind"],
    "How many bytes may wait for a sink.",
);
pub(super) static SINK_DELIVERED: Family = Family::counter(
    "postward_audit_sink_delivered_total",
    &["sink", "kind"],
    "Audit lines that a sink has taken.",
);
pub(super) static SINK_FAULTS: Family = Family::counter(
    "postward_audit_sink_faults_total",
    &["sink", "kind"],
    "Attempts of a sink to take audit lines that failed.",
);
pub(super) static EXPIRY: Family = Family::gauge(
    "postward_certificate_expiry_timestamp_seconds",
    &["kind", "file"],
    "When the first certificate of a file ends, or a revocation list must be renewed: ca, own, root, list, and leaf for those minted.",
);
pub(super) static ROSTER_BUILT: Family = Family::gauge(
    "postward_roster_built_timestamp_seconds",
    &[],
    "When the newest roster in use was built.",
);
pub(super) static ROSTER_AGE: Family = Family::gauge(
    "postward_roster_age_seconds",
    &[],
    "Seconds since the newest roster in use was built.",
);
pub(super) static ROSTER_PATIENTS: Family =
    Family::gauge("postward_roster_patients", &[], "Patients on the rosters in use.");
pub(super) static ROSTER_STAFF: Family =
    Family::gauge("postward_roster_staff", &[], "People on the staff list in use.");
pub(super) static ROSTER_DAMAGED: Family = Family::gauge(
    "postward_roster_damaged",
    &[],
    "1 while a roster was altered in use: every post is blocked.",
);
pub(super) static CPU: Family = Family::counter(
    "process_cpu_seconds_total",
    &[],
    "Seconds of processors, by the program and by the kernel for it.",
);
pub(super) static RESIDENT: Family =
    Family::gauge("process_resident_memory_bytes", &[], "Memory in use.");
pub(super) static VIRTUAL: Family =
    Family::gauge("process_virtual_memory_bytes", &[], "Addresses in use.");
pub(super) static THREADS: Family = Family::gauge("process_threads", &[], "Threads.");
pub(super) static FILES: Family = Family::gauge("process_open_fds", &[], "Files and sockets open.");
pub(super) static MOST_FILES: Family =
    Family::gauge("process_max_fds", &[], "As many files and sockets may be open.");
pub(super) static STARTED: Family =
    Family::gauge("process_start_time_seconds", &[], "When the program was started.");

/// Those that are not of the data path, in the order of the page.
static OWN: [&Family; 36] = [
    &INFO,
    &BUILD,
    &READY,
    &UPTIME,
    &RELOAD_GOOD,
    &FILE_BAD,
    &RELOAD_SUCCESS,
    &RELOAD_TIME,
    &GENERATION,
    &RELOADS,
    &HEAD,
    &SEQUENCE,
    &WRITABLE,
    &QUEUED,
    &QUEUED_BYTES,
    &SPOOL_FULL,
    &SINK_UP,
    &SINK_SEQUENCE,
    &SINK_WAITING,
    &SINK_WAITING_BYTES,
    &SINK_SPOOL,
    &SINK_DELIVERED,
    &SINK_FAULTS,
    &EXPIRY,
    &ROSTER_BUILT,
    &ROSTER_AGE,
    &ROSTER_PATIENTS,
    &ROSTER_STAFF,
    &ROSTER_DAMAGED,
    &CPU,
    &RESIDENT,
    &VIRTUAL,
    &THREADS,
    &FILES,
    &MOST_FILES,
    &STARTED,
];

/// Every metric of `/metrics`, in the order of the page.
pub fn families() -> impl Iterator<Item = &'static Family> {
    proxy::FAMILIES.iter().chain(&OWN).copied()
}
