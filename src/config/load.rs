//! Reads everything `serve` would read, and names every fault of every file, not only the first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::RosterFiles;
use crate::config::files::{self, Reader, Seen};
use crate::config::syntax::{self, Named};
use crate::config::{Config, Who};
use crate::detect::{Engine, Piece};
use crate::diagnostic::{Diagnostic, Faults, Placed, Severity, Source, Table};
use crate::inspect::Inspector;
use crate::platform::Platforms;
use crate::policy::Policy;
use crate::roster::Live;
use crate::rules::{RuleSet, RuleSetBuilder};

/// Rules, policy, platforms and settings that fit together: one immutable set.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The engine compiled from them.
    pub engine: Arc<Engine>,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The platforms.
    pub platforms: Arc<Platforms>,
    /// The inspector made of these.
    pub inspector: Arc<Inspector>,
    /// Where the hospital's own people were read from; `engine` holds them.
    pub roster: Option<RosterFiles>,
    /// What is probably not as meant.
    pub warnings: Vec<Diagnostic>,
    /// The file that all was read from; `None` is what ships inside the program.
    pub file: Option<PathBuf>,
    /// Every file and folder that was read for these: what a reload reads again.
    pub seen: Seen,
}

impl Loaded {
    /// The same for `serve`, which needs an address to accept on: a configuration of rules and policy alone, enough
    /// for `scan` and `eval`, is refused with the warnings that say so.
    pub fn ready_to_serve(self) -> Result<Self, Vec<Diagnostic>> {
        if !self.config.listeners.is_empty() {
            return Ok(self);
        }
        let raised = self.warnings.into_iter().map(|warning| {
            let is_it = warning.message.contains("[[listener]]");
            Diagnostic {
                severity: if is_it { Severity::Error } else { warning.severity },
                ..warning
            }
        });
        Err(raised.collect())
    }
}

/// Reads and checks everything, the rules' own examples too. `None` is the embedded default throughout (for `scan`
/// and `eval`; it has no listener).
pub fn load(file: Option<&Path>) -> Result<Loaded, Vec<Diagnostic>> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    if let Some(path) = file {
        return load_seen(path).0;
    }
    let reader = Reader::default();
    let mut loading = Loading { folder: PathBuf::new(), today, reader: &reader, found: Vec::new() };
    let mut faults = Faults::new(&Source::new("embedded", ""));
    let platforms = Ok(Platforms::embedded());
    let parts = loading.parts(&Named::default(), false, &mut faults, &platforms);
    loading.finish(syntax::without_file(), parts, platforms)
}

/// The same for a file, with every file and folder that was looked at, also where they cannot be used: a reload waits for
/// those to be mended.
pub fn load_seen(given: &Path) -> (Result<Loaded, Vec<Diagnostic>>, Seen) {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let reader = Reader::default();
    let path = std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
    let loaded = match reader.read(&path) {
        // Named in faults as it was given.
        Ok(text) => {
            load_source(&Source::new(given.display().to_string(), text), &path, today, &reader)
        }
        Err(why) => {
            let source = Source::new(given.display().to_string(), "");
            let fault =
                Diagnostic::error(&source, format!("the configuration cannot be read: {why}"));
            Err(vec![fault.help(
                "mend the path, or write a configuration to start from with `postward init DIR`",
            )])
        }
    };
    let seen = reader.seen();
    let loaded = loaded.map(|loaded| Loaded { file: Some(path), seen: seen.clone(), ..loaded });
    (loaded, seen)
}

/// What ships inside the program with these rules added, a file or a folder (`diff`).
pub fn load_rules(rules: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let rules = std::path::absolute(rules).unwrap_or_else(|_| rules.to_owned());
    let named = toml::Value::String(rules.to_string_lossy().into_owned());
    let text = format!("rules = [\"embedded\", {named}]\n");
    let source = Source::new(rules.display().to_string(), text);
    let loaded = load_source(&source, &rules, today, &Reader::default())?;
    // That it cannot serve is no news to anybody who compares.
    let warnings = loaded.warnings.iter().filter(|warning| warning.source != source);
    Ok(Loaded { warnings: warnings.cloned().collect(), ..loaded })
}

/// Reads one policy file against rules and platforms already loaded (`scan --policy`).
pub fn load_policy(
    file: &Path,
    rules: &RuleSet,
    platforms: &Platforms,
) -> Result<Policy, Vec<Diagnostic>> {
    let source = files::source(file).map_err(|why| {
        let source = Source::new(file.display().to_string(), "");
        vec![
            Diagnostic::error(&source, format!("the policy cannot be read: {why}"))
                .help("mend the path"),
        ]
    })?;
    Policy::parse(&source, rules, &names(platforms)).map(|(policy, _)| policy)
}

/// `path` is absolute.
fn load_source(
    source: &Arc<Source>,
    path: &Path,
    today: Date,
    reader: &Reader,
) -> Result<Loaded, Vec<Diagnostic>> {
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut faults = Faults::new(source);
    let Some(mut file) = Table::of_file(source, &mut faults) else {
        return Err(faults.into_sorted());
    };
    let named = Named::read(&mut file, &mut faults);
    let mut loading = Loading { folder, today, reader, found: Vec::new() };
    let platforms = loading.platforms(named.platforms.as_ref(), &mut faults);
    let config = syntax::read(file, &loading.folder, platforms.as_ref().ok(), &mut faults);
    config.files().for_each(|file| reader.note(file));
    // Who serves believes no byte that was not checked; who scans a line does not wait for it.
    let serves = !config.listeners.is_empty();
    let parts = loading.parts(&named, serves, &mut faults, &platforms);
    // The configuration's own faults come first: the others may follow from them.
    loading.found.splice(0..0, faults.into_sorted());
    loading.finish(config, parts, platforms)
}

/// What is loaded beside the settings.
struct Parts {
    rules: Arc<RuleSet>,
    engine: Arc<Engine>,
    policy: Arc<Policy>,
    shadow: Option<Arc<Policy>>,
    roster: Option<RosterFiles>,
}

/// A part that could not be loaded; its faults are in [`Loading::found`].
struct Faulty;

/// The state of one loading.
struct Loading<'r> {
    /// Where relative paths start.
    folder: PathBuf,
    today: Date,
    reader: &'r Reader,
    found: Vec<Diagnostic>,
}

impl Loading<'_> {
    /// The embedded platforms, and those of a folder over them.
    fn platforms(
        &mut self,
        named: Option<&Placed<String>>,
        faults: &mut Faults,
    ) -> Result<Platforms, Faulty> {
        let mut platforms = Platforms::embedded();
        let Some(named) = named else { return Ok(platforms) };
        let files = self.list("platforms", named, faults).ok_or(Faulty)?;
        let mut all_read = true;
        for file in files {
            match self.reader.source(&file) {
                Ok(source) => {
                    let found = platforms.add(&source).err().unwrap_or_default();
                    all_read &= found.is_empty();
                    self.found.extend(found);
                }
                Err(why) => {
                    unreadable("platform file", &file, &why, named, faults);
                    all_read = false;
                }
            }
        }
        if all_read { Ok(platforms) } else { Err(Faulty) }
    }

    /// Rules, engine and policy; each is checked as far as it can be without the others.
    fn parts(
        &mut self,
        named: &Named,
        whole: bool,
        faults: &mut Faults,
        platforms: &Result<Platforms, Faulty>,
    ) -> Result<Parts, Faulty> {
        let rules = self.rules(&named.rules, faults);
        // Before they are read, and also those that cannot be used: a reload waits for them to be mended.
        let named_files = named.roster.iter().flat_map(|roster| roster.paths(&self.folder));
        named_files.for_each(|file| self.reader.note(&file));
        let known = named
            .roster
            .as_ref()
            .map(|roster| roster.load(&self.folder, whole, faults).ok_or(Faulty));
        let known = known.transpose();
        let (files, people): (Option<RosterFiles>, _) =
            known.as_ref().ok().and_then(Option::as_ref).cloned().unzip();
        let engine =
            rules.as_ref().map_err(|Faulty| Faulty).and_then(|rules| self.engine(rules, people));
        let platforms = platforms.as_ref().ok().map(names);
        let policy =
            self.policy(named.policy.as_ref(), rules.as_deref().ok(), platforms.as_deref(), faults);
        let shadow = named.shadow.as_ref().map(|shadow| {
            self.policy(Some(shadow), rules.as_deref().ok(), platforms.as_deref(), faults)
        });
        known?;
        let parts = Parts {
            rules: rules?,
            engine: engine?,
            policy: policy?,
            shadow: shadow.transpose()?,
            roster: files,
        };
        self.check_replacements(&parts);
        Ok(parts)
    }

    fn rules(
        &mut self,
        named: &[Placed<String>],
        faults: &mut Faults,
    ) -> Result<Arc<RuleSet>, Faulty> {
        if named.is_empty() {
            return Ok(RuleSet::embedded());
        }
        let mut builder = RuleSetBuilder::default();
        let mut all_read = true;
        for entry in named {
            if entry.value == "embedded" {
                builder = builder.embedded();
                continue;
            }
            let Some(files) = self.list("rules", entry, faults) else {
                all_read = false;
                continue;
            };
            for file in files {
                let source = match self.reader.source(&file) {
                    Ok(source) => source,
                    Err(why) => {
                        unreadable("rule file", &file, &why, entry, faults);
                        all_read = false;
                        continue;
                    }
                };
                let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
                builder = builder.file(&source, &|name| self.reader.read(&folder.join(name)));
            }
        }
        match builder.finish() {
            Ok(rules) if all_read => Ok(Arc::new(rules)),
            Ok(_) => Err(Faulty),
            Err(found) => {
                self.found.extend(found);
                Err(Faulty)
            }
        }
    }

    fn engine(
        &mut self,
        rules: &Arc<RuleSet>,
        people: Option<Arc<Live>>,
    ) -> Result<Arc<Engine>, Faulty> {
        match Engine::build(rules) {
            Ok(engine) => {
                self.found.extend(engine.check_examples(self.today).into_iter().map(of_examples));
                Ok(Arc::new(match people {
                    Some(people) => engine.with_roster(people),
                    None => engine,
                }))
            }
            Err(found) => {
                self.found.extend(found);
                Err(Faulty)
            }
        }
    }

    fn policy(
        &mut self,
        named: Option<&Placed<String>>,
        rules: Option<&RuleSet>,
        platforms: Option<&[&str]>,
        faults: &mut Faults,
    ) -> Result<Arc<Policy>, Faulty> {
        let source = match named {
            None => Source::new("embedded:policy.toml", Policy::embedded()),
            Some(named) => {
                let path = self.folder.join(&named.value);
                self.reader.source(&path).map_err(|why| {
                    let help = "mend the path, or take the key out: without `policy` the embedded one is used";
                    faults.error(
                        named.span,
                        format!("the policy {} cannot be read: {why}", path.display()),
                        help,
                    );
                    Faulty
                })?
            }
        };
        let (Some(rules), Some(platforms)) = (rules, platforms) else {
            self.found.extend(Policy::faults_alone(&source, rules, platforms));
            return Err(Faulty);
        };
        match Policy::parse(&source, rules, platforms) {
            Ok((policy, warnings)) => {
                self.found.extend(warnings);
                self.found.extend(policy.expired(self.today));
                Ok(Arc::new(policy))
            }
            Err(found) => {
                self.found.extend(found);
                Err(Faulty)
            }
        }
    }

    /// A replacement that is itself found would be found again by whoever reads the redacted post.
    fn check_replacements(&mut self, parts: &Parts) {
        for (category, word) in parts.policy.replacement_words() {
            let scan = parts.engine.scan(&[Piece { text: word, label: None }], self.today);
            if scan.findings.iter().any(|findings| !findings.is_empty()) {
                let message =
                    format!("the rules find something in `{word}`, which replaces a {category}");
                self.found.push(parts.policy.warn(
                    message,
                    word,
                    "choose a word that identifies nobody, such as \"[removed]\"",
                ));
            }
        }
    }

    /// The files of an entry, or a fault at it.
    fn list(&self, key: &str, entry: &Placed<String>, faults: &mut Faults) -> Option<Vec<PathBuf>> {
        let path = self.folder.join(&entry.value);
        match self.reader.toml_files(&path) {
            Ok(files) => {
                if files.is_empty() {
                    faults.warning(
                        entry.span,
                        format!("there is no *.toml file in {}", path.display()),
                        format!("put one there, or take it out of `{key}`"),
                    );
                }
                Some(files)
            }
            Err(why) => {
                let help = if key == "rules" {
                    "name a folder or a file, or \"embedded\" for the rules that ship with postward"
                } else {
                    "name a folder or a file"
                };
                faults.error(entry.span, format!("`{key}` names {}: {why}", path.display()), help);
                None
            }
        }
    }

    fn finish(
        mut self,
        config: Config,
        parts: Result<Parts, Faulty>,
        platforms: Result<Platforms, Faulty>,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        if let Ok(parts) = &parts {
            self.found.extend(unproved(&config, &parts.policy));
        }
        let any_error = self.found.iter().any(|fault| fault.severity == Severity::Error);
        match (parts, platforms) {
            (Ok(Parts { rules, engine, policy, shadow, roster }), Ok(platforms)) if !any_error => {
                let limits = config.body_limits.clone();
                let mut inspector =
                    Inspector::new(Arc::clone(&engine), Arc::clone(&policy), limits);
                if let Some(shadow) = shadow {
                    inspector = inspector.shadowed(shadow);
                }
                let (platforms, inspector) = (Arc::new(platforms), Arc::new(inspector));
                Ok(Loaded {
                    config,
                    rules,
                    engine,
                    policy,
                    platforms,
                    inspector,
                    roster,
                    warnings: self.found,
                    file: None,
                    seen: Seen::default(),
                })
            }
            _ => Err(self.found),
        }
    }
}

/// Groups that nobody can prove to be in, because no listener asks for the proof.
fn unproved(config: &Config, policy: &Policy) -> Vec<Diagnostic> {
    let any = |has: fn(&Who) -> bool| config.listeners.iter().any(|listener| has(&listener.who));
    let (for_certificate, for_identity) = policy.asks_for();
    let mut found = Vec::new();
    if config.listeners.is_empty() {
        return found;
    }
    let is_certified =
        any(|who| who.clients.is_some()) || any(|who| !who.proxy_protocol.is_empty());
    if for_certificate && !is_certified {
        found.push(policy.warn(
            "a [[group]] asks for a certificate, and no [[listener]] asks clients for one: nobody is in it".to_owned(),
            "[[group]]",
            "add `clients = { roots = \"staff-ca.pem\" }` to the listener's `tls`",
        ));
    }
    let is_identified =
        any(|who| who.identity.as_ref().is_some_and(|identity| identity.header.is_some()));
    if for_identity && !is_identified {
        found.push(policy.warn(
            "a [[group]] asks for an identity, and no [[listener]] is told any: nobody is in it".to_owned(),
            "[[group]]",
            "add `identity = { from = [\"10.0.0.5\"], header = \"X-Remote-User\" }` to the listener, for the load balancer that signs people in",
        ));
    }
    found
}

/// A shipped rule that fails its own example beside the hospital's rules still works as they mean it to (an except may
/// be there for just that), and must not keep the proxy from starting; a rule of the hospital's own must be mended.
fn of_examples(fault: Diagnostic) -> Diagnostic {
    if fault.source.name.starts_with("embedded:") {
        return Diagnostic { severity: Severity::Warning, ..fault };
    }
    fault
}

fn unreadable(what: &str, file: &Path, why: &str, entry: &Placed<String>, faults: &mut Faults) {
    faults.error(
        entry.span,
        format!("the {what} {} cannot be read: {why}", file.display()),
        "mend the file, or take it away",
    );
}

fn names(platforms: &Platforms) -> Vec<&str> {
    platforms.iter().map(|platform| platform.id()).collect()
}
