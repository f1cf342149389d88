//! One socket from the first frame to the last: both halves, its clocks, and its end.

use std::pin::pin;
use std::sync::{Arc, Weak};

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt as _, split};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::proxy::current::Current;
use crate::proxy::drain::{Signal, Stage};
use crate::proxy::passage::Passage;
use crate::proxy::route::of_socket;
use crate::proxy::websocket::clock::Clock;
use crate::proxy::websocket::down::{Down, End};
use crate::proxy::websocket::message::Reader;
use crate::proxy::websocket::up::{AWAY, FAREWELL, Pings, Up};
use crate::proxy::websocket::walk::Walker;

/// Most of our own words that wait to be told to a client; a client that is told more must wait itself.
const MOST_OURS: usize = 16;

/// A socket that both sides agreed to.
pub(crate) struct Opened {
    pub(super) client: OnUpgrade,
    pub(super) platform: Upgraded,
    /// The handshake: whose messages they are.
    pub(super) of: Passage,
    pub(super) is_deflated: bool,
}

/// Carries a socket to its end. The connection that it came over counts as open until then.
pub(crate) async fn relay(opened: Opened, current: &Current, mut signal: Signal) {
    let Opened { client, platform, of, is_deflated } = opened;
    let mut changes = current.changes();
    let gateway = current.load();
    let Ok(client) = client.await else { return };
    let _counted = gateway.metrics.open_socket();
    let (client_reads, mut client_writes) = split(TokioIo::new(client));
    let (platform_reads, mut platform_writes) = split(TokioIo::new(platform));
    let answer_idle = gateway.limits.timeouts.answer_idle;
    let max_body = gateway.limits.max_body;
    let (authority, target) = (of.authority.clone(), Arc::clone(&of.target));
    let (clock, pings) = (Clock::new(), Pings::default());
    let (to_client, ours) = mpsc::channel(MOST_OURS);
    let (stop, stopped) = watch::channel(None);
    let up = Up {
        current,
        // None yet: the handshake may have begun under another set than is in force now.
        judged_by: Weak::new(),
        of,
        client: client_reads,
        platform: &mut platform_writes,
        reader: Reader::new(max_body, is_deflated),
        to_client,
        stop: stopped,
        pings: &pings,
        clock: &clock,
    };
    drop(gateway);
    let down = Down {
        platform: platform_reads,
        client: &mut client_writes,
        walker: Walker::new(is_deflated),
        pings: &pings,
        clock: &clock,
        limit: answer_idle,
    };
    {
        let (mut up, mut down) = (pin!(up.run()), pin!(down.run(ours)));
        let mut silence = pin!(clock.silence(answer_idle));
        let (mut up_ended, mut down_ended) = (false, false);
        // Once one half has ended, the other has a little time to do so, too.
        let mut deadline: Option<Instant> = None;
        let is_routed = || of_socket(&current.load().routes, &authority, &target).is_some();
        if signal.stage() != Stage::Running || !is_routed() {
            stop.send_replace(Some(AWAY));
        }
        while !(up_ended && down_ended) {
            let is_stopping = stop.borrow().is_some();
            let until = deadline.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                stage = signal.changed() => match stage {
                    Stage::Running => {}
                    Stage::Leaving | Stage::Draining => { stop.send_replace(Some(AWAY)); }
                    Stage::Cut => return,
                },
                // Even where nobody says anything: what the platform sends may pass by a route only.
                () = changes.next(), if !is_stopping => {
                    if !is_routed() {
                        stop.send_replace(Some(AWAY));
                    }
                }
                listens = up.as_mut(), if !up_ended => {
                    up_ended = true;
                    if !listens {
                        break;
                    }
                }
                end = down.as_mut(), if !down_ended => {
                    down_ended = true;
                    match end {
                        End::Closed | End::WeClosed => {}
                        // A client that nobody answers is let go as its platform let go of us.
                        End::Gone => break,
                        End::Refused => { stop.send_replace(Some(AWAY)); }
                    }
                }
                () = silence.as_mut(), if !is_stopping => { stop.send_replace(Some(AWAY)); }
                () = sleep_until(until), if deadline.is_some() => break,
            }
            if up_ended || down_ended || stop.borrow().is_some() {
                deadline.get_or_insert_with(|| Instant::now() + FAREWELL);
            }
        }
    }
    // Not before both have ended: some take the end of a stream for the loss of the other side.
    let both = async {
        let _ = client_writes.shutdown().await;
        let _ = platform_writes.shutdown().await;
    };
    let _ = timeout(FAREWELL, both).await;
}
