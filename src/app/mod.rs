//! Puts the parts together and keeps them running: start, ready, stop.

mod start;

pub use start::{Options, Running, StartError, serve, start};
