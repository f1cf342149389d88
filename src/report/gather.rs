//! Reads an audit once and counts.

use std::collections::BTreeMap;
use std::io;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::audit::{Entry, LineSource};
use crate::report::chains::{Chain, Chains};
use crate::report::counts::{Tally, Times, Verdicts};
use crate::report::gaps::{Gaps, Silence};

/// Most changes that are listed; the others are counted.
const MOST_CHANGES: usize = 200;

/// Longest period that is drawn by the day; a longer one is drawn by the week.
const MOST_DAYS: i32 = 62;

/// What a report is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The first day, UTC.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// When it is made.
    pub now: Timestamp,
    /// Hours without a line that are worth a row.
    pub silence: u32,
}

/// What an audit says of a period.
#[derive(Debug)]
pub struct Report {
    /// What it is about.
    pub scope: Scope,
    /// Posts that were judged.
    pub posts: Verdicts,
    /// Other requests that were written down: they had a finding, or could not be read.
    pub others: Verdicts,
    /// Posts whose verdict was recorded and not carried out (`mode = "monitor"`).
    pub monitored: Verdicts,
    /// By platform.
    pub platforms: Tally<Verdicts>,
    /// By client group.
    pub groups: Tally<Verdicts>,
    /// By machine.
    pub nodes: Tally<Verdicts>,
    /// By category: posts with a finding of it, by what that finding asks for.
    pub categories: Tally<Verdicts>,
    /// The same by rule.
    pub rules: Tally<Verdicts>,
    /// The same by clause.
    pub clauses: Tally<Verdicts>,
    /// The same by exception: posts in which it let something pass.
    pub exceptions: Tally<u64>,
    /// By day, or by week where `by_week`: the first day of it.
    pub days: BTreeMap<Date, Verdicts>,
    /// Whether `days` are weeks.
    pub by_week: bool,
    /// Blocked posts by hour of the day, UTC.
    pub hours: [u64; 24],
    /// Bodies that could not be read: platform and endpoint, then why.
    pub unreadable: Tally<u64>,
    /// Bodies of calls that no platform's file names, by platform.
    pub generic: Tally<u64>,
    /// What could not be done.
    pub faults: Tally<u64>,
    /// What became of posts.
    pub outcomes: Tally<u64>,
    /// Media that passed unjudged.
    pub n_unjudged_media: u64,
    /// Media out of which metadata were taken.
    pub n_stripped: u64,
    /// Posts of which a second policy thought otherwise.
    pub n_shadow: u64,
    /// How long deciding took.
    pub times: Times,
    /// Sets of rules and policy: how many posts each decided, and from when to when.
    pub sets: BTreeMap<(String, String), (u64, String, String)>,
    /// Changes of the configuration while it ran.
    pub changes: Vec<Entry>,
    /// How many there were.
    pub n_changes: u64,
    /// Events that could not be written in time and are missing.
    pub n_lost: u64,
    /// Files that were removed by rule.
    pub retired: Vec<Entry>,
    /// Each chain, over everything that was given, not only the period.
    pub chains: Vec<Chain>,
    /// Sources without a line.
    pub empty: Vec<String>,
    /// Lines within the period, and the numbers, times and hashes of the first and the last by machine.
    pub bounds: BTreeMap<String, Bounds>,
    /// Times without a line.
    pub silences: Vec<Silence>,
}

/// The lines of one machine within a period.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// How many there are.
    pub n: u64,
    /// The hash that the first of them names as the one before.
    pub before: String,
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// Its hash.
    pub head: String,
}

/// Reads every source whole, and counts what lies in the period.
pub fn gather(
    sources: impl Iterator<Item = io::Result<Box<dyn LineSource>>>,
    scope: Scope,
) -> io::Result<Report> {
    let mut report = Report::new(scope);
    let mut chains = Chains::default();
    let mut gaps = Gaps::new(report.scope.from, report.scope.to, report.scope.silence);
    let (from, to) = (report.scope.from.to_string(), report.scope.to.to_string());
    for source in sources {
        chains.read(source?.as_mut(), |entry| {
            // Times have one form, so that days sort as texts do.
            if (from.as_str()..=to.as_str()).contains(&entry.day()) {
                gaps.line(entry);
                report.line(entry);
            }
        })?;
    }
    (report.chains, report.empty) = chains.finish();
    report.silences = gaps.finish(report.scope.now);
    Ok(report)
}

impl Report {
    fn new(scope: Scope) -> Self {
        let n_days = scope.from.until(scope.to).map_or(0, |span| span.get_days()) + 1;
        let by_week = n_days > MOST_DAYS;
        let mut report = Self {
            posts: Verdicts::default(),
            others: Verdicts::default(),
            monitored: Verdicts::default(),
            platforms: Tally::default(),
            groups: Tally::default(),
            nodes: Tally::default(),
            categories: Tally::default(),
            rules: Tally::default(),
            clauses: Tally::default(),
            exceptions: Tally::default(),
            days: BTreeMap::new(),
            by_week,
            hours: [0; 24],
            unreadable: Tally::default(),
            generic: Tally::default(),
            faults: Tally::default(),
            outcomes: Tally::default(),
            n_unjudged_media: 0,
            n_stripped: 0,
            n_shadow: 0,
            times: Times::default(),
            sets: BTreeMap::new(),
            changes: Vec::new(),
            n_changes: 0,
            n_lost: 0,
            retired: Vec::new(),
            chains: Vec::new(),
            empty: Vec::new(),
            bounds: BTreeMap::new(),
            silences: Vec::new(),
            scope,
        };
        // Days without a post are drawn, too. A period has an end: the calendar's.
        let mut day = report.bucket(report.scope.from);
        while day <= report.scope.to && report.days.len() < 12_000 {
            report.days.insert(day, Verdicts::default());
            let step = if by_week { 7.days() } else { 1.day() };
            let Ok(next) = day.checked_add(step) else { break };
            day = next;
        }
        report
    }

    fn bucket(&self, day: Date) -> Date {
        if !self.by_week {
            return day;
        }
        let since = i64::from(day.weekday().to_monday_zero_offset());
        day.checked_sub(since.days()).unwrap_or(day)
    }

    fn line(&mut self, entry: &Entry) {
        self.bounds(entry);
        match entry.event.as_str() {
            "decision" => self.decision(entry),
            "outcome" => self.outcome(entry),
            "reload" => {
                self.n_changes += 1;
                if self.changes.len() < MOST_CHANGES {
                    self.changes.push(entry.clone());
                }
            }
            "lost" => self.n_lost += entry.lines,
            "retired" if self.retired.len() < MOST_CHANGES => self.retired.push(entry.clone()),
            _ => {}
        }
    }

    fn bounds(&mut self, entry: &Entry) {
        if self.bounds.len() >= MOST_CHANGES && !self.bounds.contains_key(&entry.node) {
            return;
        }
        let bounds = self.bounds.entry(entry.node.clone()).or_default();
        if bounds.n == 0 {
            bounds.before.clone_from(&entry.prev);
            bounds.first = entry.seq;
        }
        bounds.n += 1;
        bounds.last = entry.seq;
        bounds.head.clone_from(&entry.hash);
    }

    fn decision(&mut self, entry: &Entry) {
        let verdict = entry.verdict.as_str();
        if entry.post {
            self.post(entry);
        } else {
            self.others.count(verdict);
        }
        self.findings(entry);
        let call = || format!("{} · {}", entry.platform, entry.endpoint);
        match entry.coverage.as_str() {
            "unreadable" => *self.unreadable.row(&format!("{} · {}", call(), entry.reason)) += 1,
            "generic" => *self.generic.row(&entry.platform) += 1,
            _ => {}
        }
        if !entry.fault.is_empty() {
            *self.faults.row(&entry.fault) += 1;
        }
        self.n_unjudged_media += u64::from(entry.unjudged_media);
        self.n_stripped += u64::from(entry.metadata_stripped);
        self.set_of(entry);
    }

    fn post(&mut self, entry: &Entry) {
        let verdict = entry.verdict.as_str();
        self.posts.count(verdict);
        if entry.enforced == Some(false) {
            self.monitored.count(verdict);
        }
        self.platforms.row(&entry.platform).count(verdict);
        self.nodes.row(&entry.node).count(verdict);
        let group = if entry.group.is_empty() { "(none)" } else { &entry.group };
        self.groups.row(group).count(verdict);
        self.in_time(entry);
        if let Some(micros) = entry.micros {
            self.times.count(micros);
        }
        self.n_shadow += u64::from(entry.shadow.is_some());
    }

    /// Each name once a post, with the strictest action that it asked for there.
    fn findings(&mut self, entry: &Entry) {
        const ACTIONS: [(&str, &str); 3] =
            [("log", "forward"), ("redact", "redact"), ("block", "block")];
        let strength = |action: &str| ACTIONS.iter().position(|(a, _)| *a == action);
        let mut strongest: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        for finding in &entry.findings {
            let Some(strength) = strength(&finding.action) else { continue };
            for key in [(0, &finding.category), (1, &finding.rule), (2, &finding.clause)] {
                if !key.1.is_empty() {
                    let most = strongest.entry((key.0, key.1.as_str())).or_default();
                    *most = strength.max(*most);
                }
            }
            if !finding.exception.is_empty() {
                strongest.insert((3, finding.exception.as_str()), 0);
            }
        }
        for ((kind, name), strength) in strongest {
            let verdict = ACTIONS.get(strength).map_or("", |(_, verdict)| verdict);
            match kind {
                0 => self.categories.row(name).count(verdict),
                1 => self.rules.row(name).count(verdict),
                2 => self.clauses.row(name).count(verdict),
                _ => *self.exceptions.row(name) += 1,
            }
        }
    }

    fn in_time(&mut self, entry: &Entry) {
        if let Ok(day) = entry.day().parse::<Date>() {
            let bucket = self.bucket(day);
            if let Some(day) = self.days.get_mut(&bucket) {
                day.count(&entry.verdict);
            }
        }
        let hour = entry.time.get(11..13).and_then(|hour| hour.parse::<usize>().ok());
        if entry.verdict == "block"
            && let Some(hour) = hour.and_then(|hour| self.hours.get_mut(hour))
        {
            *hour += 1;
        }
    }

    fn outcome(&mut self, entry: &Entry) {
        let name = match (entry.outcome.as_str(), entry.status) {
            ("answered", Some(status)) => format!("the platform answered {}xx", status / 100),
            ("sent", _) => "sent over a WebSocket".to_owned(),
            ("failed", _) => "the platform could not be reached, or broke off".to_owned(),
            ("client-gone", _) => "the client went away before the answer".to_owned(),
            ("stopped", _) => "Postward stopped before the answer".to_owned(),
            (other, _) => other.to_owned(),
        };
        *self.outcomes.row(&name) += 1;
    }

    fn set_of(&mut self, entry: &Entry) {
        let key = (entry.rules.clone(), entry.policy.clone());
        if self.sets.len() >= MOST_CHANGES && !self.sets.contains_key(&key) {
            return;
        }
        let (n, first, last) = self.sets.entry(key).or_default();
        *n += 1;
        // Of several machines, lines come one machine after the other.
        if first.is_empty() || entry.time < *first {
            first.clone_from(&entry.time);
        }
        if entry.time > *last {
            last.clone_from(&entry.time);
        }
    }
}
