//! Certificates and keys, read before anything starts: `check`, `serve` and a reload say the same of them.

use std::error::Error;
use std::path::Path;

use crate::config::Loaded;
use crate::diagnostic::{Diagnostic, Source};
use crate::proxy::{self, SetupError};

/// Reads every certificate and key that the configuration names; every fault is told at once, after the warnings. What
/// remains is the warnings.
pub fn proved(config: &Path, loaded: &Loaded) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
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
    told.extend(proof.faults.iter().map(|fault| of_setup(config, fault)));
    Err(told)
}

/// What keeps a configuration from being served, as a fault of its file.
pub(crate) fn of_setup(config: &Path, fault: &SetupError) -> Diagnostic {
    let source = Source::new(config.display().to_string(), "");
    let told = Diagnostic::error(&source, chain(fault));
    match fault.remedy() {
        Some(help) => told.help(help),
        None => told,
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
