//! Reads everything `serve` would read.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::detect::Engine;
use crate::diagnostic::Diagnostic;
use crate::inspect::Inspector;
use crate::platform::Platforms;
use crate::policy::Policy;
use crate::rules::RuleSet;

/// Rules, policy, platforms and settings that fit together: one immutable set.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The engine compiled from them.
    pub engine: Arc<Engine>,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The platforms.
    pub platforms: Arc<Platforms>,
    /// The inspector made of these.
    pub inspector: Arc<Inspector>,
    /// What is probably not as meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and checks everything, the rules' own examples too. `None` is the embedded default throughout (for `scan`
/// and `eval`; it has no listener).
pub fn load(_file: Option<&Path>) -> Result<Loaded, Vec<Diagnostic>> {
    todo!()
}

/// Reads one policy file against rules and platforms already loaded (`scan --policy`).
pub fn load_policy(
    _file: &Path,
    _rules: &RuleSet,
    _platforms: &Platforms,
) -> Result<Policy, Vec<Diagnostic>> {
    todo!()
}
