//! From a configuration to a running proxy, and its end.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::admin::{self, Bound, Listening, Reloaded};
use crate::app::activation::{self, ActivationError};
use crate::app::dumps::forbid_dumps;
use crate::app::handover::{self, HandoverError, Leaving, Predecessor, TalkError};
use crate::app::notify::Notifier;
use crate::app::observed::Observed;
use crate::app::proved::chain;
use crate::app::pulse;
use crate::app::reload::{Operators, Reloader};
use crate::app::standing::{InForce, Standing, Trigger};
use crate::audit::{Audit, AuditError};
use crate::config::{self, Loaded};
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
    /// Whom it takes over from.
    pub(crate) before: Option<Before>,
    /// Whether the next process may take over.
    pub asks_next: bool,
}

/// The process that is to let go.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) leaving: Leaving,
    pub(crate) next: std::os::unix::net::UnixListener,
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
    /// Taking over from another process.
    #[error("cannot take over")]
    Handover(#[from] HandoverError),
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
            Self::Handover(fault) => Some(fault.remedy()),
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
    /// Over when another process serves in this one's place.
    given_away: Option<JoinHandle<()>>,
    /// Whether what the next process asks by may be another one's already.
    let_go: Arc<AtomicBool>,
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

    /// Over when another process serves in this one's place.
    async fn is_given_away(&mut self) {
        if let Some(given_away) = &mut self.given_away {
            let ended = given_away.await;
            self.given_away = None;
            // One that panicked gave nothing away.
            if ended.is_ok() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// The end behind another process: what is under way has as long as it ever has, and who is idle keeps its connection
    /// until it sends one more request, for as long.
    async fn depart(self, hurry: impl Future<Output = ()>) {
        let limit = self.reloader.server.drain_limit();
        self.shutdown_unless(limit, hurry).await;
    }

    /// The same, but who is idle may send one more request until `farewell` is over, and what is in flight is cut off once
    /// `hurry` is there.
    async fn shutdown_unless(self, farewell: Duration, hurry: impl Future<Output = ()>) {
        self.waiting.abort();
        if let Some(given_away) = &self.given_away
            && !given_away.is_finished()
        {
            given_away.abort();
            // One that is left lying is removed by the next process that holds the audit.
            if !self.let_go.load(Relaxed) {
                forget(&self.reloader.audit_settings().file);
            }
        }
        self.reloader.observed.stop();
        self.reloader.notifier.stopping("stopping: posts under way are finished");
        let mut hurry = std::pin::pin!(hurry);
        let mut is_hurried = false;
        if !farewell.is_zero() {
            is_hurried = tokio::select! {
                () = self.reloader.server.leave(tokio::time::sleep(farewell)) => false,
                () = &mut hurry => true,
            };
        }
        let limit = self.reloader.server.drain_limit();
        let deadline = async {
            if is_hurried {
                return;
            }
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

/// The same, with sockets that are bound already, and in the place of another process.
pub(crate) async fn start_with(
    loaded: Loaded,
    options: Options,
    mut arrival: Arrival,
) -> Result<Running, StartError> {
    let mut before = arrival.before.take();
    let started = begin(&loaded, &options, &mut arrival, before.as_mut()).await;
    let (reloader, is_heard) = match (started, &mut before) {
        (Ok(started), _) => started,
        (Err(fault), None) => return Err(fault),
        (Err(fault), Some(before)) => {
            before.leaving.failed(chain(&fault)).await;
            return Err(fault);
        }
    };
    let took_over = before.is_some();
    let next = match before {
        Some(Before { leaving, next }) => {
            // Who holds the audit serves: the other one yields, whether it hears this or not.
            if is_heard {
                match leaving.serving().await {
                    Ok(stream) => {
                        let (guest, audit) = (reloader.server.guest(), reloader.audit.clone());
                        tokio::spawn(guest.run(async move { audit.take_in(stream).await }));
                    }
                    Err(fault) => unheard(&fault),
                }
            }
            if arrival.asks_next {
                Some(next)
            } else {
                forget(&loaded.config.audit.file);
                None
            }
        }
        None if arrival.asks_next => listen_for_next(&loaded),
        None => None,
    };
    let next = next.and_then(|next| {
        next.set_nonblocking(true).ok()?;
        UnixListener::from_std(next).ok()
    });
    let let_go = Arc::new(AtomicBool::new(false));
    let given_away = next.map(|next| {
        let (reloader, let_go) = (Arc::clone(&reloader), Arc::clone(&let_go));
        tokio::spawn(async move { handover::given_away(&reloader, &next, &let_go).await })
    });
    let waiting = tokio::spawn(Arc::clone(&reloader).run());
    let running = Running { reloader, waiting, given_away, let_go };
    tokio::spawn(pulse::tell(Arc::clone(&running.reloader)));
    tracing::info!(
        listening = ?running.addresses(), admin = running.admin().map(tracing::field::display),
        audit_head = %running.audit().head(), took_over, "ready"
    );
    Ok(running)
}

/// The process before went silent when this one held the audit already: it cannot have it back, and yields.
fn unheard(fault: &HandoverError) {
    tracing::error!(
        why = chain(fault),
        "the process before does not answer: this one serves, and what that one's last posts have to say is lost"
    );
}

/// Removes what the next process would ask by.
fn forget(audit: &Path) {
    let _ = std::fs::remove_file(handover::socket_of(audit));
}

/// Puts everything together, and begins to accept once nobody else holds the audit. Says also whether the process before is
/// to be told so.
async fn begin(
    loaded: &Loaded,
    options: &Options,
    arrival: &mut Arrival,
    before: Option<&mut Before>,
) -> Result<(Arc<Reloader>, bool), StartError> {
    let (audit, opening) = Audit::awaited();
    let settings = loaded.config.audit.clone();
    let given = std::mem::take(&mut arrival.given);
    let prepare = || Server::prepare(loaded, &audit, options.authority.as_ref(), given);
    let admin = loaded.config.admin.as_ref();
    let mut is_heard = true;
    let (server, operators) = match before {
        None => {
            opening.open(settings)?;
            (prepare()?, bound(admin, arrival.admin.take()).await?)
        }
        Some(before) => {
            // Whatever may fail comes first: from then on clients wait.
            let parts = (prepare()?, bound(admin, arrival.admin.take()).await?);
            before.leaving.let_go().await?;
            opening.open(settings)?;
            match before.leaving.opened().await {
                Err(fault @ HandoverError::Talk(TalkError::Silent(_))) => {
                    unheard(&fault);
                    is_heard = false;
                }
                told => told?,
            }
            parts
        }
    };
    let standing = Standing::new(InForce::of(loaded, Trigger::Start));
    let observed = Observed::new(standing, Arc::clone(server.metrics()), audit.clone());
    server.open();
    let notifier = arrival.notifier.clone();
    let reloader = Arc::new(Reloader::new(loaded, server, audit, observed, notifier));
    let listening =
        operators.map(|bound| bound.serve(Arc::clone(&reloader) as Arc<dyn admin::Source>));
    *reloader.operators() = Operators { configured: loaded.config.admin.clone(), listening };
    Ok((reloader, is_heard))
}

/// The operators' socket, the given one if there is one.
async fn bound(
    wanted: Option<&config::Admin>,
    given: Option<std::net::TcpListener>,
) -> Result<Option<Bound>, StartError> {
    let Some(config::Admin { address }) = wanted else { return Ok(None) };
    let bound = match given {
        Some(given) => Bound::given(given),
        None => Bound::to(*address).await,
    };
    bound.map(Some).map_err(|source| StartError::Admin { address: *address, source })
}

/// Where the next process will ask. Without it this one serves all the same.
fn listen_for_next(loaded: &Loaded) -> Option<std::os::unix::net::UnixListener> {
    match handover::listen(&loaded.config.audit.file) {
        Ok(next) => Some(next),
        Err(error) => {
            tracing::warn!(
                %error,
                help = "an upgrade takes a restart; `handover = false` says that this is meant",
                "no other process can take over from this one"
            );
            None
        }
    }
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
pub fn serve(
    loaded: Loaded,
    hang_ups: HangUps,
    predecessor: Option<Predecessor>,
) -> Result<(), StartError> {
    // One more than there are processors: the one that never inspects, and so is always there to move bytes.
    let n_threads = std::thread::available_parallelism().map_or(2, |n| n.get() + 1);
    let (mut given, mut admin) = activation::passed(&loaded.config)?;
    let predecessor = predecessor.map(Predecessor::into_parts);
    let stream = predecessor.map(|(stream, theirs, of_operators, next)| {
        // Those of systemd come first: they outlive this process.
        given.extend(theirs);
        let wanted = loaded.config.admin.as_ref().map(|admin| admin.address);
        let of_operators = of_operators.filter(|(address, _)| Some(*address) == wanted);
        admin = admin.take().or(of_operators.map(|(_, socket)| socket));
        (stream, next)
    });
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
        let before = stream.map(|(stream, next)| {
            Ok::<_, StartError>(Before { leaving: Predecessor::enter(stream)?, next })
        });
        let (before, asks_next) = (before.transpose()?, loaded.config.handover);
        let arrival = Arrival { given, admin, notifier, before, asks_next };
        let mut running = start_with(loaded, Options::default(), arrival).await?;
        let is_given_away = loop {
            tokio::select! {
                _ = terminate.recv() => break false,
                _ = interrupt.recv() => break false,
                _ = hang_up.recv() => running.reloader.hang_up(),
                () = running.is_given_away() => break true,
            }
        };
        tracing::info!("stopping");
        let again = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        if is_given_away {
            running.depart(again).await;
        } else {
            let farewell = running.reloader.server.farewell();
            running.shutdown_unless(farewell, again).await;
        }
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WORDS);
    ended
}
