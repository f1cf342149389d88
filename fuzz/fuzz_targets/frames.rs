//! Fuzzes the reader of WebSocket frames: see `postward::proxy::websocket::check`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postward::proxy::websocket::check::frames(data));
