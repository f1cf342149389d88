//! The tables: made and renewed at the start under a lock that all nodes take, one partition a month, made ahead.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tokio_postgres::{Client, Transaction};

use crate::audit::sinks::fault::SinkFault;

/// The version of the tables below.
const VERSION: i32 = 1;

/// Nodes that change tables wait for each other by this number: `postward` in the digits of a telephone.
const LOCK: i64 = 76_789_273;

/// Months that are made beyond this one.
const AHEAD: i32 = 2;

/// What a line's columns are taken from, as PostgreSQL reads a line.
const TAKEN: &str = r#"json_to_record(l.line::json) AS j ("time" timestamptz, seq bigint, event text, id text, ref text, client text, "group" text, host text,
        platform text, endpoint text, verdict text, enforced boolean, findings json, fault text, coverage text, outcome text, status integer,
        micros bigint)
    CROSS JOIN LATERAL (SELECT count(*)::integer AS n,
        array_agg(DISTINCT x.category ORDER BY x.category) FILTER (WHERE x.category IS NOT NULL) AS categories,
        array_agg(DISTINCT x.rule ORDER BY x.rule) FILTER (WHERE x.rule IS NOT NULL) AS rules,
        array_agg(DISTINCT x.clause ORDER BY x.clause) FILTER (WHERE x.clause IS NOT NULL) AS clauses,
        array_agg(DISTINCT x.exception ORDER BY x.exception) FILTER (WHERE x.exception IS NOT NULL) AS exceptions
        FROM json_to_recordset(coalesce(j.findings, '[]'::json)) AS x (rule text, category text, clause text, exception text)) AS f"#;

/// The same columns, in the order of [`COLUMNS`].
const VALUES: &str = r#"j.seq, j."time", j.event, j.id, j.ref, j.client, j."group", j.host, j.platform, j.endpoint, j.verdict, j.enforced, f.n,
    f.categories, f.rules, f.clauses, f.exceptions, j.fault, j.coverage, j.outcome, j.status, j.micros"#;

const COLUMNS: &str = "seq, time, event, id, ref, client, client_group, host, platform, endpoint, verdict, enforced, findings, \
    categories, rules, clauses, exceptions, fault, coverage, outcome, status, micros";

/// Statements for the tables of one schema.
#[derive(Debug)]
pub(in crate::audit) struct Names {
    /// Letters, digits and underscores: it needs no quotation marks.
    schema: String,
}

impl Names {
    pub(in crate::audit) fn of(schema: &str) -> Self {
        Self { schema: schema.to_owned() }
    }

    /// Takes lines in and moves the chain's end, both or neither, and only where the chain ends before them: one statement,
    /// one way there and back. Gives how many chains moved. Its values: chain, lines, the numbers before the first and of
    /// the last, and the hash of that.
    pub(super) fn insert(&self) -> String {
        self.put(&format!(
            "(chain, {COLUMNS}, line) SELECT m.id, {VALUES}, l.line FROM moved AS m CROSS JOIN unnest($2::text[]) AS l (line) \
             CROSS JOIN LATERAL {TAKEN}"
        ))
    }

    /// The same without taking the lines apart; after the others come their numbers.
    pub(super) fn insert_raw(&self) -> String {
        self.put(
            "(chain, seq, time, findings, line) SELECT m.id, l.seq, '-infinity', 0, l.line \
             FROM moved AS m CROSS JOIN unnest($6::bigint[], $2::text[]) AS l (seq, line)",
        )
    }

    fn put(&self, lines: &str) -> String {
        let schema = &self.schema;
        format!(
            "WITH moved AS (UPDATE {schema}.chain SET last_seq = $4::bigint, last_hash = $5::text, changed = now() \
             WHERE id = $1::bigint AND last_seq = $3::bigint RETURNING id), \
             put AS (INSERT INTO {schema}.event {lines} ON CONFLICT DO NOTHING) SELECT count(*) FROM moved"
        )
    }

    pub(super) fn begin(&self) -> String {
        let schema = &self.schema;
        format!(
            "INSERT INTO {schema}.chain (node, before_seq, before_hash, last_seq, last_hash) \
             VALUES ($1::text, $2::bigint, $3::text, $2::bigint, $3::text) RETURNING id"
        )
    }

    /// All chains: id, node, the last line's place, the place before the first.
    pub(in crate::audit) fn chains(&self) -> String {
        let schema = &self.schema;
        format!(
            "SELECT id, node, last_seq, last_hash, before_seq, before_hash FROM {schema}.chain ORDER BY id"
        )
    }

    /// Some lines of a chain behind a number, in order.
    pub(in crate::audit) fn lines(&self) -> String {
        let schema = &self.schema;
        format!(
            "SELECT seq, line FROM {schema}.event WHERE chain = $1::bigint AND seq > $2::bigint ORDER BY seq LIMIT $3::bigint"
        )
    }

    /// The first event of a chain whose columns are not those of its line; of a line that could not be taken apart there are
    /// none.
    pub(in crate::audit) fn altered(&self) -> String {
        let schema = &self.schema;
        let own = || COLUMNS.split(", ");
        let all = own().map(|column| format!("l.{column}")).collect::<Vec<_>>().join(", ");
        let empty = own().filter(|column| !["seq", "time", "findings"].contains(column));
        let empty = empty.map(|column| format!("l.{column}")).collect::<Vec<_>>().join(", ");
        format!(
            "SELECT min(seq) FROM (SELECT l.seq FROM {schema}.event AS l CROSS JOIN LATERAL {TAKEN} \
                 WHERE l.chain = $1::bigint AND l.time > '-infinity' AND ({all}) IS DISTINCT FROM ({VALUES}) \
             UNION ALL SELECT l.seq FROM {schema}.event AS l \
                 WHERE l.chain = $1::bigint AND l.time = '-infinity' AND (l.findings <> 0 OR num_nonnulls({empty}) > 0)) AS changed"
        )
    }

    fn tables(&self) -> String {
        let schema = &self.schema;
        format!(
            "CREATE TABLE {schema}.version (version integer NOT NULL);
             INSERT INTO {schema}.version VALUES ({VERSION});
             CREATE TABLE {schema}.chain (
                 id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 node text NOT NULL,
                 before_seq bigint NOT NULL,
                 before_hash text NOT NULL,
                 last_seq bigint NOT NULL,
                 last_hash text NOT NULL,
                 began timestamptz NOT NULL DEFAULT now(),
                 changed timestamptz NOT NULL DEFAULT now()
             );
             CREATE INDEX chain_node ON {schema}.chain (node);
             CREATE TABLE {schema}.event (
                 chain bigint NOT NULL,
                 seq bigint NOT NULL,
                 time timestamptz NOT NULL,
                 event text,
                 id text,
                 ref text,
                 client text,
                 client_group text,
                 host text,
                 platform text,
                 endpoint text,
                 verdict text,
                 enforced boolean,
                 findings integer NOT NULL,
                 categories text[],
                 rules text[],
                 clauses text[],
                 exceptions text[],
                 fault text,
                 coverage text,
                 outcome text,
                 status integer,
                 micros bigint,
                 line text NOT NULL,
                 PRIMARY KEY (chain, seq, time)
             ) PARTITION BY RANGE (time);
             CREATE INDEX event_time ON {schema}.event (time);
             CREATE INDEX event_ref ON {schema}.event (ref) WHERE ref IS NOT NULL;
             CREATE INDEX event_stopped ON {schema}.event (verdict, time) WHERE verdict <> 'forward';
             CREATE TABLE {schema}.event_other PARTITION OF {schema}.event DEFAULT;
             CREATE VIEW {schema}.finding AS
                 SELECT e.chain, e.seq, e.time, e.platform, e.endpoint, e.verdict, e.enforced, e.client_group, x.rule, x.category, x.action,
                     x.clause, x.exception, x.confidence
                 FROM {schema}.event AS e CROSS JOIN LATERAL json_to_recordset(e.line::json -> 'findings')
                     AS x (rule text, category text, action text, clause text, exception text, confidence text)
                 WHERE e.findings > 0;"
        )
    }
}

/// Makes the tables where there are none, and refuses those of a newer program.
pub(super) async fn prepare(client: &mut Client, names: &Names) -> Result<(), SinkFault> {
    let schema = &names.schema;
    let work = locked(client).await?;
    let version = format!("{schema}.version");
    let there = work.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&version]).await?;
    if there.try_get::<_, bool>(0)? {
        let found = work.query_one(&format!("SELECT max(version) FROM {version}"), &[]).await?;
        let found: Option<i32> = found.try_get(0)?;
        if found != Some(VERSION) {
            return Err(SinkFault::new(format!(
                "the schema has tables of version {}, and this program knows {VERSION}: a newer postward made them",
                found.unwrap_or(0)
            )));
        }
    } else {
        // Asked first: who may not make schemas may use one that is there.
        let there =
            work.query_one("SELECT to_regnamespace($1::text) IS NOT NULL", &[schema]).await?;
        if !there.try_get::<_, bool>(0)? {
            work.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
        }
        work.batch_execute(&names.tables()).await?;
    }
    Ok(work.commit().await?)
}

/// Makes the partitions of these months and of those to come, as far as they are not known to be there.
pub(super) async fn make_months(
    client: &mut Client,
    names: &Names,
    wanted: &BTreeSet<(i16, i8)>,
    known: &mut BTreeSet<(i16, i8)>,
) -> Result<(), SinkFault> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut wanted = wanted.clone();
    for ahead in 0..=AHEAD {
        if let Ok(day) = today.first_of_month().checked_add(ahead.months()) {
            wanted.insert((day.year(), day.month()));
        }
    }
    if wanted.is_subset(known) {
        return Ok(());
    }
    let schema = &names.schema;
    let work = locked(client).await?;
    for (year, month) in wanted.difference(known) {
        let Some((first, next)) = bounds(*year, *month) else { continue };
        work.batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS {schema}.event_{year:04}_{month:02} PARTITION OF {schema}.event \
             FOR VALUES FROM ('{first} 00:00:00+00') TO ('{next} 00:00:00+00')"
        ))
        .await?;
    }
    work.commit().await?;
    known.extend(wanted);
    Ok(())
}

/// Removes months that lie wholly before the span that is kept, as far as no chain would get a hole. Each chain says then
/// where it begins.
pub(super) async fn retire(
    client: &mut Client,
    names: &Names,
    keep_months: Option<u32>,
) -> Result<(), SinkFault> {
    let months = keep_months.and_then(|months| i32::try_from(months).ok());
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let Some(oldest) = months.and_then(|months| today.checked_sub(months.months()).ok()) else {
        return Ok(());
    };
    let schema = &names.schema;
    let found = client
        .query(
            "SELECT c.relname::text FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid \
             WHERE i.inhparent = to_regclass($1::text) ORDER BY 1",
            &[&format!("{schema}.event")],
        )
        .await?;
    let partitions: Vec<String> =
        found.iter().map(|row| row.try_get(0)).collect::<Result<_, tokio_postgres::Error>>()?;
    let is_old = |name: &str| {
        month_in(name)
            .and_then(|(year, month)| bounds(year, month))
            .is_some_and(|(_, next)| next <= oldest)
    };
    if !partitions.iter().any(|name| is_old(name)) {
        return Ok(());
    }
    let work = locked(client).await?;
    let mut months = Vec::new();
    for name in partitions {
        let rows = work
            .query(
                &format!(
                    "SELECT c.id, e.low, e.high FROM {schema}.chain AS c CROSS JOIN LATERAL \
                     (SELECT min(seq) AS low, max(seq) AS high FROM {schema}.{} \
                      WHERE chain = c.id AND time > '-infinity') AS e WHERE e.low IS NOT NULL",
                    quoted(&name)
                ),
                &[],
            )
            .await?;
        let mut chains = BTreeMap::new();
        for row in rows {
            chains.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
        }
        months.push(Month { is_old: is_old(&name), name, chains });
    }
    let old: Vec<String> = removable(months).into_iter().map(|month| month.name).collect();
    for name in &old {
        // A line that could not be taken apart stands in no month: it goes with those behind it.
        work.batch_execute(&format!(
            "WITH gone AS (SELECT DISTINCT ON (chain) chain, seq, substr(line, length(line) - 65, 64) AS hash \
                 FROM {schema}.{name} ORDER BY chain, seq DESC),
             begun AS (UPDATE {schema}.chain AS c SET before_seq = g.seq, before_hash = g.hash FROM gone AS g
                 WHERE c.id = g.chain AND c.before_seq < g.seq)
             DELETE FROM {schema}.event AS e USING gone AS g
             WHERE e.chain = g.chain AND e.seq < g.seq AND e.time = '-infinity';
             DROP TABLE IF EXISTS {schema}.{name}"
        ))
        .await?;
    }
    work.commit().await?;
    if !old.is_empty() {
        tracing::info!(
            months = old.len(),
            "months of the audit were removed from PostgreSQL: they were kept as long as its sink says"
        );
    }
    Ok(())
}

/// One partition: which numbers of each chain stand in it, the lowest and the highest.
#[derive(Clone)]
struct Month {
    name: String,
    is_old: bool,
    chains: BTreeMap<i64, (i64, i64)>,
}

/// Those of the old months that may go together: in no chain does a line stay that stands before one that goes. A clock that
/// was wrong for a while puts lines into months of other years.
fn removable(months: Vec<Month>) -> Vec<Month> {
    let (mut go, mut stay): (Vec<Month>, Vec<Month>) =
        months.into_iter().partition(|month| month.is_old);
    loop {
        let cuts = |month: &Month| {
            month.chains.iter().any(|(chain, (_, high))| {
                stay.iter().any(|stays| stays.chains.get(chain).is_some_and(|(low, _)| low < high))
            })
        };
        let (kept, others): (Vec<Month>, Vec<Month>) = go.into_iter().partition(cuts);
        go = others;
        if kept.is_empty() {
            return go;
        }
        stay.extend(kept);
    }
}

/// A name as a statement takes it, whatever somebody called a partition.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Begins a piece of work that no other node does meanwhile.
async fn locked(client: &mut Client) -> Result<Transaction<'_>, SinkFault> {
    let work = client.transaction().await?;
    work.execute("SELECT pg_advisory_xact_lock($1::bigint)", &[&LOCK]).await?;
    Ok(work)
}

/// The first days of a month and of the next.
fn bounds(year: i16, month: i8) -> Option<(Date, Date)> {
    let first = Date::new(year, month, 1).ok()?;
    Some((first, first.checked_add(1.month()).ok()?))
}

/// The month in `{"time":"2026-11-23T..`.
pub(super) fn month_of(line: &str) -> Option<(i16, i8)> {
    let date: Date = line.strip_prefix("{\"time\":\"")?.get(..10)?.parse().ok()?;
    Some((date.year(), date.month()))
}

/// The month in `event_2026_11`.
fn month_in(name: &str) -> Option<(i16, i8)> {
    let (year, month) = name.strip_prefix("event_")?.split_once('_')?;
    Some((year.parse().ok()?, month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Month, VALUES, bounds, month_in, month_of, removable};

    #[test]
    fn months_are_read_off_lines_and_names() {
        for (line, month) in [
            ("{\"time\":\"2026-11-23T10:00:00.000Z\"", Some((2026, 11))),
            ("{\"time\":\"2026-13-23T10:00:00.000Z\"", None),
            ("{\"time\":\"20", None),
            ("", None),
        ] {
            assert_eq!(month_of(line), month, "{line}");
        }
        assert_eq!(month_in("event_2026_11"), Some((2026, 11)));
        assert_eq!(month_in("event_other"), None);
        let (first, next) = bounds(2026, 12).unwrap();
        assert_eq!(
            (first.to_string(), next.to_string()),
            ("2026-12-01".into(), "2027-01-01".into())
        );
    }

    #[test]
    fn a_month_goes_only_where_no_chain_gets_a_hole() {
        let month = |name: &str, is_old, chains: &[(i64, i64, i64)]| Month {
            name: name.into(),
            is_old,
            chains: chains.iter().map(|(chain, low, high)| (*chain, (*low, *high))).collect(),
        };
        let gone = |months: Vec<Month>| -> Vec<String> {
            removable(months).into_iter().map(|month| month.name).collect()
        };
        let usual = vec![month("a", true, &[(1, 1, 9)]), month("b", false, &[(1, 10, 12)])];
        assert_eq!(gone(usual), ["a"]);
        // The clock was put back after the ninth line.
        let back = vec![month("a", true, &[(1, 10, 12)]), month("b", false, &[(1, 1, 9)])];
        assert!(gone(back.clone()).is_empty());
        // Once both are old, both go; and one that stays keeps those that it stands between.
        let both = back.into_iter().map(|month| Month { is_old: true, ..month }).collect();
        assert_eq!(gone(both), ["a", "b"]);
        let chained = vec![
            month("a", true, &[(1, 1, 20)]),
            month("b", true, &[(1, 5, 9), (2, 7, 9)]),
            month("c", false, &[(2, 1, 6)]),
            month("d", true, &[(3, 1, 4)]),
        ];
        assert_eq!(gone(chained), ["d"]);
    }

    #[test]
    fn as_many_values_are_taken_as_there_are_columns() {
        assert_eq!(COLUMNS.split(',').count(), VALUES.split(',').count());
    }
}
