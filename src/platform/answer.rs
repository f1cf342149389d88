//! The answer a client gets instead of the platform's own.

/// What we answer in a platform's own shape, so that a stock client shows the sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: http::StatusCode,
    /// `Content-Type`, to the letter (some clients compare it).
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}
