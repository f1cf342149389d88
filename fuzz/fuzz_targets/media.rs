//! Fuzzes the reader of media: see `postward::media::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::media::check::media(data));
