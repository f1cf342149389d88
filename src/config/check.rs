//! What must hold of `postward.toml`, whatever its bytes: the check of a fuzz target.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use std::path::Path;
use std::sync::LazyLock;

use crate::body::check::Check;
use crate::config::syntax::{self, Named};
use crate::diagnostic::{Faults, Source, Table};
use crate::platform::Platforms;

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[("config", config)];

static PLATFORMS: LazyLock<Platforms> = LazyLock::new(Platforms::embedded);

/// Configurations: every fault stands in the file; without one, no host is routed twice.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("fuzzed.toml", text);
    let mut faults = Faults::new(&source);
    let read = Table::of_file(&source, &mut faults).map(|mut file| {
        let _ = Named::read(&mut file, &mut faults);
        syntax::read(file, Path::new("/nowhere"), Some(&PLATFORMS), &mut faults)
    });
    let fine = !faults.any_error();
    for fault in faults.into_sorted() {
        assert!(fault.span.is_none_or(|span| span.of(text).is_some()), "a fault outside the file");
    }
    if let Some(config) = read.filter(|_| fine) {
        let mut hosts: Vec<_> = config.routes.iter().flat_map(|route| &route.hosts).collect();
        let n_hosts = hosts.len();
        hosts.sort_unstable();
        hosts.dedup();
        assert!(hosts.len() == n_hosts, "a host is routed twice");
    }
}
