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
use crate::audit::sinks::follow::{Batch, Place};
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
                let held = held(&open.client, names, node).await?;
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
        let lines: Vec<&str> = batch
            .lines()
            .map(|(line, _)| std::str::from_utf8(line))
            .collect::<Result<_, _>>()
            .map_err(|error| SinkFault::of("a line is no text", error))?;
        let places: Vec<Place> = batch.lines().map(|(_, place)| place).collect();
        self.work(async |open, names, chain| {
            let months = lines.iter().filter_map(|line| schema::month_of(line)).collect();
            schema::make_months(&mut open.client, names, &months, &mut open.months).await?;
            let mut due = vec![(lines.as_slice(), places.as_slice())];
            while let Some((lines, places)) = due.pop() {
                let (Some(first), Some(last)) = (places.first(), places.last()) else { continue };
                let (before, end) = (number(first.before.seq)?, number(last.link.seq)?);
                let hash = last.link.hash.to_string();
                let values: [&(dyn ToSql + Sync); 5] = [&chain, &lines, &before, &end, &hash];
                let moved: i64 = match open.client.query_one(&open.insert, &values).await {
                    Ok(row) => row.try_get(0)?,
                    // One line that cannot be taken apart must not keep others out, nor their columns: it is looked for by
                    // halving, and kept whole without columns.
                    Err(error) if !is_data_fault(&error) => return Err(error.into()),
                    Err(_) if places.len() > 1 => {
                        let half = places.len() / 2;
                        let (Some((lines, later_lines)), Some((places, later_places))) =
                            (lines.split_at_checked(half), places.split_at_checked(half))
                        else {
                            continue;
                        };
                        due.extend([(later_lines, later_places), (lines, places)]);
                        continue;
                    }
                    Err(_) => {
                        let seqs = [end];
                        let seqs = seqs.as_slice();
                        let values: [&(dyn ToSql + Sync); 6] =
                            [&chain, &lines, &before, &end, &hash, &seqs];
                        open.client.query_one(&open.insert_raw, &values).await?.try_get(0)?
                    }
                };
                if moved != 1 {
                    return Err(SinkFault::new(
                        "another program has added to this chain of the database",
                    ));
                }
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

/// All chains; which are this node's is said besides, since it may have had another name.
async fn held(client: &Client, names: &Names, node: &str) -> Result<Vec<HeldChain>, SinkFault> {
    let mut held = Vec::new();
    for row in client.query(&names.chains(), &[]).await? {
        let (id, began, seq, hash): (i64, String, i64, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let is_own = began == node;
        if let (Ok(seq), Some(hash)) = (u64::try_from(seq), Hash::parse(hash.as_bytes())) {
            held.push(HeldChain { chain: id.to_string(), end: Link { seq, hash }, is_own });
        }
    }
    Ok(held)
}

fn is_data_fault(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with(DATA_FAULT))
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
