//! What a file is by its bytes, what it says besides its pixels and its sound, and how that is taken out of it.
//!
//! A camera writes where and when it was, whose it is and what a person typed under the picture; a picture may have words
//! after its end, or a whole other file. Pure: bytes in, bytes out. Promises: the compressed image or sound is never
//! touched by a byte; what is not understood is a [`Fault`], never passed over; no bytes make it panic; time and memory
//! are linear in the file.

mod anatomy;
mod audio;
mod bytes;
pub mod check;
mod exif;
mod format;
mod gif;
mod iptc;
mod iso;
mod jpeg;
mod matroska;
mod png;
mod riff;
mod stream;
mod words;
mod xmp;

pub use anatomy::{Anatomy, Fault, Keep};
pub use format::{Format, is_binary, is_document, is_mostly_text, is_only_document, may_be_media};
pub use stream::InPlace;
pub use words::{Caption, Words};

#[cfg(test)]
mod tests;
