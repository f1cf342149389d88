//! TLS towards clients: the hospital's CA and its leaves, or a certificate of one's own.

mod accept;
pub mod ca;
mod certificate;
mod clients;
mod expiry;
mod files;
mod leaf;
#[cfg(test)]
mod tests;

pub use accept::TlsSetupError;
pub(crate) use accept::{Accepted, Presented, TlsAcceptor, provider};
pub use ca::{Authority, CaError, CaFiles, init};
pub(crate) use certificate::names as certified_names;
pub(crate) use clients::{Clients, fault_of};
pub use expiry::Expiry;
pub(crate) use expiry::{MEMORY, end_of, expiries};
pub use files::KeyFileError;
pub(crate) use files::{certificates, private_key, read_text, revocation_lists};
