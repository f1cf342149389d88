//! The audit in a database in a file: what one machine needs to ask questions of it, and nothing to install.
//!
//! One transaction a batch, synced to the disk: the place up to which lines are held is written in the same one, so it is
//! never ahead of them nor behind. The line is kept whole beside the columns that are taken from it, and is what is
//! verified; the columns are for questions. Others may read while it is written (write-ahead log).

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::audit::chain::{Hash, Link};
use crate::audit::sinks::columns::Columns;
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::follow::Batch;
use crate::audit::sinks::settings::SqliteSettings;
use crate::audit::sinks::{HeldChain, Sink};

/// The version of the tables below, as the file keeps it (`PRAGMA user_version`).
const VERSION: i64 = 1;

/// How long another program's lock is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// Events that retention removes at once, so that lines wait for no long delete; and how often in a row.
const REMOVED_AT_ONCE: i64 = 5000;
const REMOVALS: usize = 40;

const TABLES: &str = "
CREATE TABLE chain (
    id INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    before_seq INTEGER NOT NULL,
    before_hash TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    last_hash TEXT NOT NULL
) STRICT;
CREATE TABLE event (
    chain INTEGER NOT NULL REFERENCES chain (id),
    seq INTEGER NOT NULL,
    time TEXT,
    event TEXT,
    id TEXT,
    ref TEXT,
    client TEXT,
    client_group TEXT,
    host TEXT,
    platform TEXT,
    endpoint TEXT,
    verdict TEXT,
    enforced INTEGER,
    findings INTEGER NOT NULL,
    categories TEXT,
    rules TEXT,
    clauses TEXT,
    exceptions TEXT,
    fault TEXT,
    coverage TEXT,
    outcome TEXT,
    status INTEGER,
    micros INTEGER,
    line TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_place ON event (chain, seq);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_ref ON event (ref) WHERE ref IS NOT NULL;
CREATE INDEX event_stopped ON event (verdict, time) WHERE verdict <> 'forward';
CREATE VIEW finding AS
    SELECT e.chain, e.seq, e.time, e.platform, e.endpoint, e.verdict, e.enforced, e.client_group,
        f.value ->> 'rule' AS rule, f.value ->> 'category' AS category, f.value ->> 'action' AS action,
        f.value ->> 'clause' AS clause, f.value ->> 'exception' AS exception, f.value ->> 'confidence' AS confidence
    FROM event AS e, json_each(e.line, '$.findings') AS f
    WHERE e.findings > 0;
";

const INSERT: &str = "
INSERT INTO event (chain, seq, time, event, id, ref, client, client_group, host, platform, endpoint, verdict, enforced, findings,
    categories, rules, clauses, exceptions, fault, coverage, outcome, status, micros, line)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)
ON CONFLICT (chain, seq) DO NOTHING";

/// The first event of a chain whose columns are not those of its line.
pub(super) const ALTERED: &str = "
SELECT min(e.seq) FROM event AS e WHERE e.chain = ?1 AND json_valid(e.line) AND NOT (
    e.seq IS e.line ->> 'seq' AND e.time IS e.line ->> 'time' AND e.event IS e.line ->> 'event' AND e.id IS e.line ->> 'id'
    AND e.ref IS e.line ->> 'ref' AND e.client IS e.line ->> 'client' AND e.client_group IS e.line ->> 'group'
    AND e.host IS e.line ->> 'host' AND e.platform IS e.line ->> 'platform' AND e.endpoint IS e.line ->> 'endpoint'
    AND e.verdict IS e.line ->> 'verdict' AND e.enforced IS e.line ->> 'enforced' AND e.fault IS e.line ->> 'fault'
    AND e.coverage IS e.line ->> 'coverage' AND e.outcome IS e.line ->> 'outcome' AND e.status IS e.line ->> 'status'
    AND e.micros IS e.line ->> 'micros' AND e.findings IS coalesce(json_array_length(e.line, '$.findings'), 0)
    AND e.categories IS (SELECT ',' || group_concat(w, ',') || ',' FROM
        (SELECT DISTINCT value ->> 'category' AS w FROM json_each(e.line, '$.findings') WHERE w IS NOT NULL ORDER BY w))
    AND e.rules IS (SELECT ',' || group_concat(w, ',') || ',' FROM
        (SELECT DISTINCT value ->> 'rule' AS w FROM json_each(e.line, '$.findings') WHERE w IS NOT NULL ORDER BY w))
    AND e.clauses IS (SELECT ',' || group_concat(w, ',') || ',' FROM
        (SELECT DISTINCT value ->> 'clause' AS w FROM json_each(e.line, '$.findings') WHERE w IS NOT NULL ORDER BY w))
    AND e.exceptions IS (SELECT ',' || group_concat(w, ',') || ',' FROM
        (SELECT DISTINCT value ->> 'exception' AS w FROM json_each(e.line, '$.findings') WHERE w IS NOT NULL ORDER BY w)))";

/// A database in a file.
pub(super) struct Sqlite {
    settings: SqliteSettings,
    open: Option<Connection>,
    chain: i64,
}

impl Sqlite {
    pub(super) fn new(settings: SqliteSettings) -> Self {
        Self { settings, open: None, chain: 0 }
    }

    fn open(&mut self) -> Result<&mut Connection, SinkFault> {
        self.open.as_mut().ok_or_else(|| SinkFault::new("the database is not open"))
    }
}

impl Sink for Sqlite {
    fn connect(&mut self, node: &str) -> Result<Option<Vec<HeldChain>>, SinkFault> {
        self.open = None;
        let connection = opened(&self.settings.file)?;
        let held = held(&connection, node)?;
        self.open = Some(connection);
        Ok(Some(held))
    }

    fn go_on(&mut self, chain: &str) -> Result<(), SinkFault> {
        self.chain = chain.parse().map_err(|error| SinkFault::of("no chain's number", error))?;
        Ok(())
    }

    fn begin(&mut self, node: &str, before: Link) -> Result<(), SinkFault> {
        let (seq, hash) = (number(before.seq)?, before.hash.to_string());
        let connection = self.open()?;
        connection.execute(
            "INSERT INTO chain (node, before_seq, before_hash, last_seq, last_hash) VALUES (?1, ?2, ?3, ?2, ?3)",
            params![node, seq, hash],
        )?;
        self.chain = connection.last_insert_rowid();
        Ok(())
    }

    fn put(&mut self, batch: &Batch) -> Result<(), SinkFault> {
        let (Some(before), Some(end)) = (batch.before(), batch.end()) else { return Ok(()) };
        let chain = self.chain;
        let work =
            self.open()?.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut insert = work.prepare_cached(INSERT)?;
            for (line, place) in batch.lines() {
                let text = std::str::from_utf8(line)
                    .map_err(|error| SinkFault::of("a line is no text", error))?;
                let columns = Columns::of(line);
                insert.execute(params![
                    chain,
                    number(place.link.seq)?,
                    columns.time,
                    columns.event,
                    columns.id,
                    columns.reference,
                    columns.client,
                    columns.group,
                    columns.host,
                    columns.platform,
                    columns.endpoint,
                    columns.verdict,
                    columns.enforced,
                    columns.n_findings(),
                    columns.categories(),
                    columns.rules(),
                    columns.clauses(),
                    columns.exceptions(),
                    columns.fault,
                    columns.coverage,
                    columns.outcome,
                    columns.status,
                    columns.micros,
                    text
                ])?;
            }
        }
        let n = work
            .prepare_cached(
                "UPDATE chain SET last_seq = :seq, last_hash = :hash WHERE id = :chain AND last_seq = :before",
            )?
            .execute(named_params! {
                ":seq": number(end.seq)?, ":hash": end.hash.to_string(), ":chain": chain, ":before": number(before.seq)?,
            })?;
        if n != 1 {
            return Err(SinkFault::new("another program has added to this chain of the database"));
        }
        work.commit()?;
        Ok(())
    }

    fn tidy(&mut self) -> Result<(), SinkFault> {
        let months = self.settings.keep_months.and_then(|months| i32::try_from(months).ok());
        let Some(months) = months else { return Ok(()) };
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        // A span that no calendar has is never over.
        let Ok(oldest) = now.checked_sub(months.months()) else { return Ok(()) };
        let oldest = oldest.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        let connection = self.open()?;
        for _ in 0..REMOVALS {
            if remove(connection, &oldest)? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Opens the database, makes its tables where there are none, and refuses one that is not ours.
fn opened(file: &Path) -> Result<Connection, SinkFault> {
    // Made here, so that nobody else may read it: the write-ahead log takes over what the file allows.
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = work.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        VERSION => {}
        0 => {
            work.execute_batch(TABLES)?;
            work.pragma_update(None, "user_version", VERSION)?;
        }
        newer => {
            return Err(SinkFault::new(format!(
                "the database has tables of version {newer}, and this program knows {VERSION}: it is of a newer postward"
            )));
        }
    }
    work.commit()?;
    Ok(connection)
}

/// All chains; which are this node's is said besides, since it may have had another name.
fn held(connection: &Connection, node: &str) -> Result<Vec<HeldChain>, SinkFault> {
    let mut chains =
        connection.prepare("SELECT id, last_seq, last_hash, node = ?1 FROM chain ORDER BY id")?;
    let rows = chains.query_map([node], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, bool>(3)?,
        ))
    })?;
    let mut held = Vec::new();
    for row in rows {
        let (id, seq, hash, is_own) = row?;
        if let (Ok(seq), Some(hash)) = (u64::try_from(seq), Hash::parse(hash.as_bytes())) {
            held.push(HeldChain { chain: id.to_string(), end: Link { seq, hash }, is_own });
        }
    }
    Ok(held)
}

/// Removes some events that are older, from the beginning of a chain on: what is left still hangs together, and the
/// chain says where it begins now.
fn remove(connection: &mut Connection, oldest: &str) -> Result<usize, SinkFault> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Each chain by its own first event: one whose old events stand behind one that stays holds up no other.
    let found: Option<(i64, i64)> = work
        .query_row(
            "SELECT c.id, (SELECT min(seq) FROM event WHERE chain = c.id) FROM chain AS c WHERE \
             (SELECT time FROM event WHERE chain = c.id AND time IS NOT NULL ORDER BY seq LIMIT 1) < ?1 LIMIT 1",
            [oldest],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((chain, first)) = found else { return Ok(0) };
    // Up to the first that stays: a clock that was put back must not make a hole.
    let stays: Option<i64> = work.query_row(
        "SELECT min(seq) FROM event WHERE chain = ?1 AND seq < ?2 AND time >= ?3",
        params![chain, first + REMOVED_AT_ONCE, oldest],
        |row| row.get(0),
    )?;
    let end = stays.unwrap_or(first + REMOVED_AT_ONCE) - 1;
    let last: Option<(i64, String)> = work
        .query_row(
            "SELECT seq, substr(line, -66, 64) FROM event WHERE chain = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
            [chain, end],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((seq, hash)) = last else { return Ok(0) };
    let n = work.execute("DELETE FROM event WHERE chain = ?1 AND seq <= ?2", [chain, seq])?;
    work.execute(
        "UPDATE chain SET before_seq = ?2, before_hash = ?3 WHERE id = ?1",
        params![chain, seq, hash],
    )?;
    work.commit()?;
    Ok(n)
}

fn number(seq: u64) -> Result<i64, SinkFault> {
    i64::try_from(seq).map_err(|error| SinkFault::of("a line's number", error))
}

impl From<rusqlite::Error> for SinkFault {
    fn from(error: rusqlite::Error) -> Self {
        // Of a constraint it names the table and the column, of nothing what stands there.
        Self::of("SQLite", error)
    }
}
