//! `serve`: the proxy, with its log on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::app::{self, StartError};
use crate::cli::args::{self, LogFormat};
use crate::cli::diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::proved;
use crate::config;

/// The variable that sets the filter of log lines where the command line does not.
const LOG_VARIABLE: &str = "POSTWARD_LOG";

pub(crate) fn run(args: &args::Serve) -> Result<Exit, Failure> {
    start_log(args)?;
    let loaded = config::load(Some(&args.config))
        .and_then(config::Loaded::ready_to_serve)
        .map_err(Failure::Files)?;
    if !loaded.warnings.is_empty() {
        diagnostics::print(&loaded.warnings);
    }
    let idle = proved::proved(&args.config, &loaded)?;
    if !idle.is_empty() {
        diagnostics::print(&idle);
    }
    app::serve(loaded).map_err(failure)?;
    Ok(Exit::Fine)
}

/// The failure with its remedy.
pub(crate) fn failure(error: StartError) -> Failure {
    match error.remedy() {
        Some(help) => Failure::new(error, help),
        None => Failure::plain(error),
    }
}

/// Log lines go to standard error: standard output belongs to results.
fn start_log(args: &args::Serve) -> Result<(), Failure> {
    let filter = match (&args.log, std::env::var(LOG_VARIABLE)) {
        (Some(filter), _) => filter.clone(),
        (None, Ok(filter)) if !filter.is_empty() => filter,
        _ => "info".to_owned(),
    };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        Failure::new(
            error,
            format!("{LOG_VARIABLE} takes error, warn, info, debug, or target=level pairs"),
        )
    })?;
    let human = io::stderr().is_terminal();
    let format = args.log_format.unwrap_or(if human { LogFormat::Human } else { LogFormat::Json });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Human => log.with_ansi(human).init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
        }
    }
    Ok(())
}
