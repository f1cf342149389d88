//! Fuzzes rules and policies: see `postward::policy::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::policy::check::rules(data));
