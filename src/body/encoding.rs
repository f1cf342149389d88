//! Content-Encoding: gzip, deflate, br and zstd, in and out again, within limits.

use bytes::Bytes;

use crate::body::{Limits, Unreadable};

/// The codings of a `Content-Encoding` header, in the order they were applied.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Codings {
    _private: (),
}

impl Codings {
    /// Reads the header's value; an unknown coding, or more layers than the limit, is unreadable.
    pub fn parse(_header: &str) -> Result<Self, Unreadable> {
        todo!()
    }

    /// Whether the body is as it is.
    pub fn is_identity(&self) -> bool {
        todo!()
    }

    /// Undoes the codings. Truncated input, bytes after the end and output over the limit are unreadable.
    pub fn decode(&self, _body: &Bytes, _limits: &Limits) -> Result<Bytes, Unreadable> {
        todo!()
    }

    /// Applies the codings again.
    pub fn encode(&self, _body: &[u8]) -> Vec<u8> {
        todo!()
    }
}
