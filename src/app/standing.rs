//! How the configuration stands: what is in force since when, what came of the last attempt to change it, and what is
//! wrong with the files until they are mended.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::audit::Hashes;
use crate::config::Loaded;
use crate::detect::Engine;
use crate::policy::{Mode, Policy};

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
    pub(crate) policy: Arc<Policy>,
    engine: Arc<Engine>,
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
            policy: Arc::clone(&loaded.policy),
            engine: Arc::clone(&loaded.engine),
            at: Timestamp::now(),
            trigger,
        }
    }

    /// Whether the roster was written to since it was read: every post is blocked until another one is in force.
    pub(crate) fn is_roster_damaged(&self) -> bool {
        self.engine.is_damaged()
    }

    pub(crate) fn mode(&self) -> &'static str {
        match self.policy.mode() {
            Mode::Enforce => "enforce",
            Mode::Monitor => "monitor",
        }
    }
}

/// How the configuration stands.
#[derive(Debug)]
pub(crate) struct Standing(Mutex<State>);

#[derive(Debug)]
struct State {
    in_force: Arc<InForce>,
    /// What is wrong with the files, and since when.
    refused: Option<(String, Timestamp)>,
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
        self.state().refused.as_ref().map(|(why, _)| why.clone())
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
    pub(crate) fn refuse(&self, why: String, trigger: Trigger) {
        let now = Timestamp::now();
        let mut state = self.state();
        state.n_refused += 1;
        let since = state.refused.take().map_or(now, |(_, since)| since);
        state.refused = Some((why, since));
        state.last_attempt = (now, trigger);
    }

    pub(crate) fn write_metrics(&self, out: &mut String) {
        let state = self.state();
        let _ = writeln!(
            out,
            "# HELP postward_config_last_reload_successful Whether what the files say is what runs.\n\
             # TYPE postward_config_last_reload_successful gauge\n\
             postward_config_last_reload_successful {}\n\
             # HELP postward_config_last_reload_success_timestamp_seconds When the files were last found to be what runs.\n\
             # TYPE postward_config_last_reload_success_timestamp_seconds gauge\n\
             postward_config_last_reload_success_timestamp_seconds {}\n\
             # HELP postward_config_reloads_total Attempts to change the configuration while running, by what came of them.\n\
             # TYPE postward_config_reloads_total counter\n\
             postward_config_reloads_total{{result=\"applied\"}} {}\n\
             postward_config_reloads_total{{result=\"unchanged\"}} {}\n\
             postward_config_reloads_total{{result=\"refused\"}} {}",
            u8::from(state.refused.is_none()),
            state.last_success.as_second(),
            state.n_applied,
            state.n_unchanged,
            state.n_refused,
        );
    }

    pub(crate) fn as_json(&self) -> Value {
        let state = self.state();
        let (attempted, trigger) = state.last_attempt;
        json!({
            "hash": state.in_force.hashes.config,
            "applied": state.in_force.at.to_string(),
            "trigger": state.in_force.trigger.as_str(),
            "last_reload": {
                "time": attempted.to_string(),
                "trigger": trigger.as_str(),
                "successful": state.refused.is_none(),
            },
            "error": state.refused.as_ref().map(|(why, since)| {
                json!({ "since": since.to_string(), "text": why })
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
