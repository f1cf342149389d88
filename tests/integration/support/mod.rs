//! The real proxy on real sockets, a platform that counts and remembers, and clients that speak HTTP/1.1 and HTTP/2.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

pub(crate) mod client;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod socket;
pub(crate) mod upstream;

pub(crate) use client::Client;
pub(crate) use proxy::Proxy;
pub(crate) use upstream::Upstream;
