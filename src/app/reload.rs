//! Puts another configuration in force while the proxy runs: read and checked whole, off the async threads, then swapped
//! at once, or not at all.
//!
//! One attempt at a time. Whoever asks while one is under way shares the next one with all others who ask, and between two
//! there is a pause as long as the first took: however often it is asked for, posts have half the machine at least.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::admin::{self, Reloaded, Reloading};
use crate::app::notify::Notifier;
use crate::app::observed::{Observed, Serving};
use crate::app::proved::{chain, of_setup, proved};
use crate::app::standing::{InForce, Trigger};
use crate::app::start::StartError;
use crate::app::watch::Watch;
use crate::audit::{Audit, AuditError, AuditSettings, Change, Hashes};
use crate::config::{self, Loaded, Seen};
use crate::diagnostic::{Diagnostic, Severity, Source, draw_all};
use crate::proxy::{Format, Ground, Prepared, Server};
use crate::sandbox;

/// Most faults of one attempt that go to the log; `/status` and the answer to a request have all of them.
const MOST_LOGGED: usize = 20;

/// How often the roster is looked at where no post does.
const MINDED: Duration = Duration::from_secs(5);

/// How often is looked for news of patients.
const HEARD: Duration = Duration::from_millis(200);

/// How long files are read, rosters of millions and examples of every rule included. What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much a thread that reads files yields to those that serve posts.
const NICE: i32 = 10;

/// Changes the configuration of a running proxy.
#[derive(Debug)]
pub(crate) struct Reloader {
    /// `None` where it came from no file.
    file: Option<PathBuf>,
    /// What cannot change while the proxy runs.
    fixed: Arc<Fixed>,
    pub(crate) server: Server,
    pub(crate) audit: Audit,
    pub(crate) observed: Observed,
    pub(crate) notifier: Notifier,
    operators: Mutex<Operators>,
    /// What was read last, and how changes of it are noticed.
    read: Mutex<(Arc<Seen>, config::Reload)>,
    /// Held during an attempt.
    turn: tokio::sync::Mutex<Option<Last>>,
    hung_up: Notify,
    /// Other files were read than those that are watched.
    read_anew: Notify,
    /// Whether a thread reads files. One that hangs cannot be ended, and there shall not be two.
    is_reading: AtomicBool,
}

/// That a thread reads files, until it ends, be it by a panic.
struct Reading(Arc<Reloader>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.is_reading.store(false, Release);
    }
}

/// What cannot change while the proxy runs.
#[derive(Debug)]
struct Fixed {
    audit: AuditSettings,
    handover: bool,
    log: config::Log,
    sandbox: config::Sandbox,
}

/// The operators' listener.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    pub(crate) configured: Option<config::Admin>,
    pub(crate) listening: Option<admin::Listening>,
}

/// What was offered to another process.
pub(crate) struct Offered {
    hashes: Hashes,
    sockets: Vec<Weak<TcpListener>>,
    admin: Option<config::Admin>,
}

impl Offered {
    /// Whether it is as it was.
    pub(crate) fn is_still(&self, now: &Self) -> bool {
        self.hashes == now.hashes
            && self.admin == now.admin
            && self.sockets.len() == now.sockets.len()
            && self.sockets.iter().zip(&now.sockets).all(|(one, other)| one.ptr_eq(other))
    }
}

/// The attempt that ended last.
#[derive(Debug)]
struct Last {
    began: Instant,
    ended: Instant,
    answer: Reloaded,
}

/// A configuration that is checked and can take over.
struct Made {
    loaded: Loaded,
    prepared: Prepared,
}

impl Reloader {
    pub(crate) fn new(
        loaded: &Loaded,
        server: Server,
        audit: Audit,
        observed: Observed,
        notifier: Notifier,
    ) -> Self {
        let (audit_settings, sandbox) = (loaded.config.audit.clone(), loaded.config.sandbox);
        Self {
            file: loaded.file.clone(),
            fixed: Arc::new(Fixed {
                audit: audit_settings,
                handover: loaded.config.handover,
                log: loaded.config.log,
                sandbox,
            }),
            server,
            audit,
            observed,
            notifier,
            operators: Mutex::default(),
            read: Mutex::new((Arc::new(loaded.seen.clone()), loaded.config.reload.clone())),
            turn: tokio::sync::Mutex::default(),
            hung_up: Notify::new(),
            read_anew: Notify::new(),
            is_reading: AtomicBool::new(false),
        }
    }

    /// What would be given to another process: while this stays as it is, an offer of it holds.
    pub(crate) fn offered(&self) -> Offered {
        let sockets = self.server.sockets();
        Offered {
            hashes: self.observed.standing.in_force().hashes.clone(),
            // Not held: what is gone meanwhile must be let go of.
            sockets: sockets.iter().map(|(_, socket)| Arc::downgrade(socket)).collect(),
            admin: self.operators().configured.clone(),
        }
    }

    /// Has no other configuration come into force for as long as what is given lives.
    pub(crate) async fn hold_still(&self) -> impl Drop {
        self.turn.lock().await
    }

    /// How the audit is kept.
    pub(crate) fn audit_settings(&self) -> AuditSettings {
        self.fixed.audit.clone()
    }

    /// SIGHUP has come.
    pub(crate) fn hang_up(&self) {
        self.hung_up.notify_one();
    }

    /// Waits for signals and for changed files, and complains of those that cannot be used until they are mended.
    pub(crate) async fn run(self: Arc<Self>) {
        tokio::select! {
            () = Arc::clone(&self).follow() => {}
            () = self.mind_roster() => {}
            () = self.hear_news() => {}
        }
    }

    /// Says in the log that the roster was altered, once when it happens and then as often as of other faults.
    async fn mind_roster(&self) {
        let mut said: Option<Instant> = None;
        loop {
            sleep(MINDED).await;
            let remind = self.read().1.remind;
            if !self.observed.standing.in_force().is_roster_damaged() {
                said = None;
            } else if said.is_none_or(|said| said.elapsed() >= remind) {
                said = Some(Instant::now());
                tracing::error!(
                    help = "build it again or copy it again, and replace it by renaming, never in place",
                    "the roster was altered while it was in use: every post is blocked until a good one is read"
                );
            }
        }
    }

    /// Takes up what was heard of patients since the roster was built, as soon as it is there. What cannot be read changes
    /// nothing, and is said once and then as often as other faults.
    async fn hear_news(&self) {
        let mut said: Option<Instant> = None;
        loop {
            sleep(HEARD).await;
            let in_force = self.observed.standing.in_force();
            let heard = tokio::task::spawn_blocking(move || in_force.hear_news()).await;
            match heard {
                Ok(Ok(_)) => said = None,
                Ok(Err(fault)) => {
                    let remind = self.read().1.remind;
                    if said.is_none_or(|said| said.elapsed() >= remind) {
                        said = Some(Instant::now());
                        let help = fault.remedy();
                        tracing::error!(%fault, help, "what was heard of patients cannot be read: what was known before goes on");
                    }
                }
                // It said so itself.
                Err(_) => sleep(MINDED).await,
            }
        }
    }

    async fn follow(self: Arc<Self>) {
        let mut watch = Watch::new(self.read().0.clone());
        loop {
            let settings = self.read().1.clone();
            let is_refused = self.observed.standing.refused().is_some();
            tokio::select! {
                biased;
                () = self.hung_up.notified() => {
                    Arc::clone(&self).reload(Trigger::Signal).await;
                }
                () = watch.changed(&settings, is_refused), if settings.watch => {
                    Arc::clone(&self).reload(Trigger::Watch).await;
                }
                () = self.read_anew.notified() => {}
                () = sleep(settings.remind), if is_refused => {
                    self.complain();
                    continue;
                }
            }
            watch = Watch::new(self.read().0.clone());
        }
    }

    /// Reads the files, and puts what they say in force if all of it can be used.
    pub(crate) async fn reload(self: Arc<Self>, trigger: Trigger) -> Reloaded {
        let asked = Instant::now();
        // A task of its own: whoever asked may go away in the middle.
        let attempt = tokio::spawn(async move {
            let mut last = self.turn.lock().await;
            if let Some(last) = &*last {
                if last.began >= asked {
                    return last.answer.clone();
                }
                sleep_until(last.ended + (last.ended - last.began)).await;
            }
            let began = Instant::now();
            self.notifier.reloading();
            let answer = self.attempt(trigger).await;
            self.notifier.ready(&self.stands());
            *last = Some(Last { began, ended: Instant::now(), answer: answer.clone() });
            answer
        });
        attempt.await.unwrap_or_else(|_| Reloaded {
            is_in_force: false,
            text: "the attempt failed; the log says where".to_owned(),
        })
    }

    /// Puts a configuration in force that was loaded elsewhere.
    pub(crate) async fn replace(self: Arc<Self>, loaded: Loaded) -> Reloaded {
        let mut last = self.turn.lock().await;
        *last = None;
        let file = loaded.file.clone().unwrap_or_default();
        match self.server.ground().prepare(&loaded) {
            Ok(prepared) => {
                self.put_in_force(&file, Made { loaded, prepared }, Trigger::Request).await
            }
            Err(fault) => self.refuse(&[of_setup(&file, &fault)], Trigger::Request),
        }
    }

    async fn attempt(self: &Arc<Self>, trigger: Trigger) -> Reloaded {
        let Some(file) = self.file.clone() else {
            let text = "what runs came from no file".to_owned();
            return Reloaded { is_in_force: true, text };
        };
        let hangs = |after: &str| {
            let source = Source::new(file.display().to_string(), "");
            let text = format!(
                "the files have not been read {after}: one of them hangs when it is opened or read"
            );
            let help = "look for a named pipe or a network mount among the files that it names; once reading ends, files are read anew";
            Diagnostic::error(&source, text).help(help)
        };
        if self.is_reading.swap(true, AcqRel) {
            return self.refuse(&[hangs("since an attempt before")], trigger);
        }
        let ground = self.server.ground();
        let (tell, told) = oneshot::channel();
        let (path, fixed, this) = (file.clone(), Arc::clone(&self.fixed), Arc::clone(self));
        let spawned = std::thread::Builder::new().name("reload".into()).spawn(move || {
            // Of no use to posts that wait for a processor; where it is refused, nothing is lost but that.
            let _ = rustix::process::setpriority_process(None, NICE);
            let reading = Reading(this);
            let made = make(&path, ground, &fixed);
            drop(reading);
            // Where nobody waits any longer, the next attempt reads anew.
            let _ = tell.send(made);
        });
        if spawned.is_err() {
            self.is_reading.store(false, Release);
        }
        let Ok(made) = timeout(PATIENCE, told).await else {
            let after = format!("within {} seconds", PATIENCE.as_secs());
            return self.refuse(&[hangs(&after)], trigger);
        };
        let Ok((made, seen)) = made else {
            let source = Source::new(file.display().to_string(), "");
            let fault = Diagnostic::error(&source, "the check of the files failed by itself");
            // The same files would fail again: nothing is tried until they are others.
            let seen = Arc::clone(&self.read().0);
            if let Ok(seen) = tokio::task::spawn_blocking(move || seen.renewed()).await {
                self.read().0 = Arc::new(seen);
            }
            return self.refuse(
                &[fault.help("this is a fault of postward: report the log line that says where")],
                trigger,
            );
        };
        let answer = match made {
            Err(faults) => self.refuse(&faults, trigger),
            Ok(made) => self.put_in_force(&file, *made, trigger).await,
        };
        self.read().0 = Arc::new(seen);
        self.read_anew.notify_one();
        answer
    }

    /// Lets a configuration take over, unless it is the one that runs.
    async fn put_in_force(self: &Arc<Self>, file: &Path, made: Made, trigger: Trigger) -> Reloaded {
        let Made { loaded, prepared } = made;
        let in_force = InForce::of(&loaded, trigger);
        let before = self.observed.standing.in_force();
        let is_known = !in_force.hashes.config.is_empty();
        // The same bytes, put back where others stood for a while, must be read anew.
        let is_as_before = in_force.hashes == before.hashes && !before.is_roster_damaged();
        if is_known && is_as_before && prepared.is_reached_as_before() {
            let mended = self.observed.standing.refused().is_some();
            self.observed.standing.unchanged(trigger);
            tracing::info!(trigger = trigger.as_str(), mended, "the configuration is as it was");
            return Reloaded { is_in_force: true, text: "fine: nothing has changed".to_owned() };
        }
        let ready = match self.server.register(prepared) {
            Ok(ready) => ready,
            Err(fault) => return self.refuse(&[of_setup(file, &fault)], trigger),
        };
        // The last thing that may go wrong: a listener that was begun for nothing would go on.
        let moved = match self.moved(file, loaded.config.admin.as_ref()).await {
            Ok(moved) => moved,
            Err(fault) => return self.refuse(&[*fault], trigger),
        };
        let change = Change {
            trigger: trigger.as_str(),
            before: before.hashes.clone(),
            after: in_force.hashes.clone(),
        };
        // Before the first post is judged by it. If it cannot be written, the chain says later that something is missing;
        // a policy that says what to do without an audit must not be kept out by that, nor by a disk that never answers.
        let recorded = timeout(self.server.audit_limit(), self.audit.record_change(&change)).await;
        if let Err(error) = recorded.unwrap_or(Err(AuditError::Write)) {
            tracing::error!(%error, "the change of the configuration is not in the audit");
        }
        self.server.apply(ready);
        if let Some(moved) = moved {
            let before = std::mem::replace(&mut *self.operators(), moved);
            before.listening.into_iter().for_each(admin::Listening::stop);
        }
        for warning in &loaded.warnings {
            tracing::warn!(fault = %warning, help = warning.help.as_deref().unwrap_or_default(), "probably not as meant");
        }
        tracing::info!(
            trigger = trigger.as_str(), config = %in_force.hashes.config, rules = %in_force.hashes.rules,
            policy = %in_force.hashes.policy, mode = in_force.mode(), listening = ?self.server.addresses(),
            "another configuration is in force"
        );
        let text = told(&change, &loaded.warnings);
        self.read().1 = loaded.config.reload.clone();
        self.observed.standing.applied(in_force);
        Reloaded { is_in_force: true, text }
    }

    /// The operators' listener at its new address, if it moves.
    async fn moved(
        self: &Arc<Self>,
        file: &Path,
        wanted: Option<&config::Admin>,
    ) -> Result<Option<Operators>, Box<Diagnostic>> {
        if self.operators().configured.as_ref() == wanted {
            return Ok(None);
        }
        let listening = match wanted {
            None => None,
            Some(wanted) => Some(self.listen(wanted).await.map_err(|fault| {
                let source = Source::new(file.display().to_string(), "");
                let told = Diagnostic::error(&source, chain(&fault));
                Box::new(told.help(fault.remedy().unwrap_or_default()))
            })?),
        };
        Ok(Some(Operators { configured: wanted.cloned(), listening }))
    }

    /// Listens for operators.
    pub(crate) async fn listen(
        self: &Arc<Self>,
        wanted: &config::Admin,
    ) -> Result<admin::Listening, StartError> {
        let address = wanted.address;
        let listening =
            admin::Listening::start(address, Arc::clone(self) as Arc<dyn admin::Source>).await;
        listening.map_err(|source| StartError::Admin { address, source })
    }

    /// Nothing changes; everybody who looks is told why.
    fn refuse(&self, faults: &[Diagnostic], trigger: Trigger) -> Reloaded {
        let errors = || faults.iter().filter(|fault| fault.severity == Severity::Error);
        tracing::error!(
            trigger = trigger.as_str(),
            n_faults = errors().count(),
            "the configuration cannot be used: what ran before goes on"
        );
        for fault in errors().take(MOST_LOGGED) {
            tracing::error!(%fault, help = fault.help.as_deref().unwrap_or_default(), "fault of the configuration");
        }
        let text = draw_all(faults);
        self.observed.standing.refuse(text.clone(), faults, trigger);
        Reloaded { is_in_force: false, text }
    }

    /// How it stands, in one line, for who looks at the service.
    pub(crate) fn stands(&self) -> String {
        let in_force = self.observed.standing.in_force();
        let rules = in_force.hashes.rules.get(..12).unwrap_or(&in_force.hashes.rules);
        let n_listeners = self.server.addresses().len();
        let mut stands =
            format!("serving on {n_listeners} listeners, mode {}, rules {rules}", in_force.mode());
        if let Some(refused) = self.observed.standing.refused() {
            let first = refused.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let _ = write!(stands, "; the files cannot be used ({first}): what ran before goes on");
        }
        if let Some(why) = self.observed.unready() {
            let _ = write!(stands, "; not ready: {why}");
        }
        stands
    }

    /// Says once more that the files cannot be used.
    fn complain(&self) {
        if let Some(why) = self.observed.standing.refused() {
            tracing::error!(why, "the configuration still cannot be used: what ran before goes on");
        }
    }

    /// What only the data path knows of itself.
    fn serving(&self) -> Serving {
        Serving { listeners: self.server.listeners(), expiries: self.server.expiries() }
    }

    pub(crate) fn operators(&self) -> MutexGuard<'_, Operators> {
        self.operators.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> MutexGuard<'_, (Arc<Seen>, config::Reload)> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl admin::Source for Reloader {
    fn unready(&self) -> Option<&'static str> {
        self.observed.unready()
    }

    fn metrics(&self, accept: &str) -> (&'static str, String) {
        let format = Format::accepted(accept);
        (format.content_type(), self.observed.metrics(format, &self.serving()))
    }

    fn status(&self) -> Value {
        self.observed.status(&self.serving())
    }

    fn reload(self: Arc<Self>) -> Reloading {
        Box::pin(Self::reload(self, Trigger::Request))
    }
}

/// Reads and checks everything, and makes what can take over of it.
fn make(file: &Path, ground: Ground, fixed: &Fixed) -> (Result<Box<Made>, Vec<Diagnostic>>, Seen) {
    let (loaded, seen) = config::load_seen(file);
    // What cannot be read for that reason has faults of its own, whose help is another.
    let loaded = loaded.map_err(|faults| {
        let withheld = seen.paths().filter(|path| config::is_withheld(path) == Some(true));
        let lacks =
            withheld.map(|path| beyond(file, &format!("{} may not be read", path.display())));
        lacks.chain(faults).collect::<Vec<_>>()
    });
    let made = loaded.and_then(Loaded::ready_to_serve).and_then(|mut loaded| {
        loaded.warnings.extend(proved(file, &loaded)?);
        let faults = fixed.faults(file, &loaded);
        if !faults.is_empty() {
            return Err(faults);
        }
        let prepared = ground.prepare(&loaded).map_err(|fault| vec![of_setup(file, &fault)])?;
        Ok(Box::new(Made { loaded, prepared }))
    });
    (made, seen)
}

impl Fixed {
    /// What a configuration asks for that only a start can give.
    fn faults(&self, file: &Path, wanted: &Loaded) -> Vec<Diagnostic> {
        let source = Source::new(file.display().to_string(), "");
        let (audit, sandbox) = (&wanted.config.audit, wanted.config.sandbox);
        let settings = [
            ("`file` under [audit]", audit.file != self.audit.file),
            ("`sync` under [audit]", audit.sync != self.audit.sync),
            ("`node` under [audit]", audit.node != self.audit.node),
            ("[[audit.sink]]", audit.sinks != self.audit.sinks),
            ("`spool` under [audit]", audit.spool != self.audit.spool),
            ("how the file under [audit] is rotated and kept", audit.keep != self.audit.keep),
            ("[log]", wanted.config.log != self.log),
            ("`identity`, `address` and the key under [audit]", audit.names != self.audit.names),
            ("`sandbox`", sandbox != self.sandbox),
            ("`handover`", wanted.config.handover != self.handover),
        ];
        let changed = settings.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| {
            Diagnostic::error(&source, format!("{key} cannot change while the proxy runs"))
                .help("restart the proxy, or set it back and keep all other changes")
        });
        changed.chain(sandbox::lacks(wanted).iter().map(|lack| beyond(file, lack))).collect()
    }
}

/// What the process gave up when it started.
fn beyond(file: &Path, lack: &str) -> Diagnostic {
    let source = Source::new(file.display().to_string(), "");
    Diagnostic::error(&source, format!("{lack}: the sandbox was put on without it"))
        .help("restart the proxy: what was given up at the start cannot be had back")
}

/// What an operator is told of a change.
fn told(change: &Change, warnings: &[Diagnostic]) -> String {
    let mut text = String::from("fine: another configuration is in force");
    let (before, after) = (&change.before, &change.after);
    for (what, before, after) in [
        ("rules", &before.rules, &after.rules),
        ("policy", &before.policy, &after.policy),
        ("all files", &before.config, &after.config),
    ] {
        let _ = if before == after {
            write!(text, "\n  {what:<10} {after}, as before")
        } else {
            write!(text, "\n  {what:<10} {after}, before {before}")
        };
    }
    if !warnings.is_empty() {
        let _ = write!(text, "\n\n{}", draw_all(warnings));
    }
    text
}
