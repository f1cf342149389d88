//! Files within a body that nobody reads as text: where their bytes are, and how others are written in their place.

use bytes::Bytes;

use crate::body::slot::{Patch, Slot};
use crate::body::{CannotWrite, base64};

/// One file.
pub(super) struct HeldFile {
    /// Its bytes, decoded.
    pub(super) content: Bytes,
    pub(super) at: At,
}

/// How a file stands in its body.
pub(super) enum At {
    /// It is the body.
    Whole,
    /// As it is, in a part.
    Slot(Slot),
    /// In base64.
    Base64(Slot, Digits),
    /// In a way that servers undo or do not: it cannot be written.
    Fixed,
}

/// How base64 is spelled.
pub(super) struct Digits {
    /// What stands before them (`data:image/png;base64,`).
    prefix: Box<str>,
    /// Whether they are those of addresses (`-` and `_`).
    is_url: bool,
    /// Whether they are filled up to four.
    is_padded: bool,
}

impl Digits {
    pub(super) fn of(value: &str) -> Self {
        let (_, digits) = base64::payload(value);
        let prefix = value.strip_suffix(digits).unwrap_or_default();
        let is_padded = digits.ends_with('=') || digits.len().is_multiple_of(4);
        Self { prefix: prefix.into(), is_url: digits.contains(['-', '_']), is_padded }
    }

    fn encode(&self, bytes: &[u8]) -> String {
        let digits = base64::encode(bytes);
        let digits = if self.is_url { digits.replace('+', "-").replace('/', "_") } else { digits };
        let digits = if self.is_padded { &*digits } else { digits.trim_end_matches('=') };
        [&*self.prefix, digits].concat()
    }
}

impl HeldFile {
    /// The patch that puts other bytes in its place, and the layer it is of; `None` where it is the whole body.
    pub(super) fn patch(&self, with: &[u8]) -> Result<Option<(u32, Patch)>, CannotWrite> {
        match &self.at {
            At::Whole => Ok(None),
            At::Slot(slot) => Ok(Some((slot.layer, slot.replaced(with.to_vec())))),
            At::Base64(slot, digits) => {
                Ok(Some((slot.layer, slot.rewritten(&digits.encode(with))?)))
            }
            At::Fixed => Err(CannotWrite::ReadOnly),
        }
    }
}
