//! Fuzzes what platforms say: see `postward::platform::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::platform::check::platform_file(data));
