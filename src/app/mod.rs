//! Puts the parts together and keeps them running: start, ready, stop.

mod observed;
mod panics;
mod start;

pub use panics::hide_payloads;
pub use start::{Options, Running, StartError, serve, start};
