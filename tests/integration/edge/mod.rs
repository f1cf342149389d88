//! The edge: requests that could be read in two ways, slow clients and floods. Each case is what a client writes, what it
//! is answered, and what the platform saw: nothing, or exactly one request framed anew.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

mod flood;
mod h1;
mod h2;
mod memory;
pub(crate) mod raw_h2;
mod slow;
