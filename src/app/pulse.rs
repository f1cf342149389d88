//! Tells systemd that the proxy is ready once it is, and that it is alive as long as its data path is seen to work: a process
//! that only has a clock left must not count as one that serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::app::notify::watchdog;
use crate::app::reload::Reloader;

/// How often something that keeps us from being ready is looked at.
const UNREADY: Duration = Duration::from_millis(200);

/// Says `READY=1` when everything works, and `WATCHDOG=1` at half the time that systemd allows, for as long as it does.
pub(crate) async fn tell(reloader: Arc<Reloader>) {
    while let Some(why) = reloader.observed.unready() {
        reloader.notifier.status(why);
        sleep(UNREADY).await;
    }
    reloader.notifier.ready(&reloader.stands());
    let Some(limit) = watchdog() else { return };
    let mut beats = interval(limit / 2);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        match reloader.server.pulse(limit / 2).await {
            Ok(()) => reloader.notifier.alive(),
            // systemd ends us soon, and starts another.
            Err(why) => tracing::error!(
                why,
                "the data path does not work: systemd is not told that this process is alive"
            ),
        }
    }
}
