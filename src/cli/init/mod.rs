//! `init`: a configuration to start from, whole or not at all.
//!
//! Everything is written beside the target first and moved into place last, so that a failure half-way leaves nothing
//! behind and a directory that holds anything is never touched.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::args;
use crate::cli::ca;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;
use crate::platform::Platforms;
use crate::policy::Policy;
use crate::proxy::tls;
use crate::rules::{EMBEDDED_FILES, EMBEDDED_LISTS};

/// What devices show as the authority's name.
const CA_NAME: &str = "Postward throw-away CA (init)";

const CONFIG: &str = include_str!("files/postward.toml");
const RULES: &str = include_str!("files/our-hospital.toml");
const TERMS: &str = include_str!("files/our-clinics.txt");

/// With `--all`, the shipped rules are read from the files just written, so that changing one has an effect.
const SHIPPED: &str = "rules = [\"embedded\", \"rules.d\"]\n";
const WRITTEN: &str = "rules = [\"rules\", \"rules.d\"]\nplatforms = \"platforms\"\n";

pub(crate) fn run(args: &args::Init) -> Result<Exit, Failure> {
    let dir = &args.dir;
    refuse_unless_empty(dir)?;
    let config = dir.join("config");
    let beside =
        dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(beside)
        .map_err(|source| Failure::plain(Context::file("make", beside, source)))?;
    let staging = tempfile::Builder::new()
        .prefix(".postward-init-")
        .tempdir_in(beside)
        .map_err(|source| Failure::plain(Context::file("write to", beside, source)))?;
    write_all(&staging.path().join("config"), args.all)?;
    fs::create_dir_all(dir).map_err(|source| Failure::plain(Context::file("make", dir, source)))?;
    fs::rename(staging.path().join("config"), &config)
        .map_err(|source| Failure::plain(Context::file("write", &config, source)))?;
    style::to_stdout(&next_steps(&config, args.all))?;
    Ok(Exit::Fine)
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

fn write_all(config: &Path, all: bool) -> Result<(), Failure> {
    let text = if all { CONFIG.replacen(SHIPPED, WRITTEN, 1) } else { CONFIG.to_owned() };
    write(&config.join("postward.toml"), &text)?;
    write(&config.join("policy.toml"), Policy::embedded())?;
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
    tls::init(&config.join("ca.pem"), &config.join("ca.key"), CA_NAME, &[]).map_err(ca::failure)?;
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let written = match file.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(file, text)),
        None => fs::write(file, text),
    };
    written.map_err(|source| Failure::plain(Context::file("write", file, source)))
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
