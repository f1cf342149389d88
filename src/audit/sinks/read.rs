//! Reads chains out of the databases that keep them, for those who verify, export and report.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::audit::chain::{Hash, Link, MAX_LINE};
use crate::audit::sinks::SinkKind;
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::postgres::{self, Names, PostgresAddressError, PostgresSettings};
use crate::audit::sinks::sqlite;
use crate::audit::{LineSource, NextLine};

/// Lines that are read at once.
const PAGE: i64 = 500;

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that keeps the audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeptIn {
    /// A file.
    Sqlite(PathBuf),
    /// A PostgreSQL.
    Postgres(PostgresSettings),
}

impl KeptIn {
    /// Reads `sqlite:PATH` or `postgres://..`; `None` of anything else, which is a file of lines.
    pub fn parse(given: &str) -> Option<Result<Self, PostgresAddressError>> {
        if let Some(path) = given.strip_prefix("sqlite:") {
            return Some(Ok(Self::Sqlite(path.into())));
        }
        let is_address = given.starts_with("postgres://") || given.starts_with("postgresql://");
        is_address.then(|| {
            PostgresSettings::of(given).map(PostgresSettings::with_credential).map(Self::Postgres)
        })
    }

    /// Where a sink keeps it, if it can be read from there.
    pub fn of(kind: &SinkKind) -> Option<Self> {
        match kind {
            SinkKind::Sqlite(settings) => Some(Self::Sqlite(settings.file.clone())),
            SinkKind::Postgres(settings) => Some(Self::Postgres(settings.clone())),
            // It keeps nothing that we could read.
            SinkKind::Syslog(_) => None,
        }
    }

    /// What people call it.
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            // It holds no password.
            Self::Postgres(settings) => settings.url.clone(),
        }
    }

    /// Its chains, one a process and file, in the order in which they began. An error names the database.
    pub fn chains(&self) -> io::Result<Vec<KeptChain>> {
        self.listed().map_err(|fault| io::Error::other(format!("{}: {fault}", self.name())))
    }

    fn listed(&self) -> Result<Vec<KeptChain>, SinkFault> {
        let listed = match self {
            Self::Sqlite(path) => of_sqlite(&opened(path)?)?,
            Self::Postgres(settings) => Asked::of(settings)?.chains()?,
        };
        let chains = listed.into_iter().map(|listed| {
            let Listed { id, node, before, end } = listed;
            let name = format!("{}, chain {id} (node {node})", self.name());
            KeptChain {
                name,
                node,
                before,
                end,
                id,
                kept: self.clone(),
                reader: None,
                page: VecDeque::new(),
                line: Vec::new(),
                after: None,
                number: 0,
            }
        });
        Ok(chains.collect())
    }
}

/// A chain as a table lists it.
struct Listed {
    id: i64,
    node: String,
    before: Link,
    end: Link,
}

/// One chain, and its lines one at a time.
pub struct KeptChain {
    name: String,
    node: String,
    before: Link,
    end: Link,
    id: i64,
    kept: KeptIn,
    reader: Option<Reader>,
    page: VecDeque<(i64, Vec<u8>)>,
    line: Vec<u8>,
    /// The number of the newest line that was read from the database.
    after: Option<i64>,
    number: usize,
}

impl std::fmt::Debug for KeptChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptChain").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A connection.
enum Reader {
    Sqlite(Connection),
    Postgres(Asked),
}

impl KeptChain {
    /// The database, the chain's number in it, and its node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node that wrote it.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The line before the first that is kept.
    pub(in crate::audit) const fn before(&self) -> Link {
        self.before
    }

    /// The line that the database says is the last.
    pub(in crate::audit) const fn end(&self) -> Link {
        self.end
    }

    /// The next line: its number from 1, the line, and whether it is short enough to be one. `None` at the end. Memory is
    /// that of a page of lines, however long the chain is.
    fn next_kept(&mut self) -> io::Result<NextLine<'_>> {
        if self.page.is_empty() {
            self.turn().map_err(|fault| io::Error::other(format!("{}: {fault}", self.name)))?;
        }
        let Some((_, line)) = self.page.pop_front() else { return Ok(None) };
        self.line = line;
        self.number += 1;
        Ok(Some((self.number, &self.line, self.line.len() <= MAX_LINE)))
    }

    /// The number of the first line whose columns do not say what the line says: somebody changed them.
    pub(in crate::audit) fn altered(&mut self) -> io::Result<Option<u64>> {
        let id = self.id;
        let found = match self.reader() {
            Ok(Reader::Sqlite(connection)) => connection
                .query_row(sqlite::ALTERED, [id], |row| row.get::<_, Option<i64>>(0))
                .map_err(SinkFault::from),
            Ok(Reader::Postgres(asked)) => asked.altered(id),
            Err(fault) => Err(fault),
        };
        found
            .map(|seq| seq.and_then(|seq| u64::try_from(seq).ok()))
            .map_err(|fault| io::Error::other(format!("{}: {fault}", self.name)))
    }

    /// Reads a page.
    fn turn(&mut self) -> Result<(), SinkFault> {
        let id = self.id;
        // Below every number, so that a line that somebody put in front is seen.
        let after = self.after.unwrap_or(i64::MIN);
        let page: Vec<(i64, Vec<u8>)> = match self.reader()? {
            Reader::Sqlite(connection) => {
                let mut select = connection.prepare_cached(
                    "SELECT seq, CAST(line AS BLOB) FROM event WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                )?;
                let rows = select
                    .query_map(params![id, after, PAGE], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<Result<_, _>>()?
            }
            Reader::Postgres(asked) => asked.page(id, after)?,
        };
        if let Some((seq, _)) = page.last() {
            self.after = Some(*seq);
        }
        self.page = page.into();
        Ok(())
    }

    fn reader(&mut self) -> Result<&mut Reader, SinkFault> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => match &self.kept {
                KeptIn::Sqlite(path) => Reader::Sqlite(opened(path)?),
                KeptIn::Postgres(settings) => Reader::Postgres(Asked::of(settings)?),
            },
        };
        Ok(self.reader.insert(reader))
    }
}

impl LineSource for KeptChain {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn next_line(&mut self) -> io::Result<NextLine<'_>> {
        self.next_kept()
    }
}

/// Opens a database that is only read.
fn opened(path: &Path) -> Result<Connection, SinkFault> {
    if !path.is_file() {
        return Err(SinkFault::new("there is no such file"));
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn of_sqlite(connection: &Connection) -> Result<Vec<Listed>, SinkFault> {
    let mut select = connection.prepare(
        "SELECT id, node, before_seq, before_hash, last_seq, last_hash FROM chain ORDER BY id",
    )?;
    let rows = select.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, (row.get(2)?, row.get(3)?), (row.get(4)?, row.get(5)?)))
    })?;
    rows.map(|row| {
        let (id, node, before, end): (i64, String, (i64, String), (i64, String)) = row?;
        listed(id, node, &before, &end)
    })
    .collect()
}

fn listed(
    id: i64,
    node: String,
    before: &(i64, String),
    end: &(i64, String),
) -> Result<Listed, SinkFault> {
    let link = |(seq, hash): &(i64, String)| {
        let seq = u64::try_from(*seq).ok()?;
        Some(Link { seq, hash: Hash::parse(hash.as_bytes())? })
    };
    match (link(before), link(end)) {
        (Some(before), Some(end)) => Ok(Listed { id, node, before, end }),
        _ => {
            Err(SinkFault::new(format!("the table of chains was changed: chain {id} has no place")))
        }
    }
}

/// A connection to a PostgreSQL, asked from a thread that may wait.
struct Asked {
    runtime: Runtime,
    client: Client,
    names: Names,
}

impl Asked {
    fn of(settings: &PostgresSettings) -> Result<Self, SinkFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(patiently(async {
            let client = postgres::connect(settings).await?;
            client
                .batch_execute("SET default_transaction_read_only = on; SET statement_timeout = 0")
                .await?;
            Ok(client)
        }))?;
        Ok(Self { runtime, client, names: Names::of(&settings.schema) })
    }

    fn chains(&self) -> Result<Vec<Listed>, SinkFault> {
        let rows = self.runtime.block_on(patiently(async {
            Ok(self.client.query(&self.names.chains(), &[]).await?)
        }))?;
        rows.iter()
            .map(|row| {
                let end = (row.try_get(2)?, row.try_get(3)?);
                let before = (row.try_get(4)?, row.try_get(5)?);
                listed(row.try_get(0)?, row.try_get(1)?, &before, &end)
            })
            .collect()
    }

    fn page(&self, chain: i64, after: i64) -> Result<Vec<(i64, Vec<u8>)>, SinkFault> {
        let rows = self.runtime.block_on(patiently(async {
            Ok(self.client.query(&self.names.lines(), &[&chain, &after, &PAGE]).await?)
        }))?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get::<_, String>(1)?.into_bytes())))
            .collect()
    }

    /// Reads every line of the chain anew, which takes as long as it takes.
    fn altered(&self, chain: i64) -> Result<Option<i64>, SinkFault> {
        self.runtime.block_on(async {
            let row = self.client.query_one(&self.names.altered(), &[&chain]).await?;
            Ok(row.try_get(0)?)
        })
    }
}

async fn patiently<T>(work: impl Future<Output = Result<T, SinkFault>>) -> Result<T, SinkFault> {
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(SinkFault::new("PostgreSQL did not answer in time")))
}
