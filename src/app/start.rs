//! From a configuration to a running proxy, and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::admin::{Listening, Reloaded};
use crate::app::activation::{self, ActivationError};
use crate::app::dumps::forbid_dumps;
use crate::app::notify::Notifier;
use crate::app::observed::Observed;
use crate::app::pulse;
use crate::app::reload::{Operators, Reloader};
use crate::app::standing::{InForce, Standing, Trigger};
use crate::audit::{Audit, AuditError};
use crate::config::Loaded;
use crate::proxy::tls::Authority;
use crate::proxy::{Given, Server, SetupError};
use crate::sandbox::{self, SandboxError};

/// What `start` takes beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A CA that lives in memory; it stands in for the files of every TLS listener (`demo`, tests).
    pub authority: Option<Arc<Authority>>,
}

/// What the proxy is given at its start, beside what it is configured for.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// Sockets of listeners.
    pub given: Vec<Given>,
    /// The operators' own.
    pub admin: Option<std::net::TcpListener>,
    /// Who is told how it stands.
    pub notifier: Notifier,
}

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The async runtime cannot be made.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The operators' address cannot be listened on.
    #[error("cannot listen on {address} for operators")]
    Admin {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The audit cannot be kept.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The data path cannot be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Sockets that systemd passed.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// The sandbox is required and cannot be had.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl StartError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Setup(fault) => fault.remedy(),
            Self::Sandbox(fault) => Some(fault.remedy()),
            Self::Activation(fault) => Some(fault.remedy()),
            Self::Admin { address, .. } => Some(format!("another program may listen on {address}: set [admin] address to a free one")),
            Self::Audit(_) => Some("make sure that the audit file's folder exists and that the user postward runs as can write it".to_owned()),
            Self::Runtime(_) => None,
        }
    }
}

/// A running proxy. Dropping it does not stop it; `shutdown` does.
#[derive(Debug)]
pub struct Running {
    reloader: Arc<Reloader>,
    /// Waits for changes of the files.
    waiting: JoinHandle<()>,
}

impl Running {
    /// The addresses of the listeners, in the order of the configuration, with the ports actually bound.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.reloader.server.addresses()
    }

    /// The operators' own address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.reloader.operators().listening.as_ref().map(Listening::address)
    }

    /// The audit being written.
    pub fn audit(&self) -> &Audit {
        &self.reloader.audit
    }

    /// Reads the files anew, as `POST /reload` does.
    pub async fn reload(&self) -> Reloaded {
        Arc::clone(&self.reloader).reload(Trigger::Request).await
    }

    /// Puts a configuration in force that was loaded elsewhere.
    pub async fn replace(&self, loaded: Loaded) -> Reloaded {
        Arc::clone(&self.reloader).replace(loaded).await
    }

    /// Stops accepting, lets requests in flight end within the drain deadline, and flushes the audit.
    pub async fn shutdown(self) {
        self.shutdown_unless(Duration::ZERO, std::future::pending()).await;
    }

    /// The same, but who is idle may send one more request until `farewell` is over, and what is in flight is cut off once
    /// `hurry` is there.
    async fn shutdown_unless(self, farewell: Duration, hurry: impl Future<Output = ()>) {
        self.waiting.abort();
        self.reloader.observed.stop();
        self.reloader.notifier.stopping("stopping: posts under way are finished");
        if !farewell.is_zero() {
            self.reloader.server.leave(tokio::time::sleep(farewell)).await;
        }
        let limit = self.reloader.server.drain_limit();
        let deadline = async {
            tokio::select! {
                () = tokio::time::sleep(limit) => {}
                () = hurry => {}
            }
        };
        if !self.reloader.server.stop(deadline).await {
            tracing::warn!("requests were cut off at the drain deadline, or by a second signal");
        }
        // A disk that never answers must not keep the process from ending; one that is slow has as long as requests had.
        let patience = limit.max(self.reloader.server.audit_limit());
        if timeout(patience, self.audit().close()).await.is_err() {
            tracing::error!("the audit did not end: its last lines may be missing");
        }
        tracing::info!(audit_head = %self.audit().head(), "stopped");
        self.reloader.operators().listening.take().into_iter().for_each(Listening::stop);
    }
}

/// Starts the proxy on the current tokio runtime. When this returns, it is ready.
pub async fn start(loaded: Loaded, options: Options) -> Result<Running, StartError> {
    start_with(loaded, options, Arrival::default()).await
}

/// The same, with sockets that are bound already.
pub(crate) async fn start_with(
    loaded: Loaded,
    options: Options,
    arrival: Arrival,
) -> Result<Running, StartError> {
    let Arrival { given, admin: given_admin, notifier } = arrival;
    let audit = Audit::open(loaded.config.audit.clone())?;
    let server = Server::start(&loaded, &audit, options.authority.as_ref(), given)?;
    let standing = Standing::new(InForce::of(&loaded, Trigger::Start));
    let observed = Observed::new(standing, Arc::clone(server.metrics()), audit.clone());
    let reloader = Arc::new(Reloader::new(&loaded, server, audit, observed, notifier.clone()));
    if let Some(admin) = &loaded.config.admin {
        let listening = Some(reloader.listen_on(admin, given_admin).await?);
        *reloader.operators() = Operators { configured: Some(admin.clone()), listening };
    }
    let waiting = tokio::spawn(Arc::clone(&reloader).run());
    let running = Running { reloader, waiting };
    tokio::spawn(pulse::tell(Arc::clone(&running.reloader)));
    tracing::info!(listening = ?running.addresses(), admin = running.admin().map(tracing::field::display), audit_head = %running.audit().head(), "ready");
    Ok(running)
}

/// Keeps SIGHUP from ending the process while its files are read, before there is a proxy that could read them anew. Those
/// that come meanwhile are heard then.
#[derive(Debug)]
pub struct HangUps(Signal);

impl HangUps {
    /// From now on none ends the process.
    pub fn catch() -> Result<Self, StartError> {
        of_this_thread(SignalKind::hangup()).map(Self)
    }
}

/// Keeps SIGINT from ending the process, for the rest of its life: what is under way is a matter of milliseconds.
#[derive(Debug)]
pub struct Interrupts(#[expect(dead_code, reason = "held, never heard")] Signal);

impl Interrupts {
    /// From now on none ends the process.
    pub fn hold_off() -> Result<Self, StartError> {
        of_this_thread(SignalKind::interrupt()).map(Self)
    }
}

/// Catches a signal without a thread of its own.
fn of_this_thread(kind: SignalKind) -> Result<Signal, StartError> {
    // Of this thread alone: no other may be there before the sandbox is.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let _inside = runtime.enter();
    signal(kind).map_err(StartError::Runtime)
}

/// SIGXFSZ on Linux and the BSDs.
const FILE_TOO_LONG: i32 = 25;

/// How long threads that are still busy get after everything has ended: an inspection without end must not keep the
/// process from ending.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the proxy until SIGTERM or SIGINT, and drains it; a second of them cuts off what is still in flight.
pub fn serve(loaded: Loaded, hang_ups: HangUps) -> Result<(), StartError> {
    // One more than there are processors: the one that never inspects, and so is always there to move bytes.
    let n_threads = std::thread::available_parallelism().map_or(2, |n| n.get() + 1);
    let (given, admin) = activation::passed(&loaded.config)?;
    let notifier = Notifier::of_environment();
    notifier.status("starting");
    // Before any thread but this one: those of the runtime inherit it.
    sandbox::enter(&loaded)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(n_threads)
        .enable_all()
        .thread_name("postward")
        .build()
        .map_err(StartError::Runtime)?;
    let ended = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Runtime)?;
        let HangUps(mut hang_up) = hang_ups;
        // Once more: a change of user or rights in between may have made the process dumpable again.
        match forbid_dumps() {
            Ok(()) => tracing::info!("core dumps are off"),
            Err(error) => tracing::error!(%error, "core dumps cannot be turned off: a crash may write posts to disk"),
        }
        // A file that grows over the process's limit is a full disk to us, and no reason to end.
        let _too_long = signal(SignalKind::from_raw(FILE_TOO_LONG)).map_err(StartError::Runtime)?;
        let arrival = Arrival { given, admin, notifier };
        let running = start_with(loaded, Options::default(), arrival).await?;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => running.reloader.hang_up(),
            }
        }
        tracing::info!("stopping");
        let again = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let farewell = running.reloader.server.farewell();
        running.shutdown_unless(farewell, again).await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WORDS);
    ended
}
