//! The pipeline: body + platform + detect + policy + redact, in one readable function.
//!
//! Deciding is a plain function that a test can call: no sockets, no clock. A body that cannot be read is decided, too:
//! it is not an error.

mod address;
mod again;
pub mod check;
mod collect;
mod disguise;
#[cfg(test)]
mod doors;
mod edits;
#[cfg(test)]
mod endpoints;
mod faulty;
mod files;
mod fit;
mod inspection;
mod inspector;
mod joined;
mod label;
#[cfg(test)]
mod messages;
mod outward;
mod rewrite;
#[cfg(test)]
mod same;
mod shadow;
mod shape;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
mod text;
mod whole;

pub use inspection::{Coverage, Fault, Inspection, JudgedFinding, Redacted, Verdict};
pub use inspector::{Inspector, Request};
pub use shadow::Shadowed;
pub use text::TextInspection;
