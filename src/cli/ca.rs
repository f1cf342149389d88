//! `ca init`: the hospital's own certificate authority, made once.

use std::fs;

use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::style;
use crate::proxy::tls::{self, CaError};

/// What devices show as the authority's name.
pub(crate) const NAME: &str = "Postward";

pub(crate) fn run(args: &args::CaInit) -> Result<Exit, Failure> {
    let (certificate, key) = (args.out.join("ca.pem"), args.out.join("ca.key"));
    fs::create_dir_all(&args.out)
        .map_err(|source| Failure::plain(Context::file("make", &args.out, source)))?;
    let files = tls::init(&certificate, &key, NAME, &args.hosts).map_err(failure)?;
    let constrained = if args.hosts.is_empty() {
        "It may vouch for any host: keep the key where only the proxy can read it, or give --host."
            .to_owned()
    } else {
        format!("It can vouch for these only: {}.", args.hosts.join(", "))
    };
    style::to_stdout(&format!(
        "{} {} and {}\n{constrained}\nSHA-256 of the certificate, to compare on devices:\n  {}\n\n\
         Next: install ca.pem as a trusted authority on the hospital's devices, and name both files in\n\
         postward.toml:  tls = {{ ca = \"ca.pem\", ca-key = \"ca.key\" }}",
        style::paint(style::GOOD, "made"),
        files.certificate.display(),
        files.key.display(),
        files.fingerprint,
    ))?;
    Ok(Exit::Fine)
}

/// The failure with its remedy.
pub(crate) fn failure(error: CaError) -> Failure {
    let help = match &error {
        CaError::Exists { .. } => {
            "devices may trust it already: move both files away first, or choose another --out"
                .to_owned()
        }
        CaError::Host { .. } => {
            "write a name such as api.x.com or *.clinic.example, without https:// and port"
                .to_owned()
        }
        CaError::Write { .. } => "choose a directory you may write to with --out".to_owned(),
        CaError::File(fault) => fault.remedy(),
        CaError::Unusable { .. } | CaError::Sign(_) => return Failure::plain(error),
    };
    Failure::new(error, help)
}
