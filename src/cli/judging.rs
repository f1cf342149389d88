//! What `scan` and `eval` judge with: the very inspector that `serve` runs.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::diagnostics;
use crate::cli::failure::Failure;
use crate::config::{self, Loaded};
use crate::inspect::Inspector;

/// The platform of a post that names none.
pub(crate) const NO_PLATFORM: &str = "generic";

/// Loads rules and policy; `policy` stands in for the configuration's own.
pub(crate) fn load(
    config: Option<&Path>,
    policy: Option<&Path>,
) -> Result<(Loaded, Arc<Inspector>), Failure> {
    let loaded = config::load(config).map_err(Failure::Files)?;
    if !loaded.warnings.is_empty() {
        diagnostics::print(&loaded.warnings);
    }
    let inspector = match policy {
        None => Arc::clone(&loaded.inspector),
        Some(file) => {
            let policy = config::load_policy(file, &loaded.rules, &loaded.platforms)
                .map_err(Failure::Files)?;
            let limits = loaded.config.body_limits.clone();
            Arc::new(Inspector::new(Arc::clone(&loaded.engine), Arc::new(policy), limits))
        }
    };
    Ok((loaded, inspector))
}

/// Today, UTC.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
