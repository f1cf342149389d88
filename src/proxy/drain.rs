//! The end: of the program or of one listener. Every connection hears of it, and the last one to finish lets go.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How far the end has come.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stage {
    /// Serving.
    #[default]
    Running,
    /// Nobody new; who is connected is answered, and told to connect anew.
    Leaving,
    /// No new work; what is under way may end.
    Draining,
    /// The deadline has passed.
    Cut,
}

/// Announces an end and waits for it.
#[derive(Debug)]
pub(crate) struct Drain {
    stage: watch::Sender<Stage>,
    is_cut: Arc<AtomicBool>,
}

/// Held by whatever must end before the program does, and before its listener has.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    all: watch::Receiver<Stage>,
    of_listener: Option<watch::Receiver<Stage>>,
    /// What was said here last. A signal may be made after an end was announced.
    said: Stage,
}

impl Drain {
    pub(crate) fn new() -> Self {
        Self { stage: watch::Sender::new(Stage::Running), is_cut: Arc::default() }
    }

    /// How far the end has come.
    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Hears of the program's end.
    pub(crate) fn signal(&self) -> Signal {
        Signal { all: self.stage.subscribe(), of_listener: None, said: Stage::Running }
    }

    /// Hears of the program's end, and of that of one listener.
    pub(crate) fn signal_with(&self, listener: &Self) -> Signal {
        let of_listener = Some(listener.stage.subscribe());
        Signal { of_listener, ..self.signal() }
    }

    /// Becomes true when what is still in flight is cut off. Unlike a signal, it holds nothing up.
    pub(crate) fn is_cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cut)
    }

    /// Announces that the end will come, and waits for every holder of a signal, or until `until`.
    pub(crate) async fn leave(&self, until: impl Future<Output = ()>) {
        self.stage.send_replace(Stage::Leaving);
        tokio::select! {
            biased;
            () = self.stage.closed() => {}
            () = until => {}
        }
    }

    /// Announces the end, waits for every holder of a signal, and cuts off those that are not done by `deadline`. Says
    /// whether all ended by themselves.
    pub(crate) async fn finish(&self, deadline: impl Future<Output = ()>) -> bool {
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
    /// How far the nearer end has come.
    pub(crate) fn stage(&self) -> Stage {
        let of_listener = self.of_listener.as_ref().map(|stage| *stage.borrow());
        of_listener.unwrap_or_default().max(*self.all.borrow())
    }

    /// Waits until everything is cut off.
    pub(crate) async fn cut(&mut self) {
        while self.changed().await != Stage::Cut {}
    }

    /// Waits until the stage is another than the one last said here.
    pub(crate) async fn changed(&mut self) -> Stage {
        loop {
            let stage = self.stage();
            if stage != self.said {
                self.said = stage;
                return stage;
            }
            let of_listener = async {
                match &mut self.of_listener {
                    Some(stage) => stage.changed().await,
                    None => pending().await,
                }
            };
            let heard = tokio::select! {
                heard = self.all.changed() => heard,
                heard = of_listener => heard,
            };
            if heard.is_err() {
                // The announcer is gone without a word: stop.
                return Stage::Cut;
            }
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
        let drain = Drain::new();
        let mut signal = drain.signal();
        let worker = tokio::spawn(async move {
            let stage = signal.changed().await;
            tokio::task::yield_now().await;
            stage
        });
        assert!(drain.finish(sleep(Duration::from_secs(5))).await);
        assert_eq!(worker.await.unwrap(), Stage::Draining);
    }

    #[tokio::test]
    async fn who_is_told_to_leave_hears_every_stage() {
        let drain = Drain::new();
        let mut signal = drain.signal();
        let worker = tokio::spawn(async move {
            let mut heard = Vec::new();
            while heard.last() != Some(&Stage::Cut) {
                heard.push(signal.changed().await);
            }
            heard
        });
        drain.leave(sleep(Duration::from_millis(5))).await;
        assert!(!drain.finish(sleep(Duration::from_millis(5))).await);
        assert_eq!(worker.await.unwrap(), [Stage::Leaving, Stage::Draining, Stage::Cut]);
        drain.leave(std::future::pending()).await;
    }

    #[tokio::test]
    async fn who_takes_longer_is_cut() {
        let drain = Drain::new();
        let mut signal = drain.signal();
        let worker = tokio::spawn(async move { while signal.changed().await != Stage::Cut {} });
        assert!(!drain.finish(sleep(Duration::from_millis(5))).await);
        worker.await.unwrap();
    }

    #[tokio::test]
    async fn one_listener_ends_while_others_go_on() {
        let (all, one, other) = (Drain::new(), Drain::new(), Drain::new());
        let (mut ours, theirs) = (all.signal_with(&one), all.signal_with(&other));
        let worker = tokio::spawn(async move { ours.changed().await });
        assert!(one.finish(sleep(Duration::from_secs(5))).await);
        assert_eq!(worker.await.unwrap(), Stage::Draining);
        assert_eq!(all.signal_with(&one).changed().await, Stage::Draining, "one that comes late");
        assert_eq!(theirs.stage(), Stage::Running);
        assert!(!all.finish(sleep(Duration::from_millis(5))).await);
        assert_eq!(theirs.stage(), Stage::Cut);
    }
}
