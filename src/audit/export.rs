//! Events for other programs: CSV for spreadsheets, JSON lines as they were kept.

use std::collections::BTreeSet;
use std::io::{self, Write};

use jiff::civil::Date;

use crate::audit::entry::{Entry, EntryFinding, Seen};
use crate::audit::source::LineSource;

/// Posts whose outcome is awaited at most; those of a reader that has seen more are given up, oldest id first.
const MOST_AWAITED: usize = 100_000;

/// Which events are wanted. An empty list asks nothing.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// From the beginning of this day, UTC.
    pub from: Option<Date>,
    /// To the end of this day, UTC.
    pub to: Option<Date>,
    /// Of these platforms.
    pub platforms: Vec<String>,
    /// Decided so.
    pub verdicts: Vec<String>,
    /// Decided by one of these clauses or exceptions.
    pub clauses: Vec<String>,
    /// With a finding of one of these rules.
    pub rules: Vec<String>,
    /// With a finding of one of these categories.
    pub categories: Vec<String>,
    /// Of clients of these groups.
    pub groups: Vec<String>,
    /// Written by these machines.
    pub nodes: Vec<String>,
    /// Of these kinds (`decision`, `outcome`, `reload`, ..).
    pub events: Vec<String>,
}

impl Wanted {
    /// Whether an event lies within the days.
    pub fn in_time(&self, entry: &Entry) -> bool {
        // Times have one form, so that they sort as texts do.
        let day = entry.day();
        self.from.is_none_or(|from| day >= from.to_string().as_str())
            && self.to.is_none_or(|to| day <= to.to_string().as_str())
    }

    /// Whether only decisions can answer what is asked.
    fn asks_of_decisions(&self) -> bool {
        [&self.verdicts, &self.clauses, &self.rules, &self.categories].iter().any(|l| !l.is_empty())
    }

    fn wants(&self, entry: &Entry) -> bool {
        let among = |list: &[String], word: &str| list.is_empty() || list.iter().any(|w| w == word);
        let any = |list: &[String], of: fn(&EntryFinding) -> [&str; 2]| {
            list.is_empty()
                || entry.findings.iter().any(|finding| {
                    of(finding).iter().any(|word| list.iter().any(|wanted| wanted == word))
                })
        };
        self.in_time(entry)
            && among(&self.platforms, &entry.platform)
            && (among(&self.groups, &entry.group)
                || entry.group.split(", ").any(|one| among(&self.groups, one)))
            && among(&self.nodes, &entry.node)
            && among(&self.events, &entry.event)
            && among(&self.verdicts, &entry.verdict)
            && any(&self.clauses, |finding| [&finding.clause, &finding.exception])
            && any(&self.rules, |finding| [&finding.rule, &finding.rule])
            && any(&self.categories, |finding| [&finding.category, &finding.category])
    }
}

/// Which form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// RFC 4180 with a head line; no cell is a formula to a spreadsheet.
    Csv,
    /// The lines as they stand in the audit.
    Json,
}

/// What an export came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Exported {
    /// Events written.
    pub n_written: u64,
    /// Lines left out because their hash is not that of their words.
    pub n_changed: u64,
    /// Lines left out because they are none of an audit.
    pub n_fragments: u64,
}

/// Writes what is wanted of each source, in the order given. Memory is that of one line and of the posts under way.
pub fn export(
    sources: impl Iterator<Item = io::Result<Box<dyn LineSource>>>,
    wanted: &Wanted,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<Exported> {
    let mut exported = Exported::default();
    let mut awaited = BTreeSet::new();
    let mut table = Cells::default();
    if format == Format::Csv {
        table.head(out)?;
    }
    for source in sources {
        let mut lines = source?;
        while let Some((_, line, fits)) = lines.next_line()? {
            let entry = match if fits { Entry::read(line) } else { Seen::Fragment } {
                Seen::Whole(entry) => entry,
                // What somebody changed is evidence, and no event: `verify` says where it stands.
                Seen::Changed(_) => {
                    exported.n_changed += 1;
                    continue;
                }
                Seen::Fragment => {
                    exported.n_fragments += 1;
                    continue;
                }
            };
            if !is_wanted(wanted, &entry, &mut awaited) {
                continue;
            }
            exported.n_written += 1;
            match format {
                Format::Json => {
                    out.write_all(line)?;
                    out.write_all(b"\n")?;
                }
                Format::Csv => table.row(&entry, out)?,
            }
        }
    }
    Ok(exported)
}

/// An outcome says neither verdict nor clause: it belongs to a decision that was wanted.
fn is_wanted(wanted: &Wanted, entry: &Entry, awaited: &mut BTreeSet<String>) -> bool {
    let follows = wanted.asks_of_decisions() && entry.event == "outcome";
    if follows {
        let of_kind = wanted.events.is_empty() || wanted.events.contains(&entry.event);
        return awaited.remove(&entry.id) && of_kind;
    }
    if !wanted.wants(entry) {
        return false;
    }
    if wanted.asks_of_decisions() && entry.is_decision() {
        if awaited.len() >= MOST_AWAITED {
            awaited.pop_first();
        }
        awaited.insert(entry.id.clone());
    }
    true
}

/// The columns of CSV, in their order. New ones are added at the end only.
pub const COLUMNS: [&str; 39] = [
    "time",
    "node",
    "seq",
    "event",
    "id",
    "ref",
    "client",
    "identity",
    "group",
    "host",
    "platform",
    "method",
    "endpoint",
    "post",
    "verdict",
    "enforced",
    "coverage",
    "reason",
    "fault",
    "findings",
    "categories",
    "found_by",
    "fields",
    "clauses",
    "exceptions",
    "unjudged_media",
    "metadata_stripped",
    "shadow_verdict",
    "care",
    "micros",
    "outcome",
    "status",
    "trigger",
    "rules",
    "policy",
    "rules_before",
    "policy_before",
    "config",
    "hash",
];

/// Writes rows, each cell by itself.
#[derive(Default)]
struct Cells {
    row: Vec<u8>,
    n: usize,
}

impl Cells {
    fn head(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for column in COLUMNS {
            self.text(column);
        }
        self.end(out)
    }

    fn row(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        let is_decision = entry.is_decision();
        self.text(&entry.time);
        self.text(&entry.node);
        self.number(Some(entry.seq));
        for text in [
            &entry.event,
            &entry.id,
            &entry.reference,
            &entry.client,
            &entry.identity,
            &entry.group,
            &entry.host,
            &entry.platform,
            &entry.method,
            &entry.endpoint,
        ] {
            self.text(text);
        }
        self.flag(is_decision.then_some(entry.post));
        self.text(&entry.verdict);
        self.flag(entry.enforced);
        self.text(&entry.coverage);
        self.text(&entry.reason);
        self.text(&entry.fault);
        self.number(is_decision.then(|| entry.findings.len() as u64 + entry.unlisted));
        self.list(entry, |finding| &finding.category);
        self.list(entry, |finding| &finding.rule);
        self.list(entry, |finding| &finding.field);
        self.list(entry, |finding| &finding.clause);
        self.list(entry, |finding| &finding.exception);
        self.flag(is_decision.then_some(entry.unjudged_media));
        self.flag(is_decision.then_some(entry.metadata_stripped));
        self.text(entry.shadow.as_ref().map_or("", |shadow| shadow.verdict.as_str()));
        // A number of ours: its minus begins no formula.
        self.bare(&entry.care.map(|care| format!("{care:.2}")).unwrap_or_default());
        self.number(entry.micros);
        self.text(&entry.outcome);
        self.number(entry.status.map(u64::from));
        for text in [
            &entry.trigger,
            &entry.rules,
            &entry.policy,
            &entry.rules_before,
            &entry.policy_before,
            &entry.config,
            &entry.hash,
        ] {
            self.text(text);
        }
        self.end(out)
    }

    /// What findings have of one kind, each word once, in order.
    fn list(&mut self, entry: &Entry, of: fn(&EntryFinding) -> &String) {
        let words: BTreeSet<&str> = entry
            .findings
            .iter()
            .map(|finding| of(finding).as_str())
            .filter(|word| !word.is_empty())
            .collect();
        self.text(&words.into_iter().collect::<Vec<_>>().join("; "));
    }

    fn number(&mut self, number: Option<u64>) {
        self.bare(&number.map(|number| number.to_string()).unwrap_or_default());
    }

    fn flag(&mut self, flag: Option<bool>) {
        self.bare(flag.map_or("", |flag| if flag { "true" } else { "false" }));
    }

    fn bare(&mut self, word: &str) {
        if self.n > 0 {
            self.row.push(b',');
        }
        self.n += 1;
        self.row.extend_from_slice(word.as_bytes());
    }

    /// A text as a spreadsheet takes it for one: in quotes where it needs them, and behind an apostrophe where it would
    /// otherwise be a formula.
    fn text(&mut self, text: &str) {
        let is_formula =
            text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let text = if is_formula { format!("'{text}") } else { text.to_owned() };
        // A semicolon parts cells where a comma is the decimal point.
        if text.contains([',', '"', '\r', '\n', ';']) || is_formula {
            self.bare(&format!("\"{}\"", text.replace('"', "\"\"")));
        } else {
            self.bare(&text);
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        debug_assert_eq!(self.n, COLUMNS.len(), "a cell for each column");
        self.row.extend_from_slice(b"\r\n");
        out.write_all(&self.row)?;
        self.row.clear();
        self.n = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Cells, Entry, Format, Wanted, export};
    use crate::audit::entry::EntryFinding;
    use crate::audit::source::LineSource;
    use std::io;

    fn cell(text: &str) -> String {
        let mut cells = Cells::default();
        cells.text(text);
        String::from_utf8(cells.row).unwrap()
    }

    #[test]
    fn no_cell_is_a_formula_and_every_text_reads_back() {
        for (text, want) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a;b", "\"a;b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(cell(text), want, "{text}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let entry = Entry {
            event: "decision".into(),
            care: Some(-1.25),
            group: "=cmd|' /C calc'!A0".into(),
            findings: vec![
                EntryFinding { category: "ssn".into(), ..EntryFinding::default() },
                EntryFinding { category: "name".into(), ..EntryFinding::default() },
            ],
            ..Entry::default()
        };
        let mut written = Vec::new();
        let mut cells = Cells::default();
        cells.head(&mut written).unwrap();
        cells.row(&entry, &mut written).unwrap();
        let mut reader = csv::Reader::from_reader(written.as_slice());
        let head: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        assert_eq!(head, COLUMNS);
        let row = reader.records().next().unwrap().unwrap();
        let at = |column: &str| row.get(head.iter().position(|c| c == column).unwrap()).unwrap();
        assert_eq!(at("categories"), "name; ssn");
        assert_eq!((at("findings"), at("care")), ("2", "-1.25"));
        assert_eq!(at("group"), "'=cmd|' /C calc'!A0");
        assert_eq!(reader.records().count(), 0);
    }

    struct Given(Vec<Vec<u8>>, usize);

    impl LineSource for Given {
        fn name(&self) -> String {
            "given".into()
        }

        fn next_line(&mut self) -> io::Result<crate::audit::source::NextLine<'_>> {
            self.1 += 1;
            Ok(self.0.get(self.1 - 1).map(|line| (self.1, line.as_slice(), true)))
        }
    }

    fn line(seq: u64, time: &str, more: &str) -> Vec<u8> {
        let mut line = format!(
            "{{\"time\":\"{time}\",\"node\":\"n\",\"seq\":{seq},\"prev\":\"{}\",{more}",
            "0".repeat(64)
        )
        .into_bytes();
        crate::audit::chain::seal(&mut line, 0);
        line.pop();
        line
    }

    #[test]
    fn what_is_asked_for_is_written_with_the_outcomes_of_the_same_posts() {
        let decision = |seq, time: &str, id: &str, verdict: &str, clause: &str| {
            line(
                seq,
                time,
                &format!(
                    "\"event\":\"decision\",\"id\":\"{id}\",\"platform\":\"x\",\"verdict\":\"{verdict}\",\"findings\":[{{\"rule\":\"us-ssn\",\"category\":\"ssn\",\"clause\":\"{clause}\"}}]"
                ),
            )
        };
        let outcome = |seq, id: &str| {
            line(
                seq,
                "2026-11-23T10:00:00.000Z",
                &format!(
                    "\"event\":\"outcome\",\"id\":\"{id}\",\"platform\":\"x\",\"outcome\":\"answered\",\"status\":200"
                ),
            )
        };
        let mut changed = decision(6, "2026-11-23T10:00:00.000Z", "C", "block", "numbers");
        changed[20] = b'9';
        let lines = vec![
            decision(1, "2026-11-22T23:59:59.999Z", "A", "block", "numbers"),
            outcome(2, "A"),
            decision(3, "2026-11-23T00:00:00.000Z", "B", "redact", "about"),
            outcome(4, "B"),
            b"nothing".to_vec(),
            changed,
        ];
        let day = "2026-11-23".parse().ok();
        let words = |word: &str| vec![word.to_owned()];
        for (wanted, want) in [
            (Wanted::default(), vec![1, 2, 3, 4]),
            (Wanted { verdicts: words("block"), ..Wanted::default() }, vec![1, 2]),
            (Wanted { clauses: words("about"), ..Wanted::default() }, vec![3, 4]),
            (Wanted { from: day, ..Wanted::default() }, vec![2, 3, 4]),
            (
                Wanted { from: day, to: day, verdicts: words("redact"), ..Wanted::default() },
                vec![3, 4],
            ),
            (Wanted { events: words("decision"), ..Wanted::default() }, vec![1, 3]),
            (
                Wanted { verdicts: words("block"), events: words("decision"), ..Wanted::default() },
                vec![1],
            ),
            (Wanted { platforms: words("bluesky"), ..Wanted::default() }, vec![]),
            (
                Wanted { categories: words("ssn"), rules: words("us-ssn"), ..Wanted::default() },
                vec![1, 2, 3, 4],
            ),
        ] {
            let mut out = Vec::new();
            let source: Box<dyn LineSource> = Box::new(Given(lines.clone(), 0));
            let done =
                export(std::iter::once(Ok(source)), &wanted, Format::Json, &mut out).unwrap();
            let seqs: Vec<u64> = out
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice::<Entry>(line).unwrap().seq)
                .collect();
            assert_eq!(seqs, want, "{wanted:?}");
            assert_eq!((done.n_changed, done.n_fragments), (1, 1));
            assert_eq!(done.n_written, want.len() as u64);
        }
    }
}
