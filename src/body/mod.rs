//! Decodes a body into the strings it holds, and writes edited ones back in place.
//!
//! Promise: decode then write without edits is the identity on bytes; with edits only the edited strings change.
//! Whatever cannot be read for certain is [`Unreadable`], never guessed at. Pure: bytes in, bytes out.
//!
//! A document is a list of texts over layers of source bytes: the body, and JSON that stands in a form's value or in a part.
//! An edit becomes a patch of its layer, and a layer's patches become splices of the text it stands in.

pub(crate) mod base64;
mod blob;
mod captions;
mod charset;
pub mod check;
mod coded;
mod coding;
mod content_type;
mod document;
mod edit;
mod elide;
pub mod encoding;
mod entity;
mod files;
mod form;
mod header;
mod json;
#[cfg(test)]
mod kinds;
mod limits;
mod multipart;
mod name;
mod params;
mod path;
mod read;
mod reader;
mod slot;
mod sniff;
mod textual;
mod within;
mod write;
mod xml;

pub use coded::Codes;
pub use document::{Document, Kind, Node, Text};
pub use edit::{CannotWrite, Edit, Role};
pub use elide::{Elider, IsMedia, Piece};
pub use limits::{Limits, Unreadable};
pub use multipart::encoded_words;
pub use path::{Path, Step, Steps};
#[cfg(test)]
pub(crate) use slot::work;
pub use sniff::{claims_form, looks_like_file, looks_like_media, lossy};

#[cfg(test)]
mod tests;
