//! One thread a sink: follows the file, hands lines over, and tries again where the sink is down.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::audit::AuditSettings;
use crate::audit::chain::Link;
use crate::audit::keep::Held;
use crate::audit::sinks::backlog::Sinks;
use crate::audit::sinks::cursor::{Cursor, CursorFile};
use crate::audit::sinks::fault::SinkFault;
use crate::audit::sinks::follow::{Batch, Follower};
use crate::audit::sinks::postgres::Postgres;
use crate::audit::sinks::sqlite::Sqlite;
use crate::audit::sinks::syslog::Syslog;
use crate::audit::sinks::{Backlog, Newest, Sink, SinkKind, SinkSettings, Trail};

/// The first pause after a fault; each further one is twice as long, up to `retry`.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long after the last line of all a sink may go on taking lines. What is left stays in the file for the next start.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How often a sink that can tell what it holds has its cursor written, and how often it may tidy up.
const SAVE_EVERY: Duration = Duration::from_secs(1);
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Starts the workers of all sinks of a file that ends at `newest`. `None` where there is no sink.
pub(in crate::audit) fn spawn(
    settings: &AuditSettings,
    newest: Newest,
    held: &Held,
    make: &mut dyn FnMut(&SinkKind) -> Box<dyn Sink>,
) -> io::Result<Option<Arc<Sinks>>> {
    if settings.sinks.is_empty() {
        return Ok(None);
    }
    // Until they say otherwise.
    held.set(0);
    let backlog =
        |sink: &SinkSettings| Arc::new(Backlog::new(&sink.name, sink.kind.as_str(), sink.wait));
    let sinks = Arc::new(Sinks {
        trail: Arc::new(Trail::new(&settings.file, newest)),
        backlogs: settings.sinks.iter().map(backlog).collect(),
        bound: settings.spool,
        only_spool: settings.keep.only_spool,
        held: held.clone(),
        workers: Mutex::default(),
    });
    for (sink, backlog) in settings.sinks.iter().zip(&sinks.backlogs) {
        let worker = Worker::new(sink, make(&sink.kind), &settings.node, &sinks, backlog);
        let name = format!("audit-{}", sink.kind.as_str());
        let thread = std::thread::Builder::new().name(name).spawn(move || worker.run())?;
        sinks.workers.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }
    Ok(Some(sinks))
}

/// The sink that a configuration names.
pub(in crate::audit) fn made(kind: &SinkKind) -> Box<dyn Sink> {
    match kind {
        SinkKind::Sqlite(settings) => Box::new(Sqlite::new(settings.clone())),
        SinkKind::Postgres(settings) => Box::new(Postgres::new(settings.clone())),
        SinkKind::Syslog(settings) => Box::new(Syslog::new(settings.clone())),
    }
}

/// The state of one thread.
pub(super) struct Worker {
    settings: SinkSettings,
    node: String,
    sink: Box<dyn Sink>,
    sinks: Arc<Sinks>,
    trail: Arc<Trail>,
    backlog: Arc<Backlog>,
    follower: Follower,
    cursor: CursorFile,
    batch: Batch,
    is_connected: bool,
    /// Whether the sink took what it was last asked for.
    is_reached: bool,
    /// Whether the sink cannot tell what it holds.
    needs_cursor: bool,
    /// The newest line that it was given by this process, or said that it holds.
    given: Option<Link>,
    saved: Instant,
    tidied: Instant,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// Lines were read.
    Moved,
    /// Nothing is due.
    Idle,
}

impl Worker {
    pub(super) fn new(
        settings: &SinkSettings,
        sink: Box<dyn Sink>,
        node: &str,
        sinks: &Arc<Sinks>,
        backlog: &Arc<Backlog>,
    ) -> Self {
        let now = Instant::now();
        let trail = &sinks.trail;
        Self {
            settings: settings.clone(),
            node: node.to_owned(),
            sink,
            sinks: Arc::clone(sinks),
            trail: Arc::clone(trail),
            backlog: Arc::clone(backlog),
            follower: Follower::new(trail.path()),
            cursor: CursorFile::of(trail.path(), &settings.name),
            batch: Batch::default(),
            is_connected: false,
            is_reached: true,
            needs_cursor: false,
            given: None,
            saved: now,
            // The first time soon after the start.
            tidied: now.checked_sub(TIDY_EVERY).unwrap_or(now),
        }
    }

    /// Hands lines over until none follows.
    pub(super) fn run(mut self) {
        if let Err(error) = self.look_back() {
            tracing::error!(sink = self.settings.name.as_str(), %error, "the audit's files cannot be followed");
        }
        let mut pause = FIRST_PAUSE;
        let mut last_call: Option<Instant> = None;
        let mut is_down = false;
        loop {
            let is_last = self.trail.has_stopped();
            // Nobody waits for one that is down, which may take long to say so once more.
            if is_last
                && (!self.is_reached
                    || last_call.get_or_insert_with(Instant::now).elapsed() > CATCH_UP)
            {
                break;
            }
            match self.step() {
                Ok(step) => {
                    if std::mem::take(&mut is_down) {
                        tracing::info!(
                            sink = self.settings.name.as_str(),
                            "an audit sink takes lines again"
                        );
                    }
                    pause = FIRST_PAUSE;
                    if step == Step::Moved {
                        continue;
                    }
                    if is_last {
                        break;
                    }
                    self.trail.wait_for_more(self.follower.after().seq, TIDY_EVERY);
                    if !self.settings.wait {
                        self.trail.sleep(self.settings.gather);
                    }
                }
                Err(error) => {
                    self.is_connected = false;
                    if !std::mem::replace(&mut is_down, true) {
                        tracing::error!(sink = self.settings.name.as_str(), %error, "an audit sink is down: its lines wait in the file");
                    }
                    self.backlog.failed(error.to_string());
                    if is_last {
                        break;
                    }
                    self.trail.sleep(pause);
                    pause = (pause * 2).min(self.settings.retry);
                }
            }
        }
        self.save(true);
    }

    /// What is known before the sink is reached: how much waits for it.
    fn look_back(&mut self) -> io::Result<()> {
        let cursor = self.cursor.read();
        let is_unreadable = cursor.is_none() && self.cursor.is_there();
        let known = match cursor {
            Some(cursor) => self.follower.seek(cursor.end)?,
            None => false,
        };
        if !known {
            self.follower.seek_oldest()?;
        }
        let (newest, n_bytes) = self.trail.newest_and_bytes();
        let behind = self.follower.behind(&newest)?;
        self.backlog.is_behind(behind, n_bytes);
        let cursor = cursor.filter(|_| known);
        // Only what was never there is new: of a cursor that was emptied or changed nobody knows what it allowed.
        let allowance = match cursor {
            Some(cursor) => cursor.allowance,
            None if is_unreadable => 0,
            None => behind,
        };
        self.backlog.allow(allowance);
        if cursor.is_none() {
            // Also before it was ever reached: a restart must not make room in the spool.
            let end = self.follower.after();
            self.cursor.write(Cursor { end, allowance })?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Step, SinkFault> {
        if !self.is_connected {
            self.connect()?;
            self.is_connected = true;
        }
        self.follower.next(&self.trail.newest(), &mut self.batch)?;
        let Some(end) = self.batch.end() else {
            if self.batch.n_read() > 0 {
                // A torn line, and nothing behind it yet.
                self.backlog.delivered(self.follower.after().seq, 0, self.batch.n_read());
            }
            if self.tidied.elapsed() >= TIDY_EVERY {
                self.tidied = Instant::now();
                self.sink.tidy()?;
            }
            self.tell();
            self.save(false);
            return Ok(Step::Idle);
        };
        self.is_reached = false;
        self.sink.put(&self.batch)?;
        self.is_reached = true;
        self.given = Some(end);
        self.backlog.delivered(end.seq, self.batch.n_lines(), self.batch.n_read());
        self.tell();
        self.save(false);
        Ok(Step::Moved)
    }

    /// Connects, and finds the line that is due.
    fn connect(&mut self) -> Result<(), SinkFault> {
        self.is_reached = false;
        let held = self.sink.connect(&self.node)?;
        self.is_reached = true;
        self.needs_cursor = held.is_none();
        let newest = self.trail.newest();
        let ends: Vec<(String, Link)> = if let Some(mut held) = held {
            // Of other nodes last, and none that is longer than the files: a node may have got another name.
            held.retain(|held| held.is_own || held.end.seq <= newest.link.seq);
            held.sort_by_key(|held| (!held.is_own, std::cmp::Reverse(held.end.seq)));
            held.into_iter().map(|held| (held.chain, held.end)).collect()
        } else {
            // What it was given by this process it sends again by itself.
            let end = self.given.or_else(|| self.cursor.read().map(|cursor| cursor.end));
            end.map(|end| (String::new(), end)).into_iter().collect()
        };
        let mut found = None;
        for (chain, end) in &ends {
            // A rotated file that no other continues leads nowhere: the sink would wait there for ever.
            if self.follower.seek(*end)? && !self.follower.is_dead_end(&newest)? {
                found = Some(chain);
                break;
            }
        }
        if let Some(chain) = found {
            self.sink.go_on(chain)?;
        } else {
            let before = self.follower.seek_oldest()?;
            if !ends.is_empty() {
                tracing::warn!(
                    sink = self.settings.name.as_str(),
                    "an audit sink holds no chain that the files go on with: it is given all of them as another one"
                );
            }
            self.sink.begin(&self.node, before)?;
        }
        let (newest, n_bytes) = self.trail.newest_and_bytes();
        self.backlog.is_behind(self.follower.behind(&newest)?, n_bytes);
        self.given = Some(self.follower.after());
        self.backlog.holds(self.follower.after().seq);
        self.tell();
        Ok(())
    }

    /// The newest line that it surely holds.
    fn sure(&self) -> Link {
        self.sink.unsure_after().unwrap_or_else(|| self.follower.after())
    }

    /// Says up to where the files are no longer needed.
    fn tell(&self) {
        self.backlog.surely_holds(self.sure().seq);
        self.sinks.tell_held();
    }

    /// Remembers how far the sink has come.
    fn save(&mut self, is_last: bool) {
        if !self.is_connected
            || (!is_last && !self.needs_cursor && self.saved.elapsed() < SAVE_EVERY)
        {
            return;
        }
        let end = self.sure();
        self.saved = Instant::now();
        let cursor = Cursor { end, allowance: self.backlog.allowance(&self.trail) };
        if let Err(error) = self.cursor.write(cursor) {
            tracing::warn!(sink = self.settings.name.as_str(), %error, "how far an audit sink has come cannot be written down");
        }
    }
}
