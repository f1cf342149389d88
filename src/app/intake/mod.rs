//! `roster listen`: messages about admissions come in by MLLP, are in the journal before they are acknowledged, and are
//! shown to the readers of the roster within a fraction of a second.
//!
//! Three kinds of workers: a task for each connection, one thread that has messages kept (as many as wait are one write
//! and one sync), and one that shows what is new. Nothing grows with what senders do: each connection has one message
//! under way, and there are so many connections.

mod door;
mod mllp;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::app::dumps::forbid_dumps;
use crate::config::Sandbox;
use crate::proxy::tls::KeyFileError;
use crate::roster::{FollowError, Follower, Key, Taken};
use crate::sandbox::{self, Grants, SandboxError};

use door::Door;
pub use door::IntakeTls;
use mllp::Limits;

/// What is new is looked for so often.
const SHOWN: Duration = Duration::from_millis(200);
/// What cannot be shown is complained of so often.
const COMPLAINED: Duration = Duration::from_secs(60);
/// Messages that are kept by one write, at the most.
const GROUP: usize = 256;
/// How long connections have to end once they are asked to.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How messages come in.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The roster that is followed.
    pub roster: PathBuf,
    /// Where senders connect.
    pub address: SocketAddr,
    /// TLS, and who may connect by it; `None` is plain text.
    pub tls: Option<IntakeTls>,
    /// How long before the roster was built somebody may have been heard of last and still be kept, in hours.
    pub margin_hours: u32,
    /// The longest message, in bytes.
    pub most_bytes: usize,
    /// Connections at once.
    pub most_connections: usize,
    /// How long a message may take from its first byte to its last.
    pub message_limit: Duration,
    /// How long a connection may be silent.
    pub idle_limit: Duration,
    /// What is given up before anything is heard.
    pub sandbox: Sandbox,
}

/// Why nothing can be listened for.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The roster cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Certificate and key do not make a door.
    #[error("the certificate {} cannot be used with its key", path.display())]
    Certificate {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The sandbox is required and cannot be had.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The runtime or a thread cannot be made.
    #[error("cannot start")]
    Start(#[source] io::Error),
}

impl IntakeError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Follow(fault) => Some(fault.remedy().to_owned()),
            Self::Key(fault) => Some(fault.remedy()),
            Self::Certificate { .. } => Some(
                "name a PEM certificate with its chain, and the key that it was made for"
                    .to_owned(),
            ),
            Self::Sandbox(fault) => Some(fault.remedy()),
            Self::Listen { .. } => Some(
                "another program may listen there: name a free port of this machine".to_owned(),
            ),
            Self::Start(_) => None,
        }
    }
}

/// A message on its way into the journal, and who waits for its answer.
struct Waiting {
    message: Vec<u8>,
    answer: oneshot::Sender<Taken>,
}

/// Listens until SIGTERM or SIGINT. Everything that was acknowledged is kept and shown when this returns.
pub fn listen(intake: &Intake, key: Key) -> Result<(), IntakeError> {
    let door = Door::new(intake.tls.as_ref())?;
    if let Err(error) = forbid_dumps() {
        tracing::error!(%error, "core dumps cannot be turned off: a crash may write patients to disk");
    }
    let (follower, n_torn) = Follower::open(&intake.roster, key, intake.margin_hours)?;
    if n_torn > 0 {
        tracing::warn!(
            n_bytes = n_torn,
            "the journal's end was not whole: what stood there was never acknowledged"
        );
    }
    // Before any thread but this one: all others inherit it.
    let grants = Grants::of_follower(&intake.roster, intake.address.port());
    sandbox::enter_with(intake.sandbox, grants)?;
    follower.show(Timestamp::now())?;
    let follower = Arc::new(follower);
    let is_over = Arc::new(AtomicBool::new(false));
    let shower = {
        let (follower, is_over) = (Arc::clone(&follower), Arc::clone(&is_over));
        std::thread::Builder::new().name("show".into()).spawn(move || show(&follower, &is_over))
    };
    let shower = shower.map_err(IntakeError::Start)?;
    let (sender, receiver) = mpsc::channel(GROUP);
    let keeper = {
        let follower = Arc::clone(&follower);
        std::thread::Builder::new().name("keep".into()).spawn(move || keep(&follower, receiver))
    };
    let keeper = keeper.map_err(IntakeError::Start)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(IntakeError::Start)?;
    let heard = runtime.block_on(hear(intake, door, &sender, follower.n_patients()));
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(sender);
    // What they do is done when they end; a thread that panicked has said so.
    let _ = keeper.join();
    is_over.store(true, Ordering::Release);
    let _ = shower.join();
    tracing::info!(patients = follower.n_patients(), "stopped");
    heard
}

/// Has messages kept, as many at once as wait.
fn keep(follower: &Follower, mut receiver: mpsc::Receiver<Waiting>) {
    let mut is_failing = false;
    while let Some(first) = receiver.blocking_recv() {
        let mut waiting = vec![first];
        while waiting.len() < GROUP
            && let Ok(next) = receiver.try_recv()
        {
            waiting.push(next);
        }
        let (messages, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|it| (it.message, it.answer)).unzip();
        let taken = follower.take(&messages, Timestamp::now());
        let fails = taken.iter().any(|taken| matches!(taken, Taken::NotKept(_)));
        if fails && !is_failing {
            tracing::error!(
                "messages cannot be kept, and are refused until they can: is the disk of the roster full?"
            );
        } else if is_failing && !fails {
            tracing::info!("messages are kept again");
        }
        is_failing = fails;
        for (answer, taken) in answers.into_iter().zip(taken) {
            // Whoever is gone asks again.
            let _ = answer.send(taken);
        }
    }
}

/// Shows what is new until it is over, and once more then.
fn show(follower: &Follower, is_over: &AtomicBool) {
    let mut complained: Option<Instant> = None;
    loop {
        let ends = is_over.load(Ordering::Acquire);
        match follower.show(Timestamp::now()) {
            Ok(_) => complained = None,
            Err(fault) => {
                if complained.is_none_or(|at| at.elapsed() >= COMPLAINED) {
                    complained = Some(Instant::now());
                    let help = fault.remedy();
                    tracing::error!(%fault, help, "what is new cannot be shown to the roster's readers");
                }
            }
        }
        if ends {
            return;
        }
        std::thread::sleep(SHOWN);
    }
}

async fn hear(
    intake: &Intake,
    door: Door,
    sender: &mpsc::Sender<Waiting>,
    n_patients: usize,
) -> Result<(), IntakeError> {
    let address = intake.address;
    let unheard = |source| IntakeError::Listen { address, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(IntakeError::Start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(IntakeError::Start)?;
    // A file that grows over the process's limit is a full disk, and no reason to end.
    let _too_long = signal(SignalKind::from_raw(25)).map_err(IntakeError::Start)?;
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    tracing::info!(%address, tls = intake.tls.is_some(), patients = n_patients, "listening for messages about admissions");
    let limits =
        Limits { bytes: intake.most_bytes, message: intake.message_limit, idle: intake.idle_limit };
    let room = Arc::new(Semaphore::new(intake.most_connections));
    let (stop, stopped) = watch::channel(false);
    let door = Arc::new(door);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        let Ok((stream, client)) = accepted else {
            // Out of descriptors: those who are there leave some day.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            let address = client;
            tracing::warn!(%address, "there are as many connections as may be: this one is closed");
            continue;
        };
        let (door, sender, stopped) = (Arc::clone(&door), sender.clone(), stopped.clone());
        tokio::spawn(async move {
            let address = client;
            let end = door.welcome(stream, limits, sender, stopped).await;
            if let Err(reason) = end {
                tracing::warn!(%address, reason, "a sender's connection was closed");
            }
            drop(place);
        });
    }
    tracing::info!("stopping");
    drop(listener);
    let _ = stop.send(true);
    let all = u32::try_from(intake.most_connections).unwrap_or(u32::MAX);
    // Each ends with the message that it has begun.
    let _ = tokio::time::timeout(LAST_WORDS, room.acquire_many(all)).await;
    Ok(())
}
