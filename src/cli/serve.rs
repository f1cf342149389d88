//! `serve`: the proxy, with its log on standard error.

use std::io::{self, IsTerminal as _};

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::app::{self, HangUps, StartError, chain};
use crate::cli::args::{self, LogFormat};
use crate::cli::diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config;
use crate::diagnostic::{Diagnostic, Source};

/// The variable that sets the filter of log lines where the command line does not.
const LOG_VARIABLE: &str = "POSTWARD_LOG";

pub(crate) fn run(args: &args::Serve) -> Result<Exit, Failure> {
    start_log(args.log_format, args.log.as_deref(), config::log_of(&args.config))?;
    let hang_ups = HangUps::catch().map_err(failure)?;
    let loaded = config::load(Some(&args.config))
        .and_then(config::Loaded::ready_to_serve)
        .map_err(Failure::Files)?;
    if !loaded.warnings.is_empty() {
        diagnostics::print(&loaded.warnings);
    }
    let idle = app::proved(&args.config, &loaded).map_err(Failure::Files)?;
    if !idle.is_empty() {
        diagnostics::print(&idle);
    }
    let before = if args.take_over { predecessor(&loaded)? } else { None };
    app::serve(loaded, hang_ups, before).map_err(failure)?;
    Ok(Exit::Fine)
}

/// The process that serves with this configuration, if there is one.
fn predecessor(loaded: &config::Loaded) -> Result<Option<app::Predecessor>, Failure> {
    let found = app::Predecessor::find(&loaded.config.audit.file);
    found.map_err(|error| {
        let help = error.remedy();
        Failure::new(error, help)
    })
}

/// The failure with its remedy.
pub(crate) fn failure(error: StartError) -> Failure {
    if let StartError::Sandbox(fault) = &error {
        // What `postward.toml` requires cannot be had here.
        let source = Source::new("postward.toml", "");
        return Failure::Files(vec![Diagnostic::error(&source, chain(fault)).help(fault.remedy())]);
    }
    match error.remedy() {
        Some(help) => Failure::new(error, help),
        None => Failure::plain(error),
    }
}

/// Log lines go to standard error: standard output belongs to results. `written` is what a configuration says of them.
pub(crate) fn start_log(
    format: Option<LogFormat>,
    filter: Option<&str>,
    written: config::Log,
) -> Result<(), Failure> {
    let filter = match (filter, std::env::var(LOG_VARIABLE)) {
        (Some(filter), _) => filter.to_owned(),
        (None, Ok(filter)) if !filter.is_empty() => filter,
        _ => written.level.unwrap_or("info").to_owned(),
    };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        Failure::new(
            error,
            format!("{LOG_VARIABLE} takes error, warn, info, debug, or target=level pairs"),
        )
    })?;
    let human = io::stderr().is_terminal();
    let of_file = written.format.map(|format| match format {
        config::LogFormat::Human => LogFormat::Human,
        config::LogFormat::Json => LogFormat::Json,
    });
    let usual = if human { LogFormat::Human } else { LogFormat::Json };
    let format = format.or(of_file).unwrap_or(usual);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Human => lines.with_ansi(human).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    let ours = filter_fn(|line| may_be_written(line.target(), *line.level()));
    tracing_subscriber::registry().with(lines.with_filter(ours)).with(filter).init();
    Ok(())
}

/// Libraries write what a client sent into their debug lines: h2 a path that it cannot parse, with the post that may
/// stand in it. Whatever filter is asked for, they say no more than a warning.
fn may_be_written(target: &str, level: Level) -> bool {
    level <= Level::WARN || target == "postward" || target.starts_with("postward::")
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::may_be_written;

    #[test]
    fn libraries_keep_what_clients_sent_to_themselves() {
        for (target, level, want) in [
            ("postward::proxy::service", Level::TRACE, true),
            ("postward", Level::DEBUG, true),
            ("h2::server", Level::DEBUG, false),
            ("hyper::proto", Level::INFO, false),
            ("postwarden", Level::TRACE, false),
            ("rustls", Level::WARN, true),
        ] {
            assert_eq!(may_be_written(target, level), want, "{target} {level}");
        }
    }
}
