//! How the configuration stands: what is in force since when, what came of the last attempt to change it, and what is
//! wrong with the files until they are mended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::families;
use crate::audit::Hashes;
use crate::config::{Loaded, RosterFault, RosterFiles};
use crate::detect::Engine;
use crate::diagnostic::{Diagnostic, Severity};
use crate::policy::{Mode, Policy};
use crate::proxy::Page;

/// Why the files are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trigger {
    /// The program starts.
    Start,
    /// SIGHUP.
    Signal,
    /// `POST /reload`.
    Request,
    /// A file has changed.
    Watch,
}

impl Trigger {
    /// A word for the audit, the log and `/status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Signal => "signal",
            Self::Request => "request",
            Self::Watch => "watch",
        }
    }
}

/// What is in force.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) hashes: Hashes,
    pub(crate) n_rules: usize,
    /// The hash of the platforms' files.
    pub(crate) platforms: String,
    pub(crate) policy: Arc<Policy>,
    engine: Arc<Engine>,
    roster: Option<RosterFiles>,
    at: Timestamp,
    trigger: Trigger,
}

impl InForce {
    pub(crate) fn of(loaded: &Loaded, trigger: Trigger) -> Self {
        let folder = loaded.file.as_deref().and_then(std::path::Path::parent);
        Self {
            hashes: Hashes {
                config: folder.map(|folder| loaded.seen.hash(folder)).unwrap_or_default(),
                rules: loaded.rules.hash.clone(),
                policy: loaded.policy.hash().to_owned(),
            },
            n_rules: loaded.rules.rules.len(),
            platforms: loaded.platforms.hash(),
            policy: Arc::clone(&loaded.policy),
            engine: Arc::clone(&loaded.engine),
            roster: loaded.roster.clone(),
            at: Timestamp::now(),
            trigger,
        }
    }

    /// Whether the roster was written to since it was read: every post is blocked until another one is in force.
    pub(crate) fn is_roster_damaged(&self) -> bool {
        self.engine.is_damaged()
    }

    /// Takes up what was heard of patients since the roster was built, if anything was. Reads files.
    pub(crate) fn hear_news(&self) -> Result<bool, RosterFault> {
        let (Some(files), Some(live)) = (&self.roster, self.engine.roster()) else {
            return Ok(false);
        };
        let Some(roster) = files.renewed(&live.now())? else { return Ok(false) };
        live.replace(roster);
        Ok(true)
    }

    /// What is known of the rosters in use, if there are any.
    pub(crate) fn roster(&self) -> Option<RosterInUse> {
        let roster = self.engine.roster()?.now();
        Some(RosterInUse {
            // What was heard since is newer, and says nothing of how old the rest is.
            built: roster.indexes.last().map(|index| index.about().built),
            n_patients: roster.house().n_patients,
            n_staff: roster.staff.n_people() as u64,
        })
    }

    pub(crate) fn mode(&self) -> &'static str {
        match self.policy.mode() {
            Mode::Enforce => "enforce",
            Mode::Monitor => "monitor",
        }
    }
}

/// What operators are told of rosters: counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RosterInUse {
    /// When the newest was built.
    pub(crate) built: Option<Timestamp>,
    pub(crate) n_patients: u64,
    pub(crate) n_staff: u64,
}

/// Most faults that `/status` lists one by one; its text has them all.
const MOST_FAULTS: usize = 100;

/// What is wrong with the files, and since when.
#[derive(Clone, Debug)]
struct Refused {
    text: String,
    faults: Vec<Value>,
    since: Timestamp,
}

/// How the configuration stands.
#[derive(Debug)]
pub(crate) struct Standing(Mutex<State>);

#[derive(Debug)]
struct State {
    in_force: Arc<InForce>,
    refused: Option<Refused>,
    /// When an attempt last ended, and whether it did well.
    last_attempt: (Timestamp, Trigger),
    /// When the files were last found to be what is in force.
    last_success: Timestamp,
    n_applied: u64,
    n_unchanged: u64,
    n_refused: u64,
}

impl Standing {
    pub(crate) fn new(in_force: InForce) -> Self {
        let at = in_force.at;
        Self(Mutex::new(State {
            in_force: Arc::new(in_force),
            refused: None,
            last_attempt: (at, Trigger::Start),
            last_success: at,
            n_applied: 0,
            n_unchanged: 0,
            n_refused: 0,
        }))
    }

    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.state().in_force)
    }

    /// What is wrong with the files, if they cannot be used.
    pub(crate) fn refused(&self) -> Option<String> {
        self.state().refused.as_ref().map(|refused| refused.text.clone())
    }

    /// Another set is in force.
    pub(crate) fn applied(&self, in_force: InForce) {
        let mut state = self.state();
        let (at, trigger) = (in_force.at, in_force.trigger);
        state.n_applied += 1;
        state.in_force = Arc::new(in_force);
        state.stands(at, trigger);
    }

    /// The files say what is in force already.
    pub(crate) fn unchanged(&self, trigger: Trigger) {
        let mut state = self.state();
        state.n_unchanged += 1;
        state.stands(Timestamp::now(), trigger);
    }

    /// The files cannot be used.
    pub(crate) fn refuse(&self, text: String, faults: &[Diagnostic], trigger: Trigger) {
        let errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
        let faults = errors.take(MOST_FAULTS).map(fault_as_json).collect();
        let now = Timestamp::now();
        let mut state = self.state();
        state.n_refused += 1;
        let since = state.refused.take().map_or(now, |refused| refused.since);
        state.refused = Some(Refused { text, faults, since });
        state.last_attempt = (now, trigger);
    }

    pub(crate) fn write_metrics(&self, page: &mut Page) {
        let state = self.state();
        let is_bad = state.refused.is_some();
        page.single(&families::RELOAD_GOOD, u8::from(!is_bad));
        page.single(&families::FILE_BAD, u8::from(is_bad));
        page.single(&families::RELOAD_SUCCESS, state.last_success.as_second());
        page.single(&families::RELOAD_TIME, state.last_attempt.0.as_second());
        page.single(&families::GENERATION, state.n_applied + 1);
        let mut samples = page.family(&families::RELOADS);
        for (result, n) in [
            ("applied", state.n_applied),
            ("unchanged", state.n_unchanged),
            ("refused", state.n_refused),
        ] {
            samples.put(&[result], n);
        }
    }

    pub(crate) fn as_json(&self) -> Value {
        let state = self.state();
        let (attempted, trigger) = state.last_attempt;
        json!({
            "hash": state.in_force.hashes.config,
            "generation": state.n_applied + 1,
            "applied": state.in_force.at.to_string(),
            "trigger": state.in_force.trigger.as_str(),
            "last_reload": {
                "time": attempted.to_string(),
                "trigger": trigger.as_str(),
                "successful": state.refused.is_none(),
            },
            "last_success": state.last_success.to_string(),
            "error": state.refused.as_ref().map(|Refused { text, faults, since }| {
                json!({ "since": since.to_string(), "text": text, "faults": faults })
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stands(&mut self, at: Timestamp, trigger: Trigger) {
        self.refused = None;
        self.last_attempt = (at, trigger);
        self.last_success = at;
    }
}

/// Where a fault stands, what it is and what to do about it, each by itself.
fn fault_as_json(fault: &Diagnostic) -> Value {
    let (line, column) = fault.line_column().unzip();
    json!({
        "file": fault.source.name,
        "line": line,
        "column": column,
        "message": fault.message,
        "remedy": fault.help,
    })
}
