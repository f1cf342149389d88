//! How far long work is, on standard error and for a terminal only: scripts and files never see it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shown at most so often.
const EVERY: Duration = Duration::from_millis(100);

/// How many posts are done. Many threads may count; the line goes away with it.
pub(crate) struct Progress {
    n_posts: Option<usize>,
    n_done: AtomicUsize,
    /// When it was last shown; `None` where nobody looks.
    shown: Option<Mutex<Instant>>,
}

impl Progress {
    /// For so many posts.
    pub(crate) fn of(n_posts: usize) -> Self {
        Self::new(Some(n_posts), io::stderr().is_terminal())
    }

    /// For who knows how many, while the results go elsewhere: on the same terminal the results themselves show it.
    pub(crate) fn of_unknown() -> Self {
        Self::new(None, io::stderr().is_terminal() && !io::stdout().is_terminal())
    }

    fn new(n_posts: Option<usize>, is_seen: bool) -> Self {
        let shown = is_seen.then(|| Mutex::new(Instant::now()));
        Self { n_posts, n_done: AtomicUsize::new(0), shown }
    }

    /// Counts, and shows it if it is time.
    pub(crate) fn add(&self, n: usize) {
        let n_done = self.n_done.fetch_add(n, Ordering::Relaxed) + n;
        let Some(Ok(mut shown)) = self.shown.as_ref().map(Mutex::try_lock) else { return };
        if shown.elapsed() >= EVERY {
            *shown = Instant::now();
            let of = self.n_posts.map_or_else(String::new, |n_posts| format!(" of {n_posts}"));
            // A terminal that is gone needs no progress.
            let _ = write!(io::stderr(), "\r{n_done}{of} posts");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
