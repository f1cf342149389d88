//! Fuzzes the whole decision: see `postward::inspect::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::inspect::check::scan(data));
