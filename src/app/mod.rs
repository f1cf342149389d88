//! Puts the parts together and keeps them running: start, ready, change, stop.

mod dumps;
mod families;
mod observed;
mod panics;
mod process;
mod proved;
mod reload;
mod standing;
mod start;
mod watch;

pub use dumps::forbid_dumps;
pub use families::families;
pub use panics::hide_payloads;
pub use proved::{chain, proved};
pub use standing::Trigger;
pub use start::{HangUps, Options, Running, StartError, serve, start};
