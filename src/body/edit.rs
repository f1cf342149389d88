//! What can be changed in a document, and why a change cannot be written.

use bytes::Bytes;

use crate::body::Node;
use crate::span::Span;

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

/// One change to a document.
#[derive(Clone)]
pub enum Edit {
    /// Replace bytes of the decoded text `texts()[text]`.
    Splice {
        /// Index into [`Document::texts`](crate::body::Document::texts).
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
    /// Put other bytes in the place of a file.
    File {
        /// Index into [`Document::files`](crate::body::Document::files).
        file: usize,
        /// The file that goes on in its place.
        with: Bytes,
    },
    /// Take an element out of a JSON array, or a member out of an object, with its comma.
    Remove {
        /// The element, or the member's value.
        node: Node,
    },
}

/// Prints lengths only of what is put in.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Splice { text, span, with } => f
                .debug_struct("Splice")
                .field("text", text)
                .field("span", span)
                .field("n_with", &with.len())
                .finish(),
            Self::Number { node, .. } => {
                f.debug_struct("Number").field("node", node).finish_non_exhaustive()
            }
            Self::File { file, with } => {
                f.debug_struct("File").field("file", file).field("n_with", &with.len()).finish()
            }
            Self::Remove { node } => f.debug_struct("Remove").field("node", node).finish(),
        }
    }
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
