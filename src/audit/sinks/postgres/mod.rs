//! The audit of many nodes in one PostgreSQL: each process keeps a chain of its own there.
//!
//! A batch is one statement: the lines and the place up to which they are held are written together, and a batch goes in
//! only where the chain ends as its first line says. So an answer that was lost, a kill or a second program on the same
//! chain never doubles a line. The database takes the lines apart by itself: the columns cannot say otherwise than the line.

mod address;
mod password;
mod schema;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

pub(in crate::audit) use address::connect;
pub use address::{PostgresAddressError, PostgresSettings};
pub(in crate::audit) use schema::Names;

use crate::audit::chain::{Hash, Link};
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::follow::Batch;
use crate::audit::sinks::{HeldChain, Sink};

/// How long the database may take for a batch, or to be reached.
const PATIENCE: Duration = Duration::from_secs(30);

/// What begins the codes of faults that lie in the values, not in the database.
const DATA_FAULT: &str = "22";

/// A database that several nodes share.
pub(in crate::audit) struct Postgres {
    settings: PostgresSettings,
    names: Names,
    runtime: Option<Runtime>,
    open: Option<Open>,
    chain: i64,
}

/// What lasts as long as a connection.
struct Open {
    client: Client,
    insert: Statement,
    insert_raw: Statement,
    /// Months whose partitions are known to be there.
    months: BTreeSet<(i16, i8)>,
}

impl Postgres {
    pub(in crate::audit) fn new(settings: PostgresSettings) -> Self {
        let names = Names::of(&settings.schema);
        Self { settings, names, runtime: None, open: None, chain: 0 }
    }

    /// Runs one piece of work on the connection. Whatever fails ends the connection: the next attempt begins anew.
    fn work<T>(
        &mut self,
        what: impl AsyncFnOnce(&mut Open, &Names, i64) -> Result<T, SinkFault>,
    ) -> Result<T, SinkFault> {
        let (Some(runtime), Some(open)) = (&self.runtime, &mut self.open) else {
            return Err(SinkFault::new("the database is not connected"));
        };
        let work = what(open, &self.names, self.chain);
        runtime
            .block_on(async { timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(too_slow())) })
    }
}

impl Sink for Postgres {
    fn connect(&mut self, node: &str) -> Result<Option<Vec<HeldChain>>, SinkFault> {
        // With the runtime goes what is left of an earlier connection.
        (self.open, self.runtime) = (None, None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (settings, names) = (&self.settings, &self.names);
        let (open, held) = runtime.block_on(async {
            timeout(PATIENCE, async {
                let mut client = connect(settings).await?;
                schema::prepare(&mut client, names).await?;
                let open = Open {
                    insert: client.prepare(&names.insert()).await?,
                    insert_raw: client.prepare(&names.insert_raw()).await?,
                    months: BTreeSet::new(),
                    client,
                };
                let held = held(&open.client, names, Some(node)).await?;
                Ok::<_, SinkFault>((open, held))
            })
            .await
            .unwrap_or_else(|_| Err(too_slow()))
        })?;
        (self.open, self.runtime) = (Some(open), Some(runtime));
        Ok(Some(held))
    }

    fn go_on(&mut self, chain: &str) -> Result<(), SinkFault> {
        self.chain = chain.parse().map_err(|error| SinkFault::of("no chain's number", error))?;
        Ok(())
    }

    fn begin(&mut self, node: &str, before: Link) -> Result<(), SinkFault> {
        let (seq, hash) = (number(before.seq)?, before.hash.to_string());
        self.chain = self.work(async |open, names, _| {
            let row = open.client.query_one(&names.begin(), &[&node, &seq, &hash]).await?;
            Ok(row.try_get(0)?)
        })?;
        Ok(())
    }

    fn put(&mut self, batch: &Batch) -> Result<(), SinkFault> {
        let (Some(before), Some(end)) = (batch.before(), batch.end()) else { return Ok(()) };
        let (before, end_seq, hash) = (number(before.seq)?, number(end.seq)?, end.hash.to_string());
        let lines: Vec<&str> = batch
            .lines()
            .map(|(line, _)| std::str::from_utf8(line))
            .collect::<Result<_, _>>()
            .map_err(|error| SinkFault::of("a line is no text", error))?;
        let seqs: Vec<i64> =
            batch.lines().map(|(_, place)| number(place.link.seq)).collect::<Result<_, _>>()?;
        self.work(async |open, names, chain| {
            let months = lines.iter().filter_map(|line| schema::month_of(line)).collect();
            schema::make_months(&mut open.client, names, &months, &mut open.months).await?;
            let values: [&(dyn ToSql + Sync); 6] =
                [&chain, &lines, &before, &end_seq, &hash, &seqs];
            let (insert, insert_raw) = (&open.insert, &open.insert_raw);
            let taken = open.client.query_one(insert, values.get(..5).unwrap_or_default()).await;
            let moved: i64 = match taken {
                Ok(row) => row.try_get(0)?,
                // One line that cannot be taken apart must not keep all others out: kept whole, without columns.
                Err(error)
                    if error.code().is_some_and(|code| code.code().starts_with(DATA_FAULT)) =>
                {
                    open.client.query_one(insert_raw, &values).await?.try_get(0)?
                }
                Err(error) => return Err(error.into()),
            };
            if moved != 1 {
                return Err(SinkFault::new(
                    "another program has added to this chain of the database",
                ));
            }
            Ok(())
        })
    }

    fn tidy(&mut self) -> Result<(), SinkFault> {
        let keep = self.settings.keep_months;
        self.work(async |open, names, _| {
            schema::make_months(&mut open.client, names, &BTreeSet::new(), &mut open.months)
                .await?;
            schema::retire(&mut open.client, names, keep).await
        })
    }
}

/// The chains of a node, or of all.
pub(in crate::audit) async fn held(
    client: &Client,
    names: &Names,
    node: Option<&str>,
) -> Result<Vec<HeldChain>, SinkFault> {
    let mut held = Vec::new();
    for row in client.query(&names.chains(), &[&node]).await? {
        let (id, seq, hash): (i64, i64, String) =
            (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?);
        if let (Ok(seq), Some(hash)) = (u64::try_from(seq), Hash::parse(hash.as_bytes())) {
            held.push(HeldChain { chain: id.to_string(), end: Link { seq, hash } });
        }
    }
    Ok(held)
}

fn number(seq: u64) -> Result<i64, SinkFault> {
    i64::try_from(seq).map_err(|error| SinkFault::of("a line's number", error))
}

fn too_slow() -> SinkFault {
    SinkFault::new("PostgreSQL did not answer in time")
}

impl From<tokio_postgres::Error> for SinkFault {
    fn from(error: tokio_postgres::Error) -> Self {
        // Of what the database says, the code and the message: its details name values.
        if let Some(said) = error.as_db_error() {
            return Self::of("PostgreSQL", format!("{} ({})", said.message(), said.code().code()));
        }
        let mut words = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            words.push_str(": ");
            words.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::of("PostgreSQL", words)
    }
}
