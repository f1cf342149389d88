//! Fuzzes the reader of headers of the PROXY protocol: see `postward::proxy::who::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::proxy::who::check::proxy_header(data));
