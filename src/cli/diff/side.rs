//! One side of a comparison: a configuration, a policy, or rules.

use std::path::Path;
use std::sync::Arc;

use crate::cli::diagnostics;
use crate::cli::failure::{Context, Failure};
use crate::cli::judging;
use crate::config::{self, Loaded};
use crate::inspect::Inspector;

/// What ships inside the program, by the name that `rules` in `postward.toml` has for it.
const EMBEDDED: &str = "embedded";

/// Keys by which a rules file is known.
const OF_RULES: [&str; 3] = ["rule", "except", "disable"];

/// Keys by which a policy is known.
const OF_POLICY: [&str; 4] = ["clause", "exception", "mode", "group"];

/// Judges posts.
pub(super) struct Side {
    /// As it was given.
    pub(super) name: String,
    pub(super) inspector: Arc<Inspector>,
    pub(super) max_line: usize,
}

impl Side {
    /// A configuration as it is; a policy in place of that of `config`; rules, a file or a folder, added to those that
    /// ship inside the program.
    pub(super) fn open(given: &Path, config: Option<&Path>) -> Result<Self, Failure> {
        let name = given.display().to_string();
        if name == EMBEDDED && !given.exists() {
            let (loaded, inspector) = judging::load(None, None)?;
            return Ok(Self { name, inspector, max_line: loaded.config.max_body });
        }
        if given.is_dir() {
            return Self::of_rules(name, given);
        }
        let text = std::fs::read_to_string(given)
            .map_err(|source| Failure::plain(Context::file("read", given, source)))?;
        // A file that is no TOML is named by whoever reads it.
        let keys: toml::Table = toml::from_str(&text).unwrap_or_default();
        let has = |of: &[&str]| of.iter().any(|key| keys.contains_key(*key));
        if has(&OF_RULES) {
            return Self::of_rules(name, given);
        }
        let (loaded, inspector) = if has(&OF_POLICY) {
            judging::load(config, Some(given))?
        } else {
            judging::load(Some(given), None)?
        };
        Ok(Self { name, inspector, max_line: loaded.config.max_body })
    }

    fn of_rules(name: String, rules: &Path) -> Result<Self, Failure> {
        let Loaded { config, inspector, warnings, .. } =
            config::load_rules(rules).map_err(Failure::Files)?;
        if !warnings.is_empty() {
            diagnostics::print(&warnings);
        }
        Ok(Self { name, inspector, max_line: config.max_body })
    }
}
