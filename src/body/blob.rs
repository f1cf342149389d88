//! What the bytes of a file are: media, which nobody reads, or text, in whatever charset or packing it came.
//!
//! Whoever sends a file says what it is, and may say anything: so the bytes decide. Only those of media pass unread, and what
//! is neither media nor text is marked, since the later pieces of an upload look like that. Promise: packed text costs no more
//! than the limit on decoded bytes, however small the bomb.

use bytes::Bytes;

use crate::body::encoding::{Unpacked, unpack};
use crate::body::files::At;
use crate::body::json::NONE;
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Unreadable, sniff, textual};

/// How often a file may be packed.
const MOST_PACKED: usize = 3;

/// What the bytes of a file are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Held {
    /// Pictures, sound or film. Their text, if they are mostly text, has been read.
    Media,
    /// Text, and it has been read.
    Text,
    /// Neither; long stretches of words in it have been read.
    Unknown,
}

/// Reads a file. Nothing of it is edited: `slot` says where it stands.
pub(super) fn read(
    reader: &mut Reader<'_>,
    place: &Place,
    file: &Bytes,
    slot: Slot,
    at: At,
) -> Result<Held, Unreadable> {
    let slot = slot.read_only();
    let (mut file, mut at) = (file.clone(), at);
    for _ in 0..=MOST_PACKED {
        let bytes = &*file;
        if reader.is_document(bytes)? {
            reader.note_file(file, at);
            return Ok(Held::Media);
        }
        if !is_plain(bytes)
            && let Some(Unpacked { inside, names }) = unpack(bytes, reader.left_to_unpack())?
        {
            for name in names.iter().filter_map(|name| textual::words(name)) {
                within::push(reader, place, name, slot, NONE, Reading::Lenient)?;
            }
            reader.note_unpacked(inside.len());
            (file, at) = (inside.into(), At::Fixed);
            continue;
        }
        let text = textual::words(bytes);
        let is_media = sniff::is_media(bytes);
        let held = match text {
            _ if is_media => Held::Media,
            Some(_) => Held::Text,
            None => Held::Unknown,
        };
        // A charset that is guessed may be another to the platform.
        let is_exact = held == Held::Media || is_plain(bytes);
        reader.unknown_files |= !is_exact;
        let text = if held == Held::Unknown { textual::stretches(bytes) } else { text };
        if let Some(text) = text {
            within::push(reader, place, text, slot, NONE, Reading::Lenient)?;
        }
        if held != Held::Text {
            reader.note_file(file, at);
        }
        return Ok(held);
    }
    Err(Unreadable::TooDeep)
}

fn is_plain(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(sniff::is_plain_text)
}
