//! Finds identifiers in text; knows no HTTP, no policy.

mod candidate;
mod check;
mod compose;
mod context;
mod disguise;
mod engine;
mod except;
mod finding;
mod generalize;
mod labelled;
mod literal;
mod pattern;
mod resolve;
mod token;
mod validate;
mod weigh;

pub use context::Care;
pub use engine::{Engine, Explained, Piece, Scan};
pub use finding::{Finding, Part};

#[cfg(test)]
mod tests;
