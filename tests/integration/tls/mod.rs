//! TLS, towards the platforms and towards clients: who is believed, in what words one that is not is refused, and what abuse
//! of the handshake comes to.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

mod abuse;
mod chain;
mod clients;
mod platform;
mod upstream;
