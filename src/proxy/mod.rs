//! The network: listeners, TLS, routes, the way of one post, the way to the platforms.

mod body;
mod calendar;
mod connection;
mod current;
mod digest;
mod drain;
mod forward;
mod frames;
mod headers;
mod judge;
mod listener;
mod memory;
mod metrics;
mod outcome;
mod pace;
mod passage;
mod prove;
mod receive;
mod respond;
mod route;
mod seldom;
mod server;
mod service;
mod set;
mod spool;
mod strange;
pub mod tls;
mod upstream;
pub mod websocket;
pub mod wire;

pub use metrics::Metrics;
pub use prove::{Proof, prove};
pub use route::UnknownPlatform;
pub use server::{Ready, Server, SetupError};
pub use set::{Ground, Prepared};
pub use upstream::UpstreamSetupError;
