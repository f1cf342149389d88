//! Reads every certificate and key that a start would read, with the code of the start, and opens no socket: a fault is
//! found where files are checked, not on the night the proxy is restarted.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Loaded, TlsIdentity};
use crate::proxy::route::Routes;
use crate::proxy::server::{self, SetupError};

/// What is wrong with the files.
#[derive(Debug, Default)]
pub struct Proof {
    /// Each would end a start.
    pub faults: Vec<SetupError>,
    /// Certificates of one's own that cover no routed host: every client would turn away.
    pub idle: Vec<PathBuf>,
}

/// Tries every file out. What lies in the machine rather than in a file (an address in use) is no fault here.
pub fn prove(loaded: &Loaded) -> Proof {
    let config = &loaded.config;
    let mut proof = Proof::default();
    match Routes::new(&config.routes, &loaded.platforms, Vec::new()) {
        Err(fault) => proof.faults.push(fault.into()),
        Ok(routes) => {
            let routes = Arc::new(routes);
            for listener in &config.listeners {
                match (server::acceptor(listener, None, &routes), &listener.tls) {
                    (Err(fault), _) => proof.faults.push(fault),
                    (Ok(Some(acceptor)), Some(TlsIdentity::Certificate { certificate, .. }))
                        if !acceptor.covers_any(&routes) =>
                    {
                        proof.idle.push(certificate.clone());
                    }
                    (Ok(_), _) => {}
                }
            }
        }
    }
    proof.faults.extend(server::trust(loaded).err());
    proof.faults.retain(SetupError::is_of_a_file);
    proof
}
