//! What `[[audit.sink]]` says, as meant.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::sinks::postgres::PostgresSettings;
use crate::audit::sinks::syslog::SyslogSettings;

/// One further place that keeps the audit. Each key is documented in `docs/audit.md`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SinkSettings {
    /// How it is called in the log, in metrics and in the file that remembers how far it came; no other has it.
    pub name: String,
    /// Whether posts wait until it holds their events, too.
    pub wait: bool,
    /// How long lines gather before they are handed over; none where posts wait.
    pub gather: Duration,
    /// The longest pause between two attempts while it is down.
    pub retry: Duration,
    /// Which kind of place, and what that needs.
    pub kind: SinkKind,
}

/// Kinds of places.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SinkKind {
    /// A database in a file of this machine.
    Sqlite(SqliteSettings),
    /// A database that several nodes may share.
    Postgres(PostgresSettings),
    /// A receiver of syslog.
    Syslog(SyslogSettings),
}

/// A database in a file of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SqliteSettings {
    /// The file.
    pub file: PathBuf,
    /// Months after which events are removed; `None` keeps them.
    pub keep_months: Option<u32>,
}

impl SinkSettings {
    /// Lines gather this long unless `gather` says otherwise.
    pub const GATHER: Duration = Duration::from_millis(500);

    /// The longest pause between attempts unless `retry` says otherwise.
    pub const RETRY: Duration = Duration::from_secs(30);

    /// A sink of this kind as it is where nothing else is said.
    pub fn of(name: impl Into<String>, kind: SinkKind) -> Self {
        Self { name: name.into(), wait: false, gather: Self::GATHER, retry: Self::RETRY, kind }
    }
}

impl SinkKind {
    /// The files that it reads: certificates and passwords.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(postgres) => postgres.files(),
            Self::Syslog(syslog) => syslog.files(),
        }
    }

    /// The files that it writes; others of the same name with an ending of their own stand beside them.
    pub fn written(&self) -> Vec<&Path> {
        match self {
            Self::Sqlite(sqlite) => vec![&sqlite.file],
            Self::Postgres(_) | Self::Syslog(_) => Vec::new(),
        }
    }

    /// The TCP ports that it dials.
    pub fn ports(&self) -> Vec<u16> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(postgres) => postgres.ports(),
            Self::Syslog(syslog) => vec![syslog.port],
        }
    }

    /// The hosts that it dials, names and addresses.
    pub fn hosts(&self) -> Vec<String> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(postgres) => postgres.hosts(),
            Self::Syslog(syslog) => vec![syslog.host.clone()],
        }
    }

    /// The word of the configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::Syslog(_) => "syslog",
        }
    }
}
