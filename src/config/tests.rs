//! Configurations as files on a disk: the shipped one, and every way of getting one wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::audit::{Said, Sync};
use crate::body::Limits;
use crate::config::syntax::{self, Named};
use crate::config::{Config, Edge, Loaded, Sandbox, Timeouts, TlsIdentity, load, load_policy};
use crate::diagnostic::{Diagnostic, Faults, Severity, Source, Table, draw_all};
use crate::platform::Platforms;

const SHIPPED: &str = include_str!("../../config/postward.toml");

/// What most cases need to be whole.
const SERVES: &str = "[[listener]]\naddress = \"127.0.0.1:8080\"\n[[route]]\nhosts = [\"a.example\"]\nplatform = \"mastodon\"\n";

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Reads the settings alone, without rules and policy.
fn read(text: &str, folder: &Path) -> (Option<Config>, Vec<Diagnostic>) {
    let source = Source::new("postward.toml", text);
    let mut faults = Faults::new(&source);
    let config = Table::of_file(&source, &mut faults).map(|mut file| {
        Named::read(&mut file, &mut faults);
        syntax::read(file, folder, Some(&Platforms::embedded()), &mut faults)
    });
    (config, faults.into_sorted())
}

fn try_load(folder: &Path) -> Result<Loaded, Vec<String>> {
    load(Some(&folder.join("postward.toml"))).map_err(|faults| {
        faults
            .iter()
            .map(|fault| {
                format!("{fault} | {}", fault.help.clone().unwrap_or_default())
                    .replace(&format!("{}/", folder.display()), "")
            })
            .collect()
    })
}

/// Warnings, but those of the shipped rules: their own examples are tested where they are run.
fn warned(loaded: &Loaded) -> Vec<&str> {
    let shipped = |warning: &&Diagnostic| !warning.source.name.starts_with("embedded:rules/");
    loaded.warnings.iter().filter(shipped).map(|warning| warning.message.as_str()).collect()
}

#[test]
fn the_shipped_configuration_loads_and_says_the_defaults() {
    let folder = folder(&[
        ("postward.toml", SHIPPED),
        ("policy.toml", include_str!("../../config/policy.toml")),
        ("ca.pem", ""),
        ("ca.key", ""),
    ]);
    let (config, faults) = read(SHIPPED, folder.path());
    assert_eq!(faults, []);
    let config = config.unwrap();
    assert_eq!(
        config.listeners[0].tls,
        Some(TlsIdentity::Ca {
            ca: folder.path().join("ca.pem"),
            ca_key: folder.path().join("ca.key")
        })
    );
    assert_eq!(config.routes.len(), 3);
    assert!(
        config.routes[2].hosts.iter().any(|host| host == "api.x.com"),
        "{:?}",
        config.routes[2].hosts
    );
    assert_eq!(config.audit.file, folder.path().join("audit.jsonl"));
    assert_eq!(config.audit.sync, Sync::Group);
    let bare = syntax::without_file();
    assert_eq!((config.max_body, config.max_media), (bare.max_body, bare.max_media));
    assert_eq!(format!("{:?}", config.body_limits), format!("{:?}", Limits::default()));
    assert_eq!(format!("{:?}", config.timeouts), format!("{:?}", Timeouts::default()));
    assert_eq!(config.edge, Edge::default());
    let loaded = try_load(folder.path()).unwrap();
    assert_eq!(warned(&loaded), [] as [&str; 0]);
}

#[test]
fn every_commented_key_of_the_shipped_configuration_is_one() {
    let text: String = SHIPPED
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(bare)
                if bare.split_once(" = ").is_some_and(|(key, _)| {
                    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                }) && !bare.starts_with("tls") =>
            {
                bare
            }
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    let folder =
        folder(&[("ca.pem", ""), ("ca.key", ""), ("upstream-ca.pem", ""), ("crls/ca.crl", "")]);
    let key = folder.path().join("audit.key");
    fs::write(&key, "0".repeat(64)).unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (config, faults) = read(&text, folder.path());
    assert_eq!(faults, []);
    let config = config.unwrap();
    assert_eq!(
        (config.audit.names.identity, config.audit.names.address),
        (Said::Hashed, Said::Plain)
    );
    assert!(config.files().any(|file| file == key));
    let who = &config.listeners[0].who;
    assert!(who.is_proxy([10, 0, 0, 5].into()) && !who.is_proxy([10, 0, 0, 6].into()));
    let identity = who.believed([10, 0, 0, 5].into()).unwrap();
    assert_eq!(identity.header.as_ref().unwrap(), "x-remote-user");
    assert_eq!(identity.forwarded_for, Some(1));
    assert_eq!(config.audit.node, "edge-1");
    assert_eq!(config.sandbox, Sandbox::Required);
    assert_eq!(config.upstream.resolver, ["192.0.2.53:53".parse().unwrap()]);
    assert_eq!(config.upstream.allow_private.len(), 1);
    assert_eq!(config.routes[0].upstream.as_ref().map(|upstream| upstream.port), Some(3100));
}

#[test]
fn the_sandbox_is_wanted_unless_it_is_required_or_turned_off() {
    for (text, want) in [
        ("", Sandbox::Wanted),
        ("require-sandbox = false\n", Sandbox::Wanted),
        ("require-sandbox = true\n", Sandbox::Required),
        ("sandbox = false\n", Sandbox::Off),
    ] {
        let (config, faults) = read(&format!("{text}{SERVES}"), Path::new("/nowhere"));
        assert_eq!((config.unwrap().sandbox, faults), (want, vec![]), "{text}");
    }
}

#[test]
fn every_file_that_was_read_is_listed() {
    let rule = "[[rule]]\nid = \"local-word\"\ncategory = \"location\"\nterms = { file = \"../words.txt\" }\nconfidence = \"medium\"\nwhy = \"a place\"\nfinds = [\"at Cedar Crest\"]\nignores = [\"a cedar\", \"a crest\"]\n";
    let folder = folder(&[
        (
            "postward.toml",
            "rules = [\"embedded\", \"rules.d\"]\npolicy = \"policy.toml\"\nplatforms = \"more\"\n",
        ),
        ("policy.toml", include_str!("../../config/policy.toml")),
        ("rules.d/one.toml", rule),
        ("words.txt", "Cedar Crest\n"),
        ("more/.keep", ""),
    ]);
    let loaded = try_load(folder.path()).unwrap();
    let read = loaded.seen.paths().map(|file| file.strip_prefix(folder.path()).unwrap());
    let read: Vec<_> = read.map(|file| file.display().to_string()).collect();
    assert_eq!(
        read,
        [
            "policy.toml",
            "postward.toml",
            "rules.d/../words.txt",
            "rules.d/one.toml",
            "more",
            "rules.d"
        ]
    );
}

#[test]
fn serve_needs_an_address_to_accept_on() {
    let bare = folder(&[("postward.toml", "rules = [\"embedded\"]\n")]);
    let faults = try_load(bare.path()).unwrap().ready_to_serve().unwrap_err();
    assert!(faults.iter().any(|fault| fault.severity == Severity::Error), "{faults:?}");
    let whole = folder(&[("postward.toml", SERVES)]);
    assert!(try_load(whole.path()).unwrap().ready_to_serve().is_ok());
}

#[test]
fn without_a_file_everything_is_embedded() {
    let loaded = load(None).unwrap();
    assert!(
        loaded.config.listeners.is_empty()
            && !loaded.rules.rules.is_empty()
            && loaded.platforms.get("x").is_some()
    );
    assert_eq!(warned(&loaded), [] as [&str; 0]);
}

#[test]
fn rules_policy_and_platforms_are_read_beside_the_file() {
    let policy = include_str!("../../config/policy-strict.toml");
    let rule = "[[rule]]\nid = \"our-clinic\"\ncategory = \"location\"\nterms = { file = \"lists/clinics.txt\" }\nconfidence = \"medium\"\nwhy = \"B\"\nfinds = [\"seen at Cedar Crest today\"]\nignores = [\"cedar trees\", \"the crest\"]\n";
    let folder = folder(&[
        (
            "postward.toml",
            &format!("rules = [\"embedded\", \"rules.d\"]\npolicy = \"strict.toml\"\n{SERVES}"),
        ),
        ("strict.toml", policy),
        ("rules.d/20-clinics.toml", rule),
        ("rules.d/lists/clinics.txt", "Cedar Crest\n"),
        ("rules.d/notes.txt", "not a rule file"),
    ]);
    let loaded = try_load(folder.path()).unwrap();
    assert!(loaded.rules.rule("our-clinic").is_some());
    assert_eq!(loaded.policy.strictest(), Some(crate::policy::Action::Redact));
    let other =
        load_policy(&folder.path().join("strict.toml"), &loaded.rules, &loaded.platforms).unwrap();
    assert_eq!(other.hash(), loaded.policy.hash());
    assert!(
        load_policy(&folder.path().join("none.toml"), &loaded.rules, &loaded.platforms)
            .unwrap_err()[0]
            .message
            .contains("it does not exist")
    );
}

/// Each a way of getting it wrong: the whole text, the fault with its place, and a part of the remedy.
const FAULTS: &[(&str, &str, &str)] = &[
    ("policys = \"a\"", "1:1: the file has no key `policys`", "did you mean `policy`?"),
    (
        "rules = \"embedded\"",
        "1:9: `rules` must be a list of texts, not a text",
        "`rules = [\"embedded\"]`",
    ),
    ("rules = [\"embedded\", \"embedded\"]", "1:22: `embedded` is listed twice", "take one out"),
    (
        "[listener]\naddress = \"127.0.0.1:1\"",
        "1:1: `listener` must be a list of tables, not a table",
        "[[listener]]",
    ),
    ("[[listener]]\n", "1:1: [[listener]] has no `address`", "[::]:443"),
    (
        "[[listener]]\naddress = \"localhost:8443\"",
        "2:11: `localhost:8443` is no address and port",
        "write `127.0.0.1:8443`",
    ),
    ("[[listener]]\naddress = \":443\"", "2:11: `:443` is no address and port", "write `[::]:443`"),
    (
        "[[listener]]\naddress = \"127.0.0.1\"",
        "2:11: `127.0.0.1` is no address and port",
        "add the port: `127.0.0.1:443`",
    ),
    (
        "[[listener]]\naddress = \"::1\"",
        "2:11: `::1` is no address and port",
        "add the port: `[::1]:443`",
    ),
    (
        "[[listener]]\naddress = \"[::]:80\"",
        "2:11: without `tls`, [::]:80 would carry posts in the clear",
        "127.0.0.1",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\n[[listener]]\naddress = \"127.0.0.1:1\"",
        "4:11: 127.0.0.1:1 is listened on already",
        "take one",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\" }",
        "3:7: `tls` has no `ca-key`",
        "ca-key = \"ca.key\"",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca-key = \"there.pem\" }",
        "3:7: `tls` has no `ca`",
        "ca = \"ca.pem\"",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { certificate = \"there.pem\" }",
        "3:7: `tls` has no `key`",
        "key = \"edge.key\"",
    ),
    ("[[listener]]\naddress = \"[::]:443\"\ntls = { }", "3:7: `tls` says nothing", "ca.pem"),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\", ca-key = \"there.pem\", key = \"there.pem\" }",
        "3:7: `tls` has both a CA and a certificate of its own",
        "or",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\", ca-key = \"gone.key\" }",
        "3:36: there is no key ",
        "postward ca init",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { cert = \"there.pem\", certificate = \"there.pem\", key = \"there.pem\" }",
        "3:9: [tls] has no key `cert`",
        "use one of `ca`, `ca-key`, `certificate`, `key`, `clients`",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = true",
        "3:7: `tls` must be a table, not true or false",
        "[tls]",
    ),
    (
        "[[route]]\nhosts = [\"A.example\"]\nplatform = \"x\"",
        "2:10: `A.example`: a route's host is written in lower case",
        "write `a.example`",
    ),
    (
        "[[route]]\nhosts = [\"a.example:443\"]\nplatform = \"x\"",
        "2:10: `a.example:443`: a route's host has no port",
        "write `a.example`",
    ),
    (
        "[[route]]\nhosts = [\"a.example\"]\nplatform = \"mastodo\"",
        "3:12: there is no platform `mastodo`",
        "did you mean `mastodon`?",
    ),
    ("[[route]]\nhosts = [\"a.example\"]", "1:1: [[route]] has no `platform`", "generic"),
    (
        "[[route]]\nplatform = \"generic\"",
        "1:1: [[route]] has no `hosts`, and the platform generic lists none",
        "hosts = ",
    ),
    (
        "[[route]]\nhosts = [\"a.example\", \"a.example\"]\nplatform = \"x\"",
        "2:23: `a.example` is routed to x already",
        "one [[route]]",
    ),
    (
        "[[route]]\nplatform = \"x\"\n[[route]]\nhosts = [\"api.x.com\"]\nplatform = \"generic\"",
        "4:10: `api.x.com` is routed to x already",
        "one [[route]]",
    ),
    (
        "[[route]]\nhosts = [\"a.example\"]\nplatform = \"x\"\nupstream = \"http://10.0.0.9:3000\"",
        "4:12: posts would go to 10.0.0.9 in the clear",
        "allow-plain-http",
    ),
    (
        "[[route]]\nhosts = [\"a.example\"]\nplatform = \"x\"\nupstream = \"a.example\"",
        "4:12: an upstream needs its scheme",
        "https://host",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:8080\"\n[[route]]\nhosts = [\"a.example\"]\nplatform = \"x\"\nupstream = \"http://localhost:8080\"",
        "6:12: this upstream is a [[listener]] of this very proxy, so posts would go in circles",
        "own address",
    ),
    (
        "[upstream]\nresolver = [\"dns.example\"]",
        "2:13: `dns.example` is no address of a DNS server",
        "192.0.2.53",
    ),
    ("[upstream]\nextra-roots = \"gone.pem\"", "2:15: there is no file ", "PEM"),
    ("[upstream]\ncrls = [\"gone.crl\"]", "2:9: there is no file or folder ", "PEM or DER"),
    (
        "[upstream]\nunknown-revocation = \"refuse\"",
        "2:22: without lists of revoked certificates, every platform would be refused",
        "crls = ",
    ),
    (
        "[upstream]\nunknown-revocation = \"deny\"",
        "2:22: `unknown-revocation` cannot be `deny`",
        "refuse",
    ),
    (
        "[upstream]\nallow-private = [\"10.0.0.0/8\"]",
        "2:18: `10.0.0.0/8` is no IP address",
        "10.0.5.9",
    ),
    (
        "[admin]\naddress = \"0.0.0.0:9464\"",
        "2:11: 0.0.0.0:9464 can be reached from other machines, and it asks nobody who they are",
        "allow-remote",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\n[admin]\naddress = \"127.0.0.1:1\"",
        "4:11: 127.0.0.1:1 is a [[listener]]'s address",
        "own port",
    ),
    ("[log]\nlevel = \"loud\"", "2:9: `level` cannot be `loud`", ""),
    ("[log]\nformat = \"xml\"", "2:10: `format` cannot be `xml`", ""),
    ("[traces]\none-in = 1", "1:1: [traces] has no `endpoint`", "http://127.0.0.1:4318"),
    (
        "[traces]\nendpoint = \"https://otel.example\"",
        "2:12: traces are sent over http alone",
        "a collector on this machine",
    ),
    (
        "[traces]\nendpoint = \"http://otel.example:4318\"",
        "2:12: traces would go to otel.example in the clear",
        "allow-plain-http = true",
    ),
    ("[traces]\nendpoint = \"127.0.0.1:4318\"", "2:12: a collector needs its scheme", "4318"),
    (
        "[traces]\nendpoint = \"http://127.0.0.1:4318\"\none-in = 0",
        "3:10: `one-in` is out of bounds",
        "from 1 to 1000000",
    ),
    ("[audit]\nfile = \"no/such/audit.jsonl\"", "2:8: there is no folder ", "make it"),
    ("[audit]\nfile = \".\"", "2:8: ", "name a file in it"),
    (
        "sandbox = false\nrequire-sandbox = true",
        "2:19: the sandbox is required and turned off",
        "take out one of",
    ),
    ("[audit]\nrotate = \"hour\"", "2:10: `rotate` cannot be `hour`", "`day`"),
    ("[audit]\nkeep = \"6 days\"", "2:8: `keep` is no amount that can be used", "months"),
    ("[audit]\nrotate-size = 10", "2:15: `rotate-size` is no amount", "1 MiB"),
    ("[[audit.sink]]\nkind = \"syslog\"", "1:1: ", "address = \"siem.example.org:6514\""),
    (
        "[[audit.sink]]\nkind = \"syslog\"\naddress = \"siem:0\"",
        "3:11: `siem:0` is no name and port",
        "siem.example.org:6514",
    ),
    (
        "[[audit.sink]]\nkind = \"syslog\"\naddress = \"siem:514\"\ntls = false",
        "4:7: without TLS, who posted what when",
        "allow-plain",
    ),
    (
        "[[audit.sink]]\nkind = \"syslog\"\naddress = \"siem\"\nformat = \"leef\"",
        "4:10: `format` cannot be `leef`",
        "`cef`",
    ),
    ("[audit]\nsync = \"always\"", "2:8: `sync` cannot be `always`", "use one of `none`, `group`"),
    ("[audit]\nnode = \"edge 1\"", "2:8: this cannot be a node's name", "edge-1"),
    (
        "[limits]\nmax-body = \"16 megabytes\"",
        "2:12: `max-body` is no amount that can be used",
        "KiB",
    ),
    ("[limits]\nmax-boddy = 1", "2:1: [limits] has no key `max-boddy`", "did you mean `max-body`?"),
    (
        "[limits]\ninspect-memory = \"100 MiB\"",
        "2:18: `inspect-memory` is too little for one body of `max-body`",
        "write `inspect-memory = \"342 MiB\"` or more, or lower `max-body`",
    ),
    ("[limits]\ninspect-share = 0", "2:17: `inspect-share` is out of bounds", "from 1 to 100"),
    ("[limits]\nmax-ratio = 1", "2:13: `max-ratio` is out of bounds", "from 10 to 100000"),
    ("[limits]\nmax-depth = 100000", "2:13: `max-depth` is out of bounds", "from 8 to 1024"),
    ("[timeouts]\nbody = 0", "2:8: `body` is no amount that can be used", "\"10 ms\" to \"24 h\""),
    ("[timeouts]\nbody = 1.5", "2:8: `body` is no amount that can be used", "whole number"),
    ("[audit]\n", "1:1: there is no [[listener]], so nothing could be served", "[[listener]]"),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"",
        "1:1: there is no [[route]], so every request would be refused",
        "[[route]]",
    ),
    ("[[listener]\n", "1:", "each line is"),
    ("[[audit.sink]]\nfile = \"a.db\"", "1:1: [[sink]] has no `kind`", "kind = \"sqlite\""),
    ("[[audit.sink]]\nkind = \"mysql\"", "2:8: ", "postgres"),
    ("[[audit.sink]]\nkind = \"sqlite\"", "1:1: [[sink]] has no `file`", "audit.db"),
    (
        "[[audit.sink]]\nkind = \"sqlite\"\nfile = \"none/a.db\"",
        "3:8: there is no folder",
        "make it",
    ),
    (
        "[[audit.sink]]\nkind = \"sqlite\"\nfile = \"a.db\"\n[[audit.sink]]\nkind = \"sqlite\"\nfile = \"b.db\"",
        "4:1: another [[audit.sink]] is called `sqlite`",
        "name = ",
    ),
    (
        "[[audit.sink]]\nkind = \"sqlite\"\nfile = \"a.db\"\nurl = \"x\"",
        "4:1: [[sink]] has no key `url`",
        "",
    ),
    ("[audit]\nspool = \"1 KiB\"", "2:9: `spool` is no amount that can be used", "64 KiB"),
    (
        "[audit]\nonly-spool = true",
        "2:14: without a sink, nothing would keep the audit",
        "[[audit.sink]]",
    ),
    (
        "[[audit.sink]]\nkind = \"postgres\"\nurl = \"postgres://p:invented@db.example.org/a\"",
        "1:1: `url`: it holds the password",
        "password-file",
    ),
    (
        "[[audit.sink]]\nkind = \"postgres\"\nurl = \"postgres://p@db.example.org/a\"\ntls = false",
        "4:7: without TLS, the audit and the password would cross the network",
        "allow-plain",
    ),
    (
        "[[audit.sink]]\nkind = \"postgres\"\nurl = \"postgres://p@db.example.org/a\"\nschema = \"A b\"",
        "4:10: this cannot be the name of a schema",
        "small letters",
    ),
    (
        "[[audit.sink]]\nkind = \"postgres\"\nurl = \"postgres://p@db.example.org/a\"\nkey = \"there.pem\"",
        "1:1: to sign in by certificate takes both",
        "both",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\", ca-key = \"there.pem\", clients = { required = true } }",
        "3:59: [clients] has no `roots`",
        "staff-ca.pem",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\", ca-key = \"there.pem\", clients = { roots = \"absent.pem\" } }",
        "3:69: there is no file",
        "PEM",
    ),
    (
        "[[listener]]\naddress = \"[::]:443\"\ntls = { ca = \"there.pem\", ca-key = \"there.pem\", clients = { roots = \"there.pem\", unknown-revocation = \"allow\" } }",
        "3:103: `unknown-revocation` says nothing without lists",
        "staff.crl",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nproxy-protocol = { }",
        "3:18: [proxy-protocol] has no `from`",
        "10.0.0.5",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nproxy-protocol = { from = [\"0.0.0.0/0\"] }",
        "3:28: from everybody, any client could say who it is",
        "load balancers",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nproxy-protocol = { from = [\"lb.example\"] }",
        "3:28: `lb.example` is no network",
        "10.20.0.0/24",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { from = [\"10.0.0.5\"] }",
        "3:12: `identity` names no header",
        "X-Remote-User",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { header = \"X-Remote-User\" }",
        "3:12: [identity] has no `from`",
        "10.0.0.5",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { from = [\"10.0.0.5\"], header = \"Authorization\" }",
        "3:44: `Authorization` says something else than who sent a request",
        "X-Remote-User",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { from = [\"10.0.0.5\"], header = \"X-Forwarded-For\" }",
        "3:44: `X-Forwarded-For` says something else than who sent a request",
        "forwarded-for = 1",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { from = [\"10.0.0.5\"], header = \"X_Remote_User\" }",
        "3:44: `X_Remote_User` is no name of a header",
        "hyphens",
    ),
    (
        "[[listener]]\naddress = \"127.0.0.1:1\"\nidentity = { from = [\"10.0.0.5\"], forwarded-for = 0 }",
        "3:51: `forwarded-for` is out of bounds",
        "from 1 to 16",
    ),
    ("[audit]\nidentity = \"hash\"", "2:12: `identity` cannot be `hash`", ""),
    (
        "[audit]\nidentity = \"keyed-hash\"",
        "2:12: a keyed hash needs a key",
        "openssl rand -hex 32",
    ),
    ("[audit]\nkey-file = \"there.pem\"", "2:12: nothing is hashed with this key", "keyed-hash"),
    (
        "[audit]\naddress = \"keyed-hash\"\nkey-file = \"absent.key\"",
        "3:12: the key",
        "openssl rand -hex 32",
    ),
    ("[audit]\naddress = \"keyed-hash\"\nkey-file = \"there.pem\"", "3:12: the key", ""),
];

#[test]
fn every_way_of_getting_it_wrong_has_its_line_and_remedy() {
    let folder = folder(&[("there.pem", "")]);
    for (text, want, help) in FAULTS {
        let (_, faults) = read(text, folder.path());
        assert_eq!(
            faults.len(),
            1,
            "{text}: {}",
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        );
        let said = faults[0].to_string();
        assert!(said.starts_with(&format!("postward.toml:{want}")), "{text}: {said}");
        let remedy = faults[0].help.clone().unwrap_or_default();
        assert!(remedy.contains(help), "{text}: {said}: {remedy}");
        assert_eq!(faults[0].severity, Severity::Error, "{text}");
    }
}

#[test]
fn no_fault_shows_the_password_of_a_database() {
    let folder = folder(&[]);
    for sink in [
        "url = \"postgres://postward:S3cretPw@db.example.org/audit\"",
        "url = \"postgres://postward@db.example.org/audit?password=S3cretPw\"",
        "url = \"postgres://post ward:S3cretPw@db.example.org:x/audit\"",
        "url = \"postward:S3cretPw@db.example.org/audit\"",
        "url = \"host=db.example.org user=postward password='S3cretPw'\"",
        "url = \"postgres://postward:S3cretPw@db.example.org/audit",
        "url = \"postgres://postward@db.example.org/audit\"\npassword = \"S3cretPw\"",
        "uri = \"postgres://postward:S3cretPw@db.example.org/audit\"",
    ] {
        let text = format!("{SERVES}[[audit.sink]]\nkind = \"postgres\"\n{sink}\n");
        let inline = sink.replace('\n', ", ");
        let inline =
            format!("audit = {{ sink = [{{ kind = \"postgres\", {inline} }}] }}\n{SERVES}");
        for text in [text, inline] {
            // What `check` and `serve` write, and `/status` shows after a reload.
            let (_, faults) = read(&text, folder.path());
            assert!(!faults.is_empty(), "{text}");
            let drawn = draw_all(&faults);
            assert!(!drawn.contains("S3cretPw"), "{drawn}");
            assert!(drawn.contains("postward.toml:"), "{drawn}");
        }
    }
}

#[test]
fn what_is_odd_but_usable_is_a_warning() {
    let folder = folder(&[]);
    for (text, want) in [
        ("policy = \"p.toml\"".to_owned(), "there is no [[listener]]: this is enough"),
        (
            format!("{SERVES}[limits]\nmax-body = \"32 MiB\""),
            "`max-decoded` is less than `max-body`",
        ),
        (format!("{SERVES}[limits]\nmax-media = \"1 MiB\""), "`max-media` is less than `max-body`"),
        (format!("{SERVES}[audit]\nfile = \"/audit.jsonl\""), "the audit stands right in /, so"),
        (format!("{SERVES}[audit]\nfile = \"/var/x.jsonl\""), "the audit stands right in /var, so"),
    ] {
        let (_, faults) = read(&text, folder.path());
        assert_eq!(faults.len(), 1, "{text}");
        assert!(
            faults[0].severity == Severity::Warning && faults[0].message.contains(want),
            "{text}: {}",
            faults[0]
        );
    }
}

#[test]
fn amounts_have_units() {
    let folder = folder(&[]);
    let (config, faults) = read(
        &format!(
            "{SERVES}[limits]\nmax-body = 4096\nmax-media = \"2 GiB\"\n[timeouts]\nbody = 5\nidle = \"250 ms\"\nanswer = \"2min\"\n"
        ),
        folder.path(),
    );
    assert_eq!(faults, []);
    let config = config.unwrap();
    assert_eq!((config.max_body, config.max_media), (4096, 2 << 30));
    assert_eq!(
        (config.timeouts.body, config.timeouts.idle, config.timeouts.answer),
        (Duration::from_secs(5), Duration::from_millis(250), Duration::from_secs(120))
    );
}

#[test]
fn files_that_cannot_be_read_are_named_where_they_are_named() {
    for (files, want) in [
        (
            &[][..],
            "postward.toml: the configuration cannot be read: it does not exist | mend the path, or write a configuration to start from with `postward init DIR`",
        ),
        (
            &[("postward.toml", "rules = [\"rules.d\"]\n")],
            "postward.toml:1:10: `rules` names rules.d: it does not exist | name a folder or a file, or \"embedded\"",
        ),
        (
            &[("postward.toml", "policy = \"p.toml\"\n")],
            "postward.toml:1:10: the policy p.toml cannot be read: it does not exist | mend the path",
        ),
        (
            &[("postward.toml", "platforms = \"p\"\n")],
            "postward.toml:1:13: `platforms` names p: it does not exist | name a folder",
        ),
        (
            &[("postward.toml", "policy = \"p.toml\"\n"), ("p.toml", "mode = 1\n")],
            "p.toml:1:1: no clause for everybody names the categories",
        ),
        (
            &[("postward.toml", "rules = [\"r\"]\n"), ("r/a.toml", "[[rule]]\nidd = \"a\"\n")],
            "r/a.toml:",
        ),
        (&[("postward.toml", "platforms = \"p\"\n"), ("p/a.toml", "hosts = 3\n")], "p/a.toml"),
    ] {
        let folder = folder(files);
        let faults = try_load(folder.path()).err().unwrap_or_else(|| panic!("{files:?}"));
        assert!(faults.iter().any(|fault| fault.starts_with(want)), "{files:?}: {faults:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("postward.toml"), b"# caf\xe9\n").unwrap();
    let faults = try_load(folder.path()).unwrap_err();
    assert!(faults[0].contains("it is not UTF-8 text (byte 5 is not)"), "{faults:?}");
}

#[test]
fn the_faults_of_all_files_come_at_once() {
    let folder = folder(&[
        (
            "postward.toml",
            &format!(
                "rules = [\"embedded\", \"r.toml\"]\npolicy = \"p.toml\"\nplatforms = \"f.toml\"\n{SERVES}limit = 1\n"
            ),
        ),
        ("r.toml", "[[rule]]\nidd = \"a\"\n"),
        ("p.toml", "mode = \"off\"\n"),
        ("f.toml", "host = 1\n"),
    ]);
    let faults = try_load(folder.path()).unwrap_err();
    for file in ["postward.toml:", "r.toml:", "p.toml:", "f.toml"] {
        assert!(faults.iter().any(|fault| fault.starts_with(file)), "{file}: {faults:#?}");
    }
    assert!(faults[0].starts_with("postward.toml:"), "{faults:#?}");
}

#[test]
fn examples_of_ones_own_rules_must_hold_and_shipped_ones_may_be_excepted() {
    let rule = "[[rule]]\nid = \"our-badge\"\ncategory = \"other-id\"\npattern = 'badge (?P<id>[0-9]{4})'\nconfidence = \"high\"\nwhy = \"R\"\nfinds = [\"badge 12x\"]\nignores = [\"badge\", \"1234\"]\n";
    let except = "[[except]]\nid = \"our-numbers\"\nrules = [\"us-ssn\"]\npattern = '219-09-9999'\nwhy = \"ours\"\npasses = [\"it was 219-09-9999 on the form\"]\nstill-finds = [\"her ssn is 987-65-4321\"]\n";
    let main = format!("rules = [\"embedded\", \"r.toml\"]\n{SERVES}");
    let own = folder(&[("postward.toml", &main), ("r.toml", rule)]);
    let faults = try_load(own.path()).unwrap_err();
    assert!(faults.iter().any(|fault| fault.starts_with("r.toml:7:")), "{faults:#?}");
    let excepted = folder(&[("postward.toml", &main), ("r.toml", except)]);
    let loaded = try_load(excepted.path()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(loaded.warnings.iter().any(|warning| warning.source.name == "embedded:rules/ssn.toml"));
}

#[test]
fn an_expired_exception_is_a_warning() {
    let policy = format!(
        "{}\n[[exception]]\nname = \"e\"\ncategories = [\"phone\"]\nreason = \"r\"\nexpires = 2020-01-01\n",
        include_str!("../../config/policy-strict.toml")
    );
    let folder = folder(&[
        ("postward.toml", &format!("policy = \"p.toml\"\n{SERVES}")),
        ("p.toml", &policy),
    ]);
    let loaded = try_load(folder.path()).unwrap();
    assert_eq!(warned(&loaded), ["exception `e` is over, so it excuses nothing any more"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(text in "(\\PC|\n){0,200}") {
        let _ = read(&text, Path::new("/"));
    }

    #[test]
    fn no_mangled_configuration_panics(cut in 0usize..6000, insert in "(\\[|\\]|\"|=|\\.|\n|a|1|\\{|\u{e9}){0,6}") {
        let at = cut.min(SHIPPED.len());
        let at = (0..=at).rev().find(|at| SHIPPED.is_char_boundary(*at)).unwrap_or(0);
        let source = Arc::new(format!("{}{insert}{}", SHIPPED.get(..at).unwrap(), SHIPPED.get(at..).unwrap()));
        let _ = read(&source, Path::new("/"));
    }
}
