//! `init`: a configuration to start from, whole or not at all.
//!
//! Everything is written beside the target first and moved into place last, so that a failure half-way leaves nothing
//! behind and a directory that holds anything is never touched.

mod asked;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::app::{self, Interrupts};
use crate::cli::ca;
use crate::cli::diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::init::asked::{Answers, Authority, Strictness};
use crate::cli::style;
use crate::config;
use crate::platform::Platforms;
use crate::policy::Policy;
use crate::proxy::tls;
use crate::rules::{EMBEDDED_FILES, EMBEDDED_LISTS};

/// What devices show as the authority's name.
const CA_NAME: &str = "Postward throw-away CA (init)";

const CONFIG: &str = include_str!("files/postward.toml");
const RULES: &str = include_str!("files/our-hospital.toml");
const TERMS: &str = include_str!("files/our-clinics.txt");

/// The policy's mode, and the other one.
const ENFORCE: &str = "mode = \"enforce\"";
const MONITOR: &str = "mode = \"monitor\"";

/// With `--all`, the shipped rules are read from the files just written, so that changing one has an effect.
const SHIPPED: &str = "rules = [\"embedded\", \"rules.d\"]\n";
const WRITTEN: &str = "rules = [\"rules\", \"rules.d\"]\nplatforms = \"platforms\"\n";

/// What stands in the commented configuration, and is another where somebody answered so.
const ROUTE: &str = "[[route]]\nhosts = [\"mastodon.example\"]\nplatform = \"mastodon\"\n";
const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:9464\"\n";
const AUDIT: &str = "file = \"../audit.jsonl\"";
const TLS: &str = "tls = { ca = \"ca.pem\", ca-key = \"ca.key\" }";

/// Where it listens.
const PORT: u16 = 8443;

/// Write a configuration to start from.
///
/// Writes DIR/config with a commented postward.toml, a policy, a throw-away certificate authority, and
/// DIR/config/rules.d with one rule of your own as an example. The listener is on loopback, so that nobody else can
/// reach it before you say so. A directory that holds anything is refused.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  postward init ./postward
  postward init ./postward --all         also write every shipped rule and platform, to read or to change
  postward init /etc/postward --interactive
                                         ask first: platforms, authority, policy, audit, operators' address")]
pub(crate) struct Args {
    /// The directory to write to; made if it does not exist.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Also write every shipped rule and platform file. The word lists and weights of the name reader stay inside the
    /// program.
    #[arg(long)]
    pub(crate) all: bool,
    /// Ask five questions first: platforms, certificate authority, policy, audit, the operators' address. An empty
    /// answer takes what is shown in brackets. The answers are lines of standard input, so that a script can give them.
    #[arg(long)]
    pub(crate) interactive: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let dir = &args.dir;
    refuse_unless_empty(dir)?;
    let answers = if args.interactive { Some(asked::ask_here()?) } else { None };
    // From here on it is a matter of milliseconds, and a key on the keyboard must leave nothing half done.
    let _uninterrupted = answers
        .is_some()
        .then(Interrupts::hold_off)
        .transpose()
        .map_err(crate::cli::serve::failure)?;
    let config = dir.join("config");
    let beside =
        dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(beside)
        .map_err(|source| Failure::plain(Context::file("make", beside, source)))?;
    let staging = tempfile::Builder::new()
        .prefix(".postward-init-")
        .tempdir_in(beside)
        .map_err(|source| Failure::plain(Context::file("write to", beside, source)))?;
    write_all(&staging.path().join("config"), args.all, answers.as_ref())?;
    if answers.is_some() {
        proved(&staging.path().join("config/postward.toml"))?;
    }
    fs::create_dir_all(dir).map_err(|source| Failure::plain(Context::file("make", dir, source)))?;
    fs::rename(staging.path().join("config"), &config)
        .map_err(|source| Failure::plain(Context::file("write", &config, source)))?;
    let told = match &answers {
        Some(answers) => next_commands(&config, answers),
        None => next_steps(&config, args.all),
    };
    style::to_stdout(&told)?;
    Ok(Exit::Fine)
}

/// Reads what was written as `check` will: an answer that makes sense by itself may not go with another.
fn proved(file: &Path) -> Result<(), Failure> {
    let loaded = config::load(Some(file)).map_err(Failure::Files)?;
    let idle = app::proved(file, &loaded).map_err(Failure::Files)?;
    for warnings in [loaded.warnings, idle].iter().filter(|warnings| !warnings.is_empty()) {
        diagnostics::print(warnings);
    }
    Ok(())
}

fn refuse_unless_empty(dir: &Path) -> Result<(), Failure> {
    let first = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::plain(Context::file("use", dir, error))),
    };
    if first.is_none() {
        return Ok(());
    }
    Err(Failure::new(
        format!("{} is not empty", dir.display()),
        "nothing was written; choose a new directory, or move what is there away",
    ))
}

fn write_all(config: &Path, all: bool, answers: Option<&Answers>) -> Result<(), Failure> {
    let mut text = if all { CONFIG.replacen(SHIPPED, WRITTEN, 1) } else { CONFIG.to_owned() };
    let mut policy = Policy::embedded().to_owned();
    if let Some(answers) = answers {
        let routes = answers.routes();
        text = text.replacen(ROUTE, &format!("{}\n", routes.trim_end()), 1);
        text = text.replacen(ADMIN, &answers.admin(), 1);
        text = text.replacen(AUDIT, &format!("file = {}", asked::quoted(&answers.audit)), 1);
        if let Authority::Own(ca, key) = &answers.authority {
            let [ca, key] = [ca, key].map(|path| asked::quoted(&path.display().to_string()));
            text = text.replacen(TLS, &format!("tls = {{ ca = {ca}, ca-key = {key} }}"), 1);
        }
        policy = match answers.policy {
            Strictness::Standard => policy,
            Strictness::Strict => Policy::embedded_strict().to_owned(),
            Strictness::Monitor => policy.replacen(ENFORCE, MONITOR, 1),
        };
    }
    write(&config.join("postward.toml"), &text)?;
    write(&config.join("policy.toml"), &policy)?;
    write(&config.join("rules.d/our-hospital.toml"), RULES)?;
    write(&config.join("rules.d/lexicons/our-clinics.txt"), TERMS)?;
    if all {
        write(&config.join("policy-strict.toml"), Policy::embedded_strict())?;
        for (name, text) in EMBEDDED_FILES.iter().chain(EMBEDDED_LISTS) {
            write(&config.join("rules").join(name), text)?;
        }
        for (name, text) in Platforms::embedded_files() {
            write(&config.join("platforms").join(name), text)?;
        }
    }
    let (name, hosts) = match answers.map(|answers| (&answers.authority, answers)) {
        Some((Authority::Own(..), _)) => return Ok(()),
        Some((Authority::Constrained, answers)) => (ca::NAME, answers.hosts()),
        Some((Authority::ThrowAway, _)) | None => (CA_NAME, Vec::new()),
    };
    tls::init(&config.join("ca.pem"), &config.join("ca.key"), name, &hosts).map_err(ca::failure)?;
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let written = match file.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(file, text)),
        None => fs::write(file, text),
    };
    written.map_err(|source| Failure::plain(Context::file("write", file, source)))
}

/// What to type next, each as a shell reads it.
fn next_commands(config: &Path, answers: &Answers) -> String {
    let settings = style::quoted(&config.join("postward.toml").display().to_string());
    let example = answers.hosts().into_iter().find(|host| !host.starts_with('*'));
    let host = style::quoted(&example.unwrap_or_else(|| "mastodon.example".to_owned()));
    let authority = match &answers.authority {
        Authority::Own(ca, _) => ca.clone(),
        Authority::Constrained | Authority::ThrowAway => config.join("ca.pem"),
    };
    let authority = style::quoted(&authority.display().to_string());
    format!(
        "{} {}\n\n\
         Next:\n  \
           postward check --config {settings}\n  \
           postward serve --config {settings}\n  \
           curl --cacert {authority} --connect-to {host}:443:127.0.0.1:{PORT} --data 'text=MRN 00412345' https://{host}/",
        style::paint(style::GOOD, "written to"),
        config.display(),
    )
}

fn next_steps(config: &Path, all: bool) -> String {
    let at = config.display();
    // What is to be typed at a shell stands as a shell reads it: a path may hold blanks.
    let typed = |name: &str| style::quoted(&config.join(name).display().to_string());
    let (settings, authority) = (typed("postward.toml"), typed("ca.pem"));
    let shipped = if all {
        "\n  rules/, platforms/             every rule and platform that ships, to read or to change"
    } else {
        ""
    };
    format!(
        "{} {at}\n  \
           postward.toml                  listener on https://127.0.0.1:8443, one route\n  \
           policy.toml                    what happens to a post in which something is found\n  \
           rules.d/our-hospital.toml      a rule of your own, as an example{shipped}\n  \
           ca.pem, ca.key                 a throw-away certificate authority\n\n\
         Next:\n  \
           postward check --config {settings}\n  \
           postward serve --config {settings}\n\n\
         and, in another terminal, a post that is blocked before it leaves:\n  \
           curl --cacert {authority} --connect-to mastodon.example:443:127.0.0.1:8443 \\\n       \
             --data-urlencode 'status=Mr. Roe, MRN 00412345, is back with us' \\\n       \
             https://mastodon.example/api/v1/statuses",
        style::paint(style::GOOD, "written to"),
    )
}
