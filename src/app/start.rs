//! From a configuration to a running proxy, and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::audit::AuditError;
use crate::config::Loaded;
use crate::proxy::tls::{Authority, CaError, KeyFileError};

/// What `start` takes beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A CA that lives in memory; it stands in for the files of every TLS listener (`demo`, tests).
    pub authority: Option<Arc<Authority>>,
}

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The async runtime cannot be made.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The audit cannot be kept.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A certificate or key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The CA cannot be used.
    #[error(transparent)]
    Ca(#[from] CaError),
}

impl StartError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::KeyFile(fault) | Self::Ca(CaError::File(fault)) => Some(fault.remedy()),
            _ => None,
        }
    }
}

/// A running proxy. Dropping it does not stop it; `shutdown` does.
#[derive(Debug)]
pub struct Running {
    listening: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
}

impl Running {
    /// The addresses of the listeners, in the order of the configuration, with the ports actually bound.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// The operators' own address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops accepting, lets requests in flight end within the drain deadline, and flushes the audit.
    #[expect(clippy::unused_async, reason = "being built")]
    pub async fn shutdown(self) {
        todo!()
    }
}

/// Starts the proxy on the current tokio runtime. When this returns, it is ready.
#[expect(clippy::unused_async, reason = "being built")]
pub async fn start(_loaded: Loaded, _options: Options) -> Result<Running, StartError> {
    todo!()
}

/// Runs the proxy until SIGTERM or SIGINT, and drains it.
pub fn serve(_loaded: Loaded) -> Result<(), StartError> {
    todo!()
}
