//! The end: every connection hears of it, and the last one to finish lets the program go.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How far the end has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Stage {
    /// Serving.
    #[default]
    Running,
    /// No new work; what is under way may end.
    Draining,
    /// The deadline has passed.
    Cut,
}

/// Announces the end and waits for it.
#[derive(Debug)]
pub(crate) struct Drain {
    stage: watch::Sender<Stage>,
}

/// Held by whatever must end before the program does.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    stage: watch::Receiver<Stage>,
}

impl Drain {
    pub(crate) fn new() -> (Self, Signal) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (Self { stage: sender }, Signal { stage: receiver })
    }

    /// Announces the end, waits for every holder of a signal, and cuts off those that take longer than `limit`. Says
    /// whether all ended by themselves.
    pub(crate) async fn finish(self, limit: Duration) -> bool {
        self.stage.send_replace(Stage::Draining);
        if timeout(limit, self.stage.closed()).await.is_ok() {
            return true;
        }
        self.stage.send_replace(Stage::Cut);
        // Dropping a connection takes no time worth a deadline; this one guards against a task that never yields.
        let _ = timeout(Duration::from_secs(1), self.stage.closed()).await;
        false
    }
}

impl Signal {
    /// How far the end has come.
    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Waits until the stage is another than the one last seen here.
    pub(crate) async fn changed(&mut self) -> Stage {
        match self.stage.changed().await {
            Ok(()) => *self.stage.borrow_and_update(),
            // The announcer is gone without a word: stop.
            Err(_) => Stage::Cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Drain, Stage};

    #[tokio::test]
    async fn who_ends_in_time_is_not_cut() {
        let (drain, mut signal) = Drain::new();
        let worker = tokio::spawn(async move {
            let stage = signal.changed().await;
            tokio::task::yield_now().await;
            stage
        });
        assert!(drain.finish(Duration::from_secs(5)).await);
        assert_eq!(worker.await.unwrap(), Stage::Draining);
    }

    #[tokio::test]
    async fn who_takes_longer_is_cut() {
        let (drain, mut signal) = Drain::new();
        let worker = tokio::spawn(async move { while signal.changed().await != Stage::Cut {} });
        assert!(!drain.finish(Duration::from_millis(5)).await);
        worker.await.unwrap();
    }
}
