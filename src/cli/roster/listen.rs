//! `roster listen`: messages about admissions, followed as they come.

use std::time::Duration;

use crate::app::{self, Intake, IntakeError, IntakeTls};
use crate::cli::args::RosterListen;
use crate::cli::exit::Exit;
use crate::cli::failure::{Context, Failure};
use crate::cli::roster::key_failure;
use crate::cli::serve::start_log;
use crate::config::{Log, Sandbox};
use crate::roster::Key;

pub(crate) fn run(args: &RosterListen) -> Result<Exit, Failure> {
    let tls = match (&args.tls_certificate, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(IntakeTls {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: args.tls_client_ca.clone(),
        }),
        _ => None,
    };
    if tls.is_none() && !args.plain_text && !args.listen.ip().is_loopback() {
        return Err(Failure::new(
            format!(
                "{} is no address of this machine alone, and patients would come to it in plain text",
                args.listen
            ),
            "give --tls-certificate and --tls-key, listen on loopback, or say --plain-text if the network itself is trusted",
        ));
    }
    start_log(args.log_format, args.log.as_deref(), Log::default())?;
    let key = Key::find(args.key_file.as_deref()).map_err(key_failure)?;
    let roster = std::path::absolute(&args.out)
        .map_err(|source| Failure::plain(Context::file("find", &args.out, source)))?;
    let intake = Intake {
        roster,
        address: args.listen,
        tls,
        margin_hours: u32::from(args.keep_hours),
        most_bytes: usize::try_from(args.max_message).unwrap_or(usize::MAX),
        most_connections: usize::from(args.max_connections),
        message_limit: Duration::from_secs(u64::from(args.message_seconds)),
        idle_limit: Duration::from_secs(u64::from(args.idle_seconds)),
        sandbox: match (args.require_sandbox, args.no_sandbox) {
            (true, _) => Sandbox::Required,
            (_, true) => Sandbox::Off,
            _ => Sandbox::Wanted,
        },
    };
    app::listen(&intake, key).map_err(|error: IntakeError| match error.remedy() {
        Some(help) => Failure::new(error, help),
        None => Failure::plain(error),
    })?;
    Ok(Exit::Fine)
}
