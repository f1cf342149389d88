//! The process that serves: it is asked for its sockets, lets go when the other one is ready, and takes everything back where
//! that one fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

use crate::admin;
use crate::app::handover::wire::{self, PROTOCOL, TalkError, Whose, Word};
use crate::app::handover::{HandoverError, reach};
use crate::app::proved::chain;
use crate::app::reload::Reloader;

/// How long a caller may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// How long the new process may take to become ready once it has the sockets. Nothing waits for it: this one serves, and
/// reads its files anew.
const READY: Duration = Duration::from_secs(300);

/// How long it may take over each step while nobody is accepted.
const STEP: Duration = Duration::from_secs(20);

/// How long listeners may take to hear, and the audit to let go of its file.
const HOLD: Duration = Duration::from_secs(10);

/// Waits until another process serves in this one's place. `let_go` says whether the audit's file was let go of: from then on
/// the listener may be the other one's.
pub(crate) async fn given_away(
    reloader: &Arc<Reloader>,
    listener: &UnixListener,
    let_go: &AtomicBool,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(200)).await;
            continue;
        };
        match give(reloader, listener, stream, let_go).await {
            Ok(()) => return,
            Err(error) => {
                let why = chain(&error);
                tracing::error!(
                    why,
                    "another process was to take over and did not: this one goes on"
                );
                reloader.notifier.status(&reloader.stands());
            }
        }
    }
}

async fn give(
    reloader: &Arc<Reloader>,
    listener: &UnixListener,
    mut stream: UnixStream,
    let_go: &AtomicBool,
) -> Result<(), HandoverError> {
    if !wire::is_ours(&stream) {
        return Err(HandoverError::Stranger);
    }
    let Word::Hello { protocol, version } = wire::hear(&mut stream, HELLO).await? else {
        return Err(TalkError::Strange.into());
    };
    if protocol != PROTOCOL {
        let why = "it was built for another way of handing over: restart it instead".to_owned();
        let _ = wire::say(&mut stream, &Word::Failed { why }).await;
        return Err(TalkError::Strange.into());
    }
    tracing::info!(version, "another process is to take over");
    let offered = reloader.offered();
    offer(reloader, listener, &mut stream).await?;
    wire::hear_plain(&mut stream, &Word::Ready, READY).await?;
    // No other set may come into force while this one is given away. Until here one may have: whoever only asks must not
    // keep a policy from being changed.
    let _unchanged = reloader.hold_still().await;
    if !offered.is_still(&reloader.offered()) {
        let why = "its configuration has changed meanwhile: try again".to_owned();
        let _ = wire::say(&mut stream, &Word::Failed { why }).await;
        return Err(HandoverError::Changed);
    }
    if !reloader.server.hold(true, HOLD).await {
        reloader.server.hold(false, HOLD).await;
        return Err(HandoverError::Busy);
    }
    let Some(released) = reloader.audit.release(reloader.audit_settings(), HOLD).await else {
        reloader.server.hold(false, HOLD).await;
        return Err(HandoverError::Busy);
    };
    let_go.store(true, Relaxed);
    if let Err(error) = agree(&mut stream).await {
        // It hears that by the end of the stream, and ends.
        drop(stream);
        return match released.back().await {
            Ok(()) => {
                let_go.store(false, Relaxed);
                reloader.server.hold(false, HOLD).await;
                Err(error)
            }
            // It holds the file, so it serves.
            Err(fault) => {
                tracing::error!(error = %fault, "the audit cannot be had back: another process holds it, and this one ends");
                Ok(())
            }
        };
    }
    released.to(stream);
    reloader.operators().listening.take().into_iter().for_each(admin::Listening::stop);
    tracing::info!("another process serves: posts under way are finished");
    Ok(())
}

async fn offer(
    reloader: &Arc<Reloader>,
    listener: &UnixListener,
    stream: &mut UnixStream,
) -> Result<(), HandoverError> {
    let sockets = reloader.server.sockets();
    let admin = {
        let operators = reloader.operators();
        let configured = operators.configured.as_ref().map(|admin| admin.address);
        configured.zip(operators.listening.as_ref().map(admin::Listening::socket))
    };
    let mut whose: Vec<Whose> =
        sockets.iter().map(|(configured, _)| Whose::Listener(*configured)).collect();
    whose.extend(admin.as_ref().map(|(configured, _)| Whose::Admin(*configured)));
    whose.push(Whose::Handover);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let audit = reach(&reloader.audit_settings().file)?;
    wire::say(stream, &Word::Offer { version, sockets: whose, audit }).await?;
    for (_, socket) in &sockets {
        wire::give(stream, socket).await?;
    }
    if let Some((_, socket)) = &admin {
        wire::give(stream, socket).await?;
    }
    Ok(wire::give(stream, listener).await?)
}

/// The steps while nobody is accepted.
async fn agree(stream: &mut UnixStream) -> Result<(), HandoverError> {
    wire::say(stream, &Word::Yours).await?;
    wire::hear_plain(stream, &Word::Opened, STEP).await?;
    wire::say(stream, &Word::Go).await?;
    Ok(wire::hear_plain(stream, &Word::Serving, STEP).await?)
}
