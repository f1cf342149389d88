//! Puts the parts together and keeps them running: start, ready, stop.

mod dumps;
mod observed;
mod panics;
mod start;

pub use dumps::forbid_dumps;
pub use panics::hide_payloads;
pub use start::{Options, Running, StartError, serve, start};
