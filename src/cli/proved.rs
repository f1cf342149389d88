//! Certificates and keys, read before anything starts: `check` and `serve` say the same of them.

use std::path::Path;

use crate::cli::failure::{Failure, chain};
use crate::config::Loaded;
use crate::diagnostic::{Diagnostic, Source};
use crate::proxy;

/// Reads every certificate and key that the configuration names; every fault is told at once. What remains is the
/// warnings.
pub(crate) fn proved(config: &Path, loaded: &Loaded) -> Result<Vec<Diagnostic>, Failure> {
    let source = Source::new(config.display().to_string(), "");
    let proof = proxy::prove(loaded);
    let warnings: Vec<Diagnostic> = proof
        .idle
        .iter()
        .map(|file| {
            let message = format!("the certificate {} covers no routed host", file.display());
            Diagnostic::warning(&source, message).help(
                "get one for the hosts under [[route]], or let postward make them with ca and ca-key",
            )
        })
        .collect();
    if proof.faults.is_empty() {
        return Ok(warnings);
    }
    let mut told = warnings;
    told.extend(proof.faults.iter().map(|fault| {
        let told = Diagnostic::error(&source, chain(fault));
        match fault.remedy() {
            Some(help) => told.help(help),
            None => told,
        }
    }));
    Err(Failure::Files(told))
}
