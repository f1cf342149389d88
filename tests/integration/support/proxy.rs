//! The proxy under test: the shipped rules and platforms, a policy, and the real start and stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use postward::app::{self, Options, Running};
use postward::audit::{self, AuditSettings};
use postward::body::Limits;
use postward::config::{
    Admin, Config, Listener, Loaded, Route, Timeouts, TlsIdentity, UpstreamAddress, WebSocket, Who,
};
use postward::detect::Engine;
use postward::diagnostic::Source;
use postward::inspect::Inspector;
use postward::platform::Platforms;
use postward::policy::Policy;
use postward::proxy::tls::Authority;
use postward::rules::RuleSet;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Upstream;

/// The host that tests post to.
pub(crate) const HOST: &str = "mastodon.example";

/// A proxy to be started.
pub(crate) struct Proxy {
    policy: String,
    config: Config,
    rehearsal: Option<Fault>,
    scratch: TempDir,
}

/// Goes wrong in the middle of each inspection.
type Fault = Box<dyn Fn() + Send + Sync>;

/// A proxy that runs.
pub(crate) struct Started {
    pub(crate) running: Running,
    /// The listener with TLS.
    pub(crate) tls: SocketAddr,
    /// The listener without.
    pub(crate) plain: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) authority: Arc<Authority>,
    pub(crate) audit: PathBuf,
    _scratch: TempDir,
}

impl Proxy {
    /// A proxy with one Mastodon route to this upstream.
    pub(crate) fn to(upstream: &Upstream) -> Self {
        Self::with_routes(vec![route(&[HOST, "*.clinic.example"], upstream.address)])
    }

    /// A proxy with these routes.
    pub(crate) fn with_routes(routes: Vec<Route>) -> Self {
        let scratch = TempDir::new().unwrap();
        let tls = TlsIdentity::Ca { ca: "unused.pem".into(), ca_key: "unused.key".into() };
        let any = "127.0.0.1:0".parse().unwrap();
        let config = Config {
            listeners: vec![
                Listener { address: any, name: None, tls: Some(tls), who: Who::default() },
                Listener { address: any, name: None, tls: None, who: Who::default() },
            ],
            routes,
            upstream: postward::config::Upstream::default(),
            admin: Some(Admin { address: any }),
            audit: AuditSettings {
                sync: audit::Sync::None,
                ..AuditSettings::of(scratch.path().join("audit.jsonl"), "test")
            },
            max_body: 64 * 1024,
            max_media: 8 << 20,
            edge: postward::config::Edge::default(),
            body_limits: Limits::default(),
            timeouts: Timeouts::default(),
            sandbox: postward::config::Sandbox::default(),
            handover: false,
            reload: postward::config::Reload::default(),
            log: postward::config::Log::default(),
            traces: None,
        };
        Self { policy: Policy::embedded().to_owned(), config, rehearsal: None, scratch }
    }

    /// Changes the configuration.
    pub(crate) fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Has something go wrong in the middle of each inspection.
    pub(crate) fn rehearsing(self, fault: impl Fn() + Send + Sync + 'static) -> Self {
        Self { rehearsal: Some(Box::new(fault)), ..self }
    }

    /// Changes the shipped policy's text.
    pub(crate) fn policy(mut self, from: &str, to: &str) -> Self {
        assert!(self.policy.contains(from), "the shipped policy says {from}");
        self.policy = self.policy.replace(from, to);
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> Started {
        let audit = self.config.audit.file.clone();
        let authority = Arc::new(Authority::generate("Test CA", &[]).unwrap());
        let options = Options { authority: Some(Arc::clone(&authority)) };
        let mut loaded = loaded(self.config, &self.policy);
        if let Some(fault) = self.rehearsal {
            let inspector = Arc::into_inner(loaded.inspector).unwrap();
            loaded.inspector = Arc::new(inspector.rehearsing(fault));
        }
        let running = app::start(loaded, options).await.unwrap();
        let [tls, plain] = running.addresses()[..] else { panic!("two listeners") };
        let admin = running.admin().unwrap();
        Started { running, tls, plain, admin, authority, audit, _scratch: self.scratch }
    }
}

impl Started {
    /// Stops it and gives every line of its audit.
    pub(crate) async fn stop(self) -> Vec<Value> {
        self.stop_and_read(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        })
        .await
    }

    /// Stops it and has its audit file read, before the file goes.
    pub(crate) async fn stop_and_read<T>(self, read: impl FnOnce(&Path) -> T) -> T {
        self.running.shutdown().await;
        read(&self.audit)
    }
}

/// A route to an upstream without TLS.
pub(crate) fn route(hosts: &[&str], upstream: SocketAddr) -> Route {
    let address =
        UpstreamAddress { tls: false, host: upstream.ip().to_string(), port: upstream.port() };
    Route {
        hosts: hosts.iter().map(ToString::to_string).collect(),
        platform: "mastodon".into(),
        upstream: Some(address),
        websocket: WebSocket::Refuse,
    }
}

/// The shipped rules, compiled once for all tests.
fn engine() -> (Arc<RuleSet>, Arc<Engine>) {
    static ENGINE: OnceLock<(Arc<RuleSet>, Arc<Engine>)> = OnceLock::new();
    let (rules, engine) = ENGINE.get_or_init(|| {
        let rules = RuleSet::embedded();
        let engine = Arc::new(Engine::build(&rules).unwrap());
        (rules, engine)
    });
    (Arc::clone(rules), Arc::clone(engine))
}

fn loaded(config: Config, policy: &str) -> Loaded {
    let (rules, engine) = engine();
    let platforms = Arc::new(Platforms::embedded());
    let names: Vec<String> = platforms.iter().map(|platform| platform.id().to_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (policy, _) = Policy::parse(&Source::new("test.toml", policy), &rules, &names).unwrap();
    let policy = Arc::new(policy);
    let inspector =
        Inspector::new(Arc::clone(&engine), Arc::clone(&policy), config.body_limits.clone());
    Loaded {
        config,
        rules,
        engine,
        policy,
        platforms,
        inspector: Arc::new(inspector),
        roster: None,
        warnings: Vec::new(),
        file: None,
        seen: postward::config::Seen::default(),
    }
}
