//! What happens to patients after the roster was built: messages are applied to a register of those that were heard of,
//! which a journal keeps under a key, and which an overlay beside the roster shows to its readers.
//!
//! Invariants: what was acknowledged is in the journal, synced; neither file has a plain byte of a patient; readers see
//! the roster with all news or, where an overlay cannot be read, are told so and keep the last good one.

mod follower;
mod journal;
mod overlay;
mod register;
#[cfg(test)]
mod tests;

pub use follower::{FollowError, Follower, Taken};
pub use overlay::{NewsStamp, Overlay, overlay_path};

pub(super) use register::Register;
