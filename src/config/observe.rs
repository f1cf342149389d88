//! What operators see of the running proxy beside its own pages: `[log]` and `[traces]`; and what of the file is asked before all
//! of it is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::config::UpstreamAddress;
use crate::config::host;
use crate::diagnostic::{Faults, Table};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// One line of words.
    Human,
    /// One JSON object a line.
    Json,
}

const FORMATS: [(&str, LogFormat); 2] = [("human", LogFormat::Human), ("json", LogFormat::Json)];

const LEVELS: [(&str, &str); 4] =
    [("error", "error"), ("warn", "warn"), ("info", "info"), ("debug", "debug")];

/// The log, where the command line and the environment say nothing of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Log {
    /// Left out: human on a terminal, JSON elsewhere.
    pub format: Option<LogFormat>,
    /// `error`, `warn`, `info` or `debug`. Left out: `info`.
    pub level: Option<&'static str>,
}

/// Where traces go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Traces {
    /// The collector, by OTLP over HTTP.
    pub endpoint: UpstreamAddress,
    /// One request of so many is traced (`one-in`, 100).
    pub one_in: u64,
    /// Whether a client's `traceparent` decides that instead, where there is one (`trust-parent`, false).
    pub trusts_parent: bool,
    /// Spans that wait to be sent; those beyond are dropped and counted (`queue`, 2,048).
    pub queue: usize,
    /// The name of this node in traces: that of the audit.
    pub node: String,
}

pub(super) fn log(mut table: Table<'_>, faults: &mut Faults) -> Log {
    let format = table.choice("format", &FORMATS, faults).map(|it| it.value);
    let level = table.choice("level", &LEVELS, faults).map(|it| it.value);
    table.finish(faults);
    Log { format, level }
}

pub(super) fn traces(mut table: Table<'_>, node: &str, faults: &mut Faults) -> Option<Traces> {
    const EXAMPLE: &str =
        "name the collector on this machine: `endpoint = \"http://127.0.0.1:4318\"`";
    let url = table.required_text("endpoint", EXAMPLE, faults);
    let one_in = table.whole("one-in", 1..=1_000_000, faults).map_or(100, |it| it.value);
    let trusts_parent = table.flag("trust-parent", faults).is_some_and(|it| it.value);
    let may_be_remote = table.flag("allow-plain-http", faults).is_some_and(|it| it.value);
    let queue = table.whole("queue", 16..=1_000_000, faults).map_or(2048, |it| it.value);
    table.finish(faults);
    let url = url?;
    let endpoint = match host::upstream(&url.value) {
        Ok(endpoint) if endpoint.tls => {
            faults.error(
                url.span,
                "traces are sent over http alone",
                "run a collector on this machine, which sends them on by https: `endpoint = \"http://127.0.0.1:4318\"`",
            );
            return None;
        }
        Ok(endpoint) => endpoint,
        Err((message, _)) => {
            faults.error(url.span, message.replace("an upstream", "a collector"), EXAMPLE);
            return None;
        }
    };
    if !may_be_remote && !host::is_here(&endpoint) {
        faults.error(
            url.span,
            format!("traces would go to {} in the clear", endpoint.host),
            "run the collector on this machine, or add `allow-plain-http = true` if the wire to it is the hospital's own",
        );
    }
    let queue = usize::try_from(queue).unwrap_or(usize::MAX);
    Some(Traces { endpoint, one_in, trusts_parent, queue, node: node.to_owned() })
}

/// What `[log]` says, before anything else is read: the log must be there to say what is wrong with the rest. What cannot be
/// used counts as left out, and is told of when all is read.
pub fn log_of(file: &Path) -> Log {
    let Some(table) = table_of(file, "log") else { return Log::default() };
    let word = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let format = FORMATS.iter().find(|(name, _)| Some(*name) == word("format"));
    let level = LEVELS.iter().find(|(name, _)| Some(*name) == word("level"));
    Log { format: format.map(|(_, format)| *format), level: level.map(|(_, level)| *level) }
}

/// Where a proxy of this file answers its operators, as a program on the same machine reaches it; `None` if the file cannot be
/// read, or says nothing of it. Nothing else is read.
pub fn admin_of(file: &Path) -> Option<SocketAddr> {
    let table = table_of(file, "admin")?;
    let mut address: SocketAddr = table.get("address")?.as_str()?.parse().ok()?;
    // Every address of this machine is none that can be asked.
    address.set_ip(match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    });
    Some(address)
}

fn table_of(file: &Path, key: &str) -> Option<toml::Table> {
    let mut all: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    match all.remove(key)? {
        toml::Value::Table(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, LogFormat, admin_of, log_of};

    #[test]
    fn a_file_is_asked_for_what_is_needed_before_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postward.toml");
        for (text, log, admin) in [
            ("", Log::default(), None),
            ("[log\n", Log::default(), None),
            (
                "[log]\nformat = \"json\"\nlevel = \"debug\"\n[admin]\naddress = \"0.0.0.0:9464\"\n",
                Log { format: Some(LogFormat::Json), level: Some("debug") },
                Some("127.0.0.1:9464"),
            ),
            (
                "what = 1\n[log]\nlevel = \"loud\"\n[admin]\naddress = \"[::]:1\"\n",
                Log::default(),
                Some("[::1]:1"),
            ),
            ("[admin]\naddress = \"10.0.0.1:9\"\n", Log::default(), Some("10.0.0.1:9")),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(log_of(&file), log, "{text}");
            assert_eq!(admin_of(&file).map(|it| it.to_string()).as_deref(), admin, "{text}");
        }
        assert_eq!(admin_of(&folder.path().join("none")), None);
    }
}
