//! `[[audit.sink]]`: further places that keep the audit, and `spool`, how much may wait for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::{
    PostgresAddressError, PostgresSettings, SinkKind, SinkSettings, SqliteSettings,
};
use crate::config::keep::SPANS;
use crate::config::syntax::{SIZES, TIMES, is_node_name};
use crate::config::syslog;
use crate::diagnostic::{Faults, Table, shown};

/// Kinds, as they are written.
#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgres,
    Syslog,
}

const KINDS: [(&str, Kind); 3] =
    [("sqlite", Kind::Sqlite), ("postgres", Kind::Postgres), ("syslog", Kind::Syslog)];

/// Reads them out of `[audit]`.
pub(super) fn read(table: &mut Table<'_>, folder: &Path, faults: &mut Faults) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    for mut table in table.tables("sink", faults) {
        let span = table.span();
        let Some(sink) = sink(&mut table, folder, faults) else {
            // What else is wrong with it follows from the kind, and is not complained of.
            continue;
        };
        table.finish(faults);
        if sinks.iter().any(|other| other.name == sink.name) {
            faults.error(
                span,
                format!("another [[audit.sink]] is called `{}`", shown(&sink.name)),
                "give each a name of its own: `name = \"archive\"`",
            );
        }
        sinks.push(sink);
    }
    sinks
}

/// `spool`, if it is given.
pub(super) fn spool(table: &mut Table<'_>, faults: &mut Faults) -> Option<u64> {
    table.quantity("spool", &SIZES, 1, 1 << 16..=1 << 50, faults).map(|spool| spool.value)
}

fn sink(table: &mut Table<'_>, folder: &Path, faults: &mut Faults) -> Option<SinkSettings> {
    let name = table.text("name", faults);
    table.require("kind", "say what it is: `kind = \"sqlite\"`", faults);
    let kind = table.choice("kind", &KINDS, faults)?.value;
    let kind = match kind {
        Kind::Sqlite => sqlite(table, folder, faults)?,
        Kind::Postgres => postgres(table, folder, faults)?,
        Kind::Syslog => SinkKind::Syslog(syslog::read(table, folder, faults)?),
    };
    let mut sink = SinkSettings::of(kind.as_str(), kind);
    if let Some(name) = name {
        if is_node_name(&name.value) {
            sink.name = name.value;
        } else {
            faults.error(
                name.span,
                "this cannot be a sink's name",
                "use 1 to 64 letters, digits, dots and hyphens: `name = \"archive\"`",
            );
        }
    }
    if let Some(wait) = table.flag("wait", faults) {
        sink.wait = wait.value;
    }
    for (key, time, range) in
        [("gather", &mut sink.gather, 0..=60_000), ("retry", &mut sink.retry, 1000..=3_600_000)]
    {
        if let Some(given) = table.quantity(key, &TIMES, 1000, range, faults) {
            *time = Duration::from_millis(given.value);
        }
    }
    Some(sink)
}

fn sqlite(table: &mut Table<'_>, folder: &Path, faults: &mut Faults) -> Option<SinkKind> {
    let keep_months = keep(table, faults);
    let file = table.required_text(
        "file",
        "name the database: `file = \"audit.db\"`; it is made if there is none",
        faults,
    )?;
    let full = folder.join(&file.value);
    let parent = full.parent().unwrap_or(folder);
    if !parent.try_exists().unwrap_or(true) {
        faults.error(
            file.span,
            format!("there is no folder {}", parent.display()),
            "make it, for the user that postward runs as only",
        );
    }
    if full.is_dir() {
        faults.error(
            file.span,
            format!("{} is a folder", full.display()),
            "name a file in it: `file = \"audit.db\"`",
        );
    }
    Some(SinkKind::Sqlite(SqliteSettings { file: full, keep_months }))
}

fn postgres(table: &mut Table<'_>, folder: &Path, faults: &mut Faults) -> Option<SinkKind> {
    let keep_months = keep(table, faults);
    let password_file = file("password-file", table, folder, faults);
    let roots = file("roots", table, folder, faults);
    let certificate = file("certificate", table, folder, faults);
    let key = file("key", table, folder, faults);
    let schema = table.text("schema", faults);
    let tls = table.flag("tls", faults);
    let allow_plain = table.flag("allow-plain", faults).is_some_and(|flag| flag.value);
    let span = table.span();
    let url = table.required_text(
        "url",
        "say where it is: `url = \"postgres://postward@db.example.org/audit\"`",
        faults,
    )?;
    let mut settings = match PostgresSettings::of(&url.value) {
        Ok(settings) => settings,
        Err(fault) => {
            // Of an address that cannot be read nobody knows where a password stands in it: its line is not drawn.
            faults.error(span, format!("`url`: {fault}"), remedy(fault));
            return None;
        }
    };
    if let Some(schema) = schema {
        settings = match settings.in_schema(&schema.value) {
            Ok(settings) => settings,
            Err(fault) => {
                faults.error(schema.span, fault.to_string(), remedy(fault));
                return None;
            }
        };
    }
    if let Some(tls) = tls {
        settings.tls = tls.value;
        if !tls.value && settings.is_remote() && !allow_plain {
            faults.error(
                tls.span,
                "without TLS, the audit and the password would cross the network in the clear",
                "take `tls = false` out, or add `allow-plain = true` if the network between the two is as safe as one machine",
            );
        }
    }
    settings.identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            faults.error(
                span,
                "to sign in by certificate takes both `certificate` and `key`",
                "name both, or neither",
            );
            None
        }
    };
    (settings.password_file, settings.roots, settings.keep_months) =
        (password_file, roots, keep_months);
    Some(SinkKind::Postgres(settings.with_credential()))
}

fn remedy(fault: PostgresAddressError) -> &'static str {
    match fault {
        PostgresAddressError::Unreadable => {
            "write `url = \"postgres://USER@HOST:5432/DATABASE\"`, or `postgres://USER@/DATABASE?host=/run/postgresql` for a socket"
        }
        PostgresAddressError::Password => {
            "take it out and put it in a file of its own: `password-file = \"postgres.password\"`"
        }
        PostgresAddressError::Tls => {
            "take `sslmode` out: TLS is spoken and the certificate verified unless `tls = false` stands here"
        }
        PostgresAddressError::Schema => {
            "use up to 48 small letters, digits and underscores: `schema = \"postward\"`"
        }
    }
}

/// A file that must be there.
pub(super) fn file(
    key: &'static str,
    table: &mut Table<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<PathBuf> {
    let path = table.text(key, faults)?;
    let full = folder.join(&path.value);
    if !full.try_exists().unwrap_or(true) {
        faults.error(
            path.span,
            format!("there is no file {}", full.display()),
            "mend the path, or make the file",
        );
    }
    Some(full)
}

/// After how many months events are removed; without the key, never.
fn keep(table: &mut Table<'_>, faults: &mut Faults) -> Option<u32> {
    table
        .quantity("keep", &SPANS, 12, 1..=1200, faults)
        .map(|span| u32::try_from(span.value).unwrap_or(u32::MAX))
}
