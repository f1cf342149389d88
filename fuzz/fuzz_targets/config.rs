//! Fuzzes the configuration: see `postward::config::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::config::check::config(data));
