//! One decoded body (or query string) of any kind: its texts, and how edits are written back.

use bytes::Bytes;

use crate::body::Path;
use crate::phi::PhiText;
use crate::span::Span;

/// How much a body may ask of us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes after decompression (the proxy itself limits the bytes before).
    pub max_decoded: usize,
    /// Objects within arrays within objects ...
    pub max_depth: usize,
    /// Strings, keys and numbers of one document.
    pub max_fields: usize,
    /// Layers of Content-Encoding.
    pub max_codings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_decoded: 16 << 20, max_depth: 128, max_fields: 200_000, max_codings: 2 }
    }
}

/// Why a body cannot be read. Says what kind of fault, never any of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum Unreadable {
    #[error("content coding is unknown")]
    UnknownCoding,
    #[error("too many layers of content coding")]
    TooManyCodings,
    #[error("compressed body is damaged or truncated")]
    DamagedCoding,
    #[error("body is larger than the limit")]
    TooLarge,
    #[error("body is nested deeper than the limit")]
    TooDeep,
    #[error("body has more fields than the limit")]
    TooManyFields,
    #[error("text is not in the charset it claims")]
    Charset,
    #[error("charset is unknown")]
    UnknownCharset,
    #[error("JSON is malformed")]
    Json,
    #[error("form is malformed")]
    Form,
    #[error("multipart body is malformed")]
    Multipart,
    #[error("body is of no kind that can be read")]
    UnknownKind,
    #[error("body ended early")]
    Truncated,
    #[error("body came too slowly")]
    TooSlow,
}

/// Why edits cannot be written back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum CannotWrite {
    #[error("an edit does not fit the text it is for")]
    Misplaced,
    #[error("this part of a body cannot be edited")]
    ReadOnly,
}

/// What kind of body a document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Empty,
    Json,
    Form,
    Multipart,
    Text,
    /// A raw media body that its leading bytes agree on.
    Media,
}

/// What a text is within its body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A string value.
    Value,
    /// A number, spelled as it was. Never edited.
    Number,
    /// An object key or form name. Never edited.
    Key,
    /// The file name of a part. Edited in place where its spelling is plain.
    FileName,
    /// Name, type or other parameter of a part. Never edited.
    PartHeader,
}

/// One text of a document.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it sits.
    pub path: Path,
    /// What it is there.
    pub role: Role,
    /// The decoded text.
    pub text: PhiText,
    /// Whether it came in a multipart part (paths `part:...`).
    pub in_part: bool,
}

/// One change to a document.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Replace bytes of the decoded text `texts()[text]`.
    Splice {
        /// Index into [`Document::texts`].
        text: usize,
        /// Bytes of the decoded text.
        span: Span,
        /// The replacement.
        with: String,
    },
    /// Give a JSON number another value.
    Number {
        /// The number.
        node: Node,
        /// Its new value.
        value: u64,
    },
    /// Take an element out of a JSON array, or a member out of an object, with its comma.
    Remove {
        /// The element, or the member's value.
        node: Node,
    },
}

/// A JSON value within a document (within a part of it, where parts hold JSON). Used by offsets handlers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    layer: u32,
    node: u32,
}

/// One decoded body or query string.
#[derive(Debug)]
pub struct Document {
    _private: (),
}

impl Document {
    /// Reads a decompressed body by its `Content-Type` (sniffed where there is none).
    pub fn parse(
        _content_type: Option<&str>,
        _body: Bytes,
        _limits: &Limits,
    ) -> Result<Self, Unreadable> {
        todo!()
    }

    /// Reads a raw query string (without `?`).
    pub fn parse_query(_query: &str, _limits: &Limits) -> Result<Self, Unreadable> {
        todo!()
    }

    /// What kind of body it is.
    pub fn kind(&self) -> Kind {
        todo!()
    }

    /// Every text: values, keys, numbers, part names and file names, duplicates and all, in order.
    pub fn texts(&self) -> &[Text] {
        todo!()
    }

    /// The JSON value that text `index` is, if it is one.
    pub fn node_of(&self, _index: usize) -> Option<Node> {
        todo!()
    }

    /// The object or array a node stands in.
    pub fn parent(&self, _node: Node) -> Option<Node> {
        todo!()
    }

    /// Every member of an object with this key: duplicates are all given.
    pub fn members(&self, _object: Node, _key: &str) -> Vec<Node> {
        todo!()
    }

    /// The elements of an array.
    pub fn elements(&self, _array: Node) -> Vec<Node> {
        todo!()
    }

    /// The value of a number that is a whole one.
    pub fn as_u64(&self, _node: Node) -> Option<u64> {
        todo!()
    }

    /// The text index of a string value.
    pub fn text_of(&self, _node: Node) -> Option<usize> {
        todo!()
    }

    /// The body with these edits: nothing else differs by a byte. Without edits, the very bytes.
    pub fn write(&self, _edits: &[Edit]) -> Result<Bytes, CannotWrite> {
        todo!()
    }
}
