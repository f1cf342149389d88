//! Decodes a body into the strings it holds, and writes edited ones back in place.
//!
//! Promise: decode then write without edits is the identity on bytes; with edits only the edited strings change.
//! Whatever cannot be read for certain is [`Unreadable`], never guessed at. Pure: bytes in, bytes out.

mod document;
mod elide;
pub mod encoding;
mod path;

pub use document::{CannotWrite, Document, Edit, Kind, Limits, Node, Role, Text, Unreadable};
pub use elide::{Elider, IsMedia, Piece};
pub use path::{Path, Step};
