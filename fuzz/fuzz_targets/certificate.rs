//! Fuzzes the reader of names in clients' certificates: see `postward::proxy::who::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::proxy::who::check::certificate(data));
