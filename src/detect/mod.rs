//! Finds identifiers in text; knows no HTTP, no policy.

mod candidate;
mod check;
mod compose;
mod context;
mod engine;
mod finding;
mod token;

pub use context::Care;
pub use engine::{Engine, Explained, Piece, Scan};
pub use finding::{Finding, Part};
