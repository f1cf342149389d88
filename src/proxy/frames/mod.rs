//! What stands in front of the HTTP/2 library: frames and header blocks that RFC 9113 and RFC 7541 call an error, and the library takes,
//! or answers with another code than the RFCs name.
//!
//! `Machine` is bytes in and a verdict out, and knows no socket; `Guard` puts it round a stream. It takes no header apart and changes no
//! byte: the library reads everything itself, but never sees the end of a frame that was refused here.

mod guard;
mod hpack;
mod huffman;
mod machine;

pub(crate) use self::guard::Guard;
