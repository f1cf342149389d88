//! Listens to a refused client for a while: a reset would take away again what it was told last.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// For how long.
const LINGER: Duration = Duration::from_secs(2);
/// How much of what it still sends is read for that.
const LINGER_BYTES: usize = 1 << 20;
/// Bytes that are read at once.
const SINK: usize = 4 * 1024;

/// What is left of that while.
pub(crate) struct Linger {
    clock: Pin<Box<Sleep>>,
    n_read: usize,
}

impl Linger {
    pub(crate) fn begin() -> Self {
        Self { clock: Box::pin(sleep(LINGER)), n_read: 0 }
    }

    pub(crate) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.clock.as_mut().poll(cx).is_ready()
    }

    /// Reads without keeping anything, until the client is gone or has sent too much.
    pub(crate) fn poll_read<S: AsyncRead>(
        &mut self,
        mut stream: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut sink = [0; SINK];
        while self.n_read < LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut sink);
            // A client that broke off has all it will get.
            let Ok(()) = ready!(stream.as_mut().poll_read(cx, &mut buf)) else { break };
            if buf.filled().is_empty() {
                break;
            }
            self.n_read += buf.filled().len();
        }
        Poll::Ready(())
    }
}
