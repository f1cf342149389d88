//! Reads `postward.toml` into a [`Config`], or names everything that is wrong with it.
//!
//! Read in two steps, because routes name platforms and the platforms' files are named here: [`Named`] first, the rest
//! once they are loaded.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::audit::{AuditSettings, Sync};
use crate::body::Limits;
use crate::config::{
    ADMIN_NAME, Admin, ClientCertificates, Config, Edge, Listener, Reload, Sandbox, Timeouts,
    TlsIdentity, UnknownRevocation, Upstream, Way, Who,
};
use crate::config::{folders::is_shared, keep, observe, roster, route, sinks, who};
use crate::diagnostic::{Faults, Placed, Table, shown};
use crate::platform::Platforms;

/// Units of sizes, in bytes.
pub(super) const SIZES: [(&str, u64); 4] =
    [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Units of time, in milliseconds.
pub(super) const TIMES: [(&str, u64); 4] =
    [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];

const SYNCS: [(&str, Sync); 2] = [("none", Sync::None), ("group", Sync::Group)];

pub(super) const UNKNOWN_REVOCATIONS: [(&str, UnknownRevocation); 2] =
    [("allow", UnknownRevocation::Allow), ("refuse", UnknownRevocation::Refuse)];

/// The two ways of `tls`.
const BOTH: &str = "write `tls = { ca = \"ca.pem\", ca-key = \"ca.key\" }`, or `tls = { certificate = \"edge.pem\", key = \"edge.key\" }`";

/// Where DNS servers listen.
const DNS_PORT: u16 = 53;

/// The files that `postward.toml` names.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) rules: Vec<Placed<String>>,
    pub(super) policy: Option<Placed<String>>,
    /// Asked, never obeyed.
    pub(super) shadow: Option<Placed<String>>,
    pub(super) platforms: Option<Placed<String>>,
    pub(super) roster: Option<roster::Named>,
}

impl Named {
    pub(super) fn read(file: &mut Table<'_>, faults: &mut Faults) -> Self {
        let rules = file.texts("rules", faults).unwrap_or_default();
        for (n, rule) in rules.iter().enumerate() {
            if rules.iter().take(n).any(|other| other.value == rule.value) {
                faults.error(
                    rule.span,
                    format!("`{}` is listed twice", shown(&rule.value)),
                    "take one out",
                );
            }
        }
        Self {
            rules,
            policy: file.text("policy", faults),
            shadow: file.text("shadow", faults),
            platforms: file.text("platforms", faults),
            roster: roster::Named::read(file, faults),
        }
    }
}

/// What `scan` and `eval` need when there is no file: everything but listeners and routes.
pub(super) fn without_file() -> Config {
    Config {
        listeners: Vec::new(),
        routes: Vec::new(),
        upstream: Upstream::default(),
        admin: None,
        audit: AuditSettings::of("audit.jsonl", node_name()),
        max_body: 16 << 20,
        max_media: 512 << 20,
        edge: Edge::default(),
        body_limits: Limits::default(),
        timeouts: Timeouts::default(),
        sandbox: Sandbox::default(),
        handover: true,
        reload: Reload::default(),
        log: observe::Log::default(),
        traces: None,
    }
}

/// Reads everything but [`Named`]. Relative paths start at `folder`; `platforms` is `None` if they could not be loaded.
pub(super) fn read(
    mut file: Table<'_>,
    folder: &Path,
    platforms: Option<&Platforms>,
    faults: &mut Faults,
) -> Config {
    let mut config = without_file();
    let serves =
        ["listener", "route", "upstream", "admin", "audit"].iter().any(|key| file.has(key));
    config.listeners = listeners(file.tables("listener", faults), folder, faults);
    config.routes = route::read(file.tables("route", faults), &config.listeners, platforms, faults);
    if let Some(table) = file.table("upstream", faults) {
        config.upstream = upstream(table, folder, faults);
    }
    config.admin =
        file.table("admin", faults).and_then(|table| admin(table, &config.listeners, faults));
    let audited = file.table("audit", faults);
    let audit_at = audited.as_ref().map_or(file.span(), Table::span);
    config.audit = audit(audited, folder, config.audit, faults);
    if let Some(table) = file.table("limits", faults) {
        limits(table, &mut config, faults);
    }
    if let Some(table) = file.table("timeouts", faults) {
        config.timeouts = timeouts(table, config.timeouts, faults);
    }
    config.sandbox = sandbox(&mut file, faults);
    config.handover = file.flag("handover", faults).is_none_or(|flag| flag.value);
    if let Some(table) = file.table("reload", faults) {
        config.reload = reload(table, faults);
    }
    if let Some(table) = file.table("log", faults) {
        config.log = observe::log(table, faults);
    }
    if let Some(table) = file.table("traces", faults) {
        config.traces = observe::traces(table, &config.audit.node, faults);
    }
    let start = file.span();
    file.finish(faults);
    if faults.any_error() {
        return config;
    }
    let writes_to = Way::to(config.audit.file.parent().unwrap_or(folder)).real;
    if serves && config.sandbox != Sandbox::Off && is_shared(&writes_to) {
        faults.warning(
            audit_at,
            format!("the audit stands right in {}, so the sandbox must let the proxy write to everything beneath it", writes_to.display()),
            "give it a folder of its own, for the user that postward runs as only: `file = \"/var/lib/postward/audit.jsonl\"`",
        );
    }
    let help = "add [[listener]] with `address = \"[::]:443\"` and `tls = { ca = \"ca.pem\", ca-key = \"ca.key\" }`";
    match (config.listeners.is_empty(), config.routes.is_empty()) {
        (true, _) if serves => {
            faults.error(start, "there is no [[listener]], so nothing could be served", help);
        }
        (true, _) => faults.warning(
            start,
            "there is no [[listener]]: this is enough for `scan` and `eval`, not for `serve`",
            help,
        ),
        (false, true) => faults.error(
            start,
            "there is no [[route]], so every request would be refused",
            "add [[route]] with `hosts = [\"mastodon.example\"]` and `platform = \"mastodon\"`",
        ),
        (false, false) => {}
    }
    config
}

fn listeners(tables: Vec<Table<'_>>, folder: &Path, faults: &mut Faults) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    for mut table in tables {
        let address = table.required_text(
            "address",
            "say where to accept: `address = \"[::]:443\"` is every address of this machine",
            faults,
        );
        let address = address.and_then(|address| socket_address(&address, faults));
        let name =
            table.text("name", faults).and_then(|name| listener_name(name, &listeners, faults));
        let asked_for_tls = table.has("tls");
        let mut who = Who::read(&mut table, faults);
        let tls = table
            .table("tls", faults)
            .and_then(|tls| identity(tls, folder, &mut who.clients, faults));
        table.finish(faults);
        let Some(address) = address else { continue };
        if !asked_for_tls && !is_loopback(address.value.ip()) {
            let help = "add `tls = { ca = \"ca.pem\", ca-key = \"ca.key\" }`, or listen on 127.0.0.1; `postward ca init` makes a CA";
            faults.error(
                address.span,
                format!("without `tls`, {} would carry posts in the clear", address.value),
                help,
            );
        }
        if address.value.port() != 0 && listeners.iter().any(|other| other.address == address.value)
        {
            faults.error(
                address.span,
                format!("{} is listened on already", address.value),
                "take one [[listener]] out",
            );
        }
        listeners.push(Listener { address: address.value, name, tls, who });
    }
    listeners
}

/// The name of a listener's socket, as systemd's units write it; each is one listener's.
fn listener_name(
    name: Placed<String>,
    listeners: &[Listener],
    faults: &mut Faults,
) -> Option<String> {
    let is_taken = |one: &Listener| one.name.as_ref() == Some(&name.value);
    let (message, help) = if !is_node_name(&name.value) {
        (
            "this cannot be a listener's name",
            "use 1 to 64 letters, digits, dots and hyphens: `name = \"staff\"`",
        )
    } else if name.value == ADMIN_NAME {
        ("`admin` is the name of the operators' own listener", "choose another: `name = \"staff\"`")
    } else if listeners.iter().any(is_taken) {
        ("another listener has this name", "each [[listener]] has its own")
    } else {
        return Some(name.value);
    };
    faults.error(name.span, message, help);
    None
}

/// Exactly one of a CA and a certificate, each with its key.
fn identity(
    mut table: Table<'_>,
    folder: &Path,
    clients: &mut Option<ClientCertificates>,
    faults: &mut Faults,
) -> Option<TlsIdentity> {
    let span = table.span();
    let mut path = |key, what: &str, faults: &mut Faults| {
        let path = table.text(key, faults)?;
        let full = folder.join(&path.value);
        if !full.try_exists().unwrap_or(true) {
            faults.error(
                path.span,
                format!("there is no {what} {}", full.display()),
                "mend the path, or make a CA with `postward ca init`",
            );
        }
        Some(full)
    };
    let ca = path("ca", "certificate", faults);
    let ca_key = path("ca-key", "key", faults);
    let certificate = path("certificate", "certificate", faults);
    let key = path("key", "key", faults);
    *clients = table
        .table("clients", faults)
        .and_then(|clients| ClientCertificates::read(clients, folder, faults));
    table.finish(faults);
    match (ca, ca_key, certificate, key) {
        (Some(ca), Some(ca_key), None, None) => Some(TlsIdentity::Ca { ca, ca_key }),
        (None, None, Some(certificate), Some(key)) => {
            Some(TlsIdentity::Certificate { certificate, key })
        }
        (None, None, None, None) => {
            faults.error(span, "`tls` says nothing", BOTH);
            None
        }
        (ca, ca_key, None, None) => {
            let missing = if ca.is_none() { "ca" } else { "ca-key" };
            debug_assert!(ca.is_none() || ca_key.is_none(), "both were matched above");
            faults.error(span, format!("`tls` has no `{missing}`"), BOTH);
            None
        }
        (None, None, certificate, _) => {
            let missing = if certificate.is_none() { "certificate" } else { "key" };
            faults.error(span, format!("`tls` has no `{missing}`"), BOTH);
            None
        }
        _ => {
            faults.error(span, "`tls` has both a CA and a certificate of its own", BOTH);
            None
        }
    }
}

fn upstream(mut table: Table<'_>, folder: &Path, faults: &mut Faults) -> Upstream {
    let mut upstream = Upstream::default();
    for server in table.texts("resolver", faults).unwrap_or_default() {
        let word = server.value.as_str();
        let address = word
            .parse::<SocketAddr>()
            .ok()
            .or_else(|| word.parse::<IpAddr>().ok().map(|ip| (ip, DNS_PORT).into()));
        match address {
            Some(address) => upstream.resolver.push(address),
            None => faults.error(
                server.span,
                format!("`{}` is no address of a DNS server", shown(word)),
                "write its IP address: `resolver = [\"192.0.2.53\"]`",
            ),
        }
    }
    if let Some(path) = table.text("extra-roots", faults) {
        let full = folder.join(&path.value);
        if !full.try_exists().unwrap_or(true) {
            faults.error(
                path.span,
                format!("there is no file {}", full.display()),
                "name a PEM file with the certificates to trust beside the system's",
            );
        }
        upstream.extra_roots = Some(full);
    }
    let names_lists = table.has("crls");
    for path in table.texts("crls", faults).unwrap_or_default() {
        let full = folder.join(&path.value);
        if !full.try_exists().unwrap_or(true) {
            faults.error(
                path.span,
                format!("there is no file or folder {}", full.display()),
                "name a revocation list, PEM or DER, or a folder of them",
            );
        }
        upstream.crls.push(full);
    }
    if let Some(unknown) = table.choice("unknown-revocation", &UNKNOWN_REVOCATIONS, faults) {
        if unknown.value == UnknownRevocation::Refuse && !names_lists {
            faults.error(
                unknown.span,
                "without lists of revoked certificates, every platform would be refused",
                "name them: `crls = [\"crls\"]`, or take `unknown-revocation` out",
            );
        }
        upstream.unknown_revocation = unknown.value;
    }
    for address in table.texts("allow-private", faults).unwrap_or_default() {
        match address.value.parse::<IpAddr>() {
            Ok(address) => upstream.allow_private.push(address),
            Err(_) => faults.error(address.span, format!("`{}` is no IP address", shown(&address.value)), "write the private address that a platform's name may lead to: `allow-private = [\"10.0.5.9\"]`"),
        }
    }
    table.finish(faults);
    upstream
}

fn admin(mut table: Table<'_>, listeners: &[Listener], faults: &mut Faults) -> Option<Admin> {
    let address = table.required_text(
        "address",
        "say where operators look: `address = \"127.0.0.1:9464\"`",
        faults,
    );
    let may_be_remote = table.flag("allow-remote", faults).is_some_and(|flag| flag.value);
    table.finish(faults);
    let address = socket_address(&address?, faults)?;
    if !may_be_remote && !is_loopback(address.value.ip()) {
        let help = "listen on 127.0.0.1, or add `allow-remote = true` if only operators reach this address";
        faults.error(
            address.span,
            format!(
                "{} can be reached from other machines, and it asks nobody who they are",
                address.value
            ),
            help,
        );
    }
    if address.value.port() != 0
        && listeners.iter().any(|listener| listener.address == address.value)
    {
        faults.error(
            address.span,
            format!("{} is a [[listener]]'s address", address.value),
            "give [admin] its own port",
        );
    }
    Some(Admin { address: address.value })
}

fn audit(
    table: Option<Table<'_>>,
    folder: &Path,
    mut audit: AuditSettings,
    faults: &mut Faults,
) -> AuditSettings {
    audit.file = folder.join(&audit.file);
    let Some(mut table) = table else { return audit };
    if let Some(path) = table.text("file", faults) {
        let full = folder.join(&path.value);
        let parent = full.parent().unwrap_or(folder);
        if !parent.try_exists().unwrap_or(true) {
            faults.error(
                path.span,
                format!("there is no folder {}", parent.display()),
                "make it, for the user that postward runs as only",
            );
        }
        if full.is_dir() {
            faults.error(
                path.span,
                format!("{} is a folder", full.display()),
                "name a file in it: `file = \"audit.jsonl\"`",
            );
        }
        audit.file = full;
    }
    if let Some(sync) = table.choice("sync", &SYNCS, faults) {
        audit.sync = sync.value;
    }
    if let Some(node) = table.text("node", faults) {
        if is_node_name(&node.value) {
            audit.node = node.value;
        } else {
            faults.error(
                node.span,
                "this cannot be a node's name",
                "use 1 to 64 letters, digits, dots and hyphens: `node = \"edge-1\"`",
            );
        }
    }
    audit.keep = keep::read(&mut table, faults);
    audit.sinks = sinks::read(&mut table, folder, faults);
    audit.spool = sinks::spool(&mut table, faults).unwrap_or(audit.spool);
    audit.names = who::naming(&mut table, folder, faults);
    table.finish(faults);
    audit
}

/// `sandbox` and `require-sandbox`, both at the top of the file.
fn sandbox(file: &mut Table<'_>, faults: &mut Faults) -> Sandbox {
    let wanted = file.flag("sandbox", faults).is_none_or(|flag| flag.value);
    let required = file.flag("require-sandbox", faults).filter(|flag| flag.value);
    match (wanted, required) {
        (true, Some(_)) => Sandbox::Required,
        (true, None) => Sandbox::Wanted,
        (false, None) => Sandbox::Off,
        (false, Some(required)) => {
            faults.error(
                required.span,
                "the sandbox is required and turned off",
                "take out one of `sandbox = false` and `require-sandbox = true`",
            );
            Sandbox::Required
        }
    }
}

fn limits(mut table: Table<'_>, config: &mut Config, faults: &mut Faults) {
    const GIB: u64 = 1 << 30;
    let body = table.quantity("max-body", &SIZES, 1, 1024..=GIB, faults);
    let media = table.quantity("max-media", &SIZES, 1, 1024..=1024 * GIB, faults);
    let decoded = table.quantity("max-decoded", &SIZES, 1, 1024..=GIB, faults);
    let depth = table.whole("max-depth", 8..=1024, faults);
    let fields = table.whole("max-fields", 100..=10_000_000, faults);
    let codings = table.whole("max-codings", 0..=8, faults);
    let ratio = table.whole("max-ratio", 10..=100_000, faults);
    let memory = table.quantity("inspect-memory", &SIZES, 1, 1 << 20..=1024 * GIB, faults);
    config.edge.read(&mut table, faults);
    table.finish(faults);
    set(&mut config.max_body, body.as_ref());
    set(&mut config.body_limits.max_decoded, decoded.as_ref());
    set(&mut config.body_limits.max_depth, depth.as_ref());
    set(&mut config.body_limits.max_fields, fields.as_ref());
    set(&mut config.body_limits.max_codings, codings.as_ref());
    set(&mut config.body_limits.max_ratio, ratio.as_ref());
    if let Some(media) = &media {
        config.max_media = media.value;
    }
    if let Some(memory) = &memory {
        config.edge.inspect_memory = memory.value;
    }
    let least = config.edge.least_memory(config.max_body);
    if let Some(at) = memory.as_ref().or(body.as_ref())
        && config.edge.inspect_memory < least
    {
        faults.error(
            at.span,
            "`inspect-memory` is too little for one body of `max-body` within an address's `inspect-share`",
            format!("write `inspect-memory = \"{} MiB\"` or more, or lower `max-body`", least.div_ceil(1 << 20)),
        );
    }
    let shortest = media.as_ref().or(body.as_ref());
    if let Some(at) = shortest.filter(|_| config.max_media < config.max_body as u64) {
        faults.warning(
            at.span,
            "`max-media` is less than `max-body`, so media may be longer among texts than by itself",
            "raise `max-media`, or lower `max-body`",
        );
    }
    if let Some(at) = decoded.or(body).filter(|_| config.body_limits.max_decoded < config.max_body)
    {
        faults.warning(
            at.span,
            "`max-decoded` is less than `max-body`, so no body can be that large",
            "raise `max-decoded`, or lower `max-body`",
        );
    }
}

fn set(limit: &mut usize, value: Option<&Placed<u64>>) {
    if let Some(value) = value.and_then(|value| usize::try_from(value.value).ok()) {
        *limit = value;
    }
}

fn timeouts(mut table: Table<'_>, mut timeouts: Timeouts, faults: &mut Faults) -> Timeouts {
    for (key, timeout) in [
        ("handshake", &mut timeouts.handshake),
        ("first-byte", &mut timeouts.first_byte),
        ("head", &mut timeouts.head),
        ("body", &mut timeouts.body),
        ("inspect", &mut timeouts.inspect),
        ("audit", &mut timeouts.audit),
        ("idle", &mut timeouts.idle),
        ("ping", &mut timeouts.ping),
        ("age", &mut timeouts.age),
        ("connect", &mut timeouts.connect),
        ("answer", &mut timeouts.answer),
        ("answer-idle", &mut timeouts.answer_idle),
        ("busy", &mut timeouts.busy),
        ("refused", &mut timeouts.refused),
        ("farewell", &mut timeouts.farewell),
        ("drain", &mut timeouts.drain),
    ] {
        if let Some(time) = table.quantity(key, &TIMES, 1000, 10..=24 * 3_600_000, faults) {
            *timeout = Duration::from_millis(time.value);
        }
    }
    table.finish(faults);
    timeouts
}

fn reload(mut table: Table<'_>, faults: &mut Faults) -> Reload {
    let mut reload = Reload::default();
    if let Some(watch) = table.flag("watch", faults) {
        reload.watch = watch.value;
    }
    for (key, time, range) in [
        ("settle", &mut reload.settle, 50..=60_000),
        ("poll", &mut reload.poll, 1000..=24 * 3_600_000),
        ("remind", &mut reload.remind, 1000..=24 * 3_600_000),
    ] {
        if let Some(given) = table.quantity(key, &TIMES, 1000, range, faults) {
            *time = Duration::from_millis(given.value);
        }
    }
    table.finish(faults);
    reload
}

fn socket_address(address: &Placed<String>, faults: &mut Faults) -> Option<Placed<SocketAddr>> {
    let word = address.value.as_str();
    if let Ok(value) = word.parse() {
        return Some(Placed { value, span: address.span });
    }
    let port = word.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let help = match (word.parse::<IpAddr>(), port) {
        (Ok(IpAddr::V6(ip)), _) => format!("add the port: `[{ip}]:443`"),
        (Ok(IpAddr::V4(ip)), _) => format!("add the port: `{ip}:443`"),
        (Err(_), Some(port)) if word.starts_with("localhost:") => {
            format!("write `127.0.0.1:{port}`")
        }
        (Err(_), Some(port)) => {
            format!("write `[::]:{port}` for every address of this machine, or `127.0.0.1:{port}`")
        }
        (Err(_), None) => "write an address and a port: `127.0.0.1:8443`".to_owned(),
    };
    faults.error(address.span, format!("`{}` is no address and port", shown(word)), help);
    None
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

pub(super) fn is_node_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// What this machine calls itself, for events: several nodes may write audits that are read together.
fn node_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if is_node_name(name) { name.to_owned() } else { "postward".to_owned() }
}
