//! TLS towards clients: the hospital's CA and its leaves, or a certificate of one's own.

pub mod ca;
mod files;

pub use ca::{Authority, CaError, CaFiles, init};
pub use files::KeyFileError;
