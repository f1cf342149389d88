//! Fuzzes the strict reader of HTTP/1 requests: see `postward::proxy::wire::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::proxy::wire::check::wire(data));
