//! The five questions of `init --interactive`, and what their answers make of the files.
//!
//! Nothing is written before the last answer is in. An answer that makes no sense is told why, and asked for again; where the
//! answers end early (a closed pipe, Ctrl-D) or somebody types Ctrl-C, nothing was begun.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal as _, Read as _, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::style;
use crate::config::check_host;
use crate::diagnostic::did_you_mean;
use crate::platform::Platforms;

/// Longest answer, in bytes.
const LONGEST: u64 = 4096;

/// What an operator answered.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answers {
    /// Platforms, each with the hosts that its route names; none where the platform's own file lists them.
    pub(super) routes: Vec<(String, Vec<String>)>,
    pub(super) authority: Authority,
    pub(super) policy: Strictness,
    /// As it stands in `postward.toml`.
    pub(super) audit: String,
    pub(super) admin: Option<SocketAddr>,
}

/// Where the listener's certificates come from.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Authority {
    /// A new CA, which can vouch for the routed hosts only.
    Constrained,
    /// A new CA for trying things out.
    ThrowAway,
    /// A CA that the hospital has: its certificate and its key.
    Own(PathBuf, PathBuf),
}

/// Which policy is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Strictness {
    /// The shipped one.
    Standard,
    /// The shipped strict one.
    Strict,
    /// The shipped one, which only records.
    Monitor,
}

/// Where answers come from.
pub(super) struct Input<'i> {
    lines: &'i mut dyn BufRead,
    /// Whether a terminal shows what is typed.
    is_typed: bool,
}

/// One question: what is asked, what an empty answer means, how an answer is read.
struct Question<'q, T> {
    asks: &'q str,
    default: &'q str,
    read: &'q dyn Fn(&str) -> Result<T, String>,
}

/// Asks everything. The questions go to `out`, the answers are lines of `answers`.
pub(super) fn ask(answers: &mut Input<'_>, out: &mut dyn Write) -> Result<Answers, Failure> {
    let platforms = Platforms::embedded();
    let ids: Vec<&str> = platforms.iter().map(|platform| platform.id()).collect();
    let (known, own): (Vec<&str>, Vec<&str>) =
        ids.iter().partition(|id| platforms.get(id).is_some_and(|known| !known.hosts().is_empty()));
    let asks = style::wrap(
        &format!(
            "Which platforms do staff post to? Any of {}; and, with their hosts, any of {} (mastodon=HOST, or \
             mastodon=HOST+HOST). Separate them by commas.",
            known.join(", "),
            own.join(", ")
        ),
        96,
    )
    .join("\n   ");
    let mut nth = 0;
    let mut next = |text: &str| {
        nth += 1;
        format!("{nth}. {text}")
    };
    Ok(Answers {
        routes: Question {
            asks: &next(&asks),
            default: "mastodon=mastodon.example",
            read: &|answer| routes(answer, &platforms),
        }
        .put(answers, out)?,
        authority: Question {
            asks: &next(
                "Who signs the certificates that devices see? `constrained`: a new authority that can vouch for\n   \
                 those hosts only; `trial`: a throw-away one; or an authority you have: CERTIFICATE.pem, KEY.key",
            ),
            default: "constrained",
            read: &authority,
        }
        .put(answers, out)?,
        policy: Question {
            asks: &next(
                "How strict? `standard`: what identifies a patient is redacted or blocked; `strict`: every finding\n   \
                 is, wherever it stands; `monitor`: nothing is, but the audit says what would have been",
            ),
            default: "standard",
            read: &strictness,
        }
        .put(answers, out)?,
        audit: Question {
            asks: &next(
                "Where is the audit kept? One line for each post, never its text. A file in a folder that exists, such\n   \
                 as /var/lib/postward/audit.jsonl; `../` is the new directory",
            ),
            default: "../audit.jsonl",
            read: &audit,
        }
        .put(answers, out)?,
        admin: Question {
            asks: &next(
                "Where do operators look for health and metrics? An address of this machine alone, or `none`",
            ),
            default: "127.0.0.1:9464",
            read: &admin,
        }
        .put(answers, out)?,
    })
}

impl<T> Question<'_, T> {
    /// Asks until the answer makes sense.
    fn put(&self, answers: &mut Input<'_>, out: &mut dyn Write) -> Result<T, Failure> {
        let Self { asks, default, read } = self;
        writeln!(out, "{asks}")?;
        loop {
            write!(out, "   [{default}] > ")?;
            out.flush()?;
            let mut line = Vec::new();
            let n = (&mut *answers.lines)
                .take(LONGEST + 1)
                .read_until(b'\n', &mut line)
                .map_err(Failure::plain)?;
            if n == 0 {
                writeln!(out)?;
                return Err(Failure::new(
                    "the answers ended before the last question",
                    "nothing was written; give five lines (an empty one takes what is in brackets), or leave out --interactive",
                ));
            }
            if line.len() as u64 > LONGEST {
                return Err(Failure::new("an answer is too long", "nothing was written"));
            }
            let answer = match std::str::from_utf8(&line).map(str::trim) {
                Ok("") => default,
                Ok(answer) if !answer.contains(char::is_control) => answer,
                Ok(_) | Err(_) => {
                    writeln!(out, "   that is no text")?;
                    continue;
                }
            };
            if !answers.is_typed {
                writeln!(out, "{}", style::printable(answer))?;
            }
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => writeln!(out, "   {why}")?,
            }
        }
    }
}

fn routes(answer: &str, platforms: &Platforms) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut routes: Vec<(String, Vec<String>)> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    let words = answer.split(',').map(str::trim).filter(|word| !word.is_empty());
    for word in words {
        let (id, hosts) =
            word.split_once('=').map_or((word, None), |(id, hosts)| (id.trim(), Some(hosts)));
        let id = id.to_lowercase();
        let Some(platform) = platforms.get(&id) else {
            let ids: Vec<&str> = platforms.iter().map(|platform| platform.id()).collect();
            let shown = style::printable(&id);
            return Err(format!("there is no platform `{shown}`: {}", did_you_mean(&id, &ids)));
        };
        let hosts: Vec<String> = hosts
            .into_iter()
            .flat_map(|hosts| hosts.split('+'))
            .map(|host| host.trim().to_owned())
            .collect();
        if hosts.is_empty() && platform.hosts().is_empty() {
            return Err(format!("every {id} server is another: write {id}=HOST"));
        }
        for host in &hosts {
            if let Some((message, help)) = check_host(host) {
                return Err(format!("`{}`: {message}: {help}", style::printable(host)));
            }
        }
        for host in if hosts.is_empty() { platform.hosts() } else { &hosts } {
            if taken.contains(host) {
                return Err(format!("`{}` is named twice", style::printable(host)));
            }
            taken.push(host.clone());
        }
        routes.push((id, hosts));
    }
    if routes.is_empty() { Err("name one platform at least".to_owned()) } else { Ok(routes) }
}

fn authority(answer: &str) -> Result<Authority, String> {
    match answer.to_lowercase().as_str() {
        "constrained" => return Ok(Authority::Constrained),
        "trial" => return Ok(Authority::ThrowAway),
        _ => {}
    }
    let Some((certificate, key)) = answer.split_once(',') else {
        return Err("write constrained, trial, or two files: CERTIFICATE.pem, KEY.key".to_owned());
    };
    let file = |name: &str| {
        let path = std::path::absolute(name.trim()).map_err(|error| error.to_string())?;
        if path.is_file() {
            Ok(path)
        } else {
            Err(format!("there is no file {}", style::printable(&path.display().to_string())))
        }
    };
    Ok(Authority::Own(file(certificate)?, file(key)?))
}

fn strictness(answer: &str) -> Result<Strictness, String> {
    match answer.to_lowercase().as_str() {
        "standard" => Ok(Strictness::Standard),
        "strict" => Ok(Strictness::Strict),
        "monitor" => Ok(Strictness::Monitor),
        _ => Err("write standard, strict or monitor".to_owned()),
    }
}

fn audit(answer: &str) -> Result<String, String> {
    let path = Path::new(answer);
    if path.file_name().is_none() || answer.ends_with('/') {
        return Err("name a file, such as /var/lib/postward/audit.jsonl".to_owned());
    }
    if path.is_dir() {
        return Err(format!("{answer} is a folder: name a file in it"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    // Relative to the configuration, in a directory that is yet to be made.
    let is_new = folder == Path::new("..") || folder == Path::new("");
    if is_new || (path.is_absolute() && folder.is_dir()) {
        return Ok(answer.to_owned());
    }
    if path.is_absolute() {
        return Err(format!(
            "there is no folder {}: make it, for the user that postward runs as only",
            folder.display()
        ));
    }
    Err("write the whole path, from / on".to_owned())
}

fn admin(answer: &str) -> Result<Option<SocketAddr>, String> {
    if answer.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let Ok(address) = answer.parse::<SocketAddr>() else {
        return Err("write an address with its port, such as 127.0.0.1:9464, or none".to_owned());
    };
    if !address.ip().to_canonical().is_loopback() {
        return Err(format!(
            "{address} can be reached from other machines, and it asks nobody who they are: write 127.0.0.1:{}",
            address.port()
        ));
    }
    if address.port() == 0 || address.port() == super::PORT {
        return Err(format!("port {} is not free for that: take another", address.port()));
    }
    Ok(Some(address))
}

impl Answers {
    /// Every host that a route names or its platform lists.
    pub(super) fn hosts(&self) -> Vec<String> {
        let platforms = Platforms::embedded();
        let listed = |id: &str| platforms.get(id).map(|known| known.hosts().to_vec());
        self.routes
            .iter()
            .flat_map(
                |(id, hosts)| {
                    if hosts.is_empty() { listed(id).unwrap_or_default() } else { hosts.clone() }
                },
            )
            .collect()
    }

    /// `[[route]]` of each platform.
    pub(super) fn routes(&self) -> String {
        let mut text = String::new();
        for (id, hosts) in &self.routes {
            text.push_str("[[route]]\n");
            if !hosts.is_empty() {
                let hosts: Vec<String> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
                let _ = writeln!(text, "hosts = [{}]", hosts.join(", "));
            }
            let _ = writeln!(text, "platform = \"{id}\"\n");
        }
        text
    }

    /// `[admin]`, or a word about there being none.
    pub(super) fn admin(&self) -> String {
        match self.admin {
            Some(address) => format!("[admin]\naddress = \"{address}\"\n"),
            None => "# [admin]\n# address = \"127.0.0.1:9464\"\n".to_owned(),
        }
    }
}

/// A line of TOML with a path in it.
pub(super) fn quoted(path: &str) -> String {
    toml::Value::String(path.to_owned()).to_string()
}

/// Where the questions go: beside the results, which are the only thing on standard output.
pub(super) fn ask_here() -> Result<Answers, Failure> {
    let is_typed = io::stdin().is_terminal();
    ask(&mut Input { lines: &mut io::stdin().lock(), is_typed }, &mut io::stderr())
}

#[cfg(test)]
mod tests {
    use super::{Answers, Authority, Input, Strictness, ask};

    fn answered(lines: &str) -> (Result<Answers, String>, String) {
        let mut out = Vec::new();
        let mut input = Input { lines: &mut lines.as_bytes(), is_typed: false };
        let answers = ask(&mut input, &mut out).map_err(|fault| format!("{fault:?}"));
        (answers, String::from_utf8(out).unwrap())
    }

    #[test]
    fn empty_answers_take_what_is_in_brackets() {
        let (answers, said) = answered("\n\n\n\n\n");
        assert_eq!(
            answers.unwrap(),
            Answers {
                routes: vec![("mastodon".into(), vec!["mastodon.example".into()])],
                authority: Authority::Constrained,
                policy: Strictness::Standard,
                audit: "../audit.jsonl".into(),
                admin: Some("127.0.0.1:9464".parse().unwrap()),
            }
        );
        assert_eq!(said.matches("] > ").count(), 5, "{said}");
    }

    #[test]
    fn nonsense_is_told_why_and_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let audit = folder.path().join("audit.jsonl").display().to_string();
        let lines = [
            "mastadon",
            "mastodon",
            "mastodon=https://a.example",
            "mastodon=a.example+a.example",
            ",",
            "Bluesky, mastodon=a.example+b.example, x",
            "mine",
            "/nowhere/ca.pem, /nowhere/ca.key",
            "trial",
            "very",
            "STRICT",
            "/",
            "/nowhere/at/all/audit.jsonl",
            "audits/audit.jsonl",
            &audit,
            "9464",
            "10.0.0.1:9464",
            "127.0.0.1:8443",
            "none",
        ];
        let (answers, said) = answered(&(lines.join("\n") + "\n"));
        let answers = answers.unwrap();
        let ids: Vec<&str> = answers.routes.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["bluesky", "mastodon", "x"]);
        assert_eq!((answers.policy, answers.admin), (Strictness::Strict, None));
        assert_eq!(answers.audit, audit);
        assert!(answers.hosts().contains(&"b.example".to_owned()));
        for why in [
            "there is no platform `mastadon`: did you mean",
            "write mastodon=HOST",
            "not links",
            "named twice",
            "one platform at least",
            "write constrained",
            "there is no file /nowhere/ca.pem",
            "write standard, strict or monitor",
            "name a file",
            "there is no folder /nowhere/at/all",
            "the whole path",
            "with its port",
            "from other machines",
            "not free",
        ] {
            assert!(said.contains(why), "{why}: {said}");
        }
    }

    #[test]
    fn answers_that_end_early_are_a_failure() {
        for lines in ["", "\n", "\n\n\n\n", "nonsense", "\n\n\n/nowhere/x/y\n"] {
            let (answers, _) = answered(lines);
            assert!(answers.unwrap_err().contains("ended before"), "{lines:?}");
        }
        let (answers, said) = answered("\u{1b}[2J\n\u{9b}\n");
        assert!(answers.is_err() && !said.contains(['\u{1b}', '\u{9b}']), "{said}");
        assert!(answered(&"a".repeat(5000)).0.unwrap_err().contains("too long"));
    }
}
