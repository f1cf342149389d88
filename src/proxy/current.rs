//! The set in force. A request takes it once, when its head has come, and is served by it to its end; what is put in its
//! place meanwhile is for those that come after.

use std::sync::Arc;

use tokio::sync::watch;

use crate::proxy::service::Gateway;

/// The set in force, shared by every listener, connection and socket.
#[derive(Debug)]
pub(crate) struct Current(watch::Sender<Arc<Gateway>>);

impl Current {
    pub(crate) fn new(first: Arc<Gateway>) -> Self {
        Self(watch::Sender::new(first))
    }

    /// The set that whatever begins now is served by.
    pub(crate) fn load(&self) -> Arc<Gateway> {
        Arc::clone(&self.0.borrow())
    }

    /// Puts another in its place, and gives the one before.
    pub(crate) fn replace(&self, next: Arc<Gateway>) -> Arc<Gateway> {
        self.0.send_replace(next)
    }

    /// Hears of every replacement.
    pub(crate) fn changes(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}

/// Hears of every replacement.
#[derive(Debug)]
pub(crate) struct Changes(watch::Receiver<Arc<Gateway>>);

impl Changes {
    /// Waits for the next. Never returns once there is nobody left who could replace the set.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
