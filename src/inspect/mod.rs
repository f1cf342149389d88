//! The pipeline: body + platform + detect + policy + redact, in one readable function.
//!
//! Deciding is a plain function that a test can call: no sockets, no clock. A body that cannot be read is decided, too:
//! it is not an error.

mod inspection;
mod inspector;

pub use inspection::{Fault, Inspection, JudgedFinding, Redacted, Verdict};
pub use inspector::{Inspector, Request};
