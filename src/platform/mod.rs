//! Which fields of which endpoint carry a person's words; offsets; length limits; answers.
//!
//! The platforms are data: `config/platforms/*.toml`. What TOML cannot say (how offsets move, how lengths count) is a
//! closed list in Rust that the files name.

mod answer;
mod endpoint;
mod platforms;

pub use answer::Answer;
pub use endpoint::{Class, Endpoint, FieldClass, FieldSpec, Place};
pub use platforms::{CannotRedact, Platform, Platforms, Resolved};
