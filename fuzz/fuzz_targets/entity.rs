//! Fuzzes one reader of bodies: see `postward::body::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::body::check::entity(data));
