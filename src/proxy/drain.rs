//! The end: every connection hears of it, and the last one to finish lets the program go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
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
    is_cut: Arc<AtomicBool>,
}

/// Held by whatever must end before the program does.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    stage: watch::Receiver<Stage>,
}

impl Drain {
    pub(crate) fn new() -> (Self, Signal) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (Self { stage: sender, is_cut: Arc::default() }, Signal { stage: receiver })
    }

    /// Becomes true when what is still in flight is cut off. Unlike a signal, it holds nothing up.
    pub(crate) fn is_cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cut)
    }

    /// Announces the end, waits for every holder of a signal, and cuts off those that are not done by `deadline`. Says
    /// whether all ended by themselves.
    pub(crate) async fn finish(self, deadline: impl Future<Output = ()>) -> bool {
        self.stage.send_replace(Stage::Draining);
        tokio::select! {
            biased;
            () = self.stage.closed() => return true,
            () = deadline => {}
        }
        self.is_cut.store(true, Relaxed);
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

    /// Waits until everything is cut off.
    pub(crate) async fn cut(&mut self) {
        while self.changed().await != Stage::Cut {}
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

    use tokio::time::sleep;

    use super::{Drain, Stage};

    #[tokio::test]
    async fn who_ends_in_time_is_not_cut() {
        let (drain, mut signal) = Drain::new();
        let worker = tokio::spawn(async move {
            let stage = signal.changed().await;
            tokio::task::yield_now().await;
            stage
        });
        assert!(drain.finish(sleep(Duration::from_secs(5))).await);
        assert_eq!(worker.await.unwrap(), Stage::Draining);
    }

    #[tokio::test]
    async fn who_takes_longer_is_cut() {
        let (drain, mut signal) = Drain::new();
        let worker = tokio::spawn(async move { while signal.changed().await != Stage::Cut {} });
        assert!(!drain.finish(sleep(Duration::from_millis(5))).await);
        worker.await.unwrap();
    }
}
