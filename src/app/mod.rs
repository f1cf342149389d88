//! Puts the parts together and keeps them running: start, ready, change, stop.

mod activation;
mod dumps;
mod families;
mod handover;
mod intake;
mod notify;
mod observed;
mod panics;
mod process;
mod proved;
mod pulse;
mod reload;
mod standing;
mod start;
mod watch;

pub use activation::ActivationError;
pub use dumps::forbid_dumps;
pub use families::families;
pub use handover::{HandoverError, Predecessor, TalkError};
pub use intake::{Intake, IntakeError, IntakeTls, listen};
pub use notify::Notifier;
pub use panics::hide_payloads;
pub use proved::{chain, proved};
pub use standing::Trigger;
pub use start::{HangUps, Interrupts, Options, Running, StartError, serve, start};
