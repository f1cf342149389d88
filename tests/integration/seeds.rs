//! The seeds of the fuzz targets as plain tests: each check holds of each seed, and of what a fuzzer would make of it first.

use std::fs;
use std::path::Path;

use postward::{body, config, inspect, media, platform, policy, proxy};

/// Every check of every room.
fn targets() -> Vec<(&'static str, body::check::Check)> {
    [
        body::check::TARGETS,
        media::check::TARGETS,
        platform::check::TARGETS,
        policy::check::TARGETS,
        inspect::check::TARGETS,
        config::check::TARGETS,
        proxy::wire::check::TARGETS,
        proxy::who::check::TARGETS,
    ]
    .concat()
}

/// What a fuzzer tries first: cut off, one byte turned. So many of each: what a check does to a whole request takes longer.
fn tries(name: &str) -> usize {
    match name {
        "request" | "scan" | "rules" | "policy" => 12,
        _ => 40,
    }
}

#[test]
fn every_seed_holds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    for (name, check) in targets() {
        let mut n_seeds = 0;
        let seeds = fs::read_dir(fuzz.join("seeds").join(name)).expect("a folder of seeds");
        for seed in seeds {
            let data = fs::read(seed.expect("a seed").path()).expect("a seed");
            check(&data);
            for at in (0..data.len()).step_by(data.len() / tries(name) + 1) {
                let (cut, _) = data.split_at(at);
                check(cut);
                let mut turned = data.clone();
                if let Some(byte) = turned.get_mut(at) {
                    *byte ^= 0x11;
                }
                check(&turned);
            }
            n_seeds += 1;
        }
        assert!(n_seeds >= 2, "{name} has {n_seeds} seeds");
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} has no target");
        assert!(
            manifest.contains(&format!("fuzz_targets/{name}.rs\"")),
            "{name} is not in Cargo.toml"
        );
    }
}
