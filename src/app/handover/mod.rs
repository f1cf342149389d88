//! Hand-over: a new process takes the place of the one that serves, and no client notices.
//!
//! The new one is started beside the old one (`serve --take-over`), because the old one has given up for good what it takes
//! to start a program. It asks over a Unix socket beside the audit, is given the listening sockets themselves, and accepts
//! from the very queues that the old one accepted from: whoever connects in between waits there for a moment. (With
//! `SO_REUSEPORT` each process would have queues of its own, and what waits in the old one's would be lost.)
//!
//! The audit has one chain and one writer at any time: the old one lets go of the file before the new one opens it, and what
//! the old one's last posts have yet to say goes into the same chain, through the new one.

mod giving;
mod taking;
mod wire;

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

pub(crate) use giving::given_away;
pub(crate) use taking::Leaving;
pub use taking::Predecessor;
pub use wire::TalkError;

/// Why no other process takes over, or this one does not.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The two did not agree.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// Another user's process.
    #[error("the process at the other end is another user's")]
    Stranger,
    /// Another chain.
    #[error("the process that serves keeps its audit in {theirs}")]
    OtherAudit {
        /// Its file.
        theirs: String,
    },
    /// Listeners or audit did not come to rest in time.
    #[error("listeners and audit did not come to rest in time")]
    Busy,
    /// The audit's path cannot be said to another process.
    #[error("the audit's path is no text")]
    Path,
}

impl HandoverError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Talk(_) | Self::Busy => {
                "the process that serves goes on, and its log says why; try again, or restart it"
                    .to_owned()
            }
            Self::Stranger => {
                "start postward as the user that the one that serves runs as".to_owned()
            }
            Self::OtherAudit { .. } | Self::Path => {
                "another audit takes a restart: stop the one that serves first".to_owned()
            }
        }
    }
}

/// Where the process that writes this audit is asked for its sockets.
pub(crate) fn socket_of(audit: &Path) -> PathBuf {
    let name = audit.file_name().unwrap_or_default().to_string_lossy();
    audit.with_file_name(format!(".{name}.handover"))
}

fn reach(audit: &Path) -> Result<String, HandoverError> {
    audit.to_str().map(str::to_owned).ok_or(HandoverError::Path)
}

/// Listens for the next process. Only who holds the audit's lock may call this: what stands there is of a process that ended.
pub(crate) fn listen(audit: &Path) -> io::Result<UnixListener> {
    let path = socket_of(audit);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixListener::bind(&path)
}
