//! How much a body may ask of us, and why one cannot be read.

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
    /// How many times its length a body may have after decompression, where that is more than [`UNPACKED`](Self::UNPACKED).
    pub max_ratio: usize,
    /// Whether documents that nobody here can read (PDF, DICOM, office files) may pass as media do.
    pub documents: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_decoded: 16 << 20,
            max_depth: 128,
            max_fields: 200_000,
            max_codings: 2,
            max_ratio: 100,
            documents: false,
        }
    }
}

impl Limits {
    /// So many bytes may come out of any compressed body: short texts that repeat themselves shrink more than others.
    pub const UNPACKED: usize = 128 << 10;

    /// How many bytes may come out of a compressed body of this length.
    pub fn most_unpacked(&self, length: usize) -> usize {
        length.saturating_mul(self.max_ratio).max(Self::UNPACKED).min(self.max_decoded)
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
    #[error("XML is malformed")]
    Xml,
    #[error("multipart body is malformed")]
    Multipart,
    #[error("body is of no kind that can be read")]
    UnknownKind,
    #[error("a document that cannot be read, and may not pass unread")]
    Document,
    #[error("media is malformed, or of a kind whose metadata cannot be taken out")]
    Media,
    #[error("media comes in pieces, which cannot be judged")]
    Piece,
    #[error("text is encrypted from end to end")]
    Encrypted,
    #[error("body ended early")]
    Truncated,
    #[error("body came too slowly")]
    TooSlow,
    #[error("body could not be kept while it was judged")]
    Unkept,
    #[error("there was no memory to read it in time")]
    Busy,
}

impl Unreadable {
    /// One word for it, for labels of metrics and marks of the audit: a closed list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCoding => "unknown-coding",
            Self::TooManyCodings => "too-many-codings",
            Self::DamagedCoding => "damaged-coding",
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::TooManyFields => "too-many-fields",
            Self::Charset => "charset",
            Self::UnknownCharset => "unknown-charset",
            Self::Json => "json",
            Self::Form => "form",
            Self::Xml => "xml",
            Self::Multipart => "multipart",
            Self::UnknownKind => "unknown-kind",
            Self::Document => "document",
            Self::Media => "media",
            Self::Piece => "media-piece",
            Self::Encrypted => "encrypted",
            Self::Truncated => "truncated",
            Self::TooSlow => "too-slow",
            Self::Unkept => "not-kept",
            Self::Busy => "busy",
        }
    }
}
