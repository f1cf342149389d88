//! Why bytes are no request. A closed list: the words are labels of a counter and stand in the answer, and nothing of
//! the request does.

/// What is wrong with a request's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The request line is not `METHOD target HTTP/1.x`: garbage, HTTP/0.9, a TLS hello.
    RequestLine,
    /// The method is not of capital letters.
    Method,
    /// CONNECT or TRACE.
    MethodRefused,
    /// The target is neither a path nor a whole URL, or has bytes that no URL has.
    Target,
    /// The target is too long.
    TargetTooLong,
    /// Another version than 1.0 and 1.1.
    Version,
    /// A line that does not end in CR LF, or a CR within one.
    LineEnd,
    /// A line that continues the one before.
    Fold,
    /// A header's name, or what stands between it and its colon.
    HeaderName,
    /// A control byte in a header's value.
    HeaderValue,
    /// Too many headers.
    TooManyHeaders,
    /// The head, or the trailers, are too long.
    TooLong,
    /// No host, two hosts, or a target that names another one.
    Host,
    /// The length is no number, or there are two.
    Length,
    /// A body without a length.
    NoLength,
    /// `Transfer-Encoding` cannot be read, does not end in `chunked`, or comes twice.
    Coding,
    /// A coding other than `chunked`.
    UnknownCoding,
    /// Both a length and `Transfer-Encoding`, or `Transfer-Encoding` in HTTP/1.0.
    TwoFramings,
    /// An expectation other than `100-continue`.
    Expectation,
    /// A request to upgrade that has a body, or two of them.
    Upgrade,
    /// The line before a chunk.
    ChunkLine,
    /// What follows a chunk is not CR LF.
    ChunkEnd,
    /// A trailer.
    Trailer,
}

impl Fault {
    pub(crate) const ALL: [Self; 23] = [
        Self::RequestLine,
        Self::Method,
        Self::MethodRefused,
        Self::Target,
        Self::TargetTooLong,
        Self::Version,
        Self::LineEnd,
        Self::Fold,
        Self::HeaderName,
        Self::HeaderValue,
        Self::TooManyHeaders,
        Self::TooLong,
        Self::Host,
        Self::Length,
        Self::NoLength,
        Self::Coding,
        Self::UnknownCoding,
        Self::TwoFramings,
        Self::Expectation,
        Self::Upgrade,
        Self::ChunkLine,
        Self::ChunkEnd,
        Self::Trailer,
    ];

    /// A word for metrics, logs and the answer.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RequestLine => "request-line",
            Self::Method => "method",
            Self::MethodRefused => "method-refused",
            Self::Target => "target",
            Self::TargetTooLong => "target-too-long",
            Self::Version => "version",
            Self::LineEnd => "line-end",
            Self::Fold => "fold",
            Self::HeaderName => "header-name",
            Self::HeaderValue => "header-value",
            Self::TooManyHeaders => "too-many-headers",
            Self::TooLong => "too-long",
            Self::Host => "host",
            Self::Length => "length",
            Self::NoLength => "no-length",
            Self::Coding => "coding",
            Self::UnknownCoding => "unknown-coding",
            Self::TwoFramings => "two-framings",
            Self::Expectation => "expectation",
            Self::Upgrade => "upgrade",
            Self::ChunkLine => "chunk-line",
            Self::ChunkEnd => "chunk-end",
            Self::Trailer => "trailer",
        }
    }
}
