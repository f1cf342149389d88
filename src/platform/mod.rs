//! Which fields of which endpoint carry a person's words; offsets; length limits; answers.
//!
//! The platforms are data: `config/platforms/*.toml`. What TOML cannot say (how offsets move, how lengths count, how
//! records are bound to each other) is a closed list in Rust that the files name.
//!
//! How one request is put through, by `inspect`:
//!
//! 1. [`Platform::resolve`] by method, raw path and, for GraphQL, the body: the endpoint, and whether the file names it.
//! 2. [`Endpoint::classify`] for every text of body, query, path and headers: words (read, may be edited), opaque (not
//!    read) or other (read, never edited).
//! 3. For each edited text: [`Platform::still_fits`] with the text before and after, and [`Platform::move_offsets`] for
//!    what else must change. A text inside a facet that goes with [`crate::body::Edit::Remove`] needs no edit of its own.
//! 4. [`Platform::signed`] with what is edited: if so, nothing may be.
//! 5. After writing, [`Platform::still_valid`] with each document as it came and as it was written.
//! 6. [`Platform::answer`] where the verdict is a block.
//!
//! Invariant: whatever a file does not name is read. A file can only say what may be edited and what is nobody's words.

mod answer;
mod bound;
pub mod check;
mod endpoint;
mod field;
mod fields;
mod file;
mod frame;
mod limit;
mod markup;
mod offsets;
mod platforms;
mod rewrite;
mod settings;
mod signed;
mod split;
mod template;
#[cfg(test)]
mod tests;
mod valid;

pub use answer::{Answer, Reason};
pub use endpoint::{Class, Endpoint, FieldClass, Place};
pub use field::FieldSpec;
pub use markup::{Markup, Visible, united, widen};
pub use platforms::{CannotRedact, Platform, Platforms, Resolved, WEBSOCKET};
pub use split::{Join, Split};
pub use valid::list_of;
